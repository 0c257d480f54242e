"""The game as a Gymnasium environment of one season.

Belongs here: the single view of :class:`f1_pipeline.rl.vector_env.F1FantasyVectorEnv`, which plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded

from f1_pipeline.rl.observations import action_space, observation_space
from f1_pipeline.rl.seasons import DRIVER_SLOTS, SeasonSource
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv


class F1FantasyEnv(gymnasium.Env[Any, Any]):
    """A season of the official F1 Fantasy game, one decision per race.

    Spaces, rewards, masks and information are those of :class:`f1_pipeline.rl.vector_env.F1FantasyVectorEnv` without
    the first axis; ``info`` also names the coming race, ``race_key``. ``render_mode="ansi"`` returns the team in words.

    Parameters
    ----------
    source : SeasonSource
        Where seasons come from.
    reward, illegal, has_chips
        As for the vector environment.
    render_mode : {'ansi'}, optional

    Examples
    --------
    >>> import gymnasium
    >>> import f1_pipeline.rl
    >>> env = gymnasium.make("f1_pipeline/F1Fantasy-v0", season=2025)  # doctest: +SKIP
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012

    def __init__(
        self,
        source: SeasonSource,
        *,
        reward: str = "above_mean",
        illegal: str = "project",
        has_chips: bool = True,
        render_mode: str | None = None,
    ) -> None:
        self.games = F1FantasyVectorEnv(source, 1, reward=reward, illegal=illegal, has_chips=has_chips)
        self.observation_space, self.action_space = observation_space(), action_space()
        self.render_mode = render_mode
        self._is_over = True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Arrays, dict[str, Any]]:
        """Start a season.

        Parameters
        ----------
        seed : int, optional
            Where the season numbers begin; without one the next season follows.
        options : dict, optional
            ``season_number`` chooses the season.

        Returns
        -------
        observation : dict of numpy.ndarray
        info : dict
        """
        super().reset(seed=seed)
        given = dict(options or {})
        if "season_number" in given:
            given["season_numbers"] = [given.pop("season_number")]
        observation, info = self.games.reset(seed=seed, options=given)
        self._is_over = False
        return _first(observation), self._told(info)

    def step(self, action: Mapping[str, Any]) -> tuple[Arrays, float, bool, bool, dict[str, Any]]:
        """Decide before a race.

        Parameters
        ----------
        action : dict
            An element of the action space.

        Returns
        -------
        observation, reward, terminated, truncated, info

        Raises
        ------
        gymnasium.error.ResetNeeded
            Before the first reset, or after the last race.
        gymnasium.error.InvalidAction
            The action is none of the action space.
        RuleError
            The action is illegal and the environment rejects such.
        """
        if self._is_over:
            raise ResetNeeded("Call reset first: the season has not begun, or it is over.")
        if not isinstance(action, Mapping):
            raise InvalidAction(f"Action: expected a mapping, an element of the action space, found {action!r}.")
        batched = {name: np.asarray(value)[np.newaxis] for name, value in action.items()}
        observation, reward, terminated, truncated, info = self.games.step(batched)
        self._is_over = bool(terminated[0] or truncated[0])
        return _first(observation), float(reward[0]), bool(terminated[0]), bool(truncated[0]), self._told(info)

    @property
    def is_running(self) -> bool:
        """Return whether a season has begun and is not over."""
        return not self._is_over

    def render(self) -> str | None:
        """Put the team in words, with ``render_mode="ansi"``."""
        if self.render_mode is None or (self._is_over and self.games.race < 0):
            return None
        games, frame = self.games, self.games.frame
        race = min(games.race, frame.race_count - 1)
        prices, boosted = games.seasons.prices[0, race], int(games.teams.boosted[0])
        when = f"before {frame.race_keys[race]}" if games.race < frame.race_count else "after the last race"
        lines = [f"{when}: {games.teams.bank_tenths[0] / 10:.1f} million in the bank"]
        for slot in np.flatnonzero(games.teams.held[0]):
            key = frame.assets[slot]
            assert key is not None
            mark = " x2" if slot == boosted and slot < DRIVER_SLOTS else ""
            lines.append(f"  {prices[slot] / 10:5.1f}  {key[1]}{mark}")
        return "\n".join(lines)

    def _told(self, info: dict[str, Any]) -> dict[str, Any]:
        race, frame = self.games.race, self.games.frame
        own = {name: _first(value) if isinstance(value, dict) else value[0] for name, value in info.items()}
        return own | {"race_key": frame.race_keys[race] if race < frame.race_count else ""}


def _first(arrays: Arrays) -> Arrays:
    return {name: values[0] for name, values in arrays.items()}
