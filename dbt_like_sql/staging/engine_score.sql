-- description: One row per scoring item that the rules give an asset in one session of one race; what results cannot say is the record's.
-- grain: race_key, asset_type, asset_id, event_type, scoring_item
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drove for, or is
-- column: event_type | Scored session: qualifying, sprint or race
-- column: scoring_item | What the points are given for
-- column: points | Points of the item by the rules of the season | points
-- column: position | Position that a position item rewards
-- column: frequency | How often the item was earned | count
-- column: origin | derived: from results alone; official, corrected or residual: overtakes, sprint's fastest lap and pit stops as recorded
-- check: event_type in ('qualifying', 'sprint', 'race')
-- check: asset_type in ('driver', 'constructor')
-- check: origin in ('derived', 'official', 'corrected', 'residual')
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.constructor_id as varchar) as constructor_id,
    cast(inc.event_type as varchar) as event_type,
    cast(inc.scoring_item as varchar) as scoring_item,
    cast(inc.points as integer) as points,
    cast(inc.position as integer) as position,  -- noqa: RF04
    cast(inc.frequency as integer) as frequency,
    cast(inc.origin as varchar) as origin,
from incoming as inc
