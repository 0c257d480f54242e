-- description: The picks of the recommended line-up, multiplied as they were, and its transfers make the points that it scored.
-- asset: lineups.pick_review
with pick_review as (
    select * from lineups.pick_review
    where list_contains($race_keys, race_key)
),

lineup_review as (
    select * from lineups.lineup_review
    where list_contains($race_keys, race_key)
),

scored as (
    select
        race_key,
        sum(recommended_multiplier * total_points) as total_points,
    from pick_review
    group by race_key
)

select
    rev.race_key,
    rev.actual_points,
    sco.total_points + rev.transfer_points as points_of_picks,
from lineup_review as rev
inner join scored as sco on rev.race_key = sco.race_key
where abs(rev.actual_points - sco.total_points - rev.transfer_points) > 1e-6
