"""Warehouses on DuckLake for tests.

Belongs here: making addresses, and opening them. Neighbours: `conftest.py` has the fixtures, `postgres.py` the server.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.lake import LakeWarehouse
from f1_pipeline.warehouse.lake_address import LakeAddress, read_address
from f1_pipeline_tests.postgres import Database

FILE, LOCAL_LAKE, SHARED_LAKE = "file", "local lake", "shared lake"
KINDS = (FILE, LOCAL_LAKE, SHARED_LAKE)
PACKAGES = tuple(f"duckdb_extension_{name}" for name in ("ducklake", "postgres_scanner", "httpfs"))


def require_lakes() -> None:
    """Skip the test where the extra `scale` is not installed."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the extra scale is not installed: no {', '.join(missing)}")


def lake_in(database: Database, folder: Path | str, monkeypatch: pytest.MonkeyPatch) -> LakeAddress:
    """Address a lake whose catalog is in a database; the password is in the environment."""
    monkeypatch.setenv("PGPASSWORD", database.password)
    return read_address(f"ducklake:postgres:{database.conninfo}", str(folder))


def open_lake(address: LakeAddress, lock_wait_s: float = 0.5, *, keeps_open: bool = False) -> LakeWarehouse:
    return LakeWarehouse(address, lock_wait_s, keeps_open=keeps_open)


def on_lake(settings: Settings, address: LakeAddress) -> Settings:
    """Put the warehouse of an installation on a lake."""
    return replace(settings, warehouse=address.attach_string, warehouse_data=address.data_path)
