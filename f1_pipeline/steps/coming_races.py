"""The coming races as they look at a lock: menus with expected prices, expected points, joint draws.

Belongs here: reading what was forecast at the lock of each race into the problems that planners solve. Nothing of the
race or later is looked at. Neighbours: `steps.ahead` forecasts later races, `optimize.coming` is the shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.chip_gains import WeekendViews
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.optimize.plan_problem import plan_assets
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.steps.weekends import list_values
from f1_pipeline.warehouse.frames import read_frame

LATER = """
    select lat.race_key, lat.target_race_key, lat.races_ahead, lat.asset_type, lat.asset_id, lat.expected_points,
        lat.no_negative_points, lat.expected_price_musd, rac.has_sprint
    from predictions.later_race_points as lat
    inner join core.race as rac on lat.target_race_key = rac.race_key
    where list_contains($race_keys, lat.race_key)
    order by lat.race_key, lat.races_ahead, lat.asset_type, lat.asset_id
"""

DRAWS = """
    select fcs.race_key, fcs.asset_type, fcs.asset_id, fcs.draws,
        -- a constructor has none; zeros keep the lists of one length
        coalesce(sim.race_expectation_draws, list_transform(fcs.draws, lambda draw: 0)) as remaining_draws
    from predictions.asset_forecast as fcs
    inner join predictions.simulated_points as sim using (race_key, phase, asset_type, asset_id)
    where fcs.is_current and fcs.phase = 'at_lock' and list_contains($race_keys, fcs.race_key)
    order by fcs.race_key, fcs.asset_type, fcs.asset_id
"""


@dataclass(frozen=True, eq=False)
class RaceDraws:
    """Joint draws of one race as its published forecast has them.

    Attributes
    ----------
    rows : dict of AssetKey to int
        Row of each asset, drivers by id.
    points : ndarray of shape (assets, n)
        Points.
    remaining : ndarray of shape (assets, n)
        What will be expected of the sessions after qualifying in each of these weekends; 0 for constructors.
    """

    rows: Mapping[AssetKey, int]
    points: np.ndarray
    remaining: np.ndarray

    def views(self, problem: LineupProblem, no_negative: Mapping[AssetKey, float], count: int) -> WeekendViews:
        """Arrange what is expected of a weekend in the order of a problem's assets.

        Parameters
        ----------
        problem : LineupProblem
            Drivers by seat.
        no_negative : mapping of AssetKey to float
            Expected points under No Negative, drivers by seat.
        count : int
            Draws to take, at most as many as there are.

        Returns
        -------
        WeekendViews
            Who has no forecast, or sits out, is expected to score as the problem says, in every draw.
        """
        keys = problem.asset_keys
        known = [self.rows.get(fact_key(key), -1) for key in keys]
        at = np.where(problem.mask(problem.only_if_held), -1, known)
        fixed = np.concatenate([problem.driver_points, problem.constructor_points])
        draws = np.where(at >= 0, self.points[at, :count].T, fixed)
        drivers = at[: len(problem.driver_ids)]
        remaining = np.where(drivers >= 0, self.remaining[drivers, :count].T, 0.0)
        floors = np.array([no_negative.get(key, points) for key, points in zip(keys, fixed, strict=True)])
        return WeekendViews(draws, floors, remaining)


def race_draws(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, RaceDraws]:
    """Read the joint draws of some races' forecasts at the lock.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Returns
    -------
    dict of str to RaceDraws
        Races without a forecast are left out.
    """
    with pipeline.warehouse.read() as connection:
        table = connection.execute(DRAWS, {"race_keys": list(race_keys)}).to_arrow_table()
    points, remaining = (list_values(table[name]) / TENTHS for name in ("draws", "remaining_draws"))
    named = table.select(["race_key", "asset_type", "asset_id"]).to_pandas()
    found = {}
    for race_key, own in named.groupby("race_key"):
        at = own.index.to_numpy()
        keys = zip(own["asset_type"], own["asset_id"], strict=True)
        found[str(race_key)] = RaceDraws({key: row for row, key in enumerate(keys)}, points[at], remaining[at])
    return found


def coming_races(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, ComingRaces]:
    """Read how the coming races look at the lock of each of some races.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Returns
    -------
    dict of str to ComingRaces

    Raises
    ------
    WarehouseError
        A race has no forecast of its later races.
    """
    menus = race_menus(pipeline, race_keys)
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, LATER, {"race_keys": list(race_keys)})
    by_race = {str(race_key): own for race_key, own in rows.groupby("race_key")}
    missing = [key for key in race_keys if key not in by_race]
    if missing:
        raise WarehouseError(
            f"{missing[0]}: expected forecasts of the races from it on, found none; "
            "materialize predictions.later_race_points first (`f1-pipeline run` does so)"
        )
    return {key: _coming(pipeline.rules(key), menus[key], by_race[key]) for key in race_keys}


def _coming(rules: SeasonRules, menu: RaceMenu, rows: pd.DataFrame) -> ComingRaces:
    assets = plan_assets((menu,))
    columns = {fact_key(key): at for at, key in enumerate(assets) if menu.is_active(key)}
    count = int(rows["races_ahead"].max()) + 1
    at = np.array([columns.get(key, -1) for key in zip(rows["asset_type"], rows["asset_id"], strict=True)])
    # Who came on sale after the forecast was made is on the menu and has none; who left it has one and is not.
    rows, at = rows[at >= 0], at[at >= 0]
    ahead = rows["races_ahead"].to_numpy()

    def spread(name: str) -> np.ndarray:
        values = np.zeros((count, len(assets)))
        values[ahead, at] = rows[name].to_numpy(dtype=float)
        return values

    tenths = np.rint(spread("expected_price_musd") * 10).astype(int)
    targets = rows.drop_duplicates("races_ahead").set_index("races_ahead")
    later = [
        RaceMenu(
            race_key=str(targets.loc[ahead, "target_race_key"]),
            calendar=menu.calendar,
            has_sprint=bool(targets.loc[ahead, "has_sprint"]),
            prices=_expected_prices(menu, assets, tenths[ahead]),
            inactive=menu.inactive,
        )
        for ahead in range(1, count)
    ]
    return ComingRaces(rules, (menu, *later), assets, spread("expected_points"), spread("no_negative_points"))


def _expected_prices(menu: RaceMenu, assets: Sequence[AssetKey], tenths: np.ndarray) -> Mapping[AssetKey, int]:
    """Price what is on sale as expected; who sits out, or has no forecast, keeps his price."""
    return {
        key: int(price) if price > 0 and menu.is_active(key) else menu.prices[key]
        for key, price in zip(assets, tenths, strict=True)
    }
