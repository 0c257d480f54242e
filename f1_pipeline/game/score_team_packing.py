"""Pack items of drivers into the arrays that constructors are scored from, and unpack items of constructors to frames.

Belongs here: which race is which row and which car which column; nothing here is a rule of the game. Results of drivers
are :mod:`f1_pipeline.game.score_packing`, who calls this is :mod:`f1_pipeline.game.scoring`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.score_axes import (
    DISQUALIFIED,
    RaceRows,
    codes_of,
    has_text,
    names_of,
    numbered,
    turns_of,
    whole,
)
from f1_pipeline.game.score_items import Entries, Objects, ScoreItems
from f1_pipeline.game.scoring_arrays import Ints, Item, Mask, PitStopArrays, QualifyingArrays
from f1_pipeline.game.streak_scoring import STREAK_SESSIONS

_COUNTED = ("_overtakes", "_gained", "_lost")


@dataclass(frozen=True)
class PackedScores:
    """Items of drivers as arrays of cars, with what else constructors score by.

    Parameters
    ----------
    items
        Shape (n, m), one column per driver and team.
    team
        Shape (m,), constructor of each column.
    places
        Places in qualifying and race, shape (n, m), 0 for none.
    qualifying
        n weekends with columns of its own.
    is_present
        Shape (n, constructors), which constructors took part; none where qualifying was not held.
    """

    items: list[Item]
    team: Ints
    places: dict[str, Ints]
    qualifying: QualifyingArrays
    is_present: Mask
    rows: RaceRows
    constructor_ids: Objects


def pack_scores(scores: pd.DataFrame, qualifying: pd.DataFrame, calendar: Sequence[str] | None) -> PackedScores:
    """Pack items of drivers, one column per driver and team.

    Parameters
    ----------
    scores : pandas.DataFrame
        ``SCORE_COLUMNS`` of drivers.
    qualifying : pandas.DataFrame
        race_key, constructor_id, position, position_text, one row per car.
    calendar : sequence of str, optional
        Race keys in order of date.

    Returns
    -------
    PackedScores

    Raises
    ------
    UsageError
        The calendar lacks a race.
    """
    rows = RaceRows.of((scores, qualifying), calendar)
    constructors = names_of(scores["constructor_id"], qualifying["constructor_id"])
    car, cars = numbered(zip(scores["asset_id"], scores["constructor_id"], strict=True))
    kinds, names = numbered(zip(scores["event_type"], scores["scoring_item"], strict=True))
    at, shape = rows.at(scores["race_key"]), (len(rows.race_keys), len(cars))
    frequency, points = (scores[name].to_numpy(dtype=np.int16) for name in ("frequency", "points"))
    position = whole(scores["position"])
    items: list[Item] = []
    places: dict[str, Ints] = {session: np.zeros(shape, dtype=np.int16) for session in STREAK_SESSIONS}
    for kind, (event, name) in enumerate(names):
        own = kinds == kind
        happened, scored = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.int16)
        np.add.at(happened, (at[own], car[own]), frequency[own])
        np.add.at(scored, (at[own], car[own]), points[own])
        items.append(Item(event, name, happened, scored))
        if event in places and name == f"{event}_position":
            places[event][at[own], car[own]] = position[own]
    is_present = np.zeros((shape[0], len(constructors)), dtype=np.bool_)
    for frame in (scores, qualifying):
        is_present[rows.at(frame["race_key"]), codes_of(constructors, frame["constructor_id"])] = True
    is_present[~np.isin(rows.race_keys, qualifying["race_key"].unique())] = False
    team = codes_of(constructors, [constructor_id for _, constructor_id in cars])
    return PackedScores(
        items, team, places, _cars_in_qualifying(qualifying, rows, constructors), is_present, rows, constructors
    )


def _cars_in_qualifying(qualifying: pd.DataFrame, rows: RaceRows, constructors: Objects) -> QualifyingArrays:
    """Pack one column per car of a constructor, whoever drives it."""
    turn = turns_of(zip(qualifying["race_key"], qualifying["constructor_id"], strict=True))
    car_count = int(turn.max(initial=-1)) + 1
    team = codes_of(constructors, qualifying["constructor_id"])
    at = (rows.at(qualifying["race_key"]), team * car_count + turn)
    place = np.zeros((len(rows.race_keys), len(constructors) * car_count), dtype=np.int16)
    is_disqualified = np.zeros(place.shape, dtype=np.bool_)
    place[at] = whole(qualifying["position"])
    is_disqualified[at] = has_text(qualifying, DISQUALIFIED)
    return QualifyingArrays(np.repeat(np.arange(len(constructors)), car_count), place, is_disqualified)


def constructor_frame(
    rows: RaceRows, constructor_ids: Objects, items: Iterable[Item], given: pd.DataFrame
) -> pd.DataFrame:
    """Unpack items of constructors into ``SCORE_COLUMNS``.

    Parameters
    ----------
    rows : RaceRows
    constructor_ids : numpy.ndarray of object, shape (constructors,)
    items : iterable of Item
        Shape (n, constructors).
    given : pandas.DataFrame
        race_key, constructor_id, scoring_item, points of the race to add.

    Returns
    -------
    pandas.DataFrame
    """
    collected = ScoreItems()
    for event, name, count, points in items:
        races, teams = np.nonzero(count)
        own = constructor_ids[teams]
        often = count[races, teams] if name.endswith(_COUNTED) else 1
        entries = Entries(rows.race_keys[races], own, own)
        collected.add(entries, event, name, points[races, teams], frequency=often)
    entries = Entries.of(given, "constructor_id")
    collected.add(entries, "race", given["scoring_item"].tolist(), given["points"].to_numpy())
    return collected.frame()


def pack_pit_stops(stops: pd.DataFrame) -> tuple[PitStopArrays, Objects, Objects]:
    """Pack stationary times, with the races and the constructors that they belong to.

    Parameters
    ----------
    stops : pandas.DataFrame
        race_key, constructor_id, stationary_ms.

    Returns
    -------
    tuple of PitStopArrays, race keys and constructor ids

    Raises
    ------
    DataError
        A stop took no time.
    """
    instant = stops[stops["stationary_ms"] <= 0]
    if len(instant):
        race_key, constructor_id, time = instant[["race_key", "constructor_id", "stationary_ms"]].iloc[0]
        raise DataError(f"{race_key}: stationary time of {constructor_id}: expected 1 ms or more, found {time}.")
    races, constructors = names_of(stops["race_key"]), names_of(stops["constructor_id"])
    turn = turns_of(stops["race_key"])
    at = (codes_of(races, stops["race_key"]), turn)
    times = np.zeros((len(races), int(turn.max(initial=-1)) + 1), dtype=np.int32)
    team = np.zeros(times.shape, dtype=np.int16)
    times[at], team[at] = stops["stationary_ms"], codes_of(constructors, stops["constructor_id"])
    return PitStopArrays(team, times), races, constructors
