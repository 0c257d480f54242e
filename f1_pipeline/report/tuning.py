"""What a search for settings found, as a person reads it.

Neighbours: `steps.tuning` searches, `tables.py` has the style.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.progress import Progress

from f1_pipeline.forecast.strength_tuning import PREDICTED, Tuning, evaluation_count
from f1_pipeline.report.tables import console, new_table
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tuning import tune_strength


def tune_with_progress(settings: Settings, *, quiet: bool) -> Tuning:
    """Search, with a progress bar on stderr.

    Parameters
    ----------
    settings : Settings
    quiet : bool
        No progress bar.

    Returns
    -------
    Tuning
    """
    bar = Console(stderr=True, quiet=quiet)
    with Progress(console=bar, disable=quiet or not bar.is_terminal) as progress:
        task = progress.add_task("predicting 2019 to 2022 again and again", total=evaluation_count())
        return tune_strength(Pipeline(settings), lambda: progress.advance(task))


def print_tuning(tuning: Tuning, output: str) -> None:
    """Print settings and log-likelihoods, as `table` or `json`."""
    if output == "json":
        click.echo(json.dumps(asdict(tuning), indent=2))
        return
    gain = sum(tuning.after[name] - tuning.before[name] for name in PREDICTED if name in tuning.after)
    table = new_table(f"Strength settings, {gain:+.0f} in log-likelihood over the first guess")
    table.add_column("setting")
    table.add_column("value", justify="right")
    for name, value in asdict(tuning.settings).items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for session, number in rows:
            table.add_row(f"{name} {session}".strip(), f"{number:.3g}")
    console().print(table)
