"""Put new fact files in place, all or none, whatever happens in the middle.

Belongs here: staging, checking, the journal and the lock of a data folder. Neighbours: `refresh` and `importer` make
the files, `bundle` checks them. The files are staged and checked in a folder that nobody reads; giving that folder
its final name is the moment of commitment, one system call. From then on readers prefer the files in it, and they only
move forward: whoever publishes next first completes what was interrupted. A crash before that moment leaves the old
files, and a folder that is swept away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.sources.bundle import COMMITTED, validate_bundle
from f1_pipeline.sources.source import Say

_STAGING_PREFIX = ".staged-"
_POLL_S = 0.05


@contextmanager
def publishing(data_dir: Path, say: Say, wait_s: float = 0.0) -> Generator[None]:
    """Be the only one who writes the facts, with everything earlier completed.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files.
    say : callable
        Told when an interrupted publication is completed.
    wait_s : float
        Patience with another process that writes the facts, in seconds; 0 refuses at once.

    Raises
    ------
    UsageError
        Another process is writing the facts.
    DataError
        The folder cannot be written.
    """
    with _disk_errors(data_dir):
        descriptor = os.open(data_dir, os.O_RDONLY)
    try:
        _acquire(descriptor, data_dir, wait_s)
        with _disk_errors(data_dir):
            if (data_dir / COMMITTED).is_dir():
                say("Completing a publication that was interrupted.")
                _complete(data_dir)
            for leftover in data_dir.glob(f"{_STAGING_PREFIX}*"):
                shutil.rmtree(leftover)
        yield
    finally:
        os.close(descriptor)  # also gives the lock back


def _acquire(descriptor: int, data_dir: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise UsageError(
                    f"{data_dir}: another refresh or import is writing the facts; try again after it"
                ) from None
            time.sleep(_POLL_S)


def publish(data_dir: Path, files: Mapping[str, bytes], changed: Iterable[str], say: Say) -> dict[str, int]:
    """Check a whole set of files, then put those in place that are new.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files; the caller is inside :func:`publishing`.
    files : mapping of str to bytes
        Every file by name; all of them are checked together.
    changed : iterable of str
        Names of those to put in place.
    say : callable
        Told of each step.

    Returns
    -------
    dict of str to int
        Rows per fact file.

    Raises
    ------
    DataError
        The new files break a declaration, or cannot be written; the old ones are as they were.
    """
    names = set(changed)
    with _disk_errors(data_dir):
        staging = Path(tempfile.mkdtemp(prefix=_STAGING_PREFIX, dir=data_dir))
        try:
            for name, content in files.items():
                _write(staging / name, content)
            say("Checking the new files.")
            rows = validate_bundle(staging)
            for name in files.keys() - names:
                (staging / name).unlink()
            if names:
                _sync(staging)
                staging.rename(data_dir / COMMITTED)
                _sync(data_dir)
        finally:
            if staging.exists():  # it has another name when it was committed
                shutil.rmtree(staging)
        if names:
            say(f"Putting {len(names)} files in place.")
            _complete(data_dir)
    return rows


def _complete(data_dir: Path) -> None:
    """Move every committed file in place; running it again changes nothing."""
    committed = data_dir / COMMITTED
    for path in sorted(committed.iterdir()):
        path.replace(data_dir / path.name)
    _sync(data_dir)
    committed.rmdir()


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    """Have the names of a folder on disk, without which a rename may be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors(data_dir: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{data_dir}: the facts cannot be written: {error.strerror} ({error.filename})") from error
