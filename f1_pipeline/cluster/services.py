"""The services of a cluster, what each is told, and where they are.

Belongs here: commands, ports, environments, health. Neighbours: `processes.py` starts them, `cluster.py` says in which
order, `postgres.py` is the database of all.

Each has a folder of its own and is told addresses only, so that what works here works on as many machines: Dask's
workers are not told of the warehouse at all. The one folder that is shared on purpose is that of the lake's files.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from f1_pipeline.addresses import with_driver
from f1_pipeline.cluster.postgres import HOST, Database, Postgres, free_port
from f1_pipeline.cluster.processes import Service
from f1_pipeline.defs.instance_home import write_instance_home
from f1_pipeline.settings import Settings, environment

PORTS = {"postgres": 5432, "mlflow": 5000, "scheduler": 8786, "webserver": 3000}
"""Preferred ones; where one is taken, any."""
HEARTBEATS = """
    select count(*) > 0 from daemon_heartbeats
    where timestamp > (now() at time zone 'utc') - interval '30 seconds'
"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Addresses:
    """Where the services of a cluster are.

    Attributes
    ----------
    folder : Path
        Of the cluster.
    settings : Settings
        The installation: its project and facts.
    server : Postgres
    mlflow, scheduler, webserver : int
        Ports on loopback.
    """

    folder: Path
    settings: Settings
    server: Postgres
    mlflow: int
    scheduler: int
    webserver: int

    @classmethod
    def choose(cls, folder: Path, settings: Settings) -> Addresses:
        """Choose free ports, and describe the database server."""
        ports = {name: free_port(preferred) for name, preferred in PORTS.items()}
        return cls(folder, settings, Postgres.in_folder(folder / "postgres", ports.pop("postgres")), **ports)

    def database(self, name: str) -> Database:
        """Name a database of the server."""
        return Database(self.server, name)

    @property
    def mlflow_url(self) -> str:
        """The tracking server."""
        return f"http://{HOST}:{self.mlflow}"

    @property
    def dask_url(self) -> str:
        """The scheduler."""
        return f"tcp://{HOST}:{self.scheduler}"

    @property
    def webserver_url(self) -> str:
        """Dagster's pages."""
        return f"http://{HOST}:{self.webserver}"

    def settings_of(self, name: str) -> Settings:
        """Return the settings of a process that runs the pipeline, with a folder of its own."""
        return replace(
            self.settings,
            warehouse_dir=self.folder / name / "warehouse",
            warehouse=f"ducklake:postgres:{self.database('warehouse').conninfo}",
            warehouse_data=str(self.folder / "lake"),
            dagster_postgres=self.database("dagster").url,
            mlflow=self.mlflow_url,
            mlflow_ui=self.mlflow_url,
            dask=self.dask_url,
        )

    def environment_of(self, name: str) -> dict[str, str]:
        """Return the environment of a process that runs the pipeline."""
        own = self.settings_of(name)
        return environment(
            DAGSTER_HOME=str(write_instance_home(own)),
            F1_PIPELINE_HOME=str(own.home),
            F1_DATA_DIR=str(own.data_dir),
            F1_WAREHOUSE_DIR=str(own.warehouse_dir),
            F1_WAREHOUSE=own.warehouse,
            F1_WAREHOUSE_DATA=own.warehouse_data,
            F1_DAGSTER_POSTGRES=own.dagster_postgres,
            F1_MLFLOW=own.mlflow,
            F1_MLFLOW_UI=own.mlflow_ui,
            F1_DASK=own.dask,
            PGPASSWORD=self.server.password,
        )


def model_server(at: Addresses) -> Service:
    """Describe the MLflow server: its records in PostgreSQL, the files of models in its own folder."""
    folder = at.folder / "mlflow"
    options = ("--host", HOST, "--port", str(at.mlflow), "--workers", "1")
    return Service(
        "mlflow",
        (sys.executable, "-m", "mlflow", "server", *options, "--artifacts-destination", str(folder / "artifacts")),
        folder,
        # by the environment, since everybody may read command lines
        environment(
            MLFLOW_BACKEND_STORE_URI=with_driver(at.database("mlflow").url),
            MLFLOW_DISABLE_TELEMETRY="true",
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        ),
        _answers(f"{at.mlflow_url}/health"),
    )


def dask_services(folder: Path, port: int, worker_count: int) -> Iterator[Service]:
    """Describe the scheduler of a port and its workers, of one thread each, with a folder each below one."""
    from f1_pipeline.steps.dask_workers import worker_names

    def has(name: str) -> Callable[[], bool]:
        return lambda: name in (worker_names(address) or ())

    told = {name: value for name, value in environment(**ONE_THREAD).items() if not name.startswith(("F1_", "PG"))}
    address, command = f"tcp://{HOST}:{port}", (sys.executable, "-m", "dask")
    pages = ("--dashboard-address", f"{HOST}:0")  # without dashboards too each has a server for health and metrics
    place = ("--host", HOST, "--port", str(port), *pages)
    yield Service(
        "scheduler",
        (*command, "scheduler", *place),
        folder / "scheduler",
        told,
        lambda: worker_names(address) is not None,
    )
    for number in range(1, worker_count + 1):
        name = f"worker-{number}"
        options = ("--nthreads", "1", "--host", HOST, *pages, "--name", name)
        own = folder / name
        yield Service(
            name,
            (*command, "worker", address, *options, "--local-directory", str(own)),
            own,
            told,
            has(name),
        )


def webserver(at: Addresses) -> Service:
    """Describe Dagster's webserver."""
    place = ("-w", str(at.settings.home / "workspace.yaml"), "-h", HOST, "-p", str(at.webserver))
    return Service(
        "webserver",
        (sys.executable, "-m", "dagster_webserver", *place),
        at.folder / "webserver",
        at.environment_of("webserver"),
        _answers(f"{at.webserver_url}/server_info", "dagster_version"),
    )


def daemon(at: Addresses) -> Service:
    """Describe Dagster's daemon, which runs races by itself."""
    return Service(
        "daemon",
        (sys.executable, "-m", "dagster._daemon", "run", "-w", str(at.settings.home / "workspace.yaml")),
        at.folder / "daemon",
        at.environment_of("daemon"),
        lambda: at.database("dagster").ask(HEARTBEATS) == [["t"]],
    )


def _answers(url: str, key: str = "") -> Callable[[], bool]:
    """Ask whether a page is there, and has a key."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                content: Mapping[str, object] = json.loads(answer.read()) if key else {}
        except (urllib.error.URLError, OSError, ValueError):
            return False
        return not key or key in content

    return ask
