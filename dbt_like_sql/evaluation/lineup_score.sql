-- description: One row per forecast of a finished race: what the best line-up by its expected points scored, against the best in hindsight.
-- grain: race_key, phase, forecast
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: forecast | published, one of its candidates (strength, ridge, boosting, average) or a baseline (ewma_price_prior, price_only, season_mean)
-- column: is_live | Whether the published forecast of this race and phase was made before its deadline; candidates and baselines stand beside it, computed again with every run
-- column: lineup_points | Points scored by the affordable line-up with the most expected points, boost included, transfers free | points
-- column: hindsight_points | Points of the best affordable line-up, known only afterwards | points
-- column: capture_share | Points of the line-up as a share of the best possible; null when that was not positive | share
-- check: phase in ('before_practice', 'at_lock', 'after_qualifying')
-- check: forecast in ('published', 'strength', 'ridge', 'boosting', 'average', 'ewma_price_prior', 'price_only', 'season_mean')
-- check: is_live is not null
-- check: lineup_points <= hindsight_points
-- check: capture_share is null or capture_share <= 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.forecast as varchar) as forecast,
    cast(inc.is_live as boolean) as is_live,
    cast(inc.lineup_points as double) as lineup_points,
    cast(inc.hindsight_points as double) as hindsight_points,
    cast(inc.capture_share as double) as capture_share,
from incoming as inc
