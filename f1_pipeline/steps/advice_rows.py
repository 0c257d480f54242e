"""Advice for many teams as rows: one team a row, in the order of the teams.

Belongs here: the columns of the answer. Neighbours: `team_rows` has those of the question, `optimize.many_teams`
decides, `recommend` writes the files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from f1_pipeline.game.decisions import driver_of
from f1_pipeline.optimize.many_teams import Advice, RaceTables, boosted_drivers, held_points
from f1_pipeline.optimize.team_market import ANY_NUMBER, BILLIONTHS, Found, HeldTeams
from f1_pipeline.steps.team_rows import TeamRows

TEXTS = pa.list_(pa.string())
COLUMNS = {
    "race_key": pa.string(),
    "transfers_out": TEXTS,
    "transfers_in": TEXTS,
    "drivers": TEXTS,
    "constructors": TEXTS,
    "boosted": pa.string(),
    "extra_boosted": pa.string(),
    "chip": pa.string(),
    "transfer_count": pa.int32(),
    "transfer_points": pa.float64(),
    "cost_musd": pa.float64(),
    "bank_musd": pa.float64(),
    "expected_points": pa.float64(),
    "gain_points": pa.float64(),
    "chip_gain_points": pa.float64(),
}
FREE_UNDER = ("wildcard", "limitless")
"""Chips under which transfers cost nothing."""


def answer_schema(team_id: pa.DataType) -> pa.Schema:
    """Name the columns of the answer and their types."""
    return pa.schema({"team_id": team_id, **COLUMNS, "error": pa.string()})


def advice_rows(tables: RaceTables, ids: pa.Array, rows: TeamRows, advice: Advice) -> pa.Table:
    """Lay advice out.

    Parameters
    ----------
    tables : RaceTables
    ids : pyarrow.Array
        `team_id` of all rows.
    rows : TeamRows
    advice : Advice
        Of the good rows.

    Returns
    -------
    pyarrow.Table
        All rows in order; of a bad one only `team_id`, `race_key` and `error` are told.
    """
    place_of = np.full(len(ids), -1)
    place_of[rows.places] = np.arange(len(rows.places))
    good = _good_rows(tables, rows, advice).take(pa.array(place_of, mask=place_of < 0))
    columns = {name: good[name] for name in COLUMNS if name != "race_key"}
    everywhere = {"team_id": ids, "race_key": pa.repeat(tables.race_key, len(ids)), "error": pa.array(rows.errors)}
    schema = answer_schema(ids.type)
    return pa.table({name: (columns | everywhere)[name] for name in schema.names}).cast(schema)


def _good_rows(tables: RaceTables, rows: TeamRows, advice: Advice) -> pa.Table:
    market, teams, found = tables.market, rows.teams, advice.found
    names = _names(tables)
    drivers, all_names = names[: len(market.driver_ids)], names
    wanted, held = _holds(tables, found.drivers, found.pairs), _holds(tables, teams.drivers, teams.pairs)
    changed = (wanted & ~held).sum(axis=1)
    costs = market.driver_prices[found.drivers].sum(axis=1) + market.pair_costs[found.pairs]
    free_boost, extra_boost = _boosts(tables, found, advice.chips)
    chip_names = np.array([*tables.chips, ""], dtype=object)[advice.chips]
    is_limitless = chip_names == "limitless"
    return pa.table(
        {
            "transfers_out": _lists(held & ~wanted, all_names),
            "transfers_in": _lists(wanted & ~held, all_names),
            "drivers": _lists(wanted[:, : len(drivers)], drivers),
            "constructors": _lists(wanted[:, len(drivers) :], all_names[len(drivers) :]),
            "boosted": _texts(drivers, free_boost),
            "extra_boosted": _texts(drivers, extra_boost),
            "chip": _texts(tables.chips, advice.chips),
            "transfer_count": changed.astype(np.int32),
            "transfer_points": _transfer_points(tables, teams, changed, np.isin(chip_names, FREE_UNDER)),
            "cost_musd": costs / 10,
            "bank_musd": pa.array((teams.budget_tenths - costs) / 10, mask=is_limitless),
            "expected_points": found.points / BILLIONTHS,
            "gain_points": (found.points - held_points(tables, teams, rows.boosted)) / BILLIONTHS,
            "chip_gain_points": pa.array(advice.chip_points, mask=advice.chips < 0),
        }
    )


def _names(tables: RaceTables) -> list[str]:
    """Name assets as `my_team.toml` does: drivers by id, and by seat who does not take part."""
    drivers = [seat if seat in tables.idle_seats else driver_of(seat) for seat in tables.market.driver_ids]
    return [*drivers, *tables.market.constructor_ids]


def _holds(tables: RaceTables, drivers: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    market = tables.market
    holds = np.zeros((len(pairs), len(market.asset_keys)), dtype=bool)
    np.put_along_axis(holds, drivers, True, axis=1)
    np.put_along_axis(holds, len(market.driver_ids) + market.pairs[pairs], True, axis=1)
    return holds


def _boosts(tables: RaceTables, found: Found, chips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find who has the free boost, and who has the one of the chip, -1 for nobody."""
    free = boosted_drivers(tables.worth, found.drivers)[:, 0]
    extra = np.full(len(free), -1)
    for chip, name in enumerate(tables.chips):
        own = np.flatnonzero(chips == chip)
        if own.size and name in tables.worth_under:
            worth = tables.worth_under[name]
            best = boosted_drivers(worth, found.drivers[own])
            place = worth.boosts.index(tables.worth.boosts[0])
            free[own] = best[:, place]
            if len(worth.boosts) > 1:
                extra[own] = best[:, 1 - place]
    return free, extra


def _transfer_points(tables: RaceTables, teams: HeldTeams, changed: np.ndarray, is_free: np.ndarray) -> np.ndarray:
    above = np.maximum(changed - teams.free_transfers, 0)
    is_free = is_free | (teams.free_transfers == ANY_NUMBER)
    return np.where(is_free | (above == 0), 0.0, above * tables.extra_points)


def _lists(holds: np.ndarray, names: Sequence[str]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(holds.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _texts(names, np.nonzero(holds)[1]))


def _texts(names: Sequence[str], rows: np.ndarray) -> pa.Array:
    """Name rows; nothing where a row is below 0."""
    return pa.array(list(names), type=pa.string()).take(pa.array(rows, mask=rows < 0))
