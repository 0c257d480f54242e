-- description: One row per asset on sale at a race and race of the season from that one on: points and price expected at the lock of the first.
-- grain: race_key, target_race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race at whose lock the forecast is made
-- column: target_race_key | Race that it is about: that race itself, or a later one of its season
-- column: races_ahead | Races from the one to the other, cancelled ones left out; 0 is the race itself | count
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: expected_points | Expected points of the weekend: the published forecast of the race itself, the simulation's of later ones | points
-- column: sd_points | Standard deviation of the points | points
-- column: no_negative_points | Expected points under the chip No Negative | points
-- column: expected_price_musd | Mean price at the lock of the target, from today's price by joint draws of the races between | million dollars
-- column: sd_price_musd | Standard deviation of that price | million dollars
-- check: (races_ahead = 0) = (race_key = target_race_key)
-- check: isfinite(expected_points) and sd_points > 0
-- check: no_negative_points >= expected_points
-- check: expected_price_musd > 0 and sd_price_musd >= 0
-- check: races_ahead > 0 or sd_price_musd = 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.target_race_key as varchar) as target_race_key,
    cast(inc.races_ahead as integer) as races_ahead,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.sd_points as double) as sd_points,
    cast(inc.no_negative_points as double) as no_negative_points,
    cast(inc.expected_price_musd as double) as expected_price_musd,
    cast(inc.sd_price_musd as double) as sd_price_musd,
from incoming as inc
