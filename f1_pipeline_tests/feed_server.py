"""Make payloads of the official feed in the very shape of the real ones, and serve them from 127.0.0.1.

Belongs here: schedule, drivers and playerstats JSON made of plain values, with the real misspelt keys, numbers as text
and labels of odd case. Neighbours: `local_server.py` is the server, `feed_readings.py` makes readings without JSON.

    china = GameMeeting(2, "Chinese Grand Prix", {
        "sprint": "2026-03-14T11:00:00+08:00",
        "qualifying": "2026-03-14T15:00:00+08:00",
        "race": "2026-03-15T15:00:00+08:00",
    }, is_done=True)
    gasly = GamePlayer("18", 1, "Pierre", "Gasly", "GAS", "Alpine", price=12.2, points=20, selected_pct=15)
    game = Game([china, ...])
    game.add(2, gasly, [("Qualifying Position", "7th", 4), ("race overtake bonus", "6", 6), ...])
    with LocalServer() as server:
        base_url = serve_game(server, game)      # server.url + "/feeds"

`Game` is mutable: change it and call `serve_game` again. An asset has one entry per gameday (its price and points
move), a coming race has prices and no items. `feed_event` writes a scoring item of the facts as the feed does.
`schedule_payload`, `drivers_payload` and `playerstats_payload` make one payload each, as dicts; `as_json` its bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from f1_pipeline_tests.local_server import LocalServer

Event = tuple[str, str, int]
"""Event, Frequency and Value as the feed writes them: ("Race Position", "1st", 25), ("race overtake bonus", "4", 4)."""

PREFIX = "/feeds"
SCHEDULE = "/schedule/raceday_en.json"
SESSION_LABELS = {"sprint": "Sprint Qualifying", "qualifying": "Qualifying", "race": "Race"}
DONE, COMING = 4, 0

# Scoring item of the facts -> label in the feed, in the feed's own odd spelling.
EVENT_LABELS = {
    "qualifying_position": "Qualifying Position",
    "qualifying_not_classified": "QF not classified",
    "qualifying_disqualified": "DQ Qualifying",
    "both_drivers_q3": "Both Driver Q3",
    "one_driver_q3": "One Driver Q3",
    "both_drivers_q2": "Both Drivers Q2",
    "one_driver_q2": "One Driver Q2",
    "no_driver_q2": "No Driver Q2",
    "sprint_position": "Sprint Position",
    "sprint_positions_gained": "Sprint position gained",
    "sprint_positions_lost": "Sprint Position lost",
    "sprint_overtakes": "Sprint overtake bonus",
    "sprint_fastest_lap": "Sprint Fastest lap",
    "sprint_not_classified": "Sprint not classified",
    "sprint_disqualified": "DQ Sprint",
    "race_position": "Race Position",
    "race_positions_gained": "Race position gained",
    "race_positions_lost": "Race Position lost",
    "race_overtakes": "race overtake bonus",
    "race_fastest_lap": "Race Fastest lap",
    "driver_of_the_day": "Driver Of The Day",
    "race_not_classified": "Race not classified ",
    "race_disqualified": "DQ Race",
    "pit_stop_fastest_time": "Fastest Pitstop",
    "pit_stop_total": "Fastest Pitstop",
    "pit_stop_overall_fastest": "2nd Fastest Pitstop",
}
_COUNTED = ("_gained", "_lost", "_overtakes")


@dataclass(frozen=True)
class GameMeeting:
    """One race weekend; `starts` has the local start of each scored session, ISO 8601 with offset."""

    gameday_id: int
    name: str
    starts: Mapping[str, str]
    is_done: bool = False
    season: int = 2026
    location: str = "Somewhere"
    country: str = "Some country"


@dataclass(frozen=True)
class GamePlayer:
    """One asset at one gameday; skill 1 is a driver, 2 a constructor; `points` is None until the race is scored.

    `session_points` splits the points by session; all of them are the race's when it is empty. A constructor has its
    name as first name, last name and team name, and its own id as team id.
    """

    player_id: str
    skill: int
    first_name: str
    last_name: str
    code: str
    team_name: str
    price: float
    old_price: float | None = None
    points: int | None = None
    selected_pct: int = 10
    boosted_pct: int = 1
    is_active: bool = True
    team_id: str = "0"
    session_points: Mapping[str, int] = field(default_factory=dict)


def constructor(player_id: str, name: str, code: str, price: float, **values: Any) -> GamePlayer:
    """Make a constructor, which the feed writes with its name three times and boosted by nobody."""
    return GamePlayer(player_id, 2, name, name, code, name, price, team_id=player_id, boosted_pct=0, **values)


@dataclass
class Game:
    """A season as the game's own computers know it."""

    meetings: list[GameMeeting]
    weekends: dict[int, dict[str, tuple[GamePlayer, list[Event]]]] = field(default_factory=dict)

    def add(self, gameday_id: int, player: GamePlayer, events: Iterable[Event] = ()) -> None:
        """Put an asset on sale at a gameday, with what it scored there; an earlier entry is replaced."""
        self.weekends.setdefault(gameday_id, {})[player.player_id] = (player, list(events))

    def documents(self) -> dict[str, bytes]:
        """Make every payload, by path below the base URL."""
        by_gameday = {meeting.gameday_id: meeting for meeting in self.meetings}
        made = {SCHEDULE: schedule_payload(self.meetings)}
        careers: dict[str, list[tuple[GameMeeting, GamePlayer, list[Event]]]] = {}
        for gameday_id, assets in sorted(self.weekends.items()):
            meeting = by_gameday[gameday_id]
            made[drivers_path(gameday_id)] = drivers_payload(meeting, [player for player, _ in assets.values()])
            for player, events in assets.values():
                careers.setdefault(player.player_id, []).append((meeting, player, events))
        for player_id, weekends in careers.items():
            made[playerstats_path(player_id)] = playerstats_payload(weekends)
        return {path: as_json(payload) for path, payload in made.items()}


def drivers_path(gameday_id: int) -> str:
    """Return the path of a gameday's prices and totals."""
    return f"/drivers/{gameday_id}_en.json"


def playerstats_path(player_id: str) -> str:
    """Return the path of an asset's items."""
    return f"/popup/playerstats_{player_id}.json"


def as_json(payload: object) -> bytes:
    """Write a payload."""
    return json.dumps(payload, ensure_ascii=False).encode("utf-8")


def serve_game(server: LocalServer, game: Game, has_etags: bool = True) -> str:
    """Serve all payloads of a game, and return the base URL; an ETag changes when its payload does."""
    for path, body in game.documents().items():
        serve_payload(server, path, body, has_etags)
    return server.url + PREFIX


def serve_payload(server: LocalServer, path: str, body: bytes, has_etag: bool = True) -> None:
    """Serve one payload below the base URL."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if has_etag else None
    server.serve(PREFIX + path, body, etag=etag)


def feed_event(scoring_item: str, points: int, position: int | None = None) -> Event:
    """Write a scoring item as the feed does: a place as "1st", places and overtakes as their count, else "-"."""
    if position is not None:
        frequency = ordinal(position)
    else:
        frequency = str(abs(points)) if scoring_item.endswith(_COUNTED) else "-"
    return EVENT_LABELS[scoring_item], frequency, points


def ordinal(number: int) -> str:
    """Write 1 as 1st."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 <= number % 100 <= 20 else endings.get(number % 10, 'th')}"


def schedule_payload(meetings: Sequence[GameMeeting]) -> dict[str, Any]:
    """Make the schedule: one row per scored session."""
    rows, race_id = [], 7307
    for meeting in meetings:
        status = DONE if meeting.is_done else COMING
        for number, session in enumerate(_sessions(meeting)):
            start = datetime.fromisoformat(meeting.starts[session])
            rows.append(
                {
                    "IsFixturesAvailable": 0,
                    "RaceId": race_id,
                    "GamedayId": meeting.gameday_id,
                    "Gameday": str(meeting.gameday_id),
                    "GameDate": _us_time(start),
                    "TourId": 4,
                    "PhaseId": 1,
                    "SessionName": SESSION_LABELS[session],
                    "SessionType": SESSION_LABELS[session],
                    "SessionNumber": "0",
                    "GMTOffset": "",
                    "Season": str(meeting.season),
                    "GDIsCurrent": 0,
                    "MaxTeamBalance": 100,
                    "SessionStartDate": _us_time(start),
                    "SessionStartDateISO8601": meeting.starts[session],
                    "MatchdayName": f"Match {number + 1}",
                    "MatchStatus": str(status),
                    "IsPostponed": 0,
                    "CurrentGamedayId": 1,
                    "MeetingNumber": meeting.gameday_id,
                    "MeetingName": meeting.name,
                    "MeetingOfficialName": f"FORMULA 1 {meeting.name.upper()} {meeting.season}",
                    "MeetingLocation": meeting.location,
                    "CircuitLocation": meeting.country,
                    "GDStatus": status,
                    "CountryName": meeting.country,
                    "NextMatchDeadline": "0",
                }
            )
            race_id += 1
    return {"Data": {"Value": rows}}


def drivers_payload(meeting: GameMeeting, players: Sequence[GamePlayer]) -> dict[str, Any]:
    """Make the prices and totals of a gameday, drivers and constructors together."""
    time = _feed_time()
    return {
        "Data": {"Value": [_asset(meeting, player) for player in players], "FeedTime": time},
        "Meta": {
            "Message": "Success",
            "RetVal": 1,
            "Success": True,
            "Timestamp": time,
            "StatusCode": 200,
            "Maintenance": "",
        },
    }


def playerstats_payload(weekends: Sequence[tuple[GameMeeting, GamePlayer, Sequence[Event]]]) -> dict[str, Any]:
    """Make the items of one asset; only weekends that are done have any, and a total of 0 is left out."""
    player = weekends[0][1]
    done = [weekend for weekend in weekends if weekend[0].is_done]
    gamedays, fixtures, matches, season = [], [], [], []
    for meeting, at_meeting, events in done:
        own = {"GamedayId": meeting.gameday_id}
        values = _values(at_meeting) | {"IsPlayed": 1, "IsActive": int(at_meeting.is_active)}
        gamedays.append(own | values | {"StatsWise": _stats(events)})
        days = [_race_day(meeting, at_meeting, session) for session in _sessions(meeting)]
        of_session = {
            session: [event for event in events if _session_of(event) == session] for session in meeting.starts
        }
        owned = {
            "SelectedPercentage": str(at_meeting.selected_pct),
            "CapSelectedPercentage": str(at_meeting.boosted_pct),
        }
        fixtures.append(
            own | {"TourId": 4, "RaceDayWise": [day | {"TeamId": int(player.team_id)} | owned for day in days]}
        )
        scored = [
            day | {"IsPlayed": 1, "StatsWise": _stats(of_session[session])}
            for day, session in zip(days, _sessions(meeting), strict=True)
        ]
        matches.append(own | {"TourId": 4, "RaceDayWise": scored})
        season += [(name, "-", value) for name, _, value in events]
    tour = {"TourId": 4} | _values(weekends[-1][1]) | {"IsPlayed": 1, "IsActive": 1, "StatsWise": _stats(season)}
    return {
        "Value": {
            "PlayerId": int(player.player_id),
            "PlayerSkill": player.skill,
            "GamedayWiseStats": gamedays,
            "TourWiseStats": [tour],
            "FixtureWiseStats": fixtures,
            "MatchWiseStats": matches,
        },
        "FeedTime": _feed_time(),
    }


def _asset(meeting: GameMeeting, player: GamePlayer) -> dict[str, Any]:
    is_driver, is_scored = player.skill == 1, player.points is not None
    points = f"{player.points}.00" if is_scored else "0"
    by_session = player.session_points or ({"race": player.points} if is_scored else {})
    own = [by_session.get(session, 0) if is_scored else None for session in _sessions(meeting)]
    name = f"{player.first_name} {player.last_name}" if is_driver else player.team_name
    return {
        "PlayerId": player.player_id,
        "Skill": player.skill,
        "PositionName": "DRIVER" if is_driver else "CONSTRUCTOR",
        "Value": player.price,
        "TeamId": player.team_id,
        "FUllName": name,
        "DisplayName": f"{player.first_name[:1]}. {player.last_name}" if is_driver else name,
        "TeamName": player.team_name if is_driver else "",
        "Status": "0" if is_driver else "",
        "IsActive": str(int(player.is_active)),
        "DriverTLA": player.code,
        "DriverReference": "",
        "CountryName": "",
        "OverallPpints": points,
        "GamedayPoints": points,
        "SelectedPercentage": str(player.selected_pct),
        "CaptainSelectedPercentage": str(player.boosted_pct),
        "OldPlayerValue": player.price if player.old_price is None else player.old_price,
        "HigestGridStart": "",
        "QualifyingPoints": str(by_session.get("qualifying", 0)) if is_scored else "",
        "RacePoints": str(by_session.get("race", 0)) if is_scored else "",
        "SprintPoints": str(by_session.get("sprint", 0)) if is_scored else "",
        "NoNegativePoints": "",
        "F1PlayerId": "8",
        "FirstName": player.first_name,
        "LastName": player.last_name,
        "SessionWisePoints": [
            {"sessionnumber": number, "sessiontype": SESSION_LABELS[session], "points": of, "nonegative_points": of}
            for number, (session, of) in enumerate(zip(_sessions(meeting), own, strict=True), 1)
        ],
        "AdditionalStats": {"fastest_lap_pts": 0.0, "overtaking_pts": 17.0, "value_for_money": 1.27},
        "old_Value": 0.0,
        "new_value": 0.0,
        "ProjectedGamedayPoints": points,
        "ProjectedOverallPpints": points,
    }


def _race_day(meeting: GameMeeting, player: GamePlayer, session: str) -> dict[str, Any]:
    start = datetime.fromisoformat(meeting.starts[session])
    return _values(player) | {
        "RaceDayId": 7307 + 3 * meeting.gameday_id,
        "DateTime": start.strftime("%m/%d/%Y 00:00:00"),
        "MatchStatus": str(DONE),
        "MeetingLocation": meeting.location,
        "MeetingNumber": meeting.gameday_id,
        "MeetingName": meeting.name,
        "CountryId": 6,
        "CountryName": meeting.country,
        "SessionName": SESSION_LABELS[session],
        "SessionType": SESSION_LABELS[session],
        "SessionNumber": "0",
        "SessionStartDate": meeting.starts[session],
        "Season": str(meeting.season),
    }


def _values(player: GamePlayer) -> dict[str, Any]:
    return {
        "PlayerValue": player.price,
        "OldPlayerValue": player.price if player.old_price is None else player.old_price,
    }


def _stats(events: Sequence[Event]) -> list[dict[str, Any]]:
    rows = [{"Frequency": frequency, "Event": name, "Value": value} for name, frequency, value in events]
    total = sum(value for _, _, value in events)
    return [{"Frequency": "-", "Event": "Total", "Value": total}, *rows] if total else rows


def _session_of(event: Event) -> str:
    name = event[0].casefold()
    if "sprint" in name:
        return "sprint"
    return "qualifying" if any(word in name for word in ("qualifying", "qf", "q2", "q3")) else "race"


def _sessions(meeting: GameMeeting) -> list[str]:
    return [session for session in SESSION_LABELS if session in meeting.starts]


def _us_time(start: datetime) -> str:
    return start.astimezone(UTC).strftime("%m/%d/%Y %H:%M:%S")


def _feed_time() -> dict[str, str]:
    return {"UTCTime": "3/15/2026 1:46:24 PM", "ISTTime": "3/15/2026 7:16:24 PM", "CESTTime": "3/15/2026 2:46:24 PM"}
