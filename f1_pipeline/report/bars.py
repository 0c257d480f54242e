"""Progress on stderr: one bar for steps that can be counted, one for waiting.

Belongs here: what everything over two seconds shows on a terminal, and says in the log when that is open (`--verbose`).
Neighbours: `progress.py` runs the graph behind it, `agents.py` and `backtest.py` seasons; `tables.py` prints answers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

Advance = Callable[[str], None]
logger = logging.getLogger(__name__)


def progress_bar(quiet: bool) -> Progress:
    """Make a progress bar that shows on a terminal, unless quiet or the log is open, and leaves nothing behind."""
    described = TextColumn("{task.description}")
    return _bar(quiet, SpinnerColumn(), described, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


class StepTimes:
    """Writes each step into the log with the seconds since the one before it."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def log(self, step: str) -> None:
        """Say that a step is done."""
        now = time.perf_counter()
        logger.info("%6.2f s  %s", now - self._since, step)
        self._since = now


@contextmanager
def waiting(text: str, quiet: bool) -> Generator[None]:
    """Show that something is done whose parts cannot be counted.

    Parameters
    ----------
    text : str
        What is done, such as `reading the accuracy of forecasts`.
    quiet : bool
        Show nothing.
    """
    times = StepTimes()
    with _bar(quiet, SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as progress:
        progress.add_task(text, total=None)
        yield
    times.log(text)


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
            times = StepTimes()

            def advance(done: str) -> None:
                times.log(done)
                progress.update(task, description=done, advance=1)

            return advance

        yield start


def _bar(quiet: bool, *columns: ProgressColumn) -> Progress:
    shown = Console(stderr=True, quiet=quiet)
    is_hidden = quiet or not shown.is_terminal or logger.isEnabledFor(logging.INFO)
    return Progress(*columns, console=shown, disable=is_hidden, transient=True)
