"""The doctor on installations that are well, damaged, stale and locked: real files, a sentence and a mend for each."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._daemon.types import DaemonHeartbeat

from f1_pipeline.cli import main
from f1_pipeline.defs.health import dagster_checks
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.report.doctor import EXIT_CODES, print_checks, worst
from f1_pipeline.settings import Settings
from f1_pipeline.sources.feed_inquiry import SCHEDULE_PATH
from f1_pipeline.steps.doctor import Check, check_clock, check_folders, fact_checks, machine_checks
from f1_pipeline.steps.doctor_sources import online_checks
from f1_pipeline.steps.doctor_stores import check_lock, sqlite_fault, store_checks
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.lock_holder import lock_holder
from f1_pipeline_tests.local_server import LocalServer
from f1_pipeline_tests.support import NEXT_RACE, copy_facts, replace_line

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)  # between the last finished race and the lock of the next one
TEAM = """
race = "2026-monaco"
drivers = ["george-russell", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"]
constructors = ["mclaren", "audi"]
boosted = "george-russell"
bank_musd = 20.6
free_transfers = 1
chips_left = ["wildcard", "limitless"]
races_played = 5
"""


def by_name(checks: Iterable[Check]) -> dict[str, Check]:
    found = list(checks)
    assert len({check.name for check in found}) == len(found)
    assert all(check.sentence for check in found)
    assert all(bool(check.mend) == (check.status != "ok") for check in found), "what is not well can be mended"
    return {check.name: check for check in found}


@pytest.fixture
def then(pipeline: Pipeline) -> Pipeline:
    """The committed facts, looked at when they were new."""
    return replace(pipeline, clock=lambda: NOW)


def test_this_machine_is_well(settings: Settings) -> None:
    found = by_name(machine_checks(settings))
    assert set(found) == {"python", "packages", "disk", "folders", "clock", "webhook"}
    assert found["webhook"].sentence == "F1_WEBHOOK is not set: nobody is told"
    told = by_name(machine_checks(replace(settings, webhook="https://hooks.example/s3cret")))["webhook"]
    assert (told.status, told.sentence) == ("ok", "F1_WEBHOOK is set")
    assert found["python"].sentence == f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    assert {found[name].status for name in ("python", "folders", "clock")} == {"ok"}


def test_packages_are_held_against_what_the_project_pins(settings: Settings, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.99"\ndependencies = ["click>=8", "no-such"]\n'
    )
    (home / "constraints.txt").write_text("click==0.1\nunknown==1.0\n")
    found = by_name(machine_checks(replace(settings, home=home)))
    assert (found["python"].status, found["packages"].status) == ("fail", "fail")
    assert found["packages"].sentence == "not installed: no-such"
    (home / "pyproject.toml").write_text('[project]\ndependencies = ["click>=8"]\n')
    found = by_name(machine_checks(replace(settings, home=home)))
    assert found["packages"].status == "warn"
    assert "instead of 0.1" in found["packages"].sentence
    (home / "constraints.txt").unlink()
    assert (
        "constraints.txt: cannot be read" in by_name(machine_checks(replace(settings, home=home)))["packages"].sentence
    )


def test_a_file_in_the_place_of_a_folder_is_named(settings: Settings) -> None:
    settings.warehouse_dir.parent.mkdir(parents=True, exist_ok=True)
    settings.warehouse_dir.write_text("", encoding="utf-8")
    found = check_folders(settings)
    assert (found.status, found.sentence) == ("fail", f"{settings.warehouse_dir} is no folder")


def test_a_clock_that_is_behind_is_found() -> None:
    assert check_clock(NOW, NOW - timedelta(days=1)).status == "ok"
    found = check_clock(NOW, NOW + timedelta(days=1))
    assert (found.status, "2026-06-02T12:00" in found.sentence) == ("fail", True)


def test_facts_that_are_new_are_well(then: Pipeline) -> None:
    found = by_name(fact_checks(then))
    assert {check.status for check in found.values()} == {"ok"}
    assert found["freshness"].sentence == f"2026-canada is the last race, {NEXT_RACE} the next"


def test_facts_that_are_missing_are_named(then: Pipeline) -> None:
    late = replace(then, clock=lambda: datetime(2026, 6, 9, tzinfo=UTC))
    found = by_name(fact_checks(late))["freshness"]
    assert found.status == "warn"
    assert found.sentence == f"driven, but without results or official points in data/: {NEXT_RACE}"
    assert found.mend == "`f1-pipeline refresh`"


def test_a_damaged_fact_file_is_named(then: Pipeline, tmp_path: Path) -> None:
    data = copy_facts(tmp_path / "data")
    replace_line(data / "prices.csv", 2, lambda text: text.replace(",6.6,", ",six,"))
    found = by_name(fact_checks(replace(then, settings=replace(then.settings, data_dir=data))))
    assert found["facts"].status == "fail"
    assert found["facts"].sentence.startswith("prices.csv line 2, column price_musd: expected a number")


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        (TEAM, "ok", "the team goes into 2026-monaco and keeps the rules"),
        (TEAM.replace("2026-monaco", "2026-canada"), "warn", "the team goes into 2026-canada, which is over"),
        (TEAM.replace("2026-monaco", "2026-austria"), "warn", "the next race is 2026-monaco"),
        (TEAM.replace("lance-stroll", "nobody"), "fail", "nobody"),
        ("race = ", "fail", "my_team.toml"),
    ],
)
def test_your_team_is_held_against_its_race(
    then: Pipeline, tmp_path: Path, text: str, status: str, sentence: str
) -> None:
    (tmp_path / "my_team.toml").write_text(text, encoding="utf-8")
    found = by_name(fact_checks(replace(then, settings=replace(then.settings, home=tmp_path))))["team"]
    assert found.status == status
    assert sentence in found.sentence


def test_nothing_computed_yet_needs_attention(then: Pipeline) -> None:
    found = by_name(store_checks(then))
    assert set(found) == {"lock", "restore", "warehouse"}
    assert (found["warehouse"].status, found["warehouse"].mend) == ("warn", "`f1-pipeline run`")
    assert not then.settings.warehouse_dir.exists()


def test_a_computed_installation_is_well_and_a_stale_copy_is_found(complete: Pipeline, settings: Settings) -> None:
    shutil.copytree(complete.settings.warehouse_dir, settings.warehouse_dir)
    own = Pipeline(replace(settings, data_dir=complete.settings.data_dir), clock=lambda: NOW)
    shutil.copy(own.settings.warehouse_path, own.settings.published_path)
    found = by_name(store_checks(own))
    assert {name: check.status for name, check in found.items()} == dict.fromkeys(
        ("lock", "restore", "warehouse", "columns", "races", "published", "models"), "ok"
    )
    (artifacts,) = (own.settings.tracking_dir / "artifacts").glob("*")
    assert f"models of {NEXT_RACE}" in found["models"].sentence
    with own.warehouse.write() as connection:
        connection.execute("delete from lineups.optimal_lineup where race_key = $key", {"key": NEXT_RACE})
        connection.execute("alter table marts.race_leaderboard rename column season to year")
    found = by_name(store_checks(own))
    assert found["columns"].sentence == "tables with other columns than their models: marts.race_leaderboard"
    assert found["races"].sentence == f"{NEXT_RACE} has no line-up yet"
    assert "since then others: lineups.optimal_lineup" in found["published"].sentence
    shutil.rmtree(artifacts)
    # MLflow keeps the places of files as they were when the models were made: those of the shared store are still there
    (own.settings.tracking_dir / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"?" * 5000)
    found = by_name(store_checks(own))
    assert found["models"].status == "fail"
    assert "mlflow.db: the file is damaged" in found["models"].sentence


@pytest.fixture
def small(settings: Settings) -> Pipeline:
    """A warehouse of one table, big enough to be damaged in the middle."""
    own = Pipeline(settings)
    with own.warehouse.write() as connection:
        connection.execute("create schema core")
        connection.execute("create table core.race as select n, hash(n) as h from range(500_000) as r(n)")
    return own


@pytest.mark.parametrize("damage", ["cut", "scrambled", "emptied", "text"])
def test_a_damaged_warehouse_is_named(small: Pipeline, damage: str) -> None:
    path = small.settings.warehouse_path
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "cut": content[:middle],
            "scrambled": content[:middle] + b"?" * 4096 + content[middle + 4096 :],
            "emptied": b"",
            "text": b"race_key,season\n" * 1000,
        }[damage]
    )
    found = by_name(store_checks(small))["warehouse"]
    assert found.status == "fail"
    assert str(path) in found.sentence
    assert "rebuild" in found.mend


def test_who_writes_is_told(small: Pipeline) -> None:
    assert lock_holder(small.settings.warehouse_path) is None
    with small.warehouse.write():
        found = by_name(store_checks(small))
        assert found["lock"].status == "ok"
        assert f"process {os.getpid()} (" in found["lock"].sentence
        assert found["warehouse"].status == "warn"
        assert "being written" in found["warehouse"].sentence
        later = replace(small, clock=lambda: datetime.now(UTC) + timedelta(hours=4))
        assert check_lock(later).status == "warn"
        assert check_lock(later).mend == f"if it hangs, end it: kill {os.getpid()}"
    assert check_lock(small).sentence == "nobody writes the warehouse"


def test_sqlite_files_are_read_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert "unable to open" in str(sqlite_fault(path, "runs"))
    assert not path.exists()
    path.write_bytes(b"")
    assert sqlite_fault(path, "runs") == f"{path}: expected a table runs, found none"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table runs (id)")
    assert sqlite_fault(path, "runs") is None
    path.write_bytes(b"no database at all" * 100)
    assert sqlite_fault(path, "runs") == f"{path}: the file is damaged: file is not a database"


def test_dagster_without_runs_is_well(settings: Settings) -> None:
    found = by_name(dagster_checks(settings, NOW))
    assert found["dagster"].sentence == f"{settings.dagster_dir}: no run has been recorded yet"
    assert not settings.dagster_dir.exists()


@dg.op
def fails_when_told(context) -> None:
    if context.run.tags.get("fails"):
        raise dg.Failure("as told")


@dg.job
def told() -> None:
    fails_when_told()


def test_runs_that_fail_or_hang_and_a_daemon_that_is_silent_are_told(settings: Settings) -> None:
    now = datetime.now(UTC)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with open_instance(settings) as instance:
        assert told.execute_in_process(instance=instance, run_config=quiet).success
    found = by_name(dagster_checks(settings, now))
    assert {check.status for check in found.values()} == {"ok"}
    assert "no daemon has ever run" in found["daemon"].sentence
    with open_instance(settings) as instance:
        told.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False, tags={"fails": "yes"})
        instance.add_daemon_heartbeat(
            DaemonHeartbeat(timestamp=now.timestamp(), daemon_type="SENSOR", daemon_id="one", errors=[])
        )
        instance.create_run_for_job(told, status=dg.DagsterRunStatus.STARTED)
    found = by_name(dagster_checks(settings, datetime.now(UTC)))
    assert found["failures"].sentence.startswith("failed, and not done since: told ")
    assert (found["runs"].status, found["daemon"].status) == ("ok", "ok")
    found = by_name(dagster_checks(settings, now + timedelta(hours=5)))
    assert found["runs"].sentence.startswith("started long ago and never ended: told ")
    assert (found["runs"].status, found["daemon"].status) == ("warn", "warn")
    with open_instance(settings) as instance:
        assert told.execute_in_process(instance=instance, run_config=quiet).success
    assert by_name(dagster_checks(settings, datetime.now(UTC)))["failures"].status == "ok"


def test_damaged_records_of_runs_are_named(settings: Settings) -> None:
    with open_instance(settings):
        pass
    path = settings.dagster_dir / "runs" / "runs.db"
    assert path.exists()
    path.write_bytes(b"?" * 10_000)
    (found,) = dagster_checks(settings, NOW)
    assert (found.name, found.status) == ("dagster", "fail")
    assert f"{path}: the file is damaged" in found.sentence


def test_sources_are_asked_when_told_to(settings: Settings, tmp_path: Path) -> None:
    with LocalServer() as server:
        server.serve(f"/feeds{SCHEDULE_PATH}", b"{}")
        asked = replace(settings, f1db=str(tmp_path / "nowhere.zip"), feed=f"{server.url}/feeds")
        found = by_name(online_checks(asked))
    assert found["source feed"].status == "ok"
    assert found["source f1db"].sentence == f"{tmp_path / 'nowhere.zip'}: expected a file, found none"
    found = by_name(online_checks(replace(asked, sources=("feed",))))
    assert found["source feed"].status == "fail"
    assert "no connection" in found["source feed"].sentence


def test_the_worst_check_decides_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, worse = (
        Check("a", "ok", "fine"),
        Check("b", "warn", "odd", "look"),
        Check("c", "fail", "gone", "mend it"),
    )
    assert [EXIT_CODES[worst(found)] for found in ([], [good], [good, bad], [worse, bad])] == [0, 0, 3, 4]
    print_checks([good, bad, worse], "table")
    shown = capsys.readouterr().out
    assert "→ mend it" in shown
    assert "1 of 3 checks failed, 1 more need attention." in shown


def test_the_command_answers_in_every_form(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(settings.warehouse_dir))
    answer = CliRunner().invoke(main, ["doctor", "--format", "json"])
    assert answer.exit_code == 3, answer.output  # nothing has been computed yet
    found = json.loads(answer.stdout)
    assert all(set(check) == {"name", "status", "sentence", "mend"} for check in found)
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(main, ["doctor", "--format", "csv"]).stdout)))
    assert [row["name"] for row in rows] == [check["name"] for check in found]
    assert "checks need attention" in CliRunner().invoke(main, ["doctor"]).stdout
