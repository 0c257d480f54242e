"""Fixtures that every room of the tests may use: settings, a computed warehouse, facts that may be altered.

Belongs here: fixtures only; plain functions are in `support.py`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables, forecast_tables
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.connection import Store, Warehouse
from f1_pipeline.warehouse.lake_address import LakeAddress, read_address
from f1_pipeline_tests.browser import chromium
from f1_pipeline_tests.dask_cluster import DaskCluster, dask_cluster
from f1_pipeline_tests.lakes import FILE, KINDS, SHARED_LAKE, lake_in, open_lake, require_lakes
from f1_pipeline_tests.pages import copy_warehouse, write_every_page
from f1_pipeline_tests.postgres import Postgres, running_postgres
from f1_pipeline_tests.support import (
    NEXT_RACE,
    copy_facts,
    fingerprints,
    finished_keys,
    make_settings,
    plain_steps,
    run_history,
    run_next_race,
    short_facts,
)

DONE = "done"


@dataclass(frozen=True)
class History:
    """Every finished race and the tables before the next race, computed once without trained models.

    Attributes
    ----------
    pipeline : Pipeline
        Reads the shared file; tests that write take `history_copy`.
    steps : dict of str to Step
        The steps that made it, upstream first.
    finished, complete : dict of str to (int, str)
        Row count and hash of each table after the finished races, and after the next race was added.
    path : Path
        The DuckDB file.
    """

    pipeline: Pipeline
    steps: dict[str, Step]
    finished: dict[str, tuple[int, str]]
    complete: dict[str, tuple[int, str]]

    @property
    def path(self) -> Path:
        return self.pipeline.settings.warehouse_path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make test-faults` run in full, and a check before every change a part of it."""
    parser.addoption(
        "--fault-scale", type=float, default=1.0, help="Share of the kills and fuzzed payloads to run; 1 is all."
    )


@pytest.fixture(scope="session")
def scaled(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """Take the share that is wanted of a number of faults, 1 at least."""
    scale: float = pytestconfig.getoption("fault_scale")
    return lambda count: max(1, round(count * scale))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the first file that needs the complete warehouse compute it while others run that do not wait for it."""
    paths = list(dict.fromkeys(item.path for item in items if "complete" in getattr(item, "fixturenames", ())))
    items.sort(key=lambda item: item.path in paths[1:])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh warehouse folder on the committed facts."""
    return make_settings(tmp_path / "warehouse", lock_wait_s=0.2)


@pytest.fixture
def pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings)


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    with _shared(tmp_path_factory, "history") as folder:
        pipeline, figures = Pipeline(make_settings(folder)), folder / "fingerprints.json"
        if not figures.exists():
            run_history(pipeline)
            finished = fingerprints(pipeline.settings.warehouse_path)
            run_next_race(pipeline)
            figures.write_text(json.dumps([finished, fingerprints(pipeline.settings.warehouse_path)]), encoding="utf-8")
    before, after = (
        {table: (count, digest) for table, (count, digest) in tables.items()}
        for tables in json.loads(figures.read_text(encoding="utf-8"))
    )
    return History(pipeline, plain_steps(pipeline), before, after)


@pytest.fixture
def history_copy(history: History, settings: Settings) -> Pipeline:
    """A copy of the computed warehouse that the test may write."""
    settings.warehouse_dir.mkdir()
    shutil.copy(history.path, settings.warehouse_path)
    return Pipeline(settings)


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    """A copy of data/ that the test may alter."""
    return copy_facts(tmp_path / "data")


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Every table of the finished races of 2025 and 2026, then the next race; tests only read it."""
    with _shared(tmp_path_factory, "complete") as folder:
        pipeline = Pipeline(make_settings(folder / "warehouse", folder / "data"))
        if not (folder / DONE).exists():
            _compute(pipeline)
            (folder / DONE).touch()
    return pipeline


@pytest.fixture(scope="session")
def pages(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A copy of the complete warehouse with the pages of its next and last race beside it; tests only read them."""
    with _shared(tmp_path_factory, "pages") as folder:
        pipeline = Pipeline(make_settings(folder / "warehouse", complete.settings.data_dir))
        if not (folder / DONE).exists():
            write_every_page(copy_warehouse(complete, folder / "warehouse"))
            (folder / DONE).touch()
    return pipeline


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; closed with the module, because its event loop would run on below other tests."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A Dask scheduler and two workers; whoever kills one of them starts a cluster for itself."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as started:
        yield started


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty warehouse of each kind: the DuckDB file, a lake with its catalog in a file, one with PostgreSQL."""
    if request.param == FILE:
        return Warehouse(tmp_path / "f1.duckdb", lock_wait_s=0.1)
    lake = request.getfixturevalue("shared_lake" if request.param == SHARED_LAKE else "local_lake")
    return open_lake(lake)


@pytest.fixture
def local_lake(tmp_path: Path) -> LakeAddress:
    """The address of a lake with its catalog in a file; nothing is there yet."""
    require_lakes()
    return read_address(f"ducklake:{tmp_path / 'f1.ducklake'}")


@pytest.fixture
def shared_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> LakeAddress:
    """The address of a lake with its catalog in PostgreSQL; nothing is there yet."""
    require_lakes()
    return lake_in(request.getfixturevalue("postgres").new_database(), tmp_path / "lake", monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of the tests' own; one that restarts or stops it starts a server for itself."""
    with running_postgres() as server:
        yield server


@contextmanager
def _shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Give the workers of a run one folder: the first one fills it, the others wait for it."""
    own = tmp_path_factory.getbasetemp()
    # a worker's folder lies in that of the whole run; without workers there is just one
    folder = (own.parent if own.name.startswith("popen-") else own) / name
    folder.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        yield folder


def _compute(pipeline: Pipeline) -> None:
    short_facts(pipeline.settings.data_dir)
    steps = build_steps(pipeline)
    for table in finished_tables(steps):
        steps[table].run(pipeline, table, finished_keys(pipeline))
    for table in forecast_tables(steps):
        steps[table].run(pipeline, table, [NEXT_RACE])
    publish_snapshot(pipeline)
