-- description: One row per driver who took part in a race weekend since 2018.
-- grain: driver_id
-- column: driver_id | Driver
-- column: name | Name
-- column: abbreviation | Three-letter code; not an identity
-- column: nationality | Country he drives for; null for a newcomer whom F1DB does not describe yet
-- column: date_of_birth | Date of birth; null for a newcomer whom F1DB does not describe yet
with drivers as (
    select * from raw.drivers
)

select
    dri.driver_id,
    dri.name,
    dri.abbreviation,
    dri.nationality_country_id as nationality,
    dri.date_of_birth,
from drivers as dri
