"""A team through real races: money, transfers, seats and penalties, worked by hand; properties are next door."""

import copy
from dataclasses import replace

import pandas as pd
import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.decisions import Decision, asset_key
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.settlement import inactive_points, index_items
from f1_pipeline.game.team import Team
from f1_pipeline_tests.team_races import (
    items_of,
    lineup_of,
    menu_of,
    play,
    points_of,
    prices_of,
    rules_of,
    start_at,
)

# 2026, Australia: 7.4 + 7.3 + 12.0 + 6.2 + 27.4 + 29.3 + 6.3 = 95.9
DRIVERS_2026 = "oliver-bearman esteban-ocon pierre-gasly arvid-lindblad george-russell"
LINEUP_2026 = lineup_of(DRIVERS_2026, "mercedes racing-bulls", "george-russell")
# 2025, Australia: 18.0 + 9.6 + 6.2 + 6.0 + 21.0 + 7.0 + 13.1 = 80.9
LINEUP_2025 = lineup_of(
    "liam-lawson yuki-tsunoda isack-hadjar gabriel-bortoleto george-russell", "haas williams", "george-russell"
)
# 2023, Bahrain: 26.9 + 8.3 + 9.4 + 11.2 + 7.0 + 9.1 + 27.2 = 99.1
LINEUP_2023 = lineup_of(
    "max-verstappen fernando-alonso esteban-ocon lando-norris oscar-piastri", "mclaren red-bull", "max-verstappen"
)
# 2024, Netherlands: 5.0 + 7.1 + 7.5 + 9.4 + 11.8 + 10.2 + 6.4 = 57.4
LINEUP_2024 = lineup_of(
    "logan-sargeant guanyu-zhou valtteri-bottas nico-hulkenberg kevin-magnussen", "haas williams", "nico-hulkenberg"
)


def swapped(lineup: Lineup, **names: str) -> Lineup:
    """Exchange drivers, written with underscores: old=new."""
    change = {old.replace("_", "-"): new for old, new in names.items()}
    return replace(lineup, drivers=tuple(change.get(driver, driver) for driver in lineup.drivers))


@pytest.fixture(scope="module")
def team_2026() -> Team:
    team, _ = play(start_at("2026-australia", LINEUP_2026), Decision(LINEUP_2026), "2026-australia", "2026-china")
    return team


@pytest.fixture(scope="module")
def team_2025() -> Team:
    team, _ = play(start_at("2025-australia", LINEUP_2025), Decision(LINEUP_2025), "2025-australia", "2025-china")
    return team


def test_start_keeps_what_the_lineup_does_not_cost() -> None:
    team = start_at("2026-australia", LINEUP_2026)
    assert (team.bank_tenths, team.value_tenths, team.budget_tenths) == (41, 959, 1000)
    assert team.boosted_driver == "george-russell@mercedes"
    assert team.chips_left == ("autopilot", "extra_boost", "final_fix", "limitless", "no_negative", "wildcard")


def test_first_race_doubles_the_boosted_driver() -> None:
    start = start_at("2026-australia", LINEUP_2026)
    team, result = play(start, Decision(LINEUP_2026), "2026-australia", "2026-china")
    # 20 + 9 + 11 + 15 + 39 x 2 + 96 + 35
    assert result.total_points == 264
    assert points_of(result)["george-russell"] == 78
    # 8.0 + 7.9 + 12.2 + 6.8 + 27.7 + 29.6 + 6.9 = 99.1
    assert (team.bank_tenths, team.value_tenths) == (41, 991)
    assert (team.races_played, team.last_race_key) == (1, "2026-australia")


def test_boost_doubles_negative_points() -> None:
    start = start_at("2023-bahrain", LINEUP_2023)
    on_ocon = replace(LINEUP_2023, boosted_driver="esteban-ocon")
    # 35 + 39 - 17 - 1 - 16 - 16 + 78 = 102
    assert play(start, Decision(LINEUP_2023), "2023-bahrain", "2023-saudi-arabia")[1].total_points == 102 + 35
    assert play(start, Decision(on_ocon), "2023-bahrain", "2023-saudi-arabia")[1].total_points == 102 - 17


def test_transfers_before_the_first_race_are_free() -> None:
    start = start_at("2023-bahrain", LINEUP_2023)
    cheap = lineup_of(
        "alexander-albon guanyu-zhou kevin-magnussen lance-stroll yuki-tsunoda", "williams haas", "guanyu-zhou"
    )
    locked = start.apply(Decision(cheap, swap_count=20), menu_of("2023-bahrain"))
    assert (locked.transfer_count, locked.transfer_points, locked.kept.free_transfers) == (0, 0, 2)
    # 100.0 - (5.5 + 4.9 + 6.7 + 7.5 + 4.8 + 5.1 + 5.3)
    assert locked.kept.bank_tenths == 602


def test_net_counting_of_2026_forgives_swaps_that_were_undone(team_2026: Team) -> None:
    wanted = swapped(LINEUP_2026, arvid_lindblad="liam-lawson")
    locked = team_2026.apply(Decision(wanted, swap_count=4), menu_of("2026-china"))
    # 4.1 + 6.8 - 6.3 left; one of two free transfers used, one carried
    assert (locked.transfer_count, locked.transfer_points, locked.kept.free_transfers) == (1, 0, 3)
    assert locked.kept.bank_tenths == 46
    _, result = locked.settle(items_of("2026-china"), prices_of("2026-japan"))
    # 34 + 24 + 20 + 35 + 45 x 2 + 115 + 50
    assert result.total_points == 368


def test_until_2025_each_confirmed_swap_counts(team_2025: Team) -> None:
    wanted = swapped(LINEUP_2025, gabriel_bortoleto="jack-doohan")
    locked = team_2025.apply(Decision(wanted, swap_count=4), menu_of("2025-china"))
    assert (locked.transfer_count, locked.transfer_points, locked.kept.free_transfers) == (4, -20, 2)
    # 19.1 + 5.4 - 6.6
    assert locked.kept.bank_tenths == 179
    _, result = locked.settle(items_of("2025-china"), prices_of("2025-japan") | prices_of("2025-china"))
    # 22 + 6 + 11 + 11 + 35 x 2 + 47 + 26 - 20
    assert result.total_points == 173


def test_an_extra_transfer_cost_four_points_in_2023() -> None:
    team, _ = play(start_at("2023-bahrain", LINEUP_2023), Decision(LINEUP_2023), "2023-bahrain", "2023-saudi-arabia")
    locked = team.apply(Decision(LINEUP_2023, swap_count=5), menu_of("2023-saudi-arabia"))
    assert locked.transfer_points == -12


@pytest.mark.parametrize(("changes", "found"), [(0, 3), (1, 3), (2, 2)])
def test_one_unused_transfer_carries_over(team_2026: Team, changes: int, found: int) -> None:
    names = dict([("arvid_lindblad", "liam-lawson"), ("esteban_ocon", "sergio-perez")][:changes])
    locked = team_2026.apply(Decision(swapped(LINEUP_2026, **names)), menu_of("2026-china"))
    assert locked.kept.free_transfers == found


def test_carried_transfers_do_not_pile_up_and_the_fourth_costs(team_2026: Team) -> None:
    rested, _ = play(team_2026, Decision(LINEUP_2026), "2026-china", "2026-japan")
    assert rested.free_transfers == 3
    assert rested.apply(Decision(LINEUP_2026), menu_of("2026-japan")).kept.free_transfers == 3
    names = {"arvid_lindblad": "liam-lawson", "esteban_ocon": "sergio-perez", "pierre_gasly": "nico-hulkenberg"}
    three = rested.apply(Decision(swapped(LINEUP_2026, **names)), menu_of("2026-japan"))
    assert (three.transfer_points, three.kept.free_transfers) == (0, 2)
    four = swapped(LINEUP_2026, **names, oliver_bearman="valtteri-bottas")
    assert rested.apply(Decision(four), menu_of("2026-japan")).transfer_points == -10


def test_swap_count_must_lead_to_the_lineup(team_2025: Team) -> None:
    two = swapped(LINEUP_2025, gabriel_bortoleto="jack-doohan", isack_hadjar="oliver-bearman")
    for lineup, count in ((two, 1), (LINEUP_2025, 1), (LINEUP_2025, -1)):
        with pytest.raises(RuleError, match="2025-china: transfers: expected a swap count"):
            team_2025.apply(Decision(lineup, swap_count=count), menu_of("2025-china"))


def test_budget_is_bank_and_value_at_the_prices_of_the_lock(team_2026: Team) -> None:
    # 4.1 + 99.1 = 103.2; with Perez for Russell and McLaren for Racing Bulls: 99.1 - 27.7 + 5.8 - 6.9 + 28.8 = 99.1,
    # with Norris for Bearman 118.2
    rich = swapped(LINEUP_2026, george_russell="sergio-perez")
    rich = replace(rich, constructors=("mercedes", "mclaren"), boosted_driver="pierre-gasly")
    assert team_2026.apply(Decision(rich), menu_of("2026-china")).kept.bank_tenths == 41
    too_rich = swapped(rich, oliver_bearman="lando-norris")
    message = r"2026-china: Line-up budget: expected at most \$103\.2M, found \$118\.2M"
    with pytest.raises(RuleError, match=message):
        team_2026.apply(Decision(too_rich), menu_of("2026-china"))


@pytest.mark.parametrize(
    ("lineup", "message"),
    [
        (replace(LINEUP_2026, drivers=LINEUP_2026.drivers[:4]), "Line-up drivers: expected 5, found 4"),
        (replace(LINEUP_2026, constructors=("haas", "haas")), "Line-up duplicate: .*'haas' 2 times"),
        (swapped(LINEUP_2026, esteban_ocon="oliver-bearman"), "Line-up duplicate: .*'oliver-bearman@haas' 2 times"),
        (swapped(LINEUP_2026, esteban_ocon="jack-doohan"), "Line-up asset: .*unknown 'jack-doohan'"),
        (swapped(LINEUP_2026, esteban_ocon="esteban-ocon@alpine"), "Line-up asset: .*unknown 'esteban-ocon@alpine'"),
        (replace(LINEUP_2026, boosted_driver="liam-lawson"), "Line-up boost: .*found 'liam-lawson@racing-bulls'"),
        (replace(LINEUP_2026, boosted_driver="mercedes"), "Line-up boost: .*found constructor 'mercedes'"),
    ],
)
def test_illegal_lineups_are_named_with_the_race(team_2026: Team, lineup: Lineup, message: str) -> None:
    with pytest.raises(RuleError, match=f"2026-china: {message}"):
        team_2026.apply(Decision(lineup), menu_of("2026-china"))


def test_a_boost_with_a_price_limit_is_for_drivers_below_it() -> None:
    # Russell costs 27.4 in Australia 2026.
    rules = rules_of(2026)
    prices = prices_of("2026-australia")
    of_275, of_274 = (replace(rules, boost=replace(rules.boost, price_below_tenths=limit)) for limit in (275, 274))
    assert Team.start(LINEUP_2026, prices, of_275).boosted_driver == "george-russell@mercedes"
    message = (
        r"2026 start: Line-up boost: expected a driver below \$27\.4M, found 'george-russell@mercedes' at \$27\.4M"
    )
    with pytest.raises(RuleError, match=message):
        Team.start(LINEUP_2026, prices, of_274)


def test_a_team_of_2022_is_refused_by_what_nobody_knows() -> None:
    seats = {("driver", f"{name}@haas"): 100 for name in "abcde"}
    lineup = lineup_of("a b c d e", "haas", "a")
    with pytest.raises(RuleError, match="The rule free_per_race is unknown: free transfers per race in 2022"):
        Team.start(lineup, {**seats, ("constructor", "haas"): 100}, rules_of(2022))


def test_start_names_the_season_of_an_illegal_lineup() -> None:
    with pytest.raises(RuleError, match="2026 start: Line-up boost"):
        start_at("2026-australia", replace(LINEUP_2026, boosted_driver="liam-lawson"))


def test_races_come_in_order_and_of_the_season(team_2026: Team) -> None:
    for race_key in ("2026-australia", "2025-china"):
        with pytest.raises(RuleError, match=f"{race_key}: (order of races|season): expected"):
            team_2026.apply(Decision(LINEUP_2026), menu_of(race_key))


# --- seats ---


@pytest.fixture(scope="module")
def team_in_japan(team_2025: Team) -> Team:
    """The team of 2025 as Lawson and Tsunoda change seats; their old ones moved by -0.6 and then froze."""
    after = prices_of("2025-japan") | {("driver", "liam-lawson@red-bull"): 168}
    after |= {("driver", "yuki-tsunoda@racing-bulls"): 84}
    locked = team_2025.apply(Decision(LINEUP_2025), menu_of("2025-china"))
    return locked.settle(items_of("2025-china"), after)[0]


def test_a_driver_who_moved_is_another_asset_and_the_old_one_is_inactive(team_in_japan: Team) -> None:
    # 16.8 + 8.4 + 5.0 + 4.8 + 21.4 + 8.2 + 13.5
    assert (team_in_japan.bank_tenths, team_in_japan.value_tenths) == (191, 781)
    kept = Decision(team_in_japan.lineup)
    team, result = play(team_in_japan, kept, "2025-japan", "2025-bahrain")
    assert result.inactive_keys == (("driver", "liam-lawson@red-bull"), ("driver", "yuki-tsunoda@racing-bulls"))
    assert (points_of(result)["liam-lawson"], points_of(result)["yuki-tsunoda"]) == (0, 0)
    # 8 - 2 + 18 x 2 + 10 + 19 - 50
    assert (result.inactive_points, result.total_points) == (-50, 21)
    # frozen, frozen, 4.5, 4.5, 21.7, 8.8, 14.1
    assert team.value_tenths == 168 + 84 + 45 + 45 + 217 + 88 + 141


def test_a_bare_name_means_the_seat_of_the_race(team_in_japan: Team) -> None:
    both, result = play(team_in_japan, Decision(LINEUP_2025), "2025-japan", "2025-bahrain")
    assert {"liam-lawson@racing-bulls", "yuki-tsunoda@red-bull"} < set(both.drivers)
    assert (result.transfer_count, result.inactive_points) == (2, 0)
    assert (points_of(result)["liam-lawson"], points_of(result)["yuki-tsunoda"]) == (-4, 13)
    # 16.8 + 8.4 sold, 8.4 + 16.8 bought
    assert both.bank_tenths == 191


def test_one_of_two_old_seats_is_kept_by_its_name(team_in_japan: Team) -> None:
    wanted = swapped(LINEUP_2025, liam_lawson="liam-lawson@red-bull")
    locked = team_in_japan.apply(Decision(wanted), menu_of("2025-japan"))
    # 19.1 + 8.4 - 16.8
    assert (locked.transfer_count, locked.kept.bank_tenths) == (1, 107)


def test_an_old_seat_cannot_be_bought(team_in_japan: Team) -> None:
    wanted = swapped(LINEUP_2025, isack_hadjar="carlos-sainz-jr@ferrari")
    with pytest.raises(RuleError, match=r"2025-japan: Line-up asset: .*unknown 'carlos-sainz-jr@ferrari'"):
        team_in_japan.apply(Decision(wanted), menu_of("2025-japan"))


# --- drivers who take no part ---


def test_inactive_drivers_cost_points_from_azerbaijan_2024_on() -> None:
    start = start_at("2024-netherlands", LINEUP_2024)
    # In Italy Sargeant had lost his seat: 0 + 4 + 6 - 3 x 2 + 9 + 11 + 22.
    italy, result = play(start, Decision(LINEUP_2024), "2024-italy", "2024-azerbaijan")
    assert (len(result.inactive_keys), result.inactive_points, result.total_points) == (1, 0, 46)
    # In Azerbaijan Magnussen was banned as well: 7 x 2 + 1 + 6 + 16 + 31 - 2 x 25.
    on_zhou = replace(LINEUP_2024, boosted_driver="guanyu-zhou")
    _, result = play(italy, Decision(on_zhou), "2024-azerbaijan", "2024-singapore")
    assert (result.inactive_points, result.total_points) == (-50, 18)


@pytest.mark.parametrize(
    ("race_key", "expected"),
    [
        ("2023-japan", 0),
        ("2024-sao-paulo", -45),
        ("2024-china", 0),
        ("2025-bahrain", -25),
        ("2025-miami", -45),
        ("2026-japan", -25),
        ("2026-miami", -35),
    ],
)
def test_inactive_penalty_by_season_and_weekend(race_key: str, expected: int) -> None:
    key = ("driver", "jack-doohan@alpine")
    assert inactive_points((key,), menu_of(race_key), rules_of(int(race_key[:4]))) == expected


def test_an_inactive_driver_with_a_price_is_kept_but_not_bought() -> None:
    # Australia 2024: Sargeant had a price and no car.
    sargeant = ("driver", "logan-sargeant@williams")
    drivers = "logan-sargeant guanyu-zhou valtteri-bottas nico-hulkenberg kevin-magnussen"
    lineup = lineup_of(drivers, "haas williams", "guanyu-zhou")
    menu = menu_of("2024-australia", inactive=[sargeant])
    held = start_at("2024-saudi-arabia", lineup)
    _, result = held.apply(Decision(lineup), menu).settle(items_of("2024-australia"), prices_of("2024-japan"))
    assert (result.inactive_keys, result.inactive_points) == ((sargeant,), 0)
    without = start_at("2024-saudi-arabia", swapped(lineup, logan_sargeant="alexander-albon"))
    for name in ("logan-sargeant@williams", "logan-sargeant"):
        with pytest.raises(RuleError, match=r"2024-australia: inactive asset: .*found 'logan-sargeant@williams'"):
            without.apply(Decision(swapped(lineup, logan_sargeant=name)), menu)


# --- facts that do not fit ---


def test_a_missing_score_is_not_a_zero(team_2026: Team) -> None:
    locked = team_2026.apply(Decision(LINEUP_2026), menu_of("2026-china"))
    items = items_of("2026-china")
    with pytest.raises(DataError, match=r"2026-china: points of constructor 'mercedes': .*found none"):
        locked.settle(items[items["asset_id"] != "mercedes"], prices_of("2026-japan"))
    with pytest.raises(DataError, match="2026-china: prices: expected one of constructor 'mercedes'"):
        locked.settle(items, {key: 50 for key in prices_of("2026-japan") if key[1] != "mercedes"})
    with pytest.raises(DataError, match=r"2026-china: scoring items: .*found some of 2026-japan"):
        locked.settle(items_of("2026-japan"), prices_of("2026-japan"))
    with pytest.raises(DataError, match="2026-china: scoring items: expected each once"):
        index_items(pd.concat([items, items.head(1)]), "2026-china")
    with pytest.raises(DataError, match=r"2026-china: scoring items: expected the columns .* found no \['points'\]"):
        index_items(items.drop(columns="points"), "2026-china")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"race_key": "2026-monza"}, "2026-monza: expected one of the races of the calendar"),
        ({"prices": {("driver", "a@x"): 50, ("driver", "a@y"): 50}}, "Driver 'a': expected one seat"),
        ({"prices": {("driver", "a"): 50}}, "Driver asset: expected a seat"),
        ({"prices": {("driver", "a@x"): 5.0}}, "2026-china: price of driver 'a@x': .*found 5.0"),
        ({"inactive": frozenset({("constructor", "haas")})}, "2026-china: inactive assets: expected drivers"),
    ],
)
def test_a_menu_refuses_what_cannot_be(change: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(menu_of("2026-china"), **change)


def test_a_menu_keeps_its_own_prices_and_can_be_copied() -> None:
    prices = {("driver", "lando-norris@mclaren"): 271}
    menu = replace(menu_of("2026-china"), prices=prices)
    prices.clear()
    assert copy.deepcopy(menu) == menu
    assert menu.prices == {("driver", "lando-norris@mclaren"): 271}
    with pytest.raises(TypeError, match="does not support item assignment"):
        menu.prices["driver", "lando-norris@mclaren"] = 1


def test_an_asset_type_must_be_known() -> None:
    with pytest.raises(DataError, match="expected asset_type driver or constructor, found 'engine'"):
        asset_key("engine", "honda", "aston-martin")
