"""Steps about chips: what each would have added at every race so far, and when to play those that are left.

Belongs here: the record of offers and the chip plan of a coming race. Neighbours: `optimize.chip_gains` says what one
adds at a race, `optimize.chip_timing` weighs it against later races, `knowledge` reads the record.

The record is that of a reference team: it starts each season with the policy `myopic` and plays on without chips, so
that budget and holdings are those of a team under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.chip_gains import WeekendViews, chip_gains
from f1_pipeline.optimize.plan_problem import PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import first_race
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.steps.backtest import DRAWS, REFERENCE, play_season
from f1_pipeline.steps.chip_lines import LINEAR_CHIPS, PLAY, chip_lines
from f1_pipeline.steps.knowledge import GAIN_TABLE, Knowledge, season_knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import own_team
from f1_pipeline.steps.season_races import season_races
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.writer import WriteReport

CHIP_PLAN_TABLE = "lineups.chip_plan"
OFFERS = 20
"""Offers that Final Fix is recorded by: quantiles of what the best swap adds over the joint draws."""


def record_chip_gains(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Record what each chip would add to the reference team at some races, as it looks at their locks.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.chip_gain`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the gains of each race.

    Raises
    ------
    WarehouseError
        An earlier race of the season lacks its points or its forecast.
    """
    rows: list[dict[str, object]] = []
    for season in sorted({pipeline.calendar.get(key).season for key in race_keys}):
        own = [key for key in race_keys if pipeline.calendar.get(key).season == season]
        rows += _season_gains(pipeline, own)
    report = run_model(pipeline, table, race_keys, pd.DataFrame(rows))
    details: dict[str, dict[str, float | str | None]] = {}
    for row in rows:
        details.setdefault(str(row["race_key"]), {})[str(row["chip"])] = round(float(str(row["gain_points"])), 1)
    return replace(report, details=details)


def _season_gains(pipeline: Pipeline, race_keys: Sequence[str]) -> list[dict[str, object]]:
    """Walk the reference team up to the last of some races of one season."""
    last = max(race_keys, key=lambda key: pipeline.calendar.get(key).race_date)
    season = pipeline.calendar.get(last).season
    before = [race.race_key for race in pipeline.calendar.before(last) if race.season == season]
    keys = [*before, last]
    known = season_knowledge(pipeline, keys, with_gains=False)
    teams: dict[str, Team | None] = {keys[0]: None}
    if before:
        played = play_season(season_races(pipeline, season, until=last), known, REFERENCE)
        teams |= {following: race.after for following, (_, race) in zip(keys[1:], played, strict=True)}
    return [row for key in race_keys for row in _race_gains(known, key, teams[key])]


def _race_gains(known: Knowledge, race_key: str, team: Team | None) -> list[dict[str, object]]:
    problem = known.problem(race_key, REFERENCE, team)
    race = first_race(problem)
    gains = chip_gains(race, known.views(race_key, race, DRAWS), problem.rules)
    middle = (np.arange(OFFERS) + 0.5) / OFFERS
    return [
        {
            "race_key": race_key,
            "chip": name,
            "gain_points": gain.points,
            "offers": gain.offers.tolist() if len(gain.offers) == 1 else np.quantile(gain.offers, middle).tolist(),
        }
        for name, gain in gains.items()
    ]


@dataclass(frozen=True)
class ChipOutlook:
    """A chip at one of the races that remain.

    Attributes
    ----------
    chip : str
    race_key : str
    races_ahead : int
    is_playable : bool
        Whether the team may play it there.
    gain_points : float
        What it is expected to add there.
    keep_points : float
        What it is worth unplayed after that race: play it there if it adds at least that.
    """

    chip: str
    race_key: str
    races_ahead: int
    is_playable: bool
    gain_points: float
    keep_points: float


def chip_outlook(
    pipeline: Pipeline, race_key: str, *, ignores_team: bool = False
) -> tuple[Team | None, list[ChipOutlook]]:
    """Weigh every chip that is left at every race that remains.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
        The coming race.
    ignores_team : bool
        Weigh the chips of a fresh start.

    Returns
    -------
    tuple of Team or None, and list of ChipOutlook
        Your team, none for a fresh start; by chip, then race.

    Raises
    ------
    WarehouseError
        The race has no forecast, or earlier races have no record of chips.
    """
    known = known_at(pipeline, race_key)
    coming = known.coming[race_key]
    team = None if ignores_team else own_team(pipeline, coming.menus[0]).team
    problem = coming.problem(team, len(coming.menus))
    races = problem.chip_races(PlanSettings())
    gains = _expected_gains(known, race_key, problem, tuple(races))
    found = []
    for chip, allowed in races.items():
        kept = known.keep_values(race_key, chip)
        found += [
            ChipOutlook(chip, key, at, bool(allowed[at]), float(gains[chip][at]), float(kept[at + 1]))
            for at, key in enumerate(problem.race_keys)
        ]
    return team, found


def known_at(pipeline: Pipeline, race_key: str) -> Knowledge:
    """Read what is known at the lock of one race, the record of chips included.

    Raises
    ------
    WarehouseError
        The race has no forecast, or an earlier race has no record of chips.
    """
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, [GAIN_TABLE], [race_key])
    return season_knowledge(pipeline, [race_key])


def _expected_gains(
    known: Knowledge, race_key: str, problem: PlanProblem, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Expect the gain of chips at each race that remains."""
    race = first_race(problem)
    now = chip_gains(race, known.views(race_key, race, DRAWS), problem.rules, names)
    if set(names) - set(now):
        raise WarehouseError(f"{race_key}: expected the gains of {', '.join(names)}, found those of {', '.join(now)}")
    gains = {name: np.array([now[name].points] + [0.0] * (len(problem.menus) - 1)) for name in names}
    for at in range(1, len(problem.menus)):
        later = _free_race(problem, at)
        floors = problem.points[at] + problem.floor_gains[at]
        floors = floors[[problem.assets.index(key) for key in later.asset_keys]]
        linear = tuple(name for name in names if name in LINEAR_CHIPS)
        expected = chip_gains(later, WeekendViews(no_negative_points=floors), problem.rules, linear)
        for name in names:
            usual = known.recorded(race_key, name).of_kind(problem.menus[at].has_sprint)
            mean = float(usual.mean()) if len(usual) else now[name].points
            gains[name][at] = expected[name].points if name in expected else mean
    return gains


def _free_race(problem: PlanProblem, at: int) -> LineupProblem:
    """Make a later race of a plan as a team with today's money meets it, every asset open to choice."""
    points = dict(zip(problem.assets, problem.points[at].tolist(), strict=True))
    free = team_problem(problem.menus[at], points, problem.rules)
    team = problem.rules.team
    budget = problem.start_budget_tenths
    rules = LineupRules(team.driver_count, team.constructor_count, budget, problem.rules.boost.multiplier)
    return replace(free, rules=rules)


def plan_chips(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Store the chip plan of your team, or of a fresh start, before some races.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `lineups.chip_plan`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the table and a picture of each race's chips.

    Raises
    ------
    WarehouseError
        As for :func:`chip_outlook`.
    """
    rows, details = [], {}
    for race_key in race_keys:
        team, outlook = chip_outlook(pipeline, race_key)
        own = pd.DataFrame(outlook).rename(columns={"race_key": "target_race_key"})
        rows.append(own.assign(race_key=race_key, is_own_team=team is not None))
        details[race_key] = {"chips": chip_markdown(own)}
    # Too little known of later races makes keeping a chip worth infinitely much: null in the warehouse.
    together = pd.concat(rows, ignore_index=True)
    together["keep_points"] = together["keep_points"].where(np.isfinite(together["keep_points"]))
    report = run_model(pipeline, table, race_keys, with_nulls(together))
    return replace(report, details=details)


def chip_markdown(outlook: pd.DataFrame) -> str:
    """Lay out what each chip adds now, what it must add to be played now, and its best later race."""
    rows = outlook.rename(columns={"target_race_key": "race_key"}).to_dict("records")
    shown = [
        {
            "chip": line.chip,
            "adds now": round(line.gain_points, 1),
            "play if it adds": None if line.keep_points is None else round(line.keep_points, 1),
            "best later": "" if line.best_race_key is None else f"{line.best_race_key} ({line.best_gain_points:.1f})",
            "play now": line.advice == PLAY,
        }
        for line in chip_lines(rows)
    ]
    return str(pd.DataFrame(shown).to_markdown(index=False))
