"""Your own team: `my_team.toml`, read, checked for its form, and written.

Belongs here: the file a player keeps beside the project. Neighbours: `steps.my_team` holds it against the rules and the
prices of its race and lands it in `core.current_lineup`, `steps.team_changes` makes the next one of it,
`team_import` reads teams that others have written. Without the file you start afresh, with the whole budget.
"""

from __future__ import annotations

import math
import os
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item

from f1_pipeline.errors import DataError
from f1_pipeline.game.decisions import driver_of

MAX_BANK_MUSD = 999.9
MAX_FREE_TRANSFERS = 10  # more than any season gives
MAX_RACES = 99
MAX_NAME_LENGTH = 60
MAX_BYTES = 100_000
NEEDED: dict[str, type | tuple[type, ...]] = {
    "race": str,
    "drivers": list,
    "constructors": list,
    "boosted": str,
    "bank_musd": (int, float),
    "free_transfers": int,
    "chips_left": list,
}
OPTIONAL: dict[str, type | tuple[type, ...]] = {"name": str, "locked": list, "banned": list, "races_played": int}
KINDS = {**NEEDED, **OPTIONAL}
LISTS = tuple(key for key, kind in KINDS.items() if kind is list)
# What a new file says above each key.
COMMENTS = {
    "race": "the race that the team goes into",
    "drivers": "by id, or by seat once the driver has another one: yuki-tsunoda@racing-bulls",
    "constructors": "by id",
    "boosted": "the driver whose points count twice",
    "bank_musd": "money that is not in assets, million dollars",
    "free_transfers": "free transfers that are left before the lock",
    "chips_left": "chips not played yet",
    "name": "what the team is called",
    "locked": "drivers and constructors to hold in any case",
    "banned": "drivers and constructors never to hold",
    "races_played": "races the team has locked so far; transfers are free before the first one",
}


@dataclass(frozen=True)
class MyTeam:
    """A team going into a race.

    Attributes
    ----------
    race_key : str
        The race it goes into.
    drivers, constructors : tuple of str
        What it holds; drivers by id or by seat, constructors by id.
    boosted : str
        The driver whose points count twice.
    bank_tenths : int
        Money not spent, in tenths of a million dollars.
    free_transfers : int
        Free transfers left before the lock.
    chips_left : tuple of str
    name : str or None
        What the team is called.
    locked, banned : tuple of str
        Drivers and constructors to hold in any case, and never to hold.
    races_played : int or None
        Races locked so far; None when the file does not say.
    """

    race_key: str
    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    boosted: str
    bank_tenths: int
    free_transfers: int
    chips_left: tuple[str, ...]
    name: str | None = None
    locked: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    races_played: int | None = None

    def content(self) -> dict[str, Any]:
        """Return what the file says, by key; an optional key that says nothing is left out."""
        content = {
            "race": self.race_key,
            "drivers": list(self.drivers),
            "constructors": list(self.constructors),
            "boosted": self.boosted,
            "bank_musd": self.bank_tenths / 10,
            "free_transfers": self.free_transfers,
            "chips_left": list(self.chips_left),
            "name": self.name,
            "locked": list(self.locked),
            "banned": list(self.banned),
            "races_played": self.races_played,
        }
        return {key: value for key, value in content.items() if key in NEEDED or value not in (None, [])}


def read_my_team(path: Path) -> MyTeam | None:
    """Read the team file.

    Parameters
    ----------
    path : Path
        `my_team.toml`.

    Returns
    -------
    MyTeam or None
        None when there is no file: a fresh start.

    Raises
    ------
    DataError
        When the file is no TOML, lacks a key, has one too many, or a value that no team can have; the message names
        the key. What the season's rules say is checked by `steps.my_team.team_for`.
    """
    if not path.exists():
        return None
    try:
        content = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:  # a bad number is a bare ValueError
        raise DataError(f"{path.name}: expected TOML: {error}") from error
    return parse_team(path.name, content)


def parse_team(name: str, content: dict[str, Any]) -> MyTeam:
    """Check the content of a team file.

    Parameters
    ----------
    name : str
        The file, for messages.
    content : dict
        By key.

    Returns
    -------
    MyTeam

    Raises
    ------
    DataError
        As for `read_my_team`.
    """
    _check_keys(name, content)
    _check_values(name, content)
    return MyTeam(
        race_key=content["race"],
        bank_tenths=bank_tenths(f"{name}: bank_musd", content["bank_musd"]),
        boosted=content["boosted"],
        free_transfers=content["free_transfers"],
        name=content.get("name"),
        races_played=content.get("races_played"),
        **{key: tuple(content.get(key, ())) for key in LISTS},
    )


def bank_tenths(where: str, bank: float) -> int:
    """Turn a bank in million dollars into tenths.

    Parameters
    ----------
    where : str
        What opens the message.
    bank : float

    Returns
    -------
    int

    Raises
    ------
    DataError
        When no team can have it.
    """
    if not (0 <= bank <= MAX_BANK_MUSD and math.isclose(bank * 10, round(bank * 10), abs_tol=1e-6)):
        raise DataError(f"{where}: expected 0 to {MAX_BANK_MUSD} million dollars with one decimal, found {bank}")
    return round(bank * 10)


def write_my_team(path: Path, team: MyTeam) -> None:
    """Write the team file, whole or not at all; comments of a file that is there stay.

    Parameters
    ----------
    path : Path
        `my_team.toml`.
    team : MyTeam

    Raises
    ------
    DataError
        When the file could not be read again, or cannot be written.
    """
    content = team.content()
    parse_team(path.name, content)
    document = _document(path)
    for key in [key for key in OPTIONAL if key in document and key not in content]:
        document.remove(key)
    for key, value in content.items():
        if key not in document:
            document.add(tomlkit.comment(COMMENTS[key]))
            document.add(key, _item(value))
        elif document[key] != value:
            document[key] = _item(value)
    _replace_file(path, tomlkit.dumps(document))


def read_text(path: Path) -> str:
    """Read a small text file that a person has written.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str

    Raises
    ------
    DataError
        When the file cannot be read, or is longer than any team.
    UnicodeDecodeError
        When it is no UTF-8.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path.name}: expected a team file of at most {MAX_BYTES} bytes, found more")
    return content.decode("utf-8")


def _document(path: Path) -> tomlkit.TOMLDocument:
    """Take the file that is there, for its comments, if it can be understood."""
    try:
        return tomlkit.parse(read_text(path)) if path.exists() else tomlkit.document()
    except (TOMLKitError, ValueError, RecursionError):
        return tomlkit.document()


def _item(value: Any) -> Item:
    item = tomlkit.item(value)
    return item.multiline(len(value) > 2) if isinstance(item, Array) else item


def _replace_file(path: Path, text: str) -> None:
    staged = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as stream:
            staged = Path(stream.name)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        staged.chmod(mode)
        staged.replace(path)
    except OSError as error:
        if staged is not None:
            staged.unlink(missing_ok=True)
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def _check_keys(name: str, content: dict[str, Any]) -> None:
    missing, unknown = NEEDED.keys() - content.keys(), content.keys() - KINDS.keys()
    if missing or unknown:
        found = f"missing {sorted(missing)}, unknown {sorted(unknown)}"
        raise DataError(f"{name}: expected the keys {', '.join(NEEDED)}, and maybe {', '.join(OPTIONAL)}; {found}")
    for key, value in content.items():
        if not isinstance(value, KINDS[key]) or isinstance(value, bool):
            raise DataError(f"{name}: {key}: expected {_kind_name(KINDS[key])}, found {value!r}")
    for key in LISTS:
        wrong = [value for value in content.get(key, ()) if not isinstance(value, str)]
        if wrong:
            raise DataError(f"{name}: {key}: expected ids, found {wrong[0]!r}")


def _check_values(name: str, content: dict[str, Any]) -> None:
    for key in (key for key in LISTS if key != "chips_left"):
        held: Sequence[str] = content.get(key, ())
        twice = [value for value in held if held.count(value) > 1]
        if twice:
            raise DataError(f"{name}: {key}: expected each once, found {twice[0]!r} twice")
    if driver_of(content["boosted"]) not in {driver_of(driver) for driver in content["drivers"]}:
        raise DataError(f"{name}: boosted: expected one of the drivers, found {content['boosted']!r}")
    for key, most in (("free_transfers", MAX_FREE_TRANSFERS), ("races_played", MAX_RACES)):
        found = content.get(key, 0)
        if not 0 <= found <= most:
            raise DataError(f"{name}: {key}: expected 0 to {most}, found {found}")
    title = content.get("name", "-")
    if not (title.strip() and len(title) <= MAX_NAME_LENGTH and title.isprintable()):
        raise DataError(f"{name}: name: expected 1 to {MAX_NAME_LENGTH} printable characters, found {title!r}")


def _kind_name(kind: type | tuple[type, ...]) -> str:
    names: dict[object, str] = {str: "text", list: "a list", int: "a whole number"}
    return names.get(kind, "a number")
