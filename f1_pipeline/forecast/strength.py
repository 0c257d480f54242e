"""How strong each car and driver is, over one lap and in a race: a Kalman filter over the scores of sessions.

Belongs here: the latent-strength model and its settings. Each session says something about the sum of a car and a
driver; the filter keeps what is believed of all of them, and how unsure it is, in the order in which sessions were
held. What is asked of it before a session has used earlier ones only. Neighbours: `forecast.session_scores` makes the
scores, `forecast.weekend_model` asks for strengths, `steps.tuning` chooses the settings.

The state has six blocks. Of a car: pace over one lap, what it has more in a race, form of this weekend. Of a driver:
the same three. A weekend's form is shared by all its sessions and forgotten after it: that is how practice and
qualifying tell something about a race that earlier races do not.

References
----------
Kalman (1960), "A New Approach to Linear Filtering and Prediction Problems"; Harvey (1989), "Forecasting, Structural
Time Series Models and the Kalman Filter", chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

RESET_SEASONS = frozenset({2022, 2026})
"""Seasons with new technical rules, known long before their first race: last year's car says less about this year's."""

RACE_SESSIONS = ("sprint", "race")
_LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class StrengthSettings:
    """Variances of the filter, in squared normal scores.

    Chosen by `f1-pipeline tune`: the likelihood of qualifying, sprints and races of 2019 to 2022, each predicted from
    the sessions before, with a log-normal prior around round first guesses; the means, `car_var` and
    `sprint_grid_weight` are first guesses, about which those seasons say too little.

    Attributes
    ----------
    car_mean, driver_mean : float
        What is expected of a car or driver never seen before: newcomers start in the lower half of the field.
    car_var, driver_var : float
        How unsure that is.
    car_race_var, driver_race_var : float
        The same of what they have more in a race than over one lap.
    car_drift_var, driver_drift_var, race_drift_var : float
        What is added from race to race: cars are developed.
    car_winter_var, car_reset_var, driver_winter_var : float
        What is added before a season; for a car, more before a season with new rules.
    car_weekend_var, driver_weekend_var : float
        Form of one weekend.
    grid_weight, sprint_grid_weight : float
        Share of the starting place in the score of a race and of a sprint.
    noise : mapping of str to float
        Variance of one score around the strength, by session.
    """

    car_mean: float = -0.5
    driver_mean: float = -0.3
    car_var: float = 0.8
    driver_var: float = 0.353
    car_race_var: float = 0.0767
    driver_race_var: float = 0.0434
    car_drift_var: float = 0.00447
    driver_drift_var: float = 0.00114
    race_drift_var: float = 0.00058
    car_winter_var: float = 0.214
    car_reset_var: float = 0.558
    driver_winter_var: float = 0.0103
    car_weekend_var: float = 0.0342
    driver_weekend_var: float = 0.0422
    grid_weight: float = 0.184
    sprint_grid_weight: float = 0.5
    noise: Mapping[str, float] = field(
        default_factory=lambda: {
            "fp1": 0.906,
            "fp2": 0.481,
            "fp3": 0.307,
            "sprint_qualifying": 0.307,
            "qualifying": 0.187,
            "sprint": 0.247,
            "race": 0.304,
        }
    )

    def start_weight(self, session: str) -> float:
        """Return the share of the starting place in a session's score; 0 where nobody starts from a grid."""
        return {"race": self.grid_weight, "sprint": self.sprint_grid_weight}.get(session, 0.0)


DEFAULT_STRENGTH = StrengthSettings()


@dataclass(frozen=True)
class Scores:
    """The scores of one session, one element per driver who has a place.

    Attributes
    ----------
    session : str
        fp1 … race.
    driver, car : ndarray of int, shape (n,)
        Numbers of the filter.
    score, start_score : ndarray of shape (n,)
        Normal scores of the classification and of the starting place (0 where there is no grid).
    """

    session: str
    driver: Ints
    car: Ints
    score: Floats
    start_score: Floats


class StrengthFilter:
    """What is believed of all cars and drivers at one moment.

    Parameters
    ----------
    cars, drivers : sequence of str
        Everybody who may ever be met: lineages of constructors, and drivers. Who was not met yet is a newcomer.
    settings : StrengthSettings
    """

    def __init__(
        self, cars: Sequence[str], drivers: Sequence[str], settings: StrengthSettings = DEFAULT_STRENGTH
    ) -> None:
        self.settings = settings
        self._cars = {name: number for number, name in enumerate(cars)}
        self._drivers = {name: number for number, name in enumerate(drivers)}
        sizes = [len(cars)] * 3 + [len(drivers)] * 3
        ends = np.cumsum(sizes)
        self._car, self._car_race, self._car_form, self._driver, self._driver_race, self._driver_form = (
            np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)
        )
        own = settings
        self.mean = np.zeros(ends[-1])
        self.mean[self._car], self.mean[self._driver] = own.car_mean, own.driver_mean
        variances = (own.car_var, own.car_race_var, 0.0, own.driver_var, own.driver_race_var, 0.0)
        self.covariance = np.diag(np.repeat(variances, sizes))
        self._met_cars = np.zeros(len(cars), dtype=bool)
        self._met_drivers = np.zeros(len(drivers), dtype=bool)

    def car_numbers(self, names: Sequence[str]) -> Ints:
        """Return the numbers of some cars.

        Raises
        ------
        DataError
            When one is not among those the filter was made for.
        """
        return _numbers(self._cars, names)

    def driver_numbers(self, names: Sequence[str]) -> Ints:
        """Return the numbers of some drivers; see `car_numbers`."""
        return _numbers(self._drivers, names)

    def begin_weekend(self, opens_season: bool, is_reset: bool) -> None:
        """Let time pass: drift, winter, and a new form of the weekend that nobody knows yet.

        Parameters
        ----------
        opens_season : bool
            Whether this is the first race of a season.
        is_reset : bool
            Whether that season has new technical rules.
        """
        own = self.settings
        forms = np.concatenate([self._car_form, self._driver_form])
        self.mean[forms] = 0.0
        self.covariance[forms, :] = 0.0
        self.covariance[:, forms] = 0.0
        self._add(self._car_form, own.car_weekend_var)
        self._add(self._driver_form, own.driver_weekend_var)
        winter = own.car_reset_var if is_reset else own.car_winter_var
        # Whoever has not been met keeps the newcomer's variance: he has no past that could fade.
        self._add(self._car[self._met_cars], own.car_drift_var + winter * opens_season)
        self._add(self._driver[self._met_drivers], own.driver_drift_var + own.driver_winter_var * opens_season)
        self._add(self._car_race[self._met_cars], own.race_drift_var)
        self._add(self._driver_race[self._met_drivers], own.race_drift_var)

    def observe(self, scores: Scores) -> float:
        """Learn from a session.

        Parameters
        ----------
        scores : Scores

        Returns
        -------
        float
            Log-likelihood of the scores, predicted from what was known before.
        """
        weight = self.settings.start_weight(scores.session)
        loads = self._loads(scores.driver, scores.car, scores.session in RACE_SESSIONS) * (1.0 - weight)
        error = scores.score - weight * scores.start_score - loads @ self.mean
        spread = self.covariance @ loads.T
        total = loads @ spread
        total[np.diag_indices_from(total)] += self.settings.noise[scores.session]
        solved = np.linalg.inv(total)
        gain = spread @ solved
        self.mean = self.mean + gain @ error
        self.covariance = self.covariance - gain @ spread.T
        self._met_cars[scores.car] = True
        self._met_drivers[scores.driver] = True
        return float(-0.5 * (error @ solved @ error + np.linalg.slogdet(total)[1] + len(error) * _LOG_2_PI))

    def strengths(self, driver: Ints, car: Ints) -> tuple[Floats, Floats]:
        """Say how strong some pairs of driver and car are now.

        Parameters
        ----------
        driver, car : ndarray of int, shape (m,)
            Numbers.

        Returns
        -------
        tuple of ndarray, shapes (2 m,) and (2 m, 2 m)
            Mean and covariance of the strengths over one lap, then in a race.
        """
        loads = np.concatenate([self._loads(driver, car, is_race) for is_race in (False, True)])
        return loads @ self.mean, loads @ self.covariance @ loads.T

    def lasting(self, driver: Ints, car: Ints) -> tuple[Floats, Floats]:
        """Say how strong they are apart from the form of this weekend, which is forgotten after it; see `strengths`."""
        loads = np.concatenate([self._loads(driver, car, is_race, has_form=False) for is_race in (False, True)])
        return loads @ self.mean, loads @ self.covariance @ loads.T

    def shares(self, driver: Ints, car: Ints) -> tuple[Floats, Floats]:
        """Split the expected strength over one lap into the car's and the driver's part, each of shape (m,)."""
        cars = self.mean[self._car[car]] + self.mean[self._car_form[car]]
        return cars, self.mean[self._driver[driver]] + self.mean[self._driver_form[driver]]

    def _loads(self, driver: Ints, car: Ints, is_race: bool, has_form: bool = True) -> Floats:
        """Say which parts of the state each pair adds up, shape (n, state)."""
        rows = np.arange(len(driver))
        loads = np.zeros((len(driver), len(self.mean)))
        blocks = [(self._car, car), (self._driver, driver)]
        if has_form:
            blocks += [(self._car_form, car), (self._driver_form, driver)]
        if is_race:
            blocks += [(self._car_race, car), (self._driver_race, driver)]
        for block, numbers in blocks:
            loads[rows, block[numbers]] = 1.0
        return loads

    def _add(self, at: Ints, variance: float) -> None:
        self.covariance[at, at] += variance


def drift_covariance(driver: Ints, car: Ints, settings: StrengthSettings) -> Floats:
    """Return what a race adds to the covariance of strengths of some pairs, shape (2 m, 2 m); see `strengths`."""
    in_race = _shared(driver, car, settings.race_drift_var, settings.race_drift_var)
    of_both = np.tile(_shared(driver, car, settings.car_drift_var, settings.driver_drift_var), (2, 2))
    of_both[len(driver) :, len(driver) :] += in_race
    return of_both


def form_covariance(driver: Ints, car: Ints, settings: StrengthSettings) -> Floats:
    """Return what the form of one weekend adds to it."""
    return np.tile(_shared(driver, car, settings.car_weekend_var, settings.driver_weekend_var), (2, 2))


def _shared(driver: Ints, car: Ints, car_var: float, driver_var: float) -> Floats:
    """Return the covariance of sums of independent parts of cars and of drivers, shape (m, m)."""
    return car_var * (car[:, None] == car) + driver_var * (driver[:, None] == driver)


def _numbers(known: Mapping[str, int], names: Sequence[str]) -> Ints:
    missing = sorted({name for name in names if name not in known})
    if missing:
        raise DataError(f"strengths: expected one of the {len(known)} names they were made for, found {missing[0]!r}")
    return np.array([known[name] for name in names], dtype=np.intp)
