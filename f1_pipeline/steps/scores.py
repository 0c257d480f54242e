"""Steps that apply the scoring rules to results: the engine's scores of a race, and every race under any rules.

Neighbours: `game.rescoring` scores; the SQL tests of `staging.event_score` hold the engine against the official
totals. Races before 2023 are no partitions, so every race at once is read from the fact files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from f1_pipeline.errors import RuleError, UsageError
from f1_pipeline.game.rescoring import DrivenRaces, rescore, rescored_totals, score_with_records
from f1_pipeline.game.rules import AbsentRules, load_rules, rule_seasons
from f1_pipeline.game.scoring import SessionResults
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

RESCORED_TABLE = "core.rescored_event_score"
RESULTS = """
    select * from staging.session_result
    where list_contains($race_keys, race_key) and session in ('qualifying', 'sprint', 'race')
    order by race_key, session, driver_id
"""
GRIDS = """
    select * from raw.starting_grids
    where list_contains($race_keys, race_key)
    order by race_key, session, driver_id
"""
RECORDS = """
    select * from raw.event_scores
    where list_contains($race_keys, race_key)
    order by race_key, asset_type, asset_id, event_type, scoring_item
"""


@dataclass(frozen=True)
class RescoredRaces:
    """Races under one season's rules.

    Attributes
    ----------
    items : pandas.DataFrame
        rules_season and the columns of `game.rescoring.rescore`: one row per race, asset, event and item.
    totals : pandas.DataFrame
        rules_season and the columns of `game.rescoring.rescored_totals`: one row per race and asset.
    """

    items: pd.DataFrame
    totals: pd.DataFrame


def score_by_rules(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Score some races by the rules of their seasons.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `staging.engine_score`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    DataError
        When a classified driver has no place on the starting grid.
    RuleError
        When the rules of a season count streaks.
    """
    with pipeline.warehouse.read() as connection:
        results, grids, records = (
            read_frame(connection, query, {"race_keys": list(race_keys)}) for query in (RESULTS, GRIDS, RECORDS)
        )
    parts = []
    for season in sorted({pipeline.calendar.get(race_key).season for race_key in race_keys}):
        own = {race_key for race_key in race_keys if pipeline.calendar.get(race_key).season == season}
        rules = load_rules(pipeline.settings.data_dir, season)
        if not isinstance(rules.streaks, AbsentRules):
            raise RuleError(f"{season}: streaks run over races in a row, which scoring race by race cannot count")
        parts.append(score_with_records(_session_results(results, grids, own), _of(records, own), rules))
    return run_model(pipeline, table, race_keys, pd.concat(parts, ignore_index=True))


def rescore_every_race(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Score every race since 2018 that has results under the newest rules there are.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `core.rescored_event_score`.
    race_keys : sequence of str
        Ignored: the table is replaced whole.

    Returns
    -------
    WriteReport

    Raises
    ------
    DataError
        When a fact file is malformed, or a classified driver has no place on the starting grid.
    """
    newest = rule_seasons(pipeline.settings.data_dir)[-1]
    return run_model(pipeline, table, race_keys, _rescored_items(pipeline, newest, _held_races(pipeline)))


def total_rescored_races(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Add up `core.rescored_event_score`.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `marts.rescored_race_points`.
    race_keys : sequence of str
        Ignored: the table is replaced whole.

    Returns
    -------
    WriteReport
    """
    with pipeline.warehouse.read() as connection:
        items = read_table(connection, RESCORED_TABLE)
    totals = rescored_totals(items).assign(rules_season=items["rules_season"].iloc[0])
    return run_model(pipeline, table, race_keys, totals)


def rescored_races(
    pipeline: Pipeline, rules_season: int, season: int | None = None, race_key: str | None = None
) -> RescoredRaces:
    """Score races that were driven, from 2018 on, under the rules of any season.

    Parameters
    ----------
    pipeline : Pipeline
        Its fact files are read; there need be no warehouse.
    rules_season : int
        Season whose rules are applied.
    season : int, optional
        Only the races of this season.
    race_key : str, optional
        Only this race.

    Returns
    -------
    RescoredRaces
        In order of date, then by asset.

    Raises
    ------
    RuleError
        When there are no rules for a season.
    UsageError
        When there are no results of such races.
    DataError
        When a fact file is malformed.
    """
    held = _held_races(pipeline)
    wanted = _chosen(held, season, race_key)
    # streaks run through a season, so its earlier races are scored, too
    years = set(wanted.values())
    items = _rescored_items(pipeline, rules_season, {key: year for key, year in held.items() if year in years})
    items = _of(items, wanted)
    totals = rescored_totals(items).assign(rules_season=rules_season)
    return RescoredRaces(_in_order(items, wanted), _in_order(totals, wanted))


def _rescored_items(pipeline: Pipeline, rules_season: int, seasons: Mapping[str, int]) -> pd.DataFrame:
    """Rescore races that are given in order of date, with their seasons."""
    names = ("qualifying_results", "race_results", "starting_grids", "event_scores")
    qualifying, races, grids, scores = (_facts(pipeline, name) for name in names)
    records = _of(scores, seasons)
    driven = DrivenRaces(seasons, _session_results(pd.concat([qualifying, races]), grids, seasons), records)
    data_dir = pipeline.settings.data_dir
    own_rules = {year: load_rules(data_dir, year) for year in {seasons[key] for key in records["race_key"].unique()}}
    return rescore(driven, load_rules(data_dir, rules_season), own_rules).assign(rules_season=rules_season)


def _held_races(pipeline: Pipeline) -> dict[str, int]:
    """List the races that have results, in order of date, with their season."""
    calendar = _facts(pipeline, "races").sort_values(["race_date", "race_key"])
    held = _of(calendar, set(_facts(pipeline, "race_results")["race_key"]))
    return {str(key): int(year) for key, year in zip(held["race_key"], held["season"], strict=True)}


def _chosen(held: Mapping[str, int], season: int | None, race_key: str | None) -> dict[str, int]:
    chosen = {
        key: year for key, year in held.items() if season in (None, year) and (race_key is None or race_key == key)
    }
    if not chosen:
        wanted = " in ".join(str(part) for part in (race_key, season) if part is not None)
        known = f"{min(held.values())} to {max(held.values())}"
        raise UsageError(f"there are no results of {wanted}: expected a race or season from {known} that was driven")
    return chosen


def _facts(pipeline: Pipeline, name: str) -> pd.DataFrame:
    return load_fact_table(pipeline.settings.data_dir, name).to_pandas()


def _session_results(results: pd.DataFrame, grids: pd.DataFrame, race_keys: Collection[str]) -> SessionResults:
    own = _of(results, race_keys)
    return SessionResults(
        qualifying=own[own["session"] == "qualifying"],
        grids=_of(grids, race_keys),
        races=own[own["session"].isin(["sprint", "race"])],
    )


def _of(rows: pd.DataFrame, race_keys: Collection[str]) -> pd.DataFrame:
    return rows[rows["race_key"].isin(list(race_keys))]


def _in_order(rows: pd.DataFrame, race_keys: Collection[str]) -> pd.DataFrame:
    """Sort rows by date of race, then by asset, the races being given in order."""
    place = rows["race_key"].map({key: at for at, key in enumerate(race_keys)})
    ordered = rows.assign(place=place).sort_values(["place", "asset_type", "asset_id"], kind="stable")
    return ordered.drop(columns="place").reset_index(drop=True)
