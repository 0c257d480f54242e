"""Final Fix in the environment: the swap expected to gain most after qualifying, or the chip is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.game.chips import FinalFix
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.team import Team
from f1_pipeline.game.team_arrays import FINAL_FIX, NONE, Choices, playable_chips
from f1_pipeline.rl.seasons import IS_DRIVER, SLOTS
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline_tests.small_seasons import FIRST_RACES, SmallSeasons, best_swap, legal_lineups, small_seasons

ENVS = 6


def with_hopes(small: SmallSeasons, hoped: np.ndarray) -> SmallSeasons:
    """Expect other points after qualifying."""
    seasons = replace(small.source.seasons, remaining_expected=hoped.astype(np.float32))
    return replace(small, source=replace(small.source, seasons=seasons))


def drawn_action(generator: np.random.Generator, small: SmallSeasons, env: F1FantasyVectorEnv) -> Arrays:
    """Draw legal line-ups, and play the chip wherever it is left."""
    pick, boost = np.zeros((ENVS, SLOTS), dtype=np.int8), np.zeros(ENVS, dtype=np.int64)
    for row in range(ENVS):
        money = int(env.teams.bank_tenths[row] + env.teams.held[row] @ small.source.seasons.prices[row, env.race])
        pick[row] = generator.choice(legal_lineups(small, env.teams.held[row], row, env.race, money))
        boost[row] = generator.choice(np.flatnonzero(pick[row] & IS_DRIVER))
    chip = np.where(playable_chips(env.teams, small.rules)[:, FINAL_FIX], FINAL_FIX, NONE)
    return {"pick": pick, "boost": boost, "extra_boost": np.zeros_like(boost), "chip": chip}


def decision_of(small: SmallSeasons, action: Arrays, row: int, swap: tuple[int, int] | None) -> Decision:
    nobody = np.full(ENVS, -1)
    none = np.zeros(ENVS, dtype=np.int64)
    choices = Choices(action["pick"] > 0, action["boost"], none, none, nobody, nobody)
    chip = None if swap is None else FinalFix(small.name(swap[0]), small.name(swap[1]))
    return replace(small.decision(choices, row), chip=chip)


@pytest.mark.parametrize("season", sorted(FIRST_RACES))
def test_the_best_swap_is_made_and_without_one_the_chip_is_kept(season: int) -> None:
    generator = np.random.default_rng(season)
    small = small_seasons(season, ENVS, season)
    hoped = small.source.seasons.remaining_expected.copy()
    # In some seasons nobody has a forecast, in others all have the same, at some race.
    hoped[0, 1], hoped[1, 1:3], hoped[2, 2] = -np.inf, 0.0, -np.inf
    small = with_hopes(small, hoped)
    env = F1FantasyVectorEnv(small.source, ENVS, reward="points", illegal="reject")
    env.reset(options={"season_numbers": range(ENVS)})
    teams: list[Team] = []
    made = kept = 0
    for race in range(small.frame.race_count):
        action = drawn_action(generator, small, env)
        asked = action["chip"] == FINAL_FIX
        swaps = [best_swap(env, action, row) if asked[row] else None for row in range(ENVS)]
        decisions = [decision_of(small, action, row, swap) for row, swap in enumerate(swaps)]
        if race == 0:
            prices = [small.menu(row, 0).prices for row in range(ENVS)]
            teams = [Team.start(decision.lineup, prices[row], small.rules) for row, decision in enumerate(decisions)]
        _, reward, _, _, info = env.step(action)
        for row, swap in enumerate(swaps):
            locked = teams[row].apply(decisions[row], small.menu(row, race))
            teams[row], result = locked.settle(small.items[row][race], small.new_prices(row, race))
            assert reward[row] == result.total_points
            assert info["chip"][row] == (NONE if swap is None else FINAL_FIX)
            assert env.team(row) == teams[row]
            made += swap is not None
            kept += bool(asked[row]) and swap is None
    assert made > 2
    assert kept >= 2


def test_a_swap_by_hand() -> None:
    """Ten million each and two in the bank; only driver 5 at eleven and driver 6 at thirteen are to be had."""
    small = small_seasons(0, 1)
    prices, is_active = np.zeros((1, 4, SLOTS), dtype=np.int32), np.zeros((1, 4, SLOTS), dtype=bool)
    prices[..., :5], prices[..., 5], prices[..., 6], prices[..., 30:33] = 100, 110, 130, [100, 100, 480]
    is_active[prices > 0] = True
    hoped = np.full((1, 4, SLOTS), -np.inf)
    # Driver 6 cannot be paid; driver 3 is expected to score 9 less than driver 5, driver 0, the boosted one, 5 less.
    hoped[..., :7] = [15, 20, 20, 11, 20, 20, 90]
    points = np.zeros((1, 4, SLOTS), dtype=np.float32)
    points[..., 0], points[..., 3], points[..., 5] = 4, 2, 7
    seasons = replace(
        small.source.seasons,
        prices=prices,
        is_active=is_active,
        remaining_expected=hoped.astype(np.float32),
        remaining_points=points,
        points=points,
    )
    env = F1FantasyVectorEnv(replace(small.source, seasons=seasons), 1, reward="points", illegal="reject")
    env.reset()
    action = {"pick": env.teams.held.astype(np.int8), **dict.fromkeys(("boost", "extra_boost"), np.zeros(1, dtype=int))}
    env.step({**action, "chip": np.array([NONE])})
    env.teams = replace(env.teams, bank_tenths=np.array([20]))
    _, reward, _, _, info = env.step({**action, "chip": np.array([FINAL_FIX])})
    # 2 x 5 is more than 9: 2 x 4 of driver 0 and 2 of driver 3, and 2 x (7 - 4) of the swap
    assert info["chip"].tolist() == [FINAL_FIX]
    assert reward.tolist() == [16]
