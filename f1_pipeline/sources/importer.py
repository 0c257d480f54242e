"""Make every committed fact file from an F1DB release and the game's records, all or nothing.

Belongs here: the order of the steps. What is made of what is in ``importer_calendar``, ``importer_results``,
``fantasy_records`` and ``importer_scores``; putting the files in place is :mod:`f1_pipeline.sources.publish`. Adding
what is new to facts that are there is the neighbour :mod:`f1_pipeline.sources.refresh`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.f1db import read_f1db
from f1_pipeline.sources.fact_frames import referred
from f1_pipeline.sources.fact_writer import as_facts, render_csv
from f1_pipeline.sources.fantasy_records import build_ownership, build_prices, build_totals, read_records
from f1_pipeline.sources.importer_calendar import build_calendar
from f1_pipeline.sources.importer_results import build_people, build_results, whole
from f1_pipeline.sources.importer_scores import build_scores
from f1_pipeline.sources.publish import publish, publishing
from f1_pipeline.sources.readme import README_NAME, render_data_readme
from f1_pipeline.sources.season_rules import read_rules, rules_of
from f1_pipeline.sources.source import Say
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.sources.tables_game import KNOWN_EXCEPTIONS


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
        Directory of the fact files; must hold ``rules/<season>.toml`` and ``known_exceptions.csv``.
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
    UsageError
        Another process is writing the facts.
    """
    say = on_progress if on_progress is not None else _say_nothing
    with publishing(data_dir, say):
        facts = as_facts(_build(f1db_zip, fantasy_dir, data_dir, say))
        files = {FACT_TABLES[name].file_name: render_csv(FACT_TABLES[name], frame) for name, frame in facts.items()}
        files[KNOWN_EXCEPTIONS.file_name] = _hand_kept(data_dir / KNOWN_EXCEPTIONS.file_name)
        files[README_NAME] = render_data_readme(facts).encode("utf-8")
        return publish(data_dir, files, files, say)


def _say_nothing(_: str) -> None:
    return None


def _hand_kept(path: Path) -> bytes:
    """Read the file that people write and every import keeps."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"{path.name} is missing from {path.parent}; it is kept by hand, its header at least."
        ) from None


def _build(f1db_zip: Path, fantasy_dir: Path, data_dir: Path, say: Say) -> dict[str, pd.DataFrame]:
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
    scores = []
    for season in sorted(rules):
        say(f"Scoring {season}.")
        scores.append(build_scores(season, frames, records, rules[season]))
    frames["event_scores"] = pd.concat(scores, ignore_index=True)
    _check_records_used(frames, records)
    return frames | build_people(f1db, *referred(frames))


def _rules_of(f1db: Mapping[str, pd.DataFrame], data_dir: Path) -> dict[int, SeasonRules]:
    """Read the rules of every season of the calendar from the first that has rules on."""
    rules = read_rules(data_dir)
    seasons = {int(season) for season in whole(f1db["races"]["year"]).unique()}
    return {season: rules_of(rules, season) for season in sorted(seasons) if season >= min(rules)}


def _check_records_used(frames: Mapping[str, pd.DataFrame], records: Mapping[str, pd.DataFrame]) -> None:
    key = ["race_key", "asset_type", "asset_id"]
    scored = pd.MultiIndex.from_frame(frames["official_totals"][key])
    items = records["fantasy_points"][key].drop_duplicates()
    lost = items[~pd.MultiIndex.from_frame(items).isin(scored)]
    if len(lost):
        race_key, asset_type, asset_id = lost.iloc[0]
        raise DataError(f"{race_key}: fantasy_points.csv scores {asset_type} {asset_id}, fantasy_totals.csv does not.")
