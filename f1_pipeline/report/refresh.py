"""A refresh on the terminal: what it is doing while it runs, and afterwards what changed.

Neighbours: `defs.runs` runs it; `sources.fact_changes` words the changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import pyarrow as pa
from rich.console import Console

from f1_pipeline.defs.interrupts import plain_interrupts
from f1_pipeline.defs.runs import Runner
from f1_pipeline.errors import UsageError
from f1_pipeline.report.tables import console, new_table, print_json, print_rows
from f1_pipeline.settings import Settings

CHANGES = pa.schema(
    [("table", pa.string()), ("race_key", pa.string())]
    + [(name, pa.int64()) for name in ("added", "changed", "removed")]
)


def refresh_with_progress(settings: Settings, *, quiet: bool) -> dict[str, Any]:
    """Refresh the facts, telling each step on stderr.

    Parameters
    ----------
    settings : Settings
        Its sources are asked.
    quiet : bool
        Tell nothing meanwhile.

    Returns
    -------
    dict
        `RefreshReport.to_dict`.

    Raises
    ------
    UsageError
        There is no source to ask.
    F1PipelineError
        Whatever a source or a merge finds wrong.
    """
    if not settings.sources:
        raise UsageError("there is no source to ask: F1_SOURCES is none; give --f1db or --feed")
    err = Console(stderr=True, quiet=quiet)
    with plain_interrupts(), err.status("loading the graph"):
        runner = Runner(settings, say=err.print)
        return runner.refresh()


def print_changes(changes: Mapping[str, Any], output: str) -> None:
    """Print what a refresh changed.

    Parameters
    ----------
    changes : mapping
        `RefreshReport.to_dict`.
    output : str
        `table`, `json` or `csv`, which has a row per file and race that changed.
    """
    if output == "json":
        print_json(changes)
        return
    if output == "csv":
        print_rows(pa.Table.from_pylist(changes["tables"], CHANGES), output)
        return
    told = [*changes["calendar"], *changes["notes"], *changes["waiting"]]
    told += [
        f"{row['race_key']}: {row['asset_id']} had {row['old_points']} points, now {row['new_points']}"
        for row in changes["restated"]
    ]
    for line in told:
        click.echo(line)
    if not changes["has_changes"]:
        click.echo("nothing new")
        return
    table = new_table("Facts")
    for name in ("file", "race"):
        table.add_column(name)
    for name in ("added", "changed", "removed"):
        table.add_column(name, justify="right")
    for row in changes["tables"]:
        table.add_row(
            row["table"], row["race_key"], *(str(row[name] or "") for name in ("added", "changed", "removed"))
        )
    console().print(table)
