"""The feed's names of scoring events, and the scoring items they are.

Belongs here: one table of names, and what to do where a name is odd, used twice, or new. Neighbours: `feed_payloads`
reads the events of an asset, `tables_game` declares the items.

References
----------
Names seen in payloads and exports of the official feed, 2023 to May 2026. Names of 2023 and 2024 count pit stops
(fastest, 2nd, 3rd); since 2025 "Fastest Pitstop" is the time band of a team's best stop, and "2nd Fastest Pitstop" or
"Overall Fastest Pitstop" the extra for the fastest stop of the race.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from f1_pipeline.game.rules import FastestStopsRules, SeasonRules, TimeBandRules
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM

TOTAL = "total"

# Names in lower case, single blanks, "positions" and "drivers" as one of them.
_ITEMS = {
    "qualifying position": ("qualifying", "qualifying_position"),
    "qf not classified": ("qualifying", "qualifying_not_classified"),
    "qualifying not classified": ("qualifying", "qualifying_not_classified"),
    "dq qualifying": ("qualifying", "qualifying_disqualified"),
    "both driver q3": ("qualifying", "both_drivers_q3"),
    "one driver q3": ("qualifying", "one_driver_q3"),
    "both driver q2": ("qualifying", "both_drivers_q2"),
    "one driver q2": ("qualifying", "one_driver_q2"),
    "no driver q2": ("qualifying", "no_driver_q2"),
    "sprint position": ("sprint", "sprint_position"),
    "sprint position gained": ("sprint", "sprint_positions_gained"),
    "sprint position lost": ("sprint", "sprint_positions_lost"),
    "sprint overtake bonus": ("sprint", "sprint_overtakes"),
    "sprint fastest lap": ("sprint", "sprint_fastest_lap"),
    "sprint not classified": ("sprint", "sprint_not_classified"),
    "dq sprint": ("sprint", "sprint_disqualified"),
    "race position": ("race", "race_position"),
    "race position gained": ("race", "race_positions_gained"),
    "race position lost": ("race", "race_positions_lost"),
    "race overtake bonus": ("race", "race_overtakes"),
    "race fastest lap": ("race", "race_fastest_lap"),
    "driver of the day": ("race", "driver_of_the_day"),
    "race not classified": ("race", "race_not_classified"),
    "dq race": ("race", "race_disqualified"),
    "fastest pitstop": ("race", "pit_stop_fastest_time"),
    "2nd fastest pitstop": ("race", "pit_stop_second_fastest"),
    "3rd fastest pitstop": ("race", "pit_stop_third_fastest"),
    "overall fastest pitstop": ("race", "pit_stop_overall_fastest"),
}
_OF_QUALIFYING = re.compile(r"\b(qualifying|quali|qf|q[123])\b")
_BAND, _EXTRA = ("race", "pit_stop_fastest_time"), ("race", "pit_stop_overall_fastest")


@dataclass(frozen=True)
class Event:
    """A scoring event of one asset at one gameday.

    Attributes
    ----------
    name : str
        The feed's own words.
    points : int
    position : int or None
        Place, where the event is a place in a session.
    """

    name: str
    points: int
    position: int | None


@dataclass(frozen=True)
class ScoredEvent:
    """An event and the item it is."""

    event: Event
    event_type: str
    scoring_item: str


def plain_name(name: str) -> str:
    """Write an event's name in the one way of several that it occurs in."""
    words = name.casefold().replace("pit stop", "pitstop").split()
    return " ".join(
        {"positions": "position", "drivers": "driver", "overtakes": "overtake"}.get(word, word) for word in words
    )


def name_items(events: Iterable[Event], rules: SeasonRules) -> list[ScoredEvent]:
    """Find the scoring item of each event of one asset at one gameday.

    Parameters
    ----------
    events : iterable of Event
        Without the total.
    rules : SeasonRules
        Of the season: its pit stops decide what "2nd Fastest Pitstop" is.

    Returns
    -------
    list of ScoredEvent
        Each item once: events with one label are one item with the sum of their points, except that the second of two
        "Fastest Pitstop" is the extra for the fastest stop where its points say so. A name never seen before is
        ``UNKNOWN_ITEM`` of the session that its words mention, or of the race; each of those stays by itself.
    """
    named = [_name(event, rules) for event in events]
    if isinstance(rules.pit_stops, TimeBandRules):
        named = _part_pit_stops(named, rules.pit_stops)
    made: list[ScoredEvent] = []
    at: dict[tuple[str, str], int] = {}
    for one in named:
        key = (one.event_type, one.scoring_item)
        if one.scoring_item == UNKNOWN_ITEM or key not in at:
            at[key] = len(made)
            made.append(one)
        else:
            first = made[at[key]]
            total = Event(first.event.name, first.event.points + one.event.points, None)
            made[at[key]] = ScoredEvent(total, *key)
    return made


def _name(event: Event, rules: SeasonRules) -> ScoredEvent:
    name = plain_name(event.name)
    if name == "2nd fastest pitstop" and not isinstance(rules.pit_stops, FastestStopsRules):
        return ScoredEvent(event, *_EXTRA)
    if name in _ITEMS:
        return ScoredEvent(event, *_ITEMS[name])
    if "sprint" in name:
        return ScoredEvent(event, "sprint", UNKNOWN_ITEM)
    return ScoredEvent(event, "qualifying" if _OF_QUALIFYING.search(name) else "race", UNKNOWN_ITEM)


def _part_pit_stops(named: list[ScoredEvent], rules: TimeBandRules) -> list[ScoredEvent]:
    """Tell the time band from the extra where both carry the band's label."""
    keys = [(one.event_type, one.scoring_item) for one in named]
    if keys.count(_BAND) != 2 or _EXTRA in keys:
        return named
    for extra in (rules.overall_fastest, rules.overall_fastest + rules.world_record):
        for index, one in enumerate(named):
            if keys[index] == _BAND and one.event.points == extra:
                return [*named[:index], ScoredEvent(one.event, *_EXTRA), *named[index + 1 :]]
    return named
