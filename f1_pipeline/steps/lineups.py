"""Steps that decide: the best line-ups of a race, and what they were worth afterwards.

Neighbours: `optimize` solves, `game.lineup` validates and counts, `game.rules` says how many and how much.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.evaluation import capture_share, evaluate
from f1_pipeline.game.lineup import Lineup, LineupRules, lineup_points
from f1_pipeline.optimize.enumeration import best_lineups, mean_affordable_points
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

RANKED_LINEUPS = 10
MENU = """
    select ent.race_key, ent.asset_type, ent.asset_id, ent.fantasy_price_musd,
        coalesce(dri.name, con.name) as asset_name, poi.expected_points, poi.sd_points
    from core.race_entry as ent
    inner join predictions.asset_points as poi using (race_key, asset_type, asset_id)
    left join core.driver as dri on ent.asset_type = 'driver' and ent.asset_id = dri.driver_id
    left join core.constructor as con on ent.asset_type = 'constructor' and ent.asset_id = con.constructor_id
    where list_contains($race_keys, ent.race_key)
    order by ent.race_key, ent.asset_type, ent.asset_id
"""
ACTUAL = """
    -- Who was on sale and then took no part scores nothing for those who hold him.
    select ent.race_key, ent.asset_type, ent.asset_id, ent.fantasy_price_musd,
        coalesce(lea.total_points, 0) as total_points
    from core.race_entry as ent
    left join marts.race_leaderboard as lea using (race_key, asset_type, asset_id)
    where list_contains($race_keys, ent.race_key)
    order by ent.race_key, ent.asset_type, ent.asset_id
"""
FORECASTS = """
    select poi.race_key, poi.asset_type, poi.asset_id, poi.model_uri, poi.expected_points, poi.p10, poi.p90,
        lea.total_points
    from predictions.asset_points as poi
    inner join marts.race_leaderboard as lea using (race_key, asset_type, asset_id)
    where list_contains($race_keys, poi.race_key)
    order by poi.race_key, poi.asset_type, poi.asset_id
"""
CHOSEN = """
    select race_key, asset_type, asset_id, is_boosted, expected_points
    from lineups.optimal_lineup
    where rank = 1 and list_contains($race_keys, race_key)
    order by race_key, asset_type, asset_id
"""


def choose_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Solve for the ten best line-ups of each race and store them.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.optimal_lineup`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the best line-up of each race as a Markdown table.

    Raises
    ------
    SolverError
        When no legal line-up fits the budget.
    WarehouseError
        When a race has no forecast.
    """
    menus = _rows_by_race(pipeline, MENU, race_keys, "predictions.asset_points")

    def solve(race_key: str) -> list[RankedLineup]:
        problem = _problem(menus[race_key], "expected_points", lineup_rules(pipeline, race_key))
        return solve_lineups(problem, RANKED_LINEUPS)

    # CBC is a process of its own, so threads are enough to keep every core at work.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        ranked = dict(zip(race_keys, pool.map(solve, race_keys), strict=True))
    rows = {
        race_key: pd.concat([_lineup_rows(menus[race_key], entry) for entry in entries])
        for race_key, entries in ranked.items()
    }
    details = {
        race_key: {
            "expected_points": entries[0].points,
            "cost_musd": entries[0].cost_tenths / 10,
            "line_up": _markdown(rows[race_key].query("rank == 1")),
        }
        for race_key, entries in ranked.items()
    }
    report = run_model(pipeline, table, race_keys, pd.concat(rows.values(), ignore_index=True))
    return replace(report, details=details)


def review_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Score the recommended line-up of each finished race against hindsight and the mean line-up.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.lineup_review`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the figures of each race.

    Raises
    ------
    WarehouseError
        When a race has no points or no recommended line-up.
    """
    actuals = _rows_by_race(pipeline, ACTUAL, race_keys, "core.race_entry")
    chosen = _rows_by_race(pipeline, CHOSEN, race_keys, "lineups.optimal_lineup")
    details = {
        race_key: _review(actuals[race_key], chosen[race_key], lineup_rules(pipeline, race_key))
        for race_key in race_keys
    }
    rows = pd.DataFrame([{"race_key": race_key} | review for race_key, review in details.items()])
    report = run_model(pipeline, table, race_keys, rows)
    for race_key, forecasts in _rows_by_race(pipeline, FORECASTS, race_keys, "predictions.asset_points").items():
        _record_outcomes(pipeline, forecasts, details[race_key]["capture_share"])
    return replace(report, details=details)


def lineup_rules(pipeline: Pipeline, race_key: str) -> LineupRules:
    """Take from the rules of the season what a line-up must keep."""
    rules = pipeline.rules(race_key)
    team = rules.team
    return LineupRules(team.driver_count, team.constructor_count, team.budget_tenths, rules.boost.multiplier)


def _review(actual: pd.DataFrame, chosen: pd.DataFrame, rules: LineupRules) -> dict[str, float | None]:
    problem = _problem(actual, "total_points", rules)
    points = actual.set_index(["asset_type", "asset_id"])["total_points"].to_dict()
    weight = 1 + (rules.boost_multiplier - 1) * chosen["is_boosted"].astype(float)
    actual_points = float(lineup_points(_lineup(chosen), points, rules))
    hindsight_points = float(best_lineups(problem, 1)[0].points)
    mean_points = mean_affordable_points(problem)
    return {
        "predicted_points": float((chosen["expected_points"] * weight).sum()),
        "actual_points": actual_points,
        "hindsight_points": hindsight_points,
        "capture_share": capture_share(actual_points, hindsight_points),
        "mean_affordable_points": mean_points,
        "reward": actual_points - mean_points,
    }


def _record_outcomes(pipeline: Pipeline, forecasts: pd.DataFrame, share: float | None) -> None:
    """Add to the MLflow run of each model how its forecast did in the race that it was made for."""
    for model_uri, rows in forecasts.groupby("model_uri"):
        actuals = rows[["race_key", "asset_id", "total_points"]].rename(columns={"total_points": "points"})
        figures = evaluate(rows.drop(columns="total_points"), actuals)
        outcome = {f"race_{name}": value for name, value in figures.items()} | {"lineup_capture_share": share}
        known = {name: float(value) for name, value in outcome.items() if value is not None}
        pipeline.tracking.record_outcome(str(model_uri), known)


def _rows_by_race(pipeline: Pipeline, query: str, race_keys: Sequence[str], table: str) -> dict[str, pd.DataFrame]:
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, query, {"race_keys": list(race_keys)})
    found = {str(race_key): group for race_key, group in rows.groupby("race_key", sort=False)}
    missing = [race_key for race_key in race_keys if race_key not in found]
    if missing:
        raise WarehouseError(f"{table}: expected rows for {', '.join(missing)}, found none; materialize it first")
    return found


def _problem(menu: pd.DataFrame, points: str, rules: LineupRules) -> LineupProblem:
    prices = (menu["fantasy_price_musd"].astype(float) * 10).round().astype(int)
    return LineupProblem.from_frame(menu.assign(price_tenths=prices, points=menu[points]), rules)


def _lineup(chosen: pd.DataFrame) -> Lineup:
    ids = {kind: tuple(rows["asset_id"]) for kind, rows in chosen.groupby("asset_type")}
    boosted = chosen.loc[chosen["is_boosted"], "asset_id"].item()
    return Lineup(drivers=ids["driver"], constructors=ids["constructor"], boosted_driver=boosted)


def _lineup_rows(menu: pd.DataFrame, ranked: RankedLineup) -> pd.DataFrame:
    held = pd.MultiIndex.from_tuples(ranked.lineup.asset_keys, names=["asset_type", "asset_id"])
    rows = menu.set_index(["asset_type", "asset_id"]).loc[held].reset_index()
    is_boosted = (rows["asset_type"] == "driver") & (rows["asset_id"] == ranked.lineup.boosted_driver)
    return rows.assign(rank=ranked.rank, is_boosted=is_boosted, price_musd=rows["fantasy_price_musd"])


def _markdown(rows: pd.DataFrame) -> str:
    names = rows["asset_name"] + rows["is_boosted"].map({True: " (boost)", False: ""})
    shown = pd.DataFrame({"asset": names, "price": rows["price_musd"], "points": rows["expected_points"].round(1)})
    return str(shown.to_markdown(index=False))
