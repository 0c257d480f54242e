"""How fast the best line-ups of one race are found.

Here: the enumeration and the integer programme on one realistic menu, the launch prices of 2026 with expected
points drawn around them. Not here: whether the answers are right, which the unit tests prove.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups, combination_rows
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem

RULES = LineupRules(driver_count=5, constructor_count=2, budget_tenths=1000, boost_multiplier=2)

# Launch prices of 2026 in tenths of a million, by driver and by constructor, dearest first.
DRIVER_PRICES = (
    *(277, 274, 272, 255, 232, 228, 225, 151, 120, 118, 116),
    *(100, 80, 74, 73, 68, 65, 64, 62, 62, 60, 59),
)
CONSTRUCTOR_PRICES = (293, 289, 282, 233, 125, 120, 103, 74, 66, 63, 60)


@cache
def full_menu() -> LineupProblem:
    """Make the menu that every figure here is measured on.

    Returns
    -------
    LineupProblem
        22 drivers and 11 constructors, 1 448 370 teams.
    """
    generator = np.random.default_rng(2026)
    driver_prices, constructor_prices = np.array(DRIVER_PRICES), np.array(CONSTRUCTOR_PRICES)
    return LineupProblem(
        tuple(f"driver-{row:02}" for row in range(len(DRIVER_PRICES))),
        driver_prices,
        generator.normal(driver_prices / 12, 5),
        tuple(f"constructor-{row:02}" for row in range(len(CONSTRUCTOR_PRICES))),
        constructor_prices,
        generator.normal(constructor_prices / 6, 8),
        RULES,
    )


@cache
def held_menu() -> LineupProblem:
    """Make the same menu for a team that holds another line-up, two transfers free and ten points for each more.

    Returns
    -------
    LineupProblem
        What is held is the hundredth best line-up.
    """
    problem = full_menu()
    lineup = best_lineups(problem, 100)[-1].lineup
    return replace(problem, held=Held(lineup.drivers, lineup.constructors, free_transfers=2, extra_points=-10))


def all_teams_top(problem: LineupProblem, count: int) -> np.ndarray:
    """Score every team in one array and take the best: the plain way, for comparison.

    Parameters
    ----------
    problem
        The menu and the limits.
    count
        Teams wanted.

    Returns
    -------
    numpy.ndarray
        Shape (count,), points of the best teams, descending.
    """
    rules = problem.rules
    drivers = combination_rows(len(problem.driver_ids), rules.driver_count)
    constructors = combination_rows(len(problem.constructor_ids), rules.constructor_count)
    held = problem.driver_points[drivers]
    boosted = held.sum(axis=0) + (rules.boost_multiplier - 1) * held.max(axis=0)
    points = boosted[:, None] + problem.constructor_points[constructors].sum(axis=0)
    driver_costs = problem.driver_prices[drivers].sum(axis=0)
    costs = driver_costs[:, None] + problem.constructor_prices[constructors].sum(axis=0)
    affordable = points[costs <= rules.budget_tenths]
    return np.sort(np.partition(affordable, -count)[-count:])[::-1]


@benchmark("best_team_ms")
def best_team() -> Figure:
    """Time the best team of a race by enumeration, against the integer programme."""
    problem = full_menu()
    value = median_seconds(lambda: best_lineups(problem, 1), repeats=51)
    reference = median_seconds(lambda: solve_lineups(problem, 1), repeats=11)
    return Figure("best_team_ms", value * 1e3, "ms", "PuLP with CBC, best team", reference * 1e3)


@benchmark("top100_ms")
def top100() -> Figure:
    """Time the hundred best teams by enumeration, against scoring all of them."""
    problem = full_menu()
    value = median_seconds(lambda: best_lineups(problem, 100), repeats=51)
    reference = median_seconds(lambda: all_teams_top(problem, 100), repeats=11)
    return Figure("top100_ms", value * 1e3, "ms", "numpy over all teams, points only", reference * 1e3)


@benchmark("best_team_transfers_ms")
def best_team_transfers() -> Figure:
    """Time the best team from the one held by enumeration, against the integer programme."""
    problem = held_menu()
    value = median_seconds(lambda: best_lineups(problem, 1), repeats=51)
    reference = median_seconds(lambda: solve_lineups(problem, 1), repeats=11)
    return Figure(
        "best_team_transfers_ms", value * 1e3, "ms", "PuLP with CBC, best team from the one held", reference * 1e3
    )


@benchmark("pulp_ms")
def pulp_best_team() -> Figure:
    """Time the best team by integer programming with CBC, against the enumeration."""
    problem = full_menu()
    value = median_seconds(lambda: solve_lineups(problem, 1), repeats=21)
    reference = median_seconds(lambda: best_lineups(problem, 1), repeats=51)
    return Figure("pulp_ms", value * 1e3, "ms", "enumeration, best team", reference * 1e3)
