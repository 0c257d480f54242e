"""What the environments refuse, and what they say then; a refused step leaves the season as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded

from f1_pipeline.errors import DataError, RuleError, UsageError
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.team_arrays import AUTOPILOT, CHIPS, EXTRA_BOOST, WILDCARD
from f1_pipeline.rl import GAME_ID, MOVES_ID
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.moves_env import MOVE_COUNT, MovesEnv, MovesVectorEnv
from f1_pipeline.rl.seasons import DRIVER_SLOTS, SLOTS, slot_order
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline.steps.environments import make_game, season_source
from f1_pipeline_tests.small_seasons import small_seasons

SMALL = small_seasons(6)
GAMES = 3
Changes = Mapping[str, Any]


def holding(env: F1FantasyVectorEnv) -> dict[str, np.ndarray]:
    """Hold every team without a chip."""
    nothing = np.zeros(env.num_envs, dtype=np.int64)
    pick, boost = env.teams.held.astype(np.int8), env.teams.boosted.copy()
    return {"pick": pick, "boost": boost, "extra_boost": nothing, "chip": nothing.copy()}


def started(**settings: Any) -> F1FantasyVectorEnv:
    env = F1FantasyVectorEnv(SMALL.source, GAMES, **settings)
    env.reset(options={"season_numbers": range(GAMES)})
    return env


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pick": np.zeros((GAMES, SLOTS))}, r"Action pick: expected whole numbers of shape \(3, 42\), found float64"),
        ({"pick": np.zeros(SLOTS, dtype=int)}, r"Action pick: expected whole numbers of shape \(3, 42\)"),
        ({"pick": np.full((GAMES, SLOTS), 2)}, "Action pick: expected numbers from 0 to 1"),
        ({"pick": np.full((GAMES, SLOTS), -1)}, "Action pick: expected numbers from 0 to 1"),
        ({"pick": [["a"] * SLOTS] * GAMES}, "Action pick: expected whole numbers"),
        ({"boost": np.zeros(GAMES - 1, dtype=int)}, r"Action boost: expected whole numbers of shape \(3,\)"),
        ({"boost": np.full(GAMES, DRIVER_SLOTS)}, "Action boost: expected numbers from 0 to 29"),
        ({"boost": np.full(GAMES, np.nan)}, "Action boost: expected whole numbers"),
        ({"extra_boost": np.full(GAMES, -1)}, "Action extra_boost: expected numbers from 0 to 29"),
        ({"chip": np.full(GAMES, len(CHIPS))}, "Action chip: expected numbers from 0 to 6"),
        ({"chip": 1}, r"Action chip: expected whole numbers of shape \(3,\)"),
        ({"chip": None}, "Action chip: expected whole numbers"),
    ],
)
@pytest.mark.parametrize("illegal", ["project", "reject"])
def test_what_the_action_space_does_not_hold_is_refused(changes: Changes, message: str, illegal: str) -> None:
    env = started(illegal=illegal)
    before = env.teams
    with pytest.raises(InvalidAction, match=message):
        env.step({**holding(env), **changes})
    assert (env.race, env.teams) == (0, before)


@pytest.mark.parametrize("name", ["pick", "boost", "extra_boost", "chip"])
def test_every_part_of_an_action_is_needed(name: str) -> None:
    env = started()
    action = holding(env)
    del action[name]
    with pytest.raises(InvalidAction, match=f"expected pick, boost, extra_boost, chip, found no {name}"):
        env.step(action)


@pytest.mark.parametrize("action", [None, 3, "hold", [1, 2], np.zeros(3)])
def test_an_action_that_is_no_mapping_is_refused(action: Any) -> None:
    with pytest.raises(InvalidAction, match="Action: expected"):
        started().step(action)
    single = F1FantasyEnv(SMALL.source)
    single.reset()
    with pytest.raises(InvalidAction, match="Action: expected"):
        single.step(action)


# --- rules, by name and season ---


def fewer(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    action["pick"][1, np.flatnonzero(action["pick"][1])[0]] = 0


def one_constructor(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    action["pick"][1, np.flatnonzero(action["pick"][1])[-1]] = 0


def empty_slot(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    fewer(env, action)
    action["pick"][1, DRIVER_SLOTS - 1] = 1


def dearest(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    fewer(env, action)
    others = env.seasons.is_active[1, 0, :DRIVER_SLOTS] & ~env.teams.held[1, :DRIVER_SLOTS]
    coming = np.flatnonzero(others)[0]
    env.seasons.prices[1, 0, coming] = 2000
    action["pick"][1, coming] = 1
    action["boost"][1] = coming


def boost_elsewhere(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    action["boost"][1] = DRIVER_SLOTS - 1


def early_wildcard(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    action["chip"][1] = WILDCARD


def same_boosts(env: F1FantasyVectorEnv, action: dict[str, np.ndarray]) -> None:
    action["chip"][1], action["extra_boost"][1] = EXTRA_BOOST, action["boost"][1]


@pytest.mark.parametrize(
    ("change", "number", "message"),
    [
        (fewer, 1, "expected the team's number of drivers"),
        (one_constructor, 2, "expected the team's number of constructors"),
        (empty_slot, 3, "expected assets that take part, or that are held already"),
        (dearest, 4, "expected a line-up within the budget"),
        (boost_elsewhere, 5, "expected the boost on a driver of the line-up"),
        (early_wildcard, 6, "expected a chip that is left and may be played at this race"),
        (same_boosts, 7, "expected the extra boost on a second driver of the line-up"),
    ],
)
def test_an_illegal_decision_is_rejected_by_season_and_rule_or_projected(
    change: Callable[[F1FantasyVectorEnv, dict[str, np.ndarray]], None], number: int, message: str
) -> None:
    env = started(illegal="reject")
    action = holding(env)
    change(env, action)
    before = env.teams
    with pytest.raises(RuleError, match=f"^2025-australia, season 1: {message}.* in 1 of 3 seasons"):
        env.step(action)
    assert (env.race, env.teams) == (0, before)
    other = started()
    change(other, action := holding(other))
    *_, info = other.step(action)
    assert info["fault"].tolist() == [0, number, 0]
    assert (other.teams.held.sum(axis=1) == 7).all()


def test_a_chip_is_rejected_the_second_time() -> None:
    env = started(illegal="reject")
    env.step({**holding(env), "chip": np.full(GAMES, AUTOPILOT)})
    with pytest.raises(RuleError, match=r"2025-china, season 0: expected a chip that is left .* in 3 of 3 seasons"):
        env.step({**holding(env), "chip": np.full(GAMES, AUTOPILOT)})


def test_a_move_that_is_not_on_the_list_is_rejected_or_becomes_the_move_without_its_chip() -> None:
    early = WILDCARD * MOVE_COUNT + 2
    env = MovesVectorEnv(started(illegal="reject"))
    env.reset(options={"season_numbers": range(GAMES)})
    with pytest.raises(
        RuleError, match=f"2025-australia, season 1: expected a move of the list .*found number {early}"
    ):
        env.step(np.array([0, early, early]))
    env = MovesVectorEnv(started())
    env.reset(options={"season_numbers": range(GAMES)})
    same, other = env.full_action(np.full(GAMES, early)), env.full_action(np.full(GAMES, 2))
    for name, values in same.items():
        np.testing.assert_array_equal(values, other[name])


@pytest.mark.parametrize(
    "action", [None, 1, np.zeros(GAMES), np.zeros(GAMES + 1, dtype=int), np.full(GAMES, -1), np.full(GAMES, 112)]
)
def test_numbers_out_of_the_compact_space_are_refused(action: Any) -> None:
    env = MovesVectorEnv(started())
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match="Action: expected"):
        env.step(action)


@pytest.mark.parametrize("action", [None, -1, 112, 1.5, "a", np.array([1])])
def test_a_number_out_of_the_compact_space_is_refused(action: Any) -> None:
    env = MovesEnv(F1FantasyEnv(SMALL.source))
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match="Action: expected a number below 112"):
        env.step(action)


# --- in the wrong order ---


def test_a_step_before_the_first_reset_is_refused() -> None:
    games, single = F1FantasyVectorEnv(SMALL.source, GAMES), F1FantasyEnv(SMALL.source)
    for step in (
        lambda: games.step({}),
        lambda: MovesVectorEnv(games).step(np.zeros(GAMES, dtype=int)),
        lambda: single.step({}),
        lambda: MovesEnv(single).step(0),
    ):
        with pytest.raises(ResetNeeded, match="reset"):
            step()


def test_a_step_after_the_last_race_is_refused_and_a_reset_begins_anew() -> None:
    single, compact = F1FantasyEnv(SMALL.source), MovesEnv(F1FantasyEnv(SMALL.source))
    for env, action in ((single, lambda: first_action(single)), (compact, lambda: 0)):
        env.reset(seed=3)
        for race in range(4):
            _, _, terminated, truncated, info = env.step(action())
            assert (terminated, truncated) == (race == 3, False)
        assert info["race_key"] == ""
        for _ in range(2):
            with pytest.raises(ResetNeeded, match="Call reset first"):
                env.step(action())
        _, info = env.reset()
        assert info["race_key"] == "2025-australia"
        env.step(action())


def first_action(env: F1FantasyEnv) -> dict[str, Any]:
    return {name: values[0] for name, values in holding(env.games).items()}


# --- seasons, options, settings ---


@pytest.mark.parametrize("number", [3, -1, 10**12])
def test_a_season_number_out_of_range_is_refused(number: int) -> None:
    for env in (F1FantasyEnv(SMALL.source), MovesEnv(F1FantasyEnv(SMALL.source))):
        with pytest.raises(DataError, match=f"Season number: expected one below 3, found {number}"):
            env.reset(options={"season_number": number})
    with pytest.raises(DataError, match=f"Season number: expected one below 3, found {number}"):
        F1FantasyVectorEnv(SMALL.source, 2).reset(options={"season_numbers": [0, number]})


def test_a_refused_reset_leaves_the_season_as_it_is() -> None:
    env = started()
    env.step(holding(env))
    before = env.teams
    with pytest.raises(DataError):
        env.reset(options={"season_numbers": [0, 1, 7]})
    assert (env.race, env.season_numbers, env.teams) == (1, (0, 1, 2), before)
    env.step(holding(env))


@pytest.mark.parametrize("numbers", [[0], [0, 1, 2, 0], []])
def test_season_numbers_are_as_many_as_seasons(numbers: list[int]) -> None:
    with pytest.raises(UsageError, match=f"season_numbers: expected 3 of them, found {len(numbers)}"):
        started().reset(options={"season_numbers": numbers})


@pytest.mark.parametrize("numbers", [1, 1.5, ["a", "b", "c"], [0, 0.5, 1], [0, None, 1]])
def test_season_numbers_are_whole_numbers(numbers: Any) -> None:
    with pytest.raises(UsageError, match="season_numbers: expected 3 whole numbers, found"):
        started().reset(options={"season_numbers": numbers})


def test_unknown_options_and_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="expected the option season_numbers, found speed"):
        started().reset(options={"speed": 1})
    with pytest.raises(UsageError, match="reward: expected one of above_mean, points, regret, found 'fun'"):
        F1FantasyVectorEnv(SMALL.source, reward="fun")
    with pytest.raises(UsageError, match="illegal: expected one of project, reject, found 'ignore'"):
        F1FantasyEnv(SMALL.source, illegal="ignore")
    with pytest.raises(UsageError, match="num_envs: expected at least 1, found 0"):
        F1FantasyVectorEnv(SMALL.source, 0)


@pytest.mark.parametrize("name", [GAME_ID, MOVES_ID])
def test_an_environment_needs_a_season_of_a_known_world(name: str) -> None:
    with pytest.raises(UsageError, match="expected a season, such as season=2025, found none"):
        gymnasium.make(name)
    with pytest.raises(UsageError, match="expected a season"):
        gymnasium.make_vec(name, num_envs=2)
    with pytest.raises(UsageError, match="world: expected one of real, simulated, found 'flat'"):
        gymnasium.make(name, season=2025, world="flat")
    with pytest.raises(UsageError, match="world: expected one of real, simulated, found 'flat'"):
        season_source(2025, "flat")
    with pytest.raises(UsageError, match="reward: expected one of"):
        make_game(source=SMALL.source, reward="fun")


def test_too_many_assets_have_no_slots() -> None:
    with pytest.raises(DataError, match="expected at most 30 assets of type driver, found 31"):
        slot_order([(DRIVER, f"driver-{number}@team") for number in range(31)])
