"""What a search for settings found, as a person reads it.

Neighbours: `steps.tuning` searches, `tables.py` has the style.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa

from f1_pipeline.forecast.strength_tuning import PREDICTED, Tuning, evaluation_count
from f1_pipeline.report.bars import progress_bar
from f1_pipeline.report.tables import console, new_table, print_json, print_rows
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
    with progress_bar(quiet) as progress:
        task = progress.add_task("predicting 2019 to 2022 again and again", total=evaluation_count())
        return tune_strength(Pipeline(settings), lambda: progress.advance(task))


def print_tuning(tuning: Tuning, output: str) -> None:
    """Print settings and log-likelihoods, as `table`, `json` or `csv`, which has a row per setting."""
    if output == "json":
        print_json(asdict(tuning))
        return
    if output == "csv":
        rows = [{"setting": name, "session": session, "value": value} for name, session, value in _settings(tuning)]
        print_rows(pa.Table.from_pylist(rows), output)
        return
    gain = sum(tuning.after[name] - tuning.before[name] for name in PREDICTED if name in tuning.after)
    table = new_table(f"Strength settings, {gain:+.0f} in log-likelihood over the first guess")
    table.add_column("setting")
    table.add_column("value", justify="right")
    for name, session, value in _settings(tuning):
        table.add_row(f"{name} {session}".strip(), f"{value:.3g}")
    console().print(table)


def _settings(tuning: Tuning) -> Iterator[tuple[str, str, float]]:
    """Go through the settings: name, session where it has a value for each, value."""
    for name, value in asdict(tuning.settings).items():
        for session, number in value.items() if isinstance(value, dict) else [("", value)]:
            yield name, session, number
