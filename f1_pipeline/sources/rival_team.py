"""A rival's team, as a file says it: drivers, constructors, the boosted driver.

Belongs here: reading such a file, TOML or JSON; a `my_team.toml` will do, its other keys are not looked at.
Neighbours: `my_team.py` reads your own team, `asset_names.py` tells whom a name means.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import DataError, UsageError

LISTS = ("drivers", "constructors")


@dataclass(frozen=True)
class RivalTeam:
    """What a rival fields, named as the file names it."""

    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    boosted: str


def read_rival(path: Path) -> RivalTeam:
    """Read a rival's team.

    Parameters
    ----------
    path : Path
        JSON where the name ends so, else TOML.

    Returns
    -------
    RivalTeam

    Raises
    ------
    UsageError
        There is no such file.
    DataError
        It cannot be read, or lacks one of the three keys.
    """
    parse = json.loads if path.suffix == ".json" else tomllib.loads
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"Rival: expected a file at {path}, found none") from None
    except OSError as error:
        raise DataError(f"{path.name}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}: expected {path.suffix.lstrip('.') or 'toml'}: {error}") from error
    for key in (*LISTS, "boosted"):
        value = content.get(key) if isinstance(content, dict) else None
        is_whole = _is_names(value) if key in LISTS else isinstance(value, str)
        if not is_whole:
            raise DataError(f"{path.name}: {key}: expected {'names' if key in LISTS else 'a name'}, found {value!r}")
    return RivalTeam(tuple(content["drivers"]), tuple(content["constructors"]), content["boosted"])


def _is_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)
