"""The warehouse keeps its promises: contracts, transactions, locks, idempotence, and what a crash leaves behind.

Belongs here: real DuckDB files and real processes. Neighbours: `sql/` tests what the models compute.
"""

from __future__ import annotations

import dataclasses
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa
import pytest

from f1_pipeline.errors import WarehouseError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline.warehouse.contract import Column, TableContract
from f1_pipeline.warehouse.model_file import SqlModel, SqlTest, read_model
from f1_pipeline.warehouse.writer import ContractError, WriteReport, write_model, write_rows
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import (
    REPO,
    fingerprints,
    make_settings,
    plain_steps,
    rows_of,
    run_history,
)

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
MAY_BE_EMPTY = {"core.current_lineup", "core.entered_lineup", "staging.feed_statement", "marts.points_correction"}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "f1.duckdb", lock_wait_s=0.1)


def write(
    warehouse: Warehouse,
    rows: list[tuple[object, ...]],
    race_keys: list[str],
    contract: TableContract = POINTS,
    schema: pa.Schema = SCHEMA,
    tests: tuple[SqlTest, ...] = (),
) -> WriteReport:
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    with warehouse.write() as connection:
        return write_rows(connection, contract, table, race_keys, tests)


def sql_test(body: str) -> SqlTest:
    return SqlTest(Path("assert_no_zero.sql"), "assert_no_zero", "Nobody scores nothing.", "core.points", body)


# ---- one write


def test_write_replaces_the_races_it_was_asked_for_and_no_other(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    report = write(warehouse, [("2026-china", "cid", 5)], ["2026-china"])
    assert rows_of(warehouse.path, "core.points") == [("2026-china", "cid", 5), ("2026-monaco", "ann", 30)]
    assert report.row_counts == {"2026-china": 1}
    assert (report.row_count, report.table_row_count, report.checks) == (1, 2, ("contract",))
    assert report.column_types == {"race_key": "VARCHAR", "driver_id": "VARCHAR", "points": "INTEGER"}


def test_race_without_rows_is_emptied_and_counted_as_zero(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    report = write(warehouse, [("2026-china", "ann", 1)], BOTH)
    assert report.row_counts == {"2026-china": 1, "2026-monaco": 0}
    assert rows_of(warehouse.path, "core.points") == [("2026-china", "ann", 1)]


def test_table_without_partitions_is_replaced_whole(warehouse: Warehouse) -> None:
    contract = TableContract("core", "points", "Points.", POINTS.grain, POINTS.columns)
    write(warehouse, GOOD, [], contract)
    report = write(warehouse, GOOD[:1], [], contract)
    assert report.row_counts == {"": 1}
    assert rows_of(warehouse.path, "core.points") == GOOD[:1]


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
    warehouse: Warehouse,
    model: SqlModel,
    rows: list[tuple[int | None, str, int]],
    seasons: list[str],
    tests: tuple[SqlTest, ...] = (),
) -> WriteReport:
    incoming = pa.Table.from_pylist([dict(zip(("season", "driver_id", "points"), row, strict=True)) for row in rows])
    with warehouse.write() as connection:
        return write_model(connection, model, seasons, incoming, tests)


def test_write_replaces_the_seasons_it_was_asked_for_and_no_other(warehouse: Warehouse, season_model: SqlModel) -> None:
    first = write_seasons(warehouse, season_model, SEASON_ROWS, ["2025", "2026"])
    assert first.row_counts == {"2025": 2, "2026": 1}
    assert first.column_types["season"] == "INTEGER"
    report = write_seasons(warehouse, season_model, [(2025, "cid", 4)], ["2024", "2025"])
    assert report.row_counts == {"2024": 0, "2025": 1}
    assert rows_of(warehouse.path, "lineups.season_points") == [(2025, "cid", 4), (2026, "ann", 3)]


def test_row_of_another_season_is_refused_and_changes_nothing(warehouse: Warehouse, season_model: SqlModel) -> None:
    write_seasons(warehouse, season_model, SEASON_ROWS, ["2025", "2026"])
    with pytest.raises(ContractError) as caught:
        write_seasons(warehouse, season_model, [(2025, "ann", 9), (2026, "eve", 9)], ["2025"])
    assert str(caught.value) == (
        "lineups.season_points: expected only rows of the seasons asked for; 1 rows break it, such as "
        "[{'season': 2026, 'driver_id': 'eve', 'points': 9}]"
    )
    assert rows_of(warehouse.path, "lineups.season_points") == SEASON_ROWS


def test_sql_test_of_a_season_table_is_told_the_seasons(warehouse: Warehouse, season_model: SqlModel) -> None:
    body = "select * from lineups.season_points where list_contains($seasons, season) and points = 0"
    test = SqlTest(Path("assert_no_zero.sql"), "assert_no_zero", "None.", "lineups.season_points", body)
    write_seasons(warehouse, season_model, [(2025, "ann", 0)], ["2025"])
    # what stands in the table of another season is not this write's concern
    assert write_seasons(warehouse, season_model, [(2026, "ann", 3)], ["2026"], (test,)).row_counts == {"2026": 1}
    with pytest.raises(ContractError, match=r"^lineups\.season_points: assert_no_zero; 1 rows .*'bob'"):
        write_seasons(warehouse, season_model, [(2026, "bob", 0)], ["2026"], (test,))
    assert rows_of(warehouse.path, "lineups.season_points") == [(2025, "ann", 0), (2026, "ann", 3)]


def test_partition_column_outside_the_grain_is_never_null(warehouse: Warehouse) -> None:
    contract = dataclasses.replace(POINTS, grain=("driver_id",))
    with pytest.raises(ContractError, match="expected only rows of the races asked for; 1 rows break it"):
        write(warehouse, [(None, "ann", 10)], BOTH, contract)


# ---- what readers see


def test_descriptions_and_units_become_comments(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    with warehouse.read() as connection:
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
    warehouse: Warehouse, rows: list[tuple[object, ...]], sentence: str, named: str
) -> None:
    write(warehouse, GOOD, BOTH)
    with pytest.raises(ContractError) as caught:
        write(warehouse, rows, ["2026-china"])
    assert str(caught.value).startswith(sentence)
    assert named in str(caught.value)
    assert caught.value.check == "contract"
    assert len(caught.value.rows) == 1
    assert rows_of(warehouse.path, "core.points") == GOOD


def test_only_a_few_of_many_broken_rows_are_shown(warehouse: Warehouse) -> None:
    rows = [("2026-china", f"driver-{number}", -60) for number in range(40)]
    with pytest.raises(ContractError, match="40 rows break it") as caught:
        write(warehouse, rows, ["2026-china"])
    assert str(caught.value).count("driver-") == 5
    assert len(caught.value.rows) == 40


def test_lists_of_broken_rows_are_not_shown(warehouse: Warehouse) -> None:
    test = sql_test("select *, list_value(points, 7, 7, 7) as draws from core.points where points = 0")
    with pytest.raises(ContractError, match="'bob'") as caught:
        write(warehouse, [("2026-china", "bob", 0)], ["2026-china"], tests=(test,))
    assert "draws" not in str(caught.value)
    assert list(caught.value.rows["draws"].item()) == [0, 7, 7, 7]


def test_failing_sql_test_takes_the_rows_back(warehouse: Warehouse) -> None:
    test = sql_test("select * from core.points where list_contains($race_keys, race_key) and points = 0")
    assert write(warehouse, GOOD, BOTH, tests=(test,)).checks == ("contract", "assert_no_zero")
    with pytest.raises(ContractError, match=r"^core\.points: assert_no_zero; 1 rows .*'bob'") as caught:
        write(warehouse, [("2026-china", "ann", 1), ("2026-china", "bob", 0)], ["2026-china"], tests=(test,))
    assert caught.value.check == "assert_no_zero"
    assert rows_of(warehouse.path, "core.points") == GOOD


def test_first_write_that_fails_leaves_no_table(warehouse: Warehouse) -> None:
    with pytest.raises(ContractError):
        write(warehouse, [("2026-china", "ann", 0)], ["2026-china"], tests=(sql_test("select * from core.points"),))
    assert fingerprints(warehouse.path) == {}


def test_other_columns_than_the_header_are_refused(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    schema = pa.schema([("race_key", pa.string()), ("points", pa.int32()), ("driver_id", pa.string())])
    with pytest.raises(WarehouseError) as caught:
        write(warehouse, [("2026-china", 1, "ann")], ["2026-china"], schema=schema)
    assert str(caught.value) == (
        "core.points: expected the columns race_key, driver_id, points; found race_key, points, driver_id"
    )
    assert rows_of(warehouse.path, "core.points") == GOOD


def test_changed_type_of_a_stored_column_is_refused_with_the_way_out(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    schema = pa.schema([("race_key", pa.string()), ("driver_id", pa.string()), ("points", pa.float64())])
    with pytest.raises(WarehouseError) as caught:
        write(warehouse, [("2026-china", "ann", 1.5)], ["2026-china"], schema=schema)
    assert str(caught.value) == (
        "core.points: the stored table has other columns than its model: expected race_key VARCHAR, "
        "driver_id VARCHAR, points DOUBLE; found race_key VARCHAR, driver_id VARCHAR, points INTEGER; "
        "drop it and run every race again"
    )
    assert rows_of(warehouse.path, "core.points") == GOOD


def test_body_that_raises_gives_the_lock_and_the_file_back(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), warehouse.write():
        _ = 1 / 0
    write(Warehouse(warehouse.path, lock_wait_s=0.0), GOOD, BOTH)
    assert rows_of(warehouse.path, "core.points") == GOOD


# ---- idempotence


def test_every_step_run_twice_leaves_identical_tables(history: History, history_copy: Pipeline) -> None:
    assert set(history.complete) == set(history.steps)
    assert all(count > 0 for table, (count, _) in history.complete.items() if table not in MAY_BE_EMPTY)
    run_history(history_copy)
    assert fingerprints(history_copy.settings.warehouse_path) == history.complete


def test_any_race_run_again_alone_in_any_order_leaves_identical_tables(
    history: History, history_copy: Pipeline
) -> None:
    keys = [race.race_key for race in history_copy.calendar.finished]
    # Not the calendar's order; before 2024-china a driver who was on sale had missed a race.
    for race_key in (keys[-1], "2024-china", keys[0]):
        for table, step in history.steps.items():
            if step.partition:
                step.run(history_copy, table, [race_key])
    assert fingerprints(history_copy.settings.warehouse_path) == history.complete


def test_race_whose_history_is_missing_is_refused(history_copy: Pipeline, tmp_path: Path) -> None:
    pipeline = Pipeline(make_settings(tmp_path / "empty"))
    steps = plain_steps(pipeline)
    for table in ("raw.races", "raw.circuits", "core.race", "raw.constructors", "core.constructor"):
        steps[table].run(pipeline, table, [])
    table = "core.driver_race_performance"
    with pytest.raises(WarehouseError) as caught:
        steps[table].run(pipeline, table, ["2023-monaco"])
    assert str(caught.value) == (
        "2023-monaco needs every race before it, but core.driver_event_score lacks 2023-bahrain, "
        "2023-saudi-arabia, 2023-australia and 2 more: materialize those first (`f1-pipeline run` does so)"
    )


# ---- locks and damage

HOLDER = """
import sys
from pathlib import Path
from f1_pipeline.warehouse.connection import Warehouse

warehouse = Warehouse(Path(sys.argv[1]))
with getattr(warehouse, sys.argv[2])():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in another process; it is gone afterwards, whatever happens."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPO, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


@contextmanager
def held(path: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    with python(HOLDER, path, how) as process:
        assert stream(process.stdout).readline() == "held\n", stream(process.stderr).read()
        yield process


def test_writer_names_the_process_that_holds_the_warehouse(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    with held(warehouse.path, "write") as holder:
        with pytest.raises(WarehouseError) as caught:
            write(warehouse, [], BOTH)
        assert str(caught.value) == (
            f"{warehouse.path}: being written by process {holder.pid} (lock f1.lock); waited 0.1 s, "
            "try again when it has finished"
        )
        stream(holder.stdin).close()
        # It lets go now, and who is patient gets in.
        write(Warehouse(warehouse.path, lock_wait_s=10.0), GOOD[:1], BOTH)
    assert rows_of(warehouse.path, "core.points") == GOOD[:1]


def test_reader_names_the_process_that_holds_the_warehouse(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    with held(warehouse.path, "write") as holder:
        with pytest.raises(WarehouseError, match="another process has it open") as caught, warehouse.read():
            pass
        assert str(holder.pid) in str(caught.value)
        assert str(warehouse.path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_reader_does_not_shut_out_other_readers_but_writers(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    with held(warehouse.path, "read") as holder:
        assert rows_of(warehouse.path, "core.points") == GOOD
        with pytest.raises(WarehouseError, match="another process has it open") as caught:
            write(warehouse, [], BOTH)
        assert str(holder.pid) in str(caught.value)


def test_lock_file_of_a_process_that_is_gone_shuts_nobody_out(warehouse: Warehouse) -> None:
    write(warehouse, GOOD, BOTH)
    with held(warehouse.path, "write") as holder:
        holder.kill()
        holder.wait()
        write(warehouse, GOOD[:1], BOTH)
    assert rows_of(warehouse.path, "core.points") == GOOD[:1]


@pytest.mark.parametrize("damage", ["garbage", "empty header", "cut short"])
def test_damaged_file_is_named_by_readers_and_writers(warehouse: Warehouse, damage: str) -> None:
    write(warehouse, GOOD, BOTH)
    content = warehouse.path.read_bytes()
    damaged = {
        "garbage": b"race_key,driver_id\n" * 1000,
        "empty header": bytes(4096) + content[4096:],
        "cut short": content[: len(content) // 2],
    }
    warehouse.path.write_bytes(damaged[damage])
    for open_file in (warehouse.read, warehouse.write):
        with pytest.raises(WarehouseError) as caught, open_file() as connection:
            connection.table("core.points").fetchall()
        assert str(warehouse.path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_missing_warehouse_says_what_makes_it(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError) as caught, warehouse.read():
        pass
    assert str(caught.value) == f"{warehouse.path}: expected a warehouse, found none; `make run` builds it"
    assert not warehouse.path.exists()


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with (
        pytest.raises(WarehouseError, match="cannot make the folder"),
        Warehouse(tmp_path / "file" / "f1.duckdb").write(),
    ):
        pass


# ---- crashes

KILLS = 4
RUN_ALL = """
import resource
import sys
from pathlib import Path
from f1_pipeline.errors import F1PipelineError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import finished_keys, make_settings, plain_steps

pipeline = Pipeline(make_settings(Path(sys.argv[1])))
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
steps = plain_steps(pipeline)
keys = finished_keys(pipeline)
for table, step in steps.items():
    print(table, flush=True)
    try:
        step.run(pipeline, table, keys)
    except F1PipelineError as error:
        sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize("is_first_run", [True, False])
def test_full_disk_is_one_message_and_leaves_whole_tables(history: History, tmp_path: Path, is_first_run: bool) -> None:
    settings = make_settings(tmp_path / "warehouse")
    limit = 2_000_000
    if not is_first_run:
        settings.warehouse_dir.mkdir()
        shutil.copy(history.path, settings.warehouse_path)
        limit = 1_000_000
    with python(RUN_ALL, settings.warehouse_dir, limit) as process:
        output, message = process.communicate()
    assert process.returncode == 1, message
    assert message.startswith("WarehouseError: ")
    assert str(settings.warehouse_path) in message
    assert "check the disk, its space and the file" in message
    assert message.count("\n") == 1
    done = output.split()[:-1]  # the last table is the one that failed
    assert len(done) >= 1
    complete = {table: history.finished[table] for table in done}
    # Run again, every step replaces its rows by the same ones.
    assert fingerprints(settings.warehouse_path) == (complete if is_first_run else history.complete)


def test_killed_run_leaves_whole_tables_and_the_next_run_finishes(history: History, tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "warehouse")
    chance = random.Random(75)
    step_count = len(history.steps)
    seen = set()
    for attempt in range(KILLS):
        if attempt == KILLS // 2:
            _remove_warehouse(settings.warehouse_path)
            seen.clear()
        _kill_run(settings.warehouse_dir, chance.randrange(step_count), chance.uniform(0.0, 0.12))
        found = fingerprints(settings.warehouse_path) if settings.warehouse_path.exists() else {}
        # A step writes all its races in one transaction: its table is as it was, or complete.
        assert found == {table: history.finished[table] for table in found}
        assert seen <= set(found), "a table that was complete has gone"
        seen = set(found)
    assert seen, "no run was killed after its first table"
    run_history(Pipeline(settings))
    assert fingerprints(settings.warehouse_path) == history.finished


def _kill_run(warehouse_dir: Path, step_number: int, delay_s: float) -> None:
    """Start a run and kill it some moments after a step has started."""
    with python(RUN_ALL, warehouse_dir, 0) as process:
        for _ in range(step_number + 1):
            assert stream(process.stdout).readline(), stream(process.stderr).read()
        try:
            process.wait(timeout=delay_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        assert process.wait() in (0, -signal.SIGKILL)


def _remove_warehouse(path: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
