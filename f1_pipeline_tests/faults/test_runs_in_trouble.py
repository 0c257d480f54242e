"""SIGKILL at any moment of a run of the graph: no partition is lost or half-written, and no dead run holds the queue.

Belongs here: what may befall real Dagster runs: kills by time and by the count of commits, full disks, another run.
Neighbours: `test_killed.py` kills everything else that writes, `test_full_disk.py` fills its disk. A run is forked from
a process that has done one, so that a kill costs what the run has done until then.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random

import dagster as dg
import numpy as np
import pytest
from click.testing import CliRunner, Result
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from f1_pipeline.cli import main
from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.automation import partition_range_tags
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.liveness import bury_dead_runs
from f1_pipeline.defs.pages import SNAPSHOT
from f1_pipeline.defs.runs import Runner, console_log
from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.faults.fuzzing import SEED
from f1_pipeline_tests.installation import dies
from f1_pipeline_tests.release import facts_since, write_facts
from f1_pipeline_tests.support import (
    DATA,
    finished_keys,
    make_settings,
    plain_steps,
    race_fingerprints,
    rewrite,
    with_upstream,
)

pytestmark = pytest.mark.faults
KILLS = 200  # half of them by time, half by commits
DISKS = 8
EVERYTHING = "everything"
SEASON = 2026
# from raw rows to features; and all that they are made of
TABLES = ("features.driver_race_feature", "features.constructor_race_feature", "core.constructor_race_performance")
Rows = dict[tuple[str, str], tuple[int, str]]
"""Row count and hash by table and race."""


@dataclass
class Graph:
    """A warehouse of one race, and the run that adds two and publishes."""

    settings: Settings
    before: Path

    @cached_property
    def job(self) -> dg.JobDefinition:
        """The tables and the snapshot, as the command line runs its jobs."""
        runner = Runner(self.settings)
        wanted = {asset_key(table) for table in with_upstream(plain_steps(runner.pipeline), TABLES)}
        whole = runner._definitions.resolve_implicit_global_asset_job_def()
        return whole.get_subset(asset_selection={*wanted, SNAPSHOT})

    @cached_property
    def race_keys(self) -> list[str]:
        """Three races in a row."""
        return finished_keys(Runner(self.settings).pipeline)[:3]

    @property
    def log(self) -> Path:
        """What DuckDB has committed and not yet moved into the file."""
        return self.settings.warehouse_path.with_name(f"{self.settings.warehouse_path.name}.wal")

    @property
    def paths(self) -> tuple[Path, Path]:
        """The warehouse and what is published of it."""
        return self.settings.warehouse_path, self.settings.published_path

    def run(self, race_keys: Sequence[str]) -> None:
        """Compute races in one run."""
        tags = partition_range_tags(race_keys[0], race_keys[-1])
        with open_instance(self.settings) as instance:
            self.job.execute_in_process(instance=instance, tags=tags, run_config=console_log())

    def keep(self) -> None:
        """Remember the warehouse as it is."""
        self.before.mkdir()
        for path in self.paths:
            shutil.copy(path, self.before)

    def set_back(self) -> None:
        """Take the warehouse back to what was remembered; the history of runs stays."""
        for path in self.paths:
            shutil.copy(self.before / path.name, path)
        self.log.unlink(missing_ok=True)

    def rows(self) -> tuple[Rows, Rows]:
        """Open the warehouse as the next run would, then hash it and what is published."""
        with Warehouse(self.settings.warehouse_path).write() as connection:  # commits may still stand in its log
            connection.execute("checkpoint")
        warehouse, published = map(race_fingerprints, self.paths)
        return warehouse, published


@dataclass
class Commits:
    """Counts what a run commits, by the growth of DuckDB's log."""

    log: Path
    until: float = float("inf")
    seen: int = 0
    size: int = field(default=0, init=False)

    def __call__(self) -> bool:
        before, self.size = self.size, self.log.stat().st_size if self.log.exists() else 0
        self.seen += self.size > before
        return self.seen >= self.until


@dataclass(frozen=True)
class Whole:
    """What an undisturbed run finds and leaves, and how long it takes."""

    before: Rows
    old: Rows
    wanted: Rows
    published: Rows
    lasted_s: float
    commits: int

    @property
    def new(self) -> set[tuple[str, str]]:
        """What the run writes that was not there."""
        return {key for key, one in self.wanted.items() if self.before.get(key) != one}

    def compare(self, graph: Graph, what: str) -> str:
        """Hold what a disturbed run left against both states; say how far it came."""
        found, shown = graph.rows()
        for key, one in found.items():
            assert one in (self.before.get(key), self.wanted.get(key)), f"{what}: {key} is half-written"
        assert self.before.keys() <= found.keys(), f"{what}: rows have gone"
        assert shown in (self.old, self.published), f"{what}: what is published is neither the old nor the new"
        done = sum(found.get(key) == self.wanted[key] for key in self.new)
        if done < len(self.new):
            return "tables in part" if done else "no table"
        return EVERYTHING if shown == self.published else "all tables"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("killed")
    data_dir = write_facts(folder / "data", facts_since(DATA, SEASON), DATA)
    rewrite(data_dir / "known_exceptions.csv", lambda rows: [row for row in rows if row["race_key"] > str(SEASON)])
    made = Graph(make_settings(folder / "warehouse", data_dir), folder / "before")
    made.run(made.race_keys[:1])
    made.keep()
    return made


@pytest.fixture(scope="module")
def whole(graph: Graph) -> Whole:
    before, old = graph.rows()
    commits, started = Commits(graph.log), time.perf_counter()
    assert not dies(lambda: graph.run(graph.race_keys), when=commits)
    lasted_s, (wanted, published) = time.perf_counter() - started, graph.rows()
    return Whole(before, old, wanted, published, lasted_s, commits.seen)


def test_a_killed_run_leaves_no_half_written_partition(
    graph: Graph, whole: Whole, scaled: Callable[[int], int]
) -> None:
    random, outcomes, kills = Random(SEED), Counter[str](), 2 * scaled(KILLS // 2)
    for number in count():
        if outcomes["killed"] == kills:
            break
        graph.set_back()
        after_s = random.uniform(0, whole.lasted_s) if number % 2 else None
        when = None if number % 2 else Commits(graph.log, random.randint(1, whole.commits))
        was_killed = dies(lambda: graph.run(graph.race_keys), after_s=after_s, when=when)
        outcome = whole.compare(graph, f"kill {number}")
        assert was_killed or outcome == EVERYTHING
        outcomes["killed" if was_killed else "ended before"] += 1
        outcomes[outcome] += 1
    _bury(graph.settings)
    _complete(graph, whole)
    print(
        f"run of {whole.lasted_s:.1f} s, {whole.commits} commits, {len(whole.new)} new partitions, seed {SEED}: ",
        end="",
    )
    print(dict(outcomes))


def test_a_run_that_finds_the_disk_full_says_so_and_loses_nothing(
    graph: Graph, whole: Whole, scaled: Callable[[int], int]
) -> None:
    largest = max(path.stat().st_size for path in graph.paths) - 1
    outcomes = Counter[str]()

    def work() -> None:
        with pytest.raises(WarehouseError, match="check the disk") as caught:
            graph.run(graph.race_keys)
        assert "\n" not in str(caught.value)

    for limit in np.geomspace(20_000, largest, scaled(DISKS)):
        graph.set_back()
        assert not dies(work, largest=int(limit)), f"a disk of {limit:.0f} bytes"
        outcomes[whole.compare(graph, f"a disk of {limit:.0f} bytes")] += 1
    _complete(graph, whole)
    print(f"full disks: {dict(outcomes)}")


def test_of_two_runs_at_once_one_waits_and_one_without_patience_is_told_so(graph: Graph, whole: Whole) -> None:
    graph.set_back()
    settings, commits, seen = graph.settings, Commits(graph.log, until=1), list[Result]()
    environ = {"F1_DATA_DIR": str(settings.data_dir), "F1_WAREHOUSE_DIR": str(settings.warehouse_dir)}
    patient = Graph(replace(settings, lock_wait_s=120.0), graph.before)

    def meanwhile() -> bool:
        if not seen and commits():
            command = ("run", "--race", graph.race_keys[-1], "--quiet")
            seen.append(CliRunner().invoke(main, command, env=environ | {"F1_LOCK_WAIT_S": "0.2"}))
            assert not dies(lambda: patient.run(graph.race_keys))
        return False

    assert not dies(lambda: graph.run(graph.race_keys), when=meanwhile)
    (refused,) = seen
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"error: {settings.warehouse_path}: ")
    assert len(refused.stderr.strip().splitlines()) == 1
    assert graph.rows() == (whole.wanted, whole.published)


def _complete(graph: Graph, whole: Whole) -> None:
    """Run undisturbed on what is there."""
    assert not dies(lambda: graph.run(graph.race_keys))
    assert graph.rows() == (whole.wanted, whole.published)
    assert [path.name for path in graph.settings.warehouse_dir.iterdir() if "unfinished" in path.name] == []


def _bury(settings: Settings) -> None:
    """Look after the dead as the daemon does: no run may stay under way."""
    with open_instance(settings) as instance:
        left = {run.run_id for run in instance.get_runs() if run.status in IN_PROGRESS_RUN_STATUSES}
        buried = set(bury_dead_runs(instance, settings.alive_dir, patience_s=0))
        statuses = Counter(run.status.value for run in instance.get_runs())
    assert left <= buried, "a run that is gone stays under way"
    print(f"{len(left)} runs were left under way, {len(buried)} reported as failed; now {dict(statuses)}")
    assert not {status.value for status in IN_PROGRESS_RUN_STATUSES} & statuses.keys()
