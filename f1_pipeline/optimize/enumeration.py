"""Exact answers to the line-up problem by looking at every team.

Here: the best teams, the best teams in hindsight, how many teams a budget allows and what they score on
average. All are exact. Not here: the integer programme (`f1_pipeline.optimize.milp`), which is slower and finds
the same teams in another way, choosing by risk (`f1_pipeline.optimize.risk`), which limits contradict each other
(`f1_pipeline.optimize.conflicts`), and the arrays all of them work on (`f1_pipeline.optimize.problem`).

A menu of 22 drivers and 11 constructors has 26 334 x 55 = 1 448 370 teams. They are never all built. A team is a
driver half and a constructor half that share only the budget, and the number of assets kept, which decides what the
transfers cost. So for each number of constructors kept there is a table of the best constructor half by the money
left, and one look-up in each gives the best team of every driver half. Only driver halves that could be among the
best teams are then paired with each constructor half. Limits that look at both halves at once, assets of one team
and differences between teams, are checked on those pairs; while too few pass, more driver halves are paired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np

from f1_pipeline.errors import UsageError
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.optimize.conflicts import explain
from f1_pipeline.optimize.problem import POINTS_DECIMALS, LineupProblem, RankedLineup

WIDEN = 8
"""How many times more driver halves are paired when too few of the pairs keep to every limit."""


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
class Halves:
    """The driver halves (N) and constructor halves (M) that locks and bans leave, in lexicographic order.

    Parameters
    ----------
    driver_rows, constructor_rows
        Shape (assets of the half, N or M), rows of the problem.
    driver_costs, constructor_costs
        Shape (N,) and (M,), tenths of a million.
    driver_kept, constructor_kept
        Shape (N,) and (M,), how many of the half are held already.
    driver_crowds, constructor_crowds
        Shape (teams, N) and (teams, M), assets of each team where their number is limited, else no rows.
    transfer_points
        Shape (drivers kept, constructors kept), what the transfers cost.
    """

    driver_rows: np.ndarray
    driver_costs: np.ndarray
    driver_kept: np.ndarray
    driver_crowds: np.ndarray
    constructor_rows: np.ndarray
    constructor_costs: np.ndarray
    constructor_kept: np.ndarray
    constructor_crowds: np.ndarray
    transfer_points: np.ndarray


def halves_of(problem: LineupProblem) -> Halves:
    """List the halves of teams that keep to every limit which looks at one half alone.

    Parameters
    ----------
    problem
        The menu and the limits.

    Returns
    -------
    Halves
        None at all when locks and bans leave none; whether they can be paid is not looked at.
    """
    rules, size = problem.rules, len(problem.driver_ids)
    drivers, constructors = slice(None, size), slice(size, None)
    locked, barred = problem.mask(problem.locks), problem.mask(problem.unavailable)
    kept = problem.mask(() if problem.held is None else problem.held.asset_keys).astype(np.int8)
    crowds = _members_of_teams(problem)
    driver_rows = _allowed_rows(rules.driver_count, locked[drivers], barred[drivers], crowds[:, drivers], problem)
    constructor_rows = _allowed_rows(
        rules.constructor_count, locked[constructors], barred[constructors], crowds[:, constructors], problem
    )
    return Halves(
        driver_rows=driver_rows,
        driver_costs=sum_rows(problem.driver_prices, driver_rows),
        driver_kept=sum_rows(kept[drivers], driver_rows),
        driver_crowds=_crowds(crowds[:, drivers], driver_rows),
        constructor_rows=constructor_rows,
        constructor_costs=sum_rows(problem.constructor_prices, constructor_rows),
        constructor_kept=sum_rows(kept[constructors], constructor_rows),
        constructor_crowds=_crowds(crowds[:, constructors], constructor_rows),
        transfer_points=_transfer_points(problem),
    )


def _allowed_rows(
    pick: int, locked: np.ndarray, barred: np.ndarray, crowds: np.ndarray, problem: LineupProblem
) -> np.ndarray:
    rows = combination_rows(locked.size, pick)
    if locked.any():
        rows = rows[:, sum_rows(locked.astype(np.int8), rows) == locked.sum()]
    if barred.any():
        rows = rows[:, ~sum_rows(barred, rows)]
    if problem.most_per_team is not None:
        rows = rows[:, (_crowds(crowds, rows) <= problem.most_per_team).all(axis=0)]
    return rows


def _members_of_teams(problem: LineupProblem) -> np.ndarray:
    """Return which assets belong to each team, shape (teams, assets); no teams when nothing is limited."""
    if problem.most_per_team is None:
        return np.zeros((0, len(problem.asset_keys)), dtype=np.int8)
    team_of = [problem.team_of[key] for key in problem.asset_keys]
    return np.array([[own == team for own in team_of] for team in sorted(set(team_of))], dtype=np.int8)


def _crowds(members: np.ndarray, rows: np.ndarray) -> np.ndarray:
    counts = np.empty((len(members), rows.shape[1]), dtype=np.int8)
    for team, own in enumerate(members):
        counts[team] = sum_rows(own, rows)
    return counts


def _transfer_points(problem: LineupProblem) -> np.ndarray:
    drivers, constructors = problem.rules.driver_count, problem.rules.constructor_count
    points = np.zeros((drivers + 1, constructors + 1))
    if problem.held is not None:
        for kept in np.ndindex(points.shape):
            points[kept] = problem.held.transfer_points(drivers + constructors - sum(kept))
    return points


def sum_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Add up the values of each combination.

    Parameters
    ----------
    values
        Shape (assets,).
    rows
        Shape (assets of a half, halves).

    Returns
    -------
    numpy.ndarray
        Shape (halves,).
    """
    # Adding whole rows is several times faster than a sum over a short last axis.
    total = values[rows[0]]
    for row in rows[1:]:
        total = total + values[row]
    return total


def _boosted_sums(values: np.ndarray, boosts: Sequence[float], rows: np.ndarray) -> np.ndarray:
    """Add up what the boosts add, highest first, each on the best driver of the half who is left."""
    best: list[np.ndarray] = []
    for row in rows:
        falling = values[row]
        for level, held in enumerate(best):
            best[level] = np.maximum(held, falling)
            if level + 1 < len(boosts):
                falling = np.minimum(held, falling)
        if len(best) < len(boosts):
            best.append(falling)
    total = (boosts[0] - 1) * best[0]
    for multiplier, values_there in zip(boosts[1:], best[1:], strict=True):
        total = total + (multiplier - 1) * values_there
    return total


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
        Best first; fewer than `count` when fewer teams keep to the limits. Each is the best of those that differ
        from every one before it in at least `min_difference` assets. Teams with equal points (to nine decimals)
        are ordered by cost, cheapest first, then by driver ids, then by constructor ids.

    Raises
    ------
    UsageError
        `count` is below 1.
    SolverError
        No team keeps to the limits; the message says which of them contradict each other.
    """
    halves = halves_of(problem)
    pairs = best_pairs(problem, halves, *half_totals(problem, halves), count)
    return [
        problem.ranked(rank, halves.driver_rows[:, d], halves.constructor_rows[:, c])
        for rank, (d, c) in enumerate(zip(*pairs, strict=True), start=1)
    ]


def half_totals(problem: LineupProblem, halves: Halves) -> tuple[np.ndarray, np.ndarray]:
    """Return what each driver half and each constructor half is worth.

    Parameters
    ----------
    problem
        The points and boosts.
    halves
        Halves of the menu.

    Returns
    -------
    tuple of numpy.ndarray
        Shape (N,), the boosts on the best drivers included, and shape (M,).
    """
    drivers = sum_rows(problem.driver_points, halves.driver_rows)
    drivers = drivers + _boosted_sums(problem.boost_points, problem.boosts, halves.driver_rows)
    return drivers, sum_rows(problem.constructor_points, halves.constructor_rows)


def best_pairs(
    problem: LineupProblem, halves: Halves, driver_totals: np.ndarray, constructor_totals: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the best pairs of a driver half and a constructor half by the sum of what each is worth.

    Parameters
    ----------
    problem
        The limits; its points are not used.
    halves
        Its halves.
    driver_totals, constructor_totals
        Shape (N,) and (M,), what each half is worth, boosts included; the cost of transfers is added.
    count
        Pairs wanted, at least 1.

    Returns
    -------
    tuple of numpy.ndarray
        Driver halves and constructor halves of the pairs, ranked as by `best_lineups`.

    Raises
    ------
    UsageError
        `count` is below 1.
    SolverError
        No team keeps to the limits.
    """
    if count < 1:
        raise UsageError(f"Best line-ups: expected a count of at least 1, found {count}.")
    bounds = row_bests(halves, driver_totals, constructor_totals, problem.rules.budget_tenths)
    wanted = count
    while True:
        # A team among the best `wanted` sits on a driver half whose own best is among the best `wanted`, ties
        # included; with fewer driver halves than teams wanted there is no such bound.
        threshold = np.partition(bounds, -wanted)[-wanted] if wanted <= bounds.size else -np.inf
        rows = np.flatnonzero((bounds >= threshold) & (bounds > -np.inf))
        drivers, constructors = _pairs_of(problem, halves, driver_totals, constructor_totals, rows, threshold)
        if problem.min_difference == 1:
            chosen = np.arange(min(count, drivers.size))
        else:
            chosen = far_apart(problem, halves, drivers, constructors, count)
        if chosen.size == count or threshold == -np.inf:
            break
        wanted *= WIDEN
    if not chosen.size:
        raise explain(problem, cheapest_cost)
    return drivers[chosen], constructors[chosen]


def row_bests(
    halves: Halves, driver_totals: np.ndarray, constructor_totals: np.ndarray, budget_tenths: int
) -> np.ndarray:
    """Return what the best team of each driver half is worth, were the number of assets of one team free.

    Parameters
    ----------
    halves
        The halves.
    driver_totals, constructor_totals
        Shape (N,) and (M,), what each half is worth, boosts included; the cost of transfers is added.
    budget_tenths
        Money for a team, in tenths of a million.

    Returns
    -------
    numpy.ndarray
        Shape (N,), rounded to `POINTS_DECIMALS`; -inf where not even the cheapest constructor half fits.
    """
    dearest = int(halves.constructor_costs.max(initial=0))
    # Entry 0 is "nothing left", entry 1 + t the money t, all that is more than the dearest half costs alike.
    left = np.clip(budget_tenths + 1 - halves.driver_costs, 0, dearest + 1)
    best = np.full(driver_totals.shape, -np.inf)
    for kept in np.unique(halves.constructor_kept):
        own = halves.constructor_kept == kept
        order = np.argsort(halves.constructor_costs[own])
        prefix_best = np.concatenate(([-np.inf], np.maximum.accumulate(constructor_totals[own][order])))
        affordable = np.searchsorted(halves.constructor_costs[own][order], np.arange(-1, dearest + 1), side="right")
        before = driver_totals + halves.transfer_points[:, kept][halves.driver_kept]
        best = np.maximum(best, before + prefix_best[affordable][left])
    return np.round(best, POINTS_DECIMALS)


def _pairs_of(
    problem: LineupProblem,
    halves: Halves,
    driver_totals: np.ndarray,
    constructor_totals: np.ndarray,
    rows: np.ndarray,
    threshold: float,
) -> tuple[np.ndarray, np.ndarray]:
    """List every legal pair of these driver halves that is worth the threshold, best first."""
    transfers = halves.transfer_points[halves.driver_kept[rows]][:, halves.constructor_kept]
    # Added in the order of `row_bests`, so that the best of a row equals its bound to the last bit.
    totals = np.round(driver_totals[rows, None] + transfers + constructor_totals, POINTS_DECIMALS)
    which, constructors = np.nonzero(legal_pairs(problem, halves, rows) & (totals >= threshold))
    totals, drivers = totals[which, constructors], rows[which]
    costs = halves.driver_costs[drivers] + halves.constructor_costs[constructors]
    order = np.lexsort((constructors, drivers, costs, -totals))
    return drivers[order], constructors[order]


def legal_pairs(problem: LineupProblem, halves: Halves, rows: np.ndarray) -> np.ndarray:
    """Return which pairs of halves fit the budget and the number of assets of one team.

    Parameters
    ----------
    problem
        The limits; its points are not used.
    halves
        Its halves.
    rows
        Driver halves to pair, R of them.

    Returns
    -------
    numpy.ndarray
        Shape (R, M), booleans.
    """
    legal = halves.constructor_costs <= problem.rules.budget_tenths - halves.driver_costs[rows, None]
    for own, other in zip(halves.driver_crowds, halves.constructor_crowds, strict=True):
        legal &= own[rows, None] + other <= (problem.most_per_team or 0)
    return legal


def far_apart(
    problem: LineupProblem, halves: Halves, drivers: np.ndarray, constructors: np.ndarray, count: int
) -> np.ndarray:
    """Choose from ranked pairs the first, then the next that differs enough from all chosen, and so on.

    Parameters
    ----------
    problem
        The limits; its points are not used.
    halves
        Its halves.
    drivers, constructors
        Driver and constructor halves of the pairs, best first; a pair may come twice.
    count
        Pairs wanted.

    Returns
    -------
    numpy.ndarray
        Places of the pairs chosen, at most `count`.
    """
    size, places = len(problem.driver_ids), np.arange(drivers.size)
    holds = np.zeros((drivers.size, len(problem.asset_keys)), dtype=bool)
    holds[places, halves.driver_rows[:, drivers]] = True
    holds[places, size + halves.constructor_rows[:, constructors]] = True
    most_common = problem.rules.driver_count + problem.rules.constructor_count - problem.min_difference
    chosen: list[int] = []
    while places.size and len(chosen) < count:
        chosen.append(int(places[0]))
        common = holds[:, holds[0]].sum(axis=1)
        apart = common <= most_common
        places, holds = places[apart], holds[apart]
    return np.array(chosen, dtype=np.intp)


def has_team(problem: LineupProblem) -> bool:
    """Return whether any team keeps to the limits."""
    cost = cheapest_cost(problem)
    return cost is not None and cost <= problem.rules.budget_tenths


def cheapest_cost(problem: LineupProblem) -> int | None:
    """Find what the cheapest team costs, whatever the budget is.

    Parameters
    ----------
    problem
        The menu and the limits.

    Returns
    -------
    int or None
        Tenths of a million; None when the limits other than the budget leave no team.
    """
    halves = halves_of(problem)
    if not halves.driver_costs.size or not halves.constructor_costs.size:
        return None
    if problem.most_per_team is None:
        return int(halves.driver_costs.min() + halves.constructor_costs.min())
    rich = problem.under_limitless()
    costs = halves.driver_costs[:, None] + halves.constructor_costs
    legal = legal_pairs(rich, halves, np.arange(halves.driver_costs.size))
    return int(costs[legal].min()) if legal.any() else None


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
        No team keeps to the limits.
    """
    return best_lineups(problem.with_points(actual_points), count)


def affordable_team_count(problem: LineupProblem) -> int:
    """Count the teams that fit the budget, whatever the other limits are.

    Parameters
    ----------
    problem
        The menu and the budget.

    Returns
    -------
    int
        Number of distinct asset sets, 0 when none fits; where the boost goes is not counted.
    """
    _, affordable, _ = _by_budget(problem)
    return int(affordable.sum())


def mean_affordable_points(problem: LineupProblem) -> float:
    """Average the points over every team within the budget and every boost it could have chosen.

    What a manager without any skill scores who starts afresh: each affordable asset set is equally likely, and so
    is each of its drivers as the boosted one. Limits other than the budget are not looked at.

    Parameters
    ----------
    problem
        The menu and the budget.

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
    driver_rows, affordable, constructor_rows = _by_budget(problem)
    weight = 1 + (problem.rules.boost_multiplier - 1) / problem.rules.driver_count
    driver_sums = sum_rows(problem.driver_points, driver_rows)
    prefix_sums = np.concatenate(([0.0], np.cumsum(sum_rows(problem.constructor_points, constructor_rows))))
    # Not a dot product: its threads make it slower at this size, and its order of adding is not fixed.
    total = weight * (affordable * driver_sums).sum() + prefix_sums[affordable].sum()
    return float(total / affordable.sum())


def _by_budget(problem: LineupProblem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return driver halves, how many constructor halves each can afford, and those halves in order of cost."""
    driver_rows = combination_rows(len(problem.driver_ids), problem.rules.driver_count)
    constructor_rows = combination_rows(len(problem.constructor_ids), problem.rules.constructor_count)
    costs = sum_rows(problem.constructor_prices, constructor_rows)
    order = np.argsort(costs, kind="stable")
    left = problem.rules.budget_tenths - sum_rows(problem.driver_prices, driver_rows)
    return driver_rows, np.searchsorted(costs[order], left, side="right"), constructor_rows[:, order]
