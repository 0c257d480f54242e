"""What the official feed says, as typed rows: no misspelt keys, no numbers as text, no ids that move.

Belongs here: the shape of a reading of the feed. Neighbours: `feed_payloads` makes these of JSON, `feed_merge` makes
facts of them. A race is a :class:`Meeting`, never a gameday number: the game has renumbered those within a season.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

UNKNOWN_ITEM = "unknown"
"""Scoring item of an event whose name was never seen before; the name itself stays in ``event_name``."""


@dataclass(frozen=True)
class Meeting:
    """One race weekend of the schedule.

    Attributes
    ----------
    season : int
    name : str
        As the game writes it, such as "Mexico City Grand Prix".
    race_date : date
        Local day of the race.
    starts : dict of str to datetime
        Start of each scored session (qualifying, sprint, race), aware, UTC.
    is_done : bool
        Whether the game calls its points final.
    """

    season: int
    name: str
    race_date: date
    starts: dict[str, datetime]
    is_done: bool


@dataclass(frozen=True)
class PlayerState:
    """One asset of the game at one race, as the drivers payload of its gameday states it.

    Attributes
    ----------
    meeting : Meeting
    player_id : str
        The game's own number of the asset, for messages; a driver who changes team gets another.
    asset_type : str
        driver or constructor.
    name, first_name, last_name, code, team_name : str
        As the game writes them; ``team_name`` of a constructor is its own name.
    is_active : bool
        Whether the asset takes part.
    price_tenths : int
        Price at the lock of this race, tenths of a million.
    total_points : int or None
        Points of the weekend; None until they are final.
    selected_pct, boosted_pct : float or None
        Share of teams, 0-100.
    """

    meeting: Meeting
    player_id: str
    asset_type: str
    name: str
    first_name: str
    last_name: str
    code: str
    team_name: str
    is_active: bool
    price_tenths: int
    total_points: int | None
    selected_pct: float | None
    boosted_pct: float | None


@dataclass(frozen=True)
class FeedItem:
    """One scoring item of one asset at one race, as its playerstats payload states it.

    Attributes
    ----------
    meeting : Meeting
    player_id : str
    event_type : str
        qualifying, sprint or race.
    scoring_item : str
        A name of ``SCORING_ITEMS``, or ``UNKNOWN_ITEM``.
    points : int
    position : int or None
        Place, for a driver's position items.
    event_name : str
        The feed's own words.
    """

    meeting: Meeting
    player_id: str
    event_type: str
    scoring_item: str
    points: int
    position: int | None
    event_name: str


@dataclass(frozen=True)
class FeedData:
    """One consistent reading of the feed; every row's meeting is one of ``meetings``.

    Attributes
    ----------
    read_at : datetime
        When the schedule was received, aware, UTC.
    meetings : tuple of Meeting
        By date.
    states : tuple of PlayerState
        Of every gameday that was read; a coming race has prices and no points.
    items : tuple of FeedItem
        Of finished races only.
    """

    read_at: datetime
    meetings: tuple[Meeting, ...]
    states: tuple[PlayerState, ...]
    items: tuple[FeedItem, ...]
