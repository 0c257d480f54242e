"""Addresses of lakes: what is one, what it says of itself, and that none has a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1_pipeline.errors import UsageError
from f1_pipeline.settings import load_settings
from f1_pipeline.warehouse.lake import in_good_time
from f1_pipeline.warehouse.lake_address import read_address


def test_catalog_in_a_file_has_its_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    address = read_address("ducklake:f1.ducklake")
    assert (address.path, address.data_path) == (tmp_path / "f1.ducklake", f"{tmp_path}/f1.ducklake.files/")
    assert not address.is_shared
    assert read_address("ducklake:f1.ducklake", "files").data_path == f"{tmp_path}/files/"


def test_catalog_in_postgresql_leaves_the_files_to_it_unless_told() -> None:
    address = read_address("ducklake:postgres:dbname=f1 host=db")
    assert (address.is_shared, address.data_path, address.is_remote) == (True, "", False)
    stored = read_address("ducklake:postgres:dbname=f1 host=db", "s3://bucket/f1")
    assert (stored.data_path, stored.is_remote) == ("s3://bucket/f1/", True)


@pytest.mark.parametrize(
    "address",
    [
        "ducklake:postgres:host=db password=hush dbname=f1",
        "ducklake:postgres:host=db password=p&hush",
        r"ducklake:postgres:password = 'hu\'sh hush' host=db",
        "ducklake:postgres:host=db password='hush",
        "ducklake:postgres:host=db PASSWORD=hush",
        "ducklake:postgres:host=db sslpassword=hush",
        "ducklake:postgres:postgresql://me:hush@db/f1",
        "ducklake:postgres:postgresql://me:hu/hush?#@db:5432/f1",
        "ducklake:postgres:postgresql://db/f1?password=hush",
        "postgresql://me:hush@db/f1",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(UsageError, match=r"^F1_WAREHOUSE: expected an address without a .*PGPASSFILE") as caught:
        load_settings({"F1_WAREHOUSE": address})
    assert "hush" not in str(caught.value)


def test_keys_of_a_store_are_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="without a password") as caught:
        load_settings({"F1_WAREHOUSE": "ducklake:postgres:host=db", "F1_WAREHOUSE_DATA": "s3://key:hush@bucket/f1"})
    assert "hush" not in str(caught.value)


def test_a_user_is_no_password() -> None:
    for text in ("ducklake:postgres:postgresql://me@db:5432/f1", "ducklake:postgres:host=db user=me passfile=/f1/pass"):
        assert str(read_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "postgres:host=db",
        "f1.duckdb",
        "ducklake:",
        "ducklake:mysql:host=db",
        "ducklake:sqlite:f1.db",
        "ducklake:postgres:host db",
    ],
)
def test_other_addresses_are_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings({"F1_WAREHOUSE": text})
    assert str(caught.value).startswith(
        "F1_WAREHOUSE: expected an address such as `ducklake:postgres:dbname=f1 host=db`"
    )


def test_files_without_a_lake_are_refused() -> None:
    with pytest.raises(UsageError, match=r"F1_WAREHOUSE_DATA: expected with F1_WAREHOUSE"):
        load_settings({"F1_WAREHOUSE_DATA": "/lake"})


def test_settings_keep_absolute_paths_for_programs_in_other_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"F1_WAREHOUSE": "ducklake:f1.ducklake", "F1_WAREHOUSE_DATA": "files"})
    assert (settings.warehouse, settings.warehouse_data) == (f"ducklake:{tmp_path}/f1.ducklake", f"{tmp_path}/files/")


def test_waiting_for_the_database_is_bounded_unless_the_address_says_otherwise() -> None:
    limits = "connect_timeout=3 tcp_user_timeout=30000"
    assert in_good_time("postgres:host=db", 2.5) == f"postgres:host=db {limits}"
    assert in_good_time("postgres:host=db connect_timeout=9", 2.5).count("connect_timeout") == 1
    assert in_good_time("postgres:postgresql://db/f1", 2.5) == (
        "postgres:postgresql://db/f1?connect_timeout=3&tcp_user_timeout=30000"
    )
    assert in_good_time("postgres:postgresql://db/f1?user=me", 2.5).endswith(
        "?user=me&connect_timeout=3&tcp_user_timeout=30000"
    )
    assert in_good_time("/lake/f1.ducklake", 2.5) == "/lake/f1.ducklake"
