-- description: One row per constructor since 2018, under each name it has raced.
-- grain: constructor_id
-- column: constructor_id | Constructor
-- column: name | Name
-- column: country | Country of its licence
-- column: lineage_id | The newest name of the same team, which joins its history across changes of name
with constructors as (
    select * from raw.constructors
)

select
    con.constructor_id,
    con.name,
    con.country_id as country,
    con.lineage_id,
from constructors as con
