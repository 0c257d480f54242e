"""Your own team in the graph: held against the rules and the menu of its race, and landed in `core.current_lineup`.

Belongs here: what makes the game's `Team` of the file, and the table that remembers the teams of earlier races.
Neighbours: `sources.my_team` reads and writes the file, `menus.py` says what can be held at which price,
`team_changes.py` makes the next team of one.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.decisions import RaceMenu, driver_of, seat_at
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup, money
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.settlement import inactive_points
from f1_pipeline.game.team import Team
from f1_pipeline.sources.calendar import CalendarRace
from f1_pipeline.sources.my_team import MyTeam, read_my_team
from f1_pipeline.steps.locks import settled_races
from f1_pipeline.steps.menus import newest_menu
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

TEAM_TABLE = "core.current_lineup"
ENTERED_TABLE = "core.entered_lineup"
LANDED = {
    TEAM_TABLE: "select * from core.current_lineup where race_key = $race_key order by asset_type desc, seat",
    ENTERED_TABLE: "select * from core.entered_lineup where race_key = $race_key order by asset_type desc, seat",
}
NEAREST = 3


@dataclass(frozen=True)
class Wishes:
    """Assets to hold in any case and never to hold, drivers by seat; only those that take part."""

    locked: frozenset[AssetKey]
    banned: frozenset[AssetKey]


def land_my_team(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Land your own team from `my_team.toml` beside the teams of the races before its own.

    Rows of the file's race and later ones are replaced; those of a settled race stay, since its transfers are counted
    against them. Without the file, rows of other races that are not finished go: a fresh start; not in a warehouse that
    machines share, where the file is another's. A team for a race without prices lands once there are some.

    Raises
    ------
    DataError
        When the file is malformed or breaks a rule; see `team_for`.
    """
    team = read_my_team(pipeline.settings.team_path)
    columns = list(pipeline.contracts[table].column_names)
    landed, races, rows = _landed(pipeline, table, columns), pipeline.calendar.races, pd.DataFrame(columns=columns)
    stay = set(settled_races(pipeline, sorted(set(landed["race_key"]))))
    lake = pipeline.settings.lake
    if team is None:
        is_shared = lake is not None and lake.is_shared
        stay |= {race.race_key for race in races if race.is_finished or is_shared}
    else:
        race = _race_of(pipeline, team)
        stay |= set(pipeline.calendar.race_keys[: races.index(race)])
        if race.has_prices and race.race_key not in stay:
            rows = _rows(pipeline, team, columns)
    return _write(pipeline, table, race_keys, landed[landed["race_key"].isin(stay)], rows)


def land_entered_team(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Land what `my_team.toml` holds once its race is settled, when it is not the team that went into the race.

    Raises
    ------
    DataError
        When the file is malformed or breaks a rule; see `team_for`.
    """
    team = read_my_team(pipeline.settings.team_path)
    columns = list(pipeline.contracts[table].column_names)
    landed, rows = _landed(pipeline, table, columns), pd.DataFrame(columns=columns)
    if team is not None and settled_races(pipeline, [_race_of(pipeline, team).race_key]):
        landed = landed[landed["race_key"] != team.race_key]
        held = held_team(pipeline, team.race_key)
        if held is not None and team_for(pipeline, team, newest_menu(pipeline, team.race_key)) != held:
            rows = _rows(pipeline, team, columns)
    return _write(pipeline, table, race_keys, landed, rows)


def held_team(pipeline: Pipeline, race_key: str) -> Team | None:
    """Read the team that goes into a race from the warehouse, where `land_my_team` has put it.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str

    Returns
    -------
    Team or None
        As `team_for` made it when it landed; None for a fresh start.

    Raises
    ------
    WarehouseError
        When there is no warehouse.
    UsageError
        When the race is unknown.
    """
    return _read_team(pipeline, TEAM_TABLE, race_key)


def entered_team(pipeline: Pipeline, race_key: str) -> Team | None:
    """Read the team that you entered for a race, as its file was after the lock.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str

    Returns
    -------
    Team or None
        None when the file has not changed since the lock, or no forecast was made before.

    Raises
    ------
    WarehouseError
        When there is no warehouse.
    UsageError
        When the race is unknown.
    """
    return _read_team(pipeline, ENTERED_TABLE, race_key)


def team_for(pipeline: Pipeline, my_team: MyTeam, menu: RaceMenu) -> Team:
    """Make the game's team of a team file.

    Parameters
    ----------
    pipeline : Pipeline
    my_team : MyTeam
    menu : RaceMenu
        The menu at the lock of the race that the team goes into.

    Returns
    -------
    Team
        Drivers by seat: one named by his id is in the seat he has at the race, or, when he has none, in the inactive
        one. Assets at their prices at the lock, inactive ones at their last price.

    Raises
    ------
    DataError
        The team breaks a rule of the season; the message names the file, the key, what was expected and found.
    """
    rules, name = pipeline.rules(menu.race_key), pipeline.settings.team_path.name
    for key, held, count in (
        ("drivers", my_team.drivers, rules.team.driver_count),
        ("constructors", my_team.constructors, rules.team.constructor_count),
    ):
        if len(held) != count:
            raise DataError(f"{name}: {key}: expected {count}, found {len(held)}")
    seats = tuple(named_asset(driver, menu, DRIVER, f"{name}: drivers")[1] for driver in my_team.drivers)
    for constructor in my_team.constructors:
        named_asset(constructor, menu, CONSTRUCTOR, f"{name}: constructors")
    for key, held in (("drivers", seats), ("constructors", my_team.constructors)):
        twice = [asset_id for asset_id in held if held.count(asset_id) > 1]
        if twice:
            raise DataError(f"{name}: {key}: expected each once, found {twice[0]!r} twice")
    lineup = Lineup(tuple(sorted(seats)), tuple(sorted(my_team.constructors)), _boosted(my_team, menu, seats, name))
    price_tenths = tuple(menu.prices[key] for key in lineup.asset_keys)
    races_played = _races_played(my_team, menu)
    _check_money(my_team, rules, sum(price_tenths), races_played, name)
    _check_transfers(my_team, rules, races_played, name)
    _check_chips(my_team, rules, name)
    _check_wishes(my_team, rules, menu, name)
    return Team(
        rules=rules,
        lineup=lineup,
        price_tenths=price_tenths,
        bank_tenths=my_team.bank_tenths,
        free_transfers=my_team.free_transfers,
        chips_left=tuple(sorted(my_team.chips_left)),
        races_played=races_played,
    )


def wishes_for(my_team: MyTeam, menu: RaceMenu) -> Wishes:
    """Find the locked and banned assets on a menu; who does not take part can be neither wanted nor refused."""
    locked, banned = (
        frozenset(key for name in names if menu.is_active(key := asset_at(name, menu)))
        for names in (my_team.locked, my_team.banned)
    )
    return Wishes(locked, banned)


def asset_at(name: str, menu: RaceMenu) -> AssetKey:
    """Find the asset that an id or a seat means at a race; a driver's id and a constructor's never are the same."""
    if (CONSTRUCTOR, name) in menu.prices:
        return (CONSTRUCTOR, name)
    return (DRIVER, seat_at(name, menu, Lineup((), (), "")))


def named_asset(name: str, menu: RaceMenu, asset_type: str, where: str) -> AssetKey:
    """Find the asset of a kind that a name means at a race.

    Parameters
    ----------
    name : str
        An id or a seat.
    menu : RaceMenu
    asset_type : str
        driver or constructor.
    where : str
        What opens the message.

    Returns
    -------
    AssetKey
        Of the menu; it may sit out.

    Raises
    ------
    DataError
        It names none, or a driver of several seats who has none at the race; the message names what is near.
    """
    idle = [seat for _, seat in sorted(menu.inactive) if driver_of(seat) == name]
    if name not in menu.seats and len(idle) > 1:
        raise DataError(f"{where}: expected the seat of {name!r}, one of {' and '.join(idle)}")
    key = asset_at(name, menu)
    if key[0] != asset_type or key not in menu.prices:
        known = sorted({driver_of(asset_id) for kind, asset_id in menu.prices if kind == asset_type})
        near = difflib.get_close_matches(driver_of(name), known, NEAREST) or known
        raise DataError(f"{where}: expected ids of {menu.race_key} such as {', '.join(near)}, found {name}")
    return key


def inactive_notes(team: Team, menu: RaceMenu) -> tuple[str, ...]:
    """Say of every inactive asset held what it costs and how to be rid of it.

    Parameters
    ----------
    team : Team
    menu : RaceMenu
        The menu at the lock.

    Returns
    -------
    tuple of str
        One sentence per asset.
    """
    idle = [key for key in team.lineup.asset_keys if not menu.is_active(key)]
    return tuple(_inactive_note(key[1], inactive_points((key,), menu, team.rules), menu) for key in idle)


def _inactive_note(seat: str, points: int, menu: RaceMenu) -> str:
    cost = f"holding it costs {-points} points: transfer it out" if points else "it scores nothing"
    now = menu.seats.get(driver_of(seat))
    where = f"; the driver is now {now} at {money(menu.prices[DRIVER, now])}, another asset" if now else ""
    return f"{seat} takes no part in {menu.race_key}, {cost}{where}"


def _race_of(pipeline: Pipeline, team: MyTeam) -> CalendarRace:
    name = pipeline.settings.team_path.name
    races = {race.race_key: race for race in pipeline.calendar.races}
    if team.race_key not in races:
        raise DataError(f"{name}: race: expected a race such as 2026-monaco, found {team.race_key!r}")
    if races[team.race_key].is_cancelled:
        raise DataError(f"{name}: race: expected a race that is held, found {team.race_key!r}, which is cancelled")
    return races[team.race_key]


def _read_team(pipeline: Pipeline, table: str, race_key: str) -> Team | None:
    rules = pipeline.rules(race_key)
    with pipeline.warehouse.read() as connection:
        if race_key not in pipeline.race_keys_in(connection, table):
            return None
        rows = read_frame(connection, LANDED[table], {"race_key": race_key})
    first, is_driver = rows.iloc[0], rows["asset_type"] == DRIVER
    return Team(
        rules=rules,
        lineup=Lineup(
            tuple(rows.loc[is_driver, "seat"]),
            tuple(rows.loc[~is_driver, "seat"]),
            rows.loc[rows["is_boosted"], "seat"].item(),
        ),
        price_tenths=tuple(round(price * 10) for price in rows["price_musd"]),
        bank_tenths=round(float(first["bank_musd"]) * 10),
        free_transfers=int(first["free_transfers"]),
        chips_left=tuple(name for name in first["chips_left"].split(",") if name),
        races_played=int(first["races_played"]),
    )


def _write(
    pipeline: Pipeline, table: str, race_keys: Sequence[str], kept: pd.DataFrame, rows: pd.DataFrame
) -> WriteReport:
    parts = [part for part in (kept, rows) if len(part)]
    return run_model(pipeline, table, race_keys, with_nulls(pd.concat(parts)) if parts else rows)


def _rows(pipeline: Pipeline, my_team: MyTeam, columns: list[str]) -> pd.DataFrame:
    menu = newest_menu(pipeline, my_team.race_key)
    team = team_for(pipeline, my_team, menu)
    locked = wishes_for(my_team, menu).locked
    rows = [
        {
            "race_key": my_team.race_key,
            "asset_type": key[0],
            "asset_id": driver_of(key[1]),
            "seat": key[1],
            "is_boosted": key == (DRIVER, team.boosted_driver),
            "is_active": menu.is_active(key),
            "is_locked": key in locked,
            "price_musd": price / 10,
            "bank_musd": team.bank_tenths / 10,
            "free_transfers": team.free_transfers,
            "chips_left": ",".join(team.chips_left),
            "races_played": team.races_played,
            "team_name": my_team.name,
        }
        for key, price in zip(team.lineup.asset_keys, team.price_tenths, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)


def _landed(pipeline: Pipeline, table: str, columns: list[str]) -> pd.DataFrame:
    """Read the teams that have landed; none from a table of another form, which the writer refuses by name."""
    nothing = pd.DataFrame(columns=columns)
    if not pipeline.warehouse.exists():
        return nothing
    with pipeline.warehouse.read() as connection:
        if not pipeline.race_keys_in(connection, table):
            return nothing
        rows = read_table(connection, table)
    return rows if list(rows.columns) == columns else nothing


def _boosted(my_team: MyTeam, menu: RaceMenu, seats: Sequence[str], name: str) -> str:
    meant = [seat for seat in seats if seat == my_team.boosted or driver_of(seat) == my_team.boosted]
    if len(meant) > 1:
        meant = [seat for seat in meant if seat == menu.seats.get(my_team.boosted)]
    if len(meant) != 1:
        raise DataError(f"{name}: boosted: expected one of the drivers, found {my_team.boosted!r}")
    return meant[0]


def _races_played(my_team: MyTeam, menu: RaceMenu) -> int:
    if my_team.races_played is not None:
        return my_team.races_played
    return int(menu.race_key != menu.calendar[0])


def _check_money(my_team: MyTeam, rules: SeasonRules, value: int, races_played: int, name: str) -> None:
    total, budget = my_team.bank_tenths + value, rules.team.budget_tenths
    if races_played == 0 and total > budget:
        raise DataError(
            f"{name}: bank_musd: expected a team that is worth {money(budget)} with its bank before its first race, "
            f"found {money(total)}"
        )


def _check_transfers(my_team: MyTeam, rules: SeasonRules, races_played: int, name: str) -> None:
    most = rules.transfers.free_per_race + rules.transfers.carried_over_max
    if races_played > 0 and my_team.free_transfers > most:
        raise DataError(f"{name}: free_transfers: expected 0 to {most}, found {my_team.free_transfers}")


def _check_chips(my_team: MyTeam, rules: SeasonRules, name: str) -> None:
    names, most = rules.chips.names, rules.chips.uses_per_season
    unknown = [chip for chip in my_team.chips_left if chip not in names]
    if unknown:
        raise DataError(f"{name}: chips_left: expected some of {', '.join(names)}, found {unknown[0]}")
    too_often = [chip for chip in my_team.chips_left if my_team.chips_left.count(chip) > most]
    if too_often:
        found = my_team.chips_left.count(too_often[0])
        raise DataError(f"{name}: chips_left: expected {too_often[0]} at most {most} times, found it {found} times")


def _check_wishes(my_team: MyTeam, rules: SeasonRules, menu: RaceMenu, name: str) -> None:
    found: dict[str, set[AssetKey]] = {}
    for key, names in (("locked", my_team.locked), ("banned", my_team.banned)):
        kinds = {asset: CONSTRUCTOR if (CONSTRUCTOR, asset) in menu.prices else DRIVER for asset in names}
        found[key] = {named_asset(asset, menu, kind, f"{name}: {key}") for asset, kind in kinds.items()}
    both = sorted(found["locked"] & found["banned"])
    if both:
        raise DataError(f"{name}: banned: expected no asset that is locked as well, found {both[0][1]}")
    for kind, count in ((DRIVER, rules.team.driver_count), (CONSTRUCTOR, rules.team.constructor_count)):
        locked = sum(asset_type == kind for asset_type, _ in found["locked"])
        if locked > count:
            raise DataError(f"{name}: locked: expected at most {count} {kind}s, found {locked}")
