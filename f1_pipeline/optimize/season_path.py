"""The best path through a whole season, as good as proven: what perfect foresight would have scored.

Belongs here: solving plans of many races, which the solver alone does not bring to a gap of one per cent in minutes.
Neighbours: `plan_model` writes the programme, `plan` solves plans of a few races.

Three steps. The path without chips comes first: it is quick and a good start. Then it is improved window by window:
the line-ups outside a window of races stay, everything else is free. Last, the bound is proven case by case: Limitless
at one race, at another, never; with its race fixed the relaxed programme is 140 points a season tighter than with a
little Limitless everywhere. Each case only has to show that it holds nothing better than the gap allows.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pulp

from f1_pipeline.errors import SolverError
from f1_pipeline.optimize.highs import Answer, HighsModel
from f1_pipeline.optimize.plan import judged_plan
from f1_pipeline.optimize.plan_model import build_plan_model
from f1_pipeline.optimize.plan_problem import Plan, PlanProblem, PlanSettings

Say = Callable[[str], None]

WINDOW_RACES, WINDOW_STEP = 6, 3
_PROOF_SHARE = 0.5
"""Share of the time that is kept for the proof."""
_START_GAP, _WINDOW_GAP, _WINDOW_TIME_S = 5e-3, 1e-3, 6.0


def solve_season_path(problem: PlanProblem, settings: PlanSettings, say: Say | None = None) -> Plan:
    """Find the best path through a season.

    Parameters
    ----------
    problem : PlanProblem
        Points and prices that are known.
    settings : PlanSettings
        Its time limit is for the whole search.
    say : callable, optional
        Told what has been reached, for a progress line.

    Returns
    -------
    Plan
        The best path found, and the bound that was proven until then.

    Raises
    ------
    SolverError
        No path keeps to all limits, or none was found in time.
    """
    search = _Search(problem, settings, say or (lambda text: None))
    search.begin()
    search.improve()
    search.prove()
    return search.plan()


class _Search:
    def __init__(self, problem: PlanProblem, settings: PlanSettings, say: Say) -> None:
        self.problem, self.settings, self.say = problem, settings, say
        self.ends_at = time.monotonic() + settings.time_limit_s
        self.proof_s = _PROOF_SHARE * settings.time_limit_s
        self.model = build_plan_model(problem, settings)
        self.solver = HighsModel(self.model.programme)
        self.taking = threading.Lock()
        self.values: np.ndarray | None = None
        self.objective, self.bound = -math.inf, math.inf
        races = self.model.races
        self.held_at = _columns_by_race(self.solver, [list(race.hold.values()) for race in races])
        self.decided_at = _columns_by_race(self.solver, [race.whole() for race in races])

    @property
    def left_s(self) -> float:
        return self.ends_at - time.monotonic()

    @property
    def is_good(self) -> bool:
        return self.bound <= self.objective + self.settings.gap * abs(self.objective)

    def begin(self) -> None:
        """Decide a few races at a time, with all later ones relaxed; with chips, begin with the path without any."""
        self.bound = self.solver.solve(
            gap=0.0, time_limit_s=self.left_s, whole=np.zeros_like(self.solver.is_integer)
        ).bound
        if self.bound == -math.inf:
            return
        if any(race.chips for race in self.model.races):
            start = _Search(self.problem, replace(self.settings, chips=(), time_limit_s=self.left_s), lambda text: None)
            start.begin()
            self._take(self.solver.solve(gap=0.5, time_limit_s=self.left_s, start=self._from(start)))
        else:
            self._relax_and_fix()
        self._report("start")

    def _relax_and_fix(self) -> None:
        lower, upper = self.solver.lower.copy(), self.solver.upper.copy()
        for first in range(0, len(self.problem.menus), WINDOW_STEP):
            whole = self.solver.is_integer & (self.decided_at < first + WINDOW_RACES)
            answer = self.solver.solve(
                gap=_START_GAP, time_limit_s=min(self.left_s, _WINDOW_TIME_S), lower=lower, upper=upper, whole=whole
            )
            if answer.values is None:
                return
            fixed = self.solver.is_integer & (self.decided_at < first + WINDOW_STEP)
            lower[fixed] = upper[fixed] = np.round(answer.values[fixed])
        self._take(
            self.solver.solve(gap=_WINDOW_GAP, time_limit_s=self.left_s, lower=lower, upper=upper), is_whole=False
        )

    def improve(self) -> None:
        """Solve windows of races until a round of them brings nothing."""
        if self.values is None:
            return
        last = max(len(self.problem.menus) - WINDOW_RACES, 0)
        firsts = [*range(0, last, WINDOW_STEP), last]
        before = -math.inf
        while before < self.objective and not self.is_good and self.left_s > self.proof_s:
            before = self.objective
            for first in firsts:
                self._window(first)
            self._report("improved")

    def prove(self) -> None:
        """Bring the bound down case by case, taking better paths on the way."""
        if self.values is None or self.is_good:
            return
        cases = self._cases()
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            bounds = list(pool.map(self._prove_case, cases))
        self.bound = min(self.bound, max(self.objective, *bounds))
        self._report("proven")

    def plan(self) -> Plan:
        if self.values is None:
            what = "none within all limits" if self.bound == -math.inf else "none in time; allow more"
            raise SolverError(f"Path from {self.problem.race_keys[0]}: expected a plan, found {what}.")
        self.solver.assign(self.values)
        return judged_plan(self.model, self.bound)

    def _from(self, start: _Search) -> np.ndarray:
        """Turn a path without chips into a start for this programme: nothing is played."""
        if start.values is None:
            raise SolverError(f"Path from {self.problem.race_keys[0]}: expected a start, found none in time.")
        return self.solver.ordered(self.model.start_from(start.model, start.solver.named(start.values)))

    def _window(self, first: int) -> None:
        if self.left_s <= self.proof_s or self.values is None:
            return
        fixed = (self.held_at >= 0) & ((self.held_at < first) | (self.held_at >= first + WINDOW_RACES))
        lower, upper = self.solver.lower.copy(), self.solver.upper.copy()
        lower[fixed] = upper[fixed] = np.round(self.values[fixed])
        limit = min(self.left_s - self.proof_s, _WINDOW_TIME_S)
        self._take(
            self.solver.solve(gap=_WINDOW_GAP, time_limit_s=limit, lower=lower, upper=upper, start=self.values),
            is_whole=False,
        )

    def _take(self, answer: Answer, *, is_whole: bool = True) -> None:
        with self.taking:
            if answer.values is not None and answer.objective > self.objective + 1e-6:
                self.values, self.objective = answer.values, answer.objective
        if is_whole:
            self.bound = min(self.bound, answer.bound)

    def _cases(self) -> list[int | None]:
        """List the races that Limitless may be played at, and none."""
        at = [number for number, race in enumerate(self.model.races) if "limitless" in race.chips]
        return [*at, None]

    def _prove_case(self, at: int | None) -> float:
        """Prove that a case holds nothing better than the gap allows, or find it; return the bound of the case."""
        model = build_plan_model(self.problem, self.settings)
        solver = HighsModel(model.programme)
        lower, upper = solver.lower.copy(), solver.upper.copy()
        names = {f"limitless_{number}": number for number in range(len(self.problem.menus))}
        for column, variable in enumerate(solver.variables):
            if variable.name in names:
                lower[column] = upper[column] = float(names[variable.name] == at)
        bound = solver.solve(
            gap=0.0, time_limit_s=self.left_s, lower=lower, upper=upper, whole=np.zeros_like(solver.is_integer)
        ).bound
        while self.left_s > 0:
            target = self.objective + self.settings.gap * abs(self.objective)
            if bound <= target:
                return bound
            answer = solver.solve(gap=0.0, time_limit_s=self.left_s, lower=lower, upper=upper, at_least=target)
            if answer.values is None and answer.bound == -math.inf:
                return target
            bound = min(bound, answer.bound)
            if answer.values is None:
                break
            self._take(answer, is_whole=False)
            if answer.bound <= answer.objective + self.settings.gap * abs(answer.objective):
                break
        return bound

    def _report(self, what: str) -> None:
        gap = (self.bound - self.objective) / max(abs(self.objective), 1.0)
        self.say(f"{what}: {self.objective:.0f} points, at most {self.bound:.0f} ({gap:.1%})")


def _columns_by_race(solver: HighsModel, of_race: list[list[pulp.LpVariable]]) -> np.ndarray:
    """Say of each column which race's variables it is among, -1 for none."""
    races = {variable.name: at for at, variables in enumerate(of_race) for variable in variables}
    return np.array([races.get(variable.name, -1) for variable in solver.variables])
