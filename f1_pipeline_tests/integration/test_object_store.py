"""A lake whose files are in an S3-compatible store: written, replaced, read as of earlier, refused by name.

Belongs here: a real store and a real catalog in PostgreSQL. Neighbours: `test_lake.py` has every table on it,
`test_lake_errors.py` lakes whose files are in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.warehouse.connection import ask
from f1_pipeline.warehouse.lake import LakeWarehouse
from f1_pipeline.warehouse.lake_address import LakeAddress, read_address
from f1_pipeline_tests.lakes import lake_in, open_lake, require_lakes
from f1_pipeline_tests.object_store import BUCKET, ObjectStore, keep_secret, object_store
from f1_pipeline_tests.points_table import BOTH, GOOD, write
from f1_pipeline_tests.postgres import Postgres
from f1_pipeline_tests.support import rows_of

TABLE = "core.points"
QUESTION = f"from {TABLE} order by all"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    require_lakes()
    with object_store(tmp_path, monkeypatch) as started:
        yield started


@pytest.fixture
def lake(store: ObjectStore, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> LakeAddress:
    """The address of a lake of which nothing is there yet."""
    return lake_in(postgres.new_database(), f"s3://{BUCKET}/f1", monkeypatch)


def reader(lake: LakeAddress, at: datetime | None = None) -> LakeWarehouse:
    return LakeWarehouse(lake, keeps_open=True, reads_only=True, at=at)


def test_tables_lie_in_the_bucket_and_are_replaced(lake: LakeAddress, store: ObjectStore) -> None:
    write(open_lake(lake), GOOD, BOTH)
    before = datetime.now(UTC)
    better = [("2026-monaco", "ann", 31), ("2026-monaco", "bob", 5)]
    write(open_lake(lake), better, ["2026-monaco"])
    assert rows_of(open_lake(lake), TABLE) == [*GOOD[:2], *better]
    assert ask(reader(lake), QUESTION).num_rows == 4
    assert ask(reader(lake, before), QUESTION).to_pylist()[-1] == {
        "race_key": "2026-monaco",
        "driver_id": "ann",
        "points": 30,
    }
    assert {key.rsplit("/", 1)[0] for key in store.files()} == {f"s3://{BUCKET}/f1/core/points"}


def test_a_catalog_that_knows_its_store_needs_no_data_path(lake: LakeAddress) -> None:
    write(open_lake(lake), GOOD, BOTH)
    assert rows_of(open_lake(read_address(lake.attach_string)), TABLE) == GOOD


@pytest.mark.parametrize("source", [f"s3://{BUCKET}/other.csv", "s3://elsewhere/points.parquet", "/etc/hosts"])
def test_a_typed_query_reads_nothing_but_the_tables(lake: LakeAddress, source: str) -> None:
    write(open_lake(lake), GOOD, BOTH)
    warehouse = reader(lake)
    assert ask(warehouse, QUESTION).num_rows == 3
    with pytest.raises(UsageError, match="file system operations are disabled"):
        ask(warehouse, f"from read_csv('{source}')")


def test_a_bucket_that_is_not_there_is_named(
    store: ObjectStore, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = lake_in(postgres.new_database(), "s3://no-such-bucket/f1", monkeypatch)
    with pytest.raises(WarehouseError, match=r"dbname=test_\d+.*: expected the bucket of its tables, found none"):
        write(open_lake(nowhere), GOOD, BOTH)
    with pytest.raises(WarehouseError, match="expected the tables of this version"):
        rows_of(open_lake(nowhere), TABLE)


def test_a_store_that_is_away_is_named_and_nothing_is_lost(lake: LakeAddress, store: ObjectStore) -> None:
    write(open_lake(lake), GOOD, BOTH)
    keep_secret("127.0.0.1:1")
    for use in (lambda: write(open_lake(lake), [], BOTH), lambda: rows_of(open_lake(lake), TABLE)):
        with pytest.raises(WarehouseError, match="its files cannot be read or written"):
            use()
    keep_secret(store.host)
    assert rows_of(open_lake(lake), TABLE) == GOOD
