"""Seasons on real Dask workers: back-tests, perfect paths, agents that learn and play, row for row as in this process.

Not here: the tables of the graph, which `cluster/` compares; searches that a limit of time stops, which are only as
equal as the machines are fast.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from f1_pipeline.optimize.policies import Policy
from f1_pipeline.rl.agents import PlanningAgent
from f1_pipeline.rl.linear import CrossEntropySettings
from f1_pipeline.steps import agent_seasons, backtest
from f1_pipeline.steps.agent_seasons import AGENT_SEASON_TABLE, Arena, Contender, evaluate_agents
from f1_pipeline.steps.agents import LIGHT, TRAINING_TABLE, train_agents
from f1_pipeline.steps.backtest import BACKTEST_TABLE, HINDSIGHT_TABLE, find_season_paths, play_policies
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import SeasonRaces, season_races
from f1_pipeline.warehouse.frames import read_table
from f1_pipeline_tests.dask_cluster import DaskCluster, require_dask
from f1_pipeline_tests.spread_work import executed_count

SEASONS = ("2025", "2026")
BRIEFLY = [replace(LIGHT, settings=CrossEntropySettings(generations=3, population=8, elites=3, seasons=8))]
SMALL = Arena(quick_seasons=2, slow_seasons=1)


@pytest.fixture(scope="module")
def both(
    complete: Pipeline, cluster: DaskCluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Pipeline, Pipeline]:
    """Two copies of the computed warehouse: one works in this process, the other on the cluster."""
    folder = tmp_path_factory.mktemp("seasons")
    here, there = (
        replace(complete.settings, warehouse_dir=folder / name, dask=dask)
        for name, dask in (("here", ""), ("there", cluster.address))
    )
    for each in (here, there):
        shutil.copytree(complete.settings.warehouse_dir, each.warehouse_dir)
    return Pipeline(here), Pipeline(there)


def assert_same_rows(both: tuple[Pipeline, Pipeline], table: str, step: Callable[[Pipeline], object]) -> pd.DataFrame:
    """Run a step here and there, and hold what it has written against each other."""
    before = parts_done(both[1])
    here, there = (rows_of(pipeline, table, step) for pipeline in both)
    assert parts_done(both[1]) > before
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    return here


def parts_done(pipeline: Pipeline) -> int:
    """Count what the workers have done so far."""
    with require_dask().Client(pipeline.settings.dask, set_as_default=False) as client:
        return sum(client.run(executed_count).values())


def rows_of(pipeline: Pipeline, table: str, step: Callable[[Pipeline], object]) -> pd.DataFrame:
    step(pipeline)
    with pipeline.warehouse.read() as connection:
        rows = read_table(connection, table)
    return rows.sort_values(list(rows.columns), ignore_index=True)


def test_policies_play_the_same_seasons(both: tuple[Pipeline, Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    policies = (Policy("myopic_chips", has_chips=True), Policy("rolling", horizon=2))
    monkeypatch.setattr(backtest, "POLICIES", policies)
    rows = assert_same_rows(both, BACKTEST_TABLE, lambda pipeline: play_policies(pipeline, BACKTEST_TABLE, SEASONS))
    races = sum(str(race.season) in SEASONS for race in both[0].calendar.finished)
    assert len(rows) == len(policies) * races


def test_perfect_paths_are_the_same(both: tuple[Pipeline, Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "season_races", first_races)
    rows = assert_same_rows(
        both, HINDSIGHT_TABLE, lambda pipeline: find_season_paths(pipeline, HINDSIGHT_TABLE, SEASONS)
    )
    assert rows.groupby(["season", "variant"]).size().tolist() == [2, 2, 2, 2]


def first_races(pipeline: Pipeline, season: int) -> SeasonRaces:
    races = season_races(pipeline, season)
    return replace(races, menus=races.menus[:2], items=races.items[:2])


def test_agents_learn_and_play_the_same(both: tuple[Pipeline, Pipeline], monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = assert_same_rows(
        both, TRAINING_TABLE, lambda pipeline: train_agents(pipeline, TRAINING_TABLE, SEASONS, BRIEFLY)
    )
    assert learnt.groupby("season")["generation"].max().to_dict() == {2025: 3, 2026: 3}
    quick = tuple(each for each in agent_seasons.untrained(SMALL) if not each.is_slow)
    far = Contender(PlanningAgent(Policy("rolling", horizon=2), 60.0), is_slow=True)
    monkeypatch.setattr(agent_seasons, "untrained", lambda arena: (*quick, far))
    played = assert_same_rows(
        both, AGENT_SEASON_TABLE, lambda pipeline: evaluate_agents(pipeline, AGENT_SEASON_TABLE, SEASONS[1:], SMALL)
    )
    assert {"rolling", "linear", "myopic"} <= set(played["agent"])
