"""Every table and view as a file: whole, sorted, described, and put in place at once or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.steps.warehouse_export import export_warehouse

DIGEST = "count(*), sum(hash(tab))"  # of all rows, in any order


@pytest.fixture
def small(settings: Settings) -> Pipeline:
    """A published warehouse of one table, one list in it, and no table that a view would need."""
    pipeline = Pipeline(settings)
    with pipeline.warehouse.write() as connection:
        connection.execute("create schema core; create table core.thing (number integer, draws smallint[])")
        connection.execute("insert into core.thing values (2, [1, 2]), (1, [])")
        connection.execute("comment on table core.thing is 'One row per thing.'")
        connection.execute("comment on column core.thing.number is 'Its number [count]'")
    publish_snapshot(pipeline)
    return open_published(settings)


def manifest_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_every_table_and_view_comes_back_from_its_file(complete: Pipeline, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    published = open_published(complete.settings)
    exported = export_warehouse(published, tmp_path / "out", tell=lambda *step: told.append(step))
    names = {table.name for table in exported}
    assert {"raw.races", "predictions.asset_forecast", "lineups.optimal_lineup", "reader.price_history"} <= names
    assert [step[1:] for step in told] == [(number, len(exported)) for number in range(1, len(exported) + 1)]
    with published.warehouse.read() as connection:
        for table in exported:
            path = tmp_path / "out" / table.file
            stored, written = connection.sql(f"from {table.name}"), connection.read_parquet(str(path))
            digests = [rows.set_alias("tab").aggregate(DIGEST).fetchall() for rows in (stored, written)]
            assert digests[0] == digests[1], table.name
            described = connection.execute(f"describe from '{path}'").fetchall()
            assert [row[:2] for row in described] == [(column.name, column.type.upper()) for column in table.columns]


def test_rows_are_sorted_by_what_identifies_them(complete: Pipeline, tmp_path: Path) -> None:
    export_warehouse(open_published(complete.settings), tmp_path / "out", ["marts"])
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select race_key, asset_type, asset_id from read_parquet($path)",
            {"path": str(tmp_path / "out" / "marts" / "race_leaderboard.parquet")},
        ).fetchall()
    assert rows == sorted(rows)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"marts", "manifest.json"}


def test_the_manifest_describes_every_file(small: Pipeline, tmp_path: Path) -> None:
    export_warehouse(small, tmp_path / "out")
    manifest = manifest_in(tmp_path / "out")
    (table,) = manifest["tables"]
    data = (tmp_path / "out" / "core" / "thing.parquet").read_bytes()
    assert table == {
        "name": "core.thing",
        "kind": "table",
        "description": "One row per thing.",
        "file": "core/thing.parquet",
        "row_count": 2,
        "byte_count": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "columns": [
            {"name": "number", "type": "integer", "description": "Its number [count]"},
            {"name": "draws", "type": "smallint[]", "description": ""},
        ],
    }
    assert manifest["format"] == "parquet"


def test_csv_has_lists_as_text(small: Pipeline, tmp_path: Path) -> None:
    export_warehouse(small, tmp_path / "out", form="csv")
    text = (tmp_path / "out" / "core" / "thing.csv").read_text(encoding="utf-8")
    assert text == 'number,draws\n1,[]\n2,"[1, 2]"\n'


def test_an_earlier_export_is_replaced_whole(small: Pipeline, tmp_path: Path) -> None:
    export_warehouse(small, tmp_path / "out")
    export_warehouse(small, tmp_path / "out", form="csv")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert {name for name in files if name.startswith(("out", ".out"))} == {"out/manifest.json", "out/core/thing.csv"}


def test_a_folder_with_other_things_is_left_alone(small: Pipeline, tmp_path: Path) -> None:
    export_warehouse(small, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"expected a new folder or an earlier export, found notes\.txt in it"):
        export_warehouse(small, tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="expected a folder, found a file"):
        export_warehouse(small, tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"made_by": "somebody"}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"found manifest\.json in it"):
        export_warehouse(small, tmp_path / "other")


def test_an_export_that_fails_half_way_leaves_the_earlier_one(small: Pipeline, tmp_path: Path) -> None:
    export_warehouse(small, tmp_path / "out")
    before = manifest_in(tmp_path / "out")
    small.close()
    writer = Pipeline(small.settings)
    with writer.warehouse.write() as connection:
        connection.execute("create table core.two (number integer)")
    publish_snapshot(writer)

    def spoil(table: str, done: int, total: int) -> None:
        for folder in tmp_path.glob(".out-*/made/core"):
            shutil.rmtree(folder)
            folder.touch()  # where the next table wants its folder to be

    with pytest.raises(DataError, match="out: expected a folder that can be written"):
        export_warehouse(small, tmp_path / "out", tell=spoil)
    assert manifest_in(tmp_path / "out") == before
    assert not list(tmp_path.glob(".out-*"))


def test_an_unknown_schema_is_named(small: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--schema: expected some of core, found 'mart'"):
        export_warehouse(small, tmp_path / "out", ["mart"])
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(small: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(small.settings.warehouse_dir))
    answer = CliRunner().invoke(main, ["export", "--out", str(tmp_path / "out"), "--schema", "core"])
    assert (answer.exit_code, answer.stdout) == (0, f"     2 rows  {tmp_path / 'out' / 'core' / 'thing.parquet'}\n")
    answer = CliRunner().invoke(main, ["export", "--out", str(tmp_path / "out"), "--schema", "nothing"])
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)
