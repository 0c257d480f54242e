"""Runs of the graph on a cluster of real services, and the same run on one machine, for tests that compare them.

Belongs here: starting the commands, and reading what both have made. Neighbours: `f1_pipeline.cluster` starts the
services, `lakes.py` and `postgres.py` those of tests about one of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psutil

from f1_pipeline.cluster.cluster import COMMAND_LINE
from f1_pipeline.cluster.postgres import Postgres, postgres_binaries, server_account
from f1_pipeline.cluster.processes import MARK
from f1_pipeline.settings import Settings, environment
from f1_pipeline.warehouse.connection import Store
from f1_pipeline.warehouse.lake import LakeWarehouse
from f1_pipeline.warehouse.lake_address import read_address
from f1_pipeline_tests.support import table_names

MADE_AT = {"predictions.asset_forecast": ("made_at",)}
"""The moment of the run itself, in which two runs differ."""
LIMITED_BY_TIME = {"lineups.transfer_plan": ("race_key", "rank", "target_race_key")}
"""Plans are the best that a search finds within seconds, so that two runs differ, on one machine as well: they are
compared by what they are for."""


def command(*words: str) -> list[str]:
    """The command line in a process of its own."""
    return [sys.executable, "-c", COMMAND_LINE, *words]


def told(settings: Settings, **variables: str) -> dict[str, str]:
    """The environment of a command on an installation; nothing asks the network."""
    own = {
        "F1_DATA_DIR": str(settings.data_dir),
        "F1_WAREHOUSE_DIR": str(settings.warehouse_dir),
        "F1_SOURCES": "none",
    }
    return environment(**own, **variables)


def run_on_one_machine(settings: Settings, *words: str) -> None:
    done = subprocess.run(
        command("run", "--quiet", *words), env=told(settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="f1-cluster-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def processes_of(folder: Path) -> list[psutil.Process]:
    """The processes of a cluster that still run."""
    return [each for each in psutil.process_iter(["environ"]) if (each.info["environ"] or {}).get(MARK) == str(folder)]


@contextmanager
def database_server(folder: Path, port: int) -> Iterator[Postgres]:
    """Start the PostgreSQL of a cluster that has ended, to look at what it holds."""
    binaries = postgres_binaries()
    assert binaries is not None
    password = (folder / "postgres.password").read_text(encoding="ascii")
    server = Postgres(binaries, folder / "postgres", port, server_account(), password)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def lake_of(folder: Path, server: Postgres) -> LakeWarehouse:
    """Open the warehouse of a cluster; the password is in the environment."""
    conninfo = server.database("warehouse").conninfo
    return LakeWarehouse(read_address(f"ducklake:postgres:{conninfo}", str(folder / "lake")), 10.0)


def rows_by_table(where: Path | Store) -> Mapping[str, list[tuple[object, ...]]]:
    """Read every row of every table, in a fixed order, without what two runs differ in."""
    with duckdb.connect(str(where), read_only=True) if isinstance(where, Path) else where.read() as connection:
        found = {}
        for name in table_names(connection):
            rows = connection.table(name)
            dropped = MADE_AT.get(name, ())
            kept = [f'"{column}"' for column in rows.columns if column not in dropped]
            if name in LIMITED_BY_TIME:
                rows, kept = rows.project(", ".join(LIMITED_BY_TIME[name])).distinct(), ["*"]
            found[name] = rows.project(", ".join(kept)).order("all").fetchall()
        return found


def assert_same_rows(one: Path | Store, other: Path | Store) -> int:
    """Hold two warehouses against each other, row by row; return how many rows there are."""
    rows, others = rows_by_table(one), rows_by_table(other)
    assert set(rows) == set(others)
    for table, own in rows.items():
        assert len(own) == len(others[table]), table
        for number, (left, right) in enumerate(zip(own, others[table], strict=True)):
            assert left == right, f"{table}, row {number}: {left} and {right}"
    return sum(map(len, rows.values()))
