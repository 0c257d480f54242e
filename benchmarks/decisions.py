"""How fast plans, hindsight and back-tests are, on the warehouse that `make run` has computed.

Here: a plan of five races with chips, the best path through a season, and policies played through three seasons. Not
here: the best line-up of one race (`benchmarks.lineups`), and whether the answers are right, which the tests prove.
"""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.plan import solve_plan
from f1_pipeline.optimize.plan_problem import Plan, PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import Policy, first_race
from f1_pipeline.optimize.season_path import solve_season_path
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.backtest import (
    HINDSIGHT_CHIPS,
    HINDSIGHT_SETTINGS,
    HORIZON,
    REFERENCE,
    backtest_knowledge,
    play_season,
)
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.plans import PlanWishes, planned_problem
from f1_pipeline.steps.season_races import season_races

SEASONS = (2023, 2024, 2025)
HINDSIGHT_SEASON = 2024
PLAN_RACE = "2025-japan"
CBC_LIMIT_S = 60.0


@benchmark("plan5_s")
def plan_of_five_races() -> list[Figure]:
    """Time a plan of five races with transfers, all chips and moving prices to a gap of 1 %, against CBC."""
    problem, settings = planned_problem(Pipeline(load_settings()), PLAN_RACE, PlanWishes())
    plans: list[Plan] = []
    value = median_seconds(lambda: plans.append(solve_plan(problem, settings)), repeats=3)
    by_cbc = replace(settings, solver="cbc", time_limit_s=CBC_LIMIT_S)
    other: list[Plan] = []
    reference = median_seconds(lambda: other.append(solve_plan(problem, by_cbc)), repeats=1, warm_ups=0)
    name = f"PuLP with CBC, at most {CBC_LIMIT_S:g} s"
    return [
        Figure("plan5_s", value, "s", name, reference),
        Figure("plan5_gap", plans[-1].gap, "share", name, other[-1].gap),
    ]


@benchmark("hindsight_season_s")
def hindsight() -> list[Figure]:
    """Time the best path through a season with four chips, and the gap reached, against HiGHS alone in as much time."""
    problem = season_races(Pipeline(load_settings()), HINDSIGHT_SEASON).hindsight_problem()
    settings = replace(HINDSIGHT_SETTINGS, chips=HINDSIGHT_CHIPS["four_chips"])
    value, path = _timed(problem, settings, alone=False)
    reference, other = _timed(problem, replace(settings, time_limit_s=max(value, 1.0)), alone=True)
    name = "HiGHS alone, stopped after as long"
    return [
        Figure("hindsight_season_s", value, "s", name, reference),
        Figure("hindsight_season_gap", path.gap, "share", name, other.gap),
    ]


def _timed(problem: PlanProblem, settings: PlanSettings, *, alone: bool) -> tuple[float, Plan]:
    started = time.perf_counter()
    plan = solve_plan(problem, settings) if alone else solve_season_path(problem, settings)
    return time.perf_counter() - started, plan


@benchmark("backtest_myopic_s")
def backtest_myopic() -> Figure:
    """Time one myopic policy through three seasons, reading included, against one CBC solution per race."""
    value = median_seconds(lambda: _play(REFERENCE), repeats=3)
    reference = median_seconds(_solve_every_race, repeats=1)
    return Figure("backtest_myopic_s", value, "s", "PuLP with CBC, the best line-up of every race", reference)


@benchmark("backtest_rolling_s")
def backtest_rolling() -> Figure:
    """Time the rolling plan through three seasons, against the myopic policy."""
    value = median_seconds(lambda: _play(Policy("rolling", horizon=HORIZON)), repeats=1, warm_ups=0)
    reference = median_seconds(lambda: _play(REFERENCE), repeats=3)
    return Figure("backtest_rolling_s", value, "s", "myopic policy", reference)


def _play(policy: Policy) -> None:
    pipeline = Pipeline(load_settings())
    for season in SEASONS:
        races = season_races(pipeline, season)
        for _ in play_season(races, backtest_knowledge(pipeline, races), policy):
            pass


def _solve_every_race() -> None:
    pipeline = Pipeline(load_settings())
    for season in SEASONS:
        races = season_races(pipeline, season)
        known = backtest_knowledge(pipeline, races)
        for race_key in races.race_keys:
            solve_lineups(first_race(known.problem(race_key, REFERENCE, None)), 1)
