"""Refuse arrays of weekends that do not fit each other or hold what cannot be.

Belongs here: shapes, types and ranges, each looked at once for all weekends. What the arrays mean is
:mod:`f1_pipeline.game.scoring_arrays`.
"""

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError
from f1_pipeline.game.scoring_arrays import MOST, NO_TEAM, Ints, Mask, PitStopArrays, Session, Weekends, entered

# int32, and the largest of it stands for no stop
_LONGEST_STOP_MS = 2**31 - 2


def check_weekends(weekends: Weekends) -> None:
    """Refuse arrays that do not fit each other or hold what cannot be.

    Parameters
    ----------
    weekends : Weekends
        Arrays of any integer or bool type.

    Raises
    ------
    DataError
        A shape, type or range is wrong, a car has a result in a session without a team, a stop has none, or pit stops
        are given both as times and as points; the message names the array.
    """
    shape = weekends.race.position.shape
    if len(shape) != 2:
        raise DataError(f"Weekends: expected race.position of shape (weekends, cars), found {shape}.")
    if not 1 <= weekends.constructor_count <= MOST:
        raise DataError(f"Weekends: expected 1 to {MOST} constructors, found {weekends.constructor_count}.")
    for name, session in weekends.sessions:
        _check_team(f"{name}.team", session.team, shape, weekends.constructor_count)
        for each in fields(session)[1:]:
            _check_array(f"{name}.{each.name}", getattr(session, each.name), shape, session)
    if weekends.pit_stops is not None:
        _check_stops(weekends.pit_stops, shape[0], weekends.constructor_count)
        if weekends.pit_stop_points.any():
            raise DataError("Weekends: expected pit_stops or pit_stop_points, found both, which would count twice.")
    _check_stop_points(weekends.pit_stop_points, (shape[0], weekends.constructor_count))


def _check_stops(stops: PitStopArrays, weekend_count: int, constructor_count: int) -> None:
    where, shape = "pit_stops.stationary_ms", stops.stationary_ms.shape
    if len(shape) != 2 or shape[0] != weekend_count:
        raise DataError(f"Weekends: expected {where} of shape ({weekend_count}, stops), found {shape}.")
    _check_range(where, stops.stationary_ms, 0, _LONGEST_STOP_MS)
    _check_team("pit_stops.team", stops.team, shape, constructor_count)
    _check_nothing_at(stops.team == NO_TEAM, stops.stationary_ms, f"{where} of stops with a team")


def _check_stop_points(points: Ints, shape: tuple[int, int]) -> None:
    if points.shape == (1, 1) and not points.any():
        return
    if points.shape != shape:
        raise DataError(f"Weekends: expected pit_stop_points of shape {shape}, found {points.shape}.")
    _check_range("pit_stop_points", points, 0, MOST)


def _check_team(name: str, team: Ints, shape: tuple[int, ...], count: int) -> None:
    if team.shape not in {shape, shape[1:]}:
        raise DataError(f"Weekends: expected {name} of shape {shape[1:]} or {shape}, found {team.shape}.")
    _check_range(name, team, NO_TEAM, count - 1)


def _check_array(name: str, array: npt.NDArray, shape: tuple[int, ...], session: Session) -> None:
    if array.shape == (1, 1) and not array.any():
        return
    if array.shape != shape:
        raise DataError(f"Weekends: expected {name} of shape {shape}, found {array.shape}.")
    is_flag = name.partition(".")[2].startswith(("is_", "did_", "has_"))
    if is_flag != (array.dtype == np.bool_):
        raise DataError(f"Weekends: expected {name} of type {'bool' if is_flag else 'integer'}, found {array.dtype}.")
    if not is_flag:
        _check_range(name, array, 0, MOST)
    _check_nothing_at(~entered(session), array, f"{name} of cars with a team in the session")


def _check_nothing_at(out: Mask, array: npt.NDArray, wanted: str) -> None:
    if out.any() and (array[:, out] if out.ndim == 1 else array[out]).any():
        raise DataError(f"Weekends: expected {wanted} alone, found it elsewhere.")


def _check_range(name: str, array: npt.NDArray, lowest: int, highest: int) -> None:
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"Weekends: expected {name} of type integer, found {array.dtype}.")
    if array.size and not lowest <= array.min() <= array.max() <= highest:
        raise DataError(f"Weekends: expected {name} from {lowest} to {highest}, found {array.min()} to {array.max()}.")
