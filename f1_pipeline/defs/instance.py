"""The Dagster instance of an installation, for runs started from the command line.

Belongs here: `dagster.yaml`, with its relative folders placed below the installation's own. The UI and the daemon read
the same file, so runs from either side stand in the same history.
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
from sqlalchemy.exc import DatabaseError

from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.connection import CHECK_THE_DISK

DEFAULT_DIR = Path("data/warehouse/dagster")  # what the folders in dagster.yaml are relative to
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
    """
    try:
        settings.dagster_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseError(f"{settings.dagster_dir}: cannot make the folder: {error.strerror}") from error
    _refuse_damage(settings.dagster_dir)
    reference = InstanceRef.from_dir(str(settings.home), overrides=instance_config(settings))
    with _disk_errors(settings), dg.DagsterInstance.from_ref(reference) as instance:
        yield instance


@contextmanager
def _disk_errors(settings: Settings) -> Generator[None]:
    """Name what the disk refuses: Dagster's own records, or a file that a run writes beside the tables."""
    try:
        yield
    except DatabaseError as error:
        raise WarehouseError(
            f"{settings.dagster_dir}: the history of runs cannot be written, {CHECK_THE_DISK}: {error.orig}"
        ) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        place = error.filename or settings.warehouse_dir
        raise WarehouseError(f"{place}: cannot be written, {CHECK_THE_DISK}: {error.strerror}") from error


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
    """Read the project's `dagster.yaml`, with its folders placed below the installation's own."""
    config = yaml.safe_load((settings.home / "dagster.yaml").read_text(encoding="utf-8"))
    for section in config.values():
        folder = section.get("config", {}).get("base_dir")
        if folder:
            section["config"]["base_dir"] = str(settings.dagster_dir / Path(folder).relative_to(DEFAULT_DIR))
    return config
