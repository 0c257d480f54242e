"""Make F1DB releases and older facts from the committed ones: the importer backwards.

Belongs here: generators that any test may use. `release_rows` gives the rows of a release as F1DB would write them,
to be altered at will; `write_release` packs them. `write_older_facts` gives the facts as they were before a race was
driven. Neighbour: `feed_server.py` serves the official feed.

    rows = release_rows(DATA, through="2026-canada")
    drop_race(rows, 2026, "spain")
    write_release(tmp_path / "f1db-csv.zip", rows)
"""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from f1_pipeline.sources.f1db import F1DB_COLUMNS
from f1_pipeline.sources.fact_frames import keep_named, read_facts
from f1_pipeline.sources.fact_writer import render_csv
from f1_pipeline.sources.readme import README_NAME, render_data_readme
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES

Row = dict[str, str]
Rows = dict[str, list[Row]]
"""Rows per file of a release, keyed as in ``F1DB_COLUMNS``."""

RESULTS = ("practice_results", "qualifying_results", "starting_grids", "race_results", "pit_stops")
GAME = ("event_scores", "official_totals", "prices", "ownership")

# A real release has many more columns than are read; these stand for them.
_EXTRA_COLUMNS = {
    "races": ("officialName", "courseLength"),
    "drivers": ("fullName", "gender"),
    "races-race-results": ("driverNumber", "engineManufacturerId"),
}
_CIRCUIT_TYPES = {"permanent": "RACE", "street": "STREET", "road": "ROAD"}
_SESSION_COLUMNS = {
    "fp1": "freePractice1",
    "fp2": "freePractice2",
    "fp3": "freePractice3",
    "qualifying": "qualifying",
    "sprint_qualifying": "sprintQualifying",
    "sprint": "sprintRace",
}
RESULT_FILES = {
    ("practice_results", "fp1"): "races-free-practice-1-results",
    ("practice_results", "fp2"): "races-free-practice-2-results",
    ("practice_results", "fp3"): "races-free-practice-3-results",
    ("qualifying_results", "qualifying"): "races-qualifying-results",
    ("qualifying_results", "sprint_qualifying"): "races-sprint-qualifying-results",
    ("starting_grids", "race"): "races-starting-grid-positions",
    ("starting_grids", "sprint"): "races-sprint-starting-grid-positions",
    ("race_results", "race"): "races-race-results",
    ("race_results", "sprint"): "races-sprint-race-results",
}
_RENAMED = {
    "position": "positionNumber",
    "position_text": "positionText",
    "best_lap_ms": "timeMillis",
    "lap_count": "laps",
    "q1_ms": "q1Millis",
    "q2_ms": "q2Millis",
    "q3_ms": "q3Millis",
    "grid_position": "positionNumber",
    "grid_text": "positionText",
    "grid_order": "positionDisplayOrder",
    "result_order": "positionDisplayOrder",
    "laps": "laps",
    "time_ms": "timeMillis",
    "retirement_reason": "reasonRetired",
    "championship_points": "points",
    "is_fastest_lap": "fastestLap",
    "is_driver_of_the_day": "driverOfTheDay",
}


def release_rows(data_dir: Path, through: str | None = None, since: int = 2018) -> Rows:
    """Write the facts as F1DB does.

    Parameters
    ----------
    data_dir : Path
        Folder of fact files.
    through : str, optional
        Race key of the last race with results; all that the facts hold by default. The calendar is whole either way.
    since : int
        First season; facts of :func:`facts_since` go with it, where a test needs no history and should be quick.

    Returns
    -------
    Rows
    """
    facts = facts_since(data_dir, since)
    if through is not None:
        facts |= {name: _of(facts, name, _races_through(facts, through)) for name in RESULTS}
    races = facts["races"].sort_values(["race_date", "race_key"]).to_dict("records")
    ids = {row["race_key"]: str(1000 + number) for number, row in enumerate(races)}
    rows: Rows = {name: [] for name in F1DB_COLUMNS}
    rows["races"] = [_race(row, ids, _starts(facts)) for row in races]
    rows["grands-prix"] = list(
        {row["grand_prix_id"]: {"id": row["grand_prix_id"], "fullName": row["name"]} for row in races}.values()
    )
    rows |= _people(read_facts(data_dir))  # a release describes everybody since 1950
    for (table, session), name in RESULT_FILES.items():
        of_session = facts[table][facts[table]["session"] == session].to_dict("records")
        rows[name] = [_result(row, ids, order) for order, row in enumerate(of_session, 1)]
    rows["races-pit-stops"] = [
        _car(row, ids) | {"stop": row["stop_number"], "lap": row["lap"], "timeMillis": row["lane_time_ms"]}
        for row in facts["pit_stops"].to_dict("records")
    ]
    rows["seasons-entrants-drivers"] = _entrants(facts)
    return rows


def facts_since(data_dir: Path, season: int) -> Facts:
    """Read the facts of a season and later ones."""
    facts = read_facts(data_dir)
    recent = {
        name: frame[frame["race_key"].str[:4].astype(int) >= season].reset_index(drop=True)
        for name, frame in facts.items()
        if "race_key" in frame
    }
    return keep_named(facts | recent)


def write_release(path: Path, rows: Rows) -> Path:
    """Pack a release as F1DB publishes it: one CSV file per table, every field quoted, a few columns nobody reads."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns in F1DB_COLUMNS.items():
            text = io.StringIO(newline="")
            header = [*columns, *_EXTRA_COLUMNS.get(name, ())]
            writer = csv.DictWriter(
                text, header, restval="", extrasaction="raise", quoting=csv.QUOTE_ALL, lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows[name])
            # a fixed date, so that the same rows give the same archive
            archive.writestr(zipfile.ZipInfo(f"f1db-{name}.csv", (2026, 1, 1, 0, 0, 0)), text.getvalue())
    return path


def release_frames(rows: Rows) -> dict[str, pd.DataFrame]:
    """Give the rows as `read_f1db` reads them from the zip."""
    return {
        name: pd.DataFrame(rows[name], columns=list(columns), dtype=str).fillna("")
        for name, columns in F1DB_COLUMNS.items()
    }


def race_row(rows: Rows, season: int, grand_prix: str) -> Row:
    """Return the calendar row of a race, to be altered in place."""
    (row,) = (row for row in rows["races"] if row["year"] == str(season) and row["grandPrixId"] == grand_prix)
    return row


def drop_race(rows: Rows, season: int, grand_prix: str) -> None:
    """Take a race out of the calendar and number the later ones anew, as F1DB does when it is cancelled."""
    dropped = race_row(rows, season, grand_prix)
    rows["races"].remove(dropped)
    for row in rows["races"]:
        if row["year"] == str(season) and int(row["round"]) > int(dropped["round"]):
            row["round"] = str(int(row["round"]) - 1)


def move_race(rows: Rows, season: int, grand_prix: str, days: int) -> None:
    """Move a whole weekend by some days; round numbers stay."""
    row = race_row(rows, season, grand_prix)
    for column in ("date", *(f"{prefix}Date" for prefix in _SESSION_COLUMNS.values())):
        if row.get(column):
            row[column] = str((pd.Timestamp(row[column]) + pd.Timedelta(days=days)).date())


def write_older_facts(target: Path, source: Path, before: str, since: int = 2018) -> Path:
    """Write the facts as they stood before a race: no results, points, prices or ownership of it or later ones.

    Parameters
    ----------
    target : Path
        Folder to be made.
    source : Path
        Folder of fact files; its rules are copied too.
    before : str
        Race key. The calendar stays whole, as F1DB publishes it for the season.
    since : int
        First season.

    Returns
    -------
    Path
        `target`.
    """
    facts = facts_since(source, since)
    order = facts["races"].sort_values(["race_date", "race_key"])["race_key"].tolist()
    kept = set(order[: order.index(before)])
    facts = keep_named(facts | {name: _of(facts, name, kept) for name in (*RESULTS, *GAME)})
    return write_facts(target, facts, source)


def write_facts(target: Path, facts: Facts, source: Path) -> Path:
    """Write facts as files, with the rules of another folder; exceptions that are all there keep their bytes."""
    target.mkdir(parents=True)
    shutil.copytree(source / "rules", target / "rules")
    for name, frame in facts.items():
        (target / FACT_TABLES[name].file_name).write_bytes(render_csv(FACT_TABLES[name], frame))
    by_hand = source / "known_exceptions.csv"
    if by_hand.read_bytes().count(b"\n") == len(facts["known_exceptions"]) + 1:
        shutil.copy(by_hand, target)
    (target / README_NAME).write_text(render_data_readme(facts), encoding="utf-8")
    return target


def _of(facts: Facts, name: str, race_keys: set[str]) -> pd.DataFrame:
    return facts[name][facts[name]["race_key"].isin(race_keys)].reset_index(drop=True)


def _races_through(facts: Facts, race_key: str) -> set[str]:
    order = facts["races"].sort_values(["race_date", "race_key"])["race_key"].tolist()
    return set(order[: order.index(race_key) + 1])


def _starts(facts: Facts) -> dict[str, dict[str, str]]:
    starts: dict[str, dict[str, str]] = {}
    for row in facts["sessions"].to_dict("records"):
        starts.setdefault(row["race_key"], {})[row["session"]] = row["starts_at"]
    return starts


def _race(row: Row, ids: Mapping[str, str], starts: Mapping[str, Mapping[str, str]]) -> Row:
    made = {
        "id": ids[row["race_key"]],
        "year": row["season"],
        "round": row["round_number"],
        "date": row["race_date"],
        "time": "",
        "grandPrixId": row["grand_prix_id"],
        "qualifyingFormat": "KNOCKOUT",
        "sprintQualifyingFormat": "SPRINT_SHOOTOUT" if row["has_sprint"] == "true" else "",
        "circuitId": row["circuit_id"],
        "laps": row["scheduled_laps"],
        "officialName": f"FORMULA 1 {row['name'].upper()} {row['season']}",
    }
    if row["is_time_estimated"] == "true":
        return made  # F1DB states no times before 2024
    made["time"] = row["race_start_at"][11:16]
    for session, start in starts[row["race_key"]].items():
        if session != "race":
            made |= {f"{_SESSION_COLUMNS[session]}Date": start[:10], f"{_SESSION_COLUMNS[session]}Time": start[11:16]}
    return made


def _people(facts: Facts) -> Rows:
    return {
        "drivers": [
            {
                "id": row["driver_id"],
                "name": row["name"],
                "firstName": row["first_name"],
                "lastName": row["last_name"],
                "fullName": row["name"],
                "abbreviation": row["abbreviation"],
                "permanentNumber": row["permanent_number"],
                "dateOfBirth": row["date_of_birth"],
                "nationalityCountryId": row["nationality_country_id"],
            }
            for row in facts["drivers"].to_dict("records")
        ],
        "constructors": [
            {
                "id": row["constructor_id"],
                "name": row["name"],
                "fullName": row["full_name"],
                "countryId": row["country_id"],
            }
            for row in facts["constructors"].to_dict("records")
        ],
        "circuits": [
            {
                "id": row["circuit_id"],
                "name": row["name"],
                "fullName": row["full_name"],
                "type": _CIRCUIT_TYPES[row["circuit_type"]],
                "direction": row["direction"].upper(),
                "placeName": row["place_name"],
                "countryId": row["country_id"],
                "length": row["length_km"],
                "turns": row["turn_count"],
            }
            for row in facts["circuits"].to_dict("records")
        ],
    }


def _car(row: Row, ids: Mapping[str, str]) -> Row:
    return {"raceId": ids[row["race_key"]], "driverId": row["driver_id"], "constructorId": row["constructor_id"]}


def _result(row: Row, ids: Mapping[str, str], order: int) -> Row:
    values = {_RENAMED[name]: value for name, value in row.items() if name in _RENAMED}
    return (
        {"positionDisplayOrder": str(order), "positionText": values.get("positionNumber", "")} | _car(row, ids) | values
    )


def _entrants(facts: Facts) -> list[Row]:
    entered = {
        (row["race_key"][:4], row["constructor_id"], row["driver_id"])
        for name in ("practice_results", "race_results")
        for row in facts[name].to_dict("records")
    }
    return [
        {"year": year, "constructorId": constructor, "driverId": driver, "testDriver": "false"}
        for year, constructor, driver in sorted(entered)
    ]
