"""Work that is spread over real Dask workers: equal results, bounded memory, dead workers, clear refusals."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from f1_pipeline.errors import RuleError, ServiceError
from f1_pipeline.settings import Settings
from f1_pipeline.steps.spread import spread
from f1_pipeline_tests import spread_work
from f1_pipeline_tests.dask_cluster import DaskCluster, dask_cluster, require_dask
from f1_pipeline_tests.support import REPO, make_settings


@pytest.fixture
def dask_workers() -> ModuleType:
    require_dask()
    return import_module("f1_pipeline.steps.dask_workers")


@pytest.fixture
def clustered(cluster: DaskCluster, tmp_path: Path) -> Settings:
    return replace(make_settings(tmp_path), dask=cluster.address)


def test_parts_are_done_by_all_workers_with_equal_results_in_order(clustered: Settings) -> None:
    random = np.random.default_rng(5)
    parts = [pd.DataFrame({"value": random.normal(size=1000)}) for _ in range(20)]
    weights = random.normal(size=1000)
    here = [value for _, value in spread(replace(clustered, dask=""), spread_work.scaled_sum, parts, weights)]
    there = list(spread(clustered, spread_work.scaled_sum, parts, weights))
    assert [value for _, value in there] == here
    assert len({process for process, _ in there}) == 2


def test_parts_are_taken_only_as_results_are(dask_workers: ModuleType, clustered: Settings) -> None:
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(1000):
            taken.append(part)
            yield part

    results = spread(clustered, spread_work.slow, parts(), 0.0)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= 3 + 2 * dask_workers.PARTS_PER_THREAD


def test_linear_algebra_has_one_thread_on_workers(clustered: Settings) -> None:
    assert set().union(*spread(clustered, spread_work.thread_count, range(4))) == {1}


def test_errors_of_parts_arrive_as_they_are(clustered: Settings) -> None:
    results = spread(clustered, spread_work.refused, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RuleError, match="part 2: expected an even season"):
        next(results)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "no such file"), TimeoutError("too slow"), ImportError("torch")]
)
def test_errors_of_parts_are_not_taken_for_those_of_the_cluster(clustered: Settings, error: Exception) -> None:
    with pytest.raises(type(error)) as found:
        list(spread(clustered, spread_work.failing, [0], error))
    assert found.value.args == error.args


def test_a_part_whose_worker_dies_is_done_by_another(tmp_path: Path) -> None:
    with dask_cluster(tmp_path) as cluster:
        settings = replace(make_settings(tmp_path), dask=cluster.address)
        results = list(spread(settings, spread_work.once_fatal, range(8), str(tmp_path)))
        assert results == [0, 10, 20, 30, 40, 50, 60, 70]
        assert sorted(worker.poll() is None for worker in cluster.workers) == [False, True]


def test_a_part_that_ends_every_worker_is_given_up(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, worker_count=4) as cluster:
        settings = replace(make_settings(tmp_path), dask=cluster.address)
        with pytest.raises(ServiceError, match="a part ended 4 workers"):
            list(spread(settings, spread_work.always_fatal, [0]))


def test_a_cluster_without_workers_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask_workers: ModuleType
) -> None:
    monkeypatch.setattr(dask_workers, "WORKER_S", 1.0)
    with dask_cluster(tmp_path, worker_count=0) as cluster:
        settings = replace(make_settings(tmp_path), dask=cluster.address)
        with pytest.raises(ServiceError, match=r"expected workers at the scheduler tcp://127\.0\.0\.1"):
            list(spread(settings, spread_work.slow, [0], 0.0))
        cluster.add_worker()
        results = spread(settings, spread_work.slow, range(2), 0.0)
        monkeypatch.setattr(dask_workers, "WORKER_S", 30.0)
        assert next(results) == 0
        monkeypatch.setattr(dask_workers, "WORKER_S", 1.0)
        results = spread(settings, spread_work.slow, range(20), 0.5)
        assert next(results) == 0
        cluster.workers[0].kill()
        with pytest.raises(ServiceError, match="expected workers at the scheduler"):
            list(results)


def test_a_cluster_whose_only_worker_is_started_anew_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask_workers: ModuleType
) -> None:
    with dask_cluster(tmp_path, worker_count=1) as cluster:
        settings = replace(make_settings(tmp_path), dask=cluster.address)
        results = spread(settings, spread_work.slow, range(8), 0.2)
        assert next(results) == 0
        waits: list[float] = []

        def start_another(client: Any, address: str, patience_s: float) -> None:
            waits.append(patience_s)
            cluster.add_worker()
            await_worker(client, address, 30.0)

        await_worker = dask_workers._await_worker
        monkeypatch.setattr(dask_workers, "WORKER_S", 1.0)
        monkeypatch.setattr(dask_workers, "_await_worker", start_another)
        cluster.workers[0].kill()
        assert list(results) == [1, 2, 3, 4, 5, 6, 7]
        assert waits == [1.0]


def test_a_scheduler_that_goes_away_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask_workers: ModuleType
) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_S", 2.0)
    with dask_cluster(tmp_path, worker_count=1) as cluster:
        settings = replace(make_settings(tmp_path), dask=cluster.address)

        def parts() -> Iterator[int]:
            yield from range(4)
            cluster.scheduler.kill()  # between a result and the next part
            cluster.scheduler.wait()
            yield from range(4, 100)

        with pytest.raises(ServiceError, match=f"the scheduler {cluster.address} went away before all parts were done"):
            list(spread(settings, spread_work.slow, parts(), 0.0))


def test_a_scheduler_out_of_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dask_workers: ModuleType
) -> None:
    monkeypatch.setattr(dask_workers, "CONNECT_S", 0.5)
    settings = replace(make_settings(tmp_path), dask="tcp://127.0.0.1:9")
    with pytest.raises(ServiceError, match=r"expected a Dask scheduler at tcp://127\.0\.0\.1:9"):
        list(spread(settings, spread_work.slow, [0], 0.0))


def test_workers_of_other_versions_are_refused(
    clustered: Settings, monkeypatch: pytest.MonkeyPatch, dask_workers: ModuleType
) -> None:
    other = dask_workers.versions() | {"numpy": "1.0", "f1_pipeline": "0.1.0 (0123456789ab)"}
    monkeypatch.setattr(dask_workers, "versions", lambda: other)
    with pytest.raises(ServiceError, match=r"at the worker tcp://\S+, found f1_pipeline .+ instead of 0\.1\.0"):
        list(spread(clustered, spread_work.slow, [0], 0.0))


def test_a_worker_that_lacks_a_module_is_named(
    clustered: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "known_only_here.py").write_text("def double(part):\n    return 2 * part\n")
    monkeypatch.syspath_prepend(tmp_path)
    function = import_module("known_only_here").double
    assert list(spread(replace(clustered, dask=""), function, [1, 2])) == [2, 4]
    with pytest.raises(ServiceError, match="lacks a module of this installation: No module named 'known_only_here'"):
        list(spread(clustered, function, [1, 2]))


def test_one_machine_never_imports_dask() -> None:
    code = (
        "import sys\n"
        "from f1_pipeline.definitions import defs\n"
        "from f1_pipeline.settings import load_settings\n"
        "from f1_pipeline.steps.spread import spread\n"
        "assert list(spread(load_settings({}), abs, [-1, 2])) == [1, 2]\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'dask', 'distributed', 'dagster_dask'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_a_scheduler_without_the_extra_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "f1_pipeline.steps.dask_workers", raising=False)
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ServiceError, match=r"found no dask: pip install -c constraints.txt -e '\.\[scale\]'"):
        spread(replace(make_settings(tmp_path), dask="tcp://127.0.0.1:9"), spread_work.slow, [0], 0.0)
