"""What a warehouse on DuckLake costs against the DuckDB file.

Here: the back-fill of all finished races and the usual questions of readers, on a lake whose catalog is in a PostgreSQL
of the benchmark's own, on this machine, and in the file. Without PostgreSQL's binaries the catalog is in a file; the
figure says which. Not here: what several machines gain by it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.registry import build_steps, finished_tables
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.warehouse.connection import ask
from f1_pipeline_tests.postgres import running_postgres, why_no_postgres

REPEATS = 21
QUESTION_COUNT = 10
MORE_QUESTIONS = (
    "from marts.race_leaderboard where race_key = '2026-canada' order by points_rank",
    "select season, count(*) as races from core.race group by all order by all",
    "select driver_id, sum(points) as points from core.driver_event_score group by all order by points desc",
)


@contextmanager
def _settings() -> Generator[tuple[Settings, Settings]]:
    """Give settings of two empty installations: with a file, and with a lake."""
    with (
        tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder,
        pytest.MonkeyPatch.context() as environment,
    ):
        on_file = replace(load_settings(), warehouse_dir=Path(folder) / "file", warehouse="", warehouse_data="")
        on_lake = replace(on_file, warehouse_dir=Path(folder) / "lake", warehouse_data=f"{folder}/tables")
        if why_no_postgres():
            yield on_file, replace(on_lake, warehouse=f"ducklake:{folder}/f1.ducklake")
            return
        with running_postgres() as server:
            database = server.new_database()
            environment.setenv("PGPASSWORD", database.password)
            yield on_file, replace(on_lake, warehouse=f"ducklake:postgres:{database.conninfo}")


def _catalog() -> str:
    return "catalog in a file" if why_no_postgres() else "catalog in PostgreSQL"


def _back_fill(settings: Settings) -> float:
    """Compute every table of every finished race, and publish."""
    started = time.perf_counter()
    with closing(Pipeline(settings, keeps_warehouse_open=True)) as pipeline:
        race_keys = [race.race_key for race in pipeline.calendar.finished]
        steps = build_steps(pipeline)
        for table in finished_tables(steps):
            steps[table].run(pipeline, table, race_keys if steps[table].partition else [])
        publish_snapshot(pipeline)
    return time.perf_counter() - started


@benchmark("lake_backfill_s")
def lake_backfill_s() -> Figure:
    """Time the full back-fill on a lake against the same on the file, each once, in one process."""
    with _settings() as (_, warming), closing(Pipeline(warming, keeps_warehouse_open=True)) as pipeline:
        steps = build_steps(pipeline)
        steps["raw.races"].run(pipeline, "raw.races", [])  # imports and the first use count for neither side
    with _settings() as (on_file, on_lake):
        file_s, lake_s = _back_fill(on_file), _back_fill(on_lake)
    return Figure("lake_backfill_s", lake_s, "s", f"DuckDB file; the lake's {_catalog()}", file_s)


@benchmark("lake_queries_ms")
def lake_queries_ms() -> list[Figure]:
    """Time ten usual questions on a lake that holds the built warehouse against the published file."""
    source = load_settings().warehouse_path
    if not source.exists():
        raise WarehouseError(f"{source}: expected a built warehouse, found none; `make run` builds it")
    with _settings() as (on_file, on_lake):
        for settings in (on_file, on_lake):
            _copy(source, settings)
        with closing(open_published(on_file)) as file, closing(open_published(on_lake)) as lake:
            questions = _answered(file, [item.example for item in file.reader_objects])
            questions = (questions + list(MORE_QUESTIONS))[:QUESTION_COUNT]
            milliseconds = [
                [1000 * median_seconds(lambda: ask(one.warehouse, sql), REPEATS) for sql in questions]  # noqa: B023
                for one in (lake, file)
            ]
    reference = f"published DuckDB file; the lake's {_catalog()}"
    total = Figure("lake_queries_ms", sum(milliseconds[0]), "ms", reference, sum(milliseconds[1]))
    each = zip(questions, *milliseconds, strict=True)
    return [
        total,
        *(Figure(f"lake_queries_ms: {sql[:60]}", ours, "ms", reference, theirs) for sql, ours, theirs in each),
    ]


def _copy(source: Path, settings: Settings) -> None:
    with closing(Pipeline(settings, keeps_warehouse_open=True)) as pipeline:
        with pipeline.warehouse.write() as connection:
            ((own,),) = connection.execute("select current_database()").fetchall()
            connection.execute(f"attach '{source}' as built (read_only)")
            connection.execute(f"copy from database built to {own}")
            connection.execute("detach built")
        publish_snapshot(pipeline)


def _answered(pipeline: Pipeline, questions: Iterable[str]) -> list[str]:
    """Leave out what the built warehouse has no tables for."""
    found = []
    for sql in questions:
        try:
            ask(pipeline.warehouse, sql)
        except UsageError:
            continue
        found.append(sql)
    return found
