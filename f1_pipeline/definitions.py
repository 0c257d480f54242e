"""The composition root: settings in, Dagster definitions out. Nothing else belongs here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime

import dagster as dg

from f1_pipeline.defs.assets import build_assets
from f1_pipeline.defs.automation import build_sensors
from f1_pipeline.defs.jobs import build_jobs
from f1_pipeline.defs.notifications import build_notifications
from f1_pipeline.defs.pages import OnPublished, build_published_assets
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.sources import build_source_assets
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.pipeline import Pipeline, utc_now
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.dry_run import column_types


def build_definitions(
    settings: Settings,
    observe: Callable[[Step], Step] | None = None,
    say: Say | None = None,
    clock: Callable[[], datetime] = utc_now,
    on_published: OnPublished | None = None,
) -> dg.Definitions:
    """Put the graph together.

    Parameters
    ----------
    settings : Settings
    observe : callable, optional
        Wraps each step, for instance to time it.
    say : callable, optional
        Told of each step of a refresh, beside the run's own log.
    clock : callable
        Gives the time, aware, to runs and sensors; rehearsals set their own.
    on_published : callable, optional
        Told of each thing that was published, and how many seconds it took.

    Returns
    -------
    dagster.Definitions

    Raises
    ------
    F1PipelineError
        When the calendar or a SQL model is malformed; the message names the file.
    """
    pipeline = Pipeline(settings)
    steps = build_steps(pipeline)
    if observe is not None:
        steps = {table: observe(step) for table, step in steps.items()}
    types = column_types(pipeline.models)
    with warnings.catch_warnings():
        # One run over many races rests on it; it is beta, and said so at every asset.
        warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)
        assets = [*build_assets(pipeline, steps, types), *build_published_assets(pipeline, steps, on_published)]
    jobs = build_jobs(steps)
    return dg.Definitions(
        assets=[*assets, build_source_assets(settings.sources, say)],
        jobs=jobs,
        sensors=[*build_sensors(settings, jobs, clock), *build_notifications(settings, jobs)],
        resources={"pipeline": PipelineResource.from_settings(settings, clock)},
        executor=dg.in_process_executor,  # heavy parts of a step go to Dask, not whole steps: docs/adr/0020
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Build the definitions of this installation when Dagster loads the code location."""
    return build_definitions(load_settings())
