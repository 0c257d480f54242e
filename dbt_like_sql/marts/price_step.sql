-- description: One row per asset on sale for one race and step that its price can take afterwards: the points in the race that bring it.
-- grain: race_key, asset_type, asset_id, step_musd
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drives for, or is
-- column: price_musd | Price at the lock | million dollars
-- column: step_musd | Move of the price after the race | million dollars
-- column: price_after_musd | Price after the race | million dollars
-- column: points_from | Fewest points of the weekend that bring the step; null: no lower end | points
-- column: points_to | Most points of the weekend that bring the step; null: no upper end | points
-- column: field_mean_points | Mean of the field that is assumed in 2023-24, the season's so far; the race's own is known only afterwards | points
-- check: asset_type in ('driver', 'constructor')
-- check: price_after_musd = price_musd + step_musd
-- check: price_after_musd > 0
-- check: points_from is null or points_to is null or points_from <= points_to
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.constructor_id as varchar) as constructor_id,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
    cast(inc.step_musd as decimal(5, 1)) as step_musd,
    cast(inc.price_after_musd as decimal(5, 1)) as price_after_musd,
    cast(inc.points_from as integer) as points_from,
    cast(inc.points_to as integer) as points_to,
    cast(inc.field_mean_points as double) as field_mean_points,
from incoming as inc
