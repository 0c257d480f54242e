-- description: One row per asset on sale for one race and step that its price can take afterwards: the points that bring it, and how likely they are.
-- grain: asset_type, asset_id, step_musd
-- parameter: race | Key of a race with prices; the newest one when it is null | null
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: price_musd | Price at the lock | million dollars
-- column: step_musd | Move of the price after the race | million dollars
-- column: price_after_musd | Price after the race | million dollars
-- column: points_from | Fewest points of the weekend that bring the step; null: no lower end | points
-- column: points_to | Most points of the weekend that bring the step; null: no upper end | points
-- column: probability | How likely the step is, by the forecast at the lock; null where it is not forecast
-- check: price_after_musd = price_musd + step_musd
-- check: probability is null or probability between 0 and 1
-- example: from reader.next_price_steps(race := '2026-monaco') where asset_id = 'ferrari'
with race as (
    select * from core.race
),

price_step as (
    select * from marts.price_step
),

price_step_probability as (
    select * from predictions.price_step_probability
),

asset as (
    select * from reader.asset
),

chosen as (
    select coalesce(any_value($race), max_by(ste.race_key, rac.race_date)) as race_key
    from price_step as ste
    inner join race as rac on ste.race_key = rac.race_key
)

select
    ste.race_key,
    ste.asset_type,
    ste.asset_id,
    ass.asset_name,
    ste.price_musd,
    ste.step_musd,
    ste.price_after_musd,
    ste.points_from,
    ste.points_to,
    pro.probability,
from price_step as ste
inner join chosen as cho on ste.race_key = cho.race_key
inner join asset as ass on ste.asset_type = ass.asset_type and ste.asset_id = ass.asset_id
left join price_step_probability as pro
    on
        ste.race_key = pro.race_key
        and ste.asset_type = pro.asset_type
        and ste.asset_id = pro.asset_id
        and ste.step_musd = pro.step_musd
        and pro.phase = 'at_lock'
order by ste.asset_type desc, ste.asset_id asc, ste.step_musd asc
