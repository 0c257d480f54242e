"""The scoring engine: what n weekends ended with in, points of drivers and constructors out.

One weekend or a hundred thousand simulated ones, under the rules of any season. Belongs here: putting the items of a
weekend together. The items are :mod:`f1_pipeline.game.car_scoring`, :mod:`f1_pipeline.game.constructor_scoring`,
:mod:`f1_pipeline.game.pit_stop_scoring` and :mod:`f1_pipeline.game.streak_scoring`; facts come in through
:mod:`f1_pipeline.game.scoring`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from f1_pipeline.errors import DataError
from f1_pipeline.game.car_scoring import car_items, first_unplaced
from f1_pipeline.game.constructor_scoring import qualifying_bonus, team_items, teams_present
from f1_pipeline.game.pit_stop_scoring import pit_stop_items
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.score_items import floored_points
from f1_pipeline.game.scoring_arrays import Ints, Item, Mask, Points, Weekends, classified, was_held
from f1_pipeline.game.scoring_checks import check_weekends
from f1_pipeline.game.streak_scoring import STREAK_SESSIONS, constructor_streaks, driver_streaks

# Measured with 22 cars: half as fast with 1000, for the calls of numpy, and with 100 000, out of cache.
_CHUNK = 8192

ItemPoints = dict[tuple[str, str], Points]
"""Points by (event_type, scoring_item), shape (n, m) or (n, constructors)."""


@dataclass(frozen=True)
class WeekendScores:
    """Points of n weekends.

    Parameters
    ----------
    driver_points : numpy.ndarray of int16, shape (n, m)
        Fantasy points of the weekend by car, 0 for one that took no part.
    constructor_points : numpy.ndarray of int16, shape (n, constructors)
    driver_no_negative, constructor_no_negative : numpy.ndarray of int16, optional
        The same under the chip No Negative, when asked for.
    driver_items, constructor_items : dict, optional
        Points by (event_type, scoring_item), shapes as above, when asked for; items that never happened are left out.
    """

    driver_points: Points
    constructor_points: Points
    driver_no_negative: Points | None = None
    constructor_no_negative: Points | None = None
    driver_items: ItemPoints | None = None
    constructor_items: ItemPoints | None = None


def score_weekends(
    weekends: Weekends,
    rules: SeasonRules,
    *,
    with_items: bool = False,
    no_negative: bool = False,
    is_season_start: Mask | None = None,
) -> WeekendScores:
    """Score n weekends, independent of each other unless they are said to be a season.

    Parameters
    ----------
    weekends : Weekends
        n weekends of m cars.
    rules : SeasonRules
        The rules of any season.
    with_items : bool
        Whether to keep the points of every item.
    no_negative : bool
        Whether to score under the chip No Negative as well.
    is_season_start : numpy.ndarray of bool, shape (n,), optional
        Given, the weekends are all of one or more seasons in order of date, columns being the same drivers
        throughout, and these open a season: only then streaks are scored, where the rules have any.

    Returns
    -------
    WeekendScores

    Raises
    ------
    DataError
        Arrays do not fit each other, or :func:`f1_pipeline.game.car_scoring.first_unplaced` finds a car.
    RuleError
        No Negative is asked for and the season has no such chip.

    References
    ----------
    ``data/rules``; every race since 2023 is scored as the official game did, but for ``data/known_exceptions.csv``, see
    ``f1_pipeline_tests/unit/test_weekend_scoring.py``.
    """
    check_weekends(weekends)
    if is_season_start is not None and is_season_start.shape != weekends.shape[:1]:
        raise DataError(
            f"Weekends: expected is_season_start of shape {weekends.shape[:1]}, found {is_season_start.shape}."
        )
    unplaced = first_unplaced(weekends, rules)
    if unplaced is not None:
        session, weekend, car = unplaced
        raise DataError(f"Weekend {weekend}, car {car}: classified in the {session} but has no place on its grid.")
    count, cars = weekends.shape
    floor = rules.chips.no_negative.floor if no_negative else ""
    of_drivers = _Ledger((count, cars), floor, with_items)
    of_constructors = _Ledger((count, weekends.constructor_count), floor, with_items)
    size = _CHUNK if is_season_start is None else max(count, 1)
    for first in range(0, count, size):
        rows = slice(first, min(first + size, count))
        part = weekends.part(rows)
        own = list(driver_items(part, rules, is_season_start))
        of_drivers.enter(rows, own)
        of_constructors.enter(rows, constructor_items(part, own, rules, is_season_start))
    return WeekendScores(
        of_drivers.points,
        of_constructors.points,
        of_drivers.floored,
        of_constructors.floored,
        of_drivers.items,
        of_constructors.items,
    )


def driver_items(weekends: Weekends, rules: SeasonRules, is_season_start: Mask | None = None) -> Iterator[Item]:
    """Score the drivers of some weekends.

    Parameters
    ----------
    weekends, rules, is_season_start
        As for :func:`score_weekends`.

    Yields
    ------
    Item
        Of shape (n, m), each item once.
    """
    yield from car_items(weekends, rules)
    if is_season_start is not None:
        yield from driver_streaks(_places(weekends), is_season_start, rules.streaks)


def constructor_items(
    weekends: Weekends, own: Iterable[Item], rules: SeasonRules, is_season_start: Mask | None = None
) -> Iterator[Item]:
    """Score the constructors of some weekends from the items of their cars.

    Parameters
    ----------
    weekends, rules, is_season_start
        As for :func:`score_weekends`.
    own : iterable of Item
        Items of the drivers, shape (n, m).

    Yields
    ------
    Item
        Of shape (n, constructors), each item once.
    """
    count = weekends.constructor_count
    teams = weekends.teams
    yield from team_items(own, teams, count, rules)
    is_present = teams_present((session for _, session in weekends.sessions), weekends.shape[0], count)
    yield from qualifying_bonus(weekends.qualifying, is_present & was_held(weekends.qualifying), rules)
    yield from pit_stop_items(weekends, rules.pit_stops)
    if is_season_start is not None:
        yield from constructor_streaks(_places(weekends), teams, count, is_season_start, rules.streaks)


def _places(weekends: Weekends) -> dict[str, Ints]:
    sessions = dict(weekends.sessions)
    return {name: sessions[name].position * classified(sessions[name]) for name in STREAK_SESSIONS}


class _Ledger:
    """Points of one type of asset under way, chunk by chunk."""

    def __init__(self, shape: tuple[int, int], floor: str, with_items: bool) -> None:
        self.points: Points = np.zeros(shape, dtype=np.int16)
        self.floor = floor
        self.floored: Points | None = np.zeros(shape, dtype=np.int16) if floor else None
        self.items: ItemPoints | None = {} if with_items else None

    def enter(self, rows: slice, items: Iterable[Item]) -> None:
        """Book the items of some weekends."""
        entries = list(items)
        if not entries:
            return
        total = np.zeros(entries[0].points.shape, dtype=np.int16, order="F")
        for item in entries:
            total += item.points
        self.points[rows] = total
        if self.floored is not None:
            self.floored[rows] = floored_points([item.points for item in entries], self.floor)
        if self.items is not None:
            for item in entries:
                key = (item.event_type, item.scoring_item)
                if key not in self.items:
                    self.items[key] = np.zeros_like(self.points)
                self.items[key][rows] = item.points
