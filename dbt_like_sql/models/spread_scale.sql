-- description: One row per race, phase, candidate and type of asset: by how much the simulation's spread has been too narrow or too wide so far.
-- grain: race_key, phase, candidate, asset_type
-- partitioned_by: race_key
-- strictly_before: predictions.simulated_points, core.driver_race_performance, core.constructor_race_performance
-- up_to_and_including: predictions.candidate_points
-- column: race_key | Race that is forecast
-- column: phase | before_practice, at_lock or after_qualifying
-- column: candidate | Candidate whose errors are measured
-- column: asset_type | driver or constructor
-- column: scale | Root mean square of earlier errors in units of the simulated deviation, shrunk to 1 by 200 rows that are right
-- column: row_count | Earlier forecasts it is learnt from | count
-- check: scale between 0.5 and 2
-- check: row_count >= 0
with race as (
    select * from core.race
),

candidate_points as (
    select * from predictions.candidate_points
),

simulated_points as (
    select * from predictions.simulated_points
),

driver_race_performance as (
    select * from core.driver_race_performance
),

constructor_race_performance as (
    select * from core.constructor_race_performance
),

scored as (
    select
        race_key,
        'driver' as asset_type,
        driver_id as asset_id,
        total_points,
    from driver_race_performance
    union all
    select
        race_key,
        'constructor' as asset_type,
        constructor_id as asset_id,
        total_points,
    from constructor_race_performance
),

errors as (
    select
        rac.race_date,
        can.phase,
        can.candidate,
        can.asset_type,
        -- decimals, because the order of threads must not move the last bits of a sum
        sum(cast(power((sco.total_points - can.expected_points) / sim.sd_points, 2) as decimal(18, 9)))
            as squared_errors,
        count(*) as row_count,
    from candidate_points as can
    inner join scored as sco
        on can.race_key = sco.race_key and can.asset_type = sco.asset_type and can.asset_id = sco.asset_id
    inner join simulated_points as sim
        on
            can.race_key = sim.race_key
            and can.phase = sim.phase
            and can.asset_type = sim.asset_type
            and can.asset_id = sim.asset_id
    inner join race as rac on can.race_key = rac.race_key
    group by rac.race_date, can.phase, can.candidate, can.asset_type
),

targets as (
    select
        can.race_key,
        rac.race_date,
        can.phase,
        can.candidate,
        can.asset_type,
    from candidate_points as can
    inner join race as rac on can.race_key = rac.race_key
    where list_contains($race_keys, can.race_key)
    group by can.race_key, rac.race_date, can.phase, can.candidate, can.asset_type
),

earlier as (
    select
        tar.race_key,
        tar.phase,
        tar.candidate,
        tar.asset_type,
        coalesce(sum(err.squared_errors), 0) as squared_errors,
        coalesce(sum(err.row_count), 0) as row_count,
    from targets as tar
    left join errors as err
        on
            tar.phase = err.phase
            and tar.candidate = err.candidate
            and tar.asset_type = err.asset_type
            and tar.race_date > err.race_date
    group by tar.race_key, tar.phase, tar.candidate, tar.asset_type
)

select
    race_key,
    phase,
    candidate,
    asset_type,
    greatest(0.5, least(2, sqrt((cast(squared_errors as double) + 200) / (row_count + 200)))) as scale,  -- noqa: RF04
    cast(row_count as integer) as row_count,
from earlier
