"""Facts and a release of two races of 2026 with a handful of cars: quick to read ten thousand times.

Belongs here: cutting the committed facts down. Neighbour: `release.py` makes whole releases of them.
"""

from __future__ import annotations

from pathlib import Path

from f1_pipeline.sources.fact_frames import keep_named, read_facts
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.release import Rows, release_rows, write_facts
from f1_pipeline_tests.support import DATA

RACES = ("2026-australia", "2026-china")
CARS = ("george-russell", "kimi-antonelli", "max-verstappen")
TEAMS = ("mercedes", "red-bull")


def small_facts(target: Path) -> Path:
    """Write the facts of two races and a few cars into a folder, with the rules."""
    return write_facts(target, _facts(read_facts(DATA)), DATA)


def _facts(facts: Facts) -> Facts:
    made = dict(facts)
    for name, frame in facts.items():
        if "race_key" in frame:
            frame = frame[frame["race_key"].isin(RACES)]
        if "driver_id" in frame:
            frame = frame[frame["driver_id"].isin(CARS)]
        if "asset_id" in frame:
            frame = frame[frame["asset_id"].isin((*CARS, *TEAMS))]
        made[name] = frame.reset_index(drop=True)
    return keep_named(made)


def release_of(data_dir: Path) -> Rows:
    """Write the release that has the same races and cars."""
    rows = release_rows(data_dir, through=RACES[-1], since=2026)
    rows["races"] = rows["races"][: len(RACES)]
    ids = {row["id"] for row in rows["races"]}
    named = {
        "drivers": set(CARS),
        "constructors": set(TEAMS),
        "circuits": {row["circuitId"] for row in rows["races"]},
        "grands-prix": {row["grandPrixId"] for row in rows["races"]},
    }
    for name, kept in rows.items():
        if name in named:
            kept = [row for row in kept if row["id"] in named[name]]
        if kept and "raceId" in kept[0]:
            kept = [row for row in kept if row["raceId"] in ids]
        if kept and "driverId" in kept[0]:
            kept = [row for row in kept if row["driverId"] in CARS]
        rows[name] = kept
    return rows
