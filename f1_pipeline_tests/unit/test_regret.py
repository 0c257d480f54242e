"""The best team of every draw against the enumeration, and how far a chosen one is expected to stay behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.regret import best_points, expected_regret
from f1_pipeline_tests.lineup_problems import legal_teams, limited_problems

# The budget pays two of three drivers with x: a+b is too dear.
PROBLEM = LineupProblem(
    ("a", "b", "c"),
    np.array([30, 20, 10]),
    np.array([10.0, 6.0, 4.0]),
    ("x",),
    np.array([10]),
    np.array([2.0]),
    LineupRules(driver_count=2, constructor_count=1, budget_tenths=50, boost_multiplier=2),
)


def test_regret_worked_by_hand() -> None:
    draws = np.array([[10.0, 6.0, 4.0, 2.0], [-5.0, 6.0, 4.0, 2.0], [10.0, 20.0, 4.0, 0.0]])
    # a+c: 10 x 2 + 4 + 2; b+c: 6 x 2 + 4 + 2; b+c: 20 x 2 + 4
    assert best_points(PROBLEM, draws).tolist() == [26.0, 18.0, 44.0]
    always_a = np.array([26.0, 1.0 - 5.0, 24.0])  # a+c with the boost on a
    regret = expected_regret(PROBLEM, draws, always_a)
    assert regret.points == pytest.approx((0 + 22 + 20) / 3)
    assert (regret.p10_points, regret.p90_points) == pytest.approx((4.0, 21.6))


def test_without_money_there_is_no_team() -> None:
    poor = replace(PROBLEM, rules=replace(PROBLEM.rules, budget_tenths=20))
    assert best_points(poor, np.ones((2, 4))).tolist() == [-np.inf, -np.inf]
    assert best_points(replace(PROBLEM, bans=frozenset({("driver", "a"), ("driver", "b")})), np.ones((1, 4))) == -np.inf


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(problem=limited_problems(), seed=st.integers(0, 2**32 - 1))
def test_the_best_of_each_draw_is_that_of_the_enumeration(problem: LineupProblem, seed: int) -> None:
    plain = replace(problem, most_per_team=None, extra_boost=None, driver_boost_points=None)
    assume(legal_teams(plain))
    draws = np.random.default_rng(seed).normal(5, 10, (7, len(plain.asset_keys)))
    points = [best_lineups(plain.with_points(dict(zip(plain.asset_keys, draw, strict=True))), 1)[0] for draw in draws]
    assert best_points(plain, draws) == pytest.approx([best.points for best in points])


def test_some_draws_tell_of_all() -> None:
    generator = np.random.default_rng(7)
    draws = generator.normal([10, 9, 8, 2], [12, 9, 6, 3], (1000, 4))
    totals = draws @ np.array([2.0, 0.0, 1.0, 1.0])
    all_of_them = expected_regret(PROBLEM, draws, totals, 1000)
    assert all_of_them.points == pytest.approx((best_points(PROBLEM, draws) - totals).mean())
    some = expected_regret(PROBLEM, draws, totals)
    assert some.points == pytest.approx(all_of_them.points, abs=0.5)
    assert some == expected_regret(PROBLEM, draws, totals)
