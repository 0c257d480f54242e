"""Race partitions and how a race depends on other races.

Belongs here: partition definitions and mappings, made from the calendar. Neighbours: `assets.py` attaches them.
"""

from __future__ import annotations

import dagster as dg

from f1_pipeline.sources.calendar import Calendar


def race_partitions(calendar: Calendar) -> dg.StaticPartitionsDefinition:
    """One partition per race of the calendar, cancelled ones left out, in the order they are driven."""
    return dg.StaticPartitionsDefinition([race.race_key for race in calendar.races if not race.is_cancelled])


def strictly_before(partitions: dg.StaticPartitionsDefinition) -> dg.StaticPartitionMapping:
    """Map each race to every race after it: what a downstream race reads is strictly earlier."""
    keys = partitions.get_partition_keys()
    return dg.StaticPartitionMapping({key: list(keys[at + 1 :]) for at, key in enumerate(keys[:-1])})


def up_to_and_including(partitions: dg.StaticPartitionsDefinition) -> dg.StaticPartitionMapping:
    """Map each race to itself and every race after it."""
    keys = partitions.get_partition_keys()
    return dg.StaticPartitionMapping({key: list(keys[at:]) for at, key in enumerate(keys)})
