"""What a points model may look at: the feature columns of drivers and constructors, and their version.

Belongs here: names only, split by how they are prepared. The values are made in SQL
(`features.*_race_feature`); the two baseline forecasts that ride along as features are made by
`forecast.baselines`. The neighbour `forecast.points_model` turns a feature set into a pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

from f1_pipeline.errors import UsageError

FEATURE_SET_VERSION = "2"
"""Changes whenever a column is added, dropped or redefined, so that no model of an older set is reused."""

PRIOR_FEATURE = "ewma_price_prior_points"
"""The baseline that a points model starts from and departs from as evidence grows."""

BASELINE_FEATURES = (PRIOR_FEATURE, "price_only_points")
"""Forecasts of two baselines, joined to the features of a race before training and prediction."""

_SHARED_NUMERIC = (
    "price_musd",
    "start_count",
    "last_3_mean_points",
    "last_5_mean_points",
    "last_10_stddev_points",
    "season_mean_points",
    "last_5_points_per_million",
    "trend_points_per_million",
    "last_3_price_change_musd",
    "circuit_mean_points",
    "circuit_stddev_points",
    "circuit_start_count",
    "season_progress_share",
    "last_5_qualifying_mean_points",
    "last_3_sprint_mean_points",
    "last_5_race_mean_points",
    "last_5_overtakes_mean_count",
    "last_10_dnf_share",
    "last_5_positions_gained_mean_count",
    "practice_gap_pct",
)


@dataclass(frozen=True)
class FeatureSet:
    """Feature columns of one asset type, by the preparation they need.

    Attributes
    ----------
    numeric : tuple of str
        Missing values become the training median; then standardised.
    categorical : tuple of str
        One-hot encoded; a value never seen in training becomes all zeros.
    boolean : tuple of str
        Taken as 0 or 1 and standardised like the numeric ones.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    boolean: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All feature columns: numeric, then boolean, then categorical."""
        return self.numeric + self.boolean + self.categorical


FEATURE_SETS: dict[str, FeatureSet] = {
    "driver": FeatureSet(
        numeric=(
            *_SHARED_NUMERIC,
            "teammate_last_5_mean_points",
            "constructor_last_5_mean_points",
            "last_5_qualifying_mean_position",
            *BASELINE_FEATURES,
        ),
        categorical=("circuit_type",),
        boolean=("has_sprint",),
    ),
    "constructor": FeatureSet(
        numeric=(
            *_SHARED_NUMERIC,
            "drivers_last_5_mean_points",
            "last_5_pit_stop_mean_points",
            *BASELINE_FEATURES,
        ),
        categorical=("circuit_type",),
        boolean=("has_sprint",),
    ),
}


def feature_set(asset_type: str) -> FeatureSet:
    """Return the feature set of an asset type.

    Parameters
    ----------
    asset_type : str
        `driver` or `constructor`.

    Returns
    -------
    FeatureSet

    Raises
    ------
    UsageError
        When the asset type is neither.
    """
    if asset_type not in FEATURE_SETS:
        raise UsageError(f"asset type: expected one of {sorted(FEATURE_SETS)}, found {asset_type!r}")
    return FEATURE_SETS[asset_type]
