"""What a points model may look at, and the version of that list.

Belongs here: names only. The values are made in SQL (`features.*_race_feature`), by the weekend model
(`features.weekend_feature`), by its simulation and by the baselines; `steps.forecast` joins them. Neighbour:
`forecast.points_model`.
"""

from __future__ import annotations

FEATURE_SET_VERSION = "3"
"""Changes whenever a column is added, dropped or redefined, so that no model of an older set is reused."""

PRIOR_FEATURE = "ewma_price_prior_points"
"""The baseline that a points model starts from and departs from as evidence grows."""

STRENGTH_FEATURE = "strength_points"
"""Mean points of the simulation at the phase of the row."""

GAP_FEATURE = "strength_gap_points"
"""What the simulation expects beyond the prior: the first thing that a departure from the prior should look at."""

BASELINE_FEATURES = (PRIOR_FEATURE, "price_only_points", "season_mean_points")
"""Forecasts of the three baselines."""

RACE_FEATURES = (
    "price_musd",
    "last_5_mean_points",
    "last_5_qualifying_mean_points",
    "last_5_race_mean_points",
    "last_5_overtakes_mean_count",
    "circuit_mean_points",
    "trend_points_per_million",
    "has_sprint",
)
"""Columns of both `features.driver_race_feature` and `features.constructor_race_feature`."""

WEEKEND_FEATURES = (
    "race_strength",
    "teammate_strength_gap",
    "retirement_probability",
    "circuit_overtakes_factor",
    "pit_stop_s",
)
"""Columns of `features.weekend_feature`, known at the phase of the row."""

FEATURES = (
    *BASELINE_FEATURES,
    STRENGTH_FEATURE,
    "strength_sd_points",
    GAP_FEATURE,
    *RACE_FEATURES,
    *WEEKEND_FEATURES,
)
"""Everything a points model looks at, all numbers; the rest of the feature tables is for people to explore."""
