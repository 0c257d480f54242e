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

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.forecast.simulated_points import STORED_DRAWS, no_negative_points, simulation_seed
from f1_pipeline.game.price_history import SeasonPrices
from f1_pipeline.game.prices import PricedAssets, price_rules_known_at
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import POINTS_TABLES, season_prices
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.steps.weekends import list_values, weekend_models
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.forecast.later_races import LaterRace
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
        When a race has no weekend model or published forecast, or points of an earlier race are missing.
    """
    parts = spread(pipeline.settings, _looking_ahead, _races_ahead(pipeline, race_keys))
    return run_model(pipeline, table, race_keys, with_nulls(pd.concat(parts, ignore_index=True)))


def _races_ahead(pipeline: Pipeline, race_keys: Sequence[str]) -> Iterator[_RaceAhead]:
    """Read what each race looks at."""
    from f1_pipeline.forecast.later_races import LaterRace
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.weekend_files import read_weekend

    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, POINTS_TABLES, race_keys)
        races = read_frame(connection, RACES).set_index("race_key")
        forecast = connection.execute(FORECAST, {"race_keys": list(race_keys)}).to_arrow_table()
    keys = forecast["race_key"].to_numpy()
    seasons = season_prices(pipeline, race_keys)
    for race_key, uri in weekend_models(pipeline, race_keys):
        race = pipeline.calendar.get(race_key)
        season = seasons[race.season]
        own = forecast.filter(pa.array(keys == race_key))
        if not len(own):
            raise WarehouseError(f"{race_key}: expected a published forecast, found none; materialize it first")
        menu = _Menu.of(season, season.race_keys.index(race_key), own)
        later = races.loc[list(season.race_keys[menu.place + 1 :])].itertuples()
        yield _RaceAhead(
            season.race_keys,
            menu,
            read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))._replace(outlooks={}),
            tuple(LaterRace(row.race_date.toordinal(), str(row.circuit_id), bool(row.has_sprint)) for row in later),
            pipeline.rules(race_key),
            simulation_seed(race.race_date.toordinal(), AT_LOCK),
        )


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
        at = forecast.index.get_indexer(names)
        return cls(place, names, season.at_lock(place), forecast.reindex(names), _columns(draws, at))

    def at(self, drivers: Sequence[str], constructors: Sequence[str]) -> np.ndarray:
        """Find each asset among drivers and constructors, one after the other; -1 for none."""
        keys = [*(("driver", name) for name in drivers), *(("constructor", name) for name in constructors)]
        return pd.MultiIndex.from_tuples(keys).get_indexer(self.names)


@dataclass(frozen=True)
class _RaceAhead:
    """A race and those after it in its season, as they look at its lock."""

    season: tuple[str, ...]
    menu: _Menu
    weekend: StoredWeekend
    later: tuple[LaterRace, ...]
    rules: SeasonRules
    seed: tuple[int, int]


def _looking_ahead(race: _RaceAhead) -> pd.DataFrame:
    """Make the rows of one race: every asset that it has a forecast of, target by target."""
    from f1_pipeline.forecast.later_races import simulate_later_races
    from f1_pipeline.forecast.price_paths import price_paths
    from f1_pipeline.forecast.threads import one_thread

    menu, weekend = race.menu, race.weekend
    race_key, *targets = race.season[menu.place :]
    with one_thread():
        simulated = list(simulate_later_races(weekend.later, race.later, race.rules, STORED_DRAWS, race.seed))
    at = menu.at(weekend.drivers, weekend.constructors)
    points = [_columns(np.concatenate([each.driver_points, each.constructor_points], axis=1), at) for each in simulated]
    in_force = [price_rules_known_at(race.rules.prices, race_key, race.season)] * len(targets)
    tenths = list(price_paths(menu.priced, [menu.draws, *points][:-1], in_force))
    own = menu.forecast
    columns = {
        "expected_points": [own["expected_points"], *(each.mean(axis=0) for each in points)],
        "sd_points": [own["sd_points"], *(each.std(axis=0) for each in points)],
        "no_negative_points": [
            own["expected_points"] + own["no_negative_gain_points"],
            *(_columns(no_negative_points(each), at) for each in simulated),
        ],
        "expected_price_musd": [menu.priced.prices / TENTHS, *(each.mean(axis=0) / TENTHS for each in tenths)],
        "sd_price_musd": [np.zeros(len(at)), *(each.std(axis=0) / TENTHS for each in tenths)],
    }
    count = 1 + len(targets)
    rows = menu.names.to_frame(index=False).iloc[np.tile(np.arange(len(at)), count)]
    ahead = np.repeat(np.arange(count), len(at))
    rows = rows.assign(
        race_key=race_key,
        target_race_key=np.array([race_key, *targets])[ahead],
        races_ahead=ahead,
        **{name: np.concatenate(parts) for name, parts in columns.items()},
    )
    return rows[np.tile(own["expected_points"].notna(), count)]


def _columns(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Pick values along the last axis, NaN where there is none."""
    return np.where(at >= 0, values[..., at], np.nan)
