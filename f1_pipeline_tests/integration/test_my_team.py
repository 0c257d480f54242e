"""Your own team: the README's file lands, its mistakes are named, and taking it away again is a fresh start."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import TEAM_TABLE, build_steps, forecast_tables
from f1_pipeline_tests.support import REPO, make_settings, rows_of

EXAMPLE = re.findall(r"```toml\n(.*?)```", (REPO / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]


@pytest.fixture
def home(tmp_path: Path) -> Pipeline:
    """An installation of its own, so that the team file does not stand in the repository."""
    home = tmp_path / "home"
    shutil.copytree(REPO / "dbt_like_sql", home / "dbt_like_sql")
    return Pipeline(replace(make_settings(tmp_path / "warehouse"), home=home))


def _land(pipeline: Pipeline) -> list[tuple[object, ...]]:
    build_steps(pipeline)[TEAM_TABLE].run(pipeline, TEAM_TABLE, [])
    return rows_of(pipeline.settings.warehouse_path, TEAM_TABLE)


def test_a_team_comes_and_goes(home: Pipeline) -> None:
    assert _land(home) == []
    home.settings.team_path.write_text(EXAMPLE, encoding="utf-8")
    rows = _land(home)
    assert [row[2] for row in rows if row[1] == "constructor"] == ["ferrari", "mercedes"]
    assert [row[2] for row in rows if row[3]] == ["kimi-antonelli"]
    assert {(row[0], str(row[4]), row[5], row[6]) for row in rows} == {("2026-monaco", "0.6", 2, "wildcard,limitless")}
    home.settings.team_path.unlink()
    assert _land(home) == []


def test_the_team_lands_with_the_next_line_up(home: Pipeline) -> None:
    assert TEAM_TABLE in forecast_tables(build_steps(home))


@pytest.mark.parametrize(
    ("found", "replacement", "message"),
    [
        ("bank_musd = 0.6", "bank_musd = 0.65", "bank_musd: expected 0 to 999.9 million dollars with one decimal"),
        ("bank_musd = 0.6", "bank_musd = nan", "bank_musd: expected"),
        ("bank_musd = 0.6", "bank_musd = -1", "bank_musd: expected"),
        ("bank_musd = 0.6", 'bank_musd = "a lot"', "bank_musd: expected a number, found 'a lot'"),
        ("bank_musd = 0.6", "", r"missing \['bank_musd'\]"),
        ("free_transfers = 2", "free_transfers = 99", "free_transfers: expected 0 to 10, found 99"),
        ('"lance-stroll", ', "", "drivers: expected 5, found 4"),
        ('"lance-stroll"', '"kimi-antonelli"', "drivers: expected each once, found 'kimi-antonelli' twice"),
        ('"lance-stroll"', '"lance-strol"', "drivers: expected ids as in data/drivers.csv, found lance-strol"),
        ('boosted = "kimi-antonelli"', 'boosted = "mercedes"', "boosted: expected one of the drivers"),
        ('"wildcard"', '"joker"', "chips_left: expected some of .*, found joker"),
        ("2026-monaco", "2026-monte-carlo", "race: expected a race such as 2026-monaco, found '2026-monte-carlo'"),
        ("race =", "race ==", "expected TOML"),
    ],
)
def test_a_mistake_is_named_and_the_table_stays(home: Pipeline, found: str, replacement: str, message: str) -> None:
    home.settings.team_path.write_text(EXAMPLE, encoding="utf-8")
    before = _land(home)
    assert found in EXAMPLE
    home.settings.team_path.write_text(EXAMPLE.replace(found, replacement, 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"my_team\.toml: .*" + message):
        _land(home)
    assert rows_of(home.settings.warehouse_path, TEAM_TABLE) == before
