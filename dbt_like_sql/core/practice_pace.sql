-- description: One row per driver of a race weekend: his best lap against the field in the sessions that end before the lock.
-- grain: race_key, driver_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for
-- column: practice_gap_pct | Smallest gap to the best lap of a session, over practice and sprint qualifying before the lock | percent
-- column: practice_session_count | Sessions before the lock in which he set a time | count
-- check: practice_gap_pct >= 0
-- check: practice_session_count between 1 and 4
with sessions as (
    select * from raw.sessions
    where list_contains($race_keys, race_key)
),

practice_results as (
    select * from raw.practice_results
    where list_contains($race_keys, race_key)
),

qualifying_results as (
    select * from raw.qualifying_results
    where list_contains($race_keys, race_key)
),

laps as (
    select
        race_key,
        session,
        driver_id,
        constructor_id,
        best_lap_ms,
    from practice_results
    union all
    select
        race_key,
        session,
        driver_id,
        constructor_id,
        least(q1_ms, q2_ms, q3_ms) as best_lap_ms,
    from qualifying_results
),

knowable_laps as (
    select
        lap.race_key,
        lap.driver_id,
        lap.constructor_id,
        100.0 * lap.best_lap_ms
        / min(lap.best_lap_ms) over (partition by lap.race_key, lap.session) - 100.0 as gap_pct,
    from laps as lap
    inner join sessions as ses on lap.race_key = ses.race_key and lap.session = ses.session
    where ses.is_before_lock and lap.best_lap_ms is not null
)

select
    kno.race_key,
    kno.driver_id,
    any_value(kno.constructor_id) as constructor_id,
    min(kno.gap_pct) as practice_gap_pct,
    count(*) as practice_session_count,
from knowable_laps as kno
group by kno.race_key, kno.driver_id
