"""How many simulated weekends the scoring engine scores in a second.

Here: weekends drawn at random, in the sizes that a forecast by simulation asks for. Not here: whether the points are
right, which the unit tests hold against official figures.
"""

from functools import cache

import numpy as np

from benchmarks.registry import Figure, benchmark, median_seconds
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.scoring_arrays import Ints, Mask, PitStopArrays, QualifyingArrays, RaceArrays, Weekends
from f1_pipeline.game.weekend_scoring import score_weekends
from f1_pipeline.settings import load_settings

WEEKENDS, CARS, CONSTRUCTORS = 100_000, 22, 11
ONE_BY_ONE = 500
TEAM = np.repeat(np.arange(CONSTRUCTORS, dtype=np.int8), 2)


@cache
def drawn_weekends(has_sprint: bool) -> Weekends:
    """Draw the weekends that every figure here is measured on.

    Parameters
    ----------
    has_sprint
        Whether they have a sprint.

    Returns
    -------
    Weekends
        100 000 weekends of 22 cars and 11 constructors, two timed pit stops per car.
    """
    generator = np.random.default_rng(2026)
    qualifying = _order(generator)
    sprint = _race(generator, qualifying) if has_sprint else None
    race = _race(generator, qualifying)
    stops = generator.normal(2600, 300, (WEEKENDS, 2 * CARS)).clip(1900, 9000).astype(np.int32)
    is_out = generator.random((WEEKENDS, CARS)) < 0.01
    return Weekends(
        CONSTRUCTORS,
        QualifyingArrays(TEAM, np.where(is_out, 0, qualifying).astype(np.int8)),
        race,
        sprint,
        PitStopArrays(np.repeat(TEAM, 2), stops),
    )


def _order(generator: np.random.Generator) -> Ints:
    """Draw places from 1 on: strength by car, and as much luck."""
    strength = np.arange(CARS) / 3 + generator.normal(0, 2, (WEEKENDS, CARS))
    return (strength.argsort(axis=1).argsort(axis=1) + 1).astype(np.int8)


def _race(generator: np.random.Generator, start: Ints) -> RaceArrays:
    draw = generator.random((WEEKENDS, CARS))
    finish = np.where(draw < 0.12, CARS + 1, _order(generator)).argsort(axis=1, kind="stable").argsort(axis=1) + 1
    return RaceArrays(
        TEAM,
        np.where(draw < 0.12, 0, finish).astype(np.int8),
        start,
        is_disqualified=draw > 0.998,
        did_not_start=draw < 0.005,
        overtakes=generator.poisson(3, (WEEKENDS, CARS)).astype(np.int8),
        has_fastest_lap=_one_of_all(generator),
        is_driver_of_the_day=_one_of_all(generator),
    )


def _one_of_all(generator: np.random.Generator) -> Mask:
    return np.arange(CARS) == generator.integers(0, CARS, (WEEKENDS, 1))


def _per_second(weekends: Weekends, rules: SeasonRules) -> float:
    return WEEKENDS / median_seconds(lambda: score_weekends(weekends, rules), repeats=7)


def _one_by_one_per_second(weekends: Weekends, rules: SeasonRules) -> float:
    single = [weekends.part(slice(row, row + 1)) for row in range(ONE_BY_ONE)]
    return ONE_BY_ONE / median_seconds(lambda: [score_weekends(each, rules) for each in single], repeats=3)


@benchmark("score_weekends_per_s")
def score_weekends_per_s() -> list[Figure]:
    """Score 100 000 weekends in one call, drivers and constructors, against one call for each."""
    data_dir = load_settings().data_dir
    rules = load_rules(data_dir, 2026)
    figures = []
    for name, has_sprint in (("score_weekends_per_s", False), ("score_weekends_per_s.sprint", True)):
        weekends = drawn_weekends(has_sprint)
        figures.append(
            Figure(
                name,
                _per_second(weekends, rules),
                "1/s",
                "the same engine, one call per weekend",
                _one_by_one_per_second(weekends, rules),
            )
        )
    return figures
