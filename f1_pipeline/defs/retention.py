"""Delete the history of old runs and the models that nothing refers to.

Belongs here: what of Dagster's storages may go. Neighbours: `instance.py` opens them, `forecast.tracking` deletes
models. A run that holds the last materialization of a partition stays however old it is: without it the partition would
look as if it had never been computed. Never touched are facts, what a source has sent, and tables.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg

from f1_pipeline.addresses import without_user
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.forecast.tracking import Tracking
from f1_pipeline.settings import Settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import has_table

PAGE = 1000
MODEL_COLUMN = "model_uri"


@dataclass(frozen=True)
class Pruned:
    """How much went, or would go: runs of Dagster, runs of MLflow, bytes on disk (None: only what went is known)."""

    run_count: int
    model_count: int
    byte_count: int | None
    is_dry_run: bool


def prune(settings: Settings, keep_days: int, dry_run: bool, say: Say) -> Pruned:
    """Delete what is older than some days and needed by nothing.

    Parameters
    ----------
    settings : Settings
    keep_days : int
        Runs of so many days stay in any case.
    dry_run : bool
        Whether to count only.
    say : callable
        Told of each step.

    Returns
    -------
    Pruned

    Raises
    ------
    WarehouseError
        There is no warehouse, it is damaged or being written: without it nobody knows which models are needed.
    """
    pipeline = Pipeline(settings)
    before = pipeline.clock() - timedelta(days=keep_days)
    size = _size(settings.warehouse_dir)
    with pipeline.warehouse.locked():
        referenced = _referenced(pipeline)
        say(f"Looking for runs before {before:%Y-%m-%d}.")
        with open_instance(settings) as instance:
            runs = _old_runs(instance, before.timestamp())
            for run_id in () if dry_run else runs:
                _delete(instance, settings.dagster_dir, run_id)
        models = [name for store in _own_stores(pipeline, say) for name in store.prune(referenced, before, dry_run)]
    return Pruned(len(runs), len(models), None if dry_run else size - _size(settings.warehouse_dir), dry_run)


def _own_stores(pipeline: Pipeline, say: Say) -> tuple[Tracking, ...]:
    """Name the stores of models to which nothing but this warehouse refers, as far as can be known."""
    settings = pipeline.settings
    if settings.mlflow and not (settings.lake and settings.lake.is_shared):
        say(
            f"Models on {without_user(settings.mlflow)} stay: this warehouse is not shared, so tables that are not "
            f"seen from here may name them."
        )
        return ()
    say("Looking for models that nothing refers to.")
    return pipeline.tracking, pipeline.agent_tracking


def _referenced(pipeline: Pipeline) -> set[str]:
    """List every model that a table names."""
    found: set[str] = set()
    with pipeline.warehouse.read() as connection:
        for table, contract in pipeline.contracts.items():
            if MODEL_COLUMN in contract.column_names and has_table(connection, table):
                rows = connection.table(table).select(MODEL_COLUMN).distinct().fetchall()
                found |= {row[0] for row in rows if row[0]}
    return found


def _old_runs(instance: dg.DagsterInstance, before: float) -> list[str]:
    """List the finished runs from before a moment that hold no partition's last materialization."""
    needed = {run_id for asset in instance.all_asset_keys() for run_id in _latest_runs(instance, asset)}
    over = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    records = instance.get_run_records(dg.RunsFilter(statuses=over))
    return [
        record.dagster_run.run_id
        for record in records
        if record.create_timestamp.timestamp() < before and record.dagster_run.run_id not in needed
    ]


def _latest_runs(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Iterator[str]:
    seen: set[str | None] = set()
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(asset, limit=PAGE, cursor=cursor)  # the newest first
        for record in page.records:
            if record.partition_key not in seen:
                seen.add(record.partition_key)
                yield record.run_id
        if not page.has_more:
            return
        cursor = page.cursor


def _delete(instance: dg.DagsterInstance, dagster_dir: Path, run_id: str) -> None:
    """Delete a run with its events, and the files that Dagster leaves of it."""
    instance.delete_run(run_id)
    for path in dagster_dir.rglob(f"{run_id}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
