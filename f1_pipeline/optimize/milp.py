"""The line-up problem as an integer programme, solved by CBC or HiGHS through PuLP.

Here: the model, the runs of the solver and the checks on its answers. Not here: the menu as arrays
(`f1_pipeline.optimize.problem`) and the enumeration (`f1_pipeline.optimize.enumeration`), which is much faster
(`make bench`) and finds the same teams without a solver. The only module that runs a solver: no answer leaves it
without having been judged by `f1_pipeline.game.lineup.validate`.

Two builds of CBC are installed with `pulp[cbc]`: the release inside PuLP itself and a newer one in the
package `cbcbox`. PuLP 3.3 only looks for `cbc` on the PATH (and warns when asked for its own), so the path is
found here. The best team of a full menu took 13 ms with the first and 48 ms with the second, nearly all of it the
process itself: building the model takes 0.7 ms, as long as its expressions are made in one go and not with `lpSum`.
HiGHS runs inside this process and took 5 ms; with transfers and a second boost 10 to 20 ms, like CBC. CBC's cuts,
heuristics and preprocessing are off, they take longer than they save. All gaps are zero: the search ends only when
nothing better is left.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import cbcbox
import numpy as np
import pulp

from f1_pipeline.errors import RuleError, SolverError, UsageError
from f1_pipeline.game.lineup import validate
from f1_pipeline.optimize.conflicts import explain
from f1_pipeline.optimize.enumeration import cheapest_cost
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup

INTEGER_TOLERANCE = 1e-5
POINTS_TOLERANCE = 1e-4
"""CBC asks a better solution to be better by 1e-5, and rounds binaries at 1e-6 each; a point is worth 1."""


@dataclass(frozen=True, eq=False)
class _Model:
    programme: pulp.LpProblem
    drivers: list[pulp.LpVariable]
    constructors: list[pulp.LpVariable]
    boosts: list[list[pulp.LpVariable]]  # one list of drivers per level, in the order of the problem's boosts


def cbc_solver(time_limit_s: float | None = None) -> pulp.COIN_CMD:
    """Configure CBC for exact answers to small problems.

    Parameters
    ----------
    time_limit_s
        Most seconds that a run may take; None is any number.

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
        path=cbc_path(),
        msg=False,
        timeLimit=time_limit_s,
        gapRel=0,
        gapAbs=0,
        cuts=False,
        presolve=False,
        strong=0,
        options=["preprocess off", "heuristicsOnOff off"],
    )


def highs_solver(time_limit_s: float | None = None) -> pulp.LpSolver:
    """Configure HiGHS for exact answers to small problems.

    Parameters
    ----------
    time_limit_s
        Most seconds that a run may take; None is any number.

    Returns
    -------
    pulp.LpSolver
        A quiet HiGHS with zero gaps, in this process.

    Raises
    ------
    SolverError
        The package highspy is not installed.
    """
    if find_spec("highspy") is None:
        raise SolverError("HiGHS: expected the package highspy to be installed, found none: pip install highspy.")
    hush_highs()
    # More threads would only wait for each other on so small a problem.
    return pulp.HiGHS(msg=False, timeLimit=time_limit_s, gapRel=0, gapAbs=0, threads=1)


@lru_cache(maxsize=1)
def hush_highs() -> None:
    """Let the first HiGHS of the process print its banner to nobody: no option turns it off."""
    import highspy

    stdout = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(nowhere)


@lru_cache(maxsize=1)
def cbc_path() -> str:
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


SOLVERS: dict[str, Callable[[float | None], pulp.LpSolver]] = {"cbc": cbc_solver, "highs": highs_solver}
"""How each solver is configured, by its name."""


def solve_lineups(
    problem: LineupProblem, count: int = 10, solver: str = "cbc", time_limit_s: float | None = None
) -> list[RankedLineup]:
    """Find the best teams by integer programming.

    Parameters
    ----------
    problem
        The menu and the limits.
    count
        Teams wanted, at least 1. Each one is a run of the solver.
    solver
        "cbc", or "highs" when the package highspy is installed.
    time_limit_s
        Most seconds that the search for one team may take; None is any number.

    Returns
    -------
    list of RankedLineup
        Best first, each the best of those that differ from every one before it in at least `min_difference` assets;
        fewer than `count` when fewer teams keep to the limits. Which of two teams comes first when their points
        differ by less than 1e-5 is up to the solver.

    Raises
    ------
    UsageError
        `count` is below 1, the solver is unknown, or the time limit is not positive.
    SolverError
        No team keeps to the limits, the solver is not installed or stopped without a proven optimum, or its answer
        is not a legal line-up.
    """
    if count < 1:
        raise UsageError(f"Best line-ups: expected a count of at least 1, found {count}.")
    if solver not in SOLVERS:
        raise UsageError(f"Solver: expected one of {', '.join(SOLVERS)}, found {solver!r}.")
    if time_limit_s is not None and not time_limit_s > 0:
        raise UsageError(f"Solver: expected a time limit above 0 seconds, found {time_limit_s}.")
    model = _build(problem)
    ranking: list[RankedLineup] = []
    # PuLP removes its files only after a success, so they go to a directory that is removed in any case.
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-milp-") as directory:
        program = SOLVERS[solver](time_limit_s)
        if isinstance(program, pulp.COIN_CMD):
            program.tmpDir = directory
        while len(ranking) < count and _solve(model, program, problem, rank=len(ranking) + 1):
            ranking.append(_read(model, problem, rank=len(ranking) + 1))
            _forbid_near_teams(model, problem)
    return ranking


def _build(problem: LineupProblem) -> _Model:
    rules = problem.rules
    programme = pulp.LpProblem("lineup", pulp.LpMaximize)

    def binaries(prefix: str, size: int) -> list[pulp.LpVariable]:
        return [programme.add_variable(f"{prefix}{row}", 0, 1, pulp.LpBinary) for row in range(size)]

    drivers = binaries("driver", len(problem.driver_ids))
    constructors = binaries("constructor", len(problem.constructor_ids))
    boosts = [binaries(f"boost{level}_", len(drivers)) for level in range(len(problem.boosts))]
    assets = [*drivers, *constructors]
    prices = np.concatenate([problem.driver_prices, problem.constructor_prices]).tolist()
    points = np.concatenate([problem.driver_points, problem.constructor_points]).tolist()
    objective = list(zip(assets, points, strict=True))
    for multiplier, level in zip(problem.boosts, boosts, strict=True):
        objective += zip(level, ((multiplier - 1) * problem.boost_points).tolist(), strict=True)
    objective += _transfer_terms(programme, problem, assets)
    programme += pulp.LpAffineExpression(objective)
    programme += _sum(drivers) == rules.driver_count, "driver_count"
    programme += _sum(constructors) == rules.constructor_count, "constructor_count"
    programme += pulp.LpAffineExpression(list(zip(assets, prices, strict=True))) <= rules.budget_tenths, "budget"
    for number, level in enumerate(boosts):
        programme += _sum(level) == 1, f"boost_{number}"
    for row, (driver, *levels) in enumerate(zip(drivers, *boosts, strict=True)):
        programme += _sum(levels) - driver <= 0, f"boost_held_{row}"
    _add_limits(programme, problem, assets)
    return _Model(programme, drivers, constructors, boosts)


def _sum(variables: Iterable[pulp.LpVariable]) -> pulp.LpAffineExpression:
    # lpSum and lpDot add term by term, which takes longer than CBC's search.
    return pulp.LpAffineExpression([(variable, 1) for variable in variables])


def _transfer_terms(
    programme: pulp.LpProblem, problem: LineupProblem, assets: list[pulp.LpVariable]
) -> list[tuple[pulp.LpVariable, float]]:
    """Add the count of transfers above the free ones; return what it adds to the objective."""
    held = problem.held
    if held is None or held.free_transfers is None or not held.extra_points:
        return []
    extra = programme.add_variable("extra_transfers", 0)
    is_held = problem.mask(held.asset_keys)
    bought = _sum(asset for asset, kept in zip(assets, is_held, strict=True) if not kept)
    programme += bought - extra <= held.free_transfers, "transfers"
    return [(extra, held.extra_points)]


def _add_limits(programme: pulp.LpProblem, problem: LineupProblem, assets: list[pulp.LpVariable]) -> None:
    for key, asset in zip(problem.asset_keys, assets, strict=True):
        if key in problem.locks:
            programme += asset == 1, f"locked_{asset.name}"
        if key in problem.unavailable:
            programme += asset == 0, f"unavailable_{asset.name}"
    if problem.most_per_team is not None:
        teams: dict[str, list[pulp.LpVariable]] = {}
        for key, asset in zip(problem.asset_keys, assets, strict=True):
            teams.setdefault(problem.team_of[key], []).append(asset)
        for number, own in enumerate(teams.values()):
            programme += _sum(own) <= problem.most_per_team, f"team_{number}"


def _solve(model: _Model, solver: pulp.LpSolver, problem: LineupProblem, rank: int) -> bool:
    """Run the solver; return False when every team has been ranked already."""
    try:
        status = model.programme.solve(solver)
    except pulp.PulpSolverError as error:
        raise SolverError(f"{_which(problem, rank)}: the solver could not run: {error}.") from error
    if status == pulp.LpStatusInfeasible:
        if rank > 1:
            return False
        raise explain(problem, cheapest_cost)
    if status != pulp.LpStatusOptimal or model.programme.sol_status != pulp.LpSolutionOptimal:
        within = "" if solver.timeLimit is None else f" within {solver.timeLimit} s"
        raise SolverError(
            f"{_which(problem, rank)}: expected a proven optimum{within}, found status {pulp.LpStatus[status]!r}, "
            f"{pulp.LpSolution[model.programme.sol_status].lower()}."
        )
    return True


def _read(model: _Model, problem: LineupProblem, rank: int) -> RankedLineup:
    """Turn the values of the variables into a line-up, trusting none of them."""
    drivers = _picked(model.drivers, problem, rank)
    constructors = _picked(model.constructors, problem, rank)
    boosted = [_picked(level, problem, rank) for level in model.boosts]
    for level in boosted:
        if len(level) != 1 or level[0] not in drivers or boosted.count(level) > 1:
            raise SolverError(
                f"{_which(problem, rank)}: expected each boost on another driver who is held, found rows {boosted}."
            )
    if not drivers or not constructors:
        raise SolverError(f"{_which(problem, rank)}: expected drivers and constructors, found an empty team.")
    # Boosts are put on the best drivers by id order, which on a tie need not be those the solver took.
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


def _forbid_near_teams(model: _Model, problem: LineupProblem) -> None:
    held = [variable for variable in (*model.drivers, *model.constructors) if variable.value() > 0.5]
    model.programme.addConstraint(_sum(held) <= len(held) - problem.min_difference)


def _which(problem: LineupProblem, rank: int) -> str:
    race = f" of {problem.race_key}" if problem.race_key else ""
    return f"Line-up rank {rank}{race}"
