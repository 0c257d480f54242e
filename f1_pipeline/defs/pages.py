"""What is published for people: the snapshot of the warehouse and the pages, as assets.

Belongs here: when they are made, and how the UI shows them. Neighbours: `steps.snapshot` copies, `report` writes
the pages; `jobs.py` says which runs end with which of them.
"""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, contextmanager

import dagster as dg
import pandas as pd

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.partitions import race_partitions
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.sources import OWNERS
from f1_pipeline.errors import UsageError
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline.steps.snapshot import publish_snapshot

PUBLISHED_GROUP = "published"
SNAPSHOT, RACE_PAGE, SEASON_PAGE = (
    dg.AssetKey([PUBLISHED_GROUP, name]) for name in ("snapshot", "race_page", "season_page")
)


OnPublished = Callable[[str, float], None]


def build_published_assets(
    pipeline: Pipeline, tables: Iterable[str], on_published: OnPublished | None = None
) -> list[dg.AssetsDefinition]:
    """Make the assets.

    Parameters
    ----------
    pipeline : Pipeline
    tables : iterable of str
        Every table: a snapshot is made after whichever of them a run writes.
    on_published : callable, optional
        Told of each thing that was published, and how many seconds it took.

    Returns
    -------
    list of AssetsDefinition
    """
    return [
        _snapshot_asset(tables, on_published),
        _race_page_asset(pipeline, on_published),
        _season_page_asset(on_published),
    ]


def _snapshot_asset(tables: Iterable[str], on_published: OnPublished | None) -> dg.AssetsDefinition:
    @dg.asset(
        key=SNAPSHOT,
        deps=[asset_key(table) for table in tables],
        kinds={"duckdb"},
        description="A read-only copy of the warehouse after a whole run, which people read while the next one writes.",
        group_name=PUBLISHED_GROUP,
        owners=OWNERS,
    )
    def snapshot(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
        with _timed("snapshot", on_published):
            made = publish_snapshot(pipeline.pipeline)
        path = dg.MetadataValue.path(made.path)
        return dg.MaterializeResult(metadata={"path": path, "bytes": made.byte_count, "tables": made.table_count})

    return snapshot


def _race_page_asset(pipeline: Pipeline, on_published: OnPublished | None) -> dg.AssetsDefinition:
    @dg.asset(
        key=RACE_PAGE,
        deps=[asset_key(LINEUP_TABLE), asset_key(REVIEW_TABLE), SNAPSHOT],
        partitions_def=race_partitions(pipeline.calendar),
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"html"},
        description="The page of a race: the team and why before it, predicted against actual after it.",
        group_name=PUBLISHED_GROUP,
        owners=OWNERS,
    )
    def race_page(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
        from f1_pipeline.report.race_page import write_race_page

        with closing(open_published(pipeline.pipeline.settings)) as published:
            for race_key in context.partition_keys:
                with _timed("race_page", on_published):
                    path = write_race_page(published, race_key)
                context.add_asset_metadata({"path": dg.MetadataValue.path(path)}, RACE_PAGE, race_key)
        return dg.MaterializeResult()

    return race_page


def _season_page_asset(on_published: OnPublished | None) -> dg.AssetsDefinition:
    @dg.asset(
        key=SEASON_PAGE,
        deps=[RACE_PAGE, SNAPSHOT],
        kinds={"html"},
        description="The page of the running season and the index of all pages.",
        group_name=PUBLISHED_GROUP,
        owners=OWNERS,
    )
    def season_page(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
        from f1_pipeline.report.page_index import reviewed_seasons, write_index
        from f1_pipeline.report.season_page import write_season_page

        with closing(open_published(pipeline.pipeline.settings)) as published:
            with _timed("season_page", on_published):
                # a race far back may be computed before any has been reviewed
                paths = [write_season_page(published, season) for season in reviewed_seasons(published)[-1:]]
                index = write_index(published)
            files = {path.name: dg.MetadataValue.path(path) for path in (*paths, index)}
            return dg.MaterializeResult(metadata=files | _accuracy(published))

    return season_page


@contextmanager
def _timed(name: str, on_published: OnPublished | None) -> Generator[None]:
    started = time.perf_counter()
    yield
    if on_published is not None:
        on_published(name, time.perf_counter() - started)


def _accuracy(published: Pipeline) -> dict[str, dg.MarkdownMetadataValue]:
    """Show how good the forecasts were at the lock: as a table for each manner of forecast, and as a picture."""
    from f1_pipeline.report.accuracy import read_accuracy, sections
    from f1_pipeline.report.accuracy_picture import render
    from f1_pipeline.report.themes import LIGHT
    from f1_pipeline.steps.lineup_picture import as_markdown

    try:
        found = read_accuracy(published)
    except UsageError:  # none of the season's first races counts
        return {}
    tables = {
        section.title: pd.DataFrame(list(section.rows), columns=list(section.columns)).to_markdown(index=False)
        for section in sections(found, AT_LOCK)
    }
    picture = as_markdown(render(found, found.manners, "png", LIGHT), "How good the forecasts were")
    text = "\n\n".join(f"**{title}**\n\n{table}" for title, table in tables.items())
    return {"accuracy": dg.MetadataValue.md(text), "picture": dg.MetadataValue.md(picture)}
