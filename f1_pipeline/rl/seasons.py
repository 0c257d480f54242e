"""Seasons as arrays: what was known at each lock and what came of each race, for M seasons side by side.

Belongs here: the shape that the environment, its agents and its data are built on, and the features that are derived
from it. Neighbours: :mod:`f1_pipeline.steps.season_arrays` reads real seasons from the warehouse,
:mod:`f1_pipeline.rl.simulated` makes seasons that might have been.

An asset has a slot: drivers the first `DRIVER_SLOTS`, constructors the rest, the same number in every season, so that
an agent can change seasons. At the start slots are given in alphabetical order, later ones as assets come on sale;
until then a slot is empty, and says nothing of what is to come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.coming import ComingRaces

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

DRIVER_SLOTS, CONSTRUCTOR_SLOTS = 30, 12
"""Most drivers (25 seats were on sale in 2024) and constructors (11 since 2026) of a season, with some to spare."""
SLOTS = DRIVER_SLOTS + CONSTRUCTOR_SLOTS
IS_DRIVER: Mask = np.arange(SLOTS) < DRIVER_SLOTS
HISTORY = 10
"""Races before the season that form looks back to."""

FEATURES = (
    "is_on_sale",
    "price_musd",
    "expected_points",
    "expected_sd_points",
    "expected_price_change_musd",
    "last_3_mean_points",
    "last_5_mean_points",
    "last_10_stddev_points",
    "last_5_points_per_million",
    "trend_points_per_million",
    "constructor_last_5_mean_points",
    "circuit_mean_points",
)
"""What an agent sees of each asset, beside what it holds; 0 where there is none."""

CIRCUIT_TYPES = ("permanent", "street", "road")


@dataclass(frozen=True)
class SeasonFrame:
    """What is the same in all seasons of a set: the assets' names and the calendar.

    Parameters
    ----------
    rules : SeasonRules
    race_keys : tuple of str, T
    circuit_types : tuple of str, T
        One of `CIRCUIT_TYPES` each.
    has_sprint : numpy.ndarray of bool, shape (T,)
    inactive_points : numpy.ndarray of int, shape (T,)
        Penalty for each asset held that takes no part, 0 or less.
    assets : tuple of AssetKey or None, SLOTS
        Name of each slot, drivers by seat; None for an empty one.
    team_of : numpy.ndarray of int, shape (SLOTS,)
        Slot of the constructor that each asset belongs to, -1 of an empty slot.
    history : numpy.ndarray of float, shape (SLOTS, HISTORY)
        Points of the races before the season, latest last, NaN for none.
    history_prices : numpy.ndarray of float, shape (SLOTS, HISTORY)
        Prices there in million dollars, NaN for none.
    circuit_mean_points : numpy.ndarray of float, shape (T, SLOTS)
        Mean points at each circuit in earlier seasons, 0 for none.
    calendar_count : int
        Races of the whole season, at least T: of a season that is going on only those driven are played. Races that
        were called off in its course are not among them, as the facts do not say since when that was known.
    """

    rules: SeasonRules
    race_keys: tuple[str, ...]
    circuit_types: tuple[str, ...]
    has_sprint: Mask
    inactive_points: Ints
    assets: tuple[AssetKey | None, ...]
    team_of: Ints
    history: Floats
    history_prices: Floats
    circuit_mean_points: Floats
    calendar_count: int

    @property
    def race_count(self) -> int:
        """Return T."""
        return len(self.race_keys)


@dataclass(frozen=True)
class Seasons:
    """M seasons of T races; what is known at a lock, then what is not.

    Parameters
    ----------
    prices : numpy.ndarray of int32, shape (M, T, SLOTS)
        Tenths of a million dollars at the lock, the last one of an asset that left the sale, 0 before it came.
    is_active : numpy.ndarray of bool, shape (M, T, SLOTS)
        Who takes part.
    expected, expected_sd : numpy.ndarray of float32, shape (M, T, SLOTS)
        Points that were forecast at the lock, and how unsure they are.
    expected_change : numpy.ndarray of float32, shape (M, T, SLOTS)
        Change of price expected after the race, million dollars.
    form : numpy.ndarray of float32, shape (M, T, SLOTS, 6)
        The features from ``last_3_mean_points`` to ``constructor_last_5_mean_points``.
    points, no_negative_points : numpy.ndarray of float32, shape (M, T, SLOTS)
        What came: points of the weekend, and under No Negative.
    remaining_points : numpy.ndarray of float32, shape (M, T, SLOTS)
        Points of the sessions after qualifying.
    remaining_expected : numpy.ndarray of float32, shape (M, T, SLOTS)
        What was expected of them once qualifying was over; minus infinity for who had no forecast.
    """

    prices: Ints
    is_active: Mask
    expected: Floats
    expected_sd: Floats
    expected_change: Floats
    form: Floats
    points: Floats
    no_negative_points: Floats
    remaining_points: Floats
    remaining_expected: Floats

    def rows(self, chosen: Sequence[int] | Ints | slice) -> Seasons:
        """Select some of the seasons."""
        return Seasons(**{each.name: getattr(self, each.name)[chosen] for each in fields(self)})

    @property
    def count(self) -> int:
        """Return M."""
        return len(self.prices)

    @classmethod
    def joined(cls, parts: Sequence[Seasons]) -> Seasons:
        """Put seasons side by side."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


class SeasonSource(Protocol):
    """Where an environment gets its seasons from, by number."""

    @property
    def frame(self) -> SeasonFrame:
        """Return what all of them share."""
        ...

    @property
    def count(self) -> int | None:
        """Return how many there are; None for no end."""
        ...

    def take(self, numbers: Sequence[int]) -> Seasons:
        """Return some of them; the same number is always the same season."""
        ...

    def coming(self, number: int, race: int, /) -> ComingRaces:
        """Return how the races from one on look at its lock, for agents that plan."""
        ...


@dataclass(frozen=True)
class GivenSeasons:
    """A source of seasons that are at hand: a real one, or a sample that is used again and again.

    Parameters
    ----------
    frame : SeasonFrame
    seasons : Seasons
    coming : callable
        ``coming(number, race)``, as `SeasonSource.coming`.
    """

    frame: SeasonFrame
    seasons: Seasons
    coming: Callable[[int, int], ComingRaces]

    @property
    def count(self) -> int:
        """Return how many there are."""
        return self.seasons.count

    def take(self, numbers: Sequence[int]) -> Seasons:
        """Return some of them.

        Raises
        ------
        DataError
            A number is not one of them.
        """
        wrong = [number for number in numbers if not 0 <= number < self.count]
        if wrong:
            raise DataError(f"Season number: expected one below {self.count}, found {wrong[0]}.")
        return self.seasons.rows(np.asarray(numbers, dtype=np.intp))

    def first(self, count: int) -> GivenSeasons:
        """Return the first of them alone."""
        return replace(self, seasons=self.seasons.rows(slice(count)))


def slot_order(keys: Sequence[AssetKey]) -> tuple[AssetKey | None, ...]:
    """Give each asset a slot.

    Parameters
    ----------
    keys : sequence of AssetKey
        In order of appearance.

    Returns
    -------
    tuple of AssetKey or None
        Of length SLOTS.

    Raises
    ------
    DataError
        There are more than slots.
    """
    slots: list[AssetKey | None] = []
    for kind, size in ((DRIVER, DRIVER_SLOTS), (CONSTRUCTOR, CONSTRUCTOR_SLOTS)):
        own = [key for key in keys if key[0] == kind]
        if len(own) > size:
            raise DataError(f"Season: expected at most {size} assets of type {kind}, found {len(own)}.")
        slots += [*own, *[None] * (size - len(own))]
    return tuple(slots)


def asset_features(frame: SeasonFrame, seasons: Seasons) -> Floats:
    """Lay out what an agent sees of the assets.

    Parameters
    ----------
    frame : SeasonFrame
    seasons : Seasons

    Returns
    -------
    numpy.ndarray of float32, shape (M, T, SLOTS, FEATURES)
        Nothing of a race itself; 0 for who is not on sale.
    """
    shape = (*seasons.prices.shape, len(FEATURES))
    found = np.empty(shape, dtype=np.float32)
    columns = (
        seasons.is_active,
        seasons.prices / 10,
        seasons.expected,
        seasons.expected_sd,
        seasons.expected_change,
        *np.moveaxis(seasons.form, -1, 0),
        frame.circuit_mean_points,
    )
    for at, values in enumerate(columns):
        found[..., at] = values
    # Only the price of who has left the sale is of use: it may still be held.
    idle = ~seasons.is_active
    price = found[..., 1].copy()
    found[idle] = 0.0
    found[..., 1] = price
    return found


def form_features(
    frame: SeasonFrame, points: Floats, prices: Ints, is_active: Mask, driver_of: Ints | None = None
) -> Floats:
    """Derive form from points of strictly earlier races.

    Parameters
    ----------
    frame : SeasonFrame
        With the races before the season.
    points : numpy.ndarray of float, shape (M, T, SLOTS)
        NaN where an asset took no part.
    prices : numpy.ndarray of int, shape (M, T, SLOTS)
        Tenths of a million dollars.
    is_active : numpy.ndarray of bool, shape (M, T, SLOTS)
    driver_of : numpy.ndarray of int, shape (SLOTS,), optional
        First slot of the same driver: form is the driver's, whichever seat he scored it in.

    Returns
    -------
    numpy.ndarray of float32, shape (M, T, SLOTS, 6)
        Mean of the last 3 and 5, sample standard deviation of the last 10, points per million over the last 5, slope of
        points per million over the last 5, mean of the constructor's last 5; as in `features.driver_race_feature`.
    """
    count, races, slots = points.shape
    same = np.arange(slots) if driver_of is None else driver_of
    moved = np.flatnonzero(same != np.arange(slots))
    latest = np.broadcast_to(frame.history, (count, slots, HISTORY))
    priced = np.broadcast_to(frame.history_prices, (count, slots, HISTORY))
    found = np.zeros((count, races, slots, 6), dtype=np.float32)
    for race in range(races):
        found[:, race] = _form(latest, priced)[:, same]
        scored, paid = points[:, race].copy(), prices[:, race] / 10
        raced = is_active[:, race] & ~np.isnan(scored)
        for slot in moved:
            there = raced[:, slot]
            scored[there, same[slot]], paid[there, same[slot]] = scored[there, slot], paid[there, slot]
            raced[there, same[slot]] = True
        latest, priced = (_entered(latest, scored, raced), _entered(priced, paid, raced))
    found[..., 5] = found[..., frame.team_of, 1]
    return np.where(is_active[..., np.newaxis], found, np.float32(0))


def _entered(latest: Floats, values: Floats, raced: Mask) -> Floats:
    """Append a race to the latest ones of those who took part in it."""
    moved = np.concatenate([latest[..., 1:], values[..., np.newaxis]], axis=-1)
    return np.where(raced[..., np.newaxis], moved, latest)


def _form(latest: Floats, priced: Floats) -> Floats:
    """Derive form from the latest races: shape (M, SLOTS, 6), 0 where there is none."""
    last_3, last_5 = latest[..., -3:], latest[..., -5:]
    value = last_5 / priced[..., -5:]
    raced = ~np.isnan(last_5)
    age = np.where(raced, np.arange(5.0), np.nan)
    columns = (
        _mean(last_3),
        _mean(last_5),
        _deviation(latest),
        _ratio(np.nansum(last_5, axis=-1), np.nansum(np.where(raced, priced[..., -5:], np.nan), axis=-1)),
        _slope(age, value),
        np.zeros(latest.shape[:-1]),
    )
    return np.stack(columns, axis=-1)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _mean(values: Floats) -> Floats:
    return _ratio(np.nansum(values, axis=-1), (~np.isnan(values)).sum(axis=-1).astype(float))


def _deviation(values: Floats) -> Floats:
    """Return sample standard deviations, 0 of fewer than two."""
    count = (~np.isnan(values)).sum(axis=-1).astype(float)
    squares = np.nansum((values - _mean(values)[..., np.newaxis]) ** 2, axis=-1)
    return np.sqrt(_ratio(squares, np.where(count > 1, count - 1, 0.0)))


def _slope(places: Floats, values: Floats) -> Floats:
    """Return least-squares slopes, 0 of fewer than two."""
    away = places - _mean(places)[..., np.newaxis]
    rise = np.nansum(away * (values - _mean(values)[..., np.newaxis]), axis=-1)
    return _ratio(rise, np.nansum(away**2, axis=-1))
