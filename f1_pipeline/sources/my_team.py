"""Your own team: `my_team.toml`, read and checked.

Belongs here: the file a player keeps beside the project, and what makes it readable. Neighbours: `steps.tables` lands
it in `core.current_lineup`. Without the file you start afresh, with the whole budget.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f1_pipeline.errors import DataError

MAX_BANK_MUSD = 999.9
MAX_FREE_TRANSFERS = 10  # more than any season gives
KEYS: dict[str, type | tuple[type, ...]] = {
    "race": str,
    "drivers": list,
    "constructors": list,
    "boosted": str,
    "bank_musd": (int, float),
    "free_transfers": int,
    "chips_left": list,
}


@dataclass(frozen=True)
class MyTeam:
    """A team going into a race.

    Attributes
    ----------
    race_key : str
        The race it goes into.
    drivers, constructors : tuple of str
        What it holds, by id.
    boosted : str
        The driver whose points count twice.
    bank_tenths : int
        Money not spent, in tenths of a million dollars.
    free_transfers : int
    chips_left : tuple of str
    """

    race_key: str
    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    boosted: str
    bank_tenths: int
    free_transfers: int
    chips_left: tuple[str, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per asset, as `core.current_lineup` holds them."""
        held = [("driver", name) for name in self.drivers] + [("constructor", name) for name in self.constructors]
        return [
            {
                "race_key": self.race_key,
                "asset_type": asset_type,
                "asset_id": asset_id,
                "is_boosted": asset_type == "driver" and asset_id == self.boosted,
                "bank_musd": self.bank_tenths / 10,
                "free_transfers": self.free_transfers,
                "chips_left": ",".join(self.chips_left),
            }
            for asset_type, asset_id in held
        ]


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
        the key. What the season's rules say is checked where the team is landed.
    """
    if not path.exists():
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name}: expected TOML: {error}") from error
    _check_keys(path.name, content)
    _check_values(path.name, content)
    return MyTeam(
        race_key=content["race"],
        drivers=tuple(content["drivers"]),
        constructors=tuple(content["constructors"]),
        boosted=content["boosted"],
        bank_tenths=round(content["bank_musd"] * 10),
        free_transfers=content["free_transfers"],
        chips_left=tuple(content["chips_left"]),
    )


def _check_keys(name: str, content: dict[str, Any]) -> None:
    missing, unknown = KEYS.keys() - content.keys(), content.keys() - KEYS.keys()
    if missing or unknown:
        found = f"missing {sorted(missing)}, unknown {sorted(unknown)}"
        raise DataError(f"{name}: expected the keys {', '.join(KEYS)}; {found}")
    for key, kind in KEYS.items():
        if not isinstance(content[key], kind) or isinstance(content[key], bool):
            raise DataError(f"{name}: {key}: expected {_kind_name(kind)}, found {content[key]!r}")
    for key in ("drivers", "constructors", "chips_left"):
        wrong = [value for value in content[key] if not isinstance(value, str)]
        if wrong:
            raise DataError(f"{name}: {key}: expected ids, found {wrong[0]!r}")


def _check_values(name: str, content: dict[str, Any]) -> None:
    for key in ("drivers", "constructors", "chips_left"):
        twice = [value for value in content[key] if content[key].count(value) > 1]
        if twice:
            raise DataError(f"{name}: {key}: expected each once, found {twice[0]!r} twice")
    if content["boosted"] not in content["drivers"]:
        raise DataError(f"{name}: boosted: expected one of the drivers, found {content['boosted']!r}")
    bank = float(content["bank_musd"])
    if not (0 <= bank <= MAX_BANK_MUSD and math.isclose(bank * 10, round(bank * 10), abs_tol=1e-6)):
        raise DataError(
            f"{name}: bank_musd: expected 0 to {MAX_BANK_MUSD} million dollars with one decimal, found {bank}"
        )
    if not 0 <= content["free_transfers"] <= MAX_FREE_TRANSFERS:
        found = content["free_transfers"]
        raise DataError(f"{name}: free_transfers: expected 0 to {MAX_FREE_TRANSFERS}, found {found}")


def _kind_name(kind: type | tuple[type, ...]) -> str:
    names: dict[object, str] = {str: "text", list: "a list", int: "a whole number"}
    return names.get(kind, "a number")
