-- description: Choice, luck and forecast add up to the points that the line-up that counted stayed behind hindsight.
-- asset: lineups.regret_part
with regret_part as (
    select * from lineups.regret_part
    where list_contains($race_keys, race_key)
),

lineup_review as (
    select * from lineups.lineup_review
    where list_contains($race_keys, race_key)
),

pick_review as (
    select * from lineups.pick_review
    where list_contains($race_keys, race_key)
),

parts as (
    select
        race_key,
        sum(points) as points,
        count(*) as part_count,
    from regret_part
    group by race_key
),

counted as (
    select
        race_key,
        sum(counted_multiplier * total_points) + any_value(counted_transfer_points) as counted_points,
    from pick_review
    group by race_key
)

select
    par.race_key,
    par.points,
    rev.hindsight_points - cou.counted_points as regret_points,
from parts as par
inner join lineup_review as rev on par.race_key = rev.race_key
inner join counted as cou on par.race_key = cou.race_key
where par.part_count <> 3 or abs(par.points - (rev.hindsight_points - cou.counted_points)) > 1e-6
