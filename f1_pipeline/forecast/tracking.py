"""Keep trained points models in MLflow: runs, files in skops format, versions, and the `champion` alias.

Belongs here: everything that knows MLflow; no other module imports it, and this one only when a store is opened,
because the import takes seconds. Training and forecasting are the neighbour `forecast.points_model`, the hash by which
a model is found again `forecast.fingerprint`, the picture of its errors `forecast.residual_plot`.

Only a run that reached FINISHED, the last thing `log_training` does, counts: whatever a crash or a kill leaves behind
is never reused.

References
----------
MLflow 3.17.2, `MlflowClient` and `mlflow.sklearn.save_model` (read 2026-11); skops 0.16, "Secure persistence".
"""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

import skops.io
from sklearn.pipeline import Pipeline

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast.feature_sets import FEATURE_SET_VERSION, FEATURE_SETS, feature_set
from f1_pipeline.forecast.fingerprint import fingerprint
from f1_pipeline.forecast.points_model import PointsForecaster, TrainedPointsModel, settings_dict
from f1_pipeline.forecast.residual_plot import ResidualPlot
from f1_pipeline.forecast.spread import Spread

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature

__all__ = ["CHAMPION", "TRUSTED_TYPES", "Tracking", "fingerprint", "registered_name"]

CHAMPION = "champion"
TRUSTED_TYPES = ("numpy.dtype",)
"""What a stored pipeline may hold beyond the types that skops trusts by itself: the type of an array."""

_MODEL_FILE = "model.skops"
_SERVING_PACKAGES = ("numpy", "pandas", "scikit-learn", "skops")
_PAGE = 5000
_URI = re.compile(r"models:/(?P<name>[\w-]+)/(?P<version>\d+)")


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


class Tracking:
    """An MLflow store in a folder: `mlflow.db` (SQLite) and `artifacts/` beside it.

    Opening creates what is missing. The first time, MLflow runs its migrations, which takes some seconds.

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
        self._plot = ResidualPlot()
        self._signatures: dict[str, ModelSignature] = {}
        self._known: dict[str, tuple[str, Path]] | None = None

    @property
    def uri(self) -> str:
        """The tracking URI, for `mlflow ui --backend-store-uri`."""
        return f"sqlite:///{self.store_dir / 'mlflow.db'}"

    def prefetch(self) -> int:
        """Read the fingerprints of all finished runs at once, so that many `find` calls cost one query.

        Returns
        -------
        int
            How many fingerprints are known.
        """
        known: dict[str, tuple[str, Path]] = {}
        token: str | None = None
        while token is None or token:
            page = self._client.search_runs(
                list(self._experiments.values()),
                filter_string="attributes.status = 'FINISHED'",
                max_results=_PAGE,
                # Of two runs with one fingerprint the older is met last, and stays.
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            for run in page:
                tags = run.data.tags
                if {"fingerprint", "model_uri", "model_path"} <= set(tags):
                    known[tags["fingerprint"]] = tags["model_uri"], Path(tags["model_path"])
            token = page.token or ""
        self._known = known
        return len(known)

    def find(self, fingerprint: str) -> str | None:
        """Look up a finished model by what it was trained on.

        Parameters
        ----------
        fingerprint : str
            From `fingerprint`.

        Returns
        -------
        str or None
            Its URI; None when there is no such run, it was not finished, or its file is gone.
        """
        if self._known is None:
            self.prefetch()
        found = (self._known or {}).get(fingerprint)
        return found[0] if found and (found[1] / _MODEL_FILE).is_file() else None

    def log_training(self, model: TrainedPointsModel, fingerprint: str) -> str:
        """Record a training: settings, data window, metrics, features, residual plot, model file, version.

        The version becomes the champion unless a version for a later race is. The run becomes FINISHED last.

        Parameters
        ----------
        model : TrainedPointsModel
            From `points_model.train`.
        fingerprint : str
            Of the same training rows, target and settings.

        Returns
        -------
        str
            `models:/driver_points/<version>` or the same for constructors.
        """
        experiment_id = self._experiments[model.asset_type]
        tags = {**_tags(model), "fingerprint": fingerprint}
        run = self._client.create_run(experiment_id, tags=tags, run_name=model.target_race_key)
        run_id, outcome = run.info.run_id, "FAILED"
        try:
            _write_run_files(_local_path(run.info.artifact_uri), model, self._plot.png(model))
            stored = self._store_model(run_id, model)
            path, uri = _local_path(stored.artifact_location), self._register(run_id, stored, model)
            self._log_figures(run_id, run.info.start_time, model, {"model_uri": uri, "model_path": str(path)})
            outcome = "FINISHED"
        finally:
            self._client.set_terminated(run_id, outcome)
        if self._known is not None:
            self._known[fingerprint] = uri, path
        return uri

    def promote(self, model_uri: str) -> bool:
        """Make a version the champion if no version for a later race is.

        Parameters
        ----------
        model_uri : str
            From `log_training` or `find`.

        Returns
        -------
        bool
            Whether it is the champion now. Training an old race again never moves the alias backwards.

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version does not exist.
        """
        candidate = self._version(model_uri)
        return self._promote(candidate)

    def champion(self, asset_type: str) -> str | None:
        """Name the model of the latest race.

        Parameters
        ----------
        asset_type : str
            `driver` or `constructor`.

        Returns
        -------
        str or None
            Its URI; None before the first training.

        Raises
        ------
        UsageError
            When the asset type is unknown.
        """
        name = registered_name(asset_type)
        if not self._client.search_registered_models(f"name = '{name}'"):
            return None
        holder = self._client.get_registered_model(name).aliases.get(CHAMPION)
        return None if holder is None else f"models:/{name}/{holder}"

    def load_model(self, model_uri: str) -> Pipeline:
        """Load the pipeline of a version, letting skops build trusted types only.

        Parameters
        ----------
        model_uri : str
            From `log_training` or `find`.

        Returns
        -------
        Pipeline
            Fitted.

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version or its file does not exist.
        """
        path = self._model_dir(model_uri) / _MODEL_FILE
        # MLflow's own loader takes the list of trusted types from the file it is about to trust; this one does not.
        return skops.io.load(path, trusted=list(TRUSTED_TYPES))

    def load_forecaster(self, model_uri: str) -> PointsForecaster:
        """Load all that `points_model.predict` needs: the pipeline and the spread around it.

        Parameters
        ----------
        model_uri : str
            From `log_training` or `find`.

        Returns
        -------
        PointsForecaster

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version or its file does not exist.
        """
        from mlflow.models import Model

        pipeline = self.load_model(model_uri)
        metadata = Model.load(str(self._model_dir(model_uri))).metadata or {}
        return PointsForecaster(
            asset_type=metadata["asset_type"],
            pipeline=pipeline,
            feature_names=tuple(metadata["feature_names"]),
            spread=Spread(**metadata["spread"]),
        )

    def _promote(self, candidate: ModelVersion) -> bool:
        """Move the alias forwards in race dates, or sideways for the same race."""
        champion = self._client.get_registered_model(candidate.name).aliases.get(CHAMPION)
        if champion is not None:
            holder = self._client.get_model_version(candidate.name, str(champion))
            if holder.tags.get("race_date", "") > candidate.tags["race_date"]:
                return False
        self._client.set_registered_model_alias(candidate.name, CHAMPION, str(candidate.version))
        return True

    def _experiment_id(self, asset_type: str) -> str:
        """Find or create the experiment and the registered model of an asset type."""
        name = registered_name(asset_type)
        if not self._client.search_registered_models(f"name = '{name}'"):
            self._client.create_registered_model(name, description=f"Fantasy points of a {asset_type} in one race.")
        known = self._client.get_experiment_by_name(name)
        if known is not None:
            return known.experiment_id
        location = self.store_dir / "artifacts" / name
        return self._client.create_experiment(name, artifact_location=location.as_uri())

    def _log_figures(self, run_id: str, now: int, model: TrainedPointsModel, tags: dict[str, str]) -> None:
        """Send parameters, metrics and tags in one batch."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(key, value, now, 0) for key, value in _metrics(model).items()]
        params = [Param(key, str(value)) for key, value in _params(model).items()]
        self._client.log_batch(run_id, metrics=metrics, params=params, tags=[RunTag(*tag) for tag in tags.items()])

    def _store_model(self, run_id: str, model: TrainedPointsModel) -> LoggedModel:
        """Write the model in skops format into its final place, and declare it ready."""
        from mlflow import sklearn as flavour
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus
        from mlflow.models import Model

        client, asset_type = self._client, model.asset_type
        name = registered_name(asset_type)
        stored = client.create_logged_model(self._experiments[asset_type], name, run_id, tags=_tags(model))
        record = Model(
            artifact_path=stored.artifact_location, run_id=run_id, model_uuid=stored.model_id, model_id=stored.model_id
        )
        flavour.save_model(
            model.pipeline,
            str(_local_path(stored.artifact_location)),
            mlflow_model=record,
            serialization_format=flavour.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=list(TRUSTED_TYPES),
            signature=self._signature(asset_type),
            pip_requirements=[f"{package}=={version(package)}" for package in _SERVING_PACKAGES],
            metadata={
                "asset_type": asset_type,
                "feature_names": list(model.feature_names),
                "spread": asdict(model.spread),
            },
        )
        client.log_outputs(run_id, [LoggedModelOutput(stored.model_id, step=0)])
        return client.finalize_logged_model(stored.model_id, LoggedModelStatus.READY)

    def _register(self, run_id: str, stored: LoggedModel, model: TrainedPointsModel) -> str:
        """Add a version to the registry, and make it the champion if its race is the latest."""
        name = registered_name(model.asset_type)
        added = self._client.create_model_version(
            name,
            source=stored.artifact_location,
            run_id=run_id,
            tags=_tags(model),
            await_creation_for=0,
            model_id=stored.model_id,
        )
        self._promote(added)
        return f"models:/{name}/{added.version}"

    def _signature(self, asset_type: str) -> ModelSignature:
        """Describe the input columns; they depend on the asset type only."""
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        if asset_type not in self._signatures:
            features = feature_set(asset_type)
            numbers = [ColSpec(DataType.double, name) for name in (*features.numeric, *features.boolean)]
            texts = [ColSpec(DataType.string, name) for name in features.categorical]
            outputs = Schema([ColSpec(DataType.double)])
            self._signatures[asset_type] = ModelSignature(inputs=Schema([*numbers, *texts]), outputs=outputs)
        return self._signatures[asset_type]

    def _version(self, model_uri: str) -> ModelVersion:
        """Fetch the registry's entry of a URI."""
        from mlflow.exceptions import MlflowException

        parsed = _URI.fullmatch(model_uri)
        if parsed is None:
            raise UsageError(f"model URI: expected models:/<name>/<version>, found {model_uri!r}")
        try:
            return self._client.get_model_version(parsed["name"], parsed["version"])
        except MlflowException as error:
            raise WarehouseError(f"{model_uri}: expected a version in {self.uri}, found none ({error})") from error

    def _model_dir(self, model_uri: str) -> Path:
        """Locate the files of a version."""
        folder = _local_path(self._version(model_uri).source)
        if not (folder / _MODEL_FILE).is_file():
            raise WarehouseError(f"{model_uri}: expected the file {folder / _MODEL_FILE}, found none")
        return folder


def _open_client(uri: str) -> MlflowClient:
    """Import MLflow quietly, without telemetry, and connect."""
    # Must be set before the import, which starts the telemetry client.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with warnings.catch_warnings():
        # MLflow 3.17 declares relations with a loader that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy", category=DeprecationWarning)
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _local_path(uri: str | None) -> Path:
    """Turn the file URI of an artifact into a path."""
    return Path(url2pathname(urlparse(uri or "").path))


def _tags(model: TrainedPointsModel) -> dict[str, str]:
    """Say which race a run, model or version is for; `race_date` decides about the champion."""
    return {
        "race_key": model.target_race_key,
        "race_date": model.target_race_date.isoformat(),
        "asset_type": model.asset_type,
        "feature_set_version": FEATURE_SET_VERSION,
        "no_cv_reason": model.no_cv_reason or "",
    }


def _params(model: TrainedPointsModel) -> dict[str, object]:
    """List every setting, what was chosen, and the data window."""
    return {
        **settings_dict(model.settings),
        "alpha": model.alpha,
        "ridge_weight": round(model.ridge_weight, 6),
        "feature_set_version": FEATURE_SET_VERSION,
        "feature_count": len(model.feature_names),
        "train_row_count": model.row_count,
        "train_race_count": model.race_count,
        "train_first_race_key": model.first_race_key,
        "train_last_race_key": model.last_race_key,
        "spread_origin": model.spread.origin,
    }


def _metrics(model: TrainedPointsModel) -> dict[str, float]:
    """List the means over folds, each fold (`cv_mae/2024`) and the spread."""
    folds = {f"{key}/{fold}": value for fold, row in model.fold_metrics.items() for key, value in row.items()}
    numbers = {key: value for key, value in asdict(model.spread).items() if key != "origin"}
    return {**(model.metrics or {}), **folds, **{f"spread/{key}": value for key, value in numbers.items()}}


def _write_run_files(folder: Path, model: TrainedPointsModel, picture: bytes | None) -> None:
    """Leave the feature list with its coefficients, and the residual plot, among the run's artifacts."""
    folder.mkdir(parents=True, exist_ok=True)
    names = model.pipeline.named_steps["prepare"].get_feature_names_out()
    coefficients = model.pipeline.named_steps["ridge"].coef_
    listing = {
        "feature_set_version": FEATURE_SET_VERSION,
        "features": list(model.feature_names),
        "points_per_standard_deviation": {str(n): float(c) for n, c in zip(names, coefficients, strict=True)},
    }
    (folder / "features.json").write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    if picture is not None:
        (folder / "residuals.png").write_bytes(picture)
