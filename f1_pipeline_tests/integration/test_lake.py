"""What only a warehouse on DuckLake has: many writers, readers of one state, earlier states, a database that goes away.

Belongs here: real catalogs in PostgreSQL and in files, and several processes. Neighbours: `test_writer.py` has one
write at a time on every kind of warehouse, `test_lake_errors.py` what is said when something is wrong.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.report.prompt_words import read_words
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.warehouse import writer
from f1_pipeline.warehouse.connection import ask
from f1_pipeline.warehouse.export import relations
from f1_pipeline.warehouse.lake import LakeWarehouse
from f1_pipeline.warehouse.lake_address import LakeAddress
from f1_pipeline.warehouse.published_version import mark_published
from f1_pipeline.warehouse.turns import METADATA
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.lakes import LOCAL_LAKE, SHARED_LAKE, lake_in, on_lake, open_lake, require_lakes
from f1_pipeline_tests.object_store import BUCKET, object_store
from f1_pipeline_tests.points_table import BOTH, GOOD, write
from f1_pipeline_tests.postgres import Postgres, running_postgres
from f1_pipeline_tests.support import REPO, fingerprints, make_settings, plain_steps, rows_of, run_history

ROUNDS = 15
WRITERS = 2


@pytest.fixture(params=[LOCAL_LAKE, SHARED_LAKE])
def lake(request: pytest.FixtureRequest) -> LakeAddress:
    return request.getfixturevalue("shared_lake" if request.param == SHARED_LAKE else "local_lake")


@pytest.fixture(scope="module")
def computed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation with every finished race on a shared lake, published; whoever writes it leaves the same rows."""
    require_lakes()
    folder = tmp_path_factory.mktemp("computed")
    with pytest.MonkeyPatch.context() as environment:
        address = lake_in(postgres.new_database(), folder / "lake", environment)
        settings = on_lake(make_settings(folder / "warehouse"), address)
        compute(settings)
        yield settings


def compute(settings: Settings) -> None:
    with closing(Pipeline(settings, keeps_warehouse_open=True)) as pipeline:
        run_history(pipeline)
        publish_snapshot(pipeline)


# ---- the same tables as in the file


def test_every_table_is_as_in_the_file_row_for_row(history: History, computed: Settings) -> None:
    hold_against(history, computed)


@pytest.mark.faults  # half a minute
def test_every_table_of_a_local_catalog_is_too(history: History, local_lake: LakeAddress, tmp_path: Path) -> None:
    settings = on_lake(make_settings(tmp_path / "warehouse"), local_lake)
    compute(settings)
    hold_against(history, settings)


@pytest.mark.faults  # a quarter of a minute
def test_every_table_in_an_object_store_is_too(
    history: History, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_lakes()
    with object_store(tmp_path, monkeypatch):
        address = lake_in(postgres.new_database(), f"s3://{BUCKET}/f1", monkeypatch)
        settings = on_lake(make_settings(tmp_path / "warehouse"), address)
        compute(settings)
        hold_against(history, settings)


def hold_against(history: History, settings: Settings) -> None:
    """Compare a lake, and what was published of it, with the file."""
    assert fingerprints(Pipeline(settings).warehouse) == history.finished
    assert fingerprints(settings.published_path) == history.finished
    with duckdb.connect(str(settings.published_path), read_only=True) as published:
        told = published.execute(COMMENT).fetchall()
        assert published.execute(OBJECTS).fetchall() == [(9,)]
    with duckdb.connect(str(history.path), read_only=True) as file:
        assert told == file.execute(COMMENT).fetchall() != []


OBJECTS = """
    select (select count(*) from duckdb_views() where schema_name = 'reader')
        + (select count(distinct function_name) from duckdb_functions() where schema_name = 'reader')
"""
COMMENT = "select comment from duckdb_columns() where schema_name = 'staging' and column_name = 'price_musd'"


@pytest.mark.faults  # half a minute
def test_any_race_run_again_alone_leaves_identical_tables(history: History, computed: Settings) -> None:
    with closing(Pipeline(computed, keeps_warehouse_open=True)) as pipeline:
        steps = plain_steps(pipeline)
        for race_key in (pipeline.calendar.finished[-1].race_key, "2024-china"):
            for table, step in steps.items():
                if step.partition:
                    step.run(pipeline, table, [race_key])
        assert fingerprints(pipeline.warehouse) == history.finished


# ---- several writers

WRITER = """
import sys
from f1_pipeline.warehouse.lake_address import read_address
from f1_pipeline_tests.lakes import open_lake
from f1_pipeline_tests.points_table import POINTS, write
from dataclasses import replace

number, rounds = int(sys.argv[3]), int(sys.argv[4])
lake = open_lake(read_address(sys.argv[1], sys.argv[2]), 10.0, keeps_open=True)
own = replace(POINTS, name=f"own_{number}")
print("ready", flush=True)
sys.stdin.readline()
for place in range(rounds):
    mine = f"2026-{number}-{place}"
    write(lake, [(mine, "ann", place)], [mine])
    write(lake, [(mine, "ann", place)], [mine], own)
    write(lake, [("2026-both", "ann", number), ("2026-both", "bob", place)], ["2026-both"])
    print(place, flush=True)
lake.close()
"""


def test_two_writers_at_once_lose_nothing_and_write_nothing_twice(shared_lake: LakeAddress) -> None:
    arguments = [shared_lake.attach_string, shared_lake.data_path]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *arguments, str(number), str(ROUNDS)],
            cwd=REPO,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        for number in range(WRITERS)
    ]
    try:
        for process in writers:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        # both begin at once, with a lake that is not there yet
        answers = [threading.Thread(target=process.communicate, args=("go\n",)) for process in writers]
        for answer in answers:
            answer.start()
        for answer in answers:
            answer.join()
    finally:
        for process in writers:
            process.kill()
            process.wait()
    assert [process.returncode for process in writers] == [0] * WRITERS

    lake = open_lake(shared_lake)
    points = rows_of(lake, "core.points")
    own = {(f"2026-{number}-{place}", "ann", place) for number in range(WRITERS) for place in range(ROUNDS)}
    assert {row for row in points if row[0] != "2026-both"} == own
    assert len(points) == len(own) + 2
    for number in range(WRITERS):
        assert rows_of(lake, f"core.own_{number}") == sorted(row for row in own if row[0].startswith(f"2026-{number}-"))
    with lake.read() as connection:
        transactions = connection.execute("select count(*) from lake.snapshots()").fetchall()[0][0]
    # the empty lake is one; each write makes one, and none more than one
    assert transactions == 1 + 3 * WRITERS * ROUNDS


@pytest.mark.faults  # half a minute
def test_killed_writer_leaves_whole_races_and_keeps_nobody_out(shared_lake: LakeAddress) -> None:
    lake = open_lake(shared_lake)
    chance = random.Random(75)
    arguments = [shared_lake.attach_string, shared_lake.data_path, "0", "1000"]
    pipe = subprocess.PIPE
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, *arguments]
        with subprocess.Popen(command, cwd=REPO, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            rounds = chance.randrange(1, 6)
            for place in range(rounds):
                assert process.stdout.readline() == f"{place}\n"
            time.sleep(chance.uniform(0.0, 0.3))
            process.kill()
        points = rows_of(lake, "core.points")
        both = [row for row in points if row[0] == "2026-both"]
        assert [row[1] for row in both] == ["ann", "bob"]
        assert set(points) - set(both) >= {(f"2026-0-{place}", "ann", place) for place in range(rounds)}
        assert len(points) == len({row[:2] for row in points})
        write(lake, [("2026-both", "ann", 7), ("2026-both", "bob", 7)], ["2026-both"])  # no lock is left


def test_who_reads_rows_and_writes_them_again_loses_none_of_another(shared_lake: LakeAddress) -> None:
    write(open_lake(shared_lake), [("2026-china", "driver-0", 0)], ["2026-china"])

    def add(number: int) -> None:
        with closing(open_lake(shared_lake, keeps_open=True)) as lake:
            for place in range(ROUNDS):
                with lake.alone_with("core.points", ["2026-china"]):
                    kept = rows_of(lake, "core.points")
                    write(lake, [*kept, ("2026-china", f"driver-{number}-{place}", place)], ["2026-china"])

    writers = [threading.Thread(target=add, args=(number,)) for number in range(WRITERS)]
    for writer_thread in writers:
        writer_thread.start()
    for writer_thread in writers:
        writer_thread.join()
    assert len(rows_of(open_lake(shared_lake), "core.points")) == 1 + WRITERS * ROUNDS


def test_transaction_that_another_writer_was_in_the_way_of_is_tried_again(
    shared_lake: LakeAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = open_lake(shared_lake, keeps_open=True), open_lake(shared_lake)
    write(mine, GOOD, BOTH)
    count_rows, seen = writer._count_rows, []

    def meddle(connection: duckdb.DuckDBPyConnection, *rest: object) -> dict[str, int]:
        if len(seen) < 2:
            # somebody who takes no turns: what no writer of the project does, a person may
            with other.write() as beside:
                beside.execute("delete from core.points where driver_id = 'bob'")
                beside.execute("insert into core.points values ('2026-canada', 'bob', 1)")
        seen.append(rest)
        return count_rows(connection, *rest)

    monkeypatch.setattr(writer, "_count_rows", meddle)
    with closing(mine):
        write(mine, [("2026-china", "ann", 11)], ["2026-china"])
    assert len(seen) == 3
    expected = [("2026-canada", "bob", 1), ("2026-china", "ann", 11), ("2026-monaco", "ann", 30)]
    assert rows_of(other, "core.points") == expected


def test_conflict_without_end_is_one_error_and_changes_nothing(
    shared_lake: LakeAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = open_lake(shared_lake, keeps_open=True), open_lake(shared_lake, keeps_open=True)
    write(mine, GOOD, BOTH)
    table_size, attempts = writer._table_size, []

    def meddle(*given: object) -> int:
        attempts.append(given)
        with other.write() as beside:
            beside.execute("delete from core.points where race_key = '2026-canada'")
            beside.execute("insert into core.points values ('2026-canada', 'eve', 1)")
        return table_size(*given)

    monkeypatch.setattr(writer, "_table_size", meddle)
    monkeypatch.setattr(writer, "ATTEMPTS", 3)
    with closing(mine), closing(other):
        with pytest.raises(WarehouseError, match="other writers changed the same tables again and again"):
            write(mine, [("2026-china", "ann", 11)], ["2026-china"])
        assert len(attempts) == 3
        assert rows_of(mine, "core.points") == sorted([*GOOD, ("2026-canada", "eve", 1)])


def test_locked_lake_lets_no_writer_in(lake: LakeAddress) -> None:
    mine, other = open_lake(lake), open_lake(lake)
    write(mine, GOOD, BOTH)
    entered, done = threading.Event(), threading.Event()

    def write_beside() -> None:
        entered.set()
        write(open_lake(lake, 10.0), GOOD[:1], BOTH)
        done.set()

    beside = threading.Thread(target=write_beside)
    with mine.locked():
        beside.start()
        assert entered.wait(5)
        assert not done.wait(0.7)
        with pytest.raises(WarehouseError, match=r"holds|being written"), open_lake(lake, 0.2).locked():
            pass
    beside.join()
    assert rows_of(other, "core.points") == GOOD[:1]


# ---- readers


def test_open_reader_sees_one_state_while_others_write(shared_lake: LakeAddress, tmp_path: Path) -> None:
    settings = on_lake(make_settings(tmp_path / "warehouse"), shared_lake)
    lake = open_lake(shared_lake)
    write(lake, GOOD, BOTH)
    with closing(open_published(settings)) as reader:
        assert rows_of(reader.warehouse, "core.points") == GOOD
        write(lake, [], BOTH)
        assert rows_of(reader.warehouse, "core.points") == GOOD
        with pytest.raises(WarehouseError, match="open for reading only"), reader.warehouse.write():
            pass
    with closing(open_published(settings)) as reader:
        assert rows_of(reader.warehouse, "core.points") == []


def test_readers_have_what_was_published_and_not_half_of_the_next_run(shared_lake: LakeAddress, tmp_path: Path) -> None:
    settings = on_lake(make_settings(tmp_path / "warehouse"), shared_lake)
    lake = open_lake(shared_lake)
    write(lake, GOOD, BOTH)
    publish_snapshot(Pipeline(settings))
    write(lake, [], BOTH)
    with closing(open_published(settings)) as reader:
        assert rows_of(reader.warehouse, "core.points") == GOOD
    publish_snapshot(Pipeline(settings))
    with closing(open_published(settings)) as reader:
        assert rows_of(reader.warehouse, "core.points") == []


def test_readers_have_the_newest_state_while_nothing_is_published(shared_lake: LakeAddress) -> None:
    write(open_lake(shared_lake), GOOD, BOTH)
    read = LakeWarehouse(shared_lake, keeps_open=True, reads_only=True)
    assert rows_of(read, "core.points") == GOOD
    with open_lake(shared_lake).write() as connection:
        mark_published(connection, 1)
        # what a kill leaves between the making of the table and its first row
        connection.execute(f"delete from {METADATA}.f1_pipeline_published")  # noqa: S608 (names)
    assert rows_of(LakeWarehouse(shared_lake, keeps_open=True, reads_only=True), "core.points") == GOOD


def test_earlier_state_is_read_as_of_a_moment(lake: LakeAddress, tmp_path: Path) -> None:
    settings = on_lake(make_settings(tmp_path / "warehouse"), lake)
    before_all = datetime.now(UTC)
    time.sleep(0.01)
    write(open_lake(lake), GOOD, BOTH)
    lock = datetime.now(UTC)
    time.sleep(0.01)
    write(open_lake(lake), [], BOTH)
    with closing(open_published(settings, lock)) as then, closing(open_published(settings)) as now:
        assert rows_of(then.warehouse, "core.points") == GOOD
        then.close()  # a catalog in a file lets one in at a time
        assert rows_of(now.warehouse, "core.points") == []
    with closing(open_published(settings, before_all)) as nothing, pytest.raises(UsageError, match="only later ones"):
        rows_of(nothing.warehouse, "core.points")


def test_views_and_macros_for_readers_are_beside_the_lake(computed: Settings) -> None:
    file = open_published(make_settings(computed.warehouse_dir))
    with closing(open_published(computed)) as reader, closing(file):
        examples = [item.example for item in reader.reader_objects]
        answered = [example for example in examples if _answers(file, example)]
        assert len(answered) >= 9
        for example in answered:
            mine, other = (_sorted_rows(pipeline, example) for pipeline in (reader, file))
            # a mean over several files may differ in its last digit
            assert_frame_equal(mine, other, rtol=1e-12)
        # sealed by the first question: no other files, and nothing written
        with pytest.raises(UsageError, match="disabled"):
            ask(reader.warehouse, f"from read_text('{REPO / 'README.md'}')")
        own_file = next(Path(computed.warehouse_data).rglob("*.parquet"))
        for statement in (
            "delete from core.race",
            f"copy (select 1) to '{own_file}' (format parquet)",
            "call postgres_execute('__ducklake_metadata_lake', 'commit; create table more (a int)')",
            "from postgres_query('__ducklake_metadata_lake', 'select 1')",
            "from query('from pos' || 'tgres_query(''__duckl'' || ''ake_metadata_lake'', ''select 1'')')",
            "from query_table('__duck' || 'lake_metadata_lake.public.ducklake_metadata')",
        ):
            with pytest.raises(UsageError, match="expected one that reads tables"):
                ask(reader.warehouse, statement)
    with Pipeline(computed).warehouse.read() as connection:
        assert connection.execute("select count(*) from duckdb_schemas() where schema_name = 'reader'").fetchall() == [
            (0,)
        ]


def test_prompt_and_export_know_what_is_in_a_lake(computed: Settings) -> None:
    with (
        closing(open_published(computed)) as lake,
        closing(open_published(make_settings(computed.warehouse_dir))) as file,
    ):
        with lake.warehouse.read() as ours, file.warehouse.read() as theirs:
            assert [(one.full_name, one.kind) for one in relations(ours)] == [
                (one.full_name, one.kind) for one in relations(theirs)
            ]
            assert relations(ours) == relations(theirs)
        assert read_words(lake.warehouse) == read_words(file.warehouse)


def _sorted_rows(pipeline: Pipeline, example: str) -> pd.DataFrame:
    """Ask, and put equals in one order."""
    rows = ask(pipeline.warehouse, example).to_pandas()
    return rows.sort_values(list(rows.columns), ignore_index=True)


def _answers(pipeline: Pipeline, example: str) -> bool:
    """Whether the tables behind an example are computed."""
    try:
        ask(pipeline.warehouse, example)
    except UsageError:
        return False
    return True


# ---- a database that goes away


@pytest.mark.faults  # half a minute
def test_run_goes_on_when_the_database_is_restarted_in_the_middle(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_postgres() as server:
        address = lake_in(server.new_database(), tmp_path / "lake", monkeypatch)
        settings = on_lake(make_settings(tmp_path / "warehouse"), address)
        over = threading.Event()
        restarts = []

        def crash_again_and_again() -> None:
            while len(restarts) < 3 and not over.wait(2.5):
                server.restart()
                restarts.append(time.monotonic())

        crashing = threading.Thread(target=crash_again_and_again)
        with closing(Pipeline(settings, keeps_warehouse_open=True)) as pipeline:
            crashing.start()
            try:
                for table, step in plain_steps(pipeline).items():
                    step.run(pipeline, table, [race.race_key for race in pipeline.calendar.finished])
            finally:
                over.set()
                crashing.join()
            assert len(restarts) >= 2
            assert fingerprints(pipeline.warehouse) == history.finished


def test_write_survives_a_restart_within_its_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_postgres() as server:
        address = lake_in(server.new_database(), tmp_path / "lake", monkeypatch)
        table_size, restarts = writer._table_size, []

        def crash(*given: object) -> int:
            if not restarts:
                server.restart()
                restarts.append(given)
            return table_size(*given)

        with closing(open_lake(address, 10.0, keeps_open=True)) as lake:
            write(lake, GOOD, BOTH)
            monkeypatch.setattr(writer, "_table_size", crash)
            assert write(lake, GOOD[:1], BOTH).row_counts == {"2026-china": 1, "2026-monaco": 0}
            assert len(restarts) == 1
            assert rows_of(lake, "core.points") == GOOD[:1]
