"""What the doctor asks Dagster: do its storages open, did runs hang or fail, is the daemon alive.

Belongs here: checks that need Dagster, each of which reads only. Neighbours: `steps.doctor` says what a check is,
`instance.py` opens the instance, `report.doctor` shows what was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from f1_pipeline.addresses import without_user
from f1_pipeline.defs.instance import open_instance, reach_database
from f1_pipeline.errors import ServiceError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.steps.doctor import Check, looked, shortened
from f1_pipeline.steps.doctor_stores import sqlite_fault

HANGS_AFTER = timedelta(hours=3)  # the longest job, seasons by agents, takes less than one
LATELY = timedelta(days=7)
HEARTBEAT_LATE = timedelta(minutes=5)  # the daemon's own beat every 30 seconds
SENSOR_DAEMON = "SENSOR"
STORAGES = {"runs/runs.db": "runs", "events/index.db": "event_logs", "schedules/schedules.db": "jobs"}
UI = "`f1-pipeline open ui`"
REACH = "see that the database runs, and that F1_DAGSTER_POSTGRES names it"
GOING_ON = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def dagster_checks(settings: Settings, now: datetime) -> Iterator[Check]:
    """Look at Dagster's storages; where they are damaged nothing else can be asked.

    Parameters
    ----------
    settings : Settings
    now : datetime
        Aware.
    """
    storage = check_storage(settings)
    if storage.status != "ok" or not (settings.dagster_postgres or settings.dagster_dir.exists()):
        yield storage
        return
    try:
        with open_instance(settings) as instance:
            found = [check_runs(instance, now), check_failures(instance, now), check_daemon(instance, now)]
    except (dg.DagsterError, SQLAlchemyError, ServiceError, WarehouseError) as error:
        reason = str(error).splitlines()[0]
        mend = REACH if settings.dagster_postgres else _aside(settings)
        yield Check("dagster", "fail", f"{settings.dagster_dir}: cannot be opened: {reason}", mend)
        return
    yield storage
    yield from found


def check_storage(settings: Settings) -> Check:
    """Look at the database of runs, events and schedules, or at its SQLite files."""
    if settings.dagster_postgres:
        return looked("dagster", lambda: _check_database(settings.dagster_postgres), REACH)
    if not settings.dagster_dir.exists():
        return Check("dagster", "ok", f"{settings.dagster_dir}: no run has been recorded yet")
    faults = [
        fault
        for name, table in STORAGES.items()
        if (path := settings.dagster_dir / name).exists() and (fault := sqlite_fault(path, table))
    ]
    if faults:
        return Check("dagster", "fail", "; ".join(faults), _aside(settings))
    return Check("dagster", "ok", f"{settings.dagster_dir}: the records of runs open")


def _check_database(url: str) -> Check:
    reach_database(url)
    return Check("dagster", "ok", f"{without_user(url)}: the database of the records of runs answers")


def check_runs(instance: dg.DagsterInstance, now: datetime) -> Check:
    """Name runs that go on for longer than any takes."""
    going_on = instance.get_run_records(dg.RunsFilter(statuses=list(GOING_ON)))
    hanging = [
        f"{record.dagster_run.job_name} {record.dagster_run.run_id[:8]}"
        for record in going_on
        if now - record.create_timestamp.astimezone(UTC) > HANGS_AFTER
    ]
    if hanging:
        mend = f"{UI}, Runs, terminate and mark as cancelled; nothing that it has written is lost"
        return Check("runs", "warn", f"started long ago and never ended: {shortened(hanging)}", mend)
    return Check("runs", "ok", f"{len(going_on)} runs going on, none hangs")


def check_failures(instance: dg.DagsterInstance, now: datetime) -> Check:
    """Name jobs whose newest run of the last days failed."""
    records = instance.get_run_records(dg.RunsFilter(created_after=now - LATELY))
    newest: dict[str, dg.RunRecord] = {}
    for record in records:  # newest first
        if record.dagster_run.is_finished:
            newest.setdefault(record.dagster_run.job_name, record)
    failed = [
        f"{name} {record.create_timestamp:%Y-%m-%dT%H:%M}"
        for name, record in newest.items()
        if record.dagster_run.status == dg.DagsterRunStatus.FAILURE
    ]
    if failed:
        mend = f"{UI}, Runs, says why; `f1-pipeline run --verbose` tries again"
        return Check("failures", "warn", f"failed, and not done since: {shortened(failed)}", mend)
    return Check("failures", "ok", f"{len(records)} runs in {LATELY.days} days, none failed last")


def check_daemon(instance: dg.DagsterInstance, now: datetime) -> Check:
    """Say whether the daemon, which runs races by themselves, has been heard of lately."""
    beat = instance.get_daemon_heartbeats().get(SENSOR_DAEMON)
    if beat is None:
        return Check(
            "daemon", "ok", "no daemon has ever run: nothing happens by itself, which is fine if you run by hand"
        )
    heard = datetime.fromtimestamp(beat.timestamp, UTC)
    sentence = f"the daemon was last heard of {heard:%Y-%m-%dT%H:%M} UTC"
    if now - heard > HEARTBEAT_LATE:
        return Check(
            "daemon", "warn", sentence, f"start it again ({UI}, or its service), if races should run by themselves"
        )
    if beat.errors:
        first = str(beat.errors[0].message).splitlines()[0]
        return Check("daemon", "warn", f"{sentence}, with an error: {first}", f"{UI}, Deployment, Daemons")
    return Check("daemon", "ok", sentence)


def _aside(settings: Settings) -> str:
    folder: Path = settings.dagster_dir
    return f"move {folder} aside: the records of runs are lost, nothing that was computed is"
