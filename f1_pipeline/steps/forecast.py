"""Steps that forecast: the baselines, a points model per race and asset type, the predictions.

Neighbours: `forecast` computes and tracks, `warehouse` brings and stores the rows. What a race's model may see is
decided here once more: rows of strictly earlier races.
"""

from __future__ import annotations

from collections.abc import Sequence

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
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
        performances = connection.execute(PERFORMANCES).df()
        menu = connection.execute(MENU, {"race_keys": list(race_keys)}).df()
    return run_model(pipeline, table, race_keys, baseline_points(performances, menu))


def train_points_models(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    raise NotImplementedError


def predict_points(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    raise NotImplementedError
