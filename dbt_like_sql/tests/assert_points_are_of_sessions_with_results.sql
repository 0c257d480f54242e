-- description: Points are given only for sessions that have results.
-- asset: staging.event_score
with event_score as (
    select * from staging.event_score
    where list_contains($race_keys, race_key)
),

session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

scored as (
    select
        race_key,
        event_type,
        count(*) as item_count,
    from event_score
    group by race_key, event_type
)

select
    sco.race_key,
    sco.event_type,
    sco.item_count,
from scored as sco
left join session_result as res on sco.race_key = res.race_key and sco.event_type = res.session
where res.race_key is null
