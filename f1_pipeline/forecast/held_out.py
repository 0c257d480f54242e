"""Forecast held-out rows with the blend of a points model, for many penalties at once, on plain arrays.

Belongs here: the arithmetic of the neighbour `forecast.points_pipeline` once more, without argument checks: 75 races
times two asset types times four folds times three penalties would otherwise spend half a minute in them. A test holds
the two equal. Which rows are held out is for `forecast.points_model`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE


class HeldOutBlend:
    """The rows of a training, ready to be split again and again.

    Parameters
    ----------
    features : DataFrame of shape (n, columns)
        From `feature_frame`.
    actual : ndarray of shape (n,)
        Points.
    """

    def __init__(self, features: pd.DataFrame, actual: np.ndarray) -> None:
        is_text = np.array([dtype.kind == "O" for dtype in features.dtypes])
        names = list(features.columns[~is_text])
        self._numbers = features[names].to_numpy(dtype=float)
        self._prior = names.index(PRIOR_FEATURE)
        self._actual = actual
        # One-hot codes learn nothing from the rows: a category absent from the fitted ones is a column of zeros there,
        # which a ridge gives the coefficient 0, just as if the column did not exist.
        texts = [features[name].to_numpy() for name in features.columns[is_text]]
        codes = [text[:, None] == np.unique(text) for text in texts]
        self._codes = np.hstack(codes).astype(float) if codes else np.empty((len(features), 0))

    def forecasts(
        self, fitted: np.ndarray, held: np.ndarray, weights: np.ndarray, alphas: Sequence[float], share: float
    ) -> np.ndarray:
        """Fit on some rows and forecast others.

        Parameters
        ----------
        fitted, held : ndarray of int
            Positions of the rows.
        weights : ndarray of shape (fitted rows,)
            How much each fitted row counts.
        alphas : sequence of float
            Ridge penalties.
        share : float
            Share of the ridge in the blend, 0 to 1; the prior has the rest.

        Returns
        -------
        ndarray of shape (penalties, held-out rows)
            Expected points.
        """
        inside, outside, prior_points = self._prepared(fitted, held)
        actual, total = self._actual[fitted], weights.sum()
        centre, level = weights @ inside / total, float(weights @ actual / total)
        deviation = inside - centre
        weighted = deviation * weights[:, None]
        # One eigendecomposition of the small Gram matrix serves every penalty.
        values, vectors = np.linalg.eigh(deviation.T @ weighted)
        rotated = vectors.T @ (weighted.T @ (actual - level))
        coefficients = vectors @ (rotated[:, None] / (values[:, None] + np.asarray(alphas)))
        ridge = level + (outside - centre) @ coefficients
        return (share * ridge + (1.0 - share) * prior_points[:, None]).T

    def _prepared(self, fitted: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Impute and standardise with the fitted rows only; give both parts and the prior of the held-out rows."""
        inside, outside = self._numbers[fitted], self._numbers[held]
        medians = _medians(inside)
        inside, outside = (np.where(np.isnan(part), medians, part) for part in (inside, outside))
        mean, scale = inside.mean(axis=0), inside.std(axis=0)
        scale[scale < 10 * np.finfo(float).eps * np.maximum(1.0, np.abs(mean))] = 1.0
        prior_points = outside[:, self._prior]
        both = ((part - mean) / scale for part in (inside, outside))
        left, right = (np.hstack([p, self._codes[rows]]) for p, rows in zip(both, (fitted, held), strict=True))
        return left, right, prior_points


def _medians(numbers: np.ndarray) -> np.ndarray:
    """Take the median of the known values of each column, 0 where none is known."""
    ordered = np.sort(numbers, axis=0)  # NaN last
    known = (~np.isnan(numbers)).sum(axis=0)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    columns = np.arange(numbers.shape[1])
    middle = (ordered[low, columns] + ordered[np.minimum(high, len(numbers) - 1), columns]) / 2
    return np.where(known > 0, middle, 0.0)
