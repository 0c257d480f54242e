"""A Dask cluster of real processes on loopback, for tests.

Belongs here: starting and ending a scheduler and its workers, each in a folder of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from f1_pipeline.settings import environment
from f1_pipeline_tests.support import REPO

START_S = 60.0
LOOPBACK = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")


def wait_until(found: Callable[[], Any], what: str, patience_s: float = START_S) -> Any:
    """Ask again and again until there is an answer, and return it."""
    deadline = time.monotonic() + patience_s
    while not (answer := found()):
        assert time.monotonic() < deadline, f"expected {what} within {patience_s:.0f} s"
        time.sleep(0.05)
    return answer


def require_dask() -> ModuleType:
    """Import Dask's scheduler and workers, or skip the test where the extra `scale` is not installed."""
    return pytest.importorskip("distributed", reason="the extra scale is not installed: no distributed")


@dataclass
class DaskCluster:
    """A scheduler and its workers.

    Attributes
    ----------
    folder : Path
        Logs and working folders.
    address : str
        Of the scheduler.
    scheduler : Popen
    workers : list of Popen
        One process each, one thread.
    """

    folder: Path
    address: str
    stack: ExitStack
    scheduler: subprocess.Popen
    workers: list[subprocess.Popen] = field(default_factory=list)

    def add_worker(self, **variables: str) -> subprocess.Popen:
        """Start another worker, with some environment variables changed; it announces itself when it is ready."""
        place = self.folder / f"worker-{len(self.workers)}"
        options = ("--nthreads", "1", "--no-nanny", *LOOPBACK, "--local-directory", str(place))
        worker = self.stack.enter_context(dask_process(place, "worker", self.address, *options, variables=variables))
        self.workers.append(worker)
        return worker


@contextmanager
def dask_process(place: Path, *words: str, variables: Mapping[str, str] | None = None) -> Generator[subprocess.Popen]:
    """Run a command of Dask in a folder of its own until the body ends."""
    place.mkdir(parents=True, exist_ok=True)
    env = environment(**{"PYTHONPATH": str(REPO), **(variables or {})})
    with (
        (place / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words], cwd=place, env=env, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def dask_cluster(folder: Path, worker_count: int = 2) -> Generator[DaskCluster]:
    """Start a scheduler and some workers on loopback, and end them with the body; skip the test without Dask."""
    client_of = require_dask().Client
    note = folder / "scheduler.json"
    options = (*LOOPBACK, "--port", "0", "--scheduler-file", str(note))
    with ExitStack() as stack:
        scheduler = stack.enter_context(dask_process(folder / "scheduler", "scheduler", *options))
        cluster = DaskCluster(folder, wait_until(lambda: _noted_address(note), "a scheduler"), stack, scheduler)
        for _ in range(worker_count):
            cluster.add_worker()
        with client_of(cluster.address, set_as_default=False) as client:
            wait_until(lambda: len(client.nthreads()) == worker_count, f"{worker_count} workers")
        yield cluster


def _noted_address(note: Path) -> str | None:
    """Read where a scheduler listens; None until it has written that down, which it does bit by bit."""
    try:
        return str(json.loads(note.read_text())["address"])
    except (FileNotFoundError, json.JSONDecodeError):
        return None
