"""Rows on the terminal: a table for people, JSON and CSV for programs.

Neighbours: `cli.py` brings the rows; `lineups.py` has the one table with a shape of its own.
"""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pyarrow.csv as pacsv
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from f1_pipeline.errors import UsageError

CONSOLE_WIDTH = 120  # when the output is no terminal: wide enough for the widest table of the README


def console() -> Console:
    """Make a console that does not fold tables when the output is a file or a pipe."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=CONSOLE_WIDTH)


def new_table(title: str | None = None) -> Table:
    """Make a table in the style that every command uses."""
    return Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")


def print_rows(rows: pa.Table, output: str) -> None:
    """Print the rows of a query.

    Parameters
    ----------
    rows : pyarrow.Table
    output : str
        `table`, `json` or `csv`.
    """
    if output == "json":
        print(json.dumps(rows.to_pylist(), indent=2, default=str))
    elif output == "csv":
        try:
            pacsv.write_csv(rows, sys.stdout.buffer)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UsageError(f"CSV has no lists or structs, ask for JSON: {error}") from error
    else:
        _print_table(rows)


def _print_table(rows: pa.Table) -> None:
    table = new_table()
    for field in rows.schema:
        numeric = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        table.add_column(field.name, justify="right" if numeric else "left", overflow="fold")
    for row in rows.to_pylist():
        table.add_row(*(Text(_shown(value)) for value in row.values()))
    console().print(table)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
