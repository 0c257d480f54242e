-- description: Every asset on sale for a race has a row of features.
-- asset: features.constructor_race_feature
with race_entry as (
    select * from core.race_entry
    where list_contains($race_keys, race_key)
),

driver_race_feature as (
    select * from features.driver_race_feature
    where list_contains($race_keys, race_key)
),

constructor_race_feature as (
    select * from features.constructor_race_feature
    where list_contains($race_keys, race_key)
)

select
    ent.race_key,
    ent.asset_type,
    ent.asset_id,
from race_entry as ent
left join driver_race_feature as dri
    on ent.race_key = dri.race_key and ent.asset_id = dri.driver_id and ent.asset_type = 'driver'
left join constructor_race_feature as con
    on ent.race_key = con.race_key and ent.asset_id = con.constructor_id and ent.asset_type = 'constructor'
where dri.race_key is null and con.race_key is null
