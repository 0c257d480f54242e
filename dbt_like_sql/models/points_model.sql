-- description: One row per race and candidate: the model whose forecast of points competes to be published.
-- grain: race_key, candidate
-- partitioned_by: race_key
-- column: race_key | Race the model forecasts
-- column: candidate | strength (the simulation), ridge, boosting, or average (of strength, ridge and ewma_price_prior)
-- column: model_uri | The model in MLflow
-- column: fingerprint | SHA-256 of what determines it
-- column: training_row_count | Rows that ridge and boosting were trained on; null for the others | count
-- column: last_training_race_key | Latest race they learnt from, before the race they forecast
-- check: candidate in ('strength', 'ridge', 'boosting', 'average')
-- check: last_training_race_key is null or last_training_race_key <> race_key
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.candidate as varchar) as candidate,
    cast(inc.model_uri as varchar) as model_uri,
    cast(inc.fingerprint as varchar) as fingerprint,
    cast(inc.training_row_count as integer) as training_row_count,
    cast(inc.last_training_race_key as varchar) as last_training_race_key,
from incoming as inc
