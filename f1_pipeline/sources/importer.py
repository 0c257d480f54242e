"""Make every committed fact file from an F1DB release and the game's records, all or nothing.

Belongs here: the order of the steps and putting the files in place. What is made of what is in
``importer_calendar``, ``importer_results``, ``fantasy_records`` and ``importer_scores``; reading the result
back is :mod:`f1_pipeline.sources.bundle`.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.rules import SeasonRules, load_rules, rule_seasons
from f1_pipeline.sources.bundle import validate_bundle
from f1_pipeline.sources.f1db import read_f1db
from f1_pipeline.sources.fact_writer import render_csv
from f1_pipeline.sources.fantasy_records import build_ownership, build_prices, build_totals, read_records
from f1_pipeline.sources.importer_calendar import build_calendar
from f1_pipeline.sources.importer_results import build_people, build_results, whole
from f1_pipeline.sources.importer_scores import build_scores
from f1_pipeline.sources.readme import README_NAME, render_data_readme
from f1_pipeline.sources.tables import FACT_TABLES


def import_facts(
    f1db_zip: Path, fantasy_dir: Path, data_dir: Path, on_progress: Callable[[str], None] | None = None
) -> dict[str, int]:
    """Rebuild the fact files.

    Every file is made and checked in a temporary folder first; the same inputs give the same bytes, and a
    failure leaves the old files as they were.

    Parameters
    ----------
    f1db_zip : Path
        F1DB CSV release (``f1db-csv.zip``).
    fantasy_dir : Path
        Records of the game, see ``fantasy_records.RECORD_COLUMNS``.
    data_dir : Path
        Directory of the fact files; must hold ``rules/<season>.toml``.
    on_progress : callable, optional
        Called with one sentence before each step.

    Returns
    -------
    dict of str to int
        Rows per file name.

    Raises
    ------
    DataError
        An input is missing, malformed or contradicts another.
    RuleError
        A season that needs rules has none.
    """
    say = on_progress if on_progress is not None else _say_nothing
    frames = _build(f1db_zip, fantasy_dir, data_dir, say)
    files = {table.file_name: render_csv(table, frames[name]) for name, table in FACT_TABLES.items()}
    files[README_NAME] = render_data_readme().encode("utf-8")
    with tempfile.TemporaryDirectory(prefix=".import-", dir=data_dir) as staging_name:
        staging = Path(staging_name)
        for name, content in files.items():
            (staging / name).write_bytes(content)
        say("Checking the new files.")
        rows = validate_bundle(staging)
        say(f"Putting {len(files)} files in place.")
        for name in files:
            (staging / name).replace(data_dir / name)
    return rows


def _say_nothing(_: str) -> None:
    return None


def _build(f1db_zip: Path, fantasy_dir: Path, data_dir: Path, say: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    say(f"Reading {f1db_zip.name}.")
    f1db = read_f1db(f1db_zip)
    rules = _rules_of(f1db, data_dir)
    say("Making the calendar and the results.")
    races, sessions, race_keys = build_calendar(f1db, {season: rules[season].lock for season in rules})
    frames = {"races": races, "sessions": sessions, **build_results(f1db, race_keys)}
    say(f"Reading the records of the game in {fantasy_dir.name}.")
    records = read_records(fantasy_dir, f1db, races)
    frames |= {
        "prices": build_prices(records["fantasy_prices"]),
        "official_totals": build_totals(records["fantasy_totals"]),
        "ownership": build_ownership(records["fantasy_ownership"]),
    }
    scores, exceptions = [], []
    for season in sorted(rules):
        say(f"Scoring {season}.")
        season_scores, season_exceptions = build_scores(season, frames, records, rules[season])
        scores.append(season_scores)
        exceptions.append(season_exceptions)
    frames["event_scores"] = pd.concat(scores, ignore_index=True)
    frames["known_exceptions"] = pd.concat(exceptions, ignore_index=True)
    _check_records_used(frames, records)
    return frames | build_people(f1db, *_referred(frames))


def _rules_of(f1db: Mapping[str, pd.DataFrame], data_dir: Path) -> dict[int, SeasonRules]:
    """Load the rules of every season of the calendar from the first that has rules on."""
    known = rule_seasons(data_dir)
    if not known:
        raise RuleError(f"{data_dir / 'rules'} holds no rules; expected a <season>.toml per season of the game.")
    seasons = {int(season) for season in whole(f1db["races"]["year"]).unique()}
    return {season: load_rules(data_dir, season) for season in sorted(seasons) if season >= known[0]}


def _check_records_used(frames: Mapping[str, pd.DataFrame], records: Mapping[str, pd.DataFrame]) -> None:
    key = ["race_key", "asset_type", "asset_id"]
    scored = pd.MultiIndex.from_frame(frames["official_totals"][key])
    items = records["fantasy_points"][key].drop_duplicates()
    lost = items[~pd.MultiIndex.from_frame(items).isin(scored)]
    if len(lost):
        race_key, asset_type, asset_id = lost.iloc[0]
        raise DataError(f"{race_key}: fantasy_points.csv scores {asset_type} {asset_id}, fantasy_totals.csv does not.")


def _referred(frames: Mapping[str, pd.DataFrame]) -> tuple[set[str], set[str], set[str]]:
    """Return the drivers, constructors and circuits that any fact names."""
    drivers: set[str] = set()
    constructors: set[str] = set()
    for frame in frames.values():
        if "driver_id" in frame:
            drivers |= set(frame["driver_id"])
        if "constructor_id" in frame:
            constructors |= set(frame["constructor_id"])
        if "asset_id" in frame:
            drivers |= set(frame.loc[frame["asset_type"] == "driver", "asset_id"])
    return drivers, constructors, set(frames["races"]["circuit_id"])
