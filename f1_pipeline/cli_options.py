"""What every command of the command line shares: how it reports errors and in which form it answers.

Belongs here: decorators. Neighbours: `cli.py` and `cli_team.py` have the commands.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from f1_pipeline.errors import F1PipelineError

BAD_INPUT = 2


def reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn the project's own errors into one line on stderr and exit code 2."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except F1PipelineError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(BAD_INPUT)

    return wrapped


rows_option = click.option(
    "--format", "output", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print the answer."
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress.")
format_option = click.option(
    "--format", "output", type=click.Choice(["table", "json"]), default="table", help="How to print the answer."
)
