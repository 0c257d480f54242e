-- description: One row per finished race and part of what the line-up that counted stayed behind the best one known only afterwards: your own choice, luck, and the forecast.
-- grain: race_key, part
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: part | choice: the line-up that counted is not the recommended one; luck: what the forecast, were it right, loses on average; forecast: the rest
-- column: points | Points that it cost; negative where it brought some | points
-- column: p10_points | Of luck: what it costs at least in nine weekends of ten | points
-- column: p90_points | Of luck: what it costs at most in nine weekends of ten | points
-- check: part in ('choice', 'luck', 'forecast')
-- check: isfinite(points) and (part <> 'luck' or points >= 0)
-- check: (part = 'luck') = (p10_points is not null) and (part = 'luck') = (p90_points is not null)
-- check: p10_points is null or p10_points <= p90_points
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.part as varchar) as part,
    cast(inc.points as double) as points,
    cast(inc.p10_points as double) as p10_points,
    cast(inc.p90_points as double) as p90_points,
from incoming as inc
