"""Price a season race by race: what the rules make of its points so far, and what the coming race can make of it.

Belongs here: which earlier races an asset's price at a race comes from. Pure; whatever is said of a race uses points
of strictly earlier races. Neighbours: :mod:`f1_pipeline.game.prices` moves prices over one race, ``steps.prices``
brings the facts and stores the answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from f1_pipeline.game.prices import (
    Floats,
    Ints,
    Mask,
    PricedAssets,
    band_steps,
    points_needed,
    points_window,
    price_basis,
    price_rules_at,
    price_rules_known_at,
    price_steps,
)
from f1_pipeline.game.rules import FieldMeanRules, PriceRules

ASSET = ["asset_type", "asset_id", "constructor_id"]
_MOVES = (
    "previous_race_key",
    "points",
    "window_points",
    "window_race_count",
    "points_per_million",
    "field_mean_points",
    "before_tenths",
    "step_tenths",
    "ruled_tenths",
)


@dataclass(frozen=True)
class SeasonPrices:
    """Prices and points of one season, one row per asset, one column per race.

    A driver who changes team is another asset.

    Parameters
    ----------
    race_keys : tuple of str
        The season's races in order of date.
    assets : pandas.DataFrame
        asset_type, asset_id, constructor_id, one row per asset.
    tenths : numpy.ndarray of float, shape (assets, races)
        Official price at the lock in tenths of a million dollars, NaN where the asset was not on sale.
    points : numpy.ndarray of float, shape (assets, races)
        Official points, NaN where the asset took no part.
    """

    race_keys: tuple[str, ...]
    assets: pd.DataFrame
    tenths: Floats
    points: Floats

    @classmethod
    def of(cls, race_keys: Sequence[str], prices: pd.DataFrame, points: pd.DataFrame) -> "SeasonPrices":
        """Lay out the rows of a season.

        Parameters
        ----------
        race_keys : sequence of str
            The season's races in order of date; rows of other races are left out.
        prices : pandas.DataFrame
            race_key, asset_type, asset_id, constructor_id, price_musd.
        points : pandas.DataFrame
            race_key, asset_type, asset_id, constructor_id, points, of the assets that took part.

        Returns
        -------
        SeasonPrices
            The assets that were on sale or took part at least once, sorted: a field's mean is that of all who took
            part, whatever prices are given.
        """
        columns = list(race_keys)
        priced = prices[prices["race_key"].isin(columns)]
        tenths = (priced["price_musd"].astype(float) * 10).round()
        table = priced.assign(tenths=tenths).pivot(index=ASSET, columns="race_key", values="tenths")
        scored = points[points["race_key"].isin(columns)].pivot(index=ASSET, columns="race_key", values="points")
        assets = table.index.union(scored.index)
        return cls(
            tuple(race_keys),
            assets.to_frame(index=False),
            table.reindex(index=assets, columns=columns).to_numpy(dtype=float),
            scored.reindex(index=assets, columns=columns).to_numpy(dtype=float),
        )

    def on_sale(self, place: int) -> Mask:
        """Say which assets were on sale at a race, given by its place in the season."""
        return ~np.isnan(self.tenths[:, place])

    def at_lock(self, place: int) -> PricedAssets:
        """Return the assets on sale at a race as they enter it."""
        rows = self.on_sale(place)
        return PricedAssets(
            self.tenths[rows, place].astype(np.int64),
            (self.assets["asset_type"] == "constructor").to_numpy(dtype=bool)[rows],
            self.points[rows, :place],
        )

    def last_sale(self, place: int) -> Ints:
        """Return the place of the race at which each asset was last on sale before a race, -1 for none."""
        places = np.where(~np.isnan(self.tenths[:, :place]), np.arange(place), -1)
        return places.max(axis=1, initial=-1)


def prices_by_rules(season: SeasonPrices, race_key: str, rules: Sequence[PriceRules]) -> pd.DataFrame:
    """Price the assets on sale at a race by the rules.

    The price comes from the race at which the asset was last on sale: its price there, moved by the points there. An
    asset that took no part in that race keeps its price; one that was never on sale before has none by the rules.

    Parameters
    ----------
    season : SeasonPrices
        The season of the race; points from the race on are not looked at.
    race_key : str
        The race.
    rules : sequence of PriceRules
        ``SeasonRules.prices``.

    Returns
    -------
    pandas.DataFrame
        One row per asset on sale: race_key, asset_type, asset_id, constructor_id, previous_race_key, and as floats,
        NaN where there is none: points (of the previous race), window_points and window_race_count (what the rules
        look at), points_per_million (2025 on), field_mean_points (2023-24), and in tenths of a million dollars
        before_tenths, step_tenths, ruled_tenths and official_tenths.
    """
    place = season.race_keys.index(race_key)
    previous = np.where(season.on_sale(place), season.last_sale(place), -2)
    parts = [_launched(season, previous == -1)]
    for earlier in np.unique(previous[previous >= 0]):
        moved = _moved(season, int(earlier), rules)
        parts.append(moved.loc[np.flatnonzero(previous == earlier)])
    rows = pd.concat(parts).sort_index()
    official = season.tenths[rows.index, place]
    return pd.concat([season.assets.loc[rows.index], rows.assign(official_tenths=official)], axis=1).assign(
        race_key=race_key
    )


def price_ladder(season: SeasonPrices, race_key: str, rules: Sequence[PriceRules]) -> pd.DataFrame:
    """Say which points in a race move the price of each asset on sale by how much.

    Rules about the field's mean are read with the mean that the season has had so far, because the race's own is not
    known before it; for the first race of such a season there is nothing to say.

    Parameters
    ----------
    season : SeasonPrices
        The season of the race; points from the race on are not looked at.
    race_key : str
        The race.
    rules : sequence of PriceRules
        ``SeasonRules.prices``.

    Returns
    -------
    pandas.DataFrame
        One row per asset and step that points can bring: race_key, asset_type, asset_id, constructor_id, and as
        numbers price_tenths, step_tenths, points_from and points_to (whole points, infinite at the ends), and
        field_mean_points (NaN from 2025 on).
    """
    place = season.race_keys.index(race_key)
    in_force = price_rules_known_at(rules, race_key, season.race_keys)
    assets = season.at_lock(place)
    means = _usual_means(season, place) if isinstance(in_force, FieldMeanRules) else None
    rows = np.repeat(np.flatnonzero(season.on_sale(place)), _band_count(in_force))
    bands = _bands(assets, in_force, means).assign(row=rows)
    # floor and ceiling give two bands one step; limits that fall on the same points leave a band empty
    ladder = (
        bands[bands["points_from"] <= bands["points_to"]]
        .groupby(["row", "step_tenths"], as_index=False)
        .agg({"price_tenths": "first", "points_from": "min", "points_to": "max", "field_mean_points": "first"})
    )
    named = season.assets.loc[ladder["row"]].reset_index(drop=True)
    return pd.concat([named, ladder.drop(columns="row")], axis=1).assign(race_key=race_key)


def _launched(season: SeasonPrices, rows: Mask) -> pd.DataFrame:
    """Return assets with a price of the game's own making."""
    frame = pd.DataFrame(np.nan, index=np.flatnonzero(rows), columns=list(_MOVES))
    return frame.astype({"previous_race_key": object}).assign(previous_race_key=None)


def _moved(season: SeasonPrices, place: int, rules: Sequence[PriceRules]) -> pd.DataFrame:
    """Move every asset that was on sale at a race by its points there; the index is the asset's row."""
    race_key, rows = season.race_keys[place], season.on_sale(place)
    in_force = price_rules_at(rules, race_key, season.race_keys)
    assets, points = season.at_lock(place), season.points[rows, place]
    took_part, basis = ~np.isnan(points), price_basis(assets, points, in_force)
    steps = price_steps(assets, points, in_force)
    if isinstance(in_force, FieldMeanRules):
        window, count = points, np.ones(len(points))
        field_mean, value = np.where(took_part, basis, np.nan), np.full(len(points), np.nan)
    else:
        total, raced = points_window(assets, in_force)
        window, count = total + points, raced + 1.0
        field_mean, value = np.full(len(points), np.nan), basis / 1000
    columns = (
        race_key,
        points,
        window,
        np.where(took_part, count, np.nan),
        value,
        field_mean,
        assets.prices.astype(float),
        steps.astype(float),
        (assets.prices + steps).astype(float),
    )
    return pd.DataFrame(dict(zip(_MOVES, columns, strict=True)), index=np.flatnonzero(rows))


def _bands(assets: PricedAssets, rules: PriceRules, means: tuple[float, float] | None) -> pd.DataFrame:
    """List every band of every asset with its step and the points that lead there."""
    least = points_needed(assets, rules, means)
    count = _band_count(rules)
    of_type = np.array(means or (np.nan, np.nan))
    return pd.DataFrame(
        {
            "price_tenths": np.repeat(assets.prices, count),
            "step_tenths": band_steps(assets.prices, rules).ravel(),
            "points_from": least.ravel(),
            "points_to": np.concatenate([least[:, 1:] - 1, np.full((len(least), 1), np.inf)], axis=1).ravel(),
            "field_mean_points": np.repeat(of_type[assets.is_constructor.astype(np.int64)], count),
        }
    )


def _band_count(rules: PriceRules) -> int:
    """Count the bands of some rules."""
    return len(rules.tier_steps_tenths[0])


def _usual_means(season: SeasonPrices, place: int) -> tuple[float, float]:
    """Average the mean points of drivers and of constructors over the season's races before one; NaN when none is."""
    is_constructor = (season.assets["asset_type"] == "constructor").to_numpy(dtype=bool)
    means = []
    for rows in (~is_constructor, is_constructor):
        points = season.points[rows, :place]
        raced = points[:, ~np.isnan(points).all(axis=0)]
        means.append(float(np.nanmean(raced, axis=0).mean()) if raced.size else np.nan)
    return means[0], means[1]
