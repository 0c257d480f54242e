"""How many race weekends the forecast simulates and scores in a second.

Here: a made-up weekend of 22 cars, drawn and scored on arrays and, for comparison, one after the other in plain Python.
Not here: whether what is drawn is right, which the unit tests look at; the speed of the scoring alone is
`benchmarks.scoring`.
"""

from dataclasses import replace
from math import exp, log
from random import Random
from statistics import NormalDist

import numpy as np

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.forecast.outlook import RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.simulation import simulate_points
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.scoring_arrays import PitStopArrays, QualifyingArrays, RaceArrays, Weekends
from f1_pipeline.game.weekend_scoring import score_weekends
from f1_pipeline.settings import load_settings

WEEKENDS, CARS, CONSTRUCTORS = 100_000, 22, 11
ONE_BY_ONE = 500


def made_up_outlook(has_sprint: bool) -> WeekendOutlook:
    """Make a weekend up, with figures as of a real one and nothing known yet.

    Parameters
    ----------
    has_sprint
        Whether it has a sprint.

    Returns
    -------
    WeekendOutlook
        Of 22 cars and 11 constructors.
    """
    team = np.repeat(np.arange(CONSTRUCTORS), 2)
    own = 0.15 * (team[:, None] == team) + 0.05 * np.eye(CARS)
    strength = np.linspace(1.5, -1.5, CARS)
    gained = np.subtract.outer(np.arange(CARS + 1), np.arange(CARS + 1)).clip(0)
    gained[:, 0] = 0
    race = RaceOutlook(
        noise_sd=0.6,
        grid_weight=0.4,
        retirement_logit=np.full(CARS, -2.0),
        overtakes=2 + 0.9 * gained,
        overtakes_sd=0.35,
    )
    return WeekendOutlook(
        team=team,
        constructor_count=CONSTRUCTORS,
        strength_mean=np.concatenate([strength, strength]),
        strength_covariance=np.block([[own, 0.7 * own], [0.7 * own, own]]),
        qualifying_sd=0.5,
        no_time_rate=0.02,
        qualifying_position=None,
        grid_drops=np.array([[0.02, 3], [0.015, 5], [0.025, 30]]),
        race=race,
        sprint=replace(race, noise_sd=0.4, grid_weight=0.6, overtakes=1 + 0.4 * gained) if has_sprint else None,
        attrition_sd=0.5,
        disqualified_rate=0.004,
        overtakes_factor=np.linspace(0.8, 1.2, CARS),
        fastest_lap_weight=np.array([0.0005, *np.linspace(0.2, 0.01, CARS)]),
        vote_weight=np.linspace(0.4, 0.2, CARS),
        vote_by_place=np.array([0.0005, *np.linspace(0.3, 0.01, CARS)]),
        vote_per_place_gained=0.12,
        pit_log_ms=np.log(np.linspace(2250, 2800, CONSTRUCTORS)),
        pit_log_sd=0.1,
    )


class PlainWeekend:
    """The same weekend drawn one at a time, with plain numbers and lists.

    Parameters
    ----------
    outlook
        Nothing in it may be known yet.
    seed
        Of the random numbers.
    """

    def __init__(self, outlook: WeekendOutlook, seed: int) -> None:
        self.outlook, self.random = outlook, Random(seed)
        self.cars = range(outlook.car_count)
        self.root = np.linalg.cholesky(outlook.strength_covariance).tolist()
        self.mean = outlook.strength_mean.tolist()
        self.normal_score = [0.0, *(NormalDist().inv_cdf(1 - (place - 0.5) / CARS) for place in range(1, CARS + 1))]
        self.tables = {
            name: (race.overtakes.tolist(), race.retirement_logit.tolist())
            for name, race in (("race", outlook.race), ("sprint", outlook.sprint))
            if race is not None
        }
        self.factor, self.crews = outlook.overtakes_factor.tolist(), outlook.pit_log_ms.tolist()
        self.fastest_lap, self.drops = outlook.fastest_lap_weight.tolist(), outlook.grid_drops.tolist()
        self.by_driver, self.by_place = outlook.vote_weight.tolist(), outlook.vote_by_place.tolist()

    def draw(self, count: int) -> Weekends:
        """Draw the next weekends, one after the other.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        Weekends
            All of them, for the engine to score in one call.
        """
        drawn = [self._weekend() for _ in range(count)]
        arrays = {name: np.array([each[name] for each in drawn]) for name in drawn[0]}
        team = self.outlook.team
        race, sprint = (
            {key.removeprefix(name): array for key, array in arrays.items() if key.startswith(name)}
            for name in ("race.", "sprint.")
        )
        return Weekends(
            CONSTRUCTORS,
            QualifyingArrays(team, arrays["qualifying"]),
            RaceArrays(team, **race),
            RaceArrays(team, **sprint) if sprint else None,
            PitStopArrays(np.arange(CONSTRUCTORS), arrays["pit_stops"]),
        )

    def _weekend(self) -> dict[str, list]:
        outlook, random, gauss = self.outlook, self.random, self.random.gauss
        standard = [gauss(0, 1) for _ in self.mean]
        strength = [
            mean + sum(root * each for root, each in zip(row[: at + 1], standard, strict=False))
            for at, (mean, row) in enumerate(zip(self.mean, self.root, strict=True))
        ]
        one_lap, of_race = strength[:CARS], strength[CARS:]
        chaos, shift = exp(0.25 * gauss(0, 1)), outlook.attrition_sd * gauss(0, 1)
        is_out = [random.random() < outlook.no_time_rate for _ in self.cars]
        order = _ranks([self._lap(each) - 1e4 * out for out, each in zip(is_out, one_lap, strict=True)])
        drawn: dict[str, list] = {"qualifying": [0 if out else at for out, at in zip(is_out, order, strict=True)]}
        if outlook.sprint is not None:
            grid = _ranks([self._lap(each) for each in one_lap])
            drawn |= self._race("sprint", outlook.sprint, grid, of_race, chaos, shift)
        start = _ranks([-place - self._drop() for place in order])
        drawn |= self._race("race", outlook.race, start, of_race, chaos, shift)
        position = drawn["race.position"]
        drawn["race.is_driver_of_the_day"] = self._one([self._vote(car, start, position) for car in self.cars])
        drawn["race.is_disqualified"] = [random.random() < outlook.disqualified_rate for _ in self.cars]
        drawn["pit_stops"] = [round(exp(crew + outlook.pit_log_sd * gauss(0, 1))) for crew in self.crews]
        return drawn

    def _lap(self, strength: float) -> float:
        return strength + self.outlook.qualifying_sd * self.random.gauss(0, 1)

    def _drop(self) -> float:
        drawn = self.random.random()
        for probability, places in self.drops:
            if drawn < probability:
                return places + 0.25
            drawn -= probability
        return 0.0

    def _race(
        self, name: str, race: RaceOutlook, start: list[int], strength: list[float], chaos: float, shift: float
    ) -> dict[str, list]:
        random, share = self.random, race.grid_weight
        passes, logits = self.tables[name]
        retired = [random.random() < 1 / (1 + exp(-logit - shift)) for logit in logits]
        score = [
            -1e4
            if retired[car]
            else share * self.normal_score[start[car]]
            + (1 - share) * strength[car]
            + race.noise_sd * chaos * random.gauss(0, 1)
            for car in self.cars
        ]
        position = [0 if out else place for out, place in zip(retired, _ranks(score), strict=True)]
        common = exp(race.overtakes_sd * random.gauss(0, 1) - race.overtakes_sd**2 / 2)
        return {
            f"{name}.start_place": start,
            f"{name}.position": position,
            f"{name}.overtakes": [
                self._poisson(passes[start[car]][position[car]] * self.factor[car] * common) for car in self.cars
            ],
            f"{name}.has_fastest_lap": self._one([self.fastest_lap[place] for place in position]),
        }

    def _vote(self, car: int, start: list[int], position: list[int]) -> float:
        gained = min(max(start[car] - position[car], 0), 10) if position[car] else 0
        return self.by_driver[car] * self.by_place[position[car]] * exp(self.outlook.vote_per_place_gained * gained)

    def _one(self, weights: list[float]) -> list[bool]:
        drawn = self.random.choices(self.cars, weights)[0]
        return [car == drawn for car in self.cars]

    def _poisson(self, mean: float) -> int:
        """Count exponential waiting times."""
        left, count = mean, 0
        while (left := left + log(1 - self.random.random())) > 0 and count < 60:
            count += 1
        return count


def _ranks(score: list[float]) -> list[int]:
    rank = [0] * len(score)
    for place, car in enumerate(sorted(range(len(score)), key=lambda car: -score[car]), start=1):
        rank[car] = place
    return rank


def _per_second(outlook: WeekendOutlook, rules: SeasonRules) -> float:
    return WEEKENDS / median_seconds(lambda: simulate_points(outlook, rules, WEEKENDS, 2026), repeats=7)


def _one_by_one_per_second(outlook: WeekendOutlook, rules: SeasonRules) -> float:
    plain = PlainWeekend(outlook, 2026)
    return ONE_BY_ONE / median_seconds(lambda: score_weekends(plain.draw(ONE_BY_ONE), rules), repeats=5)


@benchmark("simulate_weekends_per_s")
def simulate_weekends_per_s() -> list[Figure]:
    """Draw and score 100 000 weekends in one call, against drawing them in plain Python."""
    rules = load_rules(load_settings().data_dir, 2026)
    figures = []
    for name, has_sprint in (("simulate_weekends_per_s", False), ("simulate_weekends_per_s.sprint", True)):
        outlook = made_up_outlook(has_sprint)
        figures.append(
            Figure(
                name,
                _per_second(outlook, rules),
                "1/s",
                "drawn in plain Python weekend by weekend, scored by the same engine in one call",
                _one_by_one_per_second(outlook, rules),
            )
        )
    return figures
