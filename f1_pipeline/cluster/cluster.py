"""A cluster on one machine: its services in order, the graph run on it, and everything ended again.

Belongs here: the course of `f1-pipeline cluster`. Neighbours: `services.py` says what is started, `processes.py` how.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from f1_pipeline.cluster.processes import MARK, Running, Service, end_left_over, launch
from f1_pipeline.cluster.services import Addresses, daemon, dask_services, model_server, webserver
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import Settings

DATABASES = ("warehouse", "mlflow", "dagster")
WORKERS = 2
LOOK_S = 1.0
COMMAND_LINE = "from f1_pipeline.cli import main; main()"
Say = Callable[[str], None]


@dataclass
class Cluster:
    """A cluster that is up.

    Attributes
    ----------
    at : Addresses
    stack : ExitStack
        What is ended with it.
    say : callable
        Told of each step.
    running : dict of str to Running
        The services by name, in order of their start.
    """

    at: Addresses
    stack: ExitStack
    say: Say
    running: dict[str, Running] = field(default_factory=dict)

    def start(self, *services: Service) -> None:
        """Start services at once, and wait until all of them are up.

        Raises
        ------
        ServiceError
            One has ended, or is not up in time.
        """
        for service in services:
            self.running[service.name] = launched = launch(service, self.at.folder)
            self.stack.callback(launched.stop)
        for service in services:
            self.running[service.name].wait()
            self.say(f"{service.name} is up, its log {service.log}")

    def start_daemon(self) -> None:
        """Start Dagster's daemon; it runs by itself whatever is missing, so it comes when the graph has run."""
        self.start(daemon(self.at))

    def run(self, *words: str) -> int:
        """Run a command of the pipeline on the cluster, on this terminal; return its exit code."""
        command = [sys.executable, "-c", COMMAND_LINE, *words]
        env = {**self.at.environment_of("run"), MARK: str(self.at.folder)}
        return subprocess.run(command, env=env, check=False).returncode

    def watch(self) -> None:
        """Wait for ever, or until a service ends.

        Raises
        ------
        ServiceError
            One has ended, with the end of its log.
        """
        while True:
            for each in self.running.values():
                each.require_alive()
            time.sleep(LOOK_S)


@contextmanager
def running_cluster(
    settings: Settings, folder: Path, *, workers: int = WORKERS, say: Say = lambda _: None
) -> Generator[Cluster]:
    """Start every service but the daemon, and end all of them with the body.

    Parameters
    ----------
    settings : Settings
        The installation; of it the project and the facts are used.
    folder : Path
        Of the cluster, with a folder for each service; kept, so that the next start goes on from it.
    workers : int
        Of Dask, a process and a thread each.
    say : callable
        Told of each step.

    Yields
    ------
    Cluster

    Raises
    ------
    UsageError
        A cluster runs in that folder already.
    ServiceError
        A service does not start.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(alone(folder))
        stack.callback(end_left_over, folder)
        if left := end_left_over(folder):
            say(f"ended what an earlier cluster left behind: {', '.join(left)}")
        cluster = Cluster(_database_server(folder, settings, stack, say), stack, say)
        cluster.start(
            model_server(cluster.at), *dask_services(folder, cluster.at.scheduler, workers), webserver(cluster.at)
        )
        yield cluster


def _database_server(folder: Path, settings: Settings, stack: ExitStack, say: Say) -> Addresses:
    at = Addresses.choose(folder, settings)
    at.server.clear_left_over()
    stack.callback(at.server.clear_left_over)
    at.server.start()
    for name in DATABASES:
        at.server.database(name)
    say(f"postgres is up, its log {at.server.folder / 'log'}")
    return at


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Hold the folder; the operating system gives it back with the process."""
    path = folder / "lock"
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            raise UsageError(f"{folder}: expected no cluster there, found the one of process {holder}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
