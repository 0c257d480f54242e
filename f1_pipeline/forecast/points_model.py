"""Train a points model for one race, and forecast with it.

Belongs here: the training window, the final fit, the record of a training and the forecast, on frames in memory. The
pipeline is `forecast.points_pipeline`, weights and held-out seasons `forecast.cross_validation`, the interval around an
expectation `forecast.spread`; storing a model is `forecast.tracking`, the only module that knows MLflow.

The ridge's share of the blend is ``w = R / (R + 20)``, R being the recency-weighted number of races seen: 0 at the
first race, one half after about a season, near three quarters after three.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.cross_validation import CrossValidation, cross_validate, recency, ridge_share
from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE, feature_set
from f1_pipeline.forecast.model_settings import DEFAULT_SETTINGS, PointsModelSettings, settings_dict
from f1_pipeline.forecast.points_pipeline import (
    build_pipeline,
    feature_frame,
    fit_blend,
    two_point_prior,
)
from f1_pipeline.forecast.spread import Spread, fit_spread, uninformed_spread

__all__ = [
    "DEFAULT_SETTINGS",
    "PointsForecaster",
    "PointsModelSettings",
    "TrainedPointsModel",
    "build_pipeline",
    "predict",
    "settings_dict",
    "train",
    "training_window",
]


_KEYS = ["race_key", "race_date", "season", "asset_id"]


@dataclass(frozen=True, eq=False)
class PointsForecaster:
    """What is needed to forecast: the fitted pipeline and the spread around it.

    Attributes
    ----------
    asset_type : str
        `driver` or `constructor`.
    pipeline : Pipeline
        Fitted; `predict` on a frame with `feature_names` gives expected points.
    feature_names : tuple of str
        Input columns, in order.
    spread : Spread
        Turns an expectation into a standard deviation and quantiles.
    """

    asset_type: str
    pipeline: Pipeline
    feature_names: tuple[str, ...]
    spread: Spread


@dataclass(frozen=True, eq=False)
class TrainedPointsModel(PointsForecaster):
    """A forecaster with the record of its training.

    Attributes
    ----------
    target_race_key : str
        The race it was trained for; every training row is older.
    target_race_date : date
        Its date.
    settings : PointsModelSettings
        As trained with.
    alpha : float
        The penalty that was chosen.
    ridge_weight : float
        Share of the ridge in the blend, 0 to 1; the prior has the rest.
    row_count, race_count : int
        Size of the training window.
    first_race_key, last_race_key : str or None
        Its ends, None when empty.
    metrics : dict of str to float, or None
        Means over folds: cv_mae, cv_rmse, cv_spearman and the prior's own cv_prior_mae, cv_prior_rmse.
    fold_metrics : dict of str to dict
        The same per fold; named by season, or `fold-<n>` within one season.
    no_cv_reason : str or None
        Why `metrics` is None.
    out_of_fold : DataFrame
        race_key, season, asset_id, predicted, actual of the held-out rows, empty without cross-validation.
    """

    target_race_key: str
    target_race_date: date
    settings: PointsModelSettings
    alpha: float
    ridge_weight: float
    row_count: int
    race_count: int
    first_race_key: str | None
    last_race_key: str | None
    metrics: dict[str, float] | None
    fold_metrics: dict[str, dict[str, float]]
    no_cv_reason: str | None
    out_of_fold: pd.DataFrame


def train(
    training: pd.DataFrame,
    asset_type: str,
    target_race_key: str,
    target_race_date: object,
    settings: PointsModelSettings = DEFAULT_SETTINGS,
) -> TrainedPointsModel:
    """Train on races strictly before the target, with cross-validation grouped by season.

    Parameters
    ----------
    training : DataFrame
        One row per race and asset: race_key, race_date, season, asset_id, the features as they were known
        before that race, and points. Rows of the target race and later ones, and rows without points, are
        left out.
    asset_type : str
        `driver` or `constructor`.
    target_race_key : str
        The race to forecast.
    target_race_date : date or Timestamp
        Its date; only earlier rows are used.
    settings : PointsModelSettings
        Penalties, half-life, weight of the prior.

    Returns
    -------
    TrainedPointsModel
        With no earlier row at all, the prior alone (price only) with a documented, uninformed spread.

    Raises
    ------
    DataError
        When a column is missing or not numeric.
    """
    rows = training_window(training, target_race_date)
    names = feature_set(asset_type).columns
    features = feature_frame(rows, asset_type)
    dates = rows["race_date"].to_numpy()
    race_count = len(np.unique(dates))
    if race_count == 0:
        features, actual, weights = *two_point_prior(asset_type), np.ones(2)
    else:
        actual, weights = rows["points"].to_numpy(), recency(dates, settings)
    with _one_thread():
        cross = cross_validate(rows, features, settings) if race_count >= settings.min_races_for_cv else None
        alpha = cross.alpha if cross else max(settings.alphas)
        ridge_weight = ridge_share(dates, settings)
        pipeline = build_pipeline(asset_type, alpha)
        prepared = pipeline.named_steps["prepare"].fit_transform(features)
        fit_blend(pipeline, prepared, actual, weights, alpha, ridge_weight)
    few = f"{race_count} races before {target_race_key}, {settings.min_races_for_cv} needed"
    return TrainedPointsModel(
        asset_type=asset_type,
        pipeline=pipeline,
        feature_names=names,
        spread=_spread(rows, cross, asset_type),
        target_race_key=target_race_key,
        target_race_date=date.fromisoformat(str(target_race_date)[:10]),
        settings=settings,
        alpha=alpha,
        ridge_weight=ridge_weight,
        row_count=len(rows),
        race_count=race_count,
        first_race_key=rows["race_key"].iloc[0] if race_count else None,
        last_race_key=rows["race_key"].iloc[-1] if race_count else None,
        metrics=cross.metrics if cross else None,
        fold_metrics=cross.fold_metrics if cross else {},
        no_cv_reason=None if cross else few,
        out_of_fold=cross.out_of_fold if cross else _no_rows(),
    )


def predict(model: PointsForecaster, features: pd.DataFrame) -> pd.DataFrame:
    """Forecast the points of the assets of one race.

    Parameters
    ----------
    model : PointsForecaster
        Freshly trained or loaded from the tracking store.
    features : DataFrame
        asset_id and the feature columns, one row per asset.

    Returns
    -------
    DataFrame
        asset_id, expected_points, sd_points, p10, p50, p90 in the order given, with p10 <= p50 <= p90.

    Raises
    ------
    DataError
        When a feature column is missing or not numeric.
    """
    if features.empty:
        expected = np.empty(0)
    else:
        expected = np.asarray(model.pipeline.predict(feature_frame(features, model.asset_type)), dtype=float)
    scale, spread = model.spread.scale(expected), model.spread
    return pd.DataFrame(
        {
            "asset_id": features["asset_id"].to_numpy(),
            "expected_points": expected,
            "sd_points": spread.sd * scale,
            "p10": expected + spread.q10 * scale,
            "p50": expected + spread.q50 * scale,
            "p90": expected + spread.q90 * scale,
        }
    )


def training_window(training: pd.DataFrame, target_race_date: object) -> pd.DataFrame:
    """Keep scored rows of races strictly before a date, in calendar order.

    Parameters
    ----------
    training : DataFrame
        As for `train`.
    target_race_date : date or Timestamp
        The race to forecast.

    Returns
    -------
    DataFrame
        Sorted by race_date, race_key, asset_id; points as float64; index 0…n-1.

    Raises
    ------
    DataError
        When a key column or points is missing.
    """
    missing = [column for column in (*_KEYS, "points") if column not in training.columns]
    if missing:
        raise DataError(f"training rows: expected the columns {[*_KEYS, 'points']}, found none named {missing}")
    typed = training.astype({"race_date": "datetime64[us]", "points": "float64"})
    earlier = typed["race_date"] < pd.Timestamp(str(target_race_date))
    kept = typed[earlier & typed["points"].notna()]
    return kept.sort_values(["race_date", "race_key", "asset_id"], ignore_index=True)


@cache
def _thread_pools() -> ThreadpoolController:
    """Find the linear algebra libraries of this process, once."""
    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[object]:
    """Keep linear algebra on one thread.

    Matrices of 28 columns gain nothing from more, and lose a factor of ten while threads wait for a busy core; sums
    also come out the same whatever the number of cores.
    """
    return _thread_pools().limit(limits=1, user_api="blas")


def _spread(rows: pd.DataFrame, cross: CrossValidation | None, asset_type: str) -> Spread:
    """Describe the errors: out-of-fold if there are any, else the prior's own, else a round figure."""
    if cross is not None:
        return fit_spread(cross.out_of_fold["predicted"], cross.out_of_fold["actual"], "out_of_fold")
    if len(rows) and rows[PRIOR_FEATURE].notna().all():
        # The prior of each row was made before its race, so its errors are honest even without
        # cross-validation.
        return fit_spread(rows[PRIOR_FEATURE].astype("float64"), rows["points"], "prior_errors")
    return uninformed_spread(asset_type)


def _no_rows() -> pd.DataFrame:
    """Make the empty out-of-fold frame."""
    return pd.DataFrame({name: [] for name in ("race_key", "season", "asset_id", "predicted", "actual")})
