"""Made-up forecasts for tests of the models and of tracking: training rows, and a small weekend.

Belongs here: data only, the same at every call. Points of the rows follow the prior and one feature with repeatable
noise, so that a model has something to learn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_pipeline.forecast.feature_sets import FEATURES, GAP_FEATURE, PRIOR_FEATURE
from f1_pipeline.forecast.outlook import LaterOutlook, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE
from f1_pipeline.forecast.weekend_model import WeekendModel

TYPES = ("driver", "constructor")


def race(
    race_key: str,
    race_date: str,
    points: np.ndarray | None = None,
    *,
    asset_type: str = "driver",
    phase: str = AT_LOCK,
    asset_count: int = 10,
    **features: object,
) -> pd.DataFrame:
    """Make the rows of one race, type and phase: every feature 1 and the prior 10, unless given.

    Parameters
    ----------
    race_key, race_date, asset_type, phase : str
        Keys; the season is the year of the date.
    points : ndarray of shape (asset_count,), optional
        Missing without.
    asset_count : int
        Number of assets.
    **features : object
        Columns that differ, one value or one per asset.

    Returns
    -------
    DataFrame
        Keys, features and points.
    """
    frame = pd.DataFrame(
        {name: np.ones(asset_count) for name in FEATURES} | {PRIOR_FEATURE: np.full(asset_count, 10.0)}
    )
    keys = {
        "race_key": race_key,
        "race_date": pd.Timestamp(race_date),
        "season": int(race_date[:4]),
        "asset_type": asset_type,
        "phase": phase,
        "asset_id": [f"{asset_type}-{place:02d}" for place in range(asset_count)],
    }
    return frame.assign(**keys, **features, points=np.nan if points is None else points)  # type: ignore[arg-type]


def training_rows(
    races_per_season: dict[int, int], asset_count: int = 10, phases: tuple[str, ...] = (BEFORE_PRACTICE, AT_LOCK)
) -> pd.DataFrame:
    """Make races a week apart from 1 March, with noise in every feature and a fifth of some of them missing."""
    random = np.random.default_rng(7)
    frames = []
    for season, race_count in races_per_season.items():
        for number in range(race_count):
            date = pd.Timestamp(f"{season}-03-01") + pd.Timedelta(weeks=number)
            for asset_type in TYPES:
                price = 5.0 + 2.5 * np.arange(asset_count)
                prior = 0.9 * price + random.normal(size=asset_count)
                better = random.normal(0, 5, asset_count)
                points = np.round(prior + better + random.normal(0, 4, asset_count))
                for phase in phases:
                    values = {name: random.normal(size=asset_count) for name in FEATURES}
                    values |= {
                        PRIOR_FEATURE: prior,
                        GAP_FEATURE: better + random.normal(0, 5 if phase == BEFORE_PRACTICE else 2, asset_count),
                        "price_musd": price,
                        "has_sprint": np.full(asset_count, number % 3 == 0),
                        "circuit_mean_points": np.where(random.random(asset_count) < 0.2, np.nan, 0.5 * price),
                    }
                    key = f"{season}-race-{number:02d}"
                    frames.append(
                        race(
                            key,
                            str(date.date()),
                            points,
                            asset_type=asset_type,
                            phase=phase,
                            asset_count=asset_count,
                            **values,
                        )
                    )
    return pd.concat(frames, ignore_index=True)


def race_outlook(cars: int, generator: np.random.Generator, *, is_known: bool = False) -> RaceOutlook:
    """Make up a race; a known one has a grid and a result."""
    return RaceOutlook(
        noise_sd=float(generator.uniform(0.1, 1)),
        grid_weight=float(generator.random()),
        retirement_logit=generator.normal(-2, 1, cars),
        overtakes=generator.uniform(0, 9, (cars + 1, cars + 1)),
        overtakes_sd=0.4,
        start=(generator.permutation(cars) + 1).astype(np.int8) if is_known else None,
        position=generator.permutation(cars).astype(np.int8) if is_known else None,
    )


def weekend_outlook(cars: int = 4, seed: int = 0, *, has_sprint: bool = True, is_known: bool = False) -> WeekendOutlook:
    """Make up a weekend; in a known one qualifying and the sprint are over."""
    generator = np.random.default_rng(seed)
    crews = (cars + 1) // 2
    root = generator.normal(size=(2 * cars, 2 * cars))
    return WeekendOutlook(
        team=(np.arange(cars) // 2).astype(np.int8),
        constructor_count=crews,
        strength_mean=generator.normal(size=2 * cars),
        strength_covariance=root @ root.T,
        qualifying_sd=0.1 + 0.2,
        no_time_rate=1 / 3,
        qualifying_position=generator.permutation(cars).astype(np.int8) if is_known else None,
        grid_drops=np.array([[0.01, 3.0], [0.02, 5.0], [0.03, 30.0]]),
        race=race_outlook(cars, generator),
        sprint=race_outlook(cars, generator, is_known=is_known) if has_sprint else None,
        attrition_sd=0.5,
        disqualified_rate=0.004,
        overtakes_factor=generator.uniform(0.5, 2, cars),
        fastest_lap_weight=generator.random(cars + 1),
        vote_weight=generator.random(cars),
        vote_by_place=generator.random(cars + 1),
        vote_per_place_gained=0.12,
        pit_log_ms=generator.uniform(7.6, 8.0, crews),
        pit_log_sd=0.15,
    )


def later_outlook(cars: int = 4, seed: int = 0) -> LaterOutlook:
    """Make up what is believed of later races, at one known circuit and one without passes on record."""
    root = np.random.default_rng(seed).normal(size=(2 * cars, 2 * cars))
    return LaterOutlook(
        weekend=weekend_outlook(cars, seed),
        drift_covariance=0.01 * root @ root.T,
        form_covariance=0.1 * root @ root.T,
        retirement_shift={"spa": 1 / 3, "monza": -0.1},
        overtakes_factor={"spa": 1.1},
        overtakes_sd=0.35,
    )


def weekend_model(race_key: str = "2026-one", seed: int = 0, cars: int = 4, *, has_sprint: bool = True) -> WeekendModel:
    """Make up a model of all three phases."""
    outlooks = {
        BEFORE_PRACTICE: weekend_outlook(cars, seed, has_sprint=has_sprint),
        AT_LOCK: weekend_outlook(cars, seed + 1, has_sprint=has_sprint),
        AFTER_QUALIFYING: weekend_outlook(cars, seed + 2, has_sprint=has_sprint, is_known=True),
    }
    return WeekendModel(
        race_key=race_key,
        drivers=tuple(f"driver-{at}" for at in range(cars)),
        constructors=tuple(f"constructor-{at}" for at in range((cars + 1) // 2)),
        outlooks=outlooks,
        known_until={
            BEFORE_PRACTICE: None,
            AT_LOCK: pd.Timestamp("2026-03-07T04:00Z"),
            AFTER_QUALIFYING: pd.Timestamp("2026-03-07T06:00Z"),
        },
        later=later_outlook(cars, seed + 3),
        notes={
            BEFORE_PRACTICE: ("no practice known", "new team: zebra"),
            AT_LOCK: ("new team: zebra",),
            AFTER_QUALIFYING: (),
        },
        features=pd.DataFrame({"phase": list(outlooks), "race_key": race_key}),
    )
