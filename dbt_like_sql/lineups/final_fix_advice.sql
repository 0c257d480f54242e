-- description: One row per race whose qualifying is known and at which Final Fix may be played: the best swap for the team that locked, and whether to play it. No row before qualifying.
-- grain: race_key
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: outgoing_seat | Driver to swap out, in his seat; null when no swap is expected to add points
-- column: incoming_seat | Driver to swap in, in his seat; null when no swap is expected to add points
-- column: is_boosted | Whether the boost goes along with the swap
-- column: gain_points | Points that the swap is expected to add in the sessions after qualifying | points
-- column: p10_points | What it adds at least in nine weekends of ten | points
-- column: p90_points | What it adds at most in nine weekends of ten | points
-- column: gain_probability | Share of weekends in which it adds points
-- column: keep_points | What the chip is worth unplayed after this race; null while too little is known of later races | points
-- column: is_advised | Whether to play it: it adds at least what keeping it is worth
-- column: is_own_team | Whether it is for your team: as entered after the lock, else with the recommended line-up; else for a fresh start
-- column: is_live | Whether the forecast after qualifying was made before the start of the race
-- column: advice | The same in words
-- check: (outgoing_seat is null) = (incoming_seat is null) and (outgoing_seat is not null or not is_advised)
-- check: gain_points >= 0 and p10_points <= p90_points and gain_probability between 0 and 1
-- check: not is_advised or (keep_points is not null and gain_points >= keep_points)
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.outgoing_seat as varchar) as outgoing_seat,
    cast(inc.incoming_seat as varchar) as incoming_seat,
    cast(inc.is_boosted as boolean) as is_boosted,
    cast(inc.gain_points as double) as gain_points,
    cast(inc.p10_points as double) as p10_points,
    cast(inc.p90_points as double) as p90_points,
    cast(inc.gain_probability as double) as gain_probability,
    cast(inc.keep_points as double) as keep_points,
    cast(inc.is_advised as boolean) as is_advised,
    cast(inc.is_own_team as boolean) as is_own_team,
    cast(inc.is_live as boolean) as is_live,
    cast(inc.advice as varchar) as advice,
from incoming as inc
