-- description: One row per forecast of an asset that took part in a finished race: what was expected, what was scored, how far off the distribution was.
-- grain: race_key, phase, forecast, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: forecast | published, one of its candidates (strength, ridge, boosting, average) or a baseline (ewma_price_prior, price_only, season_mean)
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: is_live | Whether the published forecast of this race and phase was made before its deadline; candidates and baselines stand beside it, computed again with every run
-- column: expected_points | Mean of the forecast | points
-- column: median_points | Median of the forecast; of a baseline, which is a single value, that value | points
-- column: actual_points | Points scored | points
-- column: crps_points | Continuous ranked probability score of the distribution, 0 at best; a baseline's distribution is itself plus its own errors in earlier races | points
-- column: pit | Share of the distribution below the score, ties counted half | share
-- column: is_in_50 | Whether the score lay within the central half of the distribution, ends included
-- column: is_in_80 | Whether it lay within the central four fifths
-- column: is_in_90 | Whether it lay within the central nine tenths
-- column: return_class | What the score was: negative (below 0), low, mid (from 10, constructor 25) or haul (from 25, constructor 60)
-- check: phase in ('before_practice', 'at_lock', 'after_qualifying')
-- check: forecast in ('published', 'strength', 'ridge', 'boosting', 'average', 'ewma_price_prior', 'price_only', 'season_mean')
-- check: asset_type in ('driver', 'constructor')
-- check: is_live is not null
-- check: isfinite(expected_points) and isfinite(median_points)
-- check: crps_points >= 0 and isfinite(crps_points)
-- check: pit between 0 and 1
-- check: is_in_80 or not is_in_50
-- check: is_in_90 or not is_in_80
-- check: (return_class = 'negative') = (actual_points < 0)
-- check: return_class in ('negative', 'low', 'mid', 'haul')
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.forecast as varchar) as forecast,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.is_live as boolean) as is_live,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.median_points as double) as median_points,
    cast(inc.actual_points as integer) as actual_points,
    round(cast(inc.crps_points as double), 9) as crps_points,  -- the last bits depend on which races are judged at once
    cast(inc.pit as double) as pit,
    cast(inc.is_in_50 as boolean) as is_in_50,
    cast(inc.is_in_80 as boolean) as is_in_80,
    cast(inc.is_in_90 as boolean) as is_in_90,
    cast(inc.return_class as varchar) as return_class,
from incoming as inc
