-- description: One row per scoring item that an asset earned in one session of one race.
-- grain: race_key, asset_type, asset_id, event_type, scoring_item
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drove for, or is
-- column: event_type | Scored session: qualifying, sprint or race
-- column: scoring_item | What the points were given for
-- column: points | Points of the item, before any boost | points
-- column: position | Position that a position item rewards
-- column: frequency | How often the item was earned | count
-- column: origin | official, corrected, derived from results, or residual of the official total
-- check: event_type in ('qualifying', 'sprint', 'race')
-- check: asset_type in ('driver', 'constructor')
-- check: frequency >= 0
with event_scores as (
    select * from raw.event_scores
    where list_contains($race_keys, race_key)
)

select
    sco.race_key,
    sco.asset_type,
    sco.asset_id,
    sco.constructor_id,
    sco.event_type,
    sco.scoring_item,
    sco.points,
    sco.position,
    coalesce(sco.frequency, 1) as frequency,
    sco.origin,
from event_scores as sco
