-- description: One row per race that the game has prices for: when its line-ups lock, who scored most, and what the recommended line-up scored.
-- grain: race_key
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: race_number | Place of the race among those of its season that were not called off, by date, 1 the first
-- column: race_name | Name of the Grand Prix
-- column: race_date | Day of the race
-- column: lock_at | When line-ups lock | UTC
-- column: circuit_id | Circuit
-- column: has_sprint | Whether the weekend has a sprint race
-- column: is_finished | Whether its points are known
-- column: best_driver_points | Most points of a driver; null before the race | points
-- column: best_constructor_points | Most points of a constructor; null before the race | points
-- column: predicted_points | Points expected of the recommended line-up; null without a forecast | points
-- column: actual_points | Points it scored; null before the race | points
-- column: hindsight_points | Points of the best line-up for the same money, known only afterwards | points
-- column: capture_share | Actual points as a share of hindsight points | share
-- check: is_finished = (best_driver_points is not null)
-- example: select race_key, predicted_points, actual_points from reader.races where season = 2026 order by race_number
with race as (
    select * from core.race
),

race_entry as (
    select * from core.race_entry
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

optimal_lineup as (
    select * from lineups.optimal_lineup
),

lineup_review as (
    select * from lineups.lineup_review
),

numbered as (
    select
        rac.*,
        row_number() over (
            partition by rac.season, rac.is_cancelled
            order by rac.race_date, rac.race_key
            rows between unbounded preceding and current row
        ) as race_number,
    from race as rac
),

on_sale as (
    select distinct ent.race_key
    from race_entry as ent
),

best as (
    select
        lea.race_key,
        max(lea.total_points) filter (where lea.asset_type = 'driver') as best_driver_points,
        max(lea.total_points) filter (where lea.asset_type = 'constructor') as best_constructor_points,
    from race_leaderboard as lea
    group by lea.race_key
),

recommended as (
    select
        lin.race_key,
        any_value(lin.lineup_points) as lineup_points,
    from optimal_lineup as lin
    where lin.rank = 1
    group by lin.race_key
)

select
    num.race_key,
    num.season,
    num.race_number,
    num.name as race_name,
    num.race_date,
    num.lock_at,
    num.circuit_id,
    num.has_sprint,
    bes.race_key is not null as is_finished,
    bes.best_driver_points,
    bes.best_constructor_points,
    coalesce(rev.predicted_points, rec.lineup_points) as predicted_points,
    rev.actual_points,
    rev.hindsight_points,
    rev.capture_share,
from numbered as num
inner join on_sale as sal on num.race_key = sal.race_key
left join best as bes on num.race_key = bes.race_key
left join recommended as rec on num.race_key = rec.race_key
left join lineup_review as rev on num.race_key = rev.race_key
where not num.is_cancelled
