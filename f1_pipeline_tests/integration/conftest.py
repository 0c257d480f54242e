"""A warehouse in which every race of two seasons went through the whole graph, models and line-ups included."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline_tests.support import NEXT_RACE, finished_keys, make_settings, short_facts

DONE = "done"


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Every step for the races of 2025 and 2026, then the next one; tests only read it.

    The workers of a run share it: the first one computes, the others wait for it.
    """
    own = tmp_path_factory.getbasetemp()
    # a worker's folder lies in that of the whole run; without workers there is just one
    folder = (own.parent if own.name.startswith("popen-") else own) / "complete"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        pipeline = Pipeline(make_settings(folder / "warehouse", folder / "data"))
        if not (folder / DONE).exists():
            _compute(pipeline, folder)
    return pipeline


def _compute(pipeline: Pipeline, folder: Path) -> None:
    short_facts(pipeline.settings.data_dir)
    steps = build_steps(pipeline)
    for table, step in steps.items():
        step.run(pipeline, table, finished_keys(pipeline))
    for table in forecast_tables(steps):
        steps[table].run(pipeline, table, [NEXT_RACE])
    (folder / DONE).touch()
