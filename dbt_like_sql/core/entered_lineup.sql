-- description: One row per asset of the team that you entered for a race: what my_team.toml held after the lock, where that is not the team of core.current_lineup; only of races that were forecast before their lock.
-- grain: race_key, asset_type, seat
-- column: race_key | The race the line-up goes into
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: seat | The asset as the game trades it: a driver in his seat, driver@constructor, or a constructor
-- column: is_boosted | Whether the boost is on this driver
-- column: is_active | Whether the asset takes part in the race; holding one that does not may cost points
-- column: is_locked | Whether you want to hold it in any case
-- column: price_musd | Price at the lock of the race; of an asset that takes no part its last one | million dollars
-- column: bank_musd | Money not spent | million dollars
-- column: free_transfers | Transfers that cost no points | count
-- column: chips_left | Chips not played yet, separated by commas
-- column: races_played | Races that the team has locked before; transfers are free before the first | count
-- column: team_name | What the team is called; null when it has no name
-- check: asset_type in ('driver', 'constructor')
-- check: asset_type = 'driver' or not is_boosted
-- check: asset_type = 'driver' or is_active
-- check: price_musd > 0
-- check: bank_musd >= 0 and free_transfers >= 0 and races_played >= 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.seat as varchar) as seat,
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.is_active as boolean) as is_active,
    cast(inc.is_locked as boolean) as is_locked,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
    cast(inc.bank_musd as decimal(5, 1)) as bank_musd,
    cast(inc.free_transfers as integer) as free_transfers,
    cast(inc.chips_left as varchar) as chips_left,
    cast(inc.races_played as integer) as races_played,
    cast(inc.team_name as varchar) as team_name,
from incoming as inc
