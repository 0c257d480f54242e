"""What is seen of assets, races and teams, by hand on a small season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.rl.observations import CONTEXT, PORTFOLIO, context_of, observation_space
from f1_pipeline.rl.seasons import CIRCUIT_TYPES, DRIVER_SLOTS, FEATURES, SLOTS, asset_features, form_features
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import small_seasons

SMALL = small_seasons(8)


def test_the_context_of_a_race_by_hand() -> None:
    frame = replace(
        SMALL.frame,
        has_sprint=np.array([False, True, False, True]),
        circuit_types=("road", "street", "road", "permanent"),
    )
    assert tuple(CONTEXT)[3:] == tuple(f"is_{kind}_circuit" for kind in CIRCUIT_TYPES)
    kinds = {"permanent": [1, 0, 0], "street": [0, 1, 0], "road": [0, 0, 1]}
    for race, (progress, left, sprint) in enumerate([(0, 4, 0), (1 / 3, 3, 1), (2 / 3, 2, 0), (1, 1, 1)]):
        found = context_of(frame, race)
        assert found.tolist() == pytest.approx([progress, left, sprint, *kinds[frame.circuit_types[race]]])


def test_a_season_that_is_going_on_has_its_whole_calendar() -> None:
    frame = replace(SMALL.frame, calendar_count=9)
    assert [context_of(frame, race)[:2].tolist() for race in range(4)] == [[0, 9], [0.125, 8], [0.25, 7], [0.375, 6]]


def test_the_portfolio_of_a_team_by_hand() -> None:
    env = F1FantasyVectorEnv(SMALL.source, 1)
    env.reset()
    names = ["ada@blue", "bea@gold", "cid@grey", "dan@red", "eva@blue", "blue", "gold"]
    slots = [next(slot for slot, key in enumerate(SMALL.frame.assets) if key and key[1] == name) for name in names]
    prices = np.zeros(SLOTS, dtype=np.int32)
    prices[slots] = [100, 110, 120, 130, 140, 150, 90]
    env.seasons.prices[0, :] = prices
    env.seasons.is_active[0, :] = prices > 0
    held = np.zeros((1, SLOTS), dtype=bool)
    held[0, slots] = True
    env.teams = replace(env.teams, held=held, bank_tenths=np.array([160]), free_transfers=np.array([3]))
    # Hold: what is seen then is the same team before the second race; 2 free transfers after the first.
    action = {
        "pick": held.astype(np.int8),
        **{name: np.zeros(1, dtype=int) for name in ("boost", "extra_boost", "chip")},
    }
    action["boost"][0] = slots[2]
    observation, *_ = env.step(action)
    portfolio = dict(zip(PORTFOLIO, observation["portfolio"][0].tolist(), strict=True))
    assert portfolio == pytest.approx(
        {
            "bank_musd": 16.0,
            "budget_musd": 100.0,
            "driver_budget_share": 0.6,
            "dearest_asset_budget_share": 0.15,
            # four constructors among seven assets
            "constructor_diversity_share": 4 / 7,
            "free_transfers_count": 2.0,
        }
    )
    assert np.flatnonzero(observation["held"][0]).tolist() == sorted(slots)
    assert np.flatnonzero(observation["boosted"][0]).tolist() == [slots[2]]


def test_of_who_is_not_on_sale_only_the_price_is_seen() -> None:
    seasons = SMALL.source.seasons
    frame = replace(SMALL.frame, circuit_mean_points=np.full((4, SLOTS), 7.0))
    features = asset_features(frame, seasons)
    idle = ~seasons.is_active
    price = FEATURES.index("price_musd")
    np.testing.assert_allclose(features[..., price], seasons.prices / 10, rtol=1e-6)
    assert features[idle][:, price].any()
    assert not np.delete(features[idle], price, axis=1).any()
    np.testing.assert_array_equal(features[..., 0], seasons.is_active)
    np.testing.assert_array_equal(features[..., FEATURES.index("circuit_mean_points")], 7 * seasons.is_active)


def test_features_are_cut_to_their_bounds() -> None:
    source = replace(SMALL.source, seasons=replace(SMALL.source.seasons, expected=SMALL.source.seasons.expected * 100))
    env = F1FantasyVectorEnv(source, 3)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    column = observation["assets"][..., FEATURES.index("expected_points")]
    assert (column.min(), column.max()) == (-100, 200)
    assert set(observation) == set(observation_space().spaces)


def test_form_by_hand() -> None:
    """One driver of 10 million scored 1, 2, 3 and 6 before the season, then 10 and 0; his team has its own form."""
    frame = SMALL.frame
    history, paid = (np.full(values.shape, np.nan) for values in (frame.history, frame.history_prices))
    history[0, -4:], paid[0, -4:] = [1, 2, 3, 6], 10
    team = frame.team_of[0]
    history[team, -2:], paid[team, -2:] = [20, 30], 20
    frame = replace(frame, history=history, history_prices=paid)
    points = np.zeros((1, 4, SLOTS))
    points[0, :2, 0] = [10, 0]
    points[0, 2:, 0] = np.nan
    prices = np.full((1, 4, SLOTS), 100)
    form = form_features(frame, points, prices, np.ones((1, 4, SLOTS), dtype=bool))
    # 2, 3 and 6; 1, 2, 3 and 6; 12 of 40 million; 0.1, 0.2, 0.3 and 0.6 rise by 0.16 a race
    deviation = np.sqrt(((1 - 3) ** 2 + (2 - 3) ** 2 + 0 + (6 - 3) ** 2) / 3)
    assert form[0, 0, 0].tolist() == pytest.approx([11 / 3, 3, deviation, 0.3, 0.16, 25], abs=1e-6)
    # 3, 6 and 10; 1, 2, 3, 6 and 10: mean 4.4; 0.1 to 1.0 rise by 0.22
    deviation = np.sqrt(sum((value - 4.4) ** 2 for value in (1, 2, 3, 6, 10)) / 4)
    found = form[0, 1, 0].tolist()
    assert found == pytest.approx([19 / 3, 4.4, deviation, 0.44, 0.22, 50 / 3], abs=1e-6)
    # A race without him changes nothing.
    assert form[0, 3, 0, :5].tolist() == form[0, 2, 0, :5].tolist()
    # Who has no past has no form, but his team's.
    other = int(np.flatnonzero(frame.team_of[:DRIVER_SLOTS] == team)[1])
    assert form[0, 0, other].tolist() == pytest.approx([0, 0, 0, 0, 0, 25])


def test_form_goes_with_the_driver_to_another_seat() -> None:
    frame = replace(SMALL.frame, history=np.full_like(SMALL.frame.history, np.nan))
    points, is_active = np.full((1, 3, SLOTS), np.nan), np.zeros((1, 3, SLOTS), dtype=bool)
    points[0, 0, 2], points[0, 1, 9] = 12, 30
    is_active[0, 0, 2] = is_active[0, 1:, 9] = True
    same = np.arange(SLOTS)
    same[9] = 2
    form = form_features(frame, points, np.full((1, 3, SLOTS), 100), is_active, same)
    assert form[0, 1, 9, :2].tolist() == [12, 12]
    assert form[0, 2, 9, :2].tolist() == [21, 21]
    assert not form[0, 1:, 2].any()
