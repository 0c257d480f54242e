"""Points models: strictly earlier rows, departures from the prior worked by hand, missing values, fingerprints."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.forecast.cross_validation import cross_validated_metrics, out_of_fold
from f1_pipeline.forecast.feature_sets import (
    BASELINE_FEATURES,
    FEATURES,
    GAP_FEATURE,
    PRIOR_FEATURE,
    RACE_FEATURES,
    STRENGTH_FEATURE,
    WEEKEND_FEATURES,
)
from f1_pipeline.forecast.grouped_regressor import GroupedRegressor
from f1_pipeline.forecast.model_records import average_record, points_fingerprint, points_params, points_record
from f1_pipeline.forecast.phases import AT_LOCK, BEFORE_PRACTICE
from f1_pipeline.forecast.points_model import (
    BOOSTING,
    GROUPS,
    KEYS,
    KINDS,
    RIDGE,
    PointsModelSettings,
    build_estimator,
    departures,
    expected_points,
    inputs,
    recency,
    train,
    training_window,
)
from f1_pipeline.forecast.residual_plot import ResidualPlot
from f1_pipeline_tests.forecast_rows import race, training_rows

TARGET = ("2025-race-03", "2025-03-22")
QUICK = settings(derandomize=True, database=None, deadline=None, max_examples=10)
SIGNS = np.tile([1.0, -1.0], 5)
OWN = PointsModelSettings(
    half_life_races=60.0, ridge_penalty=600.0, tree_count=25, tree_depth=2, leaf_rows=40, learning_rate=0.08
)
"""Like those in use, which may be tuned again."""


def fit(rows, kind, race_key, race_date, own=OWN):
    return train(rows, kind, race_key, race_date, own)


@pytest.fixture(scope="module")
def rows():
    return training_rows({2023: 6, 2024: 6, 2025: 6})


@pytest.fixture(scope="module")
def menu(rows):
    return rows[rows["race_key"] == TARGET[0]].reset_index(drop=True)


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(rows, kind):
    return fit(rows, kind, *TARGET)


def forecast(trained, menu):
    return expected_points(trained.estimator, menu)


def signal(race_count, size=6.0, start="2024-03-01"):
    """Races in which one feature tells who scores `size` more or less than the prior of 10."""
    dates = pd.date_range(start, periods=race_count, freq="7D")
    made = [race(f"r{at:02d}", str(day.date()), 10 + size * SIGNS, **gap(SIGNS)) for at, day in enumerate(dates)]
    return pd.concat([race("r-none", "2020-01-01").iloc[:0], *made])


def gap(values):
    return {GAP_FEATURE: values}


# What it learns.


def test_features_are_listed_once():
    assert len(FEATURES) == len(set(FEATURES)) == 19
    assert set(FEATURES) == {
        *BASELINE_FEATURES,
        *RACE_FEATURES,
        *WEEKEND_FEATURES,
        STRENGTH_FEATURE,
        GAP_FEATURE,
        "strength_sd_points",
    }
    assert PRIOR_FEATURE in BASELINE_FEATURES


def test_without_history_the_forecast_is_the_prior_exactly(rows, menu, kind):
    for empty in (rows.iloc[:0], rows[rows["race_date"] >= TARGET[1]], rows.assign(points=np.nan)):
        trained = fit(empty, kind, *TARGET)
        assert (trained.row_count, trained.race_count) == (0, 0)
        assert (trained.first_race_key, trained.last_race_key) == (None, None)
        np.testing.assert_array_equal(forecast(trained, menu), menu[PRIOR_FEATURE])


def test_ridge_departs_as_evidence_grows_by_hand():
    menu = race("next", "2026-01-01", **gap(SIGNS))
    departures_by_count = []
    for count in (1, 2, 5, 30, 300):
        trained = fit(signal(count, start="2018-03-01"), RIDGE, "next", "2026-01-01")
        # The feature is 1 and -1, so of unit variance; the least squares slope of 6 is shrunk by the penalty of 600:
        # W / (W + 600), where each race counts ten rows of weight 0.5 ** (age / 60).
        total = 10 * sum(0.5 ** (age / 60) for age in range(1, count + 1))
        expected = 10 + 6 * SIGNS * total / (total + 600)
        np.testing.assert_allclose(forecast(trained, menu), expected, rtol=1e-9)
        departures_by_count.append(6 * total / (total + 600))
    assert departures_by_count == sorted(departures_by_count)
    assert departures_by_count[0] == pytest.approx(0.0972, abs=1e-4)
    assert departures_by_count[-1] == pytest.approx(3.5, abs=0.1)


@pytest.mark.parametrize("asset_count", [10])
def test_ridge_learns_a_common_departure_at_once(asset_count):
    # what everybody scores beyond the prior is not shrunk: an unpenalised level
    past = race("r1", "2024-03-01", np.full(asset_count, 13.0))
    found = forecast(fit(past, RIDGE, "next", "2026-01-01"), race("next", "2026-01-01"))
    np.testing.assert_allclose(found, 13.0)


def test_boosting_departs_only_where_leaves_are_full():
    menu = race("next", "2026-01-01", **gap(SIGNS))
    few = fit(signal(7), BOOSTING, "next", "2026-01-01")  # 70 rows do not fill two leaves of 40
    np.testing.assert_allclose(forecast(few, menu), 10.0, atol=1e-9)
    # with 80 they do: every tree adds 8 % of what is left of the 6 points
    enough = fit(signal(8), BOOSTING, "next", "2026-01-01")
    np.testing.assert_allclose(forecast(enough, menu), 10 + 6 * SIGNS * (1 - 0.92**25), rtol=1e-6)


def test_newer_races_count_more():
    dates = ("2024-03-01", "2024-03-08")
    old_up = pd.concat([race("r1", dates[0], np.full(10, 16.0)), race("r2", dates[1], np.full(10, 4.0))])
    # weights 0.5 ** 2 and 0.5 ** 1 with a half-life of one race: (0.25 * 6 - 0.5 * 6) / 0.75 = -2
    trained = fit(old_up, RIDGE, "next", "2026-01-01", replace(OWN, half_life_races=1.0))
    np.testing.assert_allclose(forecast(trained, race("next", "2026-01-01")), 8.0)


def test_recency_by_hand():
    dates = pd.to_datetime(["2024-03-08", "2024-03-01", "2024-03-08", "2024-03-22"]).to_numpy()
    assert recency(dates, 1.0) == pytest.approx([0.25, 0.125, 0.25, 0.5])
    assert recency(dates, 60.0)[3] == pytest.approx(0.5 ** (1 / 60))
    assert recency(dates[:0], 60.0).shape == (0,)


def test_the_model_learns_what_the_prior_does_not_know(rows, kind):
    held = out_of_fold(training_window(rows, TARGET[1]), kind, replace(OWN, ridge_penalty=5.0, leaf_rows=10))
    figures = cross_validated_metrics(held)
    for asset_type in ("driver", "constructor"):
        assert figures[f"cv_mae/{asset_type}"] < 0.95 * figures[f"cv_prior_mae/{asset_type}"]
        assert figures[f"cv_spearman/{asset_type}"] > 0.3


# What it may use.


def test_window_ends_before_the_target(rows, model, kind):
    assert (model.first_race_key, model.last_race_key) == ("2023-race-00", "2025-race-02")
    assert (model.row_count, model.race_count) == (15 * 40, 15)
    assert (model.kind, model.target_race_key, model.target_race_date.isoformat()) == (kind, *TARGET)
    window = training_window(rows.sample(frac=1.0, random_state=1), TARGET[1])
    assert window["race_date"].max() == pd.Timestamp("2025-03-15")
    assert window["race_date"].is_monotonic_increasing
    assert window.index.tolist() == list(range(600))


def test_rows_without_points_are_left_out(rows):
    missing = rows["race_key"] == "2024-race-02"
    window = training_window(rows.assign(points=rows["points"].where(~missing)), TARGET[1])
    assert len(window) == 560
    assert "2024-race-02" not in set(window["race_key"])


def test_the_target_race_and_later_ones_change_nothing(rows, menu, model, kind):
    altered = rows.copy()
    altered.loc[altered["race_date"] >= TARGET[1], ["points", PRIOR_FEATURE, GAP_FEATURE]] = 999.0
    for other in (altered, rows[rows["race_date"] < TARGET[1]]):
        again = fit(other, kind, *TARGET)
        np.testing.assert_array_equal(forecast(again, menu), forecast(model, menu))
        assert points_fingerprint(other, kind, *TARGET, model.settings) == points_fingerprint(
            rows, kind, *TARGET, model.settings
        )
    # the control: an earlier race does
    altered.loc[altered["race_key"] == "2025-race-02", "points"] += 40.0
    assert np.abs(forecast(fit(altered, kind, *TARGET), menu) - forecast(model, menu)).min() > 1e-6


@QUICK
@given(data=st.data())
def test_any_change_from_the_target_on_leaves_the_model(data):
    rows = training_rows({2024: 4}, asset_count=3).astype({"has_sprint": "float64"})
    at = data.draw(st.integers(0, 3))
    target = f"2024-race-{at:02d}", str(rows["race_date"].unique()[at])[:10]
    altered = rows.copy()
    column = data.draw(st.sampled_from(["points", *FEATURES]))
    later = altered["race_date"] >= target[1]
    altered.loc[later, column] = data.draw(st.floats(-1e3, 1e3))
    found, expected = (forecast(fit(each, RIDGE, *target), rows) for each in (altered, rows))
    np.testing.assert_array_equal(found, expected)


def test_training_is_repeatable_in_any_row_order(rows, menu, model, kind):
    again = fit(rows.sample(frac=1.0, random_state=3), kind, *TARGET)
    np.testing.assert_array_equal(forecast(again, menu), forecast(model, menu))


def test_forecast_keeps_the_order_given(menu, model):
    backwards = forecast(model, menu.iloc[::-1])
    np.testing.assert_allclose(backwards, forecast(model, menu)[::-1], rtol=1e-12)
    assert forecast(model, menu.iloc[:0]).shape == (0,)


# Groups.


def test_types_and_phases_do_not_mix(rows, menu, kind):
    altered = rows.copy()
    altered.loc[altered["asset_type"] == "constructor", "points"] += 50.0
    found, before = (forecast(fit(each, kind, *TARGET), menu) for each in (altered, rows))
    is_driver = (menu["asset_type"] == "driver").to_numpy()
    np.testing.assert_array_equal(found[is_driver], before[is_driver])
    assert (found[~is_driver] > before[~is_driver] + 40).all()
    # a ridge also tells phases apart; trees learn from all of them together
    altered = rows.copy()
    altered.loc[altered["phase"] == BEFORE_PRACTICE, "points"] += 50.0
    found = forecast(fit(altered, kind, *TARGET), menu)
    at_lock = (menu["phase"] == AT_LOCK).to_numpy()
    assert np.array_equal(found[at_lock], before[at_lock]) == (kind == RIDGE)


def test_a_group_never_seen_is_the_prior(rows, menu, kind):
    drivers = rows[rows["asset_type"] == "driver"]
    found = forecast(fit(drivers, kind, *TARGET), menu)
    is_driver = (menu["asset_type"] == "driver").to_numpy()
    np.testing.assert_array_equal(found[~is_driver], menu[PRIOR_FEATURE][~is_driver])
    assert np.abs(found[is_driver] - menu[PRIOR_FEATURE][is_driver]).max() > 0.1
    tomorrow = menu.assign(phase="tomorrow")
    is_prior = np.array_equal(forecast(fit(rows, kind, *TARGET), tomorrow), menu[PRIOR_FEATURE])
    assert is_prior == (kind == RIDGE)


def test_grouped_regressor_equals_one_pipeline_per_group(rows):
    window = training_window(rows, TARGET[1])
    seen, learnt = inputs(window), departures(window)
    weight = np.linspace(0.5, 1.0, len(window))
    pipeline = Pipeline(
        [("impute", SimpleImputer(strategy="median")), ("standardise", StandardScaler()), ("ridge", Ridge(50.0))]
    )
    grouped = GroupedRegressor(pipeline, list(GROUPS), list(FEATURES)).fit(seen, learnt, weight)
    names = {
        f"{asset_type}/{phase}" for asset_type in ("driver", "constructor") for phase in (BEFORE_PRACTICE, AT_LOCK)
    }
    assert set(grouped.estimators_) == names
    found = grouped.predict(seen)
    for name in names:
        own = (seen["asset_type"] + "/" + seen["phase"] == name).to_numpy()
        alone = clone(pipeline).fit(seen.loc[own, list(FEATURES)], learnt[own], ridge__sample_weight=weight[own])
        np.testing.assert_array_equal(found[own], alone.predict(seen.loc[own, list(FEATURES)]))
    with pytest.raises(AttributeError):
        pipeline.named_steps["ridge"].coef_  # noqa: B018 - the estimator given stays unfitted
    assert clone(grouped).get_params()["by"] == list(GROUPS)
    assert grouped.fit(seen.iloc[:0], learnt[:0], weight[:0]).predict(seen).tolist() == [0.0] * len(seen)


def test_boosting_is_grouped_by_type_alone(rows):
    window = training_window(rows, TARGET[1])
    estimator = fit(rows, BOOSTING, *TARGET).estimator
    assert set(estimator.estimators_) == {"driver", "constructor"}
    own = window[window["asset_type"] == "driver"]
    seen = inputs(own)[list(FEATURES)]
    trees = GradientBoostingRegressor(
        n_estimators=25, learning_rate=0.08, max_depth=2, min_samples_leaf=40, random_state=0
    )
    alone = Pipeline([("impute", SimpleImputer(strategy="median")), ("trees", trees)])
    alone.fit(seen, departures(own), trees__sample_weight=recency(own["race_date"].to_numpy(), 60.0))
    np.testing.assert_allclose(estimator.predict(inputs(own)), alone.predict(seen), rtol=1e-12)


# Values.


def test_missing_values_are_forecast(model, menu):
    bare = menu.astype({"has_sprint": "float64"})
    bare.loc[bare.index[0], [name for name in FEATURES if name != PRIOR_FEATURE]] = np.nan
    assert np.isfinite(forecast(model, bare)).all()


def test_a_missing_value_counts_as_the_median_of_training():
    past = pd.concat([signal(3), race("r9", "2024-06-01", 10 + 6 * SIGNS, **gap(np.where(SIGNS > 0, 1.0, np.nan)))])
    menu = race("next", "2026-01-01", **gap([np.nan, 1.0, *[0.0] * 8]))
    found = forecast(fit(past, RIDGE, "next", "2026-01-01"), menu)
    assert found[0] == pytest.approx(found[1])  # twenty of 1 and fifteen of -1 among those known


def test_a_column_that_is_always_missing_is_harmless(rows, menu, kind):
    empty = rows.assign(trend_points_per_million=np.nan)
    found = forecast(fit(empty, kind, *TARGET), menu)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, forecast(fit(empty, kind, *TARGET), menu.assign(trend_points_per_million=7.0)))


def test_nullable_decimal_and_boolean_columns_are_numbers(rows, menu, model, kind):
    typed = rows.assign(
        has_sprint=rows["has_sprint"].astype("boolean"),
        price_musd=[Decimal(str(value)) for value in rows["price_musd"]],
        points=rows["points"].astype("Float64"),
        circuit_mean_points=rows["circuit_mean_points"].astype("Float64"),
    )
    again = fit(typed, kind, *TARGET)
    own = typed[typed["race_key"] == TARGET[0]]
    np.testing.assert_array_equal(forecast(again, own), forecast(model, menu))
    assert points_fingerprint(typed, kind, *TARGET, again.settings) == points_fingerprint(
        rows, kind, *TARGET, again.settings
    )


def test_errors_name_the_column(rows, menu, kind):
    with pytest.raises(DataError, match="race_strength"):
        fit(rows.drop(columns="race_strength"), kind, *TARGET)
    with pytest.raises(DataError, match="numbers in pit_stop_s"):
        fit(rows.assign(pit_stop_s="slow"), kind, *TARGET)
    for column in ("points", *KEYS):
        with pytest.raises(DataError, match=f"'{column}'"):
            fit(rows.drop(columns=column), kind, *TARGET)
    trained = fit(rows, kind, *TARGET)
    with pytest.raises(DataError, match="phase"):
        forecast(trained, menu.drop(columns="phase"))
    with pytest.raises(DataError, match="numbers in has_sprint"):
        forecast(trained, menu.assign(has_sprint="maybe"))


def test_an_unknown_kind_is_named(rows):
    with pytest.raises(UsageError, match="expected one of ridge, boosting, found 'forest'"):
        fit(rows, "forest", *TARGET)
    with pytest.raises(UsageError, match="'car'"):
        build_estimator("car")


# Held-out seasons.


def test_seasons_are_held_out(rows, kind):
    window = training_window(rows, TARGET[1])
    own = replace(OWN, leaf_rows=10)
    held = out_of_fold(window, kind, own)
    assert held.groupby("fold")["season"].unique().map(list).to_dict() == {
        "2023": [2023],
        "2024": [2024],
        "2025": [2025],
    }
    assert len(held) == len(window)
    # by hand: 2024 from the other two, aged as if they followed each other
    other = window[window["season"] != 2024]
    fitted = build_estimator(kind, own).fit(
        inputs(other), departures(other), recency(other["race_date"].to_numpy(), 60.0)
    )
    own_rows = window[window["season"] == 2024]
    found = held[held["season"] == 2024]
    np.testing.assert_allclose(found["predicted"], expected_points(fitted, own_rows), rtol=1e-9)
    np.testing.assert_array_equal(found["actual"], own_rows["points"])
    np.testing.assert_array_equal(found["prior"], own_rows[PRIOR_FEATURE])


def test_points_of_a_held_out_season_change_nothing_of_its_forecast(rows):
    window = training_window(rows, TARGET[1])
    altered = window.assign(points=window["points"].where(window["season"] != 2024, -50.0))
    held, other = (out_of_fold(each, RIDGE, OWN) for each in (window, altered))
    is_own = held["season"] == 2024
    np.testing.assert_array_equal(held.loc[is_own, "predicted"], other.loc[is_own, "predicted"])
    assert (held.loc[~is_own, "predicted"] != other.loc[~is_own, "predicted"]).all()


def test_one_season_is_held_out_by_race(rows):
    window = training_window(rows, "2023-04-05")
    held = out_of_fold(window, RIDGE, OWN)
    assert sorted(held["fold"].unique()) == [f"fold-{number}" for number in range(1, 6)]
    assert (held.groupby("race_key")["fold"].nunique() == 1).all()
    three = out_of_fold(training_window(rows, "2023-03-20"), RIDGE, OWN)
    assert three["fold"].nunique() == three["race_key"].nunique() == 3


def test_fewer_than_three_races_are_not_held_out(rows):
    held = out_of_fold(training_window(rows, "2023-03-10"), RIDGE, OWN)
    assert held.empty
    assert {"predicted", "actual", "fold"} <= set(held.columns)
    assert cross_validated_metrics(held) == {}


def test_metrics_by_hand():
    held = pd.DataFrame(
        {
            "race_key": ["r1", "r1", "r1", "r2"],
            "asset_type": ["driver", "driver", "driver", "constructor"],
            "predicted": [10.0, 20.0, 30.0, 50.0],
            "prior": [12.0, 12.0, 12.0, 40.0],
            "actual": [13.0, 24.0, 30.0, 40.0],
        }
    )
    assert cross_validated_metrics(held) == {
        "cv_mae/driver": pytest.approx(7 / 3),
        "cv_rmse/driver": pytest.approx(np.sqrt(25 / 3)),
        "cv_prior_mae/driver": pytest.approx(31 / 3),
        "cv_spearman/driver": pytest.approx(1.0),
        "cv_mae/constructor": 10.0,
        "cv_rmse/constructor": 10.0,
        "cv_prior_mae/constructor": 0.0,
    }


# Records.


def test_fingerprint_ignores_the_order_of_rows_and_columns(rows):
    base = points_fingerprint(rows, RIDGE, *TARGET, OWN)
    mixed = rows.sample(frac=1.0, random_state=3)[rows.columns[::-1]].assign(unused=1)
    assert points_fingerprint(mixed, RIDGE, *TARGET, OWN) == base
    assert points_fingerprint(rows, RIDGE, TARGET[0], pd.Timestamp(TARGET[1]), OWN) == base
    assert len(base) == 64
    assert set(base) <= set("0123456789abcdef")


def test_fingerprint_notices_every_ingredient(rows):
    earlier = rows.index[rows["race_date"] < TARGET[1]]
    frames = []
    for column, value in (("points", 77.0), ("asset_id", "nobody"), ("season", 1999), ("race_key", "2023-else")):
        changed = rows.copy()
        changed.loc[earlier[0], column] = value
        frames.append(changed)
    for column in FEATURES:
        changed = rows.astype({column: "float64"})
        changed.loc[earlier[5], column] = np.nan
        frames.append(changed)
    for column, value in (("phase", BEFORE_PRACTICE), ("asset_type", "constructor")):
        changed = rows.copy()
        changed.loc[earlier[10], column] = value if rows.loc[earlier[10], column] != value else "other"
        frames.append(changed)
    marks = [points_fingerprint(each, RIDGE, *TARGET, OWN) for each in (rows, *frames, rows.drop(index=earlier[3]))]
    marks.append(points_fingerprint(rows, BOOSTING, *TARGET, OWN))
    marks.append(points_fingerprint(rows, RIDGE, "2025-other", TARGET[1], OWN))
    marks.append(points_fingerprint(rows, RIDGE, TARGET[0], "2025-03-21", OWN))  # the same rows, another day
    for each in fields(OWN):
        marks.append(points_fingerprint(rows, RIDGE, *TARGET, replace(OWN, **{each.name: 7})))
    assert len(set(marks)) == len(marks)


def test_a_record_says_settings_window_and_errors_on_unseen_seasons(rows):
    trained = fit(rows, RIDGE, *TARGET)
    window = training_window(rows, TARGET[1])
    record = points_record(trained, window, "f" * 64)
    held = out_of_fold(window[window["phase"] == AT_LOCK], RIDGE, trained.settings)
    assert record.metrics == cross_validated_metrics(held)
    assert record.params == points_params(trained)
    assert record.params["train_last_race_key"] == "2025-race-02"
    assert (record.params["train_row_count"], record.params["ridge_penalty"]) == (600, 600.0)
    assert set(record.artifacts) == {"features.json", "residuals.png"}
    assert record.artifacts["residuals.png"].startswith(b"\x89PNG")
    assert record.tags() == {"candidate": RIDGE, "race_key": TARGET[0], "race_date": TARGET[1], "notes": ""}
    assert record.estimator is trained.estimator


def test_a_record_says_what_is_missing(rows):
    def notes(kind, race_key, race_date):
        trained = fit(rows, kind, race_key, race_date)
        record = points_record(trained, training_window(rows, race_date), "f" * 64)
        return record.notes, dict(record.metrics), set(record.artifacts)

    none = {"features.json"}
    assert notes(RIDGE, "2023-race-00", "2023-03-01") == ("no earlier race: the forecast is the baseline's", {}, none)
    assert notes(RIDGE, "2023-race-02", "2023-03-15") == ("no cross-validation: 2 earlier races, 3 needed", {}, none)
    assert notes(BOOSTING, *TARGET) == ("", {}, none)


def test_an_average_is_its_parts():
    parts = {"strength": "models:/points_forecast/1", "ridge": "models:/points_forecast/2", "ewma": "ewma"}
    record = average_record("2026-one", "2026-03-01", parts)
    assert record.params == parts
    assert b'"weight": 0.3333333333333333' in record.files["average.json"]
    backwards = dict(reversed(parts.items()))
    assert average_record("2026-one", "2026-03-01", backwards).fingerprint == record.fingerprint
    other = [
        average_record("2026-two", "2026-03-01", parts),
        average_record("2026-one", "2026-03-01", {**parts, "ridge": "models:/points_forecast/3"}),
        average_record("2026-one", "2026-03-01", {"strength": parts["strength"]}),
    ]
    assert len({record.fingerprint, *(each.fingerprint for each in other)}) == 4


def test_residuals_are_drawn_alike_whatever_was_drawn_before(rows):
    held = out_of_fold(training_window(rows, "2023-04-05"), RIDGE, OWN)
    plot = ResidualPlot()
    first = plot.png(held, "ridge")
    assert plot.png(held.iloc[:0], "nothing") is None
    assert plot.png(held.assign(predicted=held["predicted"] * 9), "wide") != first
    assert plot.png(held, "ridge") == first
    assert ResidualPlot().png(held.iloc[:1], "one row")[:4] == b"\x89PNG"
