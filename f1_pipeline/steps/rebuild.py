"""Move a warehouse that cannot be used aside, and carry over what cannot be computed again.

Belongs here: saving the rows that exist nowhere else, before everything is run anew. They are in a whole new file
before the old one is touched, so that a full disk or a kill loses none. Neighbours: `restore.py` brings a back-up
back, which is the better mend when there is one; `cli_upkeep.py` runs the graph afterwards. A forecast that was
made before its deadline is evidence: made again it would be a replay. So is what was recommended by it, and so are the
teams as they were before a past race and as they were entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.backup import disk_errors
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.my_team import ENTERED_TABLE, TEAM_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.publish import FORECAST_TABLE
from f1_pipeline.warehouse.checkup import stored_columns
from f1_pipeline.warehouse.connection import Warehouse, open_alone
from f1_pipeline.warehouse.dry_run import column_types
from f1_pipeline.warehouse.writer import ContractError, write_rows

IN_TIME = {
    FORECAST_TABLE: "is_live",
    LINEUP_TABLE: """
        race_key in (select race_key from predictions.asset_forecast where is_live and phase = 'at_lock')
    """,
}
"""Which rows are kept of tables whose other rows are computed again."""

KEPT = (FORECAST_TABLE, LINEUP_TABLE, TEAM_TABLE, ENTERED_TABLE)
"""Tables whose rows cannot be computed again."""


UNFINISHED, WHOLE = ".rebuilding", ".rebuilt"


@dataclass(frozen=True)
class Kept:
    """Rows of a table that were carried over, and the name of the file they were in."""

    rows: pa.Table
    source: str


@dataclass(frozen=True)
class Rebuilt:
    """What was moved aside (None: there was no warehouse), and what was carried over, by table."""

    aside: Path | None
    kept: dict[str, Kept]


def move_aside(pipeline: Pipeline, say: Say) -> Rebuilt:
    """Move the warehouse aside, and begin another with the rows that cannot be computed again.

    Parameters
    ----------
    pipeline : Pipeline
        Closed: nobody has the warehouse open.
    say : callable
        Told of what cannot be read, or not be kept.

    Returns
    -------
    Rebuilt

    Raises
    ------
    UsageError
        The warehouse is a lake.
    WarehouseError
        A run goes on, or the disk is full; what was there is, or aside, and trying again goes on from there.
    """
    refuse_lake(pipeline.settings)
    path = pipeline.settings.warehouse_path
    with Warehouse(path, pipeline.settings.lock_wait_s).locked(), disk_errors(path, "cannot be moved aside"):
        kept = _build(pipeline, _saved(pipeline, say), say)
        aside = path.with_name(f"{path.name}.damaged-{pipeline.clock():%Y%m%dT%H%M%SZ}") if path.exists() else None
        if aside is not None:
            # the log first: beside a new file it would be taken for that one's
            for suffix in (".wal", ""):
                own = _beside(path, suffix)
                if own.exists():
                    own.rename(_beside(aside, suffix))
        if kept:
            _beside(path, WHOLE).rename(path)
    return Rebuilt(aside, kept)


def refuse_lake(settings: Settings) -> None:
    """Refuse to put a lake aside, which others use, and which keeps its earlier states itself.

    Raises
    ------
    UsageError
    """
    if settings.lake is not None:
        raise UsageError(
            f"{settings.lake}: expected a DuckDB file to put aside, found a lake: bring its catalog back by "
            "`pg_restore` (docs/scale.md), or point F1_WAREHOUSE at an empty database and run `f1-pipeline run`"
        )


def season_tables(pipeline: Pipeline) -> list[str]:
    """Name the tables of whole seasons, which a run does not compute: somebody has to ask for them."""
    return sorted(name for name, contract in pipeline.contracts.items() if contract.partition == "season")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _saved(pipeline: Pipeline, say: Say) -> dict[str, Kept]:
    """Read each table from the warehouse, or from the published copy where that has none that can be kept."""
    settings, found = pipeline.settings, {}
    path, types = settings.warehouse_path, column_types(pipeline.models)
    # without a warehouse a whole new file is what a rebuild that was killed meant to put in its place
    for source in (path if path.exists() else _beside(path, WHOLE), settings.published_path):
        if not source.exists():
            continue
        told: set[str] = set()
        for table in KEPT:
            try:
                rows = None if table in found else _read(source, table, types[table], say)
            except WarehouseError as error:
                if str(error) not in told:
                    say(f"Nothing of {table} can be kept from {source.name}: {error}")
                told.add(str(error))
            else:
                if rows is not None:
                    found[table] = Kept(rows, source.name)
    return found


def _read(path: Path, table: str, types: Mapping[str, str], say: Say) -> pa.Table | None:
    """Read what is kept of a table as this version has it; None without such a table, or when it cannot be."""
    with Warehouse(path).read() as connection:
        stored = stored_columns(connection).get(table)
        if stored is None:
            return None
        others = [name for name, kind in types.items() if stored.get(name, kind) != kind]
        if others:
            say(f"Nothing of {table} can be kept from {path.name}: other types of {', '.join(others)}.")
            return None
        for what, names in (("without", types.keys() - stored), ("not kept are", stored.keys() - types)):
            if names:
                say(f"{table} in {path.name} has other columns than now: {what} {', '.join(sorted(names))}.")
        rows = connection.table(table)
        columns = [name if name in stored else f"cast(null as {kind}) as {name}" for name, kind in types.items()]
        return (rows.filter(IN_TIME[table]) if table in IN_TIME else rows).project(", ".join(columns)).to_arrow_table()


def _build(pipeline: Pipeline, saved: Mapping[str, Kept], say: Say) -> dict[str, Kept]:
    """Write a whole new file beside the old one; what breaks its contract is named and left where it was."""
    path, kept = pipeline.settings.warehouse_path, {}
    unfinished, whole = _beside(path, UNFINISHED), _beside(path, WHOLE)
    for leftover in (unfinished, _beside(unfinished, ".wal")):
        leftover.unlink(missing_ok=True)
    if saved:
        with open_alone(unfinished) as connection:
            for table, found in saved.items():
                contract = pipeline.contracts[table]
                partitions = found.rows[contract.partitioned_by].to_pylist() if contract.partitioned_by else []
                try:
                    write_rows(connection, contract, found.rows, sorted(set(partitions)))
                except ContractError as error:
                    say(f"Nothing of {table} can be kept from {found.source}, where it stays: {error}")
                else:
                    kept[table] = found
            connection.execute("checkpoint")  # here a full disk is an error; closing the file would keep it to itself
        unfinished.replace(whole)
    if not kept:
        whole.unlink(missing_ok=True)
    return kept
