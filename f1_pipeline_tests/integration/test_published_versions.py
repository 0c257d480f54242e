"""What was forecast before its deadline stays; later attempts stand beside it; accuracy is judged by what counts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps
from f1_pipeline_tests.support import NEXT_RACE, fingerprints, make_settings

TABLE = "predictions.asset_forecast"
BEFORE_PRACTICE = datetime(2026, 6, 3, 12, tzinfo=UTC)
BEFORE_LOCK = datetime(2026, 6, 6, 13, tzinfo=UTC)  # Monaco locks at 14:00
AFTER_LOCK = datetime(2026, 6, 6, 15, tzinfo=UTC)
STATES = """
    select phase, version, any_value(is_live), any_value(is_current), count(*)
    from predictions.asset_forecast
    where race_key = $race_key
    group by phase, version
    order by phase, version
"""
LOCKED = "select asset_id, expected_points, is_live from predictions.asset_points where race_key = $race_key order by 1"


@pytest.fixture
def own(complete: Pipeline, tmp_path: Path) -> Pipeline:
    """A copy of the computed warehouse and its model store that the test may write."""
    settings = make_settings(tmp_path / "warehouse", complete.settings.data_dir)
    settings.warehouse_dir.mkdir()
    shutil.copy(complete.settings.warehouse_path, settings.warehouse_path)
    return Pipeline(settings)


def learn_something(pipeline: Pipeline) -> None:
    """Let every candidate expect another point, as news from practice might."""
    with duckdb.connect(str(pipeline.settings.warehouse_path)) as connection:
        connection.execute("update predictions.candidate_points set expected_points = expected_points + 1")


def publish(pipeline: Pipeline, now: datetime) -> None:
    at = replace(pipeline, clock=lambda: now)
    steps = build_steps(at)
    for table in (TABLE, "predictions.asset_points", "predictions.price_step_probability"):
        steps[table].run(at, table, [NEXT_RACE])


def ask(pipeline: Pipeline, query: str) -> list[tuple[object, ...]]:
    with pipeline.warehouse.read() as connection:
        return connection.execute(query, {"race_key": NEXT_RACE}).fetchall()


def test_a_live_forecast_is_never_overwritten_or_relabelled(own: Pipeline) -> None:
    assert ask(own, STATES) == [("at_lock", 1, False, True, 33), ("before_practice", 1, False, True, 33)]
    learn_something(own)
    publish(own, BEFORE_PRACTICE)
    live = ("at_lock", 2, True, True, 33)
    assert ask(own, STATES)[:2] == [("at_lock", 1, False, False, 33), live]
    first = ask(own, LOCKED)
    assert all(row[2] for row in first)

    learn_something(own)
    publish(own, BEFORE_LOCK)  # too late for the phase before practice: a replay beside the live one, which counts
    assert ask(own, STATES) == [
        ("at_lock", 1, False, False, 33),
        ("at_lock", 2, True, False, 33),
        ("at_lock", 3, True, True, 33),
        ("before_practice", 2, True, True, 33),
        ("before_practice", 3, False, False, 33),
    ]
    second = ask(own, LOCKED)
    assert [row[1] for row in second] == [pytest.approx(float(row[1]) + 1) for row in first]

    learn_something(own)
    publish(own, AFTER_LOCK)
    assert ask(own, STATES)[-4:-2] == [("at_lock", 3, True, True, 33), ("at_lock", 4, False, False, 33)]
    assert ask(own, LOCKED) == second
    kept = "select version, content_hash from predictions.asset_forecast where race_key = $race_key and version = 2"
    assert len(set(ask(own, kept))) == 2


def test_the_same_forecast_again_changes_nothing(own: Pipeline) -> None:
    learn_something(own)
    publish(own, BEFORE_PRACTICE)
    before = fingerprints(own.settings.warehouse_path)
    publish(own, BEFORE_LOCK)
    publish(own, AFTER_LOCK)
    assert fingerprints(own.settings.warehouse_path) == before


def test_prices_follow_the_version_that_counts(own: Pipeline) -> None:
    query = "select asset_id, step_musd, probability from predictions.price_step_probability where race_key = $race_key"
    before = sorted(ask(own, query))
    for _ in range(10):
        learn_something(own)
    publish(own, BEFORE_LOCK)
    after = sorted(ask(own, query))
    assert after != before
    totals = """
        select sum(probability) from predictions.price_step_probability
        where race_key = $race_key
        group by phase, asset_type, asset_id
    """
    assert {round(float(row[0]), 9) for row in ask(own, totals)} == {1.0}


def test_who_comes_on_sale_after_a_live_forecast_has_no_price_steps_and_stops_nobody(own: Pipeline) -> None:
    table = "predictions.price_step_probability"
    with duckdb.connect(str(own.settings.warehouse_path)) as connection:
        connection.execute("delete from predictions.asset_forecast where asset_id = 'lance-stroll'")
    build_steps(own)[table].run(own, table, [NEXT_RACE])
    totals = ask(
        own,
        "select asset_id, sum(probability), min(probability) from predictions.price_step_probability"
        " where race_key = $race_key and phase = 'at_lock' group by asset_type, asset_id",
    )
    assert len(totals) == 32
    assert "lance-stroll" not in {row[0] for row in totals}
    assert {round(float(row[1]), 9) for row in totals} == {1.0}
    # a step that no draw reached is listed as such
    assert 0.0 in {row[2] for row in totals}
