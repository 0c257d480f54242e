-- description: One row per driver and session of a race weekend, all kinds of session in one shape.
-- grain: race_key, session, driver_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: session | fp1, fp2, fp3, qualifying, sprint_qualifying, sprint or race
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for in this session
-- column: position | Classified position, null when not classified
-- column: position_text | Position as published: a number, DNF, DNS, DSQ, NC …
-- column: best_lap_ms | Best lap of a practice or qualifying session | ms
-- column: lap_count | Laps driven, where published | laps
-- column: is_fastest_lap | Whether he set the fastest lap of the race; unknown for other sessions
-- column: is_driver_of_the_day | Whether he was voted driver of the day; null for other sessions
with practice_results as (
    select * from raw.practice_results
    where list_contains($race_keys, race_key)
),

qualifying_results as (
    select * from raw.qualifying_results
    where list_contains($race_keys, race_key)
),

race_results as (
    select * from raw.race_results
    where list_contains($race_keys, race_key)
)

select
    pra.race_key,
    pra.session,
    pra.driver_id,
    pra.constructor_id,
    pra.position,
    cast(pra.position as varchar) as position_text,
    pra.best_lap_ms,
    pra.lap_count,
    cast(null as boolean) as is_fastest_lap,
    cast(null as boolean) as is_driver_of_the_day,
from practice_results as pra
union all
select
    qua.race_key,
    qua.session,
    qua.driver_id,
    qua.constructor_id,
    qua.position,
    qua.position_text,
    least(qua.q1_ms, qua.q2_ms, qua.q3_ms) as best_lap_ms,
    null as lap_count,
    null as is_fastest_lap,
    null as is_driver_of_the_day,
from qualifying_results as qua
union all
select
    rac.race_key,
    rac.session,
    rac.driver_id,
    rac.constructor_id,
    rac.position,
    rac.position_text,
    null as best_lap_ms,
    rac.laps as lap_count,
    rac.is_fastest_lap,
    rac.is_driver_of_the_day,
from race_results as rac
