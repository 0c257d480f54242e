"""Ctrl-C during a run: a KeyboardInterrupt, a run on record as one that did not succeed, one word on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import dagster as dg
import psutil
import pytest

from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.interrupts import plain_interrupts
from f1_pipeline.settings import Settings
from f1_pipeline_tests.cluster_runs import command, told
from f1_pipeline_tests.dask_cluster import wait_until


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


def has_watchers(pid: int) -> bool:
    """Whether Dagster's processes that watch over output are up, Python's start included."""
    beside = [each for each in psutil.Process(pid).children() if "watch_orphans" in "".join(each.cmdline())]
    return len(beside) == 2 and all(time.time() - each.create_time() > 0.5 for each in beside)


def test_a_terminal_that_stops_a_run_and_all_its_processes_is_told_one_word(settings: Settings) -> None:
    with subprocess.Popen(
        command("run", "--race", "2023-saudi-arabia", "--quiet"),
        env=told(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        wait_until(lambda: has_watchers(run.pid), "a step that is watched")
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        printed, complaints = run.communicate(timeout=60)
    assert (run.returncode, printed, complaints) == (130, "", "stopped\n")
