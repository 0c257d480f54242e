"""The tables of `evaluation` that sum up over races, on a handful of rows worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from f1_pipeline.warehouse.writer import ContractError
from f1_pipeline_tests.sql.given import Row, only, pick, race, run_sql_model

R4, R5 = "2026-miami", "2026-canada"
COUNTED = [
    {"race_key": R4, "season": 2026, "race_number": 4, "is_counted": True},
    {"race_key": R5, "season": 2026, "race_number": 5, "is_counted": True},
    {"race_key": "2026-japan", "season": 2026, "race_number": 3, "is_counted": False},
]


def error(race_key: str, asset_id: str, forecast: str, expected: float, actual: int, crps: float, **more: Any) -> Row:
    """Describe a row of `evaluation.asset_error` whose score lay in no interval."""
    return {
        "race_key": race_key,
        "phase": "at_lock",
        "forecast": forecast,
        "asset_type": "driver",
        "asset_id": asset_id,
        "is_live": False,
        "expected_points": expected,
        "median_points": expected,
        "actual_points": actual,
        "crps_points": crps,
        "pit": 0.5,
        "is_in_50": False,
        "is_in_80": False,
        "is_in_90": False,
        "return_class": "low",
    } | more


def both(race_key: str, asset_id: str, own: float, baseline: float, actual: int, **more: Any) -> list[Row]:
    """Describe the published forecast and the baseline, each with its absolute error as its CRPS."""
    return [
        error(race_key, asset_id, "published", own, actual, abs(own - actual), **more),
        error(race_key, asset_id, "ewma_price_prior", baseline, actual, abs(baseline - actual), **more),
    ]


# Errors of the published forecast 1 and -1 (Miami), 2 (Canada); of the baseline 4, -2 and 3.
ERRORS = [
    *both(R4, "ann", 11.0, 14.0, 10),
    *both(R4, "bob", 4.0, 3.0, 5),
    *both(R5, "ann", 2.0, 3.0, 0),
    *both("2026-japan", "ann", 90.0, 90.0, 0),
]


def accuracy(errors: list[Row], **wanted: Any) -> Row:
    rows = run_sql_model(
        "evaluation.forecast_accuracy", evaluation__asset_error=errors, evaluation__counted_race=COUNTED
    )
    keys = {"season": "all", "asset_type": "all", "forecast": "published", "is_live": False} | wanted
    (row,) = (row for row in rows if row | keys == row)
    return row


def test_races_count_from_the_fourth_of_their_season() -> None:
    races = [
        race("2026-a", "2026-03-01"),
        race("2026-called-off", "2026-03-08", is_cancelled=True),
        race("2026-b", "2026-03-15"),
        race("2026-c", "2026-03-22"),
        race("2026-d", "2026-03-29"),
        race("2025-z", "2025-11-30"),
    ]
    rows = run_sql_model("evaluation.counted_race", core__race=[{"is_cancelled": False} | row for row in races])
    assert only(rows, "race_key", "season", "race_number", "is_counted") == [
        ("2025-z", 2025, 1, False),
        ("2026-a", 2026, 1, False),
        ("2026-b", 2026, 2, False),
        ("2026-c", 2026, 3, False),
        ("2026-d", 2026, 4, True),
    ]


def test_errors_are_means_over_assets_and_gains_means_over_races() -> None:
    # gains by race: Miami (4 + 2) / 2 - 1 = 2, Canada 3 - 2 = 1; their standard error is 0.5
    expected = {
        "race_count": 2,
        "asset_count": 3,
        "mae_points": pytest.approx(4 / 3),
        "rmse_points": pytest.approx(2**0.5),
        "bias_points": pytest.approx(2 / 3),
        "crps_points": pytest.approx(4 / 3),
        "mae_ratio": pytest.approx(4 / 9),
        "crps_ratio": pytest.approx(4 / 9),
        "mae_gain_points": pytest.approx(1.5),
        "mae_gain_se_points": pytest.approx(0.5),
        "crps_gain_points": pytest.approx(1.5),
        "crps_gain_se_points": pytest.approx(0.5),
        "spearman": pytest.approx(1.0),
        "spearman_ratio": pytest.approx(1.0),
    }
    assert pick(accuracy(ERRORS), expected) == expected
    assert pick(accuracy(ERRORS, season="2026", asset_type="driver"), expected) == expected


def test_the_baseline_is_its_own_measure() -> None:
    row = accuracy(ERRORS, forecast="ewma_price_prior")
    assert (row["mae_ratio"], row["crps_ratio"], row["crps_gain_points"]) == (1.0, 1.0, 0.0)
    assert row["mae_points"] == pytest.approx(3.0)


def test_median_is_judged_by_absolute_and_mean_by_squared_error() -> None:
    rows = both(R4, "ann", 10.0, 12.0, 10)
    rows[0] |= {"median_points": 7.0}
    found = accuracy(rows)
    assert (found["mae_points"], found["rmse_points"], found["bias_points"]) == (3.0, 0.0, 0.0)
    assert found["mae_ratio"] == pytest.approx(1.5)


def test_one_race_has_no_standard_error_and_one_asset_no_rank() -> None:
    found = accuracy(both(R4, "ann", 11.0, 14.0, 10))
    assert (found["race_count"], found["crps_gain_points"], found["crps_gain_se_points"]) == (1, 3.0, None)
    assert (found["spearman"], found["spearman_ratio"]) == (None, None)


def test_ranks_of_ties_are_shared() -> None:
    # expected ranks 1.5 1.5 3 against scored 1 2 3: 1.5 / sqrt(1.5 * 2); the baseline is in order
    rows = [
        *both(R4, "ann", 4.0, 1.0, 1),
        *both(R4, "bob", 4.0, 2.0, 2),
        *both(R4, "cat", 9.0, 3.0, 3),
    ]
    found = accuracy(rows)
    assert found["spearman"] == pytest.approx(1.5 / 3**0.5)
    assert found["spearman_ratio"] == pytest.approx(1.5 / 3**0.5)


def test_all_assets_are_ranked_together() -> None:
    rows = [
        *both(R4, "ann", 1.0, 1.0, 1),
        *both(R4, "bob", 2.0, 2.0, 2),
        *both(R4, "red", 0.0, 0.0, 9, asset_type="constructor"),
    ]
    assert accuracy(rows, asset_type="driver")["spearman"] == pytest.approx(1.0)
    assert accuracy(rows, asset_type="constructor")["spearman"] is None
    assert accuracy(rows)["spearman"] == pytest.approx(1 - 6 * 6 / 24)


def test_coverage_is_a_share_of_scores() -> None:
    wide, narrow = {"is_in_90": True}, {"is_in_50": True, "is_in_80": True, "is_in_90": True}
    rows = [
        *both(R4, "ann", 1.0, 1.0, 2, **wide),
        *both(R4, "bob", 1.0, 1.0, 2, **narrow),
        *both(R5, "ann", 1.0, 1.0, 2),
        *both(R5, "bob", 1.0, 1.0, 2, **wide),
    ]
    found = accuracy(rows)
    assert [found[f"coverage_{level}_share"] for level in (50, 80, 90)] == [0.25, 0.25, 0.75]


def test_live_and_replayed_races_are_apart() -> None:
    rows = [*both(R4, "ann", 11.0, 14.0, 10), *both(R5, "ann", 2.0, 3.0, 0, is_live=True)]
    assert accuracy(rows, is_live=True)["mae_points"] == 2.0
    assert accuracy(rows, is_live=False)["mae_points"] == 1.0


def test_only_what_the_baseline_forecast_as_well_is_compared() -> None:
    rows = [*both(R4, "ann", 11.0, 14.0, 10), error(R4, "bob", "published", 90.0, 0, 90.0)]
    assert accuracy(rows)["asset_count"] == 1


def line_up(race_key: str, forecast: str, points: float, best: float, **more: Any) -> Row:
    return {
        "race_key": race_key,
        "phase": "at_lock",
        "forecast": forecast,
        "is_live": False,
        "lineup_points": points,
        "hindsight_points": best,
    } | more


def test_line_ups_are_compared_race_by_race() -> None:
    rows = run_sql_model(
        "evaluation.lineup_accuracy",
        evaluation__counted_race=COUNTED,
        evaluation__lineup_score=[
            line_up(R4, "published", 100.0, 200.0),
            line_up(R4, "ewma_price_prior", 90.0, 200.0),
            line_up(R5, "published", 140.0, 300.0),
            line_up(R5, "ewma_price_prior", 150.0, 300.0),
            line_up("2026-japan", "published", 1.0, 300.0),
            line_up("2026-japan", "ewma_price_prior", 300.0, 300.0),
        ],
    )
    own = {row["season"]: row for row in rows if row["forecast"] == "published"}
    assert own["all"] | {"season": "2026"} == own["2026"]
    # gains 10 and -10: mean 0, standard deviation sqrt(200), error 10
    expected = {
        "race_count": 2,
        "lineup_points": 120.0,
        "hindsight_points": 250.0,
        "capture_share": pytest.approx(0.48),
        "points_ratio": pytest.approx(1.0),
        "gain_points": 0.0,
        "gain_se_points": pytest.approx(10.0),
    }
    assert pick(own["all"], expected) == expected


def test_line_ups_without_points_have_no_share() -> None:
    scores = [line_up(R4, "published", -5.0, 0.0), line_up(R4, "ewma_price_prior", -7.0, 0.0)]
    rows = run_sql_model(
        "evaluation.lineup_accuracy", evaluation__counted_race=COUNTED, evaluation__lineup_score=scores
    )
    assert {(row["capture_share"], row["points_ratio"], row["gain_se_points"]) for row in rows} == {(None, None, None)}


def test_errors_by_class_of_return() -> None:
    rows = run_sql_model(
        "evaluation.return_class_error",
        evaluation__counted_race=COUNTED,
        evaluation__asset_error=[
            error(R4, "ann", "published", 10.0, 4, 6.0),
            error(R5, "ann", "published", 1.0, 5, 4.0),
            error(R5, "bob", "published", 20.0, 30, 10.0, return_class="haul", median_points=18.0),
            error(R5, "red", "published", 20.0, 70, 10.0, return_class="haul", asset_type="constructor"),
            error("2026-japan", "ann", "published", 90.0, 4, 86.0),
        ],
    )
    found = [row for row in rows if row["season"] == "2026"]
    assert only(found, "asset_type", "return_class", "asset_count", "mae_points", "bias_points") == [
        ("all", "haul", 2, 31.0, -30.0),
        ("all", "low", 2, 5.0, 1.0),
        ("constructor", "haul", 1, 50.0, -50.0),
        ("driver", "haul", 1, 12.0, -10.0),
        ("driver", "low", 2, 5.0, 1.0),
    ]


def test_histogram_has_every_tenth() -> None:
    at = [("ann", 0.0), ("bob", 0.05), ("cat", 0.1), ("dan", 1.0)]
    rows = run_sql_model(
        "evaluation.pit_histogram",
        evaluation__counted_race=COUNTED,
        evaluation__asset_error=[error(R4, name, "published", 1.0, 1, 0.0, pit=place) for name, place in at],
    )
    counts = [row["asset_count"] for row in rows if row["asset_type"] == "driver"]
    assert counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert [row["asset_share"] for row in rows if row["asset_type"] == "all"] == [count / 4 for count in counts]
    assert [row["bin"] for row in rows] == [*range(10), *range(10)]


def event(race_key: str, asset_id: str, probability: float, has_happened: bool, **more: Any) -> Row:
    return {
        "race_key": race_key,
        "phase": "at_lock",
        "event": "not_classified",
        "asset_type": "driver",
        "asset_id": asset_id,
        "outcome": "not_classified",
        "is_live": False,
        "probability": probability,
        "has_happened": has_happened,
    } | more


EVENTS = [
    event(R4, "ann", 0.05, False),
    event(R4, "bob", 0.07, True),
    event(R5, "ann", 1.0, True),
    event(R5, "bob", 0.0, False),
    event("2026-japan", "ann", 0.5, True),
]


def test_probabilities_are_held_against_shares() -> None:
    rows = run_sql_model(
        "evaluation.probability_calibration", evaluation__counted_race=COUNTED, evaluation__event_outcome=EVENTS
    )
    assert only(rows, "bin", "outcome_count", "mean_probability", "observed_share") == [
        (0, 1, 0.0, 0.0),
        (1, 2, pytest.approx(0.06), 0.5),
        (19, 1, 1.0, 1.0),
    ]


def test_brier_score_is_a_mean_square() -> None:
    rows = run_sql_model(
        "evaluation.probability_score", evaluation__counted_race=COUNTED, evaluation__event_outcome=EVENTS
    )
    assert only(rows, "season") == [("2026",), ("all",)]
    expected = {
        "race_count": 2,
        "outcome_count": 4,
        "mean_probability": pytest.approx(0.28),
        "observed_share": 0.5,
        "brier_score": pytest.approx((0.05**2 + 0.93**2) / 4),
        "constant_brier_score": pytest.approx(0.25),
    }
    assert [pick(row, expected) for row in rows] == [expected, expected]


def test_a_probability_above_one_is_no_calibration() -> None:
    with pytest.raises(ContractError, match="mean_probability"):
        run_sql_model(
            "evaluation.probability_calibration",
            evaluation__counted_race=COUNTED,
            evaluation__event_outcome=[event(R4, "ann", 1.2, True)],
        )
