"""Weekends worked out: named races of the official game, item by item, and what the rules have to say of them.

Belongs here: the examples at the end of the scoring rules. Figures are those of the facts; what a team makes of them is
worked out by :mod:`f1_pipeline.game.team`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from f1_pipeline.game.chips import NoNegative, session_order
from f1_pipeline.game.decisions import Decision, RaceMenu, asset_key, driver_of
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.rules import load_rules
from f1_pipeline.game.settlement import RaceResult
from f1_pipeline.game.team import Team
from f1_pipeline.report.rule_facts import Facts
from f1_pipeline.report.rule_words import race_name, signed, wrapped

_ITEMS = {
    "qualifying_position": "place in qualifying",
    "qualifying_not_classified": "no time in qualifying",
    "qualifying_disqualified": "disqualified from qualifying",
    "sprint_position": "place in the sprint",
    "sprint_positions_gained": "places gained in the sprint",
    "sprint_positions_lost": "places lost in the sprint",
    "sprint_overtakes": "overtakes in the sprint",
    "sprint_fastest_lap": "fastest lap of the sprint",
    "race_position": "place in the race",
    "race_positions_gained": "places gained in the race",
    "race_positions_lost": "places lost in the race",
    "race_overtakes": "overtakes in the race",
    "race_fastest_lap": "fastest lap of the race",
    "race_not_classified": "not classified in the race",
    "race_disqualified": "disqualified from the race",
    "driver_of_the_day": "Driver of the Day",
    "both_drivers_q3": "both cars in Q3",
}


@dataclass(frozen=True)
class Example:
    """A weekend of an asset, and what it shows."""

    race_key: str
    asset_id: str
    text: str


EXAMPLES = (
    Example(
        "2025-canada",
        "lando-norris",
        "He started seventh, retired and was classified eighteenth: places lost, but no penalty for not finishing. "
        "Under No Negative the places lost count 0.",
    ),
    Example(
        "2026-miami",
        "liam-lawson",
        "He retired and was not classified: the penalty, and the overtakes that he had made stay.",
    ),
    Example(
        "2025-china",
        "ferrari",
        "Both cars were disqualified from the race: for each the constructor carries the driver's penalty and its own "
        "extra. Nothing else of the race counts, pit stops included; sprint and qualifying stand.",
    ),
    Example(
        "2026-china",
        "kimi-antonelli",
        "A sprint weekend: all its sessions add up. In the sprint he lost places and overtook all the same.",
    ),
)
_LINEUP = Lineup(
    ("max-verstappen", "valtteri-bottas", "sergio-perez", "franco-colapinto", "nico-hulkenberg"),
    ("audi", "cadillac"),
    "max-verstappen",
)
_NEXT_LINEUP = Lineup(
    ("max-verstappen", "alexander-albon", "fernando-alonso", "gabriel-bortoleto", "nico-hulkenberg"),
    ("audi", "williams"),
    "max-verstappen",
)
_TEAM_RACES = ("2026-australia", "2026-china", "2026-japan")


def render_examples(data_dir: Path) -> list[str]:
    """Render the worked examples.

    Parameters
    ----------
    data_dir : Path
        Directory of the facts and rules.

    Returns
    -------
    list of str
        Blocks of Markdown.

    Raises
    ------
    DataError
        The facts of an example are missing, or its items do not add up to the official total.
    """
    facts = Facts(data_dir)
    parts = ["## Weekends worked out", "Official points of the game, as in `data/event_scores.csv`."]
    for example in EXAMPLES:
        name = facts.names[example.asset_id]
        parts += [f"### {name}, {race_name(example.race_key)}", wrapped(example.text), _items(facts, example)]
    return [*parts, *_team(facts)]


def _items(facts: Facts, example: Example) -> str:
    rules = load_rules(facts.data_dir, int(example.race_key[:4]))
    sessions = session_order(rules, _menu(facts, example.race_key).has_sprint)
    items = facts.weekend(example.race_key, example.asset_id)
    in_time = [sessions.index(session) for session in items["event_type"]]
    items = items.assign(in_time=in_time).sort_values(["in_time", "scoring_item"])
    lines = ["| | points | No Negative |", "|---|---|---|"]
    for name, points in zip(items["scoring_item"], items["points"].tolist(), strict=True):
        label = _ITEMS.get(name, name.replace("_", " "))
        lines.append(f"| {label[:1].upper()}{label[1:]} | {signed(points)} | {signed(max(0, points))} |")
    floored = int(items["points"].clip(lower=0).sum())
    lines.append(f"| **Weekend** | **{signed(int(items['points'].sum()))}** | **{signed(floored)}** |")
    return "\n".join(lines)


def _team(facts: Facts) -> list[str]:
    """Work out a team's weekend in the order of the rules."""
    first, race_key, following = _TEAM_RACES
    team = Team.start(_LINEUP, _menu(facts, first).prices, load_rules(facts.data_dir, int(first[:4])))
    team, _ = team.apply(Decision(_LINEUP), _menu(facts, first)).settle(
        _of(facts.scores, first), _menu(facts, race_key).prices
    )
    locked = team.apply(Decision(_NEXT_LINEUP, NoNegative()), _menu(facts, race_key))
    _, result = locked.settle(_of(facts.scores, race_key), _menu(facts, following).prices)
    text = wrapped(
        f"A team with {_named(facts, _LINEUP)} at the race before changed {result.transfer_count} of them, "
        f"{team.free_transfers} for nothing, boosted {facts.names[_NEXT_LINEUP.boosted_driver]} and played No Negative:"
    )
    return [f"### A team, {race_name(race_key)}", text, _result(facts, result)]


def _result(facts: Facts, result: RaceResult) -> str:
    lines = ["| | points | floored | factor | for the team |", "|---|---|---|---|---|"]
    for score in result.scores:
        numbers = (score.raw_points, score.floored_points, score.multiplier, score.points)
        raw, floored, factor, points = map(signed, numbers)
        lines.append(f"| {facts.names[driver_of(score.key[1])]} | {raw} | {floored} | ×{factor} | {points} |")
    lines.append(f"| Transfers above the free ones | | | | {signed(result.transfer_points)} |")
    lines.append(f"| **Team** | | | | **{signed(result.total_points)}** |")
    return "\n".join(lines)


def _named(facts: Facts, lineup: Lineup) -> str:
    return ", ".join(facts.names[asset_id] for _, asset_id in lineup.asset_keys)


def _of(rows: pd.DataFrame, race_key: str) -> pd.DataFrame:
    return rows[rows["race_key"] == race_key]


def _menu(facts: Facts, race_key: str) -> RaceMenu:
    prices = _of(facts.prices, race_key)
    columns = (prices[name] for name in ("asset_type", "asset_id", "constructor_id", "price_musd"))
    has_sprint = bool(_of(facts.races, race_key)["has_sprint"].item())
    return RaceMenu(
        race_key=race_key,
        calendar=facts.calendar(int(race_key[:4])),
        has_sprint=has_sprint,
        prices={
            asset_key(kind, asset, team): int(price * 10) for kind, asset, team, price in zip(*columns, strict=True)
        },
    )
