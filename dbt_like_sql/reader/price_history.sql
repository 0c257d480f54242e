-- description: One row per asset on sale for a race: its price at the lock, and how it moved.
-- grain: race_key, asset_type, asset_id
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: race_date | Day of the race
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: change_musd | Price less that of its last sale before in the season; null at its first | million dollars
-- column: season_change_musd | Price less that of its first sale in the season | million dollars
-- check: fantasy_price_musd > 0
-- example: select race_key, fantasy_price_musd, change_musd from reader.price_history where asset_id = 'mclaren' and season = 2026 order by race_date
with race as (
    select * from core.race
),

race_entry as (
    select * from core.race_entry
),

asset as (
    select * from reader.asset
),

sold as (
    select
        ent.*,
        rac.season,
        rac.race_date,
    from race_entry as ent
    inner join race as rac on ent.race_key = rac.race_key
)

select
    sol.race_key,
    sol.season,
    sol.race_date,
    sol.asset_type,
    sol.asset_id,
    ass.asset_name,
    sol.fantasy_price_musd,
    sol.fantasy_price_musd - lag(sol.fantasy_price_musd) over (
        partition by sol.season, sol.asset_type, sol.lineage_id
        order by sol.race_date, sol.race_key
    ) as change_musd,
    sol.fantasy_price_musd - first_value(sol.fantasy_price_musd) over (
        partition by sol.season, sol.asset_type, sol.lineage_id
        order by sol.race_date, sol.race_key
        rows between unbounded preceding and current row
    ) as season_change_musd,
from sold as sol
inner join asset as ass on sol.asset_type = ass.asset_type and sol.asset_id = ass.asset_id
