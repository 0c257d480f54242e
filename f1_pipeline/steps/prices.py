"""Steps that apply the price rules: what a price should be, and which points move it next.

Neighbours: `game.price_history` computes; the SQL test of `staging.price` holds the rules against the official prices.
What a race's rows may see is decided here once more: its own prices, and points of strictly earlier races.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from f1_pipeline.game.price_history import SeasonPrices, price_ladder, prices_by_rules
from f1_pipeline.game.rules import PriceRules, load_rules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

PRICE_STEP_TABLE = "marts.price_step"
POINTS_TABLES = ("raw.official_totals", "raw.qualifying_results", "raw.race_results")
# Who was on sale and took no part has a total of 0, which moves no price.
POINTS = """
    select tot.race_key, tot.asset_type, tot.asset_id, tot.constructor_id, tot.total_points as points
    from raw.official_totals as tot
    where list_contains($race_keys, tot.race_key) and (
        tot.asset_type = 'constructor'
        or (tot.race_key, tot.asset_id) in (
            select (race_key, driver_id) from raw.qualifying_results where list_contains($race_keys, race_key)
            union all
            select (race_key, driver_id) from raw.race_results where list_contains($race_keys, race_key)
        )
    )
"""
PRICES = """
    select race_key, asset_type, asset_id, constructor_id, price_musd
    from raw.prices
    where list_contains($race_keys, race_key)
"""
PRICES_AT_LOCK = """
    select race_key, asset_type, asset_id, constructor_id, fantasy_price_musd as price_musd
    from staging.price
    where list_contains($race_keys, race_key)
"""
OfRace = Callable[[SeasonPrices, str, Sequence[PriceRules]], pd.DataFrame]


def price_by_rules(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Price every asset on sale from its price and points when it was last on sale.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `staging.engine_price`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When points or prices of an earlier race are missing.
    """
    rows = _of_races(pipeline, race_keys, PRICES, ("raw.prices", *POINTS_TABLES), prices_by_rules)
    in_musd = {
        "previous_price_musd": rows["before_tenths"] / 10,
        "step_musd": rows["step_tenths"] / 10,
        "price_musd": rows["ruled_tenths"] / 10,
        "official_price_musd": rows["official_tenths"] / 10,
    }
    named = rows.rename(columns={"points": "previous_points", "points_per_million": "value_points_per_million"})
    return run_model(pipeline, table, race_keys, named.assign(**in_musd))


def list_price_steps(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Say for every asset on sale which points move its price by how much.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `marts.price_step`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When points of an earlier race are missing.
    """
    rows = _of_races(pipeline, race_keys, PRICES_AT_LOCK, POINTS_TABLES, price_ladder)
    in_musd = {
        "price_musd": rows["price_tenths"] / 10,
        "step_musd": rows["step_tenths"] / 10,
        "price_after_musd": (rows["price_tenths"] + rows["step_tenths"]) / 10,
    }
    return run_model(pipeline, table, race_keys, rows.assign(**in_musd))


def _of_races(
    pipeline: Pipeline, race_keys: Sequence[str], prices_query: str, history: Sequence[str], of_race: OfRace
) -> pd.DataFrame:
    """Compute something of each race from the prices and points of its season."""
    wanted = [pipeline.calendar.get(race_key) for race_key in race_keys]
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, history, race_keys)
    tables = season_prices(pipeline, race_keys, prices_query)
    rules = {season: load_rules(pipeline.settings.data_dir, season).prices for season in tables}
    rows = pd.concat([of_race(tables[race.season], race.race_key, rules[race.season]) for race in wanted])
    numbers = rows.select_dtypes("number").columns
    # NaN and the infinite ends are null in the warehouse, not numbers
    finite = {name: rows[name].where(rows[name].abs() < float("inf")).astype("Float64") for name in numbers}
    return rows.assign(**finite)


def season_prices(
    pipeline: Pipeline, race_keys: Sequence[str], prices_query: str = PRICES_AT_LOCK
) -> dict[int, SeasonPrices]:
    """Lay out prices and points of the seasons of some races.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str
    prices_query : str
        Where prices come from.

    Returns
    -------
    dict of int to SeasonPrices
        By season; points of later races may be there, and whoever forecasts a race does not look at them.
    """
    seasons = {pipeline.calendar.get(race_key).season for race_key in race_keys}
    keys = {season: _race_keys(pipeline, season) for season in sorted(seasons)}
    parameters = {"race_keys": [race_key for own in keys.values() for race_key in own]}
    with pipeline.warehouse.read() as connection:
        prices = read_frame(connection, prices_query, parameters)
        points = read_frame(connection, POINTS, parameters)
    return {season: SeasonPrices.of(own, prices, points) for season, own in keys.items()}


def _race_keys(pipeline: Pipeline, season: int) -> list[str]:
    return [race.race_key for race in pipeline.calendar.races if race.season == season and not race.is_cancelled]
