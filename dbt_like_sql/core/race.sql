-- description: One row per race of the calendar, with its circuit and the instant at which line-ups lock.
-- grain: race_key
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: round_number | Round as numbered at present; not an identity, it moves when a race is cancelled
-- column: name | Name of the Grand Prix
-- column: race_date | Day of the race
-- column: circuit_id | Circuit
-- column: circuit_name | Name of the circuit
-- column: country | Country of the circuit
-- column: circuit_type | street, permanent or road
-- column: has_sprint | Whether the weekend has a sprint race
-- column: is_cancelled | Whether the race was called off; then its date and round are the last known
-- column: lock_at | When line-ups lock | UTC
-- column: race_start_at | Start of the race | UTC
-- column: is_time_estimated | Whether the times are a typical weekend's, for want of published ones
-- column: season_progress_share | Place of the race among those of its season that are driven: 0 the first, 1 the last | share
-- check: lock_at < race_start_at
-- check: season_progress_share between 0 and 1
with races as (
    select * from raw.races
),

circuits as (
    select * from raw.circuits
)

select
    rac.race_key,
    rac.season,
    rac.round_number,
    rac.name,
    rac.race_date,
    rac.circuit_id,
    cir.name as circuit_name,
    cir.country_id as country,
    cir.circuit_type,
    rac.has_sprint,
    rac.is_cancelled,
    rac.lock_at,
    rac.race_start_at,
    rac.is_time_estimated,
    percent_rank() over (partition by rac.season, rac.is_cancelled order by rac.race_date) as season_progress_share,
from races as rac
inner join circuits as cir on rac.circuit_id = cir.circuit_id
