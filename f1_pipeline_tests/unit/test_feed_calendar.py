"""The feed's schedule against the calendar: which meeting is which race, and what it may move."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.fact_changes import compare
from f1_pipeline.sources.feed_calendar import apply_schedule, cancel_left_out, held, key_of, match_meetings
from f1_pipeline.sources.feed_data import FeedData, Meeting
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.feed_readings import feed_reading, with_meeting, without_meeting
from f1_pipeline_tests.release import facts_since
from f1_pipeline_tests.support import DATA

RULES = {2026: load_rules(DATA, 2026)}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_since(DATA, 2026)


@pytest.fixture(scope="module")
def reading(facts: Facts) -> FeedData:
    """The schedule on the day after the Canadian Grand Prix."""
    return feed_reading(facts, 2026, states_of=())


def altered(facts: Facts, race_key: str, **values: str) -> Facts:
    races = facts["races"].copy()
    for name, value in values.items():
        races.loc[races["race_key"] == race_key, name] = value
    return facts | {"races": races}


def scheduled(facts: Facts, reading: FeedData) -> Facts:
    meetings = held(reading.meetings, pytest.fail)
    found = match_meetings(meetings, facts["races"])
    by_race = {found[key_of(meeting)]: meeting for meeting in meetings if key_of(meeting) in found}
    with_points = {race_key for race_key, meeting in by_race.items() if meeting.is_done}
    return cancel_left_out(apply_schedule(facts, by_race, RULES, reading.read_at, with_points), by_race)


def race(facts: Facts, race_key: str) -> dict[str, str]:
    return facts["races"].set_index("race_key").loc[race_key].to_dict()


def sessions(facts: Facts, race_key: str) -> dict[str, str]:
    own = facts["sessions"][facts["sessions"]["race_key"] == race_key]
    return dict(zip(own["session"], own["starts_at"], strict=True))


def shifted(meeting: Meeting, days: int) -> dict[str, object]:
    starts = {session: start + timedelta(days=days) for session, start in meeting.starts.items()}
    return {"race_date": meeting.race_date + timedelta(days=days), "starts": starts}


def meeting_of(reading: FeedData, name: str) -> Meeting:
    return next(meeting for meeting in reading.meetings if meeting.name == name)


def test_every_meeting_of_2026_is_a_race(facts, reading):
    found = match_meetings(reading.meetings, facts["races"])
    assert len(found) == 23
    assert found[2026, "Mexico City Grand Prix"] == "2026-mexico"
    assert found[2026, "Barcelona Grand Prix"] == "2026-barcelona-catalunya"
    assert found[2026, "Spanish Grand Prix"] == "2026-spain"
    assert found[2026, "São Paulo Grand Prix"] == "2026-sao-paulo"


def test_a_name_without_its_accents_is_the_same_race(facts, reading):
    plain = with_meeting(reading, "São Paulo Grand Prix", name="SAO PAULO GRAND PRIX")
    assert match_meetings(plain.meetings, facts["races"])[2026, "SAO PAULO GRAND PRIX"] == "2026-sao-paulo"


def test_another_name_on_the_same_day_is_the_same_race(facts, reading):
    """The Bahrain Grand Prix of October 2026 is driven at Sepang; the local day may be the one before."""
    renamed = with_meeting(reading, "Bahrain Grand Prix", name="Malaysian Grand Prix")
    assert match_meetings(renamed.meetings, facts["races"])[2026, "Malaysian Grand Prix"] == "2026-bahrain"


def test_a_name_of_f1db_is_enough_when_the_day_has_moved(facts, reading):
    mexico = meeting_of(reading, "Mexico City Grand Prix")
    moved = with_meeting(reading, "Mexico City Grand Prix", **shifted(mexico, 14))
    assert match_meetings(moved.meetings, facts["races"])[2026, "Mexico City Grand Prix"] == "2026-mexico"
    assert race(scheduled(facts, moved), "2026-mexico")["race_date"] == "2026-11-15"


def test_a_name_of_f1db_counts_more_than_a_day_that_became_free(facts, reading):
    """Mexico takes the weekend of Las Vegas, which is called off."""
    vegas = meeting_of(reading, "Las Vegas Grand Prix")
    moved = without_meeting(reading, "Las Vegas Grand Prix")
    moved = with_meeting(moved, "Mexico City Grand Prix", race_date=vegas.race_date, starts=vegas.starts)
    after = scheduled(facts, moved)
    assert race(after, "2026-mexico")["race_date"] == "2026-11-22"
    assert race(after, "2026-las-vegas")["is_cancelled"] == "true"


def test_a_meeting_that_is_no_race_is_left_out(facts, reading):
    odd = with_meeting(reading, "Bahrain Grand Prix", name="Lunar Grand Prix", race_date=date(2027, 1, 9), starts={})
    assert (2026, "Lunar Grand Prix") not in match_meetings(odd.meetings, facts["races"])


def test_two_meetings_of_one_name_are_refused(reading):
    twice = [*reading.meetings, dataclasses.replace(meeting_of(reading, "Qatar Grand Prix"), is_done=False)]
    with pytest.raises(DataError, match="the feed's schedule lists the Qatar Grand Prix of 2026 twice"):
        held(twice, pytest.fail)


def test_a_meeting_that_the_game_passed_over_is_left_out(facts, reading):
    """The April date of Bahrain, still listed after it was called off; the race of October counts."""
    april = Meeting(2026, "Bahrain Grand Prix", date(2026, 4, 12), {}, is_done=False)
    notes: list[str] = []
    meetings = held([*reading.meetings, april], notes.append)
    assert notes == ["the schedule's Bahrain Grand Prix on 2026-04-12 was passed over: its facts are left out"]
    assert len(meetings) == 23


def test_the_schedule_of_the_same_calendar_changes_nothing(facts, reading):
    assert compare(facts, scheduled(facts, reading)).lines == ["nothing new"]


def test_a_later_qualifying_moves_the_lock(facts, reading):
    starts = meeting_of(reading, "Monaco Grand Prix").starts | {"qualifying": datetime(2026, 6, 6, 15, tzinfo=UTC)}
    after = scheduled(facts, with_meeting(reading, "Monaco Grand Prix", starts=starts))
    assert race(after, "2026-monaco")["lock_at"] == "2026-06-06T15:00:00Z"
    assert sessions(after, "2026-monaco") == sessions(facts, "2026-monaco") | {"qualifying": "2026-06-06T15:00:00Z"}
    assert compare(facts, after).calendar == (
        "2026-monaco locks at 2026-06-06T15:00:00Z instead of 2026-06-06T14:00:00Z",
    )


def test_a_sprint_weekend_locks_at_the_sprint(facts, reading):
    starts = meeting_of(reading, "British Grand Prix").starts | {"sprint": datetime(2026, 7, 4, 10, 30, tzinfo=UTC)}
    after = scheduled(facts, with_meeting(reading, "British Grand Prix", starts=starts))
    assert race(after, "2026-great-britain")["lock_at"] == "2026-07-04T10:30:00Z"


def test_a_weekend_that_moves_takes_its_practice_along_as_an_estimate(facts, reading):
    meeting = meeting_of(reading, "Hungarian Grand Prix")
    after = scheduled(facts, with_meeting(reading, "Hungarian Grand Prix", **shifted(meeting, 7)))
    assert race(after, "2026-hungary") == race(facts, "2026-hungary") | {
        "race_date": "2026-08-02",
        "lock_at": "2026-08-01T14:00:00Z",
        "race_start_at": "2026-08-02T13:00:00Z",
    }
    rows = after["sessions"][after["sessions"]["race_key"] == "2026-hungary"]
    # a typical third practice starts 26.5 hours before the race
    assert sessions(after, "2026-hungary")["fp3"] == "2026-08-01T10:30:00Z"
    assert rows["session"].tolist() == ["fp1", "fp2", "fp3", "qualifying", "race"]
    assert rows["is_time_estimated"].tolist() == ["true", "true", "true", "false", "false"]
    assert rows["is_before_lock"].tolist() == ["true", "true", "true", "false", "false"]


def test_a_sprint_that_is_new_changes_the_shape_of_the_weekend(facts, reading):
    starts = meeting_of(reading, "Dutch Grand Prix").starts
    without = {session: start for session, start in starts.items() if session != "sprint"}
    after = scheduled(facts, with_meeting(reading, "Dutch Grand Prix", starts=without))
    assert race(after, "2026-netherlands")["has_sprint"] == "false"
    assert race(after, "2026-netherlands")["lock_at"] == "2026-08-22T14:00:00Z"  # qualifying, no longer the sprint
    assert list(sessions(after, "2026-netherlands")) == ["fp1", "fp2", "fp3", "qualifying", "race"]
    assert compare(facts, after).calendar == ("2026-netherlands has no sprint any more",)


def test_a_night_race_is_the_next_day_in_utc(facts, reading):
    """Las Vegas: Saturday 20:00 local time is Sunday 04:00 UTC, the date that the calendar has."""
    local = with_meeting(reading, "Las Vegas Grand Prix", race_date=date(2026, 11, 21))
    assert compare(facts, scheduled(facts, local)).lines == ["nothing new"]


def test_a_race_that_the_schedule_passes_over_is_cancelled(facts, reading):
    after = scheduled(facts, without_meeting(reading, "Azerbaijan Grand Prix"))
    assert compare(facts, after).calendar == ("2026-azerbaijan cancelled",)


def test_a_race_after_the_last_meeting_is_not_in_the_schedule_yet(facts, reading):
    assert compare(facts, scheduled(facts, without_meeting(reading, "Abu Dhabi Grand Prix"))).lines == ["nothing new"]


def test_a_driven_race_is_never_cancelled(facts, reading):
    assert compare(facts, scheduled(facts, without_meeting(reading, "Japanese Grand Prix"))).lines == ["nothing new"]


def test_a_cancelled_race_is_back_with_its_meeting(facts, reading):
    called_off = altered(facts, "2026-bahrain", is_cancelled="true", race_date="2026-04-12")
    after = scheduled(called_off, reading)
    assert race(after, "2026-bahrain")["lock_at"] == race(facts, "2026-bahrain")["lock_at"]
    assert compare(called_off, after).calendar == (
        "2026-bahrain back in the calendar; moved from 2026-04-12 to 2026-10-04",
    )


def test_a_schedule_from_before_a_finished_race_is_refused(facts, reading):
    older = with_meeting(reading, "Canadian Grand Prix", is_done=False)
    with pytest.raises(DataError, match=r"2026-canada: the facts hold its official points, .* older than the facts"):
        scheduled(facts, older)


def test_a_driven_race_on_another_day_is_a_contradiction(facts, reading):
    meeting = meeting_of(reading, "Canadian Grand Prix")
    with pytest.raises(DataError, match=r"2026-canada was driven on 2026-05-24, .* Canadian Grand Prix on 2026-05-17"):
        scheduled(facts, with_meeting(reading, "Canadian Grand Prix", **shifted(meeting, -7)))


def test_a_race_before_its_lock_is_a_contradiction(facts, reading):
    starts = meeting_of(reading, "Monaco Grand Prix").starts | {"qualifying": datetime(2026, 6, 8, tzinfo=UTC)}
    with pytest.raises(DataError, match="2026-monaco: the feed's schedule starts the race before its qualifying"):
        scheduled(facts, with_meeting(reading, "Monaco Grand Prix", starts=starts))
