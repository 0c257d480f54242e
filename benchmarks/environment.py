"""How fast the environment plays, on the warehouse that `make run` has computed.

Here: steps per second of one season and of thousands side by side, against Gymnasium's CartPole-v1 in the same run.
Not here: whether the points are right, which the tests prove.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gymnasium
import numpy as np

from benchmarks.registry import Figure, benchmark
from f1_pipeline.rl.linear import CrossEntropySettings, train_linear
from f1_pipeline.rl.seasons import GivenSeasons, Seasons, SeasonSource
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.agents import LIGHT_SETTINGS
from f1_pipeline.steps.environments import make_moves_vector
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import real_season, season_simulator

SEASON = 2025
ENVS, MOVES_ENVS = 2048, 512
SECONDS = 3.0


@benchmark("env_steps_per_s")
def environment() -> list[Figure]:
    """Count steps of the environment per second, vectorized and single, beside CartPole's; vectors are numpy's own."""
    simulator = season_simulator(Pipeline(load_settings()), SEASON)
    sample = simulator.sample(0, ENVS)
    vector, single = _ours(sample, ENVS), _ours(sample, 1)
    cart_pole = _cart_pole("vector_entry_point", ENVS)
    return [
        Figure("env_steps_per_s", vector, "1/s", "CartPole-v1, its own vector environment", cart_pole),
        Figure("env_vs_cartpole", cart_pole / vector, "times its cost", "CartPole-v1, its own vector environment", 1.0),
        Figure("env_vs_sync_cartpole", vector, "1/s", "CartPole-v1 in a SyncVectorEnv", _cart_pole("sync", 64)),
        Figure("env_single_steps_per_s", single, "1/s", "CartPole-v1, one", _cart_pole_single()),
        Figure("env_fresh_steps_per_s", _ours(simulator, 256), "1/s", "the same seasons again and again", vector),
        Figure("env_mean_reward_steps_per_s", _ours(sample, 256, "above_mean"), "1/s", "net points", vector),
        Figure("env_moves_steps_per_s", _moves(sample.first(MOVES_ENVS)), "1/s", "a pick per asset", vector),
    ]


@benchmark("simulated_forecasts")
def forecasts() -> list[Figure]:
    """Compare forecasts of simulated seasons with the published ones: correlation with points and price changes."""
    pipeline = Pipeline(load_settings())
    real = real_season(pipeline, SEASON).seasons
    simulated = season_simulator(pipeline, SEASON).sample(0, 256).seasons
    (points, error, prices), other = _skill(simulated), _skill(real)
    name = f"the published forecast of {SEASON}"
    return [
        Figure("simulated_points_correlation", points, "ratio", name, other[0]),
        Figure("simulated_points_mae", error, "points", name, other[1]),
        Figure("simulated_price_change_correlation", prices, "ratio", name, other[2]),
    ]


def _skill(seasons: Seasons) -> tuple[float, float, float]:
    """Correlate forecasts with points, average their errors, correlate expected price changes with those that came."""
    active = seasons.is_active
    expected, points = seasons.expected[active], seasons.points[active]
    stays = active[:, 1:] & active[:, :-1]
    change = np.diff(seasons.prices, axis=1)[stays]
    return (
        float(np.corrcoef(expected, points)[0, 1]),
        float(np.abs(expected - points).mean()),
        float(np.corrcoef(seasons.expected_change[:, :-1][stays], change)[0, 1]),
    )


@benchmark("train_light_agent_s")
def training() -> Figure:
    """Time a training run of the light agent, as the graph makes it, against one of a single generation."""
    simulator = season_simulator(Pipeline(load_settings()), SEASON)
    simulator.take([0])
    value, one = (
        _seconds(lambda own=own: train_linear([simulator], own, 0)) for own in (LIGHT_SETTINGS, CrossEntropySettings(1))
    )
    return Figure("train_light_agent_s", value, "s", "one generation of it", one)


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _rate(step: Callable[[], object], steps: int) -> float:
    """Count steps per second: ``steps`` at each call, warmed up by some calls."""
    for _ in range(3):
        step()
    calls, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        step()
        calls += 1
    return calls * steps / (time.perf_counter() - started)


def _ours(source: SeasonSource, count: int, reward: str = "points") -> float:
    """Hold the team in every season: a move costs the environment the same, and asks no agent."""
    env = F1FantasyVectorEnv(source, count, reward=reward)
    seen: list[Arrays] = [env.reset(seed=0)[0]]
    nothing = np.zeros(count, dtype=np.int64)

    def step() -> None:
        boost = seen[0]["boosted"].argmax(axis=1)
        seen[0] = env.step({"pick": seen[0]["held"], "boost": boost, "extra_boost": boost, "chip": nothing})[0]

    return _rate(step, count)


def _moves(source: GivenSeasons) -> float:
    env = make_moves_vector(MOVES_ENVS, source=source, reward="points")
    env.reset(seed=0)
    return _rate(lambda: env.step(np.ones(MOVES_ENVS, dtype=np.int64)), MOVES_ENVS)


def _cart_pole(mode: str, count: int) -> float:
    env = gymnasium.make_vec("CartPole-v1", num_envs=count, vectorization_mode=mode)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = env.action_space.sample()
    return _rate(lambda: env.step(actions), count)


def _cart_pole_single() -> float:
    env = gymnasium.make("CartPole-v1")
    env.reset(seed=0)

    def step() -> None:
        if env.step(1)[2]:
            env.reset()

    return _rate(step, 1)
