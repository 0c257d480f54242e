"""The baselines on all committed races give the figures that were published for them."""

from pathlib import Path

import pandas as pd
import pytest

from f1_pipeline.forecast.baselines import baseline_points
from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.sources.bundle import load_fact_table

DATA_DIR = Path(__file__).parents[2] / "data"
ASSET = ["race_key", "asset_type", "asset_id"]
RULES = LineupRules(driver_count=5, constructor_count=2, budget_tenths=1000, boost_multiplier=2)


def facts(name: str) -> pd.DataFrame:
    return load_fact_table(DATA_DIR, name).to_pandas()


@pytest.fixture(scope="module")
def menu() -> pd.DataFrame:
    races = facts("races")[["race_key", "season", "round_number", "race_date"]]
    lineage = facts("constructors").set_index("constructor_id")["lineage_id"]
    prices = facts("prices")[[*ASSET, "price_musd"]].merge(races, on="race_key")
    prices["price_tenths"] = (prices["price_musd"] * 10).astype(int)
    prices["price_musd"] = prices["price_musd"].astype("float64")
    prices["lineage_id"] = prices["asset_id"].map(lineage).fillna(prices["asset_id"])
    return prices


@pytest.fixture(scope="module")
def performance(menu) -> pd.DataFrame:
    totals = facts("official_totals")[[*ASSET, "total_points"]].rename(columns={"total_points": "points"})
    return menu.merge(totals, on=ASSET)


@pytest.fixture(scope="module")
def compared(menu, performance) -> pd.DataFrame:
    """Forecast and scored points from round 4 of each season on."""
    both = baseline_points(performance, menu).merge(performance, on=ASSET)
    return both[(both["round_number"] >= 4) & (both["season"] <= 2025)]


@pytest.mark.parametrize(
    ("asset_type", "baseline", "figures"),
    [
        ("driver", "ewma_price_prior", [10.30, 8.72, 10.31]),
        ("constructor", "ewma_price_prior", [15.42, 14.11, 17.17]),
    ],
)
def test_mean_absolute_errors_by_season(compared, asset_type, baseline, figures):
    rows = compared[(compared["asset_type"] == asset_type) & (compared["baseline"] == baseline)]
    errors = (rows["expected_points"] - rows["points"]).abs().groupby(rows["season"]).mean()
    assert errors.round(2).to_dict() == dict(zip((2023, 2024, 2025), figures, strict=True))


def test_line_up_points_per_race_by_season(compared):
    rows = compared[compared["baseline"] == "ewma_price_prior"]
    scored: dict[int, list[float]] = {}
    for (season, race_key), race in rows.groupby(["season", "race_key"]):
        actual = race.set_index(["asset_type", "asset_id"])["points"]
        problem = LineupProblem.from_frame(
            race.drop(columns="points").rename(columns={"expected_points": "points"}), RULES, race_key=race_key
        )
        lineup = best_lineups(problem, 1)[0].lineup
        points = sum(actual[key] for key in lineup.asset_keys) + actual["driver", lineup.boosted_driver]
        scored.setdefault(season, []).append(points)
    means = {season: round(sum(points) / len(points), 1) for season, points in scored.items()}
    assert means == {2023: 255.9, 2024: 160.8, 2025: 165.2}


def test_every_asset_of_every_race_gets_three_finite_forecasts(menu, performance):
    found = baseline_points(performance, menu)
    assert len(found) == 3 * len(menu) == 3 * 2298
    assert found["expected_points"].notna().all()
    assert not found.duplicated([*ASSET, "baseline"]).any()


def test_later_races_change_nothing(menu, performance):
    cut = pd.Timestamp("2024-06-01")
    dates = pd.to_datetime(performance["race_date"])
    early = menu[pd.to_datetime(menu["race_date"]) < cut]
    from_all, from_past = baseline_points(performance, early), baseline_points(performance[dates < cut], early)
    pd.testing.assert_frame_equal(from_all, from_past)
