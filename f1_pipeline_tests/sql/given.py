"""Given these upstream rows, expect those rows: run one SQL model or SQL test in memory, contracts included.

Belongs here: the helper and short builders of rows. A test names only the columns it speaks of: the others are null,
with the type they have in the warehouse. Neighbour: `warehouse.dry_run` knows the types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import duckdb

from f1_pipeline.warehouse.dry_run import ColumnTypes, column_types
from f1_pipeline.warehouse.lineage import tables_of, upstream_tables
from f1_pipeline.warehouse.model_file import SqlModel, read_models, read_tests
from f1_pipeline.warehouse.reader_file import ReaderObject, create_reader_objects, read_reader_objects
from f1_pipeline.warehouse.writer import write_model
from f1_pipeline_tests.support import REPO

Row = dict[str, Any]


@cache
def sql_models() -> dict[str, SqlModel]:
    return read_models(REPO / "dbt_like_sql")


@cache
def reader_objects() -> tuple[ReaderObject, ...]:
    return read_reader_objects(REPO / "dbt_like_sql")


@cache
def all_types() -> ColumnTypes:
    return column_types(sql_models())


def run_sql_model(table: str, race_keys: Sequence[str] = (), **given: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Run a model on hand-made rows through the product's own writer.

    Parameters
    ----------
    table : str
        Full name of the model's table.
    race_keys : sequence of str
        The races to compute.
    **given
        Rows of upstream tables, each named `schema__table`. Tables that are not given are empty.

    Returns
    -------
    list of dict
        Every column of every row, in order of the table's grain.
    """
    model = sql_models()[table]
    with duckdb.connect() as connection:
        _make_tables(connection, table, upstream_tables(model), given)
        write_model(connection, model, race_keys)
        result = connection.table(table).order(", ".join(model.contract.grain))
        return [dict(zip(result.columns, values, strict=True)) for values in result.fetchall()]


def broken_rows(test_name: str, race_keys: Sequence[str], **given: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Run the SQL test of a name on hand-made rows and return the rows that break it.

    Parameters
    ----------
    test_name : str
        Name of a file in `dbt_like_sql/tests`, without its ending.
    race_keys : sequence of str
        The races that are checked.
    **given
        As for `run_sql_model`.

    Returns
    -------
    list of dict
        Every column of every row, in a fixed order.
    """
    (test,) = (test for test in read_tests(REPO / "dbt_like_sql") if test.name == test_name)
    with duckdb.connect() as connection:
        _make_tables(connection, test_name, tables_of(test.body, test.path.name), given)
        result = connection.sql(test.body, params={"race_keys": list(race_keys)}).order("all")
        return [dict(zip(result.columns, values, strict=True)) for values in result.fetchall()]


def ask_reader(statement: str, **given: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Ask the views and macros for readers about hand-made rows.

    Parameters
    ----------
    statement : str
        SQL, as a reader would type it.
    **given
        As for `run_sql_model`.

    Returns
    -------
    list of dict
        Every column of every row, in the order of the answer.
    """
    objects = reader_objects()
    names = {table for item in objects for table in item.upstream if not table.startswith("reader.")}
    with duckdb.connect() as connection:
        _make_tables(connection, "reader", sorted(names), given)
        assert len(create_reader_objects(connection, objects)) == len(objects)
        result = connection.sql(statement)
        return [dict(zip(result.columns, values, strict=True)) for values in result.fetchall()]


def _make_tables(
    connection: duckdb.DuckDBPyConnection,
    reader: str,
    names: Sequence[str],
    given: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    rows = {name.replace("__", ".", 1): list(values) for name, values in given.items()}
    assert set(rows) <= set(names), f"{reader} reads {names}, not {sorted(set(rows) - set(names))}"
    connection.execute("set timezone = 'UTC'")
    for name in names:
        _make_table(connection, name, rows.get(name, []))


def _make_table(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    types = all_types()[name]
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute(f"create schema if not exists {name.split('.')[0]}")
    connection.execute(f"create table {name} ({columns})")
    for row in rows:
        assert set(row) <= set(types), f"{name} has no column {sorted(set(row) - set(types))}"
        connection.table(name).insert([row.get(column) for column in types])


def only(rows: Sequence[Row], *columns: str) -> list[tuple[Any, ...]]:
    """Keep some columns of each row."""
    return [tuple(row[column] for column in columns) for row in rows]


def pick(row: Row, expected: Mapping[str, Any]) -> Row:
    """Keep the columns that a test has expectations of."""
    return {column: row[column] for column in expected}


def race(race_key: str, day: str, circuit_id: str = "elsewhere", **columns: Any) -> Row:
    """Describe a race of `core.race`; the day is a date such as 2026-03-08."""
    race_date = date.fromisoformat(day)
    return {
        "race_key": race_key,
        "season": race_date.year,
        "race_date": race_date,
        "circuit_id": circuit_id,
        "circuit_type": "permanent",
        "has_sprint": False,
        "season_progress_share": 0.5,
    } | columns


def entry(race_key: str, asset_id: str, constructor_id: str, price: float = 10.0, **columns: Any) -> Row:
    """Describe a driver on sale in `core.race_entry`."""
    return {
        "race_key": race_key,
        "asset_type": "driver",
        "asset_id": asset_id,
        "constructor_id": constructor_id,
        "lineage_id": asset_id,
        "fantasy_price_musd": price,
    } | columns


def constructor_entry(race_key: str, constructor_id: str, lineage_id: str, price: float = 10.0) -> Row:
    """Describe a constructor on sale in `core.race_entry`."""
    return entry(race_key, constructor_id, constructor_id, price, asset_type="constructor", lineage_id=lineage_id)


def driver_result(race_key: str, driver_id: str, points: int, price: float = 10.0, **columns: Any) -> Row:
    """Describe a weekend in `core.driver_race_performance`."""
    return {
        "race_key": race_key,
        "driver_id": driver_id,
        "total_points": points,
        "fantasy_price_musd": price,
        "points_per_million": points / price,
        "had_sprint": False,
        "was_race_classified": True,
    } | columns


def constructor_result(race_key: str, constructor_id: str, points: int, price: float = 10.0, **columns: Any) -> Row:
    """Describe a weekend in `core.constructor_race_performance`."""
    return {
        "race_key": race_key,
        "constructor_id": constructor_id,
        "total_points": points,
        "fantasy_price_musd": price,
        "points_per_million": points / price,
        "had_sprint": False,
        "classified_car_count": 2,
        "car_count": 2,
    } | columns
