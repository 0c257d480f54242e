-- description: The items of every asset sum to its official total, or differ exactly as a known exception says.
-- asset: staging.event_score
with event_score as (
    select * from staging.event_score
    where list_contains($race_keys, race_key)
),

official_totals as (
    select * from raw.official_totals
    where list_contains($race_keys, race_key)
),

known_exceptions as (
    select * from raw.known_exceptions
    where list_contains($race_keys, race_key) and comparison = 'items'
),

item_totals as (
    select
        race_key,
        asset_type,
        asset_id,
        sum(points) as item_points,
    from event_score
    group by race_key, asset_type, asset_id
),

-- Who was on sale and took no part has an official total of 0 and no items.
totals as (
    select
        coalesce(tot.race_key, com.race_key) as race_key,
        coalesce(tot.asset_type, com.asset_type) as asset_type,
        coalesce(tot.asset_id, com.asset_id) as asset_id,
        tot.total_points as official_points,
        coalesce(com.item_points, 0) as item_points,
    from official_totals as tot
    full outer join item_totals as com
        on tot.race_key = com.race_key and tot.asset_type = com.asset_type and tot.asset_id = com.asset_id
)

select
    tot.race_key,
    tot.asset_type,
    tot.asset_id,
    tot.official_points,
    tot.item_points,
from totals as tot
left join known_exceptions as kno
    on
        tot.race_key = kno.race_key
        and tot.asset_type = kno.asset_type
        and tot.asset_id = kno.asset_id
        and tot.official_points = kno.official_value
        and tot.item_points = kno.computed_value
where tot.official_points is distinct from tot.item_points and kno.race_key is null
