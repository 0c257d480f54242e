"""Whole race weekends by the hundred thousand: drawn from what is believed, scored by the rules of the game.

Belongs here: what depends on what in a weekend, from qualifying by the grid to the vote. The beliefs are
:mod:`f1_pipeline.forecast.outlook`, one race is :mod:`f1_pipeline.forecast.simulation_race`, the random draws are
:mod:`f1_pipeline.forecast.simulation_draws`, what a weekend is worth is :mod:`f1_pipeline.game.weekend_scoring`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.outlook import Ints, WeekendOutlook
from f1_pipeline.forecast.simulation_checks import check_outlook
from f1_pipeline.forecast.simulation_draws import (
    Generator,
    Places,
    Single,
    correlated,
    normals,
    one_each,
    places,
    rare,
    square_root,
    streams,
    uniforms,
)
from f1_pipeline.forecast.simulation_race import BEHIND, RACE_STREAMS, Arrays, RaceDraw, known_places
from f1_pipeline.forecast.threads import one_thread
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.scoring_arrays import Mask, PitStopArrays, Points, QualifyingArrays, RaceArrays, Weekends
from f1_pipeline.game.weekend_scoring import WeekendScores, score_weekends

# Rain and safety cars upset a whole race at once: the noise of all cars is scaled by exp(0.25 z), z standard normal and
# shared by the weekend. Tails are fatter (kurtosis 3.9 in place of 3), the variance is 13 % above noise_sd squared. Set
# by hand, not fitted.
_NOISE_LOG_SD = 0.25
# A car that a penalty moves back to another's place lines up behind it.
_AFTER_EQUAL = 0.25
_MOST_PLACES_FOR_VOTE = 10
# Shared log-odds beyond this are certainty in float32, and their exponential is no longer a number.
_LARGEST_SHIFT = 30
_SHORTEST_STOP_MS, _LONGEST_STOP_MS = 1, 1_000_000
# Weekends at a time, as many as the engine takes; a tenth slower with 1024, for the calls of numpy.
_CHUNK = 8192
_WEEKEND_STREAMS = ("strength", "shared", "qualifying", "no_time", "grid", "disqualified", "vote", "pit_stop")
_STREAMS = (*_WEEKEND_STREAMS, *(f"{name}.{each}" for name in ("sprint", "race") for each in RACE_STREAMS))

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class SimulatedWeekends:
    """Points of n simulated weekends of m cars, and what happened in them.

    Attributes
    ----------
    weekends : Weekends
        All results.
    scores : WeekendScores
        What they are worth.
    """

    weekends: Weekends
    scores: WeekendScores

    @property
    def driver_points(self) -> Points:
        """Return points of drivers: shape (n, m)."""
        return self.scores.driver_points

    @property
    def constructor_points(self) -> Points:
        """Return points of constructors: shape (n, constructors)."""
        return self.scores.constructor_points

    @property
    def qualifying_position(self) -> Ints:
        """Return places in qualifying, 0 for none: shape (n, m)."""
        return self.weekends.qualifying.position

    @property
    def race_position(self) -> Ints:
        """Return places in the Grand Prix, 0 for none: shape (n, m)."""
        return self.weekends.race.position

    @property
    def is_retired(self) -> Mask:
        """Say who is not classified in the Grand Prix: shape (n, m)."""
        return self.weekends.race.position == 0


def simulate_points(
    outlook: WeekendOutlook,
    rules: SeasonRules,
    count: int,
    seed: Sequence[int] | int,
    *,
    lasting: Single | None = None,
    no_negative: bool = False,
    with_items: bool = False,
) -> SimulatedWeekends:
    """Simulate a weekend many times and score it.

    Parameters
    ----------
    outlook : WeekendOutlook
        What is believed of it.
    rules : SeasonRules
        The rules of any season.
    count : int
        n, how many times.
    seed : int or sequence of int
        The same seed gives the same weekends, the first of them whatever the count.
    lasting : ndarray of float32, shape (2 m, n), optional
        Strengths that were drawn before and that the outlook's own come on top of, so that several weekends share them.
    no_negative, with_items : bool
        As for :func:`f1_pipeline.game.weekend_scoring.score_weekends`.

    Returns
    -------
    SimulatedWeekends

    Raises
    ------
    DataError
        The outlook's arrays do not fit each other or hold what cannot be, or the count is negative.
    """
    weekends = draw_weekends(outlook, count, seed, lasting)
    return SimulatedWeekends(weekends, score_weekends(weekends, rules, no_negative=no_negative, with_items=with_items))


def draw_weekends(
    outlook: WeekendOutlook, count: int, seed: Sequence[int] | int, lasting: Single | None = None
) -> Weekends:
    """Draw what a weekend may end with.

    Parameters
    ----------
    outlook, count, seed, lasting
        As for :func:`simulate_points`.

    Returns
    -------
    Weekends
        Arrays of shape (n, m), cars one after the other in memory; (n, constructors) for pit stops, the best of each.

    Raises
    ------
    DataError
        As for :func:`simulate_points`.
    """
    if count < 0:
        raise DataError(f"Simulation: expected a count of weekends from 0, found {count}.")
    check_outlook(outlook)
    shared = np.zeros((2 * outlook.car_count, count), dtype=np.float32) if lasting is None else lasting
    if shared.shape != (2 * outlook.car_count, count):
        raise DataError(
            f"Simulation: expected lasting strengths of shape {(2 * outlook.car_count, count)}, found {shared.shape}."
        )
    chunks = [shared[:, first : first + _CHUNK] for first in range(0, count, _CHUNK)] or [shared]
    with one_thread():
        weekend = _Weekend(outlook, streams(seed, _STREAMS))
        parts = [weekend.draw(chunk) for chunk in chunks]
    joined = {name: np.concatenate([part[name] for part in parts], axis=1).T for name in parts[0]}
    team = outlook.team.astype(np.int8)
    with_cars = np.unique(team)
    return Weekends(
        outlook.constructor_count,
        QualifyingArrays(team, joined["qualifying.position"]),
        RaceArrays(team, **_of("race", joined)),
        None if outlook.sprint is None else RaceArrays(team, **_of("sprint", joined)),
        PitStopArrays(with_cars, joined["pit_stop.ms"][:, with_cars]),
    )


def draw_strengths(
    mean: npt.NDArray[np.floating], covariance: npt.NDArray[np.floating], count: int, seed: Sequence[int] | int
) -> Single:
    """Draw strengths alone, from the random numbers from which :func:`draw_weekends` draws them.

    Parameters
    ----------
    mean : ndarray of shape (2 m,)
    covariance : ndarray of shape (2 m, 2 m)
    count, seed
        As for :func:`simulate_points`.

    Returns
    -------
    ndarray of float32, shape (2 m, n)

    Raises
    ------
    DataError
        The covariance is none.
    """
    with one_thread():
        generator = streams(seed, _STREAMS)["strength"]
        return correlated(generator, square_root(covariance), mean.astype(np.float64), count)


def _of(name: str, items: dict[str, _Item]) -> dict[str, _Item]:
    """Select what is of a session, by its own names."""
    return {key.removeprefix(f"{name}."): item for key, item in items.items() if key.startswith(f"{name}.")}


class _Weekend:
    """An outlook made ready to be drawn from, some weekends after the other."""

    def __init__(self, outlook: WeekendOutlook, generators: dict[str, Generator]) -> None:
        self.outlook, self.generators, self.cars = outlook, generators, outlook.car_count
        self.root = square_root(outlook.strength_covariance)
        self.mean = outlook.strength_mean.astype(np.float64)
        self.race = RaceDraw(outlook, outlook.race, _of("race", generators))
        self.sprint = None if outlook.sprint is None else RaceDraw(outlook, outlook.sprint, _of("sprint", generators))
        by_place = np.broadcast_to(outlook.vote_by_place, (self.cars + 1, self.cars + 1))
        change = np.arange(self.cars + 1)[:, None] - np.arange(self.cars + 1)
        gained = np.where(np.arange(self.cars + 1) > 0, change.clip(0, _MOST_PLACES_FOR_VOTE), 0)
        self.vote = (by_place * np.exp(outlook.vote_per_place_gained * gained)).astype(np.float32).ravel()

    def draw(self, lasting: Single) -> Arrays:
        """Draw the next weekends on top of strengths that last: arrays of shape (m, count) by session and name."""
        outlook, cars, generators, count = self.outlook, self.cars, self.generators, lasting.shape[1]
        strength = correlated(generators["strength"], self.root, self.mean, count) + lasting
        one_lap, of_race = strength[:cars], strength[cars:]
        noise, attrition = normals(generators["shared"], 2, count)
        chaos = np.exp(np.float32(_NOISE_LOG_SD) * noise)
        shift = (np.float32(outlook.attrition_sd) * attrition).clip(-_LARGEST_SHIFT, _LARGEST_SHIFT)
        position, order = self._qualifying(one_lap, count)
        found = {"qualifying.position": position}
        if self.sprint is not None:
            start = self.sprint.start(count)
            if start is None:
                start = places(self._lap(generators["sprint.start"], one_lap))
            found |= _named("sprint", self.sprint.draw(start, of_race, chaos, shift))
        start = self.race.start(count)
        if start is None:
            start = self._grid(order)
        race = self.race.draw(start, of_race, chaos, shift)
        race["is_driver_of_the_day"] = self._vote(start, race["position"])
        race["is_disqualified"] = self._disqualified(count)
        return found | _named("race", race) | {"pit_stop.ms": self._pit_stops(count)}

    def _lap(self, generator: Generator, one_lap: Single) -> Single:
        score = normals(generator, *one_lap.shape)
        score *= np.float32(self.outlook.qualifying_sd)
        score += one_lap
        return score

    def _qualifying(self, one_lap: Single, count: int) -> tuple[Ints, Places]:
        """Draw places in qualifying, 0 for none, and the order on the grid before penalties."""
        score = self._lap(self.generators["qualifying"], one_lap)
        known = known_places(self.outlook.qualifying_position, count)
        if known is not None:
            return known, places(np.where(known > 0, -known.astype(np.float32), score - BEHIND))
        cells, _ = rare(self.generators["no_time"], self.outlook.no_time_rate, self.cars, count)
        score[cells] -= BEHIND
        order = places(score)
        position = order.copy()
        position[cells] = 0
        return position, order

    def _grid(self, order: Places) -> Places:
        """Move cars back by their penalties."""
        drops = self.outlook.grid_drops
        up_to = np.cumsum(drops[:, 0])
        cells, uniform = rare(self.generators["grid"], float(drops[:, 0].sum()), *order.shape)
        place = -order.astype(np.float32)
        place[cells] -= drops[np.searchsorted(up_to, uniform, side="right").clip(max=len(drops) - 1), 1] + _AFTER_EQUAL
        return places(place)

    def _vote(self, start: Places, position: Places) -> Mask:
        weight = np.take(self.vote, self.race.cell(start, position), mode="clip")
        weight *= self.outlook.vote_weight.astype(np.float32)[:, None]
        return one_each(weight, uniforms(self.generators["vote"], 1, start.shape[1])[0])

    def _disqualified(self, count: int) -> Mask:
        is_disqualified = np.zeros((self.cars, count), dtype=np.bool_)
        cells, _ = rare(self.generators["disqualified"], self.outlook.disqualified_rate, self.cars, count)
        is_disqualified[cells] = True
        return is_disqualified

    def _pit_stops(self, count: int) -> Ints:
        crews = self.outlook.pit_log_ms.astype(np.float32)[:, None]
        drawn = normals(self.generators["pit_stop"], len(crews), count)
        log_ms = (crews + np.float32(self.outlook.pit_log_sd) * drawn).clip(
            np.log(_SHORTEST_STOP_MS), np.log(_LONGEST_STOP_MS)
        )
        return np.rint(np.exp(log_ms)).astype(np.int32)


def _named(session: str, arrays: Arrays) -> Arrays:
    return {f"{session}.{name}": array for name, array in arrays.items()}
