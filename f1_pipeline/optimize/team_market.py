"""What many teams meet at one race, as arrays: the market, what its assets are worth, what teams hold, what is found.

Belongs here: these values. Neighbours: `transfer_frontiers` searches with them, `many_teams` weighs chips, `problem`
has the arrays of one team.

Points are counted in whole billionths, as `float64`, which is exact up to 9 million points: what is equal on paper is
equal here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.optimize.enumeration import combination_rows
from f1_pipeline.optimize.problem import POINTS_DECIMALS

BILLIONTHS = 10.0**POINTS_DECIMALS
ANY_NUMBER = -1
"""Free transfers of a team before its first race."""


def billionths(points: np.ndarray) -> np.ndarray:
    """Count points in whole billionths."""
    return np.rint(np.asarray(points, dtype=np.float64) * BILLIONTHS)


@dataclass(frozen=True, eq=False)
class Bundles:
    """Sets of drivers of one size (M of them), the cheapest first, of equally dear ones the first by id.

    Attributes
    ----------
    rows : ndarray of shape (M, size)
        Drivers of the market.
    costs : ndarray of shape (M,)
        Tenths of a million.
    masks : ndarray of int64, shape (M,)
        A bit for each driver; the greater of two is the first by ids.
    """

    rows: np.ndarray
    costs: np.ndarray
    masks: np.ndarray

    @cached_property
    def until(self) -> np.ndarray:
        """How many of them cost at most -1, 0, 1, … tenths, up to the dearest one."""
        return np.searchsorted(self.costs, np.arange(-1, self.dearest + 1), side="right").astype(np.int32)

    @cached_property
    def dearest(self) -> int:
        """Cost of the dearest, 0 of none."""
        return int(self.costs[-1]) if self.costs.size else 0


@dataclass(frozen=True, eq=False)
class Market:
    """What can be held at a race, by whoever holds it already or buys it.

    Attributes
    ----------
    driver_ids, constructor_ids : tuple of str
        Sorted; D seats, at most 62, and C constructors.
    driver_prices, constructor_prices : ndarray of int64, shape (D,) and (C,)
        Tenths of a million.
    driver_is_open, constructor_is_open : ndarray of bool, shape (D,) and (C,)
        Whether it can be bought; what is not open can be kept.
    driver_count, constructor_count : int
        Of a line-up.
    """

    driver_ids: tuple[str, ...]
    driver_prices: np.ndarray
    driver_is_open: np.ndarray
    constructor_ids: tuple[str, ...]
    constructor_prices: np.ndarray
    constructor_is_open: np.ndarray
    driver_count: int
    constructor_count: int

    @cached_property
    def asset_keys(self) -> tuple[AssetKey, ...]:
        """Every asset, drivers first."""
        return (*((DRIVER, name) for name in self.driver_ids), *((CONSTRUCTOR, name) for name in self.constructor_ids))

    @property
    def open_ids(self) -> tuple[str, ...]:
        """Name the assets that can be bought."""
        is_open = np.concatenate([self.driver_is_open, self.constructor_is_open])
        return tuple(self.asset_keys[at][1] for at in np.flatnonzero(is_open))

    @cached_property
    def driver_bits(self) -> np.ndarray:
        """A bit for each driver, the first by id the highest."""
        return np.int64(1) << np.arange(len(self.driver_ids), dtype=np.int64)[::-1]

    @cached_property
    def pairs(self) -> np.ndarray:
        """Constructors of each constructor half, shape (P, constructor_count), in the order of ids."""
        return combination_rows(len(self.constructor_ids), self.constructor_count).T

    @cached_property
    def pair_costs(self) -> np.ndarray:
        """Cost of each constructor half, shape (P,), tenths of a million."""
        return self.constructor_prices[self.pairs].sum(axis=1)

    @cached_property
    def pair_changes(self) -> np.ndarray:
        """How many constructors of a half (row) are not in another one (column), shape (P, P)."""
        holds = np.zeros((len(self.pairs), len(self.constructor_ids)), dtype=np.int64)
        np.put_along_axis(holds, self.pairs, 1, axis=1)
        return self.constructor_count - holds @ holds.T

    @cached_property
    def pair_order(self) -> np.ndarray:
        """For each half held, all halves by how many constructors are changed, shape (P, P)."""
        return np.argsort(self.pair_changes, axis=0, kind="stable").T

    @cached_property
    def pair_is_legal(self) -> np.ndarray:
        """Whether who holds a half (row) may field another one (column), shape (P, P)."""
        keeps = (self.pairs[None, :, :, None] == self.pairs[:, None, None, :]).any(axis=3)
        return (keeps | self.constructor_is_open[self.pairs]).all(axis=2)

    @cached_property
    def bundles(self) -> tuple[Bundles, ...]:
        """Open drivers by how many are bought, 0 to `driver_count`."""
        is_open = np.flatnonzero(self.driver_is_open)
        return tuple(self._bundles(is_open, size) for size in range(self.driver_count + 1))

    @cached_property
    def closed_mask(self) -> int:
        """The drivers who cannot be bought, as bits."""
        return int(self.driver_bits[~self.driver_is_open].sum())

    def halves(self, closed: int) -> Bundles:
        """List whole driver halves, of open drivers and some who are not, by their bits."""
        return self._bundles(np.flatnonzero(self.driver_is_open | (self.driver_bits & closed > 0)), self.driver_count)

    def _bundles(self, choice: np.ndarray, size: int) -> Bundles:
        rows = choice[combination_rows(choice.size, size).T]
        costs = self.driver_prices[rows].sum(axis=1)
        order = np.argsort(costs, kind="stable")  # combinations come in the order of ids
        rows = rows[order]
        return Bundles(rows, costs[order], self.driver_bits[rows].sum(axis=1))


@dataclass(frozen=True, eq=False)
class Worth:
    """What the assets of a market are worth at a race, in billionths of a point.

    Attributes
    ----------
    drivers, boosted, constructors : ndarray of shape (D,), (D,) and (C,)
        Points, and what a boost multiplies.
    boosts : tuple of float
        What each boost adds to one time the points: 1.0 is twice as many. Highest first, each on another driver.
    """

    drivers: np.ndarray
    boosted: np.ndarray
    constructors: np.ndarray
    boosts: tuple[float, ...]

    @property
    def ways(self) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
        """Every way to put the boosts on drivers bought and on drivers kept."""
        sizes = range(len(self.boosts) + 1)
        chosen = [own for size in sizes for own in combinations(range(len(self.boosts)), size)]
        every = set(range(len(self.boosts)))
        return [
            (tuple(self.boosts[at] for at in own), tuple(self.boosts[at] for at in sorted(every - set(own))))
            for own in chosen
        ]

    def of(self, rows: np.ndarray, boosts: Sequence[float]) -> np.ndarray:
        """Add up drivers and boosts of them.

        Parameters
        ----------
        rows : ndarray of shape (..., size)
        boosts : sequence of float

        Returns
        -------
        ndarray of shape (...)
            -inf where there are more boosts than drivers.
        """
        if len(boosts) > rows.shape[-1]:
            return np.full(rows.shape[:-1], -np.inf)
        total = self.drivers[rows].sum(axis=-1)
        if len(boosts) == 1:
            return total + np.rint(boosts[0] * self.boosted[rows].max(axis=-1))
        if boosts:
            best = np.sort(self.boosted[rows], axis=-1)[..., ::-1]
            total += np.rint(best[..., : len(boosts)] * np.array(boosts)).sum(axis=-1)
        return total


@dataclass(frozen=True, eq=False)
class HeldTeams:
    """What T teams hold before a race.

    Attributes
    ----------
    drivers : ndarray of shape (T, driver_count)
        Rows of the market, ascending.
    pairs : ndarray of shape (T,)
        Rows of `Market.pairs`.
    budget_tenths : ndarray of shape (T,)
        Bank and value of what is held.
    free_transfers : ndarray of shape (T,)
        `ANY_NUMBER` before a team's first race.
    """

    drivers: np.ndarray
    pairs: np.ndarray
    budget_tenths: np.ndarray
    free_transfers: np.ndarray

    def __len__(self) -> int:
        """Return how many teams they are."""
        return len(self.pairs)

    def at(self, places: np.ndarray) -> HeldTeams:
        """Take some of the teams."""
        return HeldTeams(
            self.drivers[places], self.pairs[places], self.budget_tenths[places], self.free_transfers[places]
        )


@dataclass(frozen=True, eq=False)
class Found:
    """The best line-up of each of T teams.

    Attributes
    ----------
    points : ndarray of shape (T,)
        In billionths, boosts and transfers counted; -inf where nothing keeps to the limits.
    drivers : ndarray of shape (T, driver_count)
        Rows of the market, ascending.
    pairs : ndarray of shape (T,)
        Rows of `Market.pairs`.
    """

    points: np.ndarray
    drivers: np.ndarray
    pairs: np.ndarray

    @classmethod
    def nothing(cls, count: int, size: int) -> Found:
        """Make room for the answers of so many teams."""
        return cls(np.full(count, -np.inf), np.zeros((count, size), dtype=np.intp), np.zeros(count, dtype=np.intp))

    def copy(self) -> Found:
        """Copy the arrays."""
        return Found(self.points.copy(), self.drivers.copy(), self.pairs.copy())

    def at(self, places: np.ndarray) -> Found:
        """Take the answers of some teams."""
        return Found(self.points[places], self.drivers[places], self.pairs[places])

    def put(self, places: np.ndarray, other: Found) -> None:
        """Write answers into their places."""
        self.points[places], self.drivers[places], self.pairs[places] = other.points, other.drivers, other.pairs
