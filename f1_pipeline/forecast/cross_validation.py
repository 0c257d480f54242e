"""Errors of a points model on seasons that it has not seen: what is logged beside a training.

Belongs here: folds, and out-of-fold forecasts. Nothing is chosen by them; what a model is worth on the races to come
is told by the walk-forward errors of `evaluation.asset_error`. Neighbour: `forecast.points_model` trains.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from f1_pipeline.forecast import evaluation
from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE
from f1_pipeline.forecast.points_model import (
    PointsModelSettings,
    build_estimator,
    departures,
    inputs,
    recency,
)
from f1_pipeline.forecast.threads import one_thread

MIN_RACES = 3
_RACE_FOLDS = 5


def out_of_fold(rows: pd.DataFrame, kind: str, settings: PointsModelSettings) -> pd.DataFrame:
    """Forecast each season by a model of the others; within a single season, groups of races.

    Parameters
    ----------
    rows : DataFrame
        From `training_window`, of one phase or several.
    kind : str
        `ridge` or `boosting`.
    settings : PointsModelSettings

    Returns
    -------
    DataFrame
        race_key, season, asset_type, asset_id, fold, predicted, prior, actual; empty with fewer than `MIN_RACES` races.
    """
    seen = inputs(rows)
    learnt, dates = departures(rows), rows["race_date"].to_numpy()
    prior = rows[PRIOR_FEATURE].to_numpy(dtype=float)
    parts = []
    with one_thread():
        for name, fitted, held in _folds(rows):
            weights = recency(dates[fitted], settings.half_life_races)
            model = build_estimator(kind, settings).fit(seen.iloc[fitted], learnt[fitted], weights)
            held_rows = rows.iloc[held][["race_key", "season", "asset_type", "asset_id"]]
            predicted = prior[held] + model.predict(seen.iloc[held])
            actual = rows["points"].to_numpy()[held]
            parts.append(held_rows.assign(fold=name, predicted=predicted, prior=prior[held], actual=actual))
    if not parts:
        names = ("race_key", "season", "asset_type", "asset_id", "fold", "predicted", "prior", "actual")
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(parts, ignore_index=True)


def cross_validated_metrics(held: pd.DataFrame) -> dict[str, float]:
    """Sum up out-of-fold forecasts by type of asset.

    Parameters
    ----------
    held : DataFrame
        From `out_of_fold`.

    Returns
    -------
    dict of str to float
        `cv_mae/driver`, `cv_rmse/driver`, `cv_spearman/driver`, `cv_prior_mae/driver` and the same for constructors.
    """
    figures: dict[str, float] = {}
    for asset_type, rows in held.groupby("asset_type"):
        rank = evaluation.spearman(rows["predicted"], rows["actual"], rows["race_key"])
        figures |= {
            f"cv_mae/{asset_type}": evaluation.mae(rows["predicted"], rows["actual"]),
            f"cv_rmse/{asset_type}": evaluation.rmse(rows["predicted"], rows["actual"]),
            f"cv_prior_mae/{asset_type}": evaluation.mae(rows["prior"], rows["actual"]),
        } | ({} if rank is None else {f"cv_spearman/{asset_type}": rank})
    return figures


def _folds(rows: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Split by season; within a single season by race."""
    races = rows["race_key"].to_numpy()
    if len(np.unique(races)) < MIN_RACES:
        return
    seasons = rows["season"].to_numpy()
    if len(np.unique(seasons)) > 1:
        for fitted, held in LeaveOneGroupOut().split(seasons, groups=seasons):
            yield str(seasons[held[0]]), fitted, held
        return
    splitter = GroupKFold(n_splits=min(_RACE_FOLDS, len(np.unique(races))))
    for number, (fitted, held) in enumerate(splitter.split(races, groups=races), start=1):
        yield f"fold-{number}", fitted, held
