-- description: One row per event, moment and twentieth of the probability: how often what was given such a probability happened.
-- grain: phase, event, is_live, bin
-- column: phase | Moment of the forecast: before_practice, at_lock or after_qualifying
-- column: event | not_classified (a driver in the race) or price_step (the move of a price up to the asset's next sale)
-- column: is_live | Whether the published forecasts of these races were made before their deadline; else they were replayed
-- column: bin | Twentieth of the probability: 0 for those below 0.05, 19 for those from 0.95 on
-- column: outcome_count | Outcomes that were given such a probability, over the counted races (evaluation.counted_race) | count
-- column: mean_probability | Their mean probability | share
-- column: observed_share | Share of them that happened | share
-- check: event in ('not_classified', 'price_step')
-- check: bin between 0 and 19
-- check: outcome_count >= 1
-- check: mean_probability between bin / 20 - 1e-9 and (bin + 1) / 20 + 1e-9
-- check: observed_share between 0 and 1
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
        evt.phase,
        evt.event,
        evt.is_live,
        evt.race_key,
        evt.asset_id,
        evt.outcome,
        least(cast(floor(evt.probability * 20) as integer), 19) as bin,
        evt.probability,
        evt.has_happened,
    from event_outcome as evt
    inner join counted_race as cou on evt.race_key = cou.race_key
)

select
    phase,
    event,
    is_live,
    bin,
    count(*) as outcome_count,
    avg(probability order by race_key, asset_id, outcome) as mean_probability,
    count(*) filter (where has_happened) / count(*) as observed_share,
from counted_outcome
group by phase, event, is_live, bin
