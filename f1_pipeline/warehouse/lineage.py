"""Derive from a model's select what it reads: upstream tables, and which columns each column comes from.

Belongs here: static reading of SQL with sqlglot. Neighbours: `model_file.py` brings the text; `defs` turns tables
into asset dependencies and columns into the lineage shown in the Dagster UI. Nothing is declared twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.lineage import Node, lineage

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.model_file import SqlModel

DIALECT = "duckdb"
ColumnSources = dict[str, tuple[tuple[str, str], ...]]


@cache
def upstream_tables(model: SqlModel) -> tuple[str, ...]:
    """Name the tables a model reads, sorted, as `schema.table`.

    Raises
    ------
    DataError
        When the select cannot be parsed.
    """
    return tables_of(model.body, model.path.name)


def tables_of(body: str, file_name: str) -> tuple[str, ...]:
    """Name the tables that a select reads, sorted; CTEs and relations without a schema do not count."""
    try:
        tree = sqlglot.parse_one(body, dialect=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise DataError(f"{file_name}: expected one DuckDB select, sqlglot says: {error}") from error
    return tuple(sorted({f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}))


def column_lineage(model: SqlModel, columns_of: Mapping[str, tuple[str, ...]]) -> ColumnSources:
    """Trace each column of a model to the upstream columns it is computed from.

    Parameters
    ----------
    model : SqlModel
    columns_of : mapping of str to tuple of str
        Columns of every upstream table, by full table name.

    Returns
    -------
    dict of str to tuple of (table, column)
        Columns computed from constants alone have no sources.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in upstream_tables(model):
        schema_name, name = table.split(".")
        # Types play no part in tracing columns, so one stands for all.
        schema.setdefault(schema_name, {})[name] = dict.fromkeys(columns_of[table], "varchar")
    nodes = lineage(None, model.body, schema=schema, dialect=DIALECT, trim_selects=False)
    return {name: _sources(node) for name, node in nodes.items()}


def _sources(root: Node) -> tuple[tuple[str, str], ...]:
    found = set()
    for node in root.walk():
        if isinstance(node.expression, exp.Table) and node.expression.db:
            found.add((f"{node.expression.db}.{node.expression.name}", node.name.rsplit(".", 1)[-1].strip('"')))
    return tuple(sorted(found))
