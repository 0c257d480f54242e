"""What runs by itself: after each Grand Prix the finished race, then the line-up for the next one.

Belongs here: the sensor and the pure decision behind it. Neighbours: `sources.calendar` knows when races are and
which have official points, `jobs.py` has the jobs. The sensor ticks often and asks what is due, so that free weeks,
moved races and late results need no rule of their own.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB
from f1_pipeline.sources.calendar import Calendar, CalendarRace
from f1_pipeline.steps.registry import LINEUP_TABLE, REVIEW_TABLE

# A Grand Prix takes two hours at most; stewards and the game need some more before points are official.
RESULTS_AFTER = timedelta(hours=4)
TICK_EVERY = timedelta(minutes=15)


@dataclass(frozen=True)
class Due:
    """What to do at one moment: a job for a range of races, or nothing and why."""

    reason: str
    job_name: str | None = None
    first_race_key: str = ""
    last_race_key: str = ""


def what_is_due(calendar: Calendar, now: datetime, reviewed: Collection[str], chosen: Collection[str]) -> Due:
    """Decide what to run.

    Parameters
    ----------
    calendar : Calendar
    now : datetime
        Aware, the time of the tick.
    reviewed : collection of str
        Races whose review has been made.
    chosen : collection of str
        Races whose line-up has been made.

    Returns
    -------
    Due
        Finished races without a review come first, all of them in one run; then the next race's line-up.
    """
    over = [race for race in calendar.races if not race.is_cancelled and race.race_start_at + RESULTS_AFTER <= now]
    missing = _first_missing(over, reviewed)
    if missing:
        first, last = missing[0].race_key, missing[-1].race_key
        return Due(f"{len(missing)} finished races to compute", FINISHED_RACE_JOB, first, last)
    waiting = [race for race in over if not race.is_finished]
    if waiting:
        return Due(f"{waiting[0].race_key} has been driven; its official points are not in data/ yet")
    return _next_lineup(calendar.next_race, now, chosen)


def _first_missing(over: list[CalendarRace], reviewed: Collection[str]) -> list[CalendarRace]:
    """Take the first finished races without a review that stand side by side, so that one range covers them."""
    wanted = [race.is_finished and race.race_key not in reviewed for race in over]
    if True not in wanted:
        return []
    first = wanted.index(True)
    last = wanted.index(False, first) if False in wanted[first:] else len(over)
    return over[first:last]


def _next_lineup(coming: CalendarRace | None, now: datetime, chosen: Collection[str]) -> Due:
    if coming is None:
        return Due("the season is over")
    if coming.race_key in chosen:
        return Due(f"the line-up for {coming.race_key} is made; it locks at {coming.lock_at:%Y-%m-%d %H:%M} UTC")
    if now >= coming.lock_at:
        return Due(f"{coming.race_key} has locked; its results are due after the race")
    return Due(f"line-up for {coming.race_key}", NEXT_LINEUP_JOB, coming.race_key, coming.race_key)


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def build_sensors(calendar: Calendar, jobs: list, clock: Callable[[], datetime] = utc_now) -> list[dg.SensorDefinition]:
    """Make the sensor that follows the calendar.

    Parameters
    ----------
    calendar : Calendar
    jobs : list of UnresolvedAssetJobDefinition
    clock : callable
        Gives the time of a tick, aware; tests set their own.

    Returns
    -------
    list of SensorDefinition
        Each request carries a run key, so that a tick that comes twice starts nothing twice.
    """

    @dg.sensor(
        name="after_each_grand_prix",
        minimum_interval_seconds=int(TICK_EVERY.total_seconds()),
        jobs=jobs,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Computes each finished race once its points are official, then the line-up of the next one.",
    )
    def after_each_grand_prix(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        reviewed = context.instance.get_materialized_partitions(asset_key(REVIEW_TABLE))
        chosen = context.instance.get_materialized_partitions(asset_key(LINEUP_TABLE))
        due = what_is_due(calendar, clock(), reviewed, chosen)
        yield dg.SkipReason(due.reason) if due.job_name is None else _request(due)

    return [after_each_grand_prix]


def _request(due: Due) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{due.job_name}:{due.first_race_key}:{due.last_race_key}",
        job_name=due.job_name,
        tags=partition_range_tags(due.first_race_key, due.last_race_key),
    )


def partition_range_tags(first_race_key: str, last_race_key: str) -> dict[str, str]:
    """Tags that make one run compute every race from the first to the last."""
    return {
        "dagster/asset_partition_range_start": first_race_key,
        "dagster/asset_partition_range_end": last_race_key,
    }
