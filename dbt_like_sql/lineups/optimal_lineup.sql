-- description: One row per asset of one of the ten best line-ups for a race, by expected points, within the budget.
-- grain: race_key, rank, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: rank | Rank of the line-up, 1 the best
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: is_boosted | Whether the boost is on this driver
-- column: price_musd | Price at the lock | million dollars
-- column: expected_points | Expected points of the asset, the boost not counted | points
-- check: rank >= 1
-- check: price_musd > 0
-- check: asset_type = 'driver' or not is_boosted
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.rank as integer) as rank,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
    cast(inc.expected_points as double) as expected_points,
from incoming as inc
