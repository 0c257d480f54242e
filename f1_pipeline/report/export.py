"""Write an export with a progress bar.

Neighbours: `steps.warehouse_export` writes it; `cli_export.py` has the options.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from f1_pipeline.report.bars import StepTimes, progress_bar
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.warehouse_export import ExportedTable, export_warehouse
from f1_pipeline.warehouse.export import FORMATS


def export_with_progress(
    pipeline: Pipeline, folder: Path, schemas: Collection[str], form: str, *, quiet: bool
) -> list[ExportedTable]:
    """Write tables and views into a folder; see `export_warehouse`.

    Parameters
    ----------
    pipeline : Pipeline
    folder : Path
    schemas : collection of str
        All when empty.
    form : str
        One of `FORMATS`.
    quiet : bool
        No progress.

    Returns
    -------
    list of ExportedTable

    Raises
    ------
    F1PipelineError
        Whatever stops it.
    """
    (chosen,) = (known for known in FORMATS if known == form)
    with progress_bar(quiet) as progress:
        task = progress.add_task("exporting", total=None)
        times = StepTimes()

        def tell(table: str, done: int, total: int) -> None:
            times.log(table)
            progress.update(task, description=table, completed=done, total=total)

        return export_warehouse(pipeline, folder, schemas, chosen, tell)
