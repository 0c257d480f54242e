"""`f1-pipeline plan`, `chips` and `backtest` as they are typed: answers, pictures, and refusals with exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import NEXT_RACE

Command = Callable[..., Result]
QUICK = ("--scenarios", "0", "--without-chips", "--horizon", "2", "--quiet")


@pytest.fixture
def command(complete: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
    return lambda *words: CliRunner().invoke(main, list(words))


def answer(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def test_a_plan_holds_a_line_up_at_every_race(command: Command) -> None:
    rows = answer(command("plan", *QUICK, "--lock", "ferrari", "--ban", "antonelli", "--format", "json"))
    assert [row["races_ahead"] for row in rows] == sorted(row["races_ahead"] for row in rows)
    for ahead in (0, 1):
        held = [row for row in rows if row["races_ahead"] == ahead and row["action"] != "sell"]
        assert [row["asset_type"] for row in held].count("driver") == 5
        assert [row["asset_type"] for row in held].count("constructor") == 2
        assert sum(row["is_boosted"] for row in held) == 1
        assert "ferrari" in {row["asset_id"] for row in held}
        assert "kimi-antonelli" not in {row["asset_id"] for row in held}


def test_a_forced_chip_is_played_where_it_was_asked_for(command: Command) -> None:
    races = [row["race_key"] for row in answer(command("chips", "--format", "json")) if row["chip"] == "limitless"]
    words = ("--scenarios", "0", "--horizon", "2", "--quiet", "--gap", "0.05", "--format", "json")
    rows = answer(command("plan", *words, "--chip", f"{races[1]}=limitless", "--chip", f"{races[0]}=none"))
    assert {(row["target_race_key"], row["chip"]) for row in rows} == {(races[0], None), (races[1], "limitless")}


def test_a_plan_is_printed_with_its_gap_and_moves(command: Command) -> None:
    result = command("plan", "--scenarios", "2", "--without-chips", "--horizon", "2", "--quiet")
    assert result.exit_code == 0, result.stderr
    assert "Plan 1 of a fresh start" in result.stdout
    assert "(proven)" in result.stdout
    assert NEXT_RACE in result.stdout


def test_chips_are_weighed_at_every_race_that_remains(command: Command, tmp_path: Path) -> None:
    picture = tmp_path / "chips.svg"
    rows = answer(command("chips", "--format", "json", "--picture", str(picture)))
    assert {row["chip"] for row in rows} == {
        "autopilot",
        "extra_boost",
        "final_fix",
        "limitless",
        "no_negative",
        "wildcard",
    }
    assert {row["races_ahead"] for row in rows if row["chip"] == "limitless"} == set(range(len(rows) // 6))
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    last = max(rows, key=lambda row: row["races_ahead"])
    assert last["keep_points"] == 0
    table = command("chips")
    assert table.exit_code == 0
    assert "play if it adds" in table.stdout


def test_seasons_are_played_again_from_common_starts(command: Command, tmp_path: Path) -> None:
    board = tmp_path / "board.csv"
    board.write_text("season,rank,points\n2025,1,9000\n2025,2,100\n", encoding="utf-8")
    words = ("--policy", "points_only", "--starts", "2", "--season", "2025", "--quiet", "--leaderboard", str(board))
    rows = answer(command("backtest", *words, "--format", "json"))
    assert {(row["policy"], row["start"]) for row in rows} == {
        (policy, start) for policy in ("points_only", "myopic") for start in range(3)
    }
    for row in rows:
        assert row["race_count"] == 24
        assert row["leaderboard_rank"] == 2
        if row["policy"] == "myopic":
            assert row["gain_points"] == 0
    picture = tmp_path / "seasons.png"
    shown = command("backtest", "--policy", "points_only", "--season", "2025", "--quiet", "--picture", str(picture))
    assert shown.exit_code == 0, shown.stderr
    assert "points_only" in shown.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "--horizon", "99"), "horizon: expected 1 to"),
        (("plan", "--chip", "limitless"), "expected RACE=NAME"),
        (("plan", "--chip", f"{NEXT_RACE}=turbo"), "expected chips among"),
        (("plan", "--discount", "0"), "discount: expected above 0"),
        (("plan", "--race", "2026-nowhere"), "2026-nowhere"),
        (("plan", *QUICK, "--lock", "nobody"), "nobody"),
        (("plan", *QUICK, "--lock", "ferrari", "--ban", "ferrari"), "both locked and banned"),
        (("plan", *QUICK, *(f"--lock={name}" for name in ("ferrari", "mercedes", "mclaren"))), "at most 2"),
        (
            ("plan", *QUICK, "--lock", "mercedes", "--lock", "mclaren", "--lock", "antonelli", "--lock", "russell"),
            "budget",
        ),
        (("backtest", "--season", "2019"), "--season: expected some of"),
        (("backtest", "--policy", "clever"), "--policy: expected some of"),
        (("backtest", "--stored"), "expected seasons, found none yet"),
        (("chips", "--picture", "chips.pdf"), ".svg or .png"),
    ],
)
def test_bad_input_is_one_sentence(command: Command, words: tuple[str, ...], said: str) -> None:
    assert said in refused(command(*words))


def test_a_leaderboard_must_have_its_columns(command: Command, tmp_path: Path) -> None:
    board = tmp_path / "board.csv"
    board.write_text("season,rank\n2025,1\n", encoding="utf-8")
    assert "missing points" in refused(command("backtest", "--policy", "myopic", "--leaderboard", str(board)))
    board.write_text("season,rank,points\n2025,1,many\n", encoding="utf-8")
    assert "line 2: expected numbers" in refused(command("backtest", "--policy", "myopic", "--leaderboard", str(board)))
