"""The training tables as files, for whoever learns from them elsewhere."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from f1_pipeline.steps.export import export_training_tables
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import NEXT_RACE


def test_training_tables_are_exported(complete: Pipeline, tmp_path: Path) -> None:
    written = export_training_tables(complete, tmp_path)
    assert sorted(path.name for path, _ in written) == [
        "constructor_training.csv",
        "constructor_training.parquet",
        "driver_training.csv",
        "driver_training.parquet",
    ]
    rows = pd.read_parquet(tmp_path / "driver_training.parquet")
    assert list(rows.columns[:4]) == ["race_key", "race_date", "asset_id", "group"]
    assert rows.columns[-1] == "points"
    assert set(rows["group"]) == {2025, 2026}
    assert NEXT_RACE not in set(rows["race_key"])
    assert rows["points"].notna().all()
    assert len(rows) == len(pd.read_csv(tmp_path / "driver_training.csv"))
