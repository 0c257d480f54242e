"""The checks that hold facts against each other and against the rules, and the report of what disagrees, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from f1_pipeline_tests.sql.given import Row, broken_rows, only, run_sql_model

MONACO = "2026-monaco"
ANN = {"race_key": MONACO, "asset_type": "driver", "asset_id": "ann"}
BOB = ANN | {"asset_id": "bob"}
RED = {"race_key": MONACO, "asset_type": "constructor", "asset_id": "red"}


def total(asset: Row, points: int) -> Row:
    return asset | {"total_points": points}


def item(asset: Row, points: int, scoring_item: str = "race_position", event_type: str = "race") -> Row:
    return asset | {"points": points, "scoring_item": scoring_item, "event_type": event_type}


def exception(asset: Row, comparison: str, official: float, computed: float, reason: str = "it is known") -> Row:
    values = {"official_value": Decimal(str(official)), "computed_value": Decimal(str(computed))}
    return asset | values | {"comparison": comparison, "reason": reason}


def ruled(asset: Row, official: float, computed: float | None) -> Row:
    return asset | {
        "official_price_musd": official,
        "price_musd": computed,
        "previous_race_key": None if computed is None else "2026-canada",
        "previous_price_musd": computed,
        "previous_points": 10,
    }


# ---- points: items and the rules against the official totals

TOTALS = [
    ("assert_item_points_equal_official_total", "staging__event_score", "items", "item_points"),
    ("assert_points_by_the_rules_equal_official_total", "staging__engine_score", "engine", "engine_points"),
]


@pytest.mark.parametrize(("test_name", "scores", "comparison", "column"), TOTALS)
def test_points_that_add_up_break_nothing(test_name: str, scores: str, comparison: str, column: str) -> None:
    items = [item(ANN, 8), item(ANN, -3, "race_positions_lost"), item(RED, 5)]
    totals = [total(ANN, 5), total(RED, 5), total(BOB, 0)]
    assert broken_rows(test_name, [MONACO], raw__official_totals=totals, **{scores: items}) == []


@pytest.mark.parametrize(("test_name", "scores", "comparison", "column"), TOTALS)
def test_points_that_differ_are_named_with_both_sums(test_name: str, scores: str, comparison: str, column: str) -> None:
    found = broken_rows(
        test_name, [MONACO], raw__official_totals=[total(ANN, 5), total(RED, 5)], **{scores: [item(ANN, 8)]}
    )
    assert found == [RED | {"official_points": 5, column: 0}, ANN | {"official_points": 5, column: 8}]


@pytest.mark.parametrize(("test_name", "scores", "comparison", "column"), TOTALS)
def test_points_without_an_official_total_are_named(test_name: str, scores: str, comparison: str, column: str) -> None:
    found = broken_rows(test_name, [MONACO], raw__official_totals=[], **{scores: [item(ANN, 8)]})
    assert found == [ANN | {"official_points": None, column: 8}]


@pytest.mark.parametrize(("test_name", "scores", "comparison", "column"), TOTALS)
@pytest.mark.parametrize(
    ("asset", "kind", "official", "computed", "is_excused"),
    [
        (ANN, "own", 5, 8, True),
        (ANN, "own", 5, 7, False),
        (ANN, "own", 6, 8, False),
        (ANN, "price", 5, 8, False),
        (BOB, "own", 5, 8, False),
        (ANN | {"race_key": "2026-canada"}, "own", 5, 8, False),
    ],
)
def test_exception_excuses_exactly_the_values_it_names(
    test_name: str,
    scores: str,
    comparison: str,
    column: str,
    asset: Row,
    kind: str,
    official: int,
    computed: int,
    is_excused: bool,
) -> None:
    listed = exception(asset, comparison if kind == "own" else kind, official, computed)
    found = broken_rows(
        test_name,
        [MONACO],
        raw__official_totals=[total(ANN, 5)],
        raw__known_exceptions=[listed],
        **{scores: [item(ANN, 8)]},
    )
    assert (found == []) == is_excused


def test_unknown_item_is_named_with_its_source() -> None:
    items = [item(ANN, 5), item(ANN, 3, "unknown")]
    sources = [row | {"source": f"feed, event {row['scoring_item']}"} for row in items]
    found = broken_rows(
        "assert_every_scoring_item_is_known", [MONACO], staging__event_score=items, raw__event_scores=sources
    )
    assert found == [ANN | {"event_type": "race", "points": 3, "frequency": None, "source": "feed, event unknown"}]


# ---- prices

PRICE_TEST = "assert_price_by_the_rules_is_the_official_price"


def broken_prices(prices: list[Row], engine: list[Row], *exceptions: Row) -> list[tuple[Any, ...]]:
    found = broken_rows(
        PRICE_TEST,
        [MONACO],
        staging__price=prices,
        staging__engine_price=engine,
        raw__known_exceptions=list(exceptions),
    )
    return only(found, "asset_id", "official_price_musd", "price_by_rules_musd", "previous_race_key")


def test_price_that_differs_from_the_rules_is_named() -> None:
    prices = [ANN | {"fantasy_price_musd": 10.1}, RED | {"fantasy_price_musd": 20.0}]
    engine = [ruled(ANN, 10.1, 10.2), ruled(RED, 20.0, 20.0)]
    expected = [("ann", Decimal("10.1"), Decimal("10.2"), "2026-canada")]
    assert broken_prices(prices, engine) == expected
    assert broken_prices(prices, engine, exception(ANN, "price", 10.1, 10.3)) == expected
    assert broken_prices(prices, engine, exception(ANN, "engine", 10.1, 10.2)) == expected
    assert broken_prices(prices, engine, exception(ANN, "price", 10.1, 10.2)) == []


def test_first_price_of_an_asset_is_the_game_s_own() -> None:
    assert broken_prices([ANN | {"fantasy_price_musd": 10.1}], [ruled(ANN, 10.1, None)]) == []


def test_price_that_the_rules_were_not_asked_about_is_named() -> None:
    assert broken_prices([ANN | {"fantasy_price_musd": 10.1}], []) == [("ann", Decimal("10.1"), None, None)]


def steps(*bounds: tuple[float, int | None, int | None]) -> list[Row]:
    return [ANN | {"step_musd": step, "points_from": low, "points_to": high} for step, low, high in bounds]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (steps((-0.1, None, 3), (0.0, 4, 9), (0.2, 10, None)), []),
        (steps((0.0, None, None)), []),
        (steps((-0.1, None, 3), (0.0, 5, None)), [Decimal("0.0")]),
        (steps((-0.1, None, 3), (0.0, 3, None)), [Decimal("0.0")]),
        (steps((-0.1, 0, 3), (0.0, 4, None)), [Decimal("-0.1")]),
        (steps((-0.1, None, 3), (0.0, 4, 9)), [Decimal("0.0")]),
    ],
)
def test_price_steps_cover_all_points_once(given: list[Row], named: list[Decimal]) -> None:
    found = broken_rows("assert_price_steps_leave_no_points_out", [MONACO], marts__price_step=given)
    assert [row["step_musd"] for row in found] == named


# ---- the calendar against results


def cars(session: str, count: int = 20, **columns: Any) -> list[Row]:
    """Two cars of each team, classified in order."""
    return [
        {
            "race_key": MONACO,
            "session": session,
            "driver_id": f"driver-{number}",
            "constructor_id": f"team-{number // 2}",
            "position": number + 1,
        }
        | columns
        for number in range(count)
    ]


def test_whole_field_breaks_nothing() -> None:
    results = [*cars("qualifying"), *cars("race", 22), *cars("sprint", 18), *cars("fp1", 3)]
    assert broken_rows("assert_every_field_is_whole", [MONACO], staging__session_result=results) == []


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([*cars("qualifying"), *cars("race", 17)], ("race", 17, 2, 17, 17, 17)),
        ([*cars("qualifying", 28), *cars("race")], ("qualifying", 28, 2, 28, 28, 28)),
        (cars("race"), ("qualifying", None, None, None, None, None)),
        (cars("qualifying"), ("race", None, None, None, None, None)),
        ([*cars("qualifying"), *cars("race", constructor_id="red")], ("race", 20, 20, 20, 20, 20)),
        ([*cars("qualifying"), *cars("race")[:-1], cars("race", position=7)[-1]], ("race", 20, 2, 20, 19, 19)),
        ([*cars("qualifying"), *cars("race")[:-1], cars("race", position=22)[-1]], ("race", 20, 2, 20, 20, 22)),
        ([*cars("qualifying"), *cars("race"), *cars("sprint", 4)], ("sprint", 4, 2, 4, 4, 4)),
    ],
    ids=["too few", "too many", "no qualifying", "no race", "one team", "a place twice", "a gap", "a short sprint"],
)
def test_field_that_is_not_whole_is_named(results: list[Row], expected: tuple[Any, ...]) -> None:
    found = broken_rows("assert_every_field_is_whole", [MONACO], staging__session_result=results)
    names = ("session_name", "car_count", "most_cars_of_a_team", "classified_count", "place_count", "last_place")
    assert only(found, *names) == [expected]


@pytest.mark.parametrize(
    ("races", "expected"),
    [
        ([{"race_key": MONACO, "is_cancelled": False}], []),
        ([{"race_key": MONACO, "is_cancelled": True}], [(MONACO, 20, True, True)]),
        ([{"race_key": "2026-china", "is_cancelled": False}], [(MONACO, 20, False, None)]),
    ],
)
def test_results_of_a_race_that_was_not_held_are_named(races: list[Row], expected: list[tuple[Any, ...]]) -> None:
    name = "assert_results_are_of_races_that_were_held"
    found = broken_rows(name, [MONACO], staging__session_result=cars("race"), raw__races=races)
    assert only(found, "race_key", "result_count", "is_in_calendar", "is_cancelled") == expected


@pytest.mark.parametrize(
    ("has_sprint", "results", "expected"),
    [
        (True, [*cars("race"), *cars("sprint")], []),
        (False, cars("race"), []),
        (True, cars("race"), [(True, 0)]),
        (False, [*cars("race"), *cars("sprint", 3)], [(False, 3)]),
    ],
)
def test_sprint_is_where_the_calendar_has_one(
    has_sprint: bool, results: list[Row], expected: list[tuple[Any, ...]]
) -> None:
    name = "assert_sprint_results_where_the_calendar_has_a_sprint"
    races = [{"race_key": MONACO, "has_sprint": has_sprint}]
    found = broken_rows(name, [MONACO], staging__session_result=results, raw__races=races)
    assert only(found, "has_sprint", "sprint_result_count") == expected


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        (["fp1", "race"], []),
        (["fp1", "fp2", "race"], [("fp2", True, 0)]),
        (["race"], [("fp1", False, 20)]),
    ],
)
def test_sessions_are_those_of_the_calendar(sessions: list[str], expected: list[tuple[Any, ...]]) -> None:
    name = "assert_sessions_with_results_are_those_of_the_calendar"
    listed = [{"race_key": MONACO, "session": session} for session in sessions]
    found = broken_rows(name, [MONACO], staging__session_result=[*cars("fp1"), *cars("race")], raw__sessions=listed)
    assert only(found, "session_name", "is_in_calendar", "result_count") == expected


def test_classified_driver_without_a_grid_slot_is_named() -> None:
    results = [*cars("race", 3), *cars("qualifying", 3), *cars("sprint", 1, position=None)]
    grids = [{"race_key": MONACO, "session": "race", "driver_id": f"driver-{number}"} for number in (0, 1)]
    name = "assert_classified_drivers_stand_on_the_grid"
    found = broken_rows(name, [MONACO], staging__session_result=results, raw__starting_grids=grids)
    assert only(found, "session", "driver_id", "position") == [("race", "driver-2", 3)]


def test_points_of_a_session_without_results_are_named() -> None:
    items = [item(ANN, 5), item(ANN, 3, "sprint_position", "sprint"), item(BOB, 1, "sprint_position", "sprint")]
    name = "assert_points_are_of_sessions_with_results"
    found = broken_rows(name, [MONACO], staging__event_score=items, staging__session_result=cars("race"))
    assert only(found, "race_key", "event_type", "item_count") == [(MONACO, "sprint", 2)]


# ---- the report


def report(**given: Any) -> list[tuple[Any, ...]]:
    rows = run_sql_model("marts.reconciliation", [MONACO], **given)
    names = ("comparison", "asset_id", "official_value", "computed_value", "difference", "is_explained", "reason")
    return [tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in only(rows, *names)]


def test_report_lists_every_disagreement_with_its_reason() -> None:
    found = report(
        raw__official_totals=[total(ANN, 5), total(RED, 7)],
        raw__event_scores=[item(ANN, 5), item(RED, 9)],
        staging__engine_score=[item(ANN, 4), item(RED, 7)],
        staging__engine_price=[ruled(ANN, 10.1, 10.2), ruled(RED, 20.0, 20.0), ruled(BOB, 5.0, None)],
        raw__known_exceptions=[
            exception(ANN, "engine", 5, 4, "the grid document differs"),
            exception(ANN, "price", 10.1, 10.4, "another value"),
        ],
    )
    assert found == [
        ("engine", "ann", 5.0, 4.0, -1.0, True, "the grid document differs"),
        ("items", "red", 7.0, 9.0, 2.0, False, None),
        ("price", "ann", 10.1, 10.2, 0.1, False, None),
    ]


def test_report_names_points_without_an_official_total() -> None:
    found = report(raw__event_scores=[item(ANN, 5)], raw__official_totals=[total(BOB, 0)])
    assert found == [("items", "ann", None, 5.0, None, False, None)]


def test_report_of_facts_that_agree_is_empty() -> None:
    scores = [item(ANN, 5)]
    found = report(
        raw__official_totals=[total(ANN, 5), total(BOB, 0)],
        raw__event_scores=scores,
        staging__engine_score=scores,
        staging__engine_price=[ruled(ANN, 10.1, 10.1)],
    )
    assert found == []
