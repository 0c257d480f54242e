"""Tell whether two sources speak of the same person or team: names without case, accents and additions.

Belongs here: comparing names, nothing about where they come from. Neighbours: `feed_assets` finds the game's assets
with it, `f1db_merge` finds a newcomer under the name F1DB gave him.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

import pandas as pd

_ADDITIONS = frozenset({"jr", "sr", "junior"})
_TEAM_ADDITIONS = frozenset({"f1", "formula", "1", "one", "team"})


def words(text: str) -> tuple[str, ...]:
    """Split a name into plain words.

    Parameters
    ----------
    text : str
        Such as "Patricio O'Ward" or "Nico Hülkenberg".

    Returns
    -------
    tuple of str
        Lower case, without accents and punctuation, in order: ("patricio", "oward").
    """
    folded = (
        unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return tuple(re.findall(r"[a-z0-9]+", plain))


def slug(text: str) -> str:
    """Make an identifier of a name, as F1DB does: "nico-hulkenberg"."""
    return "-".join(words(text))


def person(text: str) -> tuple[str, ...]:
    """Reduce a person's name to what all sources agree on: its words in one order, without Jr."""
    return tuple(sorted(set(words(text)) - _ADDITIONS))


def team(text: str) -> tuple[str, ...]:
    """Reduce a team's name to what all sources agree on: its words without "F1 Team"."""
    return tuple(word for word in words(text) if word not in _TEAM_ADDITIONS)


def same_person(drivers: pd.DataFrame, spellings: Collection[str]) -> list[str]:
    """Find the drivers whom one of some spellings names in full.

    Parameters
    ----------
    drivers : pandas.DataFrame
        Rows of the drivers table.
    spellings : collection of str
        One person's name as a source writes it.

    Returns
    -------
    list of str
        Ids of all drivers of that name.
    """
    wanted = {person(spelling) for spelling in spellings} - {()}
    columns = (drivers[name] for name in ("driver_id", "name", "first_name", "last_name"))
    return [
        driver_id
        for driver_id, name, first_name, last_name in zip(*columns, strict=True)
        if {person(name), person(f"{first_name} {last_name}")} & wanted
    ]
