"""Pack frames of results into the arrays of the engine, and unpack its items of drivers into frames.

Belongs here: which race is which row and which driver which column; nothing here is a rule of the game. The arrays are
:mod:`f1_pipeline.game.scoring_arrays`, who calls this is :mod:`f1_pipeline.game.scoring`; constructors are
:mod:`f1_pipeline.game.score_team_packing`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.game.score_axes import (
    DID_NOT_START,
    DISQUALIFIED,
    RaceRows,
    codes_of,
    flags,
    has_text,
    names_of,
    whole,
)
from f1_pipeline.game.score_items import Entries, Objects, ScoreItems
from f1_pipeline.game.scoring_arrays import NO_TEAM, Ints, Item, Mask, QualifyingArrays, RaceArrays, Weekends
from f1_pipeline.game.scoring_checks import check_weekends

_ALL = slice(None)


@dataclass(frozen=True)
class PackedResults:
    """Results as arrays, with the names of rows, columns and constructors."""

    weekends: Weekends
    rows: RaceRows
    driver_ids: Objects
    constructor_ids: Objects

    def frame(self, items: Iterable[Item]) -> pd.DataFrame:
        """Unpack items of drivers into ``SCORE_COLUMNS``."""
        collected, teams = ScoreItems(), self.weekends.teams
        sessions = dict(self.weekends.sessions)
        for event, name, count, points in items:
            races, drivers = np.nonzero(count)
            team = np.broadcast_to(teams[event], count.shape)[races, drivers]
            entries = Entries(self.rows.race_keys[races], self.driver_ids[drivers], self.constructor_ids[team])
            place = sessions[event].position[races, drivers] if name == f"{event}_position" else np.nan
            collected.add(entries, event, name, points[races, drivers], place, count[races, drivers])
        return collected.frame()


def pack_results(
    qualifying: pd.DataFrame, races: pd.DataFrame, starts: dict[str, pd.DataFrame], calendar: Sequence[str] | None
) -> PackedResults:
    """Pack results, one column per driver of any of the races.

    Parameters
    ----------
    qualifying, races : pandas.DataFrame
        As in :class:`f1_pipeline.game.scoring.SessionResults`; ``races`` with the columns overtake_count and
        has_fastest_lap of what is known about each row.
    starts : dict of str to pandas.DataFrame
        race_key, driver_id, start_place of sprint and race.
    calendar : sequence of str, optional
        Race keys in order of date.

    Returns
    -------
    PackedResults

    Raises
    ------
    DataError
        A place or a number of overtakes is none that can be.
    UsageError
        The calendar lacks a race.
    """
    rows = RaceRows.of((qualifying, races), calendar)
    drivers = names_of(qualifying["driver_id"], races["driver_id"])
    constructors = names_of(qualifying["constructor_id"], races["constructor_id"])
    in_qualifying, in_races = (_Cells.of(rows, drivers, frame) for frame in (qualifying, races))
    weekends = Weekends(
        len(constructors),
        QualifyingArrays(
            in_qualifying.spread(codes_of(constructors, qualifying["constructor_id"]), NO_TEAM),
            in_qualifying.spread(whole(qualifying["position"])),
            in_qualifying.spread(has_text(qualifying, DISQUALIFIED)),
        ),
        race=_race_arrays(in_races, races, "race", constructors, _start_places(rows, drivers, starts["race"])),
        sprint=_race_arrays(in_races, races, "sprint", constructors, _start_places(rows, drivers, starts["sprint"])),
    )
    if len(drivers):
        check_weekends(weekends)
    return PackedResults(weekends, rows, drivers, constructors)


@dataclass(frozen=True)
class _Cells:
    """Where the rows of a frame stand in arrays of races by drivers."""

    shape: tuple[int, int]
    at: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

    @classmethod
    def of(cls, rows: RaceRows, drivers: Objects, frame: pd.DataFrame) -> "_Cells":
        shape = (len(rows.race_keys), len(drivers))
        return cls(shape, (rows.at(frame["race_key"]), codes_of(drivers, frame["driver_id"])))

    def spread(self, values: npt.NDArray, empty: int = 0, chosen: Mask | slice = _ALL) -> npt.NDArray:
        """Put the values of chosen rows in their cells, what is no flag as int16."""
        dtype = np.bool_ if values.dtype == np.bool_ else np.int16
        array = np.full(self.shape, empty, dtype=dtype)
        array[self.at[0][chosen], self.at[1][chosen]] = values[chosen]
        return array


def _start_places(rows: RaceRows, drivers: Objects, starts: pd.DataFrame) -> Ints:
    cells = _Cells.of(rows, drivers, starts)
    is_known = (cells.at[0] >= 0) & (cells.at[1] >= 0)
    return cells.spread(whole(starts["start_place"]), 0, is_known)


def _race_arrays(
    cells: _Cells, races: pd.DataFrame, session: str, constructors: Objects, start_place: Ints
) -> RaceArrays:
    own = (races["session"] == session).to_numpy(dtype=bool)
    team = cells.spread(codes_of(constructors, races["constructor_id"]), NO_TEAM, own)
    return RaceArrays(
        team,
        cells.spread(whole(races["position"]), 0, own),
        # some stand on the grid document and in no result
        start_place * (team != NO_TEAM),
        cells.spread(has_text(races, DISQUALIFIED), 0, own),
        cells.spread(has_text(races, DID_NOT_START), 0, own),
        cells.spread(whole(races["overtake_count"]), 0, own),
        cells.spread(flags(races["has_fastest_lap"]), 0, own),
        cells.spread(flags(races["is_driver_of_the_day"]), 0, own),
    )
