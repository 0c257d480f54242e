-- description: One row per driver and race: fantasy points of the weekend by session, price at the lock and season total.
-- grain: race_key, driver_id
-- partitioned_by: race_key
-- up_to_and_including: core.driver_event_score
-- column: race_key | Race, season and Grand Prix
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for
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
-- column: qualifying_position | Classified position in qualifying, null when not classified
-- column: race_position | Classified position in the race, null when not classified
-- column: was_race_classified | Whether he was classified in the race
-- check: total_points = qualifying_points + sprint_points + race_points
-- check: fantasy_price_musd > 0
-- check: had_race or had_qualifying or had_sprint
with race as (
    select * from core.race
),

driver_event_score as (
    select * from core.driver_event_score
),

race_entry as (
    select * from core.race_entry
    where list_contains($race_keys, race_key) and asset_type = 'driver'
),

session_result as (
    select * from core.session_result
    where list_contains($race_keys, race_key) and session in ('qualifying', 'race')
),

race_points as (
    select
        sco.race_key,
        sco.driver_id,
        any_value(sco.constructor_id) as constructor_id,
        sum(sco.points) as total_points,
        sum(sco.points) filter (where sco.event_type = 'qualifying') as qualifying_points,
        sum(sco.points) filter (where sco.event_type = 'sprint') as sprint_points,
        sum(sco.points) filter (where sco.event_type = 'race') as race_points,
        sum(sco.frequency) filter (where sco.scoring_item like '%overtakes') as overtakes_count,
        sum(sco.points) filter (
            where sco.scoring_item like '%positions_gained' or sco.scoring_item like '%positions_lost'
        ) as positions_gained_count,
    from driver_event_score as sco
    group by sco.race_key, sco.driver_id
),

season_points as (
    select
        poi.*,
        sum(poi.total_points) over (
            partition by rac.season, poi.driver_id
            order by rac.race_date
            rows between unbounded preceding and current row
        ) as season_points_cumulative,
    from race_points as poi
    inner join race as rac on poi.race_key = rac.race_key
),

classification as (
    select
        race_key,
        driver_id,
        max(position) filter (where session = 'qualifying') as qualifying_position,
        max(position) filter (where session = 'race') as race_position,
        coalesce(bool_or(is_classified) filter (where session = 'race'), false) as was_race_classified,
    from session_result
    group by race_key, driver_id
)

select
    sea.race_key,
    sea.driver_id,
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
    cla.qualifying_position,
    cla.race_position,
    coalesce(cla.was_race_classified, false) as was_race_classified,
from season_points as sea
left join race_entry as ent on sea.race_key = ent.race_key and sea.driver_id = ent.asset_id
left join classification as cla on sea.race_key = cla.race_key and sea.driver_id = cla.driver_id
where list_contains($race_keys, sea.race_key)
