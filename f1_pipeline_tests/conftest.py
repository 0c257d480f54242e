"""Fixtures that every room of the tests may use: settings, a computed warehouse, facts that may be altered.

Belongs here: fixtures only; plain functions are in `support.py`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import Step
from f1_pipeline_tests.support import (
    copy_facts,
    fingerprints,
    make_settings,
    plain_steps,
    run_history,
    run_next_race,
)


@dataclass(frozen=True)
class History:
    """Every finished race and the tables before the next race, computed once without trained models.

    Attributes
    ----------
    pipeline : Pipeline
        Reads the shared file; tests that write take `history_copy`.
    steps : dict of str to Step
        The steps that made it, upstream first.
    finished, complete : dict of str to (int, str)
        Row count and hash of each table after the finished races, and after the next race was added.
    path : Path
        The DuckDB file.
    """

    pipeline: Pipeline
    steps: dict[str, Step]
    finished: dict[str, tuple[int, str]]
    complete: dict[str, tuple[int, str]]

    @property
    def path(self) -> Path:
        return self.pipeline.settings.warehouse_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh warehouse folder on the committed facts."""
    return make_settings(tmp_path / "warehouse", lock_wait_s=0.2)


@pytest.fixture
def pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("history")))
    run_history(pipeline)
    finished = fingerprints(pipeline.settings.warehouse_path)
    run_next_race(pipeline)
    return History(pipeline, plain_steps(pipeline), finished, fingerprints(pipeline.settings.warehouse_path))


@pytest.fixture
def history_copy(history: History, settings: Settings) -> Pipeline:
    """A copy of the computed warehouse that the test may write."""
    settings.warehouse_dir.mkdir()
    shutil.copy(history.path, settings.warehouse_path)
    return Pipeline(settings)


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """A copy of data/ that the test may alter."""
    return copy_facts(tmp_path / "data")
