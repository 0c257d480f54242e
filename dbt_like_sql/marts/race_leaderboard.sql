-- description: One row per asset and race: its rank by points and by points per million, with names to read.
-- grain: race_key, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: season | Season | year
-- column: race_name | Name of the Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: asset_name | Its name
-- column: total_points | Points of the weekend | points
-- column: fantasy_price_musd | Price at the lock | million dollars
-- column: points_per_million | Points per million dollars of price | points per million dollars
-- column: points_rank | Rank by points among its type, 1 the most; equal points share a rank
-- column: value_rank | Rank by points per million among its type, 1 the most
-- check: points_rank >= 1 and value_rank >= 1
with race as (
    select * from core.race
    where list_contains($race_keys, race_key)
),

driver as (
    select * from core.driver
),

constructor as (
    select * from core.constructor
),

driver_race_performance as (
    select * from core.driver_race_performance
    where list_contains($race_keys, race_key)
),

constructor_race_performance as (
    select * from core.constructor_race_performance
    where list_contains($race_keys, race_key)
),

performances as (
    select
        per.race_key,
        'driver' as asset_type,
        per.driver_id as asset_id,
        dri.name as asset_name,
        per.total_points,
        per.fantasy_price_musd,
        per.points_per_million,
    from driver_race_performance as per
    inner join driver as dri on per.driver_id = dri.driver_id
    union all
    select
        per.race_key,
        'constructor' as asset_type,
        per.constructor_id as asset_id,
        con.name as asset_name,
        per.total_points,
        per.fantasy_price_musd,
        per.points_per_million,
    from constructor_race_performance as per
    inner join constructor as con on per.constructor_id = con.constructor_id
)

select
    per.race_key,
    rac.season,
    rac.name as race_name,
    per.asset_type,
    per.asset_id,
    per.asset_name,
    per.total_points,
    per.fantasy_price_musd,
    per.points_per_million,
    rank() over (partition by per.race_key, per.asset_type order by per.total_points desc) as points_rank,
    rank() over (partition by per.race_key, per.asset_type order by per.points_per_million desc) as value_rank,
from performances as per
inner join race as rac on per.race_key = rac.race_key
