-- description: One row per asset and finished race whose ownership was recorded: how many teams held it, and what it scored.
-- grain: race_key, asset_type, asset_id
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: selected_pct | Teams that held it | percent 0-100
-- column: boosted_pct | Teams that boosted the driver; null when not recorded | percent 0-100
-- column: selected_rank | Rank by teams among its type, 1 the most; equal shares share a rank
-- column: total_points | Points of the weekend | points
-- column: points_rank | Rank by points among its type, 1 the most; equal points share a rank
-- column: fantasy_price_musd | Price at the lock | million dollars
-- check: selected_rank >= 1 and points_rank >= 1
-- example: select asset_name, avg(selected_pct) as selected_pct, avg(total_points) as points from reader.ownership_against_points group by asset_name order by selected_pct desc
with ownership as (
    select * from raw.ownership
),

race_leaderboard as (
    select * from marts.race_leaderboard
)

select
    lea.race_key,
    lea.season,
    lea.asset_type,
    lea.asset_id,
    lea.asset_name,
    own.selected_pct,
    own.boosted_pct,
    rank() over (partition by lea.race_key, lea.asset_type order by own.selected_pct desc) as selected_rank,
    lea.total_points,
    lea.points_rank,
    lea.fantasy_price_musd,
from race_leaderboard as lea
inner join ownership as own
    on lea.race_key = own.race_key and lea.asset_type = own.asset_type and lea.asset_id = own.asset_id
