"""The best line-up of many teams at one race: what they keep, joined with the best that their money can add.

Belongs here: the search, on arrays, for teams that differ in what they hold, in money and in transfers. It is exact.
Neighbours: `team_market` has the values, `many_teams` weighs chips, `enumeration` finds the best line-ups of one team,
by the same rules and with the same order among equals: points, then cost, then the ids of drivers, then those of
constructors.

A line-up is a part of the held drivers, a bundle of drivers bought and a pair of constructors. All bundles of a size
are listed once for a race, by cost. For each set of held drivers a running maximum over the bundles without any of them
is a frontier: what the best bundle for so much money is worth. Three frontiers, for one to three drivers, are some
1,800 numbers, where a team may choose among 8,246 driver halves and 55 pairs. A team then looks up, for each part it
may keep and each pair, the best bundle for the money that is left.

The boost is on the best driver kept or on the best one bought: each way is a frontier of its own, and the better way
is the true one, since no other driver has more to double. Two boosts go four ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from f1_pipeline.optimize.enumeration import combination_rows
from f1_pipeline.optimize.team_market import ANY_NUMBER, BILLIONTHS, Bundles, Found, HeldTeams, Market, Worth

_AT_ONCE = 256
"""Teams searched together: their frontiers then stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Constructor halves that T teams may field, Q of them each, and what they leave and bring."""

    rows: np.ndarray
    changes: np.ndarray
    left_tenths: np.ndarray
    points: np.ndarray

    def first(self, count: int, transfer_points: np.ndarray) -> _Pairs:
        """Take the first halves, the cost of transfers added."""
        return _Pairs(
            self.rows[:, :count],
            self.changes[:count],
            self.left_tenths[:, :count],
            self.points[:, :count] + transfer_points,
        )


@dataclass(frozen=True, eq=False)
class _Layer:
    """Line-ups of one kind: what they keep, the frontiers that complete it, and what each choice comes to.

    `totals` has one array of shape (T, parts kept, Q) for each of `frontiers`, which have shape (rows, M + 1): the
    entry n of a row is the best of the n cheapest bundles. A team looks at the row `at`.
    """

    bundles: Bundles
    frontiers: list[np.ndarray]
    at: np.ndarray
    kept: np.ndarray
    pairs: _Pairs
    reached: np.ndarray
    totals: list[np.ndarray]


def best_after_transfers(market: Market, worth: Worth, teams: HeldTeams, most: int, extra_points: float) -> Found:
    """Find the best line-up that each team reaches by its transfers.

    Parameters
    ----------
    market : Market
    worth : Worth
    teams : HeldTeams
        With a number of free transfers.
    most : int
        Transfers at most.
    extra_points : float
        Points of each transfer above the free ones, 0 or less.

    Returns
    -------
    Found
    """
    sizes = range(min(most, market.driver_count) + 1)
    values = [[worth.of(market.bundles[size].rows, bought) for bought, _ in worth.ways] for size in sizes]

    def layers(own: HeldTeams, pairs: _Pairs) -> list[_Layer]:
        masks, first, at = _distinct(market, own)
        made = []
        for size in sizes:
            bundles = market.bundles[size]
            is_free = (bundles.masks & masks[:, None]) == 0
            frontiers = [_frontier(np.where(is_free, points, -np.inf)) for points in values[size]]
            kept = own.drivers[first][:, combination_rows(market.driver_count, market.driver_count - size).T]
            charged = _charged(pairs, own, size, most, extra_points)
            parts = [worth.of(kept, left)[at] for _, left in worth.ways]
            made.append(_layer(market, bundles, frontiers, at, kept[at], parts, charged))
        return made

    return _in_batches(market, worth, teams, layers)


def best_halves_after_transfers(
    market: Market, halves: Bundles, points: np.ndarray, worth: Worth, teams: HeldTeams, most: int, extra_points: float
) -> Found:
    """Find the best line-up of each team when only whole driver halves have a known worth.

    Parameters
    ----------
    market : Market
    halves : Bundles
        Of `driver_count` drivers.
    points : ndarray of shape (M,)
        What each half is worth, in billionths, boosts included.
    worth : Worth
        That of the constructors.
    teams : HeldTeams
    most : int
        Transfers at most; a team with `ANY_NUMBER` free ones may make more.
    extra_points : float

    Returns
    -------
    Found
        -inf points where no half of the list can be reached.
    """

    def layers(own: HeldTeams, pairs: _Pairs) -> list[_Layer]:
        masks, _, at = _distinct(market, own)
        common = np.bitwise_count(halves.masks & masks[:, None])
        is_open = (halves.masks & market.closed_mask & ~masks[:, None]) == 0
        nothing, none = np.zeros((len(own), 1, 0), dtype=np.intp), np.zeros((len(own), 1))
        made = []
        for size in range(market.driver_count + 1):
            charged = _charged(pairs, own, size, most, extra_points)
            if charged.changes.size:
                allowed = is_open & (common == market.driver_count - size)
                frontier = _frontier(np.where(allowed, points, -np.inf))
                made.append(_layer(market, halves, [frontier], at, nothing, [none], charged))
        return made

    return _in_batches(market, worth, teams, layers)


def best_of_all(market: Market, worth: Worth, teams: HeldTeams) -> Found:
    """Find the best line-up of each team when any number of transfers is free.

    Parameters
    ----------
    market : Market
    worth : Worth
    teams : HeldTeams
        Who may keep what is not open.

    Returns
    -------
    Found
    """
    closed = market.driver_bits[teams.drivers].sum(axis=1) & market.closed_mask
    held = teams.pairs if not market.constructor_is_open.all() else np.zeros_like(teams.pairs)
    alike, first, place = np.unique(
        np.stack([closed, held, teams.budget_tenths]), axis=1, return_index=True, return_inverse=True
    )
    found = Found.nothing(len(first), market.driver_count)
    for mask in np.unique(alike[0]):
        rows = np.flatnonzero(alike[0] == mask)
        own = teams.at(first[rows])
        pairs = _pairs(market, worth, own)
        found.put(rows, _best(market, _free_layers(market, worth, int(mask), pairs)))
    return found.at(place)


def _free_layers(market: Market, worth: Worth, closed: int, pairs: _Pairs) -> list[_Layer]:
    count, layers = len(pairs.rows), []
    keepable = np.flatnonzero(market.driver_bits & closed)
    for size in range(min(keepable.size, market.driver_count) + 1):
        bundles = market.bundles[market.driver_count - size]
        frontiers = [_frontier(worth.of(bundles.rows, bought)[None]) for bought, _ in worth.ways]
        kept = np.repeat(keepable[combination_rows(keepable.size, size).T][None], count, axis=0)
        parts = [worth.of(kept, left) for _, left in worth.ways]
        at = np.zeros(count, dtype=np.intp)
        layers.append(_layer(market, bundles, frontiers, at, kept, parts, pairs))
    return layers


def _in_batches(
    market: Market, worth: Worth, teams: HeldTeams, layers: Callable[[HeldTeams, _Pairs], list[_Layer]]
) -> Found:
    """Search batch by batch, teams with the same drivers together."""
    found = Found.nothing(len(teams), market.driver_count)
    order = np.argsort(market.driver_bits[teams.drivers].sum(axis=1), kind="stable")
    for start in range(0, len(teams), _AT_ONCE):
        places = order[start : start + _AT_ONCE]
        own = teams.at(places)
        found.put(places, _best(market, layers(own, _pairs(market, worth, own))))
    return found


def _distinct(market: Market, teams: HeldTeams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Name the distinct sets of held drivers, a team that holds each, and which set each team holds."""
    return np.unique(market.driver_bits[teams.drivers].sum(axis=1), return_index=True, return_inverse=True)


def _frontier(points: np.ndarray) -> np.ndarray:
    """Turn what bundles are worth, shape (rows, M), into the best of the first n of them, shape (rows, M + 1)."""
    best = np.empty((points.shape[0], points.shape[1] + 1))
    best[:, 0] = -np.inf
    np.maximum.accumulate(points, axis=1, out=best[:, 1:])
    return best


def _pairs(market: Market, worth: Worth, teams: HeldTeams) -> _Pairs:
    rows = market.pair_order[teams.pairs]
    points = worth.constructors[market.pairs].sum(axis=1)
    legal = np.take_along_axis(market.pair_is_legal[teams.pairs], rows, axis=1)
    return _Pairs(
        rows=rows,
        changes=np.sort(market.pair_changes[:, 0]),
        left_tenths=teams.budget_tenths[:, None] - market.pair_costs[rows],
        points=np.where(legal, points[rows], -np.inf),
    )


def _charged(pairs: _Pairs, teams: HeldTeams, bought: int, most: int, extra_points: float) -> _Pairs:
    """Take the pairs that so many drivers bought leave transfers for, and count what the transfers cost."""
    is_any = teams.free_transfers == ANY_NUMBER
    allowed = len(pairs.changes) if is_any.any() else int((pairs.changes + bought <= most).sum())
    made = pairs.changes[:allowed] + bought
    above = np.where(is_any[:, None], 0, np.maximum(made - teams.free_transfers[:, None], 0))
    too_many = ~is_any[:, None] & (made > most)
    return pairs.first(allowed, np.where(too_many, -np.inf, above * (extra_points * BILLIONTHS)))


def _layer(
    market: Market,
    bundles: Bundles,
    frontiers: list[np.ndarray],
    at: np.ndarray,
    kept: np.ndarray,
    kept_points: list[np.ndarray],
    pairs: _Pairs,
) -> _Layer:
    room = pairs.left_tenths[:, None, :] - market.driver_prices[kept].sum(axis=-1)[:, :, None]
    reached = bundles.until[np.clip(room, -1, bundles.dearest) + 1]
    width = len(bundles.costs) + 1
    index = reached + (at * width)[:, None, None]
    totals = [
        frontier.ravel().take(index) + own[:, :, None] + pairs.points[:, None, :]
        for frontier, own in zip(frontiers, kept_points, strict=True)
    ]
    return _Layer(bundles, frontiers, at, kept, pairs, reached, totals)


def _best(market: Market, layers: list[_Layer]) -> Found:
    """Choose the best of all choices of each team, and of equally good ones the first in the order of the project."""
    count = len(layers[0].at)
    tops = [total.reshape(count, -1).max(axis=1) for layer in layers for total in layer.totals]
    best = np.max(tops, axis=0)
    winners = [
        _winners(market, layer, way, best, top == best)
        for (layer, way), top in zip(
            ((layer, way) for layer in layers for way in range(len(layer.totals))), tops, strict=True
        )
    ]
    teams, costs, masks, pairs = (np.concatenate(column) for column in zip(*winners, strict=True))
    order = np.lexsort((pairs, -masks, costs, teams))
    teams, first = np.unique(teams[order], return_index=True)
    chosen = order[first]
    found = Found.nothing(count, market.driver_count)
    found.points[:] = best
    found.pairs[teams] = pairs[chosen]
    holds = (masks[chosen][:, None] & market.driver_bits) > 0
    found.drivers[teams] = np.nonzero(holds)[1].reshape(-1, market.driver_count)
    return found


def _winners(
    market: Market, layer: _Layer, way: int, best: np.ndarray, is_top: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spell out every choice of a layer that is as good as the best: team, cost, drivers as bits, pair."""
    rows = np.flatnonzero(is_top & (best > -np.inf))
    among, parts, places = np.nonzero(layer.totals[way][rows] == best[rows, None, None])
    teams = rows[among]
    frontier, at = layer.frontiers[way], layer.at[teams]
    worth = frontier[at, layer.reached[teams, parts, places]]
    bundle = _first_reaching(frontier, at, worth) - 1  # the cheapest that brings as much
    kept, pairs = layer.kept[teams, parts], layer.pairs.rows[teams, places]
    costs = market.driver_prices[kept].sum(axis=1) + layer.bundles.costs[bundle] + market.pair_costs[pairs]
    masks = market.driver_bits[kept].sum(axis=1) | layer.bundles.masks[bundle]
    return teams, costs, masks, pairs


def _first_reaching(frontier: np.ndarray, at: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Find the first entry of some rows that is not below a value that the row reaches, by bisection."""
    low, high = np.zeros(len(at), dtype=np.int64), np.full(len(at), frontier.shape[1] - 1)
    for _ in range(frontier.shape[1].bit_length()):
        middle = (low + high) // 2
        is_below = frontier[at, middle] < worth
        low, high = np.where(is_below, middle + 1, low), np.where(is_below, high, middle)
    return high
