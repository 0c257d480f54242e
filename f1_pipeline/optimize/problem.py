"""The line-up problem of one race as arrays, and the ranked answer to it.

Here: the menu of a race turned into arrays in a fixed order, checked once, so that the solvers can trust
them; what a team holds already, and what it wants and does not want. Not here: how the best teams are found
(`enumeration` looks at all of them, `milp` is the integer programme), which limits contradict each other
(`conflicts`), nor what makes a line-up legal (`f1_pipeline.game.lineup`).

A team is a set of assets; its boosts are on its best drivers, so that two ranked teams always differ in an
asset. Limits are added, and chips played, with `dataclasses.replace` and the `under_` methods::

    problem = LineupProblem.from_frame(menu, rules)
    held = Held(("a", "b", "c", "d", "e"), ("x", "y"), free_transfers=2, extra_points=-10)
    problem = replace(problem, held=held, bans=frozenset({("driver", "f")}))
    best_lineups(problem.under_wildcard())
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError, SolverError, UsageError
from f1_pipeline.game.lineup import ASSET_TYPES, CONSTRUCTOR, DRIVER, AssetKey, Lineup, LineupRules, money

MENU_COLUMNS = ("asset_type", "asset_id", "price_tenths", "points")

POINTS_DECIMALS = 9
"""Team points are rounded to this many decimals: sums that are equal on paper (0.1 + 0.2 = 0.3) must tie."""


NO_KEYS: frozenset[AssetKey] = frozenset()


@dataclass(frozen=True)
class Held:
    """What a team holds before its transfers, and what transfers cost it.

    Parameters
    ----------
    drivers, constructors
        Ids held now.
    free_transfers
        How many transfers cost nothing; None is any number, as before a team's first race and under Wildcard.
    extra_points
        Points for each transfer above the free ones, 0 or less.

    Raises
    ------
    DataError
        Free transfers are negative, or a transfer would earn points.
    """

    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    free_transfers: int | None
    extra_points: float = 0.0

    def __post_init__(self) -> None:
        if self.free_transfers is not None and self.free_transfers < 0:
            raise DataError(f"Held team: expected no fewer than 0 free transfers, found {self.free_transfers}.")
        # Written as "not at most" so that NaN is refused as well.
        if not self.extra_points <= 0:
            raise DataError(f"Held team: expected 0 points or less per extra transfer, found {self.extra_points}.")

    @property
    def asset_keys(self) -> tuple[AssetKey, ...]:
        """Return the key of every asset held, drivers first."""
        return (*((DRIVER, i) for i in self.drivers), *((CONSTRUCTOR, i) for i in self.constructors))

    def transfer_points(self, transfer_count: int) -> float:
        """Return the points of so many transfers, 0 or less."""
        if self.free_transfers is None:
            return 0.0
        return float(self.extra_points * max(0, transfer_count - self.free_transfers))


@dataclass(frozen=True)
class RankedLineup:
    """One line-up and its place among the legal ones.

    Parameters
    ----------
    rank
        1 for the best.
    lineup
        The line-up, ids sorted, the boost on its best driver.
    points
        Points of the team, boosts and transfers included.
    cost_tenths
        Cost in tenths of a million.
    extra_boosted_driver
        Who has the boost of the chip, if it is played; never the driver with the free one.
    transfer_count
        Assets of the team that were not held before, 0 where none were.
    transfer_points
        What the transfers above the free ones cost, 0 or less.
    """

    rank: int
    lineup: Lineup
    points: float
    cost_tenths: int
    extra_boosted_driver: str | None = None
    transfer_count: int = 0
    transfer_points: float = 0.0


@dataclass(frozen=True, eq=False)
class LineupProblem:
    """The menu of one race and the limits, as arrays sorted by asset id.

    Parameters
    ----------
    driver_ids, constructor_ids
        Sorted ids, D drivers and C constructors.
    driver_prices, constructor_prices
        Shape (D,) and (C,), integer tenths of a million.
    driver_points, constructor_points
        Shape (D,) and (C,), weekend points, expected or actual.
    rules
        The limits of the race. The budget is the money for a whole team: bank and value of what is held.
    race_key
        The race, for messages.
    held
        What the team holds; None is a fresh start, without transfers.
    only_if_held
        Assets that take no part: they may be kept and never bought. Their points are what keeping them costs,
        which a boost does not multiply.
    driver_boost_points
        Shape (D,), what a boost multiplies, where it is not the driver's points (nothing for those
        `only_if_held`); read it as `boost_points`.
    extra_boost
        Multiplier of a second boost, on another driver than the free one: the chip. None when it is not played.
    locks, bans
        Assets that every team holds, and that none does.
    team_of
        Constructor id by asset, for `most_per_team`.
    most_per_team
        Most assets of one constructor, itself included; None is any number.
    min_difference
        In how many assets a ranked team differs at least from each that is ranked before it.

    Raises
    ------
    DataError
        Ids are not sorted and unique, shapes differ, a price is not positive, points are not finite, there
        are fewer assets than a line-up holds, or what is held is not a whole team of the menu.
    UsageError
        A limit names an asset that is not on the menu, or is out of its range.
    """

    driver_ids: tuple[str, ...]
    driver_prices: np.ndarray
    driver_points: np.ndarray
    constructor_ids: tuple[str, ...]
    constructor_prices: np.ndarray
    constructor_points: np.ndarray
    rules: LineupRules
    race_key: str | None = None
    held: Held | None = None
    only_if_held: frozenset[AssetKey] = NO_KEYS
    driver_boost_points: np.ndarray | None = None
    extra_boost: float | None = None
    locks: frozenset[AssetKey] = NO_KEYS
    bans: frozenset[AssetKey] = NO_KEYS
    team_of: Mapping[AssetKey, str] = field(default_factory=dict)
    most_per_team: int | None = None
    min_difference: int = 1

    def __post_init__(self) -> None:
        for asset_type, needed in (
            (DRIVER, self.rules.driver_count),
            (CONSTRUCTOR, self.rules.constructor_count),
        ):
            ids = getattr(self, f"{asset_type}_ids")
            prices = np.array(getattr(self, f"{asset_type}_prices"), dtype=np.int64)
            points = np.array(getattr(self, f"{asset_type}_points"), dtype=np.float64)
            self._check_half(asset_type, ids, prices, points, needed)
            for name, values in (("prices", prices), ("points", points)):
                self._freeze(f"{asset_type}_{name}", values)
        if self.driver_boost_points is not None:
            boosted = np.array(self.driver_boost_points, dtype=np.float64)
            self._check_half(DRIVER, self.driver_ids, self.driver_prices, boosted, self.rules.driver_count)
            self._freeze("driver_boost_points", boosted)
        for name in ("locks", "bans", "only_if_held"):
            object.__setattr__(self, name, frozenset(getattr(self, name)))
        object.__setattr__(self, "team_of", dict(self.team_of))
        self._check_held()
        self._check_limits()

    @classmethod
    def from_frame(cls, menu: pd.DataFrame, rules: LineupRules, *, race_key: str | None = None) -> "LineupProblem":
        """Read the problem from the menu of a race.

        Parameters
        ----------
        menu
            One row per asset with the columns asset_type, asset_id, price_tenths (whole tenths of a million)
            and points, in any order; other columns are ignored.
        rules
            The limits of the race.
        race_key
            The race, for messages.

        Returns
        -------
        LineupProblem
            The arrays, assets sorted by id.

        Raises
        ------
        DataError
            A column is missing, an asset type is unknown, an asset is listed twice, a price is missing or not
            a positive whole number of tenths, points are not finite, or there are too few assets.
        SolverError
            Even the cheapest line-up costs more than the budget.
        """
        missing = [name for name in MENU_COLUMNS if name not in menu.columns]
        if missing:
            raise DataError(f"Menu{_of(race_key)}: expected columns {', '.join(MENU_COLUMNS)}, missing {missing}.")
        unknown = sorted(set(menu["asset_type"].astype(str)) - set(ASSET_TYPES))
        if unknown:
            raise DataError(f"Menu{_of(race_key)}: expected asset_type driver or constructor, found {unknown}.")
        columns: dict[str, tuple[tuple[str, ...], np.ndarray, np.ndarray]] = {}
        for asset_type in ASSET_TYPES:
            half = menu.loc[menu["asset_type"] == asset_type].sort_values("asset_id", kind="stable")
            ids = tuple(half["asset_id"].astype(str))
            prices = _whole_prices(asset_type, ids, half["price_tenths"], race_key)
            points = pd.to_numeric(half["points"]).to_numpy(dtype=np.float64, na_value=np.nan)
            columns[asset_type] = (ids, prices, points)
        problem = cls(*columns[DRIVER], *columns[CONSTRUCTOR], rules=rules, race_key=race_key)
        problem.require_affordable()
        return problem

    @cached_property
    def asset_keys(self) -> tuple[AssetKey, ...]:
        """Return every asset of the menu, drivers first: the order of the columns of joint draws."""
        return (*((DRIVER, i) for i in self.driver_ids), *((CONSTRUCTOR, i) for i in self.constructor_ids))

    @cached_property
    def boost_points(self) -> np.ndarray:
        """Return what a boost multiplies, shape (D,)."""
        if self.driver_boost_points is not None:
            return self.driver_boost_points
        return np.where(self.mask(self.only_if_held)[: len(self.driver_ids)], 0.0, self.driver_points)

    @property
    def boosts(self) -> tuple[float, ...]:
        """Return the multipliers of the boosts, highest first; each is on another driver."""
        extra = () if self.extra_boost is None else (self.extra_boost,)
        return tuple(sorted((self.rules.boost_multiplier, *extra), reverse=True))

    @property
    def unavailable(self) -> frozenset[AssetKey]:
        """Return the assets that no team can hold: those banned, and those that could only have been kept."""
        kept = NO_KEYS if self.held is None else frozenset(self.held.asset_keys)
        return self.bans | (self.only_if_held - kept)

    @property
    def prices(self) -> dict[AssetKey, int]:
        """Return the price in tenths of a million by (asset_type, asset_id)."""
        drivers = {(DRIVER, i): int(p) for i, p in zip(self.driver_ids, self.driver_prices, strict=True)}
        constructors = zip(self.constructor_ids, self.constructor_prices, strict=True)
        return drivers | {(CONSTRUCTOR, i): int(p) for i, p in constructors}

    def mask(self, keys: Iterable[AssetKey]) -> np.ndarray:
        """Return which assets are among some, as booleans in the order of `asset_keys`."""
        wanted = set(keys)
        return np.array([key in wanted for key in self.asset_keys], dtype=bool)

    def under_wildcard(self) -> "LineupProblem":
        """Return the problem with any number of free transfers."""
        return self if self.held is None else replace(self, held=replace(self.held, free_transfers=None))

    def under_limitless(self) -> "LineupProblem":
        """Return the problem with any number of free transfers and money for every team."""
        budget = int(self.driver_prices.sum() + self.constructor_prices.sum())
        return replace(self.under_wildcard(), rules=replace(self.rules, budget_tenths=budget))

    @property
    def cheapest_cost_tenths(self) -> int:
        """Return the cost of the cheapest assets that make a line-up, in tenths of a million."""
        drivers = np.sort(self.driver_prices)[: self.rules.driver_count]
        constructors = np.sort(self.constructor_prices)[: self.rules.constructor_count]
        return int(drivers.sum() + constructors.sum())

    def require_affordable(self) -> None:
        """Check that at least one line-up of the menu fits the budget, whatever the other limits are.

        Raises
        ------
        SolverError
            Even the cheapest line-up costs more than the budget.
        """
        if self.cheapest_cost_tenths > self.rules.budget_tenths:
            raise SolverError(
                f"{self.title}: expected a line-up within the budget of {money(self.rules.budget_tenths)}, but the "
                f"cheapest legal one costs {money(self.cheapest_cost_tenths)}."
            )

    @property
    def title(self) -> str:
        """Return what messages about the problem open with."""
        return f"Line-up problem{_of(self.race_key)}"

    def with_points(self, points: Mapping[AssetKey, float]) -> "LineupProblem":
        """Put other points on the same menu, such as what the assets really scored.

        Parameters
        ----------
        points
            Weekend points by (asset_type, asset_id), for every asset on the menu.

        Returns
        -------
        LineupProblem
            The same menu and limits with these points, which are also what boosts multiply.

        Raises
        ------
        DataError
            An asset on the menu has no points, or they are not finite.
        """
        for asset_type, asset_id in self.prices:
            if (asset_type, asset_id) not in points:
                raise DataError(f"Points{_of(self.race_key)}: expected those of {asset_type} {asset_id!r}, found none.")
        return replace(
            self,
            driver_points=np.array([points[DRIVER, i] for i in self.driver_ids], dtype=np.float64),
            constructor_points=np.array([points[CONSTRUCTOR, i] for i in self.constructor_ids], dtype=np.float64),
            driver_boost_points=None,
        )

    def ranked(self, rank: int, driver_rows: Iterable[int], constructor_rows: Iterable[int]) -> RankedLineup:
        """Describe the team made of these assets, the boosts on its best drivers.

        Parameters
        ----------
        rank
            Place of the team, 1 for the best.
        driver_rows, constructor_rows
            Row numbers of the assets held.

        Returns
        -------
        RankedLineup
            Ids in sorted order; of equally good drivers the first by id has the higher boost.
        """
        drivers = sorted(int(row) for row in driver_rows)
        by_boost = sorted(drivers, key=lambda row: (-self.boost_points[row], row))
        return self.ranked_with_boosts(rank, drivers, constructor_rows, by_boost[: len(self.boosts)])

    def ranked_with_boosts(
        self, rank: int, driver_rows: Iterable[int], constructor_rows: Iterable[int], boosted_rows: Sequence[int]
    ) -> RankedLineup:
        """Describe the team made of these assets, with the boosts on given drivers.

        Parameters
        ----------
        rank
            Place of the team, 1 for the best.
        driver_rows, constructor_rows
            Row numbers of the assets held.
        boosted_rows
            Row numbers of the drivers who have the boosts, in the order of `boosts`.

        Returns
        -------
        RankedLineup
            Ids in sorted order.
        """
        drivers = sorted(int(row) for row in driver_rows)
        constructors = sorted(int(row) for row in constructor_rows)
        boosted = [int(row) for row in boosted_rows]
        points = sum(float(self.driver_points[row]) for row in drivers)
        points += sum((m - 1) * float(self.boost_points[row]) for m, row in zip(self.boosts, boosted, strict=True))
        points += sum(float(self.constructor_points[row]) for row in constructors)
        # The boosts in their order are the free one and the chip's, or the other way round.
        free = boosted[self.boosts.index(self.rules.boost_multiplier)]
        extra = [self.driver_ids[row] for row in boosted if row != free]
        lineup = Lineup(
            drivers=tuple(self.driver_ids[row] for row in drivers),
            constructors=tuple(self.constructor_ids[row] for row in constructors),
            boosted_driver=self.driver_ids[free],
        )
        count = 0 if self.held is None else len(set(lineup.asset_keys) - set(self.held.asset_keys))
        transfer_points = 0.0 if self.held is None else self.held.transfer_points(count)
        return RankedLineup(
            rank=rank,
            lineup=lineup,
            points=round(points + transfer_points, POINTS_DECIMALS),
            cost_tenths=int(self.driver_prices[drivers].sum() + self.constructor_prices[constructors].sum()),
            extra_boosted_driver=extra[0] if extra else None,
            transfer_count=count,
            transfer_points=transfer_points,
        )

    def _freeze(self, name: str, values: np.ndarray) -> None:
        values.flags.writeable = False
        object.__setattr__(self, name, values)

    def _check_held(self) -> None:
        if self.held is None:
            return
        menu = set(self.asset_keys)
        for asset_type, asset_id in self.held.asset_keys:
            if (asset_type, asset_id) not in menu:
                raise DataError(
                    f"{self.title}: expected the menu to list every asset held, found no {asset_type} {asset_id!r}."
                )
        for name, ids, needed in (
            ("drivers", self.held.drivers, self.rules.driver_count),
            ("constructors", self.held.constructors, self.rules.constructor_count),
        ):
            if len(set(ids)) != len(ids) or len(ids) != needed:
                found = ", ".join(ids) or "none"
                raise DataError(f"{self.title}: expected a held team of {needed} different {name}, found {found}.")

    def _check_limits(self) -> None:
        menu = set(self.asset_keys)
        for name in ("locks", "bans", "only_if_held"):
            for asset_type, asset_id in sorted(getattr(self, name) - menu):
                raise UsageError(
                    f"{self.title}: expected {name} to name assets of the menu, found {asset_type} {asset_id!r}."
                )
        if self.most_per_team is not None:
            for asset_type, asset_id in sorted(menu - set(self.team_of)):
                raise UsageError(f"{self.title}: expected the team of {asset_type} {asset_id!r}, found none.")
            if self.most_per_team < 1:
                raise UsageError(f"{self.title}: expected at least 1 asset per team, found {self.most_per_team}.")
        if not 1 <= self.min_difference <= self.rules.driver_count + self.rules.constructor_count:
            raise UsageError(
                f"{self.title}: expected a least difference of 1 to "
                f"{self.rules.driver_count + self.rules.constructor_count} assets, found {self.min_difference}."
            )
        if self.extra_boost is not None and not (self.extra_boost >= 1 and self.rules.driver_count > 1):
            raise UsageError(
                f"{self.title}: expected an extra boost of 1 or more for a second driver, found {self.extra_boost} "
                f"and {self.rules.driver_count} drivers."
            )

    def _check_half(
        self, asset_type: str, ids: tuple[str, ...], prices: np.ndarray, points: np.ndarray, needed: int
    ) -> None:
        where = f"Menu{_of(self.race_key)}"
        for before, after in pairwise(ids):
            if before >= after:
                what = f"{after!r} twice" if before == after else f"{after!r} after {before!r}"
                raise DataError(f"{where}: expected each {asset_type} once and sorted by id, found {what}.")
        if prices.shape != (len(ids),) or points.shape != (len(ids),):
            raise DataError(
                f"{where}: expected one price and one points value for each of {len(ids)} {asset_type} ids, "
                f"found shapes {prices.shape} and {points.shape}."
            )
        if len(ids) < needed:
            raise DataError(f"{where}: expected at least {needed} {asset_type}s, found {len(ids)}.")
        for asset_id, price, value in zip(ids, prices, points, strict=True):
            if price <= 0:
                raise DataError(f"{where}: expected a positive price for {asset_type} {asset_id!r}, found {price}.")
            if not np.isfinite(value):
                raise DataError(f"{where}: expected finite points for {asset_type} {asset_id!r}, found {value}.")


def _whole_prices(asset_type: str, ids: tuple[str, ...], prices: pd.Series, race_key: str | None) -> np.ndarray:
    values = pd.to_numeric(prices).to_numpy(dtype=np.float64, na_value=np.nan)
    for asset_id, value in zip(ids, values, strict=True):
        if np.isnan(value):
            raise DataError(f"Menu{_of(race_key)}: expected a price for {asset_type} {asset_id!r}, found none.")
        if not value.is_integer():
            raise DataError(
                f"Menu{_of(race_key)}: expected the price of {asset_type} {asset_id!r} in whole tenths of a "
                f"million, found {value}."
            )
    return values.astype(np.int64)


def _of(race_key: str | None) -> str:
    return f" of {race_key}" if race_key else ""
