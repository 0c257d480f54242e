"""Turn the results of every session into scores that can be compared across sessions and seasons.

Belongs here: ranks, normal scores, starting places, what was known when. Pure frames in, one frame out, of all races
since 2018: about what happened, so whoever forecasts a race reads earlier ones by date only. Neighbours:
`forecast.strength` learns from the scores, `forecast.weekend_parts` from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

SESSION_SCORE_COLUMNS = (
    "race_key",
    "race_date",
    "season",
    "circuit_id",
    "session",
    "session_order",
    "ends_at",
    "is_before_lock",
    "is_by_qualifying",
    "driver_id",
    "constructor_id",
    "lineage_id",
    "position",
    "position_text",
    "score",
    "start_place",
    "start_text",
    "start_score",
    "gap_pct",
    "lap_count",
    "is_fastest_lap",
    "is_driver_of_the_day",
)
"""Columns of `core.session_score`, in order."""

_DRIVER = ["race_key", "session", "driver_id"]
_GROUP = ["race_key", "session"]


@dataclass(frozen=True)
class SessionFacts:
    """Fact tables, as `data/README.md` describes them.

    Attributes
    ----------
    races, sessions, constructors, practice, qualifying, grids, results : DataFrame
        races.csv, sessions.csv, constructors.csv, practice_results.csv, qualifying_results.csv, starting_grids.csv and
        race_results.csv.
    """

    races: pd.DataFrame
    sessions: pd.DataFrame
    constructors: pd.DataFrame
    practice: pd.DataFrame
    qualifying: pd.DataFrame
    grids: pd.DataFrame
    results: pd.DataFrame


def normal_score(place: ArrayLike, count: ArrayLike) -> np.ndarray:
    """Score places in a classification: the best of n gets the normal quantile of 1 - 0.5 / n, the last its negative.

    Places, not times: fields close up over the years, a car in traffic loses seconds, and one outlier must not move
    everybody.

    Parameters
    ----------
    place : array_like
        From 1; NaN stays NaN.
    count : array_like or int
        How many have a place.

    Returns
    -------
    ndarray
        Without unit; higher is better.
    """
    return ndtri(1.0 - (np.asarray(place, dtype=float) - 0.5) / np.asarray(count, dtype=float))


def session_scores(facts: SessionFacts) -> pd.DataFrame:
    """List every driver and session with a score.

    Parameters
    ----------
    facts : SessionFacts
        Of any races.

    Returns
    -------
    DataFrame
        `SESSION_SCORE_COLUMNS`, by date, session and driver. `score` is the normal score of the classification
        (practice: of the best laps), missing without a place; `start_place` counts the grid from 1, those from the
        pit lane last; `gap_pct` is the best lap against the median best lap of the session.
    """
    rows = pd.concat([_practice(facts.practice), _qualifying(facts.qualifying), _races(facts.results)])
    rows = rows.merge(_starts(facts.grids), on=_DRIVER, how="left")
    rows = rows.merge(_moments(facts.sessions), on=_GROUP, how="inner")
    races = facts.races.loc[
        ~facts.races["is_cancelled"].astype(bool), ["race_key", "race_date", "season", "circuit_id"]
    ]
    rows = rows.merge(races, on="race_key", how="inner")
    rows = rows.merge(facts.constructors[["constructor_id", "lineage_id"]], on="constructor_id", how="left")
    rows["race_date"] = pd.to_datetime(rows["race_date"])
    place = rows["position"].astype("float64")
    rows["score"] = normal_score(place, place.groupby([rows["race_key"], rows["session"]]).transform("count"))
    ordered = rows.sort_values(["race_date", "session_order", "driver_id"], ignore_index=True)
    return ordered[list(SESSION_SCORE_COLUMNS)]


def _practice(practice: pd.DataFrame) -> pd.DataFrame:
    laps = practice["best_lap_ms"].astype("float64")
    place = laps.groupby([practice["race_key"], practice["session"]]).rank(method="first")
    kept = practice[[*_DRIVER, "constructor_id", "lap_count"]]
    return kept.assign(position=place, position_text=None, gap_pct=_gap_pct(practice, laps))


def _qualifying(qualifying: pd.DataFrame) -> pd.DataFrame:
    laps = qualifying[["q1_ms", "q2_ms", "q3_ms"]].astype("float64").min(axis=1)
    kept = qualifying[[*_DRIVER, "constructor_id", "position_text"]]
    return kept.assign(position=_rank(qualifying), gap_pct=_gap_pct(qualifying, laps))


def _races(results: pd.DataFrame) -> pd.DataFrame:
    kept = results[[*_DRIVER, "constructor_id", "position_text"]]
    flags = {name: results[name].eq(True).fillna(value=False) for name in ("is_fastest_lap", "is_driver_of_the_day")}
    return kept.assign(position=_rank(results), **flags)


def _rank(rows: pd.DataFrame) -> pd.Series:
    """Count the places that were given from 1: a classification may have holes."""
    place = rows["position"].astype("float64")
    return place.groupby([rows["race_key"], rows["session"]]).rank(method="first")


def _gap_pct(rows: pd.DataFrame, laps: pd.Series) -> pd.Series:
    """Compare with the median lap of the session, which one fast car or a wet track does not move."""
    return 100.0 * (laps / laps.groupby([rows["race_key"], rows["session"]]).transform("median") - 1.0)


def _starts(grids: pd.DataFrame) -> pd.DataFrame:
    groups = grids.groupby(_GROUP)
    place = groups["grid_order"].rank(method="first")
    score = normal_score(place, groups["driver_id"].transform("count"))
    kept = grids[_DRIVER].assign(start_place=place, start_text=grids["grid_text"], start_score=score)
    return kept.drop_duplicates(_DRIVER)


def _moments(sessions: pd.DataFrame) -> pd.DataFrame:
    """Say of each session whether it has ended at the lock, and when qualifying ends."""
    ends = sessions[sessions["session"] == "qualifying"].set_index("race_key")["ends_at"]
    by_qualifying = sessions["ends_at"] <= pd.to_datetime(sessions["race_key"].map(ends), utc=True)
    kept = sessions[[*_GROUP, "session_order", "ends_at", "is_before_lock"]]
    return kept.assign(is_by_qualifying=by_qualifying.astype(bool))
