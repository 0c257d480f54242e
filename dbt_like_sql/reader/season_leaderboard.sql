-- description: One row per asset that took part in a season: its points so far, how even they were and what they cost, the most points first.
-- grain: asset_type, asset_id
-- parameter: year | Season; the newest one with points when it is null | null
-- column: season | Season | year
-- column: asset_type | driver or constructor
-- column: points_rank | Rank by points among its type, 1 the most; equal points share a rank
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: race_count | Races that it took part in | count
-- column: total_points | Points of these races | points
-- column: mean_points | Points per race | points
-- column: sd_points | Standard deviation of its points from race to race; null with one race | points
-- column: best_points | Most points in a race | points
-- column: worst_points | Fewest points in a race | points
-- column: mean_price_musd | Mean price at the lock | million dollars
-- column: points_per_million | Points per race and million dollars of mean price | points per million dollars
-- check: race_count >= 1
-- check: worst_points <= mean_points and mean_points <= best_points
-- example: from reader.season_leaderboard(year := 2026) where asset_type = 'constructor'
with race_leaderboard as (
    select * from marts.race_leaderboard
),

chosen as (
    select coalesce(any_value($year), max(lea.season)) as season
    from race_leaderboard as lea
),

summed as (
    select
        lea.season,
        lea.asset_type,
        lea.asset_id,
        any_value(lea.asset_name) as asset_name,
        count(*) as race_count,
        sum(lea.total_points) as total_points,
        avg(lea.total_points) as mean_points,
        stddev_samp(lea.total_points) as sd_points,
        max(lea.total_points) as best_points,
        min(lea.total_points) as worst_points,
        avg(lea.fantasy_price_musd) as mean_price_musd,
    from race_leaderboard as lea
    inner join chosen as cho on lea.season = cho.season
    group by lea.season, lea.asset_type, lea.asset_id
)

select
    tot.season,
    tot.asset_type,
    rank() over (partition by tot.asset_type order by tot.total_points desc) as points_rank,
    tot.asset_id,
    tot.asset_name,
    tot.race_count,
    tot.total_points,
    tot.mean_points,
    tot.sd_points,
    tot.best_points,
    tot.worst_points,
    tot.mean_price_musd,
    tot.mean_points / tot.mean_price_musd as points_per_million,
from summed as tot
order by tot.asset_type desc, points_rank asc, tot.asset_id asc
