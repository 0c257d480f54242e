"""Episodes as the command line hands them out: progress while they are played, and what was written.

Neighbours: `steps.episodes` plays and writes, `tables.py` has the style.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from f1_pipeline.errors import UsageError
from f1_pipeline.report.bars import progress_bar
from f1_pipeline.report.tables import console, new_table, print_rows
from f1_pipeline.rl.agents import Agent
from f1_pipeline.rl.linear import read_agent
from f1_pipeline.steps.episode_card import EpisodeFile
from f1_pipeline.steps.episodes import EpisodeRequest, write_episodes
from f1_pipeline.steps.pipeline import Pipeline


def write_with_progress(
    pipeline: Pipeline, request: EpisodeRequest, folder: Path, *, overwrite: bool, quiet: bool
) -> list[EpisodeFile]:
    """Write episodes, with a progress bar on stderr.

    Parameters
    ----------
    pipeline : Pipeline
    request : EpisodeRequest
    folder : Path
    overwrite : bool
        Whether episodes that are there may be replaced.
    quiet : bool
        No progress bar.

    Returns
    -------
    list of EpisodeFile

    Raises
    ------
    F1PipelineError
        See :func:`f1_pipeline.steps.episodes.write_episodes`.
    """
    with progress_bar(quiet) as progress:

        def tell(text: str, done: int, total: int | None) -> None:
            if not done:
                for task in progress.task_ids:
                    progress.remove_task(task)
                progress.add_task(text, total=total)
            for task in progress.task_ids:
                progress.update(task, description=text, advance=done)

        return write_episodes(pipeline, request, folder, overwrite=overwrite, tell=tell)


def agent_in(path: Path) -> Agent:
    """Read a trained agent from a file.

    Raises
    ------
    UsageError
        It cannot be read.
    DataError
        It is no agent.
    """
    try:
        return read_agent(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"--agent: expected a file of a trained agent, found {error}") from error


def print_episodes(files: list[EpisodeFile], folder: Path, output: str) -> None:
    """Print what was written: one row per file.

    Parameters
    ----------
    files : list of EpisodeFile
    folder : Path
        Where.
    output : str
        `table`, `json` or `csv`.
    """
    if output != "table":
        print_rows(pa.Table.from_pylist([asdict(each) for each in files]), output)
        return
    size = sum(each.size_bytes for each in files)
    table = new_table(f"{sum(each.row_count for each in files):,} rows, {size / 1e6:.1f} MB in {folder}")
    for name in ("world", "season", "agent"):
        table.add_column(name, min_width=max(len(str(getattr(each, name))) for each in files))
    for name in ("episodes", "rows", "mean points", "mean return"):
        table.add_column(name, justify="right")
    for each in files:
        counts = (str(each.episode_count), str(each.row_count))
        figures = (f"{each.mean_points:.1f}", f"{each.mean_return:.1f}")
        table.add_row(each.world, str(each.season), each.agent, *counts, *figures)
    console().print(table)
