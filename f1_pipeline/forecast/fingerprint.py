"""Name a training by its content: one hash of everything that determines the model.

Belongs here: the hash. Who looks a model up by it is the neighbour `forecast.tracking`.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd
import sklearn

from f1_pipeline.forecast.feature_sets import FEATURE_SET_VERSION, feature_set
from f1_pipeline.forecast.points_model import (
    DEFAULT_SETTINGS,
    PointsModelSettings,
    settings_dict,
    training_window,
)
from f1_pipeline.forecast.points_pipeline import feature_frame

_RECIPE_VERSION = 1
"""Changes whenever the same rows and settings would give another model than before."""


def fingerprint(
    training: pd.DataFrame,
    asset_type: str,
    target_race_key: str,
    target_race_date: object,
    settings: PointsModelSettings = DEFAULT_SETTINGS,
) -> str:
    """Hash the training rows, target, settings, feature set and library versions of a model.

    Parameters
    ----------
    training : DataFrame
        As for `points_model.train`; only rows before the target count, in any order.
    asset_type : str
        `driver` or `constructor`.
    target_race_key : str
        The race to forecast.
    target_race_date : date or Timestamp
        Its date.
    settings : PointsModelSettings
        As trained with.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same in every process and on every machine.

    Raises
    ------
    DataError
        When a column is missing or not numeric.
    """
    rows = training_window(training, target_race_date)
    keys = rows[["race_key", "race_date", "season", "asset_id"]].astype("str")
    hashed = pd.concat([keys, rows[["points"]], feature_frame(rows, asset_type)], axis=1)
    recipe = {
        "recipe": _RECIPE_VERSION,
        "asset_type": asset_type,
        "target": [target_race_key, str(pd.Timestamp(str(target_race_date)).date())],
        "settings": settings_dict(settings),
        "features": [FEATURE_SET_VERSION, *feature_set(asset_type).columns],
        "versions": [sklearn.__version__, np.__version__],
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for name in hashed.columns:
        digest.update(_column_bytes(hashed[name]))
    return digest.hexdigest()


def _column_bytes(values: pd.Series) -> bytes:
    """Spell a column out: numbers as little-endian doubles, texts with a separator that no key contains."""
    if values.dtype == "float64":
        return values.to_numpy().astype("<f8").tobytes()
    return "\x1f".join(values.tolist()).encode()
