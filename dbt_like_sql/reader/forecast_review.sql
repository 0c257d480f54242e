-- description: One row per asset that took part in one race: what was expected of it at the lock, by the forecast and the strongest baseline, and what it scored.
-- grain: asset_type, asset_id
-- parameter: race | Key of a finished race with a forecast; the newest one when it is null | null
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: expected_points | Points expected at the lock | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: baseline_points | Points that the baseline ewma_price_prior expected; null without one | points
-- column: total_points | Points scored | points
-- column: error_points | Points scored less those expected | points
-- column: is_in_80 | Whether the score lay within the central four fifths, ends included
-- check: p10 <= p90
-- check: is_in_80 = (total_points between p10 and p90)
-- example: from reader.forecast_review(race := '2026-canada') where not is_in_80
with race as (
    select * from core.race
),

asset_points as (
    select * from predictions.asset_points
),

baseline_points as (
    select * from predictions.baseline_points
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

chosen as (
    select coalesce(any_value($race), max_by(lea.race_key, rac.race_date)) as race_key
    from race_leaderboard as lea
    inner join asset_points as poi on lea.race_key = poi.race_key
    inner join race as rac on lea.race_key = rac.race_key
)

select
    lea.race_key,
    lea.asset_type,
    lea.asset_id,
    lea.asset_name,
    poi.expected_points,
    poi.p10,
    poi.p90,
    bas.expected_points as baseline_points,
    lea.total_points,
    lea.total_points - poi.expected_points as error_points,
    lea.total_points between poi.p10 and poi.p90 as is_in_80,
from race_leaderboard as lea
inner join chosen as cho on lea.race_key = cho.race_key
inner join asset_points as poi
    on lea.race_key = poi.race_key and lea.asset_type = poi.asset_type and lea.asset_id = poi.asset_id
left join baseline_points as bas
    on
        lea.race_key = bas.race_key
        and lea.asset_type = bas.asset_type
        and lea.asset_id = bas.asset_id
        and bas.baseline = 'ewma_price_prior'
order by lea.asset_type desc, error_points desc, lea.asset_id asc
