"""The line-ups of a race as a person reads them: assets, boost, money, points with range, and what they hang on.

Belongs here: one answer as rows for programs and as tables for people. Neighbours: `steps.lineups` has stored
line-ups, `steps.race_choice` finds others, `steps.reasons` puts picks in words, `tables.py` has the style.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.text import Text

from f1_pipeline.errors import UsageError
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.optimize.risk import AtLeast, JudgedLineup, MeanMinusDeviation, Objective, Quantile
from f1_pipeline.optimize.shadow import ShadowValues
from f1_pipeline.report.tables import console, new_table, print_json, print_rows
from f1_pipeline.sources.calendar import CalendarRace
from f1_pipeline.steps.chip_lines import chip_name
from f1_pipeline.steps.final_fix import stored_advice
from f1_pipeline.steps.lineup_wishes import LineupWishes, Rival
from f1_pipeline.steps.lineups import limit_values, stored_choice
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import (
    SCENARIOS,
    WEEKENDS_OF_A_SCENARIO,
    RaceChoice,
    choose,
)
from f1_pipeline.steps.reasons import pick_reasons

SCENARIOS_IN_WORDS = (
    f"Ranges: 8 of 10 of {SCENARIOS} forecasts as they might have been, each the mean of {WEEKENDS_OF_A_SCENARIO} "
    "simulated weekends picked at random."
)


def read_lineup(
    pipeline: Pipeline, race_key: str | None, rank: int = 1, *, is_explained: bool = True
) -> dict[str, Any]:
    """Read a line-up from the warehouse.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str or None
        The race; the next one by default.
    rank : int
        Which of the ten best.
    is_explained : bool
        Whether to say why, what chips would add, and what the limits are worth.

    Returns
    -------
    dict
        The race, the assets with price (million dollars) and points (boost counted), the totals and the bank; as
        `final_fix` the advice after qualifying, None before.

    Raises
    ------
    UsageError
        When the race is unknown, or its line-up has not been computed.
    """
    race = pipeline.calendar.meant(race_key)
    choice = stored_choice(pipeline, race.race_key, rank)
    found = _head(race, choice) | _lineup(pipeline, choice, choice.lineups[0], is_explained=is_explained)
    return found | {"final_fix": stored_advice(pipeline, race.race_key)}


def find_lineups(
    pipeline: Pipeline,
    race_key: str | None,
    wishes: LineupWishes,
    rank: int | None = None,
    *,
    is_explained: bool = True,
) -> dict[str, Any]:
    """Find line-ups as wished; nothing is stored.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str or None
        The race; the next one by default.
    wishes : LineupWishes
    rank : int, optional
        Which of the line-ups to answer with; all of them, as a list, by default.
    is_explained : bool

    Returns
    -------
    dict
        As `read_lineup`; without a rank the line-ups are in the list `lineups`.

    Raises
    ------
    UsageError
        When a wish cannot be understood, or there are fewer line-ups.
    SolverError
        When no line-up keeps to the limits.
    """
    race = pipeline.calendar.meant(race_key)
    choice = choose(pipeline, race.race_key, wishes)
    head = _head(race, choice, wishes)
    if rank is None:
        lineups = [_lineup(pipeline, choice, judged, is_explained=False) for judged in choice.lineups]
        return head | {"lineups": lineups} | (_explanation(choice, choice.shadow()) if is_explained else {})
    if len(choice.lineups) < rank:
        raise UsageError(f"{race.race_key}: expected {rank} line-ups or more, found {len(choice.lineups)}")
    return head | _lineup(pipeline, choice, choice.lineups[rank - 1], is_explained=is_explained)


def print_lineups(answer: dict[str, Any], output: str) -> None:
    """Print line-ups.

    Parameters
    ----------
    answer : dict
        From `read_lineup` or `find_lineups`.
    output : str
        `table`, `json` or `csv`, which has a row per asset of each line-up.
    """
    if output == "json":
        print_json(answer)
    elif output == "csv":
        print_rows(pa.Table.from_pandas(_rows(answer), preserve_index=False), output)
    elif "lineups" in answer:
        _print_ranking(answer)
    else:
        _print_lineup(answer)


def locked_in_words(race: CalendarRace, now: datetime) -> str | None:
    """Say that a race has locked whose results are not known; None before the lock, and once they are."""
    if race.is_finished or now < race.lock_at:
        return None
    return (
        f"This race locked on {race.lock_at.day} {race.lock_at:%B %Y, %H:%M} UTC; its results are not in data/ yet: "
        "f1-pipeline refresh"
    )


def _head(race: CalendarRace, choice: RaceChoice, wishes: LineupWishes | None = None) -> dict[str, Any]:
    risk = None if wishes is None or wishes.is_by_mean else wishes.risk
    return {
        "race_key": race.race_key,
        "race": race.name,
        "lock_at": race.lock_at.isoformat(),
        "is_live": choice.forecast.is_live,
        "is_own_team": choice.team is not None,
        "chip": choice.chip,
        "risk": None if risk is None else risk_in_words(risk),
        "is_chance": isinstance(risk, AtLeast | Rival),
        "notes": list(choice.notes),
    }


def risk_in_words(risk: Objective | Rival) -> str:
    """Say what a line-up is chosen by."""
    match risk:
        case MeanMinusDeviation(weight):
            return f"the mean {'less' if weight >= 0 else 'plus'} {abs(weight):g} standard deviations"
        case Quantile(share):
            return f"the points undercut in {share:.0%} of weekends"
        case AtLeast(points):
            return f"the chance of {points:g} points"
        case Rival(path):
            return f"the chance to beat {path.name}"
    return "the mean"


def _lineup(pipeline: Pipeline, choice: RaceChoice, judged: JudgedLineup, *, is_explained: bool) -> dict[str, Any]:
    ranked, problem = judged.ranked, choice.problem
    bank = choice.bank_tenths(ranked)
    bought, sold = choice.transfers(ranked)
    shadow = choice.shadow() if is_explained else None
    reasons: Mapping[AssetKey, str] = {}
    if shadow is not None:
        # what a pick costs is of the best line-up; in another one the same pick is worth something else
        is_best = set(shadow.best.lineup.asset_keys) == set(ranked.lineup.asset_keys)
        names = {key: choice.forecast.name_of(key) for key in problem.asset_keys}
        costs = shadow.picks if is_best else ()
        reasons = pick_reasons(pipeline, problem, names, ranked.lineup.asset_keys, costs)
    found = {
        "rank": ranked.rank,
        "assets": _assets(choice, judged, reasons),
        "cost_musd": ranked.cost_tenths / 10,
        "bank_musd": None if bank is None else bank / 10,
        "expected_points": round(ranked.points, 1),
        "deviation_points": round(judged.deviation_points, 1),
        "p10": round(judged.p10_points, 1),
        "p90": round(judged.p90_points, 1),
        "objective": round(judged.objective, 3),
        "transfers": {
            "in": [choice.forecast.name_of(key) for key in bought],
            "out": [choice.forecast.name_of(key) for key in sold],
            "free": None if problem.held is None else problem.held.free_transfers,
            "points": ranked.transfer_points,
        },
    }
    return found if shadow is None else found | _explanation(choice, shadow)


def _assets(choice: RaceChoice, judged: JudgedLineup, reasons: Mapping[AssetKey, str]) -> list[dict[str, Any]]:
    problem, ranked, forecast = choice.problem, judged.ranked, choice.forecast
    points = dict(zip(problem.asset_keys, [*problem.driver_points, *problem.constructor_points], strict=True))
    held = () if problem.held is None else problem.held.asset_keys
    boosts = {(DRIVER, ranked.lineup.boosted_driver): forecast.rules.boost.multiplier}
    if ranked.extra_boosted_driver is not None:
        boosts[DRIVER, ranked.extra_boosted_driver] = forecast.rules.chips.extra_boost.multiplier
    rows = []
    for key in ranked.lineup.asset_keys:
        is_active = key not in problem.only_if_held
        factor = boosts.get(key, 1) if is_active else 1
        low, high = np.quantile(choice.draws[:, problem.asset_keys.index(key)], [0.1, 0.9])
        row = {
            "asset_type": key[0],
            "asset_id": key[1].partition("@")[0],
            "seat": key[1],
            "name": forecast.name_of(key),
            "team": forecast.team_of(key) or forecast.name_of(key),
            "is_boosted": key in boosts,
            "boost": boosts.get(key, 1),
            "is_active": is_active,
            "is_new": bool(held) and key not in held,
            "price_musd": problem.prices[key] / 10,
            "expected_points": round(factor * float(points[key]), 1),
            "p10": round(factor * float(low), 1),
            "p90": round(factor * float(high), 1),
        }
        rows.append(row | ({"reason": reasons[key]} if key in reasons else {}))
    return sorted(rows, key=lambda row: (row["asset_type"] != DRIVER, -row["expected_points"]))


def _explanation(choice: RaceChoice, shadow: ShadowValues) -> dict[str, Any]:
    gains = sorted(choice.chips.values(), key=lambda gain: -gain.points)
    return {
        "chips_now": {} if choice.chip else {gain.name: round(gain.points, 1) for gain in gains},
        # without a budget there is nothing to be had for more money
        "limits": [] if choice.chip == "limitless" else limit_values(shadow),
    }


def _rows(answer: dict[str, Any]) -> pd.DataFrame:
    """Lay line-ups out as one row per asset of each."""
    rows = []
    for lineup in answer.get("lineups", [answer]):
        common = {
            "race_key": answer["race_key"],
            "rank": lineup["rank"],
            "lineup_points": lineup["expected_points"],
            "lineup_p10": lineup["p10"],
            "lineup_p90": lineup["p90"],
            "objective": lineup["objective"],
            "cost_musd": lineup["cost_musd"],
            "bank_musd": lineup["bank_musd"],
            "transfer_count": len(lineup["transfers"]["in"]),
            "transfer_points": lineup["transfers"]["points"],
        }
        rows += [common | asset for asset in lineup["assets"]]
    return pd.DataFrame(rows)


def _print_title(answer: dict[str, Any], what: str) -> None:
    """Print the title above its table, which may be too narrow for it."""
    season = answer["race_key"].split("-")[0]
    chip = f" with {chip_name(answer['chip'])}" if answer["chip"] else ""
    title = f"{season} {answer['race']}: {what}{chip} · locks {answer['lock_at'][:16]} UTC"
    console().print(Text(title, style="bold"))


def _print_lineup(answer: dict[str, Any]) -> None:
    table = new_table()
    table.add_column("Asset")
    table.add_column("Team")
    for name in ("$M", "Points", "8 in 10"):
        table.add_column(name, justify="right")
    for asset in answer["assets"]:
        marks = [f"×{asset['boost']}"] * asset["is_boosted"] + ["new"] * asset["is_new"]
        team = asset["team"] if asset["asset_type"] == DRIVER else CONSTRUCTOR
        table.add_row(
            " ".join([asset["name"], *marks]),
            team,
            f"{asset['price_musd']:.1f}",
            f"{asset['expected_points']:.1f}",
            _interval(asset),
        )
    table.add_section()
    if answer["transfers"]["points"]:
        table.add_row("Transfers", "", "", f"{answer['transfers']['points']:.1f}", "")
    table.add_row("Line-up", "", f"{answer['cost_musd']:.1f}", f"{answer['expected_points']:.1f}", _interval(answer))
    if answer["bank_musd"] is not None:
        table.add_row("Bank left", "", f"{answer['bank_musd']:.1f}", "", "")
    out = console()
    _print_title(answer, f"line-up {answer['rank']}")
    out.print(table)
    if answer["risk"]:
        _say(f"Chosen by {answer['risk']}: {_objective(answer)}.")
    if answer["is_own_team"]:
        _say(transfers_in_words(answer["transfers"]))
    for note in answer["notes"]:
        _say(f"Note: {note}.")
    if any("reason" in asset for asset in answer["assets"]):
        reasons = new_table("Why")
        reasons.show_header = False
        reasons.add_column(no_wrap=True)
        reasons.add_column(overflow="fold")
        for asset in answer["assets"]:
            reasons.add_row(asset["name"], Text(asset["reason"]))
        out.print(reasons)
    _print_explanation(answer)
    out.print(f"×: a boost. {_made(answer)}", style="dim")


def _print_ranking(answer: dict[str, Any]) -> None:
    table = new_table()
    for name in ("Rank", "Points", "8 in 10", "$M"):
        table.add_column(name, justify="right")
    if answer["is_own_team"]:
        table.add_column("New", justify="right")
    if answer["risk"]:
        table.add_column("Chosen by", justify="right")
    for name in ("Drivers", "Constructors"):
        table.add_column(name, overflow="fold")
    for lineup in answer["lineups"]:
        row = [
            str(lineup["rank"]),
            f"{lineup['expected_points']:.1f}",
            _interval(lineup),
            f"{lineup['cost_musd']:.1f}",
        ]
        if answer["is_own_team"]:
            points = lineup["transfers"]["points"]
            row.append(f"{len(lineup['transfers']['in'])}" + (f" ({points:.0f})" if points else ""))
        if answer["risk"]:
            row.append(_objective(answer | lineup))
        for kind in (DRIVER, CONSTRUCTOR):
            own = [asset for asset in lineup["assets"] if asset["asset_type"] == kind]
            row.append(", ".join(_short_name(asset) for asset in own))
        table.add_row(*row)
    out = console()
    _print_title(answer, f"the best {len(answer['lineups'])} line-ups")
    out.print(table)
    if answer["risk"]:
        _say(f"Chosen by {answer['risk']}.")
    for note in answer["notes"]:
        _say(f"Note: {note}.")
    _print_explanation(answer)
    out.print(_made(answer), style="dim")


def _print_explanation(answer: dict[str, Any]) -> None:
    if answer.get("final_fix"):
        _say(f"After qualifying: {answer['final_fix']['advice']}")
    if answer.get("chips_now"):
        gains = ", ".join(f"{chip_name(name)} +{points:.0f}" for name, points in answer["chips_now"].items())
        _say(f"Chips now, points over the best line-up without one: {gains}.")
    if answer.get("limits"):
        _say(f"What limits are worth in points: {'; '.join(map(_limit_in_words, answer['limits']))}.")
        console().print(SCENARIOS_IN_WORDS, style="dim")


def _limit_in_words(change: Mapping[str, Any]) -> str:
    return f"{change['limit']} {change['points']:+.1f} ({change['p10']:+.1f} to {change['p90']:+.1f})"


def transfers_in_words(transfers: Mapping[str, Any]) -> str:
    """Say what a line-up changes of the team that you hold, and what that costs."""
    if not transfers["in"]:
        return "Transfers: none, the line-up is the team you hold."
    free, count = transfers["free"], len(transfers["in"])
    price = "all free" if free is None or count <= free else f"{free} of {count} free, {transfers['points']:.0f} points"
    return f"Transfers: {', '.join(transfers['out'])} out, {', '.join(transfers['in'])} in; {price}."


def _say(text: str) -> None:
    console().print(Text(text))


def _made(answer: dict[str, Any]) -> str:
    return f"Forecast made {'before the lock' if answer['is_live'] else 'after the lock, from what was known then'}."


def _objective(answer: Mapping[str, Any]) -> str:
    value = answer["objective"]
    return f"{value:.0%}" if answer["is_chance"] else f"{value:.1f} points"


def _interval(figures: Mapping[str, Any]) -> str:
    return f"{round(figures['p10'])} to {round(figures['p90'])}"


def _short_name(asset: Mapping[str, Any]) -> str:
    name = asset["name"].removesuffix(" Jr.").split()[-1] if asset["asset_type"] == DRIVER else asset["name"]
    return f"{name} ×{asset['boost']}" if asset["is_boosted"] else name
