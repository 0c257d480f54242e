"""Seasons played again: what a policy would have scored with only what was known at each lock, and perfect hindsight.

Belongs here: playing named policies through finished seasons by the rules of the game, and the tables of it.
Neighbours: `optimize.policies` decide, `knowledge` says what was known, `season_races` what came of it, `game.team`
keeps count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from f1_pipeline.game.chips import session_order
from f1_pipeline.game.decisions import Decision, RaceMenu, driver_of
from f1_pipeline.game.lineup import DRIVER, AssetKey, Lineup
from f1_pipeline.game.settlement import RaceResult
from f1_pipeline.game.team import LockedTeam, Team
from f1_pipeline.optimize.chip_gains import chip_gains
from f1_pipeline.optimize.chip_timing import chip_to_play
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.plan_problem import Plan, PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import Policy, decide, final_fix, first_race
from f1_pipeline.optimize.season_path import solve_season_path
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.steps.knowledge import BASELINE_FORECASTS, GAIN_TABLE, Knowledge, season_knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import SeasonRaces, fact_key, season_races
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.writer import WriteReport

BACKTEST_TABLE, HINDSIGHT_TABLE = "lineups.season_backtest", "lineups.season_hindsight"
HORIZON = 5
REFERENCE = Policy("myopic")
POLICIES = (
    Policy("points_only", values_money=False),
    *(Policy(f"points_only_{name}", forecast=name, values_money=False) for name in BASELINE_FORECASTS),
    REFERENCE,
    Policy("myopic_chips", has_chips=True),
    Policy("rolling", horizon=HORIZON),
    Policy("rolling_chips", horizon=HORIZON, has_chips=True),
)
HINDSIGHT_CHIPS = {"no_chips": (), "four_chips": ("extra_boost", "limitless", "no_negative", "wildcard")}
"""Chips by variant; Autopilot adds nothing to someone who knows the best driver, and Final Fix is not planned with."""
HINDSIGHT_SETTINGS = PlanSettings(gap=0.01, time_limit_s=90.0)
PLAN_SETTINGS = PlanSettings(chips=(), gap=2e-3, time_limit_s=10.0)
DRAWS = 400
"""Joint draws that chips are judged on; what Autopilot adds is then sure to half a point."""


@dataclass(frozen=True)
class PlayedRace:
    """One race as a policy played it.

    Attributes
    ----------
    locked : LockedTeam
        The team at the lock, Final Fix included.
    result : RaceResult
    bought, sold : tuple of AssetKey
        Transfers for good.
    expected_points : float
        What was expected of the line-up, boost and penalty included, chip not.
    hindsight_points : float
        The most that the team could have scored at this race with the same money and transfers, without a chip.
    after : Team
        The team before the next race.
    """

    locked: LockedTeam
    result: RaceResult
    bought: tuple[AssetKey, ...]
    sold: tuple[AssetKey, ...]
    expected_points: float
    hindsight_points: float
    after: Team


@dataclass(frozen=True, eq=False)
class Lock:
    """A team at the lock of a race, before it decides.

    Attributes
    ----------
    at : int
        Number of the race in its season, from 0.
    team : Team or None
        None before the first race.
    problem : PlanProblem
        The coming races as the policy sees them.
    """

    at: int
    team: Team | None
    problem: PlanProblem


def play_season(
    races: SeasonRaces, known: Knowledge, policy: Policy, start: Lineup | None = None
) -> Iterator[tuple[Lock, PlayedRace]]:
    """Play a policy through a season, race by race.

    Parameters
    ----------
    races : SeasonRaces
    known : Knowledge
        What was known at each lock.
    policy : Policy
    start : Lineup, optional
        The first line-up, drivers by seat; the policy's own choice by default.

    Yields
    ------
    tuple of Lock and PlayedRace

    Raises
    ------
    RuleError
        The policy decided against the rules.
    """
    team: Team | None = None
    for at, menu in enumerate(races.menus):
        lock = Lock(at, team, known.problem(menu.race_key, policy, team))
        if team is None and start is not None:
            decision = Decision(start)
        else:
            chip = _chip_now(known, policy, lock) if policy.has_chips else None
            decision = decide(policy, lock.problem, known.races_after(menu.race_key, policy), PLAN_SETTINGS, chip)
        before = team or Team.start(decision.lineup, menu.prices, races.rules)
        locked = before.apply(decision, menu)
        if policy.has_chips:
            locked = _with_final_fix(races, known, locked, at)
        after, result = locked.settle(races.items[at], races.new_prices(at))
        yield lock, _played(races, lock, before, locked, result, after)
        team = after


def playable_chips(problem: PlanProblem) -> tuple[str, ...]:
    """Name the chips that may be played at the first race of a plan."""
    return tuple(name for name, allowed in problem.chip_races(PlanSettings()).items() if allowed[0])


def _chip_now(known: Knowledge, policy: Policy, lock: Lock) -> str | None:
    """Choose the chip to play at a lock; Final Fix has its moment later."""
    race_key = lock.problem.race_keys[0]
    names = tuple(name for name in playable_chips(lock.problem) if name != "final_fix")
    race = first_race(lock.problem)
    gains = chip_gains(race, known.views(race_key, race, DRAWS), lock.problem.rules, names)
    kept = {name: known.keep_value(race_key, name) for name in gains}
    return chip_to_play({name: gain.points for name, gain in gains.items()}, kept)


def _with_final_fix(races: SeasonRaces, known: Knowledge, locked: LockedTeam, at: int) -> LockedTeam:
    menu, rules = locked.menu, races.rules
    number = locked.kept.races_played
    if locked.chip or "final_fix" not in locked.kept.chips_left or number < rules.chips.final_fix.from_race:
        return locked
    swap = final_fix(locked, remaining_points(races, known, menu, at))
    if swap is None or swap[1] < known.keep_value(menu.race_key, "final_fix"):
        return locked
    return locked.final_fix(swap[0])


def remaining_points(races: SeasonRaces, known: Knowledge, menu: RaceMenu, at: int) -> dict[str, float]:
    """Expect of each driver on the menu, after qualifying, what his remaining sessions will bring.

    The forecast after qualifying is of the whole weekend; what has been scored by then is known and taken off.
    """
    order = session_order(races.rules, menu.has_sprint)
    over = order[: order.index("qualifying") + 1]
    found = {}
    for seat in menu.seats.values():
        key = fact_key((DRIVER, seat))
        expected = known.after_qualifying[menu.race_key].get(key)
        if expected is not None:
            scored = sum(points for session, _, points in races.items[at][key] if session in over)
            found[seat] = expected - scored
    return found


def _played(
    races: SeasonRaces, lock: Lock, before: Team, locked: LockedTeam, result: RaceResult, after: Team
) -> PlayedRace:
    menu = locked.menu
    actual = dict(zip(races.assets, races.points[lock.at].tolist(), strict=True))
    held, kept = set(before.lineup.asset_keys), set(locked.kept.lineup.asset_keys)
    worth = dict(zip(lock.problem.assets, lock.problem.values[0].tolist(), strict=True))
    lineup, factor = locked.fielded, races.rules.boost.multiplier - 1
    boosted = worth[DRIVER, lineup.boosted_driver] if menu.is_active((DRIVER, lineup.boosted_driver)) else 0.0
    return PlayedRace(
        locked=locked,
        result=result,
        bought=() if lock.team is None else tuple(sorted(kept - held)),
        sold=() if lock.team is None else tuple(sorted(held - kept)),
        expected_points=sum(worth[key] for key in lineup.asset_keys) + factor * boosted + locked.transfer_points,
        hindsight_points=best_lineups(team_problem(menu, actual, races.rules, lock.team), 1)[0].points,
        after=after,
    )


def play_policies(pipeline: Pipeline, table: str, seasons: Sequence[str]) -> WriteReport:
    """Play every policy through each season, and store race by race what it did.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.season_backtest`.
    seasons : sequence of str

    Returns
    -------
    WriteReport
        With each policy's total as a Markdown table.

    Raises
    ------
    WarehouseError
        When a race has not been computed.
    """
    races = {season: season_races(pipeline, int(season)) for season in seasons}
    known = {season: backtest_knowledge(pipeline, races[season]) for season in seasons}
    wanted = games(seasons)
    rows: list[dict[str, object]] = []
    totals: dict[str, dict[str, object]] = {season: {policy.name: None for policy in POLICIES} for season in seasons}
    for (season, policy), played in zip(
        wanted, spread(pipeline.settings, played_game, wanted, races, known), strict=True
    ):
        rows += played
        totals[season][policy.name] = played[-1]["season_points"]
    report = run_model(pipeline, table, seasons, pd.DataFrame(rows))
    return replace(report, details={season: {"totals": _markdown(of_season)} for season, of_season in totals.items()})


def games(seasons: Sequence[str]) -> list[tuple[str, Policy]]:
    """List every season with every policy, the long ones first, so that workers end at the same time."""
    # those that look far ahead take longest
    far_first = sorted(POLICIES, key=lambda policy: (policy.horizon, policy.has_chips), reverse=True)
    return [(season, policy) for policy in far_first for season in seasons]


def played_game(
    game: tuple[str, Policy], races: Mapping[str, SeasonRaces], known: Mapping[str, Knowledge]
) -> list[dict[str, object]]:
    """Play one policy through one season.

    Parameters
    ----------
    game : tuple of str and Policy
        Season and policy.
    races, known : mapping of str to SeasonRaces, and to Knowledge
        By season.

    Returns
    -------
    list of dict
        As :func:`backtest_rows`.
    """
    season, policy = game
    return backtest_rows(races[season], play_season(races[season], known[season], policy), policy.name)


def _markdown(totals: Mapping[str, object]) -> str:
    shown = pd.Series(totals, name="points").rename_axis("policy").reset_index()
    return str(shown.to_markdown(index=False))


def backtest_knowledge(pipeline: Pipeline, races: SeasonRaces) -> Knowledge:
    """Read what was known at the locks of a season; chips need their record of every race before its last.

    Raises
    ------
    WarehouseError
        A race of the season or before it lacks its forecast, or the record of what chips offered.
    """
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, [GAIN_TABLE], [races.race_keys[-1]])
    return season_knowledge(pipeline, races.race_keys)


def backtest_rows(
    races: SeasonRaces, played: Iterable[tuple[Lock, PlayedRace]], policy: str, start: int = 0
) -> list[dict[str, object]]:
    """Lay out a season as it was played, one row per race.

    Parameters
    ----------
    races : SeasonRaces
    played : iterable of tuple of Lock and PlayedRace
    policy : str
    start : int
        Number of the first line-up, 0 for the policy's own.

    Returns
    -------
    list of dict
    """
    rows: list[dict[str, object]] = []
    season_points = 0.0
    for lock, race in played:
        result, kept = race.result, race.locked.kept
        season_points += result.total_points
        rows.append(
            {
                "season": races.season,
                "policy": policy,
                "start": start,
                "race_key": result.race_key,
                "race_number": lock.at + 1,
                "line_up": lineup_text(race.locked.fielded),
                "bought": asset_text(race.bought),
                "sold": asset_text(race.sold),
                "chip": result.chip,
                "total_points": float(result.total_points),
                "expected_points": float(race.expected_points),
                "transfer_count": result.transfer_count,
                "transfer_points": result.transfer_points,
                "inactive_points": result.inactive_points,
                "budget_musd": kept.budget_tenths / 10,
                "bank_musd": kept.bank_tenths / 10,
                "hindsight_points": float(race.hindsight_points),
                "regret_points": float(race.hindsight_points - result.total_points),
                "season_points": season_points,
            }
        )
    return rows


def lineup_text(lineup: Lineup) -> str:
    """Name a line-up in one line, the boosted driver marked."""
    drivers = [driver_of(seat) + (" x2" if seat == lineup.boosted_driver else "") for seat in lineup.drivers]
    return ", ".join([*drivers, *lineup.constructors])


def asset_text(keys: Sequence[AssetKey]) -> str:
    """Name assets in one line, drivers by id."""
    return ", ".join(fact_key(key)[1] for key in keys)


def find_season_paths(pipeline: Pipeline, table: str, seasons: Sequence[str]) -> WriteReport:
    """Find what perfect foresight would have scored in each season, with and without chips.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.season_hindsight`.
    seasons : sequence of str

    Returns
    -------
    WriteReport
        With points, bound and gap of each variant.
    """
    races = {season: season_races(pipeline, int(season)) for season in seasons}
    paths = [(season, variant) for season in seasons for variant in HINDSIGHT_CHIPS]
    rows: list[dict[str, object]] = []
    details: dict[str, dict[str, float | str | None]] = {season: {} for season in seasons}
    for (season, variant), plan in zip(paths, spread(pipeline.settings, _path, paths, races), strict=True):
        details[season][variant] = f"{plan.points:.0f}, at most {plan.bound:.0f}"
        rows += _path_rows(races[season], variant, plan)
    report = run_model(pipeline, table, seasons, pd.DataFrame(rows))
    return replace(report, details=details)


def _path(path: tuple[str, str], races: Mapping[str, SeasonRaces]) -> Plan:
    season, variant = path
    return season_path(races[season], HINDSIGHT_CHIPS[variant])


def season_path(races: SeasonRaces, chips: tuple[str, ...], settings: PlanSettings = HINDSIGHT_SETTINGS) -> Plan:
    """Find the best path through a finished season; see `optimize.season_path`."""
    return solve_season_path(races.hindsight_problem(), replace(settings, chips=chips))


def _path_rows(races: SeasonRaces, variant: str, plan: Plan) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    season_points = 0.0
    for number, race in enumerate(plan.races, start=1):
        season_points += race.points
        rows.append(
            {
                "season": races.season,
                "variant": variant,
                "race_key": race.race_key,
                "race_number": number,
                "line_up": lineup_text(race.lineup),
                "bought": asset_text(race.bought),
                "sold": asset_text(race.sold),
                "chip": race.chip,
                "total_points": race.points,
                "transfer_count": race.transfer_count,
                "transfer_points": race.transfer_points,
                "budget_musd": race.budget_tenths / 10,
                "season_points": season_points,
                "bound_points": plan.bound,
                "gap_share": plan.gap,
            }
        )
    return rows
