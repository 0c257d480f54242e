"""The whole graph on a cluster in trouble: a worker killed, the database restarted, and the rows of one machine.

Belongs here: every race of the game, minutes. Neighbour: `cluster/test_small_cluster.py` runs two races.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from f1_pipeline.cluster.cluster import Cluster, running_cluster
from f1_pipeline.cluster.postgres import free_port, why_no_postgres
from f1_pipeline_tests.cluster_runs import (
    assert_same_rows,
    database_server,
    lake_of,
    open_folder,
    processes_of,
    run_on_one_machine,
)
from f1_pipeline_tests.dask_cluster import wait_until
from f1_pipeline_tests.lakes import require_lakes
from f1_pipeline_tests.support import DATA, make_settings, short_facts

pytestmark = pytest.mark.faults
STARTED = "select count(*) from event_logs where dagster_event_type = 'STEP_START' and step_key = '{step}'"
PATIENCE_S = 1800.0


def test_the_whole_graph_in_trouble_gives_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    if reason := why_no_postgres():
        pytest.skip(reason)
    require_lakes()
    monkeypatch.setenv("F1_SOURCES", "none")
    # a part of the faults: the races since 2025
    is_whole = pytestconfig.getoption("fault_scale") >= 1
    own = make_settings(tmp_path / "own", DATA if is_whole else short_facts(tmp_path / "data"))
    with open_folder() as folder:
        with running_cluster(own, folder) as cluster:
            troubles: list[str] = []
            trouble = threading.Thread(target=make_trouble, args=(cluster, troubles))
            trouble.start()
            assert cluster.run("run", "--quiet") == 0
            trouble.join()
        assert troubles == ["killed worker-2", "restarted the database", "restarted the database"]
        assert processes_of(folder) == []
        run_on_one_machine(own)
        with database_server(folder, free_port()) as server:
            monkeypatch.setenv("PGPASSWORD", server.password)
            assert assert_same_rows(own.warehouse_path, lake_of(folder, server)) > 100_000


def make_trouble(cluster: Cluster, done: list[str]) -> None:
    """Kill a worker while models are trained; restart the database then, and while races are looked ahead."""
    await_step(cluster, "models__points_model")
    os.killpg(cluster.running["worker-2"].process.pid, signal.SIGKILL)
    done.append("killed worker-2")
    for step in ("models__points_model", "predictions__later_race_points"):
        await_step(cluster, step)
        cluster.at.server.restart()
        done.append("restarted the database")


def await_step(cluster: Cluster, step: str) -> None:
    events = cluster.at.database("dagster")
    wait_until(lambda: events.ask(STARTED.format(step=step)) != [["0"]], f"{step} to start", patience_s=PATIENCE_S)
