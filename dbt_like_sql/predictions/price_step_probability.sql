-- description: One row per forecast asset, phase of a race and step that its price can take: how likely the race moves it so.
-- grain: race_key, phase, asset_type, asset_id, step_musd
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: step_musd | Change of the price after the race | million dollars
-- column: probability | Share of the joint draws of the current forecast, priced by the season's rules
-- check: probability between 0 and 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.step_musd as decimal(5, 1)) as step_musd,
    cast(inc.probability as double) as probability,
from incoming as inc
