"""What rewards compare with, for every budget, against enumeration and against a look at every line-up."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups, mean_affordable_points
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.rl.rewards import REWARDS, at_budget, baseline_by_budget
from f1_pipeline.rl.seasons import IS_DRIVER, SLOTS
from f1_pipeline_tests.small_seasons import SmallSeasons, small_seasons, with_rules

ORACLES = {
    "above_mean": mean_affordable_points,
    "regret": lambda problem: best_lineups(problem, 1)[0].points,
}
SMALL = small_seasons(1, count=3)


def menu_of(small: SmallSeasons, number: int, race: int, budget: int) -> LineupProblem:
    """State the problem of whoever knows the points of a race; names are slots."""
    seasons = small.source.seasons
    prices, points = seasons.prices[number, race], seasons.points[number, race].astype(float)
    on_sale = seasons.is_active[number, race]
    drivers, constructors = (np.flatnonzero(on_sale & kind) for kind in (IS_DRIVER, ~IS_DRIVER))
    team = small.rules.team
    return LineupProblem(
        driver_ids=tuple(f"{slot:02}" for slot in drivers),
        driver_prices=prices[drivers],
        driver_points=points[drivers],
        constructor_ids=tuple(f"{slot:02}" for slot in constructors),
        constructor_prices=prices[constructors],
        constructor_points=points[constructors],
        rules=LineupRules(team.driver_count, team.constructor_count, budget, small.rules.boost.multiplier),
    )


@pytest.mark.parametrize("reward", sorted(ORACLES))
def test_tables_equal_the_oracle_of_each_budget(reward: str) -> None:
    tables = baseline_by_budget(SMALL.frame, SMALL.source.seasons, reward)
    assert tables is not None
    assert len(tables) == SMALL.frame.race_count
    for race, table in enumerate(tables):
        for number in range(3):
            problem = menu_of(SMALL, number, race, 1)
            low, high = (
                problem.cheapest_cost_tenths,
                int(problem.driver_prices.sum() + problem.constructor_prices.sum()),
            )
            # One that buys a single line-up, every one in a stretch, and one that buys everything and more.
            for budget in (low, *range(low + 40, low + 300, 13), high, 3000):
                limits = replace(problem.rules, budget_tenths=budget)
                expected = ORACLES[reward](replace(problem, rules=limits))
                found = at_budget(table[[number]], np.array([budget]))
                assert found.shape == (1,)
                assert found[0] == pytest.approx(expected, abs=1e-6), (race, number, budget)


@pytest.mark.parametrize("reward", sorted(ORACLES))
def test_a_budget_that_buys_nothing_is_taken_for_the_cheapest(reward: str) -> None:
    tables = baseline_by_budget(SMALL.frame, SMALL.source.seasons, reward)
    assert tables is not None
    for race, table in enumerate(tables):
        for number in range(3):
            problem = menu_of(SMALL, number, race, 1)
            low = problem.cheapest_cost_tenths
            with pytest.raises(SolverError):
                ORACLES[reward](replace(problem, rules=replace(problem.rules, budget_tenths=low - 1)))
            assert (table[number, :low] == table[number, low]).all()
            assert np.isfinite(table[number]).all()


@pytest.mark.parametrize("multiplier", [2, 3])
def test_figures_by_plain_loops(multiplier: int) -> None:
    rules = replace(SMALL.rules, boost=replace(SMALL.rules.boost, multiplier=multiplier))
    small, number, race, budget = with_rules(SMALL, rules), 1, 2, 1000
    problem = menu_of(small, number, race, budget)
    sums, bests = [], []
    for drivers in combinations(range(len(problem.driver_ids)), 5):
        for constructors in combinations(range(len(problem.constructor_ids)), 2):
            cost = sum(problem.driver_prices[list(drivers)]) + sum(problem.constructor_prices[list(constructors)])
            if cost > budget:
                continue
            points = sum(problem.driver_points[list(drivers)]) + sum(problem.constructor_points[list(constructors)])
            boosted = [points + (multiplier - 1) * problem.driver_points[driver] for driver in drivers]
            sums += boosted
            bests.append(max(boosted))
    expected = {"above_mean": np.mean(sums), "regret": max(bests)}
    for reward, figure in expected.items():
        tables = baseline_by_budget(small.frame, small.source.seasons, reward)
        assert tables is not None
        found = at_budget(tables[race], np.full(3, budget))
        assert found[number] == pytest.approx(figure)


def test_points_are_compared_with_nothing() -> None:
    assert baseline_by_budget(SMALL.frame, SMALL.source.seasons, "points") is None
    assert set(REWARDS) == {"points", *ORACLES}


def test_each_team_is_looked_up_by_its_own_budget() -> None:
    table = np.array([[np.nan, 1.0, 2.0], [np.nan, np.nan, 5.0]])
    np.testing.assert_array_equal(at_budget(table, np.array([1, 1])), [1.0, np.nan])
    np.testing.assert_array_equal(at_budget(table, np.array([2, 900])), [2.0, 5.0])


def test_by_hand() -> None:
    """Six drivers of 1 to 6 points and million, constructors of 10, 20 and 30: the best and the mean of a budget."""
    seasons = SMALL.source.seasons.rows([0])
    is_active, prices = np.zeros((1, 4, SLOTS), dtype=bool), np.zeros((1, 4, SLOTS), dtype=np.int32)
    points = np.zeros((1, 4, SLOTS), dtype=np.float32)
    is_active[..., [0, 1, 2, 3, 4, 5, 30, 31, 32]] = True
    prices[..., :6], points[..., :6] = np.arange(10, 70, 10), np.arange(1, 7)
    prices[..., 30:33], points[..., 30:33] = [100, 100, 150], [10, 20, 30]
    own = replace(seasons, is_active=is_active, prices=prices, points=points)
    # 350 buys the five cheapest (15 points, 15 million) with the two cheap constructors; 360 also the next five (16).
    means, bests = (baseline_by_budget(SMALL.frame, own, reward) for reward in ("above_mean", "regret"))
    assert means is not None
    assert bests is not None
    for table in (means[0], bests[0]):
        assert table[0, 349] == table[0, 350]
    # 15 + 3 of the mean boost + 30; the best boost is 5
    assert at_budget(means[0], np.array([350])).tolist() == pytest.approx([48])
    assert at_budget(bests[0], np.array([350])).tolist() == [50]
    # and of 16 + 3.2 + 30; with the boost on driver 6
    assert at_budget(means[0], np.array([360])).tolist() == pytest.approx([48.6])
    assert at_budget(bests[0], np.array([360])).tolist() == [52]
    # everything: 20 points of drivers 2 to 6, 6 of the boost, constructors of 20 and 30
    assert at_budget(bests[0], np.array([5000])).tolist() == [76]
