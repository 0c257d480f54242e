-- description: One row per forecast, kind of asset and way it was made: its errors over past races, beside the baselines and what its line-ups scored.
-- grain: forecast, asset_type, is_live
-- parameter: year | Season; all of them together when it is null | null
-- parameter: moment | before_practice, at_lock or after_qualifying | 'at_lock'
-- column: season | all, or the year; of each season the races from the fourth on
-- column: phase | Moment of the forecast
-- column: forecast | published, one of its candidates (strength, ridge, boosting, average) or a baseline (ewma_price_prior, price_only, season_mean)
-- column: is_baseline | Whether it is a baseline
-- column: asset_type | all, driver or constructor
-- column: is_live | Whether the published forecasts of these races were made before their deadline, else replayed from what was known then
-- column: race_count | Races | count
-- column: mae_points | Mean absolute error of the median | points
-- column: bias_points | Mean less score, on average; above 0 the forecast expects too much | points
-- column: crps_points | Mean continuous ranked probability score, 0 at best | points
-- column: crps_gain_points | Baseline ewma_price_prior's score less the forecast's, mean over races; above 0 is better | points
-- column: crps_gain_se_points | Standard error of that gain over races; null with one race | points
-- column: coverage_80_share | Scores within the central four fifths of the distribution; 0.8 is the aim | share
-- column: lineup_points | Mean points of the best line-up by this forecast; null for one kind of asset | points
-- column: hindsight_points | Mean points of the best line-up in hindsight; null for one kind of asset | points
-- check: race_count >= 1
-- check: lineup_points is null or asset_type = 'all'
-- example: select forecast, mae_points, crps_points, lineup_points from reader.track_record(year := 2026) where asset_type = 'all'
with forecast_accuracy as (
    select * from evaluation.forecast_accuracy
),

lineup_accuracy as (
    select * from evaluation.lineup_accuracy
)

select
    acc.season,
    acc.phase,
    acc.forecast,
    acc.forecast in ('ewma_price_prior', 'price_only', 'season_mean') as is_baseline,
    acc.asset_type,
    acc.is_live,
    acc.race_count,
    acc.mae_points,
    acc.bias_points,
    acc.crps_points,
    acc.crps_gain_points,
    acc.crps_gain_se_points,
    acc.coverage_80_share,
    lin.lineup_points,
    lin.hindsight_points,
from forecast_accuracy as acc
left join lineup_accuracy as lin
    on
        acc.asset_type = 'all'
        and acc.season = lin.season
        and acc.phase = lin.phase
        and acc.forecast = lin.forecast
        and acc.is_live = lin.is_live
where acc.season = coalesce(cast($year as varchar), 'all') and acc.phase = $moment
order by acc.asset_type, acc.is_live, acc.crps_points
