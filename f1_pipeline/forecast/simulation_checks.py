"""Refuse an outlook whose arrays do not fit each other or hold what cannot be.

Belongs here: shapes and ranges, looked at once before thousands of weekends are drawn. What the arrays mean is
:mod:`f1_pipeline.forecast.outlook`; that a covariance is one is seen when its root is taken,
:mod:`f1_pipeline.forecast.simulation_draws`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.outlook import RaceOutlook, WeekendOutlook
from f1_pipeline.game.scoring_arrays import MOST

_ANY = float("inf")
# Products and sums of such weights are still numbers in float32.
_LARGEST = 1e12


class _Wanted(NamedTuple):
    name: str
    found: npt.ArrayLike
    shape: tuple[int, ...]
    lowest: float = -_ANY
    highest: float = _ANY


def check_outlook(outlook: WeekendOutlook) -> None:
    """Refuse an outlook that no weekend can be drawn from.

    Parameters
    ----------
    outlook : WeekendOutlook

    Raises
    ------
    DataError
        A shape or range is wrong or a number is missing; the message names the field.
    """
    cars = outlook.car_count
    if not 1 <= cars <= MOST:
        raise DataError(f"Outlook: expected 1 to {MOST} cars, found {cars}.")
    for each in _wanted(outlook, cars):
        array = np.asarray(each.found)
        if array.shape != each.shape:
            raise DataError(f"Outlook: expected {each.name} of shape {each.shape}, found {array.shape}.")
        # a comparison with nan is false
        if not np.all((array >= each.lowest) & (array <= each.highest)):
            raise DataError(
                f"Outlook: expected {each.name} from {each.lowest:g} to {each.highest:g}, "
                f"found {array.min():g} to {array.max():g}."
            )
    if outlook.grid_drops[:, 0].sum() > 1 + 1e-9:
        raise DataError("Outlook: expected probabilities of grid_drops that sum up to 1 at most, found more.")


def _wanted(outlook: WeekendOutlook, cars: int) -> Iterator[_Wanted]:
    yield _Wanted("constructor_count", outlook.constructor_count, (), 1, MOST)
    yield _Wanted("team", outlook.team, (cars,), 0, outlook.constructor_count - 1)
    yield _Wanted("strength_mean", outlook.strength_mean, (2 * cars,), -1000, 1000)
    yield _Wanted("strength_covariance", outlook.strength_covariance, (2 * cars, 2 * cars), -1000, 1000)
    yield _Wanted("qualifying_sd", outlook.qualifying_sd, (), 0, 1000)
    yield _Wanted("no_time_rate", outlook.no_time_rate, (), 0, 1)
    if outlook.qualifying_position is not None:
        yield _Wanted("qualifying_position", outlook.qualifying_position, (cars,), 0, cars)
    yield _Wanted("grid_drops", outlook.grid_drops, (len(outlook.grid_drops), 2), 0, MOST)
    yield _Wanted("attrition_sd", outlook.attrition_sd, (), 0, MOST)
    yield _Wanted("disqualified_rate", outlook.disqualified_rate, (), 0, 1)
    yield _Wanted("overtakes_factor", outlook.overtakes_factor, (cars,), 0, MOST)
    yield _Wanted("fastest_lap_weight", outlook.fastest_lap_weight, (cars + 1,), 0, _LARGEST)
    yield _Wanted("vote_weight", outlook.vote_weight, (cars,), 0, _LARGEST)
    yield _Wanted("vote_by_place", outlook.vote_by_place, (cars + 1,), 0, _LARGEST)
    yield _Wanted("vote_per_place_gained", outlook.vote_per_place_gained, (), -1, 1)
    yield _Wanted("pit_log_ms", outlook.pit_log_ms, (outlook.constructor_count,), 0, MOST)
    yield _Wanted("pit_log_sd", outlook.pit_log_sd, (), 0, MOST)
    yield from _wanted_of_race("race", outlook.race, cars)
    if outlook.sprint is not None:
        yield from _wanted_of_race("sprint", outlook.sprint, cars)


def _wanted_of_race(name: str, race: RaceOutlook, cars: int) -> Iterator[_Wanted]:
    yield _Wanted(f"{name}.noise_sd", race.noise_sd, (), 0, 1000)
    yield _Wanted(f"{name}.grid_weight", race.grid_weight, (), 0, 1)
    yield _Wanted(f"{name}.retirement_logit", race.retirement_logit, (cars,))
    yield _Wanted(f"{name}.overtakes", race.overtakes, (cars + 1, cars + 1), 0, _LARGEST)
    yield _Wanted(f"{name}.overtakes_sd", race.overtakes_sd, (), 0, 3)
    if race.start is not None:
        yield _Wanted(f"{name}.start", race.start, (cars,), 1, cars)
    if race.position is not None:
        yield _Wanted(f"{name}.position", race.position, (cars,), 0, cars)
