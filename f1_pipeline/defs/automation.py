"""What runs by itself: a sensor that finds out the situation and requests what is due.

Belongs here: reading the instance and the facts at a tick. Neighbours: `due.py` decides, purely; `jobs.py` has the
jobs; `liveness.py` tells runs from what killed runs left. One run at a time is requested, and none while another is
under way, so that each decision stands on what the last one made.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES, RunsFilter
from dagster._core.storage.tags import RUN_KEY_TAG

from f1_pipeline.defs.assets import FACTS, asset_key
from f1_pipeline.defs.due import Computed, Due, Situation, what_is_due
from f1_pipeline.defs.liveness import bury_dead_runs
from f1_pipeline.defs.pages import RACE_PAGE
from f1_pipeline.settings import Settings
from f1_pipeline.sources.calendar import read_calendar, read_sessions
from f1_pipeline.sources.fact_digests import fact_digests
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline, utc_now, wanted_digest
from f1_pipeline.steps.review import REVIEW_TABLE

TICK_EVERY = timedelta(minutes=1)
UNDER_WAY = [dg.DagsterRunStatus.QUEUED, *IN_PROGRESS_RUN_STATUSES]
"""Not those that have never started: what was killed before its first step stays so, and holds nobody up."""


def build_sensors(settings: Settings, jobs: list, clock: Callable[[], datetime] = utc_now) -> list[dg.SensorDefinition]:
    """Make the sensor that follows the calendar.

    Parameters
    ----------
    settings : Settings
        Where the facts are; they are read again at each tick, since new ones arrive while the daemon runs.
    jobs : list of UnresolvedAssetJobDefinition
    clock : callable
        Gives the time of a tick, aware; tests set their own.

    Returns
    -------
    list of SensorDefinition
        Each request carries a run key that the instance has not seen, so that a tick that comes twice starts nothing
        twice, and a run that failed is tried again when the facts, or the version of this project, are others.
    """

    @dg.sensor(
        name="after_each_grand_prix",
        minimum_interval_seconds=int(TICK_EVERY.total_seconds()),
        jobs=jobs,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Follows the calendar: facts when they are due, finished races, the next line-up, pages.",
    )
    def after_each_grand_prix(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        instance = context.instance
        for run_id in bury_dead_runs(instance, settings.alive_dir):
            context.log.warning(f"run {run_id} was killed: its process is gone")
        under_way = instance.get_runs(RunsFilter(statuses=UNDER_WAY), limit=1)
        if under_way:
            return dg.SkipReason(f"a run of {under_way[0].job_name} is under way")
        due, waiting_for = what_is_due(find_situation(instance, settings), clock())
        for each in due:
            if not instance.get_runs(RunsFilter(tags={RUN_KEY_TAG: each.run_key}), limit=1):
                context.log.info(each.reason)
                return _request(each)
        failed = f"; tried already, and waiting for other facts: {due[0].reason}" if due else ""
        return dg.SkipReason(waiting_for + failed)

    return [after_each_grand_prix]


def find_situation(instance: dg.DagsterInstance, settings: Settings) -> Situation:
    """Find out what is known now.

    Parameters
    ----------
    instance : DagsterInstance
    settings : Settings

    Returns
    -------
    Situation

    Raises
    ------
    DataError
        When the facts are damaged.
    """
    calendar = read_calendar(settings.data_dir)
    coming = calendar.next_race
    return Situation(
        calendar=calendar,
        sessions=() if coming is None else read_sessions(settings.data_dir, coming.race_key),
        facts=fact_digests(settings.data_dir),
        wanted=wanted_digest(settings),
        reviews=_computed(instance, asset_key(REVIEW_TABLE)),
        line_ups={} if coming is None else _computed(instance, asset_key(LINEUP_TABLE), {coming.race_key}),
        pages=_numbers(instance, RACE_PAGE),
        has_sources=bool(settings.sources),
        has_warehouse=Pipeline(settings).warehouse.exists(),
    )


def _numbers(instance: dg.DagsterInstance, key: dg.AssetKey, partitions: set[str] | None = None) -> Mapping[str, int]:
    return instance.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION, partitions)


def _computed(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: set[str] | None = None
) -> dict[str, Computed]:
    """Read the newest materialization of each partition."""
    numbers = _numbers(instance, key, partitions)
    if not numbers:
        return {}
    wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=sorted(numbers.values()))
    found = {}
    for record in instance.fetch_materializations(wanted, limit=len(numbers)).records:
        event = record.asset_materialization
        if event is not None and event.partition is not None:
            facts = event.metadata.get(FACTS)
            found[event.partition] = Computed(record.storage_id, "" if facts is None else str(facts.value))
    return found


def _request(due: Due) -> dg.RunRequest:
    tags = partition_range_tags(due.first_race_key, due.last_race_key) if due.first_race_key else {}
    return dg.RunRequest(run_key=due.run_key, job_name=due.job_name, tags=tags)


def partition_range_tags(first_key: str, last_key: str) -> dict[str, str]:
    """Tags that make one run compute every race, or every season, from the first to the last."""
    return {
        "dagster/asset_partition_range_start": first_key,
        "dagster/asset_partition_range_end": last_key,
    }
