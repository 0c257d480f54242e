-- description: One row per asset on sale and phase of a race: pace, reliability and tendencies as learnt from everything known by then.
-- grain: race_key, phase, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: asset_type | driver or constructor; a constructor has the mean of its cars
-- column: asset_id | Driver or constructor
-- column: qualifying_strength | Expected normal score over one lap, car and driver together; 0 is the middle of the field
-- column: race_strength | The same in a race
-- column: qualifying_strength_sd | How unsure the strength over one lap is
-- column: race_strength_sd | How unsure the strength in a race is
-- column: car_strength | The car's part of the strength over one lap
-- column: driver_strength | The driver's part of it
-- column: teammate_strength_gap | Strength over one lap less the team-mates'; null for a constructor
-- column: retirement_probability | Probability of not being classified in the Grand Prix
-- column: overtakes_factor | Passes made against those of others with the same start and finish; 1 is usual
-- column: circuit_overtakes_factor | The circuit's passes against other circuits; 1 is usual
-- column: race_count | Races since 2018 that he started before this one | count
-- column: team_race_count | Of those, races for this team; few after a change of seats | count
-- column: fp1_gap_pct | Best lap of first practice against the session's median, where known | percent
-- column: fp2_gap_pct | The same of second practice | percent
-- column: fp3_gap_pct | The same of third practice | percent
-- column: sprint_qualifying_gap_pct | The same of sprint qualifying | percent
-- column: practice_lap_count | Laps driven in the known practice sessions | laps
-- column: pit_stop_s | Typical best stationary stop of the crew, as its points tell | s
-- check: retirement_probability between 0 and 1
-- check: qualifying_strength_sd > 0 and race_strength_sd > 0
-- check: phase in ('before_practice', 'at_lock', 'after_qualifying')
-- check: phase <> 'before_practice' or coalesce(fp1_gap_pct, fp2_gap_pct, fp3_gap_pct, sprint_qualifying_gap_pct) is null
-- check: phase <> 'before_practice' or practice_lap_count = 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.qualifying_strength as double) as qualifying_strength,
    cast(inc.race_strength as double) as race_strength,
    cast(inc.qualifying_strength_sd as double) as qualifying_strength_sd,
    cast(inc.race_strength_sd as double) as race_strength_sd,
    cast(inc.car_strength as double) as car_strength,
    cast(inc.driver_strength as double) as driver_strength,
    cast(inc.teammate_strength_gap as double) as teammate_strength_gap,
    cast(inc.retirement_probability as double) as retirement_probability,
    cast(inc.overtakes_factor as double) as overtakes_factor,
    cast(inc.circuit_overtakes_factor as double) as circuit_overtakes_factor,
    cast(inc.race_count as double) as race_count,
    cast(inc.team_race_count as double) as team_race_count,
    cast(inc.fp1_gap_pct as double) as fp1_gap_pct,
    cast(inc.fp2_gap_pct as double) as fp2_gap_pct,
    cast(inc.fp3_gap_pct as double) as fp3_gap_pct,
    cast(inc.sprint_qualifying_gap_pct as double) as sprint_qualifying_gap_pct,
    cast(inc.practice_lap_count as double) as practice_lap_count,
    cast(inc.pit_stop_s as double) as pit_stop_s,
from incoming as inc
