"""Teams as people have them: a JSON or CSV file of names, read without trusting it.

Belongs here: the forms that are understood, and what makes a file one of them. Which assets the names mean is decided
by `steps.team_changes`. Understood are what `f1-pipeline lineup` and `f1-pipeline team show` print as JSON, a JSON list
of names or of objects, and a CSV with a column `name` and maybe `type` and `boosted`. What the official game sends of
a player's team is not public and not read.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f1_pipeline.errors import DataError
from f1_pipeline.game.lineup import ASSET_TYPES
from f1_pipeline.sources.my_team import MAX_FREE_TRANSFERS, MAX_RACES, bank_tenths, read_text

MAX_ASSETS = 20
MAX_TEXT = 100
# The keys that may hold an asset's name, the most exact first.
NAME_KEYS = ("seat", "asset_id", "id", "name")
TYPE_KEYS = ("asset_type", "type")
BOOST_KEYS = ("is_boosted", "boosted")
YES, NO = ("true", "yes", "1", "x"), ("false", "no", "0", "")


@dataclass(frozen=True)
class ImportedAsset:
    """An asset as the file names it; `asset_type` is None when the file does not say."""

    name: str
    asset_type: str | None = None
    is_boosted: bool = False


@dataclass(frozen=True)
class ImportedTeam:
    """What a file says of a team; None is what it does not say."""

    assets: tuple[ImportedAsset, ...]
    race_key: str | None = None
    name: str | None = None
    bank_tenths: int | None = None
    free_transfers: int | None = None
    chips_left: tuple[str, ...] | None = None
    locked: tuple[str, ...] | None = None
    banned: tuple[str, ...] | None = None
    races_played: int | None = None


def read_team_file(path: Path) -> ImportedTeam:
    """Read a team from a JSON or CSV file.

    Parameters
    ----------
    path : Path
        Its suffix says which.

    Returns
    -------
    ImportedTeam

    Raises
    ------
    DataError
        When the file is too long, is neither JSON nor CSV, or has a value of another type than it should; the message
        names the file, and the key or line.
    """
    if path.suffix.lower() not in (".json", ".csv"):
        raise DataError(f"{path.name}: expected a name that ends in .json or .csv")
    try:
        text = read_text(path)
        return _from_json(path.name, text) if path.suffix.lower() == ".json" else _from_csv(path.name, text)
    except (ValueError, RecursionError, csv.Error) as error:
        raise DataError(f"{path.name}: expected {path.suffix.lower()[1:].upper()}: {error}") from error


def _from_json(name: str, text: str) -> ImportedTeam:
    content = json.loads(text)
    if isinstance(content, list):
        content = {"assets": content}
    if not isinstance(content, dict):
        raise DataError(f"{name}: expected a list of names or an object with assets, found {_shown(content)}")
    free, played = (
        _number(name, content, key, most)
        for key, most in (("free_transfers", MAX_FREE_TRANSFERS), ("races_played", MAX_RACES))
    )
    return ImportedTeam(
        assets=_assets(name, content.get("assets")),
        race_key=_text(name, content, ("race_key",)),
        name=_text(name, content, ("name", "team_name")),
        bank_tenths=_tenths(name, content.get("bank_musd")),
        free_transfers=free,
        chips_left=_texts(name, content, "chips_left"),
        locked=_texts(name, content, "locked"),
        banned=_texts(name, content, "banned"),
        races_played=played,
    )


def _from_csv(name: str, text: str) -> ImportedTeam:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    header = [(column or "").strip().lower() for column in reader.fieldnames or ()]
    if not set(NAME_KEYS) & set(header):
        raise DataError(f"{name}: expected a column called {' or '.join(NAME_KEYS)}, found {_shown(header)}")
    reader.fieldnames = header
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise DataError(f"{name} line {reader.line_num}: expected {len(header)} fields")
        boosted = {key: _flag(name, reader.line_num, row[key]) for key in BOOST_KEYS if key in row}
        rows.append({key: value.strip() for key, value in row.items() if value.strip()} | boosted)
    return ImportedTeam(assets=_assets(name, rows))


def _flag(name: str, line: int, text: str) -> bool:
    if text.strip().lower() not in (*YES, *NO):
        raise DataError(f"{name} line {line}: expected true or false for the boost, found {_shown(text)}")
    return text.strip().lower() in YES


def _assets(name: str, rows: object) -> tuple[ImportedAsset, ...]:
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_ASSETS:
        found = f"{len(rows)}" if isinstance(rows, list) else _shown(rows)
        raise DataError(f"{name}: assets: expected a list of 1 to {MAX_ASSETS} assets, found {found}")
    assets = tuple(_asset(name, row) for row in rows)
    boosted = [asset.name for asset in assets if asset.is_boosted]
    if len(boosted) > 1:
        raise DataError(f"{name}: boosted: expected one driver, found {', '.join(boosted)}")
    return assets


def _asset(name: str, row: object) -> ImportedAsset:
    content = {"name": row} if isinstance(row, str) else row
    if not isinstance(content, dict):
        raise DataError(f"{name}: assets: expected names or objects, found {_shown(row)}")
    asset = _text(name, content, NAME_KEYS)
    if asset is None:
        raise DataError(f"{name}: assets: expected each to have {' or '.join(NAME_KEYS)}, found {_shown(row)}")
    asset_type = _text(name, content, TYPE_KEYS)
    if asset_type is not None and asset_type.lower() not in ASSET_TYPES:
        raise DataError(f"{name}: type of {asset}: expected driver or constructor, found {asset_type!r}")
    boosted = next((content[key] for key in BOOST_KEYS if key in content), False)
    if not isinstance(boosted, bool):
        raise DataError(f"{name}: boosted of {asset}: expected true or false, found {_shown(boosted)}")
    return ImportedAsset(asset, asset_type and asset_type.lower(), boosted)


def _text(name: str, content: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    key, value = next(((key, content[key]) for key in keys if content.get(key) is not None), (keys[0], None))
    if value is not None and not (isinstance(value, str) and value.strip() and len(value) <= MAX_TEXT):
        raise DataError(f"{name}: {key}: expected a text of 1 to {MAX_TEXT} characters, found {_shown(value)}")
    return value


def _texts(name: str, content: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    values = content.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or len(values) > MAX_ASSETS:
        raise DataError(f"{name}: {key}: expected a list of at most {MAX_ASSETS} names, found {_shown(values)}")
    if any(not isinstance(value, str) for value in values):
        raise DataError(f"{name}: {key}: expected names, found {_shown(values)}")
    return tuple(values)


def _number(name: str, content: Mapping[str, Any], key: str, most: int) -> int | None:
    value = content.get(key)
    if value is not None and (type(value) is not int or not 0 <= value <= most):
        raise DataError(f"{name}: {key}: expected a whole number from 0 to {most}, found {_shown(value)}")
    return value


def _tenths(name: str, bank: object) -> int | None:
    if bank is None:
        return None
    if not isinstance(bank, int | float) or isinstance(bank, bool):
        raise DataError(f"{name}: bank_musd: expected a number, found {_shown(bank)}")
    return bank_tenths(f"{name}: bank_musd", bank)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
