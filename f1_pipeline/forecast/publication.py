"""Publish forecasts: from a candidate's expectation and the simulation to draws, figures, a hash, and a version.

Belongs here: how a distribution is made, and which version of a forecast counts. A forecast that was made before its
deadline is never overwritten or relabelled. Neighbours: `forecast.gate` says whose forecast is published,
`steps.publish` brings the rows and the clock.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.forecast.evaluation import ensemble_quantiles

TENTHS = 10
_SMALLEST, _LARGEST = -32_000, 32_000  # what tenths of points may be in a smallint


def forecast_draws(
    draws: npt.NDArray[np.integer], expected: npt.NDArray[np.floating], scale: npt.NDArray[np.floating]
) -> npt.NDArray[np.int16]:
    """Move simulated draws to the expectation, and widen or narrow them around it.

    What happens together in a simulated weekend still happens together: ranks and joint draws stay as they are.

    Parameters
    ----------
    draws : ndarray of int, shape (assets, k)
        Points of simulated weekends.
    expected : ndarray of shape (assets,)
        Expected points.
    scale : ndarray of shape (assets,)
        From `models.spread_scale`.

    Returns
    -------
    ndarray of int16, shape (assets, k)
        Tenths of points.
    """
    moved = expected[:, None] + scale[:, None] * (draws - draws.mean(axis=1, keepdims=True))
    return np.clip(np.rint(TENTHS * moved), _SMALLEST, _LARGEST).astype(np.int16)


def figures(draws: npt.NDArray[np.int16]) -> pd.DataFrame:
    """Sum up draws: deviation and quantiles in points, one row per asset."""
    points = draws / TENTHS
    return pd.concat([pd.Series(points.std(axis=1), name="sd_points"), ensemble_quantiles(points)], axis=1)


def content_hash(forecast: pd.DataFrame, draws: npt.NDArray[np.int16], fingerprint: str) -> str:
    """Hash one forecast: race, phase, assets, expectations, draws, and the model that made it.

    Parameters
    ----------
    forecast : DataFrame
        race_key, phase, candidate, asset_type, asset_id, expected_points of one race and phase.
    draws : ndarray of int16, shape (assets, k)
        In the order of the rows.
    fingerprint : str
        Of the model; its URI depends on the store and is left out.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256(fingerprint.encode())
    for name in ("race_key", "phase", "candidate", "asset_type", "asset_id"):
        digest.update("\x1f".join(forecast[name].astype(str)).encode())
    digest.update(forecast["expected_points"].to_numpy(dtype="<f8").tobytes())
    digest.update(draws.astype("<i2").tobytes())
    return digest.hexdigest()


def versions(stored: pd.DataFrame, made: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Put a new forecast of one race and phase beside what is stored.

    Parameters
    ----------
    stored : DataFrame
        Rows of `predictions.asset_forecast` of the race and phase, any number of versions.
    made : DataFrame
        The new forecast: the same columns without version, made_at, is_live and is_current.
    now : datetime
        Aware; decides whether the new one is live.

    Returns
    -------
    DataFrame
        All versions to store. The same content as the version that counts, or a replay of what is there, changes
        nothing; a live version is kept as it is; a replay takes
        the place of an earlier replay. The newest live version counts, without one the replay.
    """
    kept = stored
    is_live = bool(now < made["deadline_at"].iloc[0])
    # a replay is the same as any that is there; a live forecast may return to what an older one said
    same_as = stored[stored["is_current"].astype(bool)] if is_live and len(stored) else stored
    if made["content_hash"].iloc[0] not in set(same_as["content_hash"]):
        kept = stored if is_live else stored[stored["is_live"].astype(bool)]
        number = 1 + (int(kept["version"].max()) if len(kept) else 0)
        new = made.assign(version=number, made_at=now, is_live=is_live)
        kept = pd.concat([kept, new], ignore_index=True) if len(kept) else new
    live = kept.loc[kept["is_live"].astype(bool), "version"]
    current = live.max() if len(live) else kept["version"].max()
    return kept.assign(is_current=kept["version"] == current)
