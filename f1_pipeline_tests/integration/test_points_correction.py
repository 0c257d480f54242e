"""A total that the game restates: the facts take the new one, and both can be queried."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f1_pipeline.settings import Settings
from f1_pipeline.sources.fact_frames import read_facts
from f1_pipeline.sources.feed_data import FeedData
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.refresh import CORRECTION_TABLE, STATEMENT_TABLE, refresh
from f1_pipeline.steps.registry import build_steps
from f1_pipeline_tests.feed_readings import feed_reading, game_of, restated_overtake
from f1_pipeline_tests.feed_server import serve_game
from f1_pipeline_tests.local_server import LocalServer
from f1_pipeline_tests.support import DATA, make_settings, rows_of

SEASON, RACE, MEETING = 2026, "2026-canada", "Canadian Grand Prix"


@pytest.fixture
def settings(facts: Path, tmp_path: Path) -> Settings:
    own = make_settings(tmp_path / "warehouse", data_dir=facts)
    return dataclasses.replace(own, sources=("feed",), request_pause_s=0.0)


@pytest.fixture(scope="module")
def reading() -> FeedData:
    facts = read_facts(DATA)
    races = facts["prices"]["race_key"]
    return feed_reading(facts, SEASON, states_of=set(races[races.str.startswith(str(SEASON))]))


def now() -> datetime:
    """The Tuesday after the race."""
    return datetime(2026, 5, 26, 12, tzinfo=UTC)


def land(settings: Settings) -> None:
    pipeline = Pipeline(settings)
    steps = build_steps(pipeline)
    for table in (STATEMENT_TABLE, CORRECTION_TABLE):
        steps[table].run(pipeline, table, [])


def test_before_the_feed_was_ever_asked_there_is_nothing(settings: Settings) -> None:
    land(settings)
    assert rows_of(settings.warehouse_path, STATEMENT_TABLE) == []
    assert rows_of(settings.warehouse_path, CORRECTION_TABLE) == []
    assert not settings.received_dir.exists()


def test_a_restated_total_is_reported_merged_and_kept_beside_the_old_one(settings: Settings, reading: FeedData) -> None:
    with LocalServer() as server:
        own = dataclasses.replace(settings, feed=serve_game(server, game_of(reading)))
        assert refresh(own, str, now).restated == ()
        serve_game(server, game_of(restated_overtake(reading, MEETING, ("lewis-hamilton", "ferrari"))))
        report = refresh(own, str, now)
    told = {(row.asset_id, row.old_points, row.new_points) for row in report.restated}
    totals = read_facts(DATA)["official_totals"].query("race_key == @RACE").set_index("asset_id")["total_points"]
    hamilton, ferrari = int(totals["lewis-hamilton"]), int(totals["ferrari"])
    assert told == {("lewis-hamilton", hamilton, hamilton + 1), ("ferrari", ferrari, ferrari + 1)}
    land(settings)
    corrections = rows_of(settings.warehouse_path, CORRECTION_TABLE)
    assert {(row[3], row[7], row[10], row[11], row[12]) for row in corrections} == {
        (MEETING, "Lewis Hamilton", hamilton, hamilton + 1, 1),
        (MEETING, "Ferrari", ferrari, ferrari + 1, 1),
    }
