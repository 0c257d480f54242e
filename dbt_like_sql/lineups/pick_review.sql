-- description: One row per finished race and asset of the recommended line-up, the one that counted or the best in hindsight: what it scored against its forecast, and what it cost.
-- grain: race_key, asset_type, seat
-- partitioned_by: race_key
-- column: race_key | Race, season and Grand Prix
-- column: asset_type | driver or constructor
-- column: asset_id | Driver or constructor
-- column: seat | The asset as the game trades it: a driver in his seat, driver@constructor, or a constructor
-- column: is_own_team | Whether the line-up that counted is yours, of core.entered_lineup or else core.current_lineup; without a team it is the recommended one
-- column: recommended_multiplier | What its points count for in the recommended line-up: 0 outside of it, 1, or 2 with the boost | count
-- column: counted_multiplier | The same in the line-up that counted | count
-- column: hindsight_multiplier | The same in the best line-up with the same team, money and transfers, known only afterwards | count
-- column: counted_transfer_points | What the transfers of the line-up that counted cost, 0 or less; the same in each row of a race | points
-- column: expected_points | Expected points of the weekend at the lock, boost not counted; null for an asset that was not forecast | points
-- column: p10 | Points undercut in one weekend of ten | points
-- column: p90 | Points exceeded in one weekend of ten | points
-- column: total_points | Points that it scored, boost not counted; of an asset that takes no part what holding it costs | points
-- column: pit | Share of the forecast weekends in which it scores less, ties counted half | share
-- column: missed_points | Points that hindsight makes more of it than the line-up that counted did; negative where that one made more | points
-- column: price_change_musd | What its price did up to its next race; null until that price is known | million dollars
-- check: recommended_multiplier + counted_multiplier + hindsight_multiplier > 0
-- check: least(recommended_multiplier, counted_multiplier, hindsight_multiplier) >= 0
-- check: is_own_team or counted_multiplier = recommended_multiplier
-- check: abs(missed_points - (hindsight_multiplier - counted_multiplier) * total_points) < 1e-6
-- check: counted_transfer_points <= 0
-- check: pit is null or pit between 0 and 1
select
    cast(inc.race_key as varchar) as race_key,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_id as varchar) as asset_id,
    cast(inc.seat as varchar) as seat,
    cast(inc.is_own_team as boolean) as is_own_team,
    cast(inc.recommended_multiplier as integer) as recommended_multiplier,
    cast(inc.counted_multiplier as integer) as counted_multiplier,
    cast(inc.hindsight_multiplier as integer) as hindsight_multiplier,
    cast(inc.counted_transfer_points as double) as counted_transfer_points,
    cast(inc.expected_points as double) as expected_points,
    cast(inc.p10 as double) as p10,
    cast(inc.p90 as double) as p90,
    cast(inc.total_points as double) as total_points,
    cast(inc.pit as double) as pit,
    cast(inc.missed_points as double) as missed_points,
    cast(inc.price_change_musd as decimal(5, 1)) as price_change_musd,
from incoming as inc
