"""What a step is worth to an agent: points against the mean line-up, points alone, or what was missed.

Belongs here: the figures of every affordable line-up of a race, by budget. Neighbours:
:mod:`f1_pipeline.optimize.enumeration` answers the same of one budget, which a test holds this to.
"""

from __future__ import annotations

import numpy as np

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.enumeration import combination_rows, sum_rows
from f1_pipeline.rl.seasons import IS_DRIVER, Floats, Ints, Mask, SeasonFrame, Seasons

REWARDS = {
    "above_mean": "net points less the mean of every line-up within the budget, which needs no skill",
    "points": "net points of the race",
    "regret": "net points less those of the best line-up within the budget, without a chip; above 0 only by a chip",
}
"""The rewards by name. The first is the default."""


def baseline_by_budget(frame: SeasonFrame, seasons: Seasons, reward: str) -> list[Floats] | None:
    """Tell what the reward compares with, for every budget.

    Parameters
    ----------
    frame : SeasonFrame
    seasons : Seasons
        M of them.
    reward : str
        One of `REWARDS`.

    Returns
    -------
    list of numpy.ndarray of float, or None
        T arrays of shape (M, B): entry b is the mean, or the best, of line-ups of at most b tenths of a million, of the
        cheapest where there is none; the last entry is that of all line-ups. None where nothing is compared with.
    """
    if reward == "points":
        return None
    figure = _means if reward == "above_mean" else _bests
    found = []
    for race in range(frame.race_count):
        tables = []
        for season in range(seasons.count):
            on_sale = seasons.is_active[season, race]
            points = seasons.points[season, race][on_sale].astype(np.float64)
            tables.append(figure(seasons.prices[season, race][on_sale], points, IS_DRIVER[on_sale], frame.rules))
        size = max(map(len, tables))
        found.append(np.stack([np.pad(table, (0, size - len(table)), mode="edge") for table in tables]))
    return found


def at_budget(table: Floats, budget_tenths: Ints) -> Floats:
    """Look up what each team is compared with.

    Parameters
    ----------
    table : numpy.ndarray, shape (N, B)
        Of one race.
    budget_tenths : numpy.ndarray of int, shape (N,)

    Returns
    -------
    numpy.ndarray, shape (N,)
    """
    return table[np.arange(len(table)), np.minimum(budget_tenths, table.shape[1] - 1)]


Half = tuple[Ints, Floats]


def _halves(prices: Ints, points: Floats, is_driver: Mask, rules: SeasonRules) -> tuple[Ints, Half, Half]:
    """Return the rows of driver halves, then cost and points of driver halves and of constructor halves."""
    rows = combination_rows(int(is_driver.sum()), rules.team.driver_count)
    pairs = combination_rows(int((~is_driver).sum()), rules.team.constructor_count)
    return (
        rows,
        (sum_rows(prices[is_driver], rows), sum_rows(points[is_driver], rows)),
        (sum_rows(prices[~is_driver], pairs), sum_rows(points[~is_driver], pairs)),
    )


def _means(prices: Ints, points: Floats, is_driver: Mask, rules: SeasonRules) -> Floats:
    """Average over line-ups and over who of their drivers has the boost; see `mean_affordable_points`."""
    _, (cost, worth), (own_cost, own_worth) = _halves(prices, points, is_driver, rules)
    worth = worth * (1 + (rules.boost.multiplier - 1) / rules.team.driver_count)
    counts, sums = np.bincount(cost).astype(float), np.bincount(cost, worth)
    size = len(counts) + int(own_cost.max())
    met, total = np.zeros(size), np.zeros(size)
    for spent, gained in zip(own_cost, own_worth, strict=True):
        at = slice(int(spent), int(spent) + len(counts))
        met[at] += counts
        total[at] += sums + gained * counts
    met, total = np.cumsum(met), np.cumsum(total)
    return _from_cheapest(np.divide(total, met, out=np.zeros(size), where=met > 0), met > 0)


def _bests(prices: Ints, points: Floats, is_driver: Mask, rules: SeasonRules) -> Floats:
    """Find the best line-up with the boost on its best driver."""
    rows, (cost, worth), (own_cost, own_worth) = _halves(prices, points, is_driver, rules)
    worth = worth + (rules.boost.multiplier - 1) * points[is_driver][rows].max(axis=0)
    best = np.full(int(cost.max()) + 1, -np.inf)
    np.maximum.at(best, cost, worth)
    best = np.maximum.accumulate(best)
    found = np.full(len(best) + int(own_cost.max()), -np.inf)
    for spent, gained in zip(own_cost, own_worth, strict=True):
        at = slice(int(spent), int(spent) + len(best))
        found[at] = np.maximum(found[at], best + gained)
    found = np.maximum.accumulate(found)
    return _from_cheapest(found, np.isfinite(found))


def _from_cheapest(found: Floats, is_bought: Mask) -> Floats:
    """Take the cheapest line-up where a budget, tied up in assets that left the sale, buys none."""
    return np.where(is_bought, found, found[is_bought.argmax()])
