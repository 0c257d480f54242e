"""Tell runs that are under way from what killed runs left behind.

Belongs here: one locked file per run. A process that is killed cannot say so, and its run would stay `STARTED` for good
and hold the queue, which lets one run go at a time. The operating system gives a lock back with the process that
held it, whatever ended it. Locks are of one machine, and several may share the records of runs: each run says where
its file is, and is looked after there only. Neighbours: `resources.py` holds the lock, `automation.py` looks after the
dead.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

SUFFIX = ".run"
GONE = "The process of this run is gone: it was killed."
PATIENCE_S = 300.0
PLACE = "f1_pipeline/alive_in"


def place(folder: Path) -> str:
    """Name a folder among those of all machines."""
    return f"{socket.gethostname()}:{folder}"


@contextmanager
def alive(folder: Path, run_id: str) -> Generator[None]:
    """Hold the file of a run while the body lasts.

    Parameters
    ----------
    folder : Path
        Made when it is missing.
    run_id : str
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, unlocked = folder / f"{run_id}{SUFFIX}", folder / f".{run_id}"
    descriptor = os.open(unlocked, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        # Locked before it has its name: whoever finds the file unlocked may conclude that the process is gone.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        unlocked.rename(path)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def bury_dead_runs(instance: dg.DagsterInstance, folder: Path, patience_s: float = PATIENCE_S) -> list[str]:
    """Report runs whose process is gone as failed, so that they are tried again and the queue goes on.

    Parameters
    ----------
    instance : DagsterInstance
    folder : Path
        Where runs hold their files.
    patience_s : float
        With a run that has no file here, since it last said something: it is about to take its file, or has just given
        it back, unless it was killed at one of these moments.

    Returns
    -------
    list of str
        Ids of the runs that were under way.
    """
    buried = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if _is_held(path):
            continue
        run = instance.get_run_by_id(path.stem)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, GONE)
            buried.append(run.run_id)
        path.unlink(missing_ok=True)
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    for record in instance.get_run_records(started):
        run_id = record.dagster_run.run_id
        if record.dagster_run.tags.get(PLACE, place(folder)) != place(folder):
            continue
        if not (folder / f"{run_id}{SUFFIX}").exists() and time.time() - _last_heard(instance, record) >= patience_s:
            instance.report_run_failed(record.dagster_run, GONE)
            buried.append(run_id)
    return buried


def _last_heard(instance: dg.DagsterInstance, record: dg.RunRecord) -> float:
    newest = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    return newest[0].timestamp if newest else record.create_timestamp.timestamp()


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:  # its run has just ended
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
