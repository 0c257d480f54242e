"""Autopilot and Final Fix for many teams: what they add follows from joint draws, not from sums of points.

Belongs here: both chips on arrays, as `autopilot` and `chip_gains` have them for one team. Neighbours: `many_teams`
weighs them against the other chips.

Neither is counted where it cannot matter. A half that Autopilot lifts by less than a chip must add to be played is no
candidate, since a team that keeps to its limits has it without the chip as well. And a swap after qualifying adds at
most what it would with money for every driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from f1_pipeline.optimize.problem import POINTS_DECIMALS
from f1_pipeline.optimize.team_market import BILLIONTHS, Bundles, Market, Worth, billionths

_HALVES_AT_ONCE = 512
EQUAL_POINTS = 10.0 ** (3 - POINTS_DECIMALS)
"""Points by which a gain may miss what is wanted and still be counted."""


@dataclass(frozen=True, eq=False)
class AutopilotHalves:
    """What driver halves are worth when the boost moves to the driver with the best weekend.

    Attributes
    ----------
    market : Market
    worth : Worth
        Without a chip.
    draws : ndarray of shape (n, D)
        Joint draws of what a boost multiplies.
    more : float
        What the boost adds to one time the points.
    """

    market: Market
    worth: Worth
    draws: np.ndarray
    more: float

    @cached_property
    def halves(self) -> Bundles:
        """Every half that any team may hold."""
        return self.market.halves(self.market.closed_mask)

    @cached_property
    def points(self) -> np.ndarray:
        """What each half is worth under Autopilot, in billionths."""
        rows, columns = self.halves.rows, np.ascontiguousarray(self.draws.T)
        best = np.empty(len(rows))
        for start in range(0, len(rows), _HALVES_AT_ONCE):
            own = rows[start : start + _HALVES_AT_ONCE]
            highest = columns[own[:, 0]]
            for place in range(1, own.shape[1]):
                np.maximum(highest, columns[own[:, place]], out=highest)
            best[start : start + _HALVES_AT_ONCE] = highest.mean(axis=1)
        return self.worth.of(rows, ()) + billionths(self.more * best)

    @cached_property
    def lifted(self) -> np.ndarray:
        """What Autopilot adds to each half, in billionths."""
        return self.points - self.worth.of(self.halves.rows, self.worth.boosts)

    @property
    def most_gain(self) -> float:
        """Bound what Autopilot adds to any team, in points."""
        return float(self.lifted.max()) / BILLIONTHS

    def worthwhile(self, wanted_points: float) -> tuple[Bundles, np.ndarray]:
        """Take the halves that Autopilot lifts by at least so many points.

        Parameters
        ----------
        wanted_points : float

        Returns
        -------
        tuple of Bundles and ndarray
            The halves, and what each is worth in billionths.
        """
        chosen = self.lifted >= billionths(np.array(wanted_points - EQUAL_POINTS))
        halves = Bundles(self.halves.rows[chosen], self.halves.costs[chosen], self.halves.masks[chosen])
        return halves, self.points[chosen]


@dataclass(frozen=True, eq=False)
class FinalFixOffers:
    """What the best swap after qualifying adds to a line-up.

    Attributes
    ----------
    market : Market
    remaining : ndarray of shape (n, D)
        What will be expected of each driver's remaining sessions, in each joint draw; 0 for who sits out.
    is_idle : ndarray of bool, shape (D,)
        Who sits out, and cannot come in.
    more : float
        What the boost adds to one time the points.
    """

    market: Market
    remaining: np.ndarray
    is_idle: np.ndarray
    more: float

    def gains(
        self, drivers: np.ndarray, boosted: np.ndarray, bank_tenths: np.ndarray, wanted: np.ndarray
    ) -> np.ndarray:
        """Say what the chip is expected to add, as it looks at the lock.

        Parameters
        ----------
        drivers : ndarray of shape (T, driver_count)
            Line-ups without a chip.
        boosted : ndarray of shape (T,)
            Who has the boost; who comes in for him takes it over.
        bank_tenths : ndarray of shape (T,)
            Money left.
        wanted : ndarray of shape (T,)
            Points that matter.

        Returns
        -------
        ndarray of shape (T,)
            0 or more; 0 as well where it is less than what is wanted.
        """
        halves, where = np.unique(drivers, axis=0, return_inverse=True)
        order = np.argsort(where, kind="stable")
        gains = np.zeros(len(drivers))
        for half, own in zip(halves, np.split(order, np.cumsum(np.bincount(where))[:-1]), strict=True):
            gains[own] = self._gains_of(half, int(boosted[own[0]]), bank_tenths[own], wanted[own])
        return gains

    def _gains_of(self, half: np.ndarray, boosted: int, bank_tenths: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        held = set(half.tolist())
        coming = [driver for driver in self._by_price if driver not in held]
        counts = np.searchsorted(
            self.market.driver_prices[coming], bank_tenths[:, None] + self.market.driver_prices[half], side="right"
        )
        most, gains = counts.max(axis=0), np.zeros(len(bank_tenths))
        best = self._best_of_cheapest(coming[: int(most.max())])
        gone = self._by_driver[half]
        weights = np.where(half == boosted, 1.0 + self.more, 1.0)[:, None]
        # What the richest of them gains bounds what all others do.
        places = np.flatnonzero(wanted <= _mean_offer(best[most], gone, weights) + EQUAL_POINTS)
        if places.size:
            distinct, where = np.unique(counts[places], axis=0, return_inverse=True)
            gains[places] = np.array([_mean_offer(best[own], gone, weights) for own in distinct])[where]
        return gains

    def _best_of_cheapest(self, coming: list[int]) -> np.ndarray:
        """Return, in each draw, the best of none, the first, the first two, … who may come in."""
        best = np.empty((len(coming) + 1, self.remaining.shape[0]))
        best[0] = -np.inf
        for place, driver in enumerate(coming):
            np.maximum(best[place], self._by_driver[driver], out=best[place + 1])
        return best

    @cached_property
    def _by_price(self) -> list[int]:
        """Who may come in, the cheapest first."""
        taking_part = np.flatnonzero(~self.is_idle)
        return taking_part[np.argsort(self.market.driver_prices[taking_part], kind="stable")].tolist()

    @cached_property
    def _by_driver(self) -> np.ndarray:
        return np.ascontiguousarray(self.remaining.T)


def _mean_offer(best: np.ndarray, gone: np.ndarray, weights: np.ndarray) -> float:
    """Average what the best swap of each draw adds, 0 where none helps."""
    offers = (weights * (best - gone)).max(axis=0)
    return float(np.maximum(offers, 0.0, out=offers).mean())
