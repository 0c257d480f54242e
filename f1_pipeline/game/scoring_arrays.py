"""What the scoring engine takes in and gives out: arrays of weekends by cars, and items of points.

Belongs here: the shapes and their meaning. Refusing arrays that do not fit is :mod:`f1_pipeline.game.scoring_checks`,
what they are worth :mod:`f1_pipeline.game.weekend_scoring`; facts are packed into them by
:mod:`f1_pipeline.game.score_packing`.

An axis of n weekends comes first. The second is m cars, one column per driver: a team's car that changes hands between
sessions is two columns, each without a team in the session that it missed, so a weekend can have more than two columns
of a team. Constructors are numbered from 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Points = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]

NO_TEAM = -1
# Places, counts of overtakes and numbers of constructors are held in int8, differences of places included.
MOST = 100


def nobody() -> Mask:
    """Return a mask that broadcasts to all weekends and cars and marks none."""
    return np.zeros((1, 1), dtype=np.bool_)


def nothing() -> Ints:
    """Return a count that broadcasts to all weekends and cars and is 0."""
    return np.zeros((1, 1), dtype=np.int8)


class Item(NamedTuple):
    """One scoring item of a session, of all weekends.

    Parameters
    ----------
    event_type
        qualifying, sprint or race.
    scoring_item
        Its name.
    count
        Shape (n, m) or (n, constructors), how often it happened; bool where it can happen once.
    points
        Same shape, int16, fantasy points.
    """

    event_type: str
    scoring_item: str
    count: Ints | Mask
    points: Points


@dataclass(frozen=True)
class QualifyingArrays:
    """Grand Prix qualifying of n weekends.

    Parameters
    ----------
    team : numpy.ndarray of int, shape (m,) or (n, m)
        Constructor of each car, -1 where it took no part.
    position : numpy.ndarray of int, shape (n, m)
        Place in the final classification, from 1; 0 where it has none.
    is_disqualified : numpy.ndarray of bool, shape (n, m), optional
    """

    team: Ints
    position: Ints
    is_disqualified: Mask = field(default_factory=nobody)


@dataclass(frozen=True)
class RaceArrays:
    """A sprint or the Grand Prix of n weekends; what is not given did not happen, or nobody knows.

    Parameters
    ----------
    team : numpy.ndarray of int, shape (m,) or (n, m)
        Constructor of each car, -1 where it took no part.
    position : numpy.ndarray of int, shape (n, m)
        Place in the final classification, from 1; 0 where it has none.
    start_place : numpy.ndarray of int, shape (n, m), optional
        Place on the starting grid after penalties, pit lane last; 0 where it has none.
    is_disqualified, did_not_start : numpy.ndarray of bool, shape (n, m), optional
    overtakes : numpy.ndarray of int, shape (n, m), optional
        Legal passes made.
    has_fastest_lap, is_driver_of_the_day : numpy.ndarray of bool, shape (n, m), optional
    """

    team: Ints
    position: Ints
    start_place: Ints = field(default_factory=nothing)
    is_disqualified: Mask = field(default_factory=nobody)
    did_not_start: Mask = field(default_factory=nobody)
    overtakes: Ints = field(default_factory=nothing)
    has_fastest_lap: Mask = field(default_factory=nobody)
    is_driver_of_the_day: Mask = field(default_factory=nobody)


@dataclass(frozen=True)
class PitStopArrays:
    """Stationary pit stops in the races of n weekends, k in each at most; those of disqualified cars do not count.

    Parameters
    ----------
    team : numpy.ndarray of int, shape (k,) or (n, k)
        Constructor that made the stop.
    stationary_ms : numpy.ndarray of int, shape (n, k)
        Milliseconds; 0 where there was no stop.
    """

    team: Ints
    stationary_ms: Ints


Session = QualifyingArrays | RaceArrays
AnySession = TypeVar("AnySession", QualifyingArrays, RaceArrays)


@dataclass(frozen=True)
class Weekends:
    """What n weekends ended with.

    Parameters
    ----------
    constructor_count : int
        Number of constructors.
    qualifying : QualifyingArrays
    race : RaceArrays
    sprint : RaceArrays, optional
        In a weekend without one no car has a team in it.
    pit_stops : PitStopArrays, optional
    pit_stop_points : numpy.ndarray of int, shape (n, constructors), optional
        Points for pit stops, where they are known instead of times.
    """

    constructor_count: int
    qualifying: QualifyingArrays
    race: RaceArrays
    sprint: RaceArrays | None = None
    pit_stops: PitStopArrays | None = None
    pit_stop_points: Ints = field(default_factory=nothing)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of weekends and of cars."""
        count, cars = self.race.position.shape
        return count, cars

    @property
    def sessions(self) -> Iterator[tuple[str, Session]]:
        """Return the sessions that score, by name."""
        yield "qualifying", self.qualifying
        if self.sprint is not None:
            yield "sprint", self.sprint
        yield "race", self.race

    @property
    def teams(self) -> dict[str, Ints]:
        """Return the constructor that each car scores for, by session; who missed qualifying has his team of later."""
        own, later = self.qualifying.team, self.race.team
        by_session = {"race": later}
        if self.sprint is not None:
            by_session["sprint"] = self.sprint.team
            later = np.where(self.sprint.team != NO_TEAM, self.sprint.team, later)
        return {"qualifying": np.where(own != NO_TEAM, own, later), **by_session}

    def part(self, rows: slice) -> "Weekends":
        """Copy some weekends, in the smallest types and cars one after the other in memory.

        Adding up the cars of a team then reads whole columns, twice as fast as rows of 22.
        """
        stops = self.pit_stops
        return Weekends(
            self.constructor_count,
            _part(self.qualifying, rows),
            _part(self.race, rows),
            None if self.sprint is None else _part(self.sprint, rows),
            None
            if stops is None
            else PitStopArrays(_rows(stops.team, rows, np.int8), _rows(stops.stationary_ms, rows, np.int32)),
            _rows(self.pit_stop_points, rows, np.int16),
        )


def _part(session: AnySession, rows: slice) -> AnySession:
    arrays = {each.name: getattr(session, each.name) for each in fields(session)}
    kinds = {name: np.bool_ if array.dtype == np.bool_ else np.int8 for name, array in arrays.items()}
    return replace(session, **{name: _rows(array, rows, kinds[name]) for name, array in arrays.items()})


def _rows(array: npt.NDArray, rows: slice, dtype: type[np.generic]) -> npt.NDArray:
    """Take rows, but of what is the same for all weekends all of it."""
    if array.ndim == 1 or array.shape == (1, 1):
        return array
    return array[rows].astype(dtype, order="F")


def worth(count: Ints | Mask, value: int) -> Points:
    """Return how often something happened times what it is worth."""
    return np.multiply(count, value, dtype=np.int16)


def team_cells(team: Ints, weekend_count: int) -> list[tuple[slice | Ints, Ints]]:
    """Return, car by car, the index of its constructor's cells in an array of weekends by constructors.

    Parameters
    ----------
    team : numpy.ndarray of int, shape (m,) or (n, m)
        Constructor of each car; -1, a car without one, is the last column.
    weekend_count : int
        n.
    """
    if team.ndim == 1:
        return [(slice(None), number) for number in team]
    rows = np.arange(weekend_count)
    return [(rows, team[:, car]) for car in range(team.shape[1])]


def entered(session: Session) -> Mask:
    """Say which cars took part: shape (m,) or (n, m)."""
    return session.team != NO_TEAM


def was_held(session: Session) -> Mask:
    """Say in which weekends any car took part: shape (1,) or (n, 1)."""
    return np.any(entered(session), axis=-1, keepdims=True)


def classified(session: Session) -> Mask:
    """Say which cars have a place that counts: shape (n, m)."""
    return (session.position > 0) & ~session.is_disqualified
