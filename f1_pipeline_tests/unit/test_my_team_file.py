"""The team file and files of other teams: what is read, what is refused by name, and that writing loses nothing."""

from __future__ import annotations

import json
import string
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError
from f1_pipeline.game.lineup import ASSET_TYPES
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.my_team import KINDS, MAX_BYTES, MyTeam, read_my_team, write_my_team
from f1_pipeline.sources.team_import import MAX_ASSETS, ImportedAsset, read_team_file
from f1_pipeline_tests.support import DATA

TEAM = MyTeam(
    race_key="2026-monaco",
    drivers=("kimi-antonelli", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"),
    constructors=("mercedes", "ferrari"),
    boosted="kimi-antonelli",
    bank_tenths=6,
    free_transfers=2,
    chips_left=("wildcard", "limitless"),
)
IDS = st.text(string.ascii_lowercase + "-@'\"\\é ", min_size=1, max_size=12)
TEAMS = st.builds(
    MyTeam,
    race_key=IDS,
    drivers=st.lists(IDS, min_size=1, max_size=6, unique=True).map(tuple),
    constructors=st.lists(IDS, max_size=3, unique=True).map(tuple),
    boosted=st.just(""),
    bank_tenths=st.integers(0, 9999),
    free_transfers=st.integers(0, 10),
    chips_left=st.lists(IDS, max_size=4).map(tuple),
    name=st.none() | st.text(string.printable[:95] + "äß", min_size=1, max_size=60).filter(str.strip),
    locked=st.lists(IDS, max_size=3, unique=True).map(tuple),
    banned=st.lists(IDS, max_size=3, unique=True).map(tuple),
    races_played=st.none() | st.integers(0, 99),
).map(lambda team: replace(team, boosted=team.drivers[0]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


READ = "read: "
FEW = settings(max_examples=40)


def complaint(read: Callable[[Path], object], path: Path) -> str:
    """Read a file and say how that ended; any error but the typed one fails the test."""
    try:
        return f"{READ}{read(path)}"
    except DataError as error:
        return str(error)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("teams")


def test_no_driver_has_the_id_of_a_constructor() -> None:
    drivers, constructors = (set(load_fact_table(DATA, f"{kind}s")[f"{kind}_id"].to_pylist()) for kind in ASSET_TYPES)
    assert not drivers & constructors


@FEW
@given(TEAMS)
def test_what_is_written_is_read_again(folder: Path, team: MyTeam) -> None:
    path = folder / "round_trip.toml"
    write_my_team(path, team)
    assert read_my_team(path) == team
    # and over the one that is there, which has other keys
    write_my_team(path, TEAM)
    assert read_my_team(path) == TEAM


def test_comments_stay_and_what_is_no_longer_said_goes(tmp_path: Path) -> None:
    path = tmp_path / "my_team.toml"
    write_my_team(path, replace(TEAM, name="Mine", locked=("mercedes",)))
    own = path.read_text(encoding="utf-8").replace("free_transfers = 2", "free_transfers = 2  # until Monaco")
    path.write_text("# my own words\n" + own, encoding="utf-8")
    write_my_team(path, replace(TEAM, free_transfers=1))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# my own words\n")
    assert "free_transfers = 1  # until Monaco" in text
    assert set(tomllib.loads(text)) == set(KINDS) - {"name", "locked", "banned", "races_played"}


def test_a_team_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "my_team.toml"
    write_my_team(path, TEAM)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"my_team\.toml: name: expected 1 to 60 printable characters"):
        write_my_team(path, replace(TEAM, name="two\nlines"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_its_place_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "my_team.toml"
    path.mkdir()
    with pytest.raises(DataError, match=r"my_team\.toml: cannot be read: Is a directory"):
        read_my_team(path)
    with pytest.raises(DataError, match=r"my_team\.toml: cannot be"):
        write_my_team(path, TEAM)
    assert list(tmp_path.iterdir()) == [path]


@FEW
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "bytes.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^bytes\.toml: "):
        read_my_team(path)


@FEW
@given(st.sampled_from(sorted(KINDS)), VALUES)
def test_any_value_of_a_key_is_read_or_refused_by_the_name_of_the_file(folder: Path, key: str, value: object) -> None:
    path = folder / "values.toml"
    rest = {name: json.dumps(known) for name, known in TEAM.content().items() if name != key}
    lines = [f"{name} = {known}" for name, known in (rest | {key: json.dumps(value)}).items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert complaint(read_my_team, path).startswith(("values.toml: ", READ))


@pytest.mark.parametrize(
    "content", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a" * (MAX_BYTES + 1)], ids=["deep", "long", "large"]
)
def test_what_would_choke_a_parser_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "my_team.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"^my_team\.toml: expected"):
        read_my_team(path)


# --- teams of other files ---


def imported(tmp_path: Path, name: str, content: str):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return read_team_file(path)


def test_a_list_of_names_is_a_team(tmp_path: Path) -> None:
    team = imported(tmp_path, "team.json", '["Max Verstappen", {"name": "Ferrari", "type": "Constructor"}]')
    assert team.assets == (ImportedAsset("Max Verstappen"), ImportedAsset("Ferrari", "constructor"))
    assert team.bank_tenths is None


def test_a_table_of_names_is_a_team(tmp_path: Path) -> None:
    text = "\ufeffName,Type,Boosted,Price\r\nMax Verstappen,driver,x,27.7\r\nFerrari,,,23.3\r\n"
    team = imported(tmp_path, "team.csv", text)
    assert team.assets == (ImportedAsset("Max Verstappen", "driver", True), ImportedAsset("Ferrari"))


def test_what_the_command_line_prints_is_a_team(tmp_path: Path) -> None:
    assets = [
        {"asset_type": "driver", "asset_id": "kimi-antonelli", "name": "Kimi Antonelli", "is_boosted": True},
        {"asset_type": "constructor", "asset_id": "mercedes", "seat": "mercedes", "name": "M", "price_musd": 30.8},
    ]
    content = {"race_key": "2026-monaco", "assets": assets, "bank_musd": 0.6, "expected_points": 182.0, "name": None}
    team = imported(tmp_path, "team.json", json.dumps(content))
    assert team.assets == (ImportedAsset("kimi-antonelli", "driver", True), ImportedAsset("mercedes", "constructor"))
    assert (team.race_key, team.bank_tenths, team.name, team.free_transfers) == ("2026-monaco", 6, None, None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("team.txt", "", "expected a name that ends in .json or .csv"),
        ("team.json", "{", "expected JSON"),
        ("team.json", "[" * 100_000, "expected JSON"),
        ("team.json", "3", "expected a list of names or an object with assets, found 3"),
        ("team.json", "[]", "assets: expected a list of 1 to 20 assets, found 0"),
        ("team.json", json.dumps(["a"] * (MAX_ASSETS + 1)), "assets: expected a list of 1 to 20 assets, found 21"),
        ("team.json", "[3]", "assets: expected names or objects, found 3"),
        ("team.json", '[{"team": "a"}]', "assets: expected each to have seat or asset_id or id or name"),
        ("team.json", '[{"name": "a", "type": "car"}]', "type of a: expected driver or constructor, found 'car'"),
        ("team.json", '[{"name": "a", "boosted": "no"}]', "boosted of a: expected true or false, found 'no'"),
        ("team.json", '{"assets": ["a"], "bank_musd": "1"}', "bank_musd: expected a number, found '1'"),
        ("team.json", '{"assets": ["a"], "bank_musd": NaN}', "bank_musd: expected 0 to 999.9"),
        ("team.json", '{"assets": ["a"], "free_transfers": true}', "free_transfers: expected a whole number"),
        ("team.json", '{"assets": ["a"], "chips_left": "all"}', "chips_left: expected a list"),
        ("team.json", '["' + "a" * 101 + '"]', "name: expected a text of 1 to 100 characters"),
        ("team.csv", "driver\nmax\n", "expected a column called seat or asset_id or id or name"),
        ("team.csv", "name,type\nmax\n", "line 2: expected 2 fields"),
        ("team.csv", "name\nmax,driver\n", "line 2: expected 1 fields"),
        ("team.csv", "name,boosted\nmax,maybe\n", "line 2: expected true or false for the boost, found 'maybe'"),
        ("team.csv", "name,boosted\na,x\nb,x\n", "boosted: expected one driver, found a, b"),
        ("team.csv", 'name\n"max', "expected CSV"),
        ("team.csv", "", "expected a column"),
    ],
)
def test_a_mistake_in_another_file_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        imported(tmp_path, name, content)
    assert str(caught.value).startswith(name)
    assert message in str(caught.value)


@FEW
@given(st.sampled_from(["fuzz.json", "fuzz.csv"]), st.binary(max_size=80) | VALUES.map(json.dumps).map(str.encode))
def test_any_other_file_is_read_or_refused(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.write_bytes(content)
    assert complaint(read_team_file, path).startswith((name, READ))


@FEW
@given(st.dictionaries(st.sampled_from(["bank_musd", "name", "free_transfers", "chips_left", "race_key"]), VALUES))
def test_any_value_of_another_file_is_read_or_refused(folder: Path, values: dict[str, object]) -> None:
    path = folder / "values.json"
    path.write_text(json.dumps({"assets": ["a"], **values}), encoding="utf-8")
    assert complaint(read_team_file, path).startswith(("values.json: ", READ))
