"""Ctrl-C during a run: Dagster's own exception for it, as Python's.

Belongs here: one translation, so that the command line need not know Dagster to tell who stopped it. The run itself is
recorded as failed, and its tables keep their last good state.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dagster import DagsterExecutionInterruptedError


@contextmanager
def plain_interrupts() -> Generator[None]:
    """Raise KeyboardInterrupt where a run in this process is interrupted.

    Raises
    ------
    KeyboardInterrupt
    """
    try:
        yield
    except DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
