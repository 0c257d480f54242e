-- description: One row per asset on sale and phase of a race: its points in thousands of simulated weekends.
-- grain: race_key, phase, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: mean_points | Mean over all simulated weekends | points
-- column: sd_points | Standard deviation | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p50 | Median points | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: qualifying_position_mean | Mean place in qualifying; null for a constructor
-- column: race_position_mean | Mean place in the race where classified; null for a constructor
-- column: win_probability | Share of weekends in which he wins the Grand Prix; null for a constructor
-- column: podium_probability | Share in which he is among the first three; null for a constructor
-- column: not_classified_probability | Share in which he is not classified in the Grand Prix; null for a constructor
-- column: no_negative_points | Mean points under the chip No Negative; at the lock only | points
-- column: draws | Points in the first thousand weekends; the same place in the lists of a race's assets is the same weekend | points
-- column: race_expectation_draws | What will be expected of his sessions after qualifying, given his place there, in each of these weekends; at the lock, drivers only | tenths of points
-- check: p10 <= p50 and p50 <= p90
-- check: isfinite(mean_points) and sd_points > 0
-- check: len(draws) = 1000
-- check: (no_negative_points is null) = (phase <> 'at_lock')
-- check: no_negative_points is null or no_negative_points >= mean_points
-- check: (race_expectation_draws is null) = (phase <> 'at_lock' or asset_type = 'constructor')
-- check: race_expectation_draws is null or len(race_expectation_draws) = 1000
-- check: not_classified_probability is null or not_classified_probability between 0 and 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.mean_points as double) as mean_points,
    cast(inc.sd_points as double) as sd_points,
    cast(inc.p10 as double) as p10,
    cast(inc.p50 as double) as p50,
    cast(inc.p90 as double) as p90,
    cast(inc.qualifying_position_mean as double) as qualifying_position_mean,
    cast(inc.race_position_mean as double) as race_position_mean,
    cast(inc.win_probability as double) as win_probability,
    cast(inc.podium_probability as double) as podium_probability,
    cast(inc.not_classified_probability as double) as not_classified_probability,
    cast(inc.no_negative_points as double) as no_negative_points,
    cast(inc.draws as smallint[]) as draws,
    cast(inc.race_expectation_draws as smallint[]) as race_expectation_draws,
from incoming as inc
