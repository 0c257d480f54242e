"""core.race, core.race_entry, core.session_result, core.practice_pace and marts.race_leaderboard by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from f1_pipeline_tests.sql.given import Row, only, run_sql_model

MONACO = "2026-monaco"


def lap(session: str, driver_id: str, best_lap_ms: int | None, race_key: str = MONACO) -> Row:
    return {
        "race_key": race_key,
        "session": session,
        "driver_id": driver_id,
        "constructor_id": "red",
        "best_lap_ms": best_lap_ms,
    }


def session(name: str, is_before_lock: bool, race_key: str = MONACO) -> Row:
    return {"race_key": race_key, "session": name, "is_before_lock": is_before_lock}


def pace(**given: Any) -> list[tuple[Any, ...]]:
    rows = run_sql_model("core.practice_pace", [MONACO], **given)
    return only(rows, "driver_id", "practice_gap_pct", "practice_session_count")


def test_practice_pace_is_the_smallest_gap_over_the_sessions() -> None:
    laps = [
        lap("fp1", "ann", 100_000),
        lap("fp1", "bob", 102_000),
        lap("fp2", "ann", 101_000),
        lap("fp2", "bob", 100_500),
        lap("fp3", "ann", None),
        lap("fp3", "bob", 99_000),
    ]
    sessions = [session("fp1", True), session("fp2", True), session("fp3", True)]
    assert pace(raw__practice_results=laps, raw__sessions=sessions) == [
        ("ann", 0.0, 2),
        ("bob", 0.0, 3),
    ]


def test_practice_pace_is_in_percent_of_the_best_lap() -> None:
    laps = [lap("fp1", "ann", 80_000), lap("fp1", "bob", 80_400), lap("fp1", "cid", 84_000)]
    assert pace(raw__practice_results=laps, raw__sessions=[session("fp1", True)]) == [
        ("ann", 0.0, 1),
        ("bob", pytest.approx(0.5), 1),
        ("cid", pytest.approx(5.0), 1),
    ]


def test_session_that_has_not_ended_before_the_lock_is_ignored() -> None:
    laps = [
        lap("fp1", "ann", 100_000),
        lap("fp1", "bob", 101_000),
        lap("fp2", "bob", 90_000),  # a sprint weekend's session after the lock
        lap("fp3", "bob", 95_000),  # a session the calendar does not know
    ]
    qualifying = [
        {"race_key": MONACO, "session": "qualifying", "driver_id": "bob", "q1_ms": 80_000, "constructor_id": "red"}
    ]
    sessions = [session("fp1", True), session("fp2", False), session("qualifying", False)]
    found = pace(raw__practice_results=laps, raw__qualifying_results=qualifying, raw__sessions=sessions)
    assert found == [("ann", 0.0, 1), ("bob", pytest.approx(1.0), 1)]


def test_sprint_qualifying_before_the_lock_counts_with_its_best_part() -> None:
    qualifying = [
        {
            "race_key": MONACO,
            "session": "sprint_qualifying",
            "driver_id": "ann",
            "constructor_id": "red",
            "q1_ms": 102_000,
            "q2_ms": 101_000,
            "q3_ms": 100_000,
        },
        {
            "race_key": MONACO,
            "session": "sprint_qualifying",
            "driver_id": "bob",
            "constructor_id": "red",
            "q1_ms": 103_000,
        },
    ]
    laps = [lap("fp1", "bob", 100_000), lap("fp1", "ann", 104_000)]
    sessions = [session("fp1", True), session("sprint_qualifying", True), session("sprint", False)]
    found = pace(raw__practice_results=laps, raw__qualifying_results=qualifying, raw__sessions=sessions)
    assert found == [("ann", 0.0, 2), ("bob", 0.0, 2)]


def test_driver_without_a_lap_and_other_races_have_no_pace() -> None:
    laps = [lap("fp1", "ann", 100_000), lap("fp1", "bob", None), lap("fp1", "cid", 50_000, "2026-spain")]
    sessions = [session("fp1", True), session("fp1", True, "2026-spain")]
    assert pace(raw__practice_results=laps, raw__sessions=sessions) == [("ann", 0.0, 1)]


def test_session_result_brings_grid_gap_and_classification_together() -> None:
    def result(name: str, driver_id: str, position: int | None, text: str, best_lap_ms: int | None = None) -> Row:
        return {
            "race_key": MONACO,
            "session": name,
            "driver_id": driver_id,
            "constructor_id": "red",
            "position": position,
            "position_text": text,
            "best_lap_ms": best_lap_ms,
        }

    results = [
        result("qualifying", "ann", 1, "1", 80_000),
        result("qualifying", "bob", 2, "2", 81_000),
        result("qualifying", "cid", None, "NC"),
        result("race", "ann", None, "DNF"),
        result("race", "bob", 1, "1"),
        result("race", "cid", 2, "2"),
        result("sprint", "bob", 5, "5"),
    ]
    grids = [
        {"race_key": MONACO, "session": "race", "driver_id": "ann", "grid_position": 1},
        {"race_key": MONACO, "session": "race", "driver_id": "bob", "grid_position": 5},  # after a penalty
        {"race_key": MONACO, "session": "race", "driver_id": "cid", "grid_position": None},  # pit lane
        {"race_key": MONACO, "session": "sprint", "driver_id": "bob", "grid_position": 9},
        {"race_key": "2026-spain", "session": "race", "driver_id": "bob", "grid_position": 20},
    ]
    rows = run_sql_model("core.session_result", [MONACO], staging__session_result=results, raw__starting_grids=grids)
    columns = ("session", "driver_id", "position", "position_text", "grid_position", "is_classified", "gap_pct")
    assert only(rows, *columns) == [
        ("qualifying", "ann", 1, "1", None, True, 0.0),
        ("qualifying", "bob", 2, "2", None, True, 1.25),
        ("qualifying", "cid", None, "NC", None, False, None),
        ("race", "ann", None, "DNF", 1, False, None),
        ("race", "bob", 1, "1", 5, True, None),
        ("race", "cid", 2, "2", None, True, None),
        ("sprint", "bob", 5, "5", 9, True, None),
    ]


def test_staged_sessions_have_one_shape() -> None:
    rows = run_sql_model(
        "staging.session_result",
        [MONACO],
        raw__practice_results=[lap("fp1", "ann", 81_000) | {"position": 3, "lap_count": 24}],
        raw__qualifying_results=[
            {
                "race_key": MONACO,
                "session": "qualifying",
                "driver_id": "ann",
                "constructor_id": "red",
                "position": 2,
                "position_text": "2",
                "q1_ms": 80_500,
                "q2_ms": 80_000,
            }
        ],
        raw__race_results=[
            {
                "race_key": MONACO,
                "session": "race",
                "driver_id": "ann",
                "constructor_id": "red",
                "position": None,
                "position_text": "DNF",
                "laps": 12,
                "is_fastest_lap": False,
                "is_driver_of_the_day": True,
            }
        ],
    )
    columns = ("session", "position", "position_text", "best_lap_ms", "lap_count", "is_driver_of_the_day")
    assert only(rows, *columns) == [
        ("fp1", 3, "3", 81_000, 24, None),
        ("qualifying", 2, "2", 80_000, None, None),
        ("race", None, "DNF", None, 12, True),
    ]


def test_race_entry_joins_history_by_driver_or_by_the_newest_name() -> None:
    prices = [
        {
            "race_key": MONACO,
            "asset_type": "driver",
            "asset_id": "ann",
            "constructor_id": "sauber",
            "fantasy_price_musd": 7.1,
        },
        {
            "race_key": MONACO,
            "asset_type": "constructor",
            "asset_id": "sauber",
            "constructor_id": "sauber",
            "fantasy_price_musd": 6.4,
        },
    ]
    constructors = [{"constructor_id": "sauber", "lineage_id": "audi"}]
    rows = run_sql_model("core.race_entry", [MONACO], staging__price=prices, core__constructor=constructors)
    assert only(rows, "asset_type", "asset_id", "constructor_id", "lineage_id", "fantasy_price_musd") == [
        ("constructor", "sauber", "sauber", "audi", Decimal("6.4")),
        ("driver", "ann", "sauber", "ann", Decimal("7.1")),
    ]


def test_race_knows_its_circuit_and_its_place_in_the_season() -> None:
    def given(key: str, day: date) -> Row:
        return {
            "race_key": key,
            "season": day.year,
            "race_date": day,
            "circuit_id": "monaco",
            "lock_at": datetime(day.year, day.month, day.day, 10, tzinfo=UTC),
            "race_start_at": datetime(day.year, day.month, day.day, 13, tzinfo=UTC),
        }

    races = [
        given("2026-monaco", date(2026, 6, 7)),
        given("2026-australia", date(2026, 3, 8)),
        given("2026-spain", date(2026, 6, 14)),
        given("2025-qatar", date(2025, 11, 30)),
    ]
    circuits = [
        {"circuit_id": "monaco", "name": "Monaco", "country_id": "monaco", "circuit_type": "street"},
    ]
    rows = run_sql_model("core.race", raw__races=races, raw__circuits=circuits)
    assert only(rows, "race_key", "circuit_name", "country", "circuit_type", "season_progress_share") == [
        ("2025-qatar", "Monaco", "monaco", "street", 0.0),
        ("2026-australia", "Monaco", "monaco", "street", 0.0),
        ("2026-monaco", "Monaco", "monaco", "street", 0.5),
        ("2026-spain", "Monaco", "monaco", "street", 1.0),
    ]


def test_leaderboard_ranks_by_type_and_shares_equal_ranks() -> None:
    drivers = [
        {
            "race_key": MONACO,
            "driver_id": driver_id,
            "total_points": points,
            "fantasy_price_musd": price,
            "points_per_million": points / price,
        }
        for driver_id, points, price in (("ann", 30, 20.0), ("bob", 30, 10.0), ("cid", 12, 4.0), ("dan", -5, 5.0))
    ]
    constructors = [
        {
            "race_key": MONACO,
            "constructor_id": "red",
            "total_points": 90,
            "fantasy_price_musd": 30.0,
            "points_per_million": 3.0,
        }
    ]
    rows = run_sql_model(
        "marts.race_leaderboard",
        [MONACO],
        core__race=[{"race_key": MONACO, "season": 2026, "name": "Monaco Grand Prix"}],
        core__driver=[{"driver_id": key, "name": key.title()} for key in ("ann", "bob", "cid", "dan")],
        core__constructor=[{"constructor_id": "red", "name": "Red"}],
        core__driver_race_performance=drivers,
        core__constructor_race_performance=constructors,
    )
    columns = ("asset_type", "asset_id", "asset_name", "race_name", "points_rank", "value_rank")
    assert only(rows, *columns) == [
        ("constructor", "red", "Red", "Monaco Grand Prix", 1, 1),
        ("driver", "ann", "Ann", "Monaco Grand Prix", 1, 3),
        ("driver", "bob", "Bob", "Monaco Grand Prix", 1, 1),
        ("driver", "cid", "Cid", "Monaco Grand Prix", 3, 1),
        ("driver", "dan", "Dan", "Monaco Grand Prix", 4, 4),
    ]
