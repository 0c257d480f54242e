-- description: One row per constructor on sale for a race: what was known of it when the line-ups locked.
-- grain: race_key, constructor_id
-- partitioned_by: race_key
-- strictly_before: core.constructor_race_performance
-- column: race_key | Race, season and Grand Prix
-- column: constructor_id | Constructor
-- column: season | Season | year
-- column: race_date | Day of the race
-- column: price_musd | Price at the lock | million dollars
-- column: start_count | Races it took part in before this one, since 2023 | count
-- column: last_3_mean_points | Mean points of its last 3 races | points
-- column: last_5_mean_points | Mean points of its last 5 races | points
-- column: last_10_stddev_points | Standard deviation of the points of its last 10 races: the lower, the more consistent | points
-- column: season_mean_points | Mean points of its races of this season | points
-- column: last_5_points_per_million | Points per million dollars over its last 5 races | points per million dollars
-- column: trend_points_per_million | Slope of points per million over its last 5 races | points per million dollars per race
-- column: last_3_price_change_musd | Price now less price three races ago | million dollars
-- column: drivers_last_5_mean_points | Mean of the last 5 races' mean points of its drivers on sale | points
-- column: circuit_mean_points | Mean points at this circuit | points
-- column: circuit_stddev_points | Standard deviation of the points at this circuit | points
-- column: circuit_start_count | Races at this circuit, since 2023 | count
-- column: circuit_type | street, permanent or road
-- column: has_sprint | Whether the weekend has a sprint race
-- column: season_progress_share | Place of the race in its season's calendar: 0 the first, 1 the last | share
-- column: last_5_qualifying_mean_points | Mean points of qualifying over its last 5 races | points
-- column: last_3_sprint_mean_points | Mean points of the sprint over its last 3 sprint weekends | points
-- column: last_5_race_mean_points | Mean points of the race over its last 5 races | points
-- column: last_5_overtakes_mean_count | Mean overtakes over its last 5 races | count
-- column: last_10_dnf_share | Share of its last 10 races' cars not classified | share
-- column: last_5_positions_gained_mean_count | Mean places gained, net, over its last 5 races | places
-- column: last_5_pit_stop_mean_points | Mean points of pit stops over its last 5 races | points
-- column: practice_gap_pct | Smaller of its cars' gap to the best lap in practice and sprint qualifying before the lock | percent
-- column: practice_session_count | Sessions before the lock with a time | count
-- check: last_10_dnf_share is null or last_10_dnf_share between 0 and 1
-- check: start_count >= 0
-- check: price_musd > 0
with race as (
    select * from core.race
),

race_entry as (
    select * from core.race_entry
    where list_contains($race_keys, race_key)
),

constructor_race_performance as (
    select * from core.constructor_race_performance
),

constructor as (
    select * from core.constructor
),

driver_race_feature as (
    select * from features.driver_race_feature
    where list_contains($race_keys, race_key)
),

performances as (
    select
        per.*,
        con.lineage_id,
        cast(1.0 - per.classified_car_count / nullif(per.car_count, 0) as double) as dnf_share,
    from constructor_race_performance as per
    inner join constructor as con on per.constructor_id = con.constructor_id
),

-- Every race an asset took part in, and the races to forecast that it has not (yet) taken part in. The latter have no
-- figure, and no window below counts them: what a race gets must not depend on which others are computed with it.
timeline as (
    select
        per.race_key,
        per.lineage_id,
        per.fantasy_price_musd,
        per.fantasy_price_musd as start_price_musd,
        per.total_points,
        per.qualifying_points,
        per.race_points,
        per.sprint_points,
        per.points_per_million,
        per.overtakes_count,
        per.positions_gained_count,
        per.dnf_share,
        per.pit_stop_points,
    from performances as per
    union all
    select
        ent.race_key,
        ent.lineage_id,
        ent.fantasy_price_musd,
        null as start_price_musd,
        null as total_points,
        null as qualifying_points,
        null as race_points,
        null as sprint_points,
        null as points_per_million,
        null as overtakes_count,
        null as positions_gained_count,
        null as dnf_share,
        null as pit_stop_points,
    from race_entry as ent
    left join performances as per on ent.race_key = per.race_key and ent.lineage_id = per.lineage_id
    where ent.asset_type = 'constructor' and per.race_key is null
),

dated as (
    select
        tim.*,
        rac.race_date,
        rac.season,
        rac.circuit_id,
        count(tim.total_points) over (
            partition by tim.lineage_id order by rac.race_date rows between unbounded preceding and 1 preceding
        ) as start_count,
    from timeline as tim
    inner join race as rac on tim.race_key = rac.race_key
),

form as (
    select
        race_key,
        lineage_id,
        start_count,
        avg(total_points) over last_3 as last_3_mean_points,
        avg(total_points) over last_5 as last_5_mean_points,
        stddev_samp(total_points) over last_10 as last_10_stddev_points,
        avg(total_points) over this_season as season_mean_points,
        sum(total_points) over last_5 / sum(cast(start_price_musd as double)) over last_5
            as last_5_points_per_million,
        -- The slope through a single point is NaN, and no trend is null.
        case
            when count(points_per_million) over last_5 > 1 then regr_slope(points_per_million, start_count) over last_5
        end as trend_points_per_million,
        cast(fantasy_price_musd - first_value(start_price_musd ignore nulls) over last_3 as double)
            as last_3_price_change_musd,
        avg(total_points) over this_circuit as circuit_mean_points,
        stddev_samp(total_points) over this_circuit as circuit_stddev_points,
        count(total_points) over this_circuit as circuit_start_count,
        avg(qualifying_points) over last_5 as last_5_qualifying_mean_points,
        avg(race_points) over last_5 as last_5_race_mean_points,
        avg(overtakes_count) over last_5 as last_5_overtakes_mean_count,
        avg(dnf_share) over last_10 as last_10_dnf_share,
        avg(positions_gained_count) over last_5 as last_5_positions_gained_mean_count,
        avg(pit_stop_points) over last_5 as last_5_pit_stop_mean_points,
    from dated
    window
        last_3 as (partition by lineage_id order by start_count range between 3 preceding and 1 preceding),
        last_5 as (partition by lineage_id order by start_count range between 5 preceding and 1 preceding),
        last_10 as (partition by lineage_id order by start_count range between 10 preceding and 1 preceding),
        this_season as (
            partition by lineage_id, season order by race_date rows between unbounded preceding and 1 preceding
        ),
        this_circuit as (
            partition by lineage_id, circuit_id order by race_date rows between unbounded preceding and 1 preceding
        )
),

targets as (
    select
        ent.race_key,
        ent.asset_id as constructor_id,
        ent.lineage_id,
        ent.fantasy_price_musd,
        rac.season,
        rac.race_date,
        rac.circuit_type,
        rac.has_sprint,
        rac.season_progress_share,
    from race_entry as ent
    inner join race as rac on ent.race_key = rac.race_key
    where ent.asset_type = 'constructor'
),

sprint_form as (
    select
        tar.race_key,
        tar.constructor_id,
        list_avg(arg_max(per.sprint_points, rac.race_date, 3)) as last_3_sprint_mean_points,
    from targets as tar
    inner join performances as per on tar.lineage_id = per.lineage_id and per.had_sprint
    inner join race as rac on per.race_key = rac.race_key and tar.race_date > rac.race_date
    group by tar.race_key, tar.constructor_id
),

driver_form as (
    select
        race_key,
        constructor_id,
        avg(last_5_mean_points) as drivers_last_5_mean_points,
        min(practice_gap_pct) as practice_gap_pct,
        max(practice_session_count) as practice_session_count,
    from driver_race_feature
    group by race_key, constructor_id
)

select
    tar.race_key,
    tar.constructor_id,
    tar.season,
    tar.race_date,
    cast(tar.fantasy_price_musd as double) as price_musd,
    frm.start_count,
    frm.last_3_mean_points,
    frm.last_5_mean_points,
    frm.last_10_stddev_points,
    frm.season_mean_points,
    frm.last_5_points_per_million,
    frm.trend_points_per_million,
    frm.last_3_price_change_musd,
    dri.drivers_last_5_mean_points,
    frm.circuit_mean_points,
    frm.circuit_stddev_points,
    frm.circuit_start_count,
    tar.circuit_type,
    tar.has_sprint,
    tar.season_progress_share,
    frm.last_5_qualifying_mean_points,
    spr.last_3_sprint_mean_points,
    frm.last_5_race_mean_points,
    frm.last_5_overtakes_mean_count,
    frm.last_10_dnf_share,
    frm.last_5_positions_gained_mean_count,
    frm.last_5_pit_stop_mean_points,
    dri.practice_gap_pct,
    coalesce(dri.practice_session_count, 0) as practice_session_count,
from targets as tar
inner join form as frm on tar.race_key = frm.race_key and tar.lineage_id = frm.lineage_id
left join sprint_form as spr on tar.race_key = spr.race_key and tar.constructor_id = spr.constructor_id
left join driver_form as dri on tar.race_key = dri.race_key and tar.constructor_id = dri.constructor_id
