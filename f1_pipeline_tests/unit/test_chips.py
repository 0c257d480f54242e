"""The six chips in real races, worked by hand from the official scoring items of the facts."""

from dataclasses import replace
from pathlib import Path

import pytest

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import (
    Autopilot,
    Chip,
    ExtraBoost,
    FinalFix,
    Limitless,
    NoNegative,
    Wildcard,
    session_order,
    start_chips,
)
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.rules import load_rules
from f1_pipeline.game.settlement import score_lineup
from f1_pipeline.game.team import Team
from f1_pipeline_tests.team_races import (
    DATA_DIR,
    items_of,
    lineup_of,
    menu_of,
    play,
    points_of,
    prices_of,
    rules_of,
    start_at,
)

# Bahrain 2023: Verstappen 35, Alonso 39, Ocon -17, Norris -1, Piastri -16; McLaren -16, Red Bull 78; together 102.
BAHRAIN = lineup_of(
    "max-verstappen fernando-alonso esteban-ocon lando-norris oscar-piastri", "mclaren red-bull", "fernando-alonso"
)
# Azerbaijan 2024: Tsunoda -19, Perez -2, Bottas 1, Stroll -3, Gasly -4; RB -14, Alpine 2; together -39.
BAKU = lineup_of("yuki-tsunoda sergio-perez valtteri-bottas lance-stroll pierre-gasly", "rb alpine", "sergio-perez")
# Italy 2024, before Azerbaijan; Sainz is swapped for Norris there.
MONZA = lineup_of(
    "carlos-sainz-jr franco-colapinto guanyu-zhou valtteri-bottas nico-hulkenberg",
    "haas kick-sauber",
    "carlos-sainz-jr",
)
# Australia and China 2025: 19.1 in the bank, 79.0 in the line-up in China.
CHINA = lineup_of(
    "liam-lawson yuki-tsunoda isack-hadjar gabriel-bortoleto george-russell", "haas williams", "george-russell"
)
STARS = lineup_of("max-verstappen lando-norris oscar-piastri george-russell liam-lawson", "mclaren mercedes", "x")


def total_in_bahrain(lineup: Lineup, chip: Chip | None) -> float:
    start = start_at("2023-bahrain", lineup)
    return play(start, Decision(lineup, chip), "2023-bahrain", "2023-saudi-arabia")[1].total_points


@pytest.fixture(scope="module")
def team_in_china() -> Team:
    return play(start_at("2025-australia", CHINA), Decision(CHINA), "2025-australia", "2025-china")[0]


@pytest.fixture(scope="module")
def team_in_baku() -> Team:
    return play(start_at("2024-italy", MONZA), Decision(MONZA), "2024-italy", "2024-azerbaijan")[0]


def test_boost_without_a_chip() -> None:
    assert total_in_bahrain(BAHRAIN, None) == 102 + 39


def test_autopilot_moves_the_boost_to_the_best_driver() -> None:
    assert total_in_bahrain(replace(BAHRAIN, boosted_driver="esteban-ocon"), Autopilot()) == 102 + 39


def test_autopilot_leaves_the_team_its_boosted_driver() -> None:
    on_ocon = replace(BAHRAIN, boosted_driver="esteban-ocon")
    team, result = play(
        start_at("2023-bahrain", on_ocon), Decision(on_ocon, Autopilot()), "2023-bahrain", "2023-saudi-arabia"
    )
    assert (result.chip, points_of(result)["fernando-alonso"]) == ("autopilot", 78)
    assert team.boosted_driver == "esteban-ocon@alpine"


def test_extra_boost_triples_a_second_driver() -> None:
    # 39 x 2 and 35 x 3
    assert total_in_bahrain(BAHRAIN, ExtraBoost("max-verstappen")) == 102 + 39 + 2 * 35


def test_extra_boost_triples_negative_points_too() -> None:
    assert total_in_bahrain(BAHRAIN, ExtraBoost("esteban-ocon")) == 102 + 39 - 2 * 17


@pytest.mark.parametrize(
    ("driver", "message"),
    [
        ("fernando-alonso", "expected another driver than the one with the free boost"),
        ("sergio-perez", "expected one of the drivers held .*found 'sergio-perez@red-bull'"),
        ("red-bull", "expected one of the drivers held .*found 'red-bull'"),
    ],
)
def test_extra_boost_needs_another_driver_of_the_team(driver: str, message: str) -> None:
    with pytest.raises(RuleError, match=f"2023-bahrain: chip extra_boost: {message}"):
        total_in_bahrain(BAHRAIN, ExtraBoost(driver))


def test_no_negative_of_2023_floors_the_weekend() -> None:
    # 35 + 39 x 2 + 0 + 0 + 0 + 0 + 78: Ocon's 2 of qualifying go down with his retirement.
    assert total_in_bahrain(BAHRAIN, NoNegative()) == 191
    # Ocon boosted: twice nothing.
    assert total_in_bahrain(replace(BAHRAIN, boosted_driver="esteban-ocon"), NoNegative()) == 152


def test_no_negative_since_2024_floors_each_category() -> None:
    start = start_at("2024-azerbaijan", BAKU)
    _, plain = play(start, Decision(BAKU), "2024-azerbaijan", "2024-singapore")
    assert plain.total_points == -39 - 2
    _, floored = play(start, Decision(BAKU, NoNegative()), "2024-azerbaijan", "2024-singapore")
    assert points_of(floored) == {
        "yuki-tsunoda": 1,  # retired: 1 overtake stays of -20 + 1
        "sergio-perez": 22,  # (7 + 4) x 2, the 13 places lost forgiven before the boost
        "valtteri-bottas": 1,
        "lance-stroll": 3,
        "pierre-gasly": 11,  # disqualified in qualifying: 5 + 6
        "rb": 6,  # 3 + 2 + 1 without the retirement
        "alpine": 18,  # 7 + 11 without -1 and -15
    }
    assert floored.total_points == 62


def test_no_negative_of_2023_would_have_left_less_in_azerbaijan_2024() -> None:
    lineup = start_at("2024-azerbaijan", BAKU).lineup
    rules = rules_of(2024)
    weekend = replace(rules, chips=replace(rules.chips, no_negative=rules_of(2023).chips.no_negative))
    items = {}
    for row in items_of("2024-azerbaijan").itertuples():
        items.setdefault((row.asset_type, row.asset_id), []).append((row.event_type, row.scoring_item, row.points))
    scores = score_lineup(lineup, NoNegative(), items, menu_of("2024-azerbaijan"), weekend)
    # 0 + 0 x 2 + 1 + 0 + 0 + 0 + 2
    assert sum(score.points for score in scores) == 3


def test_no_negative_does_not_forgive_transfers(team_in_china: Team) -> None:
    decision = Decision(CHINA, NoNegative(), swap_count=4)
    _, result = team_in_china.apply(decision, menu_of("2025-china")).settle(
        items_of("2025-china"), prices_of("2025-china")
    )
    assert (result.transfer_points, result.inactive_points) == (-20, 0)
    # 22 + 13 + 15 + 11 + 36 x 2 + 48 + 32 - 20
    assert result.total_points == 193


def test_wildcard_changes_all_for_good_and_nothing_is_carried(team_in_china: Team) -> None:
    wanted = lineup_of(
        "esteban-ocon oliver-bearman lance-stroll alexander-albon nico-hulkenberg",
        "mclaren racing-bulls",
        "esteban-ocon",
    )
    decision = Decision(wanted, Wildcard(), swap_count=11)
    team, result = play(team_in_china, decision, "2025-china", "2025-japan")
    # 24 x 2 + 20 + 17 + 11 + 2 + 101 + 42
    assert (result.transfer_count, result.transfer_points, result.total_points) == (0, 0, 241)
    # 19.1 + 79.0 - (7.5 + 6.1 + 8.7 + 12.6 + 7.0 + 30.3 + 7.4)
    assert (team.bank_tenths, team.free_transfers) == (185, 2)
    assert team.constructors == ("mclaren", "racing-bulls")
    assert team.chips_left == ("autopilot", "extra_boost", "final_fix", "limitless", "no_negative")


def test_wildcard_keeps_to_the_budget(team_in_china: Team) -> None:
    stars = replace(STARS, boosted_driver="lando-norris")
    with pytest.raises(RuleError, match=r"2025-china: Line-up budget: expected at most \$98\.1M"):
        team_in_china.apply(Decision(stars, Wildcard()), menu_of("2025-china"))


def test_limitless_lasts_one_race_and_the_old_team_has_its_own_prices(team_in_china: Team) -> None:
    stars = replace(STARS, boosted_driver="oscar-piastri")
    after = prices_of("2025-japan") | {("driver", "liam-lawson@red-bull"): 168}
    after |= {("driver", "yuki-tsunoda@racing-bulls"): 84}
    locked = team_in_china.apply(Decision(stars, Limitless()), menu_of("2025-china"))
    team, result = locked.settle(items_of("2025-china"), after)
    # 30 + 41 + 45 x 2 + 35 + 22 + 101 + 69
    assert (result.total_points, result.transfer_points) == (388, 0)
    assert team.lineup == team_in_china.lineup
    # 16.8 + 8.4 + 5.0 + 4.8 + 21.4 + 8.2 + 13.5
    assert (team.bank_tenths, team.value_tenths, team.free_transfers) == (191, 781, 2)
    assert "limitless" not in team.chips_left


def test_a_rest_carries_a_transfer_unless_the_chip_stops_it(team_in_china: Team) -> None:
    chips: list[Chip | None] = [None, Autopilot(), NoNegative(), ExtraBoost("liam-lawson"), Wildcard(), Limitless()]
    found = [team_in_china.apply(Decision(CHINA, chip), menu_of("2025-china")).kept.free_transfers for chip in chips]
    assert found == [3, 3, 3, 3, 2, 2]


def test_final_fix_in_azerbaijan_2024(team_in_baku: Team) -> None:
    fix = FinalFix("carlos-sainz-jr", "lando-norris")
    team, result = play(team_in_baku, Decision(MONZA, fix), "2024-azerbaijan", "2024-singapore")
    points = points_of(result)
    # Sainz keeps 8 of qualifying and is spared the crash, Norris brings 10 + 5 + 12 + 11; the slot has the boost.
    assert (points["carlos-sainz-jr"], points["lando-norris"]) == (16, 76)
    # 16 + 76 + 9 + 7 + 1 + 6 + 16 + 17
    assert result.total_points == 148
    assert (result.transfer_count, result.transfer_points, team.free_transfers) == (0, 0, 3)
    assert team.lineup == team_in_baku.lineup
    assert team.bank_tenths == team_in_baku.bank_tenths
    _, plain = play(team_in_baku, Decision(MONZA), "2024-azerbaijan", "2024-singapore")
    assert plain.total_points == 48


def test_final_fix_may_be_played_after_the_lock(team_in_baku: Team) -> None:
    fix = FinalFix("carlos-sainz-jr", "lando-norris")
    menu = menu_of("2024-azerbaijan")
    locked = team_in_baku.apply(Decision(MONZA), menu)
    assert locked.final_fix(fix) == team_in_baku.apply(Decision(MONZA, fix), menu)
    with pytest.raises(RuleError, match="2024-azerbaijan: chip final_fix: expected one chip per race, found autopilot"):
        team_in_baku.apply(Decision(MONZA, Autopilot()), menu).final_fix(fix)


def test_final_fix_keeps_to_the_budget(team_in_baku: Team) -> None:
    poor = replace(team_in_baku, bank_tenths=33)
    message = r"chip final_fix: expected a driver of at most \$26\.5M, found 'lando-norris@mclaren' at \$26\.6M"
    with pytest.raises(RuleError, match=f"2024-azerbaijan: {message}"):
        poor.apply(Decision(MONZA, FinalFix("carlos-sainz-jr", "lando-norris")), menu_of("2024-azerbaijan"))
    rich = replace(team_in_baku, bank_tenths=34)
    locked = rich.apply(Decision(MONZA, FinalFix("carlos-sainz-jr", "lando-norris")), menu_of("2024-azerbaijan"))
    assert locked.kept.bank_tenths == 34


@pytest.mark.parametrize(
    ("fix", "message"),
    [
        (FinalFix("haas", "williams"), "expected one of the drivers held .* to go, found 'haas'"),
        (FinalFix("guanyu-zhou", "williams"), "expected a driver who takes part and is not held .*'williams'"),
        (FinalFix("guanyu-zhou", "nico-hulkenberg"), "who takes part and is not held .*'nico-hulkenberg@haas'"),
        (FinalFix("guanyu-zhou", "kevin-magnussen"), "who takes part and is not held .*'kevin-magnussen'"),
        (FinalFix("guanyu-zhou", "lando-norris", "sprint"), "expected the swap after qualifying, found 'sprint'"),
        (FinalFix("guanyu-zhou", "lando-norris", "race"), "expected the swap after qualifying, found 'race'"),
    ],
)
def test_final_fix_swaps_a_driver_who_takes_part_between_sessions(
    team_in_baku: Team, fix: FinalFix, message: str
) -> None:
    with pytest.raises(RuleError, match=f"2024-azerbaijan: chip final_fix: .*{message}"):
        team_in_baku.apply(Decision(MONZA, fix), menu_of("2024-azerbaijan"))


def test_final_fix_in_china_2025_comes_after_sprint_and_qualifying(team_in_china: Team) -> None:
    # Tsunoda keeps 2 of qualifying and 2 + 3 + 2 of the sprint; Hamilton brings his disqualification.
    fix = FinalFix("yuki-tsunoda", "lewis-hamilton")
    _, result = play(team_in_china, Decision(CHINA, fix), "2025-china", "2025-japan")
    points = points_of(result)
    assert (points["yuki-tsunoda"], points["lewis-hamilton"]) == (9, -20)
    with pytest.raises(RuleError, match="2025-china: chip final_fix: expected the swap after qualifying"):
        team_in_china.apply(Decision(CHINA, replace(fix, after_session="sprint")), menu_of("2025-china"))


def test_final_fix_in_china_2026_may_come_after_the_sprint() -> None:
    lineup = lineup_of(
        "lando-norris esteban-ocon pierre-gasly arvid-lindblad sergio-perez", "haas racing-bulls", "lando-norris"
    )
    team, _ = play(start_at("2026-australia", lineup), Decision(lineup), "2026-australia", "2026-china")
    fix = FinalFix("lando-norris", "oliver-bearman", "sprint")
    _, result = play(team, Decision(lineup, fix), "2026-china", "2026-japan")
    # Norris: sprint 1 + 5 - 1; Bearman: qualifying 1, race 13 + 10 + 5; both doubled
    assert (points_of(result)["lando-norris"], points_of(result)["oliver-bearman"]) == (10, 58)


def test_final_fix_in_azerbaijan_2023_leaves_the_sprint_to_the_new_driver() -> None:
    lineup = lineup_of(
        "nyck-de-vries lando-norris esteban-ocon kevin-magnussen logan-sargeant", "haas williams", "lando-norris"
    )
    team, _ = play(start_at("2023-australia", lineup), Decision(lineup), "2023-australia", "2023-azerbaijan")
    _, after_friday = play(
        team, Decision(lineup, FinalFix("nyck-de-vries", "fernando-alonso")), "2023-azerbaijan", "2023-miami"
    )
    # De Vries: no time in qualifying; Alonso: sprint 2 + 3 + 2, race 1 + 12 + 2
    assert (points_of(after_friday)["nyck-de-vries"], points_of(after_friday)["fernando-alonso"]) == (-5, 22)
    late = FinalFix("nyck-de-vries", "fernando-alonso", "sprint")
    _, after_saturday = play(team, Decision(lineup, late), "2023-azerbaijan", "2023-miami")
    assert (points_of(after_saturday)["nyck-de-vries"], points_of(after_saturday)["fernando-alonso"]) == (3, 15)


@pytest.mark.parametrize("chip", [Wildcard(), Limitless(), FinalFix("max-verstappen", "sergio-perez")])
def test_three_chips_wait_for_the_second_race(chip: Chip) -> None:
    with pytest.raises(RuleError, match=f"2023-bahrain: chip {chip.name}: expected the team's race 2 or later"):
        total_in_bahrain(BAHRAIN, chip)


def test_a_chip_is_played_once(team_in_china: Team) -> None:
    team, _ = play(team_in_china, Decision(CHINA, Limitless()), "2025-china", "2025-japan")
    message = "2025-japan: chip limitless: expected a chip that is left, found autopilot, extra_boost, final_fix, "
    with pytest.raises(RuleError, match=message):
        team.apply(Decision(team.lineup, Limitless()), menu_of("2025-japan"))


@pytest.mark.parametrize(
    ("season", "has_sprint", "expected"),
    [
        (2023, False, ("qualifying", "race")),
        (2023, True, ("qualifying", "sprint", "race")),
        (2024, True, ("sprint", "qualifying", "race")),
        (2026, True, ("sprint", "qualifying", "race")),
    ],
)
def test_sessions_in_time(season: int, has_sprint: bool, expected: tuple[str, ...]) -> None:
    assert session_order(rules_of(season), has_sprint) == expected


@pytest.mark.parametrize("season", [2023, 2024, 2025, 2026])
def test_what_the_chips_of_all_seasons_share(season: int) -> None:
    chips = rules_of(season).chips
    assert chips.names == ("autopilot", "extra_boost", "no_negative", "wildcard", "limitless", "final_fix")
    assert [getattr(chips, name).from_race for name in chips.names] == [1, 1, 1, 2, 2, 2]
    assert [name for name in chips.names if getattr(chips, name).stops_carry_over] == ["wildcard", "limitless"]
    assert (chips.extra_boost.multiplier, chips.per_race, chips.uses_per_season) == (3, 1, 1)
    assert chips.no_negative.floor == ("total" if season == 2023 else "category")
    assert len(start_chips(rules_of(season))) == 6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("per_race = 1 ", "per_race = 2 ", r"chips\.per_race: expected 1, .*found 2"),
        ("uses_per_season = 1 ", "uses_per_season = 0 ", r"chips\.uses_per_season: expected at least 1, found 0"),
        ("multiplier = 3 ", "multiplier = 2 ", r"chips\.extra_boost\.multiplier: expected more than .* 2, found 2"),
        ('floor = "category"', 'floor = "half"', r"chips\.no_negative\.floor: expected total or .*, found 'half'"),
        ('["qualifying", "sprint"]', '["race"]', r"chips\.final_fix\.after_sessions: expected .*, found \['race'\]"),
        ("[chips.limitless]\n", "[chips.boundless]\n", r"unknown key chips\.boundless"),
        ("[chips.autopilot]\n", "[chips.autopilot]\nx = 1\n", r"unknown key chips\.autopilot\.x"),
    ],
)
def test_broken_chip_rules_are_named_with_their_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "rules").mkdir()
    text = (DATA_DIR / "rules" / "2026.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "rules" / "2026.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError, match=rf"2026\.toml: (key )?{message}"):
        load_rules(tmp_path, 2026)
