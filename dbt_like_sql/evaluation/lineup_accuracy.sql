-- description: One row per forecast, moment and season: what its line-ups scored over the counted races, against hindsight and the baseline ewma_price_prior.
-- grain: season, phase, forecast, is_live
-- column: season | all, or the year; of each season the races from the fourth on (evaluation.counted_race)
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: forecast | published, one of its candidates or a baseline
-- column: is_live | Whether the published forecasts of these races were made before their deadline; candidates and baselines stand beside them, computed again with every run
-- column: race_count | Races | count
-- column: lineup_points | Mean points of the line-up, boost included | points
-- column: hindsight_points | Mean points of the best line-up in hindsight | points
-- column: capture_share | Points of all line-ups as a share of the best possible; null when those were not positive | share
-- column: points_ratio | Points of all line-ups divided by the baseline's; above 1 is better, null when the baseline's were not positive | share
-- column: gain_points | Points of the line-up less those of the baseline's, mean over races; above 0 is better | points
-- column: gain_se_points | Standard error of gain_points over races; null with one race | points
-- check: race_count >= 1
-- check: lineup_points <= hindsight_points
-- check: capture_share is null or capture_share <= 1
-- check: forecast <> 'ewma_price_prior' or gain_points = 0
-- check: (race_count = 1) = (gain_se_points is null)
with lineup_score as (
    select * from evaluation.lineup_score
),

counted_race as (
    select * from evaluation.counted_race
    where is_counted
),

-- Sums are in a fixed order, so that a second run gives the same bits.
compared as (
    select
        cou.season,
        sco.race_key,
        sco.phase,
        sco.forecast,
        sco.is_live,
        sco.lineup_points,
        sco.hindsight_points,
        bas.lineup_points as baseline_points,
        sco.lineup_points - bas.lineup_points as gain_points,
    from lineup_score as sco
    inner join counted_race as cou on sco.race_key = cou.race_key
    inner join lineup_score as bas
        on sco.race_key = bas.race_key and sco.phase = bas.phase and bas.forecast = 'ewma_price_prior'
)

select
    coalesce(cast(season as varchar), 'all') as season,
    phase,
    forecast,
    is_live,
    count(*) as race_count,
    avg(lineup_points order by race_key) as lineup_points,
    avg(hindsight_points order by race_key) as hindsight_points,
    case
        when sum(hindsight_points order by race_key) > 0
            then sum(lineup_points order by race_key) / sum(hindsight_points order by race_key)
    end as capture_share,
    case
        when sum(baseline_points order by race_key) > 0
            then sum(lineup_points order by race_key) / sum(baseline_points order by race_key)
    end as points_ratio,
    avg(gain_points order by race_key) as gain_points,
    stddev_samp(gain_points order by race_key) / sqrt(count(*)) as gain_se_points,
from compared
group by grouping sets (
    (season, phase, forecast, is_live),
    (phase, forecast, is_live)
)
