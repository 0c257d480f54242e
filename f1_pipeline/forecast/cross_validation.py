"""Choose the penalty of a points model on seasons it has not seen, and weigh its rows.

Belongs here: folds, weights, out-of-fold forecasts and their errors. The arithmetic of one fold is `forecast.held_out`,
the final fit on all rows `forecast.points_model`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from f1_pipeline.forecast import evaluation
from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE
from f1_pipeline.forecast.held_out import HeldOutBlend
from f1_pipeline.forecast.model_settings import PointsModelSettings


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The outcome of choosing a penalty on held-out groups."""

    alpha: float
    metrics: dict[str, float]
    fold_metrics: dict[str, dict[str, float]]
    out_of_fold: pd.DataFrame


def _race_ages(race_dates: np.ndarray) -> np.ndarray:
    """Count races ago for each row: 1 for the newest race of the window."""
    races, position = np.unique(race_dates, return_inverse=True)
    return len(races) - position


def recency(race_dates: np.ndarray, settings: PointsModelSettings) -> np.ndarray:
    """Weigh each row by the age of its race.

    Parameters
    ----------
    race_dates : ndarray of datetime64, shape (n,)
        The race of each training row.
    settings : PointsModelSettings
        Half-life and weight of the prior.

    Returns
    -------
    ndarray of shape (n,)
        1 for a race that is just over, one half after the half-life.
    """
    return 0.5 ** (_race_ages(race_dates) / settings.half_life_races)


def ridge_share(race_dates: np.ndarray, settings: PointsModelSettings) -> float:
    """Give the ridge the share that its recency-weighted races have earned.

    Parameters
    ----------
    race_dates : ndarray of datetime64, shape (n,)
        The race of each training row.
    settings : PointsModelSettings
        Half-life and weight of the prior.

    Returns
    -------
    float
        0 without races, one half at `prior_races`, towards 1.
    """
    ages = np.unique(_race_ages(race_dates))
    races = float(np.sum(0.5 ** (ages / settings.half_life_races)))
    return races / (races + settings.prior_races)


def _folds(rows: pd.DataFrame, settings: PointsModelSettings) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Split by season; within a single season by race."""
    seasons = rows["season"].to_numpy()
    if len(np.unique(seasons)) > 1:
        for fitted, held in LeaveOneGroupOut().split(seasons, groups=seasons):
            yield str(seasons[held[0]]), fitted, held
        return
    races = rows["race_key"].to_numpy()
    splitter = GroupKFold(n_splits=min(settings.max_race_folds, len(np.unique(races))))
    for number, (fitted, held) in enumerate(splitter.split(races, groups=races), start=1):
        yield f"fold-{number}", fitted, held


def cross_validate(rows: pd.DataFrame, features: pd.DataFrame, settings: PointsModelSettings) -> CrossValidation:
    """Predict each held-out group with every penalty; keep the one with the least squared error.

    The folds are the seasons, or groups of races within a single season, so that a race is never on both
    sides.
    """
    actual, dates = rows["points"].to_numpy(), rows["race_date"].to_numpy()
    blend = HeldOutBlend(features, actual)
    predicted = np.full((len(settings.alphas), len(rows)), np.nan)
    folds = list(_folds(rows, settings))
    for _, fitted, held in folds:
        weights, share = recency(dates[fitted], settings), ridge_share(dates[fitted], settings)
        predicted[:, held] = blend.forecasts(fitted, held, weights, settings.alphas, share)
    best = int(np.argmin(np.square(predicted - actual).mean(axis=1)))
    chosen = rows[["race_key", "season", "asset_id"]].assign(predicted=predicted[best], actual=actual)
    prior = features[PRIOR_FEATURE].to_numpy()
    per_fold = {name: _fold_metrics(chosen.iloc[held], prior[held]) for name, _, held in folds}
    means = pd.DataFrame(per_fold.values()).mean()
    return CrossValidation(settings.alphas[best], {str(k): float(v) for k, v in means.items()}, per_fold, chosen)


def _fold_metrics(held: pd.DataFrame, prior: np.ndarray) -> dict[str, float]:
    """Score one held-out group, next to the prior alone on the same rows."""
    known = ~np.isnan(prior)
    figures = {
        "cv_mae": evaluation.mae(held["predicted"], held["actual"]),
        "cv_rmse": evaluation.rmse(held["predicted"], held["actual"]),
        "cv_prior_mae": evaluation.mae(prior[known], held["actual"][known]),
        "cv_prior_rmse": evaluation.rmse(prior[known], held["actual"][known]),
    }
    rank = evaluation.spearman(held["predicted"], held["actual"], held["race_key"])
    return figures if rank is None else {**figures, "cv_spearman": rank}
