-- description: One row per race: the model of its weekend, which strengths, simulation and the candidate `strength` come from.
-- grain: race_key
-- partitioned_by: race_key
-- column: race_key | Race the model forecasts
-- column: model_uri | The model in MLflow
-- column: fingerprint | SHA-256 of its content
-- column: phase_count | Phases of the weekend that could be forecast: 2 until qualifying was held, then 3 | count
-- column: before_practice_notes | Why the forecast before practice is less sure than others; empty when nothing is out of the ordinary
-- column: at_lock_notes | The same at the lock
-- column: after_qualifying_notes | The same after qualifying; null until it was held
-- check: phase_count between 2 and 3
-- check: (after_qualifying_notes is null) = (phase_count = 2)
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.model_uri as varchar) as model_uri,
    cast(inc.fingerprint as varchar) as fingerprint,
    cast(inc.phase_count as integer) as phase_count,
    cast(inc.before_practice_notes as varchar) as before_practice_notes,
    cast(inc.at_lock_notes as varchar) as at_lock_notes,
    cast(inc.after_qualifying_notes as varchar) as after_qualifying_notes,
from incoming as inc
