-- description: One row per asset on sale for one race: the points that the model of this race expects, with a range.
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
-- check: p10 <= p50 and p50 <= p90
-- check: isfinite(expected_points) and sd_points > 0
-- check: model_uri is not null
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.sd_points as double) as sd_points,
    cast(inc.p10 as double) as p10,
    cast(inc.p50 as double) as p50,
    cast(inc.p90 as double) as p90,
    cast(inc.model_uri as varchar) as model_uri,
from incoming as inc
