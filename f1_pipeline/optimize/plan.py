"""The best plan over the coming races, proven to within a gap, and the next best ones.

Belongs here: solving the programme of a few races and judging the answer by the rules of the game. Neighbours:
`plan_problem` has the data, `plan_model` the programme, `season_path` solves whole seasons.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import replace

import numpy as np
import pulp

from f1_pipeline.errors import RuleError, SolverError, UsageError
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.highs import HighsModel
from f1_pipeline.optimize.milp import cbc_path
from f1_pipeline.optimize.plan_model import OBJECTIVE_TOLERANCE, PlanModel, build_plan_model, replay
from f1_pipeline.optimize.plan_problem import Plan, PlanProblem, PlanSettings
from f1_pipeline.optimize.team_problem import team_problem

_HOLDING_GAP, _HOLDING_TIME_S = 0.05, 10.0


def solve_plan(problem: PlanProblem, settings: PlanSettings | None = None) -> Plan:
    """Find the best plan.

    Parameters
    ----------
    problem : PlanProblem
    settings : PlanSettings, optional

    Returns
    -------
    Plan
        The best found, with the bound that was proven.

    Raises
    ------
    UsageError
        What is wanted contradicts itself or the menus.
    SolverError
        No plan keeps to all limits (the message says which of them do not go together), or none was found in time.
    """
    return solve_plans(problem, settings, 1)[0]


def solve_plans(problem: PlanProblem, settings: PlanSettings | None = None, count: int = 1) -> list[Plan]:
    """Find the best plans that begin differently: with another team or chip at the first race.

    Parameters
    ----------
    problem : PlanProblem
    settings : PlanSettings, optional
    count : int
        Plans wanted, at least 1.

    Returns
    -------
    list of Plan
        Best first (to within their gaps), fewer when there are no more; each bound is of plans unlike those before.

    Raises
    ------
    UsageError, SolverError
        As for :func:`solve_plan`.
    """
    if count < 1:
        raise UsageError(f"Plans: expected a count of at least 1, found {count}.")
    settings = settings or PlanSettings()
    model = build_plan_model(problem, settings)
    plans: list[Plan] = []
    while len(plans) < count:
        plan = _solve(model, settings)
        if plan is None:
            break
        plans.append(plan)
        model.forbid_first_choice()
    if not plans:
        conflict = _conflict(problem, settings)
        raise SolverError(f"Plan from {problem.race_keys[0]}: expected one within all limits, found none: {conflict}.")
    return plans


def _solve(model: PlanModel, settings: PlanSettings) -> Plan | None:
    """Solve a programme and play the answer by the rules; None when nothing keeps to all limits."""
    bound = _solve_highs(model, settings) if settings.solver == "highs" else _solve_cbc(model, settings)
    return None if bound is None else judged_plan(model, bound)


def judged_plan(model: PlanModel, bound: float) -> Plan:
    """Read a plan off a solved programme, trusting none of its numbers.

    Parameters
    ----------
    model : PlanModel
        Its variables have the values of a solution.
    bound : float
        What the solver has proven.

    Returns
    -------
    Plan

    Raises
    ------
    SolverError
        The answer breaks a rule of the game, or is worth something else than the solver says.
    """
    where = f"Plan from {model.problem.race_keys[0]}"
    try:
        races, objective = replay(model.problem, model.settings, model.decisions())
    except RuleError as error:
        raise SolverError(f"{where}: the answer is not legal: {error}") from error
    claimed = float(pulp.value(model.programme.objective))
    # A solver that stops early may pay for a transfer that was free, but cannot know better than the game.
    if objective < claimed - OBJECTIVE_TOLERANCE * max(1.0, abs(claimed)):
        raise SolverError(f"{where}: expected an objective of {objective}, the worth of the plan, found {claimed}.")
    return Plan(races, objective, max(bound, objective))


def _solve_highs(model: PlanModel, settings: PlanSettings) -> float | None:
    ends_at = time.monotonic() + settings.time_limit_s
    solver = HighsModel(model.programme)
    start = _start(model, solver, settings)
    answer = solver.solve(gap=settings.gap, time_limit_s=ends_at - time.monotonic(), start=start)
    if answer.values is None and answer.bound == -math.inf:
        return None
    values = start if answer.values is None else answer.values
    if values is None:
        raise SolverError(_out_of_time(model, settings))
    solver.assign(values)
    if math.isfinite(answer.bound):
        return answer.bound
    nothing_whole = np.zeros_like(solver.is_integer)
    return solver.solve(gap=0.0, time_limit_s=_HOLDING_TIME_S, whole=nothing_whole).bound


def _start(model: PlanModel, solver: HighsModel, settings: PlanSettings) -> np.ndarray | None:
    """Find a plan to begin with: the best one without chips, as a search with them takes several times as long."""
    if settings.forced_chips or not any(race.chips for race in model.races):
        return _holding(model, solver)
    plain = build_plan_model(model.problem, replace(settings, chips=()))
    own = HighsModel(plain.programme)
    start = _holding(plain, own)
    answer = own.solve(gap=settings.gap / 2, time_limit_s=settings.time_limit_s / 2, start=start)
    values = start if answer.values is None else answer.values
    return None if values is None else solver.ordered(model.start_from(plain, own.named(values)))


def _holding(model: PlanModel, solver: HighsModel) -> np.ndarray | None:
    """Hold the best line-up of the first race throughout: seldom good, but there at once; none when not allowed."""
    problem, settings = model.problem, model.settings
    points = dict(zip(problem.assets, problem.points[0].tolist(), strict=True))
    try:
        race = team_problem(problem.menus[0], points, problem.rules, problem.team)
        known = [(key, row) for row, key in enumerate(problem.assets) if key in race.asset_keys]
        locks, bans = (
            frozenset(key for key, row in known if is_named[row])
            for is_named in (problem.rows_of(settings.locked), problem.rows_of(settings.banned))
        )
        wished = replace(race, locks=locks - race.unavailable, bans=bans, most_per_team=settings.most_per_team)
        held = set(best_lineups(wished, 1)[0].lineup.asset_keys)
    except (RuleError, SolverError, UsageError):
        return None
    lower, upper = solver.lower.copy(), solver.upper.copy()
    rows = {variable.name: row for each in model.races for row, variable in each.hold.items()}
    for column, variable in enumerate(solver.variables):
        if variable.name in rows:
            lower[column] = upper[column] = float(problem.assets[rows[variable.name]] in held)
    # With every line-up given, little is left to solve, whatever the time limit.
    return solver.solve(gap=_HOLDING_GAP, time_limit_s=_HOLDING_TIME_S, lower=lower, upper=upper).values


def _solve_cbc(model: PlanModel, settings: PlanSettings) -> float | None:
    """Solve by CBC, whose bound PuLP does not tell: that of the relaxed programme is taken."""
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-plan-") as directory:
        common = {"path": cbc_path(), "msg": False, "timeLimit": settings.time_limit_s}
        relaxed = pulp.COIN_CMD(**common, mip=False)
        whole = pulp.COIN_CMD(**common, gapRel=settings.gap)
        relaxed.tmpDir = whole.tmpDir = directory
        if model.programme.solve(relaxed) == pulp.LpStatusInfeasible:
            return None
        bound = float(pulp.value(model.programme.objective))
        status = model.programme.solve(whole)
    if status == pulp.LpStatusInfeasible:
        return None
    if model.programme.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        raise SolverError(_out_of_time(model, settings))
    return bound


def _out_of_time(model: PlanModel, settings: PlanSettings) -> str:
    return (
        f"Plan from {model.problem.race_keys[0]}: expected a plan within {settings.time_limit_s:g} s, found none; "
        "allow more time."
    )


def _conflict(problem: PlanProblem, settings: PlanSettings) -> str:
    """Say which of the limits cannot be kept together: dropping any one of those named helps or leads on."""
    nothing: frozenset[AssetKey] = frozenset()
    relaxations: dict[str, dict[str, object]] = {
        "locked assets": {"locked": nothing},
        "banned assets": {"banned": nothing},
        "most assets per team": {"most_per_team": None},
        "forced chips": {"forced_chips": {}},
    }
    given = {name: change for name, change in relaxations.items() if getattr(settings, next(iter(change)))}
    # A deletion filter: a limit without which there is still no plan has no part in the conflict.
    kept, current = [], settings
    for name, change in given.items():
        looser = replace(current, **change)
        model = build_plan_model(problem, replace(looser, chip_values={}))
        answer = HighsModel(model.programme).solve(gap=1.0, time_limit_s=settings.time_limit_s)
        if answer.values is None and answer.bound == -math.inf:
            current = looser
        else:
            kept.append(name)
    return f"{', '.join([*kept, 'the budget'])} do not go together" if kept else "the budget buys no line-up"
