"""Steps that decide: the best line-ups of a race, and what they were worth afterwards.

Belongs here: the tables of line-ups, written and read. Neighbours: `race_choice` makes the problem of a race and
answers further wishes, `optimize` solves, `reasons` puts the picks in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import SolverError, UsageError, WarehouseError
from f1_pipeline.forecast.evaluation import capture_share, evaluate
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, LineupRules, money
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.enumeration import best_lineups, mean_affordable_points
from f1_pipeline.optimize.milp import POINTS_TOLERANCE, solve_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.shadow import Difference, ShadowValues
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.my_team import held_team
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import (
    FRESH_START,
    RaceChoice,
    RaceForecast,
    explained,
    own_team,
    race_forecasts,
)
from f1_pipeline.steps.reasons import pick_reasons
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

LINEUP_TABLE = "lineups.optimal_lineup"
RANKED_LINEUPS = 10
ACTUAL = """
    -- Who was on sale and then took no part scores nothing for those who hold him.
    select ent.race_key, ent.asset_type, ent.asset_id, coalesce(lea.total_points, 0) as total_points
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
    select race_key, asset_type, seat, is_boosted, is_own_team, lineup_points
    from lineups.optimal_lineup
    where rank = 1 and list_contains($race_keys, race_key)
    order by race_key, asset_type, seat
"""
STORED = """
    select asset_type, seat, is_boosted, is_own_team
    from lineups.optimal_lineup
    where race_key = $race_key and rank = $rank
    order by asset_type, seat
"""


def choose_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Find the ten best line-ups of each race, for your team where there is one, and store them.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.optimal_lineup`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the best line-up of each race as a Markdown table, and of a coming race why.

    Raises
    ------
    SolverError
        When no line-up keeps to the limits, or the integer programme finds another best line-up of a coming race.
    WarehouseError
        When a race has no forecast.
    """
    rows, details = [], {}
    for race_key, forecast in race_forecasts(pipeline, race_keys).items():
        own = own_team(pipeline, forecast.menu)
        problem = own.problem(forecast)
        ranked = best_lineups(problem, RANKED_LINEUPS)
        rows += [row for entry in ranked for row in _rows(forecast, problem, entry)]
        details[race_key] = _summary(forecast, problem, ranked[0])
        if not pipeline.calendar.get(race_key).is_finished:
            _prove(problem, ranked[0])
            details[race_key] |= _explanation(pipeline, explained(pipeline, forecast, own, ranked[:1]))
    report = run_model(pipeline, table, race_keys, pd.DataFrame(rows))
    return replace(report, details=details)


def stored_choice(pipeline: Pipeline, race_key: str, rank: int = 1) -> RaceChoice:
    """Read a line-up that has been stored, with what it hangs on.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    rank : int
        Which of the ten best.

    Returns
    -------
    RaceChoice
        With one line-up.

    Raises
    ------
    UsageError
        There is no such line-up, or it is not one of the team that you hold by now.
    """
    with pipeline.warehouse.read() as connection:
        if race_key not in pipeline.race_keys_in(connection, LINEUP_TABLE):
            raise UsageError(f"no line-up for {race_key} yet: `f1-pipeline run --race {race_key}` makes it")
        rows = read_frame(connection, STORED, {"race_key": race_key, "rank": rank})
    if rows.empty:
        raise UsageError(f"{race_key} has no line-up of rank {rank}")
    forecast = race_forecasts(pipeline, [race_key])[race_key]
    own = own_team(pipeline, forecast.menu) if rows["is_own_team"].all() else FRESH_START
    return explained(pipeline, forecast, own, [_stored(own.problem(forecast), rows, rank)])


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
    reviews = {}
    for race_key, menu in race_menus(pipeline, race_keys).items():
        team = held_team(pipeline, race_key) if chosen[race_key]["is_own_team"].any() else None
        points = _points_by_seat(menu, actuals[race_key])
        reviews[race_key] = _review(menu, pipeline.rules(race_key), team, points, chosen[race_key])
    rows = pd.DataFrame([{"race_key": race_key} | review for race_key, review in reviews.items()])
    report = run_model(pipeline, table, race_keys, rows)
    for race_key, forecasts in _rows_by_race(pipeline, FORECASTS, race_keys, "predictions.asset_points").items():
        _record_outcomes(pipeline, forecasts, reviews[race_key]["capture_share"])
    return replace(report, details=reviews)


def lineup_rules(pipeline: Pipeline, race_key: str) -> LineupRules:
    """Take from the rules of the season what a line-up must keep."""
    rules = pipeline.rules(race_key)
    team = rules.team
    return LineupRules(team.driver_count, team.constructor_count, team.budget_tenths, rules.boost.multiplier)


def _prove(problem: LineupProblem, best: RankedLineup) -> None:
    """Hold the line-up that will be played against the answer of the integer programme."""
    proven = solve_lineups(problem, 1)[0]
    if abs(proven.points - best.points) > POINTS_TOLERANCE * max(1.0, abs(best.points)):
        raise SolverError(
            f"{problem.title}: expected two solvers to agree on the best line-up, found {best.points} and "
            f"{proven.points} points."
        )


def _review(
    menu: RaceMenu, rules: SeasonRules, team: Team | None, points: Mapping[AssetKey, float], chosen: pd.DataFrame
) -> dict[str, float | None]:
    problem = team_problem(menu, points, rules, team)
    actual = _stored(problem, chosen, 1)
    hindsight_points = float(best_lineups(problem, 1)[0].points)
    # A manager without skill and without a team has the same money.
    fresh = team_problem(menu, points, rules)
    mean_points = mean_affordable_points(replace(fresh, rules=problem.rules))
    return {
        "predicted_points": float(chosen["lineup_points"].iloc[0]),
        "actual_points": actual.points,
        "hindsight_points": hindsight_points,
        "capture_share": capture_share(actual.points, hindsight_points),
        "mean_affordable_points": mean_points,
        "reward": actual.points - mean_points,
        "transfer_points": actual.transfer_points,
    }


def _points_by_seat(menu: RaceMenu, rows: pd.DataFrame) -> dict[AssetKey, float]:
    scored = zip(zip(rows["asset_type"], rows["asset_id"], strict=True), rows["total_points"], strict=True)
    points = {key: float(value) for key, value in scored}
    return {key: points[fact_key(key)] for key in menu.prices if menu.is_active(key)}


def _stored(problem: LineupProblem, rows: pd.DataFrame, rank: int) -> RankedLineup:
    """Make a line-up of its rows again, with the points of the problem."""
    row = {key: at for at, key in enumerate(problem.asset_keys)}
    keys = list(zip(rows["asset_type"], rows["seat"], strict=True))
    missing = [asset_id for key, asset_id in keys if (key, asset_id) not in row]
    if missing:
        raise UsageError(
            f"{problem.title}: expected the line-ups of the team you hold, found one with {missing[0]}: "
            f"`f1-pipeline run --race {problem.race_key}` makes them again"
        )
    first = len(problem.driver_ids)
    drivers = [row[key] for key in keys if key[0] == DRIVER]
    constructors = [row[key] - first for key in keys if key[0] == CONSTRUCTOR]
    boosted = row[DRIVER, rows.loc[rows["is_boosted"], "seat"].item()]
    return problem.ranked_with_boosts(rank, drivers, constructors, [boosted])


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


def _rows(forecast: RaceForecast, problem: LineupProblem, ranked: RankedLineup) -> list[dict[str, object]]:
    budget = problem.rules.budget_tenths
    points = dict(zip(problem.asset_keys, [*problem.driver_points, *problem.constructor_points], strict=True))
    of_lineup = {
        "race_key": forecast.menu.race_key,
        "rank": ranked.rank,
        "is_own_team": problem.held is not None,
        "transfer_count": ranked.transfer_count,
        "transfer_points": ranked.transfer_points,
        "lineup_points": ranked.points,
        "budget_musd": budget / 10,
        "bank_musd": (budget - ranked.cost_tenths) / 10,
    }
    return [
        of_lineup
        | {
            "asset_type": key[0],
            "asset_id": fact_key(key)[1],
            "seat": key[1],
            "is_boosted": key == (DRIVER, ranked.lineup.boosted_driver),
            "price_musd": problem.prices[key] / 10,
            "expected_points": points[key],
        }
        for key in ranked.lineup.asset_keys
    ]


def _summary(forecast: RaceForecast, problem: LineupProblem, best: RankedLineup) -> dict[str, float | str | None]:
    return {
        "expected_points": best.points,
        "cost_musd": best.cost_tenths / 10,
        "bank_musd": (problem.rules.budget_tenths - best.cost_tenths) / 10,
        "transfer_points": best.transfer_points,
        "line_up": _markdown(_shown(forecast, problem, best)),
    }


def _explanation(pipeline: Pipeline, choice: RaceChoice) -> dict[str, float | str | None]:
    """Say why the best line-up of a coming race is made so: its picks, the chips, what its limits are worth."""
    best, forecast = choice.lineups[0], choice.forecast
    shadow = choice.shadow()
    names = {key: forecast.name_of(key) for key in choice.problem.asset_keys}
    reasons = pick_reasons(pipeline, choice.problem, names, best.ranked.lineup.asset_keys, shadow.picks)
    shown = _shown(forecast, choice.problem, best.ranked)
    shown["why"] = [reasons[key] for key in best.ranked.lineup.asset_keys]
    incoming, outgoing = ([names[key] for key in keys] for keys in choice.transfers(best.ranked))
    chips = [{"chip": name, "adds": round(gain.points, 1)} for name, gain in choice.chips.items()]
    return {
        "p10_points": best.p10_points,
        "p90_points": best.p90_points,
        "line_up": _markdown(shown),
        "picture": _picture(choice),
        "transfers": f"in: {', '.join(incoming)}; out: {', '.join(outgoing)}" if incoming else None,
        "chips_now": _markdown(pd.DataFrame(chips)) if chips else None,
        "limits": _markdown(pd.DataFrame(limit_values(shadow))),
        "notes": "; ".join(choice.notes) or None,
    }


def _picture(choice: RaceChoice) -> str:
    # Matplotlib takes long to load, and a race of the past has no picture.
    from f1_pipeline.steps.lineup_picture import Bar, as_markdown, lineup_png

    best, problem = choice.lineups[0], choice.problem
    row = {key: at for at, key in enumerate(problem.asset_keys)}
    bars = []
    for key in best.ranked.lineup.asset_keys:
        is_boosted = key == (DRIVER, best.ranked.lineup.boosted_driver)
        points = choice.draws[:, row[key]] * (problem.rules.boost_multiplier if is_boosted else 1)
        low, high = np.quantile(points, (0.1, 0.9))
        name = choice.forecast.name_of(key)
        bars.append(Bar(f"{name} (boost)" if is_boosted else name, low, points.mean(), high))
    whole = f"{best.ranked.points:.0f} points, {best.p10_points:.0f} to {best.p90_points:.0f}"
    return as_markdown(lineup_png(f"{choice.forecast.menu.race_key}: {whole}", bars), f"The line-up: {whole}")


def limit_values(shadow: ShadowValues) -> list[dict[str, object]]:
    """List what the limits of a race are worth, as people read it.

    Parameters
    ----------
    shadow : ShadowValues

    Returns
    -------
    list of dict
        limit, points, p10 and p90: by how much the best line-up changes, and in 8 of 10 scenarios.
    """
    named: dict[str, Difference | None] = {
        f"{money(10)} more": shadow.million_more,
        f"{money(10)} less": shadow.million_less,
        "a free transfer more": shadow.transfer_more,
        "a free transfer less": shadow.transfer_less,
    }
    return [
        {"limit": name, "points": round(value.points, 1)}
        | {
            column: None if quantile is None else round(quantile, 1)
            for column, quantile in (("p10", value.p10_points), ("p90", value.p90_points))
        }
        for name, value in named.items()
        if value is not None
    ]


def _shown(forecast: RaceForecast, problem: LineupProblem, ranked: RankedLineup) -> pd.DataFrame:
    rows = pd.DataFrame(_rows(forecast, problem, ranked))
    names = [forecast.name_of(key) for key in ranked.lineup.asset_keys]
    boosts = np.where(rows["is_boosted"], " (boost)", "")
    return pd.DataFrame(
        {"asset": names + boosts, "price": rows["price_musd"], "points": rows["expected_points"].round(1)}
    )


def _markdown(rows: pd.DataFrame) -> str:
    return str(rows.to_markdown(index=False))
