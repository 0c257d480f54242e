"""How much faster two Dask workers are than one, on the warehouse that `make run` has computed.

Here: the parts of heavy work that the graph spreads, which are training, simulation and back-tests, on real workers of
one thread each; their start and first imports are not counted, and neither is what the step does with the results.
Not here: the graph itself on a cluster, which `make cluster` runs.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.registry import Figure, benchmark
from f1_pipeline.cluster.postgres import free_port
from f1_pipeline.cluster.processes import launch
from f1_pipeline.cluster.services import dask_services
from f1_pipeline.forecast.model_records import lessons, taught
from f1_pipeline.forecast.simulated_points import simulated_points
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.steps.backtest import backtest_knowledge, games, played_game
from f1_pipeline.steps.forecast import TRAINED, training_rows
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import season_races
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.weekends import believed_races

SEASONS = ("2023", "2024", "2025")
WARM_UPS = 4


@dataclass(frozen=True)
class Work:
    """One function and all its parts."""

    function: Callable[..., Any]
    parts: list[Any]
    shared: tuple[Any, ...] = ()

    def do(self, settings: Settings, count: int | None = None) -> None:
        """Do all parts, or the first ones, and drop the results."""
        deque(spread(settings, self.function, self.parts[:count], *self.shared), maxlen=0)


@benchmark("two_workers_ratio")
def two_workers() -> list[Figure]:
    """Time training, simulation and back-tests on two workers, against one."""
    pipeline = Pipeline(load_settings())
    work = {"train": _training(pipeline), "simulate": _simulation(pipeline), "back_test": _back_tests(pipeline)}
    one, two = (_seconds(pipeline.settings, work, count) for count in (1, 2))
    faster = {name: one[name] / two[name] for name in work}
    whole = sum(one.values()) / sum(two.values())
    return [
        Figure("two_workers_ratio", whole, "times as fast", "one worker", 1.0),
        *(
            Figure(f"two_workers_{name}_ratio", ratio, "times as fast", "one worker", 1.0)
            for name, ratio in faster.items()
        ),
        Figure("two_workers_s", sum(two.values()), "s", "one worker", sum(one.values())),
    ]


def _training(pipeline: Pipeline) -> Work:
    rows = training_rows(pipeline)
    races = pipeline.calendar.finished
    parts = [lesson for race in races for lesson in lessons(TRAINED, race.race_key, race.race_date, rows)]
    return Work(taught, parts, (rows,))


def _simulation(pipeline: Pipeline) -> Work:
    return Work(
        simulated_points, list(believed_races(pipeline, [race.race_key for race in pipeline.calendar.finished]))
    )


def _back_tests(pipeline: Pipeline) -> Work:
    races = {season: season_races(pipeline, int(season)) for season in SEASONS}
    known = {season: backtest_knowledge(pipeline, races[season]) for season in SEASONS}
    return Work(played_game, games(SEASONS), (races, known))


def _seconds(settings: Settings, work: dict[str, Work], worker_count: int) -> dict[str, float]:
    """Time each kind of work on some workers, once they have done a few parts of it."""
    with _workers(worker_count) as address:
        there = replace(settings, dask=address)
        for each in work.values():
            each.do(there, WARM_UPS)
        found = {}
        for name, each in work.items():
            started = time.perf_counter()
            each.do(there)
            found[name] = time.perf_counter() - started
        return found


@contextmanager
def _workers(count: int) -> Generator[str]:
    with ExitStack() as stack:
        folder, port = Path(stack.enter_context(tempfile.TemporaryDirectory())), free_port()
        for service in dask_services(folder, port, count):
            running = launch(service, folder)
            stack.callback(running.stop)
            running.wait()
        yield f"tcp://127.0.0.1:{port}"
