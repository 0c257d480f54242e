"""Which races are settled: they have locked, and were forecast before they did.

Belongs here: one question, asked by whoever would choose anew. What was recommended in time, and the team that it
started from, stay as they were; a race that is only replayed is chosen again each time. Neighbours: `publish` keeps
forecasts, `lineups` line-ups, `my_team` teams.
"""

from __future__ import annotations

from collections.abc import Sequence

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import has_table

LIVE = """
    select distinct race_key from predictions.asset_forecast
    where phase = 'at_lock' and is_live and list_contains($race_keys, race_key)
"""


def settled_races(pipeline: Pipeline, race_keys: Sequence[str]) -> frozenset[str]:
    """Name the races that have locked with a forecast made before.

    Parameters
    ----------
    pipeline : Pipeline
        Its clock decides.
    race_keys : sequence of str

    Returns
    -------
    frozenset of str
        None while there is no warehouse.

    Raises
    ------
    UsageError
        When a race is unknown.
    """
    now = pipeline.clock()
    locked = [race_key for race_key in race_keys if pipeline.calendar.get(race_key).lock_at <= now]
    if not locked or not pipeline.warehouse.exists():
        return frozenset()
    with pipeline.warehouse.read() as connection:
        if not has_table(connection, "predictions.asset_forecast"):
            return frozenset()
        return frozenset(row[0] for row in connection.execute(LIVE, {"race_keys": locked}).fetchall())
