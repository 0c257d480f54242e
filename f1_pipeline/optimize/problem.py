"""The line-up problem of one race as arrays, and the ranked answer to it.

Here: the menu of a race turned into arrays in a fixed order, checked once, so that the solvers can trust
them. Not here: how the best teams are found (`enumeration` looks at all of them, `milp` is the integer
programme), nor what makes a line-up legal (`f1_pipeline.game.lineup`).

A team is a set of assets; its boost is on its best driver, so that two ranked teams always differ in an
asset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError, SolverError
from f1_pipeline.game.lineup import ASSET_TYPES, CONSTRUCTOR, DRIVER, AssetKey, Lineup, LineupRules, money

MENU_COLUMNS = ("asset_type", "asset_id", "price_tenths", "points")

POINTS_DECIMALS = 9
"""Team points are rounded to this many decimals: sums that are equal on paper (0.1 + 0.2 = 0.3) must tie."""


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
        Points of the team, the boost included.
    cost_tenths
        Cost in tenths of a million.
    """

    rank: int
    lineup: Lineup
    points: float
    cost_tenths: int


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
        The limits of the race.
    race_key
        The race, for messages.

    Raises
    ------
    DataError
        Ids are not sorted and unique, shapes differ, a price is not positive, points are not finite, or there
        are fewer assets than a line-up holds.
    """

    driver_ids: tuple[str, ...]
    driver_prices: np.ndarray
    driver_points: np.ndarray
    constructor_ids: tuple[str, ...]
    constructor_prices: np.ndarray
    constructor_points: np.ndarray
    rules: LineupRules
    race_key: str | None = None

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
                values.flags.writeable = False
                object.__setattr__(self, f"{asset_type}_{name}", values)

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

    @property
    def prices(self) -> dict[AssetKey, int]:
        """Return the price in tenths of a million by (asset_type, asset_id)."""
        drivers = {(DRIVER, i): int(p) for i, p in zip(self.driver_ids, self.driver_prices, strict=True)}
        constructors = zip(self.constructor_ids, self.constructor_prices, strict=True)
        return drivers | {(CONSTRUCTOR, i): int(p) for i, p in constructors}

    @property
    def cheapest_cost_tenths(self) -> int:
        """Return the cost of the cheapest line-up that holds enough assets, in tenths of a million."""
        drivers = np.sort(self.driver_prices)[: self.rules.driver_count]
        constructors = np.sort(self.constructor_prices)[: self.rules.constructor_count]
        return int(drivers.sum() + constructors.sum())

    def require_affordable(self) -> None:
        """Check that at least one line-up fits the budget.

        Raises
        ------
        SolverError
            Even the cheapest line-up costs more than the budget.
        """
        if self.cheapest_cost_tenths > self.rules.budget_tenths:
            raise SolverError(
                f"Line-up problem{_of(self.race_key)}: expected a line-up within the budget of "
                f"{money(self.rules.budget_tenths)}, but the cheapest legal one costs "
                f"{money(self.cheapest_cost_tenths)}."
            )

    def with_points(self, points: Mapping[AssetKey, float]) -> "LineupProblem":
        """Put other points on the same menu, such as what the assets really scored.

        Parameters
        ----------
        points
            Weekend points by (asset_type, asset_id), for every asset on the menu.

        Returns
        -------
        LineupProblem
            The same menu and limits with these points.

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
        )

    def ranked(self, rank: int, driver_rows: Iterable[int], constructor_rows: Iterable[int]) -> RankedLineup:
        """Describe the team made of these assets, the boost on its best driver.

        Parameters
        ----------
        rank
            Place of the team, 1 for the best.
        driver_rows, constructor_rows
            Row numbers of the assets held.

        Returns
        -------
        RankedLineup
            Ids in sorted order; of equally good drivers the first by id is boosted.
        """
        drivers = sorted(int(row) for row in driver_rows)
        constructors = sorted(int(row) for row in constructor_rows)
        boosted = max(drivers, key=lambda row: (self.driver_points[row], -row))
        points = sum(float(self.driver_points[row]) for row in drivers)
        points += (self.rules.boost_multiplier - 1) * float(self.driver_points[boosted])
        points += sum(float(self.constructor_points[row]) for row in constructors)
        cost_tenths = self.driver_prices[drivers].sum() + self.constructor_prices[constructors].sum()
        lineup = Lineup(
            drivers=tuple(self.driver_ids[row] for row in drivers),
            constructors=tuple(self.constructor_ids[row] for row in constructors),
            boosted_driver=self.driver_ids[boosted],
        )
        return RankedLineup(rank, lineup, round(points, POINTS_DECIMALS), int(cost_tenths))

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
