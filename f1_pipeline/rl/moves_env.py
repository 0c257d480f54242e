"""The compact environment: choose one move of a short list, and a chip, by one number.

Belongs here: wrappers that turn such a number into a full decision of the environment below, and what they show of the
moves. Neighbours: :mod:`f1_pipeline.rl.move_lists` lists the moves, :mod:`f1_pipeline.rl.vector_env` plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space

from f1_pipeline.errors import RuleError
from f1_pipeline.game.team_arrays import CHIPS
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.move_lists import CHIP_GAIN, CHOICE_COUNT, MOVE_COUNT, list_moves, move_bounds
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv


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
        gymnasium.error.ResetNeeded
            Before the first reset.
        gymnasium.error.InvalidAction
            Not N whole numbers of the action space.
        RuleError
            A move is not on the list or its chip may not be played, and the environment rejects such. Projected, it
            becomes the move without the chip, or holding.
        """
        if self.games.race < 0:
            raise ResetNeeded("Call reset before the first step.")
        chosen = np.asarray(actions)
        if chosen.shape != (self.num_envs,) or chosen.dtype.kind not in "iu":
            raise InvalidAction(
                f"Action: expected {self.num_envs} whole numbers, found {chosen.dtype} of shape {chosen.shape}."
            )
        if chosen.size and (chosen.min() < 0 or chosen.max() >= CHOICE_COUNT):
            raise InvalidAction(f"Action: expected numbers below {CHOICE_COUNT}, found others.")
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
        is_legal = self.listed.mask[np.arange(self.num_envs), chosen]
        if self.games.illegal == "reject" and not is_legal.all() and self.games.race < self.games.frame.race_count:
            row = int(np.flatnonzero(~is_legal)[0])
            raise RuleError(
                f"{self.games.frame.race_keys[self.games.race]}, season {self.games.season_numbers[row]}: "
                f"expected a move of the list with a chip that may be played, found number {chosen[row]}."
            )
        return self.listed.action(chosen)

    def show(self, observation: Arrays, info: dict[str, Any]) -> tuple[Arrays, dict[str, Any]]:
        """List the moves of the coming race and show them."""
        self.listed = list_moves(observation, self.games.frame)
        return self.listed.shown, self._told(info)

    @property
    def mask(self) -> np.ndarray:
        """Return what is legal and on the list: shape (N, 7 * MOVE_COUNT)."""
        return self.listed.mask.astype(np.int8)

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.mask}


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
            raise InvalidAction(f"Action: expected a number below {CHOICE_COUNT}, found {action!r}.")
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
        return self.moves.listed.mask[0].copy()

    def _seen(self, observation: Arrays, info: dict[str, Any]) -> tuple[Arrays, dict[str, Any]]:
        shown, _ = self.moves.show({name: values[np.newaxis] for name, values in observation.items()}, {})
        return {name: values[0] for name, values in shown.items()}, self._told(info)

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**info, "action_mask": self.moves.mask[0]}


def _spaces(below: spaces.Space) -> tuple[spaces.Dict, spaces.Discrete]:
    assert isinstance(below, spaces.Dict)
    low, high = move_bounds()
    seen = {
        "moves": spaces.Box(np.tile(low, (MOVE_COUNT, 1)), np.tile(high, (MOVE_COUNT, 1)), dtype=np.float32),
        "chip_gains": spaces.Box(*CHIP_GAIN, (len(CHIPS),), dtype=np.float32),
        **{name: below[name] for name in ("context", "portfolio", "chips")},
    }
    return spaces.Dict(seen), spaces.Discrete(CHOICE_COUNT)
