"""The compact environment: choose one move of a short list, and a chip, by one number.

Belongs here: wrappers that turn such a number into a full decision of the environment below, and what they show of the
moves. Neighbours: :mod:`f1_pipeline.rl.views` lists the moves, :mod:`f1_pipeline.rl.vector_env` plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space

from f1_pipeline.errors import RuleError
from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, WILDCARD
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.moves import best_teams
from f1_pipeline.rl.seasons import Floats, Ints
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.rl.views import View, ranked_moves

MOVE_COUNT = 16
"""Moves on the list, holding included."""

MOVE_FEATURES = {
    "is_legal": (0, 1),
    "expected_gain_points": (-400, 400),
    "expected_price_gain_musd": (-20, 20),
    "transfer_count": (0, 2),
    "transfer_points": (-100, 0),
    "bank_musd": (0, 400),
}
"""What is seen of a move, with bounds: gains are over holding, penalties apart."""

MONEY_POINTS = 0.5
"""Points that a million is worth in each race that is left, by which moves are ranked beside their expected points."""

_CHIP_GAIN = (-50.0, 400.0)


class MovesVectorEnv(VectorWrapper):
    """N seasons of which each decision is one number: ``chip * MOVE_COUNT + move``.

    Move 0 holds the team; the others are its best affordable moves of one or two transfers, by expected points, penalty
    and the worth of expected price changes. At the first race, and with a Wildcard or Limitless, the list is of teams
    built afresh: the best found, then its best neighbours. Boosts go to the best expected drivers.

    The observation is ``moves`` (MOVE_COUNT, MOVE_FEATURES), ``chip_gains`` (7,), what each chip is estimated to add to
    the second move in points, and ``context``, ``portfolio`` and ``chips`` of the environment below. ``info`` has the
    ``action_mask`` of this action space, shape (N, 7 * MOVE_COUNT): 1 for what is legal and on the list.

    Parameters
    ----------
    env : F1FantasyVectorEnv
    """

    def __init__(self, env: F1FantasyVectorEnv) -> None:
        super().__init__(env)
        self.games = env
        self.single_observation_space, self.single_action_space = _spaces(env.single_observation_space)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self.action_space = batch_space(self.single_action_space, env.num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Arrays, dict[str, Any]]:
        """Start N seasons; see :meth:`F1FantasyVectorEnv.reset`."""
        return self.show(*self.games.reset(seed=seed, options=options))

    def step(self, actions: np.ndarray) -> tuple[Arrays, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Make a move in every season.

        Parameters
        ----------
        actions : numpy.ndarray of int, shape (N,)

        Returns
        -------
        observation, reward, terminated, truncated, info
            As :meth:`F1FantasyVectorEnv.step`.

        Raises
        ------
        gymnasium.error.InvalidAction
            Not N whole numbers of the action space.
        RuleError
            A move is not on the list or its chip may not be played, and the environment rejects such. Projected, it
            becomes the move without the chip, or holding.
        """
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,) or chosen.dtype.kind not in "iu":
            raise InvalidAction(
                f"Action: expected {self.num_envs} whole numbers, found {chosen.dtype} of shape {chosen.shape}."
            )
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(CHIPS) * MOVE_COUNT):
            raise InvalidAction(f"Action: expected numbers below {len(CHIPS) * MOVE_COUNT}, found others.")
        observation, reward, terminated, truncated, info = self.games.step(self.full_action(chosen))
        shown, told = self.show(observation, info)
        return shown, reward, terminated, truncated, told

    def full_action(self, chosen: np.ndarray) -> Arrays:
        """Turn numbers into actions of the environment below.

        Parameters
        ----------
        chosen : numpy.ndarray of int, shape (N,)

        Returns
        -------
        dict of numpy.ndarray
        """
        is_legal = self.mask[np.arange(self.num_envs), chosen] > 0
        if self.games.illegal == "reject" and not is_legal.all() and self.games.race < self.games.frame.race_count:
            row = int(np.flatnonzero(~is_legal)[0])
            raise RuleError(
                f"{self.games.frame.race_keys[self.games.race]}, season {self.games.season_numbers[row]}: "
                f"expected a move of the list with a chip that may be played, found number {chosen[row]}."
            )
        chip, move = chosen // MOVE_COUNT, chosen % MOVE_COUNT
        chip = np.where(is_legal, chip, 0)
        move = np.where(is_legal | (self.mask[np.arange(self.num_envs), move] > 0), move, 0)
        wanted = self._moves.applied(self._start, move)
        for number, (start, moves) in self._afresh.items():
            wanted = np.where((chip == number)[:, np.newaxis], moves.applied(start, move), wanted)
        return self._view.action(wanted, chip)

    def show(self, observation: Arrays, info: dict[str, Any]) -> tuple[Arrays, dict[str, Any]]:
        """List the moves of the coming race and show them."""
        view = self._view = View(observation, self.games.frame)
        left = view.context("races_left_count")[:, np.newaxis] - 1
        change = np.where(view.on_sale, view.feature("expected_price_change_musd"), 0.0)
        worth = view.expected + MONEY_POINTS * left * change
        problem = view.problem(worth)
        self._start = best_teams(problem) if view.is_first.all() else view.held
        self._moves = ranked_moves(view.moved_to(problem, self._start), MOVE_COUNT)
        best = self._moves.applied(self._start, 1)
        gains = view.chip_gains(best, worth)
        self._afresh = {}
        for number, start in (
            (WILDCARD, view.rebuilt(best, worth, view.playable[:, WILDCARD])),
            (LIMITLESS, view.limitless()),
        ):
            if view.playable[:, number].any():
                around = view.moved_to(problem, start, is_limitless=number == LIMITLESS)
                self._afresh[number] = (start, ranked_moves(around, MOVE_COUNT))
        self.mask = self._legal()
        low, high = _CHIP_GAIN
        shown = {
            "moves": self._features(change, problem.prices),
            "chip_gains": np.clip(gains, low, high).astype(np.float32),
            **{name: observation[name] for name in ("context", "portfolio", "chips")},
        }
        return shown, self._told(info)

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.mask.copy()}

    def _legal(self) -> np.ndarray:
        """Mask the action space: shape (N, 7 * MOVE_COUNT)."""
        listed = np.repeat(np.isfinite(self._moves.worth)[:, np.newaxis], len(CHIPS), axis=1)
        for number, (_, moves) in self._afresh.items():
            listed[:, number] = np.isfinite(moves.worth)
        legal = listed & self._view.playable[..., np.newaxis]
        return legal.reshape(self.num_envs, -1).astype(np.int8)

    def _features(self, change: Floats, prices: Ints) -> Floats:
        """Show the moves of the list without a chip: shape (N, MOVE_COUNT, MOVE_FEATURES)."""
        view, moves = self._view, self._moves
        legal = np.isfinite(moves.worth)
        base = view.expected_of(self._start)
        found = np.zeros((*legal.shape, len(MOVE_FEATURES)), dtype=np.float32)
        count = moves.count
        free = np.where(view.is_first, 2, view.portfolio("free_transfers_count"))[:, np.newaxis]
        penalty = np.maximum(count - free, 0) * view.rules.transfers.extra_points
        money = 10 * view.portfolio("bank_musd") + np.einsum("na,na->n", view.held.astype(np.int64), prices)
        for move in range(MOVE_COUNT):
            wanted = moves.applied(self._start, move)
            bank = money - np.einsum("na,na->n", wanted, prices)
            gained = np.einsum("na,na->n", wanted, change) - np.einsum("na,na->n", self._start, change)
            columns = (1.0, view.expected_of(wanted) - base, gained, count[:, move], penalty[:, move], bank / 10)
            for at, values in enumerate(columns):
                found[:, move, at] = values
        found = np.where(legal[..., np.newaxis], found, 0.0)
        return np.clip(found, *_bounds()).astype(np.float32)


class MovesEnv(gymnasium.Env[Any, Any]):
    """A season of which each decision is one number; see :class:`MovesVectorEnv`.

    Parameters
    ----------
    game : F1FantasyEnv
        The environment below.
    """

    metadata: dict[str, Any] = F1FantasyEnv.metadata

    def __init__(self, game: F1FantasyEnv) -> None:
        self.game, self.moves = game, MovesVectorEnv(game.games)
        self.render_mode = game.render_mode
        self.observation_space, self.action_space = _spaces(game.observation_space)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Arrays, dict[str, Any]]:
        """Start a season; see :meth:`F1FantasyEnv.reset`."""
        super().reset(seed=seed)
        return self._seen(*self.game.reset(seed=seed, options=options))

    def step(self, action: int) -> tuple[Arrays, float, bool, bool, dict[str, Any]]:
        """Make a move.

        Parameters
        ----------
        action : int

        Returns
        -------
        observation, reward, terminated, truncated, info

        Raises
        ------
        gymnasium.error.ResetNeeded, gymnasium.error.InvalidAction, RuleError
            As the environments do.
        """
        if not self.action_space.contains(action):
            raise InvalidAction(f"Action: expected a number below {len(CHIPS) * MOVE_COUNT}, found {action!r}.")
        full: Mapping[str, Any] = {}
        if self.game.is_running:
            full = {name: values[0] for name, values in self.moves.full_action(np.array([action])).items()}
        observation, reward, terminated, truncated, info = self.game.step(full)
        shown, told = self._seen(observation, info)
        return shown, reward, terminated, truncated, told

    def render(self) -> str | None:
        """Put the team in words; see :meth:`F1FantasyEnv.render`."""
        return self.game.render()

    def action_masks(self) -> np.ndarray:
        """Return what is legal, as sb3-contrib asks for it: booleans of shape (7 * MOVE_COUNT,)."""
        return self.moves.mask[0] > 0

    def _seen(self, observation: Arrays, info: dict[str, Any]) -> tuple[Arrays, dict[str, Any]]:
        shown, _ = self.moves.show({name: values[np.newaxis] for name, values in observation.items()}, {})
        return {name: values[0] for name, values in shown.items()}, self._told(info)

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.moves.mask[0].copy()}


def _spaces(below: spaces.Space) -> tuple[spaces.Dict, spaces.Discrete]:
    assert isinstance(below, spaces.Dict)
    low, high = _bounds()
    seen = {
        "moves": spaces.Box(np.tile(low, (MOVE_COUNT, 1)), np.tile(high, (MOVE_COUNT, 1)), dtype=np.float32),
        "chip_gains": spaces.Box(*_CHIP_GAIN, (len(CHIPS),), dtype=np.float32),
        **{name: below[name] for name in ("context", "portfolio", "chips")},
    }
    return spaces.Dict(seen), spaces.Discrete(len(CHIPS) * MOVE_COUNT)


def _bounds() -> tuple[Floats, Floats]:
    low, high = (np.array([bound[side] for bound in MOVE_FEATURES.values()], dtype=np.float32) for side in (0, 1))
    return low, high
