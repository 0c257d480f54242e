"""What a points model can be tuned by.

Belongs here: the settings and their defaults. Who obeys them is `forecast.points_model` and
`forecast.cross_validation`. The weight of the prior gave the least error on 2023–24 among 10, 20 and 40 races; error
hardly depends on the penalties between 100 and 600 or on the half-life between 30 and 1000 races.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class PointsModelSettings:
    """Everything a points model can be tuned by.

    Attributes
    ----------
    alphas : tuple of float
        Ridge penalties to choose from by cross-validated squared error, on standardised features.
    half_life_races : float
        A training row this many races old weighs half as much as the newest one.
    prior_races : float
        Recency-weighted races of history at which ridge and prior weigh the same.
    min_races_for_cv : int
        With fewer races there is no cross-validation, and the prior's own errors stand in for the residuals.
    max_race_folds : int
        Folds within a single season; with several seasons each season is a fold.
    """

    alphas: tuple[float, ...] = (100.0, 200.0, 400.0)
    half_life_races: float = 60.0
    prior_races: float = 20.0
    min_races_for_cv: int = 3
    max_race_folds: int = 5


DEFAULT_SETTINGS = PointsModelSettings()


def settings_dict(settings: PointsModelSettings) -> dict[str, object]:
    """List the settings by name, for logs and fingerprints.

    Parameters
    ----------
    settings : PointsModelSettings
        As trained with.

    Returns
    -------
    dict
        Plain values.
    """
    return asdict(settings)
