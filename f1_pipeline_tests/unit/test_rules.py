"""The rules files: what they say, and that a broken one is refused by file and key."""

import shutil
from pathlib import Path

import pytest

from f1_pipeline.errors import RuleError
from f1_pipeline.game.rules import FastestStopsRules, TimeBandRules, load_rules, rule_seasons

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
    assert locks == {2023: "qualifying", 2024: "sprint", 2025: "sprint", 2026: "sprint"}


def test_pit_stops_score_by_rank_until_2024_and_by_time_since():
    assert load_rules(DATA_DIR, 2024).pit_stops == FastestStopsRules("fastest_stops", (10, 5, 3))
    assert load_rules(DATA_DIR, 2026).pit_stops == TimeBandRules(
        "time_band", (2000, 2200, 2500, 3000), (20, 10, 5, 2), 5, 15, 1800
    )


def test_a_season_without_rules_is_refused():
    with pytest.raises(RuleError, match=r"no rules for 2022: expected .*2022\.toml"):
        load_rules(DATA_DIR, 2022)


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
        ("season = 2026\n", "season = 2025\n", r"key season: expected 2026, found 2025"),
        ("[team]", "[team", r"2026\.toml is not valid TOML"),
    ],
)
def test_a_broken_file_is_named_with_its_key(rules_dir, old, new, message):
    edit(rules_dir, 2026, old, new)
    with pytest.raises(RuleError, match=message):
        load_rules(rules_dir, 2026)
