"""The line-up of a race as a person reads it: assets, boost, prices, bank, expected points with range.

Neighbours: `lineups.optimal_lineup` and `predictions.asset_forecast` hold the rows, `tables.py` the style.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from f1_pipeline.errors import UsageError
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.report.tables import console, new_table
from f1_pipeline.steps.lineups import lineup_rules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_frame

LINEUP = """
    select lin.asset_type, lin.asset_id, coalesce(dri.name, con.name) as name, team.name as team, lin.is_boosted,
        cast(lin.price_musd as double) as price_musd, lin.expected_points, fct.p10, fct.p90, fct.draws,
        fct.is_live
    from lineups.optimal_lineup as lin
    inner join predictions.asset_forecast as fct using (race_key, asset_type, asset_id)
    inner join core.race_entry as ent using (race_key, asset_type, asset_id)
    left join core.driver as dri on lin.asset_type = 'driver' and lin.asset_id = dri.driver_id
    left join core.constructor as con on lin.asset_type = 'constructor' and lin.asset_id = con.constructor_id
    left join core.constructor as team on ent.constructor_id = team.constructor_id
    where lin.race_key = $race_key and lin.rank = $rank and fct.phase = 'at_lock' and fct.is_current
    order by lin.asset_type desc, lin.expected_points desc
"""


def read_lineup(pipeline: Pipeline, race_key: str | None, rank: int = 1) -> dict[str, Any]:
    """Read a line-up from the warehouse.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str or None
        The race; the next one by default.
    rank : int
        Which of the ten best.

    Returns
    -------
    dict
        The race, the assets with price (million dollars) and points (boost counted), the totals and the bank.

    Raises
    ------
    UsageError
        When the race is unknown, or its line-up has not been computed.
    """
    race = pipeline.calendar.get(race_key) if race_key else pipeline.calendar.next_race
    if race is None:
        raise UsageError("the season is over: name a race with --race")
    with pipeline.warehouse.read() as connection:
        if race.race_key not in pipeline.race_keys_in(connection, "lineups.optimal_lineup"):
            raise UsageError(f"no line-up for {race.race_key} yet: `f1-pipeline run --race {race.race_key}` makes it")
        rows = read_frame(connection, LINEUP, {"race_key": race.race_key, "rank": rank})
    if rows.empty:
        raise UsageError(f"{race.race_key} has no line-up of rank {rank}")
    rules = lineup_rules(pipeline, race.race_key)
    factor = np.where(rows["is_boosted"], rules.boost_multiplier, 1)
    points = ["expected_points", "p10", "p90"]
    rows[points] = rows[points].mul(factor, axis=0)
    # what happens together in a simulated weekend is added up together
    together = (factor[:, None] * np.stack(rows["draws"].to_list()) / TENTHS).sum(axis=0)
    low, high = np.quantile(together, (0.1, 0.9))
    cost_tenths = int((rows["price_musd"] * 10).round().sum())
    shown = rows.drop(columns=["draws", "is_live"]).round(1)
    return {
        "race_key": race.race_key,
        "race": race.name,
        "lock_at": race.lock_at.isoformat(),
        "rank": rank,
        "assets": shown.to_dict("records"),
        "cost_musd": cost_tenths / 10,
        "bank_musd": (rules.budget_tenths - cost_tenths) / 10,
        "expected_points": round(float(rows["expected_points"].sum()), 1),
        "p10": round(float(low), 1),
        "p90": round(float(high), 1),
        "is_live": bool(rows["is_live"].all()),
    }


def render_lineup(answer: dict[str, Any]) -> None:
    """Print a line-up that `read_lineup` has read, as a table."""
    season = answer["race_key"].split("-")[0]
    table = new_table(f"{season} {answer['race']}: line-up {answer['rank']} · locks {answer['lock_at'][:16]} UTC")
    for name, justify in (
        ("Asset", "left"),
        ("Team", "left"),
        ("$M", "right"),
        ("Points", "right"),
        ("8 in 10", "right"),
    ):
        table.add_column(name, justify=justify)
    for asset in answer["assets"]:
        name = f"{asset['name']} ×2" if asset["is_boosted"] else asset["name"]
        team = asset["team"] if asset["asset_type"] == "driver" else "constructor"
        interval = f"{asset['p10']:.0f} to {asset['p90']:.0f}"
        table.add_row(name, team, f"{asset['price_musd']:.1f}", f"{asset['expected_points']:.1f}", interval)
    table.add_section()
    interval = f"{answer['p10']:.0f} to {answer['p90']:.0f}"
    table.add_row("Line-up", "", f"{answer['cost_musd']:.1f}", f"{answer['expected_points']:.1f}", interval)
    table.add_row("Bank left", "", f"{answer['bank_musd']:.1f}", "", "")
    console().print(table)
    made = "before the lock" if answer["is_live"] else "after the lock, from what was known then"
    console().print(f"×2: the boost. Forecast made {made}.", style="dim")
