"""features.driver_race_feature: every figure worked by hand, from races strictly before the one forecast."""

from typing import Any

import pytest

from f1_pipeline_tests.sql.given import (
    Row,
    constructor_result,
    driver_result,
    entry,
    only,
    pick,
    race,
    run_sql_model,
)

TABLE = "features.driver_race_feature"
# Six races on six Sundays, then the race to forecast.
DAYS = ["2026-03-01", "2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29", "2026-04-05", "2026-04-12"]
RACES = [race(f"2026-r{number}", day) for number, day in enumerate(DAYS, start=1)]
NEXT = "2026-r7"
TEAMS = [{"constructor_id": name, "lineage_id": name} for name in ("red", "blue")]
RECENT: list[Row] = [
    # points per million are given, so that their slope is whole
    driver_result("2026-r1", "ann", 10, 10.0, points_per_million=9.0),
    driver_result("2026-r2", "ann", 20, 10.0, points_per_million=2.0),
    driver_result("2026-r3", "ann", 30, 10.5, points_per_million=3.0),
    driver_result("2026-r4", "ann", 40, 11.0, points_per_million=4.0),
    driver_result("2026-r5", "ann", 50, 11.5, points_per_million=5.0),
    driver_result("2026-r6", "ann", 66, 12.0, points_per_million=6.0),
]


def features(race_key: str = NEXT, **given: Any) -> list[Row]:
    given.setdefault("core__race", RACES)
    given.setdefault("core__constructor", TEAMS)
    given.setdefault("core__race_entry", [entry(race_key, "ann", "red", 12.4)])
    return run_sql_model(TABLE, [race_key], **given)


def feature(race_key: str = NEXT, **given: Any) -> Row:
    (row,) = features(race_key, **given)
    return row


def test_form_is_that_of_the_last_three_five_and_ten_races() -> None:
    expected = {
        "race_key": "2026-r7",
        "driver_id": "ann",
        "constructor_id": "red",
        "season": 2026,
        "price_musd": 12.4,
        "start_count": 6,
        "last_3_mean_points": 52.0,  # (40 + 50 + 66) / 3
        "last_5_mean_points": 41.2,  # 206 / 5
        "last_10_stddev_points": 20.3960781,  # mean 36; sqrt((676 + 256 + 36 + 16 + 196 + 900) / 5)
        "season_mean_points": 36.0,
        "last_5_points_per_million": 3.7454545,  # 206 / 55.0
        "trend_points_per_million": 1.0,  # 2, 3, 4, 5, 6
        "last_3_price_change_musd": 1.4,  # 12.4 - 11.0
    }
    assert pick(feature(core__driver_race_performance=RECENT), expected) == pytest.approx(expected)


def test_consistency_forgets_the_eleventh_race_back() -> None:
    races = [race(f"2026-r{number}", f"2026-03-{number:02}") for number in range(1, 13)]
    results = [driver_result("2026-r1", "ann", 1000)]
    results += [driver_result(f"2026-r{number}", "ann", 10 if number % 2 else 20) for number in range(2, 12)]
    entries = [entry("2026-r12", "ann", "red")]
    row = feature("2026-r12", core__race=races, core__race_entry=entries, core__driver_race_performance=results)
    # Five tens and five twenties: sqrt(10 * 25 / 9).
    assert row["last_10_stddev_points"] == pytest.approx(5.2704628)
    assert (row["start_count"], row["last_5_mean_points"]) == (11, 14.0)  # 10, 20, 10, 20, 10


def test_first_race_of_a_driver_has_no_history() -> None:
    expected = {
        "start_count": 0,
        "price_musd": 12.4,
        "last_3_mean_points": None,
        "last_5_mean_points": None,
        "last_10_stddev_points": None,
        "season_mean_points": None,
        "last_5_points_per_million": None,
        "trend_points_per_million": None,
        "last_3_price_change_musd": None,
        "teammate_last_5_mean_points": None,
        "constructor_last_5_mean_points": None,
        "circuit_mean_points": None,
        "circuit_stddev_points": None,
        "circuit_start_count": 0,
        "last_5_qualifying_mean_points": None,
        "last_3_sprint_mean_points": None,
        "last_5_race_mean_points": None,
        "last_5_overtakes_mean_count": None,
        "last_10_dnf_share": None,
        "last_5_positions_gained_mean_count": None,
        "last_5_qualifying_mean_position": None,
        "practice_gap_pct": None,
        "practice_session_count": 0,
    }
    assert pick(feature(), expected) == expected


def test_one_earlier_race_gives_a_mean_but_no_deviation_and_no_trend() -> None:
    expected = {
        "start_count": 1,
        "last_3_mean_points": 66.0,
        "last_10_stddev_points": None,
        "trend_points_per_million": None,
        "last_3_price_change_musd": 0.4,
    }
    row = feature(core__driver_race_performance=RECENT[-1:])
    assert pick(row, expected) == pytest.approx(expected)


def test_own_race_and_later_races_change_nothing() -> None:
    # The price of a finished race is the one at its lock; both tables state it.
    entries = [entry("2026-r5", "ann", "red", 11.5)]
    before = feature("2026-r5", core__driver_race_performance=RECENT[:4], core__race_entry=entries)
    after = feature("2026-r5", core__driver_race_performance=RECENT, core__race_entry=entries)
    assert before["last_3_mean_points"] == 30.0  # 20, 30, 40
    assert before == after


def test_order_comes_from_the_date_and_not_from_the_key() -> None:
    races = [
        race("2026-zandvoort", "2026-03-01"),
        race("2026-monaco", "2026-03-08"),
        race("2026-china", "2026-03-15"),
        race("2026-austria", "2026-03-22"),
        race("2026-bahrain", "2026-03-29"),
    ]
    points = {"2026-zandvoort": 100, "2026-monaco": 1, "2026-china": 2, "2026-austria": 3}
    results = [driver_result(key, "ann", value) for key, value in points.items()]
    entries = [entry("2026-bahrain", "ann", "red")]
    row = feature("2026-bahrain", core__race=races, core__race_entry=entries, core__driver_race_performance=results)
    assert row["last_3_mean_points"] == 2.0


def test_race_that_was_missed_does_not_count() -> None:
    results = [RECENT[0], RECENT[3], RECENT[5]]
    row = feature(core__driver_race_performance=results)
    assert (row["start_count"], row["last_3_mean_points"]) == (3, pytest.approx(38.6666667))  # (10 + 40 + 66) / 3


def test_race_that_was_missed_has_its_own_row_when_he_was_on_sale() -> None:
    results = [RECENT[0], RECENT[1], RECENT[3]]
    row = feature("2026-r3", core__race_entry=[entry("2026-r3", "ann", "red")], core__driver_race_performance=results)
    assert (row["start_count"], row["last_3_mean_points"]) == (2, 15.0)


def test_race_that_was_missed_does_not_count_when_it_is_computed_in_the_same_run() -> None:
    results = [row for row in RECENT if row["race_key"] != "2026-r5"]
    entries = [entry("2026-r5", "ann", "red", 99.0), entry(NEXT, "ann", "red", 12.4)]
    given = {"core__race": RACES, "core__constructor": TEAMS, "core__driver_race_performance": results}
    missed, after = run_sql_model(TABLE, ["2026-r5", NEXT], core__race_entry=entries, **given)
    assert [after] == run_sql_model(TABLE, [NEXT], core__race_entry=entries, **given)
    expected = {
        "start_count": 5,
        "last_3_mean_points": 45.3333333,  # (30 + 40 + 66) / 3
        "last_5_mean_points": 33.2,  # (10 + 20 + 30 + 40 + 66) / 5
        "last_5_points_per_million": 3.1028037,  # 166 / 53.5
        "last_3_price_change_musd": 1.9,  # 12.4 - 10.5
    }
    assert pick(after, expected) == pytest.approx(expected)
    assert (missed["start_count"], missed["last_3_mean_points"]) == (4, 30.0)  # 20, 30, 40
    assert missed["last_3_price_change_musd"] == 89.0  # 99 - 10


def test_season_mean_starts_anew_and_form_does_not() -> None:
    races = [
        race("2025-a", "2025-11-01"),
        race("2025-b", "2025-11-08"),
        race("2026-a", "2026-03-01"),
        race("2026-b", "2026-03-08"),
    ]
    results = [
        driver_result("2025-a", "ann", 10),
        driver_result("2025-b", "ann", 30),
        driver_result("2026-a", "ann", 50),
    ]
    entries = [entry(key, "ann", "red") for key in ("2026-a", "2026-b")]
    rows = run_sql_model(
        TABLE,
        ["2026-a", "2026-b"],
        core__race=races,
        core__constructor=TEAMS,
        core__race_entry=entries,
        core__driver_race_performance=results,
    )
    assert only(rows, "race_key", "season_mean_points", "last_3_mean_points") == [
        ("2026-a", None, 20.0),
        ("2026-b", 50.0, 30.0),
    ]


def test_circuit_record_is_that_of_the_same_circuit() -> None:
    races = [
        race("2024-monaco", "2024-05-26", "monaco"),
        race("2025-monaco", "2025-05-25", "monaco"),
        race("2025-spain", "2025-06-01", "catalunya"),
        race("2026-monaco", "2026-06-07", "monaco", circuit_type="street", season_progress_share=0.25),
    ]
    results = [
        driver_result("2024-monaco", "ann", 10),
        driver_result("2025-monaco", "ann", 30),
        driver_result("2025-spain", "ann", 100),
        driver_result("2024-monaco", "bob", 77),
    ]
    entries = [entry("2026-monaco", "ann", "red")]
    row = feature("2026-monaco", core__race=races, core__race_entry=entries, core__driver_race_performance=results)
    expected = {
        "circuit_mean_points": 20.0,
        "circuit_stddev_points": 14.1421356,  # sqrt((100 + 100) / 1)
        "circuit_start_count": 2,
        "circuit_type": "street",
        "season_progress_share": 0.25,
        "has_sprint": False,
    }
    assert pick(row, expected) == pytest.approx(expected)


def test_sprint_mean_is_over_the_last_three_weekends_that_had_one() -> None:
    sprint_points = {"2026-r1": 2, "2026-r2": 8, "2026-r4": 10, "2026-r5": 12}
    results = [
        driver_result(f"2026-r{n}", "ann", 0, sprint_points=sprint_points.get(f"2026-r{n}", 0))
        | {"had_sprint": f"2026-r{n}" in sprint_points}
        for n in range(1, 7)
    ]
    assert feature(core__driver_race_performance=results)["last_3_sprint_mean_points"] == 10.0


def test_session_figures_are_means_of_five_and_dnf_of_ten() -> None:
    results = [
        driver_result("2026-r1", "ann", 0, was_race_classified=False),
        driver_result("2026-r2", "ann", 0, was_race_classified=False),
        driver_result("2026-r3", "ann", 0, was_race_classified=True),
        driver_result("2026-r4", "ann", 0, was_race_classified=True),
        driver_result("2026-r5", "ann", 0, was_race_classified=True),
        driver_result("2026-r6", "ann", 0, was_race_classified=True),
    ]
    qualifying, sunday, overtakes, gained = (
        (99, 1, 2, 3, 4, 5),
        (99, 10, 20, 30, 40, 50),
        (99, 0, 0, 5, 5, 5),
        (99, -4, 1),
    )
    positions = (1, 20, None, 10, 6, None)
    for index, row in enumerate(results):
        row["qualifying_points"], row["race_points"] = qualifying[index], sunday[index]
        row["overtakes_count"], row["positions_gained_count"] = overtakes[index], (*gained, 1, 1, 1)[index]
        row["qualifying_position"] = positions[index]
    expected = {
        "last_5_qualifying_mean_points": 3.0,
        "last_5_race_mean_points": 30.0,
        "last_5_overtakes_mean_count": 3.0,
        "last_5_positions_gained_mean_count": 0.0,  # -4 + 1 + 1 + 1 + 1
        "last_5_qualifying_mean_position": 12.0,  # (20 + 10 + 6) / 3: where classified
        "last_10_dnf_share": 0.3333333,  # 2 of 6
    }
    assert pick(feature(core__driver_race_performance=results), expected) == pytest.approx(expected)


def test_team_mates_are_those_on_sale_for_the_same_constructor() -> None:
    entries = [
        entry(NEXT, "ann", "red"),
        entry(NEXT, "bob", "red"),
        entry(NEXT, "cid", "red"),
        entry(NEXT, "dan", "blue"),
        entry(NEXT, "eve", "blue"),
    ]
    results = [
        driver_result("2026-r6", "ann", 10),
        driver_result("2026-r6", "bob", 20),
        driver_result("2026-r6", "cid", 40),
        driver_result("2026-r6", "dan", 7),
    ]
    rows = features(core__race_entry=entries, core__driver_race_performance=results)
    assert only(rows, "driver_id", "teammate_last_5_mean_points") == [
        ("ann", 30.0),
        ("bob", 25.0),
        ("cid", 15.0),
        ("dan", None),  # eve has no history
        ("eve", 7.0),
    ]


def test_driver_who_changes_team_keeps_his_own_history_and_takes_the_new_team_s() -> None:
    entries = [entry(NEXT, "ann", "blue"), entry(NEXT, "dan", "blue")]
    results = [
        driver_result("2026-r5", "ann", 20, constructor_id="red"),
        driver_result("2026-r6", "ann", 10, constructor_id="red"),
        driver_result("2026-r6", "bob", 99, constructor_id="red"),
        driver_result("2026-r6", "dan", 6, constructor_id="blue"),
    ]
    teams = [
        constructor_result("2026-r5", "red", 100),
        constructor_result("2026-r6", "red", 120),
        constructor_result("2026-r5", "blue", 30),
        constructor_result("2026-r6", "blue", 50),
    ]
    rows = features(
        core__race_entry=entries, core__driver_race_performance=results, core__constructor_race_performance=teams
    )
    columns = ("driver_id", "constructor_id", "start_count", "last_3_mean_points", "teammate_last_5_mean_points")
    assert only(rows, *columns, "constructor_last_5_mean_points") == [
        ("ann", "blue", 2, 15.0, 6.0, 40.0),
        ("dan", "blue", 1, 6.0, 15.0, 40.0),
    ]


def test_constructor_that_changed_its_name_keeps_its_last_five_races() -> None:
    lineage = [{"constructor_id": name, "lineage_id": "audi"} for name in ("sauber", "kick-sauber", "audi")]
    names = ["sauber", "sauber", "kick-sauber", "kick-sauber", "audi", "audi"]
    teams = [
        constructor_result(f"2026-r{number}", name, points)
        for number, (name, points) in enumerate(zip(names, (1000, 1, 2, 3, 4, 5), strict=True), start=1)
    ]
    row = feature(
        core__constructor=[*TEAMS, *lineage],
        core__race_entry=[entry(NEXT, "ann", "audi")],
        core__constructor_race_performance=[*teams, constructor_result("2026-r6", "red", 500)],
    )
    assert row["constructor_last_5_mean_points"] == 3.0


def test_team_points_of_the_race_itself_are_not_seen() -> None:
    teams = [constructor_result("2026-r6", "red", 50), constructor_result(NEXT, "red", 1000)]
    assert feature(core__constructor_race_performance=teams)["constructor_last_5_mean_points"] == 50.0


def test_practice_is_that_of_the_race_to_come() -> None:
    pace = [
        {"race_key": "2026-r6", "driver_id": "ann", "practice_gap_pct": 9.0, "practice_session_count": 1},
        {"race_key": NEXT, "driver_id": "ann", "practice_gap_pct": 0.25, "practice_session_count": 3},
        {"race_key": NEXT, "driver_id": "bob", "practice_gap_pct": 0.0, "practice_session_count": 2},
    ]
    row = feature(core__practice_pace=pace)
    assert (row["practice_gap_pct"], row["practice_session_count"]) == (0.25, 3)


def test_driver_who_is_not_on_sale_has_no_row() -> None:
    results = [driver_result("2026-r6", "ann", 10), driver_result("2026-r6", "bob", 20)]
    assert only(features(core__driver_race_performance=results), "driver_id") == [("ann",)]
