"""The simulation alone, walk-forward on every race: better than the baseline, calibrated, better the more is known.

Ratios are to `ewma_price_prior` on the same races and assets, from the fourth race of a season on. The better ends of
the ranges are what actual qualifying, leaked into a forecast, would reach: a forecast beyond them knows the future.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from f1_pipeline.forecast.evaluation import crps
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE
from f1_pipeline.forecast.simulation import simulate_points
from f1_pipeline.forecast.weekend_model import learn_weekends
from f1_pipeline.steps.weekends import weekend_history
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import finished_keys

DRAWS = 1000
SCORED = """
    select lea.race_key, lea.asset_type, lea.asset_id, lea.total_points as points, bas.expected_points as baseline
    from marts.race_leaderboard as lea
    inner join predictions.baseline_points as bas using (race_key, asset_type, asset_id)
    inner join (
        select race_key, row_number() over (partition by season order by race_date) as race_of_season
        from core.race
        where not is_cancelled
    ) as rac using (race_key)
    where bas.baseline = 'ewma_price_prior' and rac.race_of_season >= 4
"""


@pytest.fixture(scope="module")
def judged(history: History) -> pd.DataFrame:
    """One row per race, phase and asset that scored: the simulation's figures beside the points."""
    pipeline, keys = history.pipeline, finished_keys(history.pipeline)
    with pipeline.warehouse.read() as connection:
        scored = read_frame(connection, SCORED)
    rows = []
    for race_key, model in learn_weekends(weekend_history(pipeline, keys), keys).items():
        names = {
            "asset_type": ["driver"] * len(model.drivers) + ["constructor"] * len(model.constructors),
            "asset_id": [*model.drivers, *model.constructors],
        }
        for number, (phase, outlook) in enumerate(model.outlooks.items()):
            drawn = simulate_points(outlook, pipeline.rules(race_key), DRAWS, number)
            points = np.concatenate([drawn.driver_points, drawn.constructor_points], axis=1)
            own = pd.DataFrame({"race_key": race_key, "phase": phase, **names, "mean": points.mean(axis=0)})
            own["median"] = np.median(points, axis=0)
            own["low"], own["high"] = np.quantile(points, (0.1, 0.9), axis=0)
            own = own.assign(draws=list(points.T)).merge(scored, on=["race_key", "asset_type", "asset_id"])
            if len(own):
                rows.append(
                    own.assign(crps=crps(np.stack(own["draws"].to_list()), own["points"].to_numpy(dtype=float)))
                )
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize(("asset_type", "best", "worst"), [("driver", 0.95, 0.98), ("constructor", 0.93, 1.0)])
def test_the_median_is_nearer_than_the_baseline_but_not_suspiciously(
    judged: pd.DataFrame, asset_type: str, best: float, worst: float
) -> None:
    rows = judged[(judged["phase"] == AT_LOCK) & (judged["asset_type"] == asset_type)]
    ratio = (rows["median"] - rows["points"]).abs().mean() / (rows["baseline"] - rows["points"]).abs().mean()
    assert best < ratio < worst


def test_the_more_is_known_the_sharper_is_the_forecast(judged: pd.DataFrame) -> None:
    mean = judged.groupby("phase")["crps"].mean()
    assert mean[AFTER_QUALIFYING] < mean[AT_LOCK] < mean[BEFORE_PRACTICE]


@pytest.mark.parametrize("asset_type", ["driver", "constructor"])
def test_eight_of_ten_scores_fall_into_the_range(judged: pd.DataFrame, asset_type: str) -> None:
    rows = judged[(judged["phase"] == AT_LOCK) & (judged["asset_type"] == asset_type)]
    assert 0.75 < rows["points"].between(rows["low"], rows["high"]).mean() < 0.86


def test_every_season_from_the_fourth_race_on_is_judged(judged: pd.DataFrame) -> None:
    lock = judged[judged["phase"] == AT_LOCK].drop_duplicates("race_key")
    assert lock["race_key"].str[:4].value_counts().to_dict() == {"2023": 19, "2024": 21, "2025": 21, "2026": 2}
