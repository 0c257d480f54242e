-- description: No scoring item has a name that was never seen before.
-- asset: staging.event_score
with event_score as (
    select * from staging.event_score
    where list_contains($race_keys, race_key)
),

event_scores as (
    select * from raw.event_scores
    where list_contains($race_keys, race_key)
)

select
    sco.race_key,
    sco.asset_type,
    sco.asset_id,
    sco.event_type,
    sco.points,
    sco.frequency,
    rec.source,
from event_score as sco
inner join event_scores as rec
    on
        sco.race_key = rec.race_key
        and sco.asset_type = rec.asset_type
        and sco.asset_id = rec.asset_id
        and sco.event_type = rec.event_type
        and sco.scoring_item = rec.scoring_item
where sco.scoring_item = 'unknown'
