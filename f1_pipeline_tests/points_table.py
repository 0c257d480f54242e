"""A small table that tests write: its contract, some rows, and writing them.

Belongs here: what tests of any warehouse share. Neighbours: `lakes.py` makes the warehouses.
"""

from __future__ import annotations

import pyarrow as pa

from f1_pipeline.warehouse.connection import Store
from f1_pipeline.warehouse.contract import Column, TableContract
from f1_pipeline.warehouse.model_file import SqlTest
from f1_pipeline.warehouse.writer import WriteReport, write_rows

POINTS = TableContract(
    schema="core",
    name="points",
    description="Points of a driver's weekend.",
    grain=("race_key", "driver_id"),
    columns=(
        Column("race_key", "Race"),
        Column("driver_id", "Driver"),
        Column("points", "Driver's points", "points"),
    ),
    partitioned_by="race_key",
    checks=("points >= -50",),
)
SCHEMA = pa.schema([("race_key", pa.string()), ("driver_id", pa.string()), ("points", pa.int32())])
GOOD = [("2026-china", "ann", 10), ("2026-china", "bob", 20), ("2026-monaco", "ann", 30)]
BOTH = ["2026-china", "2026-monaco"]


def write(
    warehouse: Store,
    rows: list[tuple[object, ...]],
    race_keys: list[str],
    contract: TableContract = POINTS,
    schema: pa.Schema = SCHEMA,
    tests: tuple[SqlTest, ...] = (),
) -> WriteReport:
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    with warehouse.write() as connection:
        return write_rows(connection, contract, table, race_keys, tests)
