-- description: One row per race: the model of constructor points that was trained on the races before it.
-- grain: race_key
-- partitioned_by: race_key
-- column: race_key | Race the model forecasts
-- column: model_uri | The model in MLflow
-- column: fingerprint | SHA-256 of training rows, race, settings, features and library versions
-- column: training_row_count | Rows it was trained on | count
-- column: first_training_race_key | Earliest race it learnt from
-- column: last_training_race_key | Latest race it learnt from, before the race it forecasts
-- column: cv_mae_points | Mean absolute error in grouped cross-validation; null while there is too little history | points
-- column: cv_rmse_points | Root mean squared error in grouped cross-validation | points
-- check: training_row_count >= 0
-- check: last_training_race_key is null or last_training_race_key <> race_key
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.model_uri as varchar) as model_uri,
    cast(inc.fingerprint as varchar) as fingerprint,
    cast(inc.training_row_count as integer) as training_row_count,
    cast(inc.first_training_race_key as varchar) as first_training_race_key,
    cast(inc.last_training_race_key as varchar) as last_training_race_key,
    cast(inc.cv_mae_points as double) as cv_mae_points,
    cast(inc.cv_rmse_points as double) as cv_rmse_points,
from incoming as inc
