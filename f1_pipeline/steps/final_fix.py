"""Whether to play Final Fix at a coming race: the best swap after qualifying, against keeping the chip.

Belongs here: the advice between qualifying and the race. Neighbours: `optimize.policies` finds the swap,
`optimize.chip_timing` weighs it, `backtest` plays it in past seasons. Nothing is advised before qualifying.

What remains is the published forecast after qualifying less what the sessions up to qualifying brought; the simulation
of that phase knows their results and scores them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from f1_pipeline.forecast.phases import AFTER_QUALIFYING
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.forecast.simulated_points import STORED_DRAWS, simulation_seed
from f1_pipeline.game.chips import FinalFix
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, Lineup
from f1_pipeline.game.team import LockedTeam, Team
from f1_pipeline.optimize.policies import final_fix
from f1_pipeline.steps.chips import known_at
from f1_pipeline.steps.lineups import stored_rows
from f1_pipeline.steps.my_team import entered_team, held_team
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import RaceForecast, playable_chips, race_forecasts
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.steps.weekends import list_values, weekend_models
from f1_pipeline.warehouse.frames import has_table, read_frame
from f1_pipeline.warehouse.writer import WriteReport

FINAL_FIX_TABLE = "lineups.final_fix_advice"
CHIP = "final_fix"
DRAWS = """
    select race_key, asset_id, expected_points, is_live, draws
    from predictions.asset_forecast
    where
        is_current and phase = 'after_qualifying' and asset_type = 'driver' and list_contains($race_keys, race_key)
    order by race_key, asset_id
"""
ADVICE = """
    select outgoing_seat, incoming_seat, is_boosted, gain_points, p10_points, p90_points, gain_probability, keep_points,
        is_advised, is_own_team, is_live, advice
    from lineups.final_fix_advice
    where race_key = $race_key
"""


@dataclass(frozen=True, eq=False)
class Remaining:
    """What is expected of drivers after qualifying.

    Attributes
    ----------
    points : dict of str to float
        By seat.
    draws : dict of str to ndarray of shape (n,)
        Joint draws by seat.
    is_live : bool
        Whether the forecast was made before the start of the race.
    """

    points: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    is_live: bool


def advise_final_fix(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Advise whether to play Final Fix at some races: one row where qualifying is known and the chip may be played.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.final_fix_advice`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With each advice in words.

    Raises
    ------
    WarehouseError
        When a race has no line-up, or earlier races have no record of chips.
    """
    with pipeline.warehouse.read() as connection:
        drawn = connection.execute(DRAWS, {"race_keys": list(race_keys)}).to_arrow_table()
    rows = drawn.drop_columns(["draws"]).to_pandas()
    found = []
    for race_key, own in rows.groupby("race_key"):
        forecast = race_forecasts(pipeline, [str(race_key)])[str(race_key)]
        locked = locked_team(pipeline, forecast)
        if locked is not None:
            draws = list_values(drawn["draws"])[own.index] / TENTHS
            found.append(_advice(pipeline, forecast, locked, _remaining(pipeline, forecast, own, draws)))
    columns = list(pipeline.contracts[table].column_names)
    report = run_model(pipeline, table, race_keys, with_nulls(pd.DataFrame(found, columns=columns)))
    return replace(report, details={str(row["race_key"]): {"advice": str(row["advice"])} for row in found})


def stored_advice(pipeline: Pipeline, race_key: str) -> dict[str, object] | None:
    """Read the advice for a race; None where there is none.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str

    Returns
    -------
    dict or None
        The columns of `lineups.final_fix_advice`.
    """
    with pipeline.warehouse.read() as connection:
        if not has_table(connection, FINAL_FIX_TABLE):
            return None
        rows = read_frame(connection, ADVICE, {"race_key": race_key})
    if rows.empty:
        return None
    row = rows.astype(object).where(rows.notna(), None).iloc[0]
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


def locked_team(pipeline: Pipeline, forecast: RaceForecast) -> LockedTeam | None:
    """Lock the team that Final Fix would be played with: the one entered, else with the recommended line-up.

    Parameters
    ----------
    pipeline : Pipeline
    forecast : RaceForecast

    Returns
    -------
    LockedTeam or None
        None when the team may not play the chip at this race.
    """
    menu, rules = forecast.menu, forecast.rules
    held = held_team(pipeline, menu.race_key)
    if CHIP not in playable_chips(forecast, held):
        return None
    entered = entered_team(pipeline, menu.race_key)
    if entered is not None:
        return entered.apply(Decision(entered.lineup), menu) if CHIP in entered.chips_left else None
    rows = stored_rows(pipeline, menu.race_key, 1)
    lineup = Lineup(
        *(tuple(rows.loc[rows["asset_type"] == kind, "seat"]) for kind in (DRIVER, CONSTRUCTOR)),
        rows.loc[rows["is_boosted"], "seat"].item(),
    )
    on_sale = {key: price for key, price in menu.prices.items() if menu.is_active(key)}
    team = held if held is not None else Team.start(lineup, on_sale, rules)
    return team.apply(Decision(lineup), menu)


def _remaining(pipeline: Pipeline, forecast: RaceForecast, rows: pd.DataFrame, draws: np.ndarray) -> Remaining:
    scored = _scored_by_qualifying(pipeline, forecast.menu.race_key)
    points, by_seat = {}, {}
    for at, (driver, expected) in enumerate(zip(rows["asset_id"], rows["expected_points"], strict=True)):
        seat = forecast.menu.seats.get(driver)
        if seat is not None and driver in scored:
            points[seat] = float(expected) - scored[driver]
            by_seat[seat] = draws[at] - scored[driver]
    return Remaining(points, by_seat, bool(rows["is_live"].all()))


def _scored_by_qualifying(pipeline: Pipeline, race_key: str) -> dict[str, float]:
    """Score the sessions up to qualifying as the simulation knows them; passes of a sprint are their mean."""
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.remaining_points import points_after_qualifying
    from f1_pipeline.forecast.simulation import simulate_points
    from f1_pipeline.forecast.weekend_files import read_weekend

    ((_, uri),) = weekend_models(pipeline, [race_key])
    drivers, _, outlooks, _ = read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))
    day = pipeline.calendar.get(race_key).race_date.toordinal()
    seed, rules = simulation_seed(day, AFTER_QUALIFYING), pipeline.rules(race_key)
    drawn = simulate_points(outlooks[AFTER_QUALIFYING], rules, STORED_DRAWS, seed, with_items=True)
    assert drawn.scores.driver_items is not None, "items were asked for"
    later = points_after_qualifying(drawn.scores.driver_items, rules, drawn.weekends.sprint is not None)
    return dict(zip(drivers, (drawn.driver_points - later).mean(axis=0).tolist(), strict=True))


def _advice(pipeline: Pipeline, forecast: RaceForecast, locked: LockedTeam, remaining: Remaining) -> dict[str, object]:
    race_key = forecast.menu.race_key
    swap = final_fix(locked, remaining.points)
    keep = known_at(pipeline, race_key).keep_value(race_key, CHIP)
    gains = np.zeros(1) if swap is None else _gains(locked, swap[0], remaining)
    low, high = np.quantile(gains, (0.1, 0.9))
    row: dict[str, object] = {
        "race_key": race_key,
        "outgoing_seat": None if swap is None else swap[0].outgoing,
        "incoming_seat": None if swap is None else swap[0].incoming,
        "is_boosted": swap is not None and swap[0].outgoing == locked.fielded.boosted_driver,
        "gain_points": 0.0 if swap is None else swap[1],
        "p10_points": float(low),
        "p90_points": float(high),
        "gain_probability": float((gains > 0).mean()),
        "keep_points": keep if math.isfinite(keep) else None,
        "is_advised": swap is not None and swap[1] >= keep,
        "is_own_team": held_team(pipeline, race_key) is not None,
        "is_live": remaining.is_live,
    }
    return row | {"advice": _in_words(forecast, row)}


def _gains(locked: LockedTeam, swap: FinalFix, remaining: Remaining) -> np.ndarray:
    """Say what a swap adds in each draw; who sits out scores nothing, and a boost goes along."""
    weight = locked.kept.rules.boost.multiplier if swap.outgoing == locked.fielded.boosted_driver else 1
    return weight * (remaining.draws[swap.incoming] - remaining.draws.get(swap.outgoing, 0.0))


def _in_words(forecast: RaceForecast, row: Mapping[str, object]) -> str:
    if row["outgoing_seat"] is None:
        return "Keep Final Fix: after qualifying no swap within your money is expected to add points."
    outgoing, incoming = (forecast.name_of((DRIVER, str(row[name]))) for name in ("outgoing_seat", "incoming_seat"))
    boost = ", with the boost" if row["is_boosted"] else ""
    gain = (
        f"{outgoing} out, {incoming} in{boost}: {row['gain_points']:+.1f} points in the sessions that remain "
        f"({row['p10_points']:+.0f} to {row['p90_points']:+.0f} in 8 weekends of 10, a gain in "
        f"{row['gain_probability']:.0%} of them)"
    )
    if row["keep_points"] is None:
        return f"Keep Final Fix: too few races are recorded to say what it is worth later. Best swap: {gain}."
    kept = f"the chip kept for later is worth {row['keep_points']:.1f}"
    return f"Play Final Fix: {gain}; {kept}." if row["is_advised"] else f"Keep Final Fix: {kept}. Best swap: {gain}."
