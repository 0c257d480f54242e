-- description: One row per scoring item of every race since 2018 under the newest season's rules; about what happened, so read earlier races by date only.
-- grain: race_key, asset_type, asset_id, event_type, scoring_item
-- column: rules_season | Season whose rules are applied | year
-- column: race_key | Race, season and Grand Prix; also of seasons that are no partitions
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: constructor_id | Constructor the asset drove for, or is
-- column: event_type | Scored session: qualifying, sprint or race
-- column: scoring_item | What the points are given for; pit_stops: all of a constructor's, when they are not known
-- column: points | Points of the item, null when nobody recorded what results cannot say | points
-- column: position | Position that a position item rewards
-- column: frequency | How often the item was earned, null when unknown | count
-- column: origin | derived from results; official, corrected or residual as recorded; unknown
-- check: event_type in ('qualifying', 'sprint', 'race')
-- check: asset_type in ('driver', 'constructor')
-- check: (points is null) = (origin = 'unknown')
-- check: origin in ('derived', 'official', 'corrected', 'residual', 'unknown')
select
    cast(inc.rules_season as integer) as rules_season,
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
