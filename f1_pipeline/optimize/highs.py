"""A PuLP programme in HiGHS: solved again and again with other bounds, from a start, up to a cut-off, with its gap.

Belongs here: what PuLP's own interface to HiGHS leaves out, namely a start, the proven bound, and solving once more
without building the model again. Not here: any model. Neighbours: `plan_model` builds programmes, `plan` and
`season_path` solve them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pulp

from f1_pipeline.errors import SolverError
from f1_pipeline.optimize.milp import hush_highs

_FEASIBLE = {
    highspy.HighsModelStatus.kOptimal,
    highspy.HighsModelStatus.kTimeLimit,
    highspy.HighsModelStatus.kInterrupt,
    highspy.HighsModelStatus.kSolutionLimit,
}
_INFEASIBLE = {highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible}


@dataclass(frozen=True, eq=False)
class Answer:
    """What one call of the solver found.

    Attributes
    ----------
    values : ndarray of shape (variables,) or None
        The best solution, in the order of ``HighsModel.variables``; None when there is none.
    objective : float
        Its value, minus infinity when there is none.
    bound : float
        No solution within the bounds and above the cut-off is better; minus infinity when there is none at all.
    """

    values: np.ndarray | None
    objective: float
    bound: float


class HighsModel:
    """A programme to be maximized, loaded into HiGHS once.

    Parameters
    ----------
    programme : pulp.LpProblem

    Attributes
    ----------
    variables : list of pulp.LpVariable
    lower, upper : ndarray of shape (variables,)
        The bounds of the programme.
    is_integer : ndarray of bool
    """

    def __init__(self, programme: pulp.LpProblem) -> None:
        objective = programme.objective
        if programme.sense != pulp.LpMaximize or objective is None:
            raise SolverError("HiGHS: expected a programme with something to be maximized.")
        hush_highs()
        # HiGHS keeps the number of threads that its first model in a process had, and refuses any other.
        solver = pulp.HiGHS(msg=False, threads=1)
        solver.createAndConfigureSolver(programme)
        solver.buildSolverModel(programme)
        self._highs: Any = programme.solverModel
        self.variables = programme.variables()
        infinity = highspy.kHighsInf
        self.lower = np.array([-infinity if var.lowBound is None else var.lowBound for var in self.variables])
        self.upper = np.array([infinity if var.upBound is None else var.upBound for var in self.variables])
        self.is_integer = np.array([var.cat == pulp.LpInteger for var in self.variables])
        # PuLP leaves the constant out, and a relative gap is of the whole objective.
        self._constant = float(objective.constant)
        self._highs.changeObjectiveOffset(-self._constant)
        self._columns = np.arange(len(self.variables), dtype=np.int32)
        self._costs = np.array([objective.get(var, 0.0) for var in self.variables])
        used = np.flatnonzero(self._costs)
        self._cut_off_row = self._highs.getNumRow()
        self._highs.addRow(-infinity, infinity, len(used), used.astype(np.int32), self._costs[used])

    def solve(
        self,
        *,
        gap: float,
        time_limit_s: float,
        lower: np.ndarray | None = None,
        upper: np.ndarray | None = None,
        start: np.ndarray | None = None,
        at_least: float | None = None,
        whole: np.ndarray | None = None,
    ) -> Answer:
        """Solve the programme, or a part of it.

        Parameters
        ----------
        gap : float
            Relative gap between solution and bound at which to stop.
        time_limit_s : float
            Seconds after which to stop with what there is.
        lower, upper : ndarray, optional
            Other bounds of the variables.
        start : ndarray, optional
            A solution to begin with.
        at_least : float, optional
            Look only for solutions at least as good.
        whole : ndarray of bool, optional
            Which variables must be whole numbers; those of the programme by default.

        Returns
        -------
        Answer

        Raises
        ------
        SolverError
            HiGHS failed, or the programme has no limit.
        """
        highs, ends_at = self._highs, time.monotonic() + time_limit_s
        bounds = (self.lower if lower is None else lower, self.upper if upper is None else upper)
        highs.changeColsBounds(len(self.variables), self._columns, *bounds)
        is_whole = self.is_integer if whole is None else whole
        highs.changeColsIntegrality(len(self.variables), self._columns, is_whole.astype(np.uint8))
        least = -highspy.kHighsInf if at_least is None else at_least - self._constant
        highs.changeRowBounds(self._cut_off_row, least, highspy.kHighsInf)
        highs.setOptionValue("mip_rel_gap", gap)
        has_whole = bool(is_whole.any())
        answer = self._run(time_limit_s, start, has_whole)
        tolerance = 1e-6 * max(1.0, abs(answer.objective))
        if answer.values is None or self._worth(answer.values) >= answer.objective - tolerance:
            return answer
        # When its presolve betters a start, HiGHS tells the better objective and returns the start as it was.
        again = self._run(ends_at - time.monotonic(), None, has_whole)
        best = max((each.values for each in (answer, again) if each.values is not None), key=self._worth)
        return Answer(best, self._worth(best), min(answer.bound, max(again.bound, self._worth(best))))

    def named(self, values: np.ndarray) -> dict[str, float]:
        """Name the values of a solution by variable."""
        return {variable.name: float(value) for variable, value in zip(self.variables, values, strict=True)}

    def ordered(self, values: Mapping[str, float]) -> np.ndarray:
        """Arrange values by name in the order of the variables; 0 for those that are not named."""
        return np.array([values.get(variable.name, 0.0) for variable in self.variables])

    def assign(self, values: np.ndarray) -> None:
        """Give a solution to the variables of the programme."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.varValue = value

    def _run(self, time_limit_s: float, start: np.ndarray | None, has_whole: bool) -> Answer:
        highs = self._highs
        highs.clearSolver()
        # HiGHS counts the time of all its runs.
        highs.setOptionValue("time_limit", highs.getRunTime() + max(time_limit_s, 0.0))
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = list(start)
            highs.setSolution(solution)
        highs.run()
        return self._answer(has_whole)

    def _worth(self, values: np.ndarray) -> float:
        """Add up the objective of a solution."""
        return float(self._costs @ values) + self._constant

    def _answer(self, has_whole: bool) -> Answer:
        status, info = self._highs.getModelStatus(), self._highs.getInfo()
        if status in _INFEASIBLE:
            return Answer(None, -math.inf, -math.inf)
        if status not in _FEASIBLE:
            raise SolverError(
                f"HiGHS: expected a solution or a time limit, found {self._highs.modelStatusToString(status)}."
            )
        # PuLP hands a maximum to HiGHS as a minimum of the negative.
        bound = -info.mip_dual_bound
        if not has_whole:
            is_solved = status == highspy.HighsModelStatus.kOptimal
            bound = -info.objective_function_value if is_solved else math.inf
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return Answer(None, -math.inf, bound)
        values = np.array(self._highs.getSolution().col_value)
        return Answer(values, -info.objective_function_value, bound)
