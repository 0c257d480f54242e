"""What runs by itself, by real ticks of the sensor on an instance of its own, at chosen times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.automation import RESULTS_AFTER, build_sensors
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, build_jobs
from f1_pipeline.sources.calendar import Calendar
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import LINEUP_TABLE, REVIEW_TABLE, build_steps
from f1_pipeline_tests.support import make_settings


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(make_settings(tmp_path_factory.mktemp("automation")))


def _known_until(calendar: Calendar, race_key: str) -> Calendar:
    """The calendar as it was when this race was the last one with official points."""
    last = calendar.get(race_key).race_date
    races = (
        race if race.race_date <= last else type(race)(**{**vars(race), "is_finished": False})
        for race in calendar.races
    )
    return Calendar(tuple(races))


def _tick(
    pipeline: Pipeline, now: datetime, last_finished: str, reviewed: Iterable[str], chosen: Iterable[str] = ()
) -> dg.RunRequest | str:
    """Tick the sensor once; return its request, or why it skipped."""
    calendar = _known_until(pipeline.calendar, last_finished)
    (sensor,) = build_sensors(calendar, build_jobs(build_steps(pipeline)), clock=lambda: now)
    with dg.DagsterInstance.ephemeral() as instance:
        for table, race_keys in ((REVIEW_TABLE, reviewed), (LINEUP_TABLE, chosen)):
            for race_key in race_keys:
                event = dg.AssetMaterialization(asset_key(table), partition=race_key)
                instance.report_runless_asset_event(event)
        with dg.build_sensor_context(instance=instance, sensor_name=sensor.name) as context:
            result = sensor.evaluate_tick(context)
    return result.run_requests[0] if result.run_requests else str(result.skip_message)


def _reviewed_until(pipeline: Pipeline, race_key: str) -> list[str]:
    return [race.race_key for race in pipeline.calendar.before(race_key)] + [race_key]


def _range(request: dg.RunRequest) -> tuple[str, str]:
    tags = request.tags
    return tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]


def test_before_the_race_its_line_up_is_due(pipeline: Pipeline) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    request = _tick(pipeline, now, "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)
    assert request.job_name == NEXT_LINEUP_JOB
    assert _range(request) == ("2026-canada", "2026-canada")
    assert request.run_key == "next_lineup:2026-canada:2026-canada"


def test_nothing_is_due_once_the_line_up_is_made(pipeline: Pipeline) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    answer = _tick(pipeline, now, "2026-miami", _reviewed_until(pipeline, "2026-miami"), ["2026-canada"])
    assert answer == "the line-up for 2026-canada is made; it locks at 2026-05-23 16:00 UTC"


def test_no_line_up_is_chosen_after_the_lock_of_a_sprint_weekend(pipeline: Pipeline) -> None:
    # The lock of a sprint weekend is the start of the sprint, four hours before qualifying.
    now = datetime(2026, 5, 23, 16, 0, tzinfo=UTC)
    answer = _tick(pipeline, now, "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert answer == "2026-canada has locked; its results are due after the race"
    request = _tick(pipeline, now - timedelta(minutes=1), "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)


def test_after_the_race_nothing_runs_until_its_points_are_official(pipeline: Pipeline) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    answer = _tick(pipeline, now, "2026-miami", _reviewed_until(pipeline, "2026-miami"), ["2026-canada"])
    assert answer == "2026-canada has been driven; its official points are not in data/ yet"


def test_after_the_race_the_finished_race_comes_first_then_the_next_line_up(pipeline: Pipeline) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    request = _tick(pipeline, now, "2026-canada", _reviewed_until(pipeline, "2026-miami"), ["2026-canada"])
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (FINISHED_RACE_JOB, ("2026-canada", "2026-canada"))
    later = now + timedelta(minutes=15)
    request = _tick(pipeline, later, "2026-canada", _reviewed_until(pipeline, "2026-canada"), ["2026-canada"])
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (NEXT_LINEUP_JOB, ("2026-monaco", "2026-monaco"))


def test_nothing_runs_while_a_race_is_driven(pipeline: Pipeline) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + timedelta(hours=1)
    answer = _tick(pipeline, now, "2026-miami", _reviewed_until(pipeline, "2026-miami"), [])
    assert answer == "2026-canada has locked; its results are due after the race"


def test_a_free_week_runs_nothing(pipeline: Pipeline) -> None:
    # Between Japan (29 March) and Miami (3 May) 2026 there is no race.
    now = datetime(2026, 4, 12, 18, tzinfo=UTC)
    answer = _tick(pipeline, now, "2026-japan", _reviewed_until(pipeline, "2026-japan"), ["2026-miami"])
    assert answer == "the line-up for 2026-miami is made; it locks at 2026-05-02 16:00 UTC"


def test_a_fresh_install_computes_every_finished_race_in_one_run(pipeline: Pipeline) -> None:
    now = datetime(2026, 5, 26, tzinfo=UTC)
    request = _tick(pipeline, now, "2026-canada", [])
    assert isinstance(request, dg.RunRequest)
    assert _range(request) == ("2023-bahrain", "2026-canada")


def test_a_gap_in_the_past_is_filled_alone(pipeline: Pipeline) -> None:
    now = datetime(2026, 5, 26, tzinfo=UTC)
    reviewed = [key for key in _reviewed_until(pipeline, "2026-canada") if key not in ("2024-monaco", "2025-japan")]
    request = _tick(pipeline, now, "2026-canada", reviewed)
    assert isinstance(request, dg.RunRequest)
    assert _range(request) == ("2024-monaco", "2024-monaco")


def test_after_the_season_there_is_nothing_to_do(pipeline: Pipeline) -> None:
    calendar = pipeline.calendar
    last = calendar.finished[-1]
    over = Calendar(tuple(race for race in calendar.races if race.race_date <= last.race_date))
    (sensor,) = build_sensors(over, build_jobs(build_steps(pipeline)), clock=lambda: datetime(2026, 12, 30, tzinfo=UTC))
    with dg.DagsterInstance.ephemeral() as instance:
        for race in over.finished:
            instance.report_runless_asset_event(
                dg.AssetMaterialization(asset_key(REVIEW_TABLE), partition=race.race_key)
            )
        with dg.build_sensor_context(instance=instance, sensor_name=sensor.name) as context:
            assert sensor.evaluate_tick(context).skip_message == "the season is over"
