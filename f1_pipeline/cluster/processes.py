"""The processes of a cluster: started with a log each, waited for, ended together, found again after a kill.

Belongs here: what is the same for every service. Neighbours: `services.py` says what is started, `postgres.py` has the
server that looks after itself.

Every process carries the cluster's folder in its environment (`F1_CLUSTER`), and so do its children: that is how what
a killed cluster left behind is found, whatever has become of the process that started it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from f1_pipeline.errors import ServiceError

MARK = "F1_CLUSTER"
START_S, END_S, POLL_S = 120.0, 15.0, 0.1
LOG_LINES = 12


@dataclass(frozen=True)
class Service:
    """A program of a cluster.

    Attributes
    ----------
    name : str
    command : sequence of str
    folder : Path
        Its own working folder, with its log.
    environment : mapping of str to str
    is_up : callable
        Whether it does its work by now.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    is_up: Callable[[], bool]

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "log"


@dataclass(frozen=True)
class Running:
    """A service and its process, which leads a session of its own."""

    service: Service
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it and its children: politely, then at once."""
        _end(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_S)
        _end(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self) -> None:
        """Wait until it is up.

        Raises
        ------
        ServiceError
            It has ended, or is not up in time.
        """
        deadline = time.monotonic() + START_S
        while not self.service.is_up():
            self.require_alive()
            if time.monotonic() > deadline:
                name, log = self.service.name, self.service.log
                raise ServiceError(f"{name} was not up in {START_S:.0f} s: see {log}{_end_of(log)}")
            time.sleep(POLL_S)

    def require_alive(self) -> None:
        """Refuse a service that has ended.

        Raises
        ------
        ServiceError
            With the end of its log.
        """
        if self.process.poll() is not None:
            name, log = self.service.name, self.service.log
            raise ServiceError(f"{name} ended with {self.process.returncode}: see {log}{_end_of(log)}")


def launch(service: Service, folder: Path) -> Running:
    """Start a service of the cluster in a folder; whether it comes up is another question.

    Parameters
    ----------
    service : Service
    folder : Path
        Of the cluster.

    Returns
    -------
    Running
    """
    service.folder.mkdir(parents=True, exist_ok=True)
    with service.log.open("ab") as log:
        process = subprocess.Popen(
            list(service.command),
            cwd=service.folder,
            env={**service.environment, MARK: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the command alone, which ends the services in order
        )
    return Running(service, process)


def end_left_over(folder: Path) -> list[str]:
    """End what an earlier cluster of a folder left behind.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of str
        What it was.
    """
    # of somebody else's process nothing is told, not even whether it has an environment
    found = [each for each in psutil.process_iter(["environ"]) if (each.info["environ"] or {}).get(MARK) == str(folder)]
    names = []
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            names.append(f"{process.pid} {process.name()}")
            process.kill()
    psutil.wait_procs(found, timeout=END_S)
    return names


def _end(leader: int, how: signal.Signals) -> None:
    """Signal the whole session of a process; its group has the leader's number as long as anybody is in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, how)


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "".join(f"\n  {line}" for line in lines)
