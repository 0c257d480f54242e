"""Your own team in the graph: the README's file lands, what breaks a rule is named, and past teams stay.

Belongs here: landing, and what the rules and the menu of a race refuse. Who is inactive when is
`test_my_team_menus.py`, the commands are `test_my_team_commands.py`.
"""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from f1_pipeline.errors import DataError, UsageError, WarehouseError
from f1_pipeline.game.decisions import Decision, RaceMenu
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.team import Team
from f1_pipeline.sources.my_team import MyTeam, read_my_team, write_my_team
from f1_pipeline.steps.menus import newest_menu
from f1_pipeline.steps.my_team import TEAM_TABLE, held_team, inactive_notes, land_my_team, team_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline_tests.support import REPO, Row, make_settings, rewrite, rows_of, short_facts

EXAMPLE = re.findall(r"```toml\n(.*?)```", (REPO / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
# Lawson and Tsunoda exchanged seats between China and Japan.
SWAP = MyTeam(
    race_key="2025-japan",
    drivers=("yuki-tsunoda@racing-bulls", "liam-lawson", "oliver-bearman", "lance-stroll", "jack-doohan"),
    constructors=("mclaren", "ferrari"),
    boosted="oliver-bearman",
    bank_tenths=12,
    free_transfers=3,
    chips_left=("wildcard", "autopilot"),
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """An installation of its own, so that the team file does not stand in the repository."""
    folder = tmp_path_factory.mktemp("my_team")
    shutil.copytree(REPO / "dbt_like_sql", folder / "home" / "dbt_like_sql")
    settings = make_settings(folder / "warehouse", short_facts(folder / "data"))
    return Pipeline(replace(settings, home=folder / "home"))


@pytest.fixture
def home(installation: Pipeline) -> Iterator[Pipeline]:
    """The installation, without a team and without a warehouse."""
    yield installation
    installation.settings.team_path.unlink(missing_ok=True)
    installation.settings.warehouse_path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def monaco(installation: Pipeline) -> RaceMenu:
    return newest_menu(installation, "2026-monaco")


def _land(pipeline: Pipeline) -> list[tuple[object, ...]]:
    land_my_team(pipeline, TEAM_TABLE, [])
    return rows_of(pipeline.settings.warehouse_path, TEAM_TABLE)


def _land_team(pipeline: Pipeline, team: MyTeam) -> Team:
    """Land a team, and hold what the warehouse gives back against what the file means."""
    write_my_team(pipeline.settings.team_path, team)
    _land(pipeline)
    meant = team_for(pipeline, team, newest_menu(pipeline, team.race_key))
    assert held_team(pipeline, team.race_key) == meant
    return meant


def _landed(pipeline: Pipeline, columns: str) -> set[tuple[object, ...]]:
    with duckdb.connect(str(pipeline.settings.warehouse_path), read_only=True) as connection:
        return set(connection.table(TEAM_TABLE).project(columns).fetchall())


def _example(pipeline: Pipeline, **changes: object) -> MyTeam:
    pipeline.settings.team_path.write_text(EXAMPLE, encoding="utf-8")
    team = read_my_team(pipeline.settings.team_path)
    assert team is not None
    return replace(team, **changes)


def test_a_team_comes_and_goes(home: Pipeline) -> None:
    assert _land(home) == []
    assert held_team(home, "2026-monaco") is None
    home.settings.team_path.write_text(EXAMPLE, encoding="utf-8")
    rows = _land(home)
    assert len(rows) == 7
    assert _landed(home, "asset_type, seat, is_active, is_locked, price_musd::varchar, is_boosted") >= {
        ("driver", "kimi-antonelli@mercedes", True, False, "24.7", True),
        ("driver", "lance-stroll@aston-martin", True, False, "5.4", False),
        ("constructor", "ferrari", True, False, "24.8", False),
        ("constructor", "mercedes", True, False, "30.8", False),
    }
    of_team = "race_key, bank_musd::varchar, free_transfers, chips_left, races_played, team_name"
    assert _landed(home, of_team) == {("2026-monaco", "0.6", 2, "limitless,wildcard", 1, None)}
    assert _land(home) == rows
    home.settings.team_path.unlink()
    assert _land(home) == []


def test_the_team_lands_with_the_next_line_up(home: Pipeline) -> None:
    steps = build_steps(home)
    assert TEAM_TABLE in forecast_tables(steps)
    assert inspect.unwrap(steps[TEAM_TABLE].run) is land_my_team


def test_without_a_warehouse_or_a_race_nobody_knows_what_was_held(home: Pipeline) -> None:
    with pytest.raises(WarehouseError):
        held_team(home, "2026-monaco")
    with pytest.raises(UsageError, match="unknown race '2026-imola'"):
        held_team(home, "2026-imola")


def test_teams_of_earlier_races_stay(home: Pipeline) -> None:
    monaco = _example(home, race_key="2026-monaco", name="Mine", locked=("mercedes", "max-verstappen"))
    canada = replace(monaco, race_key="2026-canada", races_played=4, name=None, locked=(), chips_left=())
    first = _land_team(home, canada)
    second = _land_team(home, monaco)
    assert held_team(home, "2026-canada") == first
    assert (first.races_played, second.races_played) == (4, 1)
    assert (first.chips_left, second.chips_left) == ((), ("limitless", "wildcard"))
    assert _landed(home, "race_key, team_name") == {("2026-canada", None), ("2026-monaco", "Mine")}
    assert {row for row in _landed(home, "race_key, seat, is_locked") if row[2]} == {("2026-monaco", "mercedes", True)}

    # Starting afresh is about the coming race; one that is over stays as it was.
    home.settings.team_path.unlink()
    _land(home)
    assert held_team(home, "2026-monaco") is None
    assert held_team(home, "2026-canada") == first

    # Going back to a race replaces its team and those of later ones.
    _land_team(home, monaco)
    _land_team(home, replace(canada, bank_tenths=7))
    assert _landed(home, "race_key, bank_musd::varchar") == {("2026-canada", "0.7")}


def test_a_team_for_a_race_without_prices_waits_for_them(home: Pipeline) -> None:
    _land_team(home, _example(home))
    write_my_team(home.settings.team_path, _example(home, race_key="2026-austria"))
    _land(home)
    assert _landed(home, "race_key") == {("2026-monaco",)}
    assert held_team(home, "2026-austria") is None


def test_a_seat_that_was_given_up_is_held_until_it_is_transferred(home: Pipeline) -> None:
    team, menu = _land_team(home, SWAP), newest_menu(home, "2025-japan")
    assert team.drivers[2:] == ("liam-lawson@racing-bulls", "oliver-bearman@haas", "yuki-tsunoda@racing-bulls")
    assert {row for row in _landed(home, "asset_id, seat, is_active, price_musd::varchar") if not row[2]} == {
        # 9.0 in China, moved by its points there and frozen since
        ("yuki-tsunoda", "yuki-tsunoda@racing-bulls", False, "8.4")
    }
    assert inactive_notes(team, menu) == (
        "yuki-tsunoda@racing-bulls takes no part in 2025-japan, holding it costs 25 points: transfer it out; "
        "the driver is now yuki-tsunoda@red-bull at $16.8M, another asset",
    )
    # what has landed is a team of the game: it can be kept as it is, or have the transfer made
    kept = team.apply(Decision(team.lineup), menu)
    assert (kept.transfer_count, kept.kept.bank_tenths) == (0, 12)
    drivers = tuple(seat for seat in team.drivers if menu.is_active((DRIVER, seat)))
    helped = team.apply(Decision(replace(team.lineup, drivers=(*drivers, "gabriel-bortoleto"))), menu)
    assert (helped.transfer_count, helped.kept.bank_tenths) == (1, 12 + 84 - 48)


def test_before_its_first_race_a_team_is_worth_the_budget_and_has_played_none(home: Pipeline) -> None:
    drivers = ("yuki-tsunoda", *SWAP.drivers[1:])
    first = replace(SWAP, race_key="2025-australia", drivers=drivers, constructors=("haas", "ferrari"))
    menu = newest_menu(home, "2025-australia")
    value = team_for(home, replace(first, races_played=1), menu).value_tenths
    assert _land_team(home, replace(first, bank_tenths=1000 - value)).races_played == 0
    with pytest.raises(DataError, match=r"my_team\.toml: bank_musd: expected .*\$100\.0M .*found \$100\.1M"):
        team_for(home, replace(first, bank_tenths=1001 - value), menu)
    # one that is worth more has raced before
    assert team_for(home, replace(first, bank_tenths=1001 - value, races_played=1), menu).budget_tenths == 1001


@pytest.mark.parametrize(
    ("found", "replacement", "message"),
    [
        ("free_transfers = 2", "free_transfers = 4", "free_transfers: expected 0 to 3, found 4"),
        ('"lance-stroll", ', "", "drivers: expected 5, found 4"),
        ('"mercedes", "ferrari"', '"mercedes"', "constructors: expected 2, found 1"),
        ('"mercedes", "ferrari"', '"mercedes", "lance-stroll"', "constructors: expected ids of 2026-monaco such as"),
        ('"lance-stroll"', '"kimi-antonelli@mercedes"', "drivers: expected each once, found 'kimi-antonelli@mercedes'"),
        ('"lance-stroll"', '"lance-strol"', "drivers: expected ids of 2026-monaco such as lance-stroll, .*lance-strol"),
        (
            '"lance-stroll"',
            '"lance-stroll@ferrari"',
            "drivers: expected .*such as lance-stroll.*lance-stroll@ferrari",
        ),
        ('"lance-stroll"', '"ayrton-senna"', "drivers: expected ids of 2026-monaco such as .*found ayrton-senna"),
        ('"lance-stroll"', '"haas"', "drivers: expected ids of 2026-monaco such as .*found haas"),
        ('boosted = "kimi-antonelli"', 'boosted = "kimi-antonelli@haas"', "boosted: expected one of the drivers"),
        ('"wildcard"', '"joker"', "chips_left: expected some of .*, found joker"),
        ('"wildcard"', '"limitless"', "chips_left: expected limitless at most 1 times, found it 2 times"),
        ("free_transfers = 2", 'free_transfers = 2\nlocked = ["x"]', "locked: expected ids of 2026-monaco"),
        (
            "free_transfers = 2",
            'free_transfers = 2\nlocked = ["ferrari"]\nbanned = ["ferrari"]',
            "banned: expected no asset that is locked as well, found ferrari",
        ),
        (
            "free_transfers = 2",
            'free_transfers = 2\nlocked = ["ferrari", "audi", "haas"]',
            "locked: expected at most 2 constructors, found 3",
        ),
    ],
)
def test_what_breaks_a_rule_is_named(
    home: Pipeline, monaco: RaceMenu, found: str, replacement: str, message: str
) -> None:
    assert found in EXAMPLE
    home.settings.team_path.write_text(EXAMPLE.replace(found, replacement, 1), encoding="utf-8")
    team = read_my_team(home.settings.team_path)
    assert team is not None
    with pytest.raises(DataError, match=r"^my_team\.toml: " + message):
        team_for(home, team, monaco)


@pytest.mark.parametrize(
    ("found", "replacement", "message"),
    [
        ("2026-monaco", "2026-monte-carlo", "race: expected a race such as 2026-monaco, found '2026-monte-carlo'"),
        ("race =", "race ==", "expected TOML"),
        ("bank_musd = 0.6", "", r"missing \['bank_musd'\]"),
        ('"lance-stroll"', '"ayrton-senna"', "drivers: expected ids of 2026-monaco"),
    ],
)
def test_a_mistake_leaves_the_table_as_it_was(home: Pipeline, found: str, replacement: str, message: str) -> None:
    home.settings.team_path.write_text(EXAMPLE, encoding="utf-8")
    before = _land(home)
    home.settings.team_path.write_text(EXAMPLE.replace(found, replacement, 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"^my_team\.toml: .*" + message):
        _land(home)
    assert rows_of(home.settings.warehouse_path, TEAM_TABLE) == before


def test_a_race_that_is_called_off_is_named(facts: Path, home: Pipeline) -> None:
    def call_off(rows: list[Row]) -> list[Row]:
        return [row | {"is_cancelled": "true"} if row["race_key"] == "2026-austria" else row for row in rows]

    rewrite(facts / "races.csv", call_off)
    home.settings.team_path.write_text(EXAMPLE.replace("2026-monaco", "2026-austria"), encoding="utf-8")
    changed = Pipeline(replace(home.settings, data_dir=facts))
    with pytest.raises(DataError, match="race: expected a race that is held, found '2026-austria', which is cancelled"):
        _land(changed)
