-- description: One row per chip that is left before a race and race that remains: what it adds there, and what it must add to be played there.
-- grain: race_key, chip, target_race_key
-- partitioned_by: race_key
-- column: race_key | Race before which the plan is made
-- column: chip | autopilot, extra_boost, final_fix, limitless, no_negative or wildcard
-- column: target_race_key | Race at which it might be played
-- column: races_ahead | Races from the one to the other; 0 is the race itself | count
-- column: is_own_team | Whether it is for the team of my_team.toml; else for a fresh start
-- column: is_playable | Whether the team may play it there
-- column: gain_points | Points that it is expected to add there | points
-- column: keep_points | What it is worth unplayed after that race: play it there if it adds at least this; null while too few races are recorded | points
-- check: gain_points >= 0 and (keep_points is null or keep_points >= 0)
-- check: (races_ahead = 0) = (race_key = target_race_key)
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.chip as varchar) as chip,
    cast(inc.target_race_key as varchar) as target_race_key,
    cast(inc.races_ahead as integer) as races_ahead,
    cast(inc.is_own_team as boolean) as is_own_team,
    cast(inc.is_playable as boolean) as is_playable,
    cast(inc.gain_points as double) as gain_points,
    cast(inc.keep_points as double) as keep_points,
from incoming as inc
