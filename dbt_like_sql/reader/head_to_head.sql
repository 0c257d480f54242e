-- description: One row per race in which two drivers, or two constructors, both took part: who scored more.
-- grain: race_key
-- parameter: a | Id of one, such as lando-norris or mclaren
-- parameter: b | Id of the other
-- parameter: year | Season; all of them when it is null | null
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: race_date | Day of the race
-- column: a_points | Points of the first | points
-- column: b_points | Points of the second | points
-- column: difference_points | Points of the first less those of the second | points
-- column: a_price_musd | Price of the first at the lock | million dollars
-- column: b_price_musd | Price of the second at the lock | million dollars
-- column: a_wins_count | Races so far, in this list, in which the first scored more | count
-- column: b_wins_count | Races so far in which the second scored more | count
-- check: difference_points = a_points - b_points
-- example: from reader.head_to_head('lando-norris', 'oscar-piastri', year := 2025)
with race as (
    select * from core.race
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

met as (
    select
        one.race_key,
        one.season,
        rac.race_date,
        one.total_points as a_points,
        two.total_points as b_points,
        one.fantasy_price_musd as a_price_musd,
        two.fantasy_price_musd as b_price_musd,
    from race_leaderboard as one
    inner join race_leaderboard as two on one.race_key = two.race_key and one.asset_type = two.asset_type
    inner join race as rac on one.race_key = rac.race_key
    where one.asset_id = $a and two.asset_id = $b and ($year is null or one.season = $year)
)

select
    met.race_key,
    met.season,
    met.race_date,
    met.a_points,
    met.b_points,
    met.a_points - met.b_points as difference_points,
    met.a_price_musd,
    met.b_price_musd,
    count_if(met.a_points > met.b_points) over (
        order by met.race_date, met.race_key
        rows between unbounded preceding and current row
    ) as a_wins_count,
    count_if(met.b_points > met.a_points) over (
        order by met.race_date, met.race_key
        rows between unbounded preceding and current row
    ) as b_wins_count,
from met
order by met.race_date
