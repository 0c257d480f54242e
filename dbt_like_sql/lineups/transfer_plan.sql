-- description: One row per plan for the coming races, race of the plan and asset held or sold there: transfers, boosts and chips of your team, or of a fresh start.
-- grain: race_key, rank, target_race_key, seat
-- partitioned_by: race_key
-- column: race_key | Race before which the plan is made
-- column: rank | Rank of the plan, 1 the best; each begins with another team, with the chips of the best one
-- column: target_race_key | Race that the row is about
-- column: races_ahead | Races from the one to the other; 0 is the race itself | count
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: seat | The asset as the game trades it: a driver in his seat
-- column: action | hold, buy or sell, at that race
-- column: is_boosted | Whether the boost is on this driver
-- column: is_extra_boosted | Whether the stronger boost of the chip is on this driver
-- column: move_share | Share of scenarios of the forecast in which this move is made; of the coming race's buys and sells alone
-- column: is_own_team | Whether it is for the team of my_team.toml; else for a fresh start
-- column: chip | Chip played at that race, null for none
-- column: transfer_count | Transfers that count against the free ones | count
-- column: transfer_points | Penalty for those above the free ones, 0 or less | points
-- column: free_transfers | Free transfers before that race | count
-- column: bank_musd | Money left after the transfers, at expected prices | million dollars
-- column: budget_musd | Bank and value after the transfers, at expected prices | million dollars
-- column: race_points | Points expected of that race, boost, chip and penalty included | points
-- column: plan_points | Points expected of the whole plan | points
-- column: gap_share | How far the proven bound is above the plan, as a share of it | share
-- check: rank >= 1 and action in ('hold', 'buy', 'sell')
-- check: transfer_points <= 0 and gap_share >= 0
-- check: move_share is null or move_share between 0 and 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.rank as integer) as rank,
    cast(inc.target_race_key as varchar) as target_race_key,
    cast(inc.races_ahead as integer) as races_ahead,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.seat as varchar) as seat,
    cast(inc.action as varchar) as action,  -- noqa: RF04
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.is_extra_boosted as boolean) as is_extra_boosted,
    cast(inc.move_share as double) as move_share,
    cast(inc.is_own_team as boolean) as is_own_team,
    cast(inc.chip as varchar) as chip,
    cast(inc.transfer_count as integer) as transfer_count,
    cast(inc.transfer_points as integer) as transfer_points,
    cast(inc.free_transfers as integer) as free_transfers,
    cast(inc.bank_musd as decimal(5, 1)) as bank_musd,
    cast(inc.budget_musd as decimal(5, 1)) as budget_musd,
    cast(inc.race_points as double) as race_points,
    cast(inc.plan_points as double) as plan_points,
    cast(inc.gap_share as double) as gap_share,
from incoming as inc
