"""The step that looks beyond one race: points and prices expected of every later race of the season, at its lock.

Neighbours: `forecast.later_races` simulates, `forecast.price_paths` prices, `steps.publish` made the forecast of the
race itself, from whose draws the paths start. What a race's rows may see is its own forecast and prices, points of
strictly earlier races, and the calendar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.game.price_history import SeasonPrices
from f1_pipeline.game.prices import PricedAssets, price_rules_at
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import POINTS_TABLES, season_prices
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.steps.weekends import (
    STORED_DRAWS,
    list_values,
    no_negative_points,
    simulation_seed,
    weekend_models,
)
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.forecast.weekend_files import StoredWeekend

LATER_TABLE = "predictions.later_race_points"
_ASSET = ["asset_type", "asset_id"]

RACES = """
    select race_key, race_date, circuit_id, has_sprint
    from core.race
    where not is_cancelled
    order by race_date
"""
FORECAST = """
    select fct.race_key, fct.asset_type, fct.asset_id, fct.expected_points, fct.sd_points, fct.draws,
        sim.no_negative_points - sim.mean_points as no_negative_gain_points
    from predictions.asset_forecast as fct
    inner join predictions.simulated_points as sim using (race_key, phase, asset_type, asset_id)
    where fct.phase = 'at_lock' and fct.is_current and list_contains($race_keys, fct.race_key)
    order by fct.race_key, fct.asset_type desc, fct.asset_id
"""


def forecast_later_races(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Say what is expected of each race and of the later ones of its season.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.later_race_points`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a race has no weekend model, or points of an earlier race are missing.
    """
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.threads import one_thread
    from f1_pipeline.forecast.weekend_files import read_weekend

    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, POINTS_TABLES, race_keys)
        races = read_frame(connection, RACES).set_index("race_key")
        forecast = connection.execute(FORECAST, {"race_keys": list(race_keys)}).to_arrow_table()
    keys = forecast["race_key"].to_numpy()
    seasons = season_prices(pipeline, race_keys)
    parts = []
    with one_thread():
        for race_key, uri in weekend_models(pipeline, race_keys):
            season = seasons[pipeline.calendar.get(race_key).season]
            own = forecast.filter(pa.array(keys == race_key))
            menu = _Menu.of(season, season.race_keys.index(race_key), own)
            weekend = read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))
            rows = pd.concat(_looking_ahead(pipeline, season, menu, weekend, races), ignore_index=True)
            parts.append(rows.assign(race_key=race_key))
    return run_model(pipeline, table, race_keys, with_nulls(pd.concat(parts, ignore_index=True)))


@dataclass(frozen=True)
class _Menu:
    """The assets on sale at a race, priced, and their published forecast; who came on sale after it has none."""

    place: int
    names: pd.MultiIndex
    priced: PricedAssets
    forecast: pd.DataFrame
    draws: np.ndarray

    @classmethod
    def of(cls, season: SeasonPrices, place: int, own: pa.Table) -> _Menu:
        forecast = own.drop_columns(["draws"]).to_pandas().set_index(_ASSET)
        names = pd.MultiIndex.from_frame(season.assets.loc[season.on_sale(place), _ASSET])
        draws = np.rint(list_values(own["draws"]).T / TENTHS)
        return cls(
            place,
            names,
            season.at_lock(place),
            forecast.reindex(names),
            _of_assets(draws, pd.MultiIndex.from_tuples(list(forecast.index)), names),
        )

    def rows(self, **columns: np.ndarray | str | int | float) -> pd.DataFrame:
        """Lay out columns that are in the order of the assets on sale, those with a forecast only."""
        rows = pd.DataFrame(columns, index=self.names)
        return rows[self.forecast["expected_points"].notna().to_numpy()].reset_index()


def _looking_ahead(
    pipeline: Pipeline, season: SeasonPrices, menu: _Menu, weekend: StoredWeekend, races: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """Make the rows of each target, the race itself first."""
    from f1_pipeline.forecast.later_races import LaterRace, simulate_later_races
    from f1_pipeline.forecast.price_paths import price_paths

    race_key, *targets = season.race_keys[menu.place :]
    expected = menu.forecast["expected_points"].to_numpy()
    yield menu.rows(
        target_race_key=race_key,
        races_ahead=0,
        expected_points=expected,
        sd_points=menu.forecast["sd_points"].to_numpy(),
        no_negative_points=expected + menu.forecast["no_negative_gain_points"].to_numpy(),
        expected_price_musd=menu.priced.prices / TENTHS,
        sd_price_musd=0.0,
    )
    rules = pipeline.rules(race_key)
    later = [
        LaterRace(row.race_date.toordinal(), str(row.circuit_id), bool(row.has_sprint))
        for row in races.loc[targets].itertuples()
    ]
    seed = simulation_seed(pipeline, race_key, AT_LOCK)
    simulated = list(simulate_later_races(weekend.later, later, rules, STORED_DRAWS, seed))
    columns = pd.MultiIndex.from_tuples(
        [*(("driver", name) for name in weekend.drivers), *(("constructor", name) for name in weekend.constructors)]
    )
    points = [
        _of_assets(np.concatenate([each.driver_points, each.constructor_points], axis=1), columns, menu.names)
        for each in simulated
    ]
    in_force = [price_rules_at(rules.prices, key, season.race_keys) for key in (race_key, *targets)[:-1]]
    paths = price_paths(menu.priced, [menu.draws, *points][:-1], in_force)
    for ahead, (target, drawn, scored, tenths) in enumerate(zip(targets, simulated, points, paths, strict=True), 1):
        no_negative = no_negative_points(drawn)[np.newaxis]
        yield menu.rows(
            target_race_key=target,
            races_ahead=ahead,
            expected_points=scored.mean(axis=0),
            sd_points=scored.std(axis=0),
            no_negative_points=_of_assets(no_negative, columns, menu.names)[0],
            expected_price_musd=tenths.mean(axis=0) / TENTHS,
            sd_price_musd=tenths.std(axis=0) / TENTHS,
        )


def _of_assets(values: np.ndarray, columns: pd.MultiIndex, names: pd.MultiIndex) -> np.ndarray:
    """Bring columns into the order of some assets, NaN where there is none: shape (n, assets)."""
    at = columns.get_indexer(names)
    return np.where(at >= 0, values[:, at], np.nan)
