"""Choose the settings of the strength filter on seasons before those that are reported.

Belongs here: the objective and the search. What is maximised is how well the filter predicted the qualifyings, sprints
and races of 2019 to 2022, each from the sessions before it; 2018 only warms it up. Forecasts are reported from 2023 on.
Neighbours: `forecast.strength` has the chosen settings, `steps.tuning` brings the scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from f1_pipeline.forecast.strength import RESET_SEASONS, Scores, StrengthFilter, StrengthSettings
from f1_pipeline.forecast.threads import one_thread

TUNED_SEASONS = (2019, 2020, 2021, 2022)
PREDICTED = ("qualifying", "sprint", "race")
"""Sessions that count: practice may be fitted as badly as it likes, as long as it helps to predict these."""

FIRST_GUESS = StrengthSettings(
    driver_var=0.4,
    car_race_var=0.1,
    driver_race_var=0.1,
    car_drift_var=0.015,
    driver_drift_var=0.002,
    race_drift_var=0.002,
    car_winter_var=0.25,
    car_reset_var=0.5,
    driver_winter_var=0.01,
    car_weekend_var=0.1,
    driver_weekend_var=0.08,
    grid_weight=0.4,
    noise={
        "fp1": 0.6,
        "fp2": 0.5,
        "fp3": 0.4,
        "sprint_qualifying": 0.4,
        "qualifying": 0.25,
        "sprint": 0.25,
        "race": 0.35,
    },
)
"""Round figures, from which the search starts and to which the prior pulls."""

_KEPT = frozenset({"car_mean", "driver_mean", "car_var", "sprint_grid_weight", "noise"})
"""Left at the first guess: six sprints and a handful of new teams since 2018 do not tell them."""

_PRIOR_LOG_SD = 0.5
_EVALUATIONS = 1200


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes
    ----------
    settings : StrengthSettings
        The best.
    before, after : dict of str to float
        Log-likelihood by session, of the first guess and of the best.
    """

    settings: StrengthSettings
    before: dict[str, float]
    after: dict[str, float]


def log_likelihoods(
    sessions: pd.DataFrame, settings: StrengthSettings, seasons: Sequence[int] = TUNED_SEASONS
) -> dict[str, float]:
    """Predict every session of some seasons from those before it.

    Parameters
    ----------
    sessions : DataFrame
        `core.session_score`; rows after the last of the seasons are not looked at.
    settings : StrengthSettings
    seasons : sequence of int
        Seasons that count; earlier ones are learnt from.

    Returns
    -------
    dict of str to float
        Log-likelihood by session.
    """
    cars, drivers, weekends = _weekends(sessions, max(seasons))
    with one_thread():
        return _replay(StrengthFilter(cars, drivers, settings), weekends, frozenset(seasons))


def tune(sessions: pd.DataFrame, on_evaluation: Callable[[], None] = lambda: None) -> Tuning:
    """Search the settings under which the tuned seasons were most likely.

    Parameters
    ----------
    sessions : DataFrame
        `core.session_score`.
    on_evaluation : callable
        Called after each replay of the history, at most about 1200 times.

    Returns
    -------
    Tuning
        Minutes on one core.

    References
    ----------
    Powell (1964), "An efficient method for finding the minimum of a function of several variables without calculating
    derivatives".
    """
    cars, drivers, weekends = _weekends(sessions, max(TUNED_SEASONS))
    start = _vector(FIRST_GUESS)

    def loss(vector: np.ndarray) -> float:
        found = _replay(StrengthFilter(cars, drivers, _settings(vector)), weekends, frozenset(TUNED_SEASONS))
        on_evaluation()
        pull = 0.5 * float(np.square((vector - start) / _PRIOR_LOG_SD).sum())
        return pull - sum(found.get(name, 0.0) for name in PREDICTED)

    with one_thread():
        best = minimize(loss, start, method="Powell", options={"maxfev": _EVALUATIONS, "xtol": 0.03, "ftol": 1e-5})
    settings = _settings(np.asarray(best.x))
    return Tuning(settings, log_likelihoods(sessions, FIRST_GUESS), log_likelihoods(sessions, settings))


def evaluation_count() -> int:
    """Return how many replays a search takes at most."""
    return _EVALUATIONS


def _names() -> list[str]:
    return [each.name for each in fields(StrengthSettings) if each.name not in _KEPT and each.name != "grid_weight"]


def _vector(settings: StrengthSettings) -> np.ndarray:
    """Lay settings out as numbers without bounds: logarithms of variances, log-odds of the weight of the grid."""
    noise = [settings.noise[name] for name in settings.noise if name != "sprint_qualifying"]
    variances = [getattr(settings, name) for name in _names()] + noise
    weight = settings.grid_weight
    return np.append(np.log(variances), np.log(weight / (1.0 - weight)))


def _settings(vector: np.ndarray) -> StrengthSettings:
    """Undo `_vector`; sprint qualifying, of which there was none before 2023, is as telling as third practice."""
    names, noise_names = _names(), [name for name in FIRST_GUESS.noise if name != "sprint_qualifying"]
    values = [float(f"{value:.3g}") for value in np.exp(vector[:-1])]
    noise = dict(zip(noise_names, values[len(names) :], strict=True))
    own: Mapping[str, float] = dict(zip(names, values[: len(names)], strict=True))
    ordered = {name: noise.get(name, noise["fp3"]) for name in FIRST_GUESS.noise}
    weight = float(f"{1.0 / (1.0 + np.exp(-vector[-1])):.3g}")
    return replace(FIRST_GUESS, noise=ordered, grid_weight=weight, **own)


_Weekend = tuple[bool, bool, int, list[Scores]]


def _weekends(sessions: pd.DataFrame, last_season: int) -> tuple[list[str], list[str], list[_Weekend]]:
    """Number cars and drivers, and lay out the sessions race by race."""
    rows = sessions[(sessions["season"] <= last_season) & sessions["score"].notna()]
    rows = rows.sort_values(["race_date", "session_order", "driver_id"])
    cars, drivers = sorted(rows["lineage_id"].unique()), sorted(rows["driver_id"].unique())
    numbered = rows.assign(
        car=pd.Categorical(rows["lineage_id"], cars).codes, driver=pd.Categorical(rows["driver_id"], drivers).codes
    )
    weekends: list[_Weekend] = []
    before: int | None = None
    for _, race in numbered.groupby("race_date", sort=True):
        season = int(race["season"].iloc[0])
        held = [_scores(group) for _, group in race.groupby("session_order")]
        weekends.append((before not in (None, season), season in RESET_SEASONS, season, held))
        before = season
    return cars, drivers, weekends


def _scores(rows: pd.DataFrame) -> Scores:
    return Scores(
        str(rows["session"].iloc[0]),
        rows["driver"].to_numpy(dtype=np.intp),
        rows["car"].to_numpy(dtype=np.intp),
        rows["score"].to_numpy(dtype=float),
        rows["start_score"].fillna(0.0).to_numpy(dtype=float),
    )


def _replay(belief: StrengthFilter, weekends: Sequence[_Weekend], seasons: frozenset[int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for opens_season, is_reset, season, held in weekends:
        belief.begin_weekend(opens_season, is_reset)
        for scores in held:
            likelihood = belief.observe(scores)
            if season in seasons:
                found[scores.session] = found.get(scores.session, 0.0) + likelihood
    return found
