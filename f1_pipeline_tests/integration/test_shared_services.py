"""Dagster's records in a real PostgreSQL and models on a real MLflow server: kept, found again, missed by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import dagster as dg
import numpy as np
import psutil
import pytest
import yaml
from mlflow.exceptions import RestException
from sqlalchemy import create_engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, OperationalError

from f1_pipeline.addresses import with_driver
from f1_pipeline.cluster.postgres import free_port
from f1_pipeline.defs import postgres_storage
from f1_pipeline.defs.health import dagster_checks
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.instance_home import write_instance_home
from f1_pipeline.defs.liveness import PLACE, bury_dead_runs
from f1_pipeline.defs.retention import prune
from f1_pipeline.errors import ServiceError, UsageError, WarehouseError
from f1_pipeline.forecast import tracking_stores
from f1_pipeline.forecast.model_records import WEEKEND_FILE, lessons, taught, weekend_record
from f1_pipeline.forecast.points_model import RIDGE, expected_points
from f1_pipeline.forecast.tracking import Tracking
from f1_pipeline.settings import Settings, environment, load_settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.dask_cluster import wait_until
from f1_pipeline_tests.forecast_rows import training_rows, weekend_model
from f1_pipeline_tests.postgres import Database, Postgres
from f1_pipeline_tests.support import make_settings

EARLY, LATE = ("2024-race-03", "2024-03-22"), ("2024-race-05", "2024-04-05")
SECRET = "s3cret-word"


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.new_database()


@pytest.fixture
def shared(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose records are in PostgreSQL."""
    monkeypatch.setenv("F1_DAGSTER_POSTGRES", database.url)
    return replace(make_settings(tmp_path / "warehouse"), dagster_postgres=database.url)


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server."""
    folder, port = tmp_path_factory.mktemp("mlflow-server"), free_port()
    options = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    variables = {
        "MLFLOW_BACKEND_STORE_URI": with_driver(postgres.new_database().url),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [sys.executable, "-m", "mlflow", "server", *options, "--artifacts-destination", str(folder / "artifacts")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(address), "an MLflow server", patience_s=120.0)
            yield address
        finally:
            with suppress(ProcessLookupError):  # the last test ends it
                os.killpg(process.pid, signal.SIGKILL)


def answers(address: str) -> bool:
    try:
        return Tracking(Path("/nonexistent"), server=address).uri == address
    except ServiceError:
        return False


# Dagster's records.


def test_runs_stand_in_the_database_and_no_file_names_its_password(shared: Settings, database: Database) -> None:
    @dg.asset
    def lap() -> None: ...

    with open_instance(shared) as instance:
        run = dg.materialize([lap], instance=instance)
        assert run.success
        ref = instance.get_ref()
    with open_instance(shared) as again:
        assert again.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS
        assert again.get_latest_materialization_event(lap.key).run_id == run.run_id
    assert not list(shared.dagster_dir.rglob("*.db"))
    home = write_instance_home(shared)
    config = yaml.safe_load((home / "dagster.yaml").read_text())
    assert config["storage"]["custom"]["config"] == {"postgres_url": {"env": "F1_DAGSTER_POSTGRES"}}
    assert "run_storage" not in config
    shown = (home / "dagster.yaml").read_text() + repr(shared) + repr(ref)
    assert database.password not in shown


def test_a_run_outlives_a_restart_of_its_database(shared: Settings, postgres: Postgres) -> None:
    @dg.asset
    def lap(context) -> None:
        context.log.info("before")
        postgres.restart()
        context.log.info("after")

    with open_instance(shared) as instance:
        run = dg.materialize([lap], instance=instance)
        messages = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert run.success
    assert {"before", "after"} <= set(messages)


def test_runs_of_another_machine_are_not_buried(shared: Settings) -> None:
    with open_instance(shared) as instance:
        for tags in ({PLACE: f"elsewhere:{shared.alive_dir}"}, {}):
            run = instance.create_run_for_job(lap_job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        buried = bury_dead_runs(instance, shared.alive_dir, patience_s=0)
    assert buried == [run.run_id]


@dg.job
def lap_job() -> None: ...


def test_a_database_out_of_reach_is_named_without_its_password(tmp_path: Path, postgres: Postgres) -> None:
    nobody = f"postgresql://f1:{SECRET}@127.0.0.1:{free_port()}/dagster"
    stranger = f"postgresql://f1:{SECRET}@127.0.0.1:{postgres.port}/postgres?connect_timeout=3"
    for url, reason in ((nobody, "Connection refused"), (stranger, "password authentication failed")):
        settings = replace(make_settings(tmp_path), dagster_postgres=url)
        with pytest.raises(ServiceError, match=reason) as error, open_instance(settings):
            pass
        checks = list(dagster_checks(settings, datetime.now(UTC)))
        assert [(check.name, check.status) for check in checks] == [("dagster", "fail")]
        assert "F1_DAGSTER_POSTGRES: expected Dagster's database at postgresql://127.0.0.1" in str(error.value)
        assert SECRET not in f"{error.value}{checks}{settings!r}"


def test_a_refusal_is_not_waited_out(database: Database) -> None:
    stranger = create_engine(with_driver(database.url.replace(database.password, SECRET)))
    listen(stranger, "do_connect", postgres_storage._connect_patiently)
    started = monotonic()
    with pytest.raises(OperationalError, match="password authentication failed"):
        stranger.connect()
    assert monotonic() - started < postgres_storage.AWAY_S / 4


@pytest.mark.parametrize(
    ("state", "tries"), [("57P01", 2), ("57P03", 2), ("08006", 2), ("53100", 1), ("53300", 1), ("23505", 1)]
)
def test_a_statement_is_tried_again_only_when_the_server_went_away(database: Database, state: str, tries: int) -> None:
    engine, tried = postgres_storage.kept_engine(with_driver(database.url)), []

    def store() -> None:
        tried.append(state)
        if len(tried) == 1:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"do $$ begin raise exception using errcode = '{state}'; end $$")

    with nullcontext() if tries == 2 else pytest.raises(DBAPIError):
        postgres_storage._again(store)
    engine.dispose()
    assert len(tried) == tries


def test_addresses_of_services_are_checked_and_not_repeated() -> None:
    for name, value in (("F1_DAGSTER_POSTGRES", f"mysql://f1:{SECRET}@db"), ("F1_MLFLOW", f"ftp://f1:{SECRET}@ml")):
        with pytest.raises(UsageError, match=f"{name}: expected an address that begins with") as error:
            load_settings({name: value})
        assert SECRET not in str(error.value)
    settings = load_settings({"F1_MLFLOW": f"https://f1:{SECRET}@ml.example/"})
    assert settings.mlflow_ui == "https://ml.example"
    assert SECRET not in repr(settings)


# Models.


def test_models_are_kept_by_the_server_and_read_by_another_machine(server: str, tmp_path: Path) -> None:
    rows = training_rows({2023: 6, 2024: 6})
    here, there = (Tracking(tmp_path / name, server=server) for name in ("here", "there"))
    weekend = weekend_record(weekend_model(LATE[0]), LATE[1])
    parent = here.log_model(weekend)
    (lesson,) = lessons([RIDGE], LATE[0], np.datetime64(LATE[1]).item(), rows)
    record = taught(lesson, rows)
    uri = here.log_model(record, parent)
    assert (parent, uri) == ("models:/points_forecast/1", "models:/points_forecast/2")
    assert there.find(lesson.fingerprint) == uri
    assert there.prefetch() == 2
    assert there.model_file(parent, WEEKEND_FILE).read_bytes() == weekend.files[WEEKEND_FILE]
    menu = rows[rows["race_key"] == LATE[0]]
    expected = expected_points(record.estimator, menu)
    np.testing.assert_array_equal(expected_points(there.load_estimator(uri), menu), expected)
    with pytest.raises(WarehouseError, match=f"weekend.npz: expected a file at {server}, found none"):
        there.model_file(uri, WEEKEND_FILE)


def test_promotion_outcomes_and_pruning_go_through_the_server(server: str, tmp_path: Path) -> None:
    tracking = Tracking(tmp_path, name="agents", server=server)
    early, late = (tracking.log_model(weekend_record(weekend_model(key, seed=3), day)) for key, day in (EARLY, LATE))
    assert tracking.promote(late, "champion", {"why": "newest"})
    assert not tracking.promote(early, "champion", {"why": "older"})
    assert tracking.holder("champion") == late
    tracking.record_outcome(late, {"race_mae": 9.5})
    gone = tracking.prune([], datetime.now(UTC) + timedelta(minutes=1))
    assert len(gone) == 1
    assert tracking.holder("champion") == late


def test_a_refusal_of_the_server_is_named_and_what_is_not_there_stays_an_answer(server: str, tmp_path: Path) -> None:
    tracking = Tracking(tmp_path, server=server)
    with pytest.raises(WarehouseError, match="expected a version in"):
        tracking.model_file("models:/points_forecast/999", WEEKEND_FILE)
    for code in ("PERMISSION_DENIED", "INTERNAL_ERROR", "INVALID_PARAMETER_VALUE"):
        reason = f"the MLflow server {server} did not do its part: {code}: no"
        with pytest.raises(ServiceError, match=reason), tracking._store.errors():
            raise RestException({"error_code": code, "message": "no"})


def test_models_of_a_shared_server_stay_when_the_warehouse_is_not_shared(tmp_path: Path) -> None:
    alone = replace(make_settings(tmp_path), mlflow=f"http://f1:{SECRET}@127.0.0.1:9")
    said: list[str] = []
    with Pipeline(alone).warehouse.write() as connection:
        connection.execute("create schema models")
    pruned = prune(alone, 90, dry_run=False, say=said.append)
    assert pruned.model_count == 0
    assert said[-1].startswith("Models on http://127.0.0.1:9 stay: this warehouse is not shared")


def test_a_server_out_of_reach_is_named_without_its_password(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(
        ServiceError, match=rf"expected an MLflow server at http://127\.0\.0\.1:{port}, found none"
    ) as error:
        Tracking(tmp_path, server=f"http://f1:{SECRET}@127.0.0.1:{port}")
    assert SECRET not in str(error.value)


def test_a_server_that_goes_away_is_named(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking_stores, "RETRIES", 1)
    tracking = Tracking(tmp_path, server=server)
    assert tracking.find("0" * 64) is None
    listening = [each for each in psutil.net_connections("tcp") if each.status == "LISTEN"]
    (pid,) = {each.pid for each in listening if each.laddr.port == port_of(server)}
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    for call in (lambda: tracking.find("0" * 64), lambda: tracking.holder("champion"), tracking.prefetch):
        with pytest.raises(ServiceError, match=f"F1_MLFLOW: the MLflow server {server} did not do its part"):
            call()


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])
