"""Who is told what: failed runs and finished line-ups go to the webhook of the settings.

Belongs here: the two sensors that watch runs. Neighbours: `report.notices` words and sends. Dagster's cursor of such a
sensor makes each run one event; a line-up is told again only when it is another one.
"""

import hashlib
import json
from contextlib import closing

import dagster as dg

from f1_pipeline.defs.jobs import NEXT_LINEUP_JOB
from f1_pipeline.report.lineups import read_lineup
from f1_pipeline.report.notices import Notice, failure_notice, line_up_notice, send
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import open_published

TOLD = "f1_pipeline/told"
WILL_RETRY, RANGE_START, RANGE_END = (
    "dagster/will_retry",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def build_notifications(settings: Settings, jobs: list) -> list[dg.SensorDefinition]:
    """Make the sensors; none without a webhook.

    Parameters
    ----------
    settings : Settings
    jobs : list of UnresolvedAssetJobDefinition

    Returns
    -------
    list of SensorDefinition
    """
    if not settings.webhook:
        return []
    line_ups = [job for job in jobs if job.name == NEXT_LINEUP_JOB]
    running = dg.DefaultSensorStatus.RUNNING

    @dg.run_status_sensor(
        name="tell_line_up",
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=line_ups,
        default_status=running,
        description="Tells the webhook of each line-up for a coming race that is another one than before.",
    )
    def tell_line_up(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        with closing(open_published(settings)) as published:
            answer = read_lineup(published, run.tags[RANGE_END], is_explained=False)
        notice = line_up_notice(answer, run.run_id)
        digest = _digest(answer, notice)
        if context.instance.daemon_cursor_storage.get_cursor_values({TOLD}).get(TOLD) == digest:
            return dg.SkipReason("the line-up is the one that was told before")
        send(settings.webhook, notice)
        context.instance.daemon_cursor_storage.set_cursor_values({TOLD: digest})
        return None

    @dg.run_failure_sensor(
        name="tell_failure",
        monitor_all_code_locations=False,
        default_status=running,
        description="Tells the webhook of each run that failed and is not tried again by itself.",
    )
    def tell_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        # Dagster marks runs from the command line as well, and cannot launch them again.
        if run.tags.get(WILL_RETRY) == "true" and run.remote_job_origin is not None:
            return dg.SkipReason("the run is tried once more")
        races = " … ".join(dict.fromkeys(run.tags[tag] for tag in (RANGE_START, RANGE_END) if tag in run.tags))
        send(settings.webhook, failure_notice(run.job_name, races, _error(context), run.run_id))
        return None

    return [tell_line_up, tell_failure]


def _digest(answer: dict, notice: Notice) -> str:
    """Hash what a player would do: who is in the team, who is boosted, which swap is advised; not the points."""
    team = [(asset["seat"], asset["boost"]) for asset in answer["assets"]]
    advice = (answer.get("final_fix") or {}).get("advice")
    return hashlib.sha256(json.dumps([notice.event, answer["race_key"], team, advice]).encode()).hexdigest()


def _error(context: dg.RunFailureSensorContext) -> str:
    """Take the sentence of the step that failed; below Dagster's own error stands the project's."""
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return error.message.strip().removeprefix("f1_pipeline.errors.")
    return context.failure_event.message or "without a word"
