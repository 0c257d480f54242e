-- description: One row per finished race: what the recommended line-up scored, against hindsight and the mean line-up.
-- grain: race_key
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: predicted_points | Points expected of the recommended line-up, boost and transfers included | points
-- column: actual_points | Points it scored, boost and transfers included | points
-- column: hindsight_points | Points of the best line-up with the same team, money and transfers, known only afterwards | points
-- column: capture_share | Actual points as a share of hindsight points | share
-- column: mean_affordable_points | Mean points over every line-up for the same money and each choice of boost, transfers not counted | points
-- column: reward | Actual points less the mean affordable points | points
-- column: transfer_points | What its transfers above the free ones cost, 0 or less | points
-- check: actual_points <= hindsight_points
-- check: abs(reward - (actual_points - mean_affordable_points)) < 1e-6
-- check: transfer_points <= 0
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.predicted_points as double) as predicted_points,
    cast(inc.actual_points as double) as actual_points,
    cast(inc.hindsight_points as double) as hindsight_points,
    cast(inc.capture_share as double) as capture_share,
    cast(inc.mean_affordable_points as double) as mean_affordable_points,
    cast(inc.reward as double) as reward,
    cast(inc.transfer_points as double) as transfer_points,
from incoming as inc
