"""What the simulated weekends of one race say of every asset on sale, at each phase.

Belongs here: drawing a race from its weekend model and summing up. Pure, and of one race only, so that races can be
done on any machine. Neighbours: `forecast.simulation` draws and scores, `steps.weekends` reads models and writes rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from f1_pipeline.forecast.outlook import WeekendOutlook
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.forecast.remaining_points import expected_after_qualifying, points_after_qualifying
from f1_pipeline.forecast.simulation import SimulatedWeekends, simulate_points
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.scoring_arrays import Weekends

DRAWS, STORED_DRAWS = 4000, 1000
"""Weekends that are simulated per race and phase, and how many of them are stored: the mean of 4000 is sure to about a
quarter of a point, and a thousand joint draws are enough to choose a team on."""


@dataclass(frozen=True)
class BelievedRace:
    """A race as its weekend model sees it.

    Attributes
    ----------
    race_key : str
    day : int
        Its date as a proleptic ordinal; part of the seed.
    drivers, constructors : tuple of str
        The columns of the outlooks.
    outlooks : mapping of str to WeekendOutlook
        By phase.
    rules : SeasonRules
    """

    race_key: str
    day: int
    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    outlooks: Mapping[str, WeekendOutlook]
    rules: SeasonRules


def simulated_points(race: BelievedRace) -> dict[str, np.ndarray]:
    """Simulate a race at each phase, and score the weekends by the rules of its season.

    Parameters
    ----------
    race : BelievedRace

    Returns
    -------
    dict of str to ndarray
        Columns of `predictions.simulated_points`, one row per phase and asset, drivers first; the joint draws (int16)
        have the shape (rows, k), `race_expectation_draws` holds such a row or None.
    """
    parts = [_of_phase(race, phase) for phase in PHASES if phase in race.outlooks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def simulation_seed(day: int, phase: str) -> tuple[int, int]:
    """Return the seed of the simulation of the race of a day at a phase."""
    return day, PHASES.index(phase)


def no_negative_points(drawn: SimulatedWeekends) -> np.ndarray:
    """Average the points of every asset under the chip No Negative; NaN where they were not asked for."""
    of_drivers, of_constructors = drawn.scores.driver_no_negative, drawn.scores.constructor_no_negative
    if of_drivers is None or of_constructors is None:
        return np.full(drawn.driver_points.shape[1] + drawn.constructor_points.shape[1], np.nan)
    return np.concatenate([of_drivers.mean(axis=0), of_constructors.mean(axis=0)])


def _of_phase(race: BelievedRace, phase: str) -> dict[str, np.ndarray]:
    is_lock = phase == AT_LOCK  # chips are played at the lock
    seed = simulation_seed(race.day, phase)
    drawn = simulate_points(race.outlooks[phase], race.rules, DRAWS, seed, no_negative=is_lock, with_items=is_lock)
    points = np.concatenate([drawn.driver_points, drawn.constructor_points], axis=1).T
    remaining = np.full(len(points), None, dtype=object)
    for at, expected in enumerate(_remaining(drawn, race.rules) if is_lock else ()):
        remaining[at] = expected
    sizes = [len(race.drivers), len(race.constructors)]
    return {
        "race_key": np.repeat(race.race_key, sum(sizes)),
        "phase": np.repeat(phase, sum(sizes)),
        "asset_type": np.repeat(["driver", "constructor"], sizes),
        "asset_id": np.array([*race.drivers, *race.constructors]),
        **_summary(points, drawn.weekends, len(race.constructors)),
        "no_negative_points": no_negative_points(drawn),
        "draws": points[:, :STORED_DRAWS],
        "race_expectation_draws": remaining,
    }


def _remaining(drawn: SimulatedWeekends, rules: SeasonRules) -> np.ndarray:
    """Say draw by draw what will be expected of each driver after qualifying, in tenths, one row per driver."""
    assert drawn.scores.driver_items is not None
    points = points_after_qualifying(drawn.scores.driver_items, rules, drawn.weekends.sprint is not None)
    expected = expected_after_qualifying(points, drawn.qualifying_position)
    return np.rint(TENTHS * expected[:STORED_DRAWS].T).astype(np.int16)


def _summary(points: np.ndarray, weekends: Weekends, constructor_count: int) -> dict[str, np.ndarray]:
    """Sum up simulated weekends: points of every asset, places of drivers."""
    p10, p50, p90 = np.quantile(points, (0.1, 0.5, 0.9), axis=1)
    qualifying, race = weekends.qualifying.position, weekends.race
    is_classified = (race.position > 0) & ~race.is_disqualified
    places = np.where(is_classified, race.position, 0)
    of_drivers = {
        "qualifying_position_mean": _mean_place(qualifying),
        "race_position_mean": _mean_place(places),
        "win_probability": (places == 1).mean(axis=0),
        "podium_probability": (is_classified & (places <= 3)).mean(axis=0),
        "not_classified_probability": 1.0 - is_classified.mean(axis=0),
    }
    none = np.full(constructor_count, np.nan)
    return {
        "mean_points": points.mean(axis=1),
        "sd_points": points.std(axis=1),
        "p10": p10,
        "p50": p50,
        "p90": p90,
        **{name: np.concatenate([values, none]) for name, values in of_drivers.items()},
    }


def _mean_place(places: np.ndarray) -> np.ndarray:
    """Average the places of each driver where he has one."""
    met = (places > 0).sum(axis=0)
    return np.where(met > 0, places.sum(axis=0) / np.maximum(met, 1), np.nan)
