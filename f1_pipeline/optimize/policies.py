"""Policies: what a manager does at a lock, given what is known there.

Belongs here: ways to decide, as values with a name, each a pure function of what a manager sees. Not here: reading
forecasts (`steps.coming_races`), playing a season (`steps.backtest`), the solvers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from f1_pipeline.game.chips import FinalFix
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.team import LockedTeam
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.plan import solve_plan
from f1_pipeline.optimize.plan_model import as_chip
from f1_pipeline.optimize.plan_problem import PlanProblem, PlanSettings
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.team_problem import team_problem


@dataclass(frozen=True)
class Policy:
    """A way to play.

    Attributes
    ----------
    name : str
    forecast : str
        Whose expectations it goes by: ``published`` or the name of a baseline.
    horizon : int
        Races it looks at: 1 decides for the coming race alone, by enumeration; more plan ahead.
    values_money : bool
        Whether it counts what expected changes of price are worth in the races beyond.
    has_chips : bool
        Whether it plays chips.
    """

    name: str
    forecast: str = "published"
    horizon: int = 1
    values_money: bool = True
    has_chips: bool = False


def decide(
    policy: Policy, problem: PlanProblem, races_after: int, settings: PlanSettings, chip: str | None = None
) -> Decision:
    """Decide at a lock.

    Parameters
    ----------
    policy : Policy
    problem : PlanProblem
        The race and as many later ones as the policy looks at, with the team.
    races_after : int
        Races of the season beyond those.
    settings : PlanSettings
        Of rolling plans.
    chip : str, optional
        Chip to play at this race.

    Returns
    -------
    Decision
    """
    slope = money_slope(first_race(problem)) if policy.values_money and races_after else 0.0
    money_value = slope * races_after
    if policy.horizon == 1 and chip is None:
        return Decision(best_lineups(with_money(problem, money_value), 1)[0].lineup)
    played = {} if chip is None else {problem.race_keys[0]: chip}
    wanted = replace(settings, money_value=money_value, chips=tuple(played.values()), forced_chips=played)
    first = solve_plan(problem, wanted).races[0]
    return Decision(first.lineup, as_chip(first.chip, first.extra_boosted_driver))


def final_fix(locked: LockedTeam, remaining: Mapping[str, float]) -> tuple[FinalFix, float] | None:
    """Find the best swap after qualifying.

    Parameters
    ----------
    locked : LockedTeam
        The team after the lock, without a chip.
    remaining : mapping of str to float
        Points that each driver, by seat, is expected to score in the sessions that remain.

    Returns
    -------
    tuple of FinalFix and float, or None
        The swap and the points that it adds; none when no swap adds any.
    """
    menu, lineup = locked.menu, locked.fielded
    price_of = dict(zip(locked.kept.lineup.asset_keys, locked.kept.price_tenths, strict=True))
    coming = [seat for seat in menu.seats.values() if seat in remaining and seat not in lineup.drivers]
    best: tuple[FinalFix, float] | None = None
    for out in lineup.drivers:
        funds = locked.kept.bank_tenths + price_of[DRIVER, out]
        weight = locked.kept.rules.boost.multiplier if out == lineup.boosted_driver else 1
        for seat in (seat for seat in coming if menu.prices[DRIVER, seat] <= funds):
            gain = weight * (remaining[seat] - remaining.get(out, 0.0))
            if gain > (best[1] if best else 0.0):
                best = (FinalFix(out, seat), gain)
    return best


def with_money(problem: PlanProblem, money_value: float) -> LineupProblem:
    """Add to the points of each asset what its expected change of price is worth.

    Parameters
    ----------
    problem : PlanProblem
        Its first race, and the prices expected after it.
    money_value : float
        Points per million dollars.

    Returns
    -------
    LineupProblem
        A boost multiplies points alone.
    """
    race = first_race(problem)
    after = problem.prices[1] if len(problem.menus) > 1 else problem.last_prices
    steps = dict(zip(problem.assets, (after - problem.prices[0]) / 10, strict=True))
    worth = [money_value * float(steps[key]) for key in race.asset_keys]
    count = len(race.driver_ids)
    return replace(
        race,
        driver_points=race.driver_points + worth[:count],
        constructor_points=race.constructor_points + worth[count:],
        driver_boost_points=race.boost_points,
    )


def first_race(problem: PlanProblem) -> LineupProblem:
    """Make the line-up problem of the first race of a plan."""
    points = {key: float(value) for key, value in zip(problem.assets, problem.points[0], strict=True)}
    return team_problem(problem.menus[0], points, problem.rules, problem.team)


def money_slope(problem: LineupProblem, step_tenths: int = 150) -> float:
    """Say what a million dollars more brings in one race, with every asset open to choice.

    Parameters
    ----------
    problem : LineupProblem
        Its team and limits are not looked at.
    step_tenths : int
        How much more money, in tenths of a million: a team grows by some 15 million within half a season, and with
        less the steps from line-up to line-up are coarse.

    Returns
    -------
    float
        Points per million, 0 or more.
    """
    free = replace(problem, held=None, bans=problem.only_if_held)
    more = replace(free.rules, budget_tenths=free.rules.budget_tenths + step_tenths)
    gained = best_lineups(replace(free, rules=more), 1)[0].points - best_lineups(free, 1)[0].points
    return gained / (step_tenths / 10)
