"""What is due at chosen moments of a season, decided from plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from f1_pipeline.defs.due import RESULTS_AFTER, Computed, Due, Situation, what_is_due
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, PAGES_JOB, REFRESH_JOB
from f1_pipeline.sources.calendar import Calendar, CalendarRace, CalendarSession, read_calendar, read_sessions
from f1_pipeline.sources.fact_digests import FactDigests
from f1_pipeline_tests.support import DATA

SEASON = read_calendar(DATA)
CANADA = SEASON.get(
    "2026-canada"
)  # a sprint weekend: the sprint on Saturday 16:00 UTC is the lock, the race Sunday 20:00
MAY_20 = datetime(2026, 5, 20, 12, tzinfo=UTC)  # the Wednesday before
OVER = CANADA.race_start_at + RESULTS_AFTER


def calendar(last_finished: str, last_priced: str, cancelled: str = "") -> Calendar:
    """Give the races of 2026 as they are known when these are the last ones with points and with prices."""
    finished, priced = SEASON.get(last_finished).race_date, SEASON.get(last_priced).race_date
    return Calendar(
        tuple(
            replace(
                race,
                is_finished=race.race_date <= finished and not race.is_cancelled,
                has_prices=race.race_date <= priced,
                is_cancelled=race.is_cancelled or race.race_key == cancelled,
            )
            for race in SEASON.races
            if race.season == 2026
        )
    )


def sessions(race_key: str, *done: str) -> tuple[CalendarSession, ...]:
    return tuple(replace(each, has_results=each.session in done) for each in read_sessions(DATA, race_key))


def situation(known: Calendar, *done: str, line_up: str | None = None, **changes: object) -> Situation:
    """Give a situation in which every finished race has been reviewed from the facts as they stand."""
    keys = [race.race_key for race in known.races]
    facts = FactDigests("facts", {key: f"facts of {key}" for key in keys})
    coming = known.next_race
    reviews = {race.race_key: Computed(at, facts.races[race.race_key]) for at, race in enumerate(known.finished, 1)}
    found = Situation(
        calendar=known,
        sessions=sessions(coming.race_key, *done) if coming is not None else (),
        facts=facts,
        wanted="wanted",
        reviews=reviews,
        line_ups={} if line_up is None or coming is None else {coming.race_key: Computed(100, line_up)},
        pages={race.race_key: 1000 for race in known.races},
        has_sources=False,
    )
    return replace(found, **changes)  # ty: ignore


def due(found: Situation, now: datetime) -> list[tuple[str, str, str]]:
    return [(each.job_name, each.first_race_key, each.last_race_key) for each in what_is_due(found, now)[0]]


BEFORE_CANADA = calendar("2026-miami", "2026-canada")
AFTER_CANADA = calendar("2026-canada", "2026-monaco")


def test_before_the_race_its_line_up_is_due_once_per_state_of_the_facts() -> None:
    (first,), _ = what_is_due(situation(BEFORE_CANADA), MAY_20)
    assert (first.job_name, first.first_race_key, first.last_race_key) == (
        NEXT_LINEUP_JOB, "2026-canada", "2026-canada",
    )  # fmt: skip
    assert what_is_due(situation(BEFORE_CANADA), MAY_20 + timedelta(hours=5))[0] == [first]
    assert due(situation(BEFORE_CANADA, line_up="wanted"), MAY_20) == []
    (again,), _ = what_is_due(situation(BEFORE_CANADA, line_up="other facts"), MAY_20)
    assert again.run_key != first.run_key


def test_facts_that_come_back_to_what_they_were_are_computed_with_again() -> None:
    """A correction that is taken back must not meet the run key of the run before it."""
    keys = set()
    for number, (made_from, stands) in enumerate([("", "A"), ("A", "B"), ("B", "A"), ("A", "B")]):
        line_ups = {"2026-canada": Computed(number, made_from)}
        (found,), _ = what_is_due(situation(BEFORE_CANADA, line_ups=line_ups, wanted=stands), MAY_20)
        keys.add(found.run_key)
    assert len(keys) == 4


def test_after_the_lock_a_line_up_waits_for_qualifying_and_ends_with_the_start() -> None:
    # The lock of a sprint weekend is the start of the sprint, four hours before qualifying.
    lock = datetime(2026, 5, 23, 16, tzinfo=UTC)
    assert lock == CANADA.lock_at
    line_up = [(NEXT_LINEUP_JOB, "2026-canada", "2026-canada")]
    assert due(situation(BEFORE_CANADA), lock - timedelta(minutes=1)) == line_up
    assert due(situation(BEFORE_CANADA, "fp1", "sprint_qualifying", "sprint"), lock) == []
    qualified = situation(
        BEFORE_CANADA, "fp1", "sprint_qualifying", "sprint", "qualifying", line_up="before qualifying"
    )
    (final_fix,), _ = what_is_due(qualified, lock + timedelta(hours=6))
    assert (final_fix.job_name, final_fix.reason) == (NEXT_LINEUP_JOB, "Final Fix for 2026-canada")
    assert due(qualified, CANADA.race_start_at - timedelta(minutes=1)) == line_up
    assert due(qualified, CANADA.race_start_at) == []


def test_nothing_runs_while_a_race_is_driven() -> None:
    found, waiting_for = what_is_due(situation(BEFORE_CANADA), CANADA.race_start_at + timedelta(hours=1))
    assert found == []
    assert waiting_for == "2026-canada has locked; its results are due after the race"


def _asked(found: Situation, now: datetime) -> str:
    (request,) = (
        each for each in what_is_due(replace(found, has_sources=True), now)[0] if each.job_name == REFRESH_JOB
    )
    assert request.first_race_key == request.last_race_key == ""
    return request.run_key.removeprefix(f"{REFRESH_JOB}:")


def test_each_session_before_the_lock_is_asked_for_every_half_hour_until_its_results_are_there() -> None:
    # First practice ends at 17:30 UTC on Friday, sprint qualifying at 21:15; the lock is on Saturday at 16:00.
    friday = datetime(2026, 5, 22, tzinfo=UTC)
    none, first = situation(BEFORE_CANADA), situation(BEFORE_CANADA, "fp1")
    both = situation(BEFORE_CANADA, "fp1", "sprint_qualifying")
    at = {h: friday + timedelta(hours=h) for h in (17.75, 18, 18.3, 18.4, 21.5, 21.75, 39.75)}
    assert _asked(none, at[17.75]) == "daily:2026-05-21T21:00"
    assert [_asked(none, at[h]) for h in (18, 18.3, 18.4)] == [
        *("2026-canada:fp1:2026-05-22T17:50", "2026-canada:fp1:2026-05-22T17:50", "2026-canada:fp1:2026-05-22T18:20")
    ]
    assert _asked(first, at[18.4]) == "daily:2026-05-21T21:00"
    assert _asked(none, at[21.5]).startswith("2026-canada:fp1:")  # practice is still missing, and may still come
    assert _asked(first, at[21.75]) == "2026-canada:sprint_qualifying:2026-05-22T21:35"
    assert _asked(both, at[21.75]).startswith("daily:")
    assert _asked(first, at[39.75]) == "2026-canada:sprint_qualifying:2026-05-23T15:35"
    assert _asked(first, CANADA.lock_at).startswith("daily:")


def test_qualifying_is_asked_for_until_the_start_and_the_sprint_is_not() -> None:
    done = situation(BEFORE_CANADA, "fp1", "sprint_qualifying")
    assert _asked(done, datetime(2026, 5, 23, 18, tzinfo=UTC)).startswith("daily:")  # the sprint ended at 17:00
    assert _asked(done, datetime(2026, 5, 23, 21, 30, tzinfo=UTC)) == "2026-canada:qualifying:2026-05-23T21:20"
    assert _asked(done, CANADA.race_start_at - timedelta(seconds=1)).startswith("2026-canada:qualifying:")
    assert _asked(done, CANADA.race_start_at).startswith("daily:")


def test_after_the_race_its_facts_are_asked_for_every_hour_then_less_often() -> None:
    # The race starts at 20:00 UTC and counts as over at midnight.
    found = situation(BEFORE_CANADA)
    asked = [_asked(found, OVER + timedelta(hours=h)) for h in (0, 0.75, 1, 23.5, 24, 29.9, 30, 7 * 24, 7 * 24 + 23)]
    assert [key.removeprefix("2026-canada:") for key in asked] == [
        *("2026-05-25T00:00", "2026-05-25T00:00", "2026-05-25T01:00", "2026-05-25T23:00"),
        *("2026-05-26T00:00", "2026-05-26T00:00", "2026-05-26T06:00", "2026-06-01T00:00", "2026-06-01T00:00"),
    ]


def test_without_a_source_a_driven_race_waits_for_its_facts() -> None:
    found, waiting_for = what_is_due(situation(BEFORE_CANADA), OVER)
    assert found == []
    assert waiting_for == "2026-canada has been driven; its results and official points are not in data/ yet"


def test_a_finished_race_comes_first_then_the_next_line_up_then_pages() -> None:
    found = situation(AFTER_CANADA, pages={})
    reviews = dict(found.reviews)
    del reviews["2026-canada"]
    assert due(replace(found, reviews=reviews), OVER) == [(FINISHED_RACE_JOB, "2026-canada", "2026-canada")]
    later = OVER + timedelta(minutes=5)
    assert due(found, later) == [
        (NEXT_LINEUP_JOB, "2026-monaco", "2026-monaco"),
        (PAGES_JOB, "2026-canada", "2026-canada"),
    ]
    lined_up = replace(found, line_ups={"2026-monaco": Computed(100, "wanted")}, pages={"2026-canada": 50})
    assert due(lined_up, later) == [(PAGES_JOB, "2026-canada", "2026-monaco")]
    assert due(replace(lined_up, pages={"2026-canada": 101, "2026-monaco": 102}), later) == []


def test_a_restated_race_is_computed_again_with_all_that_read_it() -> None:
    found = situation(AFTER_CANADA)
    restated = FactDigests("facts", dict(found.facts.races) | {"2026-china": "corrected"})
    (run,), _ = what_is_due(replace(found, facts=restated), OVER)
    assert (run.job_name, run.first_race_key, run.last_race_key) == (FINISHED_RACE_JOB, "2026-china", "2026-canada")
    assert run.reason == "2026-china: its facts were restated"


def test_a_fresh_install_and_a_lost_warehouse_compute_every_finished_race_in_one_run() -> None:
    everything = [(FINISHED_RACE_JOB, "2026-australia", "2026-canada")]
    assert due(situation(AFTER_CANADA, reviews={}), OVER) == everything
    lost = situation(AFTER_CANADA, has_warehouse=False)
    assert due(lost, OVER) == everything
    (first,), _ = what_is_due(lost, OVER)
    (later,), _ = what_is_due(lost, OVER + timedelta(hours=2))
    assert first.run_key != later.run_key  # no new facts will come to try it again


def test_a_race_that_never_got_its_results_keeps_nobody_waiting() -> None:
    """Called off, and nobody ever said so: the sessions of the next race are asked for all the same."""
    races = tuple(
        replace(race, is_finished=race.is_finished and race.race_key != "2026-japan") for race in BEFORE_CANADA.races
    )
    found = situation(BEFORE_CANADA, calendar=Calendar(races))
    assert _asked(found, datetime(2026, 5, 22, 18, tzinfo=UTC)).startswith("2026-canada:fp1:")


def test_a_range_ends_before_a_race_whose_results_are_missing() -> None:
    races = tuple(
        replace(race, is_finished=race.is_finished and race.race_key != "2026-japan") for race in AFTER_CANADA.races
    )
    found = situation(AFTER_CANADA, reviews={}, calendar=Calendar(races))
    assert due(found, OVER) == [(FINISHED_RACE_JOB, "2026-australia", "2026-china")]


def test_before_there_are_prices_they_are_asked_for() -> None:
    found = situation(calendar("2026-canada", "2026-canada"))
    now = OVER + timedelta(hours=12, minutes=20)
    assert _asked(found, now) == "2026-monaco:prices:2026-05-25T12:00"
    assert what_is_due(found, now) == ([], "the prices for 2026-monaco are not in data/ yet")


def test_a_race_that_is_called_off_gives_way_to_the_one_after_it() -> None:
    called_off = calendar("2026-miami", "2026-monaco", cancelled="2026-canada")
    assert due(situation(called_off), MAY_20) == [(NEXT_LINEUP_JOB, "2026-monaco", "2026-monaco")]
    assert due(situation(called_off, line_up="wanted"), OVER) == []


def test_a_race_that_moves_is_awaited_on_its_new_day() -> None:
    week = timedelta(days=7)

    def moved(race: CalendarRace) -> CalendarRace:
        if race.race_key != "2026-canada":
            return race
        dates = (race.race_date + week, race.lock_at + week, race.race_start_at + week)
        return replace(race, **dict(zip(("race_date", "lock_at", "race_start_at"), dates, strict=True)))

    found = situation(BEFORE_CANADA, calendar=Calendar(tuple(map(moved, BEFORE_CANADA.races))))
    assert due(found, OVER) == [(NEXT_LINEUP_JOB, "2026-canada", "2026-canada")]
    assert due(found, OVER + week) == []


@pytest.mark.parametrize("days", [1, 40, 100])
def test_after_the_season_the_next_calendar_is_asked_for_once_a_day(days: int) -> None:
    races = tuple(race for race in AFTER_CANADA.races if race.race_date <= CANADA.race_date)
    found = situation(AFTER_CANADA, calendar=Calendar(races), sessions=(), line_ups={})
    now = OVER + timedelta(days=days, hours=5)
    assert _asked(found, now) == f"daily:{OVER + timedelta(days=days):%Y-%m-%dT%H:%M}"
    assert what_is_due(found, now)[1] == "the season is over with 2026-canada; the next calendar is not in data/"


def test_every_due_run_says_why() -> None:
    found = situation(AFTER_CANADA, pages={}, has_sources=True)
    for each in what_is_due(found, OVER)[0]:
        assert isinstance(each, Due)
        assert each.reason
        assert each.run_key.startswith(f"{each.job_name}:")
