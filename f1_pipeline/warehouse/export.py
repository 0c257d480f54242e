"""Write tables and views of a warehouse into files.

Belongs here: which relations a file has and what they say of themselves, and DuckDB's own writing of one of them.
Neighbours: `steps.warehouse_export` puts the files of an installation in their folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.writer import literal

Format = Literal["parquet", "csv"]
FORMATS: tuple[Format, ...] = ("parquet", "csv")
HOW: dict[Format, str] = {"parquet": "format parquet, compression zstd", "csv": "format csv, header"}

# beside a lake the views for readers are in memory; a file has no such database
RELATIONS = """
    select schema_name as schema, table_name as name, 'table' as kind, comment
    from duckdb_tables() where database_name in (current_database(), 'memory') and not internal
    union all
    select schema_name, view_name, 'view', comment
    from duckdb_views() where database_name in (current_database(), 'memory') and not internal
    order by all
"""
COLUMNS = """
    select schema_name || '.' || table_name, column_name, comment, lower(data_type)
    from duckdb_columns() where database_name in (current_database(), 'memory') and not internal
    order by schema_name, table_name, column_index
"""


@dataclass(frozen=True)
class StoredColumn:
    """A column as the file describes it: DuckDB's type, and what it says, with its unit."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Relation:
    """A table or view as it describes itself.

    Attributes
    ----------
    schema, name : str
    kind : str
        `table` or `view`.
    description : str
        What a row is; empty where nobody has said so.
    columns : tuple of StoredColumn
        Every column, in order.
    """

    schema: str
    name: str
    kind: str
    description: str
    columns: tuple[StoredColumn, ...]

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


def relations(connection: duckdb.DuckDBPyConnection) -> tuple[Relation, ...]:
    """List the tables and views of the file, by schema and name.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection

    Returns
    -------
    tuple of Relation
    """
    columns: dict[str, list[StoredColumn]] = {}
    for relation, name, comment, kind in connection.execute(COLUMNS).fetchall():
        columns.setdefault(relation, []).append(StoredColumn(name, kind, comment or ""))
    rows = connection.execute(RELATIONS).fetchall()
    return tuple(
        Relation(schema, name, kind, comment or "", tuple(columns[f"{schema}.{name}"]))
        for schema, name, kind, comment in rows
    )


def write_relation(
    connection: duckdb.DuckDBPyConnection, relation: Relation, order: Sequence[str], path: Path, form: Format
) -> int:
    """Write every row of a table or view into a file.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    relation : Relation
    order : sequence of str
        Columns to sort by; all of them when empty.
    path : Path
        Replaced if it exists.
    form : {'parquet', 'csv'}
        In CSV lists are text such as [1, 2].

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    WarehouseError
        The file cannot be written.
    """
    rows = f"from {relation.full_name} order by {', '.join(order) or 'all'}"
    try:
        return connection.execute(f"copy ({rows}) to {literal(str(path))} ({HOW[form]})").fetchall()[0][0]
    except duckdb.IOException as error:
        raise WarehouseError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error
