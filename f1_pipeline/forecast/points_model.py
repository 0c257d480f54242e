"""Points models: learn by how much an asset departs from its baseline forecast, for one race, from races before it.

Belongs here: the two kinds of model, the training window, the record of a training and its forecast, on frames in
memory. Both kinds learn points less `ewma_price_prior`: without history a model says what the baseline says, and it
departs from it as evidence grows (a departure that all assets share, at once). Neighbours: `forecast.cross_validation`
holds out seasons, `forecast.tracking` stores models, `steps.forecast` brings the rows.

The penalty of 600 on standardised features and the half-life of 60 races are round figures: with fewer than two
thousand rows of much noise, a model of points has to be shrunk hard.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.forecast.feature_sets import FEATURES, PRIOR_FEATURE
from f1_pipeline.forecast.grouped_regressor import GroupedRegressor
from f1_pipeline.forecast.threads import one_thread

RIDGE, BOOSTING = "ridge", "boosting"
KINDS = (RIDGE, BOOSTING)
GROUPS = ("asset_type", "phase")
KEYS = ("race_key", "race_date", "season", *GROUPS, "asset_id")
"""What names a row, beside the features and points."""


@dataclass(frozen=True)
class PointsModelSettings:
    """Everything a points model can be tuned by.

    Attributes
    ----------
    half_life_races : float
        A training row this many races old weighs half as much as the newest one.
    ridge_penalty : float
        On standardised features.
    tree_count, tree_depth, leaf_rows : int
        Boosted trees; each leaf holds at least so many rows.
    learning_rate : float
        Share of each tree that is added.
    """

    half_life_races: float = 60.0
    ridge_penalty: float = 600.0
    tree_count: int = 15
    tree_depth: int = 2
    leaf_rows: int = 40
    learning_rate: float = 0.12


DEFAULT_SETTINGS = PointsModelSettings()


@dataclass(frozen=True, eq=False)
class TrainedPointsModel:
    """A model with the record of its training.

    Attributes
    ----------
    kind : str
        `ridge` or `boosting`.
    target_race_key : str
        The race it was trained for; every training row is older.
    target_race_date : date
        Its date.
    settings : PointsModelSettings
        As trained with.
    estimator : GroupedRegressor
        Fitted; predicts the departure from the prior.
    row_count, race_count : int
        Size of the training window.
    first_race_key, last_race_key : str or None
        Its ends, None when empty.
    """

    kind: str
    target_race_key: str
    target_race_date: date
    settings: PointsModelSettings
    estimator: GroupedRegressor
    row_count: int
    race_count: int
    first_race_key: str | None
    last_race_key: str | None


def build_estimator(kind: str, settings: PointsModelSettings = DEFAULT_SETTINGS) -> GroupedRegressor:
    """Assemble an unfitted model: missing values become the median, then a ridge or boosted trees.

    Parameters
    ----------
    kind : str
        `ridge` or `boosting`.
    settings : PointsModelSettings

    Returns
    -------
    GroupedRegressor
        A ridge per asset type and phase; boosted trees per asset type, for all phases together, since they can tell
        by the simulation's spread how much was known.

    Raises
    ------
    UsageError
        When the kind is neither.
    """
    if kind not in KINDS:
        raise UsageError(f"points model: expected one of {', '.join(KINDS)}, found {kind!r}")
    impute = ("impute", SimpleImputer(strategy="median", keep_empty_features=True))
    if kind == RIDGE:
        ridge = Ridge(alpha=settings.ridge_penalty, solver="cholesky")
        groups, steps = GROUPS, [impute, ("standardise", StandardScaler()), ("ridge", ridge)]
    else:
        trees = GradientBoostingRegressor(
            n_estimators=settings.tree_count,
            learning_rate=settings.learning_rate,
            max_depth=settings.tree_depth,
            min_samples_leaf=settings.leaf_rows,
            random_state=0,
        )
        groups, steps = GROUPS[:1], [impute, ("boosting", trees)]
    return GroupedRegressor(Pipeline(steps), list(groups), list(FEATURES))


def train(
    training: pd.DataFrame,
    kind: str,
    target_race_key: str,
    target_race_date: object,
    settings: PointsModelSettings = DEFAULT_SETTINGS,
) -> TrainedPointsModel:
    """Train on races strictly before the target.

    Parameters
    ----------
    training : DataFrame
        One row per race, phase and asset: `KEYS`, `FEATURES` as they were known at that phase, and points. Rows of the
        target race and later ones, and rows without points, are left out.
    kind : str
        `ridge` or `boosting`.
    target_race_key : str
        The race to forecast.
    target_race_date : date or Timestamp
        Its date; only earlier rows are used.
    settings : PointsModelSettings

    Returns
    -------
    TrainedPointsModel
        With no earlier row at all it forecasts the prior.

    Raises
    ------
    DataError
        When a column is missing or not numeric.
    UsageError
        When the kind is unknown.
    """
    rows = training_window(training, target_race_date)
    estimator = build_estimator(kind, settings)
    with one_thread():
        estimator.fit(inputs(rows), departures(rows), recency(rows["race_date"].to_numpy(), settings.half_life_races))
    races = rows["race_key"].unique()
    return TrainedPointsModel(
        kind=kind,
        target_race_key=target_race_key,
        target_race_date=date.fromisoformat(str(target_race_date)[:10]),
        settings=settings,
        estimator=estimator,
        row_count=len(rows),
        race_count=len(races),
        first_race_key=races[0] if len(races) else None,
        last_race_key=races[-1] if len(races) else None,
    )


def expected_points(estimator: GroupedRegressor, rows: pd.DataFrame) -> np.ndarray:
    """Forecast the points of some rows: the prior, and what the model adds to it.

    Parameters
    ----------
    estimator : GroupedRegressor
        Freshly trained or loaded from the tracking store.
    rows : DataFrame
        `GROUPS` and `FEATURES`.

    Returns
    -------
    ndarray of shape (n,)
        Points.

    Raises
    ------
    DataError
        When a feature column is missing or not numeric.
    """
    return rows[PRIOR_FEATURE].to_numpy(dtype=float) + estimator.predict(inputs(rows))


def training_window(training: pd.DataFrame, target_race_date: object) -> pd.DataFrame:
    """Keep scored rows of races strictly before a date, in calendar order.

    Parameters
    ----------
    training : DataFrame
        As for `train`.
    target_race_date : date or Timestamp
        The race to forecast.

    Returns
    -------
    DataFrame
        Sorted by race_date and keys; points as float64; index 0…n-1.

    Raises
    ------
    DataError
        When a key column or points is missing.
    """
    missing = [column for column in (*KEYS, "points") if column not in training.columns]
    if missing:
        raise DataError(f"training rows: expected the columns {[*KEYS, 'points']}, found none named {missing}")
    typed = training.astype({"race_date": "datetime64[us]", "points": "float64"})
    kept = typed[(typed["race_date"] < pd.Timestamp(str(target_race_date))) & typed["points"].notna()]
    return kept.sort_values(["race_date", "race_key", *GROUPS, "asset_id"], ignore_index=True)


def inputs(rows: pd.DataFrame) -> pd.DataFrame:
    """Select what a model sees: the groups as text, every feature as float64 with NaN for null.

    Raises
    ------
    DataError
        When a column is missing or is not a number.
    """
    missing = [column for column in (*GROUPS, *FEATURES) if column not in rows.columns]
    if missing:
        raise DataError(f"features: expected {len(FEATURES)} columns, found none named {missing}")
    data: dict[str, object] = {column: rows[column].astype(str).to_numpy() for column in GROUPS}
    for column in FEATURES:
        try:
            data[column] = rows[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(f"features: expected numbers in {column}, found {error}") from error
    return pd.DataFrame(data)


def departures(rows: pd.DataFrame) -> np.ndarray:
    """Return what a model learns: points less the prior, shape (n,)."""
    return (rows["points"] - rows[PRIOR_FEATURE]).to_numpy(dtype=float)


def recency(race_dates: np.ndarray, half_life_races: float) -> np.ndarray:
    """Weigh each row by the age of its race.

    Parameters
    ----------
    race_dates : ndarray of datetime64, shape (n,)
        The race of each training row.
    half_life_races : float
        Races after which a row weighs half.

    Returns
    -------
    ndarray of shape (n,)
        One half after the half-life; the newest race is one race old.
    """
    races, position = np.unique(race_dates, return_inverse=True)
    return 0.5 ** ((len(races) - position) / half_life_races)
