"""Say what a manager who plays Final Fix will expect of the rest of a weekend once qualifying is over.

Belongs here: points that remain after qualifying, and their expectation given its result. The chip is
:mod:`f1_pipeline.game.chips`; draws come from :mod:`f1_pipeline.forecast.simulation`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from f1_pipeline.game.chips import session_order
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.weekend_scoring import ItemPoints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

_DEGREE = 2


def points_after_qualifying(items: ItemPoints, rules: SeasonRules, has_sprint: bool) -> Ints:
    """Add up what drivers score in the sessions after qualifying.

    Parameters
    ----------
    items : dict
        Points of drivers by event_type and scoring_item, shape (n, m).
    rules : SeasonRules
    has_sprint : bool
        In 2023 the sprint followed qualifying.

    Returns
    -------
    ndarray of int, shape (n, m)
    """
    sessions = session_order(rules, has_sprint)
    remaining = sessions[sessions.index("qualifying") + 1 :]
    counted = [points for (event_type, _), points in items.items() if event_type in remaining]
    return np.add.reduce(counted, axis=0, dtype=np.int64)


def expected_after_qualifying(points: Ints, qualifying_position: Ints) -> Floats:
    """Expect the remaining points of each driver from his own place in qualifying.

    Parameters
    ----------
    points : ndarray of int, shape (n, m)
        Points that remain in each draw.
    qualifying_position : ndarray of int, shape (n, m)
        Places, 0 for none, which starts last.

    Returns
    -------
    ndarray of float, shape (n, m)
        A parabola over the places, fitted to the draws of the driver; their mean is that of the points.
    """
    return at_place(expected_by_place(points, qualifying_position), qualifying_position)


def expected_by_place(points: Ints, qualifying_position: Ints) -> Floats:
    """Expect the remaining points of each driver from each place in qualifying.

    Parameters
    ----------
    points, qualifying_position
        As for :func:`expected_after_qualifying`.

    Returns
    -------
    ndarray of float, shape (m, m)
        By driver and place, the first in column 0: a parabola over the places, fitted to the draws of the driver.
    """
    cars = points.shape[1]
    cell = (_column(qualifying_position, cars).T + cars * np.arange(cars)[:, np.newaxis]).ravel()
    met = np.bincount(cell, minlength=cars**2).reshape(cars, cars).astype(float)
    total = np.bincount(cell, points.T.ravel(), minlength=cars**2).reshape(cars, cars)
    powers = (np.arange(1, cars + 1) / cars)[:, np.newaxis] ** np.arange(_DEGREE + 1)
    weight = np.sqrt(met)
    # who only ever qualifies in a few places leaves powers that say the same; the pseudo-inverse bears that
    fitted = np.linalg.pinv(weight[..., np.newaxis] * powers) @ (total / np.maximum(weight, 1))[..., np.newaxis]
    return fitted[..., 0] @ powers.T


def at_place(by_place: Floats, qualifying_position: Ints) -> Floats:
    """Look up what is expected of each driver from his place.

    Parameters
    ----------
    by_place : ndarray of float, shape (m, m)
        From :func:`expected_by_place`.
    qualifying_position : ndarray of int, shape (n, m)
        Places, 0 for none, which starts last.

    Returns
    -------
    ndarray of float, shape (n, m)
    """
    cars = by_place.shape[1]
    return by_place[np.arange(cars), _column(qualifying_position, cars)]


def _column(qualifying_position: Ints, cars: int) -> Ints:
    """Number the places from 0; who has none starts last."""
    return np.where(qualifying_position > 0, qualifying_position, cars).astype(np.intp) - 1
