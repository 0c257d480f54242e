"""What runs by itself, by real ticks of the sensor on an instance of its own, at chosen times."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.utils import make_new_run_id

from f1_pipeline import __version__
from f1_pipeline.defs.assets import FACTS, asset_key
from f1_pipeline.defs.automation import UNDER_WAY, build_sensors, find_situation
from f1_pipeline.defs.due import RESULTS_AFTER, SESSION_AFTER
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, PAGES_JOB, REFRESH_JOB, build_jobs
from f1_pipeline.defs.liveness import alive, bury_dead_runs
from f1_pipeline.defs.pages import RACE_PAGE
from f1_pipeline.settings import Settings
from f1_pipeline.sources.calendar import Calendar
from f1_pipeline.sources.fact_digests import fact_digests
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline, wanted_digest
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline_tests.support import make_settings, rewrite

FACTS_OF_RESULTS = ("event_scores.csv", "official_totals.csv")
MAY_20 = datetime(2026, 5, 20, 12, tzinfo=UTC)  # the Wednesday before Canada, 2026's fifth race


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(make_settings(tmp_path_factory.mktemp("automation")))


@pytest.fixture
def installation(facts: Path, tmp_path: Path) -> Settings:
    """Facts that the test may alter, and a warehouse file, of which the sensor only asks whether it is there."""
    settings = dataclasses.replace(make_settings(tmp_path / "warehouse", facts), home=tmp_path)
    settings.warehouse_dir.mkdir()
    settings.warehouse_path.touch()
    return settings


def _forget_after(facts: Path, calendar: Calendar, race_key: str) -> None:
    """Make this race the last one with official points."""
    known = {race.race_key for race in calendar.before(race_key)} | {race_key}
    for name in FACTS_OF_RESULTS:
        rewrite(facts / name, lambda rows: [row for row in rows if row["race_key"] in known])


def _forget_session(facts: Path, race_key: str, *sessions: str) -> None:
    for name in ("practice_results", "qualifying_results", "race_results", "starting_grids"):
        rewrite(
            facts / f"{name}.csv",
            lambda rows: [
                row for row in rows if (row["race_key"], row["session"]) not in {(race_key, s) for s in sessions}
            ],
        )


def _record(instance: dg.DagsterInstance, table: str, race_key: str, facts: str) -> None:
    event = dg.AssetMaterialization(asset_key(table), partition=race_key, metadata={FACTS: facts})
    instance.report_runless_asset_event(event)


def _page(instance: dg.DagsterInstance, race_key: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(RACE_PAGE, partition=race_key))


Tick = Callable[..., dg.RunRequest | str]


@pytest.fixture
def instance() -> Iterable[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def tick(pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance) -> Tick:
    """Tick the sensor once at a time; `done` are races reviewed from the facts as they stand."""

    def evaluated(now: datetime, done: Iterable[str] = (), settings: Settings = installation) -> dg.RunRequest | str:
        digests = fact_digests(settings.data_dir)
        for race_key in done:
            _record(instance, REVIEW_TABLE, race_key, digests.races[race_key])
        (sensor,) = build_sensors(settings, build_jobs(build_steps(pipeline)), clock=lambda: now)
        with dg.build_sensor_context(instance=instance, sensor_name=sensor.name) as context:
            result = sensor.evaluate_tick(context)
        return result.run_requests[0] if result.run_requests else str(result.skip_message)

    return evaluated


def _start(instance: dg.DagsterInstance, request: dg.RunRequest, status: dg.DagsterRunStatus) -> str:
    """Record a run of a request, as the daemon would."""
    tags = request.tags | {"dagster/run_key": str(request.run_key)}
    run = dg.DagsterRun(job_name=str(request.job_name), run_id=make_new_run_id(), tags=tags, status=status)
    instance.add_run(run)
    return run.run_id


def _done_until(pipeline: Pipeline, race_key: str) -> list[str]:
    return [race.race_key for race in pipeline.calendar.before(race_key)] + [race_key]


def _range(request: dg.RunRequest) -> tuple[str, str]:
    tags = request.tags
    return tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]


def test_a_second_tick_starts_nothing_twice(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    _forget_after(installation.data_dir, pipeline.calendar, "2026-miami")
    done, offline = _done_until(pipeline, "2026-miami"), dataclasses.replace(installation, sources=())
    request = tick(MAY_20, done, offline)
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (NEXT_LINEUP_JOB, ("2026-canada", "2026-canada"))
    assert request.run_key == f"next_lineup:2026-canada:2026-canada:{wanted_digest(offline)}:0:{__version__}"

    _page(instance, "2026-miami")
    assert dg.DagsterRunStatus.QUEUED in UNDER_WAY
    waiting = _start(instance, request, dg.DagsterRunStatus.STARTING)
    assert tick(MAY_20, (), offline) == "a run of next_lineup is under way"
    instance.delete_run(waiting)
    run_id = _start(instance, request, dg.DagsterRunStatus.STARTED)
    assert tick(MAY_20, (), offline) == "a run of next_lineup is under way"
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run)
    failed = str(tick(MAY_20, (), offline))
    assert failed.endswith("tried already, and waiting for other facts: line-up for 2026-canada")

    # what is known of a later race than the next one; corrections of finished races come before any line-up
    rewrite(
        installation.data_dir / "prices.csv", lambda rows: [row for row in rows if row["race_key"] != "2026-monaco"]
    )
    again = tick(MAY_20, (), offline)
    assert isinstance(again, dg.RunRequest)
    _record(instance, LINEUP_TABLE, "2026-canada", wanted_digest(offline))
    for race_key in ("2026-miami", "2026-canada"):
        _page(instance, race_key)
    assert str(tick(MAY_20, (), offline)).startswith("2026-canada has its line-up; ")


def test_your_own_team_is_a_reason_for_another_line_up(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    _forget_after(installation.data_dir, pipeline.calendar, "2026-miami")
    offline = dataclasses.replace(installation, sources=())
    _record(instance, LINEUP_TABLE, "2026-canada", wanted_digest(offline))
    tick(MAY_20, _done_until(pipeline, "2026-miami"), offline)
    for race_key in ("2026-miami", "2026-canada"):
        _page(instance, race_key)
    assert isinstance(tick(MAY_20, (), offline), str)
    installation.team_path.write_text('race = "2026-canada"\n')
    assert isinstance(tick(MAY_20, (), offline), dg.RunRequest)


def test_facts_that_arrive_between_two_ticks_of_one_sensor_are_noticed(
    pipeline: Pipeline, installation: Settings, tick: Tick
) -> None:
    facts, over = installation.data_dir, pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    complete = {name: (facts / name).read_bytes() for name in FACTS_OF_RESULTS}
    _forget_after(facts, pipeline.calendar, "2026-miami")
    request = tick(over, _done_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)
    assert request.job_name == REFRESH_JOB
    assert not any(tag.startswith("dagster/asset_partition_range") for tag in request.tags)
    for name, content in complete.items():
        (facts / name).write_bytes(content)
    request = tick(over)
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (FINISHED_RACE_JOB, ("2026-canada", "2026-canada"))


def test_a_correction_of_one_race_computes_it_and_the_later_ones_again(
    pipeline: Pipeline, installation: Settings, tick: Tick
) -> None:
    now = pipeline.calendar.get("2026-canada").race_start_at + RESULTS_AFTER
    tick(now, _done_until(pipeline, "2026-canada"))
    path = installation.data_dir / "official_totals.csv"

    def corrected(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        (row,) = (row for row in rows if (row["race_key"], row["asset_id"]) == ("2026-japan", "oscar-piastri"))
        row["total_points"] = str(int(row["total_points"]) + 2)
        return rows

    rewrite(path, corrected)
    request = tick(now)
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (FINISHED_RACE_JOB, ("2026-japan", "2026-canada"))


def test_practice_results_are_looked_for_in_the_facts(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    facts = installation.data_dir
    _forget_after(facts, pipeline.calendar, "2026-miami")
    after_practice = datetime(2026, 5, 22, 17, 30, tzinfo=UTC) + SESSION_AFTER
    _record(instance, LINEUP_TABLE, "2026-canada", wanted_digest(installation))
    daily = tick(after_practice, _done_until(pipeline, "2026-miami"))
    assert isinstance(daily, dg.RunRequest)
    assert str(daily.run_key).startswith("refresh_facts:daily:")
    _forget_session(facts, "2026-canada", "fp1", "sprint_qualifying", "sprint", "qualifying", "race")
    request = tick(after_practice, _done_until(pipeline, "2026-miami"))
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "refresh_facts:2026-canada:fp1:2026-05-22T17:50"


def test_pages_follow_what_they_show(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    offline = dataclasses.replace(installation, sources=())
    now = datetime(2026, 5, 26, tzinfo=UTC)
    _record(instance, LINEUP_TABLE, "2026-monaco", wanted_digest(offline))
    request = tick(now, _done_until(pipeline, "2026-canada"), offline)
    assert isinstance(request, dg.RunRequest)
    assert (request.job_name, _range(request)) == (PAGES_JOB, ("2026-canada", "2026-monaco"))
    for race_key in ("2026-canada", "2026-monaco"):
        _page(instance, race_key)
    assert isinstance(tick(now, (), offline), str)


def test_a_run_whose_process_was_killed_is_reported_and_holds_nobody_up(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    _forget_after(installation.data_dir, pipeline.calendar, "2026-miami")
    offline = dataclasses.replace(installation, sources=())
    request = tick(MAY_20, _done_until(pipeline, "2026-miami"), offline)
    assert isinstance(request, dg.RunRequest)
    _page(instance, "2026-miami")
    run_id = _start(instance, request, dg.DagsterRunStatus.STARTED)
    with alive(offline.alive_dir, run_id):
        assert tick(MAY_20, (), offline) == "a run of next_lineup is under way"
    # What a killed process leaves: its file, and nobody who holds it.
    (offline.alive_dir / f"{run_id}.run").touch()
    assert isinstance(tick(MAY_20, (), offline), str)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert list(offline.alive_dir.iterdir()) == []


def test_a_run_that_was_killed_before_it_took_its_file_is_reported_after_a_while(
    installation: Settings, instance: dg.DagsterInstance
) -> None:
    run_id = make_new_run_id()
    instance.add_run(dg.DagsterRun(job_name=NEXT_LINEUP_JOB, run_id=run_id, status=dg.DagsterRunStatus.STARTED))
    assert bury_dead_runs(instance, installation.alive_dir) == []
    with alive(installation.alive_dir, run_id):
        assert bury_dead_runs(instance, installation.alive_dir, patience_s=0) == []
    assert bury_dead_runs(instance, installation.alive_dir, patience_s=0) == [run_id]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE


def test_a_deleted_warehouse_is_computed_again(pipeline: Pipeline, installation: Settings, tick: Tick) -> None:
    installation.warehouse_path.unlink()
    request = tick(MAY_20, _done_until(pipeline, "2026-canada"), installation)
    assert isinstance(request, dg.RunRequest)
    assert request.job_name == FINISHED_RACE_JOB
    assert _range(request)[0] == "2023-bahrain"


def test_the_situation_is_that_of_the_installation(
    pipeline: Pipeline, installation: Settings, instance: dg.DagsterInstance
) -> None:
    _record(instance, REVIEW_TABLE, "2026-canada", "some facts")
    found = find_situation(instance, installation)
    assert found.reviews["2026-canada"].facts == "some facts"
    assert [each.session for each in found.sessions] == ["fp1", "fp2", "fp3", "qualifying", "race"]  # Monaco
    assert (found.has_sources, found.has_warehouse) == (True, True)
    assert found.facts.races.keys() >= set(pipeline.calendar.race_keys)
