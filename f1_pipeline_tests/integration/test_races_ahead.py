"""Later races on the committed facts: which races, whose rows, and how near points and prices come."""

from __future__ import annotations

import pandas as pd
import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline_tests.support import read_rows

TABLE = "predictions.later_race_points"
KEYS = ["race_key", "asset_type", "asset_id"]
TARGET = {"race_key": "target_race_key"}
POINTS = "select race_key, asset_type, asset_id, total_points as points from marts.race_leaderboard"
PRICES = "select race_key, asset_type, asset_id, fantasy_price_musd as price_musd from staging.price"
BASELINE = """
    select race_key, asset_type, asset_id, expected_points as carried_points from predictions.baseline_points
    where baseline = 'ewma_price_prior'
"""


@pytest.fixture(scope="module")
def later(complete: Pipeline) -> pd.DataFrame:
    """The table beside what was known at the lock and what came true."""
    with complete.warehouse.read() as connection:
        prices = read_frame(connection, PRICES)
        prices = prices.astype({"price_musd": float})
        rows = read_table(connection, TABLE).merge(read_frame(connection, BASELINE), on=KEYS)
        rows = rows.merge(prices.rename(columns={"price_musd": "price_now_musd"}), on=KEYS)
        for truth in (read_frame(connection, POINTS), prices):
            rows = rows.merge(truth.rename(columns=TARGET), on=["target_race_key", *KEYS[1:]], how="left")
        return rows


def test_the_targets_are_the_races_that_the_calendar_still_has(complete: Pipeline, later: pd.DataFrame) -> None:
    races = pd.DataFrame(read_rows(complete.settings.data_dir / "races.csv")[1])
    calendar = races.query("is_cancelled == 'false'").sort_values("race_date")
    for race_key, rows in later.groupby("race_key"):
        season = calendar.loc[calendar["race_key"].str[:4] == str(race_key)[:4], "race_key"].tolist()
        expected = season[season.index(race_key) :]
        found = rows[["races_ahead", "target_race_key"]].drop_duplicates().sort_values("races_ahead")
        assert found["target_race_key"].tolist() == expected
        assert found["races_ahead"].tolist() == list(range(len(expected)))


def test_every_target_has_every_asset_on_sale(complete: Pipeline, later: pd.DataFrame) -> None:
    with complete.warehouse.read() as connection:
        on_sale = read_frame(connection, PRICES).groupby("race_key").size()
    sizes = later.groupby(["race_key", "target_race_key"]).size()
    assert (sizes == on_sale.reindex(sizes.index.get_level_values("race_key")).to_numpy()).all()


def test_the_race_itself_has_its_published_forecast_and_price(complete: Pipeline, later: pd.DataFrame) -> None:
    own = later[later["races_ahead"] == 0]
    with complete.warehouse.read() as connection:
        published = read_frame(connection, "select * from predictions.asset_points")
    both = own.merge(published, on=KEYS, suffixes=("", "_published"))
    assert len(both) == len(own) > 900
    assert (both["expected_points"] == both["expected_points_published"]).all()
    assert (both["sd_points"] == both["sd_points_published"]).all()
    assert (own["expected_price_musd"] == own["price_now_musd"]).all()


def test_a_sprint_brings_points(complete: Pipeline, later: pd.DataFrame) -> None:
    rows = later[later["races_ahead"].between(1, 5) & (later["asset_type"] == "driver")]
    with complete.warehouse.read() as connection:
        has_sprint = read_frame(connection, "select race_key, has_sprint from core.race").set_index("race_key")
    mean = rows.groupby(has_sprint["has_sprint"].reindex(rows["target_race_key"]).to_numpy())["expected_points"].mean()
    assert 2 < mean[True] - mean[False] < 6


@pytest.mark.parametrize("asset_type", ["driver", "constructor"])
def test_points_are_no_worse_than_the_baseline_carried_forward(later: pd.DataFrame, asset_type: str) -> None:
    rows = later[later["races_ahead"].between(1, 5) & (later["asset_type"] == asset_type)].dropna(subset="points")
    own, carried = ((rows[name] - rows["points"]).abs().mean() for name in ("expected_points", "carried_points"))
    assert 0.93 < own / carried < 1.01


@pytest.mark.parametrize("asset_type", ["driver", "constructor"])
def test_prices_are_nearer_than_those_of_today_and_spread_further_the_later(
    later: pd.DataFrame, asset_type: str
) -> None:
    rows = later[later["asset_type"] == asset_type].dropna(subset="price_musd")
    error, stays = (
        (rows[name] - rows["price_musd"]).abs().groupby(rows["races_ahead"]).mean()
        for name in ("expected_price_musd", "price_now_musd")
    )
    assert (error[1:6] < 0.9 * stays[1:6]).all()
    assert rows.groupby("races_ahead")["sd_price_musd"].mean()[:6].is_monotonic_increasing
