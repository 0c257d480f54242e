"""Keep forecast models in MLflow: nested runs, files without pickles, versions, and the `champion` aliases.

Belongs here: what is kept and found, the same for a folder and for a server; `tracking_stores` knows how these differ.
No other module imports MLflow, and these two only when a store is opened, because the import takes seconds. Models are
made by the neighbours `forecast.points_model` and `forecast.weekend_model`, what is written down about them by
`forecast.model_records`; which of them is champion is decided by `forecast.gate`.

A race has one run, of its weekend model, and nested in it one run for each other candidate. All are versions of one
registered model. Only a run that reached FINISHED, the last thing `log_model` does, counts: whatever a crash or a kill
leaves behind is never reused.

References
----------
MLflow 3.17.2, `MlflowClient` and `mlflow.sklearn.save_model` (read 2026-11); skops 0.16, "Secure persistence".
"""

from __future__ import annotations

import logging
import re
import shutil
import warnings
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast.feature_sets import FEATURES
from f1_pipeline.forecast.grouped_regressor import GroupedRegressor
from f1_pipeline.forecast.model_records import ModelRecord
from f1_pipeline.forecast.points_model import GROUPS
from f1_pipeline.forecast.tracking_stores import FolderStore, ServerStore, Store, local_path

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import Model, ModelSignature

__all__ = ["AGENTS", "REGISTERED_NAME", "TRUSTED_TYPES", "Tracking"]

REGISTERED_NAME = "points_forecast"
"""The experiment and the registered model of forecasts."""
AGENTS = "agents"
"""Those of agents that play the game."""
_DESCRIPTIONS = {
    REGISTERED_NAME: "Fantasy points of every driver and constructor in one race.",
    AGENTS: "Agents that play a season, trained before its first race.",
}

TRUSTED_TYPES = (
    "f1_pipeline.forecast.grouped_regressor.GroupedRegressor",
    "numpy.dtype",
    "sklearn.tree._tree.Tree",
)
"""What a stored model may hold beyond the types that skops trusts by itself."""

_ESTIMATOR_FILE = "model.skops"
_SERVING_PACKAGES = ("f1-pipeline", "numpy", "pandas", "scikit-learn", "skops")
_PAGE = 5000
_URI = re.compile(r"models:/(?P<name>[\w-]+)/(?P<version>\d+)")


@dataclass(frozen=True)
class _Finished:
    """What is remembered of a run that reached its end."""

    fingerprint: str
    model_uri: str
    run_id: str
    path: Path
    files: tuple[str, ...]

    @classmethod
    def from_run(cls, run: Run) -> _Finished | None:
        """Read a run; None when it did not finish or has no model."""
        tags = run.data.tags
        if run.info.status != "FINISHED" or not {"fingerprint", "model_uri", "model_path", "model_files"} <= set(tags):
            return None
        files = tuple(tags["model_files"].split(","))
        return cls(tags["fingerprint"], tags["model_uri"], run.info.run_id, Path(tags["model_path"]), files)


class Tracking:
    """An MLflow store, in a folder or on a server.

    Opening creates what is missing. The first time, MLflow runs its migrations, which takes some seconds.

    Parameters
    ----------
    store_dir : Path
        The folder of the store; of a server, where what is read of it is kept.
    name : str
        The experiment and the registered model: `REGISTERED_NAME` or `AGENTS`.
    server : str
        Address of a tracking server; empty for a store in the folder.

    Raises
    ------
    WarehouseError
        When the store is damaged, or the disk is full; so do all methods that write.
    ServiceError
        When the server is out of reach; so do all methods.
    """

    def __init__(self, store_dir: Path, name: str = REGISTERED_NAME, server: str = "") -> None:
        self.name = name
        self._store: Store = ServerStore(server, store_dir.resolve() / "read") if server else FolderStore(store_dir)
        with self._store.errors():
            self._store.prepare()
            self._client = self._store.guarded(_open_client(self._store.uri))
            self._experiment_id = self._find_or_create()
        self._known: dict[str, _Finished] | None = None

    @property
    def uri(self) -> str:
        """The tracking URI, without a password that may be in it."""
        return self._store.shown

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
        for run in self._runs(condition):
            finished = _Finished.from_run(run)
            if finished is not None:
                found[finished.fingerprint] = finished
        return found

    def _runs(self, condition: str) -> Iterator[Run]:
        """Read the runs that meet a condition, page by page."""
        token: str | None = None
        while token is None or token:
            page = self._client.search_runs(
                [self._experiment_id],
                filter_string=condition,
                max_results=_PAGE,
                # Of two runs with one fingerprint the older is met last, and stays.
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            yield from page
            token = page.token or ""

    def find(self, fingerprint: str) -> str | None:
        """Look up a finished model by its fingerprint.

        Parameters
        ----------
        fingerprint : str
            Of the same content.

        Returns
        -------
        str or None
            Its URI; None when there is no such run, it was not finished, or its files are gone.
        """
        known = self._search(f"tags.fingerprint = '{fingerprint}'") if self._known is None else self._known
        found = known.get(fingerprint)
        return found.model_uri if found and self._store.has_files(found.path, found.files) else None

    def log_model(self, record: ModelRecord, parent_uri: str | None = None) -> str:
        """Record a model: parameters, metrics, pictures, its files and a version; the run becomes FINISHED last.

        Parameters
        ----------
        record : ModelRecord
        parent_uri : str, optional
            The version in whose run this one is nested.

        Returns
        -------
        str
            `models:/<name>/<version>`.

        Raises
        ------
        UsageError, WarehouseError
            When `parent_uri` is no version of the store, or the disk is full.
        """
        with self._store.errors():
            return self._log_model(record, parent_uri)

    def _log_model(self, record: ModelRecord, parent_uri: str | None) -> str:
        tags = {**record.tags(), "fingerprint": record.fingerprint}
        if parent_uri is not None:
            tags["mlflow.parentRunId"] = str(self._version(parent_uri).run_id)
        run = self._client.create_run(self._experiment_id, tags=tags, run_name=f"{record.race_key} {record.candidate}")
        run_id, outcome = run.info.run_id, "FAILED"
        try:
            with self._store.filled(run.info.artifact_uri, partial(self._client.log_artifacts, run_id)) as folder:
                _write_files(folder, record.artifacts)
            stored = self._store_model(run_id, record)
            path, uri = local_path(stored.artifact_location), self._register(run_id, stored, record)
            files = ("MLmodel", *(() if record.estimator is None else (_ESTIMATOR_FILE,)), *record.files)
            links = {"model_uri": uri, "model_path": str(path), "model_files": ",".join(files)}
            self._log_figures(run_id, run.info.start_time, record, links)
            outcome = "FINISHED"
        finally:
            self._client.set_terminated(run_id, outcome)
        if self._known is not None:
            self._known[record.fingerprint] = _Finished(record.fingerprint, uri, run_id, path, files)
        return uri

    def promote(self, model_uri: str, alias: str, tags: Mapping[str, str]) -> bool:
        """Point an alias at a version, unless it points at one for a later race.

        Parameters
        ----------
        model_uri : str
            From `log_model` or `find`.
        alias : str
            Such as `champion`.
        tags : mapping of str to str
            Why, written on the version.

        Returns
        -------
        bool
            Whether the alias is there now. Computing an old race again never moves it backwards.

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version does not exist.
        """
        candidate = self._version(model_uri)
        with self._store.errors():
            return self._promote(candidate, alias, tags)

    def _promote(self, candidate: ModelVersion, alias: str, tags: Mapping[str, str]) -> bool:
        holder_version = self._client.get_registered_model(candidate.name).aliases.get(alias)
        if holder_version is not None:
            holder = self._client.get_model_version(candidate.name, str(holder_version))
            if holder.tags.get("race_date", "") > candidate.tags["race_date"]:
                return False
        for key, value in tags.items():
            self._client.set_model_version_tag(candidate.name, str(candidate.version), key, value)
        self._client.set_registered_model_alias(candidate.name, alias, str(candidate.version))
        return True

    def holder(self, alias: str) -> str | None:
        """Return the URI of the version that an alias points at, None before the first."""
        number = self._client.get_registered_model(self.name).aliases.get(alias)
        return None if number is None else f"models:/{self.name}/{number}"

    def record_outcome(self, model_uri: str, figures: dict[str, float]) -> None:
        """Add to a version's run how its forecast did in the race; the same figures again change nothing.

        Parameters
        ----------
        model_uri : str
            From `log_model` or `find`.
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
        run_id, at = run.info.run_id, run.info.end_time or run.info.start_time
        # Of two values at one moment MLflow shows the larger, of two steps the later one.
        steps = {
            key: len(self._client.get_metric_history(run_id, key)) if key in run.data.metrics else 0 for key in new
        }
        metrics = [Metric(key, value, at, steps[key]) for key, value in new.items()]
        with self._store.errors():
            self._client.log_batch(run_id, metrics=metrics)

    def load_estimator(self, model_uri: str) -> GroupedRegressor:
        """Load the estimator of a version, letting skops build trusted types only.

        Parameters
        ----------
        model_uri : str
            From `log_model` or `find`.

        Returns
        -------
        GroupedRegressor
            Fitted.

        Raises
        ------
        UsageError
            When the URI is not one of a registered version.
        WarehouseError
            When the version or its file does not exist.
        """
        import skops.io

        # MLflow's own loader takes the list of trusted types from the file it is about to trust; this one does not.
        return skops.io.load(self.model_file(model_uri, _ESTIMATOR_FILE), trusted=list(TRUSTED_TYPES))

    def model_file(self, model_uri: str, name: str) -> Path:
        """Locate a file of a version; errors as for `load_estimator`."""
        path = self._store.file(str(self._version(model_uri).source), name)
        if not path.is_file():
            raise WarehouseError(f"{model_uri}: expected the file {path}, found none")
        return path

    def prune(self, referenced: Collection[str], before: datetime, dry_run: bool = False) -> list[str]:
        """Delete the models, with their files, that nothing refers to any more, and what failed runs left.

        Parameters
        ----------
        referenced : collection of str
            URIs that a table names; versions that an alias points at count as well, and the runs around them.
        before : datetime
            Runs that began later stay.
        dry_run : bool
            Whether to say only what would go.

        Returns
        -------
        list of str
            Names of the runs that are gone. MLflow keeps their rows as deleted.
        """
        aliases = self._client.get_registered_model(self.name).aliases.values()
        kept_uris = {*referenced, *(f"models:/{self.name}/{number}" for number in aliases)}
        runs = list(self._runs("attributes.status != 'RUNNING'")) + list(self._runs("attributes.status = 'RUNNING'"))
        kept = {run.info.run_id for run in runs if run.data.tags.get("model_uri") in kept_uris}
        kept |= {str(run.data.tags.get("mlflow.parentRunId")) for run in runs if run.info.run_id in kept}
        latest = int(before.timestamp() * 1000)
        gone = [run for run in runs if run.info.run_id not in kept and run.info.start_time < latest]
        for run in [] if dry_run else gone:
            self._delete(run)
        return [str(run.info.run_name) for run in gone]

    def _delete(self, run: Run) -> None:
        """Delete a run, its version and its files; the version first, for a run without one is never used."""
        tags = run.data.tags
        parsed = _URI.fullmatch(tags.get("model_uri", ""))
        if parsed is not None:
            self._client.delete_model_version(parsed["name"], parsed["version"])
        self._client.delete_run(run.info.run_id)
        for uri in (tags.get("model_path", ""), str(run.info.artifact_uri)):
            # only what is the store's own; the run's artifacts lie in a folder of its name
            own = self._store.owned(uri.removesuffix("/artifacts"))
            if own is not None:
                shutil.rmtree(own)

    def _find_or_create(self) -> str:
        """Find or create the experiment and the registered model."""
        if not self._client.search_registered_models(f"name = '{self.name}'"):
            self._client.create_registered_model(self.name, description=_DESCRIPTIONS[self.name])
        known = self._client.get_experiment_by_name(self.name)
        if known is not None:
            return known.experiment_id
        return self._client.create_experiment(self.name, artifact_location=self._store.location(self.name))

    def _log_figures(self, run_id: str, now: int, record: ModelRecord, tags: dict[str, str]) -> None:
        """Send parameters, metrics and tags in one batch."""
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(key, value, now, 0) for key, value in record.metrics.items()]
        for step, point in enumerate(record.curve, start=1):
            metrics += [Metric(key, value, now, step) for key, value in point.items()]
        params = [Param(key, str(value)) for key, value in record.params.items()]
        self._client.log_batch(run_id, metrics=metrics, params=params, tags=[RunTag(*tag) for tag in tags.items()])

    def _store_model(self, run_id: str, record: ModelRecord) -> LoggedModel:
        """Write the model's files into their final place, and declare it ready."""
        from mlflow.entities import LoggedModelOutput, LoggedModelStatus
        from mlflow.models import Model

        client = self._client
        stored = client.create_logged_model(self._experiment_id, record.candidate, run_id, tags=record.tags())
        card = Model(
            artifact_path=stored.artifact_location, run_id=run_id, model_uuid=stored.model_id, model_id=stored.model_id
        )
        send = partial(client.log_model_artifacts, stored.model_id)
        with self._store.filled(stored.artifact_location, send) as folder:
            _write_model(folder, card, record)
        client.log_outputs(run_id, [LoggedModelOutput(stored.model_id, step=0)])
        return client.finalize_logged_model(stored.model_id, LoggedModelStatus.READY)

    def _register(self, run_id: str, stored: LoggedModel, record: ModelRecord) -> str:
        """Add a version to the registry."""
        added = self._client.create_model_version(
            self.name,
            source=stored.artifact_location,
            run_id=run_id,
            tags=record.tags(),
            await_creation_for=0,
            model_id=stored.model_id,
        )
        return f"models:/{self.name}/{added.version}"

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


def _write_model(folder: Path, card: Model, record: ModelRecord) -> None:
    """Leave the files of a model in a folder that does not exist yet."""
    if record.estimator is None:
        folder.mkdir(parents=True, exist_ok=True)
        card.metadata = record.tags()
        card.save(str(folder / "MLmodel"))
    else:
        flavour = _sklearn_flavour()
        flavour.save_model(
            record.estimator,
            str(folder),
            mlflow_model=card,
            serialization_format=flavour.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=list(TRUSTED_TYPES),
            signature=_signature(),
            pip_requirements=_serving_requirements(),
            metadata=record.tags(),
        )
        _compress(folder / _ESTIMATOR_FILE)
    _write_files(folder, record.files)


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


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Leave files in a folder."""
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _compress(path: Path) -> None:
    """Pack a stored estimator: skops leaves a zip of many small files as they are, 2 MB for fifty small trees."""
    packed = path.with_suffix(".packed")
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in plain.namelist():
            target.writestr(name, plain.read(name))
    packed.replace(path)


@cache
def _signature() -> ModelSignature:
    """Describe the input columns."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    texts = [ColSpec(DataType.string, name) for name in GROUPS]
    numbers = [ColSpec(DataType.double, name) for name in FEATURES]
    return ModelSignature(inputs=Schema([*texts, *numbers]), outputs=Schema([ColSpec(DataType.double)]))
