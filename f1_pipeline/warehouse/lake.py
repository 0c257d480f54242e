"""Open a warehouse on DuckLake: many writers, many readers, every state that ever was.

Belongs here: connections to a lake, nothing about tables. Neighbours: `connection.py` has the same for the DuckDB file,
`lake_address.py` reads addresses, `lake_errors.py` says what went wrong, `turns.py` lets writers of one table take
turns. docs/adr/0019-ducklake.md says why.

A connection is to an empty DuckDB in memory, with the lake attached and in use. A catalog in PostgreSQL is shared; one
in a file lets one process in at a time, as the DuckDB file does.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.connection import LOCKED, POLL_S, Warehouse, set_up
from f1_pipeline.warehouse.lake_address import POSTGRES, LakeAddress
from f1_pipeline.warehouse.lake_errors import is_just_made, is_lost, translated
from f1_pipeline.warehouse.published_version import published_version
from f1_pipeline.warehouse.reader_file import READER_SCHEMA, ReaderObject, create_reader_objects
from f1_pipeline.warehouse.turns import LAKE, alone_with, everybody_out
from f1_pipeline.warehouse.writer import literal

EXTRA = "`pip install -c constraints.txt -e '.[scale]'`"
FOR_STORES = "httpfs"
LONGEST_SILENCE_S = 30  # of a machine that is gone without a word
Objects = Callable[[], Sequence[ReaderObject]]


def _no_objects() -> Sequence[ReaderObject]:
    return ()


@dataclass(frozen=True)
class LakeWarehouse:
    """A warehouse on DuckLake; the same interface as :class:`~f1_pipeline.warehouse.connection.Warehouse`.

    Parameters
    ----------
    address : LakeAddress
    lock_wait_s : float
        Patience with a database that is away, and with another process in a catalog that is not shared, in seconds.
    keeps_open : bool
        Whether the connection stays open from its first use until `close`; opening takes some tenths of a second.
    reads_only : bool
        Whether it refuses to be written. It is then one state of the lake: that which a run had published last when it
        was first used, or that of `at`.
    at : datetime, optional
        The moment whose state is read, aware; that of the last commit before it.
    objects : callable
        Gives the views and macros for readers; who may write does without.
    """

    address: LakeAddress
    lock_wait_s: float = 10.0
    keeps_open: bool = False
    reads_only: bool = False
    at: datetime | None = None
    objects: Objects = _no_objects
    _open: ExitStack = field(default_factory=ExitStack, init=False, repr=False, compare=False)
    _connections: list[duckdb.DuckDBPyConnection] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The warehouse for people and logs."""
        return self.address.attach_string

    def exists(self) -> bool:
        """Whether anything has been written yet.

        Raises
        ------
        WarehouseError
            The catalog cannot be reached, or is none.
        """
        if not self.address.is_shared:
            return self.address.path.exists()  # without a wait for who has it open
        try:
            with self.read():
                return True
        except _NoLakeError:
            return False

    @contextmanager
    def write(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the lake for writing, beside others where the catalog is shared.

        Yields
        ------
        duckdb.DuckDBPyConnection

        Raises
        ------
        WarehouseError
            The catalog or the files cannot be used, or it is open for reading only.
        """
        if self.reads_only:
            raise WarehouseError(f"{self.name}: open for reading only: `f1-pipeline run` is what writes a warehouse")
        with self._cursor(_Opening(self.address, self.lock_wait_s, creates=True)) as cursor:
            yield cursor

    @contextmanager
    def read(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Open the lake to read.

        Yields
        ------
        duckdb.DuckDBPyConnection

        Raises
        ------
        WarehouseError
            There is no lake yet, or the catalog or the files cannot be used.
        """
        is_of_a_run = self.keeps_open and not self.reads_only
        opening = _Opening(self.address, self.lock_wait_s, reads_only=not is_of_a_run, at=self.at)
        if self.reads_only:
            opening = replace(opening, is_pinned=True, objects=self.objects)
        with self._cursor(opening) as cursor:
            yield cursor

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep every writer out: to look at what is nobody's while nobody writes.

        Raises
        ------
        WarehouseError
            A writer goes on for longer than `lock_wait_s`, or the catalog cannot be used.
        """
        if not self.address.is_shared:
            with Warehouse(self.address.path, self.lock_wait_s).locked():
                yield
            return
        if not self.exists():
            yield  # nobody writes what is not there
            return
        opening = _Opening(self.address, self.lock_wait_s)
        with self._cursor(opening) as connection, everybody_out(connection, self.lock_wait_s):
            yield

    @contextmanager
    def alone_with(self, table: str, partition_keys: Sequence[str]) -> Generator[None]:
        """Keep everybody else from making some partitions of a table, from reading to writing.

        Raises
        ------
        WarehouseError
            Somebody makes them for an hour, or the catalog cannot be used.
        """
        if not self.address.is_shared:
            yield
            return
        with self.write() as connection, alone_with(connection, table, partition_keys):
            yield

    def seal(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Keep the statements of a connection for reading from all files but the lake's own, and from the network."""
        if connection.execute("select current_setting('enable_external_access')").fetchall() == [(True,)]:
            folder = literal(data_path_of(connection))
            connection.execute(f"set allowed_directories = [{folder}]")
            connection.execute("set enable_external_access = false")

    def close(self) -> None:
        """Close the connection that was kept open; the next use opens another."""
        self._connections.clear()
        self._open.close()

    @contextmanager
    def _cursor(self, opening: _Opening) -> Generator[duckdb.DuckDBPyConnection]:
        with ExitStack() as own:
            if self._connections:
                (connection,) = self._connections
            else:
                connection = (self._open if self.keeps_open else own).enter_context(opening.opened())
                self._connections.extend([connection] if self.keeps_open else [])
            own.enter_context(translated(self.name))
            cursor = own.enter_context(closing(connection.cursor()))
            set_up(cursor)
            _use(cursor, has_objects=self.reads_only)
            yield cursor


class _NoLakeError(WarehouseError):
    """There is no lake yet."""


@dataclass(frozen=True)
class _Opening:
    """How to open a lake. Apart from who keeps it open: one that opened itself would hold itself, and never be let go.

    Attributes
    ----------
    creates : bool
        Whether to make the lake when there is none.
    is_pinned : bool
        Whether it is the state that was published last, or is now while nothing was, and stays so.
    """

    address: LakeAddress
    lock_wait_s: float
    creates: bool = False
    reads_only: bool = False
    is_pinned: bool = False
    at: datetime | None = None
    objects: Objects = _no_objects

    @contextmanager
    def opened(self) -> Generator[duckdb.DuckDBPyConnection]:
        with ExitStack() as holding:
            if not self.address.is_shared:
                if not self.creates and not self.address.path.exists():
                    raise _none_found(self.address)
                if not self.reads_only:
                    holding.enter_context(Warehouse(self.address.path, self.lock_wait_s).locked())
            connection = holding.enter_context(closing(duckdb.connect()))
            set_up(connection)
            load_extensions(connection, self.address)
            with translated(self.address.attach_string):
                self._attach(connection)
                refuse_lost_files(connection, self.address)
                if self.is_pinned:
                    connection.execute("use memory")
                    create_reader_objects(connection, self.objects(), LAKE)
            yield connection

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self.at is not None:
            self._patiently(connection, f"snapshot_time {literal(self.at.isoformat(sep=' '))}")
        elif self.is_pinned:
            self._patiently(connection)
            version = published_version(connection)
            connection.execute("use memory")
            connection.execute(f"detach {LAKE}")
            self._patiently(connection, f"snapshot_version {version}")
        else:
            self._patiently(connection)

    def _patiently(self, connection: duckdb.DuckDBPyConnection, *snapshot: str) -> None:
        # What is written into the catalog itself, instead of a file, comes back in another order.
        options = ["data_inlining_row_limit 0", *snapshot]
        options += [f"data_path {literal(self.address.data_path)}"] if self.address.data_path else []
        options += [f"create_if_not_exists {str(self.creates).lower()}", *(["read_only"] if self.reads_only else [])]
        statement = f"attach {literal(f'ducklake:{in_good_time(self.address.catalog, self.lock_wait_s)}')} as {LAKE}"
        patience = Retrying(
            stop=stop_after_delay(self.lock_wait_s),
            wait=wait_fixed(POLL_S),
            retry=retry_if_exception(_is_passing),
            reraise=True,
        )
        try:
            patience(connection.execute, f"{statement} ({', '.join(options)})")
        except duckdb.Error as error:
            if "creating a new DuckLake is explicitly disabled" in str(error):
                raise _none_found(self.address) from None
            raise


def _is_passing(error: BaseException) -> bool:
    return is_lost(error) or is_just_made(error) or LOCKED in str(error)


def _none_found(address: LakeAddress) -> _NoLakeError:
    return _NoLakeError(f"{address}: expected a warehouse, found none; `make run` builds it")


def _use(connection: duckdb.DuckDBPyConnection, *, has_objects: bool) -> None:
    """Let names mean the lake's; those of the schema for readers are beside it, where they are made."""
    beside = f",memory.{READER_SCHEMA}" if has_objects else ""
    connection.execute(f"set search_path = '{LAKE}.main{beside}'")


@dataclass(frozen=True)
class LakeState:
    """What a catalog says of itself: the version of its format, where the files are, how many states it keeps."""

    version: str
    data_path: str
    state_count: int


def describe(connection: duckdb.DuckDBPyConnection) -> LakeState:
    """Ask the catalog of a lake about itself."""
    rows = connection.execute("select key, value from __ducklake_metadata_lake.ducklake_metadata").fetchall()
    options = dict(rows)
    states = connection.execute("select count(*) from __ducklake_metadata_lake.ducklake_snapshot").fetchall()[0][0]
    return LakeState(options["version"], options["data_path"], states)


def data_path_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Read from the catalog where the files of the tables are."""
    told = "select value from __ducklake_metadata_lake.ducklake_metadata where key = 'data_path'"
    return connection.execute(told).fetchall()[0][0]


def refuse_lost_files(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    """Refuse a lake whose folder of files is gone: DuckLake would make it anew, and look whole until it is read.

    Raises
    ------
    WarehouseError
    """
    folder = data_path_of(connection)
    if "://" in folder or Path(folder).is_dir():
        return
    if connection.execute("select count(*) from __ducklake_metadata_lake.ducklake_data_file").fetchall()[0][0]:
        raise WarehouseError(
            f"{address}: expected the files of its tables in {folder}, found no such folder; is it mounted? "
            "Otherwise bring it back from a back-up"
        )


def in_good_time(catalog: str, wait_s: float) -> str:
    """Bound how long PostgreSQL is waited for, unless the address says so itself."""
    if not catalog.startswith(POSTGRES):
        return catalog
    limits = {
        "connect_timeout": max(2, math.ceil(wait_s)),
        "tcp_user_timeout": LONGEST_SILENCE_S * 1000,
    }
    wanted = [f"{name}={value}" for name, value in limits.items() if f"{name}=" not in catalog]
    if "://" in catalog:
        return "&".join([catalog + ("" if "?" in catalog else "?"), *wanted]).replace("?&", "?")
    return " ".join([catalog, *wanted])


def load_extensions(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    """Load what DuckDB needs for a lake: from the packages of the extra `scale`, else from where DuckDB installs them.

    Raises
    ------
    WarehouseError
        One is not there, and cannot be installed.
    """
    load_extension(connection, "ducklake")
    if address.is_shared:
        load_extension(connection, "postgres_scanner")
    if address.is_remote:
        load_extension(connection, FOR_STORES)
    elif not address.data_path and _package_of(FOR_STORES) is not None:
        # the catalog may name a store, which it tells only when it is attached; if not, nobody needs the extension
        with suppress(WarehouseError):
            load_extension(connection, FOR_STORES)


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load one extension of DuckDB; errors as for `load_extensions`."""
    try:
        _load_from_package_or_install(connection, name)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise WarehouseError(
            f"a warehouse on DuckLake needs DuckDB's extension {name}, which is not installed: {EXTRA}: {reason}"
        ) from error


def _load_from_package_or_install(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    folder = _package_of(name)
    if folder is not None:
        file = folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        connection.execute(f"load {literal(str(file))}")
        return
    try:
        connection.execute(f"load {name}")
    except duckdb.Error:
        connection.execute(f"install {name}")
        connection.execute(f"load {name}")


def _package_of(name: str) -> Path | None:
    """Find the folder of the package that brings an extension."""
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = (package.submodule_search_locations if package else None) or ()
    return next(map(Path, folders), None)
