"""Where MLflow keeps models: in a folder of this machine, or on a tracking server that several machines share.

Belongs here: what differs between the two, which is how files get there and back, and how what goes wrong is named.
Neighbour: `forecast.tracking` does everything else, the same for both.

References
----------
MLflow 3.17.2, "Remote experiment tracking", `--artifacts-destination` (the server passes files on to its own store, so
that clients need no rights there), `MLFLOW_HTTP_REQUEST_MAX_RETRIES` (read 2026-11).
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlparse, urlsplit
from urllib.request import url2pathname

import requests

from f1_pipeline.addresses import without_user
from f1_pipeline.errors import F1PipelineError, ServiceError, WarehouseError

ANSWER_S = 10.0
"""How long a server may take to say that it is there."""
RETRIES = 5
"""Of a request that a server did not answer, or answered with a fault; with MLflow's rests a minute altogether."""
NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
"""MLflow's codes of an answer that is no fault: what is asked for is not there."""
Client = TypeVar("Client")


class Store(Protocol):
    """What `tracking` asks of either."""

    uri: str
    shown: str

    def prepare(self) -> None:
        """Make what is missing, or see that it is there."""

    def guarded(self, client: Client) -> Client:
        """Name what goes wrong in calls of a client, where that is not done by `errors`."""

    def errors(self) -> AbstractContextManager[None]:
        """Name what goes wrong while the body writes."""

    def location(self, name: str) -> str | None:
        """Say where the files of a new experiment belong; None leaves it to MLflow."""

    def filled(self, location: str | None, send: Callable[[str], object]) -> AbstractContextManager[Path]:
        """Give a folder that is still to be filled; ``send`` uploads one."""

    def file(self, source: str, name: str) -> Path:
        """Name a file of this machine, which need not exist: that of a model, by its location."""

    def has_files(self, path: Path, names: Sequence[str]) -> bool:
        """Tell whether the files of a model are all still there, as far as can be known without asking."""

    def owned(self, uri: str) -> Path | None:
        """Name the folder of this machine that a location of this store is, if it is one."""


class FolderStore:
    """`mlflow.db` (SQLite) and `artifacts/` in a folder, which is made if absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.uri = self.shown = f"sqlite:///{self.folder / 'mlflow.db'}"

    def prepare(self) -> None:
        """Make the folder, and switch the database to its write-ahead log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # before MLflow, which turns damage into errors of its own, and makes a new store of an empty file
        _write_ahead(self.folder / "mlflow.db")

    def guarded(self, client: Client) -> Client:
        """Return the client as it is."""
        return client

    @contextmanager
    def errors(self) -> Generator[None]:
        """Name the store when its disk refuses something; MLflow has half a dozen errors for that."""
        try:
            yield
        except F1PipelineError:
            raise
        except OSError as error:
            raise _not_written(error.filename or self.folder, error.strerror or error) from error
        except _database_errors() as error:
            found = error if hasattr(error, "orig") else error.__cause__
            if not hasattr(found, "orig"):  # an error about something else
                raise
            raise _not_written(self.folder, found.orig) from error

    def location(self, name: str) -> str | None:
        """Name a folder below `artifacts/`."""
        return (self.folder / "artifacts" / name).as_uri()

    @contextmanager
    def filled(self, location: str | None, send: Callable[[str], object]) -> Generator[Path]:
        """Give the final place itself."""
        yield local_path(location)

    def file(self, source: str, name: str) -> Path:
        """Name the file itself."""
        return local_path(source) / name

    def has_files(self, path: Path, names: Sequence[str]) -> bool:
        """Look."""
        return all((path / name).is_file() for name in names)

    def owned(self, uri: str) -> Path | None:
        """Name a folder below `artifacts/`, and no other."""
        path = local_path(uri)
        return path if path.is_relative_to(self.folder / "artifacts") and path.is_dir() else None


class ServerStore:
    """A tracking server; what is read of it is kept in a folder, for a version never changes.

    Parameters
    ----------
    uri : str
        ``http://`` or ``https://``; may hold a password.
    cache : Path
    """

    def __init__(self, uri: str, cache: Path) -> None:
        self.uri, self.shown = uri, without_user(uri)
        self._cache = cache

    def prepare(self) -> None:
        """Ask the server whether it is there, for a bounded time."""
        try:
            answer = requests.get(f"{self.uri}/health", timeout=ANSWER_S)
        except requests.RequestException as error:
            raise ServiceError(
                f"F1_MLFLOW: expected an MLflow server at {self.shown}, found none: {type(error).__name__}"
            ) from None  # what requests says repeats the address, password and all
        if answer.status_code != requests.codes.ok:
            raise ServiceError(
                f"F1_MLFLOW: expected an MLflow server at {self.shown}, found one that answers {answer.status_code}"
            )
        from mlflow import environment_variables as of_mlflow

        of_mlflow.MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(RETRIES)
        of_mlflow.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set(False)
        of_mlflow.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.set(True)

    def guarded(self, client: Client) -> Client:
        """Name the server in whatever a call of the client raises."""
        return _Guarded(client, self)  # ty: ignore[invalid-explicit-return]

    @contextmanager
    def errors(self) -> Generator[None]:
        """Name the server when it does not answer, or cannot do what is asked."""
        from mlflow.exceptions import MlflowException, RestException

        try:
            yield
        except (MlflowException, requests.RequestException) as error:
            if isinstance(error, RestException) and error.error_code in NOT_FOUND:
                raise  # an answer, which callers know what to make of
            reason = str(error).splitlines()[0].replace(self.uri, self.shown)
            raise ServiceError(f"F1_MLFLOW: the MLflow server {self.shown} did not do its part: {reason}") from None

    def location(self, name: str) -> str | None:
        """Leave it to the server."""
        return None

    @contextmanager
    def filled(self, location: str | None, send: Callable[[str], object]) -> Generator[Path]:
        """Give a folder for the moment, and upload what is in it."""
        with tempfile.TemporaryDirectory() as made:
            yield Path(made) / "files"
            if (Path(made) / "files").exists():
                send(str(Path(made) / "files"))

    def file(self, source: str, name: str) -> Path:
        """Download the file, unless it is there already; whole or not at all."""
        kept = self._cache / urlsplit(source).path.strip("/") / name
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as made, self.errors():
                self._download(f"{source}/{name}", made).replace(kept)
        return kept

    def _download(self, uri: str, target: str) -> Path:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        try:
            return Path(download_artifacts(artifact_uri=uri, dst_path=target, tracking_uri=self.uri))
        except MlflowException as error:
            raise WarehouseError(
                f"{uri}: expected a file at {self.shown}, found none ({type(error).__name__})"
            ) from None

    def has_files(self, path: Path, names: Sequence[str]) -> bool:
        """Trust the server, which is the only one that deletes them."""
        return True

    def owned(self, uri: str) -> Path | None:
        """None is: `mlflow gc` on the server deletes the files of deleted runs."""
        return None


class _Guarded:
    """A client whose every call names the server in what it raises."""

    def __init__(self, client: object, store: ServerStore) -> None:
        self._client, self._store = client, store

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*given: Any, **named: Any) -> Any:
            with self._store.errors():
                return method(*given, **named)

        return call


def local_path(uri: str | None) -> Path:
    """Turn the file URI of an artifact into a path."""
    return Path(url2pathname(urlparse(uri or "").path))


def _write_ahead(path: Path) -> None:
    """Switch the store to SQLite's write-ahead log: a commit syncs once, and `mlflow ui` reads during a run."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError as error:  # no damage: no space, no rights, another process
        raise _not_written(path, error) from error
    except sqlite3.DatabaseError as error:
        raise WarehouseError(
            f"{path}: the model store cannot be used; `f1-pipeline restore` brings a back-up back, or move the folder "
            f"{path.parent} aside and run again: {error}"
        ) from error


def _database_errors() -> tuple[type[Exception], ...]:
    """Name the errors of the store's database, as they are or in MLflow's; imported when one is to be matched."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DatabaseError

    return DatabaseError, MlflowException


def _not_written(place: Path | str, reason: object) -> WarehouseError:
    return WarehouseError(f"{place}: the model store cannot be written, check the disk and its space: {reason}")
