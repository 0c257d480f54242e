"""What line-ups of finished races were worth: the recommended one against hindsight, and who was in which of them.

Belongs here: bringing what was chosen together with what was scored. Neighbours: `lineups` chooses, `regret` says what
the difference to hindsight is due to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.evaluation import capture_share, evaluate, pit
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import DRIVER, AssetKey
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.enumeration import best_lineups, mean_affordable_points
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.steps.coming_races import RaceDraws, race_draws
from f1_pipeline.steps.evaluation import price_moves
from f1_pipeline.steps.lineups import lineup_of_rows
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.my_team import entered_team, held_team
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

REVIEW_TABLE = "lineups.lineup_review"
PICK_TABLE = "lineups.pick_review"
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
EXPECTED = """
    select race_key, asset_type, asset_id, expected_points, p10, p90
    from predictions.asset_points
    where list_contains($race_keys, race_key)
"""


@dataclass(frozen=True, eq=False)
class ReviewedRace:
    """The line-ups of a finished race, by what they scored.

    Attributes
    ----------
    problem : LineupProblem
        What could be fielded, with the points that were scored; drivers by seat.
    recommended : RankedLineup
        The line-up that the forecast had chosen.
    counted : RankedLineup
        The line-up that locked: the one you entered, else the team you held, else, without any, the recommended one.
    hindsight : RankedLineup
        The best one with the same team, money and transfers.
    fresh : LineupProblem
        What someone without a team could field with the same money.
    team : Team or None
        Your team at the race; None for a fresh start.
    predicted_points : float
        Points that were expected of the recommended line-up.
    """

    problem: LineupProblem
    recommended: RankedLineup
    counted: RankedLineup
    hindsight: RankedLineup
    fresh: LineupProblem
    team: Team | None
    predicted_points: float


def reviewed_races(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, ReviewedRace]:
    """Score the line-ups of finished races.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Returns
    -------
    dict of str to ReviewedRace

    Raises
    ------
    WarehouseError
        When a race has no points or no recommended line-up.
    """
    actuals = _rows_by_race(pipeline, ACTUAL, race_keys, "core.race_entry")
    chosen = _rows_by_race(pipeline, CHOSEN, race_keys, "lineups.optimal_lineup")
    found = {}
    for race_key, menu in race_menus(pipeline, race_keys).items():
        team = held_team(pipeline, race_key) if chosen[race_key]["is_own_team"].any() else None
        points = _points_by_seat(menu, actuals[race_key])
        entered = None if team is None else entered_team(pipeline, race_key) or team
        found[race_key] = _reviewed(menu, pipeline.rules(race_key), (team, entered), points, chosen[race_key])
    return found


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
    reviews = {race_key: _review(race) for race_key, race in reviewed_races(pipeline, race_keys).items()}
    rows = pd.DataFrame([{"race_key": race_key} | review for race_key, review in reviews.items()])
    report = run_model(pipeline, table, race_keys, rows)
    for race_key, forecasts in _rows_by_race(pipeline, FORECASTS, race_keys, "predictions.asset_points").items():
        _record_outcomes(pipeline, forecasts, reviews[race_key]["capture_share"])
    return replace(report, details=reviews)


def review_picks(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Say of each asset of the recommended line-up, of yours and of hindsight what it scored against its forecast.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.pick_review`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the picks that cost the most.

    Raises
    ------
    WarehouseError
        When a race has no points, no recommended line-up or no forecast.
    """
    draws = race_draws(pipeline, race_keys)
    expected = _rows_by_race(pipeline, EXPECTED, race_keys, "predictions.asset_points")
    moves = price_moves(pipeline).set_index("race_key")
    rows, details = [], {}
    for race_key, race in reviewed_races(pipeline, race_keys).items():
        picks = _pick_rows(race, draws[race_key])
        picks = picks.merge(expected[race_key].drop(columns="race_key"), on=["asset_type", "asset_id"], how="left")
        moved = moves.loc[moves.index == race_key, ["asset_type", "asset_id", "move_tenths"]]
        picks = picks.merge(moved, on=["asset_type", "asset_id"], how="left")
        rows.append(picks.assign(race_key=race_key, price_change_musd=picks["move_tenths"] / 10))
        worst = picks.sort_values("missed_points", ascending=False, kind="stable").head(3)
        details[race_key] = dict(zip(worst["seat"], worst["missed_points"].astype(float), strict=True))
    return replace(run_model(pipeline, table, race_keys, with_nulls(pd.concat(rows))), details=details)


def _reviewed(
    menu: RaceMenu,
    rules: SeasonRules,
    teams: tuple[Team | None, Team | None],
    points: Mapping[AssetKey, float],
    chosen: pd.DataFrame,
) -> ReviewedRace:
    team, entered = teams
    problem = team_problem(menu, points, rules, team)
    recommended = lineup_of_rows(problem, chosen, 1)
    return ReviewedRace(
        problem=problem,
        recommended=recommended,
        counted=recommended if entered is None else _fielded(problem, entered),
        hindsight=best_lineups(problem, 1)[0],
        fresh=replace(team_problem(menu, points, rules), rules=problem.rules),
        team=team,
        predicted_points=float(chosen["lineup_points"].iloc[0]),
    )


def _fielded(problem: LineupProblem, team: Team) -> RankedLineup:
    """Field the assets of a team; what it holds beyond the team that went into the race are its transfers."""
    keys = team.lineup.asset_keys
    rows = pd.DataFrame(
        {
            "asset_type": [kind for kind, _ in keys],
            "seat": [seat for _, seat in keys],
            "is_boosted": [key == (DRIVER, team.boosted_driver) for key in keys],
        }
    )
    return lineup_of_rows(problem, rows, 1)


def _review(race: ReviewedRace) -> dict[str, float | None]:
    actual = race.recommended
    # A manager without skill and without a team has the same money.
    mean_points = mean_affordable_points(race.fresh)
    return {
        "predicted_points": race.predicted_points,
        "actual_points": actual.points,
        "hindsight_points": race.hindsight.points,
        "capture_share": capture_share(actual.points, race.hindsight.points),
        "mean_affordable_points": mean_points,
        "reward": actual.points - mean_points,
        "transfer_points": actual.transfer_points,
    }


def _pick_rows(race: ReviewedRace, draws: RaceDraws) -> pd.DataFrame:
    problem = race.problem
    multipliers = {
        "recommended_multiplier": _multipliers(problem, race.recommended),
        "counted_multiplier": _multipliers(problem, race.counted),
        "hindsight_multiplier": _multipliers(problem, race.hindsight),
    }
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    rows = []
    for at, key in enumerate(problem.asset_keys):
        held = {name: int(values[at]) for name, values in multipliers.items()}
        if not any(held.values()):
            continue
        drawn = draws.rows.get(fact_key(key)) if key not in problem.only_if_held else None
        missed = (held["hindsight_multiplier"] - held["counted_multiplier"]) * points[at]
        rows.append(
            {"asset_type": key[0], "asset_id": fact_key(key)[1], "seat": key[1], "is_own_team": race.team is not None}
            | {"counted_transfer_points": race.counted.transfer_points}
            | held
            | {
                "total_points": float(points[at]),
                "pit": None if drawn is None else float(pit(draws.points[[drawn]], points[[at]])[0]),
                "missed_points": float(missed),
            }
        )
    return pd.DataFrame(rows)


def _multipliers(problem: LineupProblem, ranked: RankedLineup) -> np.ndarray:
    """Say what the points of each asset count for in a line-up: 0 outside of it, more than 1 with a boost."""
    held = problem.mask(ranked.lineup.asset_keys).astype(float)
    boosted = (DRIVER, ranked.lineup.boosted_driver)
    if boosted not in problem.only_if_held:
        held += (problem.rules.boost_multiplier - 1) * problem.mask([boosted])
    return held


def _points_by_seat(menu: RaceMenu, rows: pd.DataFrame) -> dict[AssetKey, float]:
    scored = zip(zip(rows["asset_type"], rows["asset_id"], strict=True), rows["total_points"], strict=True)
    points = {key: float(value) for key, value in scored}
    return {key: points[fact_key(key)] for key in menu.prices if menu.is_active(key)}


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
