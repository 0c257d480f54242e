"""Read an F1DB CSV release: named members of a zip, named columns, everything as text.

Only reading belongs here; what the rows mean is for the importer. Members are read in memory by their exact
names and nothing is ever unpacked to disk, so a crafted archive cannot write anywhere.

References
----------
F1DB, https://github.com/f1db/f1db, CC BY 4.0; seen with release 2026.5.
"""

import csv
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError

# A release holds about 26 MB; one beyond this, all members together, is not F1DB's.
_MAX_BYTES = 100_000_000
# What zipfile raises for an archive, or a member, that is damaged, encrypted or packed in a way it does not know; a
# damaged place of a member is an OSError, a damaged length any of the others.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)

_CAR = ("raceId", "positionDisplayOrder", "positionNumber", "positionText", "driverId", "constructorId")
_PRACTICE = (*_CAR, "timeMillis", "laps")
_QUALIFYING = (*_CAR, "q1Millis", "q2Millis", "q3Millis")
_RACE = (*_CAR, "laps", "timeMillis", "reasonRetired", "points", "fastestLap", "driverOfTheDay")

F1DB_COLUMNS: dict[str, tuple[str, ...]] = {
    "circuits": ("id", "name", "fullName", "type", "direction", "placeName", "countryId", "length", "turns"),
    "constructors": ("id", "name", "fullName", "countryId"),
    "drivers": (
        "id",
        "name",
        "firstName",
        "lastName",
        "abbreviation",
        "permanentNumber",
        "dateOfBirth",
        "nationalityCountryId",
    ),
    "grands-prix": ("id", "fullName"),
    "races": (
        "id",
        "year",
        "round",
        "date",
        "time",
        "grandPrixId",
        "qualifyingFormat",
        "sprintQualifyingFormat",
        "circuitId",
        "laps",
        "scheduledLaps",
        "freePractice1Date",
        "freePractice1Time",
        "freePractice2Date",
        "freePractice2Time",
        "freePractice3Date",
        "freePractice3Time",
        "qualifyingDate",
        "qualifyingTime",
        "sprintQualifyingDate",
        "sprintQualifyingTime",
        "sprintRaceDate",
        "sprintRaceTime",
    ),
    "races-free-practice-1-results": _PRACTICE,
    "races-free-practice-2-results": _PRACTICE,
    "races-free-practice-3-results": _PRACTICE,
    "races-qualifying-results": _QUALIFYING,
    "races-sprint-qualifying-results": _QUALIFYING,
    "races-sprint-starting-grid-positions": _CAR,
    "races-starting-grid-positions": _CAR,
    "races-sprint-race-results": _RACE,
    "races-race-results": _RACE,
    "races-pit-stops": ("raceId", "driverId", "constructorId", "stop", "lap", "timeMillis"),
    "seasons-entrants-drivers": ("year", "constructorId", "driverId", "testDriver"),
}


def read_f1db(zip_path: Path) -> dict[str, pd.DataFrame]:
    """Read the files of an F1DB release that the project uses.

    Parameters
    ----------
    zip_path : Path
        The release's ``f1db-csv.zip``.

    Returns
    -------
    dict of str to pandas.DataFrame
        Frame per file, keyed by its name without ``f1db-`` and ``.csv``; the columns of ``F1DB_COLUMNS`` as
        text, an empty string where F1DB has no value.

    Raises
    ------
    DataError
        The archive is missing or damaged, or lacks a file or column that is needed.
    """
    if not zip_path.is_file():
        raise DataError(f"{zip_path} does not exist; expected an F1DB CSV release (f1db-csv.zip).")
    try:
        with zipfile.ZipFile(zip_path) as archive:
            _check_size(archive, zip_path.name)
            return {name: _read_member(archive, zip_path.name, name) for name in F1DB_COLUMNS}
    except _DAMAGE as error:
        raise DataError(f"{zip_path.name} is not a readable zip archive: {error}.") from error


def _check_size(archive: zipfile.ZipFile, archive_name: str) -> None:
    """Refuse what would fill the memory; zipfile unpacks no more of a member than it states."""
    wanted = {f"f1db-{name}.csv" for name in F1DB_COLUMNS}
    stated = sum(info.file_size for info in archive.infolist() if info.filename in wanted)
    if stated > _MAX_BYTES:
        raise DataError(f"{archive_name} unpacks to {stated} bytes; expected at most {_MAX_BYTES}.")


def _read_member(archive: zipfile.ZipFile, archive_name: str, name: str) -> pd.DataFrame:
    member = f"f1db-{name}.csv"
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise DataError(f"{archive_name} lacks {member}; expected a full F1DB CSV release.") from None
    try:
        text = archive.read(info).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{archive_name}: {member} is not UTF-8 text ({error.reason}).") from error
    try:
        return _parse(text, f"{archive_name}: {member}", F1DB_COLUMNS[name])
    except csv.Error as error:
        raise DataError(f"{archive_name}: {member} is no CSV text: {error}.") from error


def _parse(text: str, where: str, columns: tuple[str, ...]) -> pd.DataFrame:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(f"{where} lacks the column {', '.join(missing)}; it has {', '.join(header) or 'none'}.")
    picked = [header.index(column) for column in columns]
    records = []
    for record in rows:
        if len(record) != len(header):
            raise DataError(f"{where} line {rows.line_num}: expected {len(header)} fields, found {len(record)}.")
        records.append([record[index] for index in picked])
    return pd.DataFrame(records, columns=list(columns), dtype=str)
