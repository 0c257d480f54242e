"""Publish what a run has made, for people to read.

Belongs here: which files of an installation are meant. Neighbours: `warehouse.snapshot` makes the copy,
`pipeline.open_published` reads it.
"""

from __future__ import annotations

from f1_pipeline.steps.again import again_when_lost
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.snapshot import Snapshot, publish


@again_when_lost
def publish_snapshot(pipeline: Pipeline) -> Snapshot:
    """Publish the warehouse of an installation as it is now.

    Parameters
    ----------
    pipeline : Pipeline
        One that writes, such as a run's own.

    Returns
    -------
    Snapshot

    Raises
    ------
    WarehouseError
        There is no warehouse, another process writes it, or the disk is full; what was published before stays.
    """
    return publish(pipeline.warehouse, pipeline.settings.published_path, pipeline.reader_objects)
