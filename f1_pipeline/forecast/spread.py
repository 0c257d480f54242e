"""How far scores fall from a forecast that is a single figure: one scale line, learnt from its earlier errors.

Belongs here: the scale, fitted and applied. What is made of it, a distribution around a baseline, is the neighbour
`forecast.evaluation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNINFORMED_SD_POINTS = {"driver": 15.0, "constructor": 22.0}
"""Spread of a score around a price-only guess before any race is known: a round figure for a field whose
scores run from about -20 to 50 (drivers) and -30 to 90 (constructors)."""


@dataclass(frozen=True)
class Spread:
    """How far scores fall from a forecast, growing with the level of the forecast.

    The scale of an error is ``max(floor_points, intercept_points + slope * expected_points)``.

    Attributes
    ----------
    intercept_points, slope, floor_points : float
        The scale line, in points.
    """

    intercept_points: float
    slope: float
    floor_points: float

    def scale(self, expected_points: np.ndarray) -> np.ndarray:
        """Give the scale of the error at these forecasts, in points (array of the same shape)."""
        return np.maximum(self.floor_points, self.intercept_points + self.slope * expected_points)


def fit_spread(predicted: np.ndarray, actual: np.ndarray) -> Spread:
    """Fit the absolute error as a line in the forecast.

    The slope is kept at or above zero and the scale at or above half the mean absolute error, so that neither
    a handful of rows nor a forecast far below the field can make an interval vanish.

    Parameters
    ----------
    predicted, actual : ndarray of shape (n,)
        Points, from rows that the forecast had not seen.

    Returns
    -------
    Spread
    """
    level, size = predicted, np.abs(actual - predicted)
    centred = level - level.mean()
    variance = float(np.square(centred).mean())
    slope = max(0.0, float((centred * size).mean()) / variance) if variance > 0 else 0.0
    intercept = float(size.mean()) - slope * float(level.mean())
    floor = max(0.5 * float(size.mean()), 1.0)
    return Spread(intercept, slope, floor)


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
    wide = UNINFORMED_SD_POINTS[asset_type]
    return Spread(wide, 0.0, wide)
