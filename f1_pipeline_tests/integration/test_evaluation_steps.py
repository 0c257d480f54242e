"""The steps that judge forecasts, on two small races; the forecasts and what must come of them are worked by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.baselines import BASELINES
from f1_pipeline.forecast.evaluation import crps, past_error_ensemble
from f1_pipeline.steps.evaluation import (
    CANDIDATE_ERROR_TABLE,
    CANDIDATE_LINEUP_TABLE,
    ERROR_TABLE,
    EVENT_TABLE,
    LINEUP_SCORE_TABLE,
    score_candidates,
    score_events,
    score_forecasts,
    score_lineups,
)
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.judged_races import (
    ACTUAL,
    BAHRAIN,
    BEFORE,
    DRIVERS,
    JEDDAH,
    LOCK,
    MAX,
    judge,
    make_warehouse,
    stored,
)
from f1_pipeline_tests.support import fingerprints, make_settings


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("judged")))
    make_warehouse(pipeline)
    judge(pipeline)
    return pipeline


@pytest.fixture
def forecast_only(tmp_path: Path) -> Pipeline:
    """The same races before anything was judged, for tests that write."""
    pipeline = Pipeline(make_settings(tmp_path / "warehouse"))
    make_warehouse(pipeline)
    return pipeline


def error_of(pipeline: Pipeline, forecast: str, race_key: str = BAHRAIN, asset_id: str = MAX, phase: str = LOCK):
    (row,) = stored(pipeline, ERROR_TABLE, forecast=forecast, race_key=race_key, asset_id=asset_id, phase=phase)
    return row


def test_published_forecast_is_judged_by_its_own_quantiles_and_draws(judged: Pipeline) -> None:
    row = error_of(judged, "published")
    assert (row["expected_points"], row["median_points"], row["actual_points"]) == (30.0, 16.0, 10)
    # draws of 0, 10, 20 and 30 points: mean distance 10, less half the mean distance of two of them
    assert row["crps_points"] == pytest.approx(10.0 - 6.25)
    assert row["pit"] == pytest.approx(0.375)
    assert (row["is_in_50"], row["is_in_80"], row["is_in_90"]) == (False, True, True)
    assert row["return_class"] == "mid"


def test_candidate_has_the_simulation_s_shape_moved_and_stretched(judged: Pipeline) -> None:
    row = error_of(judged, "ridge")
    # 12 + 2 * (-3, -1, 1, 3) = 6, 10, 14, 18
    assert (row["expected_points"], row["median_points"]) == (12.0, 12.0)
    assert row["crps_points"] == pytest.approx(4.0 - 2.5)
    assert row["pit"] == pytest.approx(0.375)
    assert (row["is_in_50"], row["is_in_80"]) == (True, True)


def test_baseline_is_a_value_with_the_errors_it_made_before(judged: Pipeline) -> None:
    first = error_of(judged, "price_only")
    assert (first["expected_points"], first["median_points"]) == (10.0, 10.0)
    assert first["crps_points"] == pytest.approx(15 * 0.23370, rel=0.01)  # a normal distribution hit at its centre
    scored = [points for name, points in ACTUAL[BAHRAIN].items() if name in DRIVERS]
    members = past_error_ensemble([10.0] * len(scored), scored, [10.0], "driver")
    second = error_of(judged, "price_only", JEDDAH)
    assert second["crps_points"] == pytest.approx(crps(members, [20.0])[0])


def test_only_who_took_part_and_was_forecast_is_judged(judged: Pipeline) -> None:
    assert stored(judged, ERROR_TABLE, race_key=BAHRAIN, asset_id="ann") == []
    assert stored(judged, ERROR_TABLE, race_key=JEDDAH, asset_id="dan", forecast="published") == []
    assert len(stored(judged, ERROR_TABLE, race_key=JEDDAH, asset_id="dan")) == 5


def test_baselines_stand_beside_every_phase_and_share_its_state(judged: Pipeline) -> None:
    rows = stored(judged, ERROR_TABLE, asset_id=MAX)
    found = {(row["race_key"], row["phase"], row["is_live"]) for row in rows if row["forecast"] in BASELINES}
    assert found == {(BAHRAIN, BEFORE, False), (BAHRAIN, LOCK, False), (JEDDAH, LOCK, True)}
    assert len(rows) == 3 * (1 + 2 + 3)
    assert all(row["is_live"] == (row["race_key"] == JEDDAH) for row in rows)


def test_line_up_is_the_best_by_expectation_and_scored_by_points(judged: Pipeline) -> None:
    (row,) = stored(judged, LINEUP_SCORE_TABLE, race_key=BAHRAIN, phase=LOCK, forecast="published")
    # Max twice, Alex, Ann who took no part, Bob, Cat, Red, Blue
    assert row["lineup_points"] == 2 * 10 + 4 + 0 - 2 + 8 + 5 + 7
    # Dan twice, Max, Cat, Alex, Ann, Williams, Blue
    assert row["hindsight_points"] == 2 * 40 + 10 + 8 + 4 + 0 + 50 + 7
    assert row["capture_share"] == pytest.approx(42 / 159)
    assert row["is_live"] is False
    assert {row["forecast"] for row in stored(judged, LINEUP_SCORE_TABLE)} == {
        "published",
        "strength",
        "ridge",
        *BASELINES,
    }


def test_who_came_on_sale_after_the_forecast_is_not_in_its_line_up(judged: Pipeline) -> None:
    by = {row["forecast"]: row["lineup_points"] for row in stored(judged, LINEUP_SCORE_TABLE, race_key=JEDDAH)}
    # Max twice, Alex, Ann, Bob, Cat, Red, Blue; Dan is the last choice of those who know him as well
    assert by["published"] == by["strength"] == 2 * 20 + 0 + 30 + 4 + 8 + 40 + 9


def test_candidates_are_scored_without_knowing_what_was_published(judged: Pipeline) -> None:
    errors, lineups = (stored(judged, table) for table in (CANDIDATE_ERROR_TABLE, CANDIDATE_LINEUP_TABLE))
    assert (
        {row["forecast"] for row in errors} == {row["forecast"] for row in lineups} == {"strength", "ridge", *BASELINES}
    )
    beside = [row for row in stored(judged, ERROR_TABLE) if row["forecast"] != "published"]
    assert [{name: row[name] for name in errors[0]} for row in beside] == errors
    scored = [row for row in stored(judged, LINEUP_SCORE_TABLE) if row["forecast"] != "published"]
    assert [{name: row[name] for name in lineups[0]} for row in scored] == lineups


def test_events_are_held_against_results_and_the_next_price(judged: Pipeline) -> None:
    rows = stored(judged, EVENT_TABLE, race_key=BAHRAIN)
    assert [(row["asset_id"], row["outcome"], row["probability"], row["has_happened"]) for row in rows] == [
        ("bob", "not_classified", 0.3, True),
        (MAX, "not_classified", 0.1, False),
        (MAX, "+0.0", 0.4, False),
        (MAX, "+0.1", 0.5, True),
        (MAX, "-0.1", 0.1, False),
    ]
    assert {row["is_live"] for row in stored(judged, EVENT_TABLE, race_key=JEDDAH)} == {True}


def test_gain_of_the_table_is_the_paired_difference(judged: Pipeline) -> None:
    own, reference = (
        [row["crps_points"] for row in stored(judged, ERROR_TABLE, forecast=name, race_key=BAHRAIN, phase=LOCK)]
        for name in ("ridge", "ewma_price_prior")
    )
    (row,) = stored(
        judged,
        "evaluation.forecast_accuracy",
        season="2023",
        phase=LOCK,
        asset_type="all",
        forecast="ridge",
        is_live=False,
    )
    assert row["crps_gain_points"] == pytest.approx(sum(reference) / len(reference) - sum(own) / len(own))
    assert (row["race_count"], row["asset_count"]) == (1, len(own))


def test_reports_have_the_figures_of_each_race(forecast_only: Pipeline) -> None:
    judge(forecast_only)
    both = [BAHRAIN, JEDDAH]
    details = score_forecasts(forecast_only, ERROR_TABLE, both).details[BAHRAIN]
    assert details["crps_points"] == pytest.approx(
        sum(
            row["crps_points"]
            for row in stored(forecast_only, ERROR_TABLE, race_key=BAHRAIN, phase=LOCK, forecast="published")
        )
        / 8
    )
    assert set(details) == {"mae_points", "crps_points"}
    assert score_lineups(forecast_only, LINEUP_SCORE_TABLE, both).details[BAHRAIN] == {
        "lineup_points": 42.0,
        "capture_share": pytest.approx(42 / 159),
    }
    brier = score_events(forecast_only, EVENT_TABLE, both).details[BAHRAIN]["price_step_brier_score"]
    assert brier == pytest.approx((0.1**2 + 0.4**2 + 0.5**2) / 3)


def test_judging_one_race_alone_or_twice_changes_nothing(forecast_only: Pipeline) -> None:
    judge(forecast_only)
    once = fingerprints(forecast_only.settings.warehouse_path)
    for race_key in (JEDDAH, BAHRAIN):
        score_candidates(forecast_only, CANDIDATE_ERROR_TABLE, [race_key])
        score_forecasts(forecast_only, ERROR_TABLE, [race_key])
    judge(forecast_only)
    assert fingerprints(forecast_only.settings.warehouse_path) == once


def test_later_points_change_no_earlier_distribution(forecast_only: Pipeline) -> None:
    judge(forecast_only)
    before = stored(forecast_only, CANDIDATE_ERROR_TABLE, race_key=BAHRAIN)
    with duckdb.connect(str(forecast_only.settings.warehouse_path)) as connection:
        connection.execute(
            "update core.driver_race_performance set total_points = 99 where race_key = '2023-saudi-arabia'"
        )
    score_candidates(forecast_only, CANDIDATE_ERROR_TABLE, [BAHRAIN, JEDDAH])
    assert stored(forecast_only, CANDIDATE_ERROR_TABLE, race_key=BAHRAIN) == before


@pytest.mark.parametrize(
    ("deletion", "table"),
    [
        ("delete from predictions.asset_forecast where race_key = '2023-bahrain'", "predictions.asset_forecast"),
        ("delete from evaluation.candidate_error where race_key = '2023-bahrain'", "evaluation.candidate_error"),
    ],
)
def test_missing_race_is_named(forecast_only: Pipeline, deletion: str, table: str) -> None:
    score_candidates(forecast_only, CANDIDATE_ERROR_TABLE, [BAHRAIN])
    with duckdb.connect(str(forecast_only.settings.warehouse_path)) as connection:
        connection.execute(deletion)
    with pytest.raises(WarehouseError, match=rf"{table}: expected rows for 2023-bahrain, found none"):
        score_forecasts(forecast_only, ERROR_TABLE, [BAHRAIN])


def test_missing_history_is_named(forecast_only: Pipeline) -> None:
    with duckdb.connect(str(forecast_only.settings.warehouse_path)) as connection:
        connection.execute("delete from core.driver_race_performance where race_key = '2023-bahrain'")
    with pytest.raises(WarehouseError, match="2023-saudi-arabia needs every race before it"):
        score_candidates(forecast_only, CANDIDATE_ERROR_TABLE, [JEDDAH])
