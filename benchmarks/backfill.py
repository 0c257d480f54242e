"""How long the whole graph takes, what Dagster adds to it, and how it grows with the number of races.

Here: the back-fill of finished races, through Dagster and as plain calls of the same functions in one process, each on
an empty warehouse and model store. Not here: single layers, whose seconds `f1-pipeline run` prints.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.registry import Figure, benchmark
from f1_pipeline.defs.runs import Runner
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables

RACE_COUNTS = (10, 40, 75)


def _fresh_settings(folder: str) -> Settings:
    return replace(load_settings(), warehouse_dir=Path(folder))


def _race_keys(count: int | None = None) -> list[str]:
    finished = Pipeline(load_settings()).calendar.finished
    return [race.race_key for race in finished[:count]]


def _directly(race_keys: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        started = time.perf_counter()
        pipeline = Pipeline(_fresh_settings(folder))
        steps = build_steps(pipeline)
        for table in finished_tables(steps):
            steps[table].run(pipeline, table, race_keys if steps[table].partition else [])
        return time.perf_counter() - started


def _through_dagster(race_keys: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        started = time.perf_counter()
        Runner(_fresh_settings(folder)).compute_finished(race_keys)
        return time.perf_counter() - started


@benchmark("backfill_overhead")
def backfill_overhead() -> Figure:
    """Time the full back-fill through Dagster against the same functions called directly.

    Once each: a back-fill takes a minute, and its parts are the repeats.
    """
    race_keys = _race_keys()
    _directly(race_keys[:1])  # imports and the first use of every library count for neither side
    direct = _directly(race_keys)
    return Figure("backfill_overhead", _through_dagster(race_keys), "s", "direct calls, one process", direct)


@benchmark("backfill_scaling")
def backfill_scaling() -> list[Figure]:
    """Time a race of a back-fill of 10, 40 and 75 races through Dagster, against one of 10."""
    _directly(_race_keys(1))
    per_race = {count: _through_dagster(_race_keys(count)) / count for count in RACE_COUNTS}
    first = RACE_COUNTS[0]
    return [
        Figure(f"backfill_scaling_{count}", seconds, "s per race", f"{first} races", per_race[first])
        for count, seconds in per_race.items()
    ]
