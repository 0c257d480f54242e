-- description: One row per season, policy, start and race: what the policy decided with what was known at the lock, and what came of it.
-- grain: season, policy, start, race_key
-- partitioned_by: season
-- column: season | Season | year
-- column: policy | Way to decide, such as myopic or rolling_chips
-- column: start | Number of the first line-up, 0 for the policy's own choice
-- column: race_key | Race, season and Grand Prix
-- column: race_number | Number of the race in its season as driven, from 1 | count
-- column: line_up | What was fielded: drivers, the boosted one marked x2, then constructors
-- column: bought | Assets bought for good, separated by commas
-- column: sold | Assets sold for good, separated by commas
-- column: chip | Chip played, null for none
-- column: total_points | Points of the team: boost, chip and penalties included | points
-- column: expected_points | Points expected of the line-up at the lock, boost and penalty included, chip not | points
-- column: transfer_count | Transfers that counted against the free ones | count
-- column: transfer_points | Penalty for those above the free ones, 0 or less | points
-- column: inactive_points | Penalty for assets held that took no part, 0 or less | points
-- column: budget_musd | Bank and value at the lock | million dollars
-- column: bank_musd | Money not spent | million dollars
-- column: hindsight_points | Most that the team could have scored with the same money and transfers, without a chip | points
-- column: regret_points | Hindsight points less the points scored; negative where a chip did better | points
-- column: season_points | Points of the season so far | points
-- check: transfer_points <= 0 and inactive_points <= 0
-- check: chip is not null or regret_points >= -1e-6
-- check: substr(race_key, 1, 4) = cast(season as varchar)
select
    cast(inc.season as integer) as season,
    cast(inc.policy as varchar) as policy,  -- noqa: RF04
    cast(inc.start as integer) as start,  -- noqa: RF04
    cast(inc.race_key as varchar) as race_key,
    cast(inc.race_number as integer) as race_number,
    cast(inc.line_up as varchar) as line_up,
    cast(inc.bought as varchar) as bought,
    cast(inc.sold as varchar) as sold,
    cast(inc.chip as varchar) as chip,
    cast(inc.total_points as double) as total_points,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.transfer_count as integer) as transfer_count,
    cast(inc.transfer_points as integer) as transfer_points,
    cast(inc.inactive_points as integer) as inactive_points,
    cast(inc.budget_musd as decimal(5, 1)) as budget_musd,
    cast(inc.bank_musd as decimal(5, 1)) as bank_musd,
    cast(inc.hindsight_points as double) as hindsight_points,
    cast(inc.regret_points as double) as regret_points,
    cast(inc.season_points as double) as season_points,
from incoming as inc
