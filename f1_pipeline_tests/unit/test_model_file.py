"""The header of a SQL model is a contract: its grammar, and the message for every way to get it wrong."""

from pathlib import Path

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.contract import Column
from f1_pipeline.warehouse.model_file import read_model, read_models, read_tests, select_parameters

HEADER = """\
-- description: Points of a driver in one race.
-- grain: race_key, driver_id
-- partitioned_by: race_key
-- strictly_before: core.race_points, core.price
-- up_to_and_including: core.score
-- column: race_key | Race
-- column: driver_id | Driver
-- column: total_points | Points of the weekend | points
-- check: total_points >= -100
-- check: driver_id <> ''
"""
BODY = "select race_key, driver_id, total_points from core.score"


def model_file(tmp_path: Path, text: str, name: str = "points.sql", schema: str = "core") -> Path:
    folder = tmp_path / schema
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def without(key: str) -> str:
    return "".join(line for line in HEADER.splitlines(keepends=True) if not line.startswith(f"-- {key}:"))


def test_header_becomes_the_contract(tmp_path: Path) -> None:
    model = read_model(model_file(tmp_path, HEADER + BODY + ";\n"))
    contract = model.contract
    assert (contract.schema, contract.name, contract.full_name) == ("core", "points", "core.points")
    assert contract.description == "Points of a driver in one race."
    assert contract.grain == ("race_key", "driver_id")
    assert contract.partitioned_by == "race_key"
    assert contract.columns == (
        Column("race_key", "Race", ""),
        Column("driver_id", "Driver", ""),
        Column("total_points", "Points of the weekend", "points"),
    )
    assert contract.checks == ("total_points >= -100", "driver_id <> ''")
    assert model.strictly_before == {"core.race_points", "core.price"}
    assert model.up_to_and_including == {"core.score"}
    assert model.body == BODY
    assert not model.is_fed_by_python


def test_body_keeps_its_comments_and_loses_one_semicolon(tmp_path: Path) -> None:
    body = "select race_key, driver_id,\n    -- the sum of all items\n    total_points\nfrom core.score"
    assert read_model(model_file(tmp_path, HEADER + "\n" + body + " ;\n")).body.rstrip() == body


def test_table_without_partitions_is_allowed(tmp_path: Path) -> None:
    model = read_model(model_file(tmp_path, without("partitioned_by") + BODY))
    assert model.contract.partitioned_by is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("select inc.race_key from incoming as inc", True),
        ("select race_key\nfrom\n    incoming", True),
        ("select race_key from incoming_prices", False),
        ("select incoming from core.score", False),
    ],
)
def test_model_is_fed_by_python_when_it_selects_from_incoming(tmp_path: Path, body: str, expected: bool) -> None:
    assert read_model(model_file(tmp_path, HEADER + body)).is_fed_by_python is expected


@pytest.mark.parametrize("key", ["description", "grain"])
def test_missing_line_is_named(tmp_path: Path, key: str) -> None:
    with pytest.raises(DataError, match=rf"^points\.sql: expected one header line `-- {key}:`, found 0$"):
        read_model(model_file(tmp_path, without(key) + BODY))


@pytest.mark.parametrize("key", ["description", "grain"])
def test_line_given_twice_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(DataError, match=rf"^points\.sql: expected one header line `-- {key}:`, found 2$"):
        read_model(model_file(tmp_path, f"-- {key}: again\n" + HEADER + BODY))


def test_second_partition_column_is_refused(tmp_path: Path) -> None:
    text = HEADER + "-- partitioned_by: driver_id\n" + BODY
    with pytest.raises(DataError, match=r"partitioned_by.*found 2"):
        read_model(model_file(tmp_path, text))


@pytest.mark.parametrize(
    "line",
    [
        "-- owner: nobody",
        "-- Description: Upper case.",
        "-- checks: total_points > 0",
        "-- a sentence without a key",
        "-- description:",
        "--",
    ],
)
def test_line_that_is_not_understood_is_named_with_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError) as caught:
        read_model(model_file(tmp_path, HEADER + line + "\n" + BODY))
    assert str(caught.value) == (
        "points.sql:11: expected a header line with one of check, column, description, grain, partitioned_by, "
        f"strictly_before, up_to_and_including, found {line!r}"
    )


@pytest.mark.parametrize("value", ["total_points", "total_points |", "| Points", "a | b | c | d"])
def test_column_line_needs_a_name_and_a_description(tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError) as caught:
        read_model(model_file(tmp_path, HEADER + f"-- column: {value}\n" + BODY))
    assert str(caught.value) == f"points.sql: expected `-- column: name | description | unit`, found {value!r}"


def test_grain_without_a_column_line_is_named(tmp_path: Path) -> None:
    text = HEADER.replace("-- column: driver_id | Driver\n", "") + BODY
    with pytest.raises(DataError, match=r"^points\.sql: expected a column line for driver_id, found none$"):
        read_model(model_file(tmp_path, text))


def test_partition_column_without_a_column_line_is_named(tmp_path: Path) -> None:
    text = HEADER.replace("partitioned_by: race_key", "partitioned_by: season") + BODY
    with pytest.raises(DataError, match=r"expected a column line for season, found none"):
        read_model(model_file(tmp_path, text))


def test_table_is_partitioned_by_race_or_season(tmp_path: Path) -> None:
    text = HEADER.replace("partitioned_by: race_key", "partitioned_by: driver_id") + BODY
    with pytest.raises(DataError, match=r"^points\.sql: partitioned_by: expected race_key or season, found driver_id$"):
        read_model(model_file(tmp_path, text))


SEASON_MODEL = """\
-- description: One row per season.
-- grain: season
-- partitioned_by: season
-- column: season | Season
select season from core.race
"""


def test_select_finds_its_partitions_in_a_parameter_of_their_name(tmp_path: Path) -> None:
    by_race = read_model(model_file(tmp_path, HEADER + BODY)).contract
    assert by_race.partition == "race"
    assert select_parameters(by_race, "where list_contains($race_keys, race_key)", ["2026-monaco"]) == {
        "race_keys": ["2026-monaco"]
    }
    by_season = read_model(model_file(tmp_path, SEASON_MODEL)).contract
    assert by_season.partition == "season"
    assert select_parameters(by_season, "where list_contains($seasons, season)", ["2025", "2026"]) == {
        "seasons": [2025, 2026]
    }
    assert select_parameters(by_season, "select season from core.race", ["2026"]) == {}


@pytest.mark.parametrize("key", ["strictly_before", "up_to_and_including"])
def test_season_names_no_earlier_races(tmp_path: Path, key: str) -> None:
    with pytest.raises(DataError, match=r"^points\.sql: expected no earlier races to be named, .*; found core\.score$"):
        read_model(model_file(tmp_path, f"-- {key}: core.score\n" + SEASON_MODEL))


@pytest.mark.parametrize("text", [HEADER, ""])
def test_file_without_a_select_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"^points\.sql: expected a select after the header, found none$"):
        read_model(model_file(tmp_path, text))


def test_models_are_read_from_every_schema_but_tests(tmp_path: Path) -> None:
    model_file(tmp_path, HEADER + BODY, "points.sql", "marts")
    model_file(tmp_path, HEADER + BODY, "points.sql", "core")
    model_file(tmp_path, "-- description: A sentence.\n-- asset: core.points\nselect 1", "assert_it.sql", "tests")
    assert list(read_models(tmp_path)) == ["core.points", "marts.points"]


def test_sql_test_says_of_which_table_it_speaks(tmp_path: Path) -> None:
    text = "-- description: No driver twice.\n-- asset: core.points\nselect 1 where false;\n"
    model_file(tmp_path, text, "assert_no_driver_twice.sql", "tests")
    (found,) = read_tests(tmp_path)
    assert (found.name, found.asset) == ("assert_no_driver_twice", "core.points")
    assert (found.description, found.body) == ("No driver twice.", "select 1 where false")


def test_sql_test_without_an_asset_is_refused(tmp_path: Path) -> None:
    model_file(tmp_path, "-- description: A sentence.\nselect 1", "assert_it.sql", "tests")
    with pytest.raises(DataError, match=r"^assert_it\.sql: expected one header line `-- asset:`, found 0$"):
        read_tests(tmp_path)


def test_sql_test_has_no_grain(tmp_path: Path) -> None:
    text = "-- description: A sentence.\n-- asset: core.points\n-- grain: race_key\nselect 1"
    model_file(tmp_path, text, "assert_it.sql", "tests")
    with pytest.raises(DataError, match=r"^assert_it\.sql:3: expected a header line with one of asset, description"):
        read_tests(tmp_path)
