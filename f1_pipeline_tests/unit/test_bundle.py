"""Strict reading: the committed facts are accepted, and each kind of damage gets one clear message."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.sources.bundle import load_fact_table, validate_bundle
from f1_pipeline.sources.fact_frames import read_facts
from f1_pipeline.sources.readme import render_data_readme
from f1_pipeline.sources.tables import FACT_TABLES

DATA_DIR = Path(__file__).parents[2] / "data"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    for table in FACT_TABLES.values():
        shutil.copy(DATA_DIR / table.file_name, tmp_path / table.file_name)
    return tmp_path


def rewrite(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(change(lines)), encoding="utf-8", newline="\n")


def replace_field(path: Path, line: int, column: str, value: str) -> None:
    """Change one field; lines are counted from the header, which is 1."""

    def change(lines: list[str]) -> list[str]:
        index = lines[0].strip().split(",").index(column)
        fields = lines[line - 1].rstrip("\n").split(",")
        fields[index] = value
        return [*lines[: line - 1], ",".join(fields) + "\n", *lines[line:]]

    rewrite(path, change)


def test_committed_facts_are_valid():
    rows = validate_bundle(DATA_DIR)
    assert rows["races.csv"] == 196
    assert rows["official_totals.csv"] == 2265
    assert set(rows) == {table.file_name for table in FACT_TABLES.values()}


def test_readme_of_the_facts_is_not_stale():
    assert (DATA_DIR / "README.md").read_text(encoding="utf-8") == render_data_readme(read_facts(DATA_DIR))


def test_types_are_the_declared_ones():
    prices = load_fact_table(DATA_DIR, "prices", ["2026-monaco"])
    assert prices.schema.field("price_musd").type == pa.decimal128(5, 1)
    by_asset = dict(zip(prices["asset_id"].to_pylist(), prices["price_musd"].to_pylist(), strict=True))
    assert len(by_asset) == 33
    assert all(isinstance(price, Decimal) for price in by_asset.values())
    races = load_fact_table(DATA_DIR, "races", ["2026-monaco"])
    assert races.schema.field("lock_at").type == pa.timestamp("us", tz="UTC")
    assert races["lock_at"][0].as_py().isoformat() == "2026-06-06T14:00:00+00:00"
    assert races["has_sprint"][0].as_py() is False


def test_columns_are_found_by_name_in_any_order(data_dir):
    rewrite(
        data_dir / "circuits.csv",
        lambda lines: [",".join(reversed(line.rstrip("\n").split(","))) + "\n" for line in lines],
    )
    assert load_fact_table(data_dir, "circuits").equals(load_fact_table(DATA_DIR, "circuits"))


def test_race_keys_filter_and_unknown_ones_are_refused():
    rows = load_fact_table(DATA_DIR, "official_totals", ["2026-china", "2026-monaco"])
    assert set(rows["race_key"].to_pylist()) == {"2026-china"}  # Monaco is not scored yet
    assert load_fact_table(DATA_DIR, "drivers", ["2026-china"]).num_rows == 69
    with pytest.raises(UsageError, match=r"'2026-atlantis' is not a race key of races\.csv"):
        load_fact_table(DATA_DIR, "prices", ["2026-atlantis"])
    with pytest.raises(UsageError, match="No fact table is called 'weather'"):
        load_fact_table(DATA_DIR, "weather")


def test_missing_file(data_dir):
    (data_dir / "prices.csv").unlink()
    with pytest.raises(DataError, match=r"^prices\.csv is missing from "):
        load_fact_table(data_dir, "prices")


@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (None, "has a header but no rows")])
def test_empty_file(data_dir, content, message):
    path = data_dir / "circuits.csv"
    header = path.read_bytes().split(b"\n")[0] + b"\n"
    path.write_bytes(header if content is None else content)
    with pytest.raises(DataError, match=message):
        load_fact_table(data_dir, "circuits")


def test_truncated_in_the_last_field(data_dir):
    path = data_dir / "prices.csv"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"prices\.csv line 2299: the file ends in the middle of a line"):
        load_fact_table(data_dir, "prices")


def test_line_cut_short(data_dir):
    path = data_dir / "circuits.csv"
    rewrite(path, lambda lines: [*lines[:3], ",".join(lines[3].split(",")[:4]) + "\n", *lines[4:]])
    with pytest.raises(DataError, match=r"circuits\.csv line 4: Expected 9 columns, got 4"):
        load_fact_table(data_dir, "circuits")


def test_misspelt_column(data_dir):
    rewrite(data_dir / "prices.csv", lambda lines: [lines[0].replace("price_musd", "price_muds"), *lines[1:]])
    with pytest.raises(DataError, match=r"prices\.csv line 1: .*found missing price_musd; unknown price_muds\."):
        load_fact_table(data_dir, "prices")


def test_missing_column(data_dir):
    rewrite(
        data_dir / "circuits.csv",
        lambda lines: [",".join(line.rstrip("\n").split(",")[:-1]) + "\n" for line in lines],
    )
    with pytest.raises(DataError, match=r"circuits\.csv line 1: .*found missing turn_count\."):
        load_fact_table(data_dir, "circuits")


def test_column_twice(data_dir):
    rewrite(
        data_dir / "circuits.csv", lambda lines: [line.rstrip("\n") + "," + line.split(",")[0] + "\n" for line in lines]
    )
    with pytest.raises(DataError, match=r"circuits\.csv line 1: a column name occurs twice"):
        load_fact_table(data_dir, "circuits")


def test_duplicate_row(data_dir):
    rewrite(data_dir / "prices.csv", lambda lines: [*lines, lines[5]])
    with pytest.raises(DataError, match=r"prices\.csv line 2300: expected one row per .*again \(first on line 6\)\."):
        load_fact_table(data_dir, "prices")


@pytest.mark.parametrize(
    ("name", "line", "column", "value", "message"),
    [
        ("race_results", 3, "driver_id", "nobody", r"column driver_id: expected a value known in drivers\.csv"),
        ("prices", 2, "asset_id", "nobody", r"column asset_id: expected a value known in constructors\.csv"),
        ("prices", 4, "race_key", "2026-atlantis", r"line 4, column race_key: .*found '2026-atlantis'\.$"),
        ("races", 2, "circuit_id", "moon", r"line 2, column circuit_id: expected a value known in circuits\.csv"),
        ("prices", 7, "price_musd", "-4.5", r"line 7, column price_musd: expected at least 0\.1, found '-4\.5'"),
        ("prices", 7, "price_musd", "4.55", r"line 7, column price_musd: expected a number with one decimal"),
        ("prices", 7, "price_musd", "", r"line 7, column price_musd: expected a value, found an empty field"),
        ("sessions", 9, "session", "warmup", r"line 9, column session: expected one of fp1, .*found 'warmup'"),
        ("event_scores", 8, "points", "7.0", r"line 8, column points: expected a whole number, found '7\.0'"),
        ("races", 3, "lock_at", "yesterday", r"line 3, column lock_at: expected an instant such as"),
        ("races", 3, "has_sprint", "maybe", r"line 3, column has_sprint: expected true or false, found 'maybe'"),
        ("ownership", 3, "selected_pct", "nan", r"line 3, column selected_pct: expected a finite number"),
    ],
)
def test_bad_field(data_dir, name, line, column, value, message):
    replace_field(data_dir / FACT_TABLES[name].file_name, line, column, value)
    with pytest.raises(DataError, match=message) as caught:
        load_fact_table(data_dir, name)
    assert str(caught.value).startswith(f"{name}.csv line {line}")
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf8(data_dir):
    path = data_dir / "drivers.csv"
    path.write_bytes(path.read_bytes().replace("Á".encode(), b"\xc1", 1))
    with pytest.raises(DataError, match=r"drivers\.csv.*column name: .*UTF-?8"):
        load_fact_table(data_dir, "drivers")
