"""Made-up training rows for tests of the points model and of tracking.

Belongs here: data only. Points follow price and form with repeatable noise, so a model has something to learn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_pipeline.forecast.feature_sets import feature_set


def training_rows(races_per_season: dict[int, int], asset_type: str = "driver", asset_count: int = 10) -> pd.DataFrame:
    """Make races a week apart from 1 March, with every feature and a fifth of some of them missing."""
    random = np.random.default_rng(7)
    features = feature_set(asset_type)
    frames = []
    for season, race_count in races_per_season.items():
        for number in range(race_count):
            frame = pd.DataFrame(random.normal(size=(asset_count, len(features.numeric))), columns=features.numeric)
            price = 5.0 + 2.5 * np.arange(asset_count)
            frame["price_musd"] = price
            frame["price_only_points"] = 0.8 * price
            frame["ewma_price_prior_points"] = 0.9 * price + random.normal(size=asset_count)
            frame["circuit_mean_points"] = np.where(random.random(asset_count) < 0.2, np.nan, 0.5 * price)
            frame["has_sprint"] = number % 3 == 0
            frame["circuit_type"] = "street" if number % 2 else "permanent"
            frame["points"] = np.round(price + 3 * frame["last_5_mean_points"] + random.normal(0, 8, asset_count))
            frame.insert(0, "asset_id", [f"asset-{place:02d}" for place in range(asset_count)])
            frame.insert(0, "season", season)
            frame.insert(0, "race_date", pd.Timestamp(f"{season}-03-01") + pd.Timedelta(weeks=number))
            frame.insert(0, "race_key", f"{season}-race-{number:02d}")
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)
