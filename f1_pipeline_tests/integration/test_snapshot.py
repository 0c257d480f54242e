"""The published snapshot: a whole copy that people read while runs write, replaced at once or not at all."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest

from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.support import fingerprints

ROW_COUNT = "select count(*) from core.thing"
# Says in another process what DuckDB says to whoever opens a file that is being written.
OPENS = "import sys, duckdb; duckdb.connect(sys.argv[1], read_only=True).close()"


@pytest.fixture
def run(settings: Settings) -> Iterator[Pipeline]:
    """A run that has written a table with one row and keeps the warehouse open."""
    pipeline = Pipeline(settings, keeps_warehouse_open=True)
    with pipeline.warehouse.write() as connection:
        connection.execute(
            "create schema core; create table core.thing (number integer); insert into core.thing from (values (1))"
        )
        connection.execute("comment on table core.thing is 'One row per thing.'")
        connection.execute("comment on column core.thing.number is 'Its number. [count]'")
    with closing(pipeline):
        yield pipeline


def add_row(pipeline: Pipeline) -> None:
    with pipeline.warehouse.write() as connection:
        connection.execute("insert into core.thing from (values (2))")


def count_rows(warehouse: Warehouse) -> int:
    with warehouse.read() as connection:
        return connection.execute(ROW_COUNT).fetchall()[0][0]


def can_open(path: Path) -> bool:
    done = subprocess.run([sys.executable, "-c", OPENS, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "Could not set lock" in done.stderr, done.stderr
    return done.returncode == 0


@contextmanager
def largest_file(byte_count: int) -> Iterator[None]:
    """Let this process and its children write no file beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_run_publishes_what_it_has_committed(run: Pipeline) -> None:
    add_row(run)
    snapshot = publish_snapshot(run)
    assert (snapshot.path, snapshot.table_count) == (run.settings.published_path, 1)
    assert snapshot.byte_count == snapshot.path.stat().st_size
    assert count_rows(open_published(run.settings).warehouse) == 2
    assert files_in(run.settings.warehouse_dir) == {"f1.duckdb", "f1.lock", "published.duckdb"}


def test_the_copy_keeps_comments(run: Pipeline) -> None:
    publish_snapshot(run)
    with open_published(run.settings).warehouse.read() as connection:
        assert connection.execute("select comment from duckdb_tables()").fetchall() == [("One row per thing.",)]
        assert connection.execute("select comment from duckdb_columns() where not internal").fetchall() == [
            ("Its number. [count]",)
        ]


def test_the_copy_of_a_whole_warehouse_has_every_row(history_copy: Pipeline) -> None:
    publish_snapshot(history_copy)
    settings = history_copy.settings
    assert fingerprints(settings.published_path) == fingerprints(settings.warehouse_path)


def test_publishing_leaves_the_lock_of_the_run_in_place(run: Pipeline) -> None:
    publish_snapshot(run)
    assert not can_open(run.settings.warehouse_path)
    assert can_open(run.settings.published_path)
    run.close()
    assert can_open(run.settings.warehouse_path)


def test_who_has_a_snapshot_open_keeps_it_and_who_opens_later_sees_the_next(run: Pipeline) -> None:
    publish_snapshot(run)
    reader = open_published(run.settings)
    assert count_rows(reader.warehouse) == 1
    add_row(run)
    publish_snapshot(run)
    assert count_rows(reader.warehouse) == 1
    reader.close()
    assert count_rows(reader.warehouse) == 2


def test_a_published_warehouse_is_not_written(run: Pipeline) -> None:
    for published in (False, True):
        if published:
            publish_snapshot(run)
        with pytest.raises(WarehouseError, match="open for reading only"):
            open_published(run.settings).warehouse.write()


def test_duckdb_never_draws_a_bar_into_the_answer(run: Pipeline) -> None:
    publish_snapshot(run)
    open_plainly = Warehouse(run.settings.published_path)
    for warehouse in (run.warehouse, open_published(run.settings).warehouse, open_plainly):
        with warehouse.read() as connection:
            assert connection.execute("select current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_without_a_snapshot_the_warehouse_itself_is_read(run: Pipeline) -> None:
    add_row(run)
    run.close()
    assert count_rows(open_published(run.settings).warehouse) == 2


def test_publishing_needs_a_warehouse(pipeline: Pipeline) -> None:
    with pytest.raises(WarehouseError, match=r"f1\.duckdb: expected a warehouse to publish, found none"):
        publish_snapshot(pipeline)
    assert not pipeline.settings.warehouse_path.exists()


def test_another_process_that_writes_is_waited_for_and_named(run: Pipeline, settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="being written by process"):
        publish_snapshot(Pipeline(settings))


def test_what_a_killed_publisher_left_is_replaced(run: Pipeline) -> None:
    left = run.settings.warehouse_dir / "published.duckdb.unfinished"
    left.write_bytes(b"half a file")
    left.with_name(left.name + ".wal").write_bytes(b"half a log")
    publish_snapshot(run)
    assert files_in(run.settings.warehouse_dir) == {"f1.duckdb", "f1.lock", "published.duckdb"}
    assert count_rows(open_published(run.settings).warehouse) == 1


def test_a_copy_that_fails_half_way_leaves_the_old_snapshot(run: Pipeline) -> None:
    publish_snapshot(run)
    before = run.settings.published_path.read_bytes()
    add_row(run)
    with run.warehouse.write() as connection:
        connection.execute("checkpoint")  # so that publishing itself writes nothing but the copy
    reason = r"published\.duckdb\.unfinished: cannot be written, check the disk"
    size = run.settings.warehouse_path.stat().st_size
    with largest_file(size - 1), pytest.raises(WarehouseError, match=reason):
        publish_snapshot(run)
    assert run.settings.published_path.read_bytes() == before
    assert files_in(run.settings.warehouse_dir) == {"f1.duckdb", "f1.lock", "published.duckdb"}
    publish_snapshot(run)
    assert count_rows(open_published(run.settings).warehouse) == 2


def test_a_warehouse_that_is_damaged_is_not_published(run: Pipeline) -> None:
    publish_snapshot(run)
    run.close()
    path = run.settings.warehouse_path
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(WarehouseError, match=r"f1\.duckdb"):
        publish_snapshot(run)
    assert count_rows(open_published(run.settings).warehouse) == 1


def test_a_snapshot_moves_like_any_file(run: Pipeline, tmp_path: Path) -> None:
    publish_snapshot(run)
    moved = shutil.copy(run.settings.published_path, tmp_path / "elsewhere.duckdb")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{moved}' as f1 (read_only)")
        assert connection.execute("select count(*) from f1.core.thing").fetchall() == [(1,)]
