"""One race of a team as a line-up problem: what its menu, money and transfers allow.

Belongs here: the step from the game's values (`RaceMenu`, `Team`) to the arrays of `LineupProblem`, drivers by seat.
Neighbours: `policies` decide with it, `steps.race_choice` answers with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, LineupRules
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.settlement import inactive_points
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.plan_problem import team_of
from f1_pipeline.optimize.problem import Held, LineupProblem


def team_problem(
    menu: RaceMenu, points: Mapping[AssetKey, float], rules: SeasonRules, team: Team | None = None
) -> LineupProblem:
    """Say what a team may field at a race.

    Parameters
    ----------
    menu : RaceMenu
        What can be held at the lock, drivers by seat.
    points : mapping of AssetKey to float
        Points of every asset that takes part.
    rules : SeasonRules
    team : Team, optional
        Your team; without one it is a fresh start.

    Returns
    -------
    LineupProblem
        Ids are seats and constructors. Who is held and sits out costs the penalty of the rules, and can only be kept.
    """
    held = () if team is None else team.lineup.asset_keys
    prices = {key: price for key, price in menu.prices.items() if menu.is_active(key) or key in held}
    if team is not None:
        known = zip(held, team.price_tenths, strict=True)
        prices = {key: price for key, price in known if key not in prices} | prices
    budget = rules.team.budget_tenths
    if team is not None:
        budget = team.bank_tenths + sum(prices[key] for key in held)
    return _problem(menu, points, rules, prices, budget, None if team is None else _held(team, rules))


def whole_menu(menu: RaceMenu, points: Mapping[AssetKey, float], rules: SeasonRules) -> LineupProblem:
    """List everything that some team can hold at a race, whoever sits out included.

    Parameters
    ----------
    menu : RaceMenu
    points : mapping of AssetKey to float
        Points of every asset that takes part.
    rules : SeasonRules

    Returns
    -------
    LineupProblem
        Of a fresh start, which can hold nobody who sits out.
    """
    return _problem(menu, points, rules, menu.prices, rules.team.budget_tenths, None)


def _problem(
    menu: RaceMenu,
    points: Mapping[AssetKey, float],
    rules: SeasonRules,
    prices: Mapping[AssetKey, int],
    budget_tenths: int,
    held: Held | None,
) -> LineupProblem:
    idle = frozenset(key for key in prices if not menu.is_active(key))
    penalty = float(inactive_points(((DRIVER, ""),), menu, rules))
    worth = {key: penalty if key in idle else float(points[key]) for key in prices}
    drivers, constructors = (sorted(key for key in prices if key[0] == kind) for kind in (DRIVER, CONSTRUCTOR))
    return LineupProblem(
        driver_ids=tuple(asset_id for _, asset_id in drivers),
        driver_prices=np.array([prices[key] for key in drivers]),
        driver_points=np.array([worth[key] for key in drivers]),
        constructor_ids=tuple(asset_id for _, asset_id in constructors),
        constructor_prices=np.array([prices[key] for key in constructors]),
        constructor_points=np.array([worth[key] for key in constructors]),
        rules=LineupRules(rules.team.driver_count, rules.team.constructor_count, budget_tenths, rules.boost.multiplier),
        race_key=menu.race_key,
        held=held,
        only_if_held=idle,
        team_of={key: team_of(key) for key in prices},
    )


def _held(team: Team, rules: SeasonRules) -> Held:
    is_free = team.races_played == 0
    return Held(
        drivers=team.drivers,
        constructors=team.constructors,
        free_transfers=None if is_free else team.free_transfers,
        extra_points=0.0 if is_free else float(rules.transfers.extra_points),
    )
