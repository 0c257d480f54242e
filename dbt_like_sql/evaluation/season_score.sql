-- description: One row per season, policy and start: its total against the recommended plain policy and against hindsight.
-- grain: season, policy, start
-- partitioned_by: season
-- column: season | Season | year
-- column: policy | Way to decide
-- column: start | Number of the first line-up, 0 for the policy's own choice
-- column: race_count | Races played | count
-- column: total_points | Points of the season | points
-- column: transfer_points | Penalties for transfers among them | points
-- column: chip_count | Chips played | count
-- column: end_budget_musd | Bank and value at the last lock | million dollars
-- column: mean_regret_points | Mean points per race below what the same money and transfers could have scored | points
-- column: gain_points | Points per race above the policy myopic from the same start | points
-- column: gain_se_points | Standard error of that gain over races, in pairs | points
-- column: hindsight_share | Share of the best path known with four chips | share
-- column: bound_share | Share of what no path with four chips can exceed | share
-- check: race_count > 0
-- check: hindsight_share is null or hindsight_share >= bound_share
with backtest as (
    select * from lineups.season_backtest
    where list_contains($seasons, season)
),

hindsight as (
    select * from lineups.season_hindsight
    where list_contains($seasons, season)
),

paths as (
    select
        hin.season,
        sum(cast(hin.total_points as decimal(18, 6))) as total_points,
        max(hin.bound_points) as bound_points,
    from hindsight as hin
    where hin.variant = 'four_chips'
    group by hin.season
),

paired as (
    select
        bac.*,
        cast(bac.total_points - myo.total_points as decimal(18, 6)) as gain,
    from backtest as bac
    left join backtest as myo
        on
            bac.season = myo.season
            and bac.start = myo.start
            and bac.race_key = myo.race_key
            and myo.policy = 'myopic'
),

totals as (
    select
        par.season,
        par.policy,
        par.start,
        count(*) as race_count,
        sum(cast(par.total_points as decimal(18, 6))) as total_points,
        sum(par.transfer_points) as transfer_points,
        count(par.chip) as chip_count,
        max_by(par.budget_musd, par.race_number) as end_budget_musd,
        avg(cast(par.regret_points as decimal(18, 6))) as mean_regret_points,
        avg(par.gain) as gain_points,
        case when count(*) > 1 then stddev_samp(par.gain) / sqrt(count(*)) end as gain_se_points,
    from paired as par
    group by par.season, par.policy, par.start
)

select
    tot.season,
    tot.policy,
    tot.start,
    tot.race_count,
    cast(tot.total_points as double) as total_points,
    cast(tot.transfer_points as integer) as transfer_points,
    tot.chip_count,
    tot.end_budget_musd,
    tot.mean_regret_points,
    tot.gain_points,
    tot.gain_se_points,
    cast(tot.total_points as double) / cast(pat.total_points as double) as hindsight_share,
    cast(tot.total_points as double) / pat.bound_points as bound_share,
from totals as tot
left join paths as pat on tot.season = pat.season
