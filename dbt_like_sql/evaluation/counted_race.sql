-- description: One row per race that was not called off: its number in the season by date, and whether the accuracy figures count it (from the fourth on).
-- grain: race_key
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: race_number | Place of the race among those of its season that were not called off, by date, 1 the first
-- column: is_counted | Whether the accuracy figures count it: before the fourth race, forecasts rest on last year's cars
-- check: race_number >= 1
-- check: is_counted = (race_number >= 4)
with race as (
    select * from core.race
    where not is_cancelled
),

numbered as (
    select
        race_key,
        season,
        row_number() over (partition by season order by race_date, race_key) as race_number,
    from race
)

select
    race_key,
    season,
    race_number,
    race_number >= 4 as is_counted,
from numbered
