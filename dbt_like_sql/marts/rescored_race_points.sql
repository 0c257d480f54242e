-- description: One row per asset and race since 2018: its points under the newest season's rules, and which items of them nobody recorded.
-- grain: race_key, asset_type, asset_id
-- column: rules_season | Season whose rules are applied | year
-- column: race_key | Race, season and Grand Prix; also of seasons that are no partitions
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drove for, or is
-- column: total_points | Sum of the items that are known | points
-- column: unknown_items | Items that are missing from the sum, separated by commas; empty when none is
-- column: is_complete | Whether every item is known
-- check: asset_type in ('driver', 'constructor')
-- check: is_complete = (unknown_items = '')
select
    cast(inc.rules_season as integer) as rules_season,
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.constructor_id as varchar) as constructor_id,
    cast(inc.total_points as integer) as total_points,
    cast(inc.unknown_items as varchar) as unknown_items,
    cast(inc.is_complete as boolean) as is_complete,
from incoming as inc
