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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_GAINS = 6
"""With fewer recorded gains nothing is known of better ones to come, and the chip waits."""


@dataclass(frozen=True, eq=False)
class RecordedGains:
    """What a chip would have gained at earlier races, as it looked at their locks.

    Attributes
    ----------
    points : ndarray of shape (n,)
    has_sprint : ndarray of bool, shape (n,)
    """

    points: np.ndarray
    has_sprint: np.ndarray

    def of_kind(self, has_sprint: bool) -> np.ndarray:
        """Return the gains of weekends with or without sprint; all of them while there are few of a kind."""
        of_kind = self.points[self.has_sprint == has_sprint]
        return of_kind if len(of_kind) >= FEWEST_GAINS else self.points


def keep_values(gains: RecordedGains, has_sprint: Sequence[bool], shifts: Sequence[float] | None = None) -> np.ndarray:
    """Say what keeping a chip is worth before each of the races that remain.

    Parameters
    ----------
    gains : RecordedGains
    has_sprint : sequence of bool, k
        The kinds of the races that remain, in order.
    shifts : sequence of float, k, optional
        By how much each race is expected to offer more than others of its kind.

    Returns
    -------
    ndarray of shape (k + 1,)
        The value before each race, and 0 after the last; infinite while too little is known. It never rises from race
        to race.
    """
    count = len(has_sprint)
    if len(gains.points) < FEWEST_GAINS:
        return np.array([math.inf] * count + [0.0])
    moved = np.zeros(count) if shifts is None else np.asarray(shifts, dtype=np.float64)
    values = np.zeros(count + 1)
    for at in range(count - 1, -1, -1):
        offered = gains.of_kind(has_sprint[at]) + moved[at]
        values[at] = np.maximum(offered, values[at + 1]).mean()
    return values
