-- description: One row per constructor and race: fantasy points of the weekend by session, price at the lock and season total.
-- grain: race_key, constructor_id
-- partitioned_by: race_key
-- up_to_and_including: core.constructor_event_score
-- column: race_key | Race, season and Grand Prix
-- column: constructor_id | Constructor
-- column: total_points | Points of the weekend: the sum of every item | points
-- column: qualifying_points | Points of qualifying | points
-- column: sprint_points | Points of the sprint race | points
-- column: race_points | Points of the race, pit stops and driver of the day included | points
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: points_per_million | Points per million dollars of price | points per million dollars
-- column: season_points_cumulative | Points of the season up to and with this race | points
-- column: had_qualifying | Whether qualifying gave it an item
-- column: had_sprint | Whether the sprint gave it an item
-- column: had_race | Whether the race gave it an item
-- column: overtakes_count | Overtakes of the weekend that were rewarded | count
-- column: positions_gained_count | Places gained less places lost from grid to flag, sprint included | count
-- column: pit_stop_points | Points of the pit stops | points
-- column: classified_car_count | Cars classified in the race | count
-- column: car_count | Cars entered in the race | count
-- check: total_points = qualifying_points + sprint_points + race_points
-- check: fantasy_price_musd > 0
-- check: had_race or had_qualifying or had_sprint
with race as (
    select * from core.race
),

constructor_event_score as (
    select * from core.constructor_event_score
),

race_entry as (
    select * from core.race_entry
    where list_contains($race_keys, race_key) and asset_type = 'constructor'
),

session_result as (
    select * from core.session_result
    where list_contains($race_keys, race_key) and session in ('qualifying', 'race')
),

race_points as (
    select
        sco.race_key,
        sco.constructor_id,
        sum(sco.points) as total_points,
        sum(sco.points) filter (where sco.event_type = 'qualifying') as qualifying_points,
        sum(sco.points) filter (where sco.event_type = 'sprint') as sprint_points,
        sum(sco.points) filter (where sco.event_type = 'race') as race_points,
        sum(sco.frequency) filter (where sco.scoring_item like '%overtakes') as overtakes_count,
        sum(sco.points) filter (
            where sco.scoring_item like '%positions_gained' or sco.scoring_item like '%positions_lost'
        ) as positions_gained_count,
        sum(sco.points) filter (where sco.scoring_item like 'pit_stop%') as pit_stop_points,
    from constructor_event_score as sco
    group by sco.race_key, sco.constructor_id
),

season_points as (
    select
        poi.*,
        sum(poi.total_points) over (
            partition by rac.season, poi.constructor_id
            order by rac.race_date
            rows between unbounded preceding and current row
        ) as season_points_cumulative,
    from race_points as poi
    inner join race as rac on poi.race_key = rac.race_key
),

classification as (
    select
        race_key,
        constructor_id,
        count(*) filter (where is_classified) as classified_car_count,
        count(*) as car_count,
    from session_result
    where session = 'race'
    group by race_key, constructor_id
)

select
    sea.race_key,
    sea.constructor_id,
    cast(sea.total_points as integer) as total_points,
    cast(coalesce(sea.qualifying_points, 0) as integer) as qualifying_points,
    cast(coalesce(sea.sprint_points, 0) as integer) as sprint_points,
    cast(coalesce(sea.race_points, 0) as integer) as race_points,
    ent.fantasy_price_musd,
    cast(sea.total_points as double) / cast(ent.fantasy_price_musd as double) as points_per_million,
    cast(sea.season_points_cumulative as integer) as season_points_cumulative,
    sea.qualifying_points is not null as had_qualifying,
    sea.sprint_points is not null as had_sprint,
    sea.race_points is not null as had_race,
    cast(coalesce(sea.overtakes_count, 0) as integer) as overtakes_count,
    cast(coalesce(sea.positions_gained_count, 0) as integer) as positions_gained_count,
    cast(coalesce(sea.pit_stop_points, 0) as integer) as pit_stop_points,
    cast(coalesce(cla.classified_car_count, 0) as integer) as classified_car_count,
    cast(coalesce(cla.car_count, 0) as integer) as car_count,
from season_points as sea
left join race_entry as ent on sea.race_key = ent.race_key and sea.constructor_id = ent.asset_id
left join classification as cla on sea.race_key = cla.race_key and sea.constructor_id = cla.constructor_id
where list_contains($race_keys, sea.race_key)
