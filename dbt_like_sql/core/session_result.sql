-- description: One row per driver and session of a race weekend, with his grid slot and whether he was classified.
-- grain: race_key, session, driver_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: session | fp1, fp2, fp3, qualifying, sprint_qualifying, sprint or race
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for in this session
-- column: position | Classified position, null when not classified
-- column: position_text | Position as published: a number, DNF, DNS, DSQ, NC …
-- column: grid_position | Slot on the starting grid of a sprint or race, null from the pit lane
-- column: is_classified | Whether he was classified
-- column: best_lap_ms | Best lap of a practice or qualifying session | ms
-- column: gap_pct | Best lap against the best of the session | percent
-- column: lap_count | Laps driven, where published | laps
-- column: is_fastest_lap | Whether he set the fastest lap of the race; unknown for other sessions
-- column: is_driver_of_the_day | Whether he was voted driver of the day; null for other sessions
-- check: gap_pct is null or gap_pct >= 0
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

starting_grids as (
    select * from raw.starting_grids
    where list_contains($race_keys, race_key)
),

session_best as (
    select
        race_key,
        session,
        min(best_lap_ms) as best_lap_ms,
    from session_result
    group by race_key, session
)

select
    res.race_key,
    res.session,
    res.driver_id,
    res.constructor_id,
    res.position,
    res.position_text,
    gri.grid_position,
    res.position is not null as is_classified,
    res.best_lap_ms,
    100.0 * (res.best_lap_ms - bes.best_lap_ms) / bes.best_lap_ms as gap_pct,
    res.lap_count,
    res.is_fastest_lap,
    res.is_driver_of_the_day,
from session_result as res
left join session_best as bes on res.race_key = bes.race_key and res.session = bes.session
left join starting_grids as gri
    on res.race_key = gri.race_key and res.session = gri.session and res.driver_id = gri.driver_id
