"""What runs by itself: after each Grand Prix new facts, the finished race, then the line-up for the next one.

Belongs here: the sensor and the pure decision behind it. Neighbours: `sources.calendar` knows when races are and
which have official points, `jobs.py` has the jobs. The sensor ticks often and asks what is due, so that free weeks,
moved races and late results need no rule of their own.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, REFRESH_JOB
from f1_pipeline.sources.calendar import Calendar, CalendarRace, read_calendar
from f1_pipeline.steps.pipeline import utc_now
from f1_pipeline.steps.registry import REVIEW_TABLE

# A Grand Prix takes two hours at most; stewards and the game need some more before points are official.
RESULTS_AFTER = timedelta(hours=4)
TICK_EVERY = timedelta(minutes=15)
# Points become official within hours; what takes longer than a day may take a week.
ASK_EVERY, ASK_EVERY_LATER, LATER = timedelta(hours=1), timedelta(hours=6), timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """What to do at one moment: a job for a range of races, new facts to ask for since `missing_since`, or nothing."""

    reason: str
    job_name: str | None = None
    first_race_key: str = ""
    last_race_key: str = ""
    missing_since: datetime | None = None


def what_is_due(calendar: Calendar, now: datetime, reviewed: Collection[str]) -> Due:
    """Decide what to run.

    Parameters
    ----------
    calendar : Calendar
    now : datetime
        Aware, the time of the tick.
    reviewed : collection of str
        Races whose review has been made.

    Returns
    -------
    Due
        Finished races without a review come first, all of them in one run; then the facts of a race that has been
        driven; then, until its lock, the line-up of the next race.
    """
    over = [race for race in calendar.races if not race.is_cancelled and race.race_start_at + RESULTS_AFTER <= now]
    missing = _first_missing(over, reviewed)
    if missing:
        first, last = missing[0].race_key, missing[-1].race_key
        return Due(f"{len(missing)} finished races to compute", FINISHED_RACE_JOB, first, last)
    waiting = [race for race in over if not race.is_finished]
    if waiting:
        race = waiting[0]
        reason = f"{race.race_key} has been driven; its results and official points are not in data/ yet"
        return Due(reason, REFRESH_JOB, race.race_key, race.race_key, race.race_start_at + RESULTS_AFTER)
    return _next_lineup(calendar, now)


def _first_missing(over: list[CalendarRace], reviewed: Collection[str]) -> list[CalendarRace]:
    """Take the first finished races without a review that stand side by side, so that one range covers them."""
    wanted = [race.is_finished and race.race_key not in reviewed for race in over]
    if True not in wanted:
        return []
    first = wanted.index(True)
    last = wanted.index(False, first) if False in wanted[first:] else len(over)
    return over[first:last]


def _next_lineup(calendar: Calendar, now: datetime) -> Due:
    coming = calendar.next_race
    if coming is None:
        last = calendar.finished[-1]
        reason = f"the season is over with {last.race_key}; the next calendar is not in data/ yet"
        return Due(reason, REFRESH_JOB, last.race_key, last.race_key, last.race_start_at + RESULTS_AFTER)
    if now >= coming.lock_at:
        return Due(f"{coming.race_key} has locked; its results are due after the race")
    if not coming.has_prices:
        since = max((race.race_start_at + RESULTS_AFTER for race in calendar.finished), default=now)
        reason = f"the prices for {coming.race_key} are not in data/ yet"
        return Due(reason, REFRESH_JOB, coming.race_key, coming.race_key, since)
    return Due(f"line-up for {coming.race_key}", NEXT_LINEUP_JOB, coming.race_key, coming.race_key)


def build_sensors(
    data_dir: Path, jobs: list, has_sources: bool = True, clock: Callable[[], datetime] = utc_now
) -> list[dg.SensorDefinition]:
    """Make the sensor that follows the calendar.

    Parameters
    ----------
    data_dir : Path
        The facts; read again at each tick, since new ones arrive while the daemon runs.
    jobs : list of UnresolvedAssetJobDefinition
    has_sources : bool
        Whether there is anybody to ask for new facts.
    clock : callable
        Gives the time of a tick, aware; tests set their own.

    Returns
    -------
    list of SensorDefinition
        Each request carries a run key, so that a tick that comes twice starts nothing twice. New facts make a new key,
        so that a run that failed for want of them is tried again; missing facts are asked for at most once an hour,
        from the second day on every six.
    """

    @dg.sensor(
        name="after_each_grand_prix",
        minimum_interval_seconds=int(TICK_EVERY.total_seconds()),
        jobs=jobs,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fetches the facts of each driven race, computes it, then the line-up of the next one.",
    )
    def after_each_grand_prix(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        reviewed = context.instance.get_materialized_partitions(asset_key(REVIEW_TABLE))
        now = clock()
        due = what_is_due(read_calendar(data_dir), now, reviewed)
        if due.job_name is None or (due.job_name == REFRESH_JOB and not has_sources):
            yield dg.SkipReason(due.reason)
        elif due.missing_since is not None:
            yield _refresh_request(due, due.missing_since, now)
        else:
            yield _request(due, facts_digest(data_dir))

    return [after_each_grand_prix]


def facts_digest(data_dir: Path) -> str:
    """Hash the fact files, 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(data_dir.glob("*.csv")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _request(due: Due, facts: str) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{due.job_name}:{due.first_race_key}:{due.last_race_key}:{facts}",
        job_name=due.job_name,
        tags=partition_range_tags(due.first_race_key, due.last_race_key),
    )


def _refresh_request(due: Due, missing_since: datetime, now: datetime) -> dg.RunRequest:
    every = ASK_EVERY if now - missing_since < LATER else ASK_EVERY_LATER
    turn = (now - missing_since) // every * every + missing_since
    return dg.RunRequest(run_key=f"{due.job_name}:{due.first_race_key}:{turn:%Y-%m-%dT%H:%M}", job_name=due.job_name)


def partition_range_tags(first_key: str, last_key: str) -> dict[str, str]:
    """Tags that make one run compute every race, or every season, from the first to the last."""
    return {
        "dagster/asset_partition_range_start": first_key,
        "dagster/asset_partition_range_end": last_key,
    }
