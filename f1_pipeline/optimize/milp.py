"""The line-up problem as an integer programme, solved by CBC through PuLP.

Here: the model, the runs of the solver and the checks on its answers. Not here: the menu as arrays
(`f1_pipeline.optimize.problem`) and the enumeration (`f1_pipeline.optimize.enumeration`), which is much
faster on the plain problem (`make bench`); the programme is the form that takes further constraints. The only
module that runs a solver: no answer leaves it without having been judged by
`f1_pipeline.game.lineup.validate`.

Two builds of CBC are installed with `pulp[cbc]`: the release inside PuLP itself and a newer one in the
package `cbcbox`. PuLP 3.3 only looks for `cbc` on the PATH (and warns when asked for its own), so the path is
found here. Ten ranks of a full menu took 0.10-0.16 s with the first and 0.25-0.33 s with the second, of which
0.1 s is the start of ten processes; with CBC's default cuts, heuristics and preprocessing it is 0.3-0.6 s and
0.55-0.85 s. Both gaps are zero: the search ends only when nothing better is left.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache

import cbcbox
import numpy as np
import pulp

from f1_pipeline.errors import RuleError, SolverError, UsageError
from f1_pipeline.game.lineup import validate
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup

INTEGER_TOLERANCE = 1e-5
POINTS_TOLERANCE = 1e-4
"""CBC asks a better solution to be better by 1e-5, and rounds binaries at 1e-6 each; a point is worth 1."""


@dataclass(frozen=True, eq=False)
class _Model:
    programme: pulp.LpProblem
    drivers: list[pulp.LpVariable]
    constructors: list[pulp.LpVariable]
    boosts: list[pulp.LpVariable]


def cbc_solver() -> pulp.COIN_CMD:
    """Configure CBC for exact answers to small problems.

    Returns
    -------
    pulp.COIN_CMD
        A quiet CBC with zero gaps.

    Raises
    ------
    SolverError
        No CBC executable starts.
    """
    return pulp.COIN_CMD(
        path=_cbc_path(),
        msg=False,
        gapRel=0,
        gapAbs=0,
        cuts=False,
        presolve=False,
        strong=0,
        options=["preprocess off", "heuristicsOnOff off"],
    )


@lru_cache(maxsize=1)
def _cbc_path() -> str:
    """Return the first CBC that starts on this machine, the fastest build first."""
    candidates = (pulp.PULP_CBC_CMD.pulp_cbc_path, cbcbox.cbc_bin_path(), "cbc")
    for candidate in candidates:
        path = shutil.which(candidate)
        if path is not None and _starts(path):
            return path
    raise SolverError(f"CBC: expected one of {', '.join(candidates)} to be executable, found none that starts.")


def _starts(path: str) -> bool:
    # An executable for another processor is found by `which` and fails only when run.
    try:
        subprocess.run([path, "-quit"], stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def solve_lineups(problem: LineupProblem, count: int = 10, solver: pulp.LpSolver | None = None) -> list[RankedLineup]:
    """Find the best teams by integer programming.

    Parameters
    ----------
    problem
        The menu and the limits.
    count
        Teams wanted, at least 1. Each one is a run of the solver.
    solver
        A PuLP solver; CBC when not given.

    Returns
    -------
    list of RankedLineup
        Best first, no two with the same assets; fewer than `count` when fewer teams fit the budget. Which of
        two teams comes first when their points differ by less than 1e-5 is up to the solver.

    Raises
    ------
    UsageError
        `count` is below 1.
    SolverError
        No team fits the budget, the solver stopped without a proven optimum, or its answer is not a legal
        line-up.
    """
    if count < 1:
        raise UsageError(f"Best line-ups: expected a count of at least 1, found {count}.")
    problem.require_affordable()
    model = _build(problem)
    ranking: list[RankedLineup] = []
    # PuLP removes its files only after a success, so they go to a directory that is removed in any case.
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-milp-") as directory:
        if solver is None:
            solver = cbc = cbc_solver()
            cbc.tmpDir = directory
        while len(ranking) < count and _solve(model, solver, problem, rank=len(ranking) + 1):
            ranking.append(_read(model, problem, rank=len(ranking) + 1))
            _forbid_current_team(model)
    return ranking


def _build(problem: LineupProblem) -> _Model:
    rules = problem.rules
    programme = pulp.LpProblem("lineup", pulp.LpMaximize)

    def binaries(prefix: str, size: int) -> list[pulp.LpVariable]:
        return [programme.add_variable(f"{prefix}{row}", 0, 1, pulp.LpBinary) for row in range(size)]

    drivers = binaries("driver", len(problem.driver_ids))
    constructors = binaries("constructor", len(problem.constructor_ids))
    boosts = binaries("boost", len(problem.driver_ids))
    assets = [*drivers, *constructors]
    prices = np.concatenate([problem.driver_prices, problem.constructor_prices]).tolist()
    points = np.concatenate([problem.driver_points, problem.constructor_points]).tolist()
    extra = ((rules.boost_multiplier - 1) * problem.driver_points).tolist()
    programme += pulp.lpDot(points, assets) + pulp.lpDot(extra, boosts)
    programme += pulp.lpSum(drivers) == rules.driver_count, "driver_count"
    programme += pulp.lpSum(constructors) == rules.constructor_count, "constructor_count"
    programme += pulp.lpDot(prices, assets) <= rules.budget_tenths, "budget"
    programme += pulp.lpSum(boosts) == 1, "one_boost"
    for row, (boost, driver) in enumerate(zip(boosts, drivers, strict=True)):
        programme += boost <= driver, f"boost_held_{row}"
    return _Model(programme, drivers, constructors, boosts)


def _solve(model: _Model, solver: pulp.LpSolver, problem: LineupProblem, rank: int) -> bool:
    """Run the solver; return False when every team has been ranked already."""
    try:
        status = model.programme.solve(solver)
    except pulp.PulpSolverError as error:
        raise SolverError(f"{_which(problem, rank)}: the solver could not run: {error}.") from error
    if status == pulp.LpStatusInfeasible and rank > 1:
        return False
    if status != pulp.LpStatusOptimal or model.programme.sol_status != pulp.LpSolutionOptimal:
        raise SolverError(
            f"{_which(problem, rank)}: expected a proven optimum, found status {pulp.LpStatus[status]!r}."
        )
    return True


def _read(model: _Model, problem: LineupProblem, rank: int) -> RankedLineup:
    """Turn the values of the variables into a line-up, trusting none of them."""
    drivers = _picked(model.drivers, problem, rank)
    constructors = _picked(model.constructors, problem, rank)
    boosted = _picked(model.boosts, problem, rank)
    if len(boosted) != 1 or boosted[0] not in drivers:
        raise SolverError(f"{_which(problem, rank)}: expected one boost on a held driver, found rows {boosted}.")
    if not drivers or not constructors:
        raise SolverError(f"{_which(problem, rank)}: expected drivers and constructors, found an empty team.")
    # The boost is put on the best driver by id order, which on a tie need not be the one the solver took.
    ranked = problem.ranked(rank, drivers, constructors)
    try:
        validate(ranked.lineup, problem.prices, problem.rules)
    except RuleError as error:
        raise SolverError(f"{_which(problem, rank)}: the answer is not legal: {error}") from error
    objective = float(pulp.value(model.programme.objective))
    if abs(objective - ranked.points) > POINTS_TOLERANCE * max(1.0, abs(ranked.points)):
        raise SolverError(
            f"{_which(problem, rank)}: expected an objective of {ranked.points}, the points of the team, "
            f"found {objective}."
        )
    return ranked


def _picked(variables: list[pulp.LpVariable], problem: LineupProblem, rank: int) -> list[int]:
    """Return the rows at 1, refusing values that are neither 0 nor 1."""
    # On an infeasible model CBC leaves binaries at -1 and 2, so rounding alone would let them through.
    picked = []
    for row, variable in enumerate(variables):
        value = variable.value()
        if value is None or min(abs(value), abs(value - 1)) > INTEGER_TOLERANCE:
            raise SolverError(f"{_which(problem, rank)}: expected {variable.name} to be 0 or 1, found {value}.")
        if value > 0.5:
            picked.append(row)
    return picked


def _forbid_current_team(model: _Model) -> None:
    held = [variable for variable in (*model.drivers, *model.constructors) if variable.value() > 0.5]
    model.programme.addConstraint(pulp.lpSum(held) <= len(held) - 1)


def _which(problem: LineupProblem, rank: int) -> str:
    race = f" of {problem.race_key}" if problem.race_key else ""
    return f"Line-up rank {rank}{race}"
