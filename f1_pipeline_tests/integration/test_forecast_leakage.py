"""A forecast and the line-up chosen on it stay the same when everything from the lock on is altered."""

from __future__ import annotations

from pathlib import Path

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.integration.test_leakage import Lock, alter, unchecked
from f1_pipeline_tests.support import run_history

RACE = "2026-miami"  # a sprint weekend with a race after it
FORECAST = """
    select poi.asset_type, poi.asset_id, poi.expected_points, poi.sd_points, poi.p10, poi.p50, poi.p90,
        dri.fingerprint as driver_model, con.fingerprint as constructor_model
    from predictions.asset_points as poi
    inner join models.driver_points_model as dri using (race_key)
    inner join models.constructor_points_model as con using (race_key)
    where race_key = $race_key
    order by all
"""
LINEUPS = "select * from lineups.optimal_lineup where race_key = $race_key order by all"


def _rows(pipeline: Pipeline, query: str) -> list[tuple[object, ...]]:
    with pipeline.warehouse.read() as connection:
        return connection.execute(query, {"race_key": RACE}).fetchall()


def test_forecast_and_lineup_ignore_everything_from_the_lock_on(
    complete: Pipeline, history: History, facts: Path, tmp_path: Path
) -> None:
    alter(facts, Lock.of(facts, RACE))
    pipeline = unchecked(tmp_path, facts)
    run_history(pipeline)
    steps = build_steps(pipeline)
    for table in forecast_tables(steps):
        if table not in history.steps:
            steps[table].run(pipeline, table, [RACE])
    for query in (FORECAST, LINEUPS):
        expected = _rows(complete, query)
        assert expected
        assert _rows(pipeline, query) == expected
