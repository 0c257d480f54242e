"""When to play a chip: worked by hand, and against many played seasons."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_pipeline.optimize.chip_timing import FEWEST_RACES, RecordedGains, chip_to_play, keep_values


def recorded(points: list[float], sprints: list[bool] | None = None) -> RecordedGains:
    kinds = sprints or [False] * len(points)
    return RecordedGains(np.array(points), np.array(kinds, dtype=bool), len(points))


def test_hand_worked_values() -> None:
    gains = recorded([0.0, 0.0, 0.0, 12.0, 12.0, 12.0])
    # Last race: the mean, 6. Before it: (12 + 6) / 2 = 9. Before that: (12 + 9) / 2 = 10.5.
    assert keep_values(gains, [False] * 3).tolist() == [10.5, 9.0, 6.0, 0.0]


def test_a_sprint_offers_what_sprints_did_once_enough_are_recorded() -> None:
    points = [2.0] * FEWEST_RACES + [10.0] * FEWEST_RACES
    gains = recorded(points, [False] * FEWEST_RACES + [True] * FEWEST_RACES)
    assert keep_values(gains, [True]).tolist() == [10.0, 0.0]
    assert keep_values(gains, [True, False]).tolist() == [10.0, 2.0, 0.0]
    few = recorded(points[:-1], [False] * FEWEST_RACES + [True] * (FEWEST_RACES - 1))
    assert keep_values(few, [True])[0] == pytest.approx(np.mean(points[:-1]))
    assert keep_values(few, [False])[0] == 2.0


def test_several_offers_of_a_race_count_as_one_race() -> None:
    offers = np.repeat([1.0, 5.0], 20)
    gains = RecordedGains(offers, np.zeros(40, dtype=bool), race_count=2)
    assert not gains.is_enough
    assert keep_values(gains, [False]).tolist() == [math.inf, 0.0]


@pytest.mark.parametrize("count", [0, 1, FEWEST_RACES - 1])
def test_a_chip_waits_while_too_few_races_are_recorded(count: int) -> None:
    assert keep_values(recorded([5.0] * count), [False] * 2).tolist() == [math.inf, math.inf, 0.0]


def test_after_the_last_race_a_chip_is_worth_nothing() -> None:
    assert keep_values(recorded([5.0] * FEWEST_RACES), []).tolist() == [0.0]


offers = st.lists(st.floats(0, 100), min_size=FEWEST_RACES, max_size=20)


@given(offers, st.lists(st.booleans(), max_size=24), st.integers(0, 2**32 - 1))
def test_the_value_never_rises_from_race_to_race(points: list[float], has_sprint: list[bool], seed: int) -> None:
    generator = np.random.default_rng(seed)
    gains = recorded(points, (generator.random(len(points)) < 0.4).tolist())
    values = keep_values(gains, has_sprint)
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] == 0.0
    assert len(values) == len(has_sprint) + 1


def test_playing_by_the_values_scores_what_they_say_and_other_thresholds_less() -> None:
    generator = np.random.default_rng(7)
    gains = recorded(generator.gamma(2.0, 6.0, 30).tolist())
    races, seasons = 8, 40_000
    values = keep_values(gains, [False] * races)
    drawn = generator.choice(gains.points, (seasons, races))

    def score(thresholds: np.ndarray) -> tuple[float, float]:
        is_played = drawn >= thresholds
        first = np.where(is_played.any(axis=1), is_played.argmax(axis=1), 0)
        points = np.where(is_played.any(axis=1), drawn[np.arange(seasons), first], 0.0)
        return float(points.mean()), float(points.std() / math.sqrt(seasons))

    mean, error = score(values[1:])
    assert abs(mean - values[0]) < 4 * error
    for moved in (values[1:] * 0.8, np.append(values[1:-1] * 1.3, 0.0)):
        assert score(moved)[0] < mean


def test_the_chip_furthest_above_its_worth_is_played() -> None:
    assert chip_to_play({"a": 9.0, "b": 20.0}, {"a": 5.0, "b": 18.0}) == "a"
    assert chip_to_play({"a": 9.0, "b": 20.0}, {"a": 9.0, "b": 21.0}) == "a"
    assert chip_to_play({"a": 8.0, "b": 20.0}, {"a": 9.0, "b": 21.0}) is None
    assert chip_to_play({}, {}) is None


def test_a_chip_that_adds_nothing_or_of_which_nothing_is_known_is_not_played() -> None:
    assert chip_to_play({"a": 0.0}, {"a": 0.0}) is None
    assert chip_to_play({"a": 50.0}, {"a": math.inf}) is None
