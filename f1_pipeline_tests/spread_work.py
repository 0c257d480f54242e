"""Parts of work for tests of spreading, in a module that workers can import.

Belongs here: functions without any sense of their own.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from f1_pipeline.errors import RuleError


def scaled_sum(frame: pd.DataFrame, weights: np.ndarray) -> tuple[int, float]:
    """Say where a sum was computed, and the sum."""
    return os.getpid(), float((frame["value"].to_numpy() * weights).sum())


def refused(part: int) -> int:
    """Refuse the third part."""
    if part == 2:
        raise RuleError(f"part {part}: expected an even season, found an odd one")
    return part


def failing(part: int, error: BaseException) -> int:
    """Fail as told."""
    raise error


def once_fatal(part: int, folder: str) -> int:
    """End the process that meets part 3 first, as the system does when memory runs out."""
    try:
        if part == 3:
            (Path(folder) / "met").touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        return 30
    return 10 * part


def always_fatal(part: int) -> int:
    """End every process that meets it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return part


def slow(part: int, seconds: float) -> int:
    """Take some time."""
    time.sleep(seconds)
    return part


def executed_count(dask_worker: Any) -> int:
    """Count what a worker has done; Dask hands itself over to a parameter of this name."""
    return dask_worker.state.executed_count


def thread_count(part: int) -> set[int]:
    """Count the threads of linear algebra."""
    from threadpoolctl import threadpool_info

    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
