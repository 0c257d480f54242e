"""Let the writers of one table of a shared lake take turns.

Belongs here: the locks in the catalog's PostgreSQL. Neighbours: `writer.py` takes a turn for each transaction,
`connection.py` has the lock of the DuckDB file, which needs no turns.

DuckLake sees that two transactions deleted from one file, but not that both inserted the rows of one race, which
neither of them found. So who replaces rows of a table holds an advisory lock of PostgreSQL until his transaction is
over: it costs a millisecond, writers of other tables do not wait, and it goes with its holder's connection.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

import duckdb

LAKE = "lake"  # the name under which a lake is attached
METADATA = f"__ducklake_metadata_{LAKE}"  # and the one under which DuckLake attaches its catalog
TURN_WAIT_S = 600.0  # a transaction takes seconds; many may be waiting
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
    if not _is_shared(connection):
        yield lambda: None
        return
    with _holding(connection, TURN_WAIT_S, {_EVERY_TABLE: "_shared", table: ""}) as still_held:
        yield still_held


@contextmanager
def everybody_out(connection: duckdb.DuckDBPyConnection, wait_s: float) -> Generator[None]:
    """Keep the writers of every table of a shared lake out."""
    with _holding(connection, wait_s, {_EVERY_TABLE: ""}):
        yield


@contextmanager
def _holding(
    connection: duckdb.DuckDBPyConnection, wait_s: float, locks: dict[str, str]
) -> Generator[Callable[[], None]]:
    # A cursor of its own: the transaction that changes rows must not have begun before it is its turn, or it would not
    # see what the one before it has written.
    with closing(connection.cursor()) as keeper:
        keeper.execute("begin transaction")
        try:
            _ask(keeper, f"set local lock_timeout = {max(1, round(wait_s * 1000))}")
            for name, kind in locks.items():
                _ask(keeper, f"select pg_advisory_xact_lock{kind}(hashtextextended('f1-pipeline {name}', 0))")
            yield lambda: _ask(keeper, "select 1")
        finally:
            _let_go(keeper)


def _ask(keeper: duckdb.DuckDBPyConnection, statement: str) -> None:
    keeper.execute("call postgres_execute($database, $statement)", {"database": METADATA, "statement": statement})


def _let_go(keeper: duckdb.DuckDBPyConnection) -> None:
    try:
        keeper.execute("rollback")
    except duckdb.Error:
        return  # the connection is gone, and the lock with it


def _is_shared(connection: duckdb.DuckDBPyConnection) -> bool:
    rows = connection.execute(
        "select path from duckdb_databases() where database_name = current_database() and type = 'ducklake'"
    ).fetchall()
    return bool(rows) and rows[0][0].startswith("postgres:")
