"""An S3-compatible object store of the tests' own, on loopback, which forgets everything with its end.

Belongs here: the server, a bucket, and the secret by which DuckDB finds it. Neighbour: `lakes.py` makes addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import requests
from moto.server import ThreadedMotoServer

from f1_pipeline.warehouse.lake import FOR_STORES, load_extension

BUCKET = "f1-tables"


@dataclass(frozen=True)
class ObjectStore:
    """A store that is up.

    Attributes
    ----------
    host : str
        With its port.
    server : ThreadedMotoServer
    """

    host: str
    server: ThreadedMotoServer

    def files(self) -> list[str]:
        """List what is in the bucket."""
        with closing(duckdb.connect()) as connection:
            load_extension(connection, FOR_STORES)
            return [row[0] for row in connection.execute("from glob($all)", {"all": f"s3://{BUCKET}/**"}).fetchall()]


@contextmanager
def object_store(home: Path, environment: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Start a store with one bucket, and keep the secret of it in a home folder of the tests' own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        found = ObjectStore(f"{host}:{port}", server)
        requests.put(f"http://{found.host}/{BUCKET}", timeout=10).raise_for_status()
        environment.setenv("HOME", str(home))
        keep_secret(found.host)
        yield found
    finally:
        server.stop()


def keep_secret(host: str) -> None:
    """Tell DuckDB once and for all where the store is, as `docs/scale.md` says."""
    options = "key_id 'f1', secret 'f1', region 'us-east-1', url_style 'path', use_ssl false"
    with closing(duckdb.connect()) as connection:
        load_extension(connection, FOR_STORES)
        connection.execute(f"create or replace persistent secret f1 (type s3, {options}, endpoint '{host}')")
