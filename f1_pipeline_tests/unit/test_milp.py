"""The integer programme gives the answers of the enumeration, and lets no false one out."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import SolverError, UsageError
from f1_pipeline.game.lineup import Lineup, LineupRules, validate
from f1_pipeline.optimize import milp
from f1_pipeline.optimize.enumeration import affordable_team_count, best_lineups
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline_tests.lineup_problems import legal_teams, limited_problems


def seeded_problem(seed: int, drivers: int, constructors: int, rules: LineupRules, decimals: int = 2) -> LineupProblem:
    """Draw a menu whose points follow the prices, with noise that turns some of them negative."""
    generator = np.random.default_rng(seed)
    driver_prices = generator.integers(45, 300, drivers)
    constructor_prices = generator.integers(60, 330, constructors)
    return LineupProblem(
        tuple(f"driver-{i:02}" for i in range(drivers)),
        driver_prices,
        generator.normal(driver_prices / 10, 10).round(decimals),
        tuple(f"constructor-{i:02}" for i in range(constructors)),
        constructor_prices,
        generator.normal(constructor_prices / 6, 15).round(decimals),
        rules,
    )


def assert_same_answers(found: list[RankedLineup], expected: list[RankedLineup], problem: LineupProblem) -> None:
    # In points: which of two equal teams comes first is up to the solver.
    assert [r.points for r in found] == pytest.approx([r.points for r in expected], abs=1e-9)
    assert [r.rank for r in found] == list(range(1, len(expected) + 1))
    assert len({(r.lineup.drivers, r.lineup.constructors) for r in found}) == len(found)
    for ranked in found:
        validate(ranked.lineup, problem.prices, problem.rules)


@settings(derandomize=True, database=None, deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.sampled_from([(5, 3), (7, 4), (8, 3)]),
    budget=st.integers(450, 900),
    multiplier=st.sampled_from([1, 2, 3]),
    decimals=st.sampled_from([-1, 0, 2]),
)
def test_milp_equals_enumeration_on_small_menus(
    seed: int, sizes: tuple[int, int], budget: int, multiplier: int, decimals: int
) -> None:
    """With points rounded to tens (-1 decimals) most teams tie."""
    problem = seeded_problem(seed, *sizes, LineupRules(3, 2, budget, multiplier), decimals)
    if affordable_team_count(problem) == 0:
        with pytest.raises(SolverError, match="cheapest legal one costs"):
            solve_lineups(problem)
    else:
        assert_same_answers(solve_lineups(problem, 10), best_lineups(problem, 10), problem)


@pytest.mark.parametrize("solver", milp.SOLVERS)
@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(problem=limited_problems(has_ties=False))
def test_milp_equals_enumeration_under_every_limit(solver: str, problem: LineupProblem) -> None:
    if solver == "highs":
        pytest.importorskip("highspy")
    if legal_teams(problem):
        assert solve_lineups(problem, 3, solver) == best_lineups(problem, 3)
        return
    messages = []
    for search in (lambda: solve_lineups(problem, 3, solver), lambda: best_lineups(problem, 3)):
        with pytest.raises(SolverError) as raised:
            search()
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("seed", [2024, 2025, 2026])
def test_milp_equals_enumeration_on_a_full_menu(seed: int) -> None:
    problem = seeded_problem(seed, 22, 11, LineupRules(5, 2, 1000, 2))
    assert solve_lineups(problem, 10) == best_lineups(problem, 10)


def test_ranking_ends_when_every_team_is_ranked() -> None:
    problem = seeded_problem(7, 3, 2, LineupRules(2, 1, 10_000, 2))
    assert solve_lineups(problem, 10) == best_lineups(problem, 10)
    assert len(best_lineups(problem, 10)) == 6


def test_negative_points_are_boosted_where_they_hurt_least() -> None:
    problem = LineupProblem(
        ("a", "b"),
        np.array([10, 10]),
        np.array([-3.0, -20.0]),
        ("x",),
        np.array([10]),
        np.array([-1.0]),
        LineupRules(2, 1, 30, 2),
    )
    assert solve_lineups(problem) == [RankedLineup(1, Lineup(("a", "b"), ("x",), "a"), -27.0, 30)]


def test_budget_too_small_is_named_with_the_amounts() -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 100, 2))
    with pytest.raises(SolverError, match=r"within the budget of \$10\.0M, but the cheapest legal one costs \$"):
        solve_lineups(problem)


def test_infeasible_status_is_an_error_whatever_the_values() -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 100, 2))
    model = milp._build(problem)
    with pytest.raises(SolverError, match="the cheapest legal one costs"):
        milp._solve(model, milp.cbc_solver(), problem, rank=1)
    assert not milp._solve(model, milp.cbc_solver(), problem, rank=2)


@pytest.mark.parametrize("value", [-1, 2, 0.5, None])
def test_values_that_are_not_binary_are_refused(value: float | None) -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    model = milp._build(problem)
    model.drivers[0].varValue = value
    with pytest.raises(SolverError, match=f"expected driver0 to be 0 or 1, found {value}"):
        milp._read(model, problem, rank=1)


def test_values_that_break_a_rule_are_refused() -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    model = milp._build(problem)
    (boosts,) = model.boosts
    for variable in (*model.drivers, *model.constructors, *boosts):
        variable.varValue = 0
    model.drivers[0].varValue = boosts[0].varValue = model.constructors[0].varValue = 1
    with pytest.raises(SolverError, match="not legal: Line-up drivers: expected 3, found 1"):
        milp._read(model, problem, rank=1)
    boosts[0].varValue, boosts[1].varValue = 0, 1
    with pytest.raises(SolverError, match=r"each boost on another driver who is held, found rows \[\[1\]\]"):
        milp._read(model, problem, rank=1)


def test_a_solver_that_cannot_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    monkeypatch.setattr(milp, "cbc_path", lambda: "/nonexistent/cbc")
    with pytest.raises(SolverError, match="the solver could not run"):
        solve_lineups(problem, 1)


def test_a_solver_that_is_not_installed_is_an_error_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    monkeypatch.setattr(milp, "find_spec", lambda _: None)
    with pytest.raises(
        SolverError, match="expected the package highspy to be installed, found none: pip install highspy"
    ):
        solve_lineups(problem, 1, "highs")


def test_an_unknown_solver_or_time_limit_is_refused() -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    with pytest.raises(UsageError, match="expected one of cbc, highs, found 'glpk'"):
        solve_lineups(problem, 1, "glpk")
    with pytest.raises(UsageError, match="expected a time limit above 0 seconds, found 0"):
        solve_lineups(problem, 1, time_limit_s=0)


@pytest.mark.parametrize("solver", milp.SOLVERS)
def test_running_out_of_time_is_an_error(solver: str) -> None:
    if solver == "highs":
        pytest.importorskip("highspy")
    problem = seeded_problem(1, 22, 11, LineupRules(5, 2, 1000, 2))
    with pytest.raises(SolverError, match="expected a proven optimum within 1e-09 s, found status 'Not Solved'"):
        solve_lineups(problem, 1, solver, time_limit_s=1e-9)
    assert solve_lineups(problem, 1, solver, time_limit_s=60) == best_lineups(problem, 1)


def test_highs_prints_nothing() -> None:
    pytest.importorskip("highspy")
    code = "from f1_pipeline.optimize import milp; milp.highs_solver(); import highspy; highspy.Highs()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_every_build_of_cbc_gives_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = seeded_problem(5, 10, 5, LineupRules(4, 2, 900, 2))
    own = solve_lineups(problem, 3)
    monkeypatch.setattr(milp, "cbc_path", milp.cbcbox.cbc_bin_path)
    assert solve_lineups(problem, 3) == own == best_lineups(problem, 3)


def test_no_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milp.tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    solve_lineups(seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2)), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_count_below_one_is_refused() -> None:
    problem = seeded_problem(1, 6, 3, LineupRules(3, 2, 1000, 2))
    with pytest.raises(UsageError, match="expected a count of at least 1, found 0"):
        solve_lineups(problem, 0)
