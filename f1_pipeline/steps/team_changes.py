"""Your team from one state to the next: changed as you say, taken from a line-up, moved on after a race.

Belongs here: what stays when something changes, and the defaults of a new team. Every answer has been held against the
rules by `my_team.team_for`; writing it is `sources.my_team`. Neighbours: `sources.asset_names` knows what people call
assets, `sources.team_import` reads teams from other files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from f1_pipeline.errors import UsageError
from f1_pipeline.game.chip_rules import ChipRules
from f1_pipeline.game.chips import start_chips
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, money
from f1_pipeline.game.team import Team
from f1_pipeline.sources.asset_names import resolve_asset
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.my_team import MyTeam
from f1_pipeline.sources.team_import import ImportedTeam
from f1_pipeline.steps.menus import newest_menu
from f1_pipeline.steps.my_team import asset_at, team_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_frame

LINEUP_TABLE = "lineups.optimal_lineup"
LINEUP = """
    select asset_type, seat, is_boosted from lineups.optimal_lineup
    where race_key = $race_key and rank = $rank
    order by asset_type desc, seat
"""


@dataclass(frozen=True)
class TeamChanges:
    """What is to be different; None stays as it is.

    Attributes
    ----------
    race_key : str or None
    drivers, constructors, locked, banned : tuple of str or None
        Names as people write them; they replace the whole list.
    boosted, name : str or None
    bank_tenths, free_transfers, races_played : int or None
    chips_left : tuple of str or None
    """

    race_key: str | None = None
    drivers: tuple[str, ...] | None = None
    constructors: tuple[str, ...] | None = None
    boosted: str | None = None
    bank_tenths: int | None = None
    free_transfers: int | None = None
    chips_left: tuple[str, ...] | None = None
    name: str | None = None
    locked: tuple[str, ...] | None = None
    banned: tuple[str, ...] | None = None
    races_played: int | None = None


def changed_team(pipeline: Pipeline, team: MyTeam | None, changes: TeamChanges) -> MyTeam:
    """Change a team, or make a new one.

    Parameters
    ----------
    pipeline : Pipeline
    team : MyTeam or None
        The team as it is; None for a new one, which goes into the next race with what the starting budget leaves,
        one race's free transfers and all chips unless the changes say otherwise.
    changes : TeamChanges

    Returns
    -------
    MyTeam
        Assets by id, drivers who are not in the seat that the team holds by seat.

    Raises
    ------
    UsageError
        When a name is unknown or ambiguous, or a new team lacks what has no default.
    DataError
        When the team breaks a rule.
    """
    menu = newest_menu(
        pipeline, changes.race_key or (team.race_key if team else pipeline.calendar.meant(None).race_key)
    )
    known = asset_names(pipeline, menu)
    old = team and _carried(pipeline, team, menu)
    drivers = _resolved(changes.drivers, known, DRIVER, menu) or (old.drivers if old else ())
    constructors = _resolved(changes.constructors, known, CONSTRUCTOR, menu) or (old.constructors if old else ())
    for option, held in (("--drivers", drivers), ("--constructors", constructors)):
        if not held:
            raise UsageError(f"a new team has no default for its assets: give {option}")
    locked, banned = (_resolved(names, known, None, menu) for names in (changes.locked, changes.banned))
    rules = pipeline.rules(menu.race_key)
    changed = MyTeam(
        race_key=menu.race_key,
        drivers=drivers,
        constructors=constructors,
        boosted=_boosted(changes.boosted, known, menu, drivers, old),
        bank_tenths=old.bank_tenths if old else 0,
        free_transfers=_first(
            changes.free_transfers, old.free_transfers if old else None, rules.transfers.free_per_race
        ),
        chips_left=_first(changes.chips_left, old.chips_left if old else None, start_chips(rules)),
        name=_first(changes.name, old.name if old else None),
        locked=_first(locked, old.locked if old else None, ()),
        banned=_first(banned, old.banned if old else None, ()),
        races_played=_first(changes.races_played, old.races_played if old else None),
    )
    if changes.bank_tenths is not None:
        changed = replace(changed, bank_tenths=changes.bank_tenths)
    elif old is None or (drivers, constructors) != (old.drivers, old.constructors):
        changed = _with_starting_bank(pipeline, changed, menu, is_new=old is None)
    team_for(pipeline, changed, menu)
    return changed


def imported_changes(pipeline: Pipeline, team: MyTeam | None, imported: ImportedTeam) -> TeamChanges:
    """Find out which assets a file means; see `changed_team` for the errors."""
    race_key = imported.race_key or (team.race_key if team else pipeline.calendar.meant(None).race_key)
    known = asset_names(pipeline, newest_menu(pipeline, race_key))
    keys = [resolve_asset(asset.name, _of_type(known, asset.asset_type)) for asset in imported.assets]
    boosted = [key[1] for key, asset in zip(keys, imported.assets, strict=True) if asset.is_boosted]
    return TeamChanges(
        race_key=race_key,
        drivers=tuple(asset_id for kind, asset_id in keys if kind == DRIVER),
        constructors=tuple(asset_id for kind, asset_id in keys if kind == CONSTRUCTOR),
        boosted=boosted[0] if boosted else None,
        bank_tenths=imported.bank_tenths,
        free_transfers=imported.free_transfers,
        chips_left=imported.chips_left,
        name=imported.name,
        locked=imported.locked,
        banned=imported.banned,
        races_played=imported.races_played,
    )


def lineup_changes(pipeline: Pipeline, team: MyTeam | None, race_key: str | None, rank: int) -> TeamChanges:
    """Take a line-up that the graph has computed, as if you had entered it in the game.

    Parameters
    ----------
    pipeline : Pipeline
    team : MyTeam or None
        The team as it is: what the line-up costs more comes out of its bank, what changes out of its free transfers.
    race_key : str or None
        The race; by default that of the team, or the next one.
    rank : int
        Which of the line-ups.

    Returns
    -------
    TeamChanges

    Raises
    ------
    UsageError
        When there is no such line-up, or the team cannot pay for it.
    """
    race_key = race_key or (team.race_key if team else pipeline.calendar.meant(None).race_key)
    with pipeline.warehouse.read() as connection:
        has_lineups = race_key in pipeline.race_keys_in(connection, LINEUP_TABLE)
        rows = read_frame(connection, LINEUP, {"race_key": race_key, "rank": rank}) if has_lineups else None
    if rows is None or rows.empty:
        raise UsageError(f"no line-up {rank} for {race_key} yet: `f1-pipeline run --race {race_key}` makes it")
    of_type = {kind: tuple(rows.loc[rows["asset_type"] == kind, "seat"]) for kind in (DRIVER, CONSTRUCTOR)}
    entered = TeamChanges(
        race_key=race_key,
        drivers=of_type[DRIVER],
        constructors=of_type[CONSTRUCTOR],
        boosted=rows.loc[rows["is_boosted"], "seat"].item(),
    )
    if team is None:
        # The line-up of a fresh start: its transfers stay free until its first race.
        return replace(entered, races_played=0)
    menu = newest_menu(pipeline, race_key)
    held = team_for(pipeline, _carried(pipeline, team, menu), menu)
    wanted = {asset_at(name, menu) for names in of_type.values() for name in names}
    bank = held.budget_tenths - sum(menu.prices[key] for key in wanted)
    if bank < 0:
        raise UsageError(
            f"line-up {rank} for {race_key}: expected one of at most {money(held.budget_tenths)}, what your team is "
            f"worth with its bank, found {money(held.budget_tenths - bank)}"
        )
    transfers = len(wanted - set(held.lineup.asset_keys)) if held.races_played else 0
    return replace(entered, bank_tenths=bank, free_transfers=max(0, held.free_transfers - transfers))


def next_team(pipeline: Pipeline, team: MyTeam, transfer_count: int = 0, chip: str | None = None) -> MyTeam:
    """Move a team on to the race after its own.

    Parameters
    ----------
    pipeline : Pipeline
    team : MyTeam
        As it went into its race.
    transfer_count : int
        Transfers made there that its `free_transfers` do not know of yet.
    chip : str or None
        Name of the chip that was played there.

    Returns
    -------
    MyTeam
        The same assets and bank; free transfers and chips by the rules. Drivers who have changed seats are named by
        the seat that the team holds.

    Raises
    ------
    UsageError
        When the season is over, the next race has no prices yet, or the chip could not be played.
    DataError
        When the team breaks a rule.
    """
    menu = newest_menu(pipeline, team.race_key)
    held = team_for(pipeline, team, menu)
    place = menu.calendar.index(team.race_key) + 1
    if place == len(menu.calendar):
        raise UsageError(f"{team.race_key} is the last race of its season: `f1-pipeline team set --race` starts anew")
    coming = newest_menu(pipeline, menu.calendar[place])
    moved = replace(
        _carried(pipeline, team, coming),
        race_key=coming.race_key,
        free_transfers=_next_free_transfers(held, transfer_count, chip),
        chips_left=_without(team.chips_left, held, chip),
        races_played=held.races_played + 1,
    )
    team_for(pipeline, moved, coming)
    return moved


def asset_names(pipeline: Pipeline, menu: RaceMenu) -> dict[AssetKey, str]:
    """Say what people call the assets of a menu: drivers by id and by seat, with name and code; constructors."""
    data_dir = pipeline.settings.data_dir
    drivers = {
        row["driver_id"]: f"{row['name']} {row['abbreviation']}"
        for row in load_fact_table(data_dir, "drivers").to_pylist()
    }
    constructors = {row["constructor_id"]: row["name"] for row in load_fact_table(data_dir, "constructors").to_pylist()}
    names: dict[AssetKey, str] = {}
    for kind, asset_id in menu.prices:
        if kind == DRIVER:
            names[kind, driver_of(asset_id)] = names[kind, asset_id] = drivers[driver_of(asset_id)]
        else:
            names[kind, asset_id] = constructors[asset_id]
    return names


def _resolved(
    names: Sequence[str] | None, known: Mapping[AssetKey, str], asset_type: str | None, menu: RaceMenu
) -> tuple[str, ...] | None:
    if names is None:
        return None
    return tuple(_plain(resolve_asset(name, _of_type(known, asset_type))[1], menu) for name in names)


def _of_type(known: Mapping[AssetKey, str], asset_type: str | None) -> dict[AssetKey, str]:
    return {key: title for key, title in known.items() if asset_type in (None, key[0])}


def _plain(name: str, menu: RaceMenu) -> str:
    """Name a driver by his id where that means the same seat."""
    return driver_of(name) if menu.seats.get(driver_of(name)) == name else name


def _carried(pipeline: Pipeline, team: MyTeam, menu: RaceMenu) -> MyTeam:
    """Name the drivers of a team so that at another race of the season they are in the seats that the team holds."""
    if team.race_key == menu.race_key or team.race_key not in menu.calendar:
        return team
    before = newest_menu(pipeline, team.race_key)

    def carried(name: str) -> str:
        key = asset_at(name, before)
        return _plain(key[1], menu) if key in before.prices else name

    return replace(team, drivers=tuple(carried(name) for name in team.drivers), boosted=carried(team.boosted))


def _boosted(
    name: str | None, known: Mapping[AssetKey, str], menu: RaceMenu, drivers: tuple[str, ...], old: MyTeam | None
) -> str:
    if name is not None:
        held = {key: title for key, title in known.items() if key[0] == DRIVER and _plain(key[1], menu) in drivers}
        return _plain(resolve_asset(name, held or known)[1], menu)
    if old is not None and old.boosted in drivers:
        return old.boosted
    raise UsageError(f"nobody has the boost: give --boost with one of {', '.join(drivers)}")


def _with_starting_bank(pipeline: Pipeline, team: MyTeam, menu: RaceMenu, *, is_new: bool) -> MyTeam:
    """Put what the starting budget leaves into the bank of a new team, or one before its first race."""
    held = team_for(pipeline, replace(team, bank_tenths=0), menu)
    if not is_new and held.races_played > 0:
        return team
    budget = held.rules.team.budget_tenths
    if held.value_tenths > budget:
        raise UsageError(
            f"{menu.race_key}: expected assets of at most {money(budget)}, found {money(held.value_tenths)}; "
            "if your team is worth more by now, say with --bank what it has left"
        )
    return replace(team, bank_tenths=budget - held.value_tenths)


def _next_free_transfers(held: Team, transfer_count: int, chip: str | None) -> int:
    rules = held.rules.transfers
    if held.races_played == 0 or (chip is not None and _chip(held, chip).stops_carry_over):
        return rules.free_per_race
    return rules.free_per_race + min(max(0, held.free_transfers - transfer_count), rules.carried_over_max)


def _without(chips_left: tuple[str, ...], held: Team, chip: str | None) -> tuple[str, ...]:
    if chip is None:
        return chips_left
    if chip not in chips_left:
        raise UsageError(f"--chip: expected one that is left, {', '.join(chips_left) or 'there is none'}; found {chip}")
    first = _chip(held, chip).from_race
    if held.races_played + 1 < first:
        raise UsageError(f"--chip: expected {chip} from the team's race {first} on, found race {held.races_played + 1}")
    at = chips_left.index(chip)
    return chips_left[:at] + chips_left[at + 1 :]


def _chip(held: Team, chip: str) -> ChipRules:
    if chip not in held.rules.chips.names:
        raise UsageError(f"--chip: expected one of {', '.join(held.rules.chips.names)}, found {chip!r}")
    return getattr(held.rules.chips, chip)


def _first(*values: Any) -> Any:
    """Return the first value that says something."""
    return next((value for value in values if value is not None), None)
