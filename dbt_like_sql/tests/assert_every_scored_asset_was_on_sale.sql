-- description: Every asset that scored in a race had a price at its lock.
-- asset: core.driver_race_performance
with event_score as (
    select * from staging.event_score
    where list_contains($race_keys, race_key)
),

race_entry as (
    select * from core.race_entry
    where list_contains($race_keys, race_key)
)

select
    sco.race_key,
    sco.asset_type,
    sco.asset_id,
from event_score as sco
left join race_entry as ent
    on sco.race_key = ent.race_key and sco.asset_type = ent.asset_type and sco.asset_id = ent.asset_id
where ent.race_key is null
group by sco.race_key, sco.asset_type, sco.asset_id
