-- description: One row per asset of one race for which the facts or the rules disagree with the official game, with the known reason.
-- grain: race_key, comparison, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: comparison | items: scoring items with the official total; engine: the rules applied to results with it; price: the price by the rules with the official one
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: official_value | Official points, or official price at the lock | points or million dollars
-- column: computed_value | What the items or the rules give instead | points or million dollars
-- column: difference | Computed less official value | points or million dollars
-- column: is_explained | Whether known_exceptions.csv lists exactly these two values
-- column: reason | The reason it gives
-- check: comparison in ('items', 'engine', 'price')
-- check: is_explained = (reason is not null)
with event_scores as (
    select * from raw.event_scores
    where list_contains($race_keys, race_key)
),

official_totals as (
    select * from raw.official_totals
    where list_contains($race_keys, race_key)
),

engine_score as (
    select * from staging.engine_score
    where list_contains($race_keys, race_key)
),

engine_price as (
    select * from staging.engine_price
    where list_contains($race_keys, race_key) and price_musd is not null
),

known_exceptions as (
    select * from raw.known_exceptions
    where list_contains($race_keys, race_key)
),

computed as (
    select
        'items' as comparison,
        race_key,
        asset_type,
        asset_id,
        sum(points) as points,
    from event_scores
    group by race_key, asset_type, asset_id
    union all
    select
        'engine' as comparison,
        race_key,
        asset_type,
        asset_id,
        sum(points) as points,
    from engine_score
    group by race_key, asset_type, asset_id
),

official as (
    select
        com.comparison,
        tot.race_key,
        tot.asset_type,
        tot.asset_id,
        tot.total_points,
    from official_totals as tot
    cross join (values ('items'), ('engine')) as com (comparison)
),

-- Who was on sale and took no part has an official total of 0 and no items.
points_compared as (
    select
        coalesce(ofc.race_key, com.race_key) as race_key,
        coalesce(ofc.comparison, com.comparison) as comparison,
        coalesce(ofc.asset_type, com.asset_type) as asset_type,
        coalesce(ofc.asset_id, com.asset_id) as asset_id,
        ofc.total_points as official_value,
        coalesce(com.points, 0) as computed_value,
    from official as ofc
    full outer join computed as com
        on
            ofc.comparison = com.comparison
            and ofc.race_key = com.race_key
            and ofc.asset_type = com.asset_type
            and ofc.asset_id = com.asset_id
),

compared as (
    select
        race_key,
        comparison,
        asset_type,
        asset_id,
        official_value,
        computed_value,
    from points_compared
    union all
    select
        race_key,
        'price' as comparison,
        asset_type,
        asset_id,
        official_price_musd as official_value,
        price_musd as computed_value,
    from engine_price
)

select
    com.race_key,
    com.comparison,
    com.asset_type,
    com.asset_id,
    cast(com.official_value as decimal(5, 1)) as official_value,
    cast(com.computed_value as decimal(5, 1)) as computed_value,
    cast(com.computed_value - com.official_value as decimal(5, 1)) as difference,
    kno.race_key is not null as is_explained,
    kno.reason,
from compared as com
left join known_exceptions as kno
    on
        com.race_key = kno.race_key
        and com.comparison = kno.comparison
        and com.asset_type = kno.asset_type
        and com.asset_id = kno.asset_id
        and com.official_value = kno.official_value
        and com.computed_value = kno.computed_value
where com.official_value is distinct from com.computed_value
