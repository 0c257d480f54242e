"""Many teams at once against one team at a time: points, money, transfers, chips and faults, decision by decision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import RuleError
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, Lineup
from f1_pipeline.game.team import Team
from f1_pipeline.game.team_arrays import (
    AUTOPILOT,
    CHIPS,
    EXTRA_BOOST,
    FAULTS,
    FINAL_FIX,
    LIMITLESS,
    NO_NEGATIVE,
    NONE,
    WILDCARD,
    Choices,
    RaceSheet,
    TeamArrays,
    budget_tenths,
    find_faults,
    play_race,
    playable_chips,
    total,
)
from f1_pipeline.rl.seasons import DRIVER_SLOTS, IS_DRIVER, SLOTS
from f1_pipeline_tests.small_seasons import FIRST_RACES, SmallSeasons, small_seasons
from f1_pipeline_tests.team_races import rules_of

TEAM_COUNT = 16


def sheet_of(small: SmallSeasons, race: int, numbers: np.ndarray) -> RaceSheet:
    seasons, frame = small.source.seasons.rows(numbers), small.frame
    return RaceSheet(
        prices=seasons.prices[:, race],
        is_active=seasons.is_active[:, race],
        points=seasons.points[:, race],
        no_negative_points=seasons.no_negative_points[:, race],
        remaining_points=seasons.remaining_points[:, race],
        inactive_points=np.full(len(numbers), frame.inactive_points[race]),
    )


def founded(small: SmallSeasons, numbers: np.ndarray) -> tuple[TeamArrays, list[Team]]:
    """Found the cheapest teams, the boost on the first driver by slot."""
    sheet = sheet_of(small, 0, numbers)
    held = np.zeros(sheet.is_active.shape, dtype=bool)
    for row, prices in enumerate(sheet.prices):
        for kind, size in ((IS_DRIVER, 5), (~IS_DRIVER, 2)):
            slots = np.flatnonzero(kind & sheet.is_active[row])
            held[row, slots[np.argsort(prices[slots], kind="stable")[:size]]] = True
    boosted = held.argmax(axis=1)
    teams = TeamArrays.start(held, boosted, sheet.prices, small.rules)
    single = [
        Team.start(
            Lineup(
                tuple(small.name(slot) for slot in np.flatnonzero(held[row, :DRIVER_SLOTS])),
                tuple(small.name(DRIVER_SLOTS + slot) for slot in np.flatnonzero(held[row, DRIVER_SLOTS:])),
                small.name(int(boosted[row])),
            ),
            {key: price for key, price in small.menu(number, 0).prices.items() if small.menu(number, 0).is_active(key)},
            small.rules,
        )
        for row, number in enumerate(numbers.tolist())
    ]
    return teams, single


def drawn_choices(generator: np.random.Generator, teams: TeamArrays, sheet: RaceSheet, wild: float) -> Choices:
    """Draw decisions: a few swaps of what is held, some of them illegal in one way or another."""
    size = len(teams.held)
    wanted = teams.held.copy()
    boosted, extra = np.zeros(size, dtype=np.intp), np.zeros(size, dtype=np.intp)
    chip = np.where(generator.random(size) < 0.6, generator.integers(0, len(CHIPS), size), NONE)
    outgoing, incoming = np.full(size, -1), np.full(size, -1)
    for row in range(size):
        own = wanted[row]
        for _ in range(generator.integers(0, 5)):
            out = generator.choice(np.flatnonzero(own))
            anyone = generator.random() < 0.1 * wild
            same = (IS_DRIVER[out] == IS_DRIVER) & ~own & (sheet.is_active[row] | anyone)
            if same.any():
                own[out], own[generator.choice(np.flatnonzero(same))] = False, True
        if generator.random() < 0.15 * wild:
            own[generator.integers(0, SLOTS)] ^= True
        drivers = np.flatnonzero(own & IS_DRIVER)
        if not len(drivers) or generator.random() < 0.15 * wild:
            drivers = np.arange(DRIVER_SLOTS)
        boosted[row], extra[row] = generator.choice(drivers), generator.choice(drivers)
        if chip[row] == FINAL_FIX:
            outgoing[row], incoming[row] = drawn_swap(generator, teams.rows([row]), own, boosted[row], sheet, row)
            if incoming[row] < 0:
                chip[row] = NONE
    return Choices(wanted, boosted, extra, chip, outgoing, incoming)


def drawn_swap(
    generator: np.random.Generator, team: TeamArrays, wanted: np.ndarray, boosted: int, sheet: RaceSheet, row: int
) -> tuple[int, int]:
    """Draw a swap after qualifying that can be paid, often of the boosted driver; none where there is none."""
    prices = sheet.prices[row]
    bank = int(budget_tenths(team, prices[np.newaxis])[0] - prices[wanted].sum())
    pairs = [
        (out, into)
        for out in np.flatnonzero(wanted & IS_DRIVER)
        for into in np.flatnonzero(sheet.is_active[row] & ~wanted & IS_DRIVER)
        if prices[into] <= bank + prices[out]
    ]
    pairs = [pair for pair in pairs if pair[0] == boosted] or pairs
    return pairs[generator.integers(len(pairs))] if pairs else (-1, -1)


def pick(choices: Choices, other: Choices, chosen: np.ndarray) -> Choices:
    """Take the chosen rows of the first, the others of the second."""
    return Choices(
        *(
            np.where(chosen.reshape(-1, *[1] * (mine.ndim - 1)), mine, theirs)
            for mine, theirs in zip(vars(choices).values(), vars(other).values(), strict=True)
        )
    )


def holding(teams: TeamArrays) -> Choices:
    """Hold every team, the boost where it is."""
    nothing, nobody = np.zeros(len(teams.held), dtype=np.intp), np.full(len(teams.held), -1)
    return Choices(teams.held, teams.boosted, nothing, nothing, nobody, nobody)


def assert_same(small: SmallSeasons, teams: TeamArrays, row: int, team: Team) -> None:
    kinds = zip(teams.held[row], small.frame.assets, strict=True)
    assert sorted(key for is_held, key in kinds if is_held and key) == sorted(team.lineup.asset_keys)
    assert small.name(int(teams.boosted[row])) == team.boosted_driver
    assert teams.bank_tenths[row] == team.bank_tenths
    assert teams.free_transfers[row] == team.free_transfers
    assert teams.races_played[row] == team.races_played
    left = [name for name, is_left in zip(CHIPS[1:], teams.chips_left[row, 1:], strict=True) if is_left]
    assert sorted(left) == list(team.chips_left)
    assert teams.chips_left[row, NONE]


@pytest.mark.parametrize("season", sorted(FIRST_RACES))
@settings(derandomize=True, database=None, deadline=None, max_examples=12)
@given(seed=st.integers(0, 2**32 - 1))
def test_many_teams_fare_as_each_would_alone(season: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    small = small_seasons(seed, count=4, season=season)
    numbers = generator.integers(0, 4, TEAM_COUNT)
    teams, single = founded(small, numbers)
    for race in range(small.frame.race_count):
        sheet = sheet_of(small, race, numbers)
        choices = drawn_choices(generator, teams, sheet, wild=1.0)
        faults = find_faults(teams, choices, sheet, IS_DRIVER, small.rules)
        refused = np.zeros(TEAM_COUNT, dtype=bool)
        menus = [small.menu(number, race) for number in range(4)]
        for row, (number, team) in enumerate(zip(numbers.tolist(), single, strict=True)):
            try:
                team.apply(small.decision(choices, row), menus[number])
            except RuleError:
                refused[row] = True
        np.testing.assert_array_equal(faults > 0, refused)
        choices = pick(choices, holding(teams), ~refused)
        before = {name: values.copy() for name, values in vars(teams).items()}
        after, outcome = play_race(teams, choices, sheet, IS_DRIVER, small.rules)
        for name, values in vars(teams).items():
            np.testing.assert_array_equal(values, before[name])
        teams = after
        for row, number in enumerate(numbers.tolist()):
            held = single[row].lineup.asset_keys
            known = dict(zip(held, single[row].price_tenths, strict=True)) | menus[number].prices
            worth = sum(known[key] for key in held)
            assert outcome.budget_tenths[row] == single[row].bank_tenths + worth
            locked = single[row].apply(small.decision(choices, row), menus[number])
            single[row], result = locked.settle(small.items[number][race], small.new_prices(number, race))
            assert outcome.points[row] == result.total_points
            assert outcome.asset_points[row] == sum(score.points for score in result.scores)
            assert outcome.transfer_points[row] == result.transfer_points
            assert outcome.inactive_points[row] == result.inactive_points
            assert outcome.transfer_count[row] == result.transfer_count
            assert_same(small, teams, row, single[row])


def test_the_random_seasons_meet_every_rule() -> None:
    """Seasons that never play a chip or keep an inactive asset would prove nothing."""
    met = dict.fromkeys((*CHIPS, "inactive", "penalty", "carried", "swap of the boosted", *FAULTS[1:]), 0)
    for seed, season in enumerate(sorted(FIRST_RACES) * 5):
        generator = np.random.default_rng(seed)
        small = small_seasons(seed, count=4, season=season)
        numbers = generator.integers(0, 4, TEAM_COUNT)
        teams, _ = founded(small, numbers)
        for race in range(small.frame.race_count):
            sheet = sheet_of(small, race, numbers)
            choices = drawn_choices(generator, teams, sheet, wild=1.0)
            faults = find_faults(teams, choices, sheet, IS_DRIVER, small.rules)
            for number in faults[faults > 0]:
                met[FAULTS[number]] += 1
            choices = pick(choices, holding(teams), faults == 0)
            for number in choices.chip:
                met[CHIPS[number]] += 1
            met["swap of the boosted"] += int(
                ((choices.chip == FINAL_FIX) & (choices.outgoing == choices.boosted)).sum()
            )
            teams, outcome = play_race(teams, choices, sheet, IS_DRIVER, small.rules)
            met["inactive"] += int((choices.wanted & ~sheet.is_active).any(axis=1).sum())
            met["penalty"] += int((outcome.transfer_points < 0).sum())
            met["carried"] += int((teams.free_transfers == 3).sum())
    assert min(met.values()) > 4, met


# --- by hand: prices 10 each, budget 100 million, drivers 0 to 6, constructors 30 to 32 ---


def hand_sheet(count: int) -> RaceSheet:
    """Seven drivers of 10 to 16 points, 4 of them after qualifying but 9 of driver 6, and three constructors of 20."""
    is_active, prices = np.zeros((count, SLOTS), dtype=bool), np.zeros((count, SLOTS), dtype=np.int32)
    is_active[:, [*range(7), 30, 31, 32]] = True
    prices[is_active] = 100
    points = np.zeros((count, SLOTS))
    points[:, :7], points[:, 30:33] = np.arange(10, 17), 20
    remaining = np.zeros((count, SLOTS))
    remaining[:, :7] = [4, 4, 4, 4, 4, 4, 9]
    return RaceSheet(prices, is_active, points, points + 1.0 * is_active, remaining, np.full(count, -25))


def hand_teams(count: int, races_played: int = 3) -> TeamArrays:
    held = np.zeros((count, SLOTS), dtype=bool)
    held[:, [0, 1, 2, 3, 4, 30, 31]] = True
    teams = TeamArrays.start(held, np.zeros(count, dtype=np.intp), hand_sheet(count).prices, rules_of(2025))
    return replace(teams, races_played=np.full(count, races_played))


def hand_choices(count: int, **changes: object) -> Choices:
    return replace(holding(hand_teams(count)), **changes)


@pytest.mark.parametrize(
    ("chip", "expected"),
    [
        # 10 + 11 + 12 + 13 + 14 + 2 x 20 = 100, and driver 0 again
        (NONE, 110),
        (AUTOPILOT, 114),
        # driver 1 three times
        (EXTRA_BOOST, 132),
        # one point more for each asset, and for the boosted one again
        (NO_NEGATIVE, 118),
        (WILDCARD, 110),
        (LIMITLESS, 110),
        # driver 0, twice, goes after qualifying: 2 x (9 - 4)
        (FINAL_FIX, 120),
    ],
)
def test_points_of_each_chip_by_hand(chip: int, expected: float) -> None:
    choices = hand_choices(
        1, chip=np.array([chip]), extra_boosted=np.array([1]), outgoing=np.array([0]), incoming=np.array([6])
    )
    teams, outcome = play_race(hand_teams(1), choices, hand_sheet(1), IS_DRIVER, rules_of(2025))
    assert outcome.points.tolist() == [expected]
    spent = [name for name, is_left in zip(CHIPS, teams.chips_left[0], strict=True) if not is_left]
    assert spent == ([] if chip == NONE else [CHIPS[chip]])
    assert teams.free_transfers.tolist() == [2 if chip in (WILDCARD, LIMITLESS) else 3]


def with_assets(*slots: int) -> np.ndarray:
    wanted = np.zeros((1, SLOTS), dtype=bool)
    wanted[0, list(slots)] = True
    return wanted


def test_transfers_penalties_and_the_first_race_by_hand() -> None:
    wanted = with_assets(0, 1, 2, 5, 6, 30, 32)
    choices = hand_choices(1, wanted=wanted)
    teams, outcome = play_race(hand_teams(1), choices, hand_sheet(1), IS_DRIVER, rules_of(2025))
    assert (outcome.transfer_count.tolist(), outcome.transfer_points.tolist()) == ([3], [-10.0])
    assert (teams.free_transfers.tolist(), teams.bank_tenths.tolist()) == ([2], [300])
    np.testing.assert_array_equal(teams.held, wanted)
    first, outcome = play_race(hand_teams(1, 0), choices, hand_sheet(1), IS_DRIVER, rules_of(2025))
    assert (outcome.transfer_count.tolist(), outcome.transfer_points.tolist()) == ([0], [0.0])
    assert (first.free_transfers.tolist(), first.races_played.tolist()) == ([2], [1])


def test_limitless_reverts_and_inactive_assets_cost_points_by_hand() -> None:
    sheet = hand_sheet(1)
    sheet.is_active[0, 4] = False
    sheet.points[0, 4] = 0
    sheet.prices[0, [5, 6]] = 900
    choices = hand_choices(1, wanted=with_assets(0, 1, 4, 5, 6, 30, 32), chip=np.array([LIMITLESS]))
    assert find_faults(hand_teams(1), choices, sheet, IS_DRIVER, rules_of(2025)).tolist() == [0]
    teams, outcome = play_race(hand_teams(1), choices, sheet, IS_DRIVER, rules_of(2025))
    # 10 + 11 + 0 + 15 + 16 + 2 x 20, driver 0 again, one inactive asset
    assert outcome.points.tolist() == [102 - 25]
    np.testing.assert_array_equal(teams.held, hand_teams(1).held)
    assert teams.bank_tenths.tolist() == [300]


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"wanted": with_assets(0, 1, 2, 3, 30, 31)}),
        (1, {"wanted": with_assets(0, 1, 2, 3, 4, 5, 30, 31)}),
        (2, {"wanted": with_assets(0, 1, 2, 3, 4, 30)}),
        (2, {"wanted": with_assets(0, 1, 2, 3, 4, 30, 31, 32)}),
        (3, {"wanted": with_assets(0, 1, 2, 3, 7, 30, 31)}),
        (3, {"wanted": with_assets(0, 1, 2, 3, 4, 30, 33)}),
        (4, {"wanted": with_assets(0, 1, 2, 5, 6, 30, 31)}),
        (5, {"boosted": np.array([5])}),
        (5, {"boosted": np.array([30])}),
        (6, {"chip": np.array([AUTOPILOT])}),
        (7, {"chip": np.array([EXTRA_BOOST]), "extra_boosted": np.array([0])}),
        (7, {"chip": np.array([EXTRA_BOOST]), "extra_boosted": np.array([6])}),
        (0, {"extra_boosted": np.array([6])}),
    ],
)
def test_each_fault_by_hand(number: int, changes: dict[str, np.ndarray]) -> None:
    sheet = hand_sheet(1)
    # 7 x 10 held and 30 in the bank: two of 25.1 are a tenth each too dear, one of them is not
    sheet.prices[0, [5, 6]] = 251
    teams = hand_teams(1)
    teams.chips_left[0, AUTOPILOT] = False
    found = find_faults(teams, hand_choices(1, **changes), sheet, IS_DRIVER, rules_of(2025))
    assert FAULTS[found[0]] == FAULTS[number]


def test_the_last_tenth_decides() -> None:
    for dear, fault in ((250, 0), (251, 4)):
        sheet = hand_sheet(1)
        sheet.prices[0, 5], sheet.prices[0, 6] = 250, dear
        choices = hand_choices(1, wanted=with_assets(0, 1, 2, 5, 6, 30, 31))
        assert find_faults(hand_teams(1), choices, sheet, IS_DRIVER, rules_of(2025)).tolist() == [fault]


def test_a_price_limit_of_the_boost_is_kept_to() -> None:
    rules = rules_of(2025)
    limited = replace(rules, boost=replace(rules.boost, price_below_tenths=101))
    sheet = hand_sheet(2)
    sheet.prices[1, 0] = 101
    assert find_faults(hand_teams(2), hand_choices(2), sheet, IS_DRIVER, limited).tolist() == [0, 5]


def test_chips_wait_for_their_race() -> None:
    names = [
        [name for name, is_open in zip(CHIPS, row, strict=True) if is_open]
        for row in (playable_chips(hand_teams(1, played), rules_of(2025))[0] for played in (0, 1))
    ]
    assert names == [["none", "autopilot", "extra_boost", "no_negative"], list(CHIPS)]


def test_rules_with_several_uses_of_a_chip_are_refused() -> None:
    rules = rules_of(2025)
    several = replace(rules, chips=replace(rules.chips, uses_per_season=2))
    teams = hand_teams(1)
    with pytest.raises(RuleError, match="2025: expected one use of each chip, found 2"):
        TeamArrays.start(teams.held, teams.boosted, hand_sheet(1).prices, several)


def test_rows_and_where_select_teams() -> None:
    teams = replace(hand_teams(3), bank_tenths=np.array([1, 2, 3]))
    assert teams.rows(np.array([2, 0])).bank_tenths.tolist() == [3, 1]
    other = replace(teams, bank_tenths=np.array([7, 8, 9]), held=~teams.held)
    mixed = teams.where(np.array([True, False, True]), other)
    assert mixed.bank_tenths.tolist() == [1, 8, 3]
    np.testing.assert_array_equal(mixed.held[1], other.held[1])
    np.testing.assert_array_equal(mixed.held[2], teams.held[2])


def test_totals_are_sums_over_the_chosen() -> None:
    chosen = np.array([[True, False, True], [False, False, False]])
    assert total(chosen, np.array([[1, 2, 4], [1, 2, 4]])).tolist() == [5, 0]


def test_kinds_of_the_small_seasons() -> None:
    small = small_seasons(0)
    assert {key[0] for key in small.frame.assets[:DRIVER_SLOTS] if key} == {DRIVER}
    assert {key[0] for key in small.frame.assets[DRIVER_SLOTS:] if key} == {CONSTRUCTOR}
