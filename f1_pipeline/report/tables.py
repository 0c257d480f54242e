"""Rows on the terminal: a table for people, JSON and CSV for programs.

Neighbours: `cli.py` brings the rows; `lineups.py` has the one table with a shape of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import click
import pyarrow as pa
import pyarrow.csv as pacsv
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from f1_pipeline.errors import UsageError

CONSOLE_WIDTH = 120  # when the output is no terminal: wide enough for the widest table of the README


class Screen(Console):
    """A console that lets the command line decide what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        """Say that nobody reads on."""
        raise BrokenPipeError


def console() -> Console:
    """Make a console that does not fold tables when the output is a file or a pipe."""
    plain = Screen()
    return plain if plain.is_terminal else Screen(width=CONSOLE_WIDTH)


def print_json(answer: object) -> None:
    """Print an answer as JSON: UTF-8 whatever the terminal's encoding, null where there is no number.

    Parameters
    ----------
    answer : object
        Dicts, lists, texts, numbers; anything else as its text.
    """
    click.echo(json_bytes(answer), nl=False)


def json_bytes(answer: object) -> bytes:
    """Write an answer as JSON; see `print_json`."""
    text = json.dumps(_plain(answer), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    return f"{text}\n".encode("utf-8", "replace")


def csv_bytes(rows: pa.Table) -> bytes:
    """Write rows as CSV with a header.

    Raises
    ------
    UsageError
        A column is a list or a struct, which CSV has not.
    """
    sink = pa.BufferOutputStream()
    try:
        pacsv.write_csv(rows, sink)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(f"CSV has no lists or structs, ask for JSON: {error}") from error
    return sink.getvalue().to_pybytes()


def _plain(value: Any) -> Any:
    """Put JSON's own values for what it lacks: decimals become numbers, and what is no number becomes null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return _plain(float(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def new_table(title: str | None = None) -> Table:
    """Make a table in the style that every command uses."""
    return Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")


def print_files(files: Iterable[tuple[object, int]], output: str) -> None:
    """Print what was written: each file and its rows, as `table`, `json` or `csv`."""
    if output == "table":
        for path, row_count in files:
            click.echo(f"{row_count:6d} rows  {path}")
    else:
        print_rows(pa.Table.from_pylist([{"file": str(path), "rows": row_count} for path, row_count in files]), output)


def print_rows(rows: pa.Table, output: str) -> None:
    """Print the rows of a query.

    Parameters
    ----------
    rows : pyarrow.Table
    output : str
        `table`, `json` or `csv`.
    """
    if output == "json":
        print_json(rows.to_pylist())
    elif output == "csv":
        click.echo(csv_bytes(rows), nl=False)
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
