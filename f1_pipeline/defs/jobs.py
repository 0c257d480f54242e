"""The jobs of the graph: a finished race or a range of them, the line-up of a coming one, seasons, new facts, pages.

Belongs here: asset selections with a name. Neighbours: `automation.py` and `cli.py` launch them.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.pages import RACE_PAGE, SEASON_PAGE, SNAPSHOT
from f1_pipeline.defs.sources import SOURCES_GROUP
from f1_pipeline.steps.refresh import CORRECTION_TABLE, STATEMENT_TABLE
from f1_pipeline.steps.registry import agent_tables, finished_tables, forecast_tables, history_tables, season_tables
from f1_pipeline.steps.step import Step

FINISHED_RACE_JOB = "finished_race"
RACE_HISTORY_JOB = "race_history"
NEXT_LINEUP_JOB = "next_lineup"
SEASON_BACKTEST_JOB = "season_backtest"
SEASON_AGENTS_JOB = "season_agents"
REFRESH_JOB = "refresh_facts"
PAGES_JOB = "race_pages"


def build_jobs(steps: Mapping[str, Step]) -> list:
    """Make the jobs; each runs in one process, which holds its moment and its facts: docs/adr/0020.

    Parameters
    ----------
    steps : mapping of str to Step

    Returns
    -------
    list of UnresolvedAssetJobDefinition
    """
    described = {
        FINISHED_RACE_JOB: (
            finished_tables(steps),
            "Every table of finished races, from raw event scores to the review.",
        ),
        RACE_HISTORY_JOB: (history_tables(steps), "The tables of finished races that later races read."),
        NEXT_LINEUP_JOB: (forecast_tables(steps), "What can be known of a coming race, up to its optimal line-up."),
        SEASON_BACKTEST_JOB: (
            tuple(table for table in season_tables(steps) if table not in agent_tables(steps)),
            "Seasons played again: hindsight and policies, from all their races and earlier ones.",
        ),
        SEASON_AGENTS_JOB: (agent_tables(steps), "Agents trained before each season, and all of them playing it."),
    }
    # History is filled in on the way to a run that publishes.
    ends_with = {name: [] if name == RACE_HISTORY_JOB else [SNAPSHOT] for name in described}
    return [
        *(
            dg.define_asset_job(
                name,
                selection=dg.AssetSelection.assets(*map(asset_key, tables), *ends_with[name]),
                description=description,
            )
            for name, (tables, description) in described.items()
            if tables
        ),
        dg.define_asset_job(
            PAGES_JOB,
            selection=dg.AssetSelection.assets(RACE_PAGE, SEASON_PAGE),
            description="The pages of races, of the running season, and their index.",
        ),
        dg.define_asset_job(
            REFRESH_JOB,
            selection=dg.AssetSelection.groups(SOURCES_GROUP)
            | dg.AssetSelection.assets(asset_key(STATEMENT_TABLE), asset_key(CORRECTION_TABLE)),
            description="New facts from the sources of the settings, merged into data/.",
        ),
    ]
