-- description: One row per asset, race and baseline: the points that a trivial forecast expects.
-- grain: race_key, asset_type, asset_id, baseline
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: baseline | season_mean, price_only or ewma_price_prior
-- column: expected_points | Points the baseline expects | points
-- check: baseline in ('season_mean', 'price_only', 'ewma_price_prior')
-- check: isfinite(expected_points)
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.baseline as varchar) as baseline,
    cast(inc.expected_points as double) as expected_points,
from incoming as inc
