"""A small installation that takes a moment to make: facts of two races, a warehouse, a model store, a history, a team.

Belongs here: making one, telling its state, and letting a forked process die in the middle of something. Neighbours:
`small_facts.py` cuts the facts; real runs are `integration/test_runs.py`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.faults.small_facts import small_facts

TABLE = "create schema if not exists core; create or replace table core.number as select range as number from range({})"


def small_installation(folder: Path, mark: str, rows: int = 1000, facts: Path | None = None) -> Settings:
    """Make an installation whose every part says `mark`, or change one that is there; `facts` are copied."""
    settings = Settings(folder, folder / "data", folder / "data" / "warehouse", lock_wait_s=0.2)
    if not folder.exists():
        folder.mkdir()
        shutil.copytree(facts or small_facts(folder / "facts"), settings.data_dir)
    received = settings.received_dir / "feed" / "payload.gz"
    received.parent.mkdir(parents=True, exist_ok=True)
    received.write_text(mark, encoding="utf-8")
    settings.team_path.write_text(f'name = "{mark}"\n', encoding="utf-8")
    with Warehouse(settings.warehouse_path, 0.2).write() as connection:
        connection.execute(TABLE.format(rows))
    artifacts = settings.tracking_dir / "artifacts" / "model"
    artifacts.mkdir(parents=True, exist_ok=True)
    (artifacts / "weights.bin").write_bytes(mark.encode() * 1000)
    for path in (settings.tracking_dir / "mlflow.db", settings.dagster_dir / "runs" / "runs.db"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute("create table if not exists note (key integer primary key, place text)")
            connection.execute("replace into note values (1, ?)", (f"{artifacts.as_uri()}/{mark}",))
    return settings


def state(settings: Settings) -> dict[str, str]:
    """Hash every file of an installation, SQLite's by what is in them; what is hidden and locks do not count."""
    found = {}
    for path in sorted(settings.home.rglob("*")):
        name = str(path.relative_to(settings.home))
        if path.is_file() and "/." not in f"/{name}" and not name.endswith((".lock", "-wal", "-shm")):
            found[name] = hashlib.sha256(_content(path)).hexdigest()
    return found


def _content(path: Path) -> bytes:
    if path.suffix != ".db":
        return path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()).encode()


def dies(
    work: Callable[[], object],
    after_s: float | None = None,
    after: int | None = None,
    fails_after: int | None = None,
    when: Callable[[], bool] | None = None,
    largest: int | None = None,
) -> bool:
    """Do something in a forked process in which something goes wrong; tell whether it was killed.

    A fork has everything imported, so that a kill costs what the work costs until then.

    Parameters
    ----------
    work : callable
        What it leaves on the disk is all that is seen of it.
    after_s : float, optional
        Seconds until SIGKILL.
    after : int, optional
        Number of changes on the disk, as Python asks for them, until SIGKILL.
    fails_after : int, optional
        Number of renames that work; the next one finds the disk full, those after it do not.
    when : callable, optional
        Asked every millisecond whether the moment of SIGKILL has come.
    largest : int, optional
        Bytes that no file may grow beyond, as on a disk that is full.
    """
    child = os.fork()
    if not child:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        _work(work, after, fails_after)
    if after_s is not None:
        time.sleep(after_s)
    if when is not None:
        while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and not when():
            time.sleep(0.001)
    if after_s is not None or when is not None:
        os.kill(child, signal.SIGKILL)  # to a child that has ended, but was not waited for, this does nothing
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return os.WIFSIGNALED(status)


CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile", "shutil.rmtree")


def _work(work: Callable[[], object], after: int | None, fails_after: int | None) -> None:
    """Run in the child; the audit hook sees what Python asks the disk for."""
    seen = renames = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen, renames
        seen += event in CHANGES
        renames += event == "os.rename"
        if event in CHANGES and after is not None and seen > after:
            os.kill(os.getpid(), signal.SIGKILL)
        if event == "os.rename" and fails_after is not None and renames == fails_after + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.addaudithook(count)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 (nobody else would tell)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        traceback.print_exc()
    finally:
        os._exit(code)
