"""What the compact environment says of a move is what the move does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.game.team_arrays import CHIPS, EXTRA_BOOST, LIMITLESS, WILDCARD
from f1_pipeline.rl.move_lists import MONEY_POINTS, MOVE_COUNT, MOVE_FEATURES
from f1_pipeline.rl.moves_env import MovesVectorEnv
from f1_pipeline.rl.seasons import DRIVER_SLOTS, IS_DRIVER
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import SmallSeasons, legal_lineups, small_seasons, with_rules


def at_race(small: SmallSeasons, race: int) -> tuple[MovesVectorEnv, dict[str, np.ndarray]]:
    """Play one season MOVE_COUNT times side by side, the third move of each list, until a race."""
    env = MovesVectorEnv(F1FantasyVectorEnv(small.source, MOVE_COUNT, reward="points", illegal="reject"))
    observation, _ = env.reset(options={"season_numbers": [1] * MOVE_COUNT})
    for _ in range(race):
        observation, *_ = env.step(np.full(MOVE_COUNT, 2))
    return env, observation


def expected_of(small: SmallSeasons, race: int, wanted: np.ndarray) -> float:
    """Expect a line-up's points, the boost on its best driver; who takes no part costs points."""
    seasons = small.source.seasons
    active, expected = seasons.is_active[1, race], seasons.expected[1, race]
    points = np.where(active, expected, small.frame.inactive_points[race])
    return float(points[wanted].sum() + np.where(active, expected, 0)[wanted & IS_DRIVER].max())


def with_free_transfers(small: SmallSeasons, free: int) -> SmallSeasons:
    return with_rules(small, replace(small.rules, transfers=replace(small.rules.transfers, free_per_race=free)))


@pytest.mark.parametrize(("seed", "free"), [(0, 2), (1, 2), (2, 1), (3, 0)])
@pytest.mark.parametrize("race", range(4))
def test_a_move_does_what_was_shown_of_it(seed: int, free: int, race: int) -> None:
    small = with_free_transfers(small_seasons(seed), free)
    env, observation = at_race(small, race)
    shown = dict(zip(MOVE_FEATURES, observation["moves"][0].T, strict=True))
    legal = shown["is_legal"] > 0
    np.testing.assert_array_equal(legal, env.mask[0, :MOVE_COUNT] > 0)
    numbers = np.where(legal, np.arange(MOVE_COUNT), 0)
    wanted = env.full_action(numbers)["pick"] > 0
    worth = np.array([expected_of(small, race, own) for own in wanted])
    np.testing.assert_allclose(shown["expected_gain_points"], np.where(legal, worth - worth[0], 0), atol=1e-3)
    change = np.where(small.source.seasons.is_active[1, race], small.source.seasons.expected_change[1, race], 0)
    gained = wanted @ change - wanted[0] @ change
    np.testing.assert_allclose(shown["expected_price_gain_musd"], np.where(legal, gained, 0), atol=1e-5)
    bought = (wanted & ~wanted[0]).sum(axis=1)
    np.testing.assert_array_equal(shown["transfer_count"], np.where(legal, bought, 0))
    *_, info = env.step(numbers)
    assert not info["fault"].any()
    np.testing.assert_array_equal(env.games.teams.held, wanted)
    np.testing.assert_allclose(shown["bank_musd"][legal], env.games.teams.bank_tenths[legal] / 10, atol=1e-4)
    np.testing.assert_array_equal(shown["transfer_points"][legal], info["transfer_points"][legal])
    if race:
        np.testing.assert_array_equal(info["transfer_count"], bought)


@pytest.mark.parametrize(("seed", "free"), [(0, 2), (1, 2), (2, 1), (3, 0)])
@pytest.mark.parametrize("race", range(4))
def test_the_list_is_of_the_best_moves(seed: int, free: int, race: int) -> None:
    """By expected points, the worth of expected price changes, and penalties, which the first race has not."""
    small = with_free_transfers(small_seasons(seed), free)
    env, _ = at_race(small, race)
    seasons, teams = small.source.seasons, env.games.teams
    prices, active = seasons.prices[1, race], seasons.is_active[1, race]
    change = np.where(active, seasons.expected_change[1, race], 0) * MONEY_POINTS * (3 - race)
    held = env.full_action(np.zeros(MOVE_COUNT, dtype=np.int64))["pick"][0] > 0
    budget = int(teams.bank_tenths[0] + teams.held[0] @ prices)
    worths = []
    for wanted in legal_lineups(small, held, 1, race, budget):
        bought = wanted & ~held
        if bought.sum() <= 2 and not (bought & ~active).any():
            penalty = -10 * max(0, bought.sum() - teams.free_transfers[0]) if race else 0
            worths.append(expected_of(small, race, wanted) + change[wanted].sum() + penalty)
    listed = env.mask[0, :MOVE_COUNT] > 0
    expected = expected_of(small, race, held) + change[held].sum()
    assert listed.sum() == min(MOVE_COUNT, len(worths))
    best = sorted(worths, reverse=True)
    best.remove(min(best, key=lambda worth: abs(worth - expected)))
    numbers = np.where(listed, np.arange(MOVE_COUNT), 0)
    found = []
    for wanted in env.full_action(numbers)["pick"][listed][1:] > 0:
        penalty = -10 * max(0, (wanted & ~held).sum() - teams.free_transfers[0]) if race else 0
        found.append(expected_of(small, race, wanted) + change[wanted].sum() + penalty)
    np.testing.assert_allclose(found, best[: len(found)], atol=1e-3)


def test_features_of_moves_that_are_not_there_are_zero() -> None:
    small = small_seasons(0, drivers=5, constructors=3)
    env, observation = at_race(small, 0)
    legal = observation["moves"][:, :, 0] > 0
    # Holding, and one of two constructors for the third.
    assert 1 <= legal[0].sum() <= 3
    assert not observation["moves"][~legal].any()
    assert env.observation_space.contains(observation)


@pytest.mark.parametrize("seed", range(3))
def test_boosts_go_to_the_best_expected_drivers(seed: int) -> None:
    small = small_seasons(seed)
    env, _ = at_race(small, 1)
    expected = small.source.seasons.expected[1, 1, :DRIVER_SLOTS]
    for chip in range(len(CHIPS)):
        action = env.full_action(np.full(MOVE_COUNT, chip * MOVE_COUNT))
        own = np.where(action["pick"][0, :DRIVER_SLOTS] > 0, expected, -np.inf)
        best, second = np.argsort(-own)[:2]
        if chip == EXTRA_BOOST:
            best, second = second, best
        assert (action["boost"][0], action["extra_boost"][0]) == (best, second)


def test_lists_of_a_wildcard_and_of_limitless_are_of_teams_built_afresh() -> None:
    small = small_seasons(3)
    env, _ = at_race(small, 1)
    seasons, games = small.source.seasons, env.games
    dear, limitless = (env.full_action(np.full(MOVE_COUNT, chip * MOVE_COUNT)) for chip in (WILDCARD, LIMITLESS))
    prices, active = seasons.prices[1, 1], seasons.is_active[1, 1]
    money = games.teams.bank_tenths[0] + games.teams.held[0] @ prices
    assert dear["pick"][0] @ prices <= money
    expected = np.where(active, seasons.expected[1, 1], -np.inf)
    for kind, size in ((IS_DRIVER, 5), (~IS_DRIVER, 2)):
        best = np.argsort(-np.where(kind, expected, -np.inf))[:size]
        assert limitless["pick"][0, best].all()
    np.testing.assert_array_equal(limitless["pick"].sum(axis=1), 7)


@pytest.mark.parametrize("race", range(3))
def test_full_decisions_are_found_on_the_list(race: int) -> None:
    small = small_seasons(2)
    env, _ = at_race(small, race)
    for chip in range(len(CHIPS)):
        chosen = chip * MOVE_COUNT + np.arange(MOVE_COUNT)
        legal = env.mask[np.arange(MOVE_COUNT), chosen] > 0
        action = env.full_action(np.where(legal, chosen, 0))
        np.testing.assert_array_equal(env.listed.numbers(action), np.where(legal, chosen, 0))
    held = env.full_action(np.zeros(MOVE_COUNT, dtype=int))
    elsewhere = {**held, "pick": np.zeros_like(held["pick"])}
    assert (env.listed.numbers(elsewhere) == -1).all()
