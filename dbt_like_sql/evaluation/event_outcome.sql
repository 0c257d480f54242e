-- description: One row per event of a finished race that was given a probability: whether it happened.
-- grain: race_key, phase, event, asset_type, asset_id, outcome
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: event | not_classified (a driver in the race) or price_step (the move of a price up to the asset's next sale)
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: outcome | not_classified, or the step in million dollars such as +0.3
-- column: is_live | Whether the published forecast of this race and phase was made before its deadline; else it was replayed from what was known then
-- column: probability | Probability that was given to the outcome | share
-- column: has_happened | Whether it came about; of a price, whether the official price moved by exactly this step
-- check: phase in ('before_practice', 'at_lock', 'after_qualifying')
-- check: event in ('not_classified', 'price_step')
-- check: asset_type = 'driver' or event = 'price_step'
-- check: (outcome = 'not_classified') = (event = 'not_classified')
-- check: is_live is not null and has_happened is not null
-- check: probability between 0 and 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    inc.event,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.outcome as varchar) as outcome,
    cast(inc.is_live as boolean) as is_live,
    cast(inc.probability as double) as probability,
    cast(inc.has_happened as boolean) as has_happened,
from incoming as inc
