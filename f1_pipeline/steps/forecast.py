"""Steps that forecast: the baselines, a points model per race and asset type, the predictions.

Neighbours: `forecast` computes and tracks, `warehouse` brings and stores the rows. What a race's model may see is
decided here once more: rows of strictly earlier races.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.feature_sets import BASELINE_FEATURES
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

ASSET_TYPES = ("driver", "constructor")
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


def training_rows(pipeline: Pipeline, asset_type: str) -> pd.DataFrame:
    """Read the features, baselines and, where the race is over, the points of every asset and race.

    Parameters
    ----------
    pipeline : Pipeline
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    DataFrame
        One row per race and asset: race_key, race_date, season, asset_id, the feature columns, and `points`, missing
        where the race is not over or the asset took no part; by date and asset.

    Raises
    ------
    WarehouseError
        When there is no warehouse.
    """
    with pipeline.warehouse.read() as connection:
        features = read_table(connection, f"features.{asset_type}_race_feature")
        performances = read_table(connection, f"core.{asset_type}_race_performance")
        baselines = read_table(connection, "predictions.baseline_points")
    own = baselines[baselines["asset_type"] == asset_type]
    wide = own.pivot(index=["race_key", "asset_id"], columns="baseline", values="expected_points")
    wide = wide.add_suffix("_points")[list(BASELINE_FEATURES)]
    asset_id = f"{asset_type}_id"
    points = performances[["race_key", asset_id, "total_points"]]
    rows = features.merge(points, on=["race_key", asset_id], how="left")
    rows = rows.rename(columns={asset_id: "asset_id", "total_points": "points"})
    rows = rows.merge(wide.reset_index(), on=["race_key", "asset_id"], how="inner")
    return rows.sort_values(["race_date", "race_key", "asset_id"], ignore_index=True)


def train_points_models(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Train the points model of each race on the races before it, or find the one that was trained on the same.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `models.driver_points_model` or `models.constructor_points_model`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the cross-validated errors of each race's model.

    Raises
    ------
    WarehouseError
        When features, baselines or points of an earlier race are missing.
    """
    asset_type = table.removeprefix("models.").removesuffix("_points_model")
    history = (
        f"features.{asset_type}_race_feature",
        f"core.{asset_type}_race_performance",
        "predictions.baseline_points",
    )
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, history, race_keys)
    rows = training_rows(pipeline, asset_type)
    if len(race_keys) > 1:
        pipeline.tracking.prefetch()
    models = pd.DataFrame([_train(pipeline, asset_type, rows, race_key) for race_key in race_keys])
    latest = max(race_keys, key=lambda race_key: pipeline.calendar.get(race_key).race_date)
    report = run_model(pipeline, table, race_keys, models)
    pipeline.tracking.promote(models.set_index("race_key").at[latest, "model_uri"])
    figures = models.set_index("race_key")[["training_row_count", "cv_mae_points", "cv_rmse_points"]]
    details = {key: row.dropna().to_dict() for key, row in figures.iterrows()}
    links = {key: {"model": f"`{uri}`"} for key, uri in zip(models["race_key"], models["model_uri"], strict=True)}
    return replace(report, details={key: details[key] | links[key] for key in race_keys})


def _train(pipeline: Pipeline, asset_type: str, rows: pd.DataFrame, race_key: str) -> dict[str, object]:
    from f1_pipeline.forecast.fingerprint import fingerprint
    from f1_pipeline.forecast.points_model import train

    race = pipeline.calendar.get(race_key)
    mark = fingerprint(rows, asset_type, race_key, race.race_date)
    model_uri = pipeline.tracking.find(mark)
    if model_uri is None:
        model_uri = pipeline.tracking.log_training(train(rows, asset_type, race_key, race.race_date), mark)
    return {"race_key": race_key, "model_uri": model_uri, "fingerprint": mark} | pipeline.tracking.summary(model_uri)


def predict_points(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Forecast every asset on sale with the models of its race.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.asset_points`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a race has no model or no features.
    """
    predictions = [_predict(pipeline, asset_type, race_keys) for asset_type in ASSET_TYPES]
    return run_model(pipeline, table, race_keys, pd.concat(predictions, ignore_index=True))


def _predict(pipeline: Pipeline, asset_type: str, race_keys: Sequence[str]) -> pd.DataFrame:
    from f1_pipeline.forecast.points_model import predict

    with pipeline.warehouse.read() as connection:
        models = read_table(connection, f"models.{asset_type}_points_model").set_index("race_key")["model_uri"]
    rows = dict(list(training_rows(pipeline, asset_type).groupby("race_key")))
    parts = []
    for race_key in race_keys:
        if race_key not in models.index or race_key not in rows:
            raise WarehouseError(f"{race_key}: expected a {asset_type} points model and features, found none")
        uri = models[race_key]
        forecast = predict(pipeline.tracking.load_forecaster(uri), rows[race_key])
        parts.append(forecast.assign(race_key=race_key, asset_type=asset_type, model_uri=uri))
    return pd.concat(parts, ignore_index=True)
