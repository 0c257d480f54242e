-- description: The steps of an asset's price follow each other without a gap, from no lower to no upper end of points.
-- asset: marts.price_step
with price_step as (
    select * from marts.price_step
    where list_contains($race_keys, race_key)
),

in_order as (
    select
        race_key,
        asset_type,
        asset_id,
        step_musd,
        points_from,
        lag(points_to) over (partition by race_key, asset_type, asset_id order by step_musd) as points_to_below,
        points_to,
        row_number() over (partition by race_key, asset_type, asset_id order by step_musd) as number_from_below,
        row_number() over (partition by race_key, asset_type, asset_id order by step_musd desc) as number_from_above,
    from price_step
)

select
    race_key,
    asset_type,
    asset_id,
    step_musd,
    points_from,
    points_to_below,
    points_to,
from in_order
where
    (number_from_below = 1) != (points_from is null)
    or (number_from_above = 1) != (points_to is null)
    or (number_from_below > 1 and points_from is distinct from points_to_below + 1)
