"""Steps that decide: the best line-ups of a race.

Belongs here: the table of line-ups, written and read. Neighbours: `race_choice` makes the problem of a race and
answers further wishes, `optimize` solves, `reasons` puts the picks in words, `review` says what the best one was worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import SolverError, UsageError
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, LineupRules, money
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.milp import POINTS_TOLERANCE, solve_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.shadow import Difference, ShadowValues
from f1_pipeline.steps.locks import settled_races
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
from f1_pipeline.steps.team_changes import LINEUP_TABLE
from f1_pipeline.warehouse.frames import has_table, read_frame
from f1_pipeline.warehouse.writer import WriteReport

RANKED_LINEUPS = 10
SETTLED = """
    select * from lineups.optimal_lineup
    where list_contains($race_keys, race_key)
    order by all
"""
MODELS = """
    select distinct model_uri from predictions.asset_points where race_key = $race_key order by model_uri
"""
STORED = """
    select asset_type, seat, is_boosted, is_own_team
    from lineups.optimal_lineup
    where race_key = $race_key and rank = $rank
    order by asset_type, seat
"""


def choose_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Find the ten best line-ups of each race, for your team where there is one, and store them.

    What was recommended before the lock of a settled race stays, whatever has become known since.

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
    parts, details = [], {}
    kept = _settled_rows(pipeline, race_keys)
    for race_key, forecast in race_forecasts(pipeline, race_keys).items():
        rows = kept.get(race_key)
        own = FRESH_START if _is_of_nobody(rows) else own_team(pipeline, forecast.menu)
        problem = own.problem(forecast)
        if rows is not None:
            best = lineup_of_rows(problem, rows[rows["rank"] == 1], 1)
            parts.append(rows)
        else:
            ranked = best_lineups(problem, RANKED_LINEUPS)
            best = ranked[0]
            parts += [pd.DataFrame(_rows(forecast, problem, entry)) for entry in ranked]
        details[race_key] = _summary(forecast, problem, best)
        if not pipeline.calendar.get(race_key).is_finished:
            if rows is None:
                _prove(problem, best)
            details[race_key] |= _explanation(pipeline, explained(pipeline, forecast, own, [best]))
    report = run_model(pipeline, table, race_keys, pd.concat(parts, ignore_index=True))
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
    rows = stored_rows(pipeline, race_key, rank)
    forecast = race_forecasts(pipeline, [race_key])[race_key]
    own = own_team(pipeline, forecast.menu) if rows["is_own_team"].all() else FRESH_START
    return explained(pipeline, forecast, own, [lineup_of_rows(own.problem(forecast), rows, rank)])


def stored_rows(pipeline: Pipeline, race_key: str, rank: int) -> pd.DataFrame:
    """Read the assets of a line-up that has been stored.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    rank : int

    Returns
    -------
    DataFrame
        asset_type, seat, is_boosted, is_own_team.

    Raises
    ------
    UsageError
        There is no such line-up.
    """
    with pipeline.warehouse.read() as connection:
        if race_key not in pipeline.race_keys_in(connection, LINEUP_TABLE):
            raise UsageError(f"no line-up for {race_key} yet: `f1-pipeline run --race {race_key}` makes it")
        rows = read_frame(connection, STORED, {"race_key": race_key, "rank": rank})
    if rows.empty:
        raise UsageError(f"{race_key} has no line-up of rank {rank}")
    return rows


def lineup_rules(pipeline: Pipeline, race_key: str) -> LineupRules:
    """Take from the rules of the season what a line-up must keep."""
    rules = pipeline.rules(race_key)
    team = rules.team
    return LineupRules(team.driver_count, team.constructor_count, team.budget_tenths, rules.boost.multiplier)


def _settled_rows(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read the line-ups that were stored of races that are settled, by race."""
    settled = settled_races(pipeline, race_keys)
    if not settled:
        return {}
    with pipeline.warehouse.read() as connection:
        if not has_table(connection, LINEUP_TABLE):
            return {}
        rows = read_frame(connection, SETTLED, {"race_keys": sorted(settled)})
    return {str(race_key): own for race_key, own in rows.groupby("race_key")}


def _is_of_nobody(rows: pd.DataFrame | None) -> bool:
    """Tell whether line-ups were stored for a fresh start; of rows that are not there nothing is known."""
    return rows is not None and not rows["is_own_team"].any()


def _prove(problem: LineupProblem, best: RankedLineup) -> None:
    """Hold the line-up that will be played against the answer of the integer programme."""
    proven = solve_lineups(problem, 1)[0]
    if abs(proven.points - best.points) > POINTS_TOLERANCE * max(1.0, abs(best.points)):
        raise SolverError(
            f"{problem.title}: expected two solvers to agree on the best line-up, found {best.points} and "
            f"{proven.points} points."
        )


def lineup_of_rows(problem: LineupProblem, rows: pd.DataFrame, rank: int) -> RankedLineup:
    """Make a line-up of its rows again, with the points of the problem.

    Parameters
    ----------
    problem : LineupProblem
    rows : DataFrame
        asset_type, seat, is_boosted, as in `lineups.optimal_lineup`.
    rank : int

    Returns
    -------
    RankedLineup

    Raises
    ------
    UsageError
        An asset of the rows is none that the problem knows.
    """
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
        "models": _model_links(pipeline, forecast.menu.race_key),
    }


def _model_links(pipeline: Pipeline, race_key: str) -> str:
    """Lead from the picks to the models that the race's forecast comes from, in MLflow's own pages."""
    with pipeline.warehouse.read() as connection:
        uris = read_frame(connection, MODELS, {"race_key": race_key})["model_uri"]
    links = []
    for uri in uris:
        name, _, version = uri.removeprefix("models:/").rpartition("/")
        links.append(f"[{uri}]({pipeline.settings.mlflow_ui}/#/models/{name}/versions/{version})")
    return "; ".join(links)


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
