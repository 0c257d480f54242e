"""What a benchmark is, and the list of those that exist.

Here: the figure that a benchmark reports, the decorator that registers it, the clock. Not here: what is
measured (one module per subject, such as `benchmarks.lineups`; any module of this package is found by itself)
and how figures are printed and kept (`benchmarks.__main__`).

    @benchmark("answer_ms")
    def answer() -> Figure:
        fast, slow = median_seconds(new, repeats=21), median_seconds(old, repeats=5)
        return Figure("answer_ms", fast * 1e3, "ms", "the old way", slow * 1e3)
"""

import gc
import importlib
import json
import pkgutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import benchmarks


@dataclass(frozen=True)
class Figure:
    """One measured value and the alternative it is compared with.

    Parameters
    ----------
    name
        Name of the benchmark; its ending is the unit where there is one.
    value
        Median of the repeats, in `unit`.
    unit
        Such as "ms", "s", "1/s" or "ratio".
    reference
        What the alternative is, in words; None when nothing is compared.
    reference_value
        The alternative measured in the same run, in `unit`.
    """

    name: str
    value: float
    unit: str
    reference: str | None = None
    reference_value: float | None = None

    @property
    def ratio(self) -> float | None:
        """Return value / reference_value: below 1 is a shorter time, above 1 a higher rate."""
        return self.value / self.reference_value if self.reference_value else None

    def to_json(self) -> str:
        """Return the figure as one line of JSON, numbers to four significant digits."""
        return json.dumps(
            {
                "name": self.name,
                "value": _significant(self.value),
                "unit": self.unit,
                "reference": self.reference,
                "reference_value": _significant(self.reference_value),
                "ratio": _significant(self.ratio),
            }
        )


Benchmark = Callable[[], Figure | list[Figure]]
"""Measures one figure, or several that belong together."""

_BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a function that measures one figure.

    Parameters
    ----------
    name
        Name to run it by, also the name of its figure.

    Returns
    -------
    callable
        A decorator that leaves the function as it is.

    Raises
    ------
    ValueError
        The name is taken.
    """

    def register(function: Benchmark) -> Benchmark:
        if name in _BENCHMARKS:
            raise ValueError(f"Benchmark {name!r} is registered twice.")
        _BENCHMARKS[name] = function
        return function

    return register


def load_benchmarks() -> dict[str, Benchmark]:
    """Import every module of this package and list the benchmarks they register.

    Returns
    -------
    dict
        The functions by name, sorted by name.
    """
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name != "__main__":
            importlib.import_module(f"benchmarks.{module.name}")
    return dict(sorted(_BENCHMARKS.items()))


def median_seconds(function: Callable[[], object], repeats: int, warm_ups: int = 1) -> float:
    """Time a function.

    Parameters
    ----------
    function
        What to time; its result is dropped.
    repeats
        Timed calls, at least 1.
    warm_ups
        Calls before the first timed one, to fill caches.

    Returns
    -------
    float
        Median wall time of a call, in seconds.
    """
    for _ in range(warm_ups):
        function()
    times = []
    gc_was_on = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    finally:
        if gc_was_on:
            gc.enable()
    return statistics.median(times)


def _significant(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
