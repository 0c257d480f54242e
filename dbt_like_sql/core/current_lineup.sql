-- description: One row per asset that you hold going into a race, with your bank, free transfers and chips; no row means a fresh start.
-- grain: asset_type, asset_id
-- column: race_key | The race the line-up goes into
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: is_boosted | Whether the boost is on this driver
-- column: bank_musd | Money not spent | million dollars
-- column: free_transfers | Transfers that cost no points | count
-- column: chips_left | Chips not played yet, separated by commas
-- check: asset_type in ('driver', 'constructor')
-- check: asset_type = 'driver' or not is_boosted
-- check: bank_musd >= 0 and free_transfers >= 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.bank_musd as decimal(5, 1)) as bank_musd,
    cast(inc.free_transfers as integer) as free_transfers,
    cast(inc.chips_left as varchar) as chips_left,
from incoming as inc
