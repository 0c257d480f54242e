"""The environment as settings: what each variable changes, and what it may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1_pipeline.errors import UsageError
from f1_pipeline.settings import LATEST_F1DB, OFFICIAL_FEED, load_settings
from f1_pipeline_tests.support import REPO


def test_a_clone_needs_no_settings() -> None:
    settings = load_settings({})
    assert settings.home == REPO
    assert settings.data_dir == REPO / "data"
    assert settings.warehouse_path == REPO / "data" / "warehouse" / "f1.duckdb"
    assert settings.received_dir == REPO / "data" / "received"
    assert settings.sources == ("f1db", "feed")
    assert (settings.f1db, settings.feed) == (LATEST_F1DB, OFFICIAL_FEED)


def test_every_variable_is_read(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "F1_DATA_DIR": str(tmp_path),
            "F1_WAREHOUSE_DIR": str(tmp_path / "elsewhere"),
            "F1_LOCK_WAIT_S": "2.5",
            "F1_SOURCES": "feed",
            "F1_F1DB": "releases/f1db-csv.zip",
            "F1_FEED": "http://127.0.0.1:8000/feeds/",
            "F1_REQUEST_PAUSE_S": "0",
            "F1_DEBUG": "1",
            "F1_DASK": "tcp://10.0.0.1:8786",
        }
    )
    assert settings.data_dir == tmp_path
    assert settings.dask == "tcp://10.0.0.1:8786"
    assert settings.warehouse_dir == tmp_path / "elsewhere"
    assert settings.received_dir == tmp_path / "received"
    assert settings.lock_wait_s == 2.5
    assert settings.sources == ("feed",)
    assert settings.f1db == "releases/f1db-csv.zip"
    assert settings.feed == "http://127.0.0.1:8000/feeds"
    assert settings.request_pause_s == 0
    assert settings.is_debugging
    assert settings.faults_dir == tmp_path / "elsewhere" / "faults"


def test_sources_may_be_none_and_keep_their_order() -> None:
    assert load_settings({"F1_SOURCES": "none"}).sources == ()
    assert load_settings({"F1_SOURCES": "feed, f1db"}).sources == ("f1db", "feed")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"F1_SOURCES": "f1db,ergast"}, "F1_SOURCES: expected none or some of f1db, feed, found 'ergast'"),
        ({"F1_DASK": "10.0.0.1"}, "F1_DASK: expected tcp://host:port or tls://host:port, found '10.0.0.1'"),
        ({"F1_LOCK_WAIT_S": "soon"}, "F1_LOCK_WAIT_S: expected a number of seconds, found 'soon'"),
        ({"F1_REQUEST_PAUSE_S": "-1"}, "F1_REQUEST_PAUSE_S: expected a number of seconds, found '-1'"),
        ({"F1_DATA_DIR": "/nowhere/at/all"}, "F1_DATA_DIR: expected a folder at /nowhere/at/all, found none"),
    ],
)
def test_a_wrong_value_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(environ)
    assert str(caught.value) == message
