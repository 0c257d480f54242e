-- description: One row per asset on sale for one race: the points expected of it when line-ups lock, with a range.
-- grain: race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: expected_points | Expected points of the weekend | points
-- column: sd_points | Standard deviation of the points | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p50 | Median points | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: model_uri | The model in MLflow that made the forecast
-- column: is_live | Whether it was made before the lock; else it was replayed later from what was known then
-- check: p10 <= p50 and p50 <= p90
-- check: isfinite(expected_points) and sd_points > 0
-- check: model_uri is not null
with asset_forecast as (
    select * from predictions.asset_forecast
    where list_contains($race_keys, race_key)
)

select
    fct.race_key,
    fct.asset_type,
    fct.asset_id,
    fct.expected_points,
    fct.sd_points,
    fct.p10,
    fct.p50,
    fct.p90,
    fct.model_uri,
    fct.is_live,
from asset_forecast as fct
where fct.phase = 'at_lock' and fct.is_current
