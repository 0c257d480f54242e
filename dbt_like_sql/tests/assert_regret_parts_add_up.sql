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

-- What the transfers into your own line-up cost is not known and not counted.
counted as (
    select
        pic.race_key,
        sum(pic.counted_multiplier * pic.total_points)
        + any_value(case when pic.is_own_team then 0 else rev.transfer_points end) as counted_points,
    from pick_review as pic
    inner join lineup_review as rev on pic.race_key = rev.race_key
    group by pic.race_key
)

select
    par.race_key,
    par.points,
    rev.hindsight_points - cou.counted_points as regret_points,
from parts as par
inner join lineup_review as rev on par.race_key = rev.race_key
inner join counted as cou on par.race_key = cou.race_key
where par.part_count <> 3 or abs(par.points - (rev.hindsight_points - cou.counted_points)) > 1e-6
