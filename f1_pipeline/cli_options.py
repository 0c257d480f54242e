"""What every command of the command line shares: errors, the form of the answer, how much is said, examples.

Belongs here: decorators and texts of options. Neighbours: `cli_group.py` has the group that all commands hang on,
`cli_completion.py` what the shell completes, `cli.py` and `cli_*.py` the commands.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from typing import Any

import click

from f1_pipeline.errors import F1PipelineError

DONE, FAULT, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
LOGGER = "f1_pipeline"
"""The logger of the project; `--verbose` opens it."""


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the project's own errors into one line on stderr and exit code 2; with --verbose say where they arose."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except F1PipelineError as error:
            logging.getLogger(LOGGER).info("where the error arose:", exc_info=error)
            click.echo(f"error: {error}", err=True)
            sys.exit(BAD_INPUT)

    return wrapped


def talk_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--quiet` and `--verbose`; the command is told of the former as `quiet`, the latter opens the log.

    Parameters
    ----------
    command : callable

    Returns
    -------
    callable
    """

    @functools.wraps(command)
    def wrapped(*args: Any, quiet: bool, verbose: bool, **kwargs: Any) -> None:
        if quiet and verbose:
            raise click.UsageError("--quiet and --verbose exclude each other: give one of them")
        _open_log(verbose)
        command(*args, quiet=quiet, **kwargs)

    verbose_option = click.option("--verbose", is_flag=True, help="Log each step and its time on stderr.")
    quiet_option = click.option("--quiet", is_flag=True, help="Only the answer, no progress.")
    return quiet_option(verbose_option(wrapped))


def _open_log(verbose: bool) -> None:
    logger = logging.getLogger(LOGGER)
    logger.handlers.clear()
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.propagate = False


def examples(*lines: str) -> str:
    """Lay examples out for the end of a command's help; a test parses each of them.

    Parameters
    ----------
    *lines : str
        Commands without the leading `f1-pipeline`, each maybe followed by two spaces and what it does.

    Returns
    -------
    str
        For `epilog=`; lines are kept as they are.
    """
    return "\n".join(["\b", "Examples:", *(f"  f1-pipeline {line}" for line in lines)])


format_option = click.option(
    "--format", "output", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print the answer."
)
