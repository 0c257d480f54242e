-- description: One row per race and chip: what it would have added to a reference team there, as it looked at the lock.
-- grain: race_key, chip
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: chip | autopilot, extra_boost, final_fix, limitless, no_negative or wildcard
-- column: gain_points | Expected points that it adds to the best decision without a chip, at this race alone | points
-- column: offers | What it may turn out to add when it is decided on, each as likely: one figure, but for Final Fix, which waits for qualifying, twenty | points
-- check: gain_points >= 0 and len(offers) > 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.chip as varchar) as chip,
    cast(inc.gain_points as double) as gain_points,
    cast(inc.offers as double[]) as offers,
from incoming as inc
