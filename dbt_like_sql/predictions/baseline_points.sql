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
    inc.race_key,
    inc.asset_type,
    inc.asset_id,
    inc.baseline,
    cast(inc.expected_points as double) as expected_points,
from incoming as inc
