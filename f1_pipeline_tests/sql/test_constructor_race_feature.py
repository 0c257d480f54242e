"""features.constructor_race_feature: every figure worked by hand, history joined across changes of name."""

from typing import Any

import pytest

from f1_pipeline_tests.sql.given import (
    Row,
    constructor_entry,
    constructor_result,
    only,
    pick,
    race,
    run_sql_model,
)

TABLE = "features.constructor_race_feature"
DAYS = ["2026-03-01", "2026-03-08", "2026-03-15", "2026-03-22", "2026-03-29", "2026-04-05", "2026-04-12"]
RACES = [race(f"2026-r{number}", day) for number, day in enumerate(DAYS, start=1)]
NEXT = "2026-r7"
TEAMS = [
    {"constructor_id": "red", "lineage_id": "red"},
    {"constructor_id": "sauber", "lineage_id": "audi"},
    {"constructor_id": "audi", "lineage_id": "audi"},
]


def features(race_key: str = NEXT, **given: Any) -> list[Row]:
    given.setdefault("core__race", RACES)
    given.setdefault("core__constructor", TEAMS)
    given.setdefault("core__race_entry", [constructor_entry(race_key, "red", "red", 24.7)])
    return run_sql_model(TABLE, [race_key], **given)


def feature(race_key: str = NEXT, **given: Any) -> Row:
    (row,) = features(race_key, **given)
    return row


def test_form_is_that_of_the_last_three_five_and_ten_races() -> None:
    results = [
        constructor_result("2026-r1", "red", 10, 20.0, points_per_million=9.0),
        constructor_result("2026-r2", "red", 20, 21.0, points_per_million=8.0),
        constructor_result("2026-r3", "red", 30, 22.0, points_per_million=6.0),
        constructor_result("2026-r4", "red", 40, 23.0, points_per_million=4.0),
        constructor_result("2026-r5", "red", 50, 24.0, points_per_million=2.0),
        constructor_result("2026-r6", "red", 66, 25.0, points_per_million=0.0),
    ]
    expected = {
        "race_key": "2026-r7",
        "constructor_id": "red",
        "season": 2026,
        "price_musd": 24.7,
        "start_count": 6,
        "last_3_mean_points": 52.0,  # (40 + 50 + 66) / 3
        "last_5_mean_points": 41.2,  # 206 / 5
        "last_10_stddev_points": 20.3960781,  # sqrt(2080 / 5)
        "season_mean_points": 36.0,
        "last_5_points_per_million": 1.7913043,  # 206 / 115.0
        "trend_points_per_million": -2.0,
        "last_3_price_change_musd": 1.7,  # 24.7 - 23.0
    }
    assert pick(feature(core__constructor_race_performance=results), expected) == pytest.approx(expected)


def test_first_race_has_no_history() -> None:
    expected = {
        "start_count": 0,
        "last_3_mean_points": None,
        "last_5_mean_points": None,
        "last_10_stddev_points": None,
        "season_mean_points": None,
        "last_5_points_per_million": None,
        "trend_points_per_million": None,
        "last_3_price_change_musd": None,
        "drivers_last_5_mean_points": None,
        "circuit_mean_points": None,
        "circuit_stddev_points": None,
        "circuit_start_count": 0,
        "last_5_qualifying_mean_points": None,
        "last_3_sprint_mean_points": None,
        "last_5_race_mean_points": None,
        "last_5_pit_stop_mean_points": None,
        "last_10_dnf_share": None,
        "last_5_overtakes_mean_count": None,
        "last_5_positions_gained_mean_count": None,
        "practice_gap_pct": None,
        "practice_session_count": 0,
    }
    assert pick(feature(), expected) == expected


def test_one_earlier_race_gives_no_trend() -> None:
    row = feature(core__constructor_race_performance=[constructor_result("2026-r6", "red", 10)])
    assert (row["start_count"], row["trend_points_per_million"], row["last_10_stddev_points"]) == (1, None, None)


def test_history_goes_with_the_team_across_its_change_of_name() -> None:
    results = [
        constructor_result("2026-r4", "sauber", 1, 8.0, sprint_points=4, had_sprint=True),
        constructor_result("2026-r5", "sauber", 2, 8.5, sprint_points=6, had_sprint=True),
        constructor_result("2026-r6", "audi", 6, 9.0),
        constructor_result("2026-r6", "red", 500),
    ]
    expected = {
        "constructor_id": "audi",
        "start_count": 3,
        "last_3_mean_points": 3.0,
        "last_3_price_change_musd": 1.5,  # 9.5 - 8.0
        "last_3_sprint_mean_points": 5.0,
    }
    entries = [constructor_entry(NEXT, "audi", "audi", 9.5)]
    row = feature(core__race_entry=entries, core__constructor_race_performance=results)
    assert pick(row, expected) == pytest.approx(expected)


def test_own_race_and_later_races_change_nothing() -> None:
    results = [constructor_result(f"2026-r{number}", "sauber", number * 10) for number in range(1, 7)]
    entries = [constructor_entry("2026-r4", "sauber", "audi")]
    before = feature("2026-r4", core__race_entry=entries, core__constructor_race_performance=results[:3])
    after = feature("2026-r4", core__race_entry=entries, core__constructor_race_performance=results)
    assert before == after
    assert before["last_3_mean_points"] == 20.0


def test_dnf_share_counts_cars_and_pit_stops_their_points() -> None:
    results = [
        constructor_result("2026-r1", "red", 0, classified_car_count=2, pit_stop_points=100),
        constructor_result("2026-r2", "red", 0, classified_car_count=1, pit_stop_points=0),
        constructor_result("2026-r3", "red", 0, classified_car_count=0, pit_stop_points=5),
        constructor_result("2026-r4", "red", 0, classified_car_count=2, pit_stop_points=10),
        constructor_result("2026-r5", "red", 0, classified_car_count=0, car_count=0, pit_stop_points=2),
        constructor_result("2026-r6", "red", 0, classified_car_count=1, pit_stop_points=3),
    ]
    row = feature(core__constructor_race_performance=results)
    # 0, 1/2, 1, 0, no car entered, 1/2
    assert row["last_10_dnf_share"] == pytest.approx(0.4)
    assert row["last_5_pit_stop_mean_points"] == 4.0


def test_session_figures_are_means_of_the_last_five() -> None:
    figures = [(99, 99, 99, 99), (1, 10, 0, -5), (2, 20, 0, 0), (3, 30, 5, 5), (4, 40, 5, 5), (5, 50, 5, 5)]
    columns = ("qualifying_points", "race_points", "overtakes_count", "positions_gained_count")
    results = [
        constructor_result(f"2026-r{number}", "red", 0) | dict(zip(columns, values, strict=True))
        for number, values in enumerate(figures, start=1)
    ]
    expected = {
        "last_5_qualifying_mean_points": 3.0,
        "last_5_race_mean_points": 30.0,
        "last_5_overtakes_mean_count": 3.0,
        "last_5_positions_gained_mean_count": 2.0,
    }
    assert pick(feature(core__constructor_race_performance=results), expected) == expected


def test_circuit_record_is_that_of_the_same_circuit() -> None:
    races = [
        race("2024-monaco", "2024-05-26", "monaco"),
        race("2025-monaco", "2025-05-25", "monaco"),
        race("2025-spain", "2025-06-01", "catalunya"),
        race("2026-monaco", "2026-06-07", "monaco", circuit_type="street"),
    ]
    results = [
        constructor_result("2024-monaco", "sauber", 10),
        constructor_result("2025-monaco", "sauber", 30),
        constructor_result("2025-spain", "sauber", 100),
    ]
    entries = [constructor_entry("2026-monaco", "audi", "audi")]
    row = feature("2026-monaco", core__race=races, core__race_entry=entries, core__constructor_race_performance=results)
    expected = {
        "circuit_mean_points": 20.0,
        "circuit_stddev_points": 14.1421356,
        "circuit_start_count": 2,
        "circuit_type": "street",
        "season_mean_points": None,
    }
    assert pick(row, expected) == pytest.approx(expected)


def test_its_drivers_bring_their_form_and_the_better_practice() -> None:
    drivers = [
        {
            "race_key": NEXT,
            "driver_id": "ann",
            "constructor_id": "red",
            "last_5_mean_points": 10.0,
            "practice_gap_pct": 0.5,
            "practice_session_count": 3,
        },
        {
            "race_key": NEXT,
            "driver_id": "bob",
            "constructor_id": "red",
            "last_5_mean_points": 20.0,
            "practice_gap_pct": 0.25,
            "practice_session_count": 2,
        },
        {"race_key": NEXT, "driver_id": "cid", "constructor_id": "audi", "last_5_mean_points": 99.0},
        {"race_key": "2026-r6", "driver_id": "ann", "constructor_id": "red", "last_5_mean_points": 77.0},
    ]
    entries = [constructor_entry(NEXT, "red", "red"), constructor_entry(NEXT, "audi", "audi")]
    rows = features(core__race_entry=entries, features__driver_race_feature=drivers)
    columns = ("constructor_id", "drivers_last_5_mean_points", "practice_gap_pct", "practice_session_count")
    assert only(rows, *columns) == [("audi", 99.0, None, 0), ("red", 15.0, 0.25, 3)]
