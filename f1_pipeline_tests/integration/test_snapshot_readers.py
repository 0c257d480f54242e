"""Many readers of the published snapshot while a run writes and publishes: no error, and whole snapshots only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline_tests.support import finished_keys

# Opens the snapshot again and again until it is told to stop, and prints what it saw: the mark that the run wrote
# first, the rows of a table that it wrote then, and the mark that it wrote last, each in a transaction of its own.
READER = """
import json, pathlib, sys
import duckdb

path, table, stop = sys.argv[1:]
seen, look_count, is_last = set(), 0, False
while not is_last:
    is_last = pathlib.Path(stop).exists()
    with duckdb.connect(path, read_only=True) as connection:
        values = [
            connection.execute(f"select {what}").fetchall()[0][0]
            for what in ("number from core.first_mark", f"count(*) from {table}", "number from core.last_mark")
        ]
    seen.add(tuple(values))
    look_count += 1
    if look_count == 1:
        print("ready", file=sys.stderr, flush=True)
print(json.dumps([look_count, sorted(seen)]), file=sys.stderr)
"""


def read_while_publishing(
    settings: Settings, steps: Sequence[str], race_keys: Sequence[str], reader_count: int, round_count: int
) -> None:
    """Run steps and publish, round after round, while other processes read; the last step's table is looked at."""
    stop = settings.warehouse_dir / "stop"
    with ExitStack() as cleaning:
        run = cleaning.enter_context(closing(Pipeline(settings, keeps_warehouse_open=True)))
        row_count = _round(run, steps, race_keys, 0)
        command = [sys.executable, "-c", READER, settings.published_path, steps[-1], stop]
        # They answer on stderr: DuckDB draws a bar on stdout when the machine is busy.
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        readers = [subprocess.Popen(command, **pipes) for _ in range(reader_count)]
        for reader in readers:
            cleaning.callback(reader.kill)
        assert [reader.stderr.readline() for reader in readers if reader.stderr] == ["ready\n"] * reader_count
        for number in range(1, round_count + 1):
            assert _round(run, steps, race_keys, number) == row_count
        stop.touch()
        for reader in readers:
            _, answer = reader.communicate(timeout=120)
            assert reader.returncode == 0, answer
            look_count, seen = json.loads(answer)
            assert look_count >= 2
            for first, rows, last in seen:
                assert (first, rows) == (last, row_count), "half of a run was seen"
            assert seen[-1][0] == round_count


def _round(run: Pipeline, steps: Sequence[str], race_keys: Sequence[str], number: int) -> int:
    """Do what a run does, between two marks, and publish; count the rows of the last step's table."""
    known = build_steps(run)
    _mark(run, "core.first_mark", number)
    for table in steps:
        known[table].run(run, table, race_keys)
    _mark(run, "core.last_mark", number)
    publish_snapshot(run)
    with run.warehouse.read() as connection:
        return len(connection.table(steps[-1]))


def _mark(run: Pipeline, table: str, number: int) -> None:
    with run.warehouse.write() as connection:
        connection.execute("create schema if not exists core")
        connection.execute(f"create or replace table {table} as select {number} as number")


def test_readers_see_whole_snapshots_while_a_run_publishes(settings: Settings, pipeline: Pipeline) -> None:
    read_while_publishing(settings, ["raw.races", "raw.prices"], finished_keys(pipeline)[-3:], 6, 3)


@pytest.mark.faults
def test_fifty_readers_see_whole_snapshots_of_a_whole_warehouse(complete: Pipeline, settings: Settings) -> None:
    settings.warehouse_dir.mkdir()
    shutil.copy(complete.settings.warehouse_path, settings.warehouse_path)
    steps = ["raw.prices", "staging.price", "core.race_entry", "marts.race_leaderboard"]
    altered = replace(settings, data_dir=complete.settings.data_dir)
    read_while_publishing(altered, steps, finished_keys(complete), 50, 10)
