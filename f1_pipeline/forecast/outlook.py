"""What is believed of one race weekend at one moment: all that a simulation needs, as arrays.

Belongs here: the shapes and their meaning. Neighbours: :mod:`f1_pipeline.forecast.weekend_model` learns an outlook from
earlier races, :mod:`f1_pipeline.forecast.simulation` draws weekends from it.

The axis of cars has m columns, one per driver on sale; constructors are numbered from 0. Scores are normal scores of a
classification: the best of n has the quantile ``1 - 0.5 / n`` of the standard normal distribution, the last its
negative; higher is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class RaceOutlook:
    """A sprint or the Grand Prix.

    Attributes
    ----------
    noise_sd : float
        Standard deviation of a car's race score around its strength, in normal scores.
    grid_weight : float
        Share of the score of the starting place in a race score, 0 to 1; the strength has the rest.
    retirement_logit : ndarray of shape (m,)
        Log-odds that a car is not classified.
    overtakes : ndarray of shape (m + 1, m + 1)
        Expected passes by starting place (row, from 1) and place in the classification (column; 0: not classified).
    overtakes_sd : float
        Standard deviation of the logarithm of the common factor by which the passes of a whole race deviate.
    start : ndarray of int, shape (m,), or None
        Starting places if they are known, from 1.
    position : ndarray of int, shape (m,), or None
        Places in the classification if they are known, 0 for none.
    """

    noise_sd: float
    grid_weight: float
    retirement_logit: Floats
    overtakes: Floats
    overtakes_sd: float
    start: Ints | None = None
    position: Ints | None = None


@dataclass(frozen=True)
class WeekendOutlook:
    """A whole weekend.

    Attributes
    ----------
    team : ndarray of int, shape (m,)
        Constructor of each car.
    constructor_count : int
        Number of constructors.
    strength_mean : ndarray of shape (2 m,)
        Strength over one lap of each car, then strength in a race, in normal scores.
    strength_covariance : ndarray of shape (2 m, 2 m)
        How unsure they are, and together: team-mates share a car.
    qualifying_sd : float
        Standard deviation of a qualifying score around the strength over one lap.
    no_time_rate : float
        Probability that a car has no place in qualifying.
    qualifying_position : ndarray of int, shape (m,), or None
        Places in qualifying if they are known, 0 for none.
    grid_drops : ndarray of shape (k, 2)
        Grid penalties: probability of each, and by how many places it moves a car back.
    race : RaceOutlook
        The Grand Prix; its start is drawn from qualifying and penalties.
    sprint : RaceOutlook or None
        The sprint, if there is one; an unknown start is drawn like qualifying, without penalties.
    attrition_sd : float
        Standard deviation of the log-odds of retiring that all cars of a race share.
    disqualified_rate : float
        Probability that a car is disqualified from the Grand Prix.
    overtakes_factor : ndarray of shape (m,)
        How many more passes than expected each driver makes; 1 is as expected.
    fastest_lap_weight : ndarray of shape (m + 1,)
        Relative chance of the fastest lap by place in the classification, 0: not classified.
    vote_weight : ndarray of shape (m,)
        Relative chance of being voted driver of the day, by driver.
    vote_by_place : ndarray of shape (m + 1,)
        The same by place in the classification, 0: not classified.
    vote_per_place_gained : float
        Growth of the logarithm of that chance for each place gained, up to ten.
    pit_log_ms : ndarray of shape (constructors,)
        Logarithm of each crew's typical best stationary time, milliseconds.
    pit_log_sd : float
        Its standard deviation from race to race.
    """

    team: Ints
    constructor_count: int
    strength_mean: Floats
    strength_covariance: Floats
    qualifying_sd: float
    no_time_rate: float
    qualifying_position: Ints | None
    grid_drops: Floats
    race: RaceOutlook
    sprint: RaceOutlook | None
    attrition_sd: float
    disqualified_rate: float
    overtakes_factor: Floats
    fastest_lap_weight: Floats
    vote_weight: Floats
    vote_by_place: Floats
    vote_per_place_gained: float
    pit_log_ms: Floats
    pit_log_sd: float

    @property
    def car_count(self) -> int:
        """Return m."""
        return len(self.team)


@dataclass(frozen=True)
class LaterOutlook:
    """What is believed of the weekends that follow one, whichever they are.

    Attributes
    ----------
    weekend : WeekendOutlook
        A weekend with a sprint at a circuit that nobody knows. Its strengths are those that last; the form of a weekend
        is not among them.
    drift_covariance : ndarray of shape (2 m, 2 m)
        By how much strengths change from one race to the next.
    form_covariance : ndarray of shape (2 m, 2 m)
        How far the form of one weekend is from the strengths that last.
    retirement_shift : mapping of str to float
        What each known circuit adds to the log-odds of retiring.
    overtakes_factor : mapping of str to float
        How many more passes than elsewhere each circuit sees of which passes are on record.
    overtakes_sd : float
        `RaceOutlook.overtakes_sd` at those circuits.
    """

    weekend: WeekendOutlook
    drift_covariance: Floats
    form_covariance: Floats
    retirement_shift: Mapping[str, float]
    overtakes_factor: Mapping[str, float]
    overtakes_sd: float

    def form_at(self, circuit_id: str, has_sprint: bool) -> WeekendOutlook:
        """Return the outlook of one later weekend around the strengths that last: its strengths are the form alone.

        Parameters
        ----------
        circuit_id : str
            Where it is held.
        has_sprint : bool
            Whether it has a sprint.

        Returns
        -------
        WeekendOutlook
        """
        sprint = self.weekend.sprint
        return replace(
            self.weekend,
            strength_mean=np.zeros_like(self.weekend.strength_mean),
            strength_covariance=self.form_covariance,
            race=self._race_at(self.weekend.race, circuit_id),
            sprint=self._race_at(sprint, circuit_id) if has_sprint and sprint is not None else None,
        )

    def _race_at(self, race: RaceOutlook, circuit_id: str) -> RaceOutlook:
        return replace(
            race,
            retirement_logit=race.retirement_logit + self.retirement_shift.get(circuit_id, 0.0),
            overtakes=race.overtakes * self.overtakes_factor.get(circuit_id, 1.0),
            overtakes_sd=self.overtakes_sd if circuit_id in self.overtakes_factor else race.overtakes_sd,
        )
