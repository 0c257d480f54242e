"""Facts of real races for the tests of scoring.

Belongs here: loading results and laying them out as `SessionResults`. What is expected of their scores stands in the
tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.scoring import SessionResults
from f1_pipeline.sources.bundle import load_fact_table

DATA_DIR = Path(__file__).parents[1] / "data"
RULE_SEASONS = (2022, 2023, 2024, 2025, 2026)


@cache
def facts(name: str) -> pd.DataFrame:
    return load_fact_table(DATA_DIR, name).to_pandas()


@cache
def season_rules(season: int) -> SeasonRules:
    return load_rules(DATA_DIR, season)


@cache
def calendar() -> tuple[str, ...]:
    """List all races in order of date."""
    races = facts("races").sort_values(["race_date", "race_key"])
    return tuple(races["race_key"])


@cache
def driven_races() -> tuple[str, ...]:
    """List the races that have results, in order of date."""
    held = set(facts("race_results")["race_key"])
    return tuple(key for key in calendar() if key in held)


def season_of(season: int) -> tuple[str, ...]:
    return tuple(key for key in driven_races() if key.startswith(f"{season}-"))


def of_races(name: str, race_keys: Iterable[str]) -> pd.DataFrame:
    return facts(name)[facts(name)["race_key"].isin(list(race_keys))]


def results_of(race_keys: Iterable[str]) -> SessionResults:
    """Return the results of some races, with nothing that only the game's records know."""
    keys = list(race_keys)
    qualifying = of_races("qualifying_results", keys)
    return SessionResults(
        qualifying[qualifying["session"] == "qualifying"],
        of_races("starting_grids", keys),
        of_races("race_results", keys),
    )


def recorded_results_of(race_keys: Iterable[str]) -> SessionResults:
    """Return the results of some races, with overtakes and sprint fastest laps from the game's records."""
    keys = list(race_keys)
    known = results_of(keys)
    scores = of_races("event_scores", keys)
    drivers = scores[scores["asset_type"] == "driver"].rename(
        columns={"asset_id": "driver_id", "event_type": "session"}
    )
    overtakes = drivers[drivers["scoring_item"] == drivers["session"] + "_overtakes"]
    return SessionResults(
        known.qualifying,
        known.grids,
        known.races,
        overtakes.assign(overtake_count=overtakes["frequency"]),
        drivers[drivers["scoring_item"] == "sprint_fastest_lap"],
    )
