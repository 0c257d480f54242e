-- description: One row per asset that a line-up for this race may hold, with its price at the lock.
-- grain: race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drives for, or is
-- column: lineage_id | What the asset's history is joined by: the driver, or the newest name of the constructor
-- column: fantasy_price_musd | Price at the lock | million dollars
-- check: lineage_id is not null
with price as (
    select * from staging.price
    where list_contains($race_keys, race_key)
),

constructor as (
    select * from core.constructor
)

select
    pri.race_key,
    pri.asset_type,
    pri.asset_id,
    pri.constructor_id,
    case pri.asset_type when 'driver' then pri.asset_id else con.lineage_id end as lineage_id,
    pri.fantasy_price_musd,
from price as pri
left join constructor as con on pri.constructor_id = con.constructor_id
