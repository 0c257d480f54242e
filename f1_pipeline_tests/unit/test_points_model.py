"""Training and forecasting: strictly earlier rows, missing values, short histories, repeatability."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.forecast.feature_sets import FEATURE_SETS
from f1_pipeline.forecast.fingerprint import fingerprint
from f1_pipeline.forecast.held_out import HeldOutBlend
from f1_pipeline.forecast.points_model import PointsModelSettings, predict, train
from f1_pipeline.forecast.points_pipeline import build_pipeline, feature_frame, fit_blend
from f1_pipeline.forecast.spread import Spread, fit_spread
from f1_pipeline_tests.forecast_rows import training_rows

TARGET = ("2025-race-03", "2025-03-22")
FIGURES = ["expected_points", "sd_points", "p10", "p50", "p90"]


@pytest.fixture(scope="module")
def rows():
    return training_rows({2023: 6, 2024: 6, 2025: 6})


@pytest.fixture(scope="module")
def menu(rows):
    return rows[rows["race_key"] == TARGET[0]]


@pytest.fixture(scope="module")
def model(rows):
    return train(rows, "driver", *TARGET)


def test_contract_features_are_listed_once():
    drivers, constructors = FEATURE_SETS["driver"].columns, FEATURE_SETS["constructor"].columns
    assert len(drivers) == len(set(drivers)) == 27
    assert len(constructors) == len(set(constructors)) == 26
    assert {"teammate_last_5_mean_points", "practice_gap_pct"} <= set(drivers)
    assert {"last_5_pit_stop_mean_points", "circuit_type"} <= set(constructors)


def test_window_ends_before_the_target(model):
    assert (model.first_race_key, model.last_race_key) == ("2023-race-00", "2025-race-02")
    assert (model.row_count, model.race_count) == (150, 15)
    assert model.feature_names == FEATURE_SETS["driver"].columns
    # R = sum of 0.5 ** (age / 60) over 15 races = 13.6929; R / (R + 20)
    assert model.ridge_weight == pytest.approx(0.40640, abs=1e-5)


def test_altering_the_target_race_and_later_ones_changes_nothing(rows, menu, model):
    altered = rows.copy()
    later = altered["race_date"] >= TARGET[1]
    altered.loc[later, ["points", "price_musd", "last_5_mean_points"]] = 999.0
    again = train(altered, "driver", *TARGET)
    pd.testing.assert_frame_equal(predict(again, menu), predict(model, menu), check_exact=True)
    assert again.metrics == model.metrics
    assert fingerprint(altered, "driver", *TARGET) == fingerprint(rows, "driver", *TARGET)


def test_training_is_repeatable_in_any_row_order(rows, menu, model):
    shuffled = rows.sample(frac=1.0, random_state=3)
    again = train(shuffled, "driver", *TARGET)
    pd.testing.assert_frame_equal(predict(again, menu), predict(model, menu), check_exact=True)
    assert fingerprint(shuffled, "driver", *TARGET) == fingerprint(rows, "driver", *TARGET)


def test_fingerprint_notices_every_ingredient(rows):
    base = fingerprint(rows, "driver", *TARGET)
    earlier = rows.index[rows["race_date"] < TARGET[1]]
    points, feature, kind = rows.copy(), rows.copy(), rows.copy()
    points.loc[earlier[0], "points"] += 1.0
    feature.loc[earlier[5], "practice_gap_pct"] = np.nan
    kind.loc[earlier[5], "circuit_type"] = "road"
    others = [fingerprint(frame, "driver", *TARGET) for frame in (points, feature, kind)]
    others.append(fingerprint(rows, "driver", "2025-race-04", "2025-03-29"))
    others.append(fingerprint(rows, "driver", *TARGET, PointsModelSettings(half_life_races=30.0)))
    assert len({base, *others}) == 6
    assert len(base) == 64


def test_cross_validation_holds_out_seasons(model):
    assert list(model.fold_metrics) == ["2023", "2024", "2025"]
    assert model.metrics is not None
    assert model.metrics["cv_mae"] == pytest.approx(np.mean([fold["cv_mae"] for fold in model.fold_metrics.values()]))
    assert set(model.metrics) == {"cv_mae", "cv_rmse", "cv_prior_mae", "cv_prior_rmse", "cv_spearman"}
    assert model.alpha in model.settings.alphas
    assert model.no_cv_reason is None
    assert len(model.out_of_fold) == 150
    assert model.spread.origin == "out_of_fold"


def test_one_season_is_folded_by_race(rows):
    model = train(rows, "driver", "2023-race-05", "2023-04-05")
    assert list(model.fold_metrics) == ["fold-1", "fold-2", "fold-3", "fold-4", "fold-5"]


def test_too_few_races_for_cross_validation_are_reported(rows, menu):
    model = train(rows, "driver", "2023-race-02", "2023-03-15")
    assert model.metrics is None
    assert model.no_cv_reason == "2 races before 2023-race-02, 3 needed"
    assert model.spread.origin == "prior_errors"
    assert model.out_of_fold.empty
    assert np.isfinite(predict(model, menu)[FIGURES].to_numpy()).all()


@pytest.mark.parametrize("asset_type", ["driver", "constructor"])
def test_without_history_the_forecast_is_the_prior(asset_type):
    rows = training_rows({2023: 1}, asset_type)
    model = train(rows, asset_type, "2023-race-00", "2023-03-01")
    assert (model.row_count, model.first_race_key, model.ridge_weight) == (0, None, 0.0)
    assert model.no_cv_reason == "0 races before 2023-race-00, 3 needed"
    forecast = predict(model, rows)
    np.testing.assert_allclose(forecast["expected_points"], rows["ewma_price_prior_points"], atol=1e-12)
    assert forecast["sd_points"].unique() == ({"driver": 15.0, "constructor": 22.0}[asset_type])


def test_an_empty_frame_with_columns_is_no_history(rows):
    model = train(rows.iloc[:0], "driver", *TARGET)
    assert model.race_count == 0


def test_missing_values_and_an_unknown_circuit_type_are_forecast(model, menu):
    bare = menu.copy()
    bare["circuit_type"] = "moon"
    bare.loc[bare.index[0], list(FEATURE_SETS["driver"].numeric)] = np.nan
    bare.loc[bare.index[1], "circuit_type"] = None
    assert np.isfinite(predict(model, bare)[FIGURES].to_numpy()).all()


def test_a_column_that_is_always_missing_is_harmless(rows, menu):
    empty = rows.assign(practice_gap_pct=np.nan)
    forecast = predict(train(empty, "driver", *TARGET), menu)
    assert np.isfinite(forecast[FIGURES].to_numpy()).all()


def test_nullable_and_decimal_columns_are_numbers(rows, menu, model):
    from decimal import Decimal

    typed = rows.astype({"start_count": "Float64", "has_sprint": "boolean"})
    typed["price_musd"] = [Decimal(str(value)) for value in typed["price_musd"]]
    again = predict(train(typed, "driver", *TARGET), typed.loc[menu.index])
    pd.testing.assert_frame_equal(again, predict(model, menu))


def test_forecast_keeps_the_order_given_and_orders_the_quantiles(model, menu):
    forecast = predict(model, menu.iloc[::-1])
    assert forecast["asset_id"].tolist() == menu["asset_id"].tolist()[::-1]
    assert forecast.columns.tolist() == ["asset_id", *FIGURES]
    assert (forecast["p10"] <= forecast["p50"]).all()
    assert (forecast["p50"] <= forecast["p90"]).all()
    assert (forecast["sd_points"] > 0).all()
    assert predict(model, menu.iloc[:0]).empty


def test_the_model_learns_what_the_prior_does_not_know(rows):
    model = train(rows, "driver", "2025-race-05", "2025-04-05")
    assert model.metrics is not None
    assert model.metrics["cv_rmse"] < model.metrics["cv_prior_rmse"]


def test_blend_is_the_weighted_mean_of_ridge_and_prior(rows):
    features, points = feature_frame(rows, "driver"), rows["points"].to_numpy()
    weights = np.linspace(0.5, 1.0, len(rows))
    pipeline = build_pipeline("driver", 50.0)
    prepared = pipeline.named_steps["prepare"].fit_transform(features)
    fit_blend(pipeline, prepared, points, weights, 50.0, 0.3)
    ridge = Ridge(alpha=50.0).fit(prepared, points, sample_weight=weights).predict(prepared)
    expected = 0.3 * ridge + 0.7 * rows["ewma_price_prior_points"]
    np.testing.assert_allclose(pipeline.predict(features), expected, atol=1e-8)


def test_held_out_arithmetic_equals_the_pipeline(rows):
    rows = rows.assign(practice_gap_pct=np.nan)  # one column that is empty
    features, points = feature_frame(rows, "driver"), rows["points"].to_numpy()
    held = np.flatnonzero(rows["race_key"] == "2024-race-02")
    fitted = np.setdiff1d(np.arange(len(rows)), held)
    fitted = fitted[features["circuit_type"].to_numpy()[fitted] == "street"]  # the held-out type is unseen
    weights = np.linspace(0.5, 1.0, len(fitted))
    quick = HeldOutBlend(features, points).forecasts(fitted, held, weights, (20.0, 400.0), 0.6)
    for alpha, forecast in zip((20.0, 400.0), quick, strict=True):
        pipeline = build_pipeline("driver", alpha)
        prepared = pipeline.named_steps["prepare"].fit_transform(features.iloc[fitted])
        fit_blend(pipeline, prepared, points[fitted], weights, alpha, 0.6)
        np.testing.assert_allclose(forecast, pipeline.predict(features.iloc[held]), atol=1e-8)


def test_spread_of_constant_errors_is_flat():
    # errors -2 and +2, mean size 2, no slope: scaled errors -1 and +1
    spread = fit_spread(pd.Series([10.0, 10.0, 20.0, 20.0]), pd.Series([8.0, 12.0, 18.0, 22.0]), "out_of_fold")
    assert spread == Spread(2.0, 0.0, 1.0, -1.0, 0.0, 1.0, 1.0, "out_of_fold")
    assert spread.scale(np.array([-50.0, 15.0, 80.0])).tolist() == [2.0, 2.0, 2.0]


def test_spread_grows_with_the_forecast_down_to_a_floor():
    # sizes 1 at 10 and 3 at 20: scale -1 + 0.2 * level, floor half of the mean size 2
    spread = fit_spread(pd.Series([10.0, 10.0, 20.0, 20.0]), pd.Series([9.0, 11.0, 17.0, 23.0]), "out_of_fold")
    assert spread.scale(np.array([0.0, 10.0, 15.0, 20.0])) == pytest.approx([1.0, 1.0, 2.0, 3.0])


def test_errors_name_the_column(rows):
    with pytest.raises(DataError, match="practice_gap_pct"):
        train(rows.drop(columns="practice_gap_pct"), "driver", *TARGET)
    with pytest.raises(DataError, match="'points'"):
        train(rows.drop(columns="points"), "driver", *TARGET)
    with pytest.raises(DataError, match="numbers in start_count"):
        train(rows.assign(start_count="many"), "driver", *TARGET)
    with pytest.raises(UsageError, match="'car'"):
        train(rows, "car", *TARGET)
