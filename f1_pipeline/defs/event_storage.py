"""Dagster's SQLite event log with its connections kept open.

Dagster's own class opens a new engine and a new connection for every event it stores. A back-fill of 75 races
stores a few thousand asset events, and spent most of its time there. This subclass changes one thing: how a shard is
connected to. What is stored, and how, stays Dagster's. Chosen in `dagster.yaml`; measured in docs/adr/0003.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps one engine per shard and lets SQLite sync at checkpoints.

    In write-ahead mode `synchronous=normal` cannot corrupt the file: after a power cut the last events may be
    missing, which a rerun of the partition repairs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Before the parent, which connects while it is built.
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(*args, **kwargs)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PooledSqliteEventLogStorage:
        """Build the storage from the `config` block of `dagster.yaml` (the folder `base_dir`)."""
        return cls(inst_data=inst_data, **config_value)

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )
            event.listen(engine, "connect", _sync_at_checkpoints)
            self._engines[shard] = engine
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Say whether the index shard has a table; one that was there once is not looked for again."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Generator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def dispose(self) -> None:
        """Close every connection; called by Dagster when the instance is done."""
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


def _sync_at_checkpoints(connection: Any, _record: Any) -> None:
    connection.execute("pragma synchronous = normal")
