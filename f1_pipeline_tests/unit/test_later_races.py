"""Later races: strengths that last, prices that follow the points, and what remains after qualifying."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.later_races import LaterRace, simulate_later_races
from f1_pipeline.forecast.outlook import LaterOutlook
from f1_pipeline.forecast.price_paths import price_paths
from f1_pipeline.forecast.remaining_points import expected_after_qualifying, points_after_qualifying
from f1_pipeline.forecast.simulation import SimulatedWeekends, draw_strengths, draw_weekends, simulate_points
from f1_pipeline.game.prices import PricedAssets, next_prices
from f1_pipeline.game.rules import PriceRules
from f1_pipeline_tests.forecast_rows import later_outlook, weekend_outlook
from f1_pipeline_tests.scored_races import season_rules

CARS = 8
RACES = (LaterRace(739_000, "spa", False), LaterRace(739_014, "monza", True), LaterRace(739_021, "spa", False))


def later(**changes: object) -> LaterOutlook:
    """Later races of eight cars; the covariances are small, so that places say something of strengths."""
    found = later_outlook(CARS)
    own = {"strength_covariance": 0.3 * np.eye(2 * CARS), "qualifying_sd": 0.1, "no_time_rate": 0.0}
    calm = replace(found.weekend, **own)  # type: ignore[arg-type]
    eye = np.eye(2 * CARS)
    own = {"weekend": calm, "drift_covariance": 0.001 * eye, "form_covariance": 0.01 * eye} | changes
    return replace(found, **own)  # type: ignore[arg-type]


def simulated(outlook: LaterOutlook, count: int = 400, races=RACES) -> list[SimulatedWeekends]:
    return list(simulate_later_races(outlook, races, season_rules(2026), count, (738_000, 1)))


def test_a_sprint_is_driven_where_the_calendar_has_one():
    assert [drawn.weekends.sprint is not None for drawn in simulated(later())] == [False, True, False]


def test_who_is_strong_in_a_draw_stays_so():
    own = [drawn.qualifying_position[:, 3] for drawn in simulated(later(), races=RACES[::2])]
    assert np.corrcoef(*own)[0, 1] > 0.7
    forgetful = later(form_covariance=100 * np.eye(2 * CARS))
    own = [drawn.qualifying_position[:, 3] for drawn in simulated(forgetful, races=RACES[::2])]
    assert abs(np.corrcoef(*own)[0, 1]) < 0.2


def test_strengths_drift_further_the_more_races_go_by():
    drifting = later(drift_covariance=2.0 * np.eye(2 * CARS))
    races = [LaterRace(739_000 + 7 * week, "spa", False) for week in range(6)]
    own = [drawn.qualifying_position[:, 3] for drawn in simulated(drifting, 2000, races)]
    near, far = (np.corrcoef(own[0], own[at])[0, 1] for at in (1, 5))
    assert near > far + 0.15 > 0.15


def test_the_same_seed_gives_the_same_races_whichever_come_after():
    whole, part = simulated(later()), simulated(later(), races=RACES[:2])
    for one, other in zip(whole, part, strict=False):
        np.testing.assert_array_equal(one.driver_points, other.driver_points)
        np.testing.assert_array_equal(one.scores.driver_no_negative, other.scores.driver_no_negative)
    few = simulated(later(), count=10)
    np.testing.assert_array_equal(few[2].driver_points, whole[2].driver_points[:10])
    assert (whole[0].qualifying_position != whole[2].qualifying_position).any()


def test_no_negative_takes_nothing_away():
    for drawn in simulated(later()):
        assert (drawn.scores.driver_no_negative >= np.maximum(drawn.driver_points, 0)).all()


def test_lasting_strengths_come_on_top_of_the_outlooks_own():
    outlook = weekend_outlook(CARS, has_sprint=False)
    lasting = draw_strengths(outlook.strength_mean, outlook.strength_covariance, 300, 5)
    apart = replace(
        outlook,
        strength_mean=np.zeros(2 * CARS),
        strength_covariance=np.zeros((2 * CARS, 2 * CARS)),
    )
    one = draw_weekends(outlook, 300, 5)
    other = draw_weekends(apart, 300, 5, lasting)
    np.testing.assert_array_equal(one.qualifying.position, other.qualifying.position)
    np.testing.assert_array_equal(one.race.position, other.race.position)


def test_lasting_strengths_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"expected lasting strengths of shape \(16, 3\), found \(16, 2\)"):
        draw_weekends(weekend_outlook(CARS), 3, 1, np.zeros((16, 2), dtype=np.float32))


def price_rules(season: int) -> PriceRules:
    return season_rules(season).prices[-1]


@pytest.mark.parametrize("season", [2024, 2026])
def test_a_path_is_one_price_move_after_the_other(season):
    random = np.random.default_rng(3)
    earlier = random.integers(-5, 40, (6, 5)).astype(float)
    earlier[2, 1:] = np.nan  # raced once
    earlier[3, 3] = np.nan  # missed one
    earlier[4] = np.nan  # is new
    assets = PricedAssets(random.integers(45, 250, 6), np.arange(6) >= 4, earlier)
    points = [random.integers(-20, 60, (50, 6)).astype(float) for _ in range(4)]
    points[1][:, 3] = np.nan
    found = list(price_paths(assets, points, [price_rules(season)] * 4))
    assert len(found) == 4
    for draw in (0, 17, 49):
        known, prices = earlier, assets.prices
        for scored, priced in zip(points, found, strict=True):
            own = PricedAssets(prices, assets.is_constructor, known)
            prices = next_prices(own, scored[draw], price_rules(season))
            np.testing.assert_array_equal(priced[draw], prices)
            known = np.concatenate([known, scored[draw][:, np.newaxis]], axis=1)
    assert all((one != other).any() for one, other in pairwise(found))


def test_a_path_of_no_race_is_empty():
    assets = PricedAssets(np.array([50]), np.array([False]), np.empty((1, 0)))
    assert list(price_paths(assets, [], [])) == []


@pytest.mark.parametrize(("season", "has_sprint", "counted"), [(2023, True, 2), (2024, True, 1), (2023, False, 1)])
def test_what_remains_after_qualifying_is_by_the_order_of_the_season(season, has_sprint, counted):
    outlook = weekend_outlook(CARS, has_sprint=has_sprint)
    drawn = simulate_points(outlook, season_rules(season), 60, 1, with_items=True)
    found = points_after_qualifying(drawn.scores.driver_items, season_rules(season), has_sprint)
    done = [
        points
        for (event_type, _), points in drawn.scores.driver_items.items()
        if event_type not in ("race", "sprint")[:counted]
    ]
    np.testing.assert_array_equal(found, drawn.driver_points - np.sum(done, axis=0))
    assert np.ptp(found) > 10


def test_what_is_expected_after_qualifying_follows_the_place():
    random = np.random.default_rng(2)
    position = random.permuted(np.tile(np.arange(1, CARS + 1), (20_000, 1)), axis=1)
    level = np.arange(CARS)
    points = np.rint(level + 20 - position + 0.1 * position**2 + random.normal(0, 5, position.shape)).astype(int)
    found = expected_after_qualifying(points, position)
    np.testing.assert_allclose(found, level + 20 - position + 0.1 * position**2, atol=0.5)
    np.testing.assert_allclose(found.mean(axis=0), points.mean(axis=0))


def test_a_driver_without_a_time_starts_last_and_one_place_is_enough():
    points = np.array([[10, 3], [20, 5], [12, 1]])
    position = np.array([[1, 0], [1, 2], [1, 0]])
    np.testing.assert_allclose(expected_after_qualifying(points, position), [[14.0, 3.0]] * 3)
