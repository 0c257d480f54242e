"""What each chip adds at a race, against plain loops over all teams, boosts, swaps and draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from f1_pipeline.game.lineup import DRIVER, Lineup, LineupRules
from f1_pipeline.game.rules import load_rules
from f1_pipeline.optimize.chip_gains import WeekendViews, chip_gains, final_fix_gains
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline_tests.lineup_problems import (
    asset_points,
    boost_choices,
    every_team,
    legal_teams,
    limited_problems,
    transfers_of,
)
from f1_pipeline_tests.support import DATA

RULES = load_rules(DATA, 2026)
PROBLEM = LineupProblem(
    ("a", "b", "c", "d"),
    np.array([100, 60, 50, 90]),
    np.array([20.0, 10.0, 8.0, 19.0]),
    ("x", "y"),
    np.array([50, 40]),
    np.array([5.0, 4.0]),
    LineupRules(driver_count=2, constructor_count=1, budget_tenths=210, boost_multiplier=2),
)


def points_of(problem: LineupProblem) -> float:
    return -every_team(problem)[0][0]


def no_negative(problem: LineupProblem, floors: np.ndarray) -> LineupProblem:
    """Raise the points of all who take part to the floors, and what boosts multiply with them."""
    count, known = len(problem.driver_ids), asset_points(problem)
    raised = [
        known[key] if key in problem.only_if_held else max(known[key], float(floor))
        for key, floor in zip(problem.asset_keys, floors, strict=True)
    ]
    return replace(
        problem,
        driver_points=np.array(raised[:count]),
        constructor_points=np.array(raised[count:]),
        driver_boost_points=None,
    )


def mean_points(problem: LineupProblem, draws: np.ndarray, lineup: Lineup, *, moves_boost: bool) -> float:
    """Average what a team scores, the boost on one driver of all draws or on the best one of each."""
    column = {key: draws[:, row] for row, key in enumerate(problem.asset_keys)}
    more = problem.rules.boost_multiplier - 1
    boosts = np.array(
        [
            0 * draws[:, 0] if (DRIVER, driver) in problem.only_if_held else more * column[DRIVER, driver]
            for ((driver, _),) in boost_choices(problem, lineup)
        ]
    )
    boost = boosts.max(axis=0).mean() if moves_boost else boosts.mean(axis=1).max()
    return float(sum(column[key].mean() for key in lineup.asset_keys) + boost + transfers_of(problem, lineup)[1])


def autopilot_gain(problem: LineupProblem, draws: np.ndarray) -> float:
    teams = legal_teams(problem)
    with_chip, without = (
        max(mean_points(problem, draws, team, moves_boost=moves) for team in teams) for moves in (1, 0)
    )
    return with_chip - without


def best_swaps(problem: LineupProblem, lineup: Lineup, remaining: np.ndarray) -> list[float]:
    """Find the best swap of each draw, one driver for one that can be paid."""
    prices = problem.prices
    bank = problem.rules.budget_tenths - sum(prices[key] for key in lineup.asset_keys)
    row = {driver: at for at, driver in enumerate(problem.driver_ids)}
    found = []
    for draw in remaining:
        best = 0.0
        for out in lineup.drivers:
            weight = problem.rules.boost_multiplier if out == lineup.boosted_driver else 1
            gone = 0.0 if (DRIVER, out) in problem.only_if_held else draw[row[out]]
            for new in problem.driver_ids:
                is_open = new not in lineup.drivers and (DRIVER, new) not in problem.only_if_held
                if is_open and prices[DRIVER, new] <= bank + prices[DRIVER, out]:
                    best = max(best, weight * (draw[row[new]] - gone))
        found.append(best)
    return found


@settings(max_examples=30, deadline=None)
@given(limited_problems(), st.integers(0, 2**32 - 1))
def test_gains_are_those_of_plain_loops_over_all_teams(drawn: LineupProblem, seed: int) -> None:
    problem = replace(drawn, extra_boost=None)
    assume(legal_teams(problem))
    generator = np.random.default_rng(seed)
    draws = generator.normal(5, 10, (12, len(problem.asset_keys)))
    floors = generator.normal(8, 5, len(problem.asset_keys))
    remaining = generator.normal(4, 8, (12, len(problem.driver_ids)))
    gains = chip_gains(problem, WeekendViews(draws, floors, remaining), RULES)
    without = points_of(problem)
    freed = problem if problem.held is None else replace(problem, held=replace(problem.held, free_transfers=None))
    rich = replace(freed, rules=replace(freed.rules, budget_tenths=10**6))
    team = best_lineups(problem, 1)[0].lineup
    expected = {
        "wildcard": points_of(freed) - without,
        "limitless": points_of(rich) - without,
        "extra_boost": points_of(replace(problem, extra_boost=RULES.chips.extra_boost.multiplier)) - without,
        "no_negative": points_of(no_negative(problem, floors)) - without,
        "autopilot": autopilot_gain(problem, draws),
        "final_fix": float(np.mean(best_swaps(problem, team, remaining))),
    }
    assert {name: gain.points for name, gain in gains.items()} == pytest.approx(
        {name: max(points, 0.0) for name, points in expected.items()}, abs=1e-8
    )


def test_chips_whose_inputs_are_missing_are_left_out() -> None:
    assert sorted(chip_gains(PROBLEM, WeekendViews(), RULES)) == ["extra_boost", "limitless", "wildcard"]
    assert list(chip_gains(PROBLEM, WeekendViews(), RULES, ("autopilot", "wildcard"))) == ["wildcard"]


def test_who_comes_in_after_qualifying_takes_over_the_boost_and_can_be_paid() -> None:
    team = best_lineups(PROBLEM, 1)[0]
    assert (team.lineup.drivers, team.lineup.boosted_driver, team.cost_tenths) == (("a", "b"), "a", 210)
    remaining = np.array([[0.0, 0.0, 5.0, 9.0], [8.0, 8.0, 0.0, 0.0], [9.0, 0.0, 5.0, 9.0]])
    # First d for the boosted a; nothing helps in the second; then c for b, who cannot be swapped for the dear d.
    assert final_fix_gains(PROBLEM, team, remaining).tolist() == [18.0, 0.0, 5.0]


def test_a_wildcard_is_worth_the_transfers_that_were_not_made() -> None:
    held = replace(PROBLEM, held=Held(("b", "c"), ("y",), free_transfers=0, extra_points=-10.0))
    gain = chip_gains(held, WeekendViews(), RULES, ("wildcard",))["wildcard"]
    # Without it only a comes in for c, at 10 points: 20 + 20 + 10 + 4 - 10, with it y goes for x as well.
    assert (gain.points, gain.ranked.transfer_count, gain.ranked.points) == (11.0, 2, 55.0)
