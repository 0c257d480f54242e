-- description: One row per forecast, moment, season, kind of asset and class of return: how far off it was when that was scored.
-- grain: season, phase, asset_type, forecast, is_live, return_class
-- column: season | all, or the year; of each season the races from the fourth on (evaluation.counted_race)
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: asset_type | all, driver or constructor
-- column: forecast | published, one of its candidates or a baseline
-- column: is_live | Whether the published forecasts of these races were made before their deadline; candidates and baselines stand beside them, computed again with every run
-- column: return_class | What was scored: negative (below 0), low, mid (from 10, constructor 25) or haul (from 25, constructor 60)
-- column: asset_count | Assets over all races | count
-- column: mae_points | Mean absolute error of the median | points
-- column: bias_points | Mean minus score, on average: above 0 in the low classes and below 0 in the high ones for any honest forecast | points
-- check: asset_type in ('all', 'driver', 'constructor')
-- check: return_class in ('negative', 'low', 'mid', 'haul')
-- check: asset_count >= 1
-- check: mae_points >= 0
with asset_error as (
    select * from evaluation.asset_error
),

counted_race as (
    select * from evaluation.counted_race
    where is_counted
),

-- Each asset counts among its kind and among all. Sums are in a fixed order, so that a second run gives the same bits.
counted_error as (
    select
        cou.season,
        err.race_key,
        err.phase,
        unnest(['all', err.asset_type]) as asset_type,
        err.asset_id,
        err.forecast,
        err.is_live,
        err.return_class,
        abs(err.median_points - err.actual_points) as absolute_error_points,
        err.expected_points - err.actual_points as error_points,
    from asset_error as err
    inner join counted_race as cou on err.race_key = cou.race_key
)

select
    coalesce(cast(season as varchar), 'all') as season,
    phase,
    asset_type,
    forecast,
    is_live,
    return_class,
    count(*) as asset_count,
    avg(absolute_error_points order by race_key, asset_id) as mae_points,
    avg(error_points order by race_key, asset_id) as bias_points,
from counted_error
group by grouping sets (
    (season, phase, asset_type, forecast, is_live, return_class),
    (phase, asset_type, forecast, is_live, return_class)
)
