"""Tell which asset a person means: "verstappen", "red bull", "tsunoda@racing-bulls".

Belongs here: ids, seats and unambiguous parts of names, as people type them. Neighbours: `names.py` folds case and
accents, `my_team.py` keeps the ids that come out. What an asset costs or does at a race is `game.decisions`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from f1_pipeline.errors import UsageError
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.sources.names import words

SEAT_MARK = "@"
NEAREST = 3
SHOWN_LENGTH = 40

Words = tuple[str, ...]


def resolve_asset(name: str, known: Mapping[AssetKey, str]) -> AssetKey:
    """Find the asset that a name means.

    Parameters
    ----------
    name : str
        An id, a seat, or words or beginnings of words that only one asset has: "max-verstappen", "verstappen",
        "VER", "Red Bull". A part after @ says the constructor of a driver's seat.
    known : mapping of AssetKey to str
        What can be meant, with the name people know it by, or its id again. A driver may be known by id, by seat, or
        both; a name without @ then means the id.

    Returns
    -------
    AssetKey
        A key of `known`.

    Raises
    ------
    UsageError
        When no asset is meant, or several; the message names the nearest ones.
    """
    exact = [key for key in known if key[1] == name]
    if len(exact) == 1:
        return exact[0]
    for is_part in (_whole, _beginning, _inside):
        found = [key for key, title in known.items() if _is_meant(name, key[1], title, is_part)]
        if SEAT_MARK not in name:
            plain = [key for key in found if SEAT_MARK not in key[1]]
            found = [key for key in found if key in plain or not _has_driver(plain, key)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{_shown(name)}: expected one asset, found {len(found)}: {_ids(found)}")
    raise UsageError(f"{_shown(name)}: expected a driver or constructor such as {_ids(_nearest(name, known))}")


def _is_meant(name: str, asset_id: str, title: str, is_part: Callable[[str, str], bool]) -> bool:
    """Hold the words of a name against those of an asset, and what stands after @ against those of its seat."""
    asked, _, asked_seat = name.partition(SEAT_MARK)
    own, _, seat = asset_id.partition(SEAT_MARK)
    if not _all_in(words(asked), (*words(own), *words(title.partition(SEAT_MARK)[0])), is_part):
        return False
    return SEAT_MARK not in name or _all_in(words(asked_seat), words(seat), is_part)


def _all_in(asked: Words, own: Words, is_part: Callable[[str, str], bool]) -> bool:
    return bool(asked) and all(any(is_part(part, word) for word in own) for part in asked)


def _whole(part: str, word: str) -> bool:
    return part == word


def _beginning(part: str, word: str) -> bool:
    return word.startswith(part)


def _inside(part: str, word: str) -> bool:
    return part in word


def _has_driver(plain: Sequence[AssetKey], key: AssetKey) -> bool:
    return (key[0], key[1].partition(SEAT_MARK)[0]) in plain


def _nearest(name: str, known: Mapping[AssetKey, str]) -> list[AssetKey]:
    """Rank by the most similar of an asset's id, its name and their words; typing errors are rarely in the first."""
    asked = " ".join(words(name.partition(SEAT_MARK)[0][:SHOWN_LENGTH]))
    matcher = difflib.SequenceMatcher(b=asked, autojunk=False)

    def likeness(key: AssetKey) -> float:
        spellings = {" ".join(words(key[1])), *words(key[1]), *words(known[key])}
        ratios = []
        for spelling in spellings:
            matcher.set_seq1(spelling)
            ratios.append(matcher.ratio())
        return max(ratios, default=0.0)

    ids = [key for key in known if SEAT_MARK not in key[1]]
    once = [key for key in known if key in ids or not _has_driver(ids, key)]
    return sorted(once, key=lambda key: (-likeness(key), key[1]))[:NEAREST]


def _ids(keys: Sequence[AssetKey]) -> str:
    more = f" and {len(keys) - NEAREST} more" if len(keys) > NEAREST else ""
    return ", ".join(asset_id for _, asset_id in keys[:NEAREST]) + more


def _shown(name: str) -> str:
    return repr(name if len(name) <= SHOWN_LENGTH else name[: SHOWN_LENGTH - 1] + "…")
