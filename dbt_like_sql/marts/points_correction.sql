-- description: One row per official total that the game changed after it had been stated as final.
-- grain: receipt_number, player_id
-- column: receipt_number | Place of the payload with the new total in the order of receipt | count
-- column: received_at | When the new total was received
-- column: season | Championship year | year
-- column: meeting_name | Race weekend, as the feed names it
-- column: race_date | Day of the race
-- column: player_id | The feed's number of the asset
-- column: asset_type | driver or constructor
-- column: asset_name | Name of the asset
-- column: team_name | Team of the asset
-- column: previous_received_at | When the old total had been received
-- column: previous_total_points | Points of the weekend as they were stated before | points
-- column: total_points | Points of the weekend as they are stated now | points
-- column: change_points | New less old | points
-- check: change_points <> 0
with feed_statement as (
    select * from staging.feed_statement
),

final_total as (
    select
        sta.*,
        lag(sta.received_at) over one_asset as previous_received_at,
        lag(sta.total_points) over one_asset as previous_total_points,
    from feed_statement as sta
    where sta.total_points is not null
    window one_asset as (
        partition by sta.season, sta.race_date, sta.player_id
        order by sta.receipt_number
        rows between 1 preceding and 1 preceding
    )
)

select
    tot.receipt_number,
    tot.received_at,
    tot.season,
    tot.meeting_name,
    tot.race_date,
    tot.player_id,
    tot.asset_type,
    tot.asset_name,
    tot.team_name,
    tot.previous_received_at,
    tot.previous_total_points,
    tot.total_points,
    tot.total_points - tot.previous_total_points as change_points,
from final_total as tot
where tot.total_points <> tot.previous_total_points
