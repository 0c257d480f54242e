"""core.driver_race_performance and core.constructor_race_performance: sums of items, flags, season totals."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from f1_pipeline.warehouse.writer import ContractError
from f1_pipeline_tests.sql.given import Row, only, pick, run_sql_model

DRIVERS = "core.driver_race_performance"
CONSTRUCTORS = "core.constructor_race_performance"
RACES = [
    {"race_key": "2025-qatar", "season": 2025, "race_date": date(2025, 11, 30)},
    {"race_key": "2026-china", "season": 2026, "race_date": date(2026, 3, 15)},
    {"race_key": "2026-bahrain", "season": 2026, "race_date": date(2026, 3, 22)},
]


def item(race_key: str, event_type: str, scoring_item: str, points: int, frequency: int = 1, **columns: Any) -> Row:
    return {
        "race_key": race_key,
        "event_type": event_type,
        "scoring_item": scoring_item,
        "points": points,
        "frequency": frequency,
    } | columns


def driver_item(*values: Any, driver_id: str = "ann", constructor_id: str = "red") -> Row:
    return item(*values, driver_id=driver_id, constructor_id=constructor_id)


def on_sale(race_key: str, asset_type: str, asset_id: str, price: float) -> Row:
    return {
        "race_key": race_key,
        "asset_type": asset_type,
        "asset_id": asset_id,
        "fantasy_price_musd": price,
        "lineage_id": asset_id,
    }


SPRINT_WEEKEND = [
    driver_item("2026-china", "qualifying", "qualifying_position", 9),
    driver_item("2026-china", "sprint", "sprint_position", 5),
    driver_item("2026-china", "sprint", "sprint_positions_lost", -2, 2),
    driver_item("2026-china", "sprint", "sprint_overtakes", 1, 1),
    driver_item("2026-china", "race", "race_position", 18),
    driver_item("2026-china", "race", "race_positions_gained", 3, 3),
    driver_item("2026-china", "race", "race_overtakes", 4, 4),
    driver_item("2026-china", "race", "driver_of_the_day", 10),
]
RETIREMENT = [
    driver_item("2026-bahrain", "qualifying", "qualifying_position", 10),
    driver_item("2026-bahrain", "race", "race_not_classified", -20),
]
PRICES = [on_sale("2026-china", "driver", "ann", 19.2), on_sale("2026-bahrain", "driver", "ann", 20.0)]


def drivers(race_keys: list[str], scores: list[Row], **given: Any) -> list[Row]:
    given.setdefault("core__race_entry", PRICES)
    return run_sql_model(DRIVERS, race_keys, core__race=RACES, core__driver_event_score=scores, **given)


def test_sprint_weekend_is_the_sum_of_its_items() -> None:
    results = [
        {
            "race_key": "2026-china",
            "session": "qualifying",
            "driver_id": "ann",
            "position": 2,
            "is_classified": True,
        },
        {"race_key": "2026-china", "session": "sprint", "driver_id": "ann", "position": 4, "is_classified": True},
        {"race_key": "2026-china", "session": "race", "driver_id": "ann", "position": 3, "is_classified": True},
    ]
    (row,) = drivers(["2026-china"], SPRINT_WEEKEND, core__session_result=results)
    assert row == {
        "race_key": "2026-china",
        "driver_id": "ann",
        "constructor_id": "red",
        "total_points": 48,  # 9 + 4 + 35
        "qualifying_points": 9,
        "sprint_points": 4,  # 5 - 2 + 1
        "race_points": 35,  # 18 + 3 + 4 + 10
        "fantasy_price_musd": Decimal("19.2"),
        "points_per_million": pytest.approx(2.5),
        "season_points_cumulative": 48,
        "had_qualifying": True,
        "had_sprint": True,
        "had_race": True,
        "overtakes_count": 5,
        "positions_gained_count": 1,  # 3 - 2
        "qualifying_position": 2,
        "race_position": 3,
        "was_race_classified": True,
    }


def test_retirement_has_no_position_and_no_sprint() -> None:
    results = [
        {
            "race_key": "2026-bahrain",
            "session": "qualifying",
            "driver_id": "ann",
            "position": 1,
            "is_classified": True,
        },
        {
            "race_key": "2026-bahrain",
            "session": "race",
            "driver_id": "ann",
            "position": None,
            "is_classified": False,
        },
    ]
    (row,) = drivers(["2026-bahrain"], RETIREMENT, core__session_result=results)
    expected = {
        "total_points": -10,
        "qualifying_points": 10,
        "sprint_points": 0,
        "race_points": -20,
        "points_per_million": -0.5,
        "had_sprint": False,
        "had_race": True,
        "overtakes_count": 0,
        "positions_gained_count": 0,
        "qualifying_position": 1,
        "race_position": None,
        "was_race_classified": False,
    }
    assert pick(row, expected) == expected


def test_driver_without_a_race_result_is_not_classified() -> None:
    (row,) = drivers(["2026-bahrain"], RETIREMENT[:1])
    expected = {
        "had_race": False,
        "race_points": 0,
        "was_race_classified": False,
        "race_position": None,
        "qualifying_position": None,
    }
    assert pick(row, expected) == expected


def test_season_total_runs_by_date_and_starts_anew_each_season() -> None:
    last_season = [driver_item("2025-qatar", "race", "race_position", 25)]
    prices = [*PRICES, on_sale("2025-qatar", "driver", "ann", 10.0)]
    rows = drivers(
        ["2025-qatar", "2026-china", "2026-bahrain"],
        [*RETIREMENT, *SPRINT_WEEKEND, *last_season],
        core__race_entry=prices,
    )
    assert only(rows, "race_key", "total_points", "season_points_cumulative") == [
        ("2025-qatar", 25, 25),
        ("2026-bahrain", -10, 38),
        ("2026-china", 48, 48),
    ]


def test_season_total_counts_races_that_are_not_computed_again() -> None:
    rows = drivers(["2026-bahrain"], [*RETIREMENT, *SPRINT_WEEKEND])
    assert only(rows, "race_key", "season_points_cumulative") == [("2026-bahrain", 38)]


def test_season_total_of_a_race_does_not_see_later_ones() -> None:
    rows = drivers(["2026-china"], [*RETIREMENT, *SPRINT_WEEKEND])
    assert only(rows, "race_key", "season_points_cumulative") == [("2026-china", 48)]


def test_season_total_goes_with_the_driver_across_teams() -> None:
    moved = [row | {"constructor_id": "blue"} for row in RETIREMENT]
    rows = drivers(["2026-bahrain"], [*moved, *SPRINT_WEEKEND])
    assert only(rows, "constructor_id", "season_points_cumulative") == [("blue", 38)]


def test_driver_without_a_price_breaks_the_contract() -> None:
    with pytest.raises(
        ContractError, match=r"driver_race_performance: expected fantasy_price_musd > 0; 1 rows"
    ) as caught:
        drivers(["2026-bahrain"], RETIREMENT, core__race_entry=[])
    assert caught.value.rows["driver_id"].to_list() == ["ann"]


def test_constructor_has_pit_stops_and_cars_and_no_drivers_price() -> None:
    scores = [
        item("2026-china", "qualifying", "both_drivers_q3", 10, constructor_id="red"),
        item("2026-china", "sprint", "sprint_overtakes", 3, 3, constructor_id="red"),
        item("2026-china", "race", "race_position", 33, constructor_id="red"),
        item("2026-china", "race", "race_overtakes", 2, 2, constructor_id="red"),
        item("2026-china", "race", "race_positions_lost", -4, 4, constructor_id="red"),
        item("2026-china", "race", "pit_stop_fastest_time", 10, constructor_id="red"),
        item("2026-china", "race", "pit_stop_overall_fastest", 5, constructor_id="red"),
        item("2026-bahrain", "race", "race_position", 12, constructor_id="red"),
    ]
    results = [
        {
            "race_key": "2026-china",
            "session": session,
            "driver_id": driver,
            "constructor_id": "red",
            "is_classified": classified,
        }
        for session, driver, classified in (
            ("qualifying", "ann", True),
            ("qualifying", "bob", True),
            ("race", "ann", True),
            ("race", "bob", False),
        )
    ]
    # A driver's price under the same id must not be taken for the constructor's.
    prices = [on_sale("2026-china", "constructor", "red", 29.5), on_sale("2026-china", "driver", "red", 1.0)]
    rows = run_sql_model(
        CONSTRUCTORS,
        ["2026-china"],
        core__race=RACES,
        core__constructor_event_score=scores,
        core__race_entry=prices,
        core__session_result=results,
    )
    assert rows == [
        {
            "race_key": "2026-china",
            "constructor_id": "red",
            "total_points": 59,
            "qualifying_points": 10,
            "sprint_points": 3,
            "race_points": 46,  # 33 + 2 - 4 + 10 + 5
            "fantasy_price_musd": Decimal("29.5"),
            "points_per_million": pytest.approx(2.0),
            "season_points_cumulative": 59,
            "had_qualifying": True,
            "had_sprint": True,
            "had_race": True,
            "overtakes_count": 5,
            "positions_gained_count": -4,
            "pit_stop_points": 15,
            "classified_car_count": 1,
            "car_count": 2,
        }
    ]
