-- description: The rules applied to earlier points give every asset its price, or differ exactly as a known exception says; a first price is the game's own.
-- asset: staging.price
with price as (
    select * from staging.price
    where list_contains($race_keys, race_key)
),

engine_price as (
    select * from staging.engine_price
    where list_contains($race_keys, race_key)
),

known_exceptions as (
    select * from raw.known_exceptions
    where list_contains($race_keys, race_key) and comparison = 'price'
)

select
    pri.race_key,
    pri.asset_type,
    pri.asset_id,
    pri.fantasy_price_musd as official_price_musd,
    eng.price_musd as price_by_rules_musd,
    eng.previous_race_key,
    eng.previous_price_musd,
    eng.previous_points,
from price as pri
left join engine_price as eng
    on pri.race_key = eng.race_key and pri.asset_type = eng.asset_type and pri.asset_id = eng.asset_id
left join known_exceptions as kno
    on
        pri.race_key = kno.race_key
        and pri.asset_type = kno.asset_type
        and pri.asset_id = kno.asset_id
        and pri.fantasy_price_musd = kno.official_value
        and eng.price_musd = kno.computed_value
where
    kno.race_key is null
    and (eng.race_key is null or (eng.previous_race_key is not null and pri.fantasy_price_musd != eng.price_musd))
