"""HiGHS behind a PuLP programme: solved again with other bounds, from a start, with a cut-off; constants count."""

import math
from typing import Any

import numpy as np
import pulp
import pytest

from f1_pipeline.errors import SolverError
from f1_pipeline.optimize.highs import Answer, HighsModel
from f1_pipeline.optimize.plan_model import build_plan_model
from f1_pipeline_tests.plan_games import small_game, small_settings

VALUES, WEIGHTS, ROOM = [10.0, 7.0, 6.0, 3.0], [5, 4, 3, 1], 8


def knapsack(constant: float = 0.0) -> pulp.LpProblem:
    """Make a programme with the answer 16: the first and the third."""
    programme = pulp.LpProblem("knapsack", pulp.LpMaximize)
    items = [programme.add_variable(f"item_{number}", 0, 1, pulp.LpBinary) for number in range(4)]
    programme.setObjective(pulp.lpSum(v * item for v, item in zip(VALUES, items, strict=True)) + constant)
    programme.addConstraint(pulp.lpSum(w * item for w, item in zip(WEIGHTS, items, strict=True)) <= ROOM)
    return programme


def solve(model: HighsModel, **changes: Any) -> Answer:
    wanted: dict[str, Any] = {"gap": 0.0, "time_limit_s": 10.0} | changes
    return model.solve(**wanted)


def taken(answer: Answer) -> list[int]:
    assert answer.values is not None
    return np.round(answer.values).astype(int).tolist()


def test_the_best_is_found_with_its_bound() -> None:
    answer = solve(HighsModel(knapsack()))
    assert taken(answer) == [1, 0, 1, 0]
    assert (answer.objective, answer.bound) == pytest.approx((16.0, 16.0))


def test_a_model_is_solved_again_with_other_bounds_and_forgets_them() -> None:
    model = HighsModel(knapsack())
    without = solve(model, upper=np.array([0.0, 1.0, 1.0, 1.0]))
    assert (taken(without), without.objective) == ([0, 1, 1, 1], pytest.approx(16.0))
    least = solve(model, lower=np.array([0.0, 1.0, 0.0, 1.0]))
    assert (taken(least), least.objective) == ([0, 1, 1, 1], pytest.approx(16.0))
    none = solve(model, lower=np.ones(4))
    assert (none.values, none.objective, none.bound) == (None, -math.inf, -math.inf)
    assert solve(model).objective == pytest.approx(16.0)


def test_a_relaxed_programme_may_split() -> None:
    model = HighsModel(knapsack())
    relaxed = solve(model, whole=np.zeros(4, dtype=bool))
    # Best by weight: 3 + 10 + 6 x 2/3.
    assert (relaxed.objective, relaxed.bound) == pytest.approx((17.0, 17.0))
    assert solve(model).objective == pytest.approx(16.0)


@pytest.mark.parametrize("start", [[0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
def test_a_start_leads_to_the_best_even_when_it_is_not_allowed(start: list[float]) -> None:
    answer = solve(HighsModel(knapsack()), start=np.array(start))
    assert answer.objective == pytest.approx(16.0)
    assert np.dot(taken(answer), VALUES) == pytest.approx(16.0)


def test_a_start_is_kept_when_it_is_good_enough() -> None:
    answer = solve(HighsModel(knapsack()), start=np.array([0.0, 0.0, 1.0, 1.0]), gap=10.0)
    assert answer.objective >= 9.0
    assert np.dot(taken(answer), VALUES) == pytest.approx(answer.objective)
    assert answer.bound >= 16.0 - 1e-6


@pytest.mark.parametrize("constant", [0.0, 100.0, -50.0])
def test_constants_count_in_objective_bound_and_cut_off(constant: float) -> None:
    model = HighsModel(knapsack(constant))
    best = 16.0 + constant
    answer = solve(model)
    assert (answer.objective, answer.bound) == pytest.approx((best, best))
    assert solve(model, at_least=best - 0.5).objective == pytest.approx(best)
    above = solve(model, at_least=best + 0.5)
    assert (above.values, above.bound) == (None, -math.inf)
    relaxed = solve(model, whole=np.zeros(4, dtype=bool))
    assert relaxed.objective == pytest.approx(17.0 + constant)


def test_a_cut_off_is_forgotten() -> None:
    model = HighsModel(knapsack())
    assert solve(model, at_least=17.0).values is None
    assert solve(model).objective == pytest.approx(16.0)


def test_values_go_by_name_and_back() -> None:
    programme = knapsack()
    model = HighsModel(programme)
    values = np.array([1.0, 0.0, 1.0, 0.0])
    named = model.named(values)
    assert model.ordered(named).tolist() == values.tolist()
    assert model.ordered({"item_1": 1.0}).tolist() == [0.0, 1.0, 0.0, 0.0]
    model.assign(values)
    assert pulp.value(programme.objective) == 16.0


def test_no_time_leaves_no_solution_or_a_bound() -> None:
    answer = solve(HighsModel(knapsack()), time_limit_s=0.0)
    assert answer.bound >= 16.0 - 1e-6
    assert answer.values is None or answer.objective <= 16.0 + 1e-6


def test_a_minimum_and_a_programme_without_limit_are_refused() -> None:
    least = knapsack()
    least.sense = pulp.LpMinimize
    with pytest.raises(SolverError, match="expected a programme with something to be maximized"):
        HighsModel(least)
    endless = pulp.LpProblem("endless", pulp.LpMaximize)
    endless.setObjective(1 * endless.add_variable("more", 0, None))
    with pytest.raises(SolverError, match="HiGHS: expected a solution or a time limit, found"):
        solve(HighsModel(endless))


@pytest.mark.parametrize("seed", [2, 13, 14, 32, 41, 43])
def test_values_are_worth_the_objective_that_is_told(seed: int) -> None:
    # HiGHS betters these starts, plans without chips, while it presolves, and then returns the start.
    game = small_game(seed)
    model = build_plan_model(game.problem, small_settings(seed, game))
    solver = HighsModel(model.programme)
    chips = {variable.name for race in model.races for variable in race.chips.values()}
    unplayed = np.where([variable.name in chips for variable in solver.variables], 0.0, solver.upper)
    cold, start = solve(solver), solve(solver, upper=unplayed).values
    assert start is not None
    warm = solve(solver, start=start)
    assert warm.values is not None
    solver.assign(warm.values)
    assert pulp.value(model.programme.objective) == pytest.approx(warm.objective, abs=1e-5)
    assert warm.objective == pytest.approx(cold.objective, abs=1e-5)
    assert warm.bound == pytest.approx(cold.bound, abs=1e-5)
