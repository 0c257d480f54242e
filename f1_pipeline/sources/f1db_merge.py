"""Merge an F1DB release into the facts: its calendar, results and names take the place of the older ones.

Belongs here: what a release may change and what it may not. A release is a whole, so its tables replace the facts';
what it must never do is lose something: a race that it no longer lists stays as cancelled, and one that lacks results
which the facts hold is older than they are and is refused. Neighbours: the ``importer_*`` modules read the release's
frames, `f1db_source` fetches them, `feed_merge` brings the game's own facts.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.fact_frames import referred
from f1_pipeline.sources.fact_writer import as_facts
from f1_pipeline.sources.importer_calendar import build_calendar
from f1_pipeline.sources.importer_results import build_people, build_results, whole
from f1_pipeline.sources.names import person, same_person
from f1_pipeline.sources.season_rules import rules_of
from f1_pipeline.sources.source import Facts, Say

RESULT_TABLES = ("race_results", "qualifying_results", "starting_grids", "practice_results", "pit_stops")
_START = ["race_key", "constructor_id"]
_PEOPLE = {"drivers": "driver_id", "constructors": "constructor_id", "circuits": "circuit_id"}


def merge_release(
    facts: Facts, release: Mapping[str, pd.DataFrame], rules: Mapping[int, SeasonRules], note: Say
) -> Facts:
    """Put a release's calendar, results and names in place of the facts'.

    Parameters
    ----------
    facts : Facts
        Not altered.
    release : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.f1db.read_f1db`.
    rules : mapping of int to SeasonRules
        The rules of every season that has some; a later season of the release waits for its rules.
    note : callable
        Told what of the release was left out.

    Returns
    -------
    Facts
        With every driver, constructor and circuit that the release describes: another reading may name one that no
        fact names yet. :func:`f1_pipeline.sources.fact_frames.keep_named` drops the rest.

    Raises
    ------
    DataError
        The release lacks results, or a driven race, that the facts hold; or it contradicts itself.
    RuleError
        A season of the facts has no rules.
    """
    playable = _with_rules(release, rules, set(facts["races"]["season"]), note)
    races, sessions, race_keys = build_calendar(playable, {season: rules[season].lock for season in rules})
    made = as_facts({"races": races, "sessions": sessions, **build_results(playable, race_keys)})
    _refuse_an_older_one(facts, made)
    cancelled = _no_longer_listed(facts, made)
    made |= {
        "races": pd.concat([made["races"], cancelled], ignore_index=True),
        "sessions": _with_sessions_of(cancelled, facts, made),
    }
    made |= as_facts(_people(release, made))
    merged = facts | {name: _with_others(facts, made, name) for name in made}
    return _renamed(merged, set(made["drivers"]["driver_id"]))


def _with_rules(
    release: Mapping[str, pd.DataFrame], rules: Mapping[int, SeasonRules], known: set[str], note: Say
) -> Mapping[str, pd.DataFrame]:
    """Leave out seasons that come after the last rules: their calendar may be known long before their rules."""
    races = release["races"]
    seasons = whole(races["year"])
    last = max(rules, default=0)
    for season in sorted({int(season) for season in seasons[seasons > last]}):
        if str(season) in known:
            rules_of(rules, season)
        note(f"F1DB has the calendar of {season} already; it waits for data/rules/{season}.toml")
    return {**release, "races": races[seasons <= last]}


def _refuse_an_older_one(facts: Facts, made: Facts) -> None:
    dates = dict(zip(facts["races"]["race_key"], facts["races"]["race_date"], strict=True))
    lost = [
        (dates[race_key], race_key, rank, name)
        for rank, name in enumerate(RESULT_TABLES)
        for race_key, _ in _sessions_of(facts[name]) - _sessions_of(made[name])
    ]
    if lost:
        _, race_key, _, name = min(lost)
        raise DataError(
            f"{race_key}: the F1DB release holds no {name.replace('_', ' ')}, the facts do; "
            "the release is older than the facts."
        )


def _sessions_of(results: pd.DataFrame) -> set[tuple[str, str]]:
    """List race and session of every result; a release of Saturday has the sprint of a weekend and not its race."""
    sessions = results["session"] if "session" in results else pd.Series("race", index=results.index)
    return set(zip(results["race_key"], sessions, strict=True))


def _no_longer_listed(facts: Facts, made: Facts) -> pd.DataFrame:
    """Return the races that the release dropped, as cancelled; each keeps its last date and round number."""
    races = facts["races"]
    dropped = races[~races["race_key"].isin(set(made["races"]["race_key"]))]
    scored = sorted(set(dropped["race_key"]) & set(facts["official_totals"]["race_key"]))
    if scored:
        raise DataError(f"{scored[0]}: the F1DB release does not list it, but the facts hold its official points.")
    return dropped.assign(is_cancelled="true")


def _with_sessions_of(cancelled: pd.DataFrame, facts: Facts, made: Facts) -> pd.DataFrame:
    sessions = facts["sessions"]
    kept = sessions[sessions["race_key"].isin(set(cancelled["race_key"]))]
    return pd.concat([made["sessions"], kept], ignore_index=True)


def _people(release: Mapping[str, pd.DataFrame], made: Facts) -> dict[str, pd.DataFrame]:
    drivers, constructors, _ = referred(made)
    listed = made["races"][made["races"]["is_cancelled"] == "false"]
    return build_people(
        release,
        drivers | set(release["drivers"]["id"]),
        constructors | set(release["constructors"]["id"]),
        set(listed["circuit_id"]),
    )


def _with_others(facts: Facts, made: Facts, name: str) -> pd.DataFrame:
    """Add the people and circuits of the facts whom the release does not describe."""
    if name not in _PEOPLE:
        return made[name]
    key = _PEOPLE[name]
    others = facts[name][~facts[name][key].isin(set(made[name][key]))]
    return pd.concat([made[name], others], ignore_index=True)


def _renamed(facts: Facts, described: set[str]) -> Facts:
    """Call a newcomer of the official feed by the id that F1DB has for a driver of his name, or for who drove."""
    drivers = facts["drivers"]
    is_described = drivers["driver_id"].isin(described)
    new_ids: dict[str, str] = {}
    for row in drivers[~is_described & (drivers["date_of_birth"] == "")].to_dict("records"):
        found = same_person(drivers[is_described], [row["name"], f"{row['first_name']} {row['last_name']}"])
        found = found or _who_drove(row, facts, drivers[is_described])
        if len(found) > 1:
            raise DataError(f"drivers.csv: {row['driver_id']} may be {' or '.join(found)} of the F1DB release.")
        new_ids |= dict.fromkeys([row["driver_id"]], found[0]) if found else {}
    if not new_ids:
        return facts
    renamed = {
        name: frame.assign(
            asset_id=frame["asset_id"].where(frame["asset_type"] != "driver", frame["asset_id"].replace(new_ids))
        )
        for name, frame in facts.items()
        if "asset_id" in frame
    }
    return facts | renamed | {"drivers": drivers[~drivers["driver_id"].isin(new_ids)].reset_index(drop=True)}


def _who_drove(newcomer: Mapping[str, str], facts: Facts, described: pd.DataFrame) -> list[str]:
    """Find a newcomer whom F1DB writes otherwise: code, a name in common, and a start where he himself was on sale."""
    prices = facts["prices"][facts["prices"]["asset_type"] == "driver"]
    on_sale = set(prices[[*_START, "asset_id"]].itertuples(index=False, name=None))
    own = {(race_key, team) for race_key, team, driver_id in on_sale if driver_id == newcomer["driver_id"]}
    starts = facts["race_results"][[*_START, "driver_id"]].itertuples(index=False, name=None)
    drove = {driver_id for race_key, team, driver_id in set(starts) - on_sale if (race_key, team) in own}
    names = set(person(newcomer["name"]))
    alike = described[described["driver_id"].isin(drove) & (described["abbreviation"] == newcomer["abbreviation"])]
    return [row["driver_id"] for row in alike.to_dict("records") if names & set(person(row["name"]))]
