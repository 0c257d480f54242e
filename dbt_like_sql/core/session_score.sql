-- description: One row per driver and session since 2018 with a score that compares across seasons; about what happened, so read earlier races by date only.
-- grain: race_key, session, driver_id
-- column: race_key | Race, season and Grand Prix; also of seasons that are no partitions
-- column: race_date | Day of the race
-- column: season | Season | year
-- column: circuit_id | Circuit
-- column: session | fp1, fp2, fp3, qualifying, sprint_qualifying, sprint or race
-- column: session_order | Order within the weekend, 1 is the first
-- column: ends_at | Scheduled end of the session | UTC
-- column: is_before_lock | Whether the session has ended when line-ups lock
-- column: is_by_qualifying | Whether it has ended when qualifying has
-- column: driver_id | Driver
-- column: constructor_id | Constructor he drove for in this session
-- column: lineage_id | The same across changes of name
-- column: position | Place in the classification counted from 1 without holes, in practice by best lap; null without one
-- column: position_text | Position as published: a number, DNF, DNS, DSQ, NC …; null in practice
-- column: score | Normal score of the place: 0 is the middle of those classified, higher is better
-- column: start_place | Place on the starting grid counted from 1, pit lane last; null where there is no grid
-- column: start_text | Slot as published, PL for the pit lane
-- column: start_score | Normal score of the starting place
-- column: gap_pct | Best lap against the median best lap of the session; null for races | percent
-- column: lap_count | Laps driven in practice | laps
-- column: is_fastest_lap | Whether he set the fastest lap of the race; null for other sessions
-- column: is_driver_of_the_day | Whether he was voted driver of the day; null for other sessions
-- check: score is null or score between -4 and 4
-- check: (score is null) = (position is null)
-- check: start_place is null or start_place >= 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.race_date as date) as race_date,
    cast(inc.season as integer) as season,
    cast(inc.circuit_id as varchar) as circuit_id,
    cast(inc.session as varchar) as session,  -- noqa: RF04
    cast(inc.session_order as integer) as session_order,
    cast(inc.ends_at as timestamptz) as ends_at,
    cast(inc.is_before_lock as boolean) as is_before_lock,
    cast(inc.is_by_qualifying as boolean) as is_by_qualifying,
    cast(inc.driver_id as varchar) as driver_id,
    cast(inc.constructor_id as varchar) as constructor_id,
    cast(inc.lineage_id as varchar) as lineage_id,
    cast(inc.position as integer) as position,  -- noqa: RF04
    cast(inc.position_text as varchar) as position_text,
    cast(inc.score as double) as score,
    cast(inc.start_place as integer) as start_place,
    cast(inc.start_text as varchar) as start_text,
    cast(inc.start_score as double) as start_score,
    cast(inc.gap_pct as double) as gap_pct,
    cast(inc.lap_count as integer) as lap_count,
    cast(inc.is_fastest_lap as boolean) as is_fastest_lap,
    cast(inc.is_driver_of_the_day as boolean) as is_driver_of_the_day,
from incoming as inc
