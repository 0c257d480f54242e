"""The best path through a small season: no worse than the gap allows against an exact plan, with a bound that holds."""

from dataclasses import replace

import pytest

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import CONSTRUCTOR
from f1_pipeline.optimize.plan import solve_plan
from f1_pipeline.optimize.plan_problem import PlanProblem, PlanSettings
from f1_pipeline.optimize.season_path import solve_season_path
from f1_pipeline_tests.plan_games import small_game

CHIPS = ("extra_boost", "limitless", "no_negative", "wildcard")
EXACT = PlanSettings(gap=0.0, time_limit_s=60.0)


def season(seed: int, races: int) -> PlanProblem:
    """Draw a season played from a fresh start."""
    return replace(small_game(seed, races, drivers=4).problem, team=None)


@pytest.mark.parametrize("chips", [(), CHIPS], ids=["no chips", "chips"])
@pytest.mark.parametrize(("seed", "races"), [(2, 8), (9, 7), (11, 6)])
def test_a_path_is_the_best_plan_within_its_gap(seed: int, races: int, chips: tuple[str, ...]) -> None:
    problem, wanted = season(seed, races), replace(EXACT, chips=chips)
    best = solve_plan(problem, wanted).objective
    for gap in (0.0, 0.03):
        path = solve_season_path(problem, replace(wanted, gap=gap))
        assert path.objective <= best + 1e-5
        assert path.bound >= best - 1e-5
        assert path.bound <= path.objective + gap * abs(path.objective) + 1e-4
        assert len(path.races) == races
        assert path.objective == pytest.approx(sum(race.points for race in path.races))


def test_progress_is_told_in_order() -> None:
    told: list[str] = []
    solve_season_path(season(5, 6), replace(EXACT, chips=("limitless",)), told.append)
    assert told[0].startswith("start: ")
    assert all("points, at most" in line for line in told)


def test_a_path_under_limits_keeps_to_them() -> None:
    problem = season(6, 6)
    banned = frozenset({(CONSTRUCTOR, "gamma")})
    path = solve_season_path(problem, replace(EXACT, chips=(), banned=banned))
    assert all("gamma" not in race.lineup.constructors for race in path.races)
    assert path.objective <= solve_plan(problem, replace(EXACT, chips=())).objective + 1e-5


@pytest.mark.parametrize("chips", [(), ("wildcard",)], ids=["no chips", "chips"])
def test_a_season_without_any_path_is_said(chips: tuple[str, ...]) -> None:
    problem = season(7, 6)
    poor = replace(problem.rules, team=replace(problem.rules.team, budget_tenths=10))
    with pytest.raises(SolverError, match="Path from 2026-a: expected a plan, found none within all limits"):
        solve_season_path(replace(problem, rules=poor), replace(EXACT, chips=chips))


def test_no_time_is_said() -> None:
    with pytest.raises(SolverError, match=r"Path from 2026-a: expected a (plan|start), found none in time"):
        solve_season_path(season(8, 6), PlanSettings(chips=(), time_limit_s=1e-9))
