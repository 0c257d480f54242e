"""Figures of predicted against scored points, worked by hand."""

import pandas as pd
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.evaluation import capture_share, coverage, evaluate, mae, rmse, spearman


def test_mae_and_rmse():
    assert mae([1, 2, 3], [2, 2, 5]) == 1.0
    assert rmse([1, 2, 3], [2, 2, 5]) == pytest.approx((5 / 3) ** 0.5)


def test_spearman_is_the_mean_over_races():
    races = ["a", "a", "a", "b", "b", "b"]
    assert spearman([1, 2, 3, 1, 2, 3], [10, 20, 90, 3, 2, 1], races) == pytest.approx(0.0)
    # ranks 1 2 3 against 2 1 3: 1 - 6 * 2 / (3 * 8) = 0.5
    assert spearman([1, 2, 3], [5, 4, 9], ["a"] * 3) == pytest.approx(0.5)


def test_spearman_shares_the_ranks_of_ties():
    # ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, variances 1.5 and 2
    assert spearman([4, 4, 9], [1, 2, 3], ["a"] * 3) == pytest.approx(1.5 / (1.5 * 2) ** 0.5)


def test_spearman_leaves_out_races_where_it_is_not_defined():
    assert spearman([1, 1, 2, 3], [1, 2, 7, 8], ["a", "a", "b", "b"]) == pytest.approx(1.0)
    assert spearman([1, 1], [1, 2], ["a", "a"]) is None
    assert spearman([1], [1], ["a"]) is None


def test_coverage_counts_both_ends():
    assert coverage([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, -1]) == 0.5


def test_capture_share():
    assert capture_share(150.0, 200.0) == 0.75
    assert capture_share(-10.0, 200.0) == -0.05
    assert capture_share(10.0, 0.0) is None


def test_evaluate_counts_rows_on_both_sides():
    predictions = pd.DataFrame(
        {
            "race_key": ["r", "r", "r"],
            "asset_id": ["ann", "bob", "cat"],
            "expected_points": [10.0, 20.0, 30.0],
            "p10": [0.0, 10.0, 20.0],
            "p90": [15.0, 25.0, 35.0],
        }
    )
    actuals = pd.DataFrame({"race_key": ["r", "r", "r"], "asset_id": ["bob", "ann", "dan"], "points": [26.0, 8.0, 1.0]})
    assert evaluate(predictions, actuals) == {
        "row_count": 2,
        "race_count": 1,
        "mae": 4.0,
        "rmse": pytest.approx(20.0**0.5),
        "bias": -2.0,
        "spearman": pytest.approx(1.0),
        "coverage_80": 0.5,
    }
    assert "coverage_80" not in evaluate(predictions.drop(columns=["p10", "p90"]), actuals)


def test_nothing_to_compare_is_an_error():
    empty = pd.DataFrame({"race_key": [], "asset_id": [], "expected_points": []})
    scored = pd.DataFrame({"race_key": ["r"], "asset_id": ["ann"], "points": [1.0]})
    with pytest.raises(DataError, match="none"):
        evaluate(empty, scored)
    twice = pd.DataFrame({"race_key": ["r", "r"], "asset_id": ["ann", "ann"], "expected_points": [1.0, 2.0]})
    with pytest.raises(DataError, match="repeated key"):
        evaluate(twice, scored)
    with pytest.raises(DataError, match="equal, non-empty"):
        mae([1.0], [1.0, 2.0])
    with pytest.raises(DataError, match="equal, non-empty"):
        rmse([], [])
