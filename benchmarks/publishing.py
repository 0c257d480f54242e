"""How long a run takes to publish the warehouse for its readers.

Here: the copy of the file that `warehouse.snapshot` makes, against a copy row by row. Not here: reading it.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.snapshot import publish_snapshot

REPEATS = 5


@benchmark("publish_ms")
def publish_ms() -> Figure:
    """Time the publication of a copy of the installation's warehouse, against DuckDB's `copy from database`."""
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        settings = replace(load_settings(), warehouse_dir=Path(folder))
        shutil.copy(load_settings().warehouse_path, folder)
        with closing(Pipeline(settings, keeps_warehouse_open=True)) as pipeline:
            publishing = median_seconds(lambda: publish_snapshot(pipeline), REPEATS)
            by_rows = median_seconds(lambda: _copy_rows(pipeline, Path(folder) / "other.duckdb"), REPEATS)
    return Figure("publish_ms", 1000 * publishing, "ms", "copy from database", 1000 * by_rows)


def _copy_rows(pipeline: Pipeline, target: Path) -> None:
    target.unlink(missing_ok=True)
    with pipeline.warehouse.write() as connection:
        connection.execute(f"attach '{target}' as other")
        connection.execute("copy from database f1 to other")
        connection.execute("detach other")
