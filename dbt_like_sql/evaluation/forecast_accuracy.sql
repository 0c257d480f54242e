-- description: One row per forecast, moment, season and kind of asset: its errors over the counted races, and how they compare with the baseline ewma_price_prior on the same assets and races.
-- grain: season, phase, asset_type, forecast, is_live
-- column: season | all, or the year; of each season the races from the fourth on (evaluation.counted_race)
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: asset_type | all, driver or constructor
-- column: forecast | published, one of its candidates or a baseline
-- column: is_live | Whether the published forecasts of these races were made before their deadline; candidates and baselines stand beside them, computed again with every run
-- column: race_count | Races | count
-- column: asset_count | Assets over all races | count
-- column: mae_points | Mean absolute error of the median | points
-- column: rmse_points | Root of the mean squared error of the mean | points
-- column: bias_points | Mean minus score, on average; above 0 the forecast expects too much | points
-- column: spearman | Rank correlation of expected and scored points within a race, mean over races; null where it is not defined
-- column: crps_points | Mean continuous ranked probability score | points
-- column: coverage_50_share | Scores within the central half of the distribution; 0.5 is the aim | share
-- column: coverage_80_share | Scores within the central four fifths; 0.8 is the aim | share
-- column: coverage_90_share | Scores within the central nine tenths; 0.9 is the aim | share
-- column: mae_ratio | mae_points divided by the baseline's; below 1 is better | share
-- column: crps_ratio | crps_points divided by the baseline's; below 1 is better | share
-- column: spearman_ratio | spearman divided by the baseline's; above 1 is better | share
-- column: mae_gain_points | Baseline's mean absolute error less the forecast's, by race, mean over races; above 0 is better | points
-- column: mae_gain_se_points | Standard error of mae_gain_points over races; null with one race | points
-- column: crps_gain_points | Baseline's mean score less the forecast's, by race, mean over races; above 0 is better | points
-- column: crps_gain_se_points | Standard error of crps_gain_points over races; null with one race | points
-- check: asset_type in ('all', 'driver', 'constructor')
-- check: race_count >= 1 and asset_count >= race_count
-- check: mae_points >= 0 and crps_points >= 0
-- check: rmse_points >= abs(bias_points) - 1e-9
-- check: spearman is null or spearman between -1.000001 and 1.000001
-- check: coverage_50_share between 0 and coverage_80_share
-- check: coverage_90_share between coverage_80_share and 1
-- check: forecast <> 'ewma_price_prior' or (coalesce(mae_ratio, 1) = 1 and coalesce(crps_ratio, 1) = 1 and mae_gain_points = 0 and crps_gain_points = 0)
-- check: (race_count = 1) = (crps_gain_se_points is null)
with asset_error as (
    select * from evaluation.asset_error
),

counted_race as (
    select * from evaluation.counted_race
    where is_counted
),

-- Each asset counts among its kind and among all; the baseline stands beside it.
compared as (
    select
        cou.season,
        err.race_key,
        err.phase,
        unnest(['all', err.asset_type]) as asset_type,
        err.asset_id,
        err.forecast,
        err.is_live,
        err.expected_points,
        err.median_points,
        err.actual_points,
        err.crps_points,
        err.is_in_50,
        err.is_in_80,
        err.is_in_90,
        bas.expected_points as baseline_expected_points,
        bas.median_points as baseline_median_points,
        bas.crps_points as baseline_crps_points,
    from asset_error as err
    inner join counted_race as cou on err.race_key = cou.race_key
    inner join asset_error as bas
        on
            err.race_key = bas.race_key
            and err.phase = bas.phase
            and err.asset_type = bas.asset_type
            and err.asset_id = bas.asset_id
            and bas.forecast = 'ewma_price_prior'
),

-- Ties share their mean rank: that of the first of them and half of how many more there are. Decimals add up to the same
-- sum in any order, so that a second run gives the same bits.
ranked as (
    select
        season,
        race_key,
        phase,
        asset_type,
        asset_id,
        forecast,
        is_live,
        actual_points,
        cast(expected_points - actual_points as decimal(18, 9)) as error_points,
        cast(power(expected_points - actual_points, 2) as decimal(18, 9)) as squared_error_points,
        cast(abs(median_points - actual_points) as decimal(18, 9)) as absolute_error_points,
        cast(crps_points as decimal(18, 9)) as crps_points,
        is_in_50,
        is_in_80,
        is_in_90,
        cast(abs(baseline_median_points - actual_points) as decimal(18, 9)) as baseline_absolute_error_points,
        cast(baseline_crps_points as decimal(18, 9)) as baseline_crps_points,
        rank() over (partition by race_key, phase, asset_type, forecast order by expected_points)
        + count(*) over (partition by race_key, phase, asset_type, forecast, expected_points) / 2.0 as expected_rank,
        rank() over (partition by race_key, phase, asset_type, forecast order by actual_points)
        + count(*) over (partition by race_key, phase, asset_type, forecast, actual_points) / 2.0 as actual_rank,
        rank() over (partition by race_key, phase, asset_type, forecast order by baseline_expected_points)
        + count(*) over (
            partition by race_key, phase, asset_type, forecast, baseline_expected_points
        ) / 2.0 as baseline_expected_rank,
    from compared
),

-- A rank correlation needs two different values on both sides.
race_figures as (
    select
        season,
        race_key,
        phase,
        asset_type,
        forecast,
        is_live,
        count(*) as asset_count,
        sum(absolute_error_points) as absolute_error_points,
        sum(squared_error_points) as squared_error_points,
        sum(error_points) as error_points,
        sum(crps_points) as crps_points,
        count(*) filter (where is_in_50) as in_50_count,
        count(*) filter (where is_in_80) as in_80_count,
        count(*) filter (where is_in_90) as in_90_count,
        sum(baseline_absolute_error_points) as baseline_absolute_error_points,
        sum(baseline_crps_points) as baseline_crps_points,
        avg(baseline_absolute_error_points - absolute_error_points) as mae_gain_points,
        avg(baseline_crps_points - crps_points) as crps_gain_points,
        case
            when min(expected_rank) < max(expected_rank) and min(actual_rank) < max(actual_rank)
                then corr(expected_rank, actual_rank order by asset_id)
        end as spearman,
        case
            when min(baseline_expected_rank) < max(baseline_expected_rank) and min(actual_rank) < max(actual_rank)
                then corr(baseline_expected_rank, actual_rank order by asset_id)
        end as baseline_spearman,
    from ranked
    group by season, race_key, phase, asset_type, forecast, is_live
)

select
    coalesce(cast(season as varchar), 'all') as season,
    phase,
    asset_type,
    forecast,
    is_live,
    count(*) as race_count,
    cast(sum(asset_count) as bigint) as asset_count,
    sum(absolute_error_points) / sum(asset_count) as mae_points,
    sqrt(sum(squared_error_points) / sum(asset_count)) as rmse_points,
    sum(error_points) / sum(asset_count) as bias_points,
    avg(spearman order by race_key) as spearman,
    sum(crps_points) / sum(asset_count) as crps_points,
    sum(in_50_count) / sum(asset_count) as coverage_50_share,
    sum(in_80_count) / sum(asset_count) as coverage_80_share,
    sum(in_90_count) / sum(asset_count) as coverage_90_share,
    sum(absolute_error_points) / nullif(sum(baseline_absolute_error_points), 0) as mae_ratio,
    sum(crps_points) / nullif(sum(baseline_crps_points), 0) as crps_ratio,
    avg(spearman order by race_key) / nullif(avg(baseline_spearman order by race_key), 0) as spearman_ratio,
    avg(mae_gain_points order by race_key) as mae_gain_points,
    stddev_samp(mae_gain_points order by race_key) / sqrt(count(*)) as mae_gain_se_points,
    avg(crps_gain_points order by race_key) as crps_gain_points,
    stddev_samp(crps_gain_points order by race_key) / sqrt(count(*)) as crps_gain_se_points,
from race_figures
group by grouping sets (
    (season, phase, asset_type, forecast, is_live),
    (phase, asset_type, forecast, is_live)
)
