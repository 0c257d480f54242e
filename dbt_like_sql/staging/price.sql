-- description: One row per asset on sale for one race, at its price when the line-ups lock.
-- grain: race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drives for, or is
-- column: fantasy_price_musd | Price at the lock | million dollars
-- check: fantasy_price_musd > 0
with prices as (
    select * from raw.prices
    where list_contains($race_keys, race_key)
)

select
    pri.race_key,
    pri.asset_type,
    pri.asset_id,
    pri.constructor_id,
    pri.price_musd as fantasy_price_musd,
from prices as pri
