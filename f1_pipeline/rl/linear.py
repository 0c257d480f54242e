"""A light agent: assets weighed by a linear function of what is seen, moves by exact search, weights by evolution.

Belongs here: the policy and its training by the cross-entropy method, with NumPy alone. Neighbours:
:mod:`f1_pipeline.rl.views` reads observations, :mod:`f1_pipeline.rl.moves` searches.

References
----------
Rubinstein, "The Cross-Entropy Method for Combinatorial and Continuous Optimization" (1999); with the noise of Szita and
Lorincz, "Learning Tetris Using the Noisy Cross-Entropy Method" (2006).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, NONE, WILDCARD
from f1_pipeline.rl.seasons import Floats, SeasonSource
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.rl.views import View

WORTH = (
    "money_points",
    "last_3_share",
    "last_5_share",
    "circuit_share",
    "constructor_share",
    "deviation_weight",
    "transfer_points",
)
"""Weights of an asset's worth: points of a million gained, per race that is left; how far expected points move towards
form, the record at the circuit and the team's form; points per point of deviation; points that a transfer costs."""

_CHIP_NAMES = CHIPS[1:]
PARAMETERS = (
    *WORTH,
    *(f"{name}_from_points" for name in _CHIP_NAMES),
    *(f"{name}_late_points" for name in _CHIP_NAMES),
)
"""All weights. A chip is played where its estimated gain is above ``from``, moved by ``late`` as the season goes by."""

# Where the search begins: a million's worth per race, no opinion on form, chips kept for a good race. Set by hand.
START = np.array([0.5, 0, 0, 0, 0, 0, 1.0, 10, 45, 15, 40, 90, 6, *[-5.0] * 6])
_START_SD = np.array([0.3, 0.15, 0.15, 0.1, 0.1, 0.1, 2.0, 4, 12, 6, 20, 25, 3, *[6.0] * 6])


@dataclass(frozen=True, eq=False)
class LinearAgent:
    """Play by linear weights.

    Parameters
    ----------
    weights : numpy.ndarray, shape (PARAMETERS,) or (N, PARAMETERS)
        One agent, or one for each of N seasons.
    name : str
    """

    weights: Floats
    name: str = "linear"
    has_chips: bool = True

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see :class:`f1_pipeline.rl.agents.Agent`."""
        view = View(observation, env.frame)
        own = {name: self.weights[..., at] for at, name in enumerate(PARAMETERS)}
        worth = self.worth(view)
        problem = view.problem(worth, np.broadcast_to(own["transfer_points"], (view.count,)))
        wanted = view.best(problem)
        gains = view.chip_gains(wanted, worth)
        late = view.context("season_progress_share")
        needed = np.stack(
            [own[f"{name}_from_points"] + late * own[f"{name}_late_points"] for name in _CHIP_NAMES], axis=-1
        )
        surplus = np.where(view.playable[:, 1:], gains[:, 1:] - needed, -np.inf)
        chip = np.where(surplus.max(axis=1) > 0, surplus.argmax(axis=1) + 1, NONE)
        wanted = view.rebuilt(wanted, worth, chip == WILDCARD)
        wanted = np.where((chip == LIMITLESS)[:, np.newaxis], view.limitless(), wanted)
        return view.action(wanted, chip)

    def worth(self, view: View) -> Floats:
        """Weigh the assets, shape (N, SLOTS)."""
        weights = np.broadcast_to(self.weights, (view.count, len(PARAMETERS)))
        own = {name: weights[:, at, np.newaxis] for at, name in enumerate(PARAMETERS)}
        expected, left = view.expected, view.context("races_left_count")[:, np.newaxis] - 1
        worth = expected + own["money_points"] * left * view.feature("expected_price_change_musd")
        for share, feature in (
            ("last_3_share", "last_3_mean_points"),
            ("last_5_share", "last_5_mean_points"),
            ("circuit_share", "circuit_mean_points"),
            ("constructor_share", "constructor_last_5_mean_points"),
        ):
            known = view.feature(feature)
            # 0 says that there is no record.
            worth += own[share] * np.where(known != 0, known - expected, 0.0)
        worth += own["deviation_weight"] * view.feature("expected_sd_points")
        return np.where(view.on_sale, worth, expected)


@dataclass(frozen=True)
class CrossEntropySettings:
    """How to search.

    Parameters
    ----------
    generations : int
    population : int
        Agents of a generation.
    elites : int
        Best of them, from which the next generation is drawn.
    seasons : int
        Seasons that all agents of a generation play.
    noise : float
        Share of the first spread that is added to the next one's, falling to 0 towards the end, lest the search settles
        early.
    """

    generations: int = 15
    population: int = 24
    elites: int = 6
    seasons: int = 32
    noise: float = 0.2

    def __post_init__(self) -> None:
        if self.generations < 1 or self.seasons < 1 or not 1 <= self.elites <= self.population or self.noise < 0:
            raise UsageError(f"Training: expected counts of 1 or more and no more elites than agents, found {self}.")


@dataclass(frozen=True)
class Generation:
    """One point of the learning curve: mean season points of a generation, of its elites, and of its best agent."""

    number: int
    mean_points: float
    elite_points: float
    best_points: float


def train_linear(
    sources: Sequence[SeasonSource],
    settings: CrossEntropySettings,
    seed: int,
    report: Callable[[Generation], None] = lambda generation: None,
) -> tuple[LinearAgent, list[Generation]]:
    """Search for weights that score most in simulated seasons.

    Parameters
    ----------
    sources : sequence of SeasonSource
        Simulators that take turns, generation by generation.
    settings : CrossEntropySettings
    seed : int
        The same seed gives the same agent.
    report : callable
        Told of every generation.

    Returns
    -------
    LinearAgent
        With the mean of the last elites.
    list of Generation
        The learning curve.
    """
    rng = np.random.default_rng(seed)
    mean, spread = START.copy(), _START_SD.copy()
    curve = []
    for number in range(settings.generations):
        source = sources[number % len(sources)]
        drawn = mean + spread * rng.normal(size=(settings.population, len(PARAMETERS)))
        first = int(rng.integers(2**31)) * settings.seasons
        points = _season_points(source, drawn, range(first, first + settings.seasons))
        order = np.argsort(-points)
        elites = drawn[order[: settings.elites]]
        mean = elites.mean(axis=0)
        fading = settings.noise * max(0.0, 1 - 1.5 * (number + 1) / settings.generations)
        spread = elites.std(axis=0) + fading * _START_SD
        curve.append(
            Generation(
                number + 1, float(points.mean()), float(points[order[: settings.elites]].mean()), float(points.max())
            )
        )
        report(curve[-1])
    return LinearAgent(mean), curve


def _season_points(source: SeasonSource, weights: Floats, numbers: Sequence[int]) -> Floats:
    """Play the same seasons with every agent; return its mean season points."""
    if source.count is not None:
        numbers = [number % source.count for number in numbers]
    env = F1FantasyVectorEnv(source, len(weights) * len(numbers), reward="points")
    observation, info = env.reset(options={"season_numbers": list(numbers) * len(weights)})
    agent = LinearAgent(np.repeat(weights, len(numbers), axis=0))
    total = np.zeros(env.num_envs)
    for _ in range(env.frame.race_count):
        observation, points, _, _, info = env.step(agent.act(observation, info, env))
        total += points
    return total.reshape(len(weights), len(numbers)).mean(axis=1)


def agent_bytes(agent: LinearAgent) -> bytes:
    """Write an agent down as JSON."""
    weights = dict(zip(PARAMETERS, agent.weights.tolist(), strict=True))
    return json.dumps({"agent": agent.name, "weights": weights}, indent=2).encode()


def read_agent(content: bytes, where: str) -> LinearAgent:
    """Read an agent back.

    Parameters
    ----------
    content : bytes
        From :func:`agent_bytes`.
    where : str
        What to name in errors.

    Returns
    -------
    LinearAgent

    Raises
    ------
    DataError
        It is not one, or lacks a weight.
    """
    try:
        found = json.loads(content)
        weights = found["weights"]
        if sorted(weights) != sorted(PARAMETERS):
            raise KeyError("weights")
        return LinearAgent(np.array([float(weights[name]) for name in PARAMETERS]), str(found["agent"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: expected an agent with the weights {', '.join(PARAMETERS)}, found {error!r}"
        ) from error
