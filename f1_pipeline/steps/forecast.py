"""Steps that forecast points: the baselines, the points models of each race, and what every candidate expects.

Neighbours: `steps.weekends` simulates, `forecast` computes and tracks, `steps.publish` chooses and publishes. What a
race's model may see is decided here once more: rows of strictly earlier races.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.steps.weekends import WEEKEND_MODEL_TABLE, weekend_models
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

PERFORMANCES = """
    select per.race_key, rac.race_date, rac.season, 'driver' as asset_type, per.driver_id as asset_id,
        per.driver_id as lineage_id, cast(per.fantasy_price_musd as double) as price_musd,
        per.total_points as points
    from core.driver_race_performance as per
    inner join core.race as rac using (race_key)
    union all
    select per.race_key, rac.race_date, rac.season, 'constructor' as asset_type, per.constructor_id as asset_id,
        con.lineage_id, cast(per.fantasy_price_musd as double) as price_musd, per.total_points as points
    from core.constructor_race_performance as per
    inner join core.race as rac using (race_key)
    inner join core.constructor as con using (constructor_id)
"""
MENU = """
    select ent.race_key, rac.race_date, rac.season, ent.asset_type, ent.asset_id, ent.lineage_id,
        cast(ent.fantasy_price_musd as double) as price_musd
    from core.race_entry as ent
    inner join core.race as rac using (race_key)
    where list_contains($race_keys, ent.race_key)
    order by rac.race_date, ent.asset_type, ent.asset_id
"""
TRAINING_ROWS = """
    with race_features as (
        select race_key, 'driver' as asset_type, driver_id as asset_id, price_musd, last_5_mean_points,
            last_5_qualifying_mean_points, last_5_race_mean_points, last_5_overtakes_mean_count, circuit_mean_points,
            trend_points_per_million, has_sprint
        from features.driver_race_feature
        union all by name
        select race_key, 'constructor' as asset_type, constructor_id as asset_id, price_musd, last_5_mean_points,
            last_5_qualifying_mean_points, last_5_race_mean_points, last_5_overtakes_mean_count, circuit_mean_points,
            trend_points_per_million, has_sprint
        from features.constructor_race_feature
    ),
    baselines as (
        select race_key, asset_type, asset_id,
            max(expected_points) filter (where baseline = 'ewma_price_prior') as ewma_price_prior_points,
            max(expected_points) filter (where baseline = 'price_only') as price_only_points,
            max(expected_points) filter (where baseline = 'season_mean') as season_mean_points
        from predictions.baseline_points
        group by race_key, asset_type, asset_id
    ),
    points as (
        select race_key, 'driver' as asset_type, driver_id as asset_id, total_points as points
        from core.driver_race_performance
        union all
        select race_key, 'constructor' as asset_type, constructor_id as asset_id, total_points as points
        from core.constructor_race_performance
    )
    select rac.race_date, rac.season, sim.phase, bas.*, sim.mean_points as strength_points,
        sim.sd_points as strength_sd_points, sim.mean_points - bas.ewma_price_prior_points as strength_gap_points,
        fea.* exclude (race_key, asset_type, asset_id), wee.race_strength, wee.teammate_strength_gap,
        wee.retirement_probability, wee.circuit_overtakes_factor, wee.pit_stop_s, poi.points
    from predictions.simulated_points as sim
    inner join core.race as rac using (race_key)
    inner join baselines as bas using (race_key, asset_type, asset_id)
    inner join race_features as fea using (race_key, asset_type, asset_id)
    inner join features.weekend_feature as wee using (race_key, phase, asset_type, asset_id)
    left join points as poi using (race_key, asset_type, asset_id)
    order by rac.race_date, sim.race_key, sim.phase, sim.asset_type, sim.asset_id
"""
LEARNT_FROM = (
    "features.driver_race_feature",
    "features.constructor_race_feature",
    "features.weekend_feature",
    "predictions.baseline_points",
    "predictions.simulated_points",
)
TRAINED = ("ridge", "boosting")
HISTORY = ("core.driver_race_performance", "core.constructor_race_performance")


def forecast_baselines(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Forecast every asset on sale by the three baselines.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.baseline_points`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When the points of an earlier race are missing.
    """
    from f1_pipeline.forecast.baselines import baseline_points

    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, HISTORY, race_keys)
        performances = read_frame(connection, PERFORMANCES)
        menu = read_frame(connection, MENU, {"race_keys": list(race_keys)})
    return run_model(pipeline, table, race_keys, baseline_points(performances, menu))


def training_rows(pipeline: Pipeline) -> pd.DataFrame:
    """Read features, baselines, simulated points and, where the race is over, the points of every asset and phase.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    DataFrame
        One row per race, phase and asset: `points_model.KEYS`, `feature_sets.FEATURES`, and `points`, missing where
        the race is not over or the asset took no part; by date, phase and asset.

    Raises
    ------
    WarehouseError
        When there is no warehouse.
    """
    with pipeline.warehouse.read() as connection:
        return read_frame(connection, TRAINING_ROWS)


def train_candidates(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Train the points models of each race on the races before it, or find those that were trained on the same.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `models.points_model`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With a link to each candidate.

    Raises
    ------
    WarehouseError
        When features, simulations or points of an earlier race are missing, or a race has no weekend model.
    """
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, (*LEARNT_FROM, *HISTORY), race_keys)
        weekends = read_table(connection, WEEKEND_MODEL_TABLE).set_index("race_key")
    rows = training_rows(pipeline)
    if len(race_keys) > 1:
        pipeline.tracking.prefetch()
    candidates: list[dict[str, object]] = []
    of_race = dict(weekend_models(pipeline, race_keys))
    for race_key, learnt in _learnt(pipeline, of_race, rows):
        mark = weekends.at[race_key, "fingerprint"]
        own = [{"race_key": race_key, "candidate": "strength", "model_uri": of_race[race_key], "fingerprint": mark}]
        own += learnt
        own.append(_average(pipeline, race_key, own))
        candidates += own
    models = pd.DataFrame(candidates, columns=list(pipeline.contracts[table].column_names))
    report = run_model(pipeline, table, race_keys, with_nulls(models))
    details: dict[str, dict[str, float | str | None]] = {}
    for own in candidates:
        details.setdefault(str(own["race_key"]), {})[str(own["candidate"])] = f"`{own['model_uri']}`"
    return replace(report, details=details)


def _learnt(
    pipeline: Pipeline, parents: Mapping[str, str], rows: pd.DataFrame
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Train what is not kept yet, wherever there is room, and keep it race by race, so that versions are in order."""
    from f1_pipeline.forecast.model_records import lessons, taught

    wanted = {key: lessons(TRAINED, key, pipeline.calendar.get(key).race_date, rows) for key in parents}
    uris = {each.fingerprint: pipeline.tracking.find(each.fingerprint) for own in wanted.values() for each in own}
    missing = [lesson for own in wanted.values() for lesson in own if uris[lesson.fingerprint] is None]
    records = spread(pipeline.settings, taught, missing, rows)
    for race_key, parent in parents.items():
        yield (
            race_key,
            [
                {
                    "race_key": race_key,
                    "candidate": lesson.kind,
                    "model_uri": uris[lesson.fingerprint] or pipeline.tracking.log_model(next(records), parent),
                    "fingerprint": lesson.fingerprint,
                    "training_row_count": lesson.row_count,
                    "last_training_race_key": lesson.last_race_key,
                }
                for lesson in wanted[race_key]
            ],
        )


def _average(pipeline: Pipeline, race_key: str, others: Sequence[dict[str, object]]) -> dict[str, object]:
    from f1_pipeline.forecast.model_records import AVERAGE, AVERAGE_PARTS, average_record

    marks = {str(other["candidate"]): str(other["fingerprint"]) for other in others}
    race_date = pipeline.calendar.get(race_key).race_date.isoformat()
    record = average_record(race_key, race_date, {part: marks.get(part, part) for part in AVERAGE_PARTS})
    parent = str(others[0]["model_uri"])
    uri = pipeline.tracking.find(record.fingerprint) or pipeline.tracking.log_model(record, parent)
    return {"race_key": race_key, "candidate": AVERAGE, "model_uri": uri, "fingerprint": record.fingerprint}


def forecast_candidates(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Forecast every asset on sale with every candidate of its race, at each phase.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.candidate_points`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a race has no models or no features.
    """
    from f1_pipeline.forecast.feature_sets import PRIOR_FEATURE, STRENGTH_FEATURE
    from f1_pipeline.forecast.points_model import expected_points

    with pipeline.warehouse.read() as connection:
        models = read_table(connection, "models.points_model").set_index(["race_key", "candidate"])["model_uri"]
    rows_by_race = dict(list(training_rows(pipeline).groupby("race_key")))
    parts = []
    for race_key in race_keys:
        if race_key not in rows_by_race or race_key not in models.index:
            raise WarehouseError(f"{race_key}: expected points models and features, found none")
        rows, uris = rows_by_race[race_key], models[race_key]
        prior = rows[PRIOR_FEATURE].to_numpy(dtype=float)
        expected = {"strength": rows[STRENGTH_FEATURE].to_numpy(dtype=float)}
        for kind in TRAINED:
            expected[kind] = expected_points(pipeline.tracking.load_estimator(uris[kind]), rows)
        expected["average"] = np.mean([expected["strength"], expected["ridge"], prior], axis=0)
        for candidate, points in expected.items():
            own = rows[["race_key", "phase", "asset_type", "asset_id"]]
            parts.append(own.assign(candidate=candidate, expected_points=points, model_uri=uris[candidate]))
    return run_model(pipeline, table, race_keys, pd.concat(parts, ignore_index=True))
