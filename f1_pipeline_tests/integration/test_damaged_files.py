"""Damaged files: found, named with the mend, and a warehouse rebuilt with what cannot be computed again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.tracking import Tracking
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.rebuild import move_aside
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.installation import dies
from f1_pipeline_tests.support import NEXT_RACE, make_settings, rows_of

FORECASTS, LINEUPS = "predictions.asset_forecast", "lineups.optimal_lineup"
MEND = "`f1-pipeline restore` brings a back-up back, `f1-pipeline rebuild` computes it again"


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def emptied(content: bytes) -> bytes:
    return b""


def noise(content: bytes) -> bytes:
    return random.Random(1).randbytes(len(content))


def noise_in_the_middle(content: bytes) -> bytes:
    spoilt = bytearray(content)
    spoilt[4096:12288] = random.Random(1).randbytes(8192)
    return bytes(spoilt)


DAMAGES = (cut, emptied, noise, noise_in_the_middle)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("arguments", [("query", "from core.race"), ("lineup",), ("run", "--race", "2023-bahrain")])
def test_a_damaged_warehouse_is_named_with_its_mend(
    history: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path))
    path = tmp_path / "f1.duckdb"
    content = damage(history.path.read_bytes())
    path.write_bytes(content)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert f"{path}: the file " in result.stderr
    assert MEND in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert path.read_bytes() == content


def test_a_warehouse_of_an_earlier_version_is_named_with_its_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path))
    with duckdb.connect(str(tmp_path / "f1.duckdb")) as connection:
        connection.execute("create schema lineups")
        connection.execute("create table lineups.optimal_lineup as select '2026-monaco' as race_key, 1 as old_column")
    result = CliRunner().invoke(main, ["lineup"])
    assert result.exit_code == 2, result.output
    assert "`f1-pipeline rebuild`" in result.stderr


@pytest.mark.parametrize("damage", [noise, noise_in_the_middle])
def test_a_damaged_model_store_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(damage(b"SQLite format 3\0" + b"\xff" * 20_000))
    with pytest.raises(WarehouseError, match=r"mlflow\.db: the model store cannot be used; `f1-pipeline restore`"):
        Tracking(tmp_path)


@pytest.mark.parametrize("name", ["runs.db", "index.db"])
def test_a_damaged_history_of_runs_is_named(settings: Settings, name: str) -> None:
    with open_instance(settings) as instance:
        instance.get_runs_count()
    (path,) = settings.dagster_dir.rglob(name)
    path.write_bytes(noise(path.read_bytes()))
    with (
        pytest.raises(WarehouseError, match=rf"{name}: the history of runs cannot be used; `f1-pipeline restore`"),
        open_instance(settings),
    ):
        pytest.fail("it was opened")


@pytest.fixture
def with_a_live_forecast(complete: Pipeline, tmp_path: Path) -> Pipeline:
    """A copy of the complete warehouse whose forecast of the next race was made before its deadline."""
    settings = make_settings(tmp_path / "warehouse", complete.settings.data_dir)
    settings.warehouse_dir.mkdir()
    shutil.copy(complete.settings.warehouse_path, settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"update {FORECASTS} set is_live = true, made_at = deadline_at - interval 1 hour where race_key = ?",  # noqa: S608
            [NEXT_RACE],
        )
    return Pipeline(settings)


def live_rows(path: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.table(FORECASTS).filter("is_live").order("all").fetchall()


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_rebuild_keeps_what_cannot_be_computed_again(with_a_live_forecast: Pipeline, is_damaged: bool) -> None:
    path = with_a_live_forecast.settings.warehouse_path
    wanted, told = live_rows(path), []
    assert wanted
    if is_damaged:
        shutil.copy(path, path.with_name("published.duckdb"))
        path.write_bytes(cut(path.read_bytes()))
    content = path.read_bytes()
    done = move_aside(with_a_live_forecast, told.append)
    assert done.aside is not None
    assert done.aside.read_bytes() == content
    assert {kept.source for kept in done.kept.values()} == {"published.duckdb" if is_damaged else "f1.duckdb"}
    assert done.kept[FORECASTS].rows.num_rows == len(wanted)
    assert live_rows(path) == wanted
    # what was recommended in time is of the one race that was forecast in time
    assert done.kept[LINEUPS].rows.num_rows == len(rows_of(path, LINEUPS, NEXT_RACE)) == 70
    assert {row[0] for row in rows_of(path, LINEUPS)} == {NEXT_RACE}
    assert len(told) == is_damaged
    assert [each.name for each in path.parent.glob("*.rebuil*")] == []


def test_a_rebuild_that_cannot_write_or_is_killed_loses_nothing(with_a_live_forecast: Pipeline) -> None:
    path = with_a_live_forecast.settings.warehouse_path
    wanted, content, told = live_rows(path), path.read_bytes(), []

    def work() -> None:
        with pytest.raises(WarehouseError, match=r"f1\.duckdb\.rebuilding: check the disk"):
            move_aside(with_a_live_forecast, told.append)

    assert not dies(work, largest=20_000)
    assert path.read_bytes() == content

    def interrupted() -> None:
        with pytest.raises(WarehouseError, match="cannot be moved aside: No space left on device"):
            move_aside(with_a_live_forecast, told.append)

    # the new file is whole, the old one aside, and the third rename fails
    assert not dies(interrupted, fails_after=2)
    assert not path.exists()
    done = move_aside(with_a_live_forecast, told.append)
    assert done.aside is None
    assert done.kept[FORECASTS].source == "f1.duckdb.rebuilt"
    assert live_rows(path) == wanted


def test_rows_of_an_older_version_are_mapped_or_named(with_a_live_forecast: Pipeline) -> None:
    path = with_a_live_forecast.settings.warehouse_path
    wanted, told = len(live_rows(path)), []
    shutil.copy(path, path.with_name("published.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"alter table {FORECASTS} add column old integer")
        connection.execute(f"alter table {LINEUPS} alter rank type bigint")
        connection.execute("create or replace table core.current_lineup as select 1 as is_old")
    path.with_name("published.duckdb").unlink()
    done = move_aside(with_a_live_forecast, told.append)
    assert done.kept[FORECASTS].rows.num_rows == wanted == len(live_rows(path))
    assert LINEUPS not in done.kept
    said = "\n".join(told)
    assert f"{FORECASTS} in f1.duckdb has other columns than now: not kept are old." in said
    assert f"Nothing of {LINEUPS} can be kept from f1.duckdb: other types of rank." in said
    assert "Nothing of core.current_lineup can be kept from f1.duckdb, where it stays" in said


def test_a_rebuild_of_a_warehouse_that_nothing_can_be_read_from_begins_anew(pipeline: Pipeline) -> None:
    path = pipeline.settings.warehouse_path
    path.parent.mkdir()
    path.write_bytes(b"nothing of a warehouse")
    told: list[str] = []
    done = move_aside(pipeline, told.append)
    assert done.kept == {}
    assert not path.exists()
    assert done.aside is not None
    assert done.aside.read_bytes() == b"nothing of a warehouse"
    assert len(told) == 1
