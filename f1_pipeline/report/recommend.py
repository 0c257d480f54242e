"""Advice for many teams on the command line: progress while they are advised, and a summary.

Neighbours: `steps.recommend` advises and writes, `bars.py` and `tables.py` have the style.
"""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa

from f1_pipeline.report.bars import StepTimes, progress_bar
from f1_pipeline.report.tables import console, new_table, print_json, print_rows
from f1_pipeline.steps.chip_lines import chip_name
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.recommend import RecommendRequest, recommend

PLAYERS = "_teams"


def recommend_with_progress(pipeline: Pipeline, request: RecommendRequest, *, quiet: bool) -> dict[str, Any]:
    """Advise every team of a file, with a progress bar on stderr.

    Parameters
    ----------
    pipeline : Pipeline
    request : RecommendRequest
    quiet : bool
        No progress bar.

    Returns
    -------
    dict
        race_key, file, teams, errors, resumed_teams, seconds, teams_per_s (without those resumed), mean_gain_points,
        and for each chip the number of teams that should play it, such as wildcard_teams.

    Raises
    ------
    F1PipelineError
        See :func:`f1_pipeline.steps.recommend.recommend`.
    """
    started, times = time.perf_counter(), StepTimes()
    with progress_bar(quiet) as progress:
        task = progress.add_task(f"advising teams for {request.race_key}", total=None)

        def on_part(done: int, total: int) -> None:
            times.log(f"{done:,} more of {total:,} teams")
            progress.update(task, advance=done, total=total)

        summary = recommend(pipeline, request, on_part)
    seconds = time.perf_counter() - started
    return {
        "race_key": summary.race_key,
        "file": str(request.out),
        "teams": summary.teams,
        "errors": summary.errors,
        "resumed_teams": summary.resumed_teams,
        "seconds": round(seconds, 3),
        "teams_per_s": round((summary.teams - summary.resumed_teams) / seconds, 1),
        "mean_gain_points": summary.mean_gain_points,
        **{f"{chip}{PLAYERS}": count for chip, count in summary.chips.items()},
    }


def print_summary(summary: dict[str, Any], output: str) -> None:
    """Print what came of a file of teams.

    Parameters
    ----------
    summary : dict
        From :func:`recommend_with_progress`.
    output : str
        `table`, `json` or `csv`.
    """
    if output == "json":
        print_json(summary)
        return
    if output == "csv":
        print_rows(pa.Table.from_pylist([summary]), output)
        return
    table = new_table(f"{summary['race_key']}: {summary['file']}")
    table.add_column("")
    table.add_column("", justify="right")
    gain = summary["mean_gain_points"]
    rows = {
        "teams": f"{summary['teams']:,}",
        "bad rows": f"{summary['errors']:,}",
        "of an earlier run": f"{summary['resumed_teams']:,}",
        "teams a second": f"{summary['teams_per_s']:,.0f}",
        "mean gain, points": "" if gain is None else f"{gain:.1f}",
        **{
            f"play {chip_name(key.removesuffix(PLAYERS))}": f"{count:,}"
            for key, count in summary.items()
            if key.endswith(PLAYERS) and key != f"resumed{PLAYERS}" and count
        },
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console().print(table)
