"""Read the public records of the official game and name their assets by the project's ids.

The records write drivers as three-letter codes and teams as short codes, both of which change hands between
seasons; here they become driver_id and constructor_id. Turning items into scores is
:mod:`f1_pipeline.sources.importer_scores`.
"""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError

_ASSET = ("season", "round", "gp", "asset_type", "asset", "team")
RECORD_COLUMNS: dict[str, tuple[str, ...]] = {
    "fantasy_prices": (*_ASSET, "price", "source", "n_sources", "n_agree"),
    "fantasy_totals": (*_ASSET, "total_points", "source", "n_sources", "n_agree"),
    "fantasy_points": (*_ASSET, "session", "scoring_item", "points", "frequency", "source"),
    "fantasy_ownership": (*_ASSET, "selected_pct", "captain_or_2x_pct", "source"),
}
# Team codes of the game. A code that two of F1DB's names share stands for the one that entered that season.
TEAM_CODES: dict[str, tuple[str, ...]] = {
    "ALF": ("alfa-romeo",),
    "ALP": ("alpine",),
    "AMR": ("aston-martin",),
    "AT": ("alphatauri",),
    "AUD": ("audi",),
    "CAD": ("cadillac",),
    "FER": ("ferrari",),
    "HAA": ("haas",),
    "MCL": ("mclaren",),
    "MER": ("mercedes",),
    "RB": ("rb", "racing-bulls"),
    "RBR": ("red-bull",),
    "SAU": ("kick-sauber",),
    "WIL": ("williams",),
}


def read_records(fantasy_dir: Path, f1db: Mapping[str, pd.DataFrame], races: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Read the game's records with assets and races named by id.

    Parameters
    ----------
    fantasy_dir : Path
        Directory with the files of ``RECORD_COLUMNS``.
    f1db : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.f1db.read_f1db`; who drives for whom each season.
    races : pandas.DataFrame
        The races table.

    Returns
    -------
    dict of str to pandas.DataFrame
        Frame per record file: race_key, asset_type, asset_id, constructor_id and its own columns as text.

    Raises
    ------
    DataError
        A file or column is missing, or a code or round is unknown.
    """
    names = _Names(f1db, races)
    return {
        name: names.apply(_read(fantasy_dir / f"{name}.csv", columns), name) for name, columns in RECORD_COLUMNS.items()
    }


class _Names:
    """Who is behind a code in a season."""

    def __init__(self, f1db: Mapping[str, pd.DataFrame], races: pd.DataFrame) -> None:
        # test drivers included: Bearman raced for Ferrari in 2024 and F1DB enters him as their test driver
        entrants = f1db["seasons-entrants-drivers"]
        codes = f1db["drivers"].set_index("id")["abbreviation"]
        self._entered = set(zip(entrants["year"], entrants["constructorId"], strict=True))
        self._drivers: dict[tuple[str, str, str], set[str]] = {}
        for year, constructor, driver in zip(
            entrants["year"], entrants["constructorId"], entrants["driverId"], strict=True
        ):
            self._drivers.setdefault((year, constructor, codes.get(driver, "")), set()).add(driver)
        self._races = {
            (str(season), str(number)): (key, grand_prix)
            for key, season, number, grand_prix in zip(
                races["race_key"], races["season"], races["round_number"], races["grand_prix_id"], strict=True
            )
        }

    def apply(self, frame: pd.DataFrame, name: str) -> pd.DataFrame:
        """Add race_key, constructor_id and asset_id to the rows of a record file."""
        named = [self._name(row, f"{name}.csv line {line}") for line, row in enumerate(frame.to_dict("records"), 2)]
        ids = pd.DataFrame(named, columns=["race_key", "constructor_id", "asset_id"], index=frame.index)
        return frame.assign(**{column: ids[column] for column in ids.columns})

    def _name(self, row: Mapping[str, str], where: str) -> tuple[str, str, str]:
        season = row["season"]
        race_key, grand_prix = self._races.get((season, row["round"]), ("", ""))
        if grand_prix != row["gp"]:
            raise DataError(
                f"{where}: expected round {row['round']} of {season} to be {row['gp']}, the calendar has "
                f"{grand_prix or 'no such round'}."
            )
        candidates = [key for key in TEAM_CODES.get(row["team"], ()) if (season, key) in self._entered]
        if len(candidates) != 1:
            raise DataError(f"{where}: the team code {row['team']!r} stands for no team of {season}.")
        constructor = candidates[0]
        if row["asset_type"] == "constructor":
            if row["asset"] != row["team"]:
                raise DataError(f"{where}: constructor {row['asset']!r} is listed under the team {row['team']!r}.")
            return race_key, constructor, constructor
        drivers = self._drivers.get((season, constructor, row["asset"]), set())
        if row["asset_type"] != "driver" or len(drivers) != 1:
            raise DataError(f"{where}: {row['asset_type']} {row['asset']!r} is no asset of {constructor} in {season}.")
        return race_key, constructor, next(iter(drivers))


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path.name} is missing from {path.parent}; expected a record of the game.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 text ({error.reason}).") from error
    try:
        return _parse(text, path.name, columns)
    except csv.Error as error:
        raise DataError(f"{path.name} is no CSV text: {error}.") from error


def _parse(text: str, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(f"{name} lacks the column {', '.join(missing)}; it has {', '.join(header) or 'none'}.")
    picked = [header.index(column) for column in columns]
    records = []
    for record in rows:
        if len(record) != len(header):
            raise DataError(f"{name} line {rows.line_num}: expected {len(header)} fields, found {len(record)}.")
        records.append([record[index] for index in picked])
    return pd.DataFrame(records, columns=list(columns), dtype=str)


def build_prices(records: pd.DataFrame) -> pd.DataFrame:
    """Make the prices table.

    Parameters
    ----------
    records : pandas.DataFrame
        ``fantasy_prices`` of :func:`read_records`; price in million dollars as text.

    Returns
    -------
    pandas.DataFrame
        Columns of the prices table; price_musd as integer tenths.

    Raises
    ------
    DataError
        A price is no number with at most one decimal.
    """
    return _agreement(records).assign(price_musd=records["price"].map(_tenths))


def build_totals(records: pd.DataFrame) -> pd.DataFrame:
    """Make the official_totals table.

    Parameters
    ----------
    records : pandas.DataFrame
        ``fantasy_totals`` of :func:`read_records`.

    Returns
    -------
    pandas.DataFrame
        Columns of the official_totals table.

    Raises
    ------
    DataError
        A total is no whole number.
    """
    return _agreement(records).assign(total_points=records["total_points"].map(whole_points))


def build_ownership(records: pd.DataFrame) -> pd.DataFrame:
    """Make the ownership table, one record per asset and race.

    Parameters
    ----------
    records : pandas.DataFrame
        ``fantasy_ownership`` of :func:`read_records`; two records may state the same asset and race.

    Returns
    -------
    pandas.DataFrame
        Columns of the ownership table. Of two records the one that covers more of the season is kept.
    """
    rows_of_source = records.groupby(["season", "source"])["asset"].transform("size")
    ranked = records.assign(rows=-rows_of_source).sort_values(["rows", "source"], kind="stable")
    kept = ranked.drop_duplicates(["race_key", "asset_type", "asset_id"])
    return kept.assign(
        selected_pct=pd.to_numeric(kept["selected_pct"]),
        boosted_pct=pd.to_numeric(kept["captain_or_2x_pct"].where(kept["captain_or_2x_pct"] != "")),
    )


def whole_points(text: str) -> int:
    """Read points that may be spelt 7 or 7.0.

    Parameters
    ----------
    text : str
        A whole number, with or without a zero decimal.

    Returns
    -------
    int
        The number.

    Raises
    ------
    DataError
        It is not a whole number.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise DataError(f"A record of the game has the points {text!r}; expected a whole number.") from None
    if not number.is_finite() or number != number.to_integral_value():
        raise DataError(f"A record of the game has the points {text!r}; expected a whole number.")
    return int(number)


def _tenths(text: str) -> int:
    try:
        tenths = Decimal(text) * 10
    except InvalidOperation:
        raise DataError(f"fantasy_prices.csv has the price {text!r}; expected million dollars.") from None
    if not tenths.is_finite() or tenths != tenths.to_integral_value():
        raise DataError(f"fantasy_prices.csv has the price {text!r}; expected at most one decimal.")
    return int(tenths)


def _agreement(records: pd.DataFrame) -> pd.DataFrame:
    return records.assign(
        source_count=records["n_sources"].map(whole_points),
        agreeing_source_count=records["n_agree"].map(whole_points),
    )
