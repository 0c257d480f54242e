"""One installation: its facts, SQL models and stores, read once.

Belongs here: putting the neighbours together from a `Settings`. Nothing is computed here. Neighbours: every module of
`steps` takes a `Pipeline`; `defs.resources` hands one to the assets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from hashlib import sha256
from typing import TYPE_CHECKING

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.settings import Settings
from f1_pipeline.sources.calendar import Calendar, read_calendar
from f1_pipeline.sources.fact_digests import FactDigests, fact_digests
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.warehouse.connection import KeptWarehouse, PublishedWarehouse, ReadOnlyWarehouse, Store, Warehouse
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.facts import raw_contract
from f1_pipeline.warehouse.frames import has_table
from f1_pipeline.warehouse.model_file import SqlModel, SqlTest, read_models, read_tests
from f1_pipeline.warehouse.reader_file import ReaderObject, read_reader_objects

if TYPE_CHECKING:
    from f1_pipeline.forecast.tracking import Tracking
    from f1_pipeline.warehouse.lake_address import LakeAddress

SHOWN_KEYS = 3


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def wanted_digest(settings: Settings) -> str:
    """Hash what the line-up of a coming race is made from: the facts and your team, 12 hexadecimal digits.

    Raises
    ------
    DataError
        When the facts are damaged.
    """
    team = settings.team_path.read_bytes() if settings.team_path.exists() else b""
    return sha256(fact_digests(settings.data_dir).whole.encode() + team).hexdigest()[:12]


@dataclass(frozen=True)
class Pipeline:
    """One installation.

    Attributes
    ----------
    settings : Settings
        Where its files are; everything else follows from it, when it is first asked for.
    keeps_warehouse_open : bool
        Whether the warehouse stays open between steps, until `close`: for one run in one process.
    reads_published : bool
        Whether it is read as people read it; see `open_published`.
    at : datetime, optional
        The moment as of which it is read, aware; of a lake only.
    clock : callable
        Gives the time, aware: whether a forecast is made before its deadline. Tests set their own.
    """

    settings: Settings
    keeps_warehouse_open: bool = False
    reads_published: bool = False
    at: datetime | None = None
    clock: Callable[[], datetime] = utc_now

    @cached_property
    def warehouse(self) -> Store:
        """The warehouse: the DuckDB file, or a lake."""
        path, wait = self.settings.warehouse_path, self.settings.lock_wait_s
        published = self.settings.published_path
        lake = self.settings.lake
        if lake is not None and (lake.is_shared or self.at or not (self.reads_published and published.exists())):
            return self._open_lake(lake)
        if self.at is not None:
            raise UsageError(
                f"{path}: a DuckDB file keeps no earlier states, a warehouse on DuckLake does: F1_WAREHOUSE"
            )
        if self.reads_published:
            # An installation that has not published yet is read where it is written.
            return PublishedWarehouse(published, wait) if published.exists() else ReadOnlyWarehouse(path, wait)
        return KeptWarehouse(path, wait) if self.keeps_warehouse_open else Warehouse(path, wait)

    def _open_lake(self, lake: LakeAddress) -> Store:
        """Only who has a lake needs its module."""
        from f1_pipeline.warehouse.lake import LakeWarehouse

        return LakeWarehouse(
            lake,
            self.settings.lock_wait_s,
            keeps_open=self.keeps_warehouse_open or self.reads_published,
            reads_only=self.reads_published,
            at=self.at,
            objects=partial(read_reader_objects, self.settings.sql_dir),  # holds no pipeline that holds it
        )

    def close(self) -> None:
        """Close what was kept open."""
        self.warehouse.close()

    @cached_property
    def tracking(self) -> Tracking:
        """The MLflow store; importing MLflow takes seconds, so only training and predicting ask for it."""
        from f1_pipeline.forecast.tracking import Tracking

        return Tracking(self.settings.tracking_dir, server=self.settings.mlflow)

    @cached_property
    def agent_tracking(self) -> Tracking:
        """The MLflow store as agents are kept in it, apart from forecasts."""
        from f1_pipeline.forecast.tracking import AGENTS, Tracking

        return Tracking(self.settings.tracking_dir, AGENTS, self.settings.mlflow)

    @cached_property
    def calendar(self) -> Calendar:
        """The races of the game, in order."""
        return read_calendar(self.settings.data_dir)

    @cached_property
    def fact_digests(self) -> FactDigests:
        """Hashes of the facts as they were when this was first asked for."""
        return fact_digests(self.settings.data_dir)

    @cached_property
    def wanted_digest(self) -> str:
        """Hash of what the line-up of a coming race is made from, as it was when this was first asked for."""
        return wanted_digest(self.settings)

    @cached_property
    def models(self) -> dict[str, SqlModel]:
        """Every SQL model, by full table name."""
        return read_models(self.settings.sql_dir)

    @cached_property
    def reader_objects(self) -> tuple[ReaderObject, ...]:
        """Every view and macro of a published snapshot."""
        return read_reader_objects(self.settings.sql_dir)

    @cached_property
    def tests(self) -> tuple[SqlTest, ...]:
        """Every SQL test."""
        return read_tests(self.settings.sql_dir)

    @cached_property
    def contracts(self) -> dict[str, TableContract]:
        """The contract of every table, raw ones included, by full name."""
        raw = [raw_contract(table) for table in FACT_TABLES.values()]
        return {contract.full_name: contract for contract in [*raw, *(m.contract for m in self.models.values())]}

    def tests_of(self, table: str) -> tuple[SqlTest, ...]:
        """Return the SQL tests that speak of a table."""
        return tuple(test for test in self.tests if test.asset == table)

    def rules(self, race_key: str) -> SeasonRules:
        """Return the rules of the season of a race."""
        return load_rules(self.settings.data_dir, self.calendar.get(race_key).season)

    def require_history(self, connection, tables: Sequence[str], race_keys: Sequence[str]) -> None:
        """Refuse to compute a race while a table that it reads lacks a finished race before it.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection
        tables : sequence of str
            Full names of partitioned tables.
        race_keys : sequence of str
            The races to compute; the latest decides.

        Raises
        ------
        WarehouseError
            Names the table and the first races that are missing.
        """
        latest = max((self.calendar.get(key) for key in race_keys), key=lambda race: race.race_date)
        needed = [race.race_key for race in self.calendar.before(latest.race_key)]
        for table in tables:
            present = self.race_keys_in(connection, table)
            missing = [key for key in needed if key not in present]
            if missing:
                more = f" and {len(missing) - SHOWN_KEYS} more" if len(missing) > SHOWN_KEYS else ""
                raise WarehouseError(
                    f"{latest.race_key} needs every race before it, but {table} lacks "
                    f"{', '.join(missing[:SHOWN_KEYS])}{more}: materialize those first (`f1-pipeline run` does so)"
                )

    @staticmethod
    def race_keys_in(connection, table: str) -> set[str]:
        """Name the races that a table holds; none when there is no such table yet."""
        if not has_table(connection, table):
            return set()
        return {row[0] for row in connection.table(table).select("race_key").distinct().fetchall()}


def open_published(settings: Settings, at: datetime | None = None) -> Pipeline:
    """Open an installation as people read it: the snapshot that the last run published, never what a run holds.

    Parameters
    ----------
    settings : Settings
    at : datetime, optional
        The moment as of which to read, aware; a warehouse on DuckLake keeps its earlier states.

    Returns
    -------
    Pipeline
        Its warehouse refuses to be written, and is one and the same snapshot as long as it is open, whatever a run
        publishes meanwhile. Where nothing has been published yet it is the warehouse itself. A lake that others may
        read while it is written is read itself, as it was when it was first read.
    """
    return Pipeline(settings, reads_published=True, at=at)
