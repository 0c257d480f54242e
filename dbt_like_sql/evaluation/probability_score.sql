-- description: One row per event, moment and season: the Brier score of its probabilities, against always giving the share that happened.
-- grain: season, phase, event, is_live
-- column: season | all, or the year; of each season the races from the fourth on (evaluation.counted_race)
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: event | not_classified (a driver in the race) or price_step (the move of a price up to the asset's next sale)
-- column: is_live | Whether the published forecasts of these races were made before their deadline; else they were replayed
-- column: race_count | Races | count
-- column: outcome_count | Outcomes that were given a probability | count
-- column: mean_probability | Their mean probability | share
-- column: observed_share | Share of them that happened | share
-- column: brier_score | Mean squared difference of the probability from what happened (1 or 0); 0 at best
-- column: constant_brier_score | The same had every outcome of a kind (a step of 0.1, say) been given the share of it that happened, known only afterwards
-- check: event in ('not_classified', 'price_step')
-- check: race_count >= 1 and outcome_count >= race_count
-- check: mean_probability between 0 and 1
-- check: observed_share between 0 and 1
-- check: brier_score between 0 and 1
-- check: constant_brier_score <= observed_share * (1 - observed_share) + 1e-9
with event_outcome as (
    select * from evaluation.event_outcome
),

counted_race as (
    select * from evaluation.counted_race
    where is_counted
),

-- Sums are in a fixed order, so that a second run gives the same bits.
counted_outcome as (
    select
        cou.season,
        evt.race_key,
        evt.asset_id,
        evt.outcome,
        evt.phase,
        evt.event,
        evt.is_live,
        evt.probability,
        cast(evt.has_happened as integer) as happened,
    from event_outcome as evt
    inner join counted_race as cou on evt.race_key = cou.race_key
),

outcome_share as (
    select
        coalesce(cast(season as varchar), 'all') as season,
        phase,
        event,
        is_live,
        outcome,
        count(*) as outcome_count,
        avg(happened) as observed_share,
    from counted_outcome
    group by grouping sets (
        (season, phase, event, is_live, outcome),
        (phase, event, is_live, outcome)
    )
),

constant as (
    select
        season,
        phase,
        event,
        is_live,
        sum(outcome_count * observed_share * (1 - observed_share) order by outcome)
        / sum(outcome_count) as constant_brier_score,
    from outcome_share
    group by season, phase, event, is_live
),

score as (
    select
        coalesce(cast(season as varchar), 'all') as season,
        phase,
        event,
        is_live,
        count(distinct race_key) as race_count,
        count(*) as outcome_count,
        avg(probability order by race_key, asset_id, outcome) as mean_probability,
        avg(happened) as observed_share,
        avg((probability - happened) * (probability - happened) order by race_key, asset_id, outcome) as brier_score,
    from counted_outcome
    group by grouping sets (
        (season, phase, event, is_live),
        (phase, event, is_live)
    )
)

select
    sco.season,
    sco.phase,
    sco.event,
    sco.is_live,
    sco.race_count,
    sco.outcome_count,
    sco.mean_probability,
    sco.observed_share,
    sco.brier_score,
    con.constant_brier_score,
from score as sco
inner join constant as con
    on
        sco.season = con.season
        and sco.phase = con.phase
        and sco.event = con.event
        and sco.is_live = con.is_live
