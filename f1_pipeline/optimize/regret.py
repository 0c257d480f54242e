"""What perfect foresight would have over a line-up, were a forecast right: the regret that luck alone brings.

Belongs here: the best team of each joint draw, and how far a team that was chosen beforehand stays behind it. Not here:
choosing the team (`enumeration`, `risk`), and what happened in the end (`steps.review`, `steps.regret`).

The best team of a draw costs a look at every team, so some of the draws are looked at, evenly spaced by what a team
without a budget would score in them. What that team and the one chosen score is known in every draw, and corrects the
mean: a linear regression on the two, at their means over all draws. With 100 of 1,000 draws the mean is then some 2
points off that of all of them, instead of 6.

References
----------
Control variates and stratified sampling: Owen, Monte Carlo theory, methods and examples (2013), chapter 8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from f1_pipeline.optimize.enumeration import halves_of, sum_rows
from f1_pipeline.optimize.problem import LineupProblem

DRAWS = 100
"""Draws whose best team is looked for."""


@dataclass(frozen=True)
class ExpectedRegret:
    """How far a line-up stays behind the best one, known only afterwards.

    Attributes
    ----------
    points : float
        Mean, 0 or more.
    p10_points, p90_points : float
        In 8 of 10 weekends it is between the two.
    """

    points: float
    p10_points: float
    p90_points: float


@dataclass(frozen=True, eq=False)
class _Teams:
    """Driver halves in groups of one cost and one number of assets kept, and the constructor halves each can afford.

    Attributes
    ----------
    driver_rows : ndarray of shape (drivers of a team, N)
        Driver halves, those of a group side by side.
    starts : ndarray of shape (G,)
        Where each group starts.
    pairings : list of (ndarray of shape (2, M), ndarray of shape (G,), ndarray of shape (G,))
        By number of constructors kept: their halves, cheapest first; how many of them each group can afford; and what
        the transfers cost it.
    """

    driver_rows: np.ndarray
    starts: np.ndarray
    pairings: list[tuple[np.ndarray, np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, problem: LineupProblem) -> _Teams:
        halves = halves_of(problem)
        order = np.lexsort((halves.driver_costs, halves.driver_kept))
        costs, kept = halves.driver_costs[order], halves.driver_kept[order]
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (np.diff(costs) != 0) | (np.diff(kept) != 0)
        starts = np.flatnonzero(is_first)
        left = problem.rules.budget_tenths - costs[starts]
        pairings = []
        for count in np.unique(halves.constructor_kept):
            own = np.flatnonzero(halves.constructor_kept == count)
            own = own[np.argsort(halves.constructor_costs[own], kind="stable")]
            affordable = np.searchsorted(halves.constructor_costs[own], left, side="right")
            transfers = halves.transfer_points[kept[starts], count]
            pairings.append((halves.constructor_rows[:, own], affordable, transfers))
        return cls(halves.driver_rows[:, order], starts, pairings)


def best_points(problem: LineupProblem, draws: np.ndarray) -> np.ndarray:
    """Find what the best team scores in each weekend: `best_lineups` for many draws, without naming the teams.

    Parameters
    ----------
    problem : LineupProblem
        The menu and the limits, with one boost and any number of assets per team; its points are not used.
    draws : ndarray of shape (n, assets)
        Points of every asset in the order of `asset_keys`.

    Returns
    -------
    ndarray of shape (n,)
        Points, boost and transfers included; -inf when no team keeps to the limits.
    """
    assert problem.most_per_team is None, "halves are paired by money and transfers alone"
    assert problem.extra_boost is None, "one boost is on the best driver"
    teams, size = _Teams.of(problem), len(problem.driver_ids)
    best = np.full(len(draws), -np.inf)
    if not teams.starts.size:
        return best
    is_idle, factor = problem.mask(problem.only_if_held)[:size], problem.rules.boost_multiplier - 1
    for at, points in enumerate(draws):
        drivers, boosts = points[:size], factor * np.where(is_idle, 0.0, points[:size])
        total, boost = drivers[teams.driver_rows[0]], boosts[teams.driver_rows[0]]
        for row in teams.driver_rows[1:]:
            total += drivers[row]
            np.maximum(boost, boosts[row], out=boost)
        by_group = np.maximum.reduceat(total + boost, teams.starts)
        for rows, affordable, transfers in teams.pairings:
            richest = np.maximum.accumulate(sum_rows(points[size:], rows))
            paired = np.concatenate(([-np.inf], richest))[affordable]
            best[at] = max(best[at], (by_group + paired + transfers).max())
    return best


def expected_regret(
    problem: LineupProblem, draws: np.ndarray, totals: np.ndarray, count: int = DRAWS
) -> ExpectedRegret:
    """Say how far a line-up stays behind the best one in weekends as they are forecast.

    Parameters
    ----------
    problem : LineupProblem
        The menu and the limits, without one on assets of a team; its points are not used.
    draws : ndarray of shape (n, assets)
        Joint draws of points.
    totals : ndarray of shape (n,)
        What the line-up scores in each of them.
    count : int
        Draws to look at; all of them when there are no more.

    Returns
    -------
    ExpectedRegret
    """
    free = _without_budget(problem, draws)
    order = np.argsort(free, kind="stable")
    looked_at = min(count, len(draws))
    chosen = order[((np.arange(looked_at) + 0.5) * len(draws) / looked_at).astype(int)]
    regrets = best_points(problem, draws[chosen]) - totals[chosen]
    known = np.column_stack([np.ones(len(draws)), free, totals])
    slopes = np.linalg.lstsq(known[chosen], regrets, rcond=None)[0]
    low, high = np.quantile(regrets, (0.1, 0.9))
    return ExpectedRegret(max(float(known.mean(axis=0) @ slopes), 0.0), float(low), float(high))


def _without_budget(problem: LineupProblem, draws: np.ndarray) -> np.ndarray:
    """Add up the best assets of each draw, the boost on the very best driver."""
    count, rules = len(problem.driver_ids), problem.rules
    drivers, constructors = np.sort(draws[:, :count], axis=1), np.sort(draws[:, count:], axis=1)
    boost = (rules.boost_multiplier - 1) * drivers[:, -1]
    return (
        drivers[:, -rules.driver_count :].sum(axis=1) + constructors[:, -rules.constructor_count :].sum(axis=1) + boost
    )
