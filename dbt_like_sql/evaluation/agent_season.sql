-- description: One row per season, world, agent, use of chips and season number: what an agent scored in a whole season. Plans and the oracle's path stop by the clock, so that theirs may differ from run to run.
-- grain: season, world, agent, has_chips, season_number
-- partitioned_by: season
-- column: season | Season | year
-- column: world | real: as it was; simulated: as it might have been, from what was known before its first race
-- column: agent | Who played
-- column: has_chips | Whether it could play chips
-- column: season_number | Which simulated season, the same for every agent; 0 for the real one
-- column: race_count | Races played | count
-- column: total_points | Points of the season, penalties included | points
-- column: transfer_points | Penalties for transfers among them, 0 or less | points
-- column: transfer_count | Transfers that counted against the free ones | count
-- column: chip_count | Chips played | count
-- column: end_budget_musd | Bank and value at the last lock | million dollars
-- column: oracle_points | Points of the best path found with perfect foresight and, with chips, four of them; null where none was sought | points
-- column: oracle_share | Share of those points | share
-- column: regret_points | Points short of them | points
-- column: chip_gain_points | Points above those of the same agent without chips; null where it has none | points
-- column: model_uri | The trained agent in MLflow; null for agents that need no training
-- check: world in ('real', 'simulated')
-- check: transfer_points <= 0
-- check: has_chips or chip_count = 0
-- check: world = 'simulated' or season_number = 0
with played as (
    select
        cast(inc.season as integer) as season,
        cast(inc.world as varchar) as world,
        cast(inc.agent as varchar) as agent,
        cast(inc.has_chips as boolean) as has_chips,
        cast(inc.season_number as bigint) as season_number,
        cast(inc.race_count as integer) as race_count,
        cast(inc.total_points as double) as total_points,
        cast(inc.transfer_points as integer) as transfer_points,
        cast(inc.transfer_count as integer) as transfer_count,
        cast(inc.chip_count as integer) as chip_count,
        cast(inc.end_budget_musd as decimal(5, 1)) as end_budget_musd,
        cast(inc.model_uri as varchar) as model_uri,
    from incoming as inc
),

oracle as (
    select
        pla.season,
        pla.world,
        pla.has_chips,
        pla.season_number,
        pla.total_points,
    from played as pla
    where pla.agent = 'oracle'
),

without_chips as (
    select
        pla.season,
        pla.world,
        pla.agent,
        pla.season_number,
        pla.total_points,
    from played as pla
    where not pla.has_chips
)

select
    pla.season,
    pla.world,
    pla.agent,
    pla.has_chips,
    pla.season_number,
    pla.race_count,
    pla.total_points,
    pla.transfer_points,
    pla.transfer_count,
    pla.chip_count,
    pla.end_budget_musd,
    ora.total_points as oracle_points,
    pla.total_points / nullif(ora.total_points, 0) as oracle_share,
    ora.total_points - pla.total_points as regret_points,
    pla.total_points - wit.total_points as chip_gain_points,
    pla.model_uri,
from played as pla
left join oracle as ora
    on
        pla.season = ora.season
        and pla.world = ora.world
        and pla.has_chips = ora.has_chips
        and pla.season_number = ora.season_number
left join without_chips as wit
    on
        pla.season = wit.season
        and pla.world = wit.world
        and pla.agent = wit.agent
        and pla.season_number = wit.season_number
        and pla.has_chips
