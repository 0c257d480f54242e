"""Start a server of somebody else's in the foreground, and show its page once it answers.

Belongs here: a process, its port and the browser. Neighbours: `cli_open.py` says which server.
"""

from __future__ import annotations

import socket
import subprocess
import time
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from f1_pipeline.errors import UsageError

HOST = "127.0.0.1"
ANSWERS_WITHIN_S, POLL_S, ENDS_WITHIN_S = 120.0, 0.25, 30.0


def run_server(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], port: int, *, opens_browser: bool
) -> None:
    """Run a server until it ends or somebody presses Ctrl-C; both are an end as wished.

    Parameters
    ----------
    command : sequence of str
        It serves on `port` of this computer.
    folder : Path
        Where it is started.
    environment : mapping of str to str
    port : int
    opens_browser : bool
        Whether to show its page once it answers.

    Raises
    ------
    UsageError
        The port is taken, or the server ends with an error.
    """
    if _answers(port):
        raise UsageError(f"--port: expected a free port, found that {port} is taken; give another one")
    address = f"http://{HOST}:{port}"
    click.echo(f"{address} (Ctrl-C ends it)")
    process = subprocess.Popen(command, cwd=folder, env=dict(environment))
    try:
        if opens_browser and _waited_for(process, port):
            show(address)
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal has sent it to the server as well, which ends by itself, or is ended.
        _end(process)
        return
    if code:
        raise UsageError(f"{Path(command[0]).name} {' '.join(command[1:4])} ended with exit code {code}; see above")


def show(address: str) -> None:
    """Open a page in the browser; where there is none, say so."""
    if not webbrowser.open(address):
        click.echo(f"no browser found here: open {address} in one", err=True)


def _waited_for(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(port):
            return True
        time.sleep(POLL_S)
    return False


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that has been interrupted; one that does not heed it is told again, then killed."""
    for insist in (process.terminate, process.kill):
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            insist()
        else:
            return
    process.wait()
