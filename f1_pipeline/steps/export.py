"""Training tables for people who train models of their own: features X, points y, groups by season.

Neighbours: `forecast.py` trains on the same rows; `report` and the command line hand the files out.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.steps.forecast import training_rows
from f1_pipeline.steps.pipeline import Pipeline

KEYS = ["race_key", "race_date", "asset_id"]


def export_training_tables(pipeline: Pipeline, folder: Path) -> list[tuple[Path, int]]:
    """Write `driver_training` and `constructor_training`, as Parquet and as CSV.

    Parameters
    ----------
    pipeline : Pipeline
    folder : Path
        Made when it does not exist; files of the same names are replaced.

    Returns
    -------
    list of (Path, int)
        Each file and its rows. Columns: the keys, `group` (the season, for cross-validation by season), the features
        X as they were known at the lock, in the order of the models' own feature set, and `points` (y).

    Raises
    ------
    WarehouseError
        When the warehouse does not exist or lacks the features.
    DataError
        When the folder cannot be written.
    """
    written = []
    known = training_rows(pipeline)
    for asset_type in ("driver", "constructor"):
        rows = _table(known[known["asset_type"] == asset_type])
        for suffix in ("parquet", "csv"):
            path = folder / f"{asset_type}_training.{suffix}"
            _write(rows, path, suffix)
            written.append((path, len(rows)))
    return written


def _table(known: pd.DataFrame) -> pd.DataFrame:
    from f1_pipeline.forecast.feature_sets import FEATURES

    # A row whose race is not over, or whose asset took no part, has nothing to learn from.
    rows = known[known["phase"] == AT_LOCK].dropna(subset=["points"]).rename(columns={"season": "group"})
    return rows[[*KEYS, "group", *FEATURES, "points"]]


def _write(rows: pd.DataFrame, path: Path, suffix: str) -> None:
    """Write a table whole or not at all."""
    unfinished = path.with_suffix(path.suffix + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == "parquet":
            rows.to_parquet(unfinished, index=False)
        else:
            rows.to_csv(unfinished, index=False, lineterminator="\n")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
