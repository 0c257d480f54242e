"""The rules in named weekends: what the official game gave an asset, and what a team made of it.

Belongs here: one test per case that the rules speak of, with the official figures of the race as literals. Assets are
scored by the rules from the results of the sessions, with the overtakes, fastest laps and pit stops on record; their
sums are held against the official totals of the facts. Teams go through `Team.apply` and `LockedTeam.settle`.
Properties of any team are `unit/test_team_properties.py`, the chips one by one `unit/test_chips.py`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import Autopilot, Chip, ExtraBoost, FinalFix, Limitless, NoNegative, Wildcard
from f1_pipeline.game.decisions import Decision, RaceMenu, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup
from f1_pipeline.game.rescoring import score_with_records
from f1_pipeline.game.scoring import SessionResults
from f1_pipeline.game.settlement import RaceItems, RaceResult, index_items, score_lineup
from f1_pipeline.game.team import Team
from f1_pipeline_tests.support import REPO
from f1_pipeline_tests.team_races import (
    facts,
    items_of,
    lineup_of,
    menu_of,
    play,
    points_of,
    prices_of,
    rules_of,
    start_at,
)

FEED_OF_CHINA_2026 = REPO.parent / "shared" / "data" / "official_feed_samples" / "feeds_drivers_2_en.json"


@cache
def rescored(race_key: str) -> RaceItems:
    """Score a race by the rules of its season."""
    qualifying, grids, races, records = (
        facts(name)[facts(name)["race_key"] == race_key]
        for name in ("qualifying_results", "starting_grids", "race_results", "event_scores")
    )
    results = SessionResults(qualifying[qualifying["session"] == "qualifying"], grids, races)
    items = score_with_records(results, records, rules_of(int(race_key[:4])))
    return index_items(items[["asset_type", "asset_id", "event_type", "scoring_item", "points"]], race_key)


@cache
def no_negative_points(race_key: str) -> dict[str, float]:
    """Floor every asset of a race, as a team with the chip that could hold them all."""
    menu = menu_of(race_key)
    drivers, constructors = (tuple(name for kind, name in menu.prices if kind == of) for of in (DRIVER, CONSTRUCTOR))
    field = Lineup(drivers, constructors, drivers[0])
    scores = score_lineup(field, NoNegative(), rescored(race_key), menu, rules_of(int(race_key[:4])))
    return {driver_of(score.key[1]): score.floored_points for score in scores}


def sessions_of(race_key: str, asset_id: str) -> dict[str, float]:
    """Add up the points of an asset by session."""
    items = rescored(race_key)
    sums: dict[str, float] = {}
    for event, _, points in items.get((DRIVER, asset_id), items.get((CONSTRUCTOR, asset_id), ())):
        sums[event] = sums.get(event, 0) + points
    return sums


def official_total(race_key: str, asset_id: str) -> int:
    totals = facts("official_totals")
    return int(totals[(totals["race_key"] == race_key) & (totals["asset_id"] == asset_id)]["total_points"].item())


def check_weekend(race_key: str, asset_id: str, total: int, no_negative: int, **sessions: int) -> None:
    """Hold the points of an asset's sessions, their sum and their floor against what the game gave."""
    assert sessions_of(race_key, asset_id) == sessions
    assert sum(sessions.values()) == official_total(race_key, asset_id) == total
    assert no_negative_points(race_key)[asset_id] == no_negative


def founded(race_key: str, lineup: Lineup, chip: Chip | None = None) -> RaceResult:
    """Found a team at a race and settle that race; nobody looks at the prices after it."""
    team = start_at(race_key, lineup)
    return team.apply(Decision(lineup, chip), menu_of(race_key)).settle(items_of(race_key), prices_of(race_key))[1]


# --- No Negative ---


def test_no_negative_of_2023_floors_the_weekend_total_in_the_united_states() -> None:
    # Hamilton: sprint 9, qualifying 8, disqualified with four overtakes kept -21; Leclerc 5 + 10 - 25.
    assert no_negative_points("2023-united-states")["lewis-hamilton"] == 0
    assert no_negative_points("2023-united-states")["charles-leclerc"] == 0
    # Mercedes has -25 among its items too, and more than that beside it: nothing to floor.
    assert no_negative_points("2023-united-states")["mercedes"] == 31
    lineup = lineup_of(
        "lewis-hamilton charles-leclerc logan-sargeant nico-hulkenberg yuki-tsunoda",
        "alfa-romeo williams",
        "lewis-hamilton",
    )
    # -4 x 2 - 10 + 16 + 17 + 30 + 15 + 29, and with the chip 0 for -4 and -10
    assert founded("2023-united-states", lineup).total_points == 89
    assert founded("2023-united-states", lineup, NoNegative()).total_points == 107


def test_no_negative_since_2024_forgives_norris_the_places_lost_in_canada_2025() -> None:
    # 18th from 7th, retired and classified: 4 + 5 overtakes - 11 places; McLaren nets the places of both cars, -12.
    check_weekend("2025-canada", "lando-norris", -2, 9, qualifying=4, race=-6)
    check_weekend("2025-canada", "mclaren", 40, 52, qualifying=22, race=18)
    lineup = lineup_of(
        "lando-norris fernando-alonso franco-colapinto gabriel-bortoleto isack-hadjar",
        "kick-sauber mclaren",
        "fernando-alonso",
    )
    # -2 + 22 x 2 + 2 + 5 + 1 + 26 + 40, and with the chip 9 + 23 x 2 + 5 + 5 + 5 + 26 + 52
    assert founded("2025-canada", lineup).total_points == 116
    assert founded("2025-canada", lineup, NoNegative()).total_points == 148


# What the official feed gave after China 2026: points, and points under No Negative.
CHINA_2026 = {
    "pierre-gasly": (20, 24),
    "franco-colapinto": (18, 18),
    "fernando-alonso": (-7, 13),
    "lance-stroll": (-14, 6),
    "gabriel-bortoleto": (-14, 6),
    "nico-hulkenberg": (7, 17),
    "sergio-perez": (20, 20),
    "valtteri-bottas": (3, 13),
    "charles-leclerc": (51, 51),
    "lewis-hamilton": (48, 48),
    "oliver-bearman": (34, 34),
    "esteban-ocon": (24, 25),
    "lando-norris": (-10, 11),
    "oscar-piastri": (-7, 14),
    "george-russell": (45, 45),
    "kimi-antonelli": (68, 71),
    "arvid-lindblad": (7, 17),
    "liam-lawson": (35, 35),
    "max-verstappen": (14, 35),
    "isack-hadjar": (19, 24),
    "carlos-sainz-jr": (28, 28),
    "alexander-albon": (-7, 13),
    "mercedes": (115, 118),
    "mclaren": (-7, 35),
    "red-bull": (45, 71),
    "ferrari": (119, 119),
    "alpine": (45, 47),
    "williams": (22, 43),
    "aston-martin": (-20, 21),
    "haas": (65, 65),
    "racing-bulls": (50, 60),
    "audi": (-4, 26),
    "cadillac": (22, 33),
}


@pytest.mark.parametrize("asset_id", CHINA_2026)
def test_no_negative_of_every_asset_in_china_2026(asset_id: str) -> None:
    points, no_negative = CHINA_2026[asset_id]
    assert sum(sessions_of("2026-china", asset_id).values()) == points
    assert no_negative_points("2026-china")[asset_id] == no_negative


def test_china_2026_lists_all_assets() -> None:
    assert set(CHINA_2026) == set(no_negative_points("2026-china"))
    assert len(CHINA_2026) == 33


def test_china_2026_is_the_feeds_session_by_session() -> None:
    if not FEED_OF_CHINA_2026.exists():
        pytest.skip(f"the sample of the official feed is not here: {FEED_OF_CHINA_2026}")
    sessions = {"Sprint Qualifying": "sprint", "Qualifying": "qualifying", "Race": "race"}
    by_name = {name.rpartition("-")[2]: name for name in CHINA_2026} | {"sainz": "carlos-sainz-jr"}
    teams = {"haasf1team": "haas", "redbullracing": "red-bull"}
    found = {}
    for row in json.loads(FEED_OF_CHINA_2026.read_text(encoding="utf-8"))["Data"]["Value"]:
        joined = row["FUllName"].lower().replace(" ", "")
        name = by_name.get(row["LastName"].lower()) if row["Skill"] == 1 else teams.get(joined)
        name = name or row["FUllName"].lower().replace(" ", "-")
        assert (float(row["GamedayPoints"]), float(row["NoNegativePoints"])) == CHINA_2026[name]
        found[name] = {sessions[part["sessiontype"]]: part["nonegative_points"] for part in row["SessionWisePoints"]}
    assert found == {name: floored_sessions("2026-china", name) for name in CHINA_2026}


def floored_sessions(race_key: str, asset_id: str) -> dict[str, float]:
    items = rescored(race_key)
    floored = dict.fromkeys(("sprint", "qualifying", "race"), 0.0)
    for event, _, points in items.get((DRIVER, asset_id), items.get((CONSTRUCTOR, asset_id), ())):
        floored[event] += max(0, points)
    return floored


# --- boosts, and the order of things ---

# China 2026: 23.5 + 27.7 + 5.3 + 5.8 + 6.2 + 5.4 + 6.0 = 79.9
MERCEDES_MEN = lineup_of(
    "kimi-antonelli george-russell valtteri-bottas sergio-perez nico-hulkenberg", "cadillac audi", "george-russell"
)
# Australia 2026: 27.7 + 5.9 + 6.0 + 6.2 + 6.8 + 6.6 + 6.0 = 65.2; in China 63.1, with 34.8 in the bank
VERSTAPPEN_AND_FRIENDS = lineup_of(
    "max-verstappen valtteri-bottas sergio-perez franco-colapinto nico-hulkenberg", "audi cadillac", "max-verstappen"
)


@pytest.fixture(scope="module")
def team_in_china_2026() -> Team:
    lineup = VERSTAPPEN_AND_FRIENDS
    return play(start_at("2026-australia", lineup), Decision(lineup), "2026-australia", "2026-china")[0]


def test_the_boost_doubles_the_minus_of_norris_in_the_netherlands_2025() -> None:
    # 9 of qualifying, 2 overtakes, 16 places lost
    check_weekend("2025-netherlands", "lando-norris", -5, 11, qualifying=9, race=-14)
    lineup = lineup_of(
        "lando-norris liam-lawson franco-colapinto gabriel-bortoleto isack-hadjar", "kick-sauber alpine", "lando-norris"
    )
    result = founded("2025-netherlands", lineup)
    # -5 x 2 + 0 + 11 + 0 + 33 + 14 + 14
    assert (points_of(result)["lando-norris"], result.total_points) == (-10, 62)


def test_the_extra_boost_trebles_antonelli_beside_a_doubled_russell_in_china_2026() -> None:
    result = founded("2026-china", MERCEDES_MEN, ExtraBoost("kimi-antonelli"))
    # 68 x 3 + 45 x 2 + 3 + 20 + 7 + 22 - 4
    assert (points_of(result)["kimi-antonelli"], points_of(result)["george-russell"]) == (204, 90)
    assert result.total_points == 342
    with pytest.raises(RuleError, match="2026-china: chip extra_boost: expected another driver"):
        founded("2026-china", MERCEDES_MEN, ExtraBoost("george-russell"))


def test_the_extra_boost_trebles_the_minus_of_norris_in_china_2026() -> None:
    names = "lando-norris kimi-antonelli valtteri-bottas sergio-perez nico-hulkenberg"
    lineup = lineup_of(names, "cadillac audi", "kimi-antonelli")
    result = founded("2026-china", lineup, ExtraBoost("lando-norris"))
    # -10 x 3 + 68 x 2 + 3 + 20 + 7 + 22 - 4
    assert (points_of(result)["lando-norris"], result.total_points) == (-30, 154)


def test_autopilot_moves_the_boost_to_antonelli_in_china_2026() -> None:
    result = founded("2026-china", replace(MERCEDES_MEN, boosted_driver="nico-hulkenberg"), Autopilot())
    # 68 x 2 + 45 + 3 + 20 + 7 + 22 - 4
    assert (points_of(result)["kimi-antonelli"], result.total_points) == (136, 229)


@pytest.mark.parametrize(
    ("chosen", "boosted"),
    [
        ("pierre-gasly", "pierre-gasly"),  # tied best and chosen: stays
        ("sergio-perez", "sergio-perez"),
        ("valtteri-bottas", "pierre-gasly"),  # not best: the first of the tied by name
    ],
)
def test_autopilot_with_gasly_and_perez_tied_in_china_2026(chosen: str, boosted: str) -> None:
    names = "pierre-gasly sergio-perez valtteri-bottas arvid-lindblad nico-hulkenberg"
    result = founded("2026-china", lineup_of(names, "cadillac audi", chosen), Autopilot())
    assert [driver_of(score.key[1]) for score in result.scores if score.multiplier == 2] == [boosted]
    # 20 + 20 + 3 + 7 + 7 + 22 - 4, and 20 again whoever has it
    assert result.total_points == 95


def test_floors_come_first_then_the_boost_then_the_sum_then_transfers_in_china_2026(team_in_china_2026: Team) -> None:
    wanted = lineup_of(
        "max-verstappen alexander-albon fernando-alonso gabriel-bortoleto nico-hulkenberg",
        "audi williams",
        "max-verstappen",
    )
    _, plain = play(team_in_china_2026, Decision(wanted), "2026-china", "2026-japan")
    # 14 x 2 - 7 - 7 - 14 + 7 - 4 + 22, four transfers of which two are free
    assert (plain.transfer_points, plain.total_points) == (-20, 25 - 20)
    _, floored = play(team_in_china_2026, Decision(wanted, NoNegative()), "2026-china", "2026-japan")
    # 35 x 2 + 13 + 13 + 6 + 17 + 26 + 43, and the penalty is not floored
    assert points_of(floored)["max-verstappen"] == 70
    assert (floored.transfer_points, floored.total_points) == (-20, 188 - 20)


# --- transfers ---


def test_an_extra_transfer_costs_four_points_in_saudi_arabia_2023() -> None:
    names = "alexander-albon logan-sargeant nico-hulkenberg nyck-de-vries oscar-piastri"
    before = lineup_of(names, "williams haas", "alexander-albon")
    team, _ = play(start_at("2023-bahrain", before), Decision(before), "2023-bahrain", "2023-saudi-arabia")
    names = "yuki-tsunoda guanyu-zhou kevin-magnussen nyck-de-vries oscar-piastri"
    after = lineup_of(names, "aston-martin haas", "kevin-magnussen")
    _, result = play(team, Decision(after), "2023-saudi-arabia", "2023-australia")
    assert (result.transfer_count, result.transfer_points) == (4, -8)
    # 9 + 6 + 9 x 2 + 7 + 2 + 19 + 13 - 8
    assert result.total_points == 66


def test_swapping_there_and_back_costs_in_china_2025_and_nothing_in_china_2026(team_in_china_2026: Team) -> None:
    held = lineup_of(
        "liam-lawson yuki-tsunoda isack-hadjar gabriel-bortoleto george-russell", "haas williams", "george-russell"
    )
    team, _ = play(start_at("2025-australia", held), Decision(held), "2025-australia", "2025-china")
    per_swap = team.apply(Decision(held, swap_count=4), menu_of("2025-china"))
    assert (per_swap.transfer_count, per_swap.transfer_points, per_swap.kept.free_transfers) == (4, -20, 2)
    there_and_back = Decision(VERSTAPPEN_AND_FRIENDS, swap_count=4)
    net = team_in_china_2026.apply(there_and_back, menu_of("2026-china"))
    assert (net.transfer_count, net.transfer_points, net.kept.free_transfers) == (0, 0, 3)


def test_an_extra_transfer_costs_ten_points_net_in_japan_2026(team_in_china_2026: Team) -> None:
    rested, _ = play(team_in_china_2026, Decision(VERSTAPPEN_AND_FRIENDS), "2026-china", "2026-japan")
    wanted = lineup_of(
        "max-verstappen oliver-bearman esteban-ocon liam-lawson nico-hulkenberg", "audi haas", "max-verstappen"
    )
    _, result = play(rested, Decision(wanted, swap_count=9), "2026-japan", "2026-miami")
    # four changes against two free and one carried: 13 x 2 - 14 + 9 + 10 + 10 + 23 - 4 - 10
    assert (rested.free_transfers, result.transfer_count, result.transfer_points) == (3, 4, -10)
    assert result.total_points == 50


def test_wildcard_changes_five_for_nothing_within_the_budget_in_china_2026(team_in_china_2026: Team) -> None:
    wanted = lineup_of(
        "kimi-antonelli liam-lawson oliver-bearman esteban-ocon sergio-perez", "ferrari haas", "kimi-antonelli"
    )
    team, result = play(team_in_china_2026, Decision(wanted, Wildcard()), "2026-china", "2026-japan")
    # 68 x 2 + 35 + 34 + 24 + 20 + 119 + 65
    assert (result.transfer_count, result.transfer_points, result.total_points) == (0, 0, 433)
    # 34.8 + 63.1 - (23.5 + 6.3 + 8.0 + 7.9 + 5.8 + 23.6 + 8.0 = 83.1)
    assert (team.bank_tenths, team.free_transfers) == (148, 2)
    # 23.8 + 6.9 + 8.6 + 8.5 + 6.4 + 23.9 + 8.6
    assert team.value_tenths == 867
    # with Mercedes and Russell 83.1 - 8.0 + 29.6 - 5.8 + 27.7 = 126.6
    dear = replace(wanted, constructors=("ferrari", "mercedes"), drivers=(*wanted.drivers[:4], "george-russell"))
    with pytest.raises(RuleError, match=r"2026-china: Line-up budget: expected at most \$97\.9M, found \$126\.6M"):
        team_in_china_2026.apply(Decision(dear, Wildcard()), menu_of("2026-china"))


def test_limitless_gives_back_the_old_team_at_its_own_new_prices_in_china_2026(team_in_china_2026: Team) -> None:
    # 23.5 + 23.1 + 22.6 + 27.7 + 6.3 + 23.6 + 29.6 = 156.4
    stars = lineup_of(
        "kimi-antonelli charles-leclerc lewis-hamilton george-russell liam-lawson", "ferrari mercedes", "kimi-antonelli"
    )
    team, result = play(team_in_china_2026, Decision(stars, Limitless()), "2026-china", "2026-japan")
    # 68 x 2 + 51 + 48 + 45 + 35 + 119 + 115
    assert (result.total_points, result.transfer_count) == (549, 0)
    assert team.lineup == team_in_china_2026.lineup
    # 28.1 + 4.7 + 6.4 + 7.0 + 5.6 + 5.4 + 5.2: what the stars gained in price stays with them
    assert (team.bank_tenths, team.value_tenths, team.free_transfers) == (348, 624, 2)
    # The transfers of the next race are counted from the team given back.
    assert team.apply(Decision(VERSTAPPEN_AND_FRIENDS), menu_of("2026-japan")).transfer_count == 0


# --- Final Fix ---


@pytest.fixture(scope="module")
def team_with_norris() -> Team:
    # Australia 2026: 27.2 + 5.9 + 6.0 + 6.2 + 6.8 + 6.6 + 6.0 = 64.7
    lineup = lineup_of(
        "lando-norris valtteri-bottas sergio-perez franco-colapinto nico-hulkenberg", "audi cadillac", "lando-norris"
    )
    return play(start_at("2026-australia", lineup), Decision(lineup), "2026-australia", "2026-china")[0]


@pytest.mark.parametrize(
    ("after", "of_norris", "of_leclerc"),
    [
        ("qualifying", 2 * (5 + 5), 2 * 23),  # spared: the race that he did not start, -20
        ("sprint", 2 * 5, 2 * (7 + 23)),
    ],
)
def test_final_fix_hands_the_boosted_slot_to_leclerc_in_china_2026(
    team_with_norris: Team, after: str, of_norris: int, of_leclerc: int
) -> None:
    locked = team_with_norris.apply(Decision(team_with_norris.lineup), menu_of("2026-china"))
    fixed = locked.final_fix(FinalFix("lando-norris", "charles-leclerc", after))
    team, result = fixed.settle(items_of("2026-china"), prices_of("2026-japan"))
    assert (points_of(result)["lando-norris"], points_of(result)["charles-leclerc"]) == (of_norris, of_leclerc)
    # 3 + 20 + 18 + 7 - 4 + 22
    assert result.total_points == of_norris + of_leclerc + 66
    assert (team.lineup, team.bank_tenths) == (team_with_norris.lineup, team_with_norris.bank_tenths)
    assert (result.transfer_count, team.free_transfers) == (0, 3)


@pytest.mark.parametrize(
    ("after", "of_hamilton", "of_sainz"),
    [
        ("qualifying", 2 * 8, 2 * (5 + 20)),  # in 2023 Friday's qualifying came first
        ("sprint", 2 * (8 + 9), 2 * 20),
    ],
)
def test_final_fix_spares_hamiltons_disqualification_in_the_united_states_2023(
    after: str, of_hamilton: int, of_sainz: int
) -> None:
    # Qatar 2023: 25.6 + 4.9 + 5.3 + 5.4 + 6.7 + 6.2 + 6.8
    lineup = lineup_of(
        "lewis-hamilton logan-sargeant nico-hulkenberg yuki-tsunoda guanyu-zhou",
        "alfa-romeo alphatauri",
        "lewis-hamilton",
    )
    team, _ = play(start_at("2023-qatar", lineup), Decision(lineup), "2023-qatar", "2023-united-states")
    fix = FinalFix("lewis-hamilton", "carlos-sainz-jr", after)
    _, result = play(team, Decision(lineup, fix), "2023-united-states", "2023-mexico")
    assert (points_of(result)["lewis-hamilton"], points_of(result)["carlos-sainz-jr"]) == (of_hamilton, of_sainz)
    # 16 + 17 + 30 + 2 + 15 + 34
    assert result.total_points == of_hamilton + of_sainz + 114


def test_final_fix_of_2025_waits_for_qualifying_in_china() -> None:
    lineup = lineup_of(
        "lewis-hamilton yuki-tsunoda isack-hadjar gabriel-bortoleto jack-doohan", "haas williams", "lewis-hamilton"
    )
    team, _ = play(start_at("2025-australia", lineup), Decision(lineup), "2025-australia", "2025-china")
    fix = FinalFix("lewis-hamilton", "esteban-ocon")
    _, result = play(team, Decision(lineup, fix), "2025-china", "2025-japan")
    # Hamilton keeps 13 of the sprint and 6 of qualifying, Ocon brings 20 of the race in place of -20.
    assert (points_of(result)["lewis-hamilton"], points_of(result)["esteban-ocon"]) == (38, 40)
    with pytest.raises(
        RuleError, match="2025-china: chip final_fix: expected the swap after qualifying, found 'sprint"
    ):
        team.apply(Decision(lineup, replace(fix, after_session="sprint")), menu_of("2025-china"))


# --- disqualified ---


def test_russell_disqualified_in_belgium_2024_keeps_his_qualifying_alone() -> None:
    check_weekend("2024-belgium", "george-russell", -21, 4, qualifying=4, race=-25)
    # Mercedes carries his -25 once; Hamilton won: 25 + 2 overtakes + 2 places.
    check_weekend("2024-belgium", "mercedes", 25, 50, qualifying=21, race=4)


def test_both_williams_disqualified_from_qualifying_in_singapore_2025() -> None:
    check_weekend("2025-singapore", "alexander-albon", 6, 11, qualifying=-5, race=11)
    check_weekend("2025-singapore", "carlos-sainz-jr", 8, 13, qualifying=-5, race=13)
    # -5 for each car, -5 more for each, and nobody in Q2: -1
    check_weekend("2025-singapore", "williams", 5, 26, qualifying=-21, race=26)


def test_cars_promoted_past_the_williams_reach_q2_in_singapore_2025() -> None:
    assert ("qualifying", "both_drivers_q2", 3) in rescored("2025-singapore")[CONSTRUCTOR, "kick-sauber"]


def test_both_ferraris_disqualified_from_the_race_in_china_2025() -> None:
    check_weekend("2025-china", "lewis-hamilton", -1, 19, sprint=13, qualifying=6, race=-20)
    check_weekend("2025-china", "charles-leclerc", -12, 9, sprint=3, qualifying=5, race=-20)
    # -20 and -10 more for each car; no pit-stop points for cars that are disqualified
    check_weekend("2025-china", "ferrari", -23, 38, sprint=16, qualifying=21, race=-60)


def test_gasly_disqualified_from_the_race_in_china_2025() -> None:
    check_weekend("2025-china", "pierre-gasly", -8, 12, sprint=12, qualifying=0, race=-20)
    # -30 for Gasly, 13 of Doohan, 2 for the stops of his car
    check_weekend("2025-china", "alpine", -6, 25, sprint=10, qualifying=-1, race=-15)


def test_a_team_with_the_disqualified_ferraris_in_china_2025() -> None:
    names = "charles-leclerc isack-hadjar jack-doohan oliver-bearman gabriel-bortoleto"
    lineup = lineup_of(names, "ferrari kick-sauber", "charles-leclerc")
    # -12 x 2 + 11 + 11 + 20 + 7 - 23 + 12, and with the chip 9 x 2 + 15 + 15 + 23 + 11 + 38 + 15
    assert founded("2025-china", lineup).total_points == 14
    assert founded("2025-china", lineup, NoNegative()).total_points == 135


def test_both_mclarens_disqualified_in_las_vegas_2025() -> None:
    check_weekend("2025-las-vegas", "lando-norris", -10, 10, qualifying=10, race=-20)
    check_weekend("2025-las-vegas", "oscar-piastri", -14, 6, qualifying=6, race=-20)
    check_weekend("2025-las-vegas", "mclaren", -34, 26, qualifying=26, race=-60)


def test_hulkenberg_disqualified_in_bahrain_2025() -> None:
    check_weekend("2025-bahrain", "nico-hulkenberg", -20, 0, qualifying=0, race=-20)
    check_weekend("2025-bahrain", "kick-sauber", -22, 9, qualifying=-1, race=-21)


def test_bortoleto_disqualified_from_the_sprint_in_miami_2026() -> None:
    check_weekend("2026-miami", "gabriel-bortoleto", 7, 17, sprint=-10, qualifying=0, race=17)
    # -10 and -10 more for Bortoleto, -10 for Hulkenberg, who did not start it
    check_weekend("2026-miami", "audi", -27, 23, sprint=-30, qualifying=6, race=-3)


def test_hadjar_disqualified_from_qualifying_in_miami_2026() -> None:
    check_weekend("2026-miami", "isack-hadjar", -16, 9, sprint=3, qualifying=-5, race=-14)
    # 9 of Verstappen, one car in Q3 5, -5 and -5 more for Hadjar
    check_weekend("2026-miami", "red-bull", 31, 64, sprint=9, qualifying=4, race=18)


def test_both_haas_disqualified_from_qualifying_in_monaco_2024() -> None:
    check_weekend("2024-monaco", "nico-hulkenberg", -32, 3, qualifying=-15, race=-17)
    check_weekend("2024-monaco", "kevin-magnussen", -33, 2, qualifying=-15, race=-18)
    # Nobody in Q2 costs nothing where no car is classified; no extra for the constructor in 2024.
    check_weekend("2024-monaco", "haas", -65, 5, qualifying=-30, race=-35)


def test_albon_disqualified_from_qualifying_in_the_netherlands_2024() -> None:
    check_weekend("2024-netherlands", "alexander-albon", -2, 13, qualifying=-15, race=13)
    check_weekend("2024-netherlands", "williams", -2, 18, qualifying=-20, race=18)


def test_hamilton_and_leclerc_disqualified_in_the_united_states_2023() -> None:
    # The one case of 2023 in which overtakes survived: Hamilton's four.
    check_weekend("2023-united-states", "lewis-hamilton", -4, 0, sprint=9, qualifying=8, race=-21)
    check_weekend("2023-united-states", "charles-leclerc", -10, 0, sprint=5, qualifying=10, race=-25)
    # Each constructor carries -25 once.
    check_weekend("2023-united-states", "mercedes", 31, 31, sprint=16, qualifying=24, race=-9)
    check_weekend("2023-united-states", "ferrari", 35, 35, sprint=10, qualifying=27, race=-2)


# --- not classified, not started, absent ---


def test_albon_keeps_the_overtakes_of_a_race_that_he_retired_from_in_spain_2025() -> None:
    check_weekend("2025-spain", "alexander-albon", -18, 2, qualifying=0, race=-20 + 2)


def test_sainz_keeps_the_overtakes_of_a_race_that_he_retired_from_in_bahrain_2025() -> None:
    check_weekend("2025-bahrain", "carlos-sainz-jr", -9, 11, qualifying=3, race=-20 + 8)


def test_lawson_keeps_the_overtakes_of_a_race_that_he_retired_from_in_miami_2026() -> None:
    check_weekend("2026-miami", "liam-lawson", -12, 8, sprint=4, qualifying=0, race=-20 + 4)


def test_stroll_withdrawn_before_the_race_in_singapore_2023_loses_nothing() -> None:
    check_weekend("2023-singapore", "lance-stroll", 0, 0, qualifying=0)


def test_sainz_not_starting_in_qatar_2023() -> None:
    check_weekend("2023-qatar", "carlos-sainz-jr", -14, 0, sprint=6, qualifying=0, race=-20)


def test_albon_withdrawn_before_the_race_in_sao_paulo_2024() -> None:
    check_weekend("2024-sao-paulo", "alexander-albon", -15, 6, sprint=-1, qualifying=4, race=-20 + 2)


def test_stroll_withdrawn_before_the_race_in_spain_2025() -> None:
    check_weekend("2025-spain", "lance-stroll", -20, 0, qualifying=0, race=-20)


def test_piastri_and_hulkenberg_not_starting_in_australia_2026() -> None:
    check_weekend("2026-australia", "oscar-piastri", -14, 6, qualifying=6, race=-20)
    check_weekend("2026-australia", "nico-hulkenberg", -20, 0, qualifying=0, race=-20)


def test_a_sprint_not_started_costs_twenty_in_miami_2025_and_ten_in_miami_2026() -> None:
    check_weekend("2025-miami", "charles-leclerc", -8, 12, sprint=-20, qualifying=3, race=9)
    check_weekend("2026-miami", "nico-hulkenberg", -29, 1, sprint=-10, qualifying=1, race=-20)


def test_bortoleto_absent_from_qualifying_in_sao_paulo_2025() -> None:
    check_weekend("2025-sao-paulo", "gabriel-bortoleto", -24, 5, sprint=-1, qualifying=-5, race=-20 + 2)


@pytest.mark.parametrize(
    ("driver_id", "total", "no_negative", "race"),
    [("max-verstappen", 50, 55, 55), ("carlos-sainz-jr", 9, 14, 14), ("lance-stroll", -23, 2, -18)],
)
def test_three_without_a_time_in_qualifying_in_australia_2026(
    driver_id: str, total: int, no_negative: int, race: int
) -> None:
    check_weekend("2026-australia", driver_id, total, no_negative, qualifying=-5, race=race)


# --- inactive drivers and changed seats ---


def test_de_vries_replaced_by_ricciardo_costs_his_team_nothing_in_hungary_2023() -> None:
    names = "nyck-de-vries yuki-tsunoda guanyu-zhou logan-sargeant nico-hulkenberg"
    lineup = lineup_of(names, "williams haas", "yuki-tsunoda")
    team, _ = play(start_at("2023-great-britain", lineup), Decision(lineup), "2023-great-britain", "2023-hungary")
    team, result = play(team, Decision(lineup), "2023-hungary", "2023-belgium")
    assert (result.inactive_keys, result.inactive_points) == (((DRIVER, "nyck-de-vries@alphatauri"),), 0)
    # 0 + 5 x 2 - 4 + 2 + 0 + 9 + 10
    assert result.total_points == 27
    # frozen at 4.5; Ricciardo, at 4.5 as well, is somebody else
    assert team.price_tenths[team.drivers.index("nyck-de-vries@alphatauri")] == 45
    assert "daniel-ricciardo@alphatauri" not in team.drivers


def test_sainz_replaced_by_bearman_costs_his_team_nothing_in_saudi_arabia_2024() -> None:
    names = "carlos-sainz-jr pierre-gasly kevin-magnussen logan-sargeant nico-hulkenberg"
    lineup = lineup_of(names, "ferrari haas", "kevin-magnussen")
    team, _ = play(start_at("2024-bahrain", lineup), Decision(lineup), "2024-bahrain", "2024-saudi-arabia")
    _, result = play(team, Decision(lineup), "2024-saudi-arabia", "2024-australia")
    assert (result.inactive_keys, result.inactive_points) == (((DRIVER, "carlos-sainz-jr@ferrari"),), 0)
    # 0 - 20 + 7 x 2 + 7 + 9 + 58 + 19; Ferrari's 58 hold Bearman's 26
    assert result.total_points == 87
    check_weekend("2024-saudi-arabia", "oliver-bearman", 26, 26, qualifying=0, race=26)
    check_weekend("2024-saudi-arabia", "ferrari", 58, 58, qualifying=14, race=44)


def test_magnussens_ban_costs_his_team_twenty_five_in_azerbaijan_2024() -> None:
    names = "kevin-magnussen franco-colapinto guanyu-zhou valtteri-bottas nico-hulkenberg"
    lineup = lineup_of(names, "haas williams", "guanyu-zhou")
    team, _ = play(start_at("2024-italy", lineup), Decision(lineup), "2024-italy", "2024-azerbaijan")
    _, result = play(team, Decision(lineup), "2024-azerbaijan", "2024-singapore")
    assert (result.inactive_keys, result.inactive_points) == (((DRIVER, "kevin-magnussen@haas"),), -25)
    # 0 + 9 + 7 x 2 + 1 + 6 + 16 + 31 - 25; Haas has Bearman's points in his place
    assert result.total_points == 52


def test_ricciardo_dropped_costs_his_team_forty_five_at_the_sprint_weekend_in_the_united_states_2024() -> None:
    names = "daniel-ricciardo franco-colapinto guanyu-zhou valtteri-bottas nico-hulkenberg"
    lineup = lineup_of(names, "haas williams", "franco-colapinto")
    team, _ = play(start_at("2024-singapore", lineup), Decision(lineup), "2024-singapore", "2024-united-states")
    _, result = play(team, Decision(lineup), "2024-united-states", "2024-mexico")
    # 0 + 9 x 2 + 6 + 1 + 11 + 25 + 19 - 45
    assert (result.inactive_points, result.total_points) == (-45, 35)


DOOHANS_FRIENDS = lineup_of(
    "jack-doohan isack-hadjar liam-lawson gabriel-bortoleto nico-hulkenberg", "alpine kick-sauber", "jack-doohan"
)


@pytest.mark.parametrize(
    ("chip", "of_assets"),
    [
        (None, 39),  # 0 + 6 + 3 - 2 + 9 + 10 + 13
        (NoNegative(), 46),  # 0 + 6 + 3 + 2 + 9 + 13 + 13
    ],
)
def test_doohan_dropped_costs_twenty_five_in_emilia_romagna_2025_whatever_is_played(
    chip: Chip | None, of_assets: int
) -> None:
    lineup = DOOHANS_FRIENDS
    team, _ = play(start_at("2025-miami", lineup), Decision(lineup), "2025-miami", "2025-emilia-romagna")
    _, result = play(team, Decision(lineup, chip), "2025-emilia-romagna", "2025-monaco")
    # He has the boost: twice nothing, and the penalty is neither doubled nor floored.
    assert (points_of(result)["jack-doohan"], result.inactive_points) == (0, -25)
    assert result.total_points == of_assets - 25


@pytest.fixture(scope="module")
def team_of_old_seats() -> Team:
    """Lawson of Red Bull and Tsunoda of Racing Bulls, held in China 2025; both fell by 0.6 and then changed seats."""
    names = "liam-lawson yuki-tsunoda isack-hadjar gabriel-bortoleto jack-doohan"
    lineup = lineup_of(names, "haas williams", "isack-hadjar")
    locked = start_at("2025-china", lineup).apply(Decision(lineup), menu_of("2025-china"))
    old_seats = {(DRIVER, "liam-lawson@red-bull"): 168, (DRIVER, "yuki-tsunoda@racing-bulls"): 84}
    return locked.settle(items_of("2025-china"), prices_of("2025-japan") | old_seats)[0]


def test_lawson_and_tsunoda_are_new_assets_in_japan_2025_and_the_old_ones_cost(team_of_old_seats: Team) -> None:
    kept = Decision(team_of_old_seats.lineup)
    _, result = play(team_of_old_seats, kept, "2025-japan", "2025-bahrain")
    old = ((DRIVER, "liam-lawson@red-bull"), (DRIVER, "yuki-tsunoda@racing-bulls"))
    assert (result.inactive_keys, result.inactive_points) == (old, -50)
    assert {score.sessions for score in result.scores if score.key in old} == {()}
    # 0 + 0 + 8 x 2 - 2 + 6 + 10 + 19 - 50
    assert result.total_points == -1
    followed = lineup_of(
        "liam-lawson yuki-tsunoda isack-hadjar gabriel-bortoleto jack-doohan", "haas williams", "isack-hadjar"
    )
    _, result = play(team_of_old_seats, Decision(followed), "2025-japan", "2025-bahrain")
    # Lawson -4 for Racing Bulls, Tsunoda 13 for Red Bull: two transfers, both free
    assert (result.transfer_count, result.transfer_points, result.inactive_points) == (2, 0, 0)
    assert result.total_points == -1 + 50 - 4 + 13


def test_the_old_seats_stay_frozen_until_miami_2025_and_cost_forty_five_each(team_of_old_seats: Team) -> None:
    races = ["2025-japan", "2025-bahrain", "2025-saudi-arabia", "2025-miami", "2025-emilia-romagna"]
    team = team_of_old_seats
    for race_key, following in pairwise(races):
        team, result = play(team, Decision(team.lineup), race_key, following)
        frozen = dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True))
        assert frozen[DRIVER, "liam-lawson@red-bull"] == 168
        assert frozen[DRIVER, "yuki-tsunoda@racing-bulls"] == 84
    assert result.race_key == "2025-miami"
    assert result.inactive_points == -90
    # 0 + 0 + 0 x 2 - 11 - 14 + 8 + 31
    assert result.total_points == 14 - 90


def exchanged(menu: RaceMenu) -> RaceMenu:
    """Offer Hadjar and Lawson of 2026 in each other's seat, at their own prices."""
    seats = {
        "isack-hadjar@red-bull": "isack-hadjar@racing-bulls",
        "liam-lawson@racing-bulls": "liam-lawson@red-bull",
    }
    prices: dict[AssetKey, int] = {(kind, seats.get(name, name)): price for (kind, name), price in menu.prices.items()}
    return replace(menu, prices=prices)


@pytest.mark.parametrize(("race_key", "penalty"), [("2026-japan", -50), ("2026-canada", -70)])
def test_had_hadjar_and_lawson_exchanged_seats_in_2026(race_key: str, penalty: int) -> None:
    names = "isack-hadjar liam-lawson valtteri-bottas sergio-perez nico-hulkenberg"
    lineup = lineup_of(names, "audi cadillac", "sergio-perez")
    team, _ = play(start_at("2026-australia", lineup), Decision(lineup), "2026-australia", "2026-china")
    menu = exchanged(menu_of(race_key))
    locked = team.apply(Decision(team.lineup), menu)
    kept, result = locked.settle(items_of(race_key), menu.prices)
    # The points of their new seats are not the team's.
    assert (points_of(result)["isack-hadjar"], points_of(result)["liam-lawson"]) == (0, 0)
    assert (result.transfer_count, result.inactive_points) == (0, penalty)
    frozen = dict(zip(kept.lineup.asset_keys, kept.price_tenths, strict=True))
    assert (frozen[DRIVER, "isack-hadjar@red-bull"], frozen[DRIVER, "liam-lawson@racing-bulls"]) == (145, 63)
    # Going with them is a transfer each.
    moved = team.apply(Decision(lineup), menu)
    assert (moved.transfer_count, moved.transfer_points) == (2, 0)
    assert {"isack-hadjar@racing-bulls", "liam-lawson@red-bull"} < set(moved.fielded.drivers)
