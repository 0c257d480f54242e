"""Who takes part in a race, as columns of arrays.

Belongs here: the order of drivers and constructors that outlooks, simulations and features of a race share. Neighbours:
`forecast.weekend_model` learns for an entered race, `forecast.weekend_features` lists what it learnt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError


@dataclass(frozen=True)
class EnteredRace:
    """One race, and who takes part.

    Attributes
    ----------
    number : int
        Place among all races by date.
    race_key : str
    season : int
    circuit_id : str
    has_sprint : bool
    drivers, lineages : tuple of str, length m
        Drivers on sale in the order of their names, and the lineage of the car of each.
    constructors, constructor_lineages : tuple of str
        Constructors on sale.
    team : ndarray of int8, shape (m,)
        Place of each driver's constructor among them.
    """

    number: int
    race_key: str
    season: int
    circuit_id: str
    has_sprint: bool
    drivers: tuple[str, ...]
    lineages: tuple[str, ...]
    constructors: tuple[str, ...]
    constructor_lineages: tuple[str, ...]
    team: np.ndarray


def lineages_of(entries: pd.DataFrame) -> dict[str, str]:
    """Map constructors on sale to what their history is joined by."""
    constructors = entries[entries["asset_type"] == "constructor"]
    return dict(zip(constructors["asset_id"], constructors["lineage_id"], strict=True))


def entered_race(entries: pd.DataFrame, number: int, race: pd.Series) -> EnteredRace:
    """Say who takes part in a race.

    Parameters
    ----------
    entries : DataFrame
        race_key, asset_type, asset_id, constructor_id, lineage_id of any races.
    number : int
        Place of the race among all races by date.
    race : Series
        race_key, season, circuit_id, has_sprint.

    Returns
    -------
    EnteredRace

    Raises
    ------
    DataError
        When nobody is on sale, or a driver's constructor is not.
    """
    own = entries[entries["race_key"] == race.race_key].sort_values("asset_id")
    drivers, constructors = (own[own["asset_type"] == kind] for kind in ("driver", "constructor"))
    if drivers.empty or constructors.empty:
        raise DataError(f"{race.race_key}: expected drivers and constructors on sale, found none")
    numbers = {name: at for at, name in enumerate(constructors["asset_id"])}
    homeless = [
        name for name, team in zip(drivers["asset_id"], drivers["constructor_id"], strict=True) if team not in numbers
    ]
    if homeless:
        raise DataError(f"{race.race_key}: expected the constructor of {homeless[0]} on sale, found it is not")
    lineages = lineages_of(own)
    return EnteredRace(
        number,
        str(race.race_key),
        int(race.season),
        str(race.circuit_id),
        bool(race.has_sprint),
        tuple(drivers["asset_id"]),
        tuple(lineages[team] for team in drivers["constructor_id"]),
        tuple(constructors["asset_id"]),
        tuple(constructors["lineage_id"]),
        np.array([numbers[team] for team in drivers["constructor_id"]], dtype=np.int8),
    )
