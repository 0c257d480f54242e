"""Learn the column types of every table by running every model on empty tables.

Belongs here: one in-memory pass over the whole graph, cheap enough for when definitions load. It shows types in the UI
before anything has run, and finds a model that does not fit its upstream tables or its own header.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

import duckdb

from f1_pipeline.errors import WarehouseError
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.warehouse.lineage import upstream_tables
from f1_pipeline.warehouse.model_file import INCOMING, SqlModel, select_parameters

ColumnTypes = dict[str, dict[str, str]]


def column_types(models: Mapping[str, SqlModel]) -> ColumnTypes:
    """Run every model on empty tables.

    Parameters
    ----------
    models : mapping of str to SqlModel
        By full table name.

    Returns
    -------
    dict of str to dict of str to str
        DuckDB's type of each column, by full table name; raw tables included.

    Raises
    ------
    WarehouseError
        When a model does not run, or yields other columns than its header says.
    """
    order = TopologicalSorter({name: upstream_tables(model) for name, model in models.items()}).static_order()
    with duckdb.connect() as connection:
        for facts in FACT_TABLES.values():
            columns = ", ".join(f"{column.name} {column.type}" for column in facts.columns)
            _create(connection, f"raw.{facts.name}", f"create table raw.{facts.name} ({columns})")
        for name in order:
            if name in models:
                _create_from_model(connection, models[name])
        return _described(connection)


def _create(connection: duckdb.DuckDBPyConnection, name: str, statement: str, parameters: object = None) -> None:
    connection.execute(f"create schema if not exists {name.split('.')[0]}")
    connection.execute(statement, parameters)


def _create_from_model(connection: duckdb.DuckDBPyConnection, model: SqlModel) -> None:
    name = model.contract.full_name
    if model.is_fed_by_python:
        # Rows from Python are cast by the model where they are not text, so text stands for all.
        columns = ", ".join(f"cast(null as varchar) as {column}" for column in model.contract.column_names)
        connection.execute(f"create or replace temp view {INCOMING} as select {columns}")
    parameters = select_parameters(model.contract, model.body, [])
    try:
        _create(connection, name, f"create table {name} as from ({model.body}) limit 0", parameters)
    except duckdb.Error as error:
        raise WarehouseError(f"{model.path.name}: the model does not run: {error}") from error
    found = tuple(row[0] for row in connection.execute(f"describe {name}").fetchall())
    if found != model.contract.column_names:
        expected = ", ".join(model.contract.column_names)
        raise WarehouseError(f"{model.path.name}: the header says {expected}; the select yields {', '.join(found)}")


def _described(connection: duckdb.DuckDBPyConnection) -> ColumnTypes:
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns()"
        " where database_name = 'memory' and not internal order by table_oid, column_index"
    ).fetchall()
    types: ColumnTypes = {}
    for table, column, data_type in rows:
        types.setdefault(table, {})[column] = data_type
    return types
