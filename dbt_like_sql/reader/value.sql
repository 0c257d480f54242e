-- description: One row per asset on sale for one race with a forecast: expected points per million dollars, and how likely its price rises.
-- grain: asset_type, asset_id
-- parameter: race | Key of a race with a forecast; the newest one when it is null | null
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: expected_points | Expected points of the weekend | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: points_per_million | Expected points per million dollars of price | points per million dollars
-- column: rise_probability | How likely the price rises after the race; null where steps are not forecast
-- column: expected_step_musd | Mean move of the price after the race; null where steps are not forecast | million dollars
-- column: is_live | Whether the forecast was made before the lock; else it was replayed later from what was known then
-- check: p10 <= p90
-- check: rise_probability is null or rise_probability between 0 and 1.000001
-- example: from reader.value(race := '2026-monaco') where fantasy_price_musd <= 10
with race as (
    select * from core.race
),

race_entry as (
    select * from core.race_entry
),

asset_points as (
    select * from predictions.asset_points
),

price_step_probability as (
    select * from predictions.price_step_probability
),

asset as (
    select * from reader.asset
),

chosen as (
    select coalesce(any_value($race), max_by(poi.race_key, rac.race_date)) as race_key
    from asset_points as poi
    inner join race as rac on poi.race_key = rac.race_key
),

moves as (
    select
        ste.race_key,
        ste.asset_type,
        ste.asset_id,
        sum(ste.probability) filter (where ste.step_musd > 0) as rise_probability,
        sum(ste.probability * ste.step_musd) as expected_step_musd,
    from price_step_probability as ste
    where ste.phase = 'at_lock'
    group by ste.race_key, ste.asset_type, ste.asset_id
)

select
    poi.race_key,
    poi.asset_type,
    poi.asset_id,
    ass.asset_name,
    ent.fantasy_price_musd,
    poi.expected_points,
    poi.p10,
    poi.p90,
    poi.expected_points / ent.fantasy_price_musd as points_per_million,
    mov.rise_probability,
    mov.expected_step_musd,
    poi.is_live,
from asset_points as poi
inner join chosen as cho on poi.race_key = cho.race_key
inner join race_entry as ent
    on poi.race_key = ent.race_key and poi.asset_type = ent.asset_type and poi.asset_id = ent.asset_id
inner join asset as ass on poi.asset_type = ass.asset_type and poi.asset_id = ass.asset_id
left join moves as mov
    on poi.race_key = mov.race_key and poi.asset_type = mov.asset_type and poi.asset_id = mov.asset_id
order by points_per_million desc, poi.asset_type asc, poi.asset_id asc
