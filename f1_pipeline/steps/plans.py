"""Steps that plan: transfers, boosts and chips of the coming races, for your team or a fresh start.

Belongs here: the plan of one coming race in its setting (what money and chips are worth after it, how sure each move
is), and its table. Neighbours: `optimize.plan` solves, `chips` says what chips are worth unplayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import UsageError
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import DRIVER, AssetKey
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.chip_gains import chip_gains
from f1_pipeline.optimize.plan import solve_plan, solve_plans
from f1_pipeline.optimize.plan_problem import NO_CHIP, Plan, PlannedRace, PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import first_race, money_slope
from f1_pipeline.steps.backtest import DRAWS
from f1_pipeline.steps.chips import known_at
from f1_pipeline.steps.knowledge import Knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import OwnTeam, meant, own_team, race_forecasts
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.writer import WriteReport

PLAN_TABLE = "lineups.transfer_plan"
HORIZON, SCENARIOS = 5, 10
STORED_PLANS, STORED_SCENARIOS, STORED_TIME_S = 2, 4, 4.0
"""Plans and scenarios of the graph's own table, and seconds for each: a line-up must not wait for them."""
BLUR_DRAWS = 25
"""A scenario moves each asset's expectation as the mean of 25 joint draws does: by a fifth of a weekend's deviation,
which is about how far two forecasts of the same race differ."""

Say = Callable[[str], None]
Move = tuple[str, AssetKey]
"""("buy" or "sell", asset)."""


@dataclass(frozen=True)
class PlanWishes:
    """What a plan is asked for.

    Attributes
    ----------
    horizon : int, optional
        Races to look at, from the coming one; five by default, or as many as the season has left.
    count : int
        Plans wanted, each beginning with another team, with the chips of the best one.
    scenarios : int
        Solutions with moved expectations, to see how sure each move is; 0 for none.
    settings : PlanSettings
        Where money_value and chip_values are not given they follow from the forecast and the record of chips.
    money_value : float, optional
        Points that a million gained is worth after the plan.
    chip_values : mapping of str to float
        Points that a chip is worth unplayed after the plan.
    ignores_team : bool
        Plan for a fresh start.
    locks, bans : tuple of str
        Names of assets to hold, or to keep out, throughout; a wish of the team file gives way to its opposite.
    """

    horizon: int | None = None
    count: int = 1
    scenarios: int = SCENARIOS
    settings: PlanSettings = field(default_factory=lambda: PlanSettings(time_limit_s=30.0))
    money_value: float | None = None
    chip_values: Mapping[str, float] = field(default_factory=dict)
    ignores_team: bool = False
    locks: tuple[str, ...] = ()
    bans: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PlanAnswer:
    """Plans of the coming races, best first.

    Attributes
    ----------
    race_key : str
    team : Team or None
    plans : tuple of Plan
    settings : PlanSettings
        As solved, with the values of money and chips.
    move_shares : mapping of Move to float
        Share of the scenarios in which each move is made at the coming race.
    """

    race_key: str
    team: Team | None
    plans: tuple[Plan, ...]
    settings: PlanSettings
    move_shares: Mapping[Move, float]


def plan_races(
    pipeline: Pipeline, race_key: str, wishes: PlanWishes | None = None, say: Say | None = None
) -> PlanAnswer:
    """Plan the coming races.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
        The coming race.
    wishes : PlanWishes, optional
    say : callable, optional
        Told after each solution, for a progress bar.

    Returns
    -------
    PlanAnswer

    Raises
    ------
    UsageError
        The horizon reaches past the season's end, or wishes contradict themselves.
    SolverError
        Nothing keeps to all limits, or nothing was found in time.
    WarehouseError
        The race has no forecast.
    """
    wishes, say = wishes or PlanWishes(), say or (lambda text: None)
    known = known_at(pipeline, race_key)
    problem, settings = _posed(pipeline, known, race_key, wishes)
    plans = [solve_plan(problem, settings)]
    say("best plan")
    # Other plans and scenarios keep the chips of the best one: weighing them anew takes seconds each.
    kept = replace(settings, forced_chips={race.race_key: race.chip or NO_CHIP for race in plans[0].races})
    if wishes.count > 1:
        others = solve_plans(problem, kept, wishes.count)
        if others[0].objective > plans[0].objective:
            plans = [others[0]]
        begun = set(plans[0].races[0].lineup.asset_keys)
        plans += [plan for plan in others if set(plan.races[0].lineup.asset_keys) != begun][: wishes.count - 1]
        say("other plans")
    moves: Counter[Move] = Counter()
    for number in range(wishes.scenarios):
        moves.update(planned_moves(solve_plan(_moved(known, race_key, problem, number), kept).races[0]))
        say(f"scenario {number + 1}")
    return PlanAnswer(
        race_key=race_key,
        team=problem.team,
        plans=tuple(plans),
        settings=settings,
        move_shares={move: count / wishes.scenarios for move, count in moves.items()},
    )


def _wished(
    pipeline: Pipeline, settings: PlanSettings, wishes: PlanWishes, own: OwnTeam, menu: RaceMenu
) -> PlanSettings:
    """Add the assets that you always or never want."""
    if not wishes.locks and not wishes.bans:
        return replace(settings, locked=own.locks, banned=own.bans)
    names = race_forecasts(pipeline, [menu.race_key])[menu.race_key].names
    locks, bans = (frozenset(meant(name, menu, names) for name in wanted) for wanted in (wishes.locks, wishes.bans))
    return replace(settings, locked=(own.locks - bans) | locks, banned=(own.bans - locks) | bans)


def planned_moves(race: PlannedRace) -> list[Move]:
    """List the moves of a planned race."""
    return [*(("sell", key) for key in race.sold), *(("buy", key) for key in race.bought)]


def planned_problem(pipeline: Pipeline, race_key: str, wishes: PlanWishes) -> tuple[PlanProblem, PlanSettings]:
    """Pose the plan of the coming races without solving it.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    wishes : PlanWishes

    Returns
    -------
    tuple of PlanProblem and PlanSettings
        The settings with the values of money and chips.

    Raises
    ------
    UsageError, WarehouseError
        As for :func:`plan_races`.
    """
    return _posed(pipeline, known_at(pipeline, race_key), race_key, wishes)


def _posed(pipeline: Pipeline, known: Knowledge, race_key: str, wishes: PlanWishes) -> tuple[PlanProblem, PlanSettings]:
    coming = known.coming[race_key]
    remaining = len(coming.menus)
    horizon = min(HORIZON, remaining) if wishes.horizon is None else wishes.horizon
    if not 1 <= horizon <= remaining:
        raise UsageError(f"{race_key}: horizon: expected 1 to {remaining} races, found {horizon}")
    own = OwnTeam() if wishes.ignores_team else own_team(pipeline, coming.menus[0])
    problem = _with_chip_gains(known, race_key, coming.problem(own.team, horizon))
    settings = _valued(known, race_key, problem, wishes)
    return problem, _wished(pipeline, settings, wishes, own, coming.menus[0])


def _with_chip_gains(known: Knowledge, race_key: str, problem: PlanProblem) -> PlanProblem:
    """Add what Autopilot and Final Fix gain: now from the draws, later as at earlier races of the kind."""
    race = first_race(problem)
    now = chip_gains(race, known.views(race_key, race, DRAWS), problem.rules, ("autopilot", "final_fix"))
    gains = {}
    for name, gain in now.items():
        usual = [known.recorded(race_key, name).of_kind(menu.has_sprint) for menu in problem.menus[1:]]
        gains[name] = np.array([gain.points, *(float(each.mean()) if len(each) else gain.points for each in usual)])
    return replace(problem, chip_gains=gains)


def _valued(known: Knowledge, race_key: str, problem: PlanProblem, wishes: PlanWishes) -> PlanSettings:
    """Set what money and chips are worth after the plan."""
    races_after = len(known.coming[race_key].menus) - len(problem.menus)
    money = wishes.money_value
    if money is None:
        money = money_slope(first_race(problem)) * races_after if races_after else 0.0
    after = len(problem.menus)
    kept = {name: float(known.keep_values(race_key, name)[after]) for name in problem.chip_races(PlanSettings())}
    # Nothing can be said of a chip while too few races are recorded, and then it is kept.
    unknown = {name for name, value in kept.items() if not np.isfinite(value)} - set(wishes.chip_values)
    allowed = wishes.settings.chips if wishes.settings.chips is not None else tuple(kept)
    forced = set(wishes.settings.forced_chips.values())
    return replace(
        wishes.settings,
        money_value=money,
        chip_values={name: value for name, value in kept.items() if name not in unknown} | dict(wishes.chip_values),
        chips=tuple(name for name in allowed if name not in unknown or name in forced),
    )


def _moved(known: Knowledge, race_key: str, problem: PlanProblem, number: int) -> PlanProblem:
    """Move the expectations of all races as the mean of a few joint draws moves those of the coming one."""
    draws = known.draws[race_key]
    chosen = np.random.default_rng((number, BLUR_DRAWS)).integers(draws.points.shape[1], size=BLUR_DRAWS)
    shift = draws.points[:, chosen].mean(axis=1) - draws.points.mean(axis=1)
    rows = [draws.rows.get(fact_key(key), -1) for key in problem.assets]
    moved = np.where(np.array(rows) >= 0, shift[rows], 0.0)
    floors = None if problem.no_negative_points is None else problem.no_negative_points + moved
    return replace(problem, points=problem.points + moved, no_negative_points=floors)


def plan_transfers(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Store the best plans of your team, or of a fresh start, before some races.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.transfer_plan`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the best plan of each race as a Markdown table.

    Raises
    ------
    SolverError, WarehouseError
        As for :func:`plan_races`.
    """
    rows, details = [], {}
    for race_key in race_keys:
        settings = PlanSettings(time_limit_s=STORED_TIME_S)
        wishes = PlanWishes(count=STORED_PLANS, scenarios=STORED_SCENARIOS, settings=settings)
        answer = plan_races(pipeline, race_key, wishes)
        rows += plan_rows(answer)
        best = answer.plans[0]
        details[race_key] = {
            "plan_points": round(best.points, 1),
            "gap_share": best.gap,
            "plan": plan_markdown(answer),
        }
    report = run_model(pipeline, table, race_keys, with_nulls(pd.DataFrame(rows)))
    return replace(report, details=details)


def plan_rows(answer: PlanAnswer) -> list[dict[str, object]]:
    """Lay out plans, one row per plan, race and asset held or sold.

    Parameters
    ----------
    answer : PlanAnswer

    Returns
    -------
    list of dict
    """
    return [
        row
        for rank, plan in enumerate(answer.plans, start=1)
        for ahead, race in enumerate(plan.races)
        for row in _race_rows(answer, rank, plan, ahead, race)
    ]


def _race_rows(answer: PlanAnswer, rank: int, plan: Plan, ahead: int, race: PlannedRace) -> list[dict[str, object]]:
    common: dict[str, object] = {
        "race_key": answer.race_key,
        "rank": rank,
        "target_race_key": race.race_key,
        "races_ahead": ahead,
        "is_own_team": answer.team is not None,
        "chip": race.chip,
        "transfer_count": race.transfer_count,
        "transfer_points": race.transfer_points,
        "free_transfers": race.free_transfers,
        "bank_musd": race.bank_tenths / 10,
        "budget_musd": race.budget_tenths / 10,
        "race_points": race.points,
        "plan_points": plan.points,
        "gap_share": plan.gap,
    }
    held = [*race.lineup.asset_keys, *(key for key in race.sold if key not in race.lineup.asset_keys)]
    rows: list[dict[str, object]] = []
    for key in held:
        action = "sell" if key in race.sold else "buy" if key in race.bought else "hold"
        share = answer.move_shares.get((action, key), 0.0) if answer.move_shares and ahead == 0 else None
        rows.append(
            common
            | {
                "asset_type": key[0],
                "asset_id": fact_key(key)[1],
                "seat": key[1],
                "action": action,
                "is_boosted": key == (DRIVER, race.lineup.boosted_driver),
                "is_extra_boosted": key == (DRIVER, race.extra_boosted_driver),
                "move_share": share if action != "hold" else None,
            }
        )
    return rows


def plan_markdown(answer: PlanAnswer) -> str:
    """Lay out the best plan race by race."""
    shown = [
        {
            "race": race.race_key,
            "buy": ", ".join(fact_key(key)[1] for key in race.bought),
            "sell": ", ".join(fact_key(key)[1] for key in race.sold),
            "boost": race.lineup.boosted_driver.partition("@")[0],
            "chip": race.chip or "",
            "bank": race.bank_tenths / 10,
            "points": round(race.points, 1),
        }
        for race in answer.plans[0].races
    ]
    return str(pd.DataFrame(shown).to_markdown(index=False))
