"""The best teams of one race when the boost moves afterwards to the driver with the best weekend: the chip Autopilot.

Here: the search for them, on joint draws of what the assets may score. Not here: the teams that are best with the
boost where it is put (`f1_pipeline.optimize.enumeration`, `f1_pipeline.optimize.risk`).

What the boost adds to five drivers is the mean over the draws of the best of them, which nothing but the draws of all
five tells. It is at most t plus the mean of what each has above t, for any t: a sum over the drivers, quick for all
halves, and the least of several such sums is close to the truth. So halves are counted exactly in the order of that
bound, until the best teams by the bound consist of counted halves alone. The answer is exact on the draws.
"""

import numpy as np

from f1_pipeline.errors import UsageError
from f1_pipeline.optimize.enumeration import best_pairs, halves_of, row_bests, sum_rows
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.risk import JudgedLineup, draw_matrix, judged_lineup, with_means

_LEVELS = 24
_HALVES_AT_ONCE = 256


def best_autopilot(problem: LineupProblem, draws: np.ndarray, count: int = 1) -> list[JudgedLineup]:
    """Find the teams with the highest mean when the boost moves to the best driver of each draw.

    Parameters
    ----------
    problem
        The menu and the limits; its points are not used.
    draws
        Shape (draws, assets), points of every asset in the order of `asset_keys`.
    count
        Teams wanted, at least 1.

    Returns
    -------
    list of JudgedLineup
        Best first, ranked as by `best_lineups`. The boosted driver is the one with the best mean; points and figures
        are those with the boost moved.

    Raises
    ------
    DataError
        The draws are not finite or not of that shape.
    UsageError
        `count` is below 1, or another chip is in play.
    SolverError
        No team keeps to the limits.
    """
    if problem.extra_boost is not None:
        raise UsageError(f"{problem.title}: expected one chip, found an extra boost under Autopilot.")
    matrix = draw_matrix(problem, draws)
    drivers, assets = len(problem.driver_ids), len(problem.asset_keys)
    boosted = np.ascontiguousarray(matrix[:, assets:].T)
    expected, halves = with_means(problem, matrix), halves_of(problem)
    more = problem.rules.boost_multiplier - 1
    driver_sums = sum_rows(expected.driver_points, halves.driver_rows)
    constructor_sums = sum_rows(expected.constructor_points, halves.constructor_rows)
    totals = driver_sums + more * _bounds(boosted, halves.driver_rows)
    is_counted = np.zeros(totals.size, dtype=bool)
    while True:
        pairs = best_pairs(expected, halves, totals, constructor_sums, count)
        if is_counted[pairs[0]].all():
            break
        bests = row_bests(halves, totals, constructor_sums, problem.rules.budget_tenths)
        bests[is_counted] = -np.inf
        first = np.argpartition(-bests, min(_HALVES_AT_ONCE, bests.size) - 1)[:_HALVES_AT_ONCE]
        rows = np.union1d(first, pairs[0][~is_counted[pairs[0]]])
        totals[rows] = driver_sums[rows] + more * _best_of(boosted, halves.driver_rows[:, rows]).mean(axis=1)
        is_counted[rows] = True
    teams = []
    for rank, (row, column) in enumerate(zip(*pairs, strict=True), start=1):
        own, constructors = halves.driver_rows[:, row], halves.constructor_rows[:, column]
        ranked = expected.ranked(rank, own, constructors)
        points = matrix[:, own].sum(axis=1) + matrix[:, drivers + constructors].sum(axis=1) + ranked.transfer_points
        points += more * boosted[own].max(axis=0)
        teams.append(judged_lineup(ranked, points.mean(), points))
    return teams


def _bounds(boosted: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bound the mean of the best driver of each half from above, by t plus the mean of what each has above t."""
    least = np.full(rows.shape[1], np.inf)
    for level in np.quantile(boosted.max(axis=0), np.linspace(0, 1, _LEVELS)):
        above = np.maximum(boosted - level, 0.0).mean(axis=1)
        least = np.minimum(least, level + sum_rows(above, rows))
    return least


def _best_of(boosted: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what the best driver of each half scores in each draw, shape (halves, draws)."""
    best = boosted[rows[0]]
    for row in rows[1:]:
        best = np.maximum(best, boosted[row])
    return best
