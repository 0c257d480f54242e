"""`f1-pipeline open`: each window looks at the installation that F1_WAREHOUSE_DIR names, and says so when it cannot."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.instance_home import write_instance_home
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import Settings
from f1_pipeline.warehouse.local_ui import has_local_ui
from f1_pipeline_tests.support import REPO

SERVES = """
import sys
from f1_pipeline.report.servers import run_server
from f1_pipeline.settings import environment
from pathlib import Path
port = int(sys.argv[1])
run_server([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], Path.cwd(), environment(), port,
           opens_browser=False)
"""
TYPED = "from f1_pipeline.cli import main; main()"
RUNS = """
{ runsOrError { ... on Runs { results { jobName status } } }
  workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }
"""
UI_ANSWERS_WITHIN_S = 180
Open = Callable[..., Result]


@dg.op
def nothing() -> None:
    pass


@dg.job
def recorded() -> None:
    nothing()


@pytest.fixture
def opened(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(settings.warehouse_dir))
    return lambda *words: CliRunner().invoke(main, ["open", *words, "--no-browser"])


def refused(result: Result) -> str:
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def test_dagster_is_told_where_the_records_of_this_installation_are(settings: Settings) -> None:
    home = write_instance_home(settings)
    written = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    folders = {section["config"]["base_dir"] for section in written.values() if "base_dir" in section.get("config", {})}
    assert len(folders) == 5
    assert all(Path(folder).parent == settings.dagster_dir for folder in folders)
    with open_instance(settings) as instance:
        assert instance.storage_directory() == written["local_artifact_storage"]["config"]["base_dir"] + "/storage"
    assert write_instance_home(settings) == home
    usual = replace(settings, warehouse_dir=settings.home / "data" / "warehouse")
    assert write_instance_home(usual) == settings.home
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]


def test_a_home_that_cannot_be_written_is_named(settings: Settings) -> None:
    settings.dagster_dir.mkdir(parents=True)
    (settings.dagster_dir / "home").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"home/dagster\.yaml: expected a place to write to"):
        write_instance_home(settings)


def test_the_newest_page_is_opened(opened: Open, settings: Settings) -> None:
    assert "expected a page, found none; `f1-pipeline report` writes it" in refused(opened("page"))
    settings.reports_dir.mkdir(parents=True)
    for at, name in enumerate(("2026-monaco.html", "index.html", "2025-monaco.html")):
        (settings.reports_dir / name).touch()
        os.utime(settings.reports_dir / name, (at, at))
    result = opened("page")
    assert (result.exit_code, result.stdout) == (0, f"{settings.reports_dir / '2025-monaco.html'}\n")


def test_stores_that_are_not_there_are_named(opened: Open, settings: Settings) -> None:
    assert f"{settings.tracking_dir / 'mlflow.db'}: expected the store of models, found none" in refused(
        opened("mlflow")
    )
    assert f"{settings.warehouse_path}: expected a warehouse, found none" in refused(opened("warehouse"))


@pytest.mark.skipif(has_local_ui(), reason="DuckDB's UI is installed here and would start")
def test_without_its_ui_the_warehouse_is_opened_by_duckdb_itself(
    opened: Open, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.warehouse_dir.mkdir()
    settings.warehouse_path.touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    message = refused(opened("warehouse"))
    assert "DuckDB's UI is not installed, which takes a network once" in message
    assert "`f1-pipeline query` has a prompt that needs neither" in message
    (programs / "duckdb").write_text(
        f"#!{shutil.which('sh', path='/bin:/usr/bin')}\necho $@ > {tmp_path}/said\nexit 5\n"
    )
    (programs / "duckdb").chmod(0o755)
    settings.published_path.touch()
    assert opened("warehouse").exit_code == 5
    assert (tmp_path / "said").read_text(encoding="utf-8") == f"-readonly {settings.published_path}\n"


def test_ports_are_for_servers_and_must_be_free(opened: Open) -> None:
    assert "--port: expected with ui or mlflow, found with page" in refused(opened("page", "--port", "3000"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"--port: expected a free port, found that {port} is taken" in refused(opened("ui", "--port", str(port)))


def test_a_server_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # a shell starts what runs in the background with interrupts ignored, and so may whoever runs the tests
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVES, str(port)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(REPO)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == f"http://127.0.0.1:{port} (Ctrl-C ends it)\n"
            deadline = time.monotonic() + 30
            while not answers(port):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(timeout=30) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    assert not answers(port)


@pytest.mark.faults
def test_the_dagster_ui_shows_the_runs_of_this_installation(settings: Settings, tmp_path: Path) -> None:
    with open_instance(settings) as instance:
        instance.create_run_for_job(recorded, status=dg.DagsterRunStatus.SUCCESS)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", TYPED, "open", "ui", "--no-browser", "--port", str(port)],
                cwd=REPO,
                env=os.environ | {"F1_WAREHOUSE_DIR": str(settings.warehouse_dir), "F1_SOURCES": "none"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        shown = _asked(port, process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=UI_ANSWERS_WITHIN_S) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    # the daemon may have started one of its own meanwhile
    assert {"jobName": "recorded", "status": "SUCCESS"} in shown, (tmp_path / "log").read_text(errors="replace")


def _asked(port: int, process: subprocess.Popen[bytes]) -> list[dict[str, str]]:
    """Ask the UI for its runs as soon as it has loaded the project."""
    deadline = time.monotonic() + UI_ANSWERS_WITHIN_S
    question = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", json.dumps({"query": RUNS}).encode(), question)
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)["data"]
            if {entry["loadStatus"] for entry in answer["workspaceOrError"]["locationEntries"]} == {"LOADED"}:
                return answer["runsOrError"]["results"]
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.5)
    return []


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
