-- description: A race has sprint results if and only if the calendar gives it a sprint.
-- asset: staging.session_result
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

races as (
    select * from raw.races
    where list_contains($race_keys, race_key)
),

held as (
    select
        race_key,
        count(*) filter (where session = 'sprint') as sprint_result_count,
    from session_result
    group by race_key
)

select
    hel.race_key,
    rac.has_sprint,
    hel.sprint_result_count,
from held as hel
inner join races as rac on hel.race_key = rac.race_key
where rac.has_sprint != (hel.sprint_result_count > 0)
