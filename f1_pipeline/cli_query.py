"""`f1-pipeline query`: SQL from the command line, a file, a pipe, or typed at a prompt.

Belongs here: its options, and where the statement comes from. Neighbours: `warehouse.connection.ask` answers,
`report.prompt` is the prompt, `report.row_files` writes files.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from f1_pipeline.cli_completion import sql as sql_words
from f1_pipeline.cli_options import examples, format_option, reports_errors
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import load_settings

LONGEST_STATEMENT = 1_000_000  # characters; what is longer is no question


@click.command(
    short_help="Ask the warehouse in SQL, at a prompt or at once.",
    epilog=examples(
        "query                             a prompt with history and completion; .help says more",
        "query \"from marts.race_leaderboard where race_key = '2026-canada' order by points_rank\"",
        'query "select season, count(*) as races from core.race group by all order by all" --format csv',
        "query --file question.sql --out answer.parquet",
        'query "from core.race" --limit 5 --format json | head -20',
        'query --at 2026-05-23T12:00Z "from lineups.optimal_lineup"',
    ),
)
@click.argument("sql", required=False, shell_complete=sql_words)
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Read the statement from a file.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="At most so many rows; all, 200 at the prompt.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a file: .csv, .json or .parquet.")
@click.option("--at", metavar="MOMENT", help="As it was then, such as 2026-05-23T12:00Z; a warehouse on DuckLake only.")
@format_option
@reports_errors
def query(sql: str | None, path: Path | None, limit: int | None, out: Path | None, at: str | None, output: str) -> None:
    """Ask the warehouse: SQL is one DuckDB statement, read-only.

    Without SQL it is read from a pipe, or typed at a prompt. Statements reach neither other files nor the network.
    """
    from f1_pipeline.report.row_files import check_row_file, write_rows
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import open_published
    from f1_pipeline.warehouse.connection import ask

    if sql is not None and path is not None:
        raise UsageError("SQL and --file exclude each other: give one of them")
    if out is not None:
        check_row_file(out)
    pipeline = open_published(load_settings(), None if at is None else _moment(at))
    if sql is None and path is None and sys.stdin.isatty():
        from f1_pipeline.report.prompt import Prompt

        if out is not None:
            raise UsageError("--out: expected a statement whose answer to write, found none")
        Prompt(pipeline, output, limit).run()
        return
    rows = ask(pipeline.warehouse, _statement(sql, path))
    shown = rows if limit is None else rows.slice(0, limit)
    if out is None:
        print_rows(shown, output)
    else:
        write_rows(shown, out)
        click.echo(f"{shown.num_rows:6d} rows  {out}", err=True)
    if shown.num_rows < rows.num_rows:
        click.echo(f"the first {shown.num_rows} of {rows.num_rows} rows", err=True)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"--at: expected a moment with its zone, such as 2026-05-23T12:00Z, found {text!r}")
    return moment


def _statement(sql: str | None, path: Path | None) -> str:
    if sql is not None:
        return sql
    where = "the standard input" if path is None else str(path)
    try:
        text = sys.stdin.read(LONGEST_STATEMENT + 1) if path is None else _text(path)
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: expected SQL in UTF-8, found other bytes") from error
    except OSError as error:
        raise UsageError(f"{where}: expected a file of SQL, found {error.strerror}") from error
    if len(text) > LONGEST_STATEMENT:
        raise UsageError(f"{where}: expected at most {LONGEST_STATEMENT} characters of SQL, found more")
    return text


def _text(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as stream:
        return stream.read(LONGEST_STATEMENT + 1)
