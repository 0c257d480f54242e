"""Remember which state of a shared lake a whole run has published.

Belongs here: one table beside DuckLake's own in the catalog's PostgreSQL. Neighbours: `snapshot.py` publishes,
`lake.py` pins readers to what was published.

Each table of a run is committed when it is made. A reader who took the newest state in the middle of a run would see a
new forecast beside the line-up of the old one. What a run has published is whole.
"""

from __future__ import annotations

import duckdb

from f1_pipeline.warehouse.turns import LAKE, METADATA, is_shared

_TABLE = "f1_pipeline_published"
_MAKE = f"create table if not exists {_TABLE} (version bigint not null, published_at timestamptz default now())"


def mark_published(connection: duckdb.DuckDBPyConnection, version: int) -> None:
    """Let readers have a state of the lake from now on.

    One that is not shared has no readers of its own: they have the published file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A writing one.
    version : int
        The number of DuckLake's snapshot.
    """
    if not is_shared(connection):
        return
    for statement in (_MAKE, f"insert into {_TABLE} (version) values ({int(version)})"):  # noqa: S608 (a number)
        connection.execute(
            "call postgres_execute($database, $statement)", {"database": METADATA, "statement": statement}
        )


def published_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the snapshot that was published last; of the newest one while none has been."""
    newest = connection.execute(f"select id from {LAKE}.current_snapshot()").fetchall()[0][0]  # noqa: S608 (a name)
    marked = None
    if _has_marks(connection):
        marked = connection.execute(f"select max(version) from {METADATA}.{_TABLE}").fetchall()[0][0]  # noqa: S608 (names)
    return int(newest if marked is None else marked)


def _has_marks(connection: duckdb.DuckDBPyConnection) -> bool:
    if not is_shared(connection):
        return False
    tables = f"{METADATA}.information_schema.tables"  # DuckDB's own list leaves the catalog's out
    found = connection.execute(f"from {tables} where table_name = $table", {"table": _TABLE})
    return bool(found.fetchall())
