"""Find the race behind each meeting of the feed, and let its schedule move the weekends still to come.

Belongs here: the feed's calendar against the facts'. Neighbours: `importer_calendar` makes sessions of times,
`feed_merge` brings prices and points of the races found here.

The game's schedule is the authority on weekends that have not been driven: their dates and the starts of their scored
sessions are taken from it, and a race with none of its own, although the schedule goes on after it, is cancelled there.
A driven race is F1DB's; the schedule must agree with it or is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.fact_frames import driven, keys_of
from f1_pipeline.sources.fact_writer import as_text, instant_text
from f1_pipeline.sources.feed_data import Meeting
from f1_pipeline.sources.importer_calendar import lock_session_of, session_rows, typical_times
from f1_pipeline.sources.names import words
from f1_pipeline.sources.season_rules import rules_of
from f1_pipeline.sources.source import Facts, Say
from f1_pipeline.sources.tables import FACT_TABLES

MeetingKey = tuple[int, str]
"""Season and name: a meeting in the feed, whatever its gameday is numbered at present."""

_SAME_WEEKEND_DAYS = 1  # a night race in America is a day later in UTC


def key_of(meeting: Meeting) -> MeetingKey:
    """Identify a meeting."""
    return meeting.season, meeting.name


def held(meetings: Sequence[Meeting], note: Say) -> list[Meeting]:
    """Leave out meetings that the game passed over: not done, although a later one is.

    Parameters
    ----------
    meetings : sequence of Meeting
    note : callable
        Told of each that is left out.

    Returns
    -------
    list of Meeting

    Raises
    ------
    DataError
        Two of those that remain have one name.
    """
    last_done = max((_race_day(meeting) for meeting in meetings if meeting.is_done), default=date.min)
    kept: dict[MeetingKey, Meeting] = {}
    for meeting in meetings:
        if not meeting.is_done and _race_day(meeting) < last_done:
            note(f"the schedule's {meeting.name} on {_race_day(meeting)} was passed over: its facts are left out")
        elif key_of(meeting) in kept:
            raise DataError(f"the feed's schedule lists the {meeting.name} of {meeting.season} twice")
        else:
            kept[key_of(meeting)] = meeting
    return list(kept.values())


def match_meetings(meetings: Sequence[Meeting], races: pd.DataFrame) -> dict[MeetingKey, str]:
    """Find the race behind each meeting.

    Parameters
    ----------
    meetings : sequence of Meeting
        Of :func:`held`.
    races : pandas.DataFrame
        The races table, as text.

    Returns
    -------
    dict of (int, str) to str
        Race key by meeting: by the name of the Grand Prix, else by the name that F1DB files it under, else by the day
        of the race. A meeting that is no race of the calendar is left out.

    Raises
    ------
    DataError
        A meeting may be several races.
    """
    found: dict[MeetingKey, str] = {}
    for is_match in (_has_name, _has_slug, _has_day):
        for meeting in meetings:
            if key_of(meeting) in found:
                continue
            free = races[(races["season"] == str(meeting.season)) & ~races["race_key"].isin(set(found.values()))]
            candidates = [row["race_key"] for row in free.to_dict("records") if is_match(meeting, row)]
            if len(candidates) > 1:
                raise DataError(f"the schedule's {meeting.name} of {meeting.season} may be {' or '.join(candidates)}")
            if candidates:
                found[key_of(meeting)] = candidates[0]
    return found


def _title(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in ("grand", "prix"))


def _has_name(meeting: Meeting, race: Mapping[str, str]) -> bool:
    return _title(meeting.name) == _title(race["name"])


def _has_day(meeting: Meeting, race: Mapping[str, str]) -> bool:
    if race["is_cancelled"] == "true":
        return False
    return abs((date.fromisoformat(race["race_date"]) - _race_day(meeting)).days) <= _SAME_WEEKEND_DAYS


def _has_slug(meeting: Meeting, race: Mapping[str, str]) -> bool:
    """Compare with F1DB's slug: mexico is the Mexico City Grand Prix, barcelona-catalunya the one of Barcelona."""
    ours, theirs = set(words(race["grand_prix_id"])), set(_title(meeting.name))
    return bool(theirs) and (ours <= theirs or theirs <= ours)


def _race_day(meeting: Meeting) -> date:
    """Return the day of the race in UTC, as the calendar counts it."""
    return meeting.starts["race"].date() if "race" in meeting.starts else meeting.race_date


def apply_schedule(
    facts: Facts,
    by_race: Mapping[str, Meeting],
    rules: Mapping[int, SeasonRules],
    read_at: datetime,
    with_points: Collection[str],
) -> Facts:
    """Take dates and starts of the races to come from the schedule.

    Parameters
    ----------
    facts : Facts
        Not altered.
    by_race : mapping of str to Meeting
        The meetings whose race is known, by race key.
    rules : mapping of int to SeasonRules
    read_at : datetime
        When the schedule was received, aware.
    with_points : collection of str
        Races of which the feed has points.

    Returns
    -------
    Facts
        Races with neither result nor official points have the times of their meeting; one that was cancelled is back
        with it. A meeting that should be over and has no points says nothing.

    Raises
    ------
    DataError
        The schedule is older than the facts, puts a driven race on another day, or a race before its lock.
    RuleError
        A season of the schedule has no rules.
    """
    scored, past = keys_of(facts, "official_totals"), driven(facts)
    rows = {row["race_key"]: row for row in facts["races"].to_dict("records")}
    _refuse_an_older_one(by_race, scored)
    _refuse_a_moved_past(by_race, rows, past)
    sessions = facts["sessions"]
    for race_key, meeting in by_race.items():
        is_to_come = "race" in meeting.starts and meeting.starts["race"] > read_at
        if race_key in scored | past or not (is_to_come or race_key in with_points):
            continue
        own = sessions[sessions["race_key"] == race_key]
        rows[race_key], made = _rescheduled(rows[race_key], own, meeting, rules_of(rules, meeting.season))
        sessions = pd.concat([sessions[sessions["race_key"] != race_key], made], ignore_index=True)
    races = pd.DataFrame(list(rows.values()), columns=facts["races"].columns, dtype=str)
    return facts | {"races": races, "sessions": sessions}


def cancel_left_out(facts: Facts, by_race: Mapping[str, Meeting]) -> Facts:
    """Cancel the races that the schedule passes over.

    Parameters
    ----------
    facts : Facts
        Not altered.
    by_race : mapping of str to Meeting
        Every meeting of the schedule, by race key.

    Returns
    -------
    Facts
        A race with neither result nor official points, between the first and the last meeting of its season and none
        of them, is cancelled: without a gameday the game has no such race. One after the last meeting may just not be
        in the schedule yet.
    """
    days: dict[str, list[str]] = {}
    for meeting in by_race.values():
        days.setdefault(str(meeting.season), []).append(_race_day(meeting).isoformat())
    races = facts["races"]
    settled = driven(facts) | keys_of(facts, "official_totals") | by_race.keys()
    is_cancelled = [
        flag if race_key in settled or season not in days or not min(days[season]) < day < max(days[season]) else "true"
        for race_key, season, day, flag in zip(
            *(races[name] for name in ("race_key", "season", "race_date", "is_cancelled")), strict=True
        )
    ]
    return facts | {"races": races.assign(is_cancelled=pd.Series(is_cancelled, index=races.index, dtype=str))}


def _refuse_an_older_one(by_race: Mapping[str, Meeting], scored: set[str]) -> None:
    for race_key in sorted(scored & by_race.keys()):
        if not by_race[race_key].is_done:
            raise DataError(
                f"{race_key}: the facts hold its official points, the feed's schedule calls it not done; "
                "the schedule is older than the facts"
            )


def _refuse_a_moved_past(by_race: Mapping[str, Meeting], rows: Mapping[str, Mapping[str, str]], past: set[str]) -> None:
    for race_key in sorted(past & by_race.keys()):
        was, stated = date.fromisoformat(rows[race_key]["race_date"]), _race_day(by_race[race_key])
        if abs((was - stated).days) > _SAME_WEEKEND_DAYS:
            raise DataError(
                f"{race_key} was driven on {was}, the feed's schedule puts {by_race[race_key].name} on {stated}"
            )


def _rescheduled(
    race: dict[str, str], sessions: pd.DataFrame, meeting: Meeting, rules: SeasonRules
) -> tuple[dict[str, str], pd.DataFrame]:
    """Give a race the times of its meeting; sessions that the game does not score follow a race that moved."""
    stated = dict(meeting.starts)
    known = {row["session"]: row for row in sessions.to_dict("records")}
    if "race" not in stated:
        return race | {"is_cancelled": "false"}, sessions
    has_sprint = "sprint" in stated
    is_moved = str(stated["race"].date()) != race["race_date"] or has_sprint != (race["has_sprint"] == "true")
    if is_moved:
        times = typical_times(meeting.season, has_sprint, stated["race"]) | stated
        estimated = times.keys() - stated.keys()
    else:
        times = {session: datetime.fromisoformat(row["starts_at"]) for session, row in known.items()} | stated
        estimated = {name for name in times.keys() - stated.keys() if known[name]["is_time_estimated"] == "true"}
    lock_session = lock_session_of(rules.lock, has_sprint)
    made = session_rows(race["race_key"], meeting.season, times, lock_session, estimated)
    if times[lock_session] >= stated["race"]:
        raise DataError(f"{race['race_key']}: the feed's schedule starts the race before its {lock_session}")
    changed = {
        "is_cancelled": "false",
        "has_sprint": "true" if has_sprint else "false",
        "race_date": str(stated["race"].date()),
        "is_time_estimated": "true" if lock_session in estimated else "false",
        "lock_at": instant_text(times[lock_session]),
        "race_start_at": instant_text(stated["race"]),
    }
    return race | changed, as_text(FACT_TABLES["sessions"], pd.DataFrame(made))
