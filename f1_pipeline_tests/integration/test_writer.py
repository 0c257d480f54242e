"""Writing keeps its promises on every kind of warehouse: contracts, checks and transactions.

Belongs here: one write at a time, in the DuckDB file, in a lake with its catalog in a file, in one with PostgreSQL.
Neighbours: `test_warehouse.py` has the locks and crashes of the file, `test_lake.py` several writers of a lake.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.connection import Store
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.model_file import SqlModel, SqlTest, read_model
from f1_pipeline.warehouse.writer import ContractError, WriteReport, write_model
from f1_pipeline_tests.points_table import BOTH, GOOD, POINTS, write
from f1_pipeline_tests.support import fingerprints, rows_of


def sql_test(body: str) -> SqlTest:
    return SqlTest(Path("assert_no_zero.sql"), "assert_no_zero", "Nobody scores nothing.", "core.points", body)


# ---- one write


def test_write_replaces_the_races_it_was_asked_for_and_no_other(store: Store) -> None:
    write(store, GOOD, BOTH)
    report = write(store, [("2026-china", "cid", 5)], ["2026-china"])
    assert rows_of(store, "core.points") == [("2026-china", "cid", 5), ("2026-monaco", "ann", 30)]
    assert report.row_counts == {"2026-china": 1}
    assert (report.row_count, report.table_row_count, report.checks) == (1, 2, ("contract",))
    assert report.column_types == {"race_key": "VARCHAR", "driver_id": "VARCHAR", "points": "INTEGER"}


def test_race_without_rows_is_emptied_and_counted_as_zero(store: Store) -> None:
    write(store, GOOD, BOTH)
    report = write(store, [("2026-china", "ann", 1)], BOTH)
    assert report.row_counts == {"2026-china": 1, "2026-monaco": 0}
    assert rows_of(store, "core.points") == [("2026-china", "ann", 1)]


def test_table_without_partitions_is_replaced_whole(store: Store) -> None:
    contract = TableContract("core", "points", "Points.", POINTS.grain, POINTS.columns)
    write(store, GOOD, [], contract)
    report = write(store, GOOD[:1], [], contract)
    assert report.row_counts == {"": 1}
    assert rows_of(store, "core.points") == GOOD[:1]


# ---- seasons

SEASON_POINTS = """\
-- description: One row per season and driver: points.
-- grain: season, driver_id
-- partitioned_by: season
-- column: season | Season
-- column: driver_id | Driver
-- column: points | Points | points
select
    cast(season as integer) as season,
    driver_id,
    cast(points as integer) as points
from incoming
"""
SEASON_ROWS = [(2025, "ann", 1), (2025, "bob", 2), (2026, "ann", 3)]


@pytest.fixture
def season_model(tmp_path: Path) -> SqlModel:
    path = tmp_path / "lineups" / "season_points.sql"
    path.parent.mkdir()
    path.write_text(SEASON_POINTS, encoding="utf-8")
    return read_model(path)


def write_seasons(
    store: Store,
    model: SqlModel,
    rows: list[tuple[int | None, str, int]],
    seasons: list[str],
    tests: tuple[SqlTest, ...] = (),
) -> WriteReport:
    incoming = pa.Table.from_pylist([dict(zip(("season", "driver_id", "points"), row, strict=True)) for row in rows])
    with store.write() as connection:
        return write_model(connection, model, seasons, incoming, tests)


def test_write_replaces_the_seasons_it_was_asked_for_and_no_other(store: Store, season_model: SqlModel) -> None:
    first = write_seasons(store, season_model, SEASON_ROWS, ["2025", "2026"])
    assert first.row_counts == {"2025": 2, "2026": 1}
    assert first.column_types["season"] == "INTEGER"
    report = write_seasons(store, season_model, [(2025, "cid", 4)], ["2024", "2025"])
    assert report.row_counts == {"2024": 0, "2025": 1}
    assert rows_of(store, "lineups.season_points") == [(2025, "cid", 4), (2026, "ann", 3)]


def test_row_of_another_season_is_refused_and_changes_nothing(store: Store, season_model: SqlModel) -> None:
    write_seasons(store, season_model, SEASON_ROWS, ["2025", "2026"])
    with pytest.raises(ContractError) as caught:
        write_seasons(store, season_model, [(2025, "ann", 9), (2026, "eve", 9)], ["2025"])
    assert str(caught.value) == (
        "lineups.season_points: expected only rows of the seasons asked for; 1 rows break it, such as "
        "[{'season': 2026, 'driver_id': 'eve', 'points': 9}]"
    )
    assert rows_of(store, "lineups.season_points") == SEASON_ROWS


def test_sql_test_of_a_season_table_is_told_the_seasons(store: Store, season_model: SqlModel) -> None:
    body = "select * from lineups.season_points where list_contains($seasons, season) and points = 0"
    test = SqlTest(Path("assert_no_zero.sql"), "assert_no_zero", "None.", "lineups.season_points", body)
    write_seasons(store, season_model, [(2025, "ann", 0)], ["2025"])
    # what stands in the table of another season is not this write's concern
    assert write_seasons(store, season_model, [(2026, "ann", 3)], ["2026"], (test,)).row_counts == {"2026": 1}
    with pytest.raises(ContractError, match=r"^lineups\.season_points: assert_no_zero; 1 rows .*'bob'"):
        write_seasons(store, season_model, [(2026, "bob", 0)], ["2026"], (test,))
    assert rows_of(store, "lineups.season_points") == [(2025, "ann", 0), (2026, "ann", 3)]


def test_partition_column_outside_the_grain_is_never_null(store: Store) -> None:
    contract = dataclasses.replace(POINTS, grain=("driver_id",))
    with pytest.raises(ContractError, match="expected only rows of the races asked for; 1 rows break it"):
        write(store, [(None, "ann", 10)], BOTH, contract)


# ---- what readers see


def test_descriptions_and_units_become_comments(store: Store) -> None:
    write(store, GOOD, BOTH)
    with store.read() as connection:
        table = connection.execute("select comment from duckdb_tables() where table_name = 'points'").fetchall()
        column = connection.execute("select comment from duckdb_columns() where column_name = 'points'").fetchall()
    assert (table, column) == ([("Points of a driver's weekend.",)], [("Driver's points [points]",)])


# ---- broken contracts


@pytest.mark.parametrize(
    ("rows", "sentence", "named"),
    [
        ([("2026-china", None, 5)], "core.points: expected driver_id is not null; 1 rows break it", "5"),
        (
            [("2026-china", "ann", 5), ("2026-china", "ann", 6), ("2026-china", "bob", 7)],
            "core.points: expected one row per race_key, driver_id; 1 rows break it",
            "'ann'",
        ),
        ([("2026-china", "ann", -51)], "core.points: expected points >= -50; 1 rows break it", "-51"),
        # A check that is null does not hold.
        ([("2026-china", "zoe", None)], "core.points: expected points >= -50; 1 rows break it", "'zoe'"),
        (
            [("2026-china", "ann", 5), ("2026-monaco", "eve", 6)],
            "core.points: expected only rows of the races asked for; 1 rows break it",
            "'eve'",
        ),
    ],
)
def test_rows_that_break_the_contract_are_named_and_change_nothing(
    store: Store, rows: list[tuple[object, ...]], sentence: str, named: str
) -> None:
    write(store, GOOD, BOTH)
    with pytest.raises(ContractError) as caught:
        write(store, rows, ["2026-china"])
    assert str(caught.value).startswith(sentence)
    assert named in str(caught.value)
    assert caught.value.check == "contract"
    assert len(caught.value.rows) == 1
    assert rows_of(store, "core.points") == GOOD


def test_only_a_few_of_many_broken_rows_are_shown(store: Store) -> None:
    rows = [("2026-china", f"driver-{number}", -60) for number in range(40)]
    with pytest.raises(ContractError, match="40 rows break it") as caught:
        write(store, rows, ["2026-china"])
    assert str(caught.value).count("driver-") == 5
    assert len(caught.value.rows) == 40


def test_lists_of_broken_rows_are_not_shown(store: Store) -> None:
    test = sql_test("select *, list_value(points, 7, 7, 7) as draws from core.points where points = 0")
    with pytest.raises(ContractError, match="'bob'") as caught:
        write(store, [("2026-china", "bob", 0)], ["2026-china"], tests=(test,))
    assert "draws" not in str(caught.value)
    assert list(caught.value.rows["draws"].item()) == [0, 7, 7, 7]


def test_failing_sql_test_takes_the_rows_back(store: Store) -> None:
    test = sql_test("select * from core.points where list_contains($race_keys, race_key) and points = 0")
    assert write(store, GOOD, BOTH, tests=(test,)).checks == ("contract", "assert_no_zero")
    with pytest.raises(ContractError, match=r"^core\.points: assert_no_zero; 1 rows .*'bob'") as caught:
        write(store, [("2026-china", "ann", 1), ("2026-china", "bob", 0)], ["2026-china"], tests=(test,))
    assert caught.value.check == "assert_no_zero"
    assert rows_of(store, "core.points") == GOOD


def test_first_write_that_fails_leaves_no_table(store: Store) -> None:
    with pytest.raises(ContractError):
        write(store, [("2026-china", "ann", 0)], ["2026-china"], tests=(sql_test("select * from core.points"),))
    assert fingerprints(store) == {}


def test_other_columns_than_the_header_are_refused(store: Store) -> None:
    write(store, GOOD, BOTH)
    schema = pa.schema([("race_key", pa.string()), ("points", pa.int32()), ("driver_id", pa.string())])
    with pytest.raises(WarehouseError) as caught:
        write(store, [("2026-china", 1, "ann")], ["2026-china"], schema=schema)
    assert str(caught.value) == (
        "core.points: expected the columns race_key, driver_id, points; found race_key, points, driver_id"
    )
    assert rows_of(store, "core.points") == GOOD


def test_changed_type_of_a_stored_column_is_refused_with_the_way_out(store: Store) -> None:
    write(store, GOOD, BOTH)
    schema = pa.schema([("race_key", pa.string()), ("driver_id", pa.string()), ("points", pa.float64())])
    with pytest.raises(WarehouseError) as caught:
        write(store, [("2026-china", "ann", 1.5)], ["2026-china"], schema=schema)
    assert str(caught.value) == (
        "core.points: the stored table has other columns than its model: expected race_key VARCHAR, "
        "driver_id VARCHAR, points DOUBLE; found race_key VARCHAR, driver_id VARCHAR, points INTEGER; "
        "drop it and run every race again"
    )
    assert rows_of(store, "core.points") == GOOD
