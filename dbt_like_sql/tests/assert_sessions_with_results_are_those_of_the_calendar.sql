-- description: The sessions of a race that have results are those that the calendar lists.
-- asset: staging.session_result
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

sessions as (
    select * from raw.sessions
    where list_contains($race_keys, race_key)
),

held as (
    select
        race_key,
        session,
        count(*) as result_count,
    from session_result
    group by race_key, session
)

select
    coalesce(ses.race_key, hel.race_key) as race_key,
    coalesce(ses.session, hel.session) as session_name,
    ses.session is not null as is_in_calendar,
    coalesce(hel.result_count, 0) as result_count,
from sessions as ses
full outer join held as hel on ses.race_key = hel.race_key and ses.session = hel.session
where ses.session is null or hel.session is null
