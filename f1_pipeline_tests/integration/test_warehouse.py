"""The warehouse file keeps its promises: locks, idempotence, and what a crash leaves behind.

Belongs here: real DuckDB files and real processes. Neighbours: `test_writer.py` has contracts and transactions, of the
file and of lakes, `test_lake.py` what only a lake has, `sql/` tests what the models compute.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from f1_pipeline.errors import WarehouseError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.points_table import BOTH, GOOD, write
from f1_pipeline_tests.support import (
    REPO,
    fingerprints,
    make_settings,
    plain_steps,
    rows_of,
    run_history,
)

MAY_BE_EMPTY = {"core.current_lineup", "core.entered_lineup", "staging.feed_statement", "marts.points_correction"}


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "f1.duckdb", lock_wait_s=0.1)


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
