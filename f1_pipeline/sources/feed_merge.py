"""Merge a reading of the official feed into the facts: prices, points with their items, ownership, coming weekends.

Belongs here: what the feed may change and what stays. The feed is the game itself: where it states another value than
an earlier record, the feed's is taken; where it states the same, the older row stays with its source. Neighbours:
`feed_payloads` makes the reading of JSON, `feed_calendar` finds its races, `feed_assets` its assets, `feed_scores`
makes event scores of its items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.fact_writer import as_text
from f1_pipeline.sources.feed_assets import AssetInRace, Stated, asset_keys, find_constructors, find_drivers
from f1_pipeline.sources.feed_calendar import apply_schedule, cancel_left_out, held, key_of, match_meetings
from f1_pipeline.sources.feed_data import FeedData, FeedItem, Meeting, PlayerState
from f1_pipeline.sources.feed_scores import merge_scores
from f1_pipeline.sources.source import Facts, Say
from f1_pipeline.sources.tables import FACT_TABLES


def merge_feed(facts: Facts, feed: FeedData, rules: Mapping[int, SeasonRules], note: Say) -> Facts:
    """Put what the feed says into the facts.

    Parameters
    ----------
    facts : Facts
        Not altered; may know people whom no fact names yet.
    feed : FeedData
    rules : mapping of int to SeasonRules
        The rules of every season that has some.
    note : callable
        Told of meetings for which there is no race.

    Returns
    -------
    Facts
        Prices of every race that the feed has, of the assets that take part; totals and ownership of finished ones;
        event scores of those whose results are known, for each asset whose items differ from those at hand.

    Raises
    ------
    DataError
        The feed is older than the facts, contradicts itself or them, or names a team nobody knows.
    RuleError
        A season of the feed has no rules.
    """
    meetings = held(_with_rules(feed.meetings, rules, note), note)
    found = match_meetings(meetings, facts["races"])
    unknown = [meeting for meeting in meetings if key_of(meeting) not in found]
    for season in sorted({meeting.season for meeting in unknown}):
        names = ", ".join(meeting.name for meeting in unknown if meeting.season == season)
        note(f"no race of the calendar of {season}: {names}; what the feed says of it is left out")
    by_race = {found[key_of(meeting)]: meeting for meeting in meetings if key_of(meeting) in found}
    facts = apply_schedule(facts, by_race, rules, feed.read_at, _scored(feed, by_race))
    if not unknown:  # a meeting whose race is unknown may be the one that seems to be missing
        facts = cancel_left_out(facts, by_race)
    is_on = facts["races"]["is_cancelled"] == "false"
    races = by_race.keys() & set(facts["races"].loc[is_on, "race_key"])
    stated, idle, facts = _find_assets(facts, feed, {key: race for key, race in found.items() if race in races})
    return merge_scores(_merge_values(facts, stated, idle), facts, stated, rules)


def _with_rules(meetings: Sequence[Meeting], rules: Mapping[int, SeasonRules], note: Say) -> list[Meeting]:
    """Leave out seasons that come after the last rules: the game may open one long before its rules are written."""
    last = max(rules, default=0)
    for season in sorted({meeting.season for meeting in meetings if meeting.season > last}):
        note(f"the game has the schedule of {season} already; it waits for data/rules/{season}.toml")
    return [meeting for meeting in meetings if meeting.season <= last]


def _scored(feed: FeedData, by_race: Mapping[str, Meeting]) -> set[str]:
    """List the races with points; the game may also close the gameday of a race that was called off."""
    with_points = {key_of(state.meeting) for state in feed.states if state.total_points is not None}
    return {race_key for race_key, meeting in by_race.items() if key_of(meeting) in with_points}


def _find_assets(
    facts: Facts, feed: FeedData, found: Mapping[tuple[int, str], str]
) -> tuple[list[Stated], set[AssetInRace], Facts]:
    """Name the assets that take part, list those that do not, and add drivers whom nobody knew."""
    items: dict[tuple[str, str], list[FeedItem]] = {}
    for item in feed.items:
        if key_of(item.meeting) in found:
            items.setdefault((found[key_of(item.meeting)], item.player_id), []).append(item)
    states = [state for state in feed.states if key_of(state.meeting) in found]
    # one who has left may have no team any more; he is looked for by his name alone
    teams = find_constructors([state for state in states if state.team_name or state.is_active], facts)
    stated: list[Stated] = []
    idle: set[AssetInRace] = set()
    for season in sorted({state.meeting.season for state in states}):
        own = [state for state in states if state.meeting.season == season]
        own_items = [items.get((found[key_of(state.meeting)], state.player_id), []) for state in own]
        is_playing = [
            state.is_active or any(item.points for item in of) for state, of in zip(own, own_items, strict=True)
        ]
        playing = {state.player_id for state, plays in zip(own, is_playing, strict=True) if plays}
        drivers, facts = find_drivers(own, facts, teams, playing)
        for state, of_state, plays in zip(own, own_items, is_playing, strict=True):
            team = teams.get((season, state.team_name), "")
            asset_id = team if state.asset_type == "constructor" else drivers.get(state.player_id, "")
            one = Stated(found[key_of(state.meeting)], asset_id, team, state, tuple(of_state))
            if plays and not team:
                raise DataError(f"{one.race_key}: the feed's driver {state.name!r} has points and no team")
            if plays:
                stated.append(one)
            elif asset_id:
                idle.add(one.key)
    stated = _without_idle_twins(stated)
    _refuse_twice(stated)
    return stated, idle - {one.key for one in stated}, facts


def _without_idle_twins(stated: Sequence[Stated]) -> list[Stated]:
    """Leave out who scored nothing in a driven race in which the same driver scored as another player.

    A driver who changes team gets a new player, whom the game may list at the races before, too.
    """
    scored = {one.key for one in stated if one.state.meeting.is_done and one.items}
    return [one for one in stated if one.items or one.state.total_points or one.key not in scored]


def _refuse_twice(stated: Sequence[Stated]) -> None:
    seen: dict[AssetInRace, PlayerState] = {}
    for one in stated:
        other = seen.setdefault(one.key, one.state)
        if other is not one.state:
            players = f"{other.name!r} (player {other.player_id}) and {one.state.name!r} (player {one.state.player_id})"
            raise DataError(
                f"{one.race_key}: the feed's {players} both take part as {one.state.asset_type} {one.asset_id}"
            )


def _merge_values(facts: Facts, stated: Sequence[Stated], idle: set[AssetInRace]) -> Facts:
    done = [one for one in stated if one.state.meeting.is_done]
    rows = {
        "prices": [one.row(price_musd=one.state.price_tenths) for one in stated],
        "official_totals": [
            one.row(total_points=one.state.total_points) for one in done if one.state.total_points is not None
        ],
        "ownership": [
            one.row(selected_pct=one.state.selected_pct, boosted_pct=one.state.boosted_pct)
            for one in done
            if one.state.selected_pct is not None
        ],
    }
    # an asset that was replaced before the race is not on sale in it; one with points took part
    gone = idle - set(asset_keys(facts["official_totals"]))
    merged = {name: _taken_over(name, facts[name], stated_rows) for name, stated_rows in rows.items()}
    for name in ("prices", "ownership"):
        merged[name] = merged[name].loc[[key not in gone for key in asset_keys(merged[name])]].reset_index(drop=True)
    return facts | merged


def _taken_over(name: str, old: pd.DataFrame, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Add rows; one that states the same values as the facts leaves their row as it is."""
    table = FACT_TABLES[name]
    told = [column for column in table.column_names if "source" not in column]
    new = as_text(table, pd.DataFrame(list(rows), columns=list(table.column_names)))
    known = set(old[told].itertuples(index=False, name=None))
    new = new.loc[[row not in known for row in new[told].itertuples(index=False, name=None)]]
    replaced = set(asset_keys(new))
    return pd.concat([old.loc[[key not in replaced for key in asset_keys(old)]], new], ignore_index=True)
