"""Where Dagster keeps what steps print, without a word of its own when a run is stopped.

Belongs here: one thing that Dagster's own manager does otherwise. Neighbours: `dagster.yaml` names this class,
`instance.py` says where its files are.

Dagster mirrors output by processes beside the run (`tail`, and a Python that watches over it). A terminal sends Ctrl-C
to all of them, and the watching one then prints a traceback. They need no Ctrl-C: the run ends them, and the watching
one ends with it.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClassData


class ComputeLogs(LocalComputeLogManager):
    """Dagster's files of what steps print, by processes that Ctrl-C does not reach."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> ComputeLogs:
        """Make one as `dagster.yaml` says."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext]:
        """Keep what is printed while the body lasts.

        Parameters
        ----------
        log_key : sequence of str

        Yields
        ------
        CapturedLogContext
        """
        with ExitStack() as capturing:
            # processes inherit what is blocked; for this one Ctrl-C comes a moment later
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                context = capturing.enter_context(super().capture_logs(log_key))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield context
