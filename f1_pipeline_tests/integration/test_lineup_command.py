"""`f1-pipeline lineup` as it is typed: what is stored, what is wished, and what is refused with exit code 2."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import NEXT_RACE, REPO, fingerprints, rows_of

TEAM = """
race = "2026-monaco"
drivers = ["george-russell", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"]
constructors = ["mclaren", "audi"]
boosted = "george-russell"
bank_musd = 20.6
free_transfers = 1
chips_left = ["wildcard", "limitless"]
races_played = 5
"""
Command = Callable[..., Result]


@pytest.fixture
def home(complete: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder of its own, on the shared facts and warehouse."""
    shutil.copytree(REPO / "dbt_like_sql", tmp_path / "dbt_like_sql")
    monkeypatch.setenv("F1_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
    return tmp_path


@pytest.fixture
def lineup(home: Path) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["lineup", *words])

    return run


def answer(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def held(found: dict[str, Any]) -> set[str]:
    return {asset["asset_id"] for asset in found["assets"]}


def test_without_wishes_the_stored_line_up_is_printed_and_explained(lineup: Command, complete: Pipeline) -> None:
    stored = rows_of(complete.settings.warehouse_path, "lineups.optimal_lineup", NEXT_RACE)
    found = answer(lineup("--format", "json"))
    assert (found["race_key"], found["rank"], found["is_own_team"]) == (NEXT_RACE, 1, False)
    assert held(found) == {row[3] for row in stored if row[1] == 1}
    assert all(asset["reason"].endswith(".") for asset in found["assets"])
    assert found["cost_musd"] + found["bank_musd"] == pytest.approx(100)
    assert found["p10"] < found["expected_points"] < found["p90"]
    assert {"wildcard", "limitless", "extra_boost", "autopilot"} <= set(found["chips_now"])
    assert all(row["p10"] <= row["p90"] for row in found["limits"])
    printed = lineup()
    assert printed.exit_code == 0
    for text in ("2026 Monaco Grand Prix: line-up 1 · locks", "Why", "Chips now", "What limits are worth", "×2"):
        assert text in printed.stdout


def test_the_ranks_of_the_list_are_those_that_are_stored(lineup: Command) -> None:
    listed = answer(lineup("--top", "3", "--no-explain", "--format", "json"))["lineups"]
    for rank, entry in ((1, listed[0]), (3, listed[2])):
        stored = answer(lineup("--rank", str(rank), "--no-explain", "--format", "json"))
        assert stored["assets"] == entry["assets"]
        assert stored["expected_points"] == entry["expected_points"]
    eleventh = answer(lineup("--rank", "11", "--no-explain", "--format", "json"))
    assert eleventh["rank"] == 11
    assert eleventh["expected_points"] <= listed[-1]["expected_points"]


WISHES = ("--lock", "Verstappen", "--ban", "red bull", "--max-per-team", "2", "--min-difference", "3")
ANSWERED = ("--top", "3", "--no-explain", "--format", "json")


def test_every_wish_holds(lineup: Command) -> None:
    found = answer(lineup(*WISHES, *ANSWERED))["lineups"]
    assert len(found) == 3
    for at, entry in enumerate(found):
        assert "max-verstappen" in held(entry)
        assert "red-bull" not in held(entry)
        teams = [asset["team"] for asset in entry["assets"]]
        assert max(teams.count(team) for team in teams) <= 2
        for other in found[:at]:
            assert len(held(entry) - held(other)) >= 3
            assert entry["expected_points"] <= other["expected_points"]


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_every_solver_finds_the_same(lineup: Command, solver: str) -> None:
    # a process of its own, as when it is typed: HiGHS keeps the number of threads that it was first used with
    script = "from f1_pipeline.cli import main; main()"
    words = ("lineup", *WISHES, *ANSWERED, "--solver", solver)
    typed = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert typed.returncode == 0, typed.stderr
    assert json.loads(typed.stdout) == answer(lineup(*WISHES, *ANSWERED))


@pytest.mark.parametrize("risk", ["deviation:1", "quantile:0.1", "target:250"])
def test_risk_chooses_by_something_else_than_the_mean(lineup: Command, risk: str) -> None:
    found = answer(lineup("--risk", risk, "--top", "2", "--no-explain", "--format", "json"))
    assert found["lineups"][0]["objective"] >= found["lineups"][1]["objective"]
    best = answer(lineup("--no-explain", "--format", "json"))
    assert found["lineups"][0]["expected_points"] <= best["expected_points"] + 0.1


def test_adjustments_shift_or_replace_what_is_expected(lineup: Command) -> None:
    def russell(*words: str) -> dict[str, Any]:
        found = answer(lineup("--lock", "russell", "--no-explain", "--format", "json", *words))
        own = next(asset for asset in found["assets"] if asset["asset_id"] == "george-russell")
        return {name: own[name] / own["boost"] for name in ("expected_points", "p10", "p90")}

    plain, more = russell(), russell("--adjust", "russell=+200")
    assert {name: round(more[name] - plain[name]) for name in plain} == dict.fromkeys(plain, 200)
    assert russell("--adjust", "russell=300")["expected_points"] == 300


def test_a_chip_is_played(lineup: Command) -> None:
    plain = answer(lineup("--format", "json"))
    boosted = answer(lineup("--chip", "Extra-Boost", "--format", "json"))
    assert sorted(asset["boost"] for asset in boosted["assets"] if asset["is_boosted"]) == [2, 3]
    gain = boosted["expected_points"] - plain["expected_points"]
    assert gain == pytest.approx(plain["chips_now"]["extra_boost"], abs=0.11)
    limitless = answer(lineup("--chip", "limitless", "--format", "json"))
    assert limitless["cost_musd"] > 100
    assert limitless["bank_musd"] is None
    assert limitless["limits"] == []
    assert "line-up 1 with Limitless · locks" in lineup("--chip", "limitless", "--no-explain").stdout


def test_your_team_bounds_money_and_transfers_unless_it_is_ignored(lineup: Command, home: Path) -> None:
    (home / "my_team.toml").write_text(TEAM, encoding="utf-8")
    found = answer(lineup("--top", "1", "--format", "json"))
    (own,) = found["lineups"]
    assert found["is_own_team"]
    assert set(found["chips_now"]) == {"wildcard", "limitless"}
    assert own["transfers"]["free"] == 1
    assert own["transfers"]["points"] == min(0, 10 * (1 - len(own["transfers"]["in"])))
    assert sum(asset["is_new"] for asset in own["assets"]) == len(own["transfers"]["in"])
    fresh = answer(lineup("--fresh", "--no-explain", "--format", "json"))
    assert not fresh["is_own_team"]
    assert fresh["transfers"] == {"in": [], "out": [], "free": None, "points": 0.0}
    shown = lineup("--lock", "antonelli").stdout
    assert "Kimi Antonelli" in shown
    assert "Transfers: " in shown
    assert "new" in shown


def test_a_rival_is_beaten_more_often_than_he_beats_himself(lineup: Command, tmp_path: Path) -> None:
    rival = tmp_path / "rival.toml"
    rival.write_text(TEAM, encoding="utf-8")
    found = answer(lineup("--risk", f"rival:{rival}", "--no-explain", "--format", "json"))
    assert 0.5 < found["objective"] <= 1
    assert "Chosen by the chance to beat rival.toml: " in lineup("--risk", f"rival:{rival}", "--no-explain").stdout


def test_csv_has_a_row_per_asset_of_each_line_up(lineup: Command) -> None:
    result = lineup("--top", "12", "--no-explain", "--format", "csv")
    assert result.exit_code == 0, result.stderr
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 12 * 7
    assert {row["rank"] for row in rows} == {str(rank) for rank in range(1, 13)}
    assert {row["race_key"] for row in rows} == {NEXT_RACE}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--lock", "nobody"), "'nobody': expected a driver or constructor such as"),
        (("--lock", "albon", "--ban", "albon"), "expected nothing both locked and banned, found driver"),
        (("--budget", "30"), "expected a line-up within the budget of $30.0M, but the cheapest legal one costs"),
        (("--budget", "lots"), "Budget: expected million dollars with at most one decimal"),
        (("--lock", "mercedes", "--lock", "ferrari", "--lock", "mclaren"), "expected at most 2 locked constructors"),
        (("--min-difference", "8"), "expected a least difference of 1 to 7 assets, found 8"),
        (("--max-per-team", "0"), "expected at least 1 asset per team, found 0"),
        (("--risk", "hope"), "Risk: expected mean, deviation:0.5"),
        (("--risk", "rival:nowhere.toml"), "nowhere.toml"),
        (("--adjust", "albon"), "Adjustment: expected an asset and points"),
        (("--adjust", "nobody=+1"), "'nobody': expected a driver or constructor such as"),
        (("--chip", "double"), "Chip: expected one that can be played"),
        (("--solver", "glpk"), "Solver: expected one of enumeration, cbc, highs, found 'glpk'"),
        (("--solver", "cbc", "--risk", "quantile:0.2"), "Solver: expected enumeration for risk and Autopilot"),
        (("--rank", "2", "--top", "3"), "--rank and --top exclude each other"),
        (("--race", "2026-monza", "--top", "3"), "unknown race '2026-monza'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(lineup: Command, words: tuple[str, ...], text: str) -> None:
    assert text in refused(lineup(*words))


def test_nothing_is_stored(lineup: Command, complete: Pipeline) -> None:
    before = fingerprints(complete.settings.warehouse_path)
    assert lineup("--top", "2", "--chip", "wildcard").exit_code == 0
    assert fingerprints(complete.settings.warehouse_path) == before
