"""When to play a chip: what it gains now against what its best later use is worth.

Belongs here: optimal stopping with the gains that earlier races offered. Neighbours: `chip_gains` says what a chip
adds at one race; `steps.chips` keeps the record of such gains.

A chip can be played once. Before race k of those that remain, keeping it is worth

    V_k = E[max(G_k, V_(k+1))],   V after the last race = 0,

where G_k is what the chip will gain there as it looks at its lock. Play it now if it gains at least V of the next race:
that is its price of waiting turned round, the opportunity cost. The distribution of G_k is that of the gains recorded
at earlier races of the same kind of weekend (with sprint or without).

References
----------
Optimal stopping with known distribution and finite horizon: Chow, Robbins and Siegmund, Great Expectations: The Theory
of Optimal Stopping (1971), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_RACES = 6
"""With a record of fewer races nothing is known of better ones to come, and the chip waits."""


@dataclass(frozen=True, eq=False)
class RecordedGains:
    """What a chip would have gained at earlier races, as it looked at their locks.

    Attributes
    ----------
    points : ndarray of shape (n,)
        Offers, the same number of each race.
    has_sprint : ndarray of bool, shape (n,)
    race_count : int
        Races that they are of.
    """

    points: np.ndarray
    has_sprint: np.ndarray
    race_count: int

    @property
    def is_enough(self) -> bool:
        """Return whether enough races are recorded to judge by."""
        return self.race_count >= FEWEST_RACES

    def of_kind(self, has_sprint: bool) -> np.ndarray:
        """Return the offers of weekends with or without sprint; all of them while there are few of a kind."""
        of_kind = self.points[self.has_sprint == has_sprint]
        few = FEWEST_RACES * len(self.points) // max(self.race_count, 1)
        return of_kind if len(of_kind) >= few else self.points


def keep_values(gains: RecordedGains, has_sprint: Sequence[bool]) -> np.ndarray:
    """Say what keeping a chip is worth before each of the races that remain.

    Parameters
    ----------
    gains : RecordedGains
    has_sprint : sequence of bool, k
        The kinds of the races that remain, in order.

    Returns
    -------
    ndarray of shape (k + 1,)
        The value before each race, and 0 after the last; infinite while too little is known. It never rises from race
        to race.
    """
    count = len(has_sprint)
    if not gains.is_enough:
        return np.array([math.inf] * count + [0.0])
    values = np.zeros(count + 1)
    for at in range(count - 1, -1, -1):
        offered = gains.of_kind(has_sprint[at])
        values[at] = np.maximum(offered, values[at + 1]).mean()
    return values


def chip_to_play(gains: Mapping[str, float], kept: Mapping[str, float]) -> str | None:
    """Choose the chip to play now, if any.

    Parameters
    ----------
    gains : mapping of str to float
        What each chip adds now.
    kept : mapping of str to float
        What each is worth after this race, unplayed.

    Returns
    -------
    str or None
        The chip whose gain is the furthest above its worth unplayed; none when no gain reaches it.
    """
    above = {name: gain - kept[name] for name, gain in gains.items() if gain > 0}
    best = max(above, key=lambda name: (above[name], name), default=None)
    return best if best is not None and above[best] >= 0 else None
