"""The schedule of the official feed: which meeting a gameday number stands for, and when.

Belongs here: reading the schedule and comparing numberings. Neighbours: `feed_json` knows its keys, `feed_payloads`
reads everything else by it. A gameday number means nothing by itself: the game has renumbered its gamedays within a
season, so every payload is read together with the schedule of its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date

from f1_pipeline.errors import SourceError
from f1_pipeline.sources.feed_data import Meeting
from f1_pipeline.sources.feed_json import SchedulePayload, SessionRow, read_payload

Schedule = Mapping[int, Meeting]
"""Meeting by gameday number, in the order of the races."""

RENUMBERING = "the game may be renumbering its gamedays: try again later"

_DONE = 4
# The feed calls the sprint race "Sprint Qualifying"; it starts when the sprint race does.
_SESSIONS = {
    "qualifying": "qualifying",
    "sprint qualifying": "sprint",
    "sprint": "sprint",
    "sprint race": "sprint",
    "race": "race",
}


def read_schedule(body: bytes, url: str) -> dict[int, Meeting]:
    """Read the schedule.

    Parameters
    ----------
    body : bytes
        As received.
    url : str
        For messages.

    Returns
    -------
    dict of int to Meeting
        By gameday number, in the order of the races. A meeting is done when the game calls its gameday so; the status
        of single sessions does not count, for a session that was called off need not reach it.

    Raises
    ------
    SourceError
        The payload is not what it should be, or contradicts itself.
    """
    by_gameday: dict[int, list[SessionRow]] = {}
    for row in read_payload(SchedulePayload, body, url).data.rows:
        by_gameday.setdefault(row.gameday_id, []).append(row)
    meetings = {gameday_id: _meeting(gameday_id, rows, url) for gameday_id, rows in by_gameday.items()}
    return dict(sorted(meetings.items(), key=lambda entry: entry[1].starts["race"]))


def _meeting(gameday_id: int, rows: list[SessionRow], url: str) -> Meeting:
    where = f"{url}: gameday {gameday_id}"
    told = {(row.season, row.meeting_name, row.gameday_status) for row in rows}
    if len(told) > 1:
        raise SourceError(f"{where}: expected one season, MeetingName and GDStatus, found {sorted(told)}")
    starts: dict[str, SessionRow] = {}
    for row in rows:
        if abs(row.starts_at.year - row.season) > 1:
            raise SourceError(
                f"{where}: SessionStartDateISO8601: expected a day of {row.season}, found {row.starts_at}"
            )
        session = session_of(row.session_type, f"{where}: SessionType")
        if session in starts:
            raise SourceError(f"{where}: expected one {session} of the {row.meeting_name}, found two")
        starts[session] = row
    if "race" not in starts:
        raise SourceError(f"{where}: expected a Race of the {rows[0].meeting_name}, found only {', '.join(starts)}")
    (season, name, status) = told.pop()
    return Meeting(
        season=season,
        name=name,
        race_date=starts["race"].starts_at.date(),
        starts={session: row.starts_at.astimezone(UTC) for session, row in starts.items()},
        is_done=status == _DONE,
    )


def session_of(session_type: str, where: str) -> str:
    """Name the scored session that the feed's label means.

    Parameters
    ----------
    session_type : str
        In any case.
    where : str
        For messages.

    Returns
    -------
    str
        qualifying, sprint or race.

    Raises
    ------
    SourceError
        The label is none of these.
    """
    session = _SESSIONS.get(" ".join(session_type.casefold().split()))
    if session is None:
        raise SourceError(f"{where}: expected Qualifying, Sprint Qualifying or Race, found {session_type!r}")
    return session


def numbering(meeting: Meeting) -> tuple[int, str, date]:
    """Say what a gameday number stands for: season, name and day; when it changes, the number has another meaning."""
    return meeting.season, meeting.name, meeting.race_date
