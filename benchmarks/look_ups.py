"""Whether an index helps the usual look-ups in the warehouse.

Here: each look-up on a copy of the built warehouse, with an ART index on its columns and without. docs/adr/0004 rests
on these figures.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import load_settings
from f1_pipeline.warehouse.connection import Warehouse

RACE, DRIVER = "2026-canada", "max-verstappen"
REPEATS = 201
# name -> (table, indexed columns, values looked for)
LOOK_UPS = {
    "performance_by_driver_and_race": ("core.driver_race_performance", ("driver_id", "race_key"), (DRIVER, RACE)),
    "leaderboard_by_race": ("marts.race_leaderboard", ("race_key",), (RACE,)),
    "time_series_of_a_driver": ("core.driver_race_performance", ("driver_id",), (DRIVER,)),
    "team_in_race": ("core.driver_race_performance", ("race_key", "constructor_id"), (RACE, "red-bull")),
    "event_scores_by_performance_and_event": (
        "core.driver_event_score",
        ("race_key", "driver_id", "event_type"),
        (RACE, DRIVER, "race"),
    ),
    "event_scores_by_event_and_item": (
        "core.driver_event_score",
        ("event_type", "scoring_item"),
        ("race", "race_overtakes"),
    ),
    "event_scores_by_driver_and_event": ("core.driver_event_score", ("driver_id", "event_type"), (DRIVER, "race")),
}


@benchmark("index_look_ups")
def index_look_ups() -> list[Figure]:
    """Time each usual look-up with an index against without, on the built warehouse."""
    source = load_settings().warehouse_path
    if not source.exists():
        raise WarehouseError(f"{source}: expected a built warehouse, found none; `make run` builds it")
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        copy = Path(shutil.copy(source, folder))
        return [_measure(Warehouse(copy), name) for name in LOOK_UPS]


def _measure(warehouse: Warehouse, name: str) -> Figure:
    table, columns, values = LOOK_UPS[name]
    condition = " and ".join(f"{column} = ?" for column in columns)
    sql = f"select * from {table} where {condition}"  # noqa: S608 - names are the constants above
    with warehouse.write() as connection:

        def milliseconds() -> float:
            return 1e3 * median_seconds(lambda: connection.execute(sql, values).fetchall(), repeats=REPEATS)

        before = milliseconds()
        connection.execute(f"create index usual_look_up on {table} ({', '.join(columns)})")
        indexed = milliseconds()
        connection.execute(f"drop index {table.split('.')[0]}.usual_look_up")
        # Before and after the index, so that neither side has the warmer cache.
        plain = (before + milliseconds()) / 2
    return Figure(f"index_look_ups.{name}", indexed, "ms", "no index", plain)
