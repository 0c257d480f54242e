"""Simulated weekends: valid whatever the outlook, as drawn by hand without noise, and in the frequencies asked for.

Belongs here: what is drawn and what it scores. What a real weekend scores is `test_weekend_scoring.py`.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError
from f1_pipeline.forecast import simulation
from f1_pipeline.forecast.outlook import RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.simulation import SimulatedWeekends, draw_weekends, simulate_points
from f1_pipeline.forecast.simulation_draws import one_each, places, poisson_counts, rare, square_root, streams
from f1_pipeline.game.scoring_arrays import RaceArrays, Weekends
from f1_pipeline_tests.scored_races import RULE_SEASONS, season_rules

NEVER = -np.inf
COUNT = 4000


def race_of(cars: int, **changes: object) -> RaceOutlook:
    """A race in which nothing is left to chance and nobody passes anybody."""
    quiet = RaceOutlook(0.0, 0.0, np.full(cars, NEVER), np.zeros((cars + 1, cars + 1)), 0.0)
    return replace(quiet, **changes)  # type: ignore[arg-type]


def certain(cars: int, **changes: object) -> WeekendOutlook:
    """A weekend in which the first car is best and nothing is left to chance but the fastest lap and the vote.

    Those go to the car in first place; teams have two cars, the last has one where the number is odd.
    """
    team = np.arange(cars) // 2
    strength = np.linspace(1.5, -1.5, cars)
    first = np.array([0.0, 1.0, *np.zeros(cars - 1)])
    outlook = WeekendOutlook(
        team=team,
        constructor_count=int(team[-1]) + 1,
        strength_mean=np.concatenate([strength, strength]),
        strength_covariance=np.zeros((2 * cars, 2 * cars)),
        qualifying_sd=0.0,
        no_time_rate=0.0,
        qualifying_position=None,
        grid_drops=np.empty((0, 2)),
        race=race_of(cars),
        sprint=None,
        attrition_sd=0.0,
        disqualified_rate=0.0,
        overtakes_factor=np.ones(cars),
        fastest_lap_weight=first,
        vote_weight=np.ones(cars),
        vote_by_place=first,
        vote_per_place_gained=0.0,
        pit_log_ms=np.full(int(team[-1]) + 1, math.log(5000)),
        pit_log_sd=0.0,
    )
    return replace(outlook, **changes)  # type: ignore[arg-type]


def likely(cars: int = 22, *, has_sprint: bool = True, seed: int = 0, **changes: object) -> WeekendOutlook:
    """A weekend in which everything can happen, with figures made up from a seed."""
    generator = np.random.default_rng(seed)
    team = generator.permutation(np.arange(cars) // 2)
    own = 0.15 * (team[:, None] == team) + 0.05 * np.eye(cars)

    def race() -> RaceOutlook:
        logits = generator.uniform(-4, 1, cars)
        return RaceOutlook(0.6, generator.random(), logits, generator.uniform(0, 9, (cars + 1, cars + 1)), 0.4)

    outlook = certain(
        cars,
        team=team,
        strength_mean=generator.normal(0, 1, 2 * cars),
        strength_covariance=np.block([[own, 0.7 * own], [0.7 * own, own]]),
        qualifying_sd=0.5,
        no_time_rate=0.05,
        grid_drops=np.array([[0.05, 3], [0.03, 5.5], [0.04, 30]]),
        race=race(),
        sprint=race() if has_sprint else None,
        attrition_sd=0.5,
        disqualified_rate=0.01,
        overtakes_factor=generator.uniform(0.5, 1.5, cars),
        fastest_lap_weight=generator.uniform(0.001, 1, cars + 1),
        vote_weight=generator.uniform(0.1, 1, cars),
        vote_by_place=generator.uniform(0.001, 1, cars + 1),
        vote_per_place_gained=0.12,
        pit_log_ms=np.log(generator.uniform(2000, 3000, int(team.max()) + 1)),
        pit_log_sd=0.1,
    )
    return replace(outlook, **changes)  # type: ignore[arg-type]


def arrays_of(weekends: Weekends) -> list[np.ndarray]:
    sessions = [session for _, session in weekends.sessions]
    found = [getattr(session, each.name) for session in sessions for each in fields(session)]
    assert weekends.pit_stops is not None
    return [*found, weekends.pit_stops.stationary_ms]


def sprint_of(weekends: Weekends) -> RaceArrays:
    assert weekends.sprint is not None
    return weekends.sprint


def within(found: np.ndarray | float, expected: np.ndarray | float, sd: np.ndarray | float, count: int) -> bool:
    """Say whether means over draws are as expected but for chance."""
    return bool(np.all(np.abs(np.asarray(found) - expected) <= 4.5 * np.asarray(sd) / math.sqrt(count) + 1e-12))


def assert_race_valid(race: RaceArrays, cars: int) -> None:
    assert (np.sort(race.start_place, axis=1) == np.arange(1, cars + 1)).all()
    assert_classification_valid(race.position)
    assert (race.has_fastest_lap.sum(axis=1) == 1).all()
    assert race.overtakes.min() >= 0
    assert race.overtakes.max() <= 60


def assert_classification_valid(position: np.ndarray) -> None:
    placed = np.sort(position, axis=1)[:, ::-1].astype(int)
    size = (position > 0).sum(axis=1, keepdims=True)
    assert (placed == np.maximum(size - np.arange(position.shape[1]), 0)).all()


def assert_valid(weekends: Weekends, cars: int) -> None:
    assert_classification_valid(weekends.qualifying.position)
    assert_race_valid(weekends.race, cars)
    assert (weekends.race.is_driver_of_the_day.sum(axis=1) == 1).all()
    if weekends.sprint is not None:
        assert_race_valid(weekends.sprint, cars)
        assert not weekends.sprint.is_driver_of_the_day.any()
        assert not weekends.sprint.is_disqualified.any()
    assert weekends.pit_stops is not None
    assert weekends.pit_stops.stationary_ms.min() >= 1


# ---- by hand


def test_without_noise_every_weekend_is_the_one_worked_by_hand():
    # 2.1 s for the first team, 1.9 s for the second; the last two seconds score nothing
    outlook = certain(5, pit_log_ms=np.log([2100, 1900, 5000]))
    found = simulate_points(outlook, season_rules(2026), 3, 1)
    # places in qualifying and race, fastest lap and vote for the winner
    assert found.driver_points.tolist() == [[10 + 25 + 20, 9 + 18, 8 + 15, 7 + 12, 6 + 10]] * 3
    # all in Q3; pit stops under 2.2 s, under 2.0 s and fastest; one car alone in Q3
    assert found.constructor_points.tolist() == [[45 + 27 + 10 + 10, 23 + 19 + 10 + 25, 16 + 5]] * 3
    assert found.race_position.tolist() == found.qualifying_position.tolist() == [[1, 2, 3, 4, 5]] * 3
    assert not found.is_retired.any()
    assert (found.driver_points.dtype, found.constructor_points.dtype) == (np.int16, np.int16)


def test_starting_places_weigh_in_and_retired_cars_have_no_place():
    out = np.array([NEVER, NEVER, np.inf, NEVER])
    race = race_of(4, grid_weight=1.0, start=np.array([4, 1, 2, 3]), retirement_logit=out)
    found = simulate_points(certain(4, race=race), season_rules(2026), 2, 1)
    assert found.race_position.tolist() == [[3, 1, 0, 2]] * 2
    assert found.is_retired.tolist() == [[False, False, True, False]] * 2
    # 10, third, one place gained; 9, winner with both honours; 8, out; 7, second, one place gained
    assert found.driver_points.tolist() == [[10 + 15 + 1, 9 + 25 + 20, 8 - 20, 7 + 18 + 1]] * 2


def test_a_sprint_without_noise_scores_by_hand():
    sprint = race_of(4, start=np.array([2, 1, 3, 4]), retirement_logit=np.array([NEVER, NEVER, NEVER, np.inf]))
    found = simulate_points(certain(4, sprint=sprint), season_rules(2026), 2, 1)
    # first with the fastest lap from second; second from first; third; out
    sprint_points = np.array([8 + 5 + 1, 7 - 1, 6, -10])
    weekend = np.array([10 + 25 + 20, 9 + 18, 8 + 15, 7 + 12])
    assert found.driver_points.tolist() == [(weekend + sprint_points).tolist()] * 2


def test_penalties_move_back_by_places_and_behind_whoever_holds_the_place():
    outlook = certain(5, grid_drops=np.array([[0.1, 2.0]]))
    start = draw_weekends(outlook, COUNT, 1).race.start_place
    alone = {
        (3, 1, 2, 4, 5),
        (1, 4, 2, 3, 5),
        (1, 2, 5, 3, 4),
        (1, 2, 3, 5, 4),
        (1, 2, 3, 4, 5),
    }
    seen, times = np.unique(start, axis=0, return_counts=True)
    often = {tuple(row) for row, count in zip(seen.tolist(), times, strict=True) if count > 0.05 * COUNT}
    assert often == alone
    # nobody penalised, or the last alone, or the last two (one pair) or three: the same order
    unchanged = int(times[(seen == np.arange(1, 6)).all(axis=1)][0])
    assert within(unchanged / COUNT, 0.9**5 + 0.9**4 * 0.1, 0.5, COUNT)


def test_pit_stop_points_follow_the_bands():
    centre = [1900, 2100, 2350, 2750, 3500]
    outlook = certain(10, pit_log_ms=np.log(centre), pit_log_sd=0.001)
    without = simulate_points(certain(10), season_rules(2026), 50, 3).constructor_points
    found = simulate_points(outlook, season_rules(2026), 50, 3).constructor_points
    # without bands all are tied for the fastest stop: 5 each
    assert (found - without + 5).tolist() == [[20 + 5, 10, 5, 2, 0]] * 50


# ---- determinism


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    outlook, rules = likely(), season_rules(2026)
    one, again, other = (simulate_points(outlook, rules, 500, seed) for seed in ([7, 1], [7, 1], [7, 2]))
    for left, right in zip(arrays_of(one.weekends), arrays_of(again.weekends), strict=True):
        assert left.tobytes() == right.tobytes()
    assert one.driver_points.tobytes() == again.driver_points.tobytes()
    assert one.constructor_points.tobytes() == again.constructor_points.tobytes()
    assert one.driver_points.tobytes() != other.driver_points.tobytes()
    assert one.driver_points.tobytes() != simulate_points(outlook, rules, 500, 7).driver_points.tobytes()


@pytest.mark.parametrize("chunk", [1, 97, 10_000])
def test_draws_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch, chunk):
    outlook = likely()
    expected = arrays_of(draw_weekends(outlook, 300, 5))
    monkeypatch.setattr(simulation, "_CHUNK", chunk)
    for left, right in zip(arrays_of(draw_weekends(outlook, 300, 5)), expected, strict=True):
        assert np.array_equal(left, right)


def test_the_first_weekends_do_not_depend_on_how_many_follow():
    outlook, rules = likely(), season_rules(2026)
    few, many = (simulate_points(outlook, rules, count, 5) for count in (10, 9000))
    assert np.array_equal(few.driver_points, many.driver_points[:10])


def test_a_sprint_leaves_the_draws_of_other_sessions_as_they_are():
    outlook = likely()
    one, other = draw_weekends(outlook, 50, 5), draw_weekends(replace(outlook, sprint=None), 50, 5)
    assert np.array_equal(one.race.position, other.race.position)
    assert np.array_equal(one.race.overtakes, other.race.overtakes)


# ---- what is known


def test_known_sessions_are_used_as_given():
    cars = 22
    order = np.random.default_rng(3).permutation(cars) + 1
    sprinted = np.where(order > 17, 0, order)
    outlook = likely(cars, qualifying_position=order)
    assert outlook.sprint is not None
    sprint = replace(outlook.sprint, start=order[::-1], position=sprinted)
    weekends = draw_weekends(replace(outlook, sprint=sprint, race=replace(outlook.race, start=order)), 200, 1)
    assert (weekends.qualifying.position == order).all()
    assert (sprint_of(weekends).start_place == order[::-1]).all()
    assert (sprint_of(weekends).position == sprinted).all()
    assert (weekends.race.start_place == order).all()
    assert len(np.unique(sprint_of(weekends).overtakes, axis=0)) > 100
    assert_valid(weekends, cars)


def test_cars_without_a_time_start_behind_those_with_one():
    known = np.array([2, 0, 1, 0, 3, 4])
    outlook = likely(6, qualifying_position=known, grid_drops=np.empty((0, 2)))
    start = draw_weekends(outlook, 400, 1).race.start_place
    assert (start[:, known > 0] == known[known > 0]).all()
    # the order of the two at the back is not known
    assert set(map(tuple, start[:, known == 0].tolist())) == {(5, 6), (6, 5)}


def test_known_grid_needs_no_known_qualifying():
    order = np.arange(6, 0, -1)
    outlook = likely(6)
    weekends = draw_weekends(replace(outlook, race=replace(outlook.race, start=order)), 100, 1)
    assert (weekends.race.start_place == order).all()
    assert len(np.unique(weekends.qualifying.position, axis=0)) > 20


# ---- frequencies


def test_no_time_rate_and_disqualified_rate_are_met():
    weekends = draw_weekends(certain(20, no_time_rate=0.03, disqualified_rate=0.02), COUNT, 2)
    assert within((weekends.qualifying.position == 0).mean(), 0.03, math.sqrt(0.03 * 0.97), 20 * COUNT)
    assert within(weekends.race.is_disqualified.mean(), 0.02, math.sqrt(0.02 * 0.98), 20 * COUNT)


def test_retirements_are_as_frequent_as_their_log_odds_say():
    logits = np.linspace(-4, 2, 10)
    rate = 1 / (1 + np.exp(-logits))
    race = race_of(10, retirement_logit=logits)
    weekends = draw_weekends(certain(10, race=race, sprint=race), COUNT, 2)
    for each in (weekends.race, sprint_of(weekends)):
        assert within((each.position == 0).mean(axis=0), rate, np.sqrt(rate * (1 - rate)), COUNT)
    together = np.cov((weekends.race.position == 0).sum(axis=1), (sprint_of(weekends).position == 0).sum(axis=1))
    assert abs(together[0, 1]) < 0.15


def test_attrition_is_shared_by_the_cars_and_both_races():
    race = race_of(20, retirement_logit=np.full(20, -1.5))
    weekends = draw_weekends(certain(20, race=race, sprint=race, attrition_sd=0.8), COUNT, 2)
    out = [(each.position == 0).sum(axis=1) for each in (weekends.race, sprint_of(weekends))]
    assert np.corrcoef(*out)[0, 1] > 0.3
    assert out[0].var() > 1.5 * out[0].mean()


def test_overtakes_have_the_mean_of_the_table_times_the_factor():
    table = np.random.default_rng(1).uniform(0, 12, (9, 9))
    start, position = np.arange(1, 9), np.array([3, 1, 2, 8, 4, 0, 6, 5])
    factor = np.linspace(0.5, 1.5, 8)
    sprint = race_of(8, overtakes=table, start=start, position=position)
    expected = table[start, position] * factor
    for sd in (0.0, 0.5):
        outlook = certain(8, sprint=replace(sprint, overtakes_sd=sd), overtakes_factor=factor)
        overtakes = sprint_of(draw_weekends(outlook, 5 * COUNT, 2)).overtakes.astype(float)
        variance = expected + expected**2 * (math.exp(sd**2) - 1)
        assert within(overtakes.mean(axis=0), expected, np.sqrt(variance), 5 * COUNT)
        assert overtakes.var(axis=0) == pytest.approx(variance, rel=0.12, abs=0.05)


def test_fastest_lap_and_vote_are_drawn_in_proportion():
    weight = np.array([0.0, 4.0, 3.0, 2.0, 1.0])
    outlook = certain(
        4,
        fastest_lap_weight=weight,
        vote_by_place=weight,
        vote_weight=np.array([1.0, 1.0, 1.0, 4.0]),
        vote_per_place_gained=math.log(2),
        # the last car starts third and the third last
        race=race_of(4, start=np.array([1, 2, 4, 3])),
    )
    race = draw_weekends(outlook, COUNT, 2).race
    assert within(race.has_fastest_lap.mean(axis=0), weight[1:] / 10, 0.5, COUNT)
    # the third has gained a place
    assert within(race.is_driver_of_the_day.mean(axis=0), np.array([4, 3, 4, 4]) / 15, 0.5, COUNT)


def test_strengths_have_their_covariance():
    # two cars of one team: the better by one standard deviation of the difference is ahead with probability 0.841
    covariance = np.kron(np.eye(2), np.array([[0.5, 0.25], [0.25, 0.5]]))
    outlook = certain(2, strength_covariance=covariance, strength_mean=np.array([math.sqrt(0.5), 0, 0, 0]))
    weekends = draw_weekends(outlook, COUNT, 2)
    assert within((weekends.qualifying.position[:, 0] == 1).mean(), 0.8413, 0.4, COUNT)
    assert within((weekends.race.position[:, 0] == 1).mean(), 0.5, 0.5, COUNT)
    noisy = replace(outlook, strength_covariance=0 * covariance, qualifying_sd=0.5)
    assert within((draw_weekends(noisy, COUNT, 2).qualifying.position[:, 0] == 1).mean(), 0.8413, 0.4, COUNT)


def test_team_mates_who_share_a_car_score_together():
    team = np.arange(20) // 2
    shared = 0.5 * (team[:, None] == team) + 0.01 * np.eye(20)
    calm = race_of(20, noise_sd=0.5, grid_weight=0.4)
    outlook = certain(20, strength_mean=np.zeros(40), qualifying_sd=0.5, race=calm)
    means = []
    for covariance in (np.block([[shared, shared], [shared, shared]]), 0.51 * np.eye(40)):
        points = simulate_points(replace(outlook, strength_covariance=covariance), season_rules(2026), COUNT, 2)
        correlation = np.corrcoef(points.driver_points.T)
        means.append(np.mean([correlation[car, car + 1] for car in range(0, 20, 2)]))
    assert means[0] > 0.2
    assert means[1] < 0


def test_stronger_cars_score_more():
    strength = np.linspace(1.5, -1.5, 20)
    outlook = likely(20, strength_mean=np.concatenate([strength, strength]), team=np.arange(20) // 2)
    calm = replace(outlook, race=race_of(20, noise_sd=0.6, grid_weight=0.4), sprint=None)
    found: SimulatedWeekends = simulate_points(calm, season_rules(2026), COUNT, 2)
    assert (np.diff(found.driver_points.mean(axis=0)[::4]) < 0).all()
    assert (np.diff(found.race_position.mean(axis=0)[::2]) > 0).all()


# ---- draws


def test_poisson_numbers_are_distributed_as_they_should():
    generator = np.random.default_rng(4)
    for mean in (0.0, 0.03, 0.4, 1.0, 3.3, 9.7, 24.0):
        uniform = generator.random((1, 400_000), dtype=np.float32)
        drawn = poisson_counts(np.full_like(uniform, mean), uniform)
        assert within(drawn.mean(), mean, math.sqrt(mean), drawn.size)
        share = np.bincount(drawn[0], minlength=61)[:61] / drawn.size
        chance = np.array([math.exp(-mean) * mean**k / math.factorial(k) for k in range(61)])
        assert np.abs(share - chance).max() < 0.003
        assert np.abs(share - chance).sum() < 0.01
    assert poisson_counts(np.full((1, 3), 1e9, np.float32), np.array([[0.0, 0.5, 0.9999]], np.float32)).max() == 60


@pytest.mark.parametrize("mean", [0.0, 0.125, 2.0, 6.5, 20.0])
def test_quantiles_looked_up_are_those_of_poisson_distributions(mean):
    # every probability that the table knows, once; the mean is one of its steps
    uniform = ((np.arange(2048) + 0.5) / 2048).astype(np.float32)[None]
    share = np.bincount(poisson_counts(np.full_like(uniform, mean), uniform)[0], minlength=61) / 2048
    chance = np.array([math.exp(-mean) * mean**k / math.factorial(k) for k in range(61)])
    assert np.abs(share - chance).max() <= 0.0005
    assert share @ np.arange(61) == pytest.approx(mean, abs=0.003)


def test_places_rank_as_a_stable_sort_does():
    generator = np.random.default_rng(5)
    score = generator.integers(0, 6, (9, 300)).astype(np.float32)
    assert np.array_equal(places(score), (-score).argsort(0, kind="stable").argsort(0, kind="stable") + 1)


def test_one_car_is_drawn_and_none_without_a_chance():
    weight = np.array([[0, 1, 0], [0, 0, 0], [2, 0, 0]], dtype=np.float32)
    last = np.float32(1 - 2.0**-24)
    assert one_each(weight.copy(), np.full(3, last)).T.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert one_each(weight.copy(), np.zeros(3, np.float32)).T.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]


def test_rare_things_happen_to_cells_with_numbers_below_the_rate():
    (cars, weekends), uniform = rare(streams(1, ["any"])["any"], 0.1, 7, 3000)
    assert within(len(cars) / 21_000, 0.1, 0.3, 21_000)
    assert uniform.max() < 0.1
    assert (cars.max(), weekends.max() // 100) == (6, 29)
    assert len(set(zip(cars.tolist(), weekends.tolist(), strict=True))) == len(cars)


def test_a_singular_covariance_has_a_root_and_an_impossible_one_is_refused():
    half = np.random.default_rng(6).normal(size=(8, 3))
    root = square_root(half @ half.T)
    assert np.allclose(root @ root.T, half @ half.T)
    with pytest.raises(DataError, match="without negative eigenvalues, found -1"):
        square_root(np.diag([1.0, -1.0]))
    with pytest.raises(DataError, match="symmetric"):
        square_root(np.array([[1.0, 0.5], [0.0, 1.0]]))


# ---- any outlook


@pytest.mark.parametrize("cars", [1, 2, 20, 22, 23])
@pytest.mark.parametrize("season", RULE_SEASONS)
def test_any_number_of_cars_is_scored_under_the_rules_of_any_season(cars, season):
    found = simulate_points(likely(cars), season_rules(season), 60, 1)
    assert_valid(found.weekends, cars)
    assert found.driver_points.shape == (60, cars)
    assert found.constructor_points.shape == (60, (cars + 1) // 2)


def test_teams_have_one_car_or_three_and_one_without_cars_makes_no_stops():
    outlook = likely(6, team=np.array([0, 1, 1, 1, 2, 2]), constructor_count=4, pit_log_ms=np.log([2400.0] * 4))
    found = simulate_points(outlook, season_rules(2026), 100, 1)
    assert_valid(found.weekends, 6)
    assert found.constructor_points.shape == (100, 4)
    assert not found.constructor_points[:, 3].any()


def test_no_weekends_are_no_points():
    found = simulate_points(likely(), season_rules(2026), 0, 1)
    assert (found.driver_points.shape, found.constructor_points.shape) == ((0, 22), (0, 11))
    assert found.race_position.shape == found.is_retired.shape == (0, 22)


@pytest.mark.parametrize(
    ("outlook", "message"),
    [
        (certain(4, strength_mean=np.zeros(4)), r"expected strength_mean of shape \(8,\), found \(4,\)"),
        (certain(4, no_time_rate=1.5), "expected no_time_rate from 0 to 1, found 1.5"),
        (certain(4, qualifying_sd=math.nan), "expected qualifying_sd from 0 to 1000, found nan"),
        (certain(4, team=np.array([0, 0, 1, 2])), "expected team from 0 to 1, found 0 to 2"),
        (certain(4, race=race_of(4, start=np.array([0, 1, 2, 3]))), "expected race.start from 1 to 4, found 0 to 3"),
        (certain(4, sprint=race_of(3)), r"expected sprint.retirement_logit of shape \(4,\), found \(3,\)"),
        (certain(4, grid_drops=np.array([[0.6, 1], [0.5, 2]])), "grid_drops that sum up to 1 at most"),
        (certain(4, team=np.array([], dtype=int)), "expected 1 to 100 cars, found 0"),
        (certain(4, strength_covariance=-np.eye(8)), "without negative eigenvalues"),
    ],
)
def test_an_outlook_that_does_not_fit_is_refused(outlook, message):
    with pytest.raises(DataError, match=message):
        draw_weekends(outlook, 1, 1)


def test_fewer_than_no_weekends_are_refused():
    with pytest.raises(DataError, match="expected a count of weekends from 0, found -1"):
        draw_weekends(certain(4), -1, 1)


@settings(max_examples=60, deadline=None)
@given(
    cars=st.integers(1, 24),
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 40),
    has_sprint=st.booleans(),
    knows=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    spread=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_every_weekend_of_any_outlook_is_valid(cars, seed, count, has_sprint, knows, spread):
    generator = np.random.default_rng(seed)
    half = generator.normal(0, spread, (2 * cars, 3))
    outlook = likely(cars, has_sprint=has_sprint, seed=seed, strength_covariance=half @ half.T)

    def order() -> np.ndarray:
        return generator.permutation(cars) + 1

    def partial() -> np.ndarray:
        placed = order()
        return np.where(placed > generator.integers(0, cars + 1), 0, placed)

    if knows[0]:
        outlook = replace(outlook, qualifying_position=partial())
    if knows[1]:
        outlook = replace(outlook, race=replace(outlook.race, start=order()))
    if outlook.sprint is not None:
        start, position = order() if knows[2] else None, partial() if knows[3] else None
        outlook = replace(outlook, sprint=replace(outlook.sprint, start=start, position=position))
    found = simulate_points(outlook, season_rules(2026), count, [seed, 1])
    assert found.driver_points.shape == (count, cars)
    assert found.constructor_points.shape == (count, outlook.constructor_count)
    if count:
        assert_valid(found.weekends, cars)
