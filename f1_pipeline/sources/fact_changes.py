"""Say what changed between two states of the facts, in counts and in words.

Belongs here: comparing and telling, nothing that decides. Neighbours: `refresh` asks for it, the command line and the
graph show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from f1_pipeline.sources.fact_frames import driven, keys_of
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES, FactTable

NOTHING_NEW = "nothing new"


@dataclass(frozen=True)
class TableChange:
    """How many rows of a table changed for one race; no race for tables that have none."""

    table: str
    race_key: str
    added: int
    changed: int
    removed: int

    @property
    def text(self) -> str:
        """Such as ``official_totals 2026-canada: 33 added``."""
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"{self.table} {self.race_key}: {told}".replace(" :", ":")


@dataclass(frozen=True)
class Restatement:
    """An official total that the game corrected, in fantasy points."""

    race_key: str
    asset_type: str
    asset_id: str
    old_points: int
    new_points: int

    @property
    def text(self) -> str:
        """Such as ``2026-canada: the total of driver oscar-piastri was 12, is 14``."""
        asset = f"{self.asset_type} {self.asset_id}"
        return f"{self.race_key}: the total of {asset} was {self.old_points}, is {self.new_points}"


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh found and changed.

    Attributes
    ----------
    readings : dict of str to str
        What was read, by name of the source.
    calendar : tuple of str
        Races added, moved, cancelled, back: one sentence each.
    tables : tuple of TableChange
        Counts per table and race, in the order of the tables and races.
    restated : tuple of Restatement
    notes : tuple of str
        What a source had for which there is no place yet.
    waiting : tuple of str
        Races whose facts are incomplete, and what they wait for.
    """

    readings: Mapping[str, str] = field(default_factory=dict)
    calendar: tuple[str, ...] = ()
    tables: tuple[TableChange, ...] = ()
    restated: tuple[Restatement, ...] = ()
    notes: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether any fact changed."""
        return bool(self.tables)

    @property
    def lines(self) -> list[str]:
        """The report as sentences, the weightiest first; a single one when nothing changed."""
        changes = [*self.calendar, *(row.text for row in self.restated), *(row.text for row in self.tables)]
        return [*(changes or [NOTHING_NEW]), *self.notes, *self.waiting]

    def to_markdown(self) -> str:
        """Render the lines as a list."""
        return "\n".join(f"* {line}" for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Give the report as values that JSON knows."""
        return {
            "has_changes": self.has_changes,
            "readings": dict(self.readings),
            "calendar": list(self.calendar),
            "tables": [asdict(row) for row in self.tables],
            "restated": [asdict(row) for row in self.restated],
            "notes": list(self.notes),
            "waiting": list(self.waiting),
            "lines": self.lines,
        }


def compare(
    before: Facts, after: Facts, readings: Mapping[str, str] | None = None, notes: tuple[str, ...] = ()
) -> RefreshReport:
    """Tell what changed.

    Parameters
    ----------
    before, after : Facts
    readings : mapping of str to str, optional
        What was read, by name of the source.
    notes : tuple of str
        What the merges left out.

    Returns
    -------
    RefreshReport
    """
    order = {key: rank for rank, key in enumerate(_by_date(after["races"])["race_key"])}
    tables = tuple(
        change
        for name, table in FACT_TABLES.items()
        for change in _table_changes(table, before[name], after[name], order)
    )
    return RefreshReport(
        readings=dict(readings or {}),
        calendar=tuple(_calendar_changes(before["races"], after["races"])),
        tables=tables,
        restated=tuple(_restatements(before["official_totals"], after["official_totals"])),
        notes=notes,
        waiting=tuple(_waiting(after)),
    )


def _by_date(races: pd.DataFrame) -> pd.DataFrame:
    return races.sort_values(["race_date", "race_key"])


def _table_changes(
    table: FactTable, before: pd.DataFrame, after: pd.DataFrame, order: Mapping[str, int]
) -> list[TableChange]:
    old, new = _keyed(table, before), _keyed(table, after)
    counts: dict[str, list[int]] = {}

    def count(key: tuple[str, ...], what: int) -> None:
        race_key = key[table.primary_key.index("race_key")] if "race_key" in table.primary_key else ""
        counts.setdefault(race_key, [0, 0, 0])[what] += 1

    for key in new.keys() - old.keys():
        count(key, 0)
    for key in new.keys() & old.keys():
        if new[key] != old[key]:
            count(key, 1)
    for key in old.keys() - new.keys():
        count(key, 2)
    found = [TableChange(table.name, race_key, *numbers) for race_key, numbers in counts.items()]
    return sorted(found, key=lambda change: (order.get(change.race_key, -1), change.race_key))


def _keyed(table: FactTable, frame: pd.DataFrame) -> dict[tuple[str, ...], tuple[str, ...]]:
    columns = {name: frame[name].tolist() for name in table.column_names}
    keys = zip(*(columns[name] for name in table.primary_key), strict=True)
    return dict(zip(keys, zip(*columns.values(), strict=True), strict=True))


def _calendar_changes(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[str]:
    old = {row["race_key"]: row for row in before.to_dict("records")}
    for row in _by_date(after).to_dict("records"):
        race_key = row["race_key"]
        if race_key not in old:
            yield f"{race_key} added: {row['name']}, {row['race_date']} at {row['circuit_id']}"
            continue
        told = list(_race_changes(old[race_key], row))
        if told:
            yield f"{race_key} {'; '.join(told)}"


def _race_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    if new["is_cancelled"] != old["is_cancelled"]:
        yield "cancelled" if new["is_cancelled"] == "true" else "back in the calendar"
    if new["race_date"] != old["race_date"]:
        yield f"moved from {old['race_date']} to {new['race_date']}"
    if new["circuit_id"] != old["circuit_id"]:
        yield f"goes to {new['circuit_id']} instead of {old['circuit_id']}"
    if new["has_sprint"] != old["has_sprint"]:
        yield "has a sprint now" if new["has_sprint"] == "true" else "has no sprint any more"
    elif new["lock_at"] != old["lock_at"] and new["race_date"] == old["race_date"]:
        yield f"locks at {new['lock_at']} instead of {old['lock_at']}"


def _restatements(before: pd.DataFrame, after: pd.DataFrame) -> Iterator[Restatement]:
    table = FACT_TABLES["official_totals"]
    points = table.column_names.index("total_points")
    old, new = _keyed(table, before), _keyed(table, after)
    for key in sorted(old.keys() & new.keys()):
        if old[key][points] != new[key][points]:
            yield Restatement(*key, old_points=int(old[key][points]), new_points=int(new[key][points]))


def _waiting(facts: Facts) -> Iterator[str]:
    have_results, have_scores = driven(facts), keys_of(facts, "event_scores")
    have_totals = keys_of(facts, "official_totals")
    races = _by_date(facts["races"])
    # older races than the first with points are history: the game's facts do not reach back to them
    first = races.loc[races["race_key"].isin(have_totals), "race_date"].min()
    for race_key in races.loc[races["race_date"] >= first, "race_key"]:
        if race_key in have_totals - have_results:
            yield f"{race_key} waits: it has official points, its results are not in F1DB yet"
        elif race_key in have_totals - have_scores:
            yield f"{race_key} waits: it has results and official points, the feed's items of it are missing"
        elif race_key in have_results - have_totals:
            yield f"{race_key} waits: it has results, its official points are not final yet"
