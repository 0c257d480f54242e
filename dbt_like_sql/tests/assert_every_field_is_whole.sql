-- description: Qualifying and race have results, and like a sprint 18 to 26 cars, at most two of a team, in places from 1 on without a gap.
-- asset: staging.session_result
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key)
),

expected as (
    select
        race_key,
        unnest(['qualifying', 'race']) as session_name,
    from session_result
    group by race_key
    union
    select
        race_key,
        session as session_name,
    from session_result
    where session = 'sprint'
),

cars_of_teams as (
    select
        race_key,
        session,
        constructor_id,
        count(*) as car_count,
        count(position) as classified_count,
        max(position) as last_place,
    from session_result
    group by race_key, session, constructor_id
),

places as (
    select
        race_key,
        session,
        count(distinct position) as place_count,
    from session_result
    group by race_key, session
),

fields as (
    select
        race_key,
        session,
        sum(car_count) as car_count,
        max(car_count) as most_cars_of_a_team,
        sum(classified_count) as classified_count,
        coalesce(max(last_place), 0) as last_place,
    from cars_of_teams
    group by race_key, session
)

select
    exp.race_key,
    exp.session_name,
    fie.car_count,
    fie.most_cars_of_a_team,
    fie.classified_count,
    pla.place_count,
    fie.last_place,
from expected as exp
left join fields as fie on exp.race_key = fie.race_key and exp.session_name = fie.session
left join places as pla on exp.race_key = pla.race_key and exp.session_name = pla.session
where
    fie.race_key is null
    or fie.car_count not between 18 and 26
    or fie.most_cars_of_a_team > 2
    or fie.classified_count != pla.place_count
    or fie.classified_count != fie.last_place
