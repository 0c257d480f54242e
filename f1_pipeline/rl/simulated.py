"""Seasons that might have been: points by the forecast's simulator, prices by the price engine, forecasts to match.

Belongs here: sampling seasons of one calendar, by number. Points are :mod:`f1_pipeline.forecast.later_races`, prices
:mod:`f1_pipeline.game.prices`, the shape :mod:`f1_pipeline.rl.seasons`.

What a manager expects in a simulated season is the best linear forecast from what the season has shown: the mean of a
race over all simulated seasons, plus what an asset's deviations so far, over the season, over its last three races and
of its team, say of the next. The coefficients are least squares over `FIT_SEASONS` seasons that no agent meets.
Practice is not simulated, so such a forecast knows a little less than a real one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.later_races import LaterRace, simulate_later_races
from f1_pipeline.forecast.outlook import LaterOutlook
from f1_pipeline.forecast.remaining_points import at_place, expected_by_place, points_after_qualifying
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.prices import PricedAssets, band_steps, next_prices, points_needed, price_rules_known_at
from f1_pipeline.game.rules import FieldMeanRules, PointsPerMillionRules, PriceRules
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.optimize.plan_problem import plan_assets
from f1_pipeline.rl.seasons import (
    DRIVER_SLOTS,
    IS_DRIVER,
    SLOTS,
    Floats,
    GivenSeasons,
    Ints,
    SeasonFrame,
    Seasons,
    form_features,
)

BLOCK = 64
"""Seasons that are simulated together; a number belongs to one block for ever."""
FIT_SEASONS = 512
MOST_NUMBERS = 2**62
_FIT_SEED, _SEASON_SEED = 0, 1
_KEPT_BLOCKS = 8
_WINDOW = 3


@dataclass(frozen=True)
class _Prior:
    """What is expected of each race before the season, and how the season so far moves it.

    Parameters
    ----------
    mean, sd, floor_gain
        Shape (T, SLOTS): expected points, deviation of the forecast's errors, what No Negative adds.
    weights
        Shape (T, 2, 3): by race and kind of asset, of the deviations over the season, the last three races, the team.
    by_place
        T arrays of shape (drivers, drivers): expected points after qualifying by driver and place.
    lasting
        Shape (T,): how much of what the season has shown of a driver is still to be added to that.
    """

    mean: Floats
    sd: Floats
    floor_gain: Floats
    weights: Floats
    by_place: tuple[npt.NDArray[np.float64], ...]
    lasting: Floats


@dataclass(frozen=True)
class _Races:
    """Points of n simulated seasons, shape (n, T, SLOTS), 0 in empty slots; places in qualifying, (n, T, drivers)."""

    points: Floats
    no_negative: Floats
    remaining: Floats
    qualifying: Ints


@dataclass(frozen=True, eq=False)
class SimulatedSeasons:
    """A source of simulated seasons without end.

    Parameters
    ----------
    frame : SeasonFrame
    later : LaterOutlook
        What was believed of the season's races before it.
    races : tuple of LaterRace, T
    columns : numpy.ndarray of int, shape (drivers + constructors of the outlook,)
        Slot of each column of the simulator, -1 for who is not on sale.
    start_prices : numpy.ndarray of int, shape (SLOTS,)
        Tenths of a million dollars at the first race.
    """

    frame: SeasonFrame
    later: LaterOutlook
    races: tuple[LaterRace, ...]
    columns: Ints
    start_prices: Ints
    _blocks: OrderedDict[int, Seasons] = field(default_factory=OrderedDict, repr=False)

    @property
    def count(self) -> int | None:
        """Return None: there is no end."""
        return None

    def take(self, numbers: Sequence[int]) -> Seasons:
        """Return seasons by number.

        Parameters
        ----------
        numbers : sequence of int
            From 0 on; neighbours are made together, so ranges are cheaper than scattered numbers.

        Returns
        -------
        Seasons

        Raises
        ------
        DataError
            There are no numbers, or one is out of range.
        """
        wrong = [number for number in numbers if not 0 <= number < MOST_NUMBERS]
        if wrong or not len(numbers):
            raise DataError(f"Season number: expected some from 0 to {MOST_NUMBERS - 1}, found {wrong[:1] or 'none'}.")
        wanted = np.asarray(numbers, dtype=np.int64)
        parts, places = [], np.empty(len(wanted), dtype=np.intp)
        filled = 0
        for block in np.unique(wanted // BLOCK):
            own = np.flatnonzero(wanted // BLOCK == block)
            parts.append(self._block(int(block)).rows(wanted[own] % BLOCK))
            places[own] = filled + np.arange(len(own))
            filled += len(own)
        return Seasons.joined(parts).rows(places)

    def sample(self, first: int, count: int) -> GivenSeasons:
        """Take a range of seasons to use again and again.

        Parameters
        ----------
        first, count : int

        Returns
        -------
        GivenSeasons
            Numbered from 0.
        """

        def coming(number: int, race: int) -> ComingRaces:
            return self.coming(first + number, race)

        return GivenSeasons(self.frame, self.take(range(first, first + count)), coming)

    def coming(self, number: int, race: int) -> ComingRaces:
        """Return how the races from one on look at its lock in a season.

        Parameters
        ----------
        number, race : int

        Returns
        -------
        ComingRaces
            What the season has shown so far is believed to last; prices are expected for the race after the next, and
            to stay from there on.
        """
        season, frame = self.take([number]), self.frame
        keys = [key for key in frame.assets if key is not None]
        slots = np.array([slot for slot, key in enumerate(frame.assets) if key is not None])
        now = season.prices[0, race, slots]
        then = np.maximum(np.rint(now + 10 * season.expected_change[0, race, slots]).astype(int), 1)
        menus = tuple(
            RaceMenu(
                race_key=frame.race_keys[later],
                calendar=frame.race_keys,
                has_sprint=bool(frame.has_sprint[later]),
                prices=dict(zip(keys, (now if later == race else then).tolist(), strict=True)),
            )
            for later in range(race, frame.race_count)
        )
        assets = plan_assets(menus)
        column = np.array([frame.assets.index(key) for key in assets])
        lasting = season.expected[0, race] - self._prior.mean[race]
        points = (self._prior.mean[race:] + lasting)[:, column].astype(float)
        return ComingRaces(frame.rules, menus, assets, points, points + self._prior.floor_gain[race:][:, column])

    def _block(self, block: int) -> Seasons:
        if block not in self._blocks:
            self._blocks[block] = self._make(block)
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(block)
        return self._blocks[block]

    def _make(self, block: int) -> Seasons:
        """Simulate, price and forecast a block."""
        drawn, prior = _joined(self._draw((_SEASON_SEED, block), BLOCK)), self._prior
        is_asset = np.array([key is not None for key in self.frame.assets])
        expected = prior.mean + _shown(drawn.points - prior.mean, prior.weights, self.frame)
        prices, changes = self._prices(drawn.points, expected)
        is_active = np.broadcast_to(is_asset, drawn.points.shape)
        hoped = np.full(drawn.points.shape, -np.inf)
        drivers = self._driver_slots
        on_sale = drivers >= 0
        for race, by_place in enumerate(prior.by_place):
            own = drivers[on_sale]
            shown = expected[:, race, own] - prior.mean[race, own]
            at = at_place(by_place, drawn.qualifying[:, race])[:, on_sale]
            hoped[:, race, own] = at + prior.lasting[race] * shown
        arrays = {
            "expected": expected,
            "expected_sd": np.broadcast_to(prior.sd, expected.shape),
            "expected_change": changes,
            "points": drawn.points,
            "no_negative_points": drawn.no_negative,
            "remaining_points": drawn.remaining,
            "remaining_expected": hoped,
        }
        return Seasons(
            prices=prices,
            is_active=is_active.copy(),
            form=form_features(self.frame, np.where(is_asset, drawn.points, np.nan), prices, is_active),
            **{name: values.astype(np.float32) for name, values in arrays.items()},
        )

    def _draw(self, seed: Sequence[int], count: int) -> Iterator[_Races]:
        """Simulate the races one after the other, T being 1 in each."""
        drivers = self._driver_slots
        on_sale = self.columns >= 0
        for race, drawn in zip(
            self.races,
            simulate_later_races(self.later, self.races, self.frame.rules, count, seed, with_items=True),
            strict=True,
        ):
            scores = drawn.scores
            assert scores.driver_items is not None
            assert scores.driver_no_negative is not None
            assert scores.constructor_no_negative is not None
            points, floored, remaining = (np.zeros((count, 1, SLOTS)) for _ in range(3))
            both = np.concatenate([scores.driver_points, scores.constructor_points], axis=1)
            under = np.concatenate([scores.driver_no_negative, scores.constructor_no_negative], axis=1)
            points[:, 0, self.columns[on_sale]] = both[:, on_sale]
            floored[:, 0, self.columns[on_sale]] = under[:, on_sale]
            left = points_after_qualifying(scores.driver_items, self.frame.rules, race.has_sprint)
            remaining[:, 0, drivers[drivers >= 0]] = left[:, drivers >= 0]
            yield _Races(points, floored, remaining, drawn.qualifying_position[:, np.newaxis])

    @property
    def _driver_slots(self) -> Ints:
        return self.columns[: self.later.weekend.car_count]

    @cached_property
    def _prior(self) -> _Prior:
        """Learn from seasons of their own what to expect."""
        drawn = _joined(self._draw((_FIT_SEED,), FIT_SEASONS))
        drivers = self._driver_slots
        mean = drawn.points.mean(axis=0)
        away = drawn.points - mean
        weights = _fit(away, self.frame)
        shown = _shown(away, weights, self.frame)
        left = np.where(drivers >= 0, drawn.remaining[..., drivers], 0)
        by_place = tuple(
            expected_by_place(left[:, race].astype(np.int64), drawn.qualifying[:, race])
            for race in range(len(self.races))
        )
        on_sale = drivers[drivers >= 0]
        errors = np.stack(
            [left[:, race] - at_place(table, drawn.qualifying[:, race]) for race, table in enumerate(by_place)], axis=1
        )[..., drivers >= 0]
        seen = shown[..., on_sale]
        known = (seen**2).sum(axis=(0, 2))
        return _Prior(
            mean=mean,
            sd=(away - shown).std(axis=0),
            floor_gain=(drawn.no_negative - drawn.points).mean(axis=0),
            weights=weights,
            by_place=by_place,
            lasting=np.divide((errors * seen).sum(axis=(0, 2)), known, out=np.zeros_like(known), where=known > 0),
        )

    def _prices(self, points: Floats, expected: Floats) -> tuple[Ints, Floats]:
        """Carry prices through the seasons, and expect each step before it is made."""
        count, races, _ = points.shape
        is_asset = self.start_prices > 0
        own = np.flatnonzero(is_asset)
        prices = np.zeros((count, races, SLOTS), dtype=np.int32)
        changes = np.zeros((count, races, SLOTS))
        rules = self.frame.rules.prices
        width = max((each.race_count - 1 for each in rules if isinstance(each, PointsPerMillionRules)), default=0)
        # The rules of the season's start: a change within a season is not known before it.
        in_force = price_rules_known_at(rules, self.frame.race_keys[0], self.frame.race_keys)
        now = np.broadcast_to(self.start_prices[own].astype(np.int64), (count, len(own)))
        for race in range(races):
            earlier = np.moveaxis(points[:, max(race - width, 0) : race, own], 1, -1).astype(np.float64)
            assets = PricedAssets(now, ~IS_DRIVER[own], earlier)
            prices[:, race, own] = now
            if race + 1 < races:
                prior = self._prior
                drivers, constructors = (float(prior.mean[race, slots].mean()) for slots in _kinds(self.frame))
                steps = expected_steps(
                    assets, expected[:, race, own], prior.sd[race, own], in_force, (drivers, constructors)
                )
                changes[:, race, own] = steps / 10
                now = next_prices(assets, points[:, race, own], in_force)
        return prices, changes


def expected_steps(
    assets: PricedAssets, mean: Floats, sd: Floats, rules: PriceRules, field_means: tuple[float, float]
) -> Floats:
    """Expect the steps of prices from forecasts with normal errors.

    Parameters
    ----------
    assets : PricedAssets
        Prices of shape (n, assets).
    mean : numpy.ndarray, shape (n, assets)
        Expected points.
    sd : numpy.ndarray, shape (assets,)
        Their standard deviation, above 0.
    rules : PriceRules
        In force after the race.
    field_means : tuple of float
        Mean points expected of drivers and of constructors, for rules that compare with them.

    Returns
    -------
    numpy.ndarray, shape (n, assets)
        Tenths of a million dollars.
    """
    steps = band_steps(assets.prices, rules)
    needed = points_needed(assets, rules, field_means if isinstance(rules, FieldMeanRules) else None)
    # Points are whole: those of a band begin half a point below the first of them.
    beyond = 1 - ndtr((needed - 0.5 - mean[..., np.newaxis]) / sd[:, np.newaxis])
    share = beyond - np.concatenate([beyond[..., 1:], np.zeros((*beyond.shape[:-1], 1))], axis=-1)
    return (share * steps).sum(axis=-1)


def _joined(races: Iterator[_Races]) -> _Races:
    parts = list(races)
    names = ("points", "no_negative", "remaining", "qualifying")
    return _Races(**{name: np.concatenate([getattr(part, name) for part in parts], axis=1) for name in names})


def _signals(away: Floats, race: int, frame: SeasonFrame) -> Floats:
    """Say what the season before a race has shown of each asset: shape (n, SLOTS, 3)."""
    season = away[:, :race].mean(axis=1)
    return np.stack([season, away[:, max(race - _WINDOW, 0) : race].mean(axis=1), season[:, frame.team_of]], axis=-1)


def _kinds(frame: SeasonFrame) -> tuple[Ints, Ints]:
    """Return the slots of drivers and those of constructors."""
    own = np.array([slot for slot, key in enumerate(frame.assets) if key is not None])
    return own[own < DRIVER_SLOTS], own[own >= DRIVER_SLOTS]


def _fit(away: Floats, frame: SeasonFrame) -> Floats:
    """Fit how deviations go on, by least squares over all assets of a kind: shape (T, 2, 3)."""
    weights = np.zeros((away.shape[1], 2, 3))
    for race in range(1, away.shape[1]):
        signals = _signals(away, race, frame)
        for kind, slots in enumerate(_kinds(frame)):
            # A constructor is its own team: the same signal twice, which least squares of least norm bears.
            features, target = signals[:, slots].reshape(-1, 3), away[:, race, slots].ravel()
            weights[race, kind] = np.linalg.lstsq(features, target, rcond=None)[0]
    return weights


def _shown(away: Floats, weights: Floats, frame: SeasonFrame) -> Floats:
    """Forecast each race's deviation from those before it: shape (n, T, SLOTS)."""
    found = np.zeros_like(away)
    for race in range(1, away.shape[1]):
        signals = _signals(away, race, frame)
        for kind, slots in enumerate(_kinds(frame)):
            found[:, race, slots] = signals[:, slots] @ weights[race, kind]
    return found
