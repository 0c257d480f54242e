"""Spoilt files that people and programs write: facts, teams, rivals, rules, SQL models, records of the game."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.fact_frames import read_facts
from f1_pipeline.sources.fantasy_records import RECORD_COLUMNS, read_records
from f1_pipeline.sources.importer_calendar import build_calendar
from f1_pipeline.sources.my_team import MyTeam, read_my_team, write_my_team
from f1_pipeline.sources.rival_team import read_rival
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.sources.team_import import read_team_file
from f1_pipeline.warehouse.model_file import read_model, read_tests
from f1_pipeline_tests.faults.fuzzing import PAYLOADS, fuzz
from f1_pipeline_tests.faults.mutations import NASTY_TEXTS, NASTY_TOML, any_csv, any_json, any_lines
from f1_pipeline_tests.faults.small_facts import release_of, small_facts
from f1_pipeline_tests.release import release_frames
from f1_pipeline_tests.support import DATA, REPO

pytestmark = pytest.mark.faults

TEAM_JSON = b"""{"race_key": "2026-monaco", "name": "Mine", "bank_musd": 1.2, "free_transfers": 2, "chips_left":
["wildcard"], "locked": [], "banned": ["alpine"], "races_played": 4, "assets": [{"asset_type": "driver", "asset_id":
"kimi-antonelli", "is_boosted": true}, {"asset_type": "constructor", "asset_id": "mercedes"}, "VER"]}"""
TEAM_CSV = b'name,type,boosted\nkimi-antonelli,driver,yes\n"Red Bull",constructor,\nVER,driver,no\n'
RIVAL_JSON = b'{"drivers": ["antonelli", "VER"], "constructors": ["mercedes"], "boosted": "VER", "more": [1, null]}'
RIVAL_TOML = b'drivers = ["antonelli", "VER"]\nconstructors = ["mercedes"]\nboosted = "VER"\nbank_musd = 0.6\n'
any_toml = any_lines(NASTY_TOML, "= ")
any_header = any_lines((*NASTY_TEXTS, "a | b | c | d", "season", "race_key, season", "|", "a,,b"), ": ")


def in_file(path: Path, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def write_and_read(content: bytes) -> object:
        path.write_bytes(content)
        return read(path)

    return write_and_read


def test_spoilt_fact_files_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    data_dir = small_facts(tmp_path / "data")
    good = {name: (data_dir / table.file_name).read_bytes() for name, table in FACT_TABLES.items()}

    def make(random: Random) -> tuple[str, bytes]:
        name = random.choice(list(good))
        return name, any_csv(random, good[name])

    def read(payload: tuple[str, bytes]) -> None:
        path = data_dir / FACT_TABLES[payload[0]].file_name
        path.write_bytes(payload[1])
        try:
            load_fact_table(data_dir, payload[0])
            read_facts(data_dir)
        finally:
            path.write_bytes(good[payload[0]])

    tally = fuzz("facts", make, read, scaled(PAYLOADS))
    assert tally.refused > tally.read


def test_spoilt_exceptions_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    data_dir = small_facts(tmp_path / "data")
    path = data_dir / "known_exceptions.csv"
    rows = [
        ("items", "driver", "kimi-antonelli", "32.0", "31.0", '"He, whom the game counts ""first""."'),
        ("engine", "constructor", "mercedes", "96.0", "-1.0", "It carries his points."),
        ("price", "driver", "max-verstappen", "27.9", "28.0", "Rounded."),
    ]
    header = path.read_text(encoding="utf-8").splitlines()[0]
    good = "\n".join([header, *(",".join(("2026-china", *row)) for row in rows), ""]).encode("utf-8")
    read = in_file(path, lambda path: load_fact_table(data_dir, "known_exceptions"))
    tally = fuzz("known exceptions", lambda random: any_csv(random, good), read, scaled(PAYLOADS))
    assert tally.read
    assert tally.refused


def test_a_spoilt_team_is_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    path = tmp_path / "my_team.toml"
    team = MyTeam("2026-monaco", ("a", "b"), ("mercedes",), "a", 6, 2, ("wildcard",), "Mine", ("a",), ("alpine",), 4)
    write_my_team(path, team)
    good = path.read_bytes()
    tally = fuzz("my team", lambda random: any_toml(random, good), in_file(path, read_my_team), scaled(PAYLOADS))
    assert tally.read
    assert tally.refused


@pytest.mark.parametrize(
    ("name", "good", "mutate", "read"),
    [
        ("team.json", TEAM_JSON, any_json, read_team_file),
        ("team.csv", TEAM_CSV, any_csv, read_team_file),
        ("rival.json", RIVAL_JSON, any_json, read_rival),
        ("rival.toml", RIVAL_TOML, any_toml, read_rival),
    ],
)
def test_a_spoilt_team_of_others_is_read_or_refused(
    scaled: Callable[[int], int],
    tmp_path: Path,
    name: str,
    good: bytes,
    mutate: Callable[[Random, bytes], bytes],
    read: Callable[[Path], object],
) -> None:
    path = tmp_path / name
    tally = fuzz(name, lambda random: mutate(random, good), in_file(path, read), scaled(PAYLOADS))
    assert tally.read
    assert tally.refused


def test_spoilt_rules_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    path = tmp_path / "rules" / "2026.toml"
    path.parent.mkdir()
    lines = (DATA / "rules" / "2026.toml").read_bytes().split(b"\n")
    good = b"\n".join(line.partition(b"  #")[0] for line in lines if line and not line.startswith(b"#"))
    read = in_file(path, lambda path: load_rules(tmp_path, 2026))
    assert fuzz("rules", lambda random: any_toml(random, good), read, scaled(PAYLOADS)).refused


def test_spoilt_models_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    path = tmp_path / "core" / "race.sql"
    path.parent.mkdir()
    sources = [path for path in sorted((REPO / "dbt_like_sql").glob("*/*.sql")) if path.parent.name != "tests"]
    goods = [source.read_bytes() for source in sources]
    tally = fuzz(
        "SQL models",
        lambda random: any_header(random, random.choice(goods)),
        in_file(path, read_model),
        scaled(PAYLOADS),
    )
    assert tally.read
    assert tally.refused


def test_spoilt_sql_tests_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    path = tmp_path / "tests" / "assert_it.sql"
    path.parent.mkdir()
    goods = [source.read_bytes() for source in sorted((REPO / "dbt_like_sql" / "tests").glob("*.sql"))]
    tally = fuzz(
        "SQL tests",
        lambda random: any_header(random, random.choice(goods)),
        in_file(path, lambda path: read_tests(tmp_path)),
        scaled(PAYLOADS),
    )
    assert tally.read
    assert tally.refused


def test_spoilt_records_of_the_game_are_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    frames = release_frames(release_of(DATA))
    races, _, _ = build_calendar(frames, {2026: load_rules(DATA, 2026).lock})
    asset = "2026,1,australia,driver,ANT,MER"
    rest = {
        "fantasy_prices": "23.2,a,4,4",
        "fantasy_totals": "32,a,4,4",
        "fantasy_points": "race,race_position,18,2.0,a",
        "fantasy_ownership": "20.0,9.0,a",
    }
    goods = {
        name: f"{','.join(columns)}\n{asset},{rest[name]}\n2026,1,australia,constructor,MER,MER,{rest[name]}\n".encode()
        for name, columns in RECORD_COLUMNS.items()
    }
    for name, content in goods.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    read_records(tmp_path, frames, races)

    def make(random: Random) -> tuple[str, bytes]:
        name = random.choice(list(goods))
        return name, any_csv(random, goods[name])

    def read(payload: tuple[str, bytes]) -> None:
        path = tmp_path / f"{payload[0]}.csv"
        path.write_bytes(payload[1])
        try:
            read_records(tmp_path, frames, races)
        finally:
            path.write_bytes(goods[payload[0]])

    assert fuzz("records", make, read, scaled(PAYLOADS)).refused
