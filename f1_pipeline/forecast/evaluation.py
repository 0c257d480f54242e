"""How good a forecast was: pure figures of predicted against scored points.

Belongs here: functions of arrays and frames that return numbers; of point forecasts, and of distributions given as
ensembles, one row of members per score. Nothing is read or stored here, and nothing is fitted but the spread of past
errors that turns a point forecast into a distribution to compare with (`past_error_ensemble`). Neighbours:
`forecast.points_model` (cross-validation), the review of a race's line-up and `steps.evaluation` call these.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.typing import ArrayLike

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.spread import fit_spread, uninformed_spread

Floats = npt.NDArray[np.float64]

QUANTILES = {"p05": 0.05, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}
"""The quantiles that a forecast publishes, by column."""

INTERVALS = {50: ("p25", "p75"), 80: ("p10", "p90"), 90: ("p05", "p95")}
"""Columns of the intervals that should hold 50, 80 and 90 percent of the scores: equal tails."""

ENSEMBLE_SIZE = 400
"""Members of an ensemble of past errors, at the quantiles 1/800, 3/800, …: ten times as many move the mean CRPS of the
baselines over 2023-26 by less than 0.001 points."""

RETURN_CLASSES = ("negative", "low", "mid", "haul")
RETURN_CLASS_LIMITS = {"driver": (10.0, 25.0), "constructor": (25.0, 60.0)}
"""Fewest points of a `mid` and of a `haul`. Round figures near the median and the best fifth of the weekends of
2023-26 (drivers 10 and 25, constructors 25 and 57 points): a low return is worse than the usual one, a haul decides a
week. Two cars score for a constructor, so its limits lie higher."""

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
    return float(is_within(lower, upper, actual).mean())


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


def crps(members: ArrayLike, actual: ArrayLike) -> Floats:
    """Score each distribution against what happened: the continuous ranked probability score of an ensemble.

    Parameters
    ----------
    members : array_like of shape (n, m)
        Points; each row an ensemble, in any order, every member equally likely.
    actual : array_like of shape (n,)
        Points.

    Returns
    -------
    ndarray of shape (n,)
        Points, 0 at best; of an ensemble that is one value it is the absolute error.

    Raises
    ------
    DataError
        When the shapes do not fit, or an ensemble is empty.

    Notes
    -----
    The plain score ``E|X - y| - E|X - X'| / 2`` with both X and X' drawn from the members (Gneiting & Raftery 2007,
    Strictly Proper Scoring Rules, Prediction, and Estimation, JASA 102, eq. 21), not the "fair" one that divides by
    m (m - 1): the members are what was published, so it is they that are scored, not a distribution behind them.
    """
    drawn, right = _ensemble(members, actual)
    count = drawn.shape[1]
    ordered = np.sort(drawn, axis=1)
    # Of m sorted members the k-th is the larger of a pair k - 1 times and the smaller m - k times.
    weight = (2.0 * np.arange(1, count + 1) - count - 1) / count**2
    return np.abs(ordered - right[:, None]).mean(axis=1) - ordered @ weight


def pit(members: ArrayLike, actual: ArrayLike) -> Floats:
    """Say where in its distribution each score fell: the probability integral transform.

    Parameters
    ----------
    members : array_like of shape (n, m)
        Points; each row an ensemble.
    actual : array_like of shape (n,)
        Points.

    Returns
    -------
    ndarray of shape (n,)
        Share of the members below the score, plus half the share of those equal to it: points are whole numbers, and
        a tie belongs to neither side. Even over 0 to 1 when the distributions are right.

    Raises
    ------
    DataError
        When the shapes do not fit, or an ensemble is empty.
    """
    drawn, right = _ensemble(members, actual)
    below, equal = (drawn < right[:, None]).mean(axis=1), (drawn == right[:, None]).mean(axis=1)
    return below + equal / 2


def _ensemble(members: ArrayLike, actual: ArrayLike) -> tuple[Floats, Floats]:
    """Convert both to float arrays and insist on one non-empty ensemble per score."""
    drawn, right = np.asarray(members, dtype=float), np.asarray(actual, dtype=float)
    if drawn.ndim != 2 or right.ndim != 1 or len(drawn) != len(right) or drawn.shape[1] == 0:
        raise DataError(
            f"evaluation: expected one row of members per score, found the shapes {drawn.shape} and {right.shape}"
        )
    return drawn, right


def is_within(lower: ArrayLike, upper: ArrayLike, actual: ArrayLike) -> npt.NDArray[np.bool_]:
    """Say which intervals hold the score, both ends included.

    Parameters
    ----------
    lower, upper, actual : array_like of shape (n,)
        Points.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    DataError
        When the lengths differ or nothing was given.
    """
    low, right = _pair(lower, actual)
    high, _ = _pair(upper, actual)
    return (low <= right) & (right <= high)


def ensemble_quantiles(members: ArrayLike) -> pd.DataFrame:
    """Take the published quantiles of each ensemble.

    Parameters
    ----------
    members : array_like of shape (n, m)
        Points; each row an ensemble, in any order.

    Returns
    -------
    DataFrame
        n rows, the columns of `QUANTILES`, points; between two members the quantile is on the line that joins them.
    """
    found = np.quantile(np.asarray(members, dtype=float), list(QUANTILES.values()), axis=1)
    return pd.DataFrame(dict(zip(QUANTILES, found, strict=True)))


def return_class(points: ArrayLike, asset_type: str) -> npt.NDArray[np.str_]:
    """Sort weekends by what they returned.

    Parameters
    ----------
    points : array_like of shape (n,)
        Points scored.
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    ndarray of str, shape (n,)
        `negative` below 0 points, `haul` from the second of the `RETURN_CLASS_LIMITS` on, `mid` from the first on,
        `low` between.

    Raises
    ------
    DataError
        When the asset type is unknown.
    """
    if asset_type not in RETURN_CLASS_LIMITS:
        raise DataError(f"evaluation: expected an asset type of {sorted(RETURN_CLASS_LIMITS)}, found {asset_type!r}")
    bounds = (0.0, *RETURN_CLASS_LIMITS[asset_type])
    return np.array(RETURN_CLASSES)[np.searchsorted(bounds, np.asarray(points, dtype=float), side="right")]


def past_error_ensemble(
    past_predicted: ArrayLike, past_actual: ArrayLike, predicted: ArrayLike, asset_type: str
) -> Floats:
    """Turn point forecasts into distributions: each plus the errors that the same forecast made before.

    Parameters
    ----------
    past_predicted, past_actual : array_like of shape (k,)
        Points of earlier races; with none, the errors are those of `uninformed_spread`.
    predicted : array_like of shape (n,)
        Points.
    asset_type : str
        `driver` or `constructor`, of all rows.

    Returns
    -------
    ndarray of shape (n, ENSEMBLE_SIZE)
        Points, each row ascending. Errors are in units of the scale that `fit_spread` describes, as quantiles on an
        even grid.

    Raises
    ------
    DataError
        When the past's lengths differ.
    """
    grid = (np.arange(ENSEMBLE_SIZE) + 0.5) / ENSEMBLE_SIZE
    level = np.asarray(predicted, dtype=float)
    if np.size(past_predicted) == 0 and np.size(past_actual) == 0:
        spread, scaled = uninformed_spread(asset_type), np.array([NormalDist().inv_cdf(share) for share in grid])
    else:
        before, scored = _pair(past_predicted, past_actual)
        spread = fit_spread(before, scored)
        scaled = np.quantile((scored - before) / spread.scale(before), grid)
    return level[:, None] + spread.scale(level)[:, None] * scaled


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
