-- description: One row per scoring item that a driver earned in one session of one race.
-- grain: race_key, driver_id, event_type, scoring_item
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for
-- column: event_type | Scored session: qualifying, sprint or race
-- column: scoring_item | What the points were given for
-- column: points | Points of the item, before any boost | points
-- column: position | Position that a position item rewards
-- column: frequency | How often the item was earned | count
-- column: origin | official, corrected, derived from results, or residual of the official total
with event_score as (
    select * from staging.event_score
    where list_contains($race_keys, race_key)
)

select
    sco.race_key,
    sco.asset_id as driver_id,
    sco.constructor_id,
    sco.event_type,
    sco.scoring_item,
    sco.points,
    sco.position,
    sco.frequency,
    sco.origin,
from event_score as sco
where sco.asset_type = 'driver'
