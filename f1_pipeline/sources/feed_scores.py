"""Make event scores of the feed's items, reconciled with results and totals like those of every other record.

Belongs here: which assets are scored again, and the form in which items are handed over. Neighbours:
`importer_scores` reconciles, `feed_merge` brings the totals first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.fact_frames import driven, keys_of, of_races, typed
from f1_pipeline.sources.fact_writer import as_text
from f1_pipeline.sources.feed_assets import ASSET, SOURCE, AssetInRace, Stated, asset_keys
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedItem
from f1_pipeline.sources.importer_scores import build_scores
from f1_pipeline.sources.season_rules import rules_of
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES

_SCORED_WITH = ("races", "qualifying_results", "starting_grids", "race_results", "official_totals")


def merge_scores(facts: Facts, before: Facts, stated: Sequence[Stated], rules: Mapping[int, SeasonRules]) -> Facts:
    """Take the feed's items where they differ from the event scores at hand.

    Parameters
    ----------
    facts : Facts
        With the feed's totals in place; not altered.
    before : Facts
        Without them.
    stated : sequence of Stated
    rules : mapping of int to SeasonRules

    Returns
    -------
    Facts
        A finished race is scored again once its result is known; an asset's scores are replaced if its points or
        places differ, and one that had none gets its own.

    Raises
    ------
    DataError
        An item is stated twice, or a record of blocks contradicts its cars.
    RuleError
        A season has no rules.
    """
    with_items = [one for one in stated if one.state.meeting.is_done and one.items]
    ready = {one.race_key for one in with_items} & driven(facts) & keys_of(facts, "official_totals")
    made = [
        _scored(facts, season, {race_key for race_key in ready if race_key.startswith(f"{season}-")}, with_items, rules)
        for season in sorted({int(race_key[:4]) for race_key in ready})
    ]
    if not made:
        return facts
    new, old = pd.concat(made, ignore_index=True), facts["event_scores"]
    new_values, old_values = _values(new), _values(old)
    spoken_of = {one.key for one in with_items} | _restated(before["official_totals"], facts["official_totals"])
    taken = {
        key
        for key in spoken_of | new_values.keys()
        if key[0] in ready and (key not in old_values or (key in spoken_of and new_values.get(key) != old_values[key]))
    }
    kept = old.loc[[key not in taken for key in asset_keys(old)]]
    better = new.loc[[key in taken for key in asset_keys(new)]]
    return facts | {"event_scores": pd.concat([kept, better], ignore_index=True)}


def _restated(before: pd.DataFrame, after: pd.DataFrame) -> set[AssetInRace]:
    """List the assets whose official total is another one than before."""
    old = dict(zip(asset_keys(before), before["total_points"], strict=True))
    new = dict(zip(asset_keys(after), after["total_points"], strict=True))
    return {key for key, total in new.items() if old.get(key) != total}


def _scored(
    facts: Facts, season: int, race_keys: set[str], stated: Sequence[Stated], rules: Mapping[int, SeasonRules]
) -> pd.DataFrame:
    frames = {name: typed(name, of_races(facts, name, race_keys)) for name in _SCORED_WITH}
    columns = [*ASSET, "session", "scoring_item", "points", "frequency", "source"]
    rows = [row for one in stated for row in _records(one)]
    records = {"fantasy_points": pd.DataFrame(rows, columns=columns, dtype=str)}
    return as_text(FACT_TABLES["event_scores"], build_scores(season, frames, records, rules_of(rules, season)))


def _records(one: Stated) -> list[dict[str, str]]:
    """Spell the items of an asset as the other records of the game do; unknown ones of a session become one."""
    unknown: dict[str, list[FeedItem]] = {}
    rows = []
    for item in one.items:
        if item.scoring_item == UNKNOWN_ITEM:
            unknown.setdefault(item.event_type, []).append(item)
        else:
            rows.append((item.event_type, item.scoring_item, item.points, item.position, SOURCE))
    for event_type, items in unknown.items():
        words = "; ".join(f"{item.event_name} {item.points:+d}" for item in items)
        rows.append((event_type, UNKNOWN_ITEM, sum(item.points for item in items), None, f"{SOURCE}: {words}"))
    return [
        dict(zip(ASSET, one.key, strict=True))
        | {"session": event_type, "scoring_item": name, "points": str(points)}
        | {"frequency": "" if position is None else str(position), "source": source}
        for event_type, name, points, position, source in rows
    ]


def _values(scores: pd.DataFrame) -> dict[AssetInRace, dict[tuple[str, str], tuple[int, str]]]:
    """Reduce scores to what sources can disagree about: points and places; the parts of pit stops are one value."""
    values: dict[AssetInRace, dict[tuple[str, str], tuple[int, str]]] = {}
    for row in scores.to_dict("records"):
        name = "pit_stops" if row["scoring_item"].startswith("pit_stop") else row["scoring_item"]
        of_asset = values.setdefault((row["race_key"], row["asset_type"], row["asset_id"]), {})
        points, _ = of_asset.get((row["event_type"], name), (0, ""))
        of_asset[row["event_type"], name] = (points + int(row["points"]), row["position"])
    worthless = (0, "")
    return {
        key: {item: value for item, value in of_asset.items() if value != worthless} for key, of_asset in values.items()
    }
