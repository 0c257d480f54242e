-- description: One row per forecast, moment, kind of asset and tenth of the distribution: how many scores fell there; a tenth in each is the aim.
-- grain: phase, asset_type, forecast, is_live, bin
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: asset_type | all, driver or constructor
-- column: forecast | published, one of its candidates or a baseline
-- column: is_live | Whether the published forecasts of these races were made before their deadline; candidates and baselines stand beside them, computed again with every run
-- column: bin | Tenth of the distribution, 0 the lowest; all ten are there
-- column: asset_count | Scores that fell there, over the counted races (evaluation.counted_race) | count
-- column: asset_share | The same as a share of all | share
-- check: asset_type in ('all', 'driver', 'constructor')
-- check: bin between 0 and 9
-- check: asset_count >= 0
-- check: asset_share between 0 and 1
with asset_error as (
    select * from evaluation.asset_error
),

counted_race as (
    select * from evaluation.counted_race
    where is_counted
),

tenths as (
    select unnest(range(10)) as bin,
),

-- Each asset counts among its kind and among all; who beat every draw belongs to the last tenth.
counted_error as (
    select
        err.phase,
        unnest(['all', err.asset_type]) as asset_type,
        err.forecast,
        err.is_live,
        least(cast(floor(err.pit * 10) as integer), 9) as bin,
    from asset_error as err
    inner join counted_race as cou on err.race_key = cou.race_key
),

forecasts as (
    select
        phase,
        asset_type,
        forecast,
        is_live,
        count(*) as asset_count,
    from counted_error
    group by phase, asset_type, forecast, is_live
),

filled as (
    select
        phase,
        asset_type,
        forecast,
        is_live,
        bin,
        count(*) as asset_count,
    from counted_error
    group by phase, asset_type, forecast, is_live, bin
)

select
    fct.phase,
    fct.asset_type,
    fct.forecast,
    fct.is_live,
    cast(ten.bin as integer) as bin,
    coalesce(fil.asset_count, 0) as asset_count,
    coalesce(fil.asset_count, 0) / fct.asset_count as asset_share,
from forecasts as fct
cross join tenths as ten
left join filled as fil
    on
        fct.phase = fil.phase
        and fct.asset_type = fil.asset_type
        and fct.forecast = fil.forecast
        and fct.is_live = fil.is_live
        and ten.bin = fil.bin
