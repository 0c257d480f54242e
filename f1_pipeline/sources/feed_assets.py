"""Find the driver or constructor behind each asset of the feed.

Belongs here: the game's players against the facts' people. Neighbours: `names` compares names, `feed_merge` makes facts
of what is found. The game numbers a driver anew when he changes team and renames nobody; the facts know a person, so
names decide, and a three-letter code only where the name is written another way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.sources.fantasy_records import TEAM_CODES
from f1_pipeline.sources.feed_data import FeedItem, PlayerState
from f1_pipeline.sources.names import person, same_person, slug, team
from f1_pipeline.sources.source import Facts

SOURCE = "official feed"
ASSET = ["race_key", "asset_type", "asset_id"]
AssetInRace = tuple[str, str, str]
"""Race key, kind of asset, id."""

_WHO_APPEARS = ("prices", "official_totals", "race_results", "qualifying_results")


@dataclass(frozen=True)
class Stated:
    """What the feed states of one asset that takes part in one race."""

    race_key: str
    asset_id: str
    constructor_id: str
    state: PlayerState
    items: tuple[FeedItem, ...]

    @property
    def key(self) -> AssetInRace:
        """Race, kind and id of the asset."""
        return self.race_key, self.state.asset_type, self.asset_id

    def row(self, **values: object) -> dict[str, object]:
        """Make a row of one of the game's tables."""
        asset = dict(zip(ASSET, self.key, strict=True)) | {"constructor_id": self.constructor_id}
        return asset | values | {"source_count": 1, "agreeing_source_count": 1, "source": SOURCE}


def asset_keys(frame: pd.DataFrame) -> list[AssetInRace]:
    """Identify the asset of each row of one of the game's tables."""
    return list(zip(*(frame[name].tolist() for name in ASSET), strict=True))


def find_constructors(states: Iterable[PlayerState], facts: Facts) -> dict[tuple[int, str], str]:
    """Name the constructor of every team that the states mention.

    Parameters
    ----------
    states : iterable of PlayerState
    facts : Facts

    Returns
    -------
    dict of (int, str) to str
        Constructor id by season and the feed's name of the team.

    Raises
    ------
    DataError
        A team is unknown, or may be several.
    """
    codes = {(state.meeting.season, state.team_name): "" for state in states}
    codes |= {
        (state.meeting.season, state.team_name): state.code for state in states if state.asset_type == "constructor"
    }
    entered = {season: _appearing(facts, season, "constructor_id") for season, _ in codes}
    return {
        (season, name): _constructor(name, code, season, entered[season], facts["constructors"])
        for (season, name), code in codes.items()
    }


def _constructor(name: str, code: str, season: int, entered: Collection[str], constructors: pd.DataFrame) -> str:
    is_entered = constructors["constructor_id"].isin(list(entered))
    by_code = constructors["constructor_id"].isin(TEAM_CODES.get(code, ()))
    for rows in (constructors[is_entered], constructors):
        for column in ("name", "full_name"):
            found = [
                key for key, text in zip(rows["constructor_id"], rows[column], strict=True) if team(text) == team(name)
            ]
            if found:
                return _only(found, f"the feed's team {name!r} of {season}")
    found = constructors.loc[is_entered & by_code, "constructor_id"].tolist()
    if not found:
        raise DataError(f"the feed's team {name!r} ({code or 'no code'}) of {season} is no constructor that is known")
    return _only(found, f"the feed's team {name!r} of {season}")


def find_drivers(
    states: Sequence[PlayerState], facts: Facts, constructors: Mapping[tuple[int, str], str], playing: Collection[str]
) -> tuple[dict[str, str], Facts]:
    """Name the driver of every player that the states mention.

    Parameters
    ----------
    states : sequence of PlayerState
        Of one season; constructors among them are passed over.
    facts : Facts
        Not altered; may know drivers whom no fact names yet, see
        :func:`f1_pipeline.sources.f1db_merge.merge_release`.
    constructors : mapping of (int, str) to str
        Of :func:`find_constructors`.
    playing : collection of str
        Players who take part in some race; only such a one can be a newcomer.

    Returns
    -------
    by_player : dict of str to str
        Driver id by the game's number of the player; without a player who is unknown and takes no part.
    facts : Facts
        With a row for each newcomer whom nobody knows: his id is made of his name, nationality and date of birth stay
        empty until an F1DB release describes him.

    Raises
    ------
    DataError
        A player may be several drivers.
    """
    drivers = facts["drivers"]
    players = {state.player_id: state for state in states if state.asset_type == "driver"}
    entered = _appearing(facts, states[0].meeting.season, "driver_id")
    by_name = {player_id: _by_name(state, drivers, entered) for player_id, state in players.items()}
    found = {player_id: driver_id for player_id, driver_id in by_name.items() if driver_id}
    named = set(found.values())
    newcomers = []
    for player_id, state in players.items():
        if player_id in found:
            continue
        driver_id = _by_code(state, facts, constructors, named)
        if not driver_id and player_id in playing:
            driver_id = slug(state.name)
            newcomers.append(_newcomer(driver_id, state, drivers))
        if driver_id:
            found[player_id] = driver_id
    made = pd.DataFrame(newcomers, columns=drivers.columns, dtype=str).drop_duplicates("driver_id")
    return found, facts | {"drivers": pd.concat([drivers, made], ignore_index=True)}


def _by_name(state: PlayerState, drivers: pd.DataFrame, entered: Collection[str]) -> str | None:
    spellings = [state.name, f"{state.first_name} {state.last_name}"]
    is_entered = drivers["driver_id"].isin(list(entered))
    for rows in (drivers[is_entered], drivers):
        found = same_person(rows, spellings)
        if len(found) > 1:
            with_code = rows[rows["driver_id"].isin(found) & (rows["abbreviation"] == state.code)]
            found = with_code["driver_id"].tolist() or found
        if found:
            return _only(found, f"the feed's driver {state.name!r}")
    return None


def _by_code(
    state: PlayerState, facts: Facts, constructors: Mapping[tuple[int, str], str], taken: Collection[str]
) -> str | None:
    """Find a driver whose name the feed writes otherwise: his code, and at least one name in common."""
    drivers, season = facts["drivers"], state.meeting.season
    own = set(person(f"{state.name} {state.last_name}"))
    is_alike = [bool(own & set(person(name))) for name in drivers["name"]]
    alike = drivers[(drivers["abbreviation"] == state.code) & pd.Series(is_alike, index=drivers.index, dtype=bool)]
    alike = alike[~alike["driver_id"].isin(list(taken))]
    of_team = _appearing(facts, season, "driver_id", constructors.get((season, state.team_name), ""))
    for entered in (of_team, _appearing(facts, season, "driver_id")):
        found = alike.loc[alike["driver_id"].isin(list(entered)), "driver_id"].tolist()
        if found:
            return _only(found, f"the feed's driver {state.name!r} ({state.code})")
    return None


def _newcomer(driver_id: str, state: PlayerState, drivers: pd.DataFrame) -> dict[str, str]:
    if not driver_id or driver_id in set(drivers["driver_id"]):
        raise DataError(f"the feed's driver {state.name!r} is nobody known, and {driver_id!r} cannot be his id")
    first, _, last = state.name.partition(" ")
    return {
        "driver_id": driver_id,
        "name": state.name,
        "first_name": state.first_name or first,
        "last_name": state.last_name or last or first,
        "abbreviation": state.code or (state.last_name or last or first)[:3].upper(),
        "permanent_number": "",
        "nationality_country_id": "",
        "date_of_birth": "",
    }


def _appearing(facts: Facts, season: int, column: str, constructor: str | None = None) -> set[str]:
    """List who appears in a season, in one team of it if one is given."""
    found: set[str] = set()
    for name in _WHO_APPEARS:
        rows = facts[name][facts[name]["race_key"].str.startswith(f"{season}-")]
        if constructor is not None:
            rows = rows[rows["constructor_id"] == constructor]
        if column in rows:
            found |= set(rows[column])
        elif column == "driver_id":
            found |= set(rows.loc[rows["asset_type"] == "driver", "asset_id"])
    return found


def _only(found: Sequence[str], what: str) -> str:
    if len(set(found)) > 1:
        raise DataError(f"{what} may be {' or '.join(sorted(set(found)))}")
    return found[0]
