-- description: One row per season, variant and race of the best path known through it, found with every score and price at hand.
-- grain: season, variant, race_key
-- partitioned_by: season
-- column: season | Season | year
-- column: variant | no_chips, or four_chips: Extra Boost, Limitless, No Negative and Wildcard
-- column: race_key | Race, season and Grand Prix
-- column: race_number | Number of the race in its season as driven, from 1 | count
-- column: line_up | What is fielded: drivers, the boosted one marked x2, then constructors
-- column: bought | Assets bought for good, separated by commas
-- column: sold | Assets sold for good, separated by commas
-- column: chip | Chip played, null for none
-- column: total_points | Points of the team: boost, chip and penalty included | points
-- column: transfer_count | Transfers that count against the free ones | count
-- column: transfer_points | Penalty for those above the free ones, 0 or less | points
-- column: budget_musd | Bank and value at the lock | million dollars
-- column: season_points | Points of the season so far | points
-- column: bound_points | No path through the season scores more; proven by the solver | points
-- column: gap_share | How far the bound is above the path's points | share
-- check: season_points <= bound_points + 1e-6 and gap_share >= 0
-- check: variant in ('no_chips', 'four_chips')
select
    cast(inc.season as integer) as season,
    cast(inc.variant as varchar) as variant,
    cast(inc.race_key as varchar) as race_key,
    cast(inc.race_number as integer) as race_number,
    cast(inc.line_up as varchar) as line_up,
    cast(inc.bought as varchar) as bought,
    cast(inc.sold as varchar) as sold,
    cast(inc.chip as varchar) as chip,
    cast(inc.total_points as double) as total_points,
    cast(inc.transfer_count as integer) as transfer_count,
    cast(inc.transfer_points as integer) as transfer_points,
    cast(inc.budget_musd as decimal(5, 1)) as budget_musd,
    cast(inc.season_points as double) as season_points,
    cast(inc.bound_points as double) as bound_points,
    cast(inc.gap_share as double) as gap_share,
from incoming as inc
