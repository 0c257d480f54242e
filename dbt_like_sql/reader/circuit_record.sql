-- description: One row per asset that has raced at a circuit since the game has official points: how it fared there.
-- grain: asset_type, asset_id
-- parameter: circuit | Id of the circuit, such as monaco (core.race lists them)
-- column: circuit_id | Circuit
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: race_count | Races there with official points | count
-- column: mean_points | Mean points of these races | points
-- column: best_points | Most points of them | points
-- column: worst_points | Fewest points of them | points
-- column: last_race_key | The newest of them
-- column: mean_above_field_points | Mean of its points less the mean of its type in the same race | points
-- check: race_count >= 1
-- check: worst_points <= mean_points and mean_points <= best_points
-- example: from reader.circuit_record('monaco')
with race as (
    select * from core.race
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

raced as (
    select
        lea.*,
        rac.circuit_id,
        rac.race_date,
        lea.total_points - avg(lea.total_points) over (
            partition by lea.race_key, lea.asset_type
        ) as above_field_points,
    from race_leaderboard as lea
    inner join race as rac on lea.race_key = rac.race_key
    where rac.circuit_id = $circuit
)

select
    rac.circuit_id,
    rac.asset_type,
    rac.asset_id,
    any_value(rac.asset_name) as asset_name,
    count(*) as race_count,
    avg(rac.total_points) as mean_points,
    max(rac.total_points) as best_points,
    min(rac.total_points) as worst_points,
    max_by(rac.race_key, rac.race_date) as last_race_key,
    avg(rac.above_field_points) as mean_above_field_points,
from raced as rac
group by rac.circuit_id, rac.asset_type, rac.asset_id
order by rac.asset_type desc, mean_above_field_points desc, rac.asset_id asc
