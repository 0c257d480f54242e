"""An observation as agents read it: columns by name, the problem of its next move, what each chip promises.

Belongs here: arithmetic on observations that several agents share; nothing that is not in an observation, but the rules
and the calendar. Neighbours: :mod:`f1_pipeline.rl.moves` searches, :mod:`f1_pipeline.rl.agents` decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team_arrays import (
    AUTOPILOT,
    CHIPS,
    EXTRA_BOOST,
    FINAL_FIX,
    LIMITLESS,
    NO_NEGATIVE,
    NONE,
    WILDCARD,
)
from f1_pipeline.rl.moves import MoveProblem, Moves, best_moves, best_teams, held_moves
from f1_pipeline.rl.observations import CONTEXT, PORTFOLIO
from f1_pipeline.rl.seasons import DRIVER_SLOTS, FEATURES, IS_DRIVER, Floats, Ints, Mask, SeasonFrame
from f1_pipeline.rl.vector_env import Arrays

_NODES = 16
_FINAL_FIX_SHARE = 0.25
"""Of a driver's deviation: a scale for what a swap after qualifying may gain; agents learn from where on to play it."""


@dataclass(frozen=True, eq=False)
class View:
    """What N agents see before a race.

    Parameters
    ----------
    observation : dict of numpy.ndarray
    frame : SeasonFrame
        For its rules and its calendar.
    """

    observation: Arrays
    frame: SeasonFrame

    @property
    def rules(self) -> SeasonRules:
        """Return the rules of the season."""
        return self.frame.rules

    @property
    def count(self) -> int:
        """Return N."""
        return len(self.observation["held"])

    def feature(self, name: str) -> Floats:
        """Return a feature of the assets, shape (N, SLOTS)."""
        return self.observation["assets"][..., FEATURES.index(name)].astype(np.float64)

    def context(self, name: str) -> Floats:
        """Return what is known of the race, shape (N,)."""
        return self.observation["context"][:, list(CONTEXT).index(name)].astype(np.float64)

    def portfolio(self, name: str) -> Floats:
        """Return what is known of the team, shape (N,)."""
        return self.observation["portfolio"][:, list(PORTFOLIO).index(name)].astype(np.float64)

    @cached_property
    def held(self) -> Mask:
        """Return what is held, shape (N, SLOTS)."""
        return self.observation["held"].astype(bool)

    @cached_property
    def on_sale(self) -> Mask:
        """Return what takes part, shape (N, SLOTS)."""
        return self.observation["assets"][..., 0] > 0

    @cached_property
    def expected(self) -> Floats:
        """Return expected points, of who takes no part the penalty: shape (N, SLOTS)."""
        race = self.frame.calendar_count - round(float(self.context("races_left_count")[0]))
        race = min(race, self.frame.race_count - 1)
        return np.where(self.on_sale, self.feature("expected_points"), float(self.frame.inactive_points[race]))

    @cached_property
    def is_first(self) -> Mask:
        """Say who has not begun yet, shape (N,)."""
        return np.round(self.context("races_left_count")) == self.frame.calendar_count

    @cached_property
    def playable(self) -> Mask:
        """Say which chips may be played, shape (N, 7)."""
        return np.concatenate([np.ones((self.count, 1), dtype=bool), self.observation["chips"] > 0], axis=1)

    def problem(self, worth: Floats, transfer_cost: Floats | float = 0.0) -> MoveProblem:
        """State the problem of the next move.

        Parameters
        ----------
        worth : numpy.ndarray, shape (N, SLOTS)
            What each asset brings, boost apart.
        transfer_cost : numpy.ndarray of shape (N,), or float
            What each transfer must gain beyond its penalty; none at the first race.

        Returns
        -------
        MoveProblem
        """
        transfers = self.rules.transfers
        cost = np.where(self.is_first, 0.0, transfer_cost)
        free = np.where(self.is_first, 2, np.round(self.portfolio("free_transfers_count")).astype(int))
        # A transfer's price is charged to the asset that comes.
        return MoveProblem(
            held=self.held,
            usable=self.on_sale,
            prices=np.rint(10 * self.feature("price_musd")).astype(np.int64),
            bank_tenths=np.rint(10 * self.portfolio("bank_musd")).astype(np.int64),
            worth=np.where(self.held, worth, worth - cost[:, np.newaxis]),
            boost_worth=(self.rules.boost.multiplier - 1) * self.boostable,
            free_transfers=free,
            extra_points=float(transfers.extra_points),
        )

    @cached_property
    def boostable(self) -> Floats:
        """Return expected points of who may be boosted, minus infinity of others: shape (N, SLOTS)."""
        allowed = np.broadcast_to(IS_DRIVER, self.held.shape)
        below = self.rules.boost.price_below_tenths
        if below:
            allowed = allowed & (self.feature("price_musd") < below / 10)
        return np.where(allowed, np.where(self.on_sale, self.expected, 0.0), -np.inf)

    def best(self, problem: MoveProblem) -> Mask:
        """Find the best line-up: by two moves in a row of at most two transfers, or afresh at the first race.

        Parameters
        ----------
        problem : MoveProblem

        Returns
        -------
        numpy.ndarray of bool, shape (N, SLOTS)
        """
        if self.is_first.all():
            return best_teams(problem)
        wanted = best_moves(problem).applied(problem.held)
        made = (wanted & ~problem.held).sum(axis=1)
        more = replace(self.moved_to(problem, wanted), free_transfers=np.maximum(problem.free_transfers - made, 0))
        return best_moves(more).applied(wanted)

    def limitless(self) -> Mask:
        """Return the best expected line-up whatever it costs, shape (N, SLOTS)."""
        team, rows = self.rules.team, np.arange(self.count)[:, np.newaxis]
        found = np.zeros(self.held.shape, dtype=bool)
        for kind, size in ((IS_DRIVER, team.driver_count), (~IS_DRIVER, team.constructor_count)):
            ranked = np.where(kind & self.on_sale, -self.expected, np.inf).argsort(axis=1, kind="stable")
            found[rows, ranked[:, :size]] = True
        return found

    def expected_of(self, wanted: Mask) -> Floats:
        """Expect the points of line-ups with the boost on the best driver.

        Parameters
        ----------
        wanted : numpy.ndarray of bool, shape (N, SLOTS) or (N, K, SLOTS)
            One line-up of each team, or K.

        Returns
        -------
        numpy.ndarray, shape (N,) or (N, K)
        """
        boostable, expected = self.boostable, self.expected
        if wanted.ndim == 3:
            boostable, expected = boostable[:, np.newaxis], expected[:, np.newaxis]
        best = np.where(wanted, boostable, -np.inf).max(axis=-1)
        return np.where(wanted, expected, 0.0).sum(axis=-1) + (self.rules.boost.multiplier - 1) * best

    def chip_gains(self, wanted: Mask, worth: Floats, rebuilt: Mask | None = None) -> Floats:
        """Estimate what each chip adds to a line-up.

        Parameters
        ----------
        wanted : numpy.ndarray of bool, shape (N, SLOTS)
            The line-up without a chip.
        worth : numpy.ndarray, shape (N, SLOTS)
            By which a Wildcard builds the team.
        rebuilt : numpy.ndarray of bool, shape (N, SLOTS), optional
            What it builds, where that is known already.

        Returns
        -------
        numpy.ndarray, shape (N, 7)
            Points; 0 for no chip and for chips that may not be played. Points of drivers are taken as independent and
            normal where a chip is about who turns out best, or about negative points.
        """
        found = np.zeros((self.count, len(CHIPS)))
        spread = self.feature("expected_sd_points")
        drivers = np.where(wanted & IS_DRIVER, self.boostable, -np.inf)
        order = np.argsort(-drivers, axis=1)[:, : self.rules.team.driver_count]
        mean, sd = (np.take_along_axis(values, order, axis=1) for values in (self.expected, spread))
        boost, extra = self.rules.boost.multiplier - 1, self.rules.chips.extra_boost.multiplier - 1
        found[:, AUTOPILOT] = boost * (_expected_best(mean, sd) - mean[:, 0])
        found[:, EXTRA_BOOST] = (extra - boost) * mean[:, 0] + boost * mean[:, 1]
        floor = np.where(wanted, _floor_gain(self.expected, spread), 0.0)
        found[:, NO_NEGATIVE] = floor.sum(axis=1) + boost * np.take_along_axis(floor, order[:, :1], axis=1)[:, 0]
        found[:, FINAL_FIX] = _FINAL_FIX_SHARE * sd.max(axis=1)
        found[:, LIMITLESS] = self.expected_of(self.limitless()) - self.expected_of(wanted)
        if rebuilt is None:
            rebuilt = self.rebuilt(wanted, worth, self.playable[:, WILDCARD])
        found[:, WILDCARD] = self._worth_of(rebuilt, worth) - self._worth_of(wanted, worth)
        return np.where(self.playable & (np.arange(len(CHIPS)) != NONE), found, 0.0)

    def rebuilt(self, wanted: Mask, worth: Floats, chosen: Mask) -> Mask:
        """Build the best team that the money allows, with any number of transfers.

        Parameters
        ----------
        wanted : numpy.ndarray of bool, shape (N, SLOTS)
            Line-ups to begin with.
        worth : numpy.ndarray, shape (N, SLOTS)
        chosen : numpy.ndarray of bool, shape (N,)
            Teams to build afresh; the others stay as they are.

        Returns
        -------
        numpy.ndarray of bool, shape (N, SLOTS)
        """
        start, rows = self.moved_to(self.problem(worth), wanted), np.flatnonzero(chosen)
        after = wanted.copy()
        if rows.size:
            after[rows] = best_teams(start.rows(rows))
        return after

    def moved_to(self, problem: MoveProblem, wanted: Mask, *, is_limitless: bool = False) -> MoveProblem:
        """State the problem of a team that has other assets already.

        Parameters
        ----------
        problem : MoveProblem
        wanted : numpy.ndarray of bool, shape (N, SLOTS)
        is_limitless : bool
            Whether money is no object.

        Returns
        -------
        MoveProblem
        """
        spent = np.einsum("na,na->n", wanted.astype(np.int64) - problem.held, problem.prices)
        bank = np.full(self.count, np.iinfo(np.int32).max) if is_limitless else problem.bank_tenths - spent
        return replace(problem, held=wanted, bank_tenths=bank)

    def action(self, wanted: Mask, chip: Ints) -> Arrays:
        """Turn line-ups and chips into actions, boosts on the best expected drivers.

        Parameters
        ----------
        wanted : numpy.ndarray of bool, shape (N, SLOTS)
        chip : numpy.ndarray of int, shape (N,)

        Returns
        -------
        dict of numpy.ndarray
            The extra boost takes the best driver, then the boost the second.
        """
        drivers = np.where(wanted & IS_DRIVER, self.boostable, -np.inf)[:, :DRIVER_SLOTS]
        order = np.argsort(-drivers, axis=1, kind="stable")
        has_extra = chip == EXTRA_BOOST
        return {
            "pick": wanted.astype(np.int8),
            "boost": np.where(has_extra, order[:, 1], order[:, 0]),
            "extra_boost": np.where(has_extra, order[:, 0], order[:, 1]),
            "chip": chip,
        }

    def _worth_of(self, wanted: Mask, worth: Floats) -> Floats:
        return self.expected_of(wanted) + np.where(wanted, worth - self.expected, 0.0).sum(axis=1)


def ranked_moves(problem: MoveProblem, count: int) -> Moves:
    """List moves for a choice: holding first, then the best others.

    Parameters
    ----------
    problem : MoveProblem
    count : int
        K, at least 2.

    Returns
    -------
    Moves
        Of K; minus infinity where there are fewer.
    """
    moves = best_moves(problem, count)
    is_hold = moves.count == 0
    # Holding may not be among the best; the last one then makes room.
    held = held_moves(problem)
    rank = np.where(is_hold.any(axis=1), is_hold.argmax(axis=1), count - 1)[:, np.newaxis]
    others = np.argsort(np.arange(count) == rank, axis=1, kind="stable")[:, : count - 1]

    def arranged(name: str) -> np.ndarray:
        first, rest = getattr(held, name), getattr(moves, name)
        index = others.reshape(*others.shape, *[1] * (rest.ndim - 2))
        return np.concatenate([first, np.take_along_axis(rest, index, axis=1)], axis=1)

    return Moves(arranged("out"), arranged("into"), arranged("worth"))


def _expected_best(mean: Floats, sd: Floats) -> Floats:
    """Expect the best of independent normal points, shape (N,), by the quantiles of the distribution of the best."""
    level = np.linspace(mean.max(axis=1) - sd.max(axis=1), mean.max(axis=1) + 3.5 * sd.max(axis=1), 4 * _NODES)
    share = np.prod(ndtr((level[..., np.newaxis] - mean) / np.maximum(sd, 1e-6)), axis=-1)
    below = np.concatenate([np.zeros((1, len(mean))), share])
    weight = np.diff(below, axis=0)
    return (weight * level).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)


def _floor_gain(mean: Floats, sd: Floats) -> Floats:
    """Expect what a floor at 0 adds to normal points."""
    safe = np.maximum(sd, 1e-6)
    score = mean / safe
    density = np.exp(-(score**2) / 2) / np.sqrt(2 * np.pi)
    return np.where(sd > 0, sd * density - mean * ndtr(-score), np.maximum(-mean, 0.0))
