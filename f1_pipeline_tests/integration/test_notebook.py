"""The notebook on the warehouse runs from its first cell to its last and shows what it says."""

from __future__ import annotations

import runpy

import matplotlib.pyplot as plt
import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import NEXT_RACE, REPO

NOTEBOOK = REPO / "docs" / "notebooks" / "explore_warehouse.py"


def test_the_notebook_runs_on_the_published_snapshot(complete: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.setenv("MPLBACKEND", "agg")
    app = runpy.run_path(str(NOTEBOOK), run_name="notebook")["app"]
    _, made = app.run()
    try:
        assert made["next_race"] == NEXT_RACE
        assert made["leaderboard"].num_rows == made["form"].num_rows == len(made["value"]["price"]) > 20
        assert {row[0] for row in made["calibration"]} == {"published", "ewma_price_prior"}
        assert len(made["prices"]) == 5
    finally:
        made["warehouse"].close()
        plt.close("all")
