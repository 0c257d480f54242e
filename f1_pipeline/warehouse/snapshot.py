"""Publish the warehouse: a read-only copy that people read while the next run writes.

Belongs here: making the copy and putting it in its place, whole or not at all. Neighbours: `connection.py` opens both
files, `steps.snapshot` says when. docs/adr/0017-published-snapshot.md says why it is a copy of the file. Of a lake the
copy is a DuckDB file as well, with the tables of one state of it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.connection import Store, Warehouse, open_alone
from f1_pipeline.warehouse.published_version import mark_published
from f1_pipeline.warehouse.reader_file import ReaderObject, create_reader_objects
from f1_pipeline.warehouse.turns import LAKE
from f1_pipeline.warehouse.writer import literal, transaction


@dataclass(frozen=True)
class Snapshot:
    """What was published.

    Attributes
    ----------
    path : Path
        The file that people read.
    byte_count : int
        Its size.
    table_count : int
        Tables in it.
    reader_objects : tuple of str
        Full names of the views and macros for readers.
    """

    path: Path
    byte_count: int
    table_count: int
    reader_objects: tuple[str, ...] = ()


def publish(warehouse: Store, target: Path, objects: Sequence[ReaderObject] = ()) -> Snapshot:
    """Replace the published copy by the warehouse as it is now.

    Whoever has the old copy open goes on reading it: its file lives until the last of them closes it.

    Parameters
    ----------
    warehouse : Store
        Of a run that has it open, or of nobody; in between two writes, since a copy has what is committed.
    target : Path
        The published file, in a folder of the same disk as its predecessor.
    objects : sequence of ReaderObject
        Views and macros to create in it.

    Returns
    -------
    Snapshot

    Raises
    ------
    WarehouseError
        There is no warehouse, another process writes it, or the disk is full; what was published before stays.
    """
    if not warehouse.exists():
        raise WarehouseError(f"{warehouse.name}: expected a warehouse to publish, found none; `make run` builds it")
    # A lock lets one process publish at a time, so one name does, and a file of that name is what a killed publisher
    # has left. A file's own lock is held while it is open for writing; a lake has none.
    unfinished = target.with_name(f"{target.name}.unfinished")
    with ExitStack() as cleaning:
        if not isinstance(warehouse, Warehouse):
            cleaning.enter_context(Warehouse(target).locked())
        connection = cleaning.enter_context(warehouse.write())
        try:
            _remove(unfinished)
            cleaning.callback(_remove, unfinished)
            version = None
            if isinstance(warehouse, Warehouse):
                connection.execute("checkpoint")
                _copy(warehouse.path, unfinished)
            else:
                version = _copy_lake(connection, unfinished)
            table_count, created = _finish(unfinished, objects)
            _put_in_place(unfinished, target)
            if version is not None:
                mark_published(connection, version)
        except OSError as error:
            raise WarehouseError(f"{target}: cannot be published: {error}") from error
    return Snapshot(target, target.stat().st_size, table_count, created)


def _copy_lake(connection: duckdb.DuckDBPyConnection, unfinished: Path) -> int:
    """Copy every table in one transaction, and so as of one moment; return the number of that state of the lake."""
    connection.execute(f"attach {literal(str(unfinished))} as published")
    try:
        with transaction(connection):
            version = connection.execute("select id from lake.current_snapshot()").fetchall()[0][0]
            connection.execute(f"copy from database {LAKE} to published")
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")
    return version


def _copy(source: Path, unfinished: Path) -> None:
    log = _log_of(source)
    if log.exists() and log.stat().st_size:
        raise WarehouseError(f"{log}: expected every change in {source.name} after a checkpoint, found some left here")
    # Another process copies: POSIX takes the lock that DuckDB holds on the file away as soon as this one, having
    # opened it once more, closes it.
    done = subprocess.run(["cp", "--", source, unfinished], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip() or f"cp ended with {done.returncode}"
        raise WarehouseError(f"{unfinished}: cannot be written, check the disk and its space: {reason}")


def _finish(unfinished: Path, objects: Sequence[ReaderObject]) -> tuple[int, tuple[str, ...]]:
    """Open the copy, which proves that it is whole, count its tables, and add what is for readers alone."""
    with open_alone(unfinished) as connection:
        table_count = connection.execute("select count(*) from duckdb_tables()").fetchall()[0][0]
        connection.execute("begin transaction")
        created = create_reader_objects(connection, objects)
        connection.execute("commit")
        connection.execute("checkpoint")  # here a full disk is an error; closing the file would keep it to itself
    return table_count, created


def _put_in_place(unfinished: Path, target: Path) -> None:
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder, through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(unfinished: Path) -> None:
    unfinished.unlink(missing_ok=True)
    _log_of(unfinished).unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
