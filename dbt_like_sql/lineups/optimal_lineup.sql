-- description: One row per asset of one of the ten best line-ups for a race, by expected points: from your team where core.current_lineup has one, else a fresh start.
-- grain: race_key, rank, asset_type, seat
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: rank | Rank of the line-up, 1 the best
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: seat | The asset as the game trades it: a driver in his seat, driver@constructor, or a constructor
-- column: is_boosted | Whether the boost is on this driver
-- column: price_musd | Price at the lock; of an asset that takes no part its last one | million dollars
-- column: expected_points | Expected points of the asset, the boost not counted; what keeping one costs that takes no part | points
-- column: is_own_team | Whether the line-up starts from your team; else it is a fresh start
-- column: transfer_count | Assets of the line-up that your team does not hold, 0 for a fresh start | count
-- column: transfer_points | What transfers above the free ones cost, 0 or less | points
-- column: lineup_points | Expected points of the line-up, boost and transfers included | points
-- column: budget_musd | Money for a line-up: your bank and what your team is worth, or the season's budget | million dollars
-- column: bank_musd | Money left after it | million dollars
-- check: rank >= 1
-- check: price_musd > 0
-- check: asset_type = 'driver' or not is_boosted
-- check: transfer_count >= 0 and transfer_points <= 0
-- check: bank_musd between 0 and budget_musd
-- check: is_own_team or transfer_count = 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.rank as integer) as rank,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.seat as varchar) as seat,
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.is_own_team as boolean) as is_own_team,
    cast(inc.transfer_count as integer) as transfer_count,
    cast(inc.transfer_points as double) as transfer_points,
    cast(inc.lineup_points as double) as lineup_points,
    cast(inc.budget_musd as decimal(5, 1)) as budget_musd,
    cast(inc.bank_musd as decimal(5, 1)) as bank_musd,
from incoming as inc
