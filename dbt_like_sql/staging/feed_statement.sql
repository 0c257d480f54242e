-- description: One row per asset and payload of the official feed: the total and price that it stated when it was received.
-- grain: receipt_number, player_id
-- column: receipt_number | Place of the payload in the order of receipt | count
-- column: received_at | When the payload was received
-- column: season | Championship year | year
-- column: meeting_name | Race weekend, as the feed names it
-- column: race_date | Day of the race
-- column: player_id | The feed's number of the asset; a driver who changes team has another
-- column: asset_type | driver or constructor
-- column: asset_name | Name of the asset, as the feed writes it
-- column: team_name | Team of the asset, as the feed writes it
-- column: total_points | Points of the weekend; null until they are final | points
-- column: price_musd | Price at the lock | million dollars
select
    cast(inc.receipt_number as integer) as receipt_number,
    cast(inc.received_at as timestamptz) as received_at,
    cast(inc.season as integer) as season,
    cast(inc.meeting_name as varchar) as meeting_name,
    cast(inc.race_date as date) as race_date,
    cast(inc.player_id as varchar) as player_id,
    cast(inc.asset_type as varchar) as asset_type,
    cast(inc.asset_name as varchar) as asset_name,
    cast(inc.team_name as varchar) as team_name,
    cast(inc.total_points as integer) as total_points,
    cast(inc.price_musd as decimal(5, 1)) as price_musd,
from incoming as inc
