"""Training tables for people who train models of their own: features X, points y, groups by season.

Neighbours: `forecast.py` trains on the same rows; `report` and the command line hand the files out.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from f1_pipeline.steps.forecast import ASSET_TYPES, training_rows
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
        X in the order of the model's own feature set, and `points` (y).

    Raises
    ------
    WarehouseError
        When the warehouse does not exist or lacks the features.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for asset_type in ASSET_TYPES:
        rows = _table(pipeline, asset_type)
        for suffix in ("parquet", "csv"):
            path = folder / f"{asset_type}_training.{suffix}"
            unfinished = path.with_suffix(path.suffix + ".tmp")
            _write(rows, unfinished, suffix)
            unfinished.replace(path)
            written.append((path, len(rows)))
    return written


def _table(pipeline: Pipeline, asset_type: str) -> pd.DataFrame:
    from f1_pipeline.forecast.feature_sets import feature_set

    # A row whose race is not over, or whose asset took no part, has nothing to learn from.
    rows = training_rows(pipeline, asset_type).dropna(subset=["points"]).rename(columns={"season": "group"})
    return rows[[*KEYS, "group", *feature_set(asset_type).columns, "points"]]


def _write(rows: pd.DataFrame, path: Path, suffix: str) -> None:
    if suffix == "parquet":
        rows.to_parquet(path, index=False)
    else:
        rows.to_csv(path, index=False, lineterminator="\n")
