"""The views and macros for readers on hand-made rows; expectations are worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.reader_file import read_reader_objects
from f1_pipeline_tests.sql.given import ask_reader, constructor_entry, entry, only, race

AUSTRALIA, CHINA, MONACO = "2026-australia", "2026-china", "2026-monaco"
LAST_YEAR = "2025-monaco"
RACES = [
    race(LAST_YEAR, "2025-05-25", "monaco", name="Monaco"),
    race(AUSTRALIA, "2026-03-08", name="Australia", is_cancelled=False),
    race(CHINA, "2026-03-15", name="China", is_cancelled=False),
    race(MONACO, "2026-06-07", "monaco", name="Monaco", is_cancelled=False),
]
DRIVERS = [
    {"driver_id": driver, "name": driver.title(), "abbreviation": driver[:3].upper()} for driver in ("ann", "bob")
]
CONSTRUCTORS = [
    {"constructor_id": "sauber", "name": "Sauber", "lineage_id": "audi"},
    {"constructor_id": "audi", "name": "Audi", "lineage_id": "audi"},
]


def result(
    race_key: str, asset_id: str, points: int, price: str, rank: int = 1, kind: str = "driver"
) -> dict[str, Any]:
    """Describe a row of `marts.race_leaderboard`."""
    return {
        "race_key": race_key,
        "season": int(race_key[:4]),
        "race_name": "A race",
        "asset_type": kind,
        "asset_id": asset_id,
        "asset_name": asset_id.title(),
        "total_points": points,
        "fantasy_price_musd": Decimal(price),
        "points_per_million": points / float(price),
        "points_rank": rank,
        "value_rank": rank,
    }


RESULTS = [
    result(LAST_YEAR, "ann", 30, "20.0"),
    result(LAST_YEAR, "bob", 6, "10.0", 2),
    result(AUSTRALIA, "ann", 10, "20.0", 2),
    result(AUSTRALIA, "bob", 14, "10.0"),
    result(CHINA, "ann", 20, "21.0"),
    result(CHINA, "bob", -4, "11.0", 2),
]


def test_a_leaderboard_is_of_the_race_that_is_asked_for_else_of_the_newest() -> None:
    shown = "points_rank", "asset_id", "total_points"
    rows = ask_reader(f"from reader.race_leaderboard('{AUSTRALIA}')", core__race=RACES, marts__race_leaderboard=RESULTS)
    assert only(rows, *shown) == [(1, "bob", 14), (2, "ann", 10)]
    newest = ask_reader("from reader.race_leaderboard()", core__race=RACES, marts__race_leaderboard=RESULTS)
    assert only(newest, "race_key", *shown) == [(CHINA, 1, "ann", 20), (CHINA, 2, "bob", -4)]


def test_a_season_is_summed_up() -> None:
    rows = ask_reader("from reader.season_leaderboard(year := 2026)", marts__race_leaderboard=RESULTS)
    ann, bob = rows
    assert (ann["asset_id"], ann["total_points"], ann["mean_points"], ann["race_count"]) == ("ann", 30, 15, 2)
    assert ann["sd_points"] == pytest.approx(50**0.5)
    assert (ann["mean_price_musd"], ann["points_per_million"]) == pytest.approx((20.5, 15 / 20.5))
    assert (bob["points_rank"], bob["best_points"], bob["worst_points"]) == (2, 14, -4)
    earlier = ask_reader("from reader.season_leaderboard(year := 2025)", marts__race_leaderboard=RESULTS)
    assert only(earlier, "season", "asset_id", "total_points", "sd_points") == [
        (2025, "ann", 30, None),
        (2025, "bob", 6, None),
    ]


def test_form_looks_back_so_many_races_and_never_at_the_race_itself() -> None:
    given: dict[str, Any] = {
        "core__race": RACES,
        "core__race_entry": [entry(CHINA, "ann", "audi", 21.0), entry(CHINA, "bob", "audi", 11.0)],
        "core__driver": DRIVERS,
        "marts__race_leaderboard": RESULTS,
    }
    rows = ask_reader(f"from reader.form(race := '{CHINA}')", **given)
    assert only(rows, "asset_name", "recent_points", "mean_points", "race_count") == [
        ("Ann", [10, 30], 20.0, 2),
        ("Bob", [14, 6], 10.0, 2),
    ]
    assert rows[0]["points_per_million"] == pytest.approx(20 / 21)
    last = ask_reader(f"from reader.form('{CHINA}', n := 1)", **given)
    assert only(last, "asset_id", "recent_points", "best_points", "worst_points") == [
        ("bob", [14], 14, 14),
        ("ann", [10], 10, 10),
    ]


def test_form_of_a_newcomer_is_unknown_and_that_of_a_constructor_goes_on_under_its_new_name() -> None:
    rows = ask_reader(
        "from reader.form()",
        core__race=RACES,
        core__race_entry=[entry(MONACO, "ann", "audi", 21.0), constructor_entry(MONACO, "audi", "audi", 8.0)],
        core__driver=DRIVERS,
        core__constructor=CONSTRUCTORS,
        marts__race_leaderboard=[result(LAST_YEAR, "sauber", 40, "9.0", kind="constructor")],
    )
    assert only(rows, "race_key", "asset_name", "recent_points", "mean_points", "race_count") == [
        (MONACO, "Ann", [], None, 0),
        (MONACO, "Audi", [40], 40.0, 1),
    ]


def test_value_is_what_is_expected_for_the_money() -> None:
    points = {"race_key": MONACO, "asset_type": "driver", "p10": -5.0, "p90": 50.0, "is_live": True}
    step = {"race_key": MONACO, "phase": "at_lock", "asset_type": "driver", "asset_id": "ann"}
    rows = ask_reader(
        "from reader.value()",
        core__race=RACES,
        core__race_entry=[entry(MONACO, "ann", "audi", 20.0), entry(MONACO, "bob", "audi", 5.0)],
        core__driver=DRIVERS,
        predictions__asset_points=[
            points | {"asset_id": "ann", "expected_points": 24.0},
            points | {"asset_id": "bob", "expected_points": 10.0},
        ],
        predictions__price_step_probability=[
            step | {"step_musd": Decimal("0.3"), "probability": 0.2},
            step | {"step_musd": Decimal("0.1"), "probability": 0.5},
            step | {"step_musd": Decimal("-0.1"), "probability": 0.3},
            step | {"phase": "before_practice", "step_musd": Decimal("0.3"), "probability": 1.0},
        ],
    )
    assert only(rows, "asset_name", "points_per_million", "rise_probability") == [
        ("Bob", 2.0, None),
        ("Ann", 1.2, pytest.approx(0.7)),
    ]
    assert rows[1]["expected_step_musd"] == pytest.approx(0.2 * 0.3 + 0.5 * 0.1 - 0.3 * 0.1)


def test_two_drivers_are_held_against_each_other_race_by_race() -> None:
    shown = "race_key", "difference_points", "a_wins_count", "b_wins_count"
    given: dict[str, Any] = {"core__race": RACES, "marts__race_leaderboard": RESULTS}
    rows = ask_reader("from reader.head_to_head('ann', 'bob')", **given)
    assert only(rows, *shown) == [(LAST_YEAR, 24, 1, 0), (AUSTRALIA, -4, 1, 1), (CHINA, 24, 2, 1)]
    rows = ask_reader("from reader.head_to_head(a := 'bob', b := 'ann', year := 2026)", **given)
    assert only(rows, *shown) == [(AUSTRALIA, 4, 1, 0), (CHINA, -24, 1, 1)]


def test_the_track_record_has_forecasts_and_baselines_beside_what_their_line_ups_scored() -> None:
    figure = {"season": "all", "phase": "at_lock", "asset_type": "all", "is_live": False, "race_count": 3}
    given: dict[str, Any] = {
        "evaluation__forecast_accuracy": [
            figure | {"forecast": "ewma_price_prior", "crps_points": 9.0},
            figure | {"forecast": "published", "crps_points": 8.0},
            figure | {"forecast": "published", "crps_points": 7.0, "asset_type": "driver"},
            figure | {"forecast": "published", "crps_points": 6.0, "phase": "after_qualifying"},
            figure | {"forecast": "published", "crps_points": 5.0, "season": "2026"},
        ],
        "evaluation__lineup_accuracy": [
            {"season": "all", "phase": "at_lock", "forecast": "published", "is_live": False, "lineup_points": 200.0}
        ],
    }
    shown = "forecast", "is_baseline", "asset_type", "crps_points", "lineup_points"
    assert only(ask_reader("from reader.track_record()", **given), *shown) == [
        ("published", False, "all", 8.0, 200.0),
        ("ewma_price_prior", True, "all", 9.0, None),
        ("published", False, "driver", 7.0, None),
    ]
    assert only(ask_reader("from reader.track_record(year := 2026)", **given), "crps_points") == [(5.0,)]
    assert only(ask_reader("from reader.track_record(moment := 'after_qualifying')", **given), "crps_points") == [
        (6.0,)
    ]


def test_a_forecast_is_reviewed_against_the_score_and_the_baseline() -> None:
    asset = {"race_key": CHINA, "asset_type": "driver"}
    rows = ask_reader(
        "from reader.forecast_review()",
        core__race=RACES,
        marts__race_leaderboard=RESULTS,
        predictions__asset_points=[
            asset | {"asset_id": "ann", "expected_points": 12.5, "p10": 0.0, "p90": 20.0},
            asset | {"asset_id": "bob", "expected_points": 8.0, "p10": -3.0, "p90": 15.0},
        ],
        predictions__baseline_points=[
            asset | {"asset_id": "ann", "baseline": "ewma_price_prior", "expected_points": 11.0},
            asset | {"asset_id": "ann", "baseline": "price_only", "expected_points": 1.0},
        ],
    )
    assert only(rows, "asset_id", "baseline_points", "total_points", "error_points", "is_in_80") == [
        ("ann", 11.0, 20, 7.5, True),
        ("bob", None, -4, -12.0, False),
    ]


def test_ownership_stands_beside_points() -> None:
    asset = {"race_key": CHINA, "asset_type": "driver"}
    rows = ask_reader(
        "from reader.ownership_against_points order by selected_rank",
        marts__race_leaderboard=RESULTS,
        raw__ownership=[
            asset | {"asset_id": "ann", "selected_pct": 12.0, "boosted_pct": 1.0},
            asset | {"asset_id": "bob", "selected_pct": 60.0},
        ],
    )
    assert only(rows, "asset_id", "selected_rank", "points_rank", "selected_pct", "boosted_pct") == [
        ("bob", 1, 2, 60.0, None),
        ("ann", 2, 1, 12.0, 1.0),
    ]


def test_prices_move_within_a_season() -> None:
    rows = ask_reader(
        "from reader.price_history where asset_id = 'ann' order by race_date",
        core__race=RACES,
        core__race_entry=[
            entry(LAST_YEAR, "ann", "audi", 30.0),
            entry(AUSTRALIA, "ann", "audi", 20.0),
            entry(CHINA, "ann", "audi", 20.3),
            entry(MONACO, "ann", "audi", 20.1),
        ],
        core__driver=DRIVERS,
    )
    assert only(rows, "race_key", "change_musd", "season_change_musd") == [
        (LAST_YEAR, None, Decimal("0.0")),
        (AUSTRALIA, None, Decimal("0.0")),
        (CHINA, Decimal("0.3"), Decimal("0.3")),
        (MONACO, Decimal("-0.2"), Decimal("0.1")),
    ]


def test_price_steps_come_with_their_points_and_probability() -> None:
    step = {"race_key": MONACO, "asset_type": "driver", "asset_id": "ann", "price_musd": Decimal("20.0")}
    likely = {"race_key": MONACO, "asset_type": "driver", "asset_id": "ann", "step_musd": Decimal("0.1")}
    rows = ask_reader(
        "from reader.next_price_steps()",
        core__race=RACES,
        core__driver=DRIVERS,
        marts__price_step=[
            step | {"step_musd": Decimal("0.1"), "price_after_musd": Decimal("20.1"), "points_from": 18},
            step | {"step_musd": Decimal("-0.1"), "price_after_musd": Decimal("19.9"), "points_to": 17},
        ],
        predictions__price_step_probability=[
            likely | {"phase": "at_lock", "probability": 0.25},
            likely | {"phase": "after_qualifying", "probability": 0.75},
        ],
    )
    assert only(rows, "asset_name", "step_musd", "points_from", "points_to", "probability") == [
        ("Ann", Decimal("-0.1"), None, 17, None),
        ("Ann", Decimal("0.1"), 18, None, 0.25),
    ]


def test_my_team_is_told_race_by_race_with_what_is_new() -> None:
    def held(race_key: str, driver: str) -> dict[str, Any]:
        return {"race_key": race_key, "asset_type": "driver", "asset_id": driver, "seat": f"{driver}@audi"}

    rows = ask_reader(
        "from reader.my_team_history order by race_date, asset_id",
        core__race=RACES,
        core__driver=DRIVERS,
        core__current_lineup=[held(AUSTRALIA, "ann"), held(MONACO, "ann"), held(MONACO, "bob")],
        marts__race_leaderboard=RESULTS,
    )
    assert only(rows, "race_key", "asset_name", "is_new", "total_points") == [
        (AUSTRALIA, "Ann", None, 10),
        (MONACO, "Ann", False, None),
        (MONACO, "Bob", True, None),
    ]


def test_a_record_is_of_one_circuit_and_against_the_field() -> None:
    results = [*RESULTS, result(MONACO, "ann", 10, "20.0")]
    rows = ask_reader("from reader.circuit_record('monaco')", core__race=RACES, marts__race_leaderboard=results)
    # last year the field of two had a mean of 18, this year Ann was alone
    assert only(rows, "asset_id", "race_count", "mean_points", "last_race_key", "mean_above_field_points") == [
        ("ann", 2, 20.0, MONACO, 6.0),
        ("bob", 1, 6.0, LAST_YEAR, -12.0),
    ]


def test_races_are_numbered_without_those_that_were_called_off() -> None:
    off = race("2026-bahrain", "2026-03-10", name="Bahrain", is_cancelled=True)
    sold = [entry(key, "ann", "audi") for key in (AUSTRALIA, CHINA, MONACO, "2026-bahrain")]
    review = {"race_key": CHINA, "predicted_points": 150.0, "actual_points": 120.0, "hindsight_points": 240.0}
    rows = ask_reader(
        "from reader.races order by race_number",
        core__race=[*RACES, off],
        core__race_entry=sold,
        marts__race_leaderboard=RESULTS,
        lineups__optimal_lineup=[
            {"race_key": MONACO, "rank": 1, "lineup_points": 180.0},
            {"race_key": MONACO, "rank": 2, "lineup_points": 179.0},
        ],
        lineups__lineup_review=[review | {"capture_share": 0.5}],
    )
    assert only(rows, "race_key", "race_number", "is_finished", "best_driver_points", "predicted_points") == [
        (AUSTRALIA, 1, True, 14, None),
        (CHINA, 2, True, 20, 150.0),
        (MONACO, 3, False, None, 180.0),
    ]
    assert rows[1]["race_date"] == date(2026, 3, 15)


HEADER = "-- description: A view.\n-- grain: one\n-- column: one | The number one.\n-- example: from reader.broken\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER + "select $n as one", r"broken\.sql: expected a parameter line for each of n; found none"),
        (HEADER + "-- parameter: n | A number\nselect 1 as one", r"each of no parameters; found n"),
        (HEADER + "-- parameter: n\nselect $n as one", r"expected `-- parameter: name | description | default`"),
        (
            HEADER + "-- parameter: one | Clash | 1\nselect $one as one",
            r"parameters named unlike its columns, found one",
        ),
        (HEADER.replace("grain: one", "grain: two") + "select 1 as one", r"expected a column line for two, found none"),
        (HEADER.split("-- example")[0] + "select 1 as one", r"expected one header line `-- example:`, found 0"),
    ],
)
def test_a_header_that_promises_something_else_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / "broken.sql").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=reason):
        read_reader_objects(tmp_path)
