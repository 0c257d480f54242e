"""Back up an installation: facts, your team, the warehouse, the models and the history of runs, in one archive.

Belongs here: what a back-up holds, and making one. Neighbours: `restore.py` brings one back. The archive is a zip: the
standard library reads and writes it, any computer opens it, each file of it is compressed and checked by itself. Files
are copied while nobody writes them, SQLite's by its own back-up, and packed afterwards, so that a run waits for
seconds. The manifest has a digest of each file; the archive gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.publish import publishing
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.pipeline import Pipeline

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_MAGIC = b"SQLite format 3\0"
_SQLITE_LOGS = ("-wal", "-shm", "-journal")
_STAGING_PREFIX = ".backing-up-"
_DAY_S = 86_400
_LEFT_OUT = (".lock", ".unfinished", ".rebuilding", ".rebuilt")
FACT_NAMES = ("*.csv", "README.md", "rules", "received")  # a warehouse below them may be another installation's
MADE_BY_A_COMMAND = ("export", "training", "faults", "query_history")


@dataclass(frozen=True)
class Area:
    """A part of an installation.

    Attributes
    ----------
    name : str
        Folder of its files in an archive.
    folder : Path
        Where they are in the installation.
    only : tuple of str
        Patterns of the names that are meant, where not all of the folder is.
    without : tuple of str
        Names that are not.
    """

    name: str
    folder: Path
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def entries(self) -> list[str]:
        """Name the files and folders directly in it; hidden ones, locks and damaged files do not belong to it."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if self.owns(path.name))

    def owns(self, name: str) -> bool:
        """Whether a file or folder of that name belongs to it."""
        is_odd = name.startswith(".") or ".damaged-" in name or name.endswith(_LEFT_OUT)
        is_meant = any(fnmatchcase(name, pattern) for pattern in self.only) or not self.only
        return is_meant and not is_odd and name not in self.without


@dataclass(frozen=True)
class Backup:
    """An archive: when and by which version it was made, how many files are in it, and their size without packing."""

    path: Path
    made_at: str
    version: str
    file_count: int
    unpacked_byte_count: int


def areas(settings: Settings) -> tuple[Area, ...]:
    """Name the parts of an installation that a back-up holds."""
    return (
        Area("data", settings.data_dir, only=FACT_NAMES),
        Area("warehouse", settings.warehouse_dir, without=MADE_BY_A_COMMAND),
        Area("team", settings.team_path.parent, only=(settings.team_path.name,)),
    )


def back_up(settings: Settings, target: Path, say: Say) -> Backup:
    """Write everything that cannot be had again, or only by hours of computing, into one archive.

    Parameters
    ----------
    settings : Settings
        Its `lock_wait_s` is the patience with a run, and then with a refresh.
    target : Path
        The archive; one of that name is replaced when the new one is whole.
    say : callable
        Told of each step.

    Returns
    -------
    Backup

    Raises
    ------
    UsageError
        The archive would lie in what it backs up, or a refresh goes on for longer than the patience.
    WarehouseError
        A run does, a database is damaged, a link leads elsewhere, or the disk is full; the message names it.
    """
    target = target.resolve()
    for folder in (settings.data_dir, settings.warehouse_dir):
        if target.is_relative_to(folder):
            raise UsageError(f"{target}: expected a place outside {folder}, which is what is backed up")
    unfinished = target.with_name(f".{target.name}.unfinished")
    with disk_errors(target, "the back-up cannot be written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        with tempfile.TemporaryDirectory(prefix=_STAGING_PREFIX, dir=target.parent) as staging:
            say("Copying facts, warehouse, models and the history of runs.")
            copy_installation(settings, Path(staging), say)
            say("Packing.")
            try:
                backup = _pack(Path(staging), unfinished, target, str(settings.warehouse_dir))
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)
        _sync(target.parent)
    return backup


def _sweep(folder: Path) -> None:
    """Remove what a back-up that was killed has left; one of today may still be going on."""
    for leftover in folder.glob(f"{_STAGING_PREFIX}*"):
        if time.time() - leftover.stat().st_mtime > _DAY_S:
            shutil.rmtree(leftover)


def copy_installation(settings: Settings, staging: Path, say: Say) -> None:
    """Copy every area while nobody writes facts or warehouse; what a link in one leads to is copied in its place."""
    with alone(settings, say):
        for area in areas(settings):
            for name in area.entries():
                _copy(Path(os.path.realpath(area.folder / name, strict=True)), staging / area.name / name)


@contextmanager
def alone(settings: Settings, say: Say) -> Generator[None]:
    """Be the only one who writes facts and warehouse.

    Raises
    ------
    UsageError
        A refresh goes on for longer than the patience.
    WarehouseError
        A run does.
    """
    # The run first, which may last: while it is waited for, others may write facts.
    with (
        Pipeline(settings).warehouse.locked(),
        publishing(settings.data_dir, say, settings.lock_wait_s),
    ):
        yield


def note_on_lake(settings: Settings) -> str:
    """Say how the tables of a lake are backed up, which no archive holds; empty for the DuckDB file."""
    lake = settings.lake
    if lake is None:
        return ""
    catalog = "`pg_dump` of its catalog's database" if lake.is_shared else f"copy {lake.path}"
    files = f", then copy {lake.data_path}" if lake.data_path else ", then copy its files"
    return f"The archive is without the tables, which are on {lake}: {catalog}{files} (docs/scale.md)."


def _copy(source: Path, target: Path) -> None:
    for path in _files(source):
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        if is_sqlite(path):
            _copy_sqlite(path, copied)
        else:
            shutil.copyfile(path, copied)


def _files(path: Path) -> Iterator[Path]:
    """List the files at or below a path, but SQLite's logs; a link further down could lead anywhere, or in a circle."""
    if path.is_symlink():
        raise WarehouseError(f"{path}: expected a file or folder, found a link: put what it leads to in its place")
    if path.name.endswith(_SQLITE_LOGS):
        return
    if path.is_dir():
        for inner in sorted(path.iterdir()):
            yield from _files(inner)
    elif path.is_file():
        yield path


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    with path.open("rb") as stream:
        return stream.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _copy_sqlite(path: Path, target: Path) -> None:
    """Copy a database as of one moment, with what its log has."""
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copied:
            source.backup(copied)
            found = copied.execute("pragma quick_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise WarehouseError(f"{path}: the database cannot be backed up: {error}") from error
    if found != [("ok",)]:
        raise WarehouseError(f"{path}: the database is damaged: {str(found[0][0]).splitlines()[-1]}")


def _pack(staging: Path, unfinished: Path, target: Path, warehouse_dir: str) -> Backup:
    listed: dict[str, dict[str, str | int]] = {}
    unpacked = 0
    made_at, own_version = datetime.now(UTC).isoformat(timespec="seconds"), version("f1-pipeline")
    with unfinished.open("wb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in _files(staging):
                name = path.relative_to(staging).as_posix()
                archive.write(path, name)
                listed[name] = {"sha256": digest(path), "byte_count": path.stat().st_size}
                unpacked += path.stat().st_size
            manifest = {"format": FORMAT, "version": own_version, "made_at": made_at, "warehouse_dir": warehouse_dir}
            archive.writestr(MANIFEST, json.dumps(manifest | {"files": listed}, indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    return Backup(target, made_at, own_version, len(listed), unpacked)


def digest(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(path: Path, what: str) -> Generator[None]:
    """Turn what the disk refuses into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(f"{path}: {what}: {error.strerror or error} ({error.filename or path})") from error
