"""Run the graph from the command line: which jobs for which races or seasons, in this process, recorded like any run.

Belongs here: the order of jobs that gets a wanted race computed. Neighbours: `cli.py` says what is wanted, `jobs.py`
has the jobs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import Any

import dagster as dg

from f1_pipeline.definitions import build_definitions
from f1_pipeline.defs.automation import partition_range_tags
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.jobs import (
    FINISHED_RACE_JOB,
    NEXT_LINEUP_JOB,
    PAGES_JOB,
    RACE_HISTORY_JOB,
    REFRESH_JOB,
    SEASON_AGENTS_JOB,
    SEASON_BACKTEST_JOB,
)
from f1_pipeline.defs.liveness import bury_dead_runs
from f1_pipeline.defs.pages import PUBLISHED_GROUP
from f1_pipeline.defs.sources import BUNDLE
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, history_tables
from f1_pipeline.steps.restore import refuse_interrupted
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.contract import Partition
from f1_pipeline.warehouse.writer import WriteReport

ORCHESTRATION = "orchestration"


@dataclass(frozen=True)
class RunSummary:
    """How long a run of so many races, or seasons, took: seconds per layer, what Dagster itself took among them."""

    partition_count: int
    seconds: dict[str, float]
    partition: Partition = "race"

    @property
    def total_s(self) -> float:
        """Seconds from start to end."""
        return sum(self.seconds.values())


@dataclass
class Runner:
    """Runs jobs in this process on the installation's own Dagster instance.

    Attributes
    ----------
    settings : Settings
    on_step : callable, optional
        Called with the table's name after each step, for a progress bar.
    say : callable, optional
        Told of each step of a refresh.
    """

    settings: Settings
    on_step: Callable[[str], None] | None = None
    say: Say | None = None
    _seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an installation that is half of a back-up."""
        refuse_interrupted(self.settings)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The installation."""
        return Pipeline(self.settings)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        return build_definitions(self.settings, self._observed, self.say, on_published=self._published)

    def step_count(self, job_name: str) -> int:
        """Count the steps of a job."""
        return len(self._definitions.resolve_job_def(job_name).all_node_defs)

    def missing_history(self, race_key: str) -> list[str]:
        """Name the finished races before one that the warehouse lacks, in order."""
        needed = [race.race_key for race in self.pipeline.calendar.before(race_key)]
        tables = [
            table
            for table in history_tables(build_steps(self.pipeline))
            if self.pipeline.contracts[table].partitioned_by and not table.startswith("raw.")
        ]
        if not self.pipeline.warehouse.exists():
            return needed
        with self.pipeline.warehouse.read() as connection:
            present = set(needed)
            for table in tables:
                present &= self.pipeline.race_keys_in(connection, table)
        return [key for key in needed if key not in present]

    def compute_history(self, race_keys: Sequence[str]) -> RunSummary:
        """Compute what later races read of these finished races, in one run from the first to the last."""
        return self._run(RACE_HISTORY_JOB, race_keys)

    def compute_finished(self, race_keys: Sequence[str]) -> RunSummary:
        """Compute every table of these finished races, in one run from the first to the last."""
        return self._run(FINISHED_RACE_JOB, race_keys)

    def backtest(self, seasons: Sequence[str]) -> RunSummary:
        """Compute the tables of whole seasons, in one run from the first to the last, from the races as they stand."""
        return self._run(SEASON_BACKTEST_JOB, seasons, "season")

    def train_and_play(self, seasons: Sequence[str]) -> RunSummary:
        """Train agents before each of these seasons and let all agents play it, in one run."""
        return self._run(SEASON_AGENTS_JOB, seasons, "season")

    def require_line_up_possible(self, race_key: str) -> None:
        """Refuse, before anything is computed, a race that no line-up can be chosen for.

        Raises
        ------
        UsageError
            When the race was called off, or there are no prices yet.
        """
        race = self.pipeline.calendar.get(race_key)
        if race.is_cancelled:
            raise UsageError(f"{race_key} was cancelled: there is no line-up to choose")
        if not race.has_prices:
            raise UsageError(f"{race_key}: there are no prices yet, and no line-up without them: `f1-pipeline refresh`")

    def choose_next(self, race_key: str) -> RunSummary:
        """Compute the line-up of a coming race.

        Raises
        ------
        UsageError
            When the race was called off, or there are no prices yet.
        """
        self.require_line_up_possible(race_key)
        return self._run(NEXT_LINEUP_JOB, [race_key])

    def write_pages(self, race_keys: Sequence[str]) -> RunSummary:
        """Write the pages of races that stand side by side, and of the running season, from the published snapshot."""
        return self._run(PAGES_JOB, race_keys)

    def refresh(self) -> dict[str, Any]:
        """Bring the facts in data/ up to date, and return what changed.

        Raises
        ------
        F1PipelineError
            A source is out of reach or contradicts the facts.
        """
        job = self._definitions.resolve_job_def(REFRESH_JOB)
        with open_instance(self.settings) as instance:
            result = job.execute_in_process(instance=instance, run_config=console_log())
        (bundle,) = (event for event in result.get_asset_materialization_events() if event.asset_key == BUNDLE)
        report = bundle.materialization.metadata["report"].value
        assert isinstance(report, dict)
        return report

    def _run(self, job_name: str, partition_keys: Sequence[str], partition: Partition = "race") -> RunSummary:
        self._seconds.clear()
        started = time.perf_counter()
        job = self._definitions.resolve_job_def(job_name)
        with open_instance(self.settings) as instance, _imported_meanwhile("skops.io"):
            bury_dead_runs(instance, self.settings.alive_dir)
            tags = partition_range_tags(partition_keys[0], partition_keys[-1])
            job.execute_in_process(instance=instance, tags=tags, run_config=console_log())
        total = time.perf_counter() - started
        steps = sum(self._seconds.values())
        return RunSummary(len(partition_keys), self._seconds | {ORCHESTRATION: total - steps}, partition)

    def _observed(self, step: Step) -> Step:
        def run(pipeline: Pipeline, table: str, partition_keys: Sequence[str]) -> WriteReport:
            started = time.perf_counter()
            try:
                return step.run(pipeline, table, partition_keys)
            finally:
                self._spent(table.split(".")[0], table, time.perf_counter() - started)

        return replace(step, run=run)

    def _published(self, name: str, seconds: float) -> None:
        self._spent(PUBLISHED_GROUP, f"{PUBLISHED_GROUP}.{name}", seconds)

    def _spent(self, layer: str, name: str, seconds: float) -> None:
        self._seconds[layer] = self._seconds.get(layer, 0.0) + seconds
        if self.on_step is not None:
            self.on_step(name)


def console_log() -> dict[str, Any]:
    """Have Dagster say on the console what it does, when the project's own log says such things."""
    is_open = logging.getLogger("f1_pipeline").isEnabledFor(logging.INFO)
    return {"loggers": {"console": {"config": {"log_level": "INFO" if is_open else "CRITICAL"}}}}


@contextmanager
def _imported_meanwhile(module: str) -> Generator[None]:
    """Import a module that takes seconds while DuckDB and SQLite leave Python idle.

    The thread ends with the block: an import changes the filters of warnings for a moment, and those are the whole
    process's. That is also why the definitions, which ignore two warnings, are built before.
    """
    importing = threading.Thread(target=import_module, args=(module,), daemon=True)
    importing.start()
    try:
        yield
    finally:
        importing.join()
