"""List what a weekend model has learnt of every asset: columns for people to read and for points models to learn from.

Belongs here: the rows of `features.weekend_feature`. Neighbour: `forecast.weekend_model` learns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.forecast.entered_race import EnteredRace
from f1_pipeline.forecast.outlook import WeekendOutlook

Floats = npt.NDArray[np.float64]

_TIMED = ("fp1", "fp2", "fp3", "sprint_qualifying")


@dataclass(frozen=True)
class Learnt:
    """What is believed at one phase.

    Attributes
    ----------
    outlook : WeekendOutlook
    car_strength, driver_strength : ndarray of shape (m,)
        Parts of the strength over one lap.
    circuit_factor : float
        The circuit's overtakes against other circuits.
    """

    outlook: WeekendOutlook
    car_strength: Floats
    driver_strength: Floats
    circuit_factor: float


def weekend_features(
    race: EnteredRace, learnt: Learnt, starts: pd.DataFrame, known: pd.DataFrame | None
) -> pd.DataFrame:
    """Say what was learnt, one row per asset.

    Parameters
    ----------
    race : EnteredRace
    learnt : Learnt
    starts : DataFrame
        Earlier starts: driver_id, lineage_id.
    known : DataFrame or None
        Rows of the weekend's own sessions that are known.

    Returns
    -------
    DataFrame
        The columns of `features.weekend_feature` but race_key and phase; a constructor has the mean of its cars.
    """
    drivers = _driver_features(race, learnt, starts, known)
    pit_stop_s = np.exp(learnt.outlook.pit_log_ms) / 1000.0
    of_cars = drivers.drop(columns=["asset_type", "asset_id"]).groupby(race.team).mean()
    constructors = of_cars.reindex(range(len(race.constructors))).assign(
        asset_type="constructor",
        asset_id=list(race.constructors),
        teammate_strength_gap=np.nan,
        pit_stop_s=pit_stop_s,
    )
    return pd.concat([drivers.assign(pit_stop_s=pit_stop_s[race.team]), constructors])


def _driver_features(
    race: EnteredRace, learnt: Learnt, starts: pd.DataFrame, known: pd.DataFrame | None
) -> pd.DataFrame:
    outlook, size = learnt.outlook, learnt.outlook.car_count
    sd = np.sqrt(np.diag(outlook.strength_covariance))
    lap, pace = outlook.strength_mean[:size], outlook.strength_mean[size:]
    drove = starts.groupby("driver_id").size().reindex(list(race.drivers)).fillna(0).to_numpy()
    here = starts.groupby(["driver_id", "lineage_id"]).size()
    pairs = pd.MultiIndex.from_arrays([race.drivers, race.lineages])
    logits = outlook.race.retirement_logit + outlook.attrition_sd**2 / 2
    return pd.DataFrame(
        {
            "asset_type": "driver",
            "asset_id": list(race.drivers),
            "qualifying_strength": lap,
            "race_strength": pace,
            "qualifying_strength_sd": sd[:size],
            "race_strength_sd": sd[size:],
            "car_strength": learnt.car_strength,
            "driver_strength": learnt.driver_strength,
            "teammate_strength_gap": _gap_to_team_mates(lap, race.team),
            "retirement_probability": 1.0 / (1.0 + np.exp(-logits)),
            "overtakes_factor": outlook.overtakes_factor,
            "circuit_overtakes_factor": learnt.circuit_factor,
            "race_count": drove,
            "team_race_count": here.reindex(pairs).fillna(0).to_numpy(),
            **_practice(race.drivers, known),
        }
    )


def _practice(drivers: tuple[str, ...], known: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """Best lap of each known session against its median, and laps driven in practice."""
    found: dict[str, np.ndarray] = {f"{name}_gap_pct": np.full(len(drivers), np.nan) for name in _TIMED}
    laps = np.zeros(len(drivers))
    if known is not None:
        for name, rows in known[known["session"].isin(_TIMED)].groupby("session"):
            own = rows.set_index("driver_id").reindex(list(drivers))
            found[f"{name}_gap_pct"] = own["gap_pct"].to_numpy(dtype=float)
            laps = laps + own["lap_count"].fillna(0.0).to_numpy(dtype=float)
    return {**found, "practice_lap_count": laps}


def _gap_to_team_mates(strength: np.ndarray, team: np.ndarray) -> np.ndarray:
    """Strength less the mean of the team's other cars; NaN for a car alone."""
    total = np.bincount(team, weights=strength)[team]
    others = np.bincount(team)[team] - 1
    return strength - np.where(others > 0, (total - strength) / np.maximum(others, 1), np.nan)
