-- description: One row per asset on sale, phase and version of the published forecast; what was made before its deadline stays as it was.
-- grain: race_key, phase, version, asset_type, asset_id
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: phase | before_practice, at_lock or after_qualifying
-- column: version | Number of the forecast of this race and phase, from 1 | count
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: candidate | Model that was champion: strength, ridge, boosting or average
-- column: expected_points | Expected points of the weekend | points
-- column: sd_points | Standard deviation of the points | points
-- column: p05 | Points undercut in one weekend of twenty | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p25 | Points undercut in one weekend of four | points
-- column: p50 | Median points | points
-- column: p75 | Points exceeded in one weekend of four | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: p95 | Points exceeded in one weekend of twenty | points
-- column: not_classified_probability | Probability that he is not classified in the Grand Prix; null for a constructor
-- column: draws | A thousand joint draws; the same place in the lists of a race's assets is the same weekend | tenths of points
-- column: model_uri | The model in MLflow that made the forecast
-- column: content_hash | SHA-256 of the forecast of this race and phase: assets, expectations, draws and the model's fingerprint
-- column: data_watermark_at | End of the newest session it learnt from, null when there is none | UTC
-- column: made_at | When it was made | UTC
-- column: deadline_at | When its phase ends: first practice, the lock, or the start of the race | UTC
-- column: is_live | Whether it was made before the deadline; else it was replayed later from what was known then
-- column: is_current | Whether it is the version that counts: the newest live one, else the replay
-- column: notes | Why it is less sure than others; empty when nothing is out of the ordinary
-- check: p05 <= p10 and p10 <= p25 and p25 <= p50 and p50 <= p75 and p75 <= p90 and p90 <= p95
-- check: isfinite(expected_points) and sd_points > 0
-- check: is_live = (made_at < deadline_at)
-- check: data_watermark_at is null or data_watermark_at <= deadline_at
-- check: len(draws) = 1000
-- check: (not_classified_probability is null) = (asset_type = 'constructor')
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.phase as varchar) as phase,
    cast(inc.version as integer) as version,  -- noqa: RF04
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.candidate as varchar) as candidate,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.sd_points as double) as sd_points,
    cast(inc.p05 as double) as p05,
    cast(inc.p10 as double) as p10,
    cast(inc.p25 as double) as p25,
    cast(inc.p50 as double) as p50,
    cast(inc.p75 as double) as p75,
    cast(inc.p90 as double) as p90,
    cast(inc.p95 as double) as p95,
    cast(inc.not_classified_probability as double) as not_classified_probability,
    cast(inc.draws as smallint[]) as draws,
    cast(inc.model_uri as varchar) as model_uri,
    cast(inc.content_hash as varchar) as content_hash,
    cast(inc.data_watermark_at as timestamptz) as data_watermark_at,
    cast(inc.made_at as timestamptz) as made_at,
    cast(inc.deadline_at as timestamptz) as deadline_at,
    cast(inc.is_live as boolean) as is_live,
    cast(inc.is_current as boolean) as is_current,
    cast(inc.notes as varchar) as notes,
from incoming as inc
