"""What commands about whole seasons share: which seasons are meant, and a progress bar over steps of unlike length.

Neighbours: `backtest.py` and `agents.py` play seasons.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from f1_pipeline.errors import UsageError
from f1_pipeline.steps.pipeline import Pipeline

Advance = Callable[[str], None]


def finished_seasons(pipeline: Pipeline, wanted: tuple[int, ...]) -> list[int]:
    """Choose among the seasons that have finished races.

    Parameters
    ----------
    pipeline : Pipeline
    wanted : tuple of int
        All when empty.

    Returns
    -------
    list of int
        In order, each once.

    Raises
    ------
    UsageError
        A season has none.
    """
    finished = sorted({race.season for race in pipeline.calendar.finished})
    unknown = [season for season in wanted if season not in finished]
    if unknown:
        raise UsageError(f"--season: expected some of {', '.join(map(str, finished))}, found {unknown[0]}")
    return sorted(set(wanted)) or finished


def progress_bar(quiet: bool) -> Progress:
    """Make a progress bar that shows on a terminal, unless quiet, and leaves nothing behind."""
    shown = Console(stderr=True, quiet=quiet)
    described = TextColumn("{task.description}")
    columns = (SpinnerColumn(), described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=shown, disable=quiet or not shown.is_terminal, transient=True)


@contextmanager
def step_progress(quiet: bool) -> Generator[Callable[[str, int | None], Advance]]:
    """Show a progress bar on a terminal.

    Parameters
    ----------
    quiet : bool
        Show none.

    Yields
    ------
    callable
        ``start(text, total)`` begins, or begins anew, and returns what is to be called with each part that is done.
    """
    with progress_bar(quiet) as progress:
        task = progress.add_task("", total=None)

        def start(text: str, total: int | None) -> Advance:
            progress.reset(task, description=text, total=total)
            return lambda done: progress.update(task, description=done, advance=1)

        yield start
