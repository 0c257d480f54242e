"""A disk that is full: one error that names the file, nothing changed, nothing left over, and the next try succeeds.

Belongs here: everything that writes but runs of the graph. A full disk is a limit on the size of files, which needs no
rights. Neighbours: `test_runs_in_trouble.py` fills the disk of a run, `integration/test_snapshot.py` that of a
snapshot, `integration/test_warehouse.py` that of the steps of a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from f1_pipeline.defs.instance import open_instance
from f1_pipeline.errors import DataError, F1PipelineError, UsageError, WarehouseError
from f1_pipeline.forecast.model_records import weekend_record
from f1_pipeline.forecast.tracking import Tracking
from f1_pipeline.report.files import write_file
from f1_pipeline.settings import Settings
from f1_pipeline.sources.my_team import MyTeam, write_my_team
from f1_pipeline.sources.publish import publish, publishing
from f1_pipeline.sources.received import ReceivedStore
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.steps.backup import back_up
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.restore import restore
from f1_pipeline.steps.warehouse_export import export_warehouse
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline_tests.faults.small_facts import small_facts
from f1_pipeline_tests.forecast_rows import weekend_model
from f1_pipeline_tests.installation import TABLE, dies, small_installation, state
from f1_pipeline_tests.support import make_settings

pytestmark = pytest.mark.faults
AT = datetime(2026, 6, 1, tzinfo=UTC)
TEAM = MyTeam("2026-monaco", ("a", "b"), ("mercedes",), "a", 6, 2, ("wildcard",))


def quiet(text: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def facts_of_two_races(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_facts(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def installation(facts_of_two_races: Path, tmp_path: Path) -> Settings:
    return small_installation(tmp_path / "home", "first", facts=facts_of_two_races)


def refused(work: Callable[[], object], largest: int, kind: type[F1PipelineError], sentence: str) -> None:
    """Do something in a process of its own whose files may only grow so far, and expect its error."""

    def expecting() -> None:
        with pytest.raises(kind, match=sentence) as caught:
            work()
        assert "\n" not in str(caught.value)

    assert not dies(expecting, largest=largest)


def publish_facts(settings: Settings) -> None:
    names = [table.file_name for table in FACT_TABLES.values()]
    files = {name: (settings.data_dir / name).read_bytes() for name in names}
    changed = files | {"races.csv": files["races.csv"].replace(b"Australian Grand Prix", b"Grand Prix of Australia")}
    assert changed != files
    with publishing(settings.data_dir, quiet):
        publish(settings.data_dir, changed, ["races.csv"], quiet)


def keep_payload(settings: Settings) -> None:
    body = np.random.default_rng(1).bytes(50_000)
    ReceivedStore(settings.data_dir, quiet).keep("/a.json", "https://a/a.json", body, AT, None, None)


def enter_team(settings: Settings) -> None:
    write_my_team(settings.team_path, replace(TEAM, bank_tenths=9))


def write_page(settings: Settings) -> None:
    write_file(settings.home / "page.html", b"x" * 50_000)


def export(settings: Settings) -> None:
    pipeline = Pipeline(make_settings(settings.warehouse_dir, settings.data_dir))
    export_warehouse(pipeline, settings.home / "export", form="csv")


def write_rows(settings: Settings) -> None:
    with Warehouse(settings.warehouse_path).write() as connection:
        connection.execute(TABLE.format(5_000_000).replace("core.number", "core.other"))


def make_backup(settings: Settings) -> None:
    back_up(settings, settings.home.parent / "backups" / "f1.zip", quiet)


WRITERS = {
    "facts": (publish_facts, DataError, r"data: the facts cannot be written: File too large"),
    "payload": (keep_payload, DataError, r"feed: payloads cannot be kept: File too large"),
    "team": (enter_team, DataError, r"my_team\.toml: cannot be written: File too large"),
    "page": (write_page, UsageError, r"page\.html: expected a place to write to, found File too large"),
    "export": (export, WarehouseError, r"core/number\.csv: cannot be written: .*File too large"),
    "warehouse": (write_rows, WarehouseError, r"f1\.duckdb: check the disk, its space and the file"),
    "backup": (make_backup, WarehouseError, r"f1\.zip: the back-up cannot be written: File too large"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_and_changes_nothing(installation: Settings, name: str) -> None:
    write, kind, sentence = WRITERS[name]
    write_my_team(installation.team_path, TEAM)
    before = state(installation)
    largest = installation.warehouse_path.stat().st_size if name == "warehouse" else 20
    refused(lambda: write(installation), largest, kind, sentence)
    assert state(installation) == before
    assert [path for path in installation.home.parent.rglob("*") if _is_leftover(path)] == []
    write(installation)
    assert state(installation) != before or (installation.home.parent / "backups" / "f1.zip").exists()


def _is_leftover(path: Path) -> bool:
    return path.is_file() and (path.name.startswith(".") or path.suffix in (".new", ".tmp", ".unfinished"))


def test_a_restore_that_finds_no_space_changes_nothing(installation: Settings, tmp_path: Path) -> None:
    archive = back_up(installation, tmp_path / "f1.zip", quiet).path
    wanted = state(installation)
    small_installation(installation.home, "second", rows=5)
    before = state(installation)
    refused(lambda: restore(installation, archive, quiet), 1000, WarehouseError, "cannot be restored: File too large")
    assert state(installation) == before
    restore(installation, archive, quiet)
    assert state(installation) == wanted


def test_a_line_of_the_index_that_did_not_fit_is_not_taken_for_one(tmp_path: Path) -> None:
    def keep(number: int) -> None:
        ReceivedStore(tmp_path, quiet).keep(f"/{number}.json", "https://a/a.json", b"{}", AT, None, None)

    for number in range(20):
        keep(number)
    (index,) = tmp_path.rglob("*.jsonl")
    refused(lambda: keep(20), index.stat().st_size + 50, DataError, "payloads cannot be kept: No space left on device")
    keep(21)
    paths = [receipt.path for receipt in ReceivedStore(tmp_path, quiet).receipts]
    assert paths == [f"/{number}.json" for number in (*range(20), 21)]


def test_a_model_that_finds_no_space_is_not_reused(tmp_path: Path) -> None:
    record = weekend_record(weekend_model("2026-monaco", seed=7), "2026-06-07")
    refused(lambda: Tracking(tmp_path / "other"), 0, WarehouseError, r"mlflow\.db: the model store cannot be written")
    Tracking(tmp_path)
    largest = 100_000  # the log of the store
    refused(lambda: Tracking(tmp_path).log_model(record), largest, WarehouseError, "the model store cannot be written")
    tracking = Tracking(tmp_path)
    assert tracking.find(record.fingerprint) is None
    uri = tracking.log_model(record)
    assert tracking.find(record.fingerprint) == uri


@pytest.mark.parametrize("largest", [0, 5_000, 100_000])
def test_a_history_of_runs_that_finds_no_space_is_named(tmp_path: Path, largest: int) -> None:
    settings = make_settings(tmp_path)

    def work() -> None:
        with open_instance(settings) as instance:
            instance.get_runs_count()

    refused(work, largest, WarehouseError, r"dagster: the history of runs cannot be ")
    work()
