"""A forecast, its champion and the line-up chosen on it stay the same when everything from the lock on is altered.

So do the accuracies of earlier races: whatever is shuffled after a race cannot move how well it was forecast.
"""

from __future__ import annotations

import pytest

from f1_pipeline.steps.knowledge import GAIN_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables, forecast_tables
from f1_pipeline_tests.integration.test_leakage import Lock, alter, unchecked
from f1_pipeline_tests.support import short_facts

RACE = "2025-miami"  # a sprint weekend: practice and sprint qualifying are known at the lock, sprint and race are not
KNOWABLE = {
    "weekend features": """
        select * from features.weekend_feature where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "simulation": """
        select * from predictions.simulated_points where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "candidates": """
        select phase, candidate, asset_type, asset_id, expected_points from predictions.candidate_points
        where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "models": "select candidate, training_row_count from models.points_model where race_key = $race_key order by all",
    "champions": """
        select * from models.champion where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "spread": """
        select * from models.spread_scale where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "forecast": """
        select phase, asset_type, asset_id, candidate, expected_points, sd_points, p05, p50, p95, draws,
            data_watermark_at, notes
        from predictions.asset_forecast
        where race_key = $race_key and phase <> 'after_qualifying' and is_current
        order by all
    """,
    "price steps": """
        select * from predictions.price_step_probability where race_key = $race_key and phase <> 'after_qualifying'
        order by all
    """,
    "later races": "select * from predictions.later_race_points where race_key = $race_key order by all",
    "line-ups": "select * from lineups.optimal_lineup where race_key = $race_key order by all",
    "chips": "select * from lineups.chip_gain where race_key = $race_key order by all",
}
JUDGED_EARLIER = {
    "errors": "select * from evaluation.asset_error where list_contains($race_keys, race_key) order by all",
    "errors of candidates": """
        select * from evaluation.candidate_error where list_contains($race_keys, race_key) order by all
    """,
    "line-ups": "select * from evaluation.lineup_score where list_contains($race_keys, race_key) order by all",
}


@pytest.fixture(scope="module")
def altered(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The world up to the lock of the race, and another one from there on."""
    folder = tmp_path_factory.mktemp("altered")
    facts = short_facts(folder / "data")
    alter(facts, Lock.of(facts, RACE))
    pipeline = unchecked(folder, facts)
    steps = build_steps(pipeline)
    for table in finished_tables(steps):
        steps[table].run(pipeline, table, _earlier(pipeline))
    for table in (*forecast_tables(steps), GAIN_TABLE):
        steps[table].run(pipeline, table, [RACE])
    return pipeline


def _earlier(pipeline: Pipeline) -> list[str]:
    return [race.race_key for race in pipeline.calendar.before(RACE)]


def _rows(pipeline: Pipeline, query: str, **parameters: object) -> list[tuple[object, ...]]:
    with pipeline.warehouse.read() as connection:
        return connection.execute(query, parameters).fetchall()


@pytest.mark.parametrize("name", KNOWABLE)
def test_a_forecast_ignores_everything_from_the_lock_on(name: str, complete: Pipeline, altered: Pipeline) -> None:
    expected = _rows(complete, KNOWABLE[name], race_key=RACE)
    assert expected
    assert _rows(altered, KNOWABLE[name], race_key=RACE) == expected


@pytest.mark.parametrize("name", JUDGED_EARLIER)
def test_another_future_does_not_move_the_accuracy_of_earlier_races(
    name: str, complete: Pipeline, altered: Pipeline
) -> None:
    keys = _earlier(altered)
    assert len(keys) == 5
    expected = _rows(complete, JUDGED_EARLIER[name], race_keys=keys)
    assert expected
    assert _rows(altered, JUDGED_EARLIER[name], race_keys=keys) == expected


def test_the_future_is_another_one(complete: Pipeline, altered: Pipeline) -> None:
    query = "select driver_id, position, score from core.session_score where race_key = $race_key order by all"
    assert _rows(altered, query, race_key=RACE) != _rows(complete, query, race_key=RACE)
    later = """
        select asset_id, expected_points from predictions.candidate_points
        where race_key = $race_key and phase = 'after_qualifying'
        order by all
    """
    assert _rows(altered, later, race_key=RACE) != _rows(complete, later, race_key=RACE)
