"""The resource of every asset: one installation, its warehouse opened safely.

Belongs here: configuration that the Dagster UI may show. Neighbours: `warehouse.connection` does the opening,
`steps.pipeline` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster_duckdb import DuckDBResource
from pydantic import PrivateAttr

from f1_pipeline.defs.liveness import PLACE, alive, place
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline, utc_now
from f1_pipeline.steps.restore import refuse_interrupted

SECRETS = ("mlflow",)


class PipelineResource(DuckDBResource):
    """A `DuckDBResource` that locks the file, always closes it, and knows the rest of the installation.

    `DuckDBResource.get_connection` leaks the connection, and with it the file's lock, when its body raises. This one
    does not, and a second writer waits `lock_wait_s` seconds and is then told who holds the file.
    """

    home: str
    data_dir: str
    warehouse_dir: str
    lock_wait_s: float
    sources: list[str]
    f1db: str
    feed: str
    request_pause_s: float
    mlflow_ui: str
    warehouse: str
    warehouse_data: str
    dask: str

    _pipeline: Pipeline | None = PrivateAttr(default=None)
    _run: ExitStack = PrivateAttr(default_factory=ExitStack)

    @staticmethod
    def clock() -> datetime:
        """Give the time, aware; rehearsals have their own."""
        return utc_now()

    @staticmethod
    def secrets() -> dict[str, str]:
        """Give the settings that may hold a password: the address of a tracking server."""
        return {}

    @classmethod
    def from_settings(cls, settings: Settings, clock: Callable[[], datetime] = utc_now) -> PipelineResource:
        """Describe an installation as a resource; the UI shows all of it but the clock and a password."""
        # Dagster makes a resource anew from its class and its configuration, so that what is not to be shown has to be
        # the class's.
        own: dict[str, Any] = {"clock": staticmethod(clock)} if clock is not utc_now else {}
        secrets = {name: getattr(settings, name) for name in SECRETS if getattr(settings, name)}
        own |= {"secrets": staticmethod(lambda: secrets)} if secrets else {}
        kind = type(cls.__name__, (cls,), own) if own else cls
        return kind(
            database=str(settings.lake or settings.warehouse_path),
            home=str(settings.home),
            data_dir=str(settings.data_dir),
            warehouse_dir=str(settings.warehouse_dir),
            lock_wait_s=settings.lock_wait_s,
            sources=list(settings.sources),
            f1db=settings.f1db,
            feed=settings.feed,
            request_pause_s=settings.request_pause_s,
            mlflow_ui=settings.mlflow_ui,
            warehouse=settings.warehouse,
            warehouse_data=settings.warehouse_data,
            dask=settings.dask,
        )

    @property
    def pipeline(self) -> Pipeline:
        """The installation, its files read once per process."""
        if self._pipeline is None:
            settings = Settings(
                home=Path(self.home),
                data_dir=Path(self.data_dir),
                warehouse_dir=Path(self.warehouse_dir),
                lock_wait_s=self.lock_wait_s,
                sources=tuple(self.sources),
                f1db=self.f1db,
                feed=self.feed,
                request_pause_s=self.request_pause_s,
                mlflow_ui=self.mlflow_ui,
                warehouse=self.warehouse,
                warehouse_data=self.warehouse_data,
                dask=self.dask,
            )
            settings = replace(settings, **self.secrets())
            # One moment for a whole run: a lock that passes meanwhile must not part a forecast from its line-up.
            started = self.clock()
            self._pipeline = Pipeline(settings, keeps_warehouse_open=True, clock=lambda: started)
        return self._pipeline

    def setup_for_execution(self, context: Any) -> None:
        """Show that the run is alive, and remember which facts it began with; refuse half of a back-up."""
        refuse_interrupted(self.pipeline.settings)
        if context.run is not None:
            folder = self.pipeline.settings.alive_dir
            context.instance.add_run_tags(context.run.run_id, {PLACE: place(folder)})
            self._run.enter_context(alive(folder, context.run.run_id))
        _ = self.pipeline.fact_digests, self.pipeline.wanted_digest

    def teardown_after_execution(self, context: Any) -> None:
        """Close the warehouse at the end of a run, however it ended."""
        with self._run:
            self.pipeline.close()

    @contextmanager
    def get_connection(self) -> Generator[Any]:
        """Open the warehouse for writing, alone; see `Warehouse.write`."""
        with self.pipeline.warehouse.write() as connection:
            yield connection
