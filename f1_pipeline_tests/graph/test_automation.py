"""What runs by itself, by real ticks of the sensor on an instance of its own, at chosen times."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.automation import RESULTS_AFTER, build_sensors, facts_digest, what_is_due
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, REFRESH_JOB, build_jobs
from f1_pipeline.sources.calendar import Calendar
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import REVIEW_TABLE, build_steps
from f1_pipeline_tests.support import make_settings, rewrite

FACTS_OF_RESULTS = ("event_scores.csv", "official_totals.csv")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(make_settings(tmp_path_factory.mktemp("automation")))


def _forget_after(facts: Path, calendar: Calendar, race_key: str) -> None:
    """Make this race the last one with official points."""
    known = {race.race_key for race in calendar.before(race_key)} | {race_key}
    for name in FACTS_OF_RESULTS:
        rewrite(facts / name, lambda rows: [row for row in rows if row["race_key"] in known])


def _evaluate(sensor: dg.SensorDefinition, reviewed: Iterable[str]) -> dg.RunRequest | str:
    with dg.DagsterInstance.ephemeral() as instance:
        for race_key in reviewed:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset_key(REVIEW_TABLE), partition=race_key))
        with dg.build_sensor_context(instance=instance, sensor_name=sensor.name) as context:
            result = sensor.evaluate_tick(context)
    return result.run_requests[0] if result.run_requests else str(result.skip_message)


def _sensor(pipeline: Pipeline, facts: Path, now: datetime, has_sources: bool = True) -> dg.SensorDefinition:
    (sensor,) = build_sensors(facts, build_jobs(build_steps(pipeline)), has_sources, clock=lambda: now)
    return sensor


Tick = Callable[[datetime, str, Iterable[str]], dg.RunRequest | str]


@pytest.fixture
def tick(pipeline: Pipeline, facts: Path) -> Tick:
    """Tick the sensor once, at a time, with points up to a race, and these races reviewed."""

    def evaluated(now: datetime, last_finished: str, reviewed: Iterable[str]) -> dg.RunRequest | str:
        _forget_after(facts, pipeline.calendar, last_finished)
        return _evaluate(_sensor(pipeline, facts, now), reviewed)

    return evaluated


def _reviewed_until(pipeline: Pipeline, race_key: str) -> list[str]:
    return [race.race_key for race in pipeline.calendar.before(race_key)] + [race_key]


def _range(request: dg.RunRequest) -> tuple[str, str]:
    tags = request.tags
    return tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]


def test_before_the_race_its_line_up_is_due(pipeline: Pipeline, tick: Tick, facts: Path) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    request = tick(now, "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)
    assert request.job_name == NEXT_LINEUP_JOB
    assert _range(request) == ("2026-canada", "2026-canada")
    assert request.run_key == f"next_lineup:2026-canada:2026-canada:{facts_digest(facts)}"


def test_a_second_tick_asks_for_the_same_run_until_the_facts_change(
    pipeline: Pipeline, tick: Tick, facts: Path
) -> None:
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    reviewed = _reviewed_until(pipeline, "2026-miami")
    first, second = (tick(now, "2026-miami", reviewed) for _ in range(2))
    rewrite(facts / "ownership.csv", lambda rows: rows[:-1])
    third = tick(now, "2026-miami", reviewed)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert isinstance(third, dg.RunRequest)
    # Dagster starts one run per run key, whatever became of it.
    assert first.run_key == second.run_key != third.run_key


def test_no_line_up_is_chosen_after_the_lock_of_a_sprint_weekend(pipeline: Pipeline, tick: Tick) -> None:
    # The lock of a sprint weekend is the start of the sprint, four hours before qualifying.
    now = datetime(2026, 5, 23, 16, 0, tzinfo=UTC)
    answer = tick(now, "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert answer == "2026-canada has locked; its results are due after the race"
    request = tick(now - timedelta(minutes=1), "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)


def test_nothing_runs_while_a_race_is_driven(pipeline: Pipeline, tick: Tick) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + timedelta(hours=1)
    answer = tick(now, "2026-miami", _reviewed_until(pipeline, "2026-miami"))
    assert answer == "2026-canada has locked; its results are due after the race"


def test_after_the_race_its_facts_are_asked_for_every_hour_then_every_six(pipeline: Pipeline, tick: Tick) -> None:
    over = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    reviewed = _reviewed_until(pipeline, "2026-miami")
    keys = []
    for after_h in (0, 0.75, 1, 23.5, 24, 29.9, 30):
        request = tick(over + timedelta(hours=after_h), "2026-miami", reviewed)
        assert isinstance(request, dg.RunRequest)
        assert request.job_name == REFRESH_JOB
        keys.append(str(request.run_key).removeprefix("refresh_facts:2026-canada:"))
    # The race starts at 20:00 UTC and counts as over at midnight.
    assert keys == [
        *("2026-05-25T00:00", "2026-05-25T00:00", "2026-05-25T01:00", "2026-05-25T23:00"),
        *("2026-05-26T00:00", "2026-05-26T00:00", "2026-05-26T06:00"),
    ]


def test_without_a_source_to_ask_the_race_waits_for_its_facts(pipeline: Pipeline, facts: Path) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    _forget_after(facts, pipeline.calendar, "2026-miami")
    answer = _evaluate(_sensor(pipeline, facts, now, has_sources=False), _reviewed_until(pipeline, "2026-miami"))
    assert answer == "2026-canada has been driven; its results and official points are not in data/ yet"


def test_points_that_arrive_between_two_ticks_of_one_sensor_are_noticed(pipeline: Pipeline, facts: Path) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    complete = {name: (facts / name).read_bytes() for name in FACTS_OF_RESULTS}
    _forget_after(facts, pipeline.calendar, "2026-miami")
    sensor = _sensor(pipeline, facts, now, has_sources=False)
    reviewed = _reviewed_until(pipeline, "2026-miami")
    assert isinstance(_evaluate(sensor, reviewed), str)
    for name, content in complete.items():
        (facts / name).write_bytes(content)
    request = _evaluate(sensor, reviewed)
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (FINISHED_RACE_JOB, ("2026-canada", "2026-canada"))


def test_after_the_race_the_finished_race_comes_first_then_the_next_line_up(pipeline: Pipeline, tick: Tick) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    request = tick(now, "2026-canada", _reviewed_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (FINISHED_RACE_JOB, ("2026-canada", "2026-canada"))
    request = tick(now + timedelta(minutes=15), "2026-canada", _reviewed_until(pipeline, "2026-canada"))
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (NEXT_LINEUP_JOB, ("2026-monaco", "2026-monaco"))


def test_before_there_are_prices_they_are_asked_for(pipeline: Pipeline, tick: Tick, facts: Path) -> None:
    rewrite(facts / "prices.csv", lambda rows: [row for row in rows if row["race_key"] != "2026-monaco"])
    now = datetime(2026, 5, 25, 12, 20, tzinfo=UTC)
    request = tick(now, "2026-canada", _reviewed_until(pipeline, "2026-canada"))
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "refresh_facts:2026-monaco:2026-05-25T12:00"


def test_a_free_week_asks_for_nothing_but_the_next_line_up(pipeline: Pipeline, tick: Tick) -> None:
    # Between Japan (29 March) and Miami (3 May) 2026 there is no race.
    keys = set()
    for day in (5, 12, 19):
        now = datetime(2026, 4, day, 18, tzinfo=UTC)
        request = tick(now, "2026-japan", _reviewed_until(pipeline, "2026-japan"))
        assert isinstance(request, dg.RunRequest)
        keys.add(request.run_key)
    (key,) = keys
    assert str(key).startswith("next_lineup:2026-miami:2026-miami:")


def test_a_fresh_install_computes_every_finished_race_in_one_run(tick: Tick) -> None:
    request = tick(datetime(2026, 5, 26, tzinfo=UTC), "2026-canada", [])
    assert isinstance(request, dg.RunRequest)
    assert _range(request) == ("2023-bahrain", "2026-canada")


def test_a_gap_in_the_past_is_filled_alone(pipeline: Pipeline, tick: Tick) -> None:
    reviewed = [key for key in _reviewed_until(pipeline, "2026-canada") if key not in ("2024-monaco", "2025-japan")]
    request = tick(datetime(2026, 5, 26, tzinfo=UTC), "2026-canada", reviewed)
    assert isinstance(request, dg.RunRequest)
    assert _range(request) == ("2024-monaco", "2024-monaco")


def test_after_the_season_the_next_calendar_is_asked_for(pipeline: Pipeline) -> None:
    calendar = pipeline.calendar
    last = calendar.finished[-1]
    over = Calendar(tuple(race for race in calendar.races if race.race_date <= last.race_date))
    due = what_is_due(over, datetime(2026, 12, 30, tzinfo=UTC), {race.race_key for race in over.finished})
    assert (due.job_name, due.first_race_key) == (REFRESH_JOB, last.race_key)
    assert due.reason == "the season is over with 2026-canada; the next calendar is not in data/ yet"
