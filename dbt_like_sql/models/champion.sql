-- description: One row per race, phase and candidate: how it compares with the champion over earlier races, and which is published.
-- grain: race_key, phase, candidate
-- partitioned_by: race_key
-- column: race_key | Race that is forecast
-- column: phase | before_practice, at_lock or after_qualifying
-- column: candidate | strength, ridge, boosting or average
-- column: is_champion | Whether its forecast of this race is published
-- column: is_promoted | Whether it became champion with this race
-- column: race_count | Earlier races that are compared | count
-- column: crps_gain_points | Mean over races of the champion's CRPS less its own; positive is better | points
-- column: crps_gain_se_points | Standard error of that mean | points
-- column: lineup_gain_points | Mean over races of its line-up's points less those of the champion's line-up | points
-- column: lineup_gain_se_points | Standard error of that mean | points
-- column: decision | What was decided and why, in words
-- check: race_count >= 0
-- check: not is_promoted or is_champion
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.candidate as varchar) as candidate,
    cast(inc.is_champion as boolean) as is_champion,
    cast(inc.is_promoted as boolean) as is_promoted,
    cast(inc.race_count as integer) as race_count,
    cast(inc.crps_gain_points as double) as crps_gain_points,
    cast(inc.crps_gain_se_points as double) as crps_gain_se_points,
    cast(inc.lineup_gain_points as double) as lineup_gain_points,
    cast(inc.lineup_gain_se_points as double) as lineup_gain_se_points,
    cast(inc.decision as varchar) as decision,
from incoming as inc
