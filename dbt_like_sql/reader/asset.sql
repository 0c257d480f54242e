-- description: One row per driver or constructor since 2018, with names to read.
-- grain: asset_type, asset_id
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: abbreviation | Three-letter code of a driver, not an identity; null for a constructor
-- column: lineage_id | What its history is joined by: the driver, or the newest name of the constructor
-- example: from reader.asset where asset_name like '%stappen%'
with driver as (
    select * from core.driver
),

constructor as (
    select * from core.constructor
)

select
    'driver' as asset_type,
    dri.driver_id as asset_id,
    dri.name as asset_name,
    dri.abbreviation,
    dri.driver_id as lineage_id,
from driver as dri
union all
select
    'constructor' as asset_type,
    con.constructor_id as asset_id,
    con.name as asset_name,
    null as abbreviation,
    con.lineage_id,
from constructor as con
