"""What each chip adds at one race, over the best team without a chip.

Belongs here: the gain of playing a chip at the coming race, as it looks at its lock. Neighbours: `chip_timing` weighs
it against later races, `enumeration` and `autopilot` find the teams.

A gain is of the whole decision: with the chip the best team may be another one. Final Fix is the exception; it is
played after the lock, with the best team without a chip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.autopilot import best_autopilot
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.risk import draw_matrix, with_means


@dataclass(frozen=True, eq=False)
class WeekendViews:
    """What is expected of a weekend beside its points, in the order of the problem's assets.

    Attributes
    ----------
    draws : ndarray of shape (n, assets) or None
        Joint draws of points; Autopilot needs them.
    no_negative_points : ndarray of shape (assets,) or None
        Expected points under No Negative.
    remaining_draws : ndarray of shape (n, drivers) or None
        What will be expected, once qualifying is over, of the sessions that remain then; Final Fix needs them.
    """

    draws: np.ndarray | None = None
    no_negative_points: np.ndarray | None = None
    remaining_draws: np.ndarray | None = None


@dataclass(frozen=True)
class ChipGain:
    """What a chip adds at a race.

    Attributes
    ----------
    name : str
    points : float
        Gain over the best team without a chip, 0 or more.
    ranked : RankedLineup
        The team to field with it.
    offers : ndarray of shape (k,)
        What it may turn out to add by the time it is decided on, each as likely: its points alone, but for Final Fix,
        which is decided after qualifying.
    """

    name: str
    points: float
    ranked: RankedLineup
    offers: np.ndarray


def chip_gains(
    problem: LineupProblem, views: WeekendViews, rules: SeasonRules, names: tuple[str, ...] | None = None
) -> dict[str, ChipGain]:
    """Say what each chip adds.

    Parameters
    ----------
    problem : LineupProblem
        The race, with the team's money and transfers.
    views : WeekendViews
        Chips that need what is missing here are left out.
    rules : SeasonRules
    names : tuple of str, optional
        Chips to look at; all by default.

    Returns
    -------
    dict of str to ChipGain

    Raises
    ------
    SolverError
        No team keeps to the limits.
    """
    base = best_lineups(problem, 1)[0]
    found: dict[str, ChipGain] = {}

    def note(name: str, ranked: RankedLineup, points: float) -> None:
        found[name] = ChipGain(name, max(points, 0.0), ranked, np.array([max(points, 0.0)]))

    for name in rules.chips.names if names is None else names:
        if name == "extra_boost":
            best = best_lineups(replace(problem, extra_boost=rules.chips.extra_boost.multiplier), 1)[0]
            note(name, best, best.points - base.points)
        elif name in ("wildcard", "limitless"):
            freed = problem.under_wildcard() if name == "wildcard" else problem.under_limitless()
            best = best_lineups(freed, 1)[0]
            note(name, best, best.points - base.points)
        elif name == "no_negative" and views.no_negative_points is not None:
            best = best_lineups(floored(problem, views.no_negative_points), 1)[0]
            note(name, best, best.points - base.points)
        elif name == "autopilot" and views.draws is not None:
            on_draws = best_lineups(with_means(problem, draw_matrix(problem, views.draws)), 1)[0]
            judged = best_autopilot(problem, views.draws, 1)[0]
            note(name, judged.ranked, judged.objective - on_draws.points)
        elif name == "final_fix" and views.remaining_draws is not None:
            offers = final_fix_gains(problem, base, views.remaining_draws)
            found[name] = ChipGain(name, float(offers.mean()), base, offers)
    return found


def floored(problem: LineupProblem, no_negative_points: np.ndarray) -> LineupProblem:
    """Put points under No Negative on the menu; who sits out still costs his penalty, and none scores less than before.

    Parameters
    ----------
    problem : LineupProblem
    no_negative_points : ndarray of shape (assets,)

    Returns
    -------
    LineupProblem
    """
    count = len(problem.driver_ids)
    idle = problem.mask(problem.only_if_held)
    before = np.concatenate([problem.driver_points, problem.constructor_points])
    points = np.where(idle, before, np.maximum(no_negative_points, before))
    return replace(
        problem,
        driver_points=points[:count],
        constructor_points=points[count:],
        driver_boost_points=np.where(idle[:count], 0.0, points[:count]),
    )


def final_fix_gains(problem: LineupProblem, team: RankedLineup, remaining_draws: np.ndarray) -> np.ndarray:
    """Say what the best swap after qualifying adds to a team, weekend by weekend.

    Parameters
    ----------
    problem : LineupProblem
    team : RankedLineup
        The team at the lock.
    remaining_draws : ndarray of shape (n, drivers)
        What is expected of each driver's remaining sessions, as it will look after qualifying of each weekend.

    Returns
    -------
    ndarray of shape (n,)
        Points, 0 where no swap helps; who comes in takes over the boost of who goes.
    """
    row = {driver: at for at, driver in enumerate(problem.driver_ids)}
    bank = problem.rules.budget_tenths - team.cost_tenths
    held = [row[driver] for driver in team.lineup.drivers]
    idle = problem.mask(problem.only_if_held)
    best = np.zeros(len(remaining_draws))
    for out in held:
        funds = bank + problem.driver_prices[out]
        coming = [
            at for at, price in enumerate(problem.driver_prices) if at not in held and price <= funds and not idle[at]
        ]
        if coming:
            weight = problem.rules.boost_multiplier if out == row[team.lineup.boosted_driver] else 1.0
            gone = 0.0 if (DRIVER, problem.driver_ids[out]) in problem.only_if_held else remaining_draws[:, out]
            best = np.maximum(best, weight * (remaining_draws[:, coming].max(axis=1) - gone))
    return best
