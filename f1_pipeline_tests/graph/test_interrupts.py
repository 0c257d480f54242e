"""Ctrl-C during a run of this process is a KeyboardInterrupt, and the run is on record as one that did not succeed."""

from __future__ import annotations

import signal

import dagster as dg
import pytest

from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.interrupts import plain_interrupts
from f1_pipeline.settings import Settings


@dg.op
def interrupted() -> None:
    signal.raise_signal(signal.SIGINT)


@dg.job
def stopped() -> None:
    interrupted()


def test_an_interrupted_run_is_a_keyboard_interrupt(settings: Settings) -> None:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with open_instance(settings) as instance:
        with pytest.raises(KeyboardInterrupt), plain_interrupts():
            stopped.execute_in_process(instance=instance, run_config=quiet)
        (run,) = instance.get_runs()
    assert run.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
