"""Learn how many passes a driver makes, given where he starts and finishes.

Belongs here: the regression, and the tendencies of circuit, season and driver around it; from earlier races only, the
caller cuts the rows. Neighbours: `forecast.weekend_parts` has the other parts of a weekend, `forecast.simulation`
draws passes from what is learnt here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import PoissonRegressor

from f1_pipeline.forecast.weekend_parts import Earlier, weights

Floats = npt.NDArray[np.float64]

_OVERTAKES_BEFORE_ANY_RECORD = 5.0  # per start: a round figure for the first races of 2023, before any was recorded
_SPRINT_OVERTAKES_SHARE = 0.6
_MIN_OVERTAKE_ROWS = 20
_OVERTAKES_HALF_LIFE = 60.0
OVERTAKES_SD, OVERTAKES_SD_UNKNOWN_CIRCUIT = 0.35, 0.45
"""Spread of a race's overtakes around the expected: races since 2023 vary by about 0.45 of their mean."""


def overtake_inputs(start: np.ndarray, finish: np.ndarray, field_size: np.ndarray | int) -> Floats:
    """Describe a start and finish for the overtakes model.

    Parameters
    ----------
    start, finish : ndarray of int, shape (n,)
        Places from 1; finish 0 for not classified.
    field_size : int or ndarray of int, shape (n,)
        Number of cars that started.

    Returns
    -------
    ndarray of shape (n, 7)
        Places gained and lost, starting place and its square, finishing place and its square as shares of the field,
        and whether the car was not classified.
    """
    is_out = finish == 0
    change = np.where(is_out, 0, start - finish)
    begin, end = (start - 1) / field_size, np.where(is_out, 0, finish - 1) / field_size
    columns = (np.maximum(change, 0), np.maximum(-change, 0), begin, begin**2, end, end**2, is_out)
    return np.stack(columns, axis=-1).astype(float)


@dataclass(frozen=True)
class Overtakes:
    """Expected passes of one race.

    Attributes
    ----------
    race, sprint : ndarray of shape (m + 1, m + 1)
        By starting place (row) and finish (column, 0 not classified).
    factor : ndarray of shape (m,)
        By driver.
    log_sd : float
        Spread of a whole race around it.
    circuit_factor : float
        How many more passes than elsewhere the circuit sees.
    by_circuit : mapping of str to float
        The same of every circuit with passes on record.
    """

    race: Floats
    sprint: Floats
    factor: Floats
    log_sd: float
    circuit_factor: float
    by_circuit: Mapping[str, float]


def overtakes(earlier: Earlier, drivers: Sequence[str], circuit_id: str, season: int) -> Overtakes:
    """Estimate passes by start and finish, and the tendencies of circuit, season and drivers.

    Parameters
    ----------
    earlier : Earlier
    drivers : sequence of str, length m
    circuit_id : str
    season : int

    Returns
    -------
    Overtakes
        A Poisson regression on starts whose passes are recorded; with fewer than 20 of them, a constant.
    """
    size = len(drivers)
    start, finish = np.meshgrid(np.arange(size + 1), np.arange(size + 1), indexing="ij")
    is_race = earlier.overtakes["session"] == "race"
    rows = _recorded(earlier.starts, earlier.overtakes[is_race])
    circuits = sorted(rows["circuit_id"].unique())
    circuit_sd = OVERTAKES_SD if circuit_id in circuits else OVERTAKES_SD_UNKNOWN_CIRCUIT
    if len(rows) < _MIN_OVERTAKE_ROWS:
        flat = np.full((size + 1, size + 1), _OVERTAKES_BEFORE_ANY_RECORD)
        alike = dict.fromkeys(circuits, 1.0)
        return Overtakes(flat, _SPRINT_OVERTAKES_SHARE * flat, np.ones(size), circuit_sd, 1.0, alike)
    weight = weights(rows["age"], _OVERTAKES_HALF_LIFE)
    field_size = rows.groupby("race_key")["driver_id"].transform("count").to_numpy()
    inputs = overtake_inputs(rows["start_place"].to_numpy(), rows["position"].fillna(0).to_numpy(), field_size)
    model = PoissonRegressor(alpha=0.02, solver="newton-cholesky").fit(
        inputs, rows["overtakes_count"], sample_weight=weight
    )
    rows = rows.assign(expected=model.predict(inputs), weight=weight)
    of_circuits = _factor(rows.assign(weight=1.0), "circuit_id", circuits, 240.0)
    by_circuit = dict(zip(circuits, of_circuits.tolist(), strict=True))
    here = by_circuit.get(circuit_id, 1.0)
    now = _factor(rows[rows["season"] == season].assign(weight=1.0), "season", [season], 400.0)[0]
    table = model.predict(overtake_inputs(start.ravel(), finish.ravel(), size)).reshape(start.shape) * here * now
    share = _sprint_share(rows, _recorded(earlier.sprints, earlier.overtakes[~is_race]))
    factor = _factor(rows, "driver_id", drivers, 40.0)
    return Overtakes(table, share * table, factor, circuit_sd, here, by_circuit)


def _recorded(starts: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Join passes to starts; in a recorded race, whoever has no entry made none."""
    own = starts[starts["race_key"].isin(set(recorded["race_key"])) & starts["start_place"].notna()]
    joined = own.merge(recorded[["race_key", "driver_id", "overtakes_count"]], on=["race_key", "driver_id"], how="left")
    return joined.assign(overtakes_count=joined["overtakes_count"].fillna(0).astype(float))


def _factor(rows: pd.DataFrame, by: str, keys: Sequence[object], worth: float) -> Floats:
    """Passes made over passes expected by group, shrunk to 1 by `worth` expected passes."""
    sums = pd.DataFrame(
        {"made": rows["weight"] * rows["overtakes_count"], "expected": rows["weight"] * rows["expected"]}
    )
    own = sums.groupby(rows[by].to_numpy()).sum().reindex(list(keys)).fillna(0.0)
    return ((own["made"] + worth) / (own["expected"] + worth)).to_numpy()


def _sprint_share(races: pd.DataFrame, sprints: pd.DataFrame) -> float:
    """Passes per start of a sprint as a share of a race's, shrunk by a hundred starts."""
    per_race = float(races["overtakes_count"].mean())
    made = float(sprints["overtakes_count"].sum())
    prior = 100.0 * _SPRINT_OVERTAKES_SHARE * per_race
    return (made + prior) / (len(sprints) + 100.0) / max(per_race, 0.1)
