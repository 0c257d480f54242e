"""When to play each chip, one line per chip: for the terminal, the UI and the page of a race.

Belongs here: summing up what `chips.py` has weighed race by race. Neighbours: `report.plans` prints the lines,
`report.race_facts` puts them on a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LINEAR_CHIPS = ("extra_boost", "limitless", "no_negative")
"""Chips whose gain at a later race follows from expectations; the others' is that of earlier races."""

PLAY, KEEP, NOT_YET = "play", "keep", "not yet"


@dataclass(frozen=True)
class ChipLine:
    """A chip at the coming race.

    Attributes
    ----------
    chip : str
    gain_points : float
        What it adds now.
    keep_points : float or None
        What it must add to be played; None while nobody knows.
    best_race_key : str or None
        The later race at which it adds most; None when it is as good at any, or no race is left.
    best_gain_points : float or None
    advice : str
        `play`, `keep` or `not yet`.
    """

    chip: str
    gain_points: float
    keep_points: float | None
    best_race_key: str | None
    best_gain_points: float | None
    advice: str


def chip_name(name: str) -> str:
    """Name a chip as the game does."""
    return name.replace("_", " ").title()


def chip_lines(rows: Iterable[Mapping[str, Any]]) -> list[ChipLine]:
    """Sum up what chips add race by race.

    Parameters
    ----------
    rows : iterable of mapping
        `chip`, `race_key` of the race at which it might be played, `is_playable`, `gain_points` and `keep_points` (None
        or infinite while not known), of each chip in the order of the races, the coming one first.

    Returns
    -------
    list of ChipLine
        By name.
    """
    by_chip: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_chip.setdefault(row["chip"], []).append(row)
    return [_line(chip, own[0], own[1:]) for chip, own in sorted(by_chip.items())]


def _line(chip: str, now: Mapping[str, Any], later: list[Mapping[str, Any]]) -> ChipLine:
    keep = now["keep_points"]
    known = keep is not None and keep < float("inf")
    best = max(later, key=lambda row: row["gain_points"]) if later and chip in LINEAR_CHIPS else None
    is_good = now["is_playable"] and known and now["gain_points"] >= keep
    return ChipLine(
        chip=chip,
        gain_points=now["gain_points"],
        keep_points=keep if known else None,
        best_race_key=None if best is None else best["race_key"],
        best_gain_points=None if best is None else best["gain_points"],
        advice=PLAY if is_good else KEEP if now["is_playable"] else NOT_YET,
    )
