"""Play days of a season to an installation by the daemon's own ticks, with the clock moved.

Belongs here: Dagster's sensor and queue daemons, stepped by hand on an instance of SQLite files that is configured by
the project's own `dagster.yaml`. One thing differs from a real daemon: runs are executed in this process, so that a
fortnight takes a minute. Neighbours: `rehearsal_location.py` has the clock, `release.py` and `feed_server.py` make what
the sources say.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster._daemon.sensor import execute_sensor_iteration

from f1_pipeline.defs.instance import instance_config
from f1_pipeline.settings import Settings
from f1_pipeline_tests import rehearsal_location
from f1_pipeline_tests.support import REPO

LOCATION = "rehearsal"
LAUNCHER = {
    "module": "dagster._core.launcher.sync_in_memory_run_launcher",
    "class": "SyncInMemoryRunLauncher",
}
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dataclass(frozen=True)
class Happened:
    """A run: when it was launched on the moved clock, its job, its races and how it ended."""

    at: datetime
    job: str
    races: tuple[str, ...]
    status: str


@dataclass
class Rehearsal:
    """A daemon whose time is set by hand."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    happened: list[Happened] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def tick(self, now: datetime) -> list[Happened]:
        """Let every sensor tick once at a time, and the queue launch what is requested; say what ran."""
        rehearsal_location.NOW[0] = now
        with freeze_time(now):
            self._step()
        new = [run for run in self.instance.get_runs() if run.run_id not in self._known]
        self._known |= {run.run_id for run in new}
        ran = [
            Happened(now, run.job_name, tuple(run.tags[tag] for tag in RANGE if tag in run.tags), run.status.value)
            for run in reversed(new)
        ]
        self.happened += ran
        for run in new:
            assert run.status == dg.DagsterRunStatus.SUCCESS, self._failure(run.run_id)
        return ran

    def _failure(self, run_id: str) -> str:
        failed = {dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.STEP_FAILURE}
        return "\n".join(str(entry.dagster_event) for entry in self.instance.all_logs(run_id, of_type=failed))

    def _step(self) -> None:
        logger = logging.getLogger("rehearsal")
        for error in execute_sensor_iteration(self.workspace, logger, None, None):
            assert error is None, error
        with QueuedRunCoordinatorDaemon(interval_seconds=1) as queue:
            for error in queue.run_iteration(self.workspace):
                assert error is None, error

    def reload(self) -> None:
        """Load the code location anew, as the daemon does every minute."""
        self.workspace.refresh_workspace()

    def ticks(self, sensor: str) -> list[str]:
        """Give the messages of a sensor's ticks that skipped, newest first."""
        context = self.workspace.create_request_context()
        (location,) = context.code_locations
        found = next(iter(location.get_repositories().values())).get_sensor(sensor)
        return [
            str(tick.skip_reason)
            for tick in self.instance.get_ticks(found.get_remote_origin_id(), found.selector_id)
            if tick.skip_reason
        ]


@contextmanager
def rehearsal(settings: Settings, home: Path) -> Iterator[Rehearsal]:
    """Start the daemon's parts for an installation that the environment describes.

    Parameters
    ----------
    settings : Settings
        As `load_settings` reads it from the environment.
    home : Path
        Folder for the instance's configuration.
    """
    config = instance_config(settings) | {"run_launcher": LAUNCHER}
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(
            executable_path=sys.executable,
            module_name=rehearsal_location.__name__,
            working_directory=str(REPO),
            attribute="defs",
        ),
        location_name=LOCATION,
    )
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        workspace = stack.enter_context(
            create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(origin), instance)
        )
        yield Rehearsal(instance, workspace)
