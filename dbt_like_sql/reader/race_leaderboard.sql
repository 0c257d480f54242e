-- description: One row per asset that took part in one race: its points, price and ranks, the most points first.
-- grain: asset_type, asset_id
-- parameter: race | Key of a finished race; the newest one when it is null | null
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: points_rank | Rank by points among its type, 1 the most; equal points share a rank
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: total_points | Points of the weekend | points
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: points_per_million | Points per million dollars of price | points per million dollars
-- column: value_rank | Rank by points per million among its type, 1 the most
-- check: points_rank >= 1
-- example: from reader.race_leaderboard(race := '2026-canada') where asset_type = 'driver'
with race_leaderboard as (
    select * from marts.race_leaderboard
),

race as (
    select * from core.race
),

chosen as (
    select coalesce(any_value($race), max_by(lea.race_key, rac.race_date)) as race_key
    from race_leaderboard as lea
    inner join race as rac on lea.race_key = rac.race_key
)

select
    lea.race_key,
    lea.asset_type,
    lea.points_rank,
    lea.asset_id,
    lea.asset_name,
    lea.total_points,
    lea.fantasy_price_musd,
    lea.points_per_million,
    lea.value_rank,
from race_leaderboard as lea
inner join chosen as cho on lea.race_key = cho.race_key
order by lea.asset_type desc, lea.points_rank asc, lea.asset_id asc
