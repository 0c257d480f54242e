"""Figures of predicted against scored points, worked by hand or held against closed forms."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.evaluation import (
    ENSEMBLE_SIZE,
    capture_share,
    coverage,
    crps,
    ensemble_quantiles,
    evaluate,
    is_within,
    mae,
    past_error_ensemble,
    pit,
    return_class,
    rmse,
    spearman,
)


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


# ---- distributions


@pytest.mark.parametrize(
    ("members", "actual", "expected"),
    [
        # |X - y| on average, less a quarter of the distance of the two members
        ([0.0, 4.0], 2.0, 2.0 - 1.0),
        ([0.0, 4.0], 0.0, 2.0 - 1.0),
        ([4.0, 0.0], 10.0, 8.0 - 1.0),
        ([3.0, 3.0], 1.0, 2.0),
        ([3.0], -1.0, 4.0),
        # pairs 10, 20, 30, 10, 20, 10: twice their sum over 2 * 16
        ([0.0, 10.0, 20.0, 30.0], 10.0, 10.0 - 6.25),
    ],
)
def test_crps_of_a_few_members(members, actual, expected):
    assert crps([members], [actual]) == pytest.approx([expected])


@given(
    members=st.lists(st.integers(-50, 100), min_size=1, max_size=12),
    actual=st.integers(-50, 100),
)
def test_crps_is_the_definition_over_all_pairs(members, actual):
    drawn = np.array(members, dtype=float)
    pairs = np.abs(drawn[:, None] - drawn).mean() / 2
    assert crps([members], [actual])[0] == pytest.approx(np.abs(drawn - actual).mean() - pairs, abs=1e-9)


@pytest.mark.parametrize("z", [-1.5, 0.0, 0.7])
def test_crps_of_a_normal_sample_is_the_closed_form(z):
    mean, sd = 12.0, 8.0
    sample = np.random.default_rng(1).normal(mean, sd, size=(1, 200_000))
    density, below = math.exp(-z * z / 2) / math.sqrt(2 * math.pi), (1 + math.erf(z / math.sqrt(2))) / 2
    closed = sd * (z * (2 * below - 1) + 2 * density - 1 / math.sqrt(math.pi))
    assert crps(sample, [mean + z * sd])[0] == pytest.approx(closed, abs=0.05)


def test_crps_and_pit_take_each_row_by_itself():
    members, actual = [[0.0, 4.0], [10.0, 30.0]], [2.0, 10.0]
    assert crps(members, actual).tolist() == [1.0, 5.0]
    assert pit(members, actual).tolist() == [0.5, 0.25]


def test_pit_splits_ties_in_the_middle():
    assert pit([[1.0, 2.0, 2.0, 5.0]], [2.0]).tolist() == [0.5]
    assert pit([[1.0, 2.0, 2.0, 5.0]], [9.0]).tolist() == [1.0]
    assert pit([[1.0, 2.0, 2.0, 5.0]], [1.0]).tolist() == [0.125]


def test_pit_of_a_calibrated_ensemble_is_even():
    random = np.random.default_rng(2)
    level = random.normal(20, 5, size=4000)
    members = np.round(random.normal(level[:, None], 10, size=(4000, 500)))
    found = pit(members, np.round(random.normal(level, 10)))
    shares = np.histogram(found, bins=10, range=(0, 1))[0] / 4000
    assert shares == pytest.approx(np.full(10, 0.1), abs=0.02)
    quantiles = ensemble_quantiles(members)
    assert quantiles.columns.tolist() == ["p05", "p10", "p25", "p50", "p75", "p90", "p95"]
    inside = is_within(quantiles["p10"], quantiles["p90"], np.round(random.normal(level, 10)))
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_quantiles_lie_on_the_line_between_members():
    found = ensemble_quantiles([[30.0, 0.0, 10.0, 20.0], [5.0, 5.0, 5.0, 5.0]])
    assert found["p50"].tolist() == [15.0, 5.0]
    assert found["p25"].tolist() == [7.5, 5.0]
    assert found["p95"].tolist() == [pytest.approx(28.5), 5.0]


def test_interval_holds_both_its_ends():
    assert is_within([0, 0, 0, 0], [5, 5, 5, 5], [0, 5, 6, -1]).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("asset_type", "points", "classes"),
    [
        ("driver", [-1, 0, 9, 10, 24, 25], ["negative", "low", "low", "mid", "mid", "haul"]),
        ("constructor", [-1, 0, 24, 25, 59, 60], ["negative", "low", "low", "mid", "mid", "haul"]),
    ],
)
def test_return_classes_begin_at_their_limits(asset_type, points, classes):
    assert return_class(points, asset_type).tolist() == classes


def test_past_errors_are_added_to_the_forecast():
    # the same forecast three times: errors -4, 0 and 4 come back in points, on a line between their quantiles
    (members,) = past_error_ensemble([10.0, 10.0, 10.0], [6.0, 10.0, 14.0], [20.0], "driver")
    grid = (np.arange(ENSEMBLE_SIZE) + 0.5) / ENSEMBLE_SIZE
    assert members == pytest.approx(20.0 - 4.0 + 8.0 * grid)


def test_past_errors_grow_with_the_forecast():
    # absolute errors 1 at 10 and 3 at 30: a tenth of the forecast, so the errors are -1 and 1 in its units
    past, scored = [10.0, 10.0, 30.0, 30.0], [9.0, 11.0, 27.0, 33.0]
    low, high = past_error_ensemble(past, scored, [20.0, 40.0], "driver")
    assert (low[0], low[-1]) == (18.0, 22.0)
    assert (high[0], high[-1]) == (36.0, 44.0)


def test_without_a_past_the_errors_are_normal_and_wide():
    (members,) = past_error_ensemble([], [], [10.0], "driver")
    assert np.median(members) == pytest.approx(10.0)
    assert members.std() == pytest.approx(15.0, rel=0.01)
    # the closed form for a normal distribution at its centre
    assert crps([members], [10.0])[0] == pytest.approx(15 * (math.sqrt(2 / math.pi) - 1 / math.sqrt(math.pi)), rel=0.01)


def test_what_does_not_fit_together_is_an_error():
    with pytest.raises(DataError, match="one row of members per score"):
        crps([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(DataError, match="one row of members per score"):
        pit([[]], [1.0])
    with pytest.raises(DataError, match="asset type"):
        return_class([1.0], "team")
    with pytest.raises(DataError, match="equal, non-empty"):
        past_error_ensemble([1.0], [], [1.0], "driver")
