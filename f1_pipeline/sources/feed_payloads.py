"""Turn payloads of the official feed into typed rows: the assets of a gameday, the items of an asset.

Belongs here: what the payloads mean. Neighbours: `feed_json` knows their keys, `feed_schedule` their gamedays,
`feed_events` their event names; `feed` gets them, `feed_merge` makes facts of the rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from f1_pipeline.errors import SourceError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.feed_data import FeedItem, Meeting, PlayerState
from f1_pipeline.sources.feed_events import TOTAL, Event, name_items, plain_name
from f1_pipeline.sources.feed_json import (
    AssetRow,
    DriversPayload,
    EventRow,
    PlayerstatsPayload,
    read_payload,
)
from f1_pipeline.sources.feed_schedule import RENUMBERING, Schedule, session_of

_ASSET_TYPES = {1: "driver", 2: "constructor"}
_PLACE = re.compile(r"(\d+)(?:st|nd|rd|th)?", re.IGNORECASE)
_NO_PLACE = ("-", "")


@dataclass(frozen=True)
class Weekend:
    """What one asset scored at one gameday.

    Attributes
    ----------
    total_points : int
        The feed's own sum; it leaves a sum of 0 out.
    events : tuple of Event
        Without the total.
    """

    total_points: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class PlayerStats:
    """What one asset has scored, by gameday number.

    Attributes
    ----------
    player_id : str
    asset_type : str
    weekends : dict of int to Weekend
    meetings : dict of int to set of (int, str)
        Season and name of the meetings that the payload itself gives each gameday; empty where it says nothing.
    """

    player_id: str
    asset_type: str
    weekends: dict[int, Weekend]
    meetings: dict[int, frozenset[tuple[int, str]]]


def read_drivers(body: bytes, url: str, meeting: Meeting) -> tuple[PlayerState, ...]:
    """Read the assets of a gameday.

    Parameters
    ----------
    body : bytes
        As received.
    url : str
        For messages.
    meeting : Meeting
        The one that the schedule of that time gives the gameday.

    Returns
    -------
    tuple of PlayerState
        In the payload's order; points only if the meeting is done, and the payload has points of its race.

    Raises
    ------
    SourceError
        The payload is not what it should be, nobody in it takes part, or its sessions are not those of the meeting.
    """
    rows = read_payload(DriversPayload, body, url).data.rows
    _check_sessions(rows, meeting, url)
    is_scored = meeting.is_done and _has_race_points(rows)
    states: dict[str, PlayerState] = {}
    for number, row in enumerate(rows):
        where = f"{url}: Data.Value[{number}] ({row.full_name})"
        if row.player_id in states:
            raise SourceError(f"{where}: expected another PlayerId than {states[row.player_id].name}'s {row.player_id}")
        states[row.player_id] = _state(row, meeting, is_scored, where)
    taking_part = {state.asset_type for state in states.values() if state.is_active}
    lacking = [f"{asset_type}s" for asset_type in _ASSET_TYPES.values() if asset_type not in taking_part]
    if lacking:
        raise SourceError(f"{url}: expected {' and '.join(lacking)} that take part in the {meeting.name}, found none")
    return tuple(states.values())


def _has_race_points(rows: list[AssetRow]) -> bool:
    """Tell a payload from before the race, whose totals are 0, where it lists sessions: their points are null."""
    told = [session for row in rows for session in row.sessions]
    points = [session.points for session in told if session_of(session.session_type, "SessionWisePoints") == "race"]
    return not told or any(of_race is not None for of_race in points)


def _check_sessions(rows: list[AssetRow], meeting: Meeting, url: str) -> None:
    """Refuse sessions that the meeting has not: the schedule or the payload is of another numbering."""
    told: dict[str, bool] = {}
    for row in rows:
        for part in row.sessions:
            session = session_of(part.session_type, f"{url}: SessionWisePoints of {row.full_name}")
            told[session] = told.get(session, False) or bool(part.points)
    lacks_sprint = bool(told) and "sprint" in meeting.starts and "sprint" not in told
    if lacks_sprint or ("sprint" not in meeting.starts and told.get("sprint")):
        raise SourceError(
            f"{url}: SessionWisePoints: expected the sessions of the {meeting.name} ({', '.join(meeting.starts)}), "
            f"found {', '.join(told)}; {RENUMBERING}"
        )


def _state(row: AssetRow, meeting: Meeting, is_scored: bool, where: str) -> PlayerState:
    tenths = row.price * 10
    if tenths != tenths.to_integral_value():
        raise SourceError(f"{where}: Value: expected a price in tenths of a million, found {row.price}")
    if is_scored and row.is_active and row.points is None:
        raise SourceError(f"{where}: GamedayPoints: expected points of the finished {meeting.name}, found none")
    return PlayerState(
        meeting=meeting,
        player_id=row.player_id,
        asset_type=_ASSET_TYPES[row.skill],
        name=row.full_name,
        first_name=row.first_name,
        last_name=row.last_name,
        code=row.code,
        team_name=row.team_name or (row.full_name if row.skill == 2 else ""),
        is_active=row.is_active,
        price_tenths=int(tenths),
        total_points=row.points if is_scored else None,
        selected_pct=_percent(row.selected_pct),
        boosted_pct=_percent(row.boosted_pct),
    )


def _percent(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def read_playerstats(body: bytes, url: str, player_id: str) -> PlayerStats:
    """Read everything that an asset has scored.

    Parameters
    ----------
    body : bytes
        As received.
    url : str
        For messages.
    player_id : str
        Of the asset that was asked for.

    Returns
    -------
    PlayerStats

    Raises
    ------
    SourceError
        The payload is not what it should be, or of another asset.
    """
    stats = read_payload(PlayerstatsPayload, body, url).stats
    if stats.player_id != player_id:
        raise SourceError(f"{url}: Value.PlayerId: expected {player_id}, found {stats.player_id}")
    asset_type = _ASSET_TYPES[stats.skill]
    weekends: dict[int, Weekend] = {}
    for gameday in stats.gamedays:
        where = f"{url}: gameday {gameday.gameday_id}"
        if gameday.gameday_id in weekends:
            raise SourceError(f"{where}: expected it once in GamedayWiseStats, found it twice")
        weekends[gameday.gameday_id] = _weekend(gameday.events, asset_type, where)
    meetings: dict[int, frozenset[tuple[int, str]]] = {}
    for days in (*stats.fixtures, *stats.matches):
        told = frozenset((day.season, day.meeting_name) for day in days.days)
        meetings[days.gameday_id] = meetings.get(days.gameday_id, frozenset()) | told
    return PlayerStats(player_id, asset_type, weekends, meetings)


def _weekend(rows: list[EventRow], asset_type: str, where: str) -> Weekend:
    totals = [row.points for row in rows if plain_name(row.event) == TOTAL]
    if len(totals) > 1:
        raise SourceError(f"{where}: expected one Total, found {totals}")
    events = tuple(
        Event(row.event, row.points, _place(row, asset_type, where)) for row in rows if plain_name(row.event) != TOTAL
    )
    return Weekend(sum(totals), events)


def _place(row: EventRow, asset_type: str, where: str) -> int | None:
    """Read a driver's place; a constructor's is the sum of two cars and has none."""
    if asset_type == "constructor" or plain_name(row.event) not in (
        "qualifying position",
        "sprint position",
        "race position",
    ):
        return None
    found = _PLACE.fullmatch(row.frequency)
    if found is None and row.frequency not in _NO_PLACE:
        raise SourceError(f"{where}: Frequency of {row.event!r}: expected a place such as 1st, found {row.frequency!r}")
    return int(found[1]) if found else None


def check_meetings(stats: PlayerStats, schedule: Schedule, url: str) -> None:
    """Refuse the items of an asset whose gamedays are not numbered as in the schedule.

    Parameters
    ----------
    stats : PlayerStats
    schedule : Schedule
    url : str
        For messages.

    Raises
    ------
    SourceError
        A finished gameday of the schedule is another meeting in the payload, or the payload has one more.
    """
    for gameday_id in stats.weekends:
        if gameday_id not in schedule:
            raise SourceError(f"{url}: gameday {gameday_id}: expected one of the schedule; {RENUMBERING}")
    for gameday_id, told in stats.meetings.items():
        meeting = schedule.get(gameday_id)
        if meeting is None or not meeting.is_done:
            continue
        others = {
            name for season, name in told if (season, name.casefold()) != (meeting.season, meeting.name.casefold())
        }
        if others:
            raise SourceError(
                f"{url}: gameday {gameday_id}: expected the {meeting.name} of {meeting.season} as the schedule has it, "
                f"found {', '.join(sorted(others))}; {RENUMBERING}"
            )


def items_of(stats: PlayerStats, schedule: Schedule, rules: Mapping[int, SeasonRules]) -> tuple[FeedItem, ...]:
    """Name the scoring items of an asset at the finished races.

    Parameters
    ----------
    stats : PlayerStats
    schedule : Schedule
        Whose gamedays are those of the payload, see :func:`check_meetings`.
    rules : mapping of int to SeasonRules
        Of every season in the schedule.

    Returns
    -------
    tuple of FeedItem
    """
    return tuple(
        FeedItem(
            meeting=schedule[gameday_id],
            player_id=stats.player_id,
            event_type=scored.event_type,
            scoring_item=scored.scoring_item,
            points=scored.event.points,
            position=scored.event.position,
            event_name=scored.event.name,
        )
        for gameday_id, weekend in stats.weekends.items()
        if schedule[gameday_id].is_done
        for scored in name_items(weekend.events, rules[schedule[gameday_id].season])
    )
