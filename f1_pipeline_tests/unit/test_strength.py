"""The strength filter: against one regression over everything at once, and settings that can be worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.strength import RESET_SEASONS, Scores, StrengthFilter, StrengthSettings

CARS = ("red", "blue")
DRIVERS = ("ann", "bob", "cat")
PAIRS = (("ann", "red"), ("bob", "red"), ("cat", "blue"))
OWN = StrengthSettings(
    car_mean=-0.5,
    driver_mean=-0.3,
    car_var=0.8,
    driver_var=0.33,
    car_race_var=0.08,
    driver_race_var=0.04,
    car_drift_var=0.005,
    driver_drift_var=0.0012,
    race_drift_var=0.0006,
    car_winter_var=0.2,
    car_reset_var=0.55,
    driver_winter_var=0.01,
    car_weekend_var=0.03,
    driver_weekend_var=0.05,
    grid_weight=0.2,
    sprint_grid_weight=0.5,
    noise={"fp1": 0.9, "fp2": 0.5, "qualifying": 0.18, "sprint": 0.2, "race": 0.3},
)
"""Like those in use, which may be tuned again."""
STILL = replace(
    OWN,
    car_drift_var=0.0,
    driver_drift_var=0.0,
    race_drift_var=0.0,
    car_winter_var=0.0,
    car_reset_var=0.0,
    driver_winter_var=0.0,
    car_weekend_var=0.0,
    driver_weekend_var=0.0,
)
"""Nothing changes with time."""

# A weekend: sessions of (name, [(driver, car, score, start score)]).
FIRST = [
    ("fp1", [("ann", "red", 0.4, 0.0), ("bob", "red", -1.0, 0.0), ("cat", "blue", 1.1, 0.0)]),
    ("qualifying", [("ann", "red", 0.9, 0.0), ("cat", "blue", -0.2, 0.0)]),
    ("sprint", [("ann", "red", 0.3, 0.7), ("cat", "blue", 0.5, -0.7)]),
    ("race", [("ann", "red", 1.3, 0.9), ("bob", "red", -0.8, 0.0), ("cat", "blue", 0.1, -0.9)]),
]
SECOND = [("qualifying", [("bob", "red", 0.6, 0.0), ("cat", "blue", -0.6, 0.0)])]


def scores(belief: StrengthFilter, session: str, rows: list[tuple[str, str, float, float]]) -> Scores:
    drivers, cars, own, start = zip(*rows, strict=True)
    numbers = belief.driver_numbers(drivers), belief.car_numbers(cars)
    return Scores(session, *numbers, np.array(own, dtype=float), np.array(start, dtype=float))


def strengths(belief: StrengthFilter, pairs=PAIRS) -> tuple[np.ndarray, np.ndarray]:
    drivers, cars = zip(*pairs, strict=True)
    return belief.strengths(belief.driver_numbers(drivers), belief.car_numbers(cars))


def fresh(own: StrengthSettings = OWN, cars=CARS, drivers=DRIVERS) -> StrengthFilter:
    belief = StrengthFilter(cars, drivers, own)
    belief.begin_weekend(opens_season=False, is_reset=False)
    return belief


class AllAtOnce:
    """The same model as one linear regression: every latent number of every weekend is a coefficient of its own."""

    def __init__(self, own: StrengthSettings) -> None:
        self.own = own
        self.mean: dict[tuple, float] = {}
        self.variance: dict[tuple, float] = {}
        for car in CARS:
            self.add(("car", car), own.car_mean, own.car_var)
            self.add(("car race", car), 0.0, own.car_race_var)
        for driver in DRIVERS:
            self.add(("driver", driver), own.driver_mean, own.driver_var)
            self.add(("driver race", driver), 0.0, own.driver_race_var)

    def add(self, name: tuple, mean: float, variance: float) -> None:
        self.mean[name], self.variance[name] = mean, variance

    def weekend(self, number: int, winter: float = 0.0, driver_winter: float = 0.0, has_drift: bool = False) -> None:
        """Add coefficients for the form of a weekend, and for what has changed since the one before."""
        for car in CARS:
            self.add(("form", number, car), 0.0, self.own.car_weekend_var)
            if has_drift:
                self.add(("drift", number, car), 0.0, self.own.car_drift_var + winter)
                self.add(("race drift", number, car), 0.0, self.own.race_drift_var)
        for driver in DRIVERS:
            self.add(("form", number, driver), 0.0, self.own.driver_weekend_var)
            if has_drift:
                self.add(("drift", number, driver), 0.0, self.own.driver_drift_var + driver_winter)
                self.add(("race drift", number, driver), 0.0, self.own.race_drift_var)

    def load(self, number: int, driver: str, car: str, is_race: bool) -> np.ndarray:
        """Say which coefficients a pair adds up in a weekend."""
        kinds = {"drift", "race drift"} if is_race else {"drift"}
        wanted = {("car", car), ("driver", driver), ("form", number, car), ("form", number, driver)}
        if is_race:
            wanted |= {("car race", car), ("driver race", driver)}
        wanted |= {
            name for name in self.mean if name[0] in kinds and int(name[1]) <= number and name[2] in (driver, car)
        }
        return np.array([float(name in wanted) for name in self.mean])

    def posterior(self, seen: list[tuple[int, str, list]]) -> tuple[np.ndarray, np.ndarray]:
        """Solve the normal equations."""
        precision = np.diag(1.0 / np.array(list(self.variance.values())))
        right = precision @ np.array(list(self.mean.values()))
        for number, session, rows in seen:
            weight = {"race": self.own.grid_weight, "sprint": self.own.sprint_grid_weight}.get(session, 0.0)
            for driver, car, score, start in rows:
                load = (1 - weight) * self.load(number, driver, car, session in ("race", "sprint"))
                precision = precision + np.outer(load, load) / self.own.noise[session]
                right = right + load * (score - weight * start) / self.own.noise[session]
        covariance = np.linalg.inv(precision)
        return covariance @ right, covariance

    def strengths(self, number: int, seen: list[tuple[int, str, list]]) -> tuple[np.ndarray, np.ndarray]:
        mean, covariance = self.posterior(seen)
        loads = np.array([self.load(number, *pair, is_race) for is_race in (False, True) for pair in PAIRS])
        return loads @ mean, loads @ covariance @ loads.T


def test_one_weekend_in_sequence_equals_one_regression():
    belief = fresh()
    for name, rows in FIRST:
        belief.observe(scores(belief, name, rows))
    model = AllAtOnce(OWN)
    model.weekend(1)
    mean, covariance = model.strengths(1, [(1, *session) for session in FIRST])
    np.testing.assert_allclose(strengths(belief)[0], mean, atol=1e-10)
    np.testing.assert_allclose(strengths(belief)[1], covariance, atol=1e-10)


@pytest.mark.parametrize(
    ("opens_season", "is_reset", "winter"),
    [
        (False, False, 0.0),
        (True, False, OWN.car_winter_var),
        (True, True, OWN.car_reset_var),
        (False, True, 0.0),  # new rules matter once, before the first race
    ],
)
def test_two_weekends_in_sequence_equal_one_regression(opens_season, is_reset, winter):
    belief = fresh()
    for name, rows in FIRST:
        belief.observe(scores(belief, name, rows))
    belief.begin_weekend(opens_season=opens_season, is_reset=is_reset)
    model = AllAtOnce(OWN)
    model.weekend(1)
    model.weekend(2, winter, OWN.driver_winter_var * opens_season, has_drift=True)
    seen = [(1, *session) for session in FIRST]
    for more in ([], [(2, *session) for session in SECOND]):
        for _, name, rows in more:
            belief.observe(scores(belief, name, rows))
        mean, covariance = model.strengths(2, seen + more)
        np.testing.assert_allclose(strengths(belief)[0], mean, atol=1e-10)
        np.testing.assert_allclose(strengths(belief)[1], covariance, atol=1e-10)


def test_log_likelihood_is_that_of_the_predicted_scores():
    belief = fresh()
    for name, rows in FIRST:
        mean, covariance = strengths(belief, [row[:2] for row in rows])
        half = slice(len(rows), None) if name in ("sprint", "race") else slice(len(rows))
        weight = OWN.start_weight(name)
        expected = (1 - weight) * mean[half] + weight * np.array([row[3] for row in rows])
        spread = (1 - weight) ** 2 * covariance[half, half] + OWN.noise[name] * np.eye(len(rows))
        found = belief.observe(scores(belief, name, rows))
        assert found == pytest.approx(multivariate_normal.logpdf([row[2] for row in rows], expected, spread))


def test_one_score_of_one_newcomer_by_hand():
    own = replace(STILL, car_mean=-0.5, driver_mean=-0.3, car_var=0.6, driver_var=0.2, noise={"qualifying": 0.2})
    belief = fresh(own)
    belief.observe(scores(belief, "qualifying", [("ann", "red", 0.7, 0.0)]))
    # expected -0.8 with variance 0.8, so 0.8 / (0.8 + 0.2) of the surprise of 1.5: car 0.9, driver 0.3
    numbers = belief.driver_numbers(["ann"]), belief.car_numbers(["red"])
    car, driver = belief.shares(*numbers)
    assert (car[0], driver[0]) == (pytest.approx(0.4), pytest.approx(0.0, abs=1e-12))
    mean, covariance = belief.strengths(*numbers)
    assert mean == pytest.approx([0.4, 0.4])
    # 0.8 - 0.64 over one lap; a race adds what it had before, of which nothing was learnt
    assert covariance[0, 0] == pytest.approx(0.16)
    assert covariance[1, 1] == pytest.approx(0.16 + own.car_race_var + own.driver_race_var)
    # the team-mate gets the car's part: -0.3 + 0.4
    assert strengths(belief)[0][1] == pytest.approx(0.1)
    # and the other team nothing
    assert strengths(belief)[0][2] == pytest.approx(-0.8)


def test_who_was_never_met_keeps_the_prior_whatever_time_passes():
    belief = fresh()
    for _ in range(5):
        belief.begin_weekend(opens_season=True, is_reset=True)
        belief.observe(scores(belief, "race", [("ann", "red", 1.0, 0.5), ("bob", "red", 0.2, 0.1)]))
    mean, covariance = strengths(belief)
    own = OWN
    one_lap = own.car_var + own.driver_var + own.car_weekend_var + own.driver_weekend_var
    assert mean[[2, 5]] == pytest.approx([own.car_mean + own.driver_mean] * 2)
    assert covariance[2, 2] == pytest.approx(one_lap)
    assert covariance[5, 5] == pytest.approx(one_lap + own.car_race_var + own.driver_race_var)
    assert covariance[2, [0, 1, 3, 4]] == pytest.approx([0.0] * 4)


@pytest.mark.parametrize(
    ("opens_season", "is_reset", "added"),
    [(False, False, 0.01 + 0.002), (True, False, 0.01 + 0.002 + 0.3 + 0.05), (True, True, 0.01 + 0.002 + 0.9 + 0.05)],
)
def test_time_adds_variance_and_leaves_the_mean(opens_season, is_reset, added):
    own = replace(
        STILL,
        car_drift_var=0.01,
        driver_drift_var=0.002,
        race_drift_var=0.004,
        car_winter_var=0.3,
        car_reset_var=0.9,
        driver_winter_var=0.05,
    )
    belief = fresh(own)
    belief.observe(scores(belief, *FIRST[3]))
    mean, covariance = strengths(belief)
    belief.begin_weekend(opens_season=opens_season, is_reset=is_reset)
    after, wider = strengths(belief)
    np.testing.assert_allclose(after, mean, atol=1e-14)
    grown = np.diag(wider - covariance)
    assert grown[:3] == pytest.approx([added] * 3)
    assert grown[3:] == pytest.approx([added + 2 * 0.004] * 3)


def test_form_of_a_weekend_tells_about_its_race_and_is_then_forgotten():
    nothing_lasts = replace(
        STILL, car_var=0.0, driver_var=0.0, car_race_var=0.0, driver_race_var=0.0, car_weekend_var=0.1
    )
    belief = fresh(replace(nothing_lasts, driver_weekend_var=0.3))
    before = strengths(belief)
    belief.observe(scores(belief, *FIRST[0]))
    # two in one car: variances 1.3 and covariance 0.1 of scores that are 1.2 above and 0.2 below what was expected,
    # their mean takes 0.5 / 1.4 of its surprise, half their difference 0.3 / 1.2 of its own; alone 0.4 / 1.3 of 1.9
    moved = strengths(belief)[0] - before[0]
    assert moved == pytest.approx(
        [0.5 / 1.4 * 0.5 + 0.3 / 1.2 * 0.7, 0.5 / 1.4 * 0.5 - 0.3 / 1.2 * 0.7, 0.4 / 1.3 * 1.9] * 2
    )
    assert (np.diag(strengths(belief)[1]) < np.diag(before[1])).all()
    belief.begin_weekend(opens_season=False, is_reset=False)
    np.testing.assert_array_equal(strengths(belief)[0], before[0])
    np.testing.assert_array_equal(strengths(belief)[1], before[1])


@pytest.mark.parametrize("session", ["race", "sprint"])
def test_a_starting_place_is_taken_out_of_the_score(session):
    weighted = replace(OWN, grid_weight=0.25, sprint_grid_weight=0.25)
    free = replace(
        OWN,
        grid_weight=0.0,
        sprint_grid_weight=0.0,
        noise={**OWN.noise, session: OWN.noise[session] / 0.75**2},
    )
    rows = [("ann", "red", 1.0, 2.0), ("cat", "blue", -0.4, 0.5)]
    # (1.0 - 0.25 * 2.0) / 0.75 and (-0.4 - 0.25 * 0.5) / 0.75
    without_start = [("ann", "red", 2 / 3, 0.0), ("cat", "blue", -0.7, 0.0)]
    one, other = fresh(weighted), fresh(free)
    one.observe(scores(one, session, rows))
    other.observe(scores(other, session, without_start))
    for found, expected in zip(strengths(one), strengths(other), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_start_weights_and_reset_seasons():
    assert [OWN.start_weight(name) for name in ("race", "sprint", "qualifying", "fp1")] == [0.2, 0.5, 0.0, 0.0]
    assert {2022, 2026} == RESET_SEASONS


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(
    cars=st.permutations([*CARS, "grey", "zebra"]),
    drivers=st.permutations([*DRIVERS, "dan", "aaron"]),
    within=st.permutations(range(3)),
)
def test_order_and_extra_names_change_nothing(cars, drivers, within):
    plain, other = fresh(), fresh(cars=cars, drivers=drivers)
    for belief in (plain, other):
        for name, rows in FIRST:
            ordered = [rows[at] for at in within if at < len(rows)] if belief is other else rows
            belief.observe(scores(belief, name, ordered))
        belief.begin_weekend(opens_season=True, is_reset=False)
    for found, expected in zip(strengths(other), strengths(plain), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11)


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(
    values=st.lists(st.floats(-3, 3), min_size=3, max_size=3), session=st.sampled_from(["fp2", "qualifying", "race"])
)
def test_learning_never_widens_and_covariances_stay_symmetric_and_positive(values, session):
    belief = fresh()
    before = np.diag(strengths(belief)[1])
    rows = [(*pair, value, 0.0) for pair, value in zip(PAIRS, values, strict=True)]
    assert np.isfinite(belief.observe(scores(belief, session, rows)))
    covariance = strengths(belief)[1]
    assert (np.diag(covariance) <= before + 1e-12).all()
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-12)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_unknown_names_are_named():
    belief = fresh()
    with pytest.raises(DataError, match="3 names they were made for, found 'zoe'"):
        belief.driver_numbers(["ann", "zoe"])
    with pytest.raises(DataError, match="2 names they were made for, found 'pink'"):
        belief.car_numbers(["pink"])
