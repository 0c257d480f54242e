"""Real races as a team meets them: menus, scoring items and prices of the facts, for tests of teams and chips.

Belongs here: reading. What teams should make of the races is worked by hand in the tests themselves.
"""

from collections.abc import Iterable
from functools import cache

import pandas as pd

from f1_pipeline.game.decisions import Decision, RaceMenu, asset_key
from f1_pipeline.game.lineup import AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.settlement import RaceResult
from f1_pipeline.game.team import Team
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline_tests.support import REPO

DATA_DIR = REPO / "data"


@cache
def facts(name: str) -> pd.DataFrame:
    return load_fact_table(DATA_DIR, name).to_pandas()


@cache
def rules_of(season: int) -> SeasonRules:
    return load_rules(DATA_DIR, season)


@cache
def calendar_of(season: int) -> tuple[str, ...]:
    races = facts("races")
    return tuple(races[(races["season"] == season) & ~races["is_cancelled"]]["race_key"])


@cache
def prices_of(race_key: str) -> dict[AssetKey, int]:
    rows = facts("prices")[facts("prices")["race_key"] == race_key]
    columns = (rows[name] for name in ("asset_type", "asset_id", "constructor_id", "price_musd"))
    return {asset_key(kind, asset, team): int(price * 10) for kind, asset, team, price in zip(*columns, strict=True)}


@cache
def items_of(race_key: str) -> pd.DataFrame:
    return facts("event_scores")[facts("event_scores")["race_key"] == race_key]


def menu_of(race_key: str, inactive: Iterable[AssetKey] = ()) -> RaceMenu:
    races = facts("races").set_index("race_key")
    return RaceMenu(
        race_key=race_key,
        calendar=calendar_of(int(race_key[:4])),
        has_sprint=bool(races.loc[race_key, "has_sprint"]),
        prices=prices_of(race_key),
        inactive=frozenset(inactive),
    )


def lineup_of(drivers: str, constructors: str, boosted: str) -> Lineup:
    return Lineup(tuple(drivers.split()), tuple(constructors.split()), boosted)


def start_at(race_key: str, lineup: Lineup) -> Team:
    return Team.start(lineup, prices_of(race_key), rules_of(int(race_key[:4])))


def play(team: Team, decision: Decision, race_key: str, next_race_key: str) -> tuple[Team, RaceResult]:
    """Lock a decision for a real race and settle it at the prices of the next one."""
    return team.apply(decision, menu_of(race_key)).settle(items_of(race_key), prices_of(next_race_key))


def points_of(result: RaceResult) -> dict[str, float]:
    """Give what each asset brought the team, drivers by their ids."""
    return {score.key[1].partition("@")[0]: score.points for score in result.scores}
