"""`dagster dev` as a user starts it: no warning of ours, and a partition launched through the UI's own API succeeds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from playwright.sync_api import Browser, expect

from f1_pipeline.defs.assets import FACTS, asset_key
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.instance_home import write_instance_home
from f1_pipeline.defs.pages import RACE_PAGE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline_tests.browser import watched_page
from f1_pipeline_tests.support import NEXT_RACE, REPO, finished_keys, make_settings

START_S, RUN_S, POLL_S = 120, 240, 0.5
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on PipelineNotFoundError { message }
  }
}
"""
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
  locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _heeded(number: signal.Signals) -> Iterator[None]:
    """Let processes started here heed a signal: a shell starts what runs in the background with interrupts ignored."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


class DagsterDev:
    """A running `dagster dev`."""

    def __init__(self, pipeline: Pipeline, home: Path) -> None:
        self.port, self.log_path = _free_port(), home / "dagster-dev.log"
        environ = os.environ | {
            "DAGSTER_HOME": str(home),
            "F1_DATA_DIR": str(pipeline.settings.data_dir),
            "F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir),
            "F1_SOURCES": "none",  # the daemon would ask the real ones for the races driven since
            "PYTHONWARNINGS": "default",
        }
        command = [str(Path(sys.executable).parent / "dagster"), "dev", "-w", "workspace.yaml"]
        with self.log_path.open("wb") as log, _heeded(signal.SIGINT):
            self._process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", "-p", str(self.port)],
                cwd=REPO,
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def ask(self, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def wait_until_loaded(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log
            try:
                (entry,) = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
            except (urllib.error.URLError, ConnectionError):
                time.sleep(POLL_S)
                continue
            if entry["loadStatus"] == "LOADED":
                assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation", entry
                return
            time.sleep(POLL_S)
        raise AssertionError(f"dagster dev did not load within {START_S} s:\n{self.log}")

    def run(self, job_name: str, race_key: str) -> str:
        params = {
            "selector": {
                "repositoryLocationName": "f1_pipeline",
                "repositoryName": "__repository__",
                "pipelineName": job_name,
            },
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": race_key}]},
        }
        launched = self.ask(LAUNCH, {"params": params})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run_id = launched["run"]["runId"]
        deadline = time.monotonic() + RUN_S
        while time.monotonic() < deadline:
            status = self.ask(STATUS, {"id": run_id})["runOrError"]["status"]
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(POLL_S)
        raise AssertionError(f"the run did not end within {RUN_S} s:\n{self.log}")

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


@pytest.fixture(scope="module")
def computed(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A copy of the computed warehouse, its races recorded as done, so that the sensor finds nothing to do."""
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("dev"), complete.settings.data_dir))
    shutil.copy(complete.settings.warehouse_path, pipeline.settings.warehouse_path)
    with open_instance(pipeline.settings) as instance:
        for race_key in finished_keys(pipeline):
            facts = {FACTS: pipeline.fact_digests.races[race_key]}
            for event in (
                dg.AssetMaterialization(asset_key(REVIEW_TABLE), partition=race_key, metadata=facts),
                dg.AssetMaterialization(RACE_PAGE, partition=race_key),
            ):
                instance.report_runless_asset_event(event)
    return pipeline


@pytest.fixture(scope="module")
def dagster_dev(computed: Pipeline) -> Iterator[DagsterDev]:
    server = DagsterDev(computed, write_instance_home(computed.settings))
    try:
        server.wait_until_loaded()
        yield server
    finally:
        server.stop()


def test_a_partition_launched_through_the_api_succeeds(dagster_dev: DagsterDev, computed: Pipeline) -> None:
    assert dagster_dev.run("next_lineup", NEXT_RACE) == "SUCCESS", dagster_dev.log
    with computed.warehouse.read() as connection:
        rows = connection.execute(
            "select rank, count(*) as assets, sum(is_boosted::int) as boosts, sum(price_musd) <= 100 as is_affordable"
            " from lineups.optimal_lineup where race_key = $race_key group by rank order by rank",
            {"race_key": NEXT_RACE},
        ).fetchall()
    assert rows == [(rank, 7, 1, True) for rank in range(1, 11)]


def test_a_race_without_results_fails_with_one_clear_message(dagster_dev: DagsterDev, computed: Pipeline) -> None:
    before = computed.settings.warehouse_path.stat().st_size
    assert dagster_dev.run("finished_race", NEXT_RACE) == "FAILURE"
    assert before > 0
    with computed.warehouse.read() as connection:
        found = connection.execute(
            "select count(*) from raw.event_scores where race_key = $race_key", {"race_key": NEXT_RACE}
        ).fetchall()
    assert found == [(0,)]


def test_the_ui_shows_the_graph_and_a_partition_launched_from_it_succeeds(
    dagster_dev: DagsterDev, computed: Pipeline, browser: Browser
) -> None:
    url, key, race_key = f"http://127.0.0.1:{dagster_dev.port}", asset_key("marts.price_step"), "2026-canada"
    with watched_page(browser, width=1500) as watched:
        page = watched.page
        page.goto(f"{url}/asset-groups", wait_until="domcontentloaded")
        for group in ("raw", "staging", "core", "features", "models", "predictions", "lineups", "published"):
            expect(page.get_by_text(group, exact=True).first).to_be_visible(timeout=60_000)
        page.goto(f"{url}/assets/{'/'.join(key.path)}?view=partitions&partition={race_key}")
        page.get_by_role("button", name="Materialize…").click(timeout=60_000)
        # the test has recorded little of what is upstream, and the UI asks whether to go on without
        page.get_by_role("button", name="Confirm").click(timeout=60_000)
        expect(page.get_by_text("1 partition", exact=True)).to_be_visible(timeout=60_000)
        page.get_by_role("button", name=re.compile("^Launch 1 run")).click()
        # the page stays open meanwhile: one that closes takes the request along that it has just made
        _wait_for_materialization(computed, key, race_key, dagster_dev)


def _wait_for_materialization(pipeline: Pipeline, key: dg.AssetKey, race_key: str, dagster_dev: DagsterDev) -> None:
    deadline = time.monotonic() + RUN_S
    with open_instance(pipeline.settings) as instance:
        while not instance.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, {race_key}
        ):
            assert time.monotonic() < deadline, dagster_dev.log
            time.sleep(POLL_S)


def test_nothing_in_the_log_is_a_warning_of_ours(dagster_dev: DagsterDev) -> None:
    ours = [line for line in dagster_dev.log.splitlines() if re.search(r"f1_pipeline/.*Warning", line)]
    assert ours == []
