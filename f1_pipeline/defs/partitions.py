"""Race and season partitions, and how a race or a season depends on races.

Belongs here: partition definitions and mappings, made from the calendar. Neighbours: `assets.py` attaches them.
"""

from __future__ import annotations

import dagster as dg

from f1_pipeline.sources.calendar import Calendar


def race_partitions(calendar: Calendar) -> dg.StaticPartitionsDefinition:
    """One partition per race of the calendar, cancelled ones left out, in the order they are driven."""
    return dg.StaticPartitionsDefinition([race.race_key for race in calendar.races if not race.is_cancelled])


def season_partitions(calendar: Calendar) -> dg.StaticPartitionsDefinition:
    """One partition per season with a finished race or prices, in order."""
    played = (race for race in calendar.races if race.is_finished or race.has_prices)
    return dg.StaticPartitionsDefinition(list(dict.fromkeys(str(race.season) for race in played)))


def strictly_before(partitions: dg.StaticPartitionsDefinition) -> dg.StaticPartitionMapping:
    """Map each race to every race after it: what a downstream race reads is strictly earlier."""
    keys = partitions.get_partition_keys()
    return dg.StaticPartitionMapping({key: list(keys[at + 1 :]) for at, key in enumerate(keys[:-1])})


def up_to_and_including(partitions: dg.StaticPartitionsDefinition) -> dg.StaticPartitionMapping:
    """Map each race to itself and every race after it."""
    keys = partitions.get_partition_keys()
    return dg.StaticPartitionMapping({key: list(keys[at:]) for at, key in enumerate(keys)})


def up_to_season(
    calendar: Calendar, races: dg.StaticPartitionsDefinition, seasons: dg.StaticPartitionsDefinition
) -> dg.StaticPartitionMapping:
    """Map each race to the seasons from its own on: what a downstream season reads is its own races and all earlier."""
    return dg.StaticPartitionMapping(
        {
            key: [season for season in seasons.get_partition_keys() if int(season) >= calendar.get(key).season]
            for key in races.get_partition_keys()
        }
    )
