"""The best moves of many teams at once: hold, one transfer, or two.

Belongs here: the search, on arrays, for a team whose assets have a worth each. It looks at every move of at most two
transfers; more are made by searching again from the move found. Neighbours: :mod:`f1_pipeline.rl.moves_env` offers the
moves as actions, :mod:`f1_pipeline.rl.linear` weighs assets. One team, any number of transfers and a proof are
:mod:`f1_pipeline.optimize.enumeration`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from f1_pipeline.rl.seasons import IS_DRIVER, SLOTS, Floats, Ints, Mask

_CHUNK = 128
"""Teams at a time: their 3,000 moves fit the cache."""
_FREE_PASSES = 6
"""Most searches of two transfers that build a team afresh: four change all seven assets, the rest mends."""
_NOBODY = SLOTS


@dataclass(frozen=True)
class MoveProblem:
    """What N teams may do at a race.

    Parameters
    ----------
    held : numpy.ndarray of bool, shape (N, SLOTS)
    usable : numpy.ndarray of bool, shape (N, SLOTS)
        What may be bought.
    prices : numpy.ndarray of int, shape (N, SLOTS)
        Tenths of a million dollars.
    bank_tenths : numpy.ndarray of int, shape (N,)
    worth : numpy.ndarray of float, shape (N, SLOTS)
        What each asset brings to a team that holds it.
    boost_worth : numpy.ndarray of float, shape (N, SLOTS)
        What the boost adds on each driver; it goes to the best.
    free_transfers : numpy.ndarray of int, shape (N,)
    extra_points : float
        What each transfer above the free ones adds, 0 or less.
    """

    held: Mask
    usable: Mask
    prices: Ints
    bank_tenths: Ints
    worth: Floats
    boost_worth: Floats
    free_transfers: Ints
    extra_points: float

    def rows(self, chosen: slice | Ints) -> MoveProblem:
        """Select some of the teams."""
        arrays = {name: value[chosen] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return MoveProblem(**arrays, extra_points=self.extra_points)


@dataclass(frozen=True)
class Moves:
    """The K best moves of N teams, best first.

    Parameters
    ----------
    out, into : numpy.ndarray of int, shape (N, K, 2)
        Slots sold and bought, `SLOTS` for none.
    worth : numpy.ndarray of float, shape (N, K)
        Of the line-up after the move, boost and penalty included; minus infinity where there is no such move.
    """

    out: Ints
    into: Ints
    worth: Floats

    @property
    def count(self) -> Ints:
        """Return the transfers of each move, shape (N, K)."""
        return (self.into < _NOBODY).sum(axis=-1)

    def applied(self, held: Mask, rank: int | Ints = 0) -> Mask:
        """Make a move of each team.

        Parameters
        ----------
        held : numpy.ndarray of bool, shape (N, SLOTS)
        rank : int or numpy.ndarray of int, shape (N,)

        Returns
        -------
        numpy.ndarray of bool, shape (N, SLOTS)
        """
        rows = np.arange(len(held))
        after = np.concatenate([held, np.zeros((len(held), 1), dtype=bool)], axis=1)
        for side in (0, 1):
            after[rows, self.out[rows, rank, side]] = False
        for side in (0, 1):
            after[rows, self.into[rows, rank, side]] = True
        return after[:, :SLOTS]


def best_moves(problem: MoveProblem, count: int = 1) -> Moves:
    """Rank the moves of at most two transfers.

    Parameters
    ----------
    problem : MoveProblem
    count : int
        K, at least 1.

    Returns
    -------
    Moves
        Affordable ones, best first; among equals the one with fewer transfers, then the first by slots.
    """
    parts = [
        _ranked(problem.rows(slice(first, first + _CHUNK)), count) for first in range(0, len(problem.held), _CHUNK)
    ]
    return Moves(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("out", "into", "worth")))


def best_teams(problem: MoveProblem, passes: int = _FREE_PASSES) -> Mask:
    """Build teams by moves of two transfers, one after the other, until none betters them.

    Parameters
    ----------
    problem : MoveProblem
        Its transfers are taken as free.
    passes : int
        Most moves in a row.

    Returns
    -------
    numpy.ndarray of bool, shape (N, SLOTS)
        Within the budget; the best of each team's neighbourhood of two swaps, which is not always the best of all.
    """
    left = replace(problem, free_transfers=np.full(len(problem.held), 2), extra_points=0.0)
    found, rows = problem.held.copy(), np.arange(len(problem.held))
    for _ in range(passes):
        after = best_moves(left).applied(left.held)
        # A team that its best move leaves as it is is done; the others are searched again.
        moved = np.flatnonzero((after != left.held).any(axis=1))
        if not moved.size:
            break
        bank = left.bank_tenths + np.einsum("na,na->n", left.held.astype(np.int64) - after, left.prices)
        rows = rows[moved]
        found[rows] = after[moved]
        left = replace(left, held=after, bank_tenths=bank).rows(moved)
    return found


def held_moves(problem: MoveProblem) -> Moves:
    """Describe the move that changes nothing, as :func:`best_moves` would.

    Parameters
    ----------
    problem : MoveProblem

    Returns
    -------
    Moves
        One for each team.
    """
    drivers, constructors = (_Kind.of(problem, kind).options(0).worth for kind in (IS_DRIVER, ~IS_DRIVER))
    worth = np.where(problem.bank_tenths[:, np.newaxis] >= 0, drivers + constructors, -np.inf)
    nobody = np.full((len(worth), 1, 2), _NOBODY)
    return Moves(nobody, nobody.copy(), worth)


@dataclass(frozen=True)
class _Options:
    """Ways to swap some assets of one kind, and what they bring and cost, shape (n, options).

    An option is a subset of those held, ``leave``, and one of the others, ``join``; drivers bring their boost along.
    """

    held: Ints
    others: Ints
    leave: Ints
    join: Ints
    worth: Floats
    cost: Ints

    def named(self, at: Ints) -> tuple[Ints, Ints]:
        """Name who leaves and who comes with some options, shape (n, K, swaps) each."""
        rows = np.arange(len(at))[:, np.newaxis, np.newaxis]
        own, other = at // len(self.join), at % len(self.join)
        return self.held[rows, self.leave[own]], self.others[rows, self.join[other]]


@dataclass(frozen=True)
class _Kind:
    """Who of one kind is held and who may come, nobody to fill up, and figures of each: shape (n, most of them).

    Boosts are there for drivers. A slot of nobody is worth minus infinity, so no move buys it.
    """

    held: Ints
    others: Ints
    worth: tuple[Floats, Floats]
    boost: tuple[Floats, Floats] | None
    prices: tuple[Ints, Ints]

    @classmethod
    def of(cls, problem: MoveProblem, kind: Mask) -> _Kind:
        """Read a problem."""
        held, others = _slots(problem.held & kind), _slots(problem.usable & ~problem.held & kind)
        worth, boost, prices = (
            (_taken(values, held, nothing), _taken(values, others, nothing))
            for values, nothing in ((problem.worth, -np.inf), (problem.boost_worth, -np.inf), (problem.prices, 0))
        )
        return cls(held, others, worth, boost if kind[0] else None, prices)

    def options(self, swaps: int) -> _Options:
        """List every swap of some assets."""
        size, count = self.held.shape
        leave, stay = _subsets(count, swaps), _subsets(count, count - swaps)[::-1]
        join = _subsets(self.others.shape[1], swaps)
        # The complements of subsets in lexicographic order are the subsets of the rest in reverse.
        value = _sums(self.worth[0], stay)[:, :, np.newaxis] + _sums(self.worth[1], join)[:, np.newaxis]
        if self.boost is not None:
            kept, come = (
                values[:, rows].max(axis=-1, initial=-np.inf)
                for values, rows in zip(self.boost, (stay, join), strict=True)
            )
            value += np.maximum(kept[:, :, np.newaxis], come[:, np.newaxis])
        cost = _sums(self.prices[1], join)[:, np.newaxis] - _sums(self.prices[0], leave)[:, :, np.newaxis]
        return _Options(self.held, self.others, leave, join, value.reshape(size, -1), cost.reshape(size, -1))


def _ranked(problem: MoveProblem, count: int) -> Moves:
    kinds = [_Kind.of(problem, kind) for kind in (IS_DRIVER, ~IS_DRIVER)]
    drivers, constructors = ([kind.options(swaps) for swaps in range(3)] for kind in kinds)
    size = len(problem.held)
    extra = np.maximum(np.arange(3) - problem.free_transfers[:, np.newaxis], 0) * problem.extra_points
    worths, sides = [], []
    for own, other in _PAIRINGS:
        first, second = drivers[own], constructors[other]
        if not (first.worth.shape[1] and second.worth.shape[1]):
            continue
        worth = first.worth[:, :, np.newaxis] + (second.worth + extra[:, own + other, np.newaxis])[:, np.newaxis]
        cost = first.cost[:, :, np.newaxis] + second.cost[:, np.newaxis]
        worth = np.where(cost <= problem.bank_tenths[:, np.newaxis, np.newaxis], worth, -np.inf).reshape(size, -1)
        top = _top(worth, count)
        worths.append(np.take_along_axis(worth, top, axis=1))
        width = second.worth.shape[1]
        sides.append([_pair(*both) for both in zip(first.named(top // width), second.named(top % width), strict=True)])
    joined = np.concatenate(worths, axis=1)
    # Blocks come in the order of their number of transfers: a stable sort prefers fewer.
    order = np.argsort(-joined, axis=1, kind="stable")[:, :count]
    picked = order[..., np.newaxis]
    out, into = (
        np.take_along_axis(np.concatenate([side[at] for side in sides], axis=1), picked, axis=1) for at in (0, 1)
    )
    return _filled(Moves(out, into, np.take_along_axis(joined, order, axis=1)), count)


def _filled(moves: Moves, count: int) -> Moves:
    """Fill up with moves that do nothing and are worth minus infinity, on a menu too short for K moves."""
    size, found = moves.worth.shape
    if found == count:
        return moves
    nobody = np.full((size, count - found, 2), _NOBODY)
    return Moves(
        out=np.concatenate([moves.out, nobody], axis=1),
        into=np.concatenate([moves.into, nobody], axis=1),
        worth=np.concatenate([moves.worth, np.full((size, count - found), -np.inf)], axis=1),
    )


_PAIRINGS = ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0))
"""How many drivers and how many constructors a move changes, fewest first."""


def _pair(own: Ints, other: Ints) -> Ints:
    """Put drivers and constructors side by side, two at most, nobody where there are fewer."""
    both = np.concatenate([own, other], axis=-1)
    missing = np.full((*both.shape[:-1], 2 - both.shape[-1]), _NOBODY)
    return np.concatenate([both, missing], axis=-1)


def _top(worth: Floats, count: int) -> Ints:
    """Return the places of the best, best first and among equals the first: shape (n, at most count)."""
    if count == 1:
        return worth.argmax(axis=1)[:, np.newaxis]
    some = min(count, worth.shape[1])
    best = np.argpartition(-worth, some - 1, axis=1)[:, :some]
    least = np.take_along_axis(worth, best, axis=1).min(axis=1, keepdims=True)
    # A partition takes any of those that equal the last: where some are left out, sort.
    is_cut = np.isfinite(least[:, 0]) & ((worth >= least).sum(axis=1) > some)
    if is_cut.any():
        best[is_cut] = np.argsort(-worth[is_cut], axis=1, kind="stable")[:, :some]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(worth, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _taken(values: npt.NDArray, slots: Ints, nothing: float) -> npt.NDArray:
    """Look up figures by slot."""
    return np.where(slots < _NOBODY, np.take_along_axis(values, np.minimum(slots, SLOTS - 1), axis=1), nothing)


def _sums(values: npt.NDArray, subsets: Ints) -> npt.NDArray:
    """Add up the figures of each subset: shape (n, subsets)."""
    found = np.zeros((len(values), len(subsets)), dtype=values.dtype)
    for column in subsets.T:
        found += values[:, column]
    return found


def _slots(chosen: Mask) -> Ints:
    """List the chosen slots of each row, nobody to fill up: shape (n, most of them)."""
    size = int(chosen.sum(axis=1).max(initial=0))
    order = np.argsort(~chosen, axis=1, kind="stable")[:, :size]
    return np.where(np.take_along_axis(chosen, order, axis=1), order, _NOBODY)


@cache
def _subsets(size: int, pick: int) -> Ints:
    """List every way to pick some of the first numbers, shape (ways, pick)."""
    ways = list(combinations(range(size), pick))
    return np.array(ways, dtype=np.intp).reshape(len(ways), pick)
