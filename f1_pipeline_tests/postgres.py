"""A real PostgreSQL of the tests' own, on loopback, in a folder that goes with it.

Belongs here: one that is new and forgets. Neighbours: `f1_pipeline.cluster.postgres` is the server, `conftest.py` has
the fixture `postgres`, one server for all tests of a process. Without PostgreSQL's binaries the tests are skipped,
saying so.

    with running_postgres() as postgres:
        database = postgres.new_database()
        database.conninfo   # "host=... port=... dbname=...", for libpq, psycopg and DuckDB; the password is apart:
        database.password   # as PGPASSWORD in an environment, or in
        database.url        # "postgresql://user:password@127.0.0.1:port/name", for SQLAlchemy
        database.ask("select count(*) from ducklake_snapshot")
        postgres.restart()  # at once, like after a crash: whoever is connected loses his connection
        postgres.stop()
        postgres.start()    # on the same port
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from f1_pipeline.cluster.postgres import OPTIONS, Database, free_port, why_no_postgres
from f1_pipeline.cluster.postgres import Postgres as Server

__all__ = ["Database", "Postgres", "running_postgres", "why_no_postgres"]

QUICK = {**OPTIONS, "fsync": "off"}  # tests kill the server, never the machine


@dataclass(frozen=True)
class Postgres(Server):
    """A server with databases by number."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    def new_database(self) -> Database:
        """Create an empty database."""
        return self.database(f"test_{next(self._numbers)}")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Make a server, and leave nothing of it; skip the test where there can be none."""
    if reason := why_no_postgres():
        pytest.skip(reason)
    # not in pytest's own folder: that is closed to other accounts
    folder = Path(tempfile.mkdtemp(prefix="f1-pg-"))
    folder.chmod(0o755)
    try:
        server = Postgres.in_folder(folder / "server", free_port(), QUICK)
        server.start()
        try:
            yield server
        finally:
            if server.is_left_over:  # else the test itself has stopped it
                server.stop("immediate")
    finally:
        shutil.rmtree(folder)
