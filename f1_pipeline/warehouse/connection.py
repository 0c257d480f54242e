"""Open the DuckDB warehouse: one writer at a time, readers read-only, never a leaked lock.

Belongs here: connections and locks, nothing about tables, and what the file has in common with a warehouse on DuckLake.
Neighbours: `lake.py` opens that one, `writer.py` uses a writing connection, `defs.resources` hands the same object to
Dagster. DuckDB lets one process write a file, and nobody read it
meanwhile; a lock file beside it makes waiting and refusing explicit and names who holds it. People read the copy that
`snapshot.py` publishes, which no run ever holds.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

import duckdb
import pyarrow as pa

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.warehouse.lake_errors import is_lost
from f1_pipeline.warehouse.statements import holds_several, not_for_reading

POLL_S = 0.05
LOCKED = "Could not set lock"  # how DuckDB says that another process has the file open
NOT_WRITTEN = "Could not write"  # how it says that the disk is full while it moves its log into the file
# how it says that the file is none of its own, or not whole
DAMAGED = ("not a valid DuckDB database file", "Corrupt database file", "Could not read enough bytes", "checksum")
REBUILD = "`f1-pipeline restore` brings a back-up back, `f1-pipeline rebuild` computes it again"
CHECK_THE_DISK = "check the disk, its space and the file"
Connecting = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


class Store(Protocol):
    """What a warehouse can do, wherever it is: in a DuckDB file or on DuckLake."""

    @property
    def name(self) -> str:
        """The warehouse for people and logs."""
        ...

    def exists(self) -> bool:
        """Whether anything has been written yet."""
        ...

    def write(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open it for writing."""
        ...

    def read(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open it to read."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Keep every writer out."""
        ...

    def alone_with(self, table: str, partition_keys: Sequence[str]) -> AbstractContextManager[None]:
        """Keep everybody else from making some partitions of a table, from reading to writing."""
        ...

    def seal(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep a connection for reading from other files and the network."""
        ...

    def close(self) -> None:
        """Close what was kept open."""
        ...


@dataclass(frozen=True)
class Warehouse:
    """The warehouse file and how long to wait for it.

    Parameters
    ----------
    path : Path
        The DuckDB file; its folder is made when it is first written.
    lock_wait_s : float
        Patience with another process that holds it, in seconds; 0 refuses at once.
    """

    path: Path
    lock_wait_s: float = 10.0

    @property
    def name(self) -> str:
        """The file for people and logs."""
        return str(self.path)

    def exists(self) -> bool:
        """Whether anything has been written yet."""
        return self.path.exists()

    @contextmanager
    def write(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the file for writing, alone.

        Yields
        ------
        duckdb.DuckDBPyConnection
            Closed, with its lock released, however the body ends.

        Raises
        ------
        WarehouseError
            When another process holds the file, the file is damaged, or the disk is full.
        """
        with self.locked(), _translated(self.path):
            connection = self._connect(read_only=False)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def read(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the file read-only.

        Yields
        ------
        duckdb.DuckDBPyConnection

        Raises
        ------
        WarehouseError
            When there is no warehouse yet, or a writer keeps it longer than `lock_wait_s`.
        """
        if not self.path.exists():
            raise WarehouseError(f"{self.path}: expected a warehouse, found none; `make run` builds it")
        with _translated(self.path):
            connection = self._connect(read_only=True)
            try:
                yield connection
            finally:
                connection.close()

    def alone_with(self, table: str, partition_keys: Sequence[str]) -> AbstractContextManager[None]:
        """Do nothing: a run keeps the whole file to itself."""
        return nullcontext()

    def seal(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the statements of a connection for reading from other files and the network."""
        connection.execute("set enable_external_access = false")

    def close(self) -> None:
        """Do nothing: the file is closed after each use."""

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        self._refuse_an_empty_file()
        deadline = time.monotonic() + self.lock_wait_s
        while True:
            try:
                connection = duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.IOException as error:
                if LOCKED not in str(error) or time.monotonic() >= deadline:
                    raise
                time.sleep(POLL_S)
            else:
                set_up(connection)
                return connection

    def _refuse_an_empty_file(self) -> None:
        """Refuse what a full disk or a bad copy leaves; DuckDB would take it for a warehouse without tables."""
        if self.path.exists() and not self.path.stat().st_size:
            raise WarehouseError(f"{self.path}: the file is damaged; {REBUILD}: it is empty")

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WarehouseError(f"{self.path.parent}: cannot make the folder: {error.strerror}") from error

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep every writer out without opening the file: to copy it, or to put another in its place.

        Raises
        ------
        WarehouseError
            When a writer keeps the file longer than `lock_wait_s`, or the lock cannot be written.
        """
        self._make_folder()
        lock_path = self.path.with_suffix(".lock")
        with ExitStack() as holding:
            try:
                descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
                holding.callback(os.close, descriptor)  # also gives the lock back
                self._acquire(descriptor, lock_path)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            except OSError as error:
                raise WarehouseError(f"{lock_path}: {CHECK_THE_DISK}: {error.strerror}") from error
            yield

    def _acquire(self, descriptor: int, lock_path: Path) -> None:
        deadline = time.monotonic() + self.lock_wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 32, 0).decode(errors="replace") or "unknown"
                    raise WarehouseError(
                        f"{self.path}: being written by process {holder} (lock {lock_path.name}); "
                        f"waited {self.lock_wait_s:g} s, try again when it has finished"
                    ) from None
                time.sleep(POLL_S)


class _KeepsOpen(Warehouse):
    """A warehouse whose file stays open from its first use until `close`, or until nobody refers to it."""

    def __init__(self, path: Path, lock_wait_s: float = 10.0) -> None:
        super().__init__(path, lock_wait_s)
        object.__setattr__(self, "_open", ExitStack())
        object.__setattr__(self, "_connections", [])

    _open: ExitStack
    _connections: list[duckdb.DuckDBPyConnection]

    @contextmanager
    def _cursor(self, opening: Connecting) -> Generator[duckdb.DuckDBPyConnection]:
        """Share the one connection, opened as asked when it is not open yet.

        Who opens is another object than this: one that opened itself would hold itself, and never be let go.
        """
        if not self._connections:
            self._connections.append(self._open.enter_context(opening()))
        with _translated(self.path), closing(self._connections[0].cursor()) as cursor:
            set_up(cursor)
            yield cursor

    def close(self) -> None:
        """Close the file and give its lock back; the next use opens it again."""
        self._connections.clear()
        self._open.close()


class KeptWarehouse(_KeepsOpen):
    """A warehouse that one run keeps open, from its first use until `close`.

    Opening and closing the file takes 60 ms, twice for most tables; a run has forty of them.
    """

    @contextmanager
    def write(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Share the run's own connection; see `Warehouse.write`."""
        with self._cursor(Warehouse(self.path, self.lock_wait_s).write) as cursor:
            yield cursor

    @contextmanager
    def read(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Share the run's own connection; see `Warehouse.read`."""
        with self.write() if self._connections else super().read() as connection:
            yield connection


class ReadOnlyWarehouse(Warehouse):
    """A warehouse that whoever has it may only read."""

    def write(self) -> NoReturn:
        """Refuse.

        Raises
        ------
        WarehouseError
            Always.
        """
        raise WarehouseError(f"{self.path}: open for reading only: `f1-pipeline run` is what writes a warehouse")


class PublishedWarehouse(ReadOnlyWarehouse, _KeepsOpen):
    """The published snapshot, read-only, kept open.

    Whoever reads it several times sees one snapshot from the first time on, even when a run publishes the next one
    meanwhile.
    """

    @contextmanager
    def read(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Share the one connection; see `Warehouse.read`."""
        with self._cursor(Warehouse(self.path, self.lock_wait_s).read) as cursor:
            yield cursor


@contextmanager
def open_alone(path: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """Open a file that nobody else knows of for writing, such as an unfinished copy; no lock is taken.

    Raises
    ------
    WarehouseError
        When the file is damaged, or the disk is full.
    """
    with _translated(path), closing(duckdb.connect(str(path))) as connection:
        set_up(connection)
        yield connection


def set_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Tell a connection, or a cursor, which has settings of its own, what all of them should do."""
    connection.execute("set timezone = 'UTC'")
    # Whatever takes over two seconds would draw a bar on stdout, in the middle of JSON and CSV, pipe or not.
    connection.execute("set enable_progress_bar = false")


@contextmanager
def _translated(path: Path) -> Generator[None]:
    """Turn DuckDB's errors about the file itself into one that names it."""
    try:
        yield
    except duckdb.IOException as error:
        reason = str(error).splitlines()[0]
        hint = "another process has it open" if LOCKED in reason else CHECK_THE_DISK
        if any(words in reason for words in DAMAGED):
            hint = f"the file is damaged; {REBUILD}"
        raise WarehouseError(f"{path}: {hint}: {reason}") from error
    except duckdb.TransactionException as error:
        # A full disk shows when DuckDB commits: only then are the rows of a table written.
        reason = str(error).splitlines()[0]
        raise WarehouseError(f"{path}: {CHECK_THE_DISK}: {reason}") from error
    except (duckdb.FatalException, duckdb.SerializationException) as error:
        reason = str(error).splitlines()[0]
        hint = CHECK_THE_DISK if NOT_WRITTEN in reason else f"the file cannot be used; {REBUILD}"
        raise WarehouseError(f"{path}: {hint}: {reason}") from error
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        reason = str(error).splitlines()[0]
        raise WarehouseError(
            f"{path}: expected the tables of this version; computed by an earlier one, or not yet computed, it lacks "
            f"some: `f1-pipeline run` computes what is missing, `f1-pipeline rebuild` everything: {reason}"
        ) from error


def ask(warehouse: Store, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """Run one statement that only reads.

    Parameters
    ----------
    warehouse : Store
    sql : str
        One DuckDB statement, as a person typed it.
    parameters : mapping of str to object, optional
        Values of its named parameters.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    UsageError
        When it is empty, several statements or one that does more than read tables, DuckDB refuses it (with DuckDB's
        own words), or two columns have one name.
    """
    if not sql.strip():
        raise UsageError("the query is empty: expected one SQL statement")
    if holds_several(sql):
        raise UsageError("the query: expected one SQL statement, found more after its `;`")
    with warehouse.read() as connection:
        # It is open read-only; this keeps a typed statement from other files and the network as well.
        warehouse.seal(connection)
        try:
            more = not_for_reading(sql)
            if more:
                raise UsageError(f"the query cannot run: expected one that reads tables, found {more}")
            answer = connection.execute(sql, dict(parameters or {})).to_arrow_table()
        except duckdb.IOException:
            raise
        except duckdb.Error as error:
            if is_lost(error):
                raise
            raise UsageError(f"the query cannot run: {error}") from error
    twice = sorted({name for name in answer.column_names if answer.column_names.count(name) > 1})
    if twice:
        raise UsageError(f"the query names {', '.join(twice)} twice: give every column a name of its own with `as`")
    return answer
