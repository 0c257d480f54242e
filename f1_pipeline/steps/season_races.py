"""The races of a season as a back-test meets them: menus at the locks, items that settle them, the perfect path.

Belongs here: reading finished races of one season, all at once. Neighbours: `menus` makes menus, `game.settlement`
scores items, `steps.backtest` plays policies through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from f1_pipeline.errors import UsageError
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import DRIVER, AssetKey
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.score_items import floored_points
from f1_pipeline.game.settlement import RaceItems, index_items
from f1_pipeline.optimize.plan_problem import PlanProblem, plan_assets
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_frame

ITEMS = """
    select race_key, asset_type, asset_id, event_type, scoring_item, points
    from staging.event_score
    where list_contains($race_keys, race_key)
    order by race_key, asset_type, asset_id, event_type, scoring_item
"""


@dataclass(frozen=True, eq=False)
class SeasonRaces:
    """The finished races of a season, in order.

    Attributes
    ----------
    season : int
    rules : SeasonRules
    menus : tuple of RaceMenu
        At the lock of each race.
    items : tuple of RaceItems
        What settles each race; an asset on sale that took no part has none.
    """

    season: int
    rules: SeasonRules
    menus: tuple[RaceMenu, ...]
    items: tuple[RaceItems, ...]

    @property
    def race_keys(self) -> tuple[str, ...]:
        """Return the races."""
        return tuple(menu.race_key for menu in self.menus)

    def new_prices(self, at: int) -> Mapping[AssetKey, int]:
        """Return prices after a race, in tenths of a million; after the last one they are as they were."""
        return self.menus[min(at + 1, len(self.menus) - 1)].prices

    @cached_property
    def assets(self) -> tuple[AssetKey, ...]:
        """Return everything that was on sale at some race, drivers by seat first."""
        return plan_assets(self.menus)

    @cached_property
    def points(self) -> np.ndarray:
        """Return what each asset scored, shape (races, assets), 0 where it took no part."""
        return self._scored("sum")

    @cached_property
    def no_negative_points(self) -> np.ndarray:
        """Return what each asset scored under No Negative, shape (races, assets)."""
        return self._scored(self.rules.chips.no_negative.floor)

    def hindsight_problem(self) -> PlanProblem:
        """Make the plan of someone who knows every score and price of the season beforehand."""
        return PlanProblem(self.rules, self.menus, self.assets, self.points, self.no_negative_points)

    def _scored(self, how: str) -> np.ndarray:
        rows = np.zeros((len(self.menus), len(self.assets)))
        for at, (menu, items) in enumerate(zip(self.menus, self.items, strict=True)):
            for column, key in enumerate(self.assets):
                if menu.is_active(key):
                    points = [points for _, _, points in items[fact_key(key)]]
                    rows[at, column] = sum(points) if how == "sum" else floored_points(points, how)
        return rows


def fact_key(key: AssetKey) -> AssetKey:
    """Name an asset as the facts do: a driver by his id."""
    asset_type, asset_id = key
    return (asset_type, driver_of(asset_id) if asset_type == DRIVER else asset_id)


def season_races(pipeline: Pipeline, season: int, until: str | None = None) -> SeasonRaces:
    """Read the finished races of a season from the warehouse.

    Parameters
    ----------
    pipeline : Pipeline
    season : int
    until : str, optional
        Only races strictly before this one.

    Returns
    -------
    SeasonRaces

    Raises
    ------
    UsageError
        The season has no finished race.
    WarehouseError
        The warehouse lacks one of its races.
    """
    before = pipeline.calendar.finished if until is None else pipeline.calendar.before(until)
    keys = [race.race_key for race in before if race.season == season]
    if not keys:
        seasons = sorted({race.season for race in pipeline.calendar.finished})
        raise UsageError(f"Season {season}: expected one with finished races, {', '.join(map(str, seasons))}.")
    menus = race_menus(pipeline, keys)
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, ITEMS, {"race_keys": keys})
    by_race = {str(race_key): group for race_key, group in rows.groupby("race_key")}
    none: pd.DataFrame = rows.iloc[:0]
    items = tuple(_items(menus[key], by_race.get(key, none)) for key in keys)
    rules = load_rules(pipeline.settings.data_dir, season)
    return SeasonRaces(season, rules, tuple(menus[key] for key in keys), items)


def _items(menu: RaceMenu, rows: pd.DataFrame) -> RaceItems:
    found = index_items(rows, menu.race_key)
    return {fact_key(key): () for key in menu.prices if menu.is_active(key)} | dict(found)
