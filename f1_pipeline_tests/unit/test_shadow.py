"""What limits are worth, by solving twice, and worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline.optimize.shadow import Difference, shadow_values
from f1_pipeline_tests.lineup_problems import legal_teams, limited_problems

# The budget of $4.0M pays b+c+x, 6 + 4 x 2 + 2; with a million more a+c+x, 10 x 2 + 4 + 2; with less c+d+x.
PROBLEM = LineupProblem(
    ("a", "b", "c", "d"),
    np.array([30, 20, 10, 5]),
    np.array([10.0, 6.0, 4.0, 1.0]),
    ("x",),
    np.array([10]),
    np.array([2.0]),
    LineupRules(driver_count=2, constructor_count=1, budget_tenths=40, boost_multiplier=2),
)


def test_hand_worked_values() -> None:
    values = shadow_values(replace(PROBLEM, held=Held(("c", "d"), ("x",), 1, -10)))
    assert values.best.lineup.drivers == ("b", "c")
    # 10 x 2 + 4 + 2 - 18; 4 x 2 + 1 + 2 - 18.
    assert values.million_more == Difference(8.0, None, None)
    assert values.million_less == Difference(-7.0, None, None)
    assert (values.transfer_more, values.transfer_less) == (Difference(0.0, None, None), Difference(-7.0, None, None))
    b, c, x = values.picks
    assert (b.key, b.points_lost, b.replacements) == (("driver", "b"), 7.0, (("driver", "d"),))
    assert (c.key, c.points_lost, c.replacements) == (("driver", "c"), 3.0, (("driver", "d"),))
    assert (x.without, x.points_lost, x.replacements) == (None, None, ())


def test_without_money_or_transfers_to_lose_there_is_no_value() -> None:
    values = shadow_values(replace(PROBLEM, rules=replace(PROBLEM.rules, budget_tenths=25)))
    assert (values.million_less, values.transfer_more, values.transfer_less) == (None, None, None)
    held = Held(("c", "d"), ("x",), 0, -10)
    values = shadow_values(replace(PROBLEM, held=held))
    assert values.transfer_more == Difference(7.0, None, None)
    assert values.transfer_less is None
    poor = replace(PROBLEM.rules, budget_tenths=5)
    with pytest.raises(SolverError, match="the cheapest legal one costs"):
        shadow_values(replace(PROBLEM, rules=poor))


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(problem=limited_problems(), seed=st.integers(0, 2**32 - 1))
def test_values_are_differences_of_best_teams_in_every_scenario(problem: LineupProblem, seed: int) -> None:
    assume(legal_teams(problem))
    scenarios = np.random.default_rng(seed).normal(5, 10, (7, len(problem.asset_keys)))
    values = shadow_values(problem, scenarios)

    def richer(other: LineupProblem) -> LineupProblem:
        return replace(other, rules=replace(other.rules, budget_tenths=other.rules.budget_tenths + 10))

    def change(other: LineupProblem) -> float:
        return best_lineups(richer(other), 1)[0].points - best_lineups(other, 1)[0].points

    each = [change(problem.with_points(dict(zip(problem.asset_keys, row, strict=True)))) for row in scenarios]
    assert values.million_more is not None
    assert values.million_more.points == pytest.approx(change(problem), abs=1e-8)
    found = [values.million_more.p10_points, values.million_more.p90_points]
    assert found == pytest.approx(np.quantile(each, [0.1, 0.9]).tolist(), abs=1e-8)
    assert values.best == best_lineups(problem, 1)[0]
    for pick in values.picks:
        if pick.without is not None:
            assert pick.key not in pick.without.lineup.asset_keys
            assert set(pick.replacements) == set(pick.without.lineup.asset_keys) - set(values.best.lineup.asset_keys)
