"""The rules files: what they say, and that a broken one is refused by file and key."""

import copy
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from f1_pipeline.errors import RuleError
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.prices import price_rules_at
from f1_pipeline.game.rules import FastestStopsRules, TimeBandRules, UnknownRules, load_rules, rule_seasons
from f1_pipeline.game.scoring_rules import AbsentRules, BestTierRules, TopPlacesRules
from f1_pipeline.game.team import Team

DATA_DIR = Path(__file__).parents[2] / "data"


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    shutil.copytree(DATA_DIR / "rules", tmp_path / "rules")
    return tmp_path


def edit(data_dir: Path, season: int, old: str, new: str) -> None:
    path = data_dir / "rules" / f"{season}.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("season", "extra_transfer", "qualifying_dsq", "sprint_out", "sprint_dsq", "race_dsq"),
    [
        (2023, -4, -15, -20, -25, -25),
        (2024, -10, -15, -20, -25, -25),
        (2025, -10, -5, -20, -20, -20),
        (2026, -10, -5, -10, -10, -20),
    ],
)
def test_penalties_of_each_season(season, extra_transfer, qualifying_dsq, sprint_out, sprint_dsq, race_dsq):
    rules = load_rules(DATA_DIR, season)
    assert rules.transfers.extra_points == extra_transfer
    assert rules.qualifying.disqualified == qualifying_dsq
    assert rules.sprint.not_classified == sprint_out
    assert rules.sprint.disqualified == sprint_dsq
    assert rules.race.disqualified == race_dsq
    assert rules.race.not_classified == -20


@pytest.mark.parametrize("season", [2023, 2024, 2025, 2026])
def test_what_all_seasons_share(season):
    rules = load_rules(DATA_DIR, season)
    assert rules.season == season
    assert rules.race.position_points == (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)
    assert rules.sprint.position_points == (8, 7, 6, 5, 4, 3, 2, 1)
    assert rules.qualifying.position_points == (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    assert (rules.team.driver_count, rules.team.constructor_count, rules.team.budget_tenths) == (5, 2, 1000)
    assert rules.boost.multiplier == 2
    assert rules.lock.normal_weekend == "qualifying"


def test_sprint_weekends_lock_at_the_sprint_since_2024():
    locks = {season: load_rules(DATA_DIR, season).lock.sprint_weekend for season in rule_seasons(DATA_DIR)}
    assert locks == {2022: "qualifying", 2023: "qualifying", 2024: "sprint", 2025: "sprint", 2026: "sprint"}


def test_pit_stops_score_by_rank_until_2024_and_by_time_since():
    assert load_rules(DATA_DIR, 2024).pit_stops == FastestStopsRules("fastest_stops", (10, 5, 3))
    assert load_rules(DATA_DIR, 2026).pit_stops == TimeBandRules(
        "time_band", (2000, 2200, 2500, 3000), (20, 10, 5, 2), 5, 15, 1800
    )


def test_a_season_without_rules_is_refused():
    with pytest.raises(RuleError, match=r"no rules for 2021: expected .*2021\.toml"):
        load_rules(DATA_DIR, 2021)


def test_2022_was_another_game():
    rules = load_rules(DATA_DIR, 2022)
    assert (rules.team.driver_count, rules.team.constructor_count, rules.team.budget_tenths) == (5, 1, 1000)
    assert (rules.boost.multiplier, rules.boost.price_below_tenths) == (2, 200)
    assert (rules.qualifying.reached_q3, rules.qualifying.eliminated_in_q2, rules.qualifying.eliminated_in_q1) == (
        3,
        2,
        1,
    )
    assert (rules.qualifying.not_classified, rules.qualifying.absent, rules.qualifying.disqualified) == (-5, 0, -10)
    assert rules.sprint.position_points == (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    assert (rules.sprint.places_from, rules.sprint.position_gained, rules.sprint.places_points_max) == (
        "last_session",
        1,
        5,
    )
    assert (rules.race.places_from, rules.race.position_gained, rules.race.places_points_max) == ("last_session", 2, 10)
    assert (rules.race.finished, rules.race.ahead_of_team_mate, rules.race.overtake) == (1, 3, 0)
    assert rules.streaks == TopPlacesRules("top_places", 10, 5, 5, 10, 3, 5, 10)
    assert rules.pit_stops == rules.qualifying_bonus == AbsentRules("none")


@pytest.mark.parametrize("season", [2023, 2024, 2025, 2026])
def test_what_only_2022_knew_is_worth_nothing_since(season):
    rules = load_rules(DATA_DIR, season)
    knock_out = rules.qualifying
    assert (knock_out.reached_q3, knock_out.eliminated_in_q2, knock_out.eliminated_in_q1) == (0, 0, 0)
    assert rules.streaks == AbsentRules("none")
    for session in (rules.sprint, rules.race):
        assert (session.finished, session.ahead_of_team_mate, session.places_points_max) == (0, 0, 0)
        assert (session.places_from, session.position_gained, session.position_lost) == ("grid", 1, -1)
    assert isinstance(rules.qualifying_bonus, BestTierRules)
    assert rules.boost.price_below_tenths == 0


def test_what_nobody_knows_of_2022_is_an_error_and_never_a_zero():
    rules = load_rules(DATA_DIR, 2022)
    with pytest.raises(RuleError, match=r"The rule free_per_race is unknown: free transfers per race in 2022 are 6 in"):
        _ = rules.transfers.free_per_race
    with pytest.raises(RuleError, match=r"The rule names is unknown: 2022 had a Wildcard and a Mega Driver"):
        _ = rules.chips.names
    with pytest.raises(RuleError, match=r"unknown: how prices moved in 2022 was never published"):
        price_rules_at(rules.prices, "2022-bahrain", ["2022-bahrain"])


def test_rules_with_unknown_sections_can_be_compared_copied_and_stored():
    rules = load_rules(DATA_DIR, 2022)
    assert isinstance(rules.chips, UnknownRules)
    assert pickle.loads(pickle.dumps(rules)) == rules == copy.deepcopy(rules)  # noqa: S301 - written a line ago
    assert replace(rules, season=2021) != rules
    assert "UnknownRules(kind='unknown', note='2022 had" in repr(rules)


def test_a_team_cannot_be_played_by_the_rules_of_2022():
    drivers = tuple(f"driver-{number}@team-{number}" for number in range(5))
    prices = {("driver", seat): 100 for seat in drivers} | {("constructor", "team-0"): 300}
    lineup = Lineup(drivers, ("team-0",), drivers[0])
    with pytest.raises(RuleError, match="The rule free_per_race is unknown: free transfers per race in 2022"):
        Team.start(lineup, prices, load_rules(DATA_DIR, 2022))


@pytest.mark.parametrize("season", [2022, 2023, 2024, 2025, 2026])
def test_every_key_says_how_sure_it_is_and_where_it_comes_from(season):
    lines = (DATA_DIR / "rules" / f"{season}.toml").read_text(encoding="utf-8").splitlines()
    values = [line for line in lines if line and not re.match(r"#|\[|\]$|tier_steps_tenths = \[$", line)]
    assert [line for line in values if not re.search(r"[^#] # [VDL?]: \S", line)] == []
    assert len(values) >= 65


def test_a_new_season_is_a_new_file(rules_dir):
    text = (rules_dir / "rules" / "2026.toml").read_text(encoding="utf-8")
    text = text.replace("season = 2026", "season = 2027").replace('version = "2026.1"', 'version = "2027.1"')
    (rules_dir / "rules" / "2027.toml").write_text(text, encoding="utf-8")
    assert rule_seasons(rules_dir)[-1] == 2027
    rules = load_rules(rules_dir, 2027)
    assert (rules.season, rules.version) == (2027, "2027.1")
    assert replace(rules, season=2026, version="2026.1") == load_rules(rules_dir, 2026)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[race]\nposition_points", "[race]\nposition_pints", r"2026\.toml: unknown key race\.position_pints"),
        ("driver_of_the_day = 10", "# gone", r"2026\.toml: missing key race\.driver_of_the_day"),
        ("driver_count = 5", 'driver_count = "5"', r"2026\.toml: key team\.driver_count: expected int, found '5'"),
        ("is_net = true", "is_net = 1", r"2026\.toml: key transfers\.is_net: expected bool, found 1"),
        ('kind = "time_band"', 'kind = "guess"', r"key pit_stops\.kind: expected .*, found 'guess'"),
        ("band_points = [20, 10, 5, 2]", "band_points = [20, 10]", r"expected one value per pit_stops\.band_below"),
        ('normal_weekend = "qualifying"', 'normal_weekend = "noon"', r"key lock\.normal_weekend: .*found 'noon'"),
        ("season = 2026 ", "season = 2025 ", r"key season: expected 2026, found 2025"),
        ('version = "2026.1"', 'version = "2026"', r"key version: expected one such as 2026\.1, found '2026'"),
        ('version = "2026.1"', 'version = "2025.1"', r"key version: expected one such as 2026\.1, found '2025\.1'"),
        ('version = "2026.1" ', "version = 2026.1 ", r"key version: expected str, found 2026\.1"),
        (
            "price_below_tenths = 0",
            "price_below_tenths = -1",
            r"key boost\.price_below_tenths: expected 0 \(no limit\)",
        ),
        ("q2_last_position = 16", "q2_last_position = 10", r"qualifying\.q3_last_position: expected .*, found 10"),
        ('kind = "best_tier"', 'kind = "time_band"', r"qualifying_bonus\.kind: expected none or best_tier or unknown"),
        ("no_car_classified = -1", "# gone", r"2026\.toml: missing key qualifying_bonus\.no_car_classified"),
        ("nets_places = true", 'nets_places = "yes"', r"key constructor\.nets_places: expected bool, found 'yes'"),
        ("overall_fastest = 5", "fastest = 5", r"unknown key pit_stops\.fastest"),
        ("band_below_ms = [2000, 2200", "band_below_ms = [2200, 2000", r"pit_stops\.band_below_ms: expected rising"),
        ("[streaks]\nkind", "[streaks]\nlast_position = 3 # V: x\nkind", r"unknown key streaks\.last_position"),
        ('[streaks]\nkind = "none"', '[streaks]\nkind = "unknown"', r"missing key streaks\.note"),
        ("[streaks]\n", "streaks = 3\n[other]\n", r"unknown key other|key streaks"),
        ("[team]", "[team", r"2026\.toml is not valid TOML"),
    ],
)
def test_a_broken_file_is_named_with_its_key(rules_dir, old, new, message):
    edit(rules_dir, 2026, old, new)
    with pytest.raises(RuleError, match=message):
        load_rules(rules_dir, 2026)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "places_points_max = 5 ",
            "places_points_max = -5 ",
            r"key sprint\.places_points_max: expected 0 \(no cap\) or",
        ),
        (
            "nets_places = false",
            "nets_places = true",
            r"key constructor\.nets_places: expected false where places of sp",
        ),
        (
            "driver_race_count = 5",
            "driver_race_count = 0",
            r"key streaks\.driver_race_count: expected at least 1, found 0",
        ),
        ("\nlast_position = 10", "\nlast_position = 0", r"key streaks\.last_position: expected at least 1, found 0"),
        ("# ?: iNews says 6 free per race, The Independent 3\n", "\nfree = 3\n", r"unknown key transfers\.free"),
        ('note = "how prices', 'text = "how prices', r"unknown key prices\[0\]\.text"),
    ],
)
def test_a_broken_file_of_2022_is_named_with_its_key(rules_dir, old, new, message):
    edit(rules_dir, 2022, old, new)
    with pytest.raises(RuleError, match=rf"2022\.toml: {message}"):
        load_rules(rules_dir, 2022)


@pytest.mark.parametrize("section", ["sprint", "race"])
def test_places_from_nowhere_are_refused(rules_dir, section):
    path = rules_dir / "rules" / "2025.toml"
    head, middle, tail = path.read_text(encoding="utf-8").partition(f"[{section}]\n")
    path.write_text(head + middle + tail.replace('places_from = "grid"', 'places_from = "moon"', 1), encoding="utf-8")
    with pytest.raises(RuleError, match=rf"{section}\.places_from: expected grid or last_session, found 'moon'"):
        load_rules(rules_dir, 2025)


def test_three_stops_score_where_stops_are_ranked(rules_dir):
    edit(rules_dir, 2024, "fastest_points = [10, 5, 3]", "fastest_points = [10, 5]")
    with pytest.raises(RuleError, match=r"key pit_stops\.fastest_points: expected three values"):
        load_rules(rules_dir, 2024)
