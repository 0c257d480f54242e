"""Run a step again when the database of the warehouse's catalog went away in the middle of it.

Belongs here: how often, and after which rest. Neighbours: `registry.py` gives every step this patience,
`warehouse.writer` tries its own transaction again first. A step replaces the rows of its races, so that running it
twice does no harm; a DuckDB file never goes away, and never needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar

from f1_pipeline.warehouse.lake_errors import LostConnectionError

ATTEMPTS = 9  # with rests of some 25 seconds: a database that crashed may take that long to start
Given = ParamSpec("Given")
Made = TypeVar("Made")


def again_when_lost(run: Callable[Given, Made]) -> Callable[Given, Made]:
    """Make a function run again when the catalog's database went away.

    Parameters
    ----------
    run : callable
        May be run twice.

    Returns
    -------
    callable
        Raises what the last attempt raised.
    """

    @wraps(run)
    def patient(*given: Given.args, **named: Given.kwargs) -> Made:
        with suppress(LostConnectionError):
            return run(*given, **named)
        # only on a lake does it come to this, and only then is the library worth its import
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS - 1),
            wait=wait_exponential(multiplier=0.5, max=5.0),
            retry=retry_if_exception_type(LostConnectionError),
            reraise=True,
        )
        return attempts(run, *given, **named)

    return patient
