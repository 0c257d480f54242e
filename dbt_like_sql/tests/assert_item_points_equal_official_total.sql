-- description: The items of every asset sum to its official total, or differ exactly as a known exception says.
-- asset: raw.event_scores
with event_scores as (
    select * from raw.event_scores
    where list_contains($race_keys, race_key)
),

official_totals as (
    select * from raw.official_totals
    where list_contains($race_keys, race_key)
),

known_exceptions as (
    select * from raw.known_exceptions
    where list_contains($race_keys, race_key)
),

item_totals as (
    select
        race_key,
        asset_type,
        asset_id,
        sum(points) as item_points,
    from event_scores
    group by race_key, asset_type, asset_id
),

-- Who was on sale and took no part has an official total of 0 and no items.
totals as (
    select
        coalesce(tot.race_key, ite.race_key) as race_key,
        coalesce(tot.asset_type, ite.asset_type) as asset_type,
        coalesce(tot.asset_id, ite.asset_id) as asset_id,
        tot.total_points,
        coalesce(ite.item_points, 0) as item_points,
    from official_totals as tot
    full outer join item_totals as ite
        on tot.race_key = ite.race_key and tot.asset_type = ite.asset_type and tot.asset_id = ite.asset_id
)

select
    tot.race_key,
    tot.asset_type,
    tot.asset_id,
    tot.total_points,
    tot.item_points,
from totals as tot
left join known_exceptions as kno
    on
        tot.race_key = kno.race_key
        and tot.asset_type = kno.asset_type
        and tot.asset_id = kno.asset_id
        and tot.total_points = kno.official_total
        and tot.item_points = kno.items_total
where tot.total_points is distinct from tot.item_points and kno.race_key is null
