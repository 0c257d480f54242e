"""How far to trust the forecast, in words with their uncertainty: for the page of a race and that of a season.

Belongs here: sentences and one table from the tables of `evaluation` that sum up over races. Neighbours: `accuracy.py`
lays out all of their figures.
"""

from __future__ import annotations

from typing import Any

from f1_pipeline.report.accuracy import ALL
from f1_pipeline.report.page_rows import Reader, Row
from f1_pipeline.report.pages import number, percent, signed
from f1_pipeline.report.sections import Section

ERRORS = """
    select * from evaluation.forecast_accuracy
    where forecast = 'published' and phase = 'at_lock' and asset_type = 'all' and list_contains($seasons, season)
    order by season <> 'all', season, is_live
"""
LINEUPS = """
    select * from evaluation.lineup_accuracy
    where forecast = 'published' and phase = 'at_lock' and list_contains($seasons, season)
    order by season <> 'all', season, is_live
"""
# How far what was said and what happened lie apart, over all probabilities that were given.
EVENTS = """
    select
        event, is_live, sum(outcome_count) as outcome_count,
        sum(outcome_count * abs(mean_probability - observed_share)) / sum(outcome_count) as mean_gap
    from evaluation.probability_calibration
    where phase = 'at_lock'
    group by event, is_live
    order by event, is_live
"""
EVENT_WORDS = {"not_classified": "not being classified", "price_step": "moves of prices"}
CERTAIN_ERRORS = 2.0  # standard errors from which on a difference is called one
INTERVALS = (("5 in 10", "coverage_50_share"), ("8 in 10", "coverage_80_share"), ("9 in 10", "coverage_90_share"))


def track_record(reader: Reader, season: int) -> dict[str, Any] | None:
    """Say how good the forecasts were, over all seasons and in one of them.

    Parameters
    ----------
    reader : Reader
    season : int

    Returns
    -------
    dict or None
        `sentences`, and `calibration` as a section; None when no race counts yet.
    """
    seasons = [ALL, str(season)]
    errors = reader.rows(("evaluation.forecast_accuracy",), ERRORS, seasons=seasons)
    if not errors:
        return None
    lineups = reader.rows(("evaluation.lineup_accuracy",), LINEUPS, seasons=seasons)
    events = reader.rows(("evaluation.probability_calibration",), EVENTS)
    sentences = [_error_sentence(row) for row in errors if row["season"] == ALL]
    sentences += [_lineup_sentence(row) for row in lineups if row["season"] == ALL]
    sentences += [_event_sentence(row) for row in events]
    return {"sentences": sentences, "calibration": _calibration(errors)}


def _how(row: Row) -> str:
    return "made live" if row["is_live"] else "replayed from what was known then"


def _races(row: Row) -> str:
    return f"{row['race_count']} race{'' if row['race_count'] == 1 else 's'}"


def _difference(gain: float, error: float | None) -> str:
    """Say a gain with its standard error, and whether it is more than chance."""
    if error is None:
        return f"{number(abs(gain), 2)} {'less' if gain > 0 else 'more'}, of one race"
    verdict = "" if abs(gain) >= CERTAIN_ERRORS * error else ", which may be chance"
    return f"{number(abs(gain), 2)} {'less' if gain > 0 else 'more'} (± {number(error, 2)}{verdict})"


def _error_sentence(row: Row) -> str:
    gain = _difference(row["mae_gain_points"], row["mae_gain_se_points"])
    return (
        f"Over {_races(row)}, {_how(row)}, an asset's forecast missed by {number(row['mae_points'], 1)} points on "
        f"average: {gain} than the plain average of its earlier scores. "
        f"{percent(row['coverage_80_share'])} of the scores fell into the range of 8 weekends in 10."
    )


def _lineup_sentence(row: Row) -> str:
    gain, error = row["gain_points"], row["gain_se_points"]
    sure = "" if error is None else f" ± {number(error, 1)}"
    chance = ", which may be chance" if error is None or abs(gain) < CERTAIN_ERRORS * error else ""
    captured = "" if row["capture_share"] is None else f", {percent(row['capture_share'])} of the best possible"
    return (
        f"Its line-ups, {_how(row)}, scored {number(row['lineup_points'])} points a race{captured}: "
        f"{signed(gain, 1)}{sure} against those of the plain average{chance}."
    )


def _event_sentence(row: Row) -> str:
    return (
        f"Chances of {EVENT_WORDS.get(row['event'], row['event'])}, {_how(row)}: what was said and what happened are "
        f"{number(100 * row['mean_gap'], 1)} points of percent apart on average, over {number(row['outcome_count'])} "
        "outcomes."
    )


def _calibration(errors: list[Row]) -> Section:
    rows = tuple(
        (
            "All seasons" if row["season"] == ALL else str(row["season"]),
            "live" if row["is_live"] else "replayed",
            str(row["race_count"]),
            number(row["mae_points"], 1),
            signed(row["bias_points"], 1),
            *(percent(row[column]) for _, column in INTERVALS),
        )
        for row in errors
    )
    columns = ("Season", "Forecast", "Races", "Missed by", "Bias", *(f"In {name}" for name, _ in INTERVALS))
    title = "How many scores fell into the ranges; the aim is 50, 80 and 90 percent"
    return Section(title, columns, rows, texts=frozenset({1}))
