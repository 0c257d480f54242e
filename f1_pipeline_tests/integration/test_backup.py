"""Backing up and restoring: a round trip, what is refused, and that a failure changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster import build_init_resource_context

from f1_pipeline.cli import main
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.runs import Runner
from f1_pipeline.errors import DataError, UsageError, WarehouseError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.publish import publishing
from f1_pipeline.steps.backup import MANIFEST, back_up
from f1_pipeline.steps.doctor import looked
from f1_pipeline.steps.doctor_stores import check_restore
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.restore import COMPLETE, complete_interrupted, read_manifest, restore
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.faults.fuzzing import fuzz
from f1_pipeline_tests.faults.mutations import any_bytes
from f1_pipeline_tests.faults.small_facts import small_facts
from f1_pipeline_tests.installation import dies, small_installation, state


def quiet(text: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def facts_of_two_races(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_facts(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def installation(facts_of_two_races: Path, tmp_path: Path) -> Settings:
    return small_installation(tmp_path / "home", "first", facts=facts_of_two_races)


@pytest.fixture
def archive(installation: Settings, tmp_path: Path) -> Path:
    return back_up(installation, tmp_path / "backups" / "f1.zip", quiet).path


def repacked(path: Path, change: Callable[[zipfile.ZipFile, dict[str, bytes]], None]) -> Path:
    """Write an archive again with its members changed by name, or others added by hand."""
    with zipfile.ZipFile(path) as source:
        members = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        change(target, members)
        for name, content in members.items():
            target.writestr(name, content)
    return path


def test_what_was_backed_up_comes_back(installation: Settings, archive: Path) -> None:
    before = state(installation)
    small_installation(installation.home, "second", rows=5)
    (installation.tracking_dir / "artifacts" / "later.bin").write_bytes(b"later")
    (installation.data_dir / "prices.csv").unlink()
    assert state(installation) != before
    restored = restore(installation, archive, quiet)
    assert state(installation) == before
    assert restored.file_count == len(before)
    assert [path.name for path in installation.home.rglob(".*")] == []
    assert restore(installation, archive, quiet).file_count == len(before)
    assert state(installation) == before


def test_a_backup_leaves_nothing_but_itself(installation: Settings, archive: Path) -> None:
    assert [path.name for path in archive.parent.iterdir()] == ["f1.zip"]
    assert [path.name for path in installation.home.rglob(".*")] == []


def test_a_backup_comes_back_on_an_empty_place_and_models_are_found_there(
    installation: Settings, archive: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    settings = Settings(other, other / "data", other / "warehouse", lock_wait_s=0.2)
    settings.data_dir.mkdir(parents=True)
    restore(settings, archive, quiet)
    with closing(sqlite3.connect(settings.tracking_dir / "mlflow.db")) as connection:
        ((place,),) = connection.execute("select place from note").fetchall()
    assert place == f"{(settings.tracking_dir / 'artifacts' / 'model').as_uri()}/first"
    with Warehouse(settings.warehouse_path).read() as connection:
        assert connection.execute("select count(*) from core.number").fetchall() == [(1000,)]


def test_what_a_log_still_holds_is_backed_up(installation: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(installation.dagster_dir / "runs" / "runs.db")) as connection:
        connection.execute("insert into note values (2, 'in the log')")
        connection.commit()
        path = back_up(installation, tmp_path / "f1.zip", quiet).path
    (tmp_path / "out").mkdir()
    with zipfile.ZipFile(path) as packed:
        copied = packed.extract("warehouse/dagster/runs/runs.db", tmp_path / "out")
    with closing(sqlite3.connect(copied)) as connection:
        assert connection.execute("select place from note where key = 2").fetchall() == [("in the log",)]


def test_a_run_that_goes_on_is_waited_for_then_named(installation: Settings, tmp_path: Path) -> None:
    with (
        Warehouse(installation.warehouse_path).write(),
        pytest.raises(WarehouseError, match=r"f1\.duckdb: being written by process \d+"),
    ):
        back_up(installation, tmp_path / "f1.zip", quiet)
    assert not (tmp_path / "f1.zip").exists()


def test_a_refresh_that_goes_on_is_waited_for_then_named(installation: Settings, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool, ExitStack() as refreshing:
        refreshing.enter_context(publishing(installation.data_dir, quiet))
        with pytest.raises(UsageError, match="another refresh or import is writing the facts"):
            back_up(installation, tmp_path / "f1.zip", quiet)
        patient = pool.submit(back_up, replace(installation, lock_wait_s=60), tmp_path / "f1.zip", quiet)
        with pytest.raises(TimeoutError):
            patient.result(0.3)
        refreshing.close()
        assert patient.result().path.exists()


def test_a_warehouse_of_another_installation_below_the_facts_is_left_alone(
    installation: Settings, tmp_path: Path
) -> None:
    other = replace(installation, warehouse_dir=tmp_path / "elsewhere")
    shutil.copytree(installation.warehouse_dir, other.warehouse_dir)
    archive = back_up(other, tmp_path / "f1.zip", quiet).path
    assert not [name for name in read_manifest(archive).files if name.startswith("data/warehouse")]
    (installation.warehouse_dir / "f1.duckdb").write_bytes(b"live")
    restore(other, archive, quiet)
    assert (installation.warehouse_dir / "f1.duckdb").read_bytes() == b"live"


def test_what_a_command_makes_again_is_not_packed_and_stays(installation: Settings, tmp_path: Path) -> None:
    page = installation.warehouse_dir / "export" / "core" / "number.csv"
    page.parent.mkdir(parents=True)
    page.write_text("1", encoding="utf-8")
    installation.query_history_path.write_text("select 1", encoding="utf-8")
    archive = back_up(installation, tmp_path / "f1.zip", quiet).path
    assert not [name for name in read_manifest(archive).files if "export" in name or "query" in name]
    restore(installation, archive, quiet)
    assert page.exists()
    assert installation.query_history_path.exists()


def test_what_a_link_leads_to_is_packed_and_a_link_further_down_is_named(
    installation: Settings, tmp_path: Path
) -> None:
    installation.received_dir.rename(tmp_path / "disk")
    installation.received_dir.symlink_to("../../disk")
    installation.team_path.rename(tmp_path / "dotfile")
    installation.team_path.symlink_to(tmp_path / "dotfile")
    archive = back_up(installation, tmp_path / "f1.zip", quiet).path
    assert {"data/received/feed/payload.gz", "team/my_team.toml"} <= set(read_manifest(archive).files)
    restore(installation, archive, quiet)
    assert not installation.team_path.is_symlink()
    assert (tmp_path / "disk" / "feed" / "payload.gz").exists()
    (installation.received_dir / "more").symlink_to(tmp_path / "disk")
    with pytest.raises(WarehouseError, match=r"received/more: expected a file or folder, found a link"):
        back_up(installation, archive, quiet)
    (installation.received_dir / "more").unlink()
    installation.team_path.unlink()
    installation.team_path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(WarehouseError, match=r"the back-up cannot be written: No such file .*nowhere"):
        back_up(installation, archive, quiet)


def test_an_archive_inside_what_it_backs_up_is_refused(installation: Settings) -> None:
    with pytest.raises(UsageError, match="expected a place outside"):
        back_up(installation, installation.data_dir / "f1.zip", quiet)


def test_a_damaged_database_is_named_and_no_archive_is_made(installation: Settings, tmp_path: Path) -> None:
    path = installation.tracking_dir / "mlflow.db"
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(WarehouseError, match=r"mlflow\.db: the database "):
        back_up(installation, tmp_path / "f1.zip", quiet)
    assert not (tmp_path / "f1.zip").exists()


def outside(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    target.writestr("../outside.txt", "x")


def absolute(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    target.writestr("/tmp/outside.txt", "x")


def link(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    name = next(name for name in members if name.endswith("prices.csv"))
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    del members[name]
    target.writestr(info, "/etc/passwd")


def unlisted(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    target.writestr("data/more.csv", "x")


def lacking(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    del members["data/prices.csv"]


def altered(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    members["data/prices.csv"] = members["data/prices.csv"].replace(b"2", b"3")


def with_manifest(**values: object) -> Callable[[zipfile.ZipFile, dict[str, bytes]], None]:
    def change(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        members[MANIFEST] = json.dumps(json.loads(members[MANIFEST]) | values).encode()

    return change


def hidden(target: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    """List a file that belongs to no part of an installation."""
    manifest = json.loads(members[MANIFEST])
    manifest["files"]["team/.bashrc"] = manifest["files"].pop("data/prices.csv")
    members[MANIFEST] = json.dumps(manifest).encode()
    members["team/.bashrc"] = members.pop("data/prices.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (outside, r"expected plain files below its own folders, found '\.\./outside\.txt'"),
        (absolute, r"expected plain files below its own folders, found '/tmp/outside\.txt'"),
        (link, r"expected plain files below its own folders, found 'data/prices\.csv'"),
        (unlisted, r"expected the files that manifest\.json lists, found otherwise: 'data/more\.csv'"),
        (lacking, r"expected the files that manifest\.json lists, found otherwise: 'data/prices\.csv'"),
        (altered, r"data/prices\.csv is not what manifest\.json says: the back-up is damaged"),
        (hidden, r"expected files of data, warehouse, team, found 'team/\.bashrc'"),
        (with_manifest(version="1.0.0"), r"expected a back-up of version \d+\.\d+, found 1\.0\.0"),
        (with_manifest(format=2), "expected a back-up of format 1"),
        (with_manifest(files={"a": 1}), "expected a back-up, found another manifest"),
        (with_manifest(made_at=None), "expected a back-up of format 1"),
    ],
)
def test_an_archive_that_is_no_backup_changes_nothing(
    installation: Settings,
    archive: Path,
    change: Callable[[zipfile.ZipFile, dict[str, bytes]], None],
    message: str,
) -> None:
    before = state(installation)
    with pytest.raises(DataError, match=message):
        restore(installation, repacked(archive, change), quiet)
    assert state(installation) == before
    assert [path.name for path in installation.home.rglob(".*")] == []
    assert not (installation.home.parent / "outside.txt").exists()


def test_spoilt_archives_are_read_or_refused(archive: Path, tmp_path: Path) -> None:
    content, path = archive.read_bytes(), tmp_path / "spoilt.zip"

    def read(payload: bytes) -> None:
        path.write_bytes(payload)
        read_manifest(path)

    assert fuzz("back-up", lambda random: any_bytes(random, content), read, 100).refused


@pytest.mark.parametrize("renames", [1, 3, 20])
def test_a_disk_that_fails_while_files_change_places_takes_every_step_back(
    installation: Settings, archive: Path, renames: int
) -> None:
    small_installation(installation.home, "second", rows=5)
    before = state(installation)

    def work() -> None:
        with pytest.raises(WarehouseError, match="cannot be restored: No space left on device"):
            restore(installation, archive, quiet)

    assert not dies(work, fails_after=renames)
    assert state(installation) == before
    assert [path.name for path in installation.home.rglob(".*")] == []


def test_an_interrupted_restore_is_named_and_completed_whatever_was_made_since(
    installation: Settings, archive: Path
) -> None:
    wanted = state(installation)
    small_installation(installation.home, "second", rows=5)
    staged = installation.warehouse_dir / ".restoring" / "mlflow"

    def half_done() -> bool:
        return staged.exists() and not installation.tracking_dir.exists()

    def killed_half_way() -> None:
        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if event == "os.rename" and half_done():
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        restore(installation, archive, quiet)

    assert dies(killed_half_way)
    assert half_done()
    # what a daemon does meanwhile
    installation.tracking_dir.mkdir()
    (installation.tracking_dir / "mlflow.db").write_bytes(b"of the daemon")
    with pytest.raises(WarehouseError, match=r"a restore was interrupted; `f1-pipeline restore` completes it"):
        Runner(installation)
    with pytest.raises(WarehouseError, match="a restore was interrupted"):
        PipelineResource.from_settings(installation).setup_for_execution(build_init_resource_context())
    assert looked("restore", lambda: check_restore(Pipeline(installation)), COMPLETE).status == "fail"
    complete_interrupted(installation, quiet)
    (kept,) = installation.warehouse_dir.glob("mlflow.damaged-*")
    assert (kept / "mlflow.db").read_bytes() == b"of the daemon"
    shutil.rmtree(kept)
    assert state(installation) == wanted
    assert looked("restore", lambda: check_restore(Pipeline(installation)), COMPLETE).status == "ok"


def test_the_commands_ask_and_answer(
    installation: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("F1_PIPELINE_HOME", str(installation.home))
    monkeypatch.delenv("F1_DATA_DIR", raising=False)
    monkeypatch.delenv("F1_WAREHOUSE_DIR", raising=False)
    (installation.home / "dbt_like_sql").mkdir()
    made = CliRunner().invoke(main, ["backup", "--out", str(tmp_path / "again.zip"), "--quiet", "--format", "json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)[0]["path"] == str(tmp_path / "again.zip")
    before = state(installation)
    small_installation(installation.home, "second", rows=5)
    changed = state(installation)
    refused = CliRunner().invoke(main, ["restore", str(archive)], input="n\n")
    assert refused.exit_code == 130
    assert state(installation) == changed
    done = CliRunner().invoke(main, ["restore", str(archive), "--yes"])
    assert done.exit_code == 0, done.output
    assert state(installation) == before
