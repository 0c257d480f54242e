-- description: Every race with results is in the calendar and was not called off.
-- asset: staging.session_result
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

races as (
    select * from raw.races
),

held as (
    select
        race_key,
        count(*) as result_count,
    from session_result
    group by race_key
)

select
    hel.race_key,
    hel.result_count,
    rac.race_key is not null as is_in_calendar,
    rac.is_cancelled,
from held as hel
left join races as rac on hel.race_key = rac.race_key
where rac.race_key is null or rac.is_cancelled
