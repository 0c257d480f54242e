"""Price moves: official cases and edges worked by hand, arrays against a plain loop, points needed against moves."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError, RuleError, UsageError
from f1_pipeline.game.prices import (
    PricedAssets,
    band_steps,
    next_prices,
    points_needed,
    price_rules_at,
    price_rules_known_at,
    price_steps,
    step_probabilities,
)
from f1_pipeline.game.rules import FieldMeanRules, PriceRules, load_rules

DATA_DIR = Path(__file__).parents[2] / "data"
NONE = float("nan")


@cache
def prices_of(season: int, index: int = -1) -> PriceRules:
    return load_rules(DATA_DIR, season).prices[index]


ALL_RULES = [prices_of(2023, 0), prices_of(2023, 1), prices_of(2024), prices_of(2025), prices_of(2026)]
IDS = ["2023 to Spain", "2023 from Canada", "2024", "2025", "2026"]


def assets_of(prices, is_constructor=None, earlier=None) -> PricedAssets:
    prices = np.asarray(prices, dtype=np.int64)
    count = prices.shape[-1]
    return PricedAssets(
        prices,
        np.zeros(count, dtype=bool) if is_constructor is None else np.asarray(is_constructor, dtype=bool),
        np.empty((count, 0)) if earlier is None else np.asarray(earlier, dtype=float),
    )


def with_mean(points: float, mean: int) -> list[float]:
    """The points of an asset and of a second one that together have the mean."""
    return [points, 2 * mean - points]


@pytest.mark.parametrize(
    ("earlier", "points", "price", "expected"),
    [
        # 44 / 3 / 24.4 = 0.601: Leclerc, Great Britain 2025
        ([17, 25], 2, 244, 241),
        # 38 / 3 / 10.6 = 1.19497, rounded 1.195: Albon, Hungary 2025
        ([12, 14], 12, 106, 112),
        # 18 / 3 / 9.8 = 0.612: Haas, Spain 2025
        ([-13, 25], 6, 98, 96),
        # 61 / 3 / 18.5 = 1.099, exactly the price where the dear begin: Williams, Mexico 2025
        ([5, 27], 29, 185, 186),
        # 32 / 18.4 = 1.739, just below it and a first race: Antonelli, Australia 2025
        ([], 32, 184, 190),
        # the floor: Alonso, Monaco 2025, 0.6 down would be 4.4; Colapinto, Hungary 2025, at it
        ([-13, 4], -16, 50, 45),
        ([-20, -2], -4, 45, 45),
        # 37 / 2 / 15.5 = 1.1935, rounded 1.194
        ([20], 17, 155, 157),
        # 23 / 2 / 19.0 = 0.6053 and 32 / 2 / 26.5 = 0.6038
        ([11], 12, 190, 189),
        ([12], 20, 265, 262),
        # 9 / 10.0 = 0.9, 17 / 19.0 = 0.895
        ([], 9, 100, 102),
        ([], 17, 190, 189),
        # four races: the oldest is out; 30 / 3 / 10.0 = 1.0
        ([90, 10, 10], 10, 100, 102),
        # races sat out are no zeros and do not use up the window: (10 + 20 + 30) / 3 / 20.0 = 1.0
        ([10, NONE, 20, NONE, NONE], 30, 200, 201),
        ([NONE, NONE], 20, 200, 201),
    ],
)
def test_moves_by_points_per_million(earlier, points, price, expected):
    assets = assets_of([price], earlier=[earlier])
    assert next_prices(assets, [points], prices_of(2025)).tolist() == [expected]


def test_floor_and_ceiling_of_2026():
    assets = assets_of([34, 30, 336, 338, 340])
    # -0.6 from 3.4 and 3.0; +0.1 and +0.3 from 33.6, 33.8 and 34.0
    assert next_prices(assets, [-20, -20, 39, 70, 70], prices_of(2026)).tolist() == [30, 30, 337, 340, 340]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (250, [-7, -7, -3, 0, 0, 1, 1, 2]),
        (249, [-5, -5, -3, 1, 1, 3, 3, 10]),
        (150, [-5, -5, -3, 1, 1, 3, 3, 10]),
        (149, [-2, -2, -1, 5, 5, 10, 10, 15]),
    ],
)
def test_moves_of_2024_by_the_mean_of_the_field(price, expected):
    # 100 points of ten drivers: the mean is 10, the limits are 0, 5, 15 and 30, and points equal to one are not beyond
    points = [-1, 0, 5, 6, 15, 16, 30, 31, -1, -1]
    assert price_steps(assets_of([price] * 10), points, prices_of(2024)).tolist()[:8] == expected


def test_drivers_and_constructors_have_their_own_mean_rounded_half_to_even():
    # drivers 7.5 -> 8: 4 and 12; constructors 2.5 -> 2: 1 and 3
    assets = assets_of([100] * 6, is_constructor=[0, 0, 0, 0, 1, 1])
    steps = price_steps(assets, [4, 5, 12, 9, 1, 4], prices_of(2024))
    assert steps.tolist() == [-1, 5, 5, 5, -1, 10]


@pytest.mark.parametrize(
    ("index", "is_constructor", "mean", "points", "price", "expected"),
    [
        # half and one and a half of the mean count, twice the mean does not: McLaren, Stroll, Perez
        (0, True, 28, 14, 90, 90),
        (0, True, 28, 13, 90, 89),
        (0, False, 12, 18, 76, 77),
        (0, False, 14, 28, 184, 184),
        (0, False, 14, 29, 184, 185),
        (0, False, 14, 29, 149, 151),
        (0, False, 14, -20, 35, 35),
        # drivers fall at minus the mean, constructors at minus a tenth of it
        (1, False, 10, -10, 79, 78),
        (1, False, 10, -9, 79, 79),
        (1, True, 20, -2, 79, 78),
        (1, True, 20, -1, 79, 79),
        # Albon, Canada: 22 points, more than twice a mean of 10
        (1, False, 10, 22, 49, 59),
        (1, False, 10, -20, 35, 35),
        # Verstappen, Canada: 35 points
        (1, False, 10, 35, 276, 278),
    ],
)
def test_moves_of_2023(index, is_constructor, mean, points, price, expected):
    assets = assets_of([price, 100], is_constructor=[is_constructor] * 2)
    assert next_prices(assets, with_mean(points, mean), prices_of(2023, index))[0] == expected


def test_the_rules_of_2023_change_with_canada():
    rules = load_rules(DATA_DIR, 2023).prices
    calendar = ["2023-bahrain", "2023-spain", "2023-canada", "2023-austria"]
    found = [price_rules_at(rules, key, calendar).first_race_key for key in calendar]
    assert found == ["", "", "2023-canada", "2023-canada"]


def test_a_change_of_rules_is_known_from_the_race_after_its_first():
    rules = load_rules(DATA_DIR, 2023).prices
    calendar = ["2023-bahrain", "2023-spain", "2023-canada", "2023-austria"]
    found = [price_rules_known_at(rules, key, calendar).first_race_key for key in calendar]
    assert found == ["", "", "", "2023-canada"]


def test_a_race_outside_the_calendar_is_refused():
    with pytest.raises(UsageError, match=r"'2023-france' is not in the season's calendar; expected one of 2023-spain"):
        price_rules_at(load_rules(DATA_DIR, 2023).prices, "2023-france", ["2023-spain", "2023-canada"])


@pytest.mark.parametrize("rules", ALL_RULES, ids=IDS)
def test_the_price_of_an_inactive_asset_stays_and_it_is_not_in_the_mean(rules):
    assets = assets_of([80, 80, 80], earlier=[[1], [1], [1]])
    without = price_steps(assets_of([80, 80], earlier=[[1], [1]]), [2, 30], rules)
    assert price_steps(assets, [2, 30, NONE], rules).tolist() == [*without.tolist(), 0]
    assert price_steps(assets, [NONE] * 3, rules).tolist() == [0, 0, 0]


def test_points_needed_per_million():
    # Leclerc before Great Britain 2025: 42 points, 24.4; 0.6045, 0.8995 and 1.1945 x 73.2 = 44.25, 65.84, 87.44
    assets = assets_of([244, 100], earlier=[[50, 17, 25], [NONE, NONE, NONE]])
    # a new asset at 10.0: 6.045, 8.995, 11.945
    expected = [[-np.inf, 3, 24, 46], [-np.inf, 7, 9, 12]]
    assert points_needed(assets, prices_of(2025)).tolist() == expected
    assert band_steps(assets.prices, prices_of(2025)).tolist() == [[-3, -1, 1, 3], [-6, -2, 2, 6]]


def test_points_needed_against_the_field():
    assets = assets_of([250, 100], is_constructor=[False, True])
    # drivers' mean 10: above 0, 5, 15, 30; constructors' 26.5 -> 26: above 0, 13, 39, 78
    expected = [[-np.inf, 1, 6, 16, 31], [-np.inf, 1, 14, 40, 79]]
    assert points_needed(assets, prices_of(2024), (10, 26.5)).tolist() == expected
    # 2023: from 5 and 15 and above 20; from 13 and 39 and above 52
    expected = [[-np.inf, 5, 15, 21], [-np.inf, 13, 39, 53]]
    assert points_needed(assets, prices_of(2023, 0), (10, 26.5)).tolist() == expected


def test_points_needed_against_the_field_needs_its_mean():
    with pytest.raises(UsageError, match="expected field_means"):
        points_needed(assets_of([100]), prices_of(2024))


def test_steps_are_cut_at_the_floor():
    assert band_steps(np.array([[46], [45]]), prices_of(2025)).tolist() == [[[-1, -1, 2, 6]], [[0, 0, 2, 6]]]


def test_step_probabilities_of_four_draws():
    # 10.0: below 6.05, from 9, from 12; 20.0 takes part in two draws: 12.09, 17.99, 23.89
    draws = [[6, 24], [7, 12], [12, NONE], [40, NONE]]
    found = step_probabilities(assets_of([100, 200]), draws, prices_of(2025))
    assert found.tolist() == [[0.25, 0.25, 0, 0.5], [0.25, 0, 0, 0.25]]


def test_step_probabilities_use_each_draws_own_mean():
    # means 10 and 20: 16 points are beyond 15 only in the first, 4 and 24 are not the same bands either
    draws = [[16, 4], [16, 24]]
    found = step_probabilities(assets_of([100, 100]), draws, prices_of(2024))
    assert found.tolist() == [[0, 0, 0.5, 0.5, 0], [0, 0.5, 0.5, 0, 0]]


def by_hand(prices, is_constructor, earlier, points, rules) -> list[int]:
    """The rules as the texts have them, one asset after the other."""
    result = []
    for index, price in enumerate(prices):
        if np.isnan(points[index]):
            result.append(price)
            continue
        if isinstance(rules, FieldMeanRules):
            of_type = [p for p, kind in zip(points, is_constructor, strict=True) if kind == is_constructor[index]]
            raced = [p for p in of_type if not np.isnan(p)]
            mean = round(sum(raced) / len(raced))
            tenths = rules.constructor_mean_tenths if is_constructor[index] else rules.driver_mean_tenths
            limits = zip(tenths, rules.is_limit_included, strict=True)
            ten = 10 * points[index]
            band = sum(ten > k * mean or (included and ten == k * mean) for k, included in limits)
        else:
            window = [*(p for p in earlier[index] if not np.isnan(p)), points[index]][-3:]
            value = round(sum(window) / len(window) / (price / 10), 3)
            band = sum(value >= limit for limit in (0.605, 0.9, 1.195))
        tier = next(i for i, lowest in enumerate(rules.tier_from_tenths) if price >= lowest)
        moved = max(price + rules.tier_steps_tenths[tier][band], rules.minimum_tenths)
        result.append(min(moved, rules.maximum_tenths) if rules.maximum_tenths else moved)
    return result


@st.composite
def races(draw):
    count, draw_count, race_count = draw(st.integers(1, 8)), draw(st.integers(1, 3)), draw(st.integers(0, 5))
    points = st.one_of(st.integers(-60, 130).map(float), st.just(NONE))

    def of(size):
        return draw(st.lists(points, min_size=size, max_size=size))

    prices = draw(st.lists(st.integers(45, 340), min_size=count, max_size=count))
    is_constructor = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return prices, is_constructor, [of(race_count) for _ in range(count)], [of(count) for _ in range(draw_count)]


@settings(max_examples=150, deadline=None)
@given(race=races(), rules=st.sampled_from(ALL_RULES))
def test_draws_of_a_field_equal_the_rules_asset_by_asset(race, rules):
    prices, is_constructor, earlier, draws = race
    assets = assets_of(prices, is_constructor, np.reshape(np.array(earlier, dtype=float), (len(prices), -1)))
    expected = [by_hand(prices, is_constructor, earlier, points, rules) for points in draws]
    assert next_prices(assets, draws, rules).tolist() == expected
    shares = step_probabilities(assets, draws, rules)
    np.testing.assert_allclose(shares.sum(axis=1), 1 - np.isnan(draws).mean(axis=0), atol=1e-12)
    expected_step = (shares * band_steps(assets.prices, rules)).sum(axis=1)
    np.testing.assert_allclose(expected_step, np.mean(expected, axis=0) - prices, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(race=races(), rules=st.sampled_from(ALL_RULES))
def test_prices_and_histories_may_be_drawn_too(race, rules):
    prices, is_constructor, earlier, draws = race
    history = np.reshape(np.array(earlier, dtype=float), (len(prices), -1))
    drawn_prices = np.array([np.add(prices, shift) for shift in range(len(draws))])
    histories = np.array([history + shift for shift in range(len(draws))])
    found = next_prices(assets_of(drawn_prices, is_constructor, histories), draws, rules)
    one_by_one = [
        next_prices(assets_of(price, is_constructor, of_draw), points, rules)
        for price, of_draw, points in zip(drawn_prices, histories, draws, strict=True)
    ]
    np.testing.assert_array_equal(found, one_by_one)


@settings(max_examples=150, deadline=None)
@given(
    price=st.integers(45, 340),
    is_constructor=st.booleans(),
    earlier=st.lists(st.integers(-60, 130), max_size=4),
    mean=st.integers(-5, 60),
    rules=st.sampled_from(ALL_RULES),
)
def test_points_needed_are_the_fewest_that_make_the_step(price, is_constructor, earlier, mean, rules):
    # a second asset keeps the mean of the field where it is
    assets = assets_of([price, 100], [is_constructor] * 2, [earlier, earlier])
    needed = points_needed(assets, rules, (mean, mean))[0]
    steps = band_steps(assets.prices, rules)[0]
    assert needed[0] == -np.inf

    def step_at(points: float) -> int:
        return int(price_steps(assets, with_mean(points, mean), rules)[0])

    for band, (least, following) in enumerate(pairwise([*needed, np.inf])):
        if least < following:
            assert step_at(least if band else min(following - 1, -1000)) == steps[band]
            assert step_at(following - 1 if np.isfinite(following) else 1000) == steps[band]


@pytest.mark.parametrize(
    ("prices", "is_constructor", "earlier"),
    [
        ([100, 100], [False], [[1.0]]),
        ([100], [False], [[1.0], [1.0]]),
        ([0], [False], [[1.0]]),
        ([10.5], [False], [[1.0]]),
    ],
)
def test_assets_that_do_not_fit_are_refused(prices, is_constructor, earlier):
    with pytest.raises(DataError, match="Priced assets: expected"):
        PricedAssets(np.array(prices), np.array(is_constructor), np.array(earlier))


def test_points_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"expected 2 assets in the last axis, found \(3,\)"):
        next_prices(assets_of([100, 100]), [1, 2, 3], prices_of(2025))
    with pytest.raises(DataError, match=r"expected the shape \(draws, assets\), found \(2,\)"):
        step_probabilities(assets_of([100, 100]), [1, 2], prices_of(2025))


@pytest.mark.parametrize(
    ("season", "old", "new", "message"),
    [
        (
            2025,
            'kind = "points_per_million"',
            'kind = "time_band"',
            r"prices\[0\]\.kind: expected points_per_million or",
        ),
        (
            2025,
            'first_race_key = "" # V: the whole season\nrace',
            'first_race_key = "2025-japan"\nrace',
            "an empty text",
        ),
        (2025, "race_count = 3", "race_count = 0", r"prices\[0\]\.race_count: expected at least 1, found 0"),
        (2025, "[605, 900, 1195]", "[605, 1195, 900]", r"value_from_thousandths: expected rising limits"),
        (2025, "[185, 0]", "[185, 1]", r"tier_from_tenths: expected falling prices that end with 0"),
        (2025, "[-3, -1, 1, 3]", "[-3, -1, 3]", r"tier_steps_tenths: expected 2 rows of 4 steps that never fall"),
        (2025, "[-3, -1, 1, 3]", "[-3, -1, 1, 0.3]", r"tier_steps_tenths\[0\]\[3\]: expected int, found 0\.3"),
        (2025, "[-3, -1, 1, 3]", "3", r"tier_steps_tenths\[0\]: expected a list, found 3"),
        (2025, "minimum_tenths = 45", "minimum_tenths = 0", r"minimum_tenths: expected at least 1, found 0"),
        (2026, "maximum_tenths = 340", "maximum_tenths = 30", r"maximum_tenths: expected more than the minimum or 0"),
        (2023, '"2023-canada"', '"2024-canada"', r"prices\[1\]\.first_race_key: expected a race of 2023"),
        (2023, "[true, true, false]", "[true, true]", r"prices\[0\]\.is_limit_included: expected as many values as"),
        (2023, "[true, true, false]", "[1, 1, 0]", r"prices\[0\]\.is_limit_included\[0\]: expected bool, found 1"),
    ],
)
def test_broken_price_rules_are_named_with_their_key(tmp_path, season, old, new, message):
    text = (DATA_DIR / "rules" / f"{season}.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / f"{season}.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError, match=message):
        load_rules(tmp_path, season)
