"""Dagster's storage in PostgreSQL, with connections that are kept, and made again when the database was restarted.

Belongs here: how Dagster connects; what is stored, and how, stays Dagster's. Chosen in `instance.py`. Three things
differ from `DagsterPostgresStorage`: SQLAlchemy 2.1 takes `postgresql://` for another driver than the one that
`dagster-postgres` installs; that class opens a connection for every event, of which a back-fill stores thousands, as
its SQLite sister does (docs/adr/0003); and it gives up a database that is away for more than six seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from psycopg2 import OperationalError
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from f1_pipeline.addresses import with_driver

AWAY_S = 60.0
"""How long a database may be away: a restart takes a second or two."""
AWAY_STATES = ("08", "57P0")
"""SQLSTATE of connections that are lost, and of servers that end or start."""
GOING_OR_COMING = ("the database system is ", "terminating connection")
"""How a server refuses that is ending or starting; other refusals, such as of a password, stay what they are."""
REST = wait_exponential(multiplier=0.1, max=2.0)


class PostgresStorage(DagsterPostgresStorage):
    """`DagsterPostgresStorage` by another way of connecting."""

    def __init__(self, postgres_url: str, *given: Any, **named: Any) -> None:
        super().__init__(with_driver(postgres_url), *given, **named)
        autocreate = named.get("should_autocreate_tables", True)
        self._event_log_storage = PatientEventLogStorage(self.postgres_url, autocreate)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = kept_engine(self.postgres_url)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PostgresStorage:
        """Build the storage from the `config` block of `dagster.yaml` (`postgres_url`)."""
        return cls(inst_data=inst_data, **config_value)


class PatientEventLogStorage(PostgresEventLogStorage):
    """`PostgresEventLogStorage` that stores an event again when the connection broke meanwhile.

    An event whose acknowledgement was lost is then there twice, which changes nothing that is computed.
    """

    def store_event(self, event: Any) -> None:
        """Store an event."""
        _again(lambda: super(PatientEventLogStorage, self).store_event(event))

    def store_event_batch(self, events: Sequence[Any]) -> None:
        """Store events of one kind."""
        _again(lambda: super(PatientEventLogStorage, self).store_event_batch(events))


def kept_engine(url: str) -> Engine:
    """Make an engine that keeps a connection, looks whether it is still there, and waits for a database that is away.

    Parameters
    ----------
    url : str
        With its driver.
    """
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20, pool_recycle=3600, pool_pre_ping=True
    )
    listen(engine, "do_connect", _connect_patiently)
    return engine


def _connect_patiently(dialect: Any, _: Any, given: Any, named: Any) -> Any:
    return _patiently(_is_away, dialect.loaded_dbapi.connect, *given, **named)


def _again(store: Any) -> None:
    _patiently(_is_broken, store)


def _patiently(may_pass: Callable[[BaseException], bool], act: Callable[..., Any], *given: Any, **named: Any) -> Any:
    attempts = Retrying(stop=stop_after_delay(AWAY_S), wait=REST, retry=retry_if_exception(may_pass), reraise=True)
    return attempts(act, *given, **named)


def _is_broken(error: BaseException) -> bool:
    """Tell a connection that broke from a statement that is refused."""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _is_away(error.orig))


def _is_away(error: BaseException | None) -> bool:
    """Tell a server that is away for a moment from one that refuses; both are `OperationalError` of the driver."""
    if not isinstance(error, OperationalError):
        return False
    if error.pgcode:
        return error.pgcode.startswith(AWAY_STATES)
    # an attempt to connect has no state, only words: the server's own begin with FATAL, others say that there is none
    return "FATAL:" not in str(error) or any(words in str(error) for words in GOING_OR_COMING)
