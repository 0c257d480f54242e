"""Rows of teams: what is wrong with each bad one, and that the others are read as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.optimize.chip_gains import WeekendViews
from f1_pipeline.optimize.many_teams import race_tables
from f1_pipeline.optimize.problem import NO_KEYS
from f1_pipeline.optimize.team_market import ANY_NUMBER
from f1_pipeline.optimize.team_problem import whole_menu
from f1_pipeline.steps.team_rows import TeamReader, check_columns
from f1_pipeline_tests.team_races import calendar_of, menu_of, prices_of, rules_of

RACE = "2026-monaco"
IDLE = "yuki-tsunoda@red-bull"
MOVED = "lando-norris@williams"  # a seat that the driver has left
GOOD: dict[str, Any] = {
    "team_id": "one",
    "drivers": ["george-russell", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"],
    "constructors": ["mclaren", "audi"],
    "bank_musd": 20.6,
    "free_transfers": 1,
    "chips_left": ["wildcard", "limitless"],
    "boosted": "george-russell",
    "races_played": 5,
}
FOUR = GOOD["drivers"][:4]
BAD: dict[str, tuple[Mapping[str, Any], str]] = {
    "no id": ({"team_id": None}, "team_id: expected an id, found null"),
    "four drivers": ({"drivers": FOUR}, "drivers: expected 5, found 4"),
    "no drivers": ({"drivers": []}, "drivers: expected 5, found none"),
    "null drivers": ({"drivers": None}, "drivers: expected a list, found null"),
    "a null driver": ({"drivers": [*FOUR, None]}, "drivers: expected ids, found null"),
    "an unknown driver": (
        {"drivers": [*FOUR, "lando-noris"]},
        f"drivers: expected ids of {RACE} such as lando-norris, found lando-noris",
    ),
    "a constructor as driver": ({"drivers": [*FOUR, "mclaren"]}, f"drivers: expected ids of {RACE} such as "),
    "a driver twice": (
        {"drivers": [*FOUR, FOUR[0]]},
        "drivers: expected each once, found 'george-russell' twice",
    ),
    "a constructor twice": (
        {"constructors": ["audi", "audi"]},
        "constructors: expected each once, found 'audi' twice",
    ),
    "three constructors": ({"constructors": ["audi", "mclaren", "ferrari"]}, "constructors: expected 2, found 3"),
    "a negative bank": (
        {"bank_musd": -0.1},
        "bank_musd: expected 0 to 999.9 million dollars with one decimal, found -0.1",
    ),
    "a bank of NaN": (
        {"bank_musd": float("nan")},
        "bank_musd: expected 0 to 999.9 million dollars with one decimal, found",
    ),
    "a bank without end": ({"bank_musd": float("inf")}, "bank_musd: expected 0 to 999.9 million"),
    "a bank in cents": (
        {"bank_musd": 1.25},
        "bank_musd: expected 0 to 999.9 million dollars with one decimal, found 1.25",
    ),
    "a null bank": ({"bank_musd": None}, "bank_musd: expected 0 to 999.9 million dollars with one decimal, found null"),
    "too many free transfers": ({"free_transfers": 9}, "free_transfers: expected 0 to 3, found 9"),
    "a negative free transfer": ({"free_transfers": -1}, "free_transfers: expected 0 to 3, found -1"),
    "null free transfers": ({"free_transfers": None}, "free_transfers: expected 0 to 3, found null"),
    "an unknown chip": (
        {"chips_left": ["wildcard", "joker"]},
        "chips_left: expected some of autopilot, extra_boost, final_fix, limitless, no_negative, wildcard, found joker",
    ),
    "a null chip": ({"chips_left": [None]}, "chips_left: expected some of autopilot, "),
    "null chips": ({"chips_left": None}, "chips_left: expected a list, found null"),
    "a chip twice": (
        {"chips_left": ["wildcard", "wildcard"]},
        "chips_left: expected wildcard at most 1 times, found it 2 times",
    ),
    "a boost on nobody held": (
        {"boosted": "lando-norris"},
        "boosted: expected one of the drivers, found 'lando-norris'",
    ),
    "too many races": ({"races_played": 100}, "races_played: expected 0 to 99, found 100"),
    "too rich at the start": (
        {"races_played": 0, "bank_musd": 90.0},
        "bank_musd: expected a team that is worth $100.0M with its bank before its first race, found $",
    ),
}


@cache
def reader() -> TeamReader:
    prices = prices_of(RACE) | {(DRIVER, IDLE): 150, (DRIVER, MOVED): 60}
    idle = frozenset({(DRIVER, IDLE), (DRIVER, MOVED)})
    menu = RaceMenu(RACE, calendar_of(2026), menu_of(RACE).has_sprint, prices, idle)
    rules = rules_of(2026)
    problem = whole_menu(menu, dict.fromkeys(prices, 0.0), rules)
    return TeamReader(menu, rules, race_tables(problem, WeekendViews(), rules, NO_KEYS, {}).market)


def table(*rows: Mapping[str, Any]) -> pa.Table:
    texts = pa.list_(pa.string())
    schema = pa.schema(
        {
            "team_id": pa.string(),
            "drivers": texts,
            "constructors": texts,
            "bank_musd": pa.float64(),
            "free_transfers": pa.int64(),
            "chips_left": texts,
            "boosted": pa.string(),
            "races_played": pa.int64(),
        }
    )
    return pa.Table.from_pylist([GOOD | row for row in rows], schema=schema)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_told_and_its_neighbours_go_on(name: str) -> None:
    changes, expected = BAD[name]
    read = reader().read(table({}, changes, {"bank_musd": 0.3}), np.zeros(3, dtype=bool))
    assert read.errors[0] is None
    assert read.errors[2] is None
    assert str(read.errors[1]).startswith(expected), read.errors[1]
    assert read.places.tolist() == [0, 2]
    assert np.diff(read.teams.budget_tenths).tolist() == [3 - 206]


def test_an_id_of_several_rows_is_told_of_each() -> None:
    read = reader().read(table({}, {"team_id": "two"}, {}), np.array([True, False, True]))
    assert read.errors.tolist() == [
        "team_id: expected each once, found 'one' more than once",
        None,
        "team_id: expected each once, found 'one' more than once",
    ]


def test_a_good_row_is_read_as_it_is() -> None:
    found = reader().read(table({}), np.zeros(1, dtype=bool))
    market, prices = reader().market, reader().menu.prices
    seats = [market.driver_ids[row] for row in found.teams.drivers[0]]
    assert sorted(map(driver_of, seats)) == sorted(GOOD["drivers"])
    assert [market.constructor_ids[row] for row in market.pairs[found.teams.pairs[0]]] == ["audi", "mclaren"]
    held = [*((DRIVER, seat) for seat in seats), ("constructor", "audi"), ("constructor", "mclaren")]
    assert found.teams.budget_tenths[0] == 206 + sum(prices[key] for key in held)
    assert found.teams.free_transfers.tolist() == [1]
    assert [name for name, is_left in zip(reader().chip_names, found.chips_left[0], strict=True) if is_left] == [
        "limitless",
        "wildcard",
    ]
    assert market.driver_ids[found.boosted[0]] == "george-russell@mercedes"
    assert found.races_played.tolist() == [5]


def test_who_sits_out_is_held_by_name_or_seat_and_may_have_the_boost() -> None:
    by_name = {"drivers": [*FOUR, "yuki-tsunoda"], "boosted": "yuki-tsunoda"}
    by_seat = {"drivers": [*FOUR, IDLE], "boosted": IDLE}
    read = reader().read(table(by_name, by_seat), np.zeros(2, dtype=bool))
    assert read.errors.tolist() == [None, None]
    assert read.teams.drivers[0].tolist() == read.teams.drivers[1].tolist()
    assert [reader().market.driver_ids[row] for row in read.boosted] == [IDLE, IDLE]


def test_of_two_seats_of_a_driver_a_name_means_that_at_the_race() -> None:
    held = [*FOUR[:3], "lando-norris", MOVED]
    read = reader().read(
        table({"drivers": held, "boosted": "lando-norris"}, {"drivers": held, "boosted": MOVED}),
        np.zeros(2, dtype=bool),
    )
    assert [reader().market.driver_ids[row] for row in read.boosted] == ["lando-norris@mclaren", MOVED]


def test_before_the_first_race_any_number_of_transfers_is_free() -> None:
    read = reader().read(table({"races_played": 0, "bank_musd": 0.0, "free_transfers": 9}), np.zeros(1, dtype=bool))
    assert read.errors.tolist() == [None]
    assert read.teams.free_transfers.tolist() == [ANY_NUMBER]


def test_optional_columns_may_be_missing_or_null() -> None:
    bare = table({}, {"races_played": None, "boosted": None})
    for rows in (bare.drop_columns(["boosted", "races_played"]), bare.slice(1)):
        read = reader().read(rows, np.zeros(rows.num_rows, dtype=bool))
        assert set(read.errors) == {None}
        assert set(read.boosted) == {-1}
        assert set(read.races_played) == {1}


@pytest.mark.parametrize(
    ("key", "column", "expected"),
    [
        ("bank_musd", pa.array(["1.0"]), "teams.parquet: bank_musd: expected numbers, found string"),
        ("drivers", pa.array(["max"]), "teams.parquet: drivers: expected lists of texts, found string"),
        ("chips_left", pa.array([3]), "teams.parquet: chips_left: expected lists of texts, found int64"),
        ("team_id", pa.array([1.5]), "teams.parquet: team_id: expected texts or whole numbers, found double"),
    ],
)
def test_a_column_of_another_kind_is_refused(key: str, column: pa.Array, expected: str) -> None:
    rows = table({})
    schema = rows.set_column(rows.schema.get_field_index(key), key, column).schema
    with pytest.raises(DataError) as refusal:
        check_columns(schema, "teams.parquet")
    assert str(refusal.value) == expected


def test_missing_columns_and_wishes_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"t\.parquet: expected the columns team_id, .*, found no drivers, bank_musd$"):
        check_columns(table({}).drop_columns(["drivers", "bank_musd"]).schema, "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: banned: expected no wishes for many teams"):
        check_columns(table({}).append_column("banned", pa.array([["lando-norris"]])).schema, "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: drivers: expected one column, found 2"):
        check_columns(table({}).append_column("drivers", pa.array([["lando-norris"]])).schema, "t.parquet")


@pytest.mark.parametrize("kind", [pa.large_list(pa.large_string()), pa.list_(pa.dictionary(pa.int32(), pa.string()))])
def test_other_forms_of_lists_are_read_alike(kind: pa.DataType) -> None:
    rows = table({}, {"drivers": FOUR})
    other = rows.set_column(1, "drivers", rows["drivers"].cast(kind))
    check_columns(other.schema, "teams.parquet")
    read = reader().read(other, np.zeros(2, dtype=bool))
    assert read.errors.tolist() == [None, "drivers: expected 5, found 4"]
