-- description: One row per driver on sale and phase of a race: where he is expected to qualify and to finish, and why.
-- grain: race_key, phase, driver_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: driver_id | Driver
-- column: qualifying_position_mean | Mean place in qualifying over simulated weekends
-- column: race_position_mean | Mean place in the race where classified
-- column: win_probability | Probability of winning the Grand Prix
-- column: podium_probability | Probability of finishing among the first three
-- column: not_classified_probability | Probability of not being classified
-- column: qualifying_strength | Expected normal score over one lap
-- column: race_strength | Expected normal score in a race
-- column: car_strength | The car's part of the strength over one lap
-- column: driver_strength | His own part of it
-- check: win_probability <= podium_probability
with simulated_points as (
    select * from predictions.simulated_points
    where list_contains($race_keys, race_key)
),

weekend_feature as (
    select * from features.weekend_feature
    where list_contains($race_keys, race_key)
)

select
    sim.race_key,
    sim.phase,
    sim.asset_id as driver_id,
    sim.qualifying_position_mean,
    sim.race_position_mean,
    sim.win_probability,
    sim.podium_probability,
    sim.not_classified_probability,
    fea.qualifying_strength,
    fea.race_strength,
    fea.car_strength,
    fea.driver_strength,
from simulated_points as sim
inner join weekend_feature as fea
    on
        sim.race_key = fea.race_key
        and sim.phase = fea.phase
        and sim.asset_type = fea.asset_type
        and sim.asset_id = fea.asset_id
where sim.asset_type = 'driver'
