"""Move a warehouse that cannot be used aside, and carry over what cannot be computed again.

Belongs here: saving the rows that exist nowhere else, before everything is run anew. Neighbours: `restore.py` brings a
back-up back, which is the better mend when there is one; `cli_upkeep.py` runs the graph afterwards. A forecast that was
made before its deadline is evidence: made again it would be a replay. So is what was recommended by it, and so are the
teams as they were before a past race and as they were entered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from f1_pipeline.errors import WarehouseError
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.backup import disk_errors
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.my_team import ENTERED_TABLE, TEAM_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.publish import FORECAST_TABLE
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline.warehouse.frames import has_table
from f1_pipeline.warehouse.writer import write_rows

IN_TIME = {
    FORECAST_TABLE: "is_live",
    LINEUP_TABLE: """
        race_key in (select race_key from predictions.asset_forecast where is_live and phase = 'at_lock')
    """,
}
"""Which rows are kept of tables whose other rows are computed again."""

KEPT = (FORECAST_TABLE, LINEUP_TABLE, TEAM_TABLE, ENTERED_TABLE)
"""Tables whose rows cannot be computed again."""


@dataclass(frozen=True)
class Rebuilt:
    """What was moved aside (None: there was no warehouse), and the rows carried over by table, with the file's name."""

    aside: Path | None
    kept: dict[str, int]
    source: str | None


def move_aside(pipeline: Pipeline, say: Say) -> Rebuilt:
    """Move the warehouse aside, and begin another with the rows that cannot be computed again.

    Parameters
    ----------
    pipeline : Pipeline
        Closed: nobody has the warehouse open.
    say : callable
        Told of what is kept, and of what cannot be read.

    Returns
    -------
    Rebuilt

    Raises
    ------
    WarehouseError
        A run goes on, or the disk is full.
    """
    path = pipeline.settings.warehouse_path
    rows, source = _saved(pipeline, say)
    aside = None
    with Warehouse(path, pipeline.settings.lock_wait_s).locked(), disk_errors(path, "cannot be moved aside"):
        if path.exists():
            aside = path.with_name(f"{path.name}.damaged-{pipeline.clock():%Y%m%dT%H%M%SZ}")
            # the log first: beside a new file it would be taken for that one's
            for suffix in (".wal", ""):
                own = path.with_name(path.name + suffix)
                if own.exists():
                    own.rename(aside.with_name(aside.name + suffix))
    for table, kept in rows.items():
        _write(pipeline, table, kept)
    return Rebuilt(aside, {table: kept.num_rows for table, kept in rows.items()}, source)


def _saved(pipeline: Pipeline, say: Say) -> tuple[dict[str, pa.Table], str | None]:
    """Read what is kept from the warehouse, or from its published copy where that is damaged."""
    settings = pipeline.settings
    for path in (settings.warehouse_path, settings.published_path):
        if not path.exists():
            continue
        try:
            rows = _read(pipeline, path)
        except WarehouseError as error:
            say(f"Nothing can be kept from {path.name}: {error}")
        else:
            return rows, path.name
    return {}, None


def _read(pipeline: Pipeline, path: Path) -> dict[str, pa.Table]:
    found = {}
    with Warehouse(path, pipeline.settings.lock_wait_s).read() as connection:
        for table in KEPT:
            if not has_table(connection, table):
                continue
            rows = connection.table(table)
            if tuple(rows.columns) == pipeline.contracts[table].column_names:
                found[table] = (rows.filter(IN_TIME[table]) if table in IN_TIME else rows).to_arrow_table()
    return found


def _write(pipeline: Pipeline, table: str, rows: pa.Table) -> None:
    contract = pipeline.contracts[table]
    keys = sorted(set(rows[contract.partitioned_by].to_pylist())) if contract.partitioned_by else []
    with pipeline.warehouse.write() as connection:
        write_rows(connection, contract, rows, keys)
