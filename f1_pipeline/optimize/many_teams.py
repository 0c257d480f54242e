"""What many teams should do at one race: transfers, boost and chip.

Belongs here: the tables of a race that all teams share, and the choice of each team's chip. Neighbours:
`transfer_frontiers` finds the line-ups, `many_chips` weighs the two chips whose gain no sum of points tells,
`chip_gains` does the same for one team, `steps.recommend` brings teams and forecasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.chip_gains import WeekendViews, floored
from f1_pipeline.optimize.many_chips import EQUAL_POINTS, AutopilotHalves, FinalFixOffers
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.team_market import ANY_NUMBER, BILLIONTHS, Found, HeldTeams, Market, Worth, billionths
from f1_pipeline.optimize.transfer_frontiers import best_after_transfers, best_halves_after_transfers, best_of_all

NO_CHIP = -1
_ORDER = ("wildcard", "limitless", "no_negative", "extra_boost", "autopilot", "final_fix")
"""The quickest first: once a chip is far above its worth unplayed, few others can be further."""


@dataclass(frozen=True, eq=False)
class RaceTables:
    """A race as all teams meet it.

    Attributes
    ----------
    race_key : str
    market : Market
    worth : Worth
        Without a chip.
    worth_under : dict of str to Worth
        Under the chips that change what assets are worth: `extra_boost`, `no_negative`.
    autopilot : AutopilotHalves or None
    final_fix : FinalFixOffers or None
    keep_points : dict of str to float
        What each chip is worth after this race, unplayed; infinite while nothing is known.
    from_race : dict of str to int
        Race of a team from which it may play each chip.
    extra_points : float
        Points of each transfer above the free ones, 0 or less.
    idle_seats : frozenset of str
        Drivers who take no part; they can be kept.
    """

    race_key: str
    market: Market
    worth: Worth
    worth_under: Mapping[str, Worth]
    autopilot: AutopilotHalves | None
    final_fix: FinalFixOffers | None
    keep_points: Mapping[str, float]
    from_race: Mapping[str, int]
    extra_points: float
    idle_seats: frozenset[str]

    @property
    def chips(self) -> tuple[str, ...]:
        """Name all chips, sorted."""
        return tuple(sorted(self.from_race))

    def arrays(self) -> list[np.ndarray]:
        """Return all numbers that advice follows from, prices apart."""
        worths = [self.worth, *(worth for _, worth in sorted(self.worth_under.items()))]
        drawn = [] if self.autopilot is None else [self.autopilot.draws]
        drawn += [] if self.final_fix is None else [self.final_fix.remaining]
        return [values for each in worths for values in (each.drivers, each.boosted, each.constructors)] + drawn

    def most_gain(self, name: str) -> float:
        """Bound what a chip adds to any team, in points."""
        if name in self.worth_under:
            return self._most_gains[name]
        if name == "autopilot":
            return self.autopilot.most_gain if self.autopilot else -np.inf
        return -np.inf if name == "final_fix" and self.final_fix is None else np.inf

    @cached_property
    def _most_gains(self) -> dict[str, float]:
        """What the line-up gains that gains most: whoever reaches it with a chip reaches it without."""
        rows, pairs = self.market.halves(self.market.closed_mask).rows, self.market.pairs
        gains = {}
        for name, worth in self.worth_under.items():
            drivers = worth.of(rows, worth.boosts) - self.worth.of(rows, self.worth.boosts)
            constructors = (worth.constructors - self.worth.constructors)[pairs].sum(axis=1)
            gains[name] = float(drivers.max() + constructors.max()) / BILLIONTHS
        return gains


@dataclass(frozen=True, eq=False)
class Advice:
    """What T teams should do.

    Attributes
    ----------
    found : Found
        The line-up to field, with the chip; its points count everything, Final Fix as well.
    chips : ndarray of int, shape (T,)
        Places in `RaceTables.chips`, `NO_CHIP` to keep them all.
    chip_points : ndarray of shape (T,)
        What the chip adds to the best line-up without one, 0 for none.
    """

    found: Found
    chips: np.ndarray
    chip_points: np.ndarray


def race_tables(
    problem: LineupProblem,
    views: WeekendViews,
    rules: SeasonRules,
    unknown: frozenset[AssetKey],
    keep_points: Mapping[str, float],
) -> RaceTables:
    """Arrange a race for many teams.

    Parameters
    ----------
    problem : LineupProblem
        Everything that any team can hold, of nobody's money; see `team_problem.whole_menu`.
    views : WeekendViews
        Of the problem's assets.
    rules : SeasonRules
    unknown : frozenset of AssetKey
        Assets of which nothing is known, which nobody should buy.
    keep_points : mapping of str to float
        Chips that are missing are never played.

    Returns
    -------
    RaceTables
    """
    is_open = ~problem.mask(problem.only_if_held | unknown)
    count = len(problem.driver_ids)
    market = Market(
        driver_ids=problem.driver_ids,
        driver_prices=problem.driver_prices,
        driver_is_open=is_open[:count],
        constructor_ids=problem.constructor_ids,
        constructor_prices=problem.constructor_prices,
        constructor_is_open=is_open[count:],
        driver_count=problem.rules.driver_count,
        constructor_count=problem.rules.constructor_count,
    )
    under = {"extra_boost": replace(problem, extra_boost=rules.chips.extra_boost.multiplier)}
    if views.no_negative_points is not None:
        under["no_negative"] = floored(problem, views.no_negative_points)
    worth = _worth(problem)
    more = problem.rules.boost_multiplier - 1
    is_idle = problem.mask(problem.only_if_held)[:count]
    draws, remaining = views.draws, views.remaining_draws
    return RaceTables(
        race_key=problem.race_key or "",
        market=market,
        worth=worth,
        worth_under={name: _worth(changed) for name, changed in under.items()},
        autopilot=None
        if draws is None
        else AutopilotHalves(market, worth, np.where(is_idle, 0.0, draws[:, :count]), more),
        final_fix=None
        if remaining is None
        else FinalFixOffers(market, np.where(is_idle, 0.0, remaining), is_idle, more),
        keep_points=dict(keep_points),
        from_race={name: getattr(rules.chips, name).from_race for name in rules.chips.names},
        extra_points=float(rules.transfers.extra_points),
        idle_seats=frozenset(asset_id for _, asset_id in problem.only_if_held),
    )


def _worth(problem: LineupProblem) -> Worth:
    return Worth(
        drivers=billionths(problem.driver_points),
        boosted=billionths(problem.boost_points),
        constructors=billionths(problem.constructor_points),
        boosts=tuple(multiplier - 1.0 for multiplier in problem.boosts),
    )


def advise(tables: RaceTables, teams: HeldTeams, may_play: np.ndarray, most: int) -> Advice:
    """Find the best line-up and chip of each team.

    Parameters
    ----------
    tables : RaceTables
    teams : HeldTeams
    may_play : ndarray of bool, shape (T, chips)
        Chips that each team has and may play at this race, in the order of `RaceTables.chips`.
    most : int
        Transfers at most, unless any number is free.

    Returns
    -------
    Advice
        The chip whose gain is the furthest above its worth unplayed, if any reaches it; see `chip_timing.chip_to_play`.
    """
    base = _best(tables, tables.worth, teams, most)
    above = np.zeros(len(teams))
    advice = Advice(base.copy(), np.full(len(teams), NO_CHIP), np.zeros(len(teams)))
    for name in sorted(tables.chips, key=_ORDER.index):
        chip, keep = tables.chips.index(name), tables.keep_points.get(name, np.inf)
        is_open = may_play[:, chip] & np.isfinite(keep)
        places = np.flatnonzero(is_open & (keep + above <= tables.most_gain(name) + EQUAL_POINTS))
        if places.size:
            found = _under_chip(tables, name, teams.at(places), base.at(places), keep + above[places], most)
            gains = np.maximum(found.points - base.points[places], 0.0) / BILLIONTHS
            margins = gains - keep
            is_better = (margins > above[places]) | ((margins == above[places]) & (chip > advice.chips[places]))
            is_better &= gains > 0
            chosen = places[is_better]
            advice.found.put(chosen, found.at(is_better))
            advice.chips[chosen], advice.chip_points[chosen] = chip, gains[is_better]
            above[chosen] = margins[is_better]
    return advice


def held_points(tables: RaceTables, teams: HeldTeams, boosted: np.ndarray) -> np.ndarray:
    """Say what each team scores when it does nothing.

    Parameters
    ----------
    tables : RaceTables
    teams : HeldTeams
    boosted : ndarray of shape (T,)
        Row of the driver who has the boost, -1 where it is not known: then on the best.

    Returns
    -------
    ndarray of shape (T,)
        Billionths.
    """
    worth = tables.worth
    best = worth.boosted[teams.drivers].max(axis=1)
    own = np.where(boosted >= 0, worth.boosted[boosted], best)
    assets = worth.drivers[teams.drivers].sum(axis=1)
    assets += worth.constructors[tables.market.pairs[teams.pairs]].sum(axis=1)
    return assets + np.rint(worth.boosts[0] * own)


def boosted_drivers(worth: Worth, drivers: np.ndarray) -> np.ndarray:
    """Put the boosts of line-ups on their best drivers.

    Parameters
    ----------
    worth : Worth
    drivers : ndarray of shape (T, driver_count)
        Rows, ascending.

    Returns
    -------
    ndarray of shape (T, boosts)
        Rows of the drivers, in the order of the boosts; of equally good ones the first by id comes first.
    """
    order = np.argsort(-worth.boosted[drivers], axis=1, kind="stable")[:, : len(worth.boosts)]
    return np.take_along_axis(drivers, order, axis=1)


def _best(tables: RaceTables, worth: Worth, teams: HeldTeams, most: int) -> Found:
    found = Found.nothing(len(teams), tables.market.driver_count)
    is_any = teams.free_transfers == ANY_NUMBER
    for places, is_free in ((np.flatnonzero(is_any), True), (np.flatnonzero(~is_any), False)):
        if places.size:
            own = teams.at(places)
            found.put(
                places,
                best_of_all(tables.market, worth, own)
                if is_free
                else best_after_transfers(tables.market, worth, own, most, tables.extra_points),
            )
    return found


def _under_chip(tables: RaceTables, name: str, teams: HeldTeams, base: Found, wanted: np.ndarray, most: int) -> Found:
    """Find the best line-ups under a chip; where it cannot add the points that are wanted, maybe others."""
    market = tables.market
    if name == "wildcard":
        return best_of_all(market, tables.worth, teams)
    if name == "limitless":
        everything = int(market.driver_prices.sum() + market.constructor_prices.sum())
        rich = replace(teams, budget_tenths=np.full_like(teams.budget_tenths, everything))
        return best_of_all(market, tables.worth, rich)
    if name == "autopilot" and tables.autopilot is not None:
        halves, points = tables.autopilot.worthwhile(float(wanted.min()))
        return best_halves_after_transfers(market, halves, points, tables.worth, teams, most, tables.extra_points)
    if name == "final_fix" and tables.final_fix is not None:
        costs = market.driver_prices[base.drivers].sum(axis=1) + market.pair_costs[base.pairs]
        boosted = boosted_drivers(tables.worth, base.drivers)[:, 0]
        gains = tables.final_fix.gains(base.drivers, boosted, teams.budget_tenths - costs, wanted)
        return replace(base, points=base.points + billionths(gains))
    if name in tables.worth_under:
        return _best(tables, tables.worth_under[name], teams, most)
    return base
