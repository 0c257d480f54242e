"""Illegal decisions become legal ones near them, and legal ones stay as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.team import Team
from f1_pipeline.game.team_arrays import (
    AUTOPILOT,
    CHIPS,
    EXTRA_BOOST,
    FINAL_FIX,
    LIMITLESS,
    NONE,
    WILDCARD,
    Choices,
    RaceSheet,
    TeamArrays,
    find_faults,
    play_race,
)
from f1_pipeline.rl.projection import project
from f1_pipeline.rl.seasons import DRIVER_SLOTS, IS_DRIVER, SLOTS
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import FIRST_RACES, SmallSeasons, legal_lineups, small_seasons
from f1_pipeline_tests.team_races import rules_of

ENVS = 6


def sampled(generator: np.random.Generator, size: int) -> Choices:
    """Draw elements of the action space, nearly all of them nonsense."""
    nobody = np.full(size, -1)
    return Choices(
        wanted=generator.random((size, SLOTS)) < generator.uniform(0, 0.6),
        boosted=generator.integers(0, DRIVER_SLOTS, size),
        extra_boosted=generator.integers(0, DRIVER_SLOTS, size),
        chip=generator.integers(0, len(CHIPS), size),
        outgoing=nobody,
        incoming=nobody,
    )


def sheet_of(small: SmallSeasons, race: int) -> RaceSheet:
    seasons = small.source.seasons
    names = ("prices", "is_active", "points", "no_negative_points", "remaining_points")
    arrays = {name: getattr(seasons, name)[:, race] for name in names}
    return RaceSheet(**arrays, inactive_points=np.full(seasons.count, small.frame.inactive_points[race]))


def started(small: SmallSeasons) -> TeamArrays:
    """Found the cheapest teams, as the environment does."""
    env = F1FantasyVectorEnv(small.source, small.source.count)
    env.reset(options={"season_numbers": range(small.source.count)})
    return env.teams


def legal_choices(generator: np.random.Generator, small: SmallSeasons, teams: TeamArrays, race: int) -> Choices:
    """Draw legal decisions, chips included."""
    choices = sampled(generator, len(teams.held))
    wanted, boosted, extra = choices.wanted.copy(), choices.boosted.copy(), choices.extra_boosted.copy()
    chip = np.zeros(len(wanted), dtype=np.intp)
    for row in range(len(wanted)):
        names = np.flatnonzero(teams.chips_left[row])
        chip[row] = generator.choice(names if race else [each for each in names if each < WILDCARD])
        budget = int(teams.bank_tenths[row] + teams.held[row] @ small.source.seasons.prices[row, race])
        lineups = legal_lineups(small, teams.held[row], row, race, None if chip[row] == LIMITLESS else budget)
        wanted[row] = generator.choice(lineups)
        boosted[row], extra[row] = generator.choice(np.flatnonzero(wanted[row] & IS_DRIVER), 2, replace=False)
    # A chip for a swap after qualifying is kept here; swaps are tested where they are made.
    chip = np.where(chip == FINAL_FIX, NONE, chip)
    return replace(choices, wanted=wanted, boosted=boosted, extra_boosted=extra, chip=chip)


@pytest.mark.parametrize("season", sorted(FIRST_RACES))
@settings(derandomize=True, database=None, deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_projected_is_legal_and_what_is_legal_stays(season: int, seed: int) -> None:
    small, generator = small_seasons(seed, ENVS, season), np.random.default_rng(seed)
    teams, rules = started(small), small.rules
    for race in range(small.frame.race_count):
        sheet = sheet_of(small, race)
        expected = small.source.seasons.expected[:, race]
        for _ in range(3):
            mended = project(teams, sampled(generator, ENVS), sheet, expected, rules)
            assert find_faults(teams, mended, sheet, IS_DRIVER, rules).tolist() == [0] * ENVS
        choices = legal_choices(generator, small, teams, race)
        assert find_faults(teams, choices, sheet, IS_DRIVER, rules).tolist() == [0] * ENVS
        same = project(teams, choices, sheet, expected, rules)
        for name in ("wanted", "boosted", "chip", "outgoing", "incoming"):
            np.testing.assert_array_equal(getattr(same, name), getattr(choices, name))
        has_extra = choices.chip == EXTRA_BOOST
        np.testing.assert_array_equal(same.extra_boosted[has_extra], choices.extra_boosted[has_extra])
        teams, _ = play_race(teams, choices, sheet, IS_DRIVER, rules)


@settings(derandomize=True, database=None, deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_game_takes_what_the_environment_projects(seed: int) -> None:
    """Each season is also played by `Team`, with the decision that the environment says it played."""
    small, generator = small_seasons(seed, ENVS), np.random.default_rng(seed)
    env = F1FantasyVectorEnv(small.source, ENVS, reward="points")
    env.reset(options={"season_numbers": range(ENVS)})
    single: list[Team] = []
    for race in range(small.frame.race_count):
        choices = sampled(generator, ENVS)
        action = {
            "pick": choices.wanted.astype(np.int8),
            "boost": choices.boosted,
            "extra_boost": choices.extra_boosted,
            # A line-up of Limitless is gone after the race, a swap is not told.
            "chip": np.where(np.isin(choices.chip, [LIMITLESS, FINAL_FIX, EXTRA_BOOST]), NONE, choices.chip),
        }
        _, reward, *_, info = env.step(action)
        for row in range(ENVS):
            held, boosted = env.teams.held[row], int(env.teams.boosted[row])
            lineup = Lineup(
                tuple(small.name(slot) for slot in np.flatnonzero(held & IS_DRIVER)),
                tuple(small.name(slot) for slot in np.flatnonzero(held & ~IS_DRIVER)),
                small.name(boosted),
            )
            menu = small.menu(row, race)
            if race == 0:
                single.append(Team.start(lineup, menu.prices, small.rules))
            played = replace(choices, chip=info["chip"])
            decision = Decision(lineup, small.chip(played, row))
            single[row], result = (
                single[row].apply(decision, menu).settle(small.items[row][race], small.new_prices(row, race))
            )
            assert reward[row] == result.total_points
            if race + 1 < small.frame.race_count:
                assert env.team(row) == single[row]


# --- by hand: drivers 0 to 6 and constructors 30 to 32 at 10 million, 20 million in the bank ---


def hand_sheet() -> RaceSheet:
    is_active, prices = np.zeros((1, SLOTS), dtype=bool), np.zeros((1, SLOTS), dtype=np.int32)
    is_active[0, [*range(7), 30, 31, 32]] = True
    prices[is_active] = 100
    nothing = np.zeros((1, SLOTS))
    return RaceSheet(prices, is_active, nothing, nothing, nothing, np.zeros(1))


def slots(*chosen: int) -> np.ndarray:
    found = np.zeros((1, SLOTS), dtype=bool)
    found[0, list(chosen)] = True
    return found


def hand_teams() -> TeamArrays:
    teams = TeamArrays.start(slots(0, 1, 2, 3, 4, 30, 31), np.array([0]), hand_sheet().prices, rules_of(2025))
    return replace(teams, bank_tenths=np.array([200]), races_played=np.array([3]))


EXPECTED = np.zeros((1, SLOTS))
EXPECTED[0, :7], EXPECTED[0, 30:33] = [5, 1, 2, 3, 4, 6, 7], [10, 20, 30]


def projected(teams: TeamArrays, sheet: RaceSheet, **decision: object) -> Choices:
    one = {name: np.array([value]) for name, value in decision.items() if name != "wanted"}
    zero = np.zeros(1, dtype=np.intp)
    base = Choices(slots(), zero, zero + 1, zero, zero - 1, zero - 1)
    choices = replace(base, wanted=decision.get("wanted", teams.held), **one)
    return project(teams, choices, sheet, EXPECTED, rules_of(2025))


def test_the_best_expected_replace_the_dearest_who_are_not_wanted() -> None:
    sheet = hand_sheet()
    sheet.prices[0, [3, 5, 6]] = 150, 300, 310
    # Wanted are six drivers. Driver 6 (7 points) is too dear by 10: 200 + 100 of driver 0, 1, 2 or 4 or 150 of 3.
    found = projected(hand_teams(), sheet, wanted=slots(1, 2, 4, 5, 6, 32, 7))
    # 200 + 150 - 310 leaves 40: driver 6 for driver 3; then nobody can pay 300; 32 comes for 30, at the same price.
    np.testing.assert_array_equal(found.wanted, slots(0, 1, 2, 4, 6, 31, 32))


def test_without_anything_wanted_the_team_is_held() -> None:
    found = projected(hand_teams(), hand_sheet(), wanted=slots(), boosted=9, extra_boosted=9, chip=EXTRA_BOOST)
    np.testing.assert_array_equal(found.wanted, hand_teams().held)
    # drivers 0 and 4 are expected to score most
    assert (found.boosted.tolist(), found.extra_boosted.tolist(), found.chip.tolist()) == ([0], [4], [EXTRA_BOOST])


def test_two_boosts_on_one_driver_are_put_on_two() -> None:
    found = projected(hand_teams(), hand_sheet(), boosted=4, extra_boosted=4, chip=EXTRA_BOOST)
    assert (found.boosted.tolist(), found.extra_boosted.tolist()) == ([4], [0])


def test_a_chip_that_is_spent_leaves_the_line_up_as_it_is() -> None:
    """Driver 6 can be paid only together with driver 5, who is cheaper than who leaves for him."""
    teams, sheet = hand_teams(), hand_sheet()
    teams.chips_left[0, AUTOPILOT] = False
    sheet.prices[0, [5, 6]] = 90, 410
    teams = replace(teams, bank_tenths=np.array([300]))
    found = projected(teams, sheet, wanted=slots(2, 3, 4, 5, 6, 30, 31), boosted=6, chip=AUTOPILOT)
    np.testing.assert_array_equal(found.wanted, slots(2, 3, 4, 5, 6, 30, 31))
    assert (found.boosted.tolist(), found.chip.tolist()) == ([6], [NONE])


def test_limitless_pays_for_everything_and_not_when_it_is_spent() -> None:
    sheet, teams = hand_sheet(), hand_teams()
    sheet.prices[0, [5, 6]] = 900
    wanted = slots(0, 1, 2, 5, 6, 30, 32, 31)
    found = projected(teams, sheet, wanted=wanted, chip=LIMITLESS)
    np.testing.assert_array_equal(found.wanted[0, :DRIVER_SLOTS], slots(0, 1, 2, 5, 6)[0, :DRIVER_SLOTS])
    teams.chips_left[0, LIMITLESS] = False
    found = projected(teams, sheet, wanted=wanted, chip=LIMITLESS)
    np.testing.assert_array_equal(found.wanted, hand_teams().held)
    assert found.chip.tolist() == [NONE]


def test_who_takes_no_part_is_kept_and_never_bought() -> None:
    sheet = hand_sheet()
    sheet.is_active[0, [0, 6]] = False
    found = projected(hand_teams(), sheet, wanted=slots(0, 1, 2, 3, 6, 30, 31), boosted=6)
    np.testing.assert_array_equal(found.wanted, hand_teams().held)
    assert found.boosted.tolist() == [0]
