"""Run parts of heavy work on the workers of a Dask cluster.

Belongs here: everything that knows Dask; no other module imports it. Neighbour: `spread` decides whether it is used.

What travels are bytes that only the client and the workers open, so that the scheduler holds each part in flight once
and nothing of it is lost with a worker: a part whose worker died is done again by another, three times at most
(``distributed.scheduler.allowed-failures`` of the scheduler), and shared data is made again from what the scheduler
holds.

References
----------
distributed 2026.8, `Client.submit`, `scheduler.KilledWorker`, `protocol.pickle` (read 2026-11).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import dask
from distributed import CancelledError, Client, Future, get_worker
from distributed.client import ClosedClientError
from distributed.protocol.pickle import dumps, loads
from distributed.scheduler import KilledWorker

from f1_pipeline.errors import ServiceError
from f1_pipeline.forecast.threads import one_thread
from f1_pipeline.steps.versions import PACKAGE_DIR, versions

CONNECT_S, WORKER_S = 10.0, 60.0
"""How long the scheduler may take to answer, and how long a cluster may be without a worker."""
PARTS_PER_THREAD = 4
"""In flight: enough that a long part does not let the other workers run dry, for results are given in order."""
LOST = (CancelledError, ClosedClientError, OSError)
"""What calls raise whose scheduler went away; `CommClosedError` is an OSError."""


def spread_on(address: str, function: Callable[..., Any], parts: Iterable[Any], shared: Sequence[Any]) -> Iterator[Any]:
    """Apply a function to each part on the workers of a cluster; see `spread.spread`.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    function : callable
    parts : iterable
    shared : sequence

    Yields
    ------
    object
        The results, in the order of the parts.

    Raises
    ------
    ServiceError
    """
    with _connected(address) as client, dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
        _await_worker(client, address, WORKER_S)
        held = [_submit(client, address, _opened, dumps(each)) for each in shared]
        waiting: deque[Future] = deque()
        for part in parts:
            while len(waiting) >= PARTS_PER_THREAD * max(1, _thread_count(client, address)):
                yield _result(client, address, waiting.popleft())
            waiting.append(_submit(client, address, _apply, versions(), dumps((function, part)), *held))
        while waiting:
            yield _result(client, address, waiting.popleft())


def checked_workers(address: str) -> int:
    """Count the workers of a cluster that is there and of the same versions.

    Raises
    ------
    ServiceError
        It is out of reach, has no worker, or one has other versions.
    """
    with _connected(address) as client:
        _await_worker(client, address, CONNECT_S)
        try:
            return len(client.run(_refuse_other_versions, versions()))
        except ImportError as error:
            raise _lacking(f"a worker of {address}", error) from error


def worker_names(address: str, timeout_s: float = 1.0) -> set[str] | None:
    """Name the workers of a scheduler; None where there is no scheduler."""
    try:
        with Client(address, timeout=timeout_s, set_as_default=False) as client:
            return {str(worker["name"]) for worker in client.scheduler_info(n_workers=-1)["workers"].values()}
    except (OSError, ValueError):
        return None


@contextmanager
def _connected(address: str) -> Generator[Client]:
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False, name="f1-pipeline")
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"F1_DASK: expected a Dask scheduler at {address} within {CONNECT_S:.0f} s, found none; start one with "
            f"`dask scheduler`, or unset F1_DASK to compute in this process"
        ) from error
    with client:
        yield client


def _await_worker(client: Client, address: str, patience_s: float) -> None:
    with _reached(address):
        try:
            client.wait_for_workers(1, timeout=patience_s)
        except TimeoutError as error:
            raise _deserted(address, patience_s) from error


@contextmanager
def _reached(address: str) -> Generator[None]:
    """Name the scheduler when a call does not reach it; no code of a part's own belongs in the body."""
    try:
        yield
    except LOST as error:
        raise _gone(address) from error


def _thread_count(client: Client, address: str) -> int:
    with _reached(address):
        return sum(client.nthreads().values())


def _submit(client: Client, address: str, function: Callable[..., Any], *given: Any) -> Future:
    with _reached(address):
        return client.submit(function, *given, pure=False)


def _gone(address: str) -> ServiceError:
    return ServiceError(f"F1_DASK: the scheduler {address} went away before all parts were done")


def _lacking(worker: str, error: ImportError) -> ServiceError:
    return ServiceError(f"F1_DASK: {worker} lacks a module of this installation: {error}")


def _deserted(address: str, patience_s: float) -> ServiceError:
    return ServiceError(
        f"F1_DASK: expected workers at the scheduler {address}, found none for {patience_s:.0f} s; start some with "
        f"`dask worker {address} --nthreads 1`"
    )


def _result(client: Client, address: str, future: Future) -> Any:
    """Wait for a part, as long as there are workers, or come again: a worker that died may be started anew."""
    while True:
        try:
            return future.result(timeout=WORKER_S)
        except KilledWorker as error:
            raise ServiceError(
                f"F1_DASK: a part ended {error.allowed_failures + 1} workers of {address} one after the other, the "
                f"last at {error.last_worker.address}; its log says why, often too little memory"
            ) from error
        except ImportError as error:
            if (error.name or "").split(".")[0] == PACKAGE_DIR.name:  # not even `_apply` is known there
                raise _lacking(f"a worker of {address}", error) from error
            raise
        except LOST as error:
            if future.status == "error" and future.exception() is error:  # the part's own
                raise
            if not isinstance(error, TimeoutError):
                raise _gone(address) from error
        if not _thread_count(client, address):
            _await_worker(client, address, WORKER_S)


def _apply(expected: dict[str, str], work: bytes, *shared: Any) -> Any:
    """Do one part on a worker."""
    _refuse_other_versions(expected)
    function, part = _opened(work)
    _keep_to_one_thread()
    return function(part, *shared)


def _opened(packed: bytes) -> Any:
    """Open on a worker what the client has packed."""
    try:
        return loads(packed)
    except ImportError as error:
        raise _lacking(f"the worker {get_worker().address}", error) from error


def _refuse_other_versions(expected: dict[str, str]) -> None:
    found = versions()
    differences = [
        f"{name} {found[name]} instead of {expected[name]}" for name in expected if found[name] != expected[name]
    ]
    if differences:
        raise ServiceError(
            f"F1_DASK: expected the versions of the client at the worker {get_worker().address}, found "
            f"{', '.join(differences)}; install the same there, from the same constraints.txt"
        )


@cache
def _keep_to_one_thread() -> object:
    """Limit linear algebra to one thread for good: a worker's threads would undo each other's limits."""
    return one_thread()
