"""Your own team as a person reads it: assets with price and points, money, transfers, chips, what needs attention.

Neighbours: `steps.my_team` holds the file against rules and prices, `predictions.asset_points` has the forecast,
`tables.py` the style.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from f1_pipeline.game.decisions import driver_of
from f1_pipeline.game.lineup import DRIVER, AssetKey
from f1_pipeline.game.settlement import inactive_points
from f1_pipeline.report.tables import console, new_table, print_json, print_rows
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.my_team import MyTeam
from f1_pipeline.steps.menus import newest_menu
from f1_pipeline.steps.my_team import inactive_notes, team_for, wishes_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_frame

FORECAST_TABLE = "predictions.asset_points"
FORECAST = "select asset_type, asset_id, expected_points from predictions.asset_points where race_key = $race_key"


def describe_team(pipeline: Pipeline, my_team: MyTeam) -> dict[str, Any]:
    """Describe a team at its race.

    Parameters
    ----------
    pipeline : Pipeline
    my_team : MyTeam

    Returns
    -------
    dict
        The race; the assets with price (million dollars) and expected points (boost counted; None before the race is
        forecast, 0 for an asset that takes no part); money, free transfers, chips and wishes; notes.

    Raises
    ------
    DataError
        When the team breaks a rule.
    UsageError
        When its race has no prices yet.
    """
    menu = newest_menu(pipeline, my_team.race_key)
    team, race = team_for(pipeline, my_team, menu), pipeline.calendar.get(my_team.race_key)
    points, names, locked = _points(pipeline, my_team.race_key), _names(pipeline), wishes_for(my_team, menu).locked
    assets: list[dict[str, Any]] = []
    for key, price in zip(team.lineup.asset_keys, team.price_tenths, strict=True):
        asset_id, is_boosted = driver_of(key[1]), key == (DRIVER, team.boosted_driver)
        expected = points.get((key[0], asset_id)) if menu.is_active(key) else 0.0
        factor = team.rules.boost.multiplier if is_boosted else 1
        assets.append(
            {
                "asset_type": key[0],
                "asset_id": asset_id,
                "seat": key[1],
                "name": names[key[0], asset_id],
                "price_musd": price / 10,
                "expected_points": None if expected is None else round(factor * expected, 1),
                "is_boosted": is_boosted,
                "is_active": menu.is_active(key),
                "is_locked": key in locked,
            }
        )
    found: list[float] = [asset["expected_points"] for asset in assets if asset["expected_points"] is not None]
    lacks_points = len(found) < len(assets)
    idle = tuple(key for key in team.lineup.asset_keys if not menu.is_active(key))
    penalty = inactive_points(idle, menu, team.rules)
    return {
        "race_key": race.race_key,
        "race": race.name,
        "lock_at": race.lock_at.isoformat(),
        "name": my_team.name,
        "assets": assets,
        "expected_points": None if lacks_points else round(sum(found) + penalty, 1),
        "inactive_points": penalty,
        "value_musd": team.value_tenths / 10,
        "bank_musd": team.bank_tenths / 10,
        "budget_musd": team.budget_tenths / 10,
        "free_transfers": team.free_transfers,
        "chips_left": list(team.chips_left),
        "races_played": team.races_played,
        "locked": list(my_team.locked),
        "banned": list(my_team.banned),
        "notes": [*inactive_notes(team, menu), *_notes(pipeline, my_team, lacks_points)],
    }


def print_team(answer: dict[str, Any], output: str) -> None:
    """Print a team.

    Parameters
    ----------
    answer : dict
        From `describe_team`.
    output : str
        `table`, `json` or `csv`, which has a row per asset.
    """
    if output == "json":
        print_json(answer)
    elif output == "csv":
        common = {name: answer[name] for name in ("race_key", "bank_musd", "budget_musd", "free_transfers")}
        print_rows(pa.Table.from_pylist([common | asset for asset in answer["assets"]]), output)
    else:
        _print_table(answer)


def _print_table(answer: dict[str, Any]) -> None:
    season = answer["race_key"].split("-")[0]
    title = answer["name"] or "Your team"
    table = new_table(f"{title} · {season} {answer['race']}")
    for name, justify in (("Asset", "left"), ("Seat", "left"), ("$M", "right"), ("Points", "right"), ("", "left")):
        table.add_column(name, justify=justify)
    for asset in answer["assets"]:
        name = f"{asset['name']} ×2" if asset["is_boosted"] else asset["name"]
        seat = asset["seat"].partition("@")[2] or "constructor"
        marks = [word for word, key in (("inactive", "is_active"), ("locked", "is_locked")) if _is_marked(asset, key)]
        points = _points_text(asset["expected_points"])
        table.add_row(name, seat, f"{asset['price_musd']:.1f}", points, ", ".join(marks))
    table.add_section()
    if answer["inactive_points"]:
        table.add_row("Inactive assets", "", "", _points_text(answer["inactive_points"]), "")
    table.add_row("Team", "", f"{answer['value_musd']:.1f}", _points_text(answer["expected_points"]), "")
    table.add_row("Bank", "", f"{answer['bank_musd']:.1f}", "", "")
    table.add_row("Budget", "", f"{answer['budget_musd']:.1f}", "", "")
    printer = console()
    printer.print(table)
    transfers = "unlimited before the first race" if answer["races_played"] == 0 else answer["free_transfers"]
    printer.print(f"Locks: {answer['lock_at'][:16]} UTC", highlight=False)
    printer.print(f"Free transfers: {transfers}", highlight=False)
    for label, key in (("Chips left", "chips_left"), ("Locked", "locked"), ("Banned", "banned")):
        if answer[key] or key == "chips_left":
            printer.print(f"{label}: {', '.join(answer[key]) or 'none'}", highlight=False)
    for note in answer["notes"]:
        printer.print(f"! {note}", highlight=False, soft_wrap=True)


def _is_marked(asset: dict[str, Any], key: str) -> bool:
    return asset[key] is (key != "is_active")


def _points_text(points: float | None) -> str:
    return "–" if points is None else f"{points:.1f}"


def _notes(pipeline: Pipeline, my_team: MyTeam, lacks_points: bool) -> list[str]:
    race = pipeline.calendar.get(my_team.race_key)
    if race.is_finished:
        return [f"{race.race_key} is over: `f1-pipeline team next` moves the team on"]
    return [f"{race.race_key} has no forecast yet: `f1-pipeline run` makes it"] if lacks_points else []


def _points(pipeline: Pipeline, race_key: str) -> dict[AssetKey, float]:
    """Read expected points; none before the race is forecast."""
    if not pipeline.warehouse.exists():
        return {}
    with pipeline.warehouse.read() as connection:
        if race_key not in pipeline.race_keys_in(connection, FORECAST_TABLE):
            return {}
        rows = read_frame(connection, FORECAST, {"race_key": race_key})
    return {(kind, asset_id): points for kind, asset_id, points in rows.itertuples(index=False, name=None)}


def _names(pipeline: Pipeline) -> dict[AssetKey, str]:
    return {
        (kind, row[f"{kind}_id"]): row["name"]
        for kind in ("driver", "constructor")
        for row in load_fact_table(pipeline.settings.data_dir, f"{kind}s").to_pylist()
    }
