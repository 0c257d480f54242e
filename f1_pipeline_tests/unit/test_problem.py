"""What a line-up problem takes and refuses, and the teams it describes, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.lineup import Lineup, LineupRules
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem, RankedLineup

PROBLEM = LineupProblem(
    ("a", "b", "c"),
    np.array([5, 15, 20]),
    np.array([5.0, 8.0, -3.0]),
    ("x", "y"),
    np.array([10, 20]),
    np.array([2.0, 7.0]),
    LineupRules(driver_count=2, constructor_count=1, budget_tenths=45, boost_multiplier=2),
)
HELD = Held(("a", "c"), ("x",), free_transfers=1, extra_points=-10)


def test_transfers_above_the_free_ones_cost_points() -> None:
    problem = replace(PROBLEM, held=HELD)
    # a+b+x swaps one driver: 5 + 8 x 2 + 2 = 23; a+b+y two assets: 5 + 8 x 2 + 7 - 10 = 18.
    assert [(r.lineup, r.points, r.transfer_count, r.transfer_points) for r in best_lineups(problem, 2)] == [
        (Lineup(("a", "b"), ("x",), "b"), 23.0, 1, 0.0),
        (Lineup(("a", "b"), ("y",), "b"), 18.0, 2, -10.0),
    ]
    free = best_lineups(problem.under_wildcard(), 1)[0]
    assert (free.lineup.constructors, free.points, free.transfer_count, free.transfer_points) == (("y",), 28.0, 2, 0.0)


def test_limitless_has_money_for_every_team() -> None:
    problem = replace(PROBLEM, held=HELD, rules=replace(PROBLEM.rules, budget_tenths=30))
    assert best_lineups(problem, 1)[0].cost_tenths == 30
    assert best_lineups(problem.under_limitless(), 10)[0].points == 28.0
    assert len(best_lineups(problem.under_limitless(), 10)) == 6
    assert PROBLEM.under_wildcard() is PROBLEM


def test_extra_boost_is_on_the_best_driver_and_the_free_one_on_the_next() -> None:
    problem = replace(PROBLEM, extra_boost=3)
    # 5 x 2 + 8 x 3 + 7
    assert best_lineups(problem, 1) == [RankedLineup(1, Lineup(("a", "b"), ("y",), "a"), 41.0, 40, "b")]
    # The boosts must be on two drivers, also on those who lose points: 8 x 3 - 3 x 2 + 2.
    assert problem.ranked(1, [1, 2], [0]).points == 20.0


def test_who_takes_no_part_is_kept_at_most_and_never_boosted() -> None:
    points = np.array([5.0, 8.0, -25.0])
    problem = replace(PROBLEM, driver_points=points, held=HELD, only_if_held=frozenset({("driver", "c")}))
    assert problem.boost_points.tolist() == [5.0, 8.0, 0.0]
    # 5 x 2 - 25 + 2, and with a worse driver than nobody the boost is on who takes no part: -5 - 25 + 2.
    assert problem.ranked(1, [0, 2], [0]).points == -13.0
    worse = replace(problem, driver_points=np.array([-5.0, 8.0, -25.0])).ranked(1, [0, 2], [0])
    assert (worse.points, worse.lineup.boosted_driver) == (-28.0, "c")
    bought = replace(problem, held=replace(HELD, drivers=("a", "b")))
    assert {r.lineup.drivers for r in best_lineups(bought, 10)} == {("a", "b")}


def test_other_points_are_also_what_boosts_multiply() -> None:
    problem = replace(PROBLEM, driver_boost_points=np.array([100.0, 0.0, 0.0]))
    assert best_lineups(problem, 1)[0].points == 5 + 8 + 100 + 7
    points = {("driver", "a"): 1, ("driver", "b"): 2, ("driver", "c"): 3, ("constructor", "x"): 4}
    assert best_lineups(problem.with_points(points | {("constructor", "y"): 0}), 1)[0].points == 2 + 3 * 2 + 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"held": replace(HELD, drivers=("a", "d"))}, "to list every asset held, found no driver 'd'"),
        ({"held": replace(HELD, drivers=("a",))}, "a held team of 2 different drivers, found a"),
        ({"held": replace(HELD, drivers=("a", "a"))}, "a held team of 2 different drivers, found a, a"),
        ({"held": replace(HELD, constructors=())}, "a held team of 1 different constructors, found none"),
        ({"driver_boost_points": np.array([1.0, np.nan, 0.0])}, "finite points for driver 'b', found nan"),
        ({"driver_boost_points": np.ones(2)}, r"found shapes \(3,\) and \(2,\)"),
    ],
)
def test_flaws_of_what_is_held_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(PROBLEM, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"locks": {("driver", "x")}}, "expected locks to name assets of the menu, found driver 'x'"),
        ({"bans": {("constructor", "a")}}, "expected bans to name assets of the menu, found constructor 'a'"),
        ({"only_if_held": {("driver", "z")}}, "expected only_if_held to name assets of the menu, found driver 'z'"),
        ({"most_per_team": 2}, "expected the team of constructor 'x', found none"),
        ({"most_per_team": 0, "team_of": dict.fromkeys(PROBLEM.asset_keys, "x")}, "at least 1 asset per team, found 0"),
        ({"min_difference": 0}, "a least difference of 1 to 3 assets, found 0"),
        ({"min_difference": 4}, "a least difference of 1 to 3 assets, found 4"),
        ({"extra_boost": 0.5}, "an extra boost of 1 or more for a second driver, found 0.5"),
    ],
)
def test_limits_out_of_range_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(PROBLEM, **change)


@pytest.mark.parametrize("change", [{"free_transfers": -1}, {"extra_points": 4}, {"extra_points": float("nan")}])
def test_transfers_out_of_range_are_named(change: dict[str, float]) -> None:
    with pytest.raises(DataError, match="Held team: expected"):
        replace(HELD, **change)
