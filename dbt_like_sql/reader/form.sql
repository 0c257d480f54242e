-- description: One row per asset on sale for one race: its points in its last races before that one, of whichever season.
-- grain: asset_type, asset_id
-- parameter: race | Key of a race with prices; the newest one when it is null | null
-- parameter: n | How many races to look back | 3
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: race_count | Races counted: fewer than asked for when it took part in fewer | count
-- column: mean_points | Mean points of them; null without any | points
-- column: best_points | Most points of them | points
-- column: worst_points | Fewest points of them | points
-- column: points_per_million | Mean points per million dollars of the price now | points per million dollars
-- column: recent_points | Points race by race, the newest first; a constructor under earlier names too | points
-- check: race_count = len(recent_points)
-- example: select asset_name, mean_points, recent_points from reader.form(race := '2026-monaco', n := 5) where asset_type = 'driver'
with race as (
    select * from core.race
),

race_entry as (
    select * from core.race_entry
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

asset as (
    select * from reader.asset
),

chosen as (
    select coalesce(any_value($race), max_by(ent.race_key, rac.race_date)) as race_key
    from race_entry as ent
    inner join race as rac on ent.race_key = rac.race_key
),

on_sale as (
    select
        ent.*,
        rac.race_date,
    from race_entry as ent
    inner join chosen as cho on ent.race_key = cho.race_key
    inner join race as rac on ent.race_key = rac.race_key
),

earlier as (
    select
        sal.asset_type,
        sal.asset_id,
        lea.total_points,
        rac.race_date,
        row_number() over (
            partition by sal.asset_type, sal.asset_id
            order by rac.race_date desc, rac.race_key asc
            rows between unbounded preceding and current row
        ) as races_back,
    from on_sale as sal
    inner join asset as ass on sal.asset_type = ass.asset_type and sal.lineage_id = ass.lineage_id
    inner join race_leaderboard as lea on ass.asset_type = lea.asset_type and ass.asset_id = lea.asset_id
    inner join race as rac on lea.race_key = rac.race_key and sal.race_date > rac.race_date
),

recent as (
    select
        ear.asset_type,
        ear.asset_id,
        list(ear.total_points order by ear.races_back) as recent_points,
    from earlier as ear
    where ear.races_back <= $n
    group by ear.asset_type, ear.asset_id
)

select
    sal.race_key,
    sal.asset_type,
    sal.asset_id,
    ass.asset_name,
    sal.fantasy_price_musd,
    len(coalesce(rec.recent_points, [])) as race_count,
    list_avg(rec.recent_points) as mean_points,
    list_max(rec.recent_points) as best_points,
    list_min(rec.recent_points) as worst_points,
    list_avg(rec.recent_points) / sal.fantasy_price_musd as points_per_million,
    coalesce(rec.recent_points, []) as recent_points,
from on_sale as sal
inner join asset as ass on sal.asset_type = ass.asset_type and sal.asset_id = ass.asset_id
left join recent as rec on sal.asset_type = rec.asset_type and sal.asset_id = rec.asset_id
order by sal.asset_type desc, mean_points desc nulls last, sal.asset_id asc
