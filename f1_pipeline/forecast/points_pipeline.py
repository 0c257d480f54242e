"""The pipeline of a points model: preparing features, and one linear model that blends a ridge with the
prior.

Belongs here: scikit-learn parts and how they are fitted on arrays. Which rows they are fitted on,
cross-validation and the record of a training are the neighbour `forecast.points_model`.

Why a blend. With 20 drivers and 24 races a season, a heavily shrunken linear model is as good as anything
richer, but in its first season a ridge from nothing loses to "EWMA + price prior". So the forecast
is ``w · ridge + (1 - w) · prior``. Both parts are linear
in the same standardised features, so the blend *is* one linear model, kept as one scikit-learn `Ridge` whose
coefficients can be read as contributions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE, feature_set

_PRIOR_RANGE_POINTS = (0.0, 30.0)


def build_pipeline(asset_type: str, alpha: float = 200.0) -> Pipeline:
    """Assemble the unfitted pipeline of an asset type from scikit-learn parts only, so that skops can store
    it.

    Parameters
    ----------
    asset_type : str
        `driver` or `constructor`.
    alpha : float
        Ridge penalty.

    Returns
    -------
    Pipeline
        Steps `prepare` (impute the median, standardise; one-hot the circuit type) and `ridge`.

    Raises
    ------
    UsageError
        When the asset type is unknown.
    """
    features = feature_set(asset_type)
    prepare = ColumnTransformer(
        [
            ("numbers", _number_steps(), [*features.numeric, *features.boolean]),
            ("categories", _one_hot(), list(features.categorical)),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("prepare", prepare), ("ridge", Ridge(alpha=alpha, solver="cholesky"))])


def _number_steps() -> Pipeline:
    """Impute the training median (0 where a column is empty), then standardise."""
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return Pipeline([("impute", impute), ("standardise", StandardScaler())])


def _one_hot() -> OneHotEncoder:
    """Encode categories; one that was not seen in training becomes all zeros."""
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float64)


def feature_frame(rows: pd.DataFrame, asset_type: str) -> pd.DataFrame:
    """Select the feature columns with the types the pipeline is fitted on.

    Parameters
    ----------
    rows : DataFrame
        At least the feature columns; decimals, nullable integers and booleans are welcome, nulls too.
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    DataFrame
        float64 columns, then text columns in which null has become `unknown`; index 0…n-1.

    Raises
    ------
    DataError
        When a feature column is missing or is not a number where it must be.
    """
    features = feature_set(asset_type)
    missing = [column for column in features.columns if column not in rows.columns]
    if missing:
        raise DataError(f"{asset_type} features: expected {len(features.columns)} columns, found none named {missing}")
    data: dict[str, np.ndarray] = {}
    for column in (*features.numeric, *features.boolean):
        data[column] = _numbers(rows[column], asset_type)
    for column in features.categorical:
        data[column] = rows[column].astype("object").where(rows[column].notna(), "unknown").to_numpy(dtype=object)
    return pd.DataFrame(data)


def _numbers(values: pd.Series, asset_type: str) -> np.ndarray:
    """Turn one column into float64 with NaN for null."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiub":
        return values.to_numpy(dtype=float)
    try:
        return values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{asset_type} features: expected numbers in {values.name}, found {error}") from error


def two_point_prior(asset_type: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Make the synthetic rows that stand in for a history: points equal to the prior at 0 and at 30.

    They only give the preparation steps something to be fitted on. The ridge has no share in the blend when
    no race is known, so what the pipeline answers is the prior itself, whatever the other features say.

    Parameters
    ----------
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    tuple of DataFrame and ndarray of shape (2,)
        Feature rows and their points.
    """
    features = feature_set(asset_type)
    level = np.array(_PRIOR_RANGE_POINTS)
    rows = pd.DataFrame({column: np.full(2, np.nan) for column in (*features.numeric, *features.boolean)})
    for column in ("price_musd", "price_only_points", PRIOR_FEATURE):
        rows[column] = level
    for column in features.categorical:
        rows[column] = np.full(2, "unknown", dtype=object)
    return rows, level


def fit_blend(
    pipeline: Pipeline,
    prepared: np.ndarray,
    actual: np.ndarray,
    weights: np.ndarray,
    alpha: float,
    share: float,
) -> None:
    """Fit the ridge step on prepared features, then mix its coefficients with those of the prior.

    On standardised features the prior ``c`` is ``mean_c + scale_c · z_c``: a linear model with a single
    coefficient.

    Parameters
    ----------
    pipeline : Pipeline
        From `build_pipeline`, its `prepare` step fitted; the `ridge` step is fitted here, in place.
    prepared : ndarray of shape (n, columns)
        What the `prepare` step made of the features.
    actual, weights : ndarray of shape (n,)
        Points, and how much each row counts.
    alpha : float
        Ridge penalty.
    share : float
        Share of the ridge in the blend, 0 to 1; the prior has the rest.
    """
    ridge = pipeline.named_steps["ridge"].set_params(alpha=alpha)
    ridge.fit(prepared, actual, sample_weight=weights)
    numbers = pipeline.named_steps["prepare"].named_transformers_["numbers"]
    position = _prior_position(numbers)
    scaler = numbers.named_steps["standardise"]
    ridge.coef_ *= share
    ridge.coef_[position] += (1.0 - share) * scaler.scale_[position]
    ridge.intercept_ = share * ridge.intercept_ + (1.0 - share) * scaler.mean_[position]


def _prior_position(numbers: Pipeline) -> int:
    """Find the prior's column among the standardised ones."""
    return list(numbers.named_steps["impute"].feature_names_in_).index(PRIOR_FEATURE)
