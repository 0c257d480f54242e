-- description: One row per asset on sale for one race: its price by the rules, moved by the points since it was last on sale, and the official one.
-- grain: race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drives for, or is
-- column: previous_race_key | Race of the season at which the asset was last on sale; null: never, so the rules say nothing of its price
-- column: previous_price_musd | Price at the lock of that race | million dollars
-- column: previous_points | Official points in that race, null when the asset took no part | points
-- column: window_points | Points that the rules look at: of the last three races it took part in, in 2023-24 of the last | points
-- column: window_race_count | Races those points are of | count
-- column: value_points_per_million | Mean of those points per million dollars of the previous price, from 2025 on | points per million dollars
-- column: field_mean_points | Rounded mean of the field that the points are compared with, in 2023-24 | points
-- column: step_musd | Move of the price by the rules; 0 when the asset took no part | million dollars
-- column: price_musd | Price by the rules | million dollars
-- column: official_price_musd | Official price at the lock | million dollars
-- check: asset_type in ('driver', 'constructor')
-- check: (previous_race_key is null) = (price_musd is null)
-- check: price_musd is null or price_musd = previous_price_musd + step_musd
-- check: official_price_musd > 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.constructor_id as varchar) as constructor_id,
    cast(inc.previous_race_key as varchar) as previous_race_key,
    cast(inc.previous_price_musd as decimal(5, 1)) as previous_price_musd,
    cast(inc.previous_points as integer) as previous_points,
    cast(inc.window_points as integer) as window_points,
    cast(inc.window_race_count as integer) as window_race_count,
    cast(inc.value_points_per_million as double) as value_points_per_million,
    cast(inc.field_mean_points as integer) as field_mean_points,
    cast(inc.step_musd as decimal(5, 1)) as step_musd,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
    cast(inc.official_price_musd as decimal(5, 1)) as official_price_musd,
from incoming as inc
