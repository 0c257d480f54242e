"""How far scores fall from a forecast: one scale line and three quantiles, learnt from errors on unseen rows.

Belongs here: the spread around an expectation, fitted and applied. The expectation itself, and which errors
count as unseen, is the neighbour `forecast.points_model`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

UNINFORMED_SD_POINTS = {"driver": 15.0, "constructor": 22.0}
"""Spread of a score around a price-only guess before any race is known: a round figure for a field whose
scores run from about -20 to 50 (drivers) and -30 to 90 (constructors)."""

_NORMAL_QUANTILES = (-1.2816, 0.0, 1.2816)


@dataclass(frozen=True)
class Spread:
    """How far scores fall from a forecast, growing with the level of the forecast.

    The scale of an error is ``max(floor_points, intercept_points + slope * expected_points)``; quantiles and
    standard deviation are those of errors divided by their scale.

    Attributes
    ----------
    intercept_points, slope, floor_points : float
        The scale line, in points.
    q10, q50, q90, sd : float
        Of the scaled errors (scored minus expected), without unit.
    origin : str
        `out_of_fold`, `prior_errors` (too few races for cross-validation) or `uninformed` (no race at all).
    """

    intercept_points: float
    slope: float
    floor_points: float
    q10: float
    q50: float
    q90: float
    sd: float
    origin: str

    def scale(self, expected_points: np.ndarray) -> np.ndarray:
        """Give the scale of the error at these forecasts, in points (array of the same shape)."""
        return np.maximum(self.floor_points, self.intercept_points + self.slope * expected_points)


def fit_spread(predicted: pd.Series, actual: pd.Series, origin: str) -> Spread:
    """Fit the absolute error as a line in the forecast, and take quantiles of the errors in units of it.

    The slope is kept at or above zero and the scale at or above half the mean absolute error, so that neither
    a handful of rows nor a forecast far below the field can make an interval vanish.

    Parameters
    ----------
    predicted, actual : Series of shape (n,)
        Points, from rows that the forecast had not seen.
    origin : str
        Where those rows come from; kept in the result.

    Returns
    -------
    Spread
    """
    level, error = (
        predicted.to_numpy(dtype=float),
        actual.to_numpy(dtype=float) - predicted.to_numpy(dtype=float),
    )
    size = np.abs(error)
    centred = level - level.mean()
    variance = float(np.square(centred).mean())
    slope = max(0.0, float((centred * size).mean()) / variance) if variance > 0 else 0.0
    intercept = float(size.mean()) - slope * float(level.mean())
    floor = max(0.5 * float(size.mean()), 1.0)
    scaled = error / np.maximum(floor, intercept + slope * level)
    q10, q50, q90 = (float(q) for q in np.quantile(scaled, (0.1, 0.5, 0.9)))
    return Spread(intercept, slope, floor, q10, q50, q90, float(np.sqrt(np.square(scaled).mean())), origin)


def uninformed_spread(asset_type: str) -> Spread:
    """Give the spread to assume before any race is known: normal errors of a documented size.

    Parameters
    ----------
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    Spread
    """
    low, middle, high = _NORMAL_QUANTILES
    wide = UNINFORMED_SD_POINTS[asset_type]
    return Spread(wide, 0.0, wide, low, middle, high, 1.0, "uninformed")
