"""The plan as an integer programme: line-ups, boosts, transfers, money and chips of several races.

Belongs here: variables and constraints, and reading a plan out of their values. Neighbours: `plan_problem` has the
data, `plan` solves programmes of a few races, `season_path` those of a season.

Money moves with the prices of the menus, which do not depend on what is held. What a chip does is written so that the
relaxed programme stays tight: under Limitless the team held scores nothing, asset by asset (``score >= hold - chip``,
without which the relaxation gains 130 points in a season by dropping the worst of half-held assets), and a Wildcard
pays for no more transfers than can be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp

from f1_pipeline.errors import SolverError, UsageError
from f1_pipeline.game.chips import Autopilot, Chip, ExtraBoost, Limitless, NoNegative, Wildcard
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, Lineup
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.plan_problem import PlannedRace, PlanProblem, PlanSettings, team_of

INTEGER_TOLERANCE = 1e-5
OBJECTIVE_TOLERANCE = 1e-3

Variable = pulp.LpVariable
Rows = dict[int, Variable]
"""Variables of a race by row of the asset."""


@dataclass(eq=False)
class RaceVariables:
    """What is decided at one race.

    Attributes
    ----------
    hold : dict
        Whether the team holds each asset after its transfers; under Limitless what it goes back to.
    score : dict
        Whether an asset held scores: all but under Limitless.
    boost, extra : dict
        Who has the free boost, and the stronger one of the chip.
    chips : dict of str to LpVariable
        Whether each chip is played.
    bank : LpVariable
        Money left, tenths of a million.
    paid : LpVariable or None
        Transfers above the free ones.
    carried : LpVariable or int
        Free transfers carried over from the race before.
    """

    hold: Rows = field(default_factory=dict)
    score: dict[int, Variable] = field(default_factory=dict)
    boost: Rows = field(default_factory=dict)
    extra: Rows = field(default_factory=dict)
    chips: dict[str, Variable] = field(default_factory=dict)
    bank: Variable | None = None
    paid: Variable | None = None
    carried: Variable | int = 0

    def whole(self) -> list[Variable]:
        """List the variables that must be whole numbers."""
        transfers = [each for each in (self.paid, self.carried) if isinstance(each, Variable)]
        return [*self.hold.values(), *self.boost.values(), *self.extra.values(), *self.chips.values(), *transfers]


@dataclass(eq=False)
class PlanModel:
    """The programme and its variables by race."""

    problem: PlanProblem
    settings: PlanSettings
    programme: pulp.LpProblem
    races: list[RaceVariables]

    def decisions(self) -> list[tuple[Lineup, str | None, str | None]]:
        """Read the line-up held, the chip and the driver of its boost at each race off the variables' values."""
        return [self._decision(at) for at in range(len(self.races))]

    def _decision(self, at: int) -> tuple[Lineup, str | None, str | None]:
        race, names = self.races[at], self.problem.assets
        held = [row for row, variable in race.hold.items() if _is_one(variable)]
        played = [name for name, variable in race.chips.items() if _is_one(variable)]
        boosted = [row for row, variable in race.boost.items() if _is_one(variable)]
        extra = [row for row, variable in race.extra.items() if _is_one(variable)]
        drivers = tuple(names[row][1] for row in held if names[row][0] == DRIVER)
        # Under Limitless nobody of the team held is boosted; its boost stays on whoever had it, or the first.
        lineup = Lineup(
            drivers=drivers,
            constructors=tuple(names[row][1] for row in held if names[row][0] == CONSTRUCTOR),
            boosted_driver=names[boosted[0]][1] if boosted else drivers[0],
        )
        return lineup, played[0] if played else None, names[extra[0]][1] if extra else None

    def start_from(self, other: PlanModel, values: Mapping[str, float]) -> dict[str, float]:
        """Turn a solution without chips into one of this programme, in which none is played.

        Parameters
        ----------
        other : PlanModel
            The same races without chips.
        values : mapping of str to float
            Its solution, by name of variable.

        Returns
        -------
        dict of str to float
            By name; variables that are not named are 0.
        """
        start = dict(values)
        for race, own in zip(other.races, self.races, strict=True):
            for row, hold in race.hold.items():
                start[own.score[row].name] = values[hold.name]
        return start

    def forbid_first_choice(self) -> None:
        """Rule out the first race's team and chip, as the variables' values have them now, together."""
        race = self.races[0]
        held = [variable for variable in race.hold.values() if _is_one(variable)]
        played = [variable for variable in race.chips.values() if _is_one(variable)]
        same_chip = pulp.lpSum(played) if played else 1 - pulp.lpSum(race.chips.values())
        self.programme.addConstraint(pulp.lpSum(held) + same_chip <= len(held))


def build_plan_model(problem: PlanProblem, settings: PlanSettings) -> PlanModel:
    """Write the programme of a plan.

    Parameters
    ----------
    problem : PlanProblem
    settings : PlanSettings

    Returns
    -------
    PlanModel

    Raises
    ------
    UsageError
        Locks, bans or forced chips contradict the menus or each other.
    """
    return _Builder(problem, settings).build()


class _Builder:
    def __init__(self, problem: PlanProblem, settings: PlanSettings) -> None:
        self.problem, self.settings = problem, settings
        self.programme = pulp.LpProblem("plan", pulp.LpMaximize)
        self.terms: list[pulp.LpAffineExpression] = []
        self.chip_races = problem.chip_races(settings)
        self.locked, self.banned = problem.rows_of(settings.locked), problem.rows_of(settings.banned)
        self.races: list[RaceVariables] = []
        self.carried: Variable | int = 0
        rules = problem.rules
        self.counts = ((True, rules.team.driver_count), (False, rules.team.constructor_count))
        self.weights = settings.discount ** np.arange(len(problem.menus))
        _check_locks(problem, settings, self.locked)

    def build(self) -> PlanModel:
        for at in range(len(self.problem.menus)):
            self.races.append(self._race(at))
        self._once_each()
        self._end()
        self.programme.setObjective(pulp.lpSum(self.terms))
        return PlanModel(self.problem, self.settings, self.programme, self.races)

    def _binary(self, name: str) -> Variable:
        return self.programme.add_variable(name, 0, 1, pulp.LpBinary)

    def _number(self, name: str, upper: float | None = 1) -> Variable:
        return self.programme.add_variable(name, 0, upper)

    def _add(self, constraint: Any) -> None:
        self.programme.addConstraint(constraint)

    def _race(self, at: int) -> RaceVariables:
        race = RaceVariables(bank=self._number(f"bank_{at}", None), carried=self.carried)
        self.carried = 0
        before = self.races[-1] if self.races else None
        race.chips = {name: self._binary(f"{name}_{at}") for name, allowed in self.chip_races.items() if allowed[at]}
        if len(race.chips) > 1:
            self._add(pulp.lpSum(race.chips.values()) <= 1)
        forced = self.settings.forced_chips.get(self.problem.race_keys[at])
        if forced:
            self._add(race.chips[forced] == 1)
        self._hold(at, race, before)
        self._scores(at, race)
        self._boosts(at, race)
        self._no_negative(at, race)
        for name, gains in self.problem.chip_gains.items():
            if name in race.chips:
                self.terms.append(self.weights[at] * float(gains[at]) * race.chips[name])
        self._money(at, race, before)
        self._transfers(at, race, before)
        return race

    def _hold(self, at: int, race: RaceVariables, before: RaceVariables | None) -> None:
        problem = self.problem
        for row in range(len(problem.assets)):
            kept = problem.is_held[row] if before is None else row in before.hold
            if (problem.is_active[at, row] and not self.banned[row]) or (kept and not self.banned[row]):
                race.hold[row] = self._binary(f"hold_{at}_{row}")
        for is_driver, count in self.counts:
            self._add(pulp.lpSum(self._of_type(race.hold, is_driver)) == count)
        for row in np.flatnonzero(self.locked & problem.is_active[at]):
            self._add(race.hold[row] == 1)
        if self.settings.most_per_team is not None:
            teams: dict[str, list[Variable]] = {}
            for row, variable in race.hold.items():
                teams.setdefault(team_of(problem.assets[row]), []).append(variable)
            for held in teams.values():
                self._add(pulp.lpSum(held) <= self.settings.most_per_team)

    def _of_type(self, rows: Rows, is_driver: bool) -> list[Variable]:
        return [variable for row, variable in rows.items() if self.problem.is_driver[row] == is_driver]

    def _scores(self, at: int, race: RaceVariables) -> None:
        weight, values = self.weights[at], self.problem.values[at]
        limitless = race.chips.get("limitless")
        if limitless is None:
            race.score = race.hold
        else:
            race.score = {row: self._number(f"score_{at}_{row}") for row in race.hold}
            for row, scores in race.score.items():
                self._add(scores <= race.hold[row])
                self._add(scores >= race.hold[row] - limitless)
            for is_driver, count in self.counts:
                self._add(pulp.lpSum(self._of_type(race.score, is_driver)) == count - count * limitless)
            self._limitless(at, limitless)
        self.terms += [weight * float(values[row]) * scores for row, scores in race.score.items()]

    def _limitless(self, at: int, chip: Variable) -> None:
        """Count what the best line-up without a budget brings; where bans leave none, the team can still be held."""
        try:
            best = self.problem.limitless_lineup(at, self.settings)[1]
        except SolverError:
            self._add(chip == 0)
        else:
            self.terms.append(self.weights[at] * best * chip)

    def _boosts(self, at: int, race: RaceVariables) -> None:
        rules, values, weight = self.problem.rules, self.problem.boost_values[at], self.weights[at]
        extra_chip = race.chips.get("extra_boost")
        for row in [row for row in race.score if self.problem.is_driver[row]]:
            race.boost[row] = self._binary(f"boost_{at}_{row}")
            self.terms.append(weight * (rules.boost.multiplier - 1) * float(values[row]) * race.boost[row])
            if extra_chip is not None:
                race.extra[row] = self._binary(f"extra_{at}_{row}")
                factor = rules.chips.extra_boost.multiplier - 1
                self.terms.append(weight * factor * float(values[row]) * race.extra[row])
            self._add(race.boost[row] + race.extra.get(row, 0) <= race.score[row])
        self._add(pulp.lpSum(race.boost.values()) == 1 - race.chips.get("limitless", 0))
        if extra_chip is not None:
            self._add(pulp.lpSum(race.extra.values()) == extra_chip)

    def _no_negative(self, at: int, race: RaceVariables) -> None:
        chip = race.chips.get("no_negative")
        if chip is None:
            return
        weight, gains = self.weights[at], self.problem.floor_gains[at]
        factor = self.problem.rules.boost.multiplier - 1
        for name, rows, each in (("floor", race.score, 1), ("floor_boost", race.boost, factor)):
            for row in [row for row in rows if gains[row] > 0]:
                floored = self._number(f"{name}_{at}_{row}")
                self._add(floored <= rows[row])
                self._add(floored <= chip)
                self.terms.append(weight * each * float(gains[row]) * floored)

    def _money(self, at: int, race: RaceVariables, before: RaceVariables | None) -> None:
        prices = self.problem.prices[at]
        cost = pulp.lpSum(int(prices[row]) * variable for row, variable in race.hold.items())
        self._add(cost + race.bank == self._funds(prices, before))

    def _funds(self, prices: np.ndarray, before: RaceVariables | None) -> pulp.LpAffineExpression | int:
        """Add up the money in bank and assets before the transfers, at some prices."""
        if before is not None:
            return before.bank + pulp.lpSum(int(prices[row]) * variable for row, variable in before.hold.items())
        return self.problem.start_budget_tenths

    def _transfers(self, at: int, race: RaceVariables, before: RaceVariables | None) -> None:
        problem, rules = self.problem, self.problem.rules.transfers
        limitless = race.chips.get("limitless")
        if before is None and problem.has_free_start:
            return
        bought = []
        for row, holds in race.hold.items():
            held = (1 if problem.is_held[row] else 0) if before is None else before.hold.get(row, 0)
            if not problem.is_active[at, row]:
                # who sits out cannot be bought
                self._add(holds <= held)
                continue
            buys = self._number(f"buy_{at}_{row}")
            self._add(buys >= holds - held)
            self._add(buys <= holds)
            self._add(buys <= 1 - held)
            if limitless is not None:
                self._add(buys <= 1 - limitless)
            bought.append(buys)
        most = sum(count for _, count in self.counts)
        race.paid = self.programme.add_variable(f"paid_{at}", 0, most, pulp.LpInteger)
        self.terms.append(self.weights[at] * float(rules.extra_points) * race.paid)
        free = problem.team.free_transfers if before is None and problem.team else rules.free_per_race + race.carried
        # Whoever plays a Wildcard may buy all assets anew; what is free already needs no help.
        spare = most - (free if isinstance(free, int) else rules.free_per_race)
        wildcard = race.chips.get("wildcard")
        helped = 0 if wildcard is None else max(spare, 0) * wildcard
        following = self._carried_next(at, race, race.paid)
        if wildcard is not None and not problem.rules.chips.wildcard.stops_carry_over:
            helped = (max(spare, 0) + rules.carried_over_max) * wildcard
        self._add(pulp.lpSum(bought) <= free + race.paid + helped - following)

    def _carried_next(self, at: int, race: RaceVariables, paid: Variable) -> Variable | int:
        """Decide how many free transfers go on to the next race."""
        problem, most = self.problem, self.problem.rules.transfers.carried_over_max
        is_last = at + 1 == len(problem.menus)
        if not most or (is_last and not self.settings.transfer_value):
            return 0
        carried = self.programme.add_variable(f"carried_{at + 1}", 0, most, pulp.LpInteger)
        total = sum(count for _, count in self.counts)
        # A transfer is not carried on while others are paid for.
        self._add(paid * most + total * carried <= total * most)
        for name, variable in race.chips.items():
            if getattr(problem.rules.chips, name).stops_carry_over:
                self._add(carried <= most - most * variable)
        if is_last:
            self.terms.append(self.weights[at] * self.settings.transfer_value * carried)
        else:
            self.carried = carried
        return carried

    def _once_each(self) -> None:
        for name in self.chip_races:
            played = [race.chips[name] for race in self.races if name in race.chips]
            left = self.problem.rules.chips.uses_per_season
            if self.problem.team is not None:
                left = self.problem.team.chips_left.count(name)
            self._add(pulp.lpSum(played) <= left)
            kept = self.settings.chip_values.get(name, 0.0)
            self.terms += [-kept * variable for variable in played]

    def _end(self) -> None:
        if not self.settings.money_value:
            return
        gained = self._funds(self.problem.last_prices, self.races[-1]) - self.problem.start_budget_tenths
        self.terms.append(self.weights[-1] * self.settings.money_value / 10 * gained)


def _check_locks(problem: PlanProblem, settings: PlanSettings, locked: np.ndarray) -> None:
    """Refuse locks that no line-up can hold."""
    rules = problem.rules.team
    for asset_type, most in ((DRIVER, rules.driver_count), (CONSTRUCTOR, rules.constructor_count)):
        named = sorted(name for kind, name in settings.locked if kind == asset_type)
        if len(named) > most:
            raise UsageError(f"Plan: locked {asset_type}s: expected at most {most}, found {', '.join(named)}.")
    if settings.most_per_team is not None:
        teams = [team_of(problem.assets[row]) for row in np.flatnonzero(locked & problem.is_active[0])]
        for team in sorted(set(teams)):
            if teams.count(team) > settings.most_per_team:
                raise UsageError(
                    f"Plan: locked assets of {team}: expected at most {settings.most_per_team}, "
                    f"found {teams.count(team)}."
                )


def replay(
    problem: PlanProblem, settings: PlanSettings, decisions: list[tuple[Lineup, str | None, str | None]]
) -> tuple[tuple[PlannedRace, ...], float]:
    """Play decisions by the rules of the game, at the prices and points of the plan.

    Parameters
    ----------
    problem : PlanProblem
    settings : PlanSettings
    decisions : list of tuple
        Line-up held, chip and driver of its boost, by race; from :meth:`PlanModel.decisions`.

    Returns
    -------
    tuple of tuple of PlannedRace and float
        The races, and the objective they reach.

    Raises
    ------
    RuleError
        A decision breaks a rule of the game.
    """
    team, races, objective = problem.team, [], 0.0
    for at, (held, chip_name, extra) in enumerate(decisions):
        menu = problem.menus[at]
        if team is None:
            # A driver who has changed seats has a price for each; only the one he is in can be bought.
            on_sale = {key: price for key, price in menu.prices.items() if menu.is_active(key)}
            team = Team.start(held, on_sale, problem.rules)
        fielded = problem.limitless_lineup(at, settings)[0] if chip_name == "limitless" else held
        locked = team.apply(Decision(fielded, as_chip(chip_name, extra)), menu)
        points = lineup_value(problem, at, fielded, chip_name, extra) + locked.transfer_points
        is_free = team.races_played == 0
        before = set() if is_free and problem.team is None else set(team.lineup.asset_keys)
        after = set(locked.kept.lineup.asset_keys)
        races.append(
            PlannedRace(
                race_key=menu.race_key,
                lineup=locked.fielded,
                chip=chip_name,
                extra_boosted_driver=extra,
                bought=tuple(sorted(after - before)) if before else (),
                sold=tuple(sorted(before - after)),
                transfer_count=locked.transfer_count,
                transfer_points=locked.transfer_points,
                free_transfers=team.free_transfers,
                bank_tenths=locked.kept.bank_tenths,
                budget_tenths=locked.kept.budget_tenths,
                points=points,
            )
        )
        objective += settings.discount**at * points - settings.chip_values.get(chip_name or "", 0.0)
        team = locked.kept
    assert team is not None
    return tuple(races), objective + _end_value(problem, settings, team)


def lineup_value(
    problem: PlanProblem, at: int, lineup: Lineup, chip_name: str | None = None, extra: str | None = None
) -> float:
    """Add up the points of a line-up at one race of a plan, boost and chip included.

    Parameters
    ----------
    problem : PlanProblem
    at : int
        Number of the race, from 0.
    lineup : Lineup
        Drivers by seat.
    chip_name : str, optional
    extra : str, optional
        Who has the stronger boost of the chip.

    Returns
    -------
    float
    """
    row = {key: number for number, key in enumerate(problem.assets)}
    rules, values = problem.rules, problem.boost_values[at]
    held, boosted = [row[key] for key in lineup.asset_keys], row[DRIVER, lineup.boosted_driver]
    points = problem.values[at, held].sum() + (rules.boost.multiplier - 1) * values[boosted]
    if extra is not None:
        points += (rules.chips.extra_boost.multiplier - 1) * values[row[DRIVER, extra]]
    if chip_name == "no_negative":
        gains = problem.floor_gains[at]
        points += gains[held].sum() + (rules.boost.multiplier - 1) * gains[boosted]
    if chip_name is not None and chip_name in problem.chip_gains:
        points += problem.chip_gains[chip_name][at]
    return float(points)


def _end_value(problem: PlanProblem, settings: PlanSettings, team: Team) -> float:
    held = set(team.lineup.asset_keys)
    value = sum(int(price) for key, price in zip(problem.assets, problem.last_prices, strict=True) if key in held)
    gained = team.bank_tenths + value - problem.start_budget_tenths
    carried = team.free_transfers - problem.rules.transfers.free_per_race
    last = settings.discount ** (len(problem.menus) - 1)
    return last * (settings.money_value * gained / 10 + settings.transfer_value * carried)


def as_chip(name: str | None, extra: str | None) -> Chip | None:
    """Make a chip as the rules take it; a Final Fix is made after the lock, so nothing is said of it here."""
    if name == "extra_boost":
        assert extra is not None
        return ExtraBoost(extra)
    simple: dict[str, Chip] = {
        "autopilot": Autopilot(),
        "no_negative": NoNegative(),
        "wildcard": Wildcard(),
        "limitless": Limitless(),
    }
    return simple.get(name or "")


def _is_one(variable: Variable) -> bool:
    value = variable.value()
    if value is None or min(abs(value), abs(value - 1)) > INTEGER_TOLERANCE:
        raise SolverError(f"Plan: expected {variable.name} to be 0 or 1, found {value}.")
    return value > 0.5
