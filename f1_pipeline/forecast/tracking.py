"""Keep trained points models in MLflow: runs, files in skops format, versions, and the `champion` alias.

Belongs here: everything that knows MLflow; no other module imports it, and this one only when a store is opened, because
the import takes seconds. Training and forecasting themselves are the neighbour `forecast.points_model`.

A model is found again by its fingerprint (a hash of all that it was trained on). Only a run that reached FINISHED, the
last thing `log_training` does, counts: whatever a crash or a kill leaves behind is never reused.

References
----------
MLflow 3.17, `MlflowClient` and `mlflow.sklearn.save_model` (seen 2026-11); skops.io, "Secure persistence".
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

import numpy as np
import pandas as pd
import sklearn
import skops
import skops.io
from sklearn.pipeline import Pipeline

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast.feature_sets import FEATURE_SET_VERSION, FEATURE_SETS, feature_set
from f1_pipeline.forecast.points_model import (
    DEFAULT_SETTINGS,
    PointsForecaster,
    PointsModelSettings,
    TrainedPointsModel,
    settings_dict,
    training_window,
)
from f1_pipeline.forecast.points_pipeline import feature_frame
from f1_pipeline.forecast.residual_plot import residual_png
from f1_pipeline.forecast.spread import Spread

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.models import ModelSignature

CHAMPION = "champion"
TRUSTED_TYPES = ("numpy.dtype",)
"""What a stored pipeline may contain beyond the scikit-learn and numpy types that skops trusts by itself."""

_MODEL_FILE = "model.skops"
_PAGE = 5000


def registered_name(asset_type: str) -> str:
    """Name the experiment and the registered model of an asset type.

    Parameters
    ----------
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    str
        `driver_points` or `constructor_points`.

    Raises
    ------
    UsageError
        When the asset type is unknown.
    """
    feature_set(asset_type)
    return f"{asset_type}_points"


def fingerprint(
    training: pd.DataFrame,
    asset_type: str,
    target_race_key: str,
    target_race_date: object,
    settings: PointsModelSettings = DEFAULT_SETTINGS,
) -> str:
    """Hash all that determines a model: its training rows, target, settings, feature set and library versions.

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
        SHA-256 in hexadecimal.

    Raises
    ------
    DataError
        When a column is missing or not numeric.
    """
    rows = training_window(training, target_race_date)
    keys = rows[["race_key", "race_date", "season", "asset_id", "points"]].astype({"season": "int64"})
    hashed = pd.concat([keys, feature_frame(rows, asset_type)], axis=1)
    recipe = {
        "asset_type": asset_type,
        "target": [target_race_key, str(pd.Timestamp(str(target_race_date)).date())],
        "settings": settings_dict(settings),
        "features": [FEATURE_SET_VERSION, *feature_set(asset_type).columns],
        "versions": [sklearn.__version__, np.__version__],
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    digest.update(pd.util.hash_pandas_object(hashed, index=False).to_numpy().tobytes())
    return digest.hexdigest()


class Tracking:
    """An MLflow store in a folder: `mlflow.db` (SQLite) and `artifacts/` beside it.

    Opening creates what is missing. The first time MLflow runs its migrations, which takes seconds.

    Parameters
    ----------
    store_dir : Path
        The folder; made if absent.
    """

    def __init__(self, store_dir: Path) -> None:
        self.store_dir = store_dir.resolve()
        self.store_dir.mkdir(parents=True, exist_ok=True)
        self._client = _open_client(self.uri)
        self._experiments = {asset_type: self._experiment_id(asset_type) for asset_type in FEATURE_SETS}
        self._known: dict[str, str] | None = None

    @property
    def uri(self) -> str:
        """The tracking URI, for `mlflow ui --backend-store-uri`."""
        return f"sqlite:///{self.store_dir / 'mlflow.db'}"

    def prefetch(self) -> int:
        """Read the fingerprints of all finished runs with one query per page, for many `find` calls.

        Returns
        -------
        int
            How many fingerprints are known.
        """
        known: dict[str, str] = {}
        token: str | None = None
        while True:
            page = self._client.search_runs(
                list(self._experiments.values()),
                filter_string="attributes.status = 'FINISHED'",
                max_results=_PAGE,
                order_by=["attributes.start_time DESC"],  # the oldest of two equals is met last and stays
                page_token=token,
            )
            for run in page:
                if {"fingerprint", "model_uri", "model_path"} <= set(run.data.tags):
                    known[run.data.tags["fingerprint"]] = run.data.tags["model_uri"]
                    self._paths[run.data.tags["model_uri"]] = Path(run.data.tags["model_path"])
            token = page.token
            if not token:
                break
        self._known = known
        return len(known)
