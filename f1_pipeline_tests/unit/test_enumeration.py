"""The enumeration and the problem it works on, against plain loops over every team."""

from itertools import combinations
from math import nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError, SolverError, UsageError
from f1_pipeline.game.lineup import Lineup, LineupRules, lineup_points, validate
from f1_pipeline.optimize.enumeration import (
    affordable_team_count,
    best_lineups,
    combination_rows,
    hindsight,
    mean_affordable_points,
)
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline_tests.lineup_problems import every_team as every_limited_team
from f1_pipeline_tests.lineup_problems import limited_problems, ranked_apart, transfers_of

COLUMNS = ["asset_type", "asset_id", "price_tenths", "points"]

# Two of three drivers and one of two constructors: six teams, small enough to list.
#   a+b+x 30 cost, 5+8+8+2 = 23    a+b+y 40, 28
#   a+c+x 35 cost, 5+3+5+2 = 15    a+c+y 45, 20
#   b+c+x 45 cost, 8+3+8+2 = 21    b+c+y 55, 26
HAND = pd.DataFrame(
    [
        ("driver", "c", 20, 3.0),
        ("driver", "a", 5, 5.0),
        ("driver", "b", 15, 8.0),
        ("constructor", "y", 20, 7.0),
        ("constructor", "x", 10, 2.0),
    ],
    columns=COLUMNS,
)
HAND_RULES = LineupRules(driver_count=2, constructor_count=1, budget_tenths=45, boost_multiplier=2)


def points_of(problem: LineupProblem) -> dict[tuple[str, str], float]:
    drivers = {("driver", i): float(p) for i, p in zip(problem.driver_ids, problem.driver_points, strict=True)}
    constructors = zip(problem.constructor_ids, problem.constructor_points, strict=True)
    return drivers | {("constructor", i): float(p) for i, p in constructors}


def every_team(problem: LineupProblem) -> list[tuple[float, int, tuple[str, ...], tuple[str, ...], float]]:
    """List (-points, cost, driver ids, constructor ids, mean over boosts) of affordable teams, best first."""
    rules, prices, points = problem.rules, problem.prices, points_of(problem)
    teams = []
    for drivers in combinations(problem.driver_ids, rules.driver_count):
        for constructors in combinations(problem.constructor_ids, rules.constructor_count):
            keys = [("driver", i) for i in drivers] + [("constructor", i) for i in constructors]
            cost = sum(prices[key] for key in keys)
            if cost <= rules.budget_tenths:
                boosts = [lineup_points(Lineup(drivers, constructors, b), points, rules) for b in drivers]
                teams.append((-round(max(boosts), 9), cost, drivers, constructors, sum(boosts) / len(boosts)))
    return sorted(teams)


@st.composite
def problems(draw: st.DrawFn) -> LineupProblem:
    driver_count, constructor_count = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    drivers = draw(st.integers(driver_count, 6))
    constructors = draw(st.integers(constructor_count, 4))

    def numbers(low: int, high: int, size: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=size, max_size=size))

    # Points in tenths over a narrow range: many exact ties, and sums that floats do not hold exactly.
    problem = LineupProblem(
        driver_ids=tuple("abcdef"[:drivers]),
        driver_prices=np.array(numbers(1, 60, drivers)),
        driver_points=np.array(numbers(-40, 40, drivers)) / 10,
        constructor_ids=tuple("uvwx"[:constructors]),
        constructor_prices=np.array(numbers(1, 60, constructors)),
        constructor_points=np.array(numbers(-40, 40, constructors)) / 10,
        rules=LineupRules(driver_count, constructor_count, 300, draw(st.sampled_from([1, 2, 3]))),
    )
    budget = problem.cheapest_cost_tenths + draw(st.integers(0, 120))
    rules = LineupRules(driver_count, constructor_count, budget, problem.rules.boost_multiplier)
    return with_rules(problem, rules)


def with_rules(problem: LineupProblem, rules: LineupRules, scale: int = 1) -> LineupProblem:
    return LineupProblem(
        problem.driver_ids,
        problem.driver_prices * scale,
        problem.driver_points,
        problem.constructor_ids,
        problem.constructor_prices * scale,
        problem.constructor_points,
        rules,
    )


def test_hand_worked_menu() -> None:
    problem = LineupProblem.from_frame(HAND, HAND_RULES)
    ranking = [(r.rank, r.lineup, r.points, r.cost_tenths) for r in best_lineups(problem)]
    assert ranking == [
        (1, Lineup(("a", "b"), ("y",), "b"), 28.0, 40),
        (2, Lineup(("a", "b"), ("x",), "b"), 23.0, 30),
        (3, Lineup(("b", "c"), ("x",), "b"), 21.0, 45),
        (4, Lineup(("a", "c"), ("y",), "a"), 20.0, 45),
        (5, Lineup(("a", "c"), ("x",), "a"), 15.0, 35),
    ]
    assert affordable_team_count(problem) == 5
    # Drivers count 1.5 times: ab 19.5, ac 12, bc 16.5; with x and y: 26.5 + 21.5 + 18.5 + 19 + 14 = 99.5.
    assert mean_affordable_points(problem) == pytest.approx(19.9, abs=1e-12)


def test_equal_teams_rank_by_cost_then_by_ids() -> None:
    menu = pd.DataFrame(
        [
            ("driver", "a", 30, 0.3),
            ("driver", "b", 10, 0.3),
            ("driver", "c", 10, 0.3),
            ("constructor", "x", 10, 1.0),
            ("constructor", "y", 10, 1.0),
        ],
        columns=COLUMNS,
    )
    problem = LineupProblem.from_frame(menu, LineupRules(1, 1, 100, 2))
    order = [(r.lineup.drivers[0] + r.lineup.constructors[0], r.cost_tenths) for r in best_lineups(problem)]
    assert order == [("bx", 20), ("by", 20), ("cx", 20), ("cy", 20), ("ax", 40), ("ay", 40)]


def test_sums_that_are_equal_on_paper_tie() -> None:
    # 0.1 + 0.2 is more than 0.3 in floating point; the cheaper team must still come first.
    menu = pd.DataFrame(
        [
            ("driver", "a", 20, 0.1),
            ("driver", "b", 10, 0.0),
            ("constructor", "x", 20, 0.1),
            ("constructor", "y", 10, 0.3),
        ],
        columns=COLUMNS,
    )
    best = best_lineups(LineupProblem.from_frame(menu, LineupRules(1, 1, 100, 2)))
    assert [(r.lineup.drivers[0] + r.lineup.constructors[0], r.points) for r in best] == [
        ("ay", 0.5),
        ("by", 0.3),
        ("ax", 0.3),
        ("bx", 0.1),
    ]


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(problem=problems(), count=st.integers(1, 12))
def test_enumeration_equals_brute_force(problem: LineupProblem, count: int) -> None:
    expected = every_team(problem)
    found = best_lineups(problem, count)
    assert [(-r.points, r.cost_tenths, r.lineup.drivers, r.lineup.constructors) for r in found] == [
        team[:4] for team in expected[:count]
    ]
    assert [r.rank for r in found] == list(range(1, len(found) + 1))
    for ranked in found:
        validate(ranked.lineup, problem.prices, problem.rules)
        assert lineup_points(ranked.lineup, points_of(problem), problem.rules) == pytest.approx(ranked.points)
    assert affordable_team_count(problem) == len(expected)
    mean = sum(team[4] for team in expected) / len(expected)
    assert mean_affordable_points(problem) == pytest.approx(mean, abs=1e-9)


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(problem=limited_problems(), count=st.integers(1, 12))
def test_enumeration_equals_brute_force_under_every_limit(problem: LineupProblem, count: int) -> None:
    expected = ranked_apart(every_limited_team(problem), problem, count)
    if not expected:
        with pytest.raises(SolverError, match="expected"):
            best_lineups(problem, count)
        return
    found = best_lineups(problem, count)
    assert [(-r.points, r.cost_tenths, r.lineup.drivers, r.lineup.constructors) for r in found] == expected
    for ranked in found:
        validate(ranked.lineup, problem.prices, problem.rules)
        assert (ranked.transfer_count, ranked.transfer_points) == transfers_of(problem, ranked.lineup)
        assert (ranked.extra_boosted_driver is None) == (problem.extra_boost is None)
        assert ranked.extra_boosted_driver in {*ranked.lineup.drivers, None} - {ranked.lineup.boosted_driver}


@settings(derandomize=True, database=None, deadline=None, max_examples=50)
@given(problem=problems(), scale=st.integers(2, 9))
def test_scaling_all_prices_and_the_budget_changes_nothing(problem: LineupProblem, scale: int) -> None:
    rules = problem.rules
    scaled_rules = LineupRules(
        rules.driver_count, rules.constructor_count, rules.budget_tenths * scale, rules.boost_multiplier
    )
    scaled = with_rules(problem, scaled_rules, scale)
    assert [(r.lineup, r.points) for r in best_lineups(scaled, 20)] == [
        (r.lineup, r.points) for r in best_lineups(problem, 20)
    ]
    assert affordable_team_count(scaled) == affordable_team_count(problem)
    assert mean_affordable_points(scaled) == mean_affordable_points(problem)


@settings(derandomize=True, database=None, deadline=None, max_examples=50)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_menu_changes_nothing(problem: LineupProblem, seed: int) -> None:
    points = points_of(problem)
    rows = [(*key, price, points[key]) for key, price in problem.prices.items()]
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    read = LineupProblem.from_frame(pd.DataFrame(shuffled, columns=COLUMNS), problem.rules)
    assert best_lineups(read) == best_lineups(problem)


def test_hindsight_ranks_by_the_actual_points() -> None:
    problem = LineupProblem.from_frame(HAND, HAND_RULES)
    actual = {
        ("driver", "a"): -20,
        ("driver", "b"): 1,
        ("driver", "c"): 25,
        ("constructor", "x"): 4,
        ("constructor", "y"): 40,
    }
    # b+c+y would be 91 points but costs 55; a+c+y is -20 + 2 * 25 + 40 = 70 and costs 45.
    best = hindsight(problem, actual)
    assert [(r.lineup, r.points) for r in best] == [(Lineup(("a", "c"), ("y",), "c"), 70.0)]
    del actual["constructor", "x"]
    with pytest.raises(DataError, match="expected those of constructor 'x', found none"):
        hindsight(problem, actual)


def test_a_full_menu_has_every_team() -> None:
    generator = np.random.default_rng(1)
    problem = LineupProblem(
        tuple(f"d{i:02}" for i in range(22)),
        np.full(22, 100),
        generator.normal(10, 8, 22),
        tuple(f"c{i:02}" for i in range(11)),
        np.full(11, 100),
        generator.normal(25, 12, 11),
        LineupRules(5, 2, 1000, 2),
    )
    assert affordable_team_count(problem) == 1_448_370
    # With every team allowed a driver is in 5 of 22 and a constructor in 2 of 11.
    mean = 6 * problem.driver_points.mean() + 2 * problem.constructor_points.mean()
    assert mean_affordable_points(problem) == pytest.approx(mean)


def test_combinations_are_in_lexicographic_order() -> None:
    assert combination_rows(4, 2).T.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]


def test_arrays_of_a_problem_cannot_be_changed() -> None:
    problem = LineupProblem.from_frame(HAND, HAND_RULES)
    with pytest.raises(ValueError, match="read-only"):
        problem.driver_points[0] = 99.0


def test_nothing_affordable_is_an_error_with_the_amounts() -> None:
    rules = LineupRules(2, 1, 29, 2)
    message = r"of 2026-monaco: expected a line-up within the budget of \$2\.9M, but the cheapest .* costs \$3\.0M"
    with pytest.raises(SolverError, match=message):
        LineupProblem.from_frame(HAND, rules, race_key="2026-monaco")
    problem = with_rules(LineupProblem.from_frame(HAND, HAND_RULES), rules)
    assert affordable_team_count(problem) == 0
    with pytest.raises(SolverError, match="cheapest"):
        best_lineups(problem)
    with pytest.raises(SolverError, match="cheapest"):
        mean_affordable_points(problem)


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a count of at least 1, found 0"):
        best_lineups(LineupProblem.from_frame(HAND, HAND_RULES), 0)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("price_tenths", None, "expected a price for driver 'c', found none"),
        ("price_tenths", 0, "expected a positive price for driver 'c', found 0"),
        ("price_tenths", 24.7, "expected the price of driver 'c' in whole tenths of a million, found 24.7"),
        ("points", nan, "expected finite points for driver 'c', found nan"),
        ("points", float("inf"), "expected finite points for driver 'c', found inf"),
        ("asset_type", "team", r"expected asset_type driver or constructor, found \['team'\]"),
        ("asset_type", "constructor", "expected at least 3 drivers, found 2"),
        ("asset_id", "a", "expected each driver once and sorted by id, found 'a' twice"),
    ],
)
def test_a_flaw_in_the_menu_is_named(column: str, value: object, message: str) -> None:
    menu = HAND.astype(object)
    menu.loc[0, column] = value
    with pytest.raises(DataError, match=f"Menu of 2026-monaco: {message}"):
        LineupProblem.from_frame(menu, LineupRules(3, 1, 100, 2), race_key="2026-monaco")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match=r"missing \['price_tenths'\]"):
        LineupProblem.from_frame(HAND.drop(columns="price_tenths"), HAND_RULES)


def test_unsorted_ids_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="found 'a' after 'b'"):
        LineupProblem(("b", "a"), np.ones(2), np.ones(2), ("x",), np.ones(1), np.ones(1), LineupRules(1, 1, 9, 2))
    with pytest.raises(DataError, match=r"found shapes \(3,\) and \(2,\)"):
        LineupProblem(("a", "b"), np.ones(3), np.ones(2), ("x",), np.ones(1), np.ones(1), LineupRules(1, 1, 9, 2))
