-- description: One row per asset that your own team held going into a race, with what it scored and whether it was new.
-- grain: race_key, seat
-- column: race_key | Race, season and Grand Prix
-- column: race_date | Day of the race
-- column: team_name | What the team is called; null when it has no name
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: seat | The asset as the game trades it: a driver in his seat, driver@constructor, or a constructor
-- column: is_boosted | Whether the boost was on this driver
-- column: is_new | Whether the team did not hold it at its race before; null at its first race
-- column: price_musd | Price at the lock; of an asset that took no part its last one | million dollars
-- column: total_points | Points of the weekend, the boost not counted; null before the race, or without a part in it | points
-- column: bank_musd | Money not spent | million dollars
-- column: free_transfers | Transfers that cost no points | count
-- column: chips_left | Chips not played yet, separated by commas
-- check: price_musd > 0
-- example: select race_key, sum(price_musd) + any_value(bank_musd) as budget_musd from reader.my_team_history group by race_key
with race as (
    select * from core.race
),

current_lineup as (
    select * from core.current_lineup
),

race_leaderboard as (
    select * from marts.race_leaderboard
),

asset as (
    select * from reader.asset
),

teams as (
    select
        rac.race_key,
        lag(rac.race_key) over (order by rac.race_date, rac.race_key) as previous_race_key,
        rac.race_date,
    from race as rac
    where rac.race_key in (select lin.race_key from current_lineup as lin)
)

select
    cur.race_key,
    tea.race_date,
    cur.team_name,
    cur.asset_type,
    cur.asset_id,
    ass.asset_name,
    cur.seat,
    cur.is_boosted,
    case when tea.previous_race_key is not null then pre.seat is null end as is_new,
    cur.price_musd,
    lea.total_points,
    cur.bank_musd,
    cur.free_transfers,
    cur.chips_left,
from current_lineup as cur
inner join teams as tea on cur.race_key = tea.race_key
inner join asset as ass on cur.asset_type = ass.asset_type and cur.asset_id = ass.asset_id
left join current_lineup as pre on tea.previous_race_key = pre.race_key and cur.seat = pre.seat
left join race_leaderboard as lea
    on cur.race_key = lea.race_key and cur.asset_type = lea.asset_type and cur.asset_id = lea.asset_id
