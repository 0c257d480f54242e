"""The line-up of one race: the forecast, your team and your wishes in, ranked line-ups and what they hang on out.

Belongs here: reading what is known at the lock of a race into a line-up problem, and answering it. Nothing is stored.
Neighbours: `optimize` solves, `my_team.py` says what you hold, `lineup_wishes.py` what is wanted, `reasons.py` why each
pick is made, `lineups.py` stores the answer without further wishes.

Ranges and chances come from the joint draws of the published forecast, moved so that their means are the points of
the problem: other points for an asset move its draws alike, and so does the chip No Negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import DRIVER, AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.autopilot import best_autopilot
from f1_pipeline.optimize.chip_gains import ChipGain, WeekendViews, chip_gains, floored
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import LineupProblem, RankedLineup
from f1_pipeline.optimize.risk import Beats, JudgedLineup, Mean, Objective, choose_lineups, judged_lineup
from f1_pipeline.optimize.shadow import ShadowValues, shadow_values
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.sources.asset_names import resolve_asset
from f1_pipeline.sources.my_team import read_my_team
from f1_pipeline.sources.rival_team import read_rival
from f1_pipeline.steps.coming_races import race_draws
from f1_pipeline.steps.lineup_wishes import ENUMERATION, LineupWishes, Rival
from f1_pipeline.steps.locks import settled_races
from f1_pipeline.steps.menus import race_menus
from f1_pipeline.steps.my_team import asset_at, held_team, inactive_notes, team_for, wishes_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.steps.team_changes import asset_names
from f1_pipeline.warehouse.frames import read_frame

SCENARIOS, WEEKENDS_OF_A_SCENARIO, SCENARIO_SEED = 100, 25, 2026

EXPECTED = """
    select poi.race_key, poi.asset_type, poi.asset_id, poi.expected_points, poi.is_live, lat.no_negative_points
    from predictions.asset_points as poi
    left join predictions.later_race_points as lat
        on poi.race_key = lat.race_key and lat.races_ahead = 0
        and poi.asset_type = lat.asset_type and poi.asset_id = lat.asset_id
    where list_contains($race_keys, poi.race_key)
    order by poi.race_key, poi.asset_type, poi.asset_id
"""
NAMES = """
    select 'driver' as asset_type, driver_id as asset_id, name from core.driver
    union all
    select 'constructor' as asset_type, constructor_id as asset_id, name from core.constructor
"""


@dataclass(frozen=True, eq=False)
class RaceForecast:
    """What is known at the lock of a race, drivers by seat.

    Attributes
    ----------
    menu : RaceMenu
    rules : SeasonRules
    points : dict of AssetKey to float
        Expected points of every asset that takes part, 0 where they were not forecast.
    unknown : frozenset of AssetKey
        Assets that came on sale after the forecast was made.
    no_negative : dict of AssetKey to float
        Expected points under No Negative; empty when they were not forecast.
    names : dict of AssetKey to str
        What people call each driver, by id, and constructor.
    is_live : bool
        Whether the forecast was made before the lock.
    """

    menu: RaceMenu
    rules: SeasonRules
    points: Mapping[AssetKey, float]
    unknown: frozenset[AssetKey]
    no_negative: Mapping[AssetKey, float]
    names: Mapping[AssetKey, str]
    is_live: bool

    def name_of(self, key: AssetKey) -> str:
        """Return what people call an asset."""
        return self.names[fact_key(key)]

    def team_of(self, key: AssetKey) -> str | None:
        """Return what people call the constructor of a driver's seat; None for a constructor."""
        return self.names["constructor", key[1].partition("@")[2]] if key[0] == DRIVER else None


@dataclass(frozen=True)
class OwnTeam:
    """Your team going into a race, and what its file wishes, drivers by seat.

    Attributes
    ----------
    team : Team or None
        None is a fresh start.
    locks, bans : frozenset of AssetKey
    """

    team: Team | None = None
    locks: frozenset[AssetKey] = frozenset()
    bans: frozenset[AssetKey] = frozenset()

    def problem(self, forecast: RaceForecast) -> LineupProblem:
        """Say what the team may field at a race; of what nothing is known it buys nothing."""
        problem = team_problem(forecast.menu, forecast.points, forecast.rules, self.team)
        held = () if problem.held is None else problem.held.asset_keys
        return replace(problem, locks=self.locks, bans=self.bans | forecast.unknown.difference(held))


FRESH_START = OwnTeam()


@dataclass(frozen=True, eq=False)
class RaceChoice:
    """The line-ups of a race, and what they were chosen from.

    Attributes
    ----------
    forecast : RaceForecast
    team : Team or None
        Your team before the race; None for a fresh start.
    problem : LineupProblem
        What was solved, the chip included.
    draws : ndarray of shape (n, assets)
        Joint draws of points, their means those of the problem.
    lineups : tuple of JudgedLineup
        Best first.
    chips : dict of str to ChipGain
        What each chip that can be played adds now, over the best line-up without one.
    chip : str or None
        The chip in play.
    """

    forecast: RaceForecast
    team: Team | None
    problem: LineupProblem
    draws: np.ndarray
    lineups: tuple[JudgedLineup, ...]
    chips: Mapping[str, ChipGain]
    chip: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what you should know of the team you hold."""
        return () if self.team is None else inactive_notes(self.team, self.forecast.menu)

    def bank_tenths(self, ranked: RankedLineup) -> int | None:
        """Return the money left; None where money is no limit, as under Limitless."""
        return None if self.chip == "limitless" else self.problem.rules.budget_tenths - ranked.cost_tenths

    def transfers(self, ranked: RankedLineup) -> tuple[tuple[AssetKey, ...], tuple[AssetKey, ...]]:
        """Return what a line-up brings in and what it lets go; nothing in a fresh start."""
        if self.problem.held is None:
            return (), ()
        held, wanted = set(self.problem.held.asset_keys), set(ranked.lineup.asset_keys)
        return tuple(sorted(wanted - held, reverse=True)), tuple(sorted(held - wanted, reverse=True))

    def shadow(self) -> ShadowValues:
        """Measure what another million, another transfer and each pick of the best line-up are worth.

        The ranges are over 100 forecasts that might have been made: each the mean of 25 weekends, picked at random
        with a fixed seed among those of the forecast.
        """
        picked = np.random.default_rng(SCENARIO_SEED).integers(0, len(self.draws), (SCENARIOS, WEEKENDS_OF_A_SCENARIO))
        return shadow_values(self.problem, self.draws[picked].mean(axis=1))


def choose(pipeline: Pipeline, race_key: str, wishes: LineupWishes) -> RaceChoice:
    """Find the line-ups of a race that are wanted.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    wishes : LineupWishes

    Returns
    -------
    RaceChoice

    Raises
    ------
    UsageError
        A wish names no asset of the race, or a chip that you cannot play.
    SolverError
        No line-up keeps to the limits; the message says which of them contradict each other.
    WarehouseError
        The race has no forecast.
    """
    forecast = race_forecasts(pipeline, [race_key])[race_key]
    own = FRESH_START if wishes.ignores_team else own_team(pipeline, forecast.menu)
    names = asset_names(pipeline, forecast.menu)
    problem = _with_wishes(own.problem(forecast), wishes, forecast.menu, names)
    playable = playable_chips(forecast, own.team)
    _check_chip(wishes.chip, playable)
    views, draws = weekend_views(pipeline, forecast, problem)
    objective = _objective(wishes.risk, forecast.menu, names)
    played, draws = _under_chip(problem, views, draws, forecast.rules, wishes.chip)
    return RaceChoice(
        forecast=forecast,
        team=own.team,
        problem=played,
        draws=draws,
        lineups=tuple(_ranked(played, draws, wishes, objective)),
        chips=chip_gains(problem, views, forecast.rules, playable),
        chip=wishes.chip,
    )


def explained(pipeline: Pipeline, forecast: RaceForecast, own: OwnTeam, ranked: Sequence[RankedLineup]) -> RaceChoice:
    """Tell of line-ups that have been chosen without further wishes what `choose` tells of its own.

    Parameters
    ----------
    pipeline : Pipeline
    forecast : RaceForecast
    own : OwnTeam
    ranked : sequence of RankedLineup
        Best first.

    Returns
    -------
    RaceChoice
    """
    problem = own.problem(forecast)
    views, draws = weekend_views(pipeline, forecast, problem)
    return RaceChoice(
        forecast=forecast,
        team=own.team,
        problem=problem,
        draws=draws,
        lineups=tuple(_judged(problem, draws, entry) for entry in ranked),
        chips=chip_gains(problem, views, forecast.rules, playable_chips(forecast, own.team)),
    )


def race_forecasts(pipeline: Pipeline, race_keys: Sequence[str]) -> dict[str, RaceForecast]:
    """Read what is known at the lock of some races.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Returns
    -------
    dict of str to RaceForecast

    Raises
    ------
    UsageError
        A race is unknown, cancelled, or has no prices yet.
    WarehouseError
        A race has no forecast.
    """
    menus = race_menus(pipeline, race_keys)
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, EXPECTED, {"race_keys": list(race_keys)})
        names = read_frame(connection, NAMES)
    known = {(kind, asset_id): name for kind, asset_id, name in names.itertuples(index=False)}
    by_race = {str(race_key): own for race_key, own in rows.groupby("race_key")}
    missing = [race_key for race_key in race_keys if race_key not in by_race]
    if missing:
        raise WarehouseError(
            f"predictions.asset_points: expected rows for {', '.join(missing)}, found none; materialize it first"
        )
    return {key: _forecast(menus[key], pipeline.rules(key), by_race[key], known) for key in race_keys}


def own_team(pipeline: Pipeline, menu: RaceMenu) -> OwnTeam:
    """Find your team going into a race: that of the team file, if it is for this race, else the one that has landed.

    Once the race is settled the landed one counts: the file holds what was entered, and its wishes come too late.

    Parameters
    ----------
    pipeline : Pipeline
    menu : RaceMenu

    Returns
    -------
    OwnTeam
        A fresh start where there is neither.

    Raises
    ------
    DataError
        The file is malformed or breaks a rule.
    """
    filed = read_my_team(pipeline.settings.team_path)
    if filed is None or filed.race_key != menu.race_key:
        return OwnTeam(held_team(pipeline, menu.race_key))
    if settled_races(pipeline, [menu.race_key]) and (held := held_team(pipeline, menu.race_key)) is not None:
        return OwnTeam(held)
    wishes = wishes_for(filed, menu)
    return OwnTeam(team_for(pipeline, filed, menu), wishes.locked, wishes.banned)


def playable_chips(forecast: RaceForecast, team: Team | None) -> tuple[str, ...]:
    """Name the chips that a team may play at a race; without one, those of a team that has played none all season."""
    chips, menu = forecast.rules.chips, forecast.menu
    left = chips.names if team is None else team.chips_left
    race_number = 1 + (menu.calendar.index(menu.race_key) if team is None else team.races_played)
    return tuple(name for name in left if getattr(chips, name).from_race <= race_number)


def lineup_totals(problem: LineupProblem, draws: np.ndarray, ranked: RankedLineup) -> np.ndarray:
    """Add up what a line-up scores in each draw.

    Parameters
    ----------
    problem : LineupProblem
    draws : ndarray of shape (n, assets)
    ranked : RankedLineup

    Returns
    -------
    ndarray of shape (n,)
        Boosts and transfers included.
    """
    row = {key: at for at, key in enumerate(problem.asset_keys)}
    boosts: list[tuple[str, float]] = [(ranked.lineup.boosted_driver, problem.rules.boost_multiplier)]
    if ranked.extra_boosted_driver is not None and problem.extra_boost is not None:
        boosts.append((ranked.extra_boosted_driver, problem.extra_boost))
    weights = np.zeros(len(row))
    weights[[row[key] for key in ranked.lineup.asset_keys]] = 1.0
    for driver, multiplier in boosts:
        if (DRIVER, driver) not in problem.only_if_held:
            weights[row[DRIVER, driver]] += multiplier - 1
    return draws @ weights + ranked.transfer_points


def moved_draws(problem: LineupProblem, draws: np.ndarray) -> np.ndarray:
    """Move joint draws so that their means are the points of a problem.

    Parameters
    ----------
    problem : LineupProblem
    draws : ndarray of shape (n, assets)

    Returns
    -------
    ndarray of shape (n, assets)
    """
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    return draws + (points - draws.mean(axis=0))


def _forecast(menu: RaceMenu, rules: SeasonRules, rows: pd.DataFrame, names: Mapping[AssetKey, str]) -> RaceForecast:
    keys = list(zip(rows["asset_type"], rows["asset_id"], strict=True))
    active = {fact_key(key): key for key in menu.prices if menu.is_active(key)}

    def by_seat(column: str) -> dict[AssetKey, float]:
        known = zip(keys, rows[column], strict=True)
        return {active[key]: float(value) for key, value in known if key in active and pd.notna(value)}

    return RaceForecast(
        menu=menu,
        rules=rules,
        points=dict.fromkeys(active.values(), 0.0) | by_seat("expected_points"),
        unknown=frozenset(active[key] for key in active.keys() - set(keys)),
        no_negative=by_seat("no_negative_points"),
        names=names,
        is_live=bool(rows["is_live"].all()),
    )


def _with_wishes(
    problem: LineupProblem, wishes: LineupWishes, menu: RaceMenu, names: Mapping[AssetKey, str]
) -> LineupProblem:
    """Add wishes to a problem; a lock or ban of the team file gives way to its opposite."""
    locks, bans = (frozenset(meant(name, menu, names) for name in wanted) for wanted in (wishes.locks, wishes.bans))
    points = dict(zip(problem.asset_keys, [*problem.driver_points, *problem.constructor_points], strict=True))
    for change in wishes.adjustments:
        key = meant(change.name, menu, names)
        if key not in points or key in problem.only_if_held:
            raise UsageError(f"Adjustment: expected an asset that takes part in {menu.race_key}, found {key[1]}.")
        points[key] = (points[key] if change.is_shift else 0.0) + change.points
    rules = problem.rules
    if wishes.budget_tenths is not None:
        rules = replace(rules, budget_tenths=wishes.budget_tenths)
    return replace(
        problem.with_points(points),
        rules=rules,
        locks=(problem.locks - bans) | locks,
        bans=(problem.bans - locks) | bans,
        most_per_team=wishes.most_per_team,
        min_difference=wishes.min_difference,
    )


def meant(name: str, menu: RaceMenu, names: Mapping[AssetKey, str]) -> AssetKey:
    """Find the asset of a menu that a person means, by id, name or a part of it; see `asset_names.resolve_asset`."""
    return asset_at(resolve_asset(name, names)[1], menu)


def _check_chip(chip: str | None, playable: Sequence[str]) -> None:
    if chip is None:
        return
    if chip == "final_fix":
        raise UsageError("Chip: expected one that is played before the lock; Final Fix follows qualifying.")
    if chip not in playable:
        raise UsageError(f"Chip: expected one that can be played, {', '.join(playable) or 'none is'}, found {chip!r}.")


def weekend_views(
    pipeline: Pipeline, forecast: RaceForecast, problem: LineupProblem
) -> tuple[WeekendViews, np.ndarray]:
    """Arrange what is expected of a weekend, and its draws, moved to the points of the problem.

    Parameters
    ----------
    pipeline : Pipeline
    forecast : RaceForecast
    problem : LineupProblem

    Returns
    -------
    tuple of WeekendViews and ndarray of shape (n, assets)
        The draws once more beside the views that have them.

    Raises
    ------
    WarehouseError
        The race has no draws.
    """
    race_key = forecast.menu.race_key
    drawn = race_draws(pipeline, [race_key])
    if race_key not in drawn:
        raise WarehouseError(f"predictions.asset_forecast: expected draws of {race_key}, found none; materialize first")
    views = drawn[race_key].views(problem, forecast.no_negative, drawn[race_key].points.shape[1])
    assert views.draws is not None, "a race with draws has views with draws"
    draws = moved_draws(problem, views.draws)
    return replace(views, draws=draws, no_negative_points=_floors(problem, forecast)), draws


def _floors(problem: LineupProblem, forecast: RaceForecast) -> np.ndarray | None:
    """Say what is expected under No Negative: as much more as forecast, whatever else is expected of the asset."""
    if not forecast.no_negative:
        return None
    points = [*problem.driver_points, *problem.constructor_points]
    more = (forecast.no_negative.get(key, 0.0) - forecast.points.get(key, 0.0) for key in problem.asset_keys)
    return np.array([own + above for own, above in zip(points, more, strict=True)])


def _under_chip(
    problem: LineupProblem, views: WeekendViews, draws: np.ndarray, rules: SeasonRules, chip: str | None
) -> tuple[LineupProblem, np.ndarray]:
    """Make the problem and the draws of a race at which a chip is played."""
    match chip:
        case "wildcard":
            return problem.under_wildcard(), draws
        case "limitless":
            return problem.under_limitless(), draws
        case "extra_boost":
            return replace(problem, extra_boost=rules.chips.extra_boost.multiplier), draws
        case "no_negative":
            if views.no_negative_points is None:
                raise WarehouseError(f"{problem.title}: expected points under No Negative, the forecast has none")
            raised = floored(problem, views.no_negative_points)
            return raised, moved_draws(raised, draws)
    return problem, draws


def _objective(risk: Objective | Rival, menu: RaceMenu, names: Mapping[AssetKey, str]) -> Objective:
    if not isinstance(risk, Rival):
        return risk
    rival = read_rival(risk.path)
    drivers, constructors = (
        tuple(sorted(meant(name, menu, names)[1] for name in team)) for team in (rival.drivers, rival.constructors)
    )
    return Beats(Lineup(drivers, constructors, meant(rival.boosted, menu, names)[1]))


def _ranked(
    problem: LineupProblem, draws: np.ndarray, wishes: LineupWishes, objective: Objective
) -> list[JudgedLineup]:
    if wishes.chip == "autopilot":
        return best_autopilot(problem, draws, wishes.count)
    if not isinstance(objective, Mean):
        return choose_lineups(problem, draws, objective, wishes.count)
    if wishes.solver == ENUMERATION:
        ranked = best_lineups(problem, wishes.count)
    else:
        ranked = solve_lineups(problem, wishes.count, wishes.solver)
    return [_judged(problem, draws, entry) for entry in ranked]


def _judged(problem: LineupProblem, draws: np.ndarray, ranked: RankedLineup) -> JudgedLineup:
    return judged_lineup(ranked, ranked.points, lineup_totals(problem, draws, ranked))
