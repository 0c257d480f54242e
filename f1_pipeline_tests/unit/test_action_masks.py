"""What masks allow is what some legal decision holds, no more and no less, by a look at every line-up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import (
    Autopilot,
    ExtraBoost,
    FinalFix,
    Limitless,
    NoNegative,
    Wildcard,
    spend_chip,
    start_chips,
)
from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, WILDCARD
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.move_lists import MOVE_COUNT
from f1_pipeline.rl.moves_env import MovesEnv, MovesVectorEnv
from f1_pipeline.rl.seasons import DRIVER_SLOTS, IS_DRIVER, SLOTS
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import FIRST_RACES, SmallSeasons, legal_lineups, small_seasons

ENVS = 4
ARGUMENTS = (Autopilot(), ExtraBoost(""), NoNegative(), Wildcard(), Limitless(), FinalFix("", ""))
seeds = st.integers(0, 2**32 - 1)


def legal_chips(small: SmallSeasons, env: F1FantasyVectorEnv, row: int) -> list[bool]:
    """Ask the game whether each chip may be played."""
    team = env.team(row)
    left, number = (start_chips(small.rules), 1) if team is None else (team.chips_left, team.races_played + 1)
    allowed = {"none": True}
    for chip in ARGUMENTS:
        try:
            spend_chip(chip, left, small.rules, number, "race")
            allowed[chip.name] = True
        except RuleError:
            allowed[chip.name] = False
    return [allowed[name] for name in CHIPS]


def brute_force(small: SmallSeasons, env: F1FantasyVectorEnv, row: int) -> np.ndarray:
    """List every legal line-up of a team at its coming race."""
    teams, race = env.teams, env.race
    money = int(teams.bank_tenths[row] + teams.held[row] @ small.source.seasons.prices[row, race])
    budget = None if legal_chips(small, env, row)[LIMITLESS] else money
    return legal_lineups(small, teams.held[row], row, race, budget)


def drawn_action(generator: np.random.Generator, small: SmallSeasons, env: F1FantasyVectorEnv) -> Arrays:
    """Draw legal decisions within the budget, chips included."""
    pick = np.zeros((ENVS, SLOTS), dtype=np.int8)
    boost, extra, chip = (np.zeros(ENVS, dtype=np.int64) for _ in range(3))
    for row in range(ENVS):
        money = int(env.teams.bank_tenths[row] + env.teams.held[row] @ small.source.seasons.prices[row, env.race])
        pick[row] = generator.choice(legal_lineups(small, env.teams.held[row], row, env.race, money))
        boost[row], extra[row] = generator.choice(np.flatnonzero(pick[row] & IS_DRIVER), 2, replace=False)
        chip[row] = generator.choice(np.flatnonzero(legal_chips(small, env, row)))
    return {"pick": pick, "boost": boost, "extra_boost": extra, "chip": chip}


@pytest.mark.parametrize("season", sorted(FIRST_RACES))
@settings(derandomize=True, database=None, deadline=None, max_examples=6)
@given(seed=seeds)
def test_masks_are_exactly_what_legal_decisions_hold(season: int, seed: int) -> None:
    small, generator = small_seasons(seed, ENVS, season), np.random.default_rng(seed)
    env = F1FantasyVectorEnv(small.source, ENVS, illegal="reject")
    _, info = env.reset(options={"season_numbers": range(ENVS)})
    for race in range(small.frame.race_count):
        assert info["race_number"].tolist() == [race] * ENVS
        mask = info["action_mask"]
        for row in range(ENVS):
            held_by_some = brute_force(small, env, row).any(axis=0)
            np.testing.assert_array_equal(mask["pick"][row], 2 * held_by_some)
            np.testing.assert_array_equal(mask["boost"][row], held_by_some[:DRIVER_SLOTS])
            np.testing.assert_array_equal(mask["extra_boost"][row], held_by_some[:DRIVER_SLOTS])
            assert mask["chip"][row].tolist() == legal_chips(small, env, row)
        # The environment rejects nothing of what was found to be legal.
        *_, info = env.step(drawn_action(generator, small, env))
        assert not info["fault"].any()


def test_the_budget_bars_some_assets() -> None:
    """Without such assets masks would prove little."""
    barred = 0
    for seed in range(10):
        small, generator = small_seasons(seed, ENVS), np.random.default_rng(seed)
        env = F1FantasyVectorEnv(small.source, ENVS)
        _, info = env.reset(options={"season_numbers": range(ENVS)})
        for race in range(small.frame.race_count - 1):
            action = drawn_action(generator, small, env)
            action["chip"] = np.full(ENVS, LIMITLESS if race else 0)
            *_, info = env.step(action)
            usable = small.source.seasons.is_active[:, race + 1] | env.teams.held
            barred += int((usable & (info["action_mask"]["pick"] == 0)).sum())
    assert barred > 10


def test_samples_of_a_mask_are_of_the_action_space() -> None:
    env = F1FantasyEnv(small_seasons(2).source)
    _, info = env.reset(seed=1)
    for _ in range(20):
        action = env.action_space.sample(mask=info["action_mask"])
        assert env.action_space.contains(action)
        assert not action["pick"][info["action_mask"]["pick"] == 0].any()
        assert info["action_mask"]["boost"][action["boost"]] == 1
        assert info["action_mask"]["chip"][action["chip"]] == 1


def test_without_chips_none_may_be_played() -> None:
    env = F1FantasyVectorEnv(small_seasons(2).source, 3, has_chips=False)
    observation, info = env.reset(seed=1)
    for _ in range(4):
        assert info["action_mask"]["chip"].tolist() == [[1, 0, 0, 0, 0, 0, 0]] * 3
        assert not observation["chips"].any()
        observation, _, _, _, info = env.step({**env.action_space.sample(), "chip": np.full(3, WILDCARD)})
        assert (info["chip"] == 0).all()


# --- one number ---


@pytest.mark.parametrize("season", [2023, 2025])
@settings(derandomize=True, database=None, deadline=None, max_examples=4)
@given(seed=seeds)
def test_numbers_of_the_compact_mask_are_exactly_the_legal_ones(season: int, seed: int) -> None:
    small, generator = small_seasons(seed, ENVS, season), np.random.default_rng(seed)
    games = F1FantasyVectorEnv(small.source, ENVS, illegal="reject")
    env = MovesVectorEnv(games)
    _, info = env.reset(options={"season_numbers": range(ENVS)})
    for _ in range(small.frame.race_count):
        mask = info["action_mask"].reshape(ENVS, len(CHIPS), MOVE_COUNT)
        chips = np.array([legal_chips(small, games, row) for row in range(ENVS)])
        np.testing.assert_array_equal(mask[..., 0] > 0, chips)
        wanted: dict[tuple[int, int], set[bytes]] = {}
        for number in range(len(CHIPS) * MOVE_COUNT):
            chip, move = divmod(number, MOVE_COUNT)
            legal = mask[:, chip, move] > 0
            if not legal.all():
                with pytest.raises(RuleError, match="expected a move of the list with a chip that may be played"):
                    env.step(np.full(ENVS, number))
                if not legal.any():
                    continue
            # Rows where the number is not legal hold, with no chip.
            action = env.full_action(np.where(legal, number, 0))
            _, faults = games._legal(games._checked(action))
            assert not faults.any()
            for row in np.flatnonzero(legal):
                assert action["chip"][row] == chip
                wanted.setdefault((row, chip), set()).add(action["pick"][row].tobytes())
        for (row, chip), pickings in wanted.items():
            # No line-up is offered twice, and the list is full where there are enough.
            assert len(pickings) == mask[row, chip].sum()
            assert len(pickings) == min(MOVE_COUNT, neighbours(small, games, row, chip, env))
        numbers = [generator.choice(np.flatnonzero(row)) for row in info["action_mask"]]
        *_, info = env.step(np.array(numbers))


def neighbours(small: SmallSeasons, games: F1FantasyVectorEnv, row: int, chip: int, env: MovesVectorEnv) -> int:
    """Count the line-ups that differ by at most two active assets from the first one of a list."""
    race, teams = games.race, games.teams
    prices, active = small.source.seasons.prices[row, race], small.source.seasons.is_active[row, race]
    budget = None if chip == LIMITLESS else int(teams.bank_tenths[row] + teams.held[row] @ prices)
    start = env.full_action(np.where(np.arange(ENVS) == row, chip * MOVE_COUNT, 0))["pick"][row] > 0
    lineups = legal_lineups(small, teams.held[row] | start, row, race, budget)
    bought = lineups & ~start
    return int(((bought.sum(axis=1) <= 2) & ~(bought & ~active).any(axis=1)).sum())


def test_the_compact_environment_holds_by_its_first_number() -> None:
    small = small_seasons(4)
    env = MovesEnv(F1FantasyEnv(small.source))
    env.reset(options={"season_number": 1})
    env.step(3)
    held = env.game.games.teams.held.copy()
    observation, *_, info = env.step(0)
    np.testing.assert_array_equal(env.game.games.teams.held, held)
    assert info["transfer_count"] == 0
    np.testing.assert_array_equal(env.action_masks(), info["action_mask"] > 0)
    assert env.observation_space.contains(observation)
