"""Agents that need no training: random, hold, greedy, myopic, rolling plan, and the oracle.

Belongs here: the protocol of agents, and those that decide by rule. Neighbours: :mod:`f1_pipeline.rl.linear` and
:mod:`f1_pipeline.rl.ppo` are trained, :mod:`f1_pipeline.rl.evaluate` compares all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from f1_pipeline.game.chips import ExtraBoost
from f1_pipeline.game.decisions import Decision, RaceMenu
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER
from f1_pipeline.game.team_arrays import CHIPS, NONE
from f1_pipeline.optimize.plan_model import as_chip
from f1_pipeline.optimize.plan_problem import Plan, PlanProblem, PlanSettings, plan_assets
from f1_pipeline.optimize.policies import Policy, decide
from f1_pipeline.optimize.season_path import solve_season_path
from f1_pipeline.rl.moves import best_teams
from f1_pipeline.rl.seasons import SLOTS, SeasonFrame, Seasons
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.rl.views import View

NEVER = 1e4
"""More points than any transfer gains."""


class Agent(Protocol):
    """A way to play N seasons side by side.

    Attributes
    ----------
    name : str
    has_chips : bool
        Whether it knows how to play chips.
    """

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def has_chips(self) -> bool:
        """Return whether it plays chips."""
        ...

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide before one race of every season.

        Parameters
        ----------
        observation, info
            From the environment.
        env : F1FantasyVectorEnv
            For its rules and calendar; planners also ask its source for the coming races as they look at the lock.
            Nothing else of it is to be read, but by the oracle.

        Returns
        -------
        dict of numpy.ndarray
            An action.
        """
        ...


@dataclass
class RandomAgent:
    """Make random free transfers and boost a random driver; play a chip at random now and then.

    Parameters
    ----------
    seed : int
        With the year and the numbers of the seasons it decides every draw.
    """

    seed: int = 0
    name: str = "random"
    has_chips: bool = True
    _rng: np.random.Generator = field(init=False, repr=False)

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see `Agent`."""
        if env.race == 0:
            self._rng = np.random.default_rng([self.seed, env.frame.rules.season, *env.season_numbers])
        view, rng = View(observation, env.frame), self._rng
        worth = rng.normal(size=view.held.shape)
        problem = replace(view.problem(worth), boost_worth=np.zeros_like(worth), extra_points=-NEVER)
        chip = rng.integers(0, len(CHIPS), view.count)
        plays = (rng.random(view.count) < 1 / env.frame.race_count) & view.playable[np.arange(view.count), chip]
        wanted = view.best(problem)
        lucky = np.where(wanted & np.isfinite(view.boostable), rng.random(wanted.shape), -1.0)
        boosts = lucky.argsort(axis=1)[:, ::-1]
        own = {"boost": boosts[:, 0], "extra_boost": boosts[:, 1]}
        return view.action(wanted, np.where(plays, chip, NONE)) | own


@dataclass(frozen=True)
class HoldAgent:
    """Choose the best expected line-up of the first race, and keep it; the boost goes to the best expected driver."""

    name: str = "hold"
    has_chips: bool = False

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see `Agent`."""
        view = View(observation, env.frame)
        wanted = best_teams(view.problem(view.expected)) if env.race == 0 else view.held
        return view.action(wanted, np.full(view.count, NONE))


@dataclass(frozen=True)
class GreedyAgent:
    """Make the free transfers that raise one figure of the line-up most, and no others.

    Parameters
    ----------
    by : {'value', 'points'}
        Expected points per million, or expected points.
    """

    by: str
    has_chips: bool = False

    @property
    def name(self) -> str:
        """Return its name."""
        return f"greedy_{self.by}"

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see `Agent`."""
        view = View(observation, env.frame)
        problem = replace(view.problem(view.expected), extra_points=-NEVER)
        if self.by == "value":
            worth = view.expected / np.maximum(view.feature("price_musd"), 0.1)
            problem = replace(problem, worth=worth, boost_worth=np.zeros_like(worth))
        return view.action(view.best(problem), np.full(view.count, NONE))


@dataclass(frozen=True)
class PlanningAgent:
    """Decide by a policy of :mod:`f1_pipeline.optimize.policies`, exactly, one season after the other.

    Parameters
    ----------
    policy : Policy
        Without chips.
    time_limit_s : float
        For each plan over several races.
    """

    policy: Policy
    time_limit_s: float = 10.0
    has_chips: bool = False

    @property
    def name(self) -> str:
        """Return its name."""
        return self.policy.name

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see `Agent`."""
        settings = PlanSettings(chips=(), gap=2e-3, time_limit_s=self.time_limit_s)
        decisions = []
        for row, number in enumerate(env.season_numbers):
            coming = env.source.coming(number, env.race)
            problem = coming.problem(env.team(row), self.policy.horizon)
            after = max(len(coming.menus) - self.policy.horizon, 0)
            decisions.append(decide(self.policy, problem, after, settings))
        return as_action(env.frame, decisions)


@dataclass
class OracleAgent:
    """Play the best path that perfect foresight finds; nothing of it is known to a manager.

    Parameters
    ----------
    time_limit_s : float
        For the path through a season.
    chips : tuple of str
        Chips it may play, where the environment has chips.
    """

    time_limit_s: float = 60.0
    chips: tuple[str, ...] = ("extra_boost", "limitless", "no_negative", "wildcard")
    name: str = "oracle"
    has_chips: bool = True
    _paths: list[Plan] = field(default_factory=list, init=False, repr=False)

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see `Agent`."""
        if env.race == 0:
            settings = PlanSettings(chips=self.chips if env.has_chips else (), gap=0.01, time_limit_s=self.time_limit_s)
            problems = [hindsight_problem(env.frame, env.seasons, row) for row in range(env.num_envs)]
            self._paths = [solve_season_path(problem, settings) for problem in problems]
        races = [path.races[env.race] for path in self._paths]
        return as_action(
            env.frame, [Decision(race.lineup, as_chip(race.chip, race.extra_boosted_driver)) for race in races]
        )


def as_action(frame: SeasonFrame, decisions: list[Decision]) -> Arrays:
    """Turn decisions of the game into an action.

    Parameters
    ----------
    frame : SeasonFrame
    decisions : list of Decision
        One per season, drivers by seat; Final Fix is named without its swap.

    Returns
    -------
    dict of numpy.ndarray
    """
    slots = {key: slot for slot, key in enumerate(frame.assets) if key is not None}
    pick = np.zeros((len(decisions), SLOTS), dtype=np.int8)
    boost, extra, chip = (np.zeros(len(decisions), dtype=np.intp) for _ in range(3))
    for row, decision in enumerate(decisions):
        pick[row, [slots[key] for key in decision.lineup.asset_keys]] = 1
        boost[row] = slots[DRIVER, decision.lineup.boosted_driver]
        if decision.chip is not None:
            chip[row] = CHIPS.index(decision.chip.name)
        if isinstance(decision.chip, ExtraBoost):
            extra[row] = slots[DRIVER, decision.chip.driver]
    return {"pick": pick, "boost": boost, "extra_boost": extra, "chip": chip}


def hindsight_problem(frame: SeasonFrame, seasons: Seasons, row: int) -> PlanProblem:
    """Make the plan of someone who knows every score and price of a season beforehand.

    Parameters
    ----------
    frame : SeasonFrame
    seasons : Seasons
    row : int
        Which of them.

    Returns
    -------
    PlanProblem
    """
    menus = tuple(_menu(frame, seasons, row, race) for race in range(frame.race_count))
    assets = plan_assets(menus)
    columns = np.array([frame.assets.index(key) for key in assets])
    points, floored = (values[row][:, columns].astype(float) for values in (seasons.points, seasons.no_negative_points))
    return PlanProblem(frame.rules, menus, assets, points, floored)


def _menu(frame: SeasonFrame, seasons: Seasons, row: int, race: int) -> RaceMenu:
    prices, is_active = seasons.prices[row, race], seasons.is_active[row, race]
    known = {key: slot for slot, key in enumerate(frame.assets) if key is not None and prices[slot] > 0}
    return RaceMenu(
        race_key=frame.race_keys[race],
        calendar=frame.race_keys,
        has_sprint=bool(frame.has_sprint[race]),
        prices={key: int(prices[slot]) for key, slot in known.items()},
        inactive=frozenset(key for key, slot in known.items() if key[0] != CONSTRUCTOR and not is_active[slot]),
    )
