"""A warehouse in which a few races went through the whole graph, models and line-ups included."""

from __future__ import annotations

import shutil

import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import NEXT_RACE, make_settings

REVIEWED = ("2025-abu-dhabi", "2026-australia", "2026-china", "2026-japan", "2026-miami", "2026-canada")


@pytest.fixture(scope="session")
def complete(history: History, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Run what needs a model for the last races and the next one; tests only read it."""
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("complete")))
    shutil.copy(history.path, pipeline.settings.warehouse_path)
    steps = build_steps(pipeline)
    learnt = [table for table in steps if table not in history.steps]
    before = set(forecast_tables(steps))
    for table in learnt:
        steps[table].run(pipeline, table, list(REVIEWED))
    for table in learnt:
        if table in before:
            steps[table].run(pipeline, table, [NEXT_RACE])
    return pipeline
