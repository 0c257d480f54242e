"""Exact answers to the line-up problem by looking at every team.

Here: the best teams, the best teams in hindsight, how many teams a budget allows and what they score on
average. All are exact. Not here: the integer programme (`f1_pipeline.optimize.milp`), which is slower but
takes any further constraint, and the arrays both work on (`f1_pipeline.optimize.problem`).

A menu of 22 drivers and 11 constructors has 26 334 x 55 = 1 448 370 teams. They are never all built: a team
is a driver half and a constructor half that share only the budget, so with the constructor halves sorted by
cost, what a driver half can afford is a prefix of them, and a running maximum or sum over that prefix answers
the question.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np

from f1_pipeline.errors import UsageError
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.optimize.problem import POINTS_DECIMALS, LineupProblem, RankedLineup


@lru_cache(maxsize=32)
def combination_rows(size: int, pick: int) -> np.ndarray:
    """List every way to pick some of the first `size` numbers.

    Parameters
    ----------
    size
        Assets to pick from.
    pick
        Assets to pick.

    Returns
    -------
    numpy.ndarray
        Shape (pick, C(size, pick)), read-only: column j is the j-th combination in lexicographic order.
    """
    count = comb(size, pick)
    flat = chain.from_iterable(combinations(range(size), pick))
    rows = np.fromiter(flat, dtype=np.intp, count=count * pick).reshape(count, pick).T.copy()
    rows.flags.writeable = False
    return rows


@dataclass(frozen=True, eq=False)
class _Halves:
    """The driver halves (N) in lexicographic order and the constructor halves (M) in order of cost."""

    driver_rows: np.ndarray  # (driver_count, N)
    driver_sums: np.ndarray  # (N,) points without boost
    constructor_rows: np.ndarray  # (constructor_count, M)
    constructor_order: np.ndarray  # (M,) lexicographic place of each constructor half
    constructor_costs: np.ndarray  # (M,) tenths of a million, ascending
    constructor_sums: np.ndarray  # (M,) points
    driver_costs: np.ndarray  # (N,) tenths of a million
    affordable: np.ndarray  # (N,) how many constructor halves fit beside each driver half: a prefix


def _halves(problem: LineupProblem) -> _Halves:
    rules = problem.rules
    driver_rows = combination_rows(len(problem.driver_ids), rules.driver_count)
    constructor_rows = combination_rows(len(problem.constructor_ids), rules.constructor_count)
    driver_costs = _sum_rows(problem.driver_prices, driver_rows)
    constructor_costs = _sum_rows(problem.constructor_prices, constructor_rows)
    order = np.argsort(constructor_costs, kind="stable")
    constructor_costs = constructor_costs[order]
    left = rules.budget_tenths - driver_costs
    return _Halves(
        driver_rows=driver_rows,
        driver_sums=_sum_rows(problem.driver_points, driver_rows),
        constructor_rows=constructor_rows[:, order],
        constructor_order=order,
        constructor_costs=constructor_costs,
        constructor_sums=_sum_rows(problem.constructor_points, constructor_rows)[order],
        driver_costs=driver_costs,
        affordable=np.searchsorted(constructor_costs, left, side="right"),
    )


def _sum_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    # Adding whole rows is several times faster than a sum over a short last axis.
    total = values[rows[0]]
    for row in rows[1:]:
        total = total + values[row]
    return total


def _best_of_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    best = values[rows[0]]
    for row in rows[1:]:
        best = np.maximum(best, values[row])
    return best


def best_lineups(problem: LineupProblem, count: int = 10) -> list[RankedLineup]:
    """Find the best teams.

    Parameters
    ----------
    problem
        The menu and the limits.
    count
        Teams wanted, at least 1.

    Returns
    -------
    list of RankedLineup
        Best first; fewer than `count` when fewer teams fit the budget. Teams with equal points (to nine
        decimals) are ordered by cost, cheapest first, then by driver ids, then by constructor ids.

    Raises
    ------
    UsageError
        `count` is below 1.
    SolverError
        No team fits the budget.
    """
    if count < 1:
        raise UsageError(f"Best line-ups: expected a count of at least 1, found {count}.")
    problem.require_affordable()
    halves = _halves(problem)
    extra = problem.rules.boost_multiplier - 1
    driver_totals = halves.driver_sums + extra * _best_of_rows(problem.driver_points, halves.driver_rows)
    # Best team of each driver half: -inf where not even the cheapest constructor half fits.
    prefix_best = np.concatenate(([-np.inf], np.maximum.accumulate(halves.constructor_sums)))
    best = np.round(driver_totals + prefix_best[halves.affordable], POINTS_DECIMALS)
    # A team among the best `count` sits on a driver half whose own best is among the best `count`, ties
    # included; with fewer driver halves than teams wanted there is no such bound.
    threshold = np.partition(best, -count)[-count] if count <= best.size else -np.inf
    candidates = np.flatnonzero((best >= threshold) & (halves.affordable > 0))
    totals = np.round(driver_totals[candidates, None] + halves.constructor_sums, POINTS_DECIMALS)
    fits = np.arange(halves.constructor_sums.size) < halves.affordable[candidates, None]
    which, constructor = np.nonzero(fits & (totals >= threshold))
    driver = candidates[which]
    costs = halves.driver_costs[driver] + halves.constructor_costs[constructor]
    ties = (halves.constructor_order[constructor], driver, costs, -totals[which, constructor])
    order = np.lexsort(ties)[:count]
    return [
        problem.ranked(rank, halves.driver_rows[:, d], halves.constructor_rows[:, c])
        for rank, (d, c) in enumerate(zip(driver[order], constructor[order], strict=True), start=1)
    ]


def hindsight(problem: LineupProblem, actual_points: Mapping[AssetKey, float], count: int = 1) -> list[RankedLineup]:
    """Find the teams that would have been the best, now that the points are known.

    Parameters
    ----------
    problem
        The menu and the limits; its own points are not used.
    actual_points
        What every asset on the menu scored, by (asset_type, asset_id).
    count
        Teams wanted, at least 1.

    Returns
    -------
    list of RankedLineup
        Best first, as `best_lineups` on the actual points.

    Raises
    ------
    DataError
        An asset on the menu has no points.
    UsageError
        `count` is below 1.
    SolverError
        No team fits the budget.
    """
    return best_lineups(problem.with_points(actual_points), count)


def affordable_team_count(problem: LineupProblem) -> int:
    """Count the teams that fit the budget.

    Parameters
    ----------
    problem
        The menu and the limits.

    Returns
    -------
    int
        Number of distinct asset sets, 0 when none fits; where the boost goes is not counted.
    """
    return int(_halves(problem).affordable.sum())


def mean_affordable_points(problem: LineupProblem) -> float:
    """Average the points over every team within the budget and every boost it could have chosen.

    What a manager without any skill scores: each affordable asset set is equally likely, and so is each of
    its drivers as the boosted one.

    Parameters
    ----------
    problem
        The menu and the limits.

    Returns
    -------
    float
        Points per team.

    Raises
    ------
    SolverError
        No team fits the budget.

    Notes
    -----
    With k drivers in a team and boost multiplier m, each driver is boosted in one choice of k, so his points
    count w = 1 + (m - 1) / k times on average. For driver half i let D_i be the sum of its points and n_i the
    number of constructor halves it can afford, which are the n_i cheapest; let S_n be the sum of the points
    of the n cheapest constructor halves. Then

        mean = sum_i (n_i * w * D_i + S_{n_i}) / sum_i n_i
    """
    problem.require_affordable()
    halves = _halves(problem)
    weight = 1 + (problem.rules.boost_multiplier - 1) / problem.rules.driver_count
    prefix_sums = np.concatenate(([0.0], np.cumsum(halves.constructor_sums)))
    # Not a dot product: its threads make it slower at this size, and its order of adding is not fixed.
    total = weight * (halves.affordable * halves.driver_sums).sum() + prefix_sums[halves.affordable].sum()
    return float(total / halves.affordable.sum())
