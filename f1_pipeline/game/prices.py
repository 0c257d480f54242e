"""Move prices as the official game does after a race, 2023 on: points in, steps in tenths of a million out.

Pure arrays: assets are the last axis, any axes before it are simulated draws. Belongs here: what points do to prices.
What points an asset gets is :mod:`f1_pipeline.game.scoring`; the constants are :mod:`f1_pipeline.game.rules`.

Points are NaN where an asset takes no part; its price then stays. A band counts the limits its points are beyond,
0 is the worst; a tier is the row of steps that belongs to its price.

References
----------
``data/rules`` names the source of each constant; ``f1_pipeline_tests/integration/test_price_moves.py`` holds the
rules against every recorded price move.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.rules import FieldMeanRules, PointsPerMillionRules, PriceRules

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# mean / (tenths / 10) in thousandths
_VALUE_SCALE = 10_000


@dataclass(frozen=True)
class PricedAssets:
    """The assets of one season as they enter a race.

    Parameters
    ----------
    prices : numpy.ndarray of int, shape (..., assets)
        Tenths of a million dollars at the lock of the race.
    is_constructor : numpy.ndarray of bool, shape (assets,)
        Which assets are constructors.
    earlier_points : numpy.ndarray of float, shape (..., assets, races)
        Official points of the season's earlier races, oldest first, NaN where the asset took no part; any number
        of races. The price moves of 2023 and 2024 do not look at it.
    """

    prices: Ints
    is_constructor: Mask
    earlier_points: Floats

    def __post_init__(self) -> None:
        count = len(self.is_constructor)
        if self.prices.shape[-1:] != (count,) or self.earlier_points.shape[-2:-1] != (count,):
            raise DataError(
                f"Priced assets: expected {count} assets in the last axis of prices and the last but one of earlier "
                f"points, found the shapes {self.prices.shape} and {self.earlier_points.shape}."
            )
        if not np.issubdtype(self.prices.dtype, np.integer) or (self.prices < 1).any():
            raise DataError("Priced assets: expected prices in whole tenths of a million, 1 or more.")


def price_rules_at(rules: Sequence[PriceRules], race_key: str, calendar: Sequence[str]) -> PriceRules:
    """Find the price rules in force after a race.

    Parameters
    ----------
    rules : sequence of PriceRules
        ``SeasonRules.prices``.
    race_key : str
        The race whose points move the prices.
    calendar : sequence of str
        Race keys of the season in order of date.

    Returns
    -------
    PriceRules
        The last rules whose first race is not after the race.

    Raises
    ------
    UsageError
        The race, or the first race of a set of rules, is not in the calendar.
    """
    places = {key: place for place, key in enumerate(calendar)}
    for key in (race_key, *(each.first_race_key for each in rules if each.first_race_key)):
        if key not in places:
            raise UsageError(f"{key!r} is not in the season's calendar; expected one of {', '.join(calendar)}.")
    begun = [each for each in rules if places.get(each.first_race_key, 0) <= places[race_key]]
    return begun[-1]


def price_rules_known_at(rules: Sequence[PriceRules], race_key: str, calendar: Sequence[str]) -> PriceRules:
    """Find the price rules that a manager can count on at the lock of a race, for it and for later ones.

    Parameters
    ----------
    rules, race_key, calendar
        As for :func:`price_rules_at`.

    Returns
    -------
    PriceRules
        Those in force after the race before; at the first race of the season those that it begins with. A change within
        a season, as in 2023, shows only in the prices after the first race under it.

    Raises
    ------
    UsageError
        As for :func:`price_rules_at`.
    """
    if race_key not in calendar:
        return price_rules_at(rules, race_key, calendar)
    return price_rules_at(rules, calendar[max(calendar.index(race_key) - 1, 0)], calendar)


def next_prices(assets: PricedAssets, points: npt.ArrayLike, rules: PriceRules) -> Ints:
    """Price the assets after a race.

    Parameters
    ----------
    assets : PricedAssets
        The assets at the lock of the race.
    points : array_like of float, shape (..., assets)
        Fantasy points of the race, NaN for an asset that took no part. Rules about the field's mean need the
        whole field.
    rules : PriceRules
        The rules in force after the race.

    Returns
    -------
    numpy.ndarray of int, shape (..., assets)
        Tenths of a million dollars.

    Raises
    ------
    DataError
        There are not as many points as assets.

    References
    ----------
    2025 on: mean points of the last three races per million dollars, ``data/rules/2025.toml``. 2023-24: points of
    the last race against the rounded mean of the field, ``data/rules/2024.toml``.
    """
    return assets.prices + price_steps(assets, points, rules)


def price_steps(assets: PricedAssets, points: npt.ArrayLike, rules: PriceRules) -> Ints:
    """Move the prices after a race.

    Parameters
    ----------
    assets, points, rules
        As for :func:`next_prices`.

    Returns
    -------
    numpy.ndarray of int, shape (..., assets)
        Change of price in tenths of a million, 0 for an asset that took no part; floor and ceiling are kept.

    Raises
    ------
    DataError
        There are not as many points as assets.
    """
    scored = _checked(assets, points)
    steps = band_steps(assets.prices, rules)
    bands = _bands(assets, scored, rules)
    shape = np.broadcast_shapes(bands.shape, steps.shape[:-1])
    spread = np.broadcast_to(steps, (*shape, steps.shape[-1]))
    taken = np.take_along_axis(spread, np.broadcast_to(bands, shape)[..., np.newaxis], axis=-1)[..., 0]
    return np.where(np.isnan(scored), 0, taken)


def band_steps(prices: Ints, rules: PriceRules) -> Ints:
    """List the step of every band for each asset.

    Parameters
    ----------
    prices : numpy.ndarray of int, shape (..., assets)
        Tenths of a million dollars.
    rules : PriceRules
        The rules in force.

    Returns
    -------
    numpy.ndarray of int, shape (..., assets, bands)
        Change of price in tenths of a million, worst band first, cut so that floor and ceiling are kept.
    """
    tiers = np.zeros(prices.shape, dtype=np.int64)
    for lowest in rules.tier_from_tenths[:-1]:
        tiers += prices < lowest
    before = prices[..., np.newaxis]
    after = before + np.asarray(rules.tier_steps_tenths, dtype=np.int64)[tiers]
    return np.clip(after, rules.minimum_tenths, rules.maximum_tenths or None) - before


def points_needed(assets: PricedAssets, rules: PriceRules, field_means: tuple[float, float] | None = None) -> Floats:
    """Say how many points in the coming race bring each asset into each band.

    Parameters
    ----------
    assets : PricedAssets
        The assets at the lock of the race.
    rules : PriceRules
        The rules in force after the race.
    field_means : tuple of float, optional
        Mean points of the coming race's drivers and of its constructors; needed by rules about the field's mean.

    Returns
    -------
    numpy.ndarray of float, shape (..., assets, bands)
        The smallest whole number of points, bands as in :func:`band_steps`; minus infinity for the worst.

    Raises
    ------
    UsageError
        The rules are about the field's mean and it is not given.
    """
    if isinstance(rules, PointsPerMillionRules):
        total, count = points_window(assets, rules)
        # half a thousandth below a limit rounds up to it; whole points and prices do not meet the halves themselves
        limits = np.asarray(rules.value_from_thousandths) - 0.5
        scale = ((count + 1) * assets.prices)[..., np.newaxis] / _VALUE_SCALE
        needed = np.ceil(limits * scale - total[..., np.newaxis])
    else:
        if field_means is None:
            raise UsageError("The price rules compare with the field's mean: expected field_means, found none.")
        of_type = np.array([_least_points(np.rint(mean), rules, kind) for kind, mean in enumerate(field_means)])
        needed = of_type[assets.is_constructor.astype(np.int64)]
        needed = np.broadcast_to(needed, (*assets.prices.shape, needed.shape[-1]))
    worst = np.full((*needed.shape[:-1], 1), -np.inf)
    return np.concatenate([worst, needed], axis=-1)


def step_probabilities(assets: PricedAssets, draws: npt.ArrayLike, rules: PriceRules) -> Floats:
    """Say how probable each step is when the points of a race are draws.

    Parameters
    ----------
    assets : PricedAssets
        The assets at the lock of the race, prices of shape (assets,).
    draws : array_like of float, shape (draws, assets)
        Simulated points, NaN where an asset takes no part. In each draw the field's mean is that draw's own.
    rules : PriceRules
        The rules in force after the race.

    Returns
    -------
    numpy.ndarray of float, shape (assets, bands)
        Share of the draws in each band, bands as in :func:`band_steps`. Each row adds up to the share of the draws
        in which the asset takes part.

    Raises
    ------
    DataError
        There are not as many points as assets, or no draws.
    """
    scored = _checked(assets, draws)
    if scored.ndim != 2 or not len(scored):
        raise DataError(f"Draws of points: expected the shape (draws, assets), found {scored.shape}.")
    bands = _bands(assets, scored, rules)
    takes_part = ~np.isnan(scored)
    count = len(rules.tier_steps_tenths[0])
    return np.stack([(takes_part & (bands == band)).mean(axis=0) for band in range(count)], axis=-1)


def price_basis(assets: PricedAssets, points: npt.ArrayLike, rules: PriceRules) -> Floats:
    """Say what each asset's limits are about: its value, or the mean of the field.

    Parameters
    ----------
    assets, points, rules
        As for :func:`next_prices`.

    Returns
    -------
    numpy.ndarray of float, shape (..., assets)
        2025 on: mean points of the last races per million dollars, in whole thousandths, NaN for an asset that took
        no part. 2023-24: mean points of the drivers or constructors that took part, rounded half to even.

    Raises
    ------
    DataError
        There are not as many points as assets.
    """
    scored = _checked(assets, points)
    if isinstance(rules, PointsPerMillionRules):
        total, count = points_window(assets, rules)
        return np.rint(_VALUE_SCALE * (total + scored) / ((count + 1) * assets.prices))
    of_drivers, of_constructors = (
        _rounded_mean(scored, kind) for kind in (~assets.is_constructor, assets.is_constructor)
    )
    return np.where(assets.is_constructor, of_constructors, of_drivers)


def points_window(assets: PricedAssets, rules: PointsPerMillionRules) -> tuple[Floats, Ints]:
    """Add up and count the earlier races whose points count beside those of the coming race.

    Parameters
    ----------
    assets : PricedAssets
        The assets at the lock of the race.
    rules : PointsPerMillionRules
        The rules in force after the race.

    Returns
    -------
    total : numpy.ndarray of float, shape (..., assets)
        Points of the latest races in which the asset took part, as many as go with the coming one.
    count : numpy.ndarray of int, shape (..., assets)
        How many races those are.
    """
    is_raced = ~np.isnan(assets.earlier_points)
    races_back = np.cumsum(is_raced[..., ::-1], axis=-1)[..., ::-1]
    is_counted = is_raced & (races_back < rules.race_count)
    total = np.where(is_counted, assets.earlier_points, 0.0).sum(axis=-1)
    return total, is_counted.sum(axis=-1)


def _checked(assets: PricedAssets, points: npt.ArrayLike) -> Floats:
    scored = np.asarray(points, dtype=np.float64)
    if scored.shape[-1:] != assets.is_constructor.shape:
        raise DataError(
            f"Points of a race: expected {len(assets.is_constructor)} assets in the last axis, found {scored.shape}."
        )
    return scored


def _bands(assets: PricedAssets, scored: Floats, rules: PriceRules) -> Ints:
    """Count the limits that each asset's points are beyond; 0 where there are none."""
    basis = price_basis(assets, scored, rules)
    if isinstance(rules, PointsPerMillionRules):
        return _count_beyond([basis >= limit for limit in rules.value_from_thousandths])
    beyond: list[Mask] = []
    # whole numbers on both sides: ten times the points against tenths of the rounded mean
    for driver, constructor, is_included in zip(
        rules.driver_mean_tenths, rules.constructor_mean_tenths, rules.is_limit_included, strict=True
    ):
        limit = np.where(assets.is_constructor, constructor, driver) * basis
        beyond.append(10 * scored >= limit if is_included else 10 * scored > limit)
    return _count_beyond(beyond)


def _count_beyond(beyond: Sequence[Mask]) -> Ints:
    count = np.zeros(beyond[0].shape, dtype=np.int64)
    for is_beyond in beyond:
        count += is_beyond
    return count


def _rounded_mean(scored: Floats, is_type: Mask) -> Floats:
    """Return the mean points of the assets of a type that took part, rounded half to even."""
    took_part = is_type & ~np.isnan(scored)
    total = np.where(took_part, scored, 0.0).sum(axis=-1, keepdims=True)
    return np.rint(total / np.maximum(took_part.sum(axis=-1, keepdims=True), 1))


def _least_points(mean: float, rules: FieldMeanRules, is_constructor: int) -> Floats:
    """Return the smallest whole points beyond each limit, lowest first (a negative mean turns the limits round)."""
    tenths = rules.constructor_mean_tenths if is_constructor else rules.driver_mean_tenths
    limits = np.asarray(tenths, dtype=np.float64) * mean / 10
    return np.sort(np.where(rules.is_limit_included, np.ceil(limits), np.floor(limits) + 1))
