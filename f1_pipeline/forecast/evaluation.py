"""How good a forecast was: pure figures of predicted against scored points.

Belongs here: functions of arrays and frames that return numbers. Nothing is fitted, read or stored here; the
neighbours `forecast.points_model` (cross-validation) and the review of a race's line-up call these.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from f1_pipeline.errors import DataError

_KEYS = ["race_key", "asset_id"]


def _pair(predicted: ArrayLike, actual: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Convert both to float arrays and insist on the same, non-zero length."""
    left, right = np.asarray(predicted, dtype=float), np.asarray(actual, dtype=float)
    if left.shape != right.shape or left.ndim != 1 or left.size == 0:
        raise DataError(f"evaluation: expected two equal, non-empty columns, found {left.shape} and {right.shape}")
    return left, right


def mae(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Average the absolute errors.

    Parameters
    ----------
    predicted, actual : array_like of shape (n,)
        Points.

    Returns
    -------
    float
        Points.

    Raises
    ------
    DataError
        When the lengths differ or nothing was given.
    """
    left, right = _pair(predicted, actual)
    return float(np.abs(left - right).mean())


def rmse(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Take the root of the mean squared error.

    Parameters
    ----------
    predicted, actual : array_like of shape (n,)
        Points.

    Returns
    -------
    float
        Points.

    Raises
    ------
    DataError
        When the lengths differ or nothing was given.
    """
    left, right = _pair(predicted, actual)
    return float(np.sqrt(np.square(left - right).mean()))


def spearman(predicted: ArrayLike, actual: ArrayLike, race_key: ArrayLike) -> float | None:
    """Correlate the ranks within each race, then average over races.

    Parameters
    ----------
    predicted, actual : array_like of shape (n,)
        Points.
    race_key : array_like of shape (n,)
        The race of each row; ties share their mean rank.

    Returns
    -------
    float or None
        Between -1 and 1. None when no race has two different values on both sides, where a rank correlation
        is not defined.

    Raises
    ------
    DataError
        When the lengths differ or nothing was given.
    """
    left, right = _pair(predicted, actual)
    races = np.asarray(race_key)
    found = []
    for key in pd.unique(races):
        here = races == key
        one, other = _centred_ranks(left[here]), _centred_ranks(right[here])
        size = float(np.sqrt((one @ one) * (other @ other)))
        if size > 0:
            found.append(float(one @ other) / size)
    return float(np.mean(found)) if found else None


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    """Rank around 0, ties sharing their mean rank; by comparing all pairs, which is quickest for a field of 20."""
    below = (values[:, None] > values).sum(axis=1)
    equal = (values[:, None] == values).sum(axis=1)
    return below + (equal - len(values)) / 2


def coverage(lower: ArrayLike, upper: ArrayLike, actual: ArrayLike) -> float:
    """Count how often the interval held the score, both ends included.

    Parameters
    ----------
    lower, upper, actual : array_like of shape (n,)
        Points; for p10 and p90 the aim is 0.80.

    Returns
    -------
    float
        Share between 0 and 1.

    Raises
    ------
    DataError
        When the lengths differ or nothing was given.
    """
    low, right = _pair(lower, actual)
    high, _ = _pair(upper, actual)
    return float(((low <= right) & (right <= high)).mean())


def capture_share(actual_points: float, hindsight_points: float) -> float | None:
    """Divide what a line-up scored by what the best affordable line-up would have scored.

    Parameters
    ----------
    actual_points : float
        Points of the chosen line-up, boost included.
    hindsight_points : float
        Points of the best line-up that the same budget allowed.

    Returns
    -------
    float or None
        At most 1 when the hindsight is right; negative when the line-up lost points. None when the best
        possible was not positive, where the share says nothing.
    """
    return actual_points / hindsight_points if hindsight_points > 0 else None


def evaluate(predictions: pd.DataFrame, actuals: pd.DataFrame) -> dict[str, float | int | None]:
    """Compare the forecasts of one or many races with what was scored.

    Parameters
    ----------
    predictions : DataFrame
        race_key, asset_id, expected_points; with p10 and p90 the coverage is measured too.
    actuals : DataFrame
        race_key, asset_id, points. Only rows on both sides count.

    Returns
    -------
    dict
        row_count, race_count, mae, rmse, bias (predicted minus scored), spearman (mean over races, or None)
        and, when there are intervals, coverage_80.

    Raises
    ------
    DataError
        When no row is on both sides, or a key is twice on one side.
    """
    scored = actuals[[*_KEYS, "points"]].dropna(subset=["points"])
    try:
        both = predictions.merge(scored, on=_KEYS, validate="one_to_one")
    except pd.errors.MergeError as error:
        raise DataError(f"evaluation: expected one row per {_KEYS}, found a repeated key ({error})") from error
    if both.empty:
        raise DataError("evaluation: expected rows that were both predicted and scored, found none")
    predicted, actual = both["expected_points"], both["points"]
    figures: dict[str, float | int | None] = {
        "row_count": len(both),
        "race_count": int(both["race_key"].nunique()),
        "mae": mae(predicted, actual),
        "rmse": rmse(predicted, actual),
        "bias": float((predicted - actual).mean()),
        "spearman": spearman(predicted, actual, both["race_key"]),
    }
    if {"p10", "p90"} <= set(both.columns):
        figures["coverage_80"] = coverage(both["p10"], both["p90"], actual)
    return figures
