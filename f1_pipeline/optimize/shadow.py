"""What the limits of one race are worth: the points of another million, of another transfer, of each pick.

Here: how the points of the best team change with a limit, found by solving again, at the expected points and in
scenarios of them. Not here: finding the best team (`f1_pipeline.optimize.enumeration`), and what money and transfers
are worth in later races.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.optimize.enumeration import (
    best_lineups,
    best_pairs,
    half_totals,
    halves_of,
    has_team,
    row_bests,
)
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.risk import draw_matrix, with_means

MILLION_TENTHS = 10


@dataclass(frozen=True)
class Difference:
    """By how much the points of the best team change.

    Parameters
    ----------
    points
        At the expected points.
    p10_points, p90_points
        Quantiles over the scenarios, the team chosen anew in each; None without scenarios.
    """

    points: float
    p10_points: float | None
    p90_points: float | None


@dataclass(frozen=True)
class PickCost:
    """What it costs to do without one asset of the best team.

    Parameters
    ----------
    key
        The asset.
    without
        The best team that does not hold it; None when there is none.
    points_lost
        Points of the best team less those of that team, negative where a lock costs points; None when there is none.
    replacements
        Assets of that team which the best team does not hold.
    """

    key: AssetKey
    without: RankedLineup | None
    points_lost: float | None
    replacements: tuple[AssetKey, ...]


@dataclass(frozen=True)
class ShadowValues:
    """What the limits of a race are worth.

    Parameters
    ----------
    best
        The best team.
    million_more, million_less
        The change with a million more and with a million less; None when no team fits then.
    transfer_more, transfer_less
        The change with a free transfer more and less; None when transfers are free, and less when none is.
    picks
        One per asset of the best team, in the order of its line-up.
    """

    best: RankedLineup
    million_more: Difference | None
    million_less: Difference | None
    transfer_more: Difference | None
    transfer_less: Difference | None
    picks: tuple[PickCost, ...]


def shadow_values(problem: LineupProblem, scenarios: np.ndarray | None = None) -> ShadowValues:
    """Measure what the limits of a race are worth.

    Parameters
    ----------
    problem
        The menu and the limits.
    scenarios
        Shape (scenarios, assets), expected points of every asset in the order of `asset_keys` as they might have been
        forecast; boosts multiply them, but for the drivers `only_if_held`.

    Returns
    -------
    ShadowValues
        All found by solving again.

    Raises
    ------
    DataError
        The scenarios are not finite or not of that shape.
    SolverError
        No team keeps to the limits.
    """
    best = best_lineups(problem, 1)[0]
    menus = [problem, *_menus(problem, scenarios)]
    here = _best_points(problem, menus)

    def difference(changed: LineupProblem | None) -> Difference | None:
        if changed is None or not has_team(changed):
            return None
        change = _best_points(changed, menus) - here
        low, high = (None, None) if scenarios is None else np.quantile(change[1:], [0.1, 0.9]).tolist()
        return Difference(float(change[0]), low, high)

    return ShadowValues(
        best=best,
        million_more=difference(_with_budget(problem, MILLION_TENTHS)),
        million_less=difference(_with_budget(problem, -MILLION_TENTHS)),
        transfer_more=difference(_with_transfers(problem, 1)),
        transfer_less=difference(_with_transfers(problem, -1)),
        picks=tuple(_pick_cost(problem, best, key) for key in best.lineup.asset_keys),
    )


def _menus(problem: LineupProblem, scenarios: np.ndarray | None) -> list[LineupProblem]:
    """Put the points of each scenario on the menu."""
    if scenarios is None:
        return []
    checked = draw_matrix(problem, scenarios)
    return [with_means(problem, row[None, :]) for row in checked]


def _with_budget(problem: LineupProblem, more_tenths: int) -> LineupProblem | None:
    budget = problem.rules.budget_tenths + more_tenths
    return replace(problem, rules=replace(problem.rules, budget_tenths=budget)) if budget >= 0 else None


def _with_transfers(problem: LineupProblem, more: int) -> LineupProblem | None:
    held = problem.held
    if held is None or held.free_transfers is None or held.free_transfers + more < 0:
        return None
    return replace(problem, held=replace(held, free_transfers=held.free_transfers + more))


def _best_points(limits: LineupProblem, menus: Sequence[LineupProblem]) -> np.ndarray:
    """Return the points of the best team within some limits, at the points of each menu."""
    halves = halves_of(limits)
    points = np.empty(len(menus))
    for at, menu in enumerate(menus):
        drivers, constructors = half_totals(menu, halves)
        if limits.most_per_team is None:
            points[at] = row_bests(halves, drivers, constructors, limits.rules.budget_tenths).max()
        else:
            (row,), (column,) = best_pairs(limits, halves, drivers, constructors, 1)
            transfers = halves.transfer_points[halves.driver_kept[row], halves.constructor_kept[column]]
            points[at] = drivers[row] + transfers + constructors[column]
    return points


def _pick_cost(problem: LineupProblem, best: RankedLineup, key: AssetKey) -> PickCost:
    without = replace(problem, locks=problem.locks - {key}, bans=problem.bans | {key})
    try:
        other = best_lineups(without, 1)[0]
    except SolverError:
        return PickCost(key, None, None, ())
    new = tuple(other_key for other_key in other.lineup.asset_keys if other_key not in best.lineup.asset_keys)
    return PickCost(key, other, best.points - other.points, new)
