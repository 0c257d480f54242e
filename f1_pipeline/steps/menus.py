"""Menus: what a team can hold at the lock of each race, and at which price.

Belongs here: making `game.decisions.RaceMenu` of prices and points, for the command line and for back-tests alike.
What a team does with a menu is `game.team`; where prices come from is `steps.prices`.

Prices list the assets that take part. A driver asset that was on sale earlier in the season and is not at this race is
inactive: whoever holds it can keep it, at its last price and for a penalty. That last price is the one at its last
lock moved by its points there, as the game moves it once more before it freezes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from f1_pipeline.errors import UsageError
from f1_pipeline.game.decisions import RaceMenu, asset_key
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.price_history import SeasonPrices
from f1_pipeline.game.prices import Floats, next_prices, price_rules_at
from f1_pipeline.game.rules import PriceRules, load_rules
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import POINTS_TABLES, season_prices
from f1_pipeline.warehouse.frames import read_frame

HISTORY = ("staging.price", *POINTS_TABLES)
SPRINTS = "select race_key, has_sprint from core.race where list_contains($race_keys, race_key)"


def race_menus(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, RaceMenu]:
    """Read the menus of some races from the warehouse.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str
        Races with prices, of any seasons.

    Returns
    -------
    dict of str to RaceMenu
        By race key, in the order asked for; nothing in a menu comes from the race's own results or later ones.

    Raises
    ------
    UsageError
        When a race is unknown, cancelled, or has no prices yet.
    WarehouseError
        When there is no warehouse, or it lacks prices or points of an earlier race.
    """
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, HISTORY, race_keys)
        sprints = read_frame(connection, SPRINTS, {"race_keys": list(race_keys)})
    seasons = season_prices(pipeline, race_keys)
    return _menus(pipeline, race_keys, seasons, dict(zip(sprints["race_key"], sprints["has_sprint"], strict=True)))


def newest_menu(pipeline: Pipeline, race_key: str) -> RaceMenu:
    """Make the menu of a race from the facts at hand: a team can be entered before the graph has run for its race.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str

    Returns
    -------
    RaceMenu
        The same as `race_menus` once the facts are in the warehouse.

    Raises
    ------
    UsageError
        When the race is unknown, cancelled, or has no prices yet.
    """
    data_dir, season = pipeline.settings.data_dir, pipeline.calendar.get(race_key).season
    keys = [race.race_key for race in pipeline.calendar.races if race.season == season and not race.is_cancelled]
    prices, totals, qualifying, races = (
        load_fact_table(data_dir, name).to_pandas()
        for name in ("prices", "official_totals", "qualifying_results", "race_results")
    )
    took_part = pd.MultiIndex.from_frame(pd.concat([qualifying, races])[["race_key", "driver_id"]])
    drove = pd.MultiIndex.from_frame(totals[["race_key", "asset_id"]]).isin(took_part)
    points = totals[drove | (totals["asset_type"] != DRIVER)].rename(columns={"total_points": "points"})
    sprints = load_fact_table(data_dir, "races", [race_key]).to_pylist()
    has_sprint = {row["race_key"]: row["has_sprint"] for row in sprints}
    return _menus(pipeline, [race_key], {season: SeasonPrices.of(keys, prices, points)}, has_sprint)[race_key]


def _menus(
    pipeline: Pipeline, race_keys: Sequence[str], seasons: Mapping[int, SeasonPrices], has_sprint: Mapping[str, bool]
) -> dict[str, RaceMenu]:
    known = {season: held_prices(prices, _price_rules(pipeline, season)) for season, prices in seasons.items()}
    menus = {}
    for race_key in race_keys:
        race = pipeline.calendar.get(race_key)
        if race.is_cancelled:
            raise UsageError(f"{race_key}: expected a race that is held, it is cancelled")
        menus[race_key] = _menu(seasons[race.season], known[race.season], race_key, bool(has_sprint[race_key]))
    return menus


def _price_rules(pipeline: Pipeline, season: int) -> Sequence[PriceRules]:
    return load_rules(pipeline.settings.data_dir, season).prices


def held_prices(season: SeasonPrices, rules: Sequence[PriceRules]) -> Floats:
    """Price what a team may hold at each lock: what is on sale as it is, what no longer is at its last price.

    Parameters
    ----------
    season : SeasonPrices
    rules : sequence of PriceRules
        `SeasonRules.prices`.

    Returns
    -------
    numpy.ndarray of float, shape (assets, races)
        Tenths of a million dollars, NaN before an asset was first on sale.
    """
    known = season.tenths.copy()
    frozen = np.full(len(known), np.nan)
    for place, race_key in enumerate(season.race_keys):
        rows = season.on_sale(place)
        known[~rows, place] = frozen[~rows]
        if rows.any():
            in_force = price_rules_at(rules, race_key, season.race_keys)
            frozen[rows] = next_prices(season.at_lock(place), season.points[rows, place], in_force)
    return known


def _menu(season: SeasonPrices, known: Floats, race_key: str, has_sprint: bool) -> RaceMenu:
    place = season.race_keys.index(race_key)
    on_sale = season.on_sale(place)
    if not on_sale.any():
        raise UsageError(f"{race_key}: expected prices, there are none yet: `f1-pipeline refresh`, then `run`")
    keys = [asset_key(*row) for row in season.assets.itertuples(index=False, name=None)]
    offered = {
        key: (int(tenths), bool(is_on_sale))
        for key, tenths, is_on_sale in zip(keys, known[:, place], on_sale, strict=True)
        if is_on_sale or (key[0] == DRIVER and not np.isnan(tenths))
    }
    return RaceMenu(
        race_key=race_key,
        calendar=season.race_keys,
        has_sprint=has_sprint,
        prices={key: tenths for key, (tenths, _) in offered.items()},
        inactive=frozenset(key for key, (_, is_on_sale) in offered.items() if not is_on_sale),
    )
