"""The Dagster instance of an installation, for runs started from the command line.

Belongs here: `dagster.yaml`, with its relative folders placed below the installation's own, or with PostgreSQL in the
place of SQLite. The UI and the daemon read the same, so runs from either side stand in the same history.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import ArgumentError, DatabaseError

from f1_pipeline.addresses import with_driver, without_user
from f1_pipeline.errors import ServiceError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.connection import CHECK_THE_DISK

DEFAULT_DIR = Path("data/warehouse/dagster")  # what the folders in dagster.yaml are relative to
POSTGRES = "F1_DAGSTER_POSTGRES"
SQLITE = ("run_storage", "event_log_storage", "schedule_storage")
STORAGE = {"module": "f1_pipeline.defs.postgres_storage", "class": "PostgresStorage"}
ANSWER_S = 10  # how long a database may take to answer
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def open_instance(settings: Settings) -> Generator[dg.DagsterInstance]:
    """Open the instance while the body lasts.

    Parameters
    ----------
    settings : Settings

    Yields
    ------
    dagster.DagsterInstance

    Raises
    ------
    WarehouseError
        When one of its databases is damaged, or the disk is full, now or while the body lasts.
    ServiceError
        When its database in PostgreSQL is out of reach.
    """
    try:
        settings.dagster_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"{settings.dagster_dir}: cannot make the folder: {error.strerror}") from error
    if settings.dagster_postgres:
        reach_database(settings.dagster_postgres)
    else:
        _refuse_damage(settings.dagster_dir)
    with _disk_errors(settings), dg.DagsterInstance.from_ref(_reference(settings)) as instance:
        yield instance


def _reference(settings: Settings) -> InstanceRef:
    """Describe the instance; a database cannot take the place of files by way of overrides, so its file is written."""
    if settings.dagster_postgres:
        from f1_pipeline.defs.instance_home import write_instance_home

        return InstanceRef.from_dir(str(write_instance_home(settings)))
    return InstanceRef.from_dir(str(settings.home), overrides=instance_config(settings))


@contextmanager
def _disk_errors(settings: Settings) -> Generator[None]:
    """Name what the disk refuses: Dagster's own records, or a file that a run writes beside the tables."""
    try:
        yield
    except DatabaseError as error:
        if settings.dagster_postgres:
            raise _out_of_reach(settings.dagster_postgres, error.orig) from None
        raise WarehouseError(
            f"{settings.dagster_dir}: the history of runs cannot be written, {CHECK_THE_DISK}: {error.orig}"
        ) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        place = error.filename or settings.warehouse_dir
        raise WarehouseError(f"{place}: cannot be written, {CHECK_THE_DISK}: {error.strerror}") from error


def reach_database(url: str) -> None:
    """See that the database of Dagster's records answers, for a bounded time.

    Parameters
    ----------
    url : str

    Raises
    ------
    ServiceError
        It does not, or the extra `scale` is not installed; the message shows no password.
    """
    try:
        engine = create_engine(with_driver(url), connect_args={"connect_timeout": ANSWER_S}, poolclass=NullPool)
        with engine.connect():
            pass
    except ImportError as error:
        raise ServiceError(f"{POSTGRES}: expected the extra `scale` to be installed, found no {error.name}") from error
    except (ArgumentError, DatabaseError) as error:
        raise _out_of_reach(url, getattr(error, "orig", "it is no address")) from None  # its text may have the password


def _out_of_reach(url: str, reason: object) -> ServiceError:
    first = str(reason).strip().partition("\n")[0]
    return ServiceError(f"{POSTGRES}: expected Dagster's database at {without_user(url)}, found none: {first}")


def _refuse_damage(dagster_dir: Path) -> None:
    """Name a database that is damaged, before Dagster makes errors of its own of it."""
    for path in (*dagster_dir.glob("*/runs.db"), *dagster_dir.glob("*/index.db"), *dagster_dir.glob("*/schedules.db")):
        try:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("select count(*) from sqlite_master").fetchall()
        except sqlite3.OperationalError as error:  # no damage: no space, no rights, another process
            raise WarehouseError(f"{path}: the history of runs cannot be opened, {CHECK_THE_DISK}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise WarehouseError(
                f"{path}: the history of runs cannot be used; `f1-pipeline restore` brings a back-up back, or move the "
                f"folder {dagster_dir} aside: tables stay as they are, only the history begins anew: {error}"
            ) from error


def instance_config(settings: Settings) -> dict[str, Any]:
    """Read the project's `dagster.yaml`, with its folders placed below the installation's own.

    A database in PostgreSQL is named by its environment variable, so that no file holds its password.
    """
    config = yaml.safe_load((settings.home / "dagster.yaml").read_text(encoding="utf-8"))
    if settings.dagster_postgres:
        config = {name: section for name, section in config.items() if name not in SQLITE}
        config["storage"] = {"custom": {**STORAGE, "config": {"postgres_url": {"env": POSTGRES}}}}
    for section in config.values():
        folder = section.get("config", {}).get("base_dir")
        if folder:
            section["config"]["base_dir"] = str(settings.dagster_dir / Path(folder).relative_to(DEFAULT_DIR))
    return config
