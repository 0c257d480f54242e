"""Read a whole warehouse, to see that it can be read and what is in it.

Belongs here: reading for its own sake. Neighbours: `steps.doctor_stores` judges what was found.
"""

from __future__ import annotations

import duckdb

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.lake_errors import is_lost

TableState = tuple[int, int]
"""Rows of a table, and a sum of their hashes that does not depend on their order."""
STATE = "count(*), coalesce(bit_xor(hash(tab)), 0)"


def read_everything(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, TableState]:
    """Read every row of every table; DuckDB holds each block against its checksum.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    name : str
        The warehouse, for messages.

    Returns
    -------
    dict of str to TableState
        By full name.

    Raises
    ------
    WarehouseError
        A table cannot be read; the message names it.
    """
    found: dict[str, TableState] = {}
    for table in stored_columns(connection):
        try:
            found[table] = connection.table(table).set_alias("tab").aggregate(STATE).fetchall()[0]
        except duckdb.Error as error:
            if is_lost(error):
                raise
            reason = str(error).splitlines()[0]
            raise WarehouseError(f"{name}: {table} cannot be read, the file is damaged: {reason}") from error
    return found


def stored_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """List the columns of every table, with DuckDB's type of each, by full name of the table."""
    rows = connection.execute(
        "select columns.schema_name || '.' || columns.table_name, column_name, data_type"
        " from duckdb_columns() as columns inner join duckdb_tables() as tables using (table_oid, database_oid)"
        " where columns.database_name = current_database() order by table_oid, column_index"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        found.setdefault(table, {})[column] = data_type
    return found
