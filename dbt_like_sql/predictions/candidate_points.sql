-- description: One row per asset on sale, phase and candidate: what each model that competes to be published expects.
-- grain: race_key, phase, candidate, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: candidate | strength, ridge, boosting or average
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: expected_points | Expected points of the weekend | points
-- column: model_uri | The model in MLflow that made the forecast
-- check: isfinite(expected_points)
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.candidate as varchar) as candidate,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.model_uri as varchar) as model_uri,
from incoming as inc
