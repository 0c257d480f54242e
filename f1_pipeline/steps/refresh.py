"""New facts from the sources of the settings, and the history of what the feed has said.

Belongs here: opening the doors that the settings name, and landing what they keep beside the facts. Neighbours:
`sources.refresh` merges; `defs.sources` makes assets of a refresh, the command line asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from f1_pipeline.settings import Settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.pipeline import Pipeline, utc_now
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.sources.fact_changes import RefreshReport

STATEMENT_TABLE = "staging.feed_statement"
CORRECTION_TABLE = "marts.points_correction"


def refresh(settings: Settings, say: Say, now: Callable[[], datetime] = utc_now) -> RefreshReport:
    """Fetch what is new, merge it, and put the new fact files in place, all or none.

    Parameters
    ----------
    settings : Settings
        Its `sources` are asked in their order: F1DB first, for the feed's races and drivers are known by F1DB's names.
    say : callable
        Told of each step.
    now : callable
        Gives the time, aware: the feed is asked again for what is recent.

    Returns
    -------
    RefreshReport
        What changed.

    Raises
    ------
    F1PipelineError
        A source is out of reach or contradicts the facts; the facts are as they were.
    """
    # requests takes a quarter of a second to import, which a run without a refresh need not pay
    from f1_pipeline.sources.download import HttpClient, Patience
    from f1_pipeline.sources.f1db_source import F1dbSource
    from f1_pipeline.sources.feed_source import FeedSource
    from f1_pipeline.sources.refresh import refresh_facts

    data_dir, received_dir = settings.data_dir, settings.received_dir
    with HttpClient(Patience(pause_s=settings.request_pause_s)) as client:
        doors = {
            "f1db": F1dbSource(settings.f1db, received_dir / "f1db", client, data_dir),
            "feed": FeedSource(settings.feed, received_dir, client, data_dir, now),
        }
        return refresh_facts(data_dir, [doors[name] for name in settings.sources], say)


def land_feed_statements(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Land what the feed has said of every asset, payload by payload; nothing when it was never asked.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `staging.feed_statement`.
    race_keys : sequence of str
        Ignored: the table is replaced whole.

    Returns
    -------
    WriteReport

    Raises
    ------
    DataError
        When the store of received payloads is damaged.
    """
    from f1_pipeline.sources.feed_history import StatedAsset, stated_assets
    from f1_pipeline.sources.received import FOLDER, ReceivedStore

    stated: list[StatedAsset] = []
    if (pipeline.settings.received_dir / FOLDER).is_dir():
        unreadable: list[str] = []
        stated = stated_assets(ReceivedStore(pipeline.settings.received_dir, unreadable.append), unreadable.append)
    rows = pd.DataFrame([asdict(one) for one in stated], columns=[field.name for field in fields(StatedAsset)])
    named = rows.rename(columns={"name": "asset_name"}).assign(price_musd=rows["price_tenths"] / 10)
    return run_model(pipeline, table, race_keys, named)
