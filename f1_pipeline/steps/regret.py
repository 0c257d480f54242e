"""What the difference to hindsight is due to: your own choice, luck, or the forecast.

Belongs here: splitting the regret of each finished race into parts that add up. Neighbours: `review` says what the
line-ups scored, `optimize.regret` what luck costs, `docs/decisions.md` what each part means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from f1_pipeline.optimize.regret import ExpectedRegret, expected_regret
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.steps.coming_races import RaceDraws, race_draws
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import RaceForecast, lineup_totals, moved_draws, race_forecasts
from f1_pipeline.steps.review import ReviewedRace, reviewed_races
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.writer import WriteReport

REGRET_TABLE = "lineups.regret_part"
CHOICE, LUCK, FORECAST = "choice", "luck", "forecast"


def split_regrets(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Split what the team that counted stayed behind hindsight in each finished race.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.regret_part`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the parts of each race.

    Raises
    ------
    WarehouseError
        When a race has no points, no recommended line-up or no forecast.
    """
    forecasts, draws = race_forecasts(pipeline, race_keys), race_draws(pipeline, race_keys)
    rows, details = [], {}
    for race_key, race in reviewed_races(pipeline, race_keys).items():
        luck = _luck(race, forecasts[race_key], draws[race_key])
        parts = _parts(race, luck)
        details[race_key] = parts
        ranges = {LUCK: {"p10_points": luck.p10_points, "p90_points": luck.p90_points}}
        nothing = {"p10_points": None, "p90_points": None}
        rows += [
            {"race_key": race_key, "part": part, "points": points} | ranges.get(part, nothing)
            for part, points in parts.items()
        ]
    return replace(run_model(pipeline, table, race_keys, with_nulls(pd.DataFrame(rows))), details=details)


def _parts(race: ReviewedRace, luck: ExpectedRegret) -> dict[str, float]:
    regret = race.hindsight.points - race.recommended.points
    return {
        CHOICE: race.recommended.points - race.counted.points,
        LUCK: luck.points,
        FORECAST: regret - luck.points,
    }


def _luck(race: ReviewedRace, forecast: RaceForecast, draws: RaceDraws) -> ExpectedRegret:
    """Say what the recommended line-up stays behind hindsight in the weekends of its own forecast."""
    problem = team_problem(forecast.menu, forecast.points, forecast.rules, race.team)
    drawn = draws.views(problem, {}, draws.points.shape[1]).draws
    assert drawn is not None, "a race with draws has views with draws"
    moved = moved_draws(problem, drawn)
    return expected_regret(problem, moved, lineup_totals(problem, moved, race.recommended))
