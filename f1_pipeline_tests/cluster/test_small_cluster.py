"""Two races on PostgreSQL, MLflow, Dask, Dagster and DuckLake by the command: the rows that one machine computes.

A small version of `faults/test_cluster.py`, for every change.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from f1_pipeline.cluster.cluster import running_cluster
from f1_pipeline.cluster.postgres import HOST, free_port, why_no_postgres
from f1_pipeline.cluster.processes import MARK, end_left_over, launch
from f1_pipeline.cluster.services import dask_services
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import environment
from f1_pipeline_tests.cluster_runs import (
    assert_same_rows,
    command,
    database_server,
    lake_of,
    open_folder,
    processes_of,
    run_on_one_machine,
    told,
)
from f1_pipeline_tests.dask_cluster import require_dask
from f1_pipeline_tests.lakes import require_lakes
from f1_pipeline_tests.support import make_settings, short_facts

SERVICES = ("postgres", "mlflow", "scheduler", "worker-1", "worker-2", "webserver", "daemon")
LAST_RACE = "2025-china"
RACES = 2


def test_the_command_starts_runs_and_ends_everything_and_computes_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_no_postgres():
        pytest.skip(reason)
    require_lakes()
    own = make_settings(tmp_path / "own", short_facts(tmp_path / "data", end=LAST_RACE))
    with open_folder() as folder:
        words = ("cluster", "--stop-after-run", "--folder", str(folder))
        done = subprocess.run(command(*words), env=told(own), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert [name for name in SERVICES if f"{name} is up, its log {folder / name / 'log'}" not in done.stderr] == []
        assert (folder / "postgres.password").read_text(encoding="ascii") not in done.stdout + done.stderr
        assert processes_of(folder) == []
        assert not own.warehouse_dir.exists()
        run_on_one_machine(own)
        with database_server(folder, free_port()) as server:
            monkeypatch.setenv("PGPASSWORD", server.password)
            assert assert_same_rows(own.warehouse_path, lake_of(folder, server)) > 10_000
            assert server.database("dagster").ask("select distinct status from runs") == [["SUCCESS"]]
            assert server.database("mlflow").ask("select count(*) from model_versions") == [[str(4 * RACES)]]


def test_dask_listens_on_this_computer_only(tmp_path: Path) -> None:
    require_dask()
    with ExitStack() as stack:
        for service in dask_services(tmp_path, free_port(), 1):
            running = launch(service, tmp_path)
            stack.callback(running.stop)
            running.wait()
        sockets = [each for process in processes_of(tmp_path) for each in process.net_connections("inet")]
        listening = [each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN]
        assert len(listening) >= 4  # each for messages and for health, at least
        assert set(listening) == {HOST}


def test_what_a_killed_cluster_left_behind_is_ended(tmp_path: Path) -> None:
    env = environment(**{MARK: str(tmp_path)})
    with subprocess.Popen(["sleep", "600"], env=env, start_new_session=True) as left:
        other = processes_of(tmp_path)
        assert [process.pid for process in other] == [left.pid]
        assert end_left_over(tmp_path) == [f"{left.pid} sleep"]
    assert processes_of(tmp_path) == []
    assert end_left_over(tmp_path) == []


def test_two_clusters_do_not_share_a_folder(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from f1_pipeline.cluster.cluster import alone\n"
        "with alone(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment()
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        found = rf"expected no cluster there, found the one of process {holder.pid}"
        with pytest.raises(UsageError, match=found), running_cluster(make_settings(tmp_path), tmp_path):
            pass
        holder.kill()
