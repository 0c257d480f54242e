"""Keep trained points models in MLflow: runs, files in skops format, versions, and the `champion` alias.

Belongs here: everything that knows MLflow; no other module imports it, and this one only when a store is opened,
because the import takes seconds. Training and forecasting are the neighbour `forecast.points_model`, the hash by which
a model is found again `forecast.fingerprint`, what is written down about a training `forecast.training_record`.

Only a run that reached FINISHED, the last thing `log_training` does, counts: whatever a crash or a kill leaves behind
is never reused.

References
----------
MLflow 3.17.2, `MlflowClient` and `mlflow.sklearn.save_model` (read 2026-11); skops 0.16, "Secure persistence".
"""

from __future__ import annotations

import logging
import re
import sqlite3
import warnings
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

import yaml
from sklearn.pipeline import Pipeline

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast import training_record
from f1_pipeline.forecast.feature_sets import FEATURE_SETS, feature_set
from f1_pipeline.forecast.fingerprint import fingerprint
from f1_pipeline.forecast.points_model import PointsForecaster, TrainedPointsModel
from f1_pipeline.forecast.spread import Spread

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature

    from f1_pipeline.forecast.residual_plot import ResidualPlot

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


@dataclass(frozen=True)
class _Finished:
    """What is remembered of a run that reached its end."""

    fingerprint: str
    model_uri: str
    path: Path
    summary: dict[str, str | int | float | None]

    @classmethod
    def from_run(cls, run: Run) -> _Finished | None:
        """Read a run; None when it did not finish or has no model."""
        tags = run.data.tags
        if run.info.status != "FINISHED" or not {"fingerprint", "model_uri", "model_path"} <= set(tags):
            return None
        summary = training_record.summary(run.data.params, run.data.metrics)
        return cls(tags["fingerprint"], tags["model_uri"], Path(tags["model_path"]), summary)


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
        _write_ahead(self.store_dir / "mlflow.db")
        self._experiments = {asset_type: self._experiment_id(asset_type) for asset_type in FEATURE_SETS}
        self._signatures: dict[str, ModelSignature] = {}
        self._known: dict[str, _Finished] | None = None

    @cached_property
    def _plot(self) -> ResidualPlot:
        # Matplotlib and skops take seconds to import; a run that trains nothing needs no picture.
        from f1_pipeline.forecast.residual_plot import ResidualPlot

        return ResidualPlot()

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
        self._known = self._search("attributes.status = 'FINISHED'")
        return len(self._known)

    def _search(self, condition: str) -> dict[str, _Finished]:
        """Read the finished runs that meet a condition, by fingerprint."""
        found: dict[str, _Finished] = {}
        token: str | None = None
        while token is None or token:
            page = self._client.search_runs(
                list(self._experiments.values()),
                filter_string=condition,
                max_results=_PAGE,
                # Of two runs with one fingerprint the older is met last, and stays.
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            for run in page:
                finished = _Finished.from_run(run)
                if finished is not None:
                    found[finished.fingerprint] = finished
            token = page.token or ""
        return found

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
        known = self._search(f"tags.fingerprint = '{fingerprint}'") if self._known is None else self._known
        found = known.get(fingerprint)
        return found.model_uri if found and (found.path / _MODEL_FILE).is_file() else None

    def summary(self, model_uri: str) -> dict[str, str | int | float | None]:
        """Sum up the training of a model.

        Parameters
        ----------
        model_uri : str
            From `log_training` or `find`.

        Returns
        -------
        dict
            training_row_count, first_training_race_key and last_training_race_key (None without history),
            cv_mae_points and cv_rmse_points (None without cross-validation).

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version does not exist, or its training was not finished.
        """
        for finished in (self._known or {}).values():
            if finished.model_uri == model_uri:
                return dict(finished.summary)
        finished = _Finished.from_run(self._client.get_run(str(self._version(model_uri).run_id)))
        if finished is None:
            raise WarehouseError(f"{model_uri}: expected a finished training in {self.uri}, found an unfinished one")
        return dict(finished.summary)

    def log_training(self, model: TrainedPointsModel, fingerprint: str) -> str:
        """Record a training: settings, data window, metrics, features, residual plot, model file, version.

        The run becomes FINISHED last; `promote` makes the version the champion.

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
        tags = {**training_record.tags(model), "fingerprint": fingerprint}
        run = self._client.create_run(experiment_id, tags=tags, run_name=model.target_race_key)
        run_id, outcome = run.info.run_id, "FAILED"
        try:
            training_record.write_files(_local_path(run.info.artifact_uri), model, self._plot.png(model))
            stored = self._store_model(run_id, model)
            path, uri = _local_path(stored.artifact_location), self._register(run_id, stored, model)
            links = {"model_uri": uri, "model_path": str(path)}
            self._log_figures(run_id, run.info.start_time, model, links)
            outcome = "FINISHED"
        finally:
            self._client.set_terminated(run_id, outcome)
        if self._known is not None:
            shown = training_record.summary(training_record.params(model), training_record.metrics(model))
            self._known[fingerprint] = _Finished(fingerprint, uri, path, shown)
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
        champion = self._client.get_registered_model(candidate.name).aliases.get(CHAMPION)
        if champion is not None:
            holder = self._client.get_model_version(candidate.name, str(champion))
            if holder.tags.get("race_date", "") > candidate.tags["race_date"]:
                return False
        self._client.set_registered_model_alias(candidate.name, CHAMPION, str(candidate.version))
        return True

    def record_outcome(self, model_uri: str, figures: dict[str, float]) -> None:
        """Add to a version's run how its forecast did in the race; the same figures again change nothing.

        Parameters
        ----------
        model_uri : str
            From `log_training` or `find`.
        figures : dict of str to float
            Metrics such as `race_mae` or `lineup_capture_share`.

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version does not exist.
        """
        from mlflow.entities import Metric

        run = self._client.get_run(str(self._version(model_uri).run_id))
        new = {key: value for key, value in figures.items() if run.data.metrics.get(key) != value}
        if not new:
            return
        at = run.info.end_time or run.info.start_time
        self._client.log_batch(run.info.run_id, metrics=[Metric(key, value, at, 0) for key, value in new.items()])

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
        import skops.io

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
        pipeline = self.load_model(model_uri)
        # Read without MLflow's own reader, which imports every flavour it knows.
        record = yaml.safe_load((self._model_dir(model_uri) / "MLmodel").read_text(encoding="utf-8"))
        metadata = record["metadata"]
        return PointsForecaster(
            asset_type=metadata["asset_type"],
            pipeline=pipeline,
            feature_names=tuple(metadata["feature_names"]),
            spread=Spread(**metadata["spread"]),
        )

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

        metrics = [Metric(key, value, now, 0) for key, value in training_record.metrics(model).items()]
        params = [Param(key, str(value)) for key, value in training_record.params(model).items()]
        self._client.log_batch(run_id, metrics=metrics, params=params, tags=[RunTag(*tag) for tag in tags.items()])

    def _store_model(self, run_id: str, model: TrainedPointsModel) -> LoggedModel:
        """Write the model in skops format into its final place, and declare it ready."""
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus
        from mlflow.models import Model

        client, asset_type, flavour = self._client, model.asset_type, _sklearn_flavour()
        name = registered_name(asset_type)
        stored = client.create_logged_model(
            self._experiments[asset_type], name, run_id, tags=training_record.tags(model)
        )
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
            pip_requirements=_serving_requirements(),
            metadata={
                "asset_type": asset_type,
                "feature_names": list(model.feature_names),
                "spread": asdict(model.spread),
            },
        )
        client.log_outputs(run_id, [LoggedModelOutput(stored.model_id, step=0)])
        return client.finalize_logged_model(stored.model_id, LoggedModelStatus.READY)

    def _register(self, run_id: str, stored: LoggedModel, model: TrainedPointsModel) -> str:
        """Add a version to the registry."""
        name = registered_name(model.asset_type)
        added = self._client.create_model_version(
            name,
            source=stored.artifact_location,
            run_id=run_id,
            tags=training_record.tags(model),
            await_creation_for=0,
            model_id=stored.model_id,
        )
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
    with warnings.catch_warnings():
        # MLflow 3.17 declares relations with a loader that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy", category=DeprecationWarning)
        from mlflow import MlflowClient
        from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY
        from mlflow.telemetry import set_telemetry_client

        # Nothing is sent before the first call of a client; from here on there is nobody to send it.
        MLFLOW_DISABLE_TELEMETRY.set("true")
        set_telemetry_client()
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _write_ahead(path: Path) -> None:
    """Switch the store to SQLite's write-ahead log: a commit syncs once, and `mlflow ui` reads during a run."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")


@cache
def _serving_requirements() -> list[str]:
    """Pin what a stored model needs; given outright, since MLflow would spend seconds to infer it."""
    return [f"{package}=={version(package)}" for package in _SERVING_PACKAGES]


def _sklearn_flavour() -> ModuleType:
    """Import MLflow's scikit-learn flavour, and what that imports later, without warnings about MLflow itself."""
    with warnings.catch_warnings():
        # MLflow 3.17 infers schemas of its own classes and warns about their type hints.
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning)
        import_module("mlflow.pyfunc")
        return import_module("mlflow.sklearn")


def _local_path(uri: str | None) -> Path:
    """Turn the file URI of an artifact into a path."""
    return Path(url2pathname(urlparse(uri or "").path))
