"""How long forecasting takes: learning, simulating and predicting every finished race at every phase, and one race.

Here: the steps from session scores to what every candidate expects, on a computed warehouse and an empty model store.
Not here: whether the forecasts are any good, which `f1-pipeline accuracy` prints.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.registry import Figure, benchmark
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps

LEARNING = (
    "core.session_score",
    "models.weekend_model",
    "features.weekend_feature",
    "predictions.simulated_points",
    "models.points_model",
    "predictions.candidate_points",
    "models.spread_scale",
)


def _pipeline(folder: str) -> Pipeline:
    """Copy the computed warehouse beside an empty model store."""
    settings = load_settings()
    if not settings.warehouse_path.exists():
        raise UsageError("there is no warehouse to measure on: `f1-pipeline run` makes one")
    shutil.copy(settings.warehouse_path, folder)
    return Pipeline(replace(settings, warehouse_dir=Path(folder)), keeps_warehouse_open=True)


def _seconds(pipeline: Pipeline, race_keys: Sequence[str]) -> float:
    steps = build_steps(pipeline)
    started = time.perf_counter()
    for table in LEARNING:
        steps[table].run(pipeline, table, list(race_keys))
    return time.perf_counter() - started


@benchmark("train_predict_all_s")
def train_predict_all_s() -> list[Figure]:
    """Forecast all finished races with an empty model store, against finding every model in it; and the last race."""
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        pipeline = _pipeline(folder)
        keys = [race.race_key for race in pipeline.calendar.finished]
        pipeline.tracking.prefetch()
        first = _seconds(pipeline, keys)
        again = _seconds(pipeline, keys)
        pipeline.close()
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        pipeline = _pipeline(folder)
        pipeline.tracking.prefetch()
        one = _seconds(pipeline, keys[-1:])
        pipeline.close()
    return [
        Figure("train_predict_all_s", first, "s", "the same when every model is found in the store", again),
        Figure("train_predict_race_s", one, "s", "a race's share of all races", first / len(keys)),
    ]
