"""The learned agent: NumPy evaluates what was trained, files are checked, training is repeatable."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.team_arrays import EXTRA_BOOST
from f1_pipeline.rl.move_lists import CHOICE_COUNT, MOVE_COUNT, list_moves
from f1_pipeline.rl.ppo import (
    FLAT_SIZE,
    MOVE_SIZE,
    SHAPES,
    PpoAgent,
    PpoSettings,
    choice_scores,
    flat_observation,
    ppo_bytes,
    read_ppo,
    train_ppo,
)
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import small_seasons

HAS_EXTRA = all(importlib.util.find_spec(name) for name in ("torch", "sb3_contrib"))
needs_extra = pytest.mark.skipif(not HAS_EXTRA, reason="the extra rl (torch, sb3-contrib) is not installed")
TINY = PpoSettings(updates=2, seasons=4, copies=2, races=6, batch_size=16, epochs=2)


def random_agent(seed: int) -> PpoAgent:
    generator = np.random.default_rng(seed)
    return PpoAgent({name: generator.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()})


def random_lists(generator: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Make flat observations, of which some moves are not legal, and masks in which holding always is."""
    flat = generator.normal(size=(count, FLAT_SIZE)).astype(np.float32)
    legal = generator.random((count, MOVE_COUNT)) < 0.8
    flat[:, : MOVE_COUNT * MOVE_SIZE : MOVE_SIZE] = legal
    mask = generator.random((count, CHOICE_COUNT)) < 0.5
    mask[:, 0] = True
    return flat, mask


@needs_extra
@pytest.mark.parametrize("seed", range(5))
def test_the_network_is_the_same_in_numpy_and_in_torch(seed: int) -> None:
    import torch

    from f1_pipeline.rl.ppo_training import ChoiceNetwork

    agent = random_agent(seed)
    network = ChoiceNetwork()
    with torch.no_grad():
        for name, values in agent.weights.items():
            network.policy[name].copy_(torch.as_tensor(values))
    flat, mask = random_lists(np.random.default_rng(seed), 300)
    with torch.no_grad():
        scores = network.forward_actor(torch.as_tensor(flat))
        chosen = torch.where(torch.as_tensor(mask), scores, -torch.inf).argmax(dim=1).numpy()
    own = choice_scores(agent.weights, flat)
    np.testing.assert_allclose(own, scores.numpy(), rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(agent.choose(flat, mask), chosen)
    assert len(np.unique(chosen)) > 20
    for name, values in network.arrays().items():
        np.testing.assert_array_equal(values, agent.weights[name])


def test_only_legal_choices_are_made_in_a_season() -> None:
    small = small_seasons(1)
    env = F1FantasyVectorEnv(small.source, 2, reward="points", illegal="reject")
    for seed in range(5):
        agent = random_agent(seed)
        observation, info = env.reset(options={"season_numbers": [0, 1]})
        for _ in range(env.frame.race_count):
            observation, *_, info = env.step(agent.act(observation, info, env))
            assert not info["fault"].any()


def test_a_season_without_chips_is_played_without_chips() -> None:
    small = small_seasons(1)
    env = F1FantasyVectorEnv(small.source, 1, reward="points", illegal="reject", has_chips=False)
    observation, info = env.reset(options={"season_numbers": [0]})
    for _ in range(env.frame.race_count):
        observation, *_, info = env.step(random_agent(0).act(observation, info, env))
        assert (info["chip"] == 0).all()


def test_flat_observations_are_scaled() -> None:
    env = F1FantasyVectorEnv(small_seasons(0).source, 2, reward="points")
    observation, _ = env.reset(options={"season_numbers": [0, 1]})
    shown = list_moves(observation, env.frame).shown
    flat = flat_observation(shown)
    assert flat.shape == (2, FLAT_SIZE)
    assert flat.dtype == np.float32
    moves = flat[:, : MOVE_COUNT * MOVE_SIZE].reshape(2, MOVE_COUNT, MOVE_SIZE)
    np.testing.assert_allclose(moves[..., 1], shown["moves"][..., 1] / 20, rtol=1e-5)
    left = env.frame.race_count - 1
    np.testing.assert_allclose(moves[..., 6], shown["moves"][..., 2] * left / 10, rtol=1e-5)
    np.testing.assert_array_equal(flat[:, -6:], shown["chips"])


def test_an_agent_survives_being_written_down() -> None:
    agent = random_agent(0)
    content = ppo_bytes(agent)
    again = read_ppo(content, "agent.npz")
    assert list(again.weights) == list(SHAPES)
    for name, values in agent.weights.items():
        np.testing.assert_array_equal(again.weights[name], values)
    assert ppo_bytes(again) == content


def archive(**changed: np.ndarray | None) -> bytes:
    arrays = {name: values for name, values in (random_agent(0).weights | changed).items() if values is not None}
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "archive of weights"),
        (b"not an archive", "archive of weights"),
        (archive()[:-40], "archive of weights"),
        (archive().replace(b"descr", b"descs"), "archive of weights"),
        (archive(rank=None), "rank of shape .*found none"),
        (archive(move_out=np.zeros(3, dtype=np.float32)), r"move_out of shape \(32,\), found \(3,\)"),
        (archive(move_out=np.full(32, np.nan, dtype=np.float32)), "finite weights move_out"),
        (archive(move_out=np.zeros(32)), "finite weights move_out"),
        (archive(move_out=np.array([None] * 32)), "archive of weights"),
    ],
)
def test_damaged_agents_are_refused(content: bytes, found: str) -> None:
    with pytest.raises(DataError, match=rf"^models/ppo: expected .*{found}"):
        read_ppo(content, "models/ppo")


def test_no_damaged_byte_escapes() -> None:
    content, generator = archive(), np.random.default_rng(0)
    for at in [*range(60), *range(len(content) - 60, len(content)), *generator.integers(len(content), size=60)]:
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(generator.integers(8))
        # some bytes, such as dates, are of no account
        with contextlib.suppress(DataError):
            agent = read_ppo(bytes(damaged), "models/ppo")
            assert {name: values.shape for name, values in agent.weights.items()} == SHAPES


def test_single_arrays_are_no_agents() -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    with pytest.raises(DataError, match="archive of weights"):
        read_ppo(content.getvalue(), "models/ppo")


@pytest.mark.skipif(HAS_EXTRA, reason="the extra rl is installed, so nothing is missing")
def test_training_without_the_extra_says_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"found no \w+: pip install -c constraints.txt -e '\.\[rl\]'"):
        train_ppo([small_seasons(0).source], TINY, 0)


@needs_extra
def test_training_is_repeatable() -> None:
    sources = [small_seasons(seed).source for seed in (0, 1)]
    told: list[int] = []
    agent, curve = train_ppo(sources, TINY, 3, lambda update: told.append(update.number))
    again, same = train_ppo(sources, TINY, 3)
    other, _ = train_ppo(sources, TINY, 4)
    assert ppo_bytes(agent) == ppo_bytes(again)
    assert ppo_bytes(agent) != ppo_bytes(other)
    assert curve == same
    assert told == [1, 2]
    # two sources of two seasons, played twice, for six races
    assert [update.race_count for update in curve] == [48, 96]
    assert all(np.isfinite(update.mean_points) for update in curve)


@needs_extra
def test_seasons_are_reset_at_their_end() -> None:
    from f1_pipeline.rl.moves_env import MovesVectorEnv
    from f1_pipeline.rl.ppo_training import SeasonsVecEnv

    sources = [small_seasons(0).source]
    seasons = SeasonsVecEnv(sources, replace(TINY, seasons=1, copies=2), 0)
    first = seasons.reset()
    races = seasons.parts[0].games.frame.race_count
    plain = MovesVectorEnv(F1FantasyVectorEnv(sources[0], 2, reward="points"))
    plain.reset(options={"season_numbers": seasons.parts[0].games.season_numbers})
    chosen = np.array([0, 1])
    total = np.zeros(2)
    for race in range(races):
        seen, rewards, ended, told = seasons.step(chosen)
        shown, points, terminated, *_ = plain.step(chosen)
        total += points
        # the copies' rewards are against their mean
        assert abs(rewards.sum()) < 1e-5
        last = race == races - 1
        assert ended.all() == terminated.all() == last
        if last:
            ends = np.stack([info["terminal_observation"] for info in told])
            np.testing.assert_array_equal(ends, flat_observation(shown))
            assert seasons.parts[0].games.race == 0
            assert seen.shape == first.shape
        else:
            assert told == [{}, {}]
            np.testing.assert_array_equal(seen, flat_observation(shown))
    assert seasons.ended == [pytest.approx(total.mean())]
    assert seasons.action_masks()[:, 0].all()


@needs_extra
@pytest.mark.parametrize("chip", [0, EXTRA_BOOST])
def test_rewards_are_what_was_expected_of_the_line_up(chip: int) -> None:
    from f1_pipeline.rl.ppo_training import forecast_errors

    env = F1FantasyVectorEnv(small_seasons(0).source, 1, reward="points")
    observation, _ = env.reset(options={"season_numbers": [0]})
    listed = list_moves(observation, env.frame)
    assert listed.mask[0, chip * MOVE_COUNT]
    action = listed.action(np.array([chip * MOVE_COUNT]))
    surprise = forecast_errors(env, action)
    expected = env.seasons.expected[0, 0].astype(float)
    # the boost counts a driver twice, the extra boost three times
    boosts = expected[action["boost"][0]] + (2 * expected[action["extra_boost"][0]] if chip else 0)
    foreseen = expected[action["pick"][0] > 0].sum() + boosts
    _, points, *_ = env.step(action)
    assert points[0] - surprise[0] == pytest.approx(foreseen, abs=1e-4)
