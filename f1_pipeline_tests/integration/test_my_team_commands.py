"""`f1-pipeline team …` as it is typed: the file it writes, what it prints, and what it refuses with exit code 2."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline_tests.support import REPO, short_facts

DRIVERS = "anton,Gabriel Bortoleto,BOT,stroll,hulkenberg"
NEW = ("set", "--drivers", DRIVERS, "--constructors", "Mercedes,ferr", "--boost", "ANT")
IN_CHINA = ("set", "--race", "2025-china", "--drivers", "lawson,TSU,hadjar,bortoleto,doohan")
IN_CHINA = (*IN_CHINA, "--constructors", "haas,williams", "--boost", "Yuki")
Lineup = list[tuple[str, str, bool]]
LINEUP: Lineup = [
    ("driver", "kimi-antonelli@mercedes", True),
    ("driver", "max-verstappen@red-bull", False),
    ("driver", "valtteri-bottas@cadillac", False),
    ("driver", "lance-stroll@aston-martin", False),
    ("driver", "nico-hulkenberg@audi", False),
    ("constructor", "williams", False),
    ("constructor", "haas", False),
]
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def facts_since_2025(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The facts of the two seasons that are played here, which every command reads again."""
    return short_facts(tmp_path_factory.mktemp("facts") / "data")


@pytest.fixture
def home(tmp_path: Path, facts_since_2025: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPO / "dbt_like_sql", tmp_path / "dbt_like_sql")
    monkeypatch.setenv("F1_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("F1_DATA_DIR", str(facts_since_2025))
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    return tmp_path


@pytest.fixture
def team(home: Path) -> Command:
    def run(*words: str) -> Result:
        result = CliRunner().invoke(main, ["team", *words])
        assert result.exit_code in (0, 2), result.output
        return result

    return run


def content(home: Path) -> dict[str, Any]:
    return tomllib.loads((home / "my_team.toml").read_text(encoding="utf-8"))


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_a_new_team_has_sensible_defaults(home: Path, team: Command) -> None:
    assert team(*NEW).exit_code == 0
    assert content(home) == {
        "race": "2026-monaco",
        "drivers": ["kimi-antonelli", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"],
        "constructors": ["mercedes", "ferrari"],
        "boosted": "kimi-antonelli",
        "bank_musd": 0.6,
        "free_transfers": 2,
        "chips_left": ["autopilot", "extra_boost", "final_fix", "limitless", "no_negative", "wildcard"],
    }
    assert [path.name for path in home.iterdir() if "my_team" in path.name] == ["my_team.toml"]


def test_what_is_not_given_stays(home: Path, team: Command) -> None:
    team(*NEW)
    before = content(home)
    changes = ("--bank", "3.5", "--chips-left", "wildcard", "--name", "Mine", "--lock", "HAM", "--ban", "verst,haas")
    assert team("set", *changes).exit_code == 0
    after = content(home)
    assert after == before | {
        "bank_musd": 3.5,
        "chips_left": ["wildcard"],
        "name": "Mine",
        "locked": ["lewis-hamilton"],
        "banned": ["max-verstappen", "haas"],
    }
    assert team("set", "--lock", "none", "--ban", "none", "--chips-left", "all").exit_code == 0
    assert content(home) == before | {"bank_musd": 3.5, "name": "Mine"}
    # correcting what is held leaves the bank alone
    assert team("set", "--constructors", "mercedes,haas", "--driver", DRIVERS).exit_code == 0
    assert (content(home)["bank_musd"], content(home)["constructors"]) == (3.5, ["mercedes", "haas"])


def test_before_the_first_race_the_bank_is_what_the_budget_leaves(home: Path, team: Command) -> None:
    names = "bottas,perez,colapinto,hulkenberg,lindblad"
    team("set", "--race", "2026-australia", "--drivers", names, "--constructors", "audi,cadillac", "--boost", "BOT")
    # 5.9 + 6.0 + 6.2 + 6.8 + 6.2 + 6.6 + 6.0
    assert content(home)["bank_musd"] == 56.3
    shown = json.loads(team("set", "--constructors", "audi,haas", "--format", "json").stdout)
    assert content(home)["bank_musd"] == 54.9
    assert (shown["races_played"], shown["budget_musd"]) == (0, 100.0)
    team("next", "--transfers", "9")
    assert (content(home)["race"], content(home)["free_transfers"]) == ("2026-china", 2)


def test_the_team_is_shown(team: Command) -> None:
    answer = json.loads(team(*NEW, "--name", "Mine", "--lock", "mercedes", "--format", "json").stdout)
    assert (answer["race_key"], answer["name"], answer["lock_at"][:10]) == ("2026-monaco", "Mine", "2026-06-06")
    assert (answer["value_musd"], answer["bank_musd"], answer["budget_musd"]) == (99.4, 0.6, 100.0)
    assert [asset["name"] for asset in answer["assets"] if asset["is_boosted"]] == ["Kimi Antonelli"]
    assert [asset["asset_id"] for asset in answer["assets"] if asset["is_locked"]] == ["mercedes"]
    assert answer["expected_points"] is None
    assert answer["notes"] == ["2026-monaco has no forecast yet: `f1-pipeline run` makes it"]
    shown = team("show").stdout
    assert "Kimi Antonelli ×2" in shown
    assert "Free transfers: 2" in shown


def test_a_forecast_is_shown_with_the_boost_counted(home: Path, team: Command) -> None:
    team(*NEW)
    with warehouse(home) as connection:
        connection.execute("create schema predictions")
        connection.execute(
            "create table predictions.asset_points as select unnest($kinds) as asset_type, unnest($ids) as asset_id,"
            " '2026-monaco' as race_key, 10.0::double as expected_points",
            {
                "kinds": ["driver"] * 5 + ["constructor"] * 2,
                "ids": [*content(home)["drivers"], *content(home)["constructors"]],
            },
        )
    answer = json.loads(team("show", "--format", "json").stdout)
    assert (answer["expected_points"], answer["notes"]) == (80.0, [])
    assert {asset["asset_id"]: asset["expected_points"] for asset in answer["assets"]}["kimi-antonelli"] == 20.0


def test_a_computed_line_up_becomes_the_team(home: Path, team: Command) -> None:
    assert "no line-up 1 for 2026-monaco yet: `f1-pipeline run" in refused_without_warehouse(home, team)
    enter_lineup(home)
    assert team("set", "--from-lineup", "1").exit_code == 0
    fresh = content(home)
    assert (fresh["boosted"], fresh["constructors"], fresh["free_transfers"]) == (
        "kimi-antonelli",
        ["haas", "williams"],
        2,
    )
    assert "no line-up 2 for 2026-monaco" in refused(team("set", "--from-lineup", "2"))
    assert "give neither --drivers nor" in refused(team("set", "--from-lineup", "1", "--drivers", DRIVERS))


def test_a_line_up_is_paid_for_by_the_team_that_is_there(home: Path, team: Command) -> None:
    enter_lineup(home)
    team(*NEW, "--bank", "5.0")
    shown = json.loads(team("set", "--from-lineup", "1", "--format", "json").stdout)
    # three new assets, of which two transfers are free
    assert (shown["budget_musd"], shown["free_transfers"]) == (104.4, 0)
    cheap = ("--drivers", "bortoleto,perez,BOT,stroll,hulkenberg", "--constructors", "cadillac,audi", "--boost", "BOT")
    team("set", "--bank", "0", *cheap)
    before = content(home)
    assert "expected one of at most $" in refused(team("set", "--from-lineup", "1"))
    assert content(home) == before


def test_a_line_up_may_keep_who_sits_out(home: Path, team: Command) -> None:
    team(*IN_CHINA)
    team("next")
    held = ["liam-lawson@red-bull", "yuki-tsunoda@racing-bulls", "isack-hadjar@racing-bulls", "jack-doohan@alpine"]
    drivers = [*held, "lance-stroll@aston-martin"]
    rows = [*(("driver", seat, seat == held[2]) for seat in drivers), *LINEUP[-2:]]
    enter_lineup(home, "2025-japan", rows)
    shown = json.loads(team("set", "--from-lineup", "1", "--format", "json").stdout)
    assert sorted(asset["seat"] for asset in shown["assets"] if asset["asset_type"] == "driver") == sorted(drivers)
    # Bortoleto goes, at 4.8, for Stroll, at 9.3
    assert (shown["free_transfers"], shown["bank_musd"], shown["inactive_points"]) == (2, 31.0, -50)


def test_a_team_moves_on_through_a_change_of_seats(home: Path, team: Command) -> None:
    team(*IN_CHINA)
    assert content(home)["bank_musd"] == 35.5
    answer = json.loads(team("next", "--transfers", "1", "--chip", "autopilot", "--format", "json").stdout)
    after = content(home)
    assert after["drivers"][:3] == ["liam-lawson@red-bull", "yuki-tsunoda@racing-bulls", "isack-hadjar"]
    assert (after["race"], after["boosted"]) == ("2025-japan", "yuki-tsunoda@racing-bulls")
    assert (after["bank_musd"], after["free_transfers"], after["races_played"]) == (35.5, 3, 2)
    assert "autopilot" not in after["chips_left"]
    assert answer["inactive_points"] == -50
    assert "the driver is now yuki-tsunoda@red-bull at $16.8M" in answer["notes"][1]
    # following them is naming them; the boost goes along when it is said
    followed = ("--drivers", "lawson,TSU,hadjar,bortoleto,doohan", "--boost", "TSU")
    assert json.loads(team("set", *followed, "--format", "json").stdout)["inactive_points"] == 0
    assert content(home)["drivers"][1] == "yuki-tsunoda"


def test_a_wildcard_leaves_no_transfer_to_carry_over(home: Path, team: Command) -> None:
    team(*IN_CHINA)
    assert "--chip: expected one of autopilot, " in refused(team("next", "--chip", "joker"))
    team("next", "--chip", "wildcard")
    assert (content(home)["free_transfers"], "wildcard" in content(home)["chips_left"]) == (2, False)
    assert "expected one that is left" in refused(team("next", "--chip", "wildcard"))


def test_a_chip_has_its_first_race(home: Path, team: Command) -> None:
    team(*IN_CHINA, "--race", "2025-australia")
    assert "expected limitless from the team's race 2 on, found race 1" in refused(team("next", "--chip", "limitless"))
    assert content(home)["race"] == "2025-australia"


def test_the_season_has_an_end_and_prices_a_start(team: Command) -> None:
    names = "norris,stroll,hulkenberg,bortoleto,TSU"
    team("set", "--race", "2025-abu-dhabi", "--drivers", names, "--constructors", "haas,williams", "--boost", "NOR")
    assert "2025-abu-dhabi is the last race of its season" in refused(team("next"))
    team(*NEW, "--race", "2026-monaco")
    assert "expected prices, there are none yet" in refused(team("next"))


def test_a_team_is_imported(home: Path, team: Command, tmp_path: Path) -> None:
    table = tmp_path / "team.csv"
    rows = ["name,type", *(f"{name},driver" for name in DRIVERS.split(",")), "Mercedes,constructor", "Ferrari,"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert "nobody has the boost: give --boost" in refused(team("import", str(table)))
    assert team("import", str(table), "--boost", "anton").exit_code == 0
    first = content(home)
    team(*NEW)
    assert content(home) == first


def test_what_show_prints_can_be_imported(home: Path, team: Command, tmp_path: Path) -> None:
    team(*IN_CHINA, "--name", "Mine", "--lock", "haas", "--ban", "ocon")
    shown = tmp_path / "shown.json"
    shown.write_text(team("next", "--format", "json").stdout, encoding="utf-8")
    before = content(home)
    (home / "my_team.toml").unlink()
    assert team("import", str(shown)).exit_code == 0
    after = content(home)
    assert sorted(after["drivers"]) == sorted(before["drivers"])
    assert {**after, "drivers": []} == {**before, "drivers": []}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show",), "my_team.toml: there is no team yet"),
        (("next",), "my_team.toml: there is no team yet"),
        (("set",), "a new team has no default for its assets: give --drivers"),
        (("set", "--drivers", DRIVERS), "give --constructors"),
        (NEW[:-2], "nobody has the boost: give --boost with one of kimi-antonelli"),
        ((*NEW[:-1], "hamilton"), "'hamilton': expected a driver or constructor such as"),
        (("set", "--drivers", "verstapen"), "'verstapen': expected a driver or constructor such as max-verstappen"),
        (("set", "--drivers", "al"), "'al': expected one asset, found "),
        (("set", "--drivers", "mercedes"), "'mercedes': expected a driver"),
        ((*NEW, "--race", "2026-imola"), "unknown race '2026-imola'"),
        ((*NEW, "--bank", "0.65"), "--bank: expected 0 to 999.9 million dollars with one decimal, found 0.65"),
        ((*NEW, "--free-transfers", "-1"), "free_transfers: expected 0 to 10, found -1"),
        ((*NEW, "--name", "two\nlines"), "name: expected 1 to 60 printable characters"),
        ((*NEW, "--drivers", "anton,anton,anton"), "drivers: expected 5, found 8"),
        ((*NEW, "--lock", "haas", "--ban", "haas"), "banned: expected no asset that is locked as well, found haas"),
        (
            ("set", "--drivers", "VER,NOR,RUS,PIA,LEC", "--constructors", "mclaren,ferrari", "--boost", "VER"),
            "2026-monaco: expected assets of at most $100.0M, found $",
        ),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    home: Path, team: Command, words: tuple[str, ...], message: str
) -> None:
    assert message in refused(team(*words))
    assert not (home / "my_team.toml").exists()


def test_a_broken_file_is_named(home: Path, team: Command) -> None:
    (home / "my_team.toml").write_text("race = ", encoding="utf-8")
    for words in (("show",), NEW, ("next",)):
        assert "my_team.toml: expected TOML" in refused(team(*words))


def test_help_teaches(team: Command) -> None:
    for words in ((), ("show",), ("set",), ("import",), ("next",)):
        assert "Usage: " in team(*words, "--help").stdout


def warehouse(home: Path) -> duckdb.DuckDBPyConnection:
    (home / "warehouse").mkdir(exist_ok=True)
    return duckdb.connect(str(home / "warehouse" / "f1.duckdb"))


def enter_lineup(home: Path, race_key: str = "2026-monaco", lineup: Lineup = LINEUP) -> None:
    """Put one line-up into the warehouse, as the graph does."""
    with warehouse(home) as connection:
        connection.execute("create schema if not exists lineups")
        connection.execute(
            "create or replace table lineups.optimal_lineup"
            " (race_key varchar, rank integer, asset_type varchar, seat varchar, is_boosted boolean)"
        )
        rows = [(race_key, 1, *row) for row in lineup]
        connection.executemany("insert into lineups.optimal_lineup values (?, ?, ?, ?, ?)", rows)


def refused_without_warehouse(home: Path, team: Command) -> str:
    assert "expected a warehouse, found none" in refused(team("set", "--from-lineup", "1"))
    with warehouse(home) as connection:
        connection.execute("create schema lineups")
    return refused(team("set", "--from-lineup", "1"))
