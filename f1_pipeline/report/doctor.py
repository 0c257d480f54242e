"""The doctor's findings as a person reads them: one line per check, what to do below it, a sentence at the end.

Belongs here: the order of the checks and how they are shown. Neighbours: `steps.doctor`, `steps.doctor_stores` and
`defs.health` look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import pyarrow as pa
from rich.text import Text

from f1_pipeline.report.bars import step_progress
from f1_pipeline.report.tables import console, new_table, print_rows
from f1_pipeline.steps.doctor import STATUSES, Check, fact_checks, machine_checks
from f1_pipeline.steps.doctor_sources import online_checks
from f1_pipeline.steps.doctor_stores import store_checks
from f1_pipeline.steps.pipeline import Pipeline

EXIT_CODES = {"ok": 0, "warn": 3, "fail": 4}
MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}


def examine(pipeline: Pipeline, *, is_online: bool, quiet: bool) -> list[Check]:
    """Make every check, with progress on stderr.

    Parameters
    ----------
    pipeline : Pipeline
    is_online : bool
        Whether to ask the sources as well.
    quiet : bool
        No progress.

    Returns
    -------
    list of Check
    """
    found = []
    with step_progress(quiet) as start:
        advance = start("looking", None)
        for check in _checks(pipeline, is_online):
            found.append(check)
            advance(f"looked at {check.name}")
    return found


def _checks(pipeline: Pipeline, is_online: bool) -> Iterator[Check]:
    yield from machine_checks(pipeline.settings)
    yield from fact_checks(pipeline)
    yield from store_checks(pipeline)
    from f1_pipeline.defs.health import dagster_checks  # importing Dagster takes a second, in which others are shown

    yield from dagster_checks(pipeline.settings, pipeline.clock())
    if is_online:
        yield from online_checks(pipeline.settings)


def worst(checks: Sequence[Check]) -> str:
    """Return the worst status among checks."""
    return max((check.status for check in checks), key=STATUSES.index, default="ok")


def print_checks(checks: Sequence[Check], output: str) -> None:
    """Print what was found.

    Parameters
    ----------
    checks : sequence of Check
    output : str
        `table`, `json` or `csv`, which have a row per check: name, status, sentence, mend.
    """
    if output != "table":
        print_rows(pa.Table.from_pylist([asdict(check) for check in checks]), output)
        return
    table = new_table()
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        sign, style = MARKS[check.status]
        text = Text(check.sentence)
        if check.mend:
            text.append(f"\n→ {check.mend}", style="dim")
        table.add_row(Text(sign, style=style), check.name, text)
    screen = console()
    screen.print(table)
    screen.print(Text(_summary(checks), style=MARKS[worst(checks)][1]))


def _summary(checks: Sequence[Check]) -> str:
    counts = {status: sum(check.status == status for check in checks) for status in STATUSES}
    if counts["fail"]:
        return f"{counts['fail']} of {len(checks)} checks failed, {counts['warn']} more need attention."
    if counts["warn"]:
        return f"{counts['warn']} of {len(checks)} checks need attention."
    return f"All {len(checks)} checks are well."
