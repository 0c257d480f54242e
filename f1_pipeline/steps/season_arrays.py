"""Seasons of the warehouse as arrays: what was known at each lock and what came of it, and the simulator of a season.

Belongs here: reading. The shape is :mod:`f1_pipeline.rl.seasons`, seasons that might have been are made by
:mod:`f1_pipeline.rl.simulated`; forecasts come from `knowledge`, results from `season_races`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.game.chips import session_order
from f1_pipeline.game.decisions import driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.game.rules import load_rules
from f1_pipeline.game.settlement import inactive_points
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.optimize.plan_problem import team_of
from f1_pipeline.rl.seasons import (
    HISTORY,
    SLOTS,
    GivenSeasons,
    SeasonFrame,
    Seasons,
    form_features,
    slot_order,
)
from f1_pipeline.steps.backtest import remaining_points
from f1_pipeline.steps.knowledge import Knowledge, season_knowledge
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import SeasonRaces, fact_key, season_races
from f1_pipeline.steps.weekends import weekend_models
from f1_pipeline.warehouse.frames import read_frame

if TYPE_CHECKING:
    from f1_pipeline.game.decisions import RaceMenu
    from f1_pipeline.rl.simulated import SimulatedSeasons

RACES = """
    select race_key, race_date, circuit_id, circuit_type, has_sprint
    from core.race
    where season = $season and not is_cancelled
    order by race_date
"""
PAST = """
    select 'driver' as asset_type, per.driver_id as asset_id, rac.race_date, rac.circuit_id, per.total_points,
        per.fantasy_price_musd
    from core.driver_race_performance as per
    inner join core.race as rac using (race_key)
    where rac.season < $season
    union all
    select 'constructor' as asset_type, con.constructor_id as asset_id, rac.race_date, rac.circuit_id, per.total_points,
        per.fantasy_price_musd
    from core.constructor_race_performance as per
    inner join core.race as rac using (race_key)
    inner join core.constructor as own on per.constructor_id = own.constructor_id
    inner join core.constructor as con on own.lineage_id = con.lineage_id
    where rac.season < $season
    order by race_date
"""
SPREAD = """
    select race_key, asset_type, asset_id, sd_points
    from predictions.asset_forecast
    where is_current and phase = 'at_lock' and list_contains($race_keys, race_key)
"""


def real_season(pipeline: Pipeline, season: int) -> GivenSeasons:
    """Read a season as it was: official points and prices, and the forecasts that were known at each lock.

    Parameters
    ----------
    pipeline : Pipeline
    season : int

    Returns
    -------
    GivenSeasons
        One season, of the races that are finished.

    Raises
    ------
    UsageError
        The season has no finished race.
    WarehouseError
        A race of it has not been computed.
    """
    races = season_races(pipeline, season)
    known = season_knowledge(pipeline, races.race_keys, with_gains=False)
    with pipeline.warehouse.read() as connection:
        spread = read_frame(connection, SPREAD, {"race_keys": list(races.race_keys)})
    return laid_out(pipeline, races, known, spread)


def laid_out(pipeline: Pipeline, races: SeasonRaces, known: Knowledge, spread: pd.DataFrame) -> GivenSeasons:
    """Lay out the races of a season and what was known of them as arrays.

    Parameters
    ----------
    pipeline : Pipeline
        For the calendar and the seasons before.
    races : SeasonRaces
    known : Knowledge
    spread : pandas.DataFrame
        race_key, asset_type, asset_id and sd_points of the forecasts at the locks; 0 of who is missing.

    Returns
    -------
    GivenSeasons
        One season.
    """
    penalties = [inactive_points(((DRIVER, ""),), menu, races.rules) for menu in races.menus]
    frame = _frame(pipeline, races.season, races.race_keys, _by_appearance(races.menus), penalties)

    def coming(_: int, race: int) -> ComingRaces:
        return known.coming[frame.race_keys[race]]

    return GivenSeasons(frame, _seasons(frame, races, known, spread), coming)


def season_simulator(pipeline: Pipeline, season: int) -> SimulatedSeasons:
    """Make the simulator of a season, from what was known at the lock of its first race.

    Parameters
    ----------
    pipeline : Pipeline
    season : int

    Returns
    -------
    SimulatedSeasons
        Every race of its calendar, with the line-up of drivers and the prices of the first one.

    Raises
    ------
    UsageError
        The season has no race.
    WarehouseError
        Its first race has no weekend model or no prices.
    """
    from f1_pipeline.forecast.later_races import LaterRace
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.weekend_files import read_weekend
    from f1_pipeline.rl.simulated import SimulatedSeasons

    calendar = _calendar(pipeline, season)
    opener = str(calendar.index[0])
    ((_, uri),) = weekend_models(pipeline, [opener])
    weekend = read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))
    menu = race_menus(pipeline, [opener])[opener]
    offered = [key for key in sorted(menu.prices) if menu.is_active(key)]
    # Whoever is on sale drives to the end, so nobody ever holds one who takes no part.
    frame = _frame(pipeline, season, tuple(calendar.index), offered, [0] * len(calendar))
    slots = {fact_key(key): slot for slot, key in enumerate(frame.assets) if key is not None}
    names = [*((DRIVER, name) for name in weekend.drivers), *((CONSTRUCTOR, name) for name in weekend.constructors)]
    missing = sorted(set(slots) - set(names))
    if missing:
        raise WarehouseError(f"{opener}: expected a forecast of every asset on sale, found none of {missing[0][1]!r}")
    prices = np.zeros(SLOTS, dtype=np.int32)
    for slot, key in enumerate(frame.assets):
        if key is not None:
            prices[slot] = menu.prices[key]
    return SimulatedSeasons(
        frame=frame,
        later=weekend.later,
        races=tuple(
            LaterRace(day.toordinal(), str(circuit_id), bool(has_sprint))
            for day, circuit_id, has_sprint in zip(
                calendar["race_date"], calendar["circuit_id"], calendar["has_sprint"], strict=True
            )
        ),
        columns=np.array([slots.get(name, -1) for name in names]),
        start_prices=prices,
    )


def season_opener(pipeline: Pipeline, season: int) -> str:
    """Name the first race of a season.

    Raises
    ------
    UsageError
        The season has no race.
    """
    return str(_calendar(pipeline, season).index[0])


def _calendar(pipeline: Pipeline, season: int) -> pd.DataFrame:
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, RACES, {"season": season})
    if rows.empty:
        seasons = sorted({race.season for race in pipeline.calendar.races})
        raise UsageError(f"Season {season}: expected one of {', '.join(map(str, seasons))}.")
    return rows.set_index("race_key")


def _by_appearance(menus: Iterable[RaceMenu]) -> list[AssetKey]:
    """List the assets in the order in which they came on sale, those of one race by name."""
    found: dict[AssetKey, None] = {}
    for menu in menus:
        found |= dict.fromkeys(sorted(key for key in menu.prices if menu.is_active(key)))
    return list(found)


def _frame(
    pipeline: Pipeline, season: int, race_keys: Sequence[str], keys: Sequence[AssetKey], penalties: Sequence[int]
) -> SeasonFrame:
    whole = _calendar(pipeline, season)
    calendar = whole.loc[list(race_keys)]
    rules = load_rules(pipeline.settings.data_dir, season)
    with pipeline.warehouse.read() as connection:
        past = read_frame(connection, PAST, {"season": season})
    assets = slot_order(keys)
    slots = {key: slot for slot, key in enumerate(assets) if key is not None}
    teams = np.full(SLOTS, -1)
    history, paid = np.full((SLOTS, HISTORY), np.nan), np.full((SLOTS, HISTORY), np.nan)
    circuit = np.zeros((len(race_keys), SLOTS))
    by_asset = dict(iter(past.groupby(["asset_type", "asset_id"])))
    for key, slot in slots.items():
        teams[slot] = slots[CONSTRUCTOR, team_of(key)]
        rows = by_asset.get(fact_key(key))
        if rows is None:
            continue
        latest = rows.iloc[-HISTORY:]
        history[slot, HISTORY - len(latest) :] = latest["total_points"].astype(float)
        paid[slot, HISTORY - len(latest) :] = latest["fantasy_price_musd"].astype(float)
        means = rows.groupby("circuit_id")["total_points"].mean()
        circuit[:, slot] = calendar["circuit_id"].map(means).fillna(0.0).to_numpy(dtype=float)
    return SeasonFrame(
        rules=rules,
        race_keys=tuple(race_keys),
        circuit_types=tuple(calendar["circuit_type"].astype(str)),
        has_sprint=calendar["has_sprint"].to_numpy(dtype=bool),
        inactive_points=np.array(penalties, dtype=np.int64),
        assets=assets,
        team_of=teams,
        history=history,
        history_prices=paid,
        circuit_mean_points=circuit,
        calendar_count=len(whole),
    )


def _seasons(frame: SeasonFrame, races: SeasonRaces, known: Knowledge, spread: pd.DataFrame) -> Seasons:
    """Lay out a real season, M being 1."""
    slots = {key: slot for slot, key in enumerate(frame.assets) if key is not None}
    at = np.array([slots[key] for key in races.assets])
    shape = (frame.race_count, SLOTS)
    names = zip(spread["race_key"], spread["asset_type"], spread["asset_id"], strict=True)
    deviations = dict(zip(names, spread["sd_points"].astype(float), strict=True))
    found = {name: np.zeros(shape) for name in ("expected", "expected_sd", "expected_change")}
    prices, is_active = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=bool)
    remaining, hoped = np.zeros(shape), np.full(shape, -np.inf)
    last: dict[AssetKey, int] = {}
    for race, menu in enumerate(races.menus):
        last |= menu.prices
        coming = known.coming[menu.race_key]
        # Without a race to come the prices after it are nobody's concern.
        after = coming.menus[1].prices if len(coming.menus) > 1 else menu.prices
        columns = {key: column for column, key in enumerate(coming.assets)}
        for key, tenths in last.items():
            slot = slots[key]
            prices[race, slot], is_active[race, slot] = tenths, menu.is_active(key)
            if not menu.is_active(key):
                continue
            column = columns[key]
            found["expected"][race, slot] = coming.points[0, column]
            found["expected_sd"][race, slot] = deviations.get((menu.race_key, *fact_key(key)), 0.0)
            found["expected_change"][race, slot] = (after[key] - tenths) / 10
        later = _sessions_after_qualifying(races, menu)
        for seat in menu.seats.values():
            items = races.items[race][fact_key((DRIVER, seat))]
            remaining[race, slots[DRIVER, seat]] = sum(points for session, _, points in items if session in later)
        for seat, points in remaining_points(races, known, menu, race).items():
            hoped[race, slots[DRIVER, seat]] = points
    points, floored = np.zeros(shape), np.zeros(shape)
    points[:, at], floored[:, at] = races.points, races.no_negative_points
    form = form_features(
        frame, _raced(races, frame)[np.newaxis], prices[np.newaxis], is_active[np.newaxis], _same(frame)
    )
    arrays = {
        **found,
        "points": points,
        "no_negative_points": floored,
        "remaining_points": remaining,
        "remaining_expected": hoped,
    }
    singles = {name: values[np.newaxis].astype(np.float32) for name, values in arrays.items()}
    return Seasons(prices=prices[np.newaxis], is_active=is_active[np.newaxis], form=form, **singles)


def _sessions_after_qualifying(races: SeasonRaces, menu: RaceMenu) -> tuple[str, ...]:
    order = session_order(races.rules, menu.has_sprint)
    return order[order.index("qualifying") + 1 :]


def _raced(races: SeasonRaces, frame: SeasonFrame) -> np.ndarray:
    """Return points of who has items, NaN elsewhere: shape (T, SLOTS)."""
    slots = {key: slot for slot, key in enumerate(frame.assets) if key is not None}
    found = np.full((frame.race_count, SLOTS), np.nan)
    for race, (menu, items) in enumerate(zip(races.menus, races.items, strict=True)):
        for key in (key for key in menu.prices if menu.is_active(key)):
            if items[fact_key(key)]:
                found[race, slots[key]] = sum(points for _, _, points in items[fact_key(key)])
    return found


def _same(frame: SeasonFrame) -> np.ndarray:
    """Return the first slot of the same driver, for each slot."""
    first: dict[str, int] = {}
    found = np.arange(SLOTS)
    for slot, key in enumerate(frame.assets):
        if key is not None and key[0] == DRIVER:
            found[slot] = first.setdefault(driver_of(key[1]), slot)
    return found
