"""Let the writers of one table of a shared lake take turns.

Belongs here: the locks in the catalog's PostgreSQL. Neighbours: `writer.py` takes a turn for each transaction,
`lake.py` lets a step have its partitions to itself, `connection.py` has the lock of the DuckDB file, which needs no
turns.

DuckLake sees that two transactions deleted from one file, but not that both inserted the rows of one race, which
neither of them found. So who replaces rows of a table holds an advisory lock of PostgreSQL until his transaction is
over: it costs a millisecond, writers of other tables do not wait, and it goes with its holder's connection.

Some steps read the rows of their own table first, and write them again beside new ones: versions of a forecast, your
team. Those hold the partitions from before they read until they have written, or they would write back what another
has changed meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager

import duckdb

LAKE = "lake"  # the name under which a lake is attached
METADATA = f"__ducklake_metadata_{LAKE}"  # and the one under which DuckLake attaches its catalog
TURN_WAIT_S = 600.0  # a transaction takes seconds; many may be waiting
STEP_WAIT_S = 3600.0  # a step may train models
_LOOK_S = 1.0  # how long one look at a lock may take, so that Ctrl-C is heard
_LOCK_TIMEOUT = "lock timeout"
_EVERY_TABLE = "every table"


@contextmanager
def turn(connection: duckdb.DuckDBPyConnection, table: str) -> Generator[Callable[[], None]]:
    """Be the only one who replaces rows of a table; nothing needs to be done in a file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A writing connection outside any transaction.
    table : str
        Its full name.

    Yields
    ------
    callable
        Raises DuckDB's error when the lock has been lost meanwhile; to be called before the commit.
    """
    if not is_shared(connection):
        yield lambda: None
        return
    locks = (_lock(_EVERY_TABLE, kind="_shared"), _lock(table))
    with _holding(connection, TURN_WAIT_S, locks) as still_held:
        yield still_held


@contextmanager
def alone_with(connection: duckdb.DuckDBPyConnection, table: str, partition_keys: Sequence[str]) -> Generator[None]:
    """Be the only one who makes some partitions of a table of a shared lake, from reading to writing.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    table : str
        Its full name.
    partition_keys : sequence of str
        Races or seasons; none for a table that is replaced whole.
    """
    with _holding(connection, STEP_WAIT_S, (_lock(*(f"{table} {key}" for key in partition_keys or ("whole",))),)):
        yield


@contextmanager
def everybody_out(connection: duckdb.DuckDBPyConnection, wait_s: float) -> Generator[None]:
    """Keep the writers of every table of a shared lake out."""
    with _holding(connection, wait_s, (_lock(_EVERY_TABLE),)):
        yield


def _lock(*names: str, kind: str = "") -> str:
    """Write the statement that takes locks, in an order that is the same for everybody."""
    array = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    hashes = f"select hashtextextended('f1-pipeline ' || name, 0) from unnest(array[{array}]) as name"  # noqa: S608
    # `postgres_execute` knows no parameters; names are of tables and partitions, quoted
    return f"select pg_advisory_xact_lock{kind}(hash) from ({hashes} order by 1) as wanted (hash)"  # noqa: S608


@contextmanager
def _holding(
    connection: duckdb.DuckDBPyConnection, wait_s: float, locks: Sequence[str]
) -> Generator[Callable[[], None]]:
    # A cursor of its own: the transaction that changes rows must not have begun before it is its turn, or it would not
    # see what the one before it has written.
    with closing(connection.cursor()) as keeper:
        _take(keeper, wait_s, locks)
        try:
            yield lambda: _ask(keeper, "select 1")
        finally:
            _let_go(keeper)


def _take(keeper: duckdb.DuckDBPyConnection, wait_s: float, locks: Sequence[str]) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        look_s = min(_LOOK_S, max(0.001, deadline - time.monotonic()))
        keeper.execute("begin transaction")
        try:
            _ask(keeper, f"set local lock_timeout = {round(look_s * 1000)}")
            for lock in locks:
                _ask(keeper, lock)
        except duckdb.Error as error:
            _let_go(keeper)
            if _LOCK_TIMEOUT not in str(error) or time.monotonic() >= deadline:
                raise
        else:
            return


def _ask(keeper: duckdb.DuckDBPyConnection, statement: str) -> None:
    keeper.execute("call postgres_execute($database, $statement)", {"database": METADATA, "statement": statement})


def _let_go(keeper: duckdb.DuckDBPyConnection) -> None:
    try:
        keeper.execute("rollback")
    except duckdb.Error:
        return  # the connection is gone, and the lock with it


def is_shared(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a connection is to a lake with its catalog in PostgreSQL."""
    rows = connection.execute(
        "select path from duckdb_databases() where database_name = $lake and type = 'ducklake'", {"lake": LAKE}
    ).fetchall()
    return bool(rows) and rows[0][0].startswith("postgres:")
