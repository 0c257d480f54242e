-- description: Whoever is classified in a sprint or race stands on its starting grid.
-- asset: staging.session_result
with session_result as (
    select * from staging.session_result
    where list_contains($race_keys, race_key) and session in ('sprint', 'race')
),

starting_grids as (
    select * from raw.starting_grids
    where list_contains($race_keys, race_key)
)

select
    res.race_key,
    res.session,
    res.driver_id,
    res.position,
from session_result as res
left join starting_grids as gri
    on res.race_key = gri.race_key and res.session = gri.session and res.driver_id = gri.driver_id
where res.position is not null and gri.race_key is null
