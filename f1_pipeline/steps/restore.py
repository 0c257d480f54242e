"""Bring a back-up back: all of it or nothing, whatever happens in the middle.

Belongs here: checking an archive, and changing places. Neighbour: `backup.py` makes archives. Everything is unpacked
and compared with its digest in folders beside the places it goes to; a journal, written then, is the moment of
commitment. From there each file and folder changes place by a rename, the old one kept aside until all are done: an
error takes every step back, and what a kill interrupts is completed by the next restore, back-up or rebuild.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import stat
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from f1_pipeline.errors import DataError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.backup import FORMAT, MANIFEST, Area, Backup, alone, areas, disk_errors

JOURNAL = ".restore.json"
COMPLETE = "`f1-pipeline restore` completes it, so does `f1-pipeline backup`"
STAGED, REPLACED = ".restoring", ".replaced"
MAX_BYTES = 50_000_000_000  # a thousand times a warehouse of four seasons
_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself; `files` has digest and size by name."""

    version: str
    made_at: str
    warehouse_dir: str
    files: Mapping[str, tuple[str, int]]


def read_manifest(path: Path) -> Manifest:
    """Read what an archive says of itself, and refuse one that holds anything else.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Manifest

    Raises
    ------
    DataError
        It is no back-up, or one of another major version; it has a name that leads elsewhere, a link, or a file that
        the manifest does not list.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _manifest(path, archive)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except _UNREADABLE as error:
        raise DataError(f"{path}: expected a back-up, found a damaged file or another: {error}") from error


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if names.count(MANIFEST) != 1 or archive.getinfo(MANIFEST).file_size > _CHUNK * 100:
        raise DataError(f"{path}: expected a back-up with one {MANIFEST}, found none or another")
    manifest = _parsed(path, json.loads(archive.read(MANIFEST)))
    for info in infos:
        place = PurePosixPath(info.filename)
        is_link = not stat.S_ISREG(info.external_attr >> 16) and (info.external_attr >> 16) & 0o170000
        if place.is_absolute() or ".." in place.parts or "\\" in info.filename or is_link or info.is_dir():
            raise DataError(f"{path}: expected plain files below its own folders, found {info.filename!r}")
    if sorted(names) != sorted([MANIFEST, *manifest.files]):
        odd = next(iter(set(names).symmetric_difference([MANIFEST, *manifest.files])), "one of them twice")
        raise DataError(f"{path}: expected the files that {MANIFEST} lists, found otherwise: {odd!r}")
    return manifest


def _parsed(path: Path, content: Any) -> Manifest:
    """Check the types of a manifest, and that this version understands it."""
    try:
        files = {
            name: (entry["sha256"], entry["byte_count"])
            for name, entry in content["files"].items()
            if _DIGEST.fullmatch(entry["sha256"]) and type(entry["byte_count"]) is int and entry["byte_count"] >= 0
        }
        told = (content["version"], content["made_at"], content["warehouse_dir"])
        is_sound = len(files) == len(content["files"]) and all(isinstance(text, str) for text in told)
        is_known = content["format"] == FORMAT
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: expected a back-up, found another {MANIFEST}: {error!r}") from error
    if not is_sound or not is_known:
        raise DataError(f"{path}: expected a back-up of format {FORMAT}, found a {MANIFEST} of another")
    own = version("f1-pipeline")
    if _series(told[0]) != _series(own):
        raise DataError(f"{path}: expected a back-up of version {_series(own)}, found {told[0]}; restore it with that")
    if sum(size for _, size in files.values()) > MAX_BYTES:
        raise DataError(f"{path}: expected at most {MAX_BYTES} bytes, found more")
    return Manifest(*told, files)


def _series(text: str) -> str:
    """Return the part of a version within which tables stay readable: the first number, or 0 with the second."""
    first, *rest = text.split(".")
    return ".".join([first, *rest[:1]]) if first == "0" else first


def restore(settings: Settings, path: Path, say: Say) -> Backup:
    """Put what an archive holds in the place of what is there.

    Parameters
    ----------
    settings : Settings
        Its `lock_wait_s` is the patience with a run.
    path : Path
        Of :func:`f1_pipeline.steps.backup.back_up`; it may have been made where other folders are.
    say : callable
        Told of each step.

    Returns
    -------
    Backup
        What was restored.

    Raises
    ------
    DataError
        The archive is none, damaged, of another version, or holds what no back-up does; nothing has changed.
    UsageError, WarehouseError
        Facts or warehouse are being written, or the disk is full; everything is as it was.
    """
    say(f"Checking {path.name}.")
    manifest = read_manifest(path)
    with alone(settings, say), disk_errors(path, "cannot be restored"):
        _complete(settings, say)
        parts = areas(settings)
        try:
            say("Unpacking.")
            _unpack(path, manifest, {area.name: area for area in parts}, say)
            _move_store(settings, manifest)
            journal = {area.name: [sorted(_names(area.folder / STAGED)), area.entries()] for area in parts}
        except BaseException:
            _sweep(parts)
            raise
        say("Putting everything in place.")
        _write_journal(settings.warehouse_dir / JOURNAL, journal)
        try:
            _swap(parts, journal)
        except OSError:
            _swap_back(parts, journal)
            (settings.warehouse_dir / JOURNAL).unlink()
            raise
        _finish(settings, parts)
    sizes = [size for _, size in manifest.files.values()]
    return Backup(path, manifest.made_at, manifest.version, len(sizes), sum(sizes))


def complete_interrupted(settings: Settings, say: Say) -> None:
    """Complete a restore that was killed while files changed places; without one do nothing.

    Parameters
    ----------
    settings : Settings
    say : callable

    Raises
    ------
    UsageError, WarehouseError
        Facts or warehouse are being written, or it cannot be completed.
    """
    if (settings.warehouse_dir / JOURNAL).exists():
        with alone(settings, say), disk_errors(settings.warehouse_dir, "an interrupted restore cannot be completed"):
            _complete(settings, say)


def refuse_interrupted(settings: Settings) -> None:
    """Refuse to compute while a restore is half done.

    Raises
    ------
    WarehouseError
        Some files are those of the back-up, others not yet.
    """
    if (settings.warehouse_dir / JOURNAL).exists():
        raise WarehouseError(f"{settings.warehouse_dir / JOURNAL}: a restore was interrupted; {COMPLETE}")


def _complete(settings: Settings, say: Say) -> None:
    """Move an interrupted restore forward to its end, else sweep away what a crash before its commitment left."""
    parts = areas(settings)
    journal = settings.warehouse_dir / JOURNAL
    if journal.exists():
        say("Completing a restore that was interrupted.")
        _swap(parts, json.loads(journal.read_text(encoding="utf-8")))
        _finish(settings, parts)
    _sweep(parts)


def _unpack(path: Path, manifest: Manifest, parts: Mapping[str, Area], say: Say) -> None:
    """Unpack every file into the folder beside its place, and compare it with its digest."""
    with zipfile.ZipFile(path) as archive:
        for name, (sha256, byte_count) in manifest.files.items():
            area, *rest = PurePosixPath(name).parts
            if area not in parts or not rest or not parts[area].owns(rest[0]):
                raise DataError(f"{path}: expected files of {', '.join(parts)}, found {name!r}")
            target = parts[area].folder / STAGED / Path(*rest)
            target.parent.mkdir(parents=True, exist_ok=True)
            if _unpacked(archive, name, target, byte_count) != sha256:
                raise DataError(f"{path}: {name} is not what {MANIFEST} says: the back-up is damaged")


def _unpacked(archive: zipfile.ZipFile, name: str, target: Path, byte_count: int) -> str | None:
    """Write a file as far as it should go; None when there is less, more, or what cannot be unpacked."""
    hashed, left = hashlib.sha256(), byte_count
    with suppress(*_UNREADABLE), archive.open(name) as source, target.open("wb") as stream:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                return None
            hashed.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
        return hashed.hexdigest()
    return None


def _move_store(settings: Settings, manifest: Manifest) -> None:
    """Have MLflow find its files where they are now; it notes whole paths, as addresses and as plain text."""
    database = settings.warehouse_dir / STAGED / settings.tracking_dir.name / "mlflow.db"
    old, new = Path(manifest.warehouse_dir), settings.warehouse_dir
    if old == new or not database.exists():
        return
    pairs = [(f"{old.as_uri()}/", f"{new.as_uri()}/"), (f"{old}/", f"{new}/")]
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in connection.execute(
            "select tab.name, col.name from sqlite_master as tab, pragma_table_info(tab.name) as col"
            " where tab.type = 'table' and (col.type like '%CHAR%' or col.type like '%TEXT%')"
        ).fetchall():
            # names of MLflow's own tables; the paths themselves are bound
            statement = f'update "{table}" set "{column}" = replace("{column}", ?, ?) where instr("{column}", ?)'  # noqa: S608
            for before, after in pairs:
                connection.execute(statement, (before, after, before))


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _write_journal(path: Path, journal: Mapping[str, list[list[str]]]) -> None:
    staged = path.with_name(f"{path.name}.new")
    with staged.open("w", encoding="utf-8") as stream:
        json.dump(journal, stream)
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(path)


def _swap(parts: tuple[Area, ...], journal: Mapping[str, list[list[str]]]) -> None:
    """Move old entries aside and new ones in place; running it again goes on where it stopped."""
    for area in parts:
        new, old = journal[area.name]
        staged, aside = area.folder / STAGED, area.folder / REPLACED
        aside.mkdir(exist_ok=True)
        for name in old:
            # a link counts wherever it leads: a relative one leads nowhere from there
            if os.path.lexists(area.folder / name) and not os.path.lexists(aside / name):
                (area.folder / name).rename(aside / name)
        for name in new:
            if (staged / name).exists():
                _set_aside(area.folder / name)
                (staged / name).rename(area.folder / name)


def _set_aside(path: Path) -> None:
    """Keep what a run has made, since a restore was interrupted, under a name that is nobody's."""
    if os.path.lexists(path):
        path.rename(path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"))


def _swap_back(parts: tuple[Area, ...], journal: Mapping[str, list[list[str]]]) -> None:
    """Undo what was moved."""
    for area in parts:
        new, old = journal[area.name]
        staged, aside = area.folder / STAGED, area.folder / REPLACED
        for name in new:
            if not (staged / name).exists():
                (area.folder / name).rename(staged / name)
        for name in old:
            if os.path.lexists(aside / name):
                (aside / name).rename(area.folder / name)
    _sweep(parts)


def _finish(settings: Settings, parts: tuple[Area, ...]) -> None:
    """Forget the journal, then what was replaced."""
    (settings.warehouse_dir / JOURNAL).unlink()
    _sweep(parts)


def _sweep(parts: tuple[Area, ...]) -> None:
    for area in parts:
        for name in (STAGED, REPLACED):
            if (area.folder / name).exists():
                shutil.rmtree(area.folder / name)
