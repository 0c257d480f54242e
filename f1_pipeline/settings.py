"""Where things are: one frozen `Settings`, read once.

Belongs here: folders, file names and the few switches a user may set by environment variable. This is the only
module that reads `os.environ`. Neighbours: `definitions.py` and `cli.py` build a `Settings` and pass it on;
nothing below them looks for files by itself.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from f1_pipeline.addresses import without_user
from f1_pipeline.errors import UsageError
from f1_pipeline.warehouse.lake_address import LakeAddress, read_address

SOURCES = ("f1db", "feed")
NO_SOURCES = "none"
LATEST_F1DB = "https://github.com/f1db/f1db/releases/latest/download/f1db-csv.zip"
OFFICIAL_FEED = "https://fantasy.formula1.com/feeds"
MLFLOW_UI = "http://localhost:5000"  # where `f1-pipeline open mlflow` has it


@dataclass(frozen=True)
class Settings:
    """Folders of one installation.

    Attributes
    ----------
    home : Path
        The project's folder: the one that holds `data/`, `dbt_like_sql/` and `dagster.yaml`.
    data_dir : Path
        Committed facts (CSV) and the rules of the game (TOML).
    warehouse_dir : Path
        Everything a run makes: the DuckDB file, the MLflow store, Dagster's own storage, exports.
    lock_wait_s : float
        How long a reader or writer waits for the warehouse before it gives up, in seconds.
    sources : tuple of str
        Where a refresh gets new facts from, beside the bundle in `data_dir`: some of `f1db` and `feed`.
    f1db : str
        Path or URL of the zip of an F1DB CSV release.
    feed : str
        Base URL of the official game's feed.
    request_pause_s : float
        Rest between two requests to the feed, in seconds.
    is_debugging : bool
        Whether a fault of the program prints its traceback.
    mlflow_ui : str
        Where MLflow's pages are, for links to models.
    webhook : str
        URL that is told of failed runs and finished line-ups; a secret, nobody when it is empty.
    dask : str
        Address of the Dask scheduler whose workers do heavy, independent work; this process does it when it is empty.
    dagster_postgres : str
        URL of the PostgreSQL database of Dagster's runs, events and schedules, which may hold a password; empty for
        files below `dagster_dir`.
    mlflow : str
        URL of an MLflow tracking server, which may hold a password; empty for a store in `tracking_dir`.
    warehouse : str
        Address of a warehouse on DuckLake; empty for the DuckDB file in `warehouse_dir`.
    warehouse_data : str
        Folder or URL of the files of its tables; empty for the one that its catalog names.
    """

    home: Path
    data_dir: Path
    warehouse_dir: Path
    lock_wait_s: float = 10.0
    sources: tuple[str, ...] = SOURCES
    f1db: str = LATEST_F1DB
    feed: str = OFFICIAL_FEED
    request_pause_s: float = 1.0
    is_debugging: bool = False
    mlflow_ui: str = MLFLOW_UI
    webhook: str = field(default="", repr=False)
    dask: str = ""
    dagster_postgres: str = field(default="", repr=False)
    mlflow: str = field(default="", repr=False)
    warehouse: str = ""
    warehouse_data: str = ""

    def with_sources(self, f1db: str | None, feed: str | None) -> Settings:
        """Choose the sources that are given an address; with none given, the settings stay as they are."""
        addresses = {name: value for name, value in (("f1db", f1db), ("feed", feed)) if value}
        return replace(self, sources=tuple(addresses), **addresses) if addresses else self

    @property
    def sql_dir(self) -> Path:
        """Folder of the SQL models."""
        return self.home / "dbt_like_sql"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file; there is none when the warehouse is on DuckLake."""
        return self.warehouse_dir / "f1.duckdb"

    @property
    def lake(self) -> LakeAddress | None:
        """Where the warehouse is when it is on DuckLake.

        Raises
        ------
        UsageError
            The address is none.
        """
        if self.warehouse:
            try:
                return read_address(self.warehouse, self.warehouse_data)
            except UsageError as error:
                raise UsageError(f"F1_WAREHOUSE: {error}") from error
        if self.warehouse_data:
            raise UsageError(
                "F1_WAREHOUSE_DATA: expected with F1_WAREHOUSE, the lake whose files it is for; found alone"
            )
        return None

    @property
    def published_path(self) -> Path:
        """The read-only copy of the DuckDB file that runs publish and people read."""
        return self.warehouse_dir / "published.duckdb"

    @property
    def received_dir(self) -> Path:
        """Folder of everything received from a source, as it came; not committed, worth a back-up."""
        return self.data_dir / "received"

    @property
    def team_path(self) -> Path:
        """Your own team, kept beside the project; it need not exist."""
        return self.home / "my_team.toml"

    @property
    def tracking_dir(self) -> Path:
        """Folder of the MLflow store and its artifacts."""
        return self.warehouse_dir / "mlflow"

    @property
    def dagster_dir(self) -> Path:
        """Folder of Dagster's run, event and schedule storage."""
        return self.warehouse_dir / "dagster"

    @property
    def reports_dir(self) -> Path:
        """Folder of the pages about races and seasons."""
        return self.warehouse_dir / "reports"

    @property
    def query_history_path(self) -> Path:
        """What has been typed at the prompt of `f1-pipeline query`."""
        return self.warehouse_dir / "query_history"

    @property
    def faults_dir(self) -> Path:
        """Folder of the tracebacks of faults of the program."""
        return self.warehouse_dir / "faults"

    @property
    def alive_dir(self) -> Path:
        """Folder where each run under way holds a file."""
        return self.dagster_dir / "alive"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables, with defaults that suit a clone of the project.

    Parameters
    ----------
    environ : mapping of str to str, optional
        The environment; the process's own by default. `F1_PIPELINE_HOME` names the project's folder,
        `F1_DATA_DIR` the facts, `F1_WAREHOUSE_DIR` what runs make, `F1_WAREHOUSE` and `F1_WAREHOUSE_DATA` a warehouse
        on DuckLake and where its files lie, `F1_LOCK_WAIT_S` the patience with locks,
        `F1_SOURCES` where a refresh gets new facts from, `F1_F1DB` and `F1_FEED` their addresses,
        `F1_REQUEST_PAUSE_S` the rest between two requests, `F1_MLFLOW_UI` where links to
        models lead, `F1_WEBHOOK` whom to tell, `F1_DASK` the scheduler of a cluster,
        `F1_DAGSTER_POSTGRES` the database of Dagster's records, `F1_MLFLOW` a tracking server; any
        `F1_DEBUG` but 0 prints tracebacks.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        When a folder that must exist does not, a number of seconds is none, a source is unknown, or the webhook, a
        scheduler, a database, a server or the warehouse is no address.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("F1_PIPELINE_HOME") or Path(__file__).resolve().parent.parent).resolve()
    data_dir = Path(env.get("F1_DATA_DIR") or home / "data").resolve()
    for name, folder in (("F1_PIPELINE_HOME", home / "dbt_like_sql"), ("F1_DATA_DIR", data_dir)):
        if not folder.is_dir():
            raise UsageError(f"{name}: expected a folder at {folder}, found none")
    mlflow = _secret_url(env, "F1_MLFLOW", ("https://", "http://"))
    settings = Settings(
        home=home,
        data_dir=data_dir,
        warehouse_dir=Path(env.get("F1_WAREHOUSE_DIR") or home / "data" / "warehouse").resolve(),
        lock_wait_s=_seconds(env, "F1_LOCK_WAIT_S", 10.0),
        sources=_sources(env.get("F1_SOURCES") or ",".join(SOURCES)),
        f1db=env.get("F1_F1DB") or LATEST_F1DB,
        feed=(env.get("F1_FEED") or OFFICIAL_FEED).rstrip("/"),
        request_pause_s=_seconds(env, "F1_REQUEST_PAUSE_S", 1.0),
        is_debugging=env.get("F1_DEBUG", "0") not in ("", "0"),
        mlflow_ui=(env.get("F1_MLFLOW_UI") or without_user(mlflow) or MLFLOW_UI).rstrip("/"),
        webhook=_secret_url(env, "F1_WEBHOOK", ("https://", "http://")),
        dask=_dask(env.get("F1_DASK") or ""),
        dagster_postgres=_secret_url(env, "F1_DAGSTER_POSTGRES", ("postgresql://", "postgresql+psycopg2://")),
        mlflow=mlflow.rstrip("/"),
        warehouse=env.get("F1_WAREHOUSE") or "",
        warehouse_data=env.get("F1_WAREHOUSE_DATA") or "",
    )
    lake = settings.lake
    # for programs that are started in another folder
    return settings if lake is None else replace(settings, warehouse=lake.attach_string, warehouse_data=lake.data_path)


def environment(**changes: str) -> dict[str, str]:
    """Return the process's environment with some variables changed, for a program that is started from here."""
    return {**os.environ, **changes}


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        seconds = float(env.get(name) or default)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError(f"{name}: expected a number of seconds, found {env.get(name)!r}")
    return seconds


def _secret_url(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    url = env.get(name) or ""
    if url and not url.startswith(schemes):
        # the address may hold a secret: it is not repeated
        raise UsageError(f"{name}: expected an address that begins with {' or '.join(schemes)}, found another")
    return url


def _dask(address: str) -> str:
    if address and not re.fullmatch(r"(tcp|tls)://[^/@]+:\d+", address):
        raise UsageError(f"F1_DASK: expected tcp://host:port or tls://host:port, found {address!r}")
    return address


def _sources(text: str) -> tuple[str, ...]:
    chosen = [] if text == NO_SOURCES else [name.strip() for name in text.split(",")]
    for name in chosen:
        if name not in SOURCES:
            raise UsageError(f"F1_SOURCES: expected {NO_SOURCES} or some of {', '.join(SOURCES)}, found {name!r}")
    return tuple(name for name in SOURCES if name in chosen)
