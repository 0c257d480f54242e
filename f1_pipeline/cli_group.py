"""The group that all commands hang on: help by purpose, exit codes, and how a process ends.

Belongs here: what is true of every command before and after it runs. Neighbours: `cli.py` puts the commands in,
`cli_options.py` has what they share while they run. Exit codes: 0 done (a pipe that its reader closes is done as well),
1 a fault of the program, 2 a wrong request or bad input, 130 stopped by Ctrl-C or by no to a question; `doctor` has
two more of its own.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from f1_pipeline.cli_options import DONE, INTERRUPTED, LOGGER
from f1_pipeline.errors import F1PipelineError
from f1_pipeline.settings import load_settings

SECTIONS = {
    "Play: the line-up, and what comes after it": ("lineup", "plan", "chips", "team", "recommend"),
    "Look: how good it was, and why": ("accuracy", "report", "scores", "backtest"),
    "Operate: new facts, runs, health": (
        "run",
        "refresh",
        "doctor",
        "open",
        "cluster",
        "backup",
        "restore",
        "rebuild",
        "prune",
        "import",
        "docs",
        "completion",
    ),
    "Explore: data and models of your own": (
        "query",
        "export",
        "export-training",
        "agents",
        "episodes",
        "tune",
    ),
}
OTHERS = "More"
LONGEST_SHORT_HELP = 58  # characters, so that a command takes one line of a terminal of 80 columns


class CommandLine(click.Group):
    """A group whose help is ordered by what people want, and whose commands end with a clear exit code."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by purpose instead of by letter."""
        named = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in self.list_commands(ctx) if name not in named)
        width = max(map(len, self.commands))
        for title, names in {**SECTIONS, OTHERS: rest}.items():
            rows = [
                (name.ljust(width), self.commands[name].get_short_help_str(LONGEST_SHORT_HELP))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the process's own command line; see `click.Command.main`."""
        sys.excepthook = report_fault
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a reader that goes away is no error, and neither is somebody who stops it."""
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except (KeyboardInterrupt, click.Abort):  # the latter is no for an answer, too
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Nobody reads on, as with `… | head`; what is still buffered goes nowhere when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(DONE)
        return answer


def report_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of a fault of the program in one line and keep its traceback in a file; the exit code is 1.

    Parameters
    ----------
    kind, error, trace
        As `sys.excepthook` is given them. With --verbose or F1_DEBUG the traceback is printed as well.
    """
    text = "".join(traceback.format_exception(kind, error, trace))
    path, is_debugging = _fault_file()
    if is_debugging:
        click.echo(text, err=True, nl=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{' '.join(map(repr, sys.argv))}\n{text}", encoding="utf-8")
    except OSError:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # a full disk keeps its name alone
        click.echo(f"{text}fault of the program: {kind.__name__}: {error}", err=True)
        return
    click.echo(f"fault of the program: {kind.__name__}: {error} (the traceback is in {path})", err=True)


def _fault_file() -> tuple[Path, bool]:
    """Say where a traceback is kept, and whether it is to be printed too."""
    import logging

    is_verbose = logging.getLogger(LOGGER).isEnabledFor(logging.INFO)
    name = f"fault-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
    try:
        settings = load_settings()
    except F1PipelineError:
        return Path(tempfile.gettempdir()) / "f1-pipeline" / name, is_verbose
    return settings.faults_dir / name, is_verbose or settings.is_debugging
