"""Make the result facts (practice, qualifying, grids, races, pit stops) and the who-is-who from F1DB frames.

Only F1DB's results and names belong here; the calendar is :mod:`f1_pipeline.sources.importer_calendar`, the
game's own facts are :mod:`f1_pipeline.sources.importer_scores` and
:mod:`f1_pipeline.sources.fantasy_records`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError

# Each chain is one team through its names, oldest first (public record of entries and take-overs).
LINEAGES = (
    ("force-india", "racing-point", "aston-martin"),
    ("renault", "alpine"),
    ("sauber", "alfa-romeo", "kick-sauber", "audi"),
    ("toro-rosso", "alphatauri", "rb", "racing-bulls"),
)
_CIRCUIT_TYPES = {"RACE": "permanent", "STREET": "street", "ROAD": "road"}
_FLAGS = {"true": True, "false": False, "": None}


def whole(values: pd.Series) -> pd.Series:
    """Read text as nullable whole numbers.

    Parameters
    ----------
    values : pandas.Series
        Text; an empty string is null.

    Returns
    -------
    pandas.Series
        Int64, same index.

    Raises
    ------
    DataError
        A value is not a whole number.
    """
    try:
        with np.errstate(invalid="raise"):  # a number too large beside empty fields is a mere warning otherwise
            return pd.to_numeric(values.where(values != ""), errors="raise").astype("Int64")
    except (ValueError, TypeError, ArithmeticError) as error:
        raise DataError(f"F1DB column {values.name}: expected whole numbers, found otherwise ({error}).") from error


def _numbers(values: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(values)
    except ValueError as error:
        raise DataError(f"F1DB column {values.name}: expected numbers, found otherwise ({error}).") from error


def build_results(f1db: Mapping[str, pd.DataFrame], race_keys: pd.Series) -> dict[str, pd.DataFrame]:
    """Make the five result tables.

    Parameters
    ----------
    f1db : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.f1db.read_f1db`.
    race_keys : pandas.Series
        Race key, indexed by F1DB race id (text); rows of other races are left out.

    Returns
    -------
    dict of str to pandas.DataFrame
        practice_results, qualifying_results, starting_grids, race_results, pit_stops.

    Raises
    ------
    DataError
        A number is unreadable.
    """

    def rows(name: str, **constants: str) -> pd.DataFrame:
        frame = f1db[name]
        frame = frame[frame["raceId"].isin(race_keys.index)]
        known = {"race_key": frame["raceId"].map(race_keys), "driver_id": frame["driverId"]}
        return frame.assign(**known, constructor_id=frame["constructorId"], **constants)

    practice = [rows(f"races-free-practice-{n}-results", session=f"fp{n}") for n in (1, 2, 3)]
    qualifying = [
        rows("races-qualifying-results", session="qualifying"),
        rows("races-sprint-qualifying-results", session="sprint_qualifying"),
    ]
    grids = [
        rows("races-starting-grid-positions", session="race"),
        rows("races-sprint-starting-grid-positions", session="sprint"),
    ]
    races = [rows("races-race-results", session="race"), rows("races-sprint-race-results", session="sprint")]
    return {
        "practice_results": _practice(pd.concat(practice, ignore_index=True)),
        "qualifying_results": _qualifying(pd.concat(qualifying, ignore_index=True)),
        "starting_grids": _grids(pd.concat(grids, ignore_index=True)),
        "race_results": _races(pd.concat(races, ignore_index=True)),
        "pit_stops": _pit_stops(rows("races-pit-stops")),
    }


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["race_key", "session", "driver_id", "constructor_id"]]


def _practice(frame: pd.DataFrame) -> pd.DataFrame:
    return _keys(frame).assign(
        position=whole(frame["positionNumber"]),
        best_lap_ms=whole(frame["timeMillis"]),
        lap_count=whole(frame["laps"]),
    )


def _qualifying(frame: pd.DataFrame) -> pd.DataFrame:
    out = _keys(frame).assign(
        position=whole(frame["positionNumber"]),
        position_text=frame["positionText"],
        q1_ms=whole(frame["q1Millis"]),
        q2_ms=whole(frame["q2Millis"]),
        q3_ms=whole(frame["q3Millis"]),
        display_order=whole(frame["positionDisplayOrder"]),
    )
    # Bottas, Silverstone 2023, is listed twice: NC with his times and DSQ without. The later row is the
    # verdict.
    out = out.sort_values(["race_key", "session", "driver_id", "display_order"], kind="stable")
    key = ["race_key", "session", "driver_id"]
    times = out.groupby(key, sort=False)[["q1_ms", "q2_ms", "q3_ms"]].first()
    verdicts = out.drop_duplicates(key, keep="last").drop(columns=list(times.columns)).set_index(key)
    return verdicts.join(times).reset_index()


def _grids(frame: pd.DataFrame) -> pd.DataFrame:
    return _keys(frame).assign(
        grid_position=whole(frame["positionNumber"]),
        grid_text=frame["positionText"],
        grid_order=whole(frame["positionDisplayOrder"]),
    )


def _races(frame: pd.DataFrame) -> pd.DataFrame:
    return _keys(frame).assign(
        position=whole(frame["positionNumber"]),
        position_text=frame["positionText"],
        result_order=whole(frame["positionDisplayOrder"]),
        laps=whole(frame["laps"]),
        time_ms=whole(frame["timeMillis"]),
        retirement_reason=frame["reasonRetired"],
        championship_points=_numbers(frame["points"].replace("", "0")),
        is_fastest_lap=frame["fastestLap"].map(_FLAGS),
        is_driver_of_the_day=frame["driverOfTheDay"].map(_FLAGS),
    )


def _pit_stops(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["race_key", "driver_id", "constructor_id"]].assign(
        stop_number=whole(frame["stop"]), lap=whole(frame["lap"]), lane_time_ms=whole(frame["timeMillis"])
    )


def build_people(
    f1db: Mapping[str, pd.DataFrame], driver_ids: set[str], constructor_ids: set[str], circuit_ids: set[str]
) -> dict[str, pd.DataFrame]:
    """Make drivers, constructors and circuits for those that are referred to.

    Parameters
    ----------
    f1db : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.f1db.read_f1db`.
    driver_ids, constructor_ids, circuit_ids : set of str
        F1DB ids that other facts use.

    Returns
    -------
    dict of str to pandas.DataFrame
        drivers, constructors, circuits.

    Raises
    ------
    DataError
        F1DB does not describe one of them.
    """
    drivers = _described(f1db["drivers"], driver_ids, "driver")
    constructors = _described(f1db["constructors"], constructor_ids, "constructor")
    circuits = _described(f1db["circuits"], circuit_ids, "circuit")
    return {
        "drivers": pd.DataFrame(
            {
                "driver_id": drivers["id"],
                "name": drivers["name"],
                "first_name": drivers["firstName"],
                "last_name": drivers["lastName"],
                "abbreviation": drivers["abbreviation"],
                "permanent_number": whole(drivers["permanentNumber"]),
                "nationality_country_id": drivers["nationalityCountryId"],
                "date_of_birth": drivers["dateOfBirth"],
            }
        ),
        "constructors": pd.DataFrame(
            {
                "constructor_id": constructors["id"],
                "name": constructors["name"],
                "full_name": constructors["fullName"],
                "country_id": constructors["countryId"],
                "lineage_id": constructors["id"].map(lambda key: lineage_of(key, constructor_ids)),
            }
        ),
        "circuits": pd.DataFrame(
            {
                "circuit_id": circuits["id"],
                "name": circuits["name"],
                "full_name": circuits["fullName"],
                "place_name": circuits["placeName"],
                "country_id": circuits["countryId"],
                "circuit_type": circuits["type"].map(_CIRCUIT_TYPES),
                "direction": circuits["direction"].str.lower(),
                "length_km": _numbers(circuits["length"]),
                "turn_count": whole(circuits["turns"]),
            }
        ),
    }


def lineage_of(constructor_id: str, known: set[str]) -> str:
    """Return the newest known name of a team.

    Parameters
    ----------
    constructor_id : str
        Any name of the team.
    known : set of str
        Constructors that appear in the facts.

    Returns
    -------
    str
        The last name of its chain that is known, itself when it belongs to no chain.
    """
    for chain in LINEAGES:
        if constructor_id in chain:
            return [name for name in chain if name in known or name == constructor_id][-1]
    return constructor_id


def _described(frame: pd.DataFrame, ids: set[str], kind: str) -> pd.DataFrame:
    unknown = sorted(ids - set(frame["id"]))
    if unknown:
        raise DataError(f"F1DB describes no {kind} {', '.join(unknown)}, but its results name them.")
    return frame[frame["id"].isin(ids)].reset_index(drop=True)
