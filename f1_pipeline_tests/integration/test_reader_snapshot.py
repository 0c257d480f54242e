"""What the published snapshot promises its readers: views and macros as their headers say, comments, a guide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.warehouse.connection import ask
from f1_pipeline.warehouse.frames import read_table
from f1_pipeline.warehouse.reader_file import ReaderObject, read_reader_objects
from f1_pipeline_tests.support import NEXT_RACE, REPO

OBJECTS = read_reader_objects(REPO / "dbt_like_sql")
GUIDE = (REPO / "docs" / "warehouse.md").read_text(encoding="utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
RECIPES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
NEEDED = {"a": "'lando-norris'", "b": "'oscar-piastri'", "circuit": "'monaco'"}
NO_TEAM = "reader.my_team_history"  # the fixture has no team of its own


@pytest.fixture(scope="module")
def snapshot(complete: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(complete.settings.published_path), read_only=True) as connection:
        yield connection


def called(item: ReaderObject) -> str:
    """Name a view, or call a macro with what it must be given."""
    given = [f"{parameter.name} := {NEEDED[parameter.name]}" for parameter in item.parameters if not parameter.default]
    return f"{item.contract.full_name}({', '.join(given)})" if item.parameters else item.contract.full_name


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return connection.execute(sql).fetchall()[0][0]


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item.contract.name)
def test_it_keeps_what_its_header_promises(item: ReaderObject, snapshot: duckdb.DuckDBPyConnection) -> None:
    found = snapshot.sql(f"from {called(item)}")
    assert tuple(found.columns) == item.contract.column_names
    assert len(found) == len(found.select(*item.contract.grain).distinct())
    for check in item.contract.checks:
        assert found.filter(f"({check}) is not true").fetchall() == [], check
    rows = snapshot.execute(item.example).fetchall()
    assert item.contract.full_name in item.example
    assert rows or item.contract.full_name == NO_TEAM


def test_every_table_view_and_macro_says_what_it_is(snapshot: duckdb.DuckDBPyConnection) -> None:
    silent = snapshot.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where comment is null"
        " union all select schema_name || '.' || view_name from duckdb_views() where not internal and comment is null"
        " union all select schema_name || '.' || function_name from duckdb_functions()"
        " where schema_name = 'reader' and comment is null"
    ).fetchall()
    assert silent == []


def test_every_column_of_every_table_and_view_says_what_it_is(snapshot: duckdb.DuckDBPyConnection) -> None:
    silent = snapshot.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal and comment is null"
    ).fetchall()
    assert silent == []
    assert answer(snapshot, "select count(*) from duckdb_columns() where schema_name = 'reader'") > 50


def test_what_they_say_equals_what_the_tables_hold(snapshot: duckdb.DuckDBPyConnection) -> None:
    frame = read_table(snapshot, "core.driver_race_performance").merge(read_table(snapshot, "core.race"), on="race_key")
    norris = frame[frame["driver_id"] == "lando-norris"].sort_values("race_date")
    formed = snapshot.execute(
        "select mean_points, recent_points from reader.form($race, n := 4) where asset_id = 'lando-norris'",
        {"race": NEXT_RACE},
    ).fetchall()
    last = norris["total_points"].tail(4)
    assert formed == [(last.mean(), list(reversed(last.tolist())))]
    season = norris[norris["season"] == 2025]["total_points"]
    summed = snapshot.execute(
        "select total_points, race_count from reader.season_leaderboard(2025) where asset_id = 'lando-norris'"
    ).fetchall()
    assert summed == [(season.sum(), len(season))]
    steps = snapshot.execute("select sum(rise_probability) from reader.value()").fetchall()
    probabilities = read_table(snapshot, "predictions.price_step_probability")
    rising = probabilities[
        (probabilities["race_key"] == NEXT_RACE)
        & (probabilities["phase"] == "at_lock")
        & (probabilities["step_musd"] > 0)
    ]
    assert steps[0][0] == pytest.approx(rising["probability"].sum())


def test_a_snapshot_that_is_attached_answers_once_it_is_used(complete: Pipeline) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{complete.settings.published_path}' as f1 (read_only)")
        assert answer(connection, "select count(*) from f1.reader.price_history") > 0
        connection.execute("use f1")
        assert answer(connection, "select count(*) from reader.form(n := 5)") > 0
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("create table core.mine (number integer)")


def test_the_guide_shows_every_view_and_macro() -> None:
    shown = {item.contract.full_name for item in OBJECTS if any(item.contract.full_name in text for text in STATEMENTS)}
    assert shown == {item.contract.full_name for item in OBJECTS}


@pytest.mark.parametrize("statement", STATEMENTS, ids=range(len(STATEMENTS)))
def test_a_statement_of_the_guide_answers(statement: str, complete: Pipeline) -> None:
    rows = ask(open_published(complete.settings).warehouse, statement)
    assert rows.num_rows > 0 or NO_TEAM in statement


@pytest.mark.filterwarnings(
    "ignore:The inplace keyword:DeprecationWarning"
)  # duckdb 1.5.5 on pandas 3.1, see frames.py
@pytest.mark.parametrize("recipe", RECIPES, ids=range(len(RECIPES)))
def test_a_recipe_of_the_guide_runs(recipe: str, complete: Pipeline) -> None:
    path = "data/warehouse/published.duckdb"
    assert path in recipe
    exec(recipe.replace(path, str(complete.settings.published_path)), {})
