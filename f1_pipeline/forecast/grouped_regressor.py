"""A scikit-learn regressor that fits one model per group of rows.

Belongs here: the estimator, nothing of this project's columns. Neighbour: `forecast.points_model` groups by type of
asset and phase.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone


class GroupedRegressor(RegressorMixin, BaseEstimator):
    """Clone an estimator for each group.

    Parameters
    ----------
    estimator : estimator
        Fitted once per group.
    by : list of str
        Columns that make the groups.
    features : list of str
        Columns that the estimator sees.

    Attributes
    ----------
    estimators_ : dict of str to estimator
        By group: the values of `by`, joined by slashes.
    """

    def __init__(self, estimator: object, by: list[str], features: list[str]) -> None:
        self.estimator = estimator
        self.by = by
        self.features = features

    def fit(self, X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray) -> GroupedRegressor:
        """Fit every group that has rows; `sample_weight` goes to the last step of a pipeline."""
        self.estimators_ = {}
        for name, at in self._groups(X).items():
            model = clone(self.estimator)
            last = model.steps[-1][0]
            model.fit(X[self.features].iloc[at], y[at], **{f"{last}__sample_weight": sample_weight[at]})
            self.estimators_[name] = model
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Predict row by row; 0 for a group that was never seen.

        Returns
        -------
        ndarray of shape (n,)
        """
        predicted = np.zeros(len(X))
        for name, at in self._groups(X).items():
            if name in self.estimators_:
                predicted[at] = self.estimators_[name].predict(X[self.features].iloc[at])
        return predicted

    def _groups(self, X: pd.DataFrame) -> dict[str, np.ndarray]:
        keys = X[self.by[0]].astype(str)
        for column in self.by[1:]:
            keys = keys + "/" + X[column].astype(str)
        names, codes = np.unique(keys.to_numpy(dtype=str), return_inverse=True)
        return {str(name): np.flatnonzero(codes == code) for code, name in enumerate(names)}
