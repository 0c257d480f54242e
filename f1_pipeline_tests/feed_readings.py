"""Make readings of the official feed from the committed facts: the feed merge backwards.

Belongs here: `FeedData` as `feed_payloads` would make it of the real payloads, to be altered at will, and the game
whose payloads say the same. Neighbours: `release.py` makes the F1DB release of the same weekend, `feed_server.py`
serves the payloads over HTTP.

    reading = feed_reading(read_facts(DATA), 2026, states_of=("2026-canada", "2026-monaco"))
    reading = with_meeting(reading, "Monaco Grand Prix", race_date=date(2026, 6, 8))
    with LocalServer() as server:
        base_url = serve_game(server, game_of(reading))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta

from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedData, FeedItem, Meeting, PlayerState
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.feed_server import Event, Game, GameMeeting, GamePlayer, feed_event

Row = dict[str, str]

# The game's own names where they are not F1DB's (schedule of 2026-02-28, drivers payload of gameday 2).
MEETING_NAMES = {"mexico": "Mexico City Grand Prix", "barcelona-catalunya": "Barcelona Grand Prix"}
PERSON_NAMES = {
    "carlos-sainz-jr": ("Carlos", "Sainz"),
    "nico-hulkenberg": ("Nico", "Hulkenberg"),
    "sergio-perez": ("Sergio", "Perez"),
}
TEAM_NAMES = {
    "red-bull": ("Red Bull Racing", "RBR"),
    "haas": ("Haas F1 Team", "HAA"),
    "aston-martin": ("Aston Martin", "AST"),
    "racing-bulls": ("Racing Bulls", "RBS"),
    "mclaren": ("McLaren", "MCL"),
    "mercedes": ("Mercedes", "MER"),
    "ferrari": ("Ferrari", "FER"),
    "alpine": ("Alpine", "ALP"),
    "williams": ("Williams", "WIL"),
    "audi": ("Audi", "AUD"),
    "cadillac": ("Cadillac", "CAD"),
}
SCORED_SESSIONS = ("qualifying", "sprint", "race")


def feed_reading(facts: Facts, season: int, states_of: Collection[str], read_at: datetime | None = None) -> FeedData:
    """Say what the facts say as the feed would.

    Parameters
    ----------
    facts : Facts
    season : int
        Its whole calendar is the schedule, cancelled races apart; those with official totals are done.
    states_of : collection of str
        Race keys of the gamedays that are read: prices of all of them, points, items and ownership of the done ones.
    read_at : datetime, optional
        The day after the last done race by default, 12:00 UTC.

    Returns
    -------
    FeedData
        Player ids are the driver's or constructor's id. Ownership that the facts lack is 10 % and boosted by 1 %;
        a constructor's pit stops are one item.
    """
    meetings = _meetings(facts, season)
    owned, totals = _by_asset(facts, "ownership"), _by_asset(facts, "official_totals")
    drivers = {row["driver_id"]: row for row in facts["drivers"].to_dict("records")}
    states = [
        _state(row, meetings[row["race_key"]], drivers, owned.get(_key(row)), totals.get(_key(row)))
        for row in facts["prices"].to_dict("records")
        if row["race_key"] in states_of
    ]
    items = [
        _item(row, meetings[row["race_key"]])
        for row in facts["event_scores"].to_dict("records")
        if row["race_key"] in states_of
    ]
    last_done = max(meeting.race_date for meeting in meetings.values() if meeting.is_done)
    midday = datetime(last_done.year, last_done.month, last_done.day, 12, tzinfo=UTC) + timedelta(days=1)
    by_date = sorted(meetings.values(), key=lambda meeting: meeting.race_date)
    return FeedData(read_at or midday, tuple(by_date), tuple(states), tuple(items))


def with_meeting(reading: FeedData, name: str, /, **changes: object) -> FeedData:
    """Change a meeting wherever it occurs."""

    def changed(meeting: Meeting) -> Meeting:
        return dataclasses.replace(meeting, **changes) if meeting.name == name else meeting  # ty: ignore

    return FeedData(
        reading.read_at,
        tuple(changed(meeting) for meeting in reading.meetings),
        tuple(dataclasses.replace(state, meeting=changed(state.meeting)) for state in reading.states),
        tuple(dataclasses.replace(item, meeting=changed(item.meeting)) for item in reading.items),
    )


def without_meeting(reading: FeedData, name: str) -> FeedData:
    """Take a meeting out, with everything that belongs to it."""
    return dataclasses.replace(
        reading,
        meetings=tuple(meeting for meeting in reading.meetings if meeting.name != name),
        states=tuple(state for state in reading.states if state.meeting.name != name),
        items=tuple(item for item in reading.items if item.meeting.name != name),
    )


def with_states(reading: FeedData, change: Callable[[PlayerState], PlayerState | None]) -> FeedData:
    """Change every state, or drop those for which `change` returns None."""
    changed = (change(state) for state in reading.states)
    return dataclasses.replace(reading, states=tuple(state for state in changed if state is not None))


def with_items(reading: FeedData, change: Callable[[FeedItem], FeedItem | None]) -> FeedData:
    """Change every item, or drop those for which `change` returns None."""
    changed = (change(item) for item in reading.items)
    return dataclasses.replace(reading, items=tuple(item for item in changed if item is not None))


def restated_overtake(reading: FeedData, meeting: str, player_ids: Collection[str]) -> FeedData:
    """Give one overtake more in a race to a driver, and so to his constructor: a correction of the game's."""

    def is_meant(one: PlayerState | FeedItem) -> bool:
        return one.meeting.name == meeting and one.player_id in player_ids

    changed = with_states(
        reading,
        lambda state: (
            dataclasses.replace(state, total_points=(state.total_points or 0) + 1) if is_meant(state) else state
        ),
    )
    return with_items(
        changed,
        lambda item: (
            dataclasses.replace(item, points=item.points + 1)
            if is_meant(item) and item.scoring_item == "race_overtakes"
            else item
        ),
    )


def game_of(reading: FeedData, first_gameday: int = 1) -> Game:
    """Make the game whose payloads give a reading back.

    Parameters
    ----------
    reading : FeedData
    first_gameday : int
        Number of the first meeting; the others follow by date.

    Returns
    -------
    Game
        Players have numbers as the game's have, from 101 on in the order of their ids.
    """
    meetings = {
        meeting.name: GameMeeting(
            first_gameday + at,
            meeting.name,
            {session: start.isoformat() for session, start in meeting.starts.items()},
            meeting.is_done,
            meeting.season,
        )
        for at, meeting in enumerate(reading.meetings)
    }
    game = Game(list(meetings.values()))
    numbers = {key: str(101 + at) for at, key in enumerate(sorted({state.player_id for state in reading.states}))}
    for state in reading.states:
        own = [item for item in reading.items if item.meeting == state.meeting and item.player_id == state.player_id]
        number = numbers[state.player_id]
        is_driver = state.asset_type == "driver"
        player = GamePlayer(
            player_id=number,
            skill=1 if is_driver else 2,
            first_name=state.first_name,
            last_name=state.last_name,
            code=state.code,
            team_name=state.team_name,
            price=state.price_tenths / 10,
            points=state.total_points,
            selected_pct=round(state.selected_pct or 0),
            boosted_pct=round(state.boosted_pct or 0),
            is_active=state.is_active,
            team_id="0" if is_driver else number,
        )
        game.add(meetings[state.meeting.name].gameday_id, player, [_event(item) for item in own])
    return game


def _event(item: FeedItem) -> Event:
    if item.scoring_item == UNKNOWN_ITEM:
        return item.event_name, "-", item.points
    return feed_event(item.scoring_item, item.points, item.position)


def _meetings(facts: Facts, season: int) -> dict[str, Meeting]:
    done = set(facts["official_totals"]["race_key"])
    starts: dict[str, dict[str, datetime]] = {}
    for row in facts["sessions"].to_dict("records"):
        if row["session"] in SCORED_SESSIONS:
            starts.setdefault(row["race_key"], {})[row["session"]] = datetime.fromisoformat(row["starts_at"])
    return {
        row["race_key"]: Meeting(
            season,
            MEETING_NAMES.get(row["grand_prix_id"], row["name"]),
            date.fromisoformat(row["race_date"]),
            starts[row["race_key"]],
            row["race_key"] in done,
        )
        for row in facts["races"].to_dict("records")
        if row["season"] == str(season) and row["is_cancelled"] == "false"
    }


def _key(row: Row) -> tuple[str, str, str]:
    return row["race_key"], row["asset_type"], row["asset_id"]


def _by_asset(facts: Facts, name: str) -> dict[tuple[str, str, str], Row]:
    return {_key(row): row for row in facts[name].to_dict("records")}


def _state(row: Row, meeting: Meeting, drivers: Mapping[str, Row], owned: Row | None, total: Row | None) -> PlayerState:
    asset_id = row["asset_id"]
    team, team_code = TEAM_NAMES[row["constructor_id"]]
    first, last, code = team, team, team_code
    if row["asset_type"] == "driver":
        known = drivers[asset_id]
        first, last = PERSON_NAMES.get(asset_id, (known["first_name"], known["last_name"]))
        code = known["abbreviation"]
    return PlayerState(
        meeting=meeting,
        player_id=asset_id,
        asset_type=row["asset_type"],
        name=f"{first} {last}" if row["asset_type"] == "driver" else team,
        first_name=first,
        last_name=last,
        code=code,
        team_name=team,
        is_active=True,
        price_tenths=round(float(row["price_musd"]) * 10),
        total_points=int(total["total_points"]) if total else None,
        selected_pct=float(owned["selected_pct"]) if owned else 10.0,
        boosted_pct=float(owned["boosted_pct"]) if owned else 1.0,
    )


def _item(row: Row, meeting: Meeting) -> FeedItem:
    item = row["scoring_item"].replace("pit_stop_total", "pit_stop_fastest_time")
    place = int(row["position"]) if row["position"] else None
    return FeedItem(meeting, row["asset_id"], row["event_type"], item, int(row["points"]), place, item)
