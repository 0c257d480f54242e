"""Score races that were driven, with what was recorded in place of what results cannot say, under any season's rules.

Belongs here: which recorded items an engine needs, whether they mean the same under other rules, and naming those that
nobody recorded. Pure. Neighbours: :mod:`f1_pipeline.game.scoring` and :mod:`f1_pipeline.game.constructor_scoring` know
what results are worth; ``steps.scores`` brings the facts and stores the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from f1_pipeline.game.rules import AbsentRules, SeasonRules
from f1_pipeline.game.scoring import SCORE_COLUMNS, SessionResults, score_constructors, score_drivers

ASSET = ["race_key", "asset_type", "asset_id"]
ITEM_COLUMNS = ["race_key", "asset_type", *SCORE_COLUMNS[1:], "origin"]
TOTAL_COLUMNS = [*ASSET, "constructor_id", "total_points", "unknown_items", "is_complete"]
PIT_STOP_ITEMS = (
    "pit_stop_fastest_time",
    "pit_stop_second_fastest",
    "pit_stop_third_fastest",
    "pit_stop_overall_fastest",
    "pit_stop_total",
)
# Overtakes of both sessions of a sprint weekend, and perhaps the sprint's fastest lap, that were recorded in one sum.
WEEKEND_OVERTAKES = "weekend_overtakes"
SESSION_ITEMS = ("sprint_overtakes", "sprint_fastest_lap", "race_overtakes")
RECORDED_ITEMS = frozenset({*SESSION_ITEMS, WEEKEND_OVERTAKES, *PIT_STOP_ITEMS})
UNKNOWN_PIT_STOPS = "pit_stops"
_NUMBERS = ("points", "position", "frequency")
_CAR_ITEM = ["race_key", "constructor_id", "event_type", "scoring_item"]
_ITEM = ["race_key", "asset_id", "event_type", "scoring_item"]
_KEY = [*ASSET, "event_type", "scoring_item"]
# A constructor's overtakes are as good as the weakest record of its cars.
_ORIGINS = ("official", "corrected", "residual")


@dataclass(frozen=True)
class DrivenRaces:
    """Races that have results, of any seasons.

    Parameters
    ----------
    seasons : mapping of str to int
        Season of each race, in order of date. Streaks are counted over the races that are there, so a season's must be
        complete up to its last one here.
    results : SessionResults
        Results of these races; overtakes and sprint fastest laps are taken from the records.
    records : pandas.DataFrame
        race_key, asset_type, asset_id, constructor_id, event_type, scoring_item, points, frequency, origin: official
        items, those of races without any being unknown.
    """

    seasons: Mapping[str, int]
    results: SessionResults
    records: pd.DataFrame


def score_with_records(
    results: SessionResults, records: pd.DataFrame, rules: SeasonRules, calendar: Sequence[str] | None = None
) -> pd.DataFrame:
    """Score drivers and constructors from results, and from records what results cannot say.

    Parameters
    ----------
    results : SessionResults
        Results of any races.
    records : pandas.DataFrame
        As in :class:`DrivenRaces`; items that results determine are not looked at.
    rules : SeasonRules
        The rules.
    calendar : sequence of str, optional
        Race keys in order of date, for rules that know streaks; then the results must be complete, as in
        :class:`DrivenRaces`.

    Returns
    -------
    pandas.DataFrame
        ``ITEM_COLUMNS``: one row per race, asset, event and item. ``origin`` is derived, or for a recorded item that
        of the record; for the overtakes of a constructor, the weakest of its cars.

    Raises
    ------
    DataError
        A classified driver has no place on the starting grid, and places count from there.
    UsageError
        The calendar lacks a race.
    """
    recorded = records[records["scoring_item"].isin(RECORDED_ITEMS)]
    of_drivers = recorded[recorded["asset_type"] == "driver"]
    pit_stops = recorded[recorded["scoring_item"].isin(PIT_STOP_ITEMS)]
    drivers = score_drivers(_with_records(results, of_drivers), rules, calendar)
    summed = of_drivers[of_drivers["scoring_item"] == WEEKEND_OVERTAKES]
    drivers = pd.concat([drivers, summed.assign(position=pd.NA)[SCORE_COLUMNS].astype(drivers.dtypes)])
    drivers = _with_origin(drivers, of_drivers, _ITEM)
    constructors = score_constructors(drivers[SCORE_COLUMNS], results.qualifying, rules, pit_stops, calendar)
    of_cars = drivers[drivers["scoring_item"].isin(RECORDED_ITEMS)]
    constructors = _with_origin(constructors, pd.concat([of_cars[[*_CAR_ITEM, "origin"]], pit_stops]), _CAR_ITEM)
    return pd.concat(
        [drivers.assign(asset_type="driver"), constructors.assign(asset_type="constructor")], ignore_index=True
    )[ITEM_COLUMNS]


def _with_records(results: SessionResults, records: pd.DataFrame) -> SessionResults:
    own = records.rename(columns={"asset_id": "driver_id", "event_type": "session", "frequency": "overtake_count"})
    overtakes = own[own["scoring_item"] == own["session"] + "_overtakes"]
    fastest_laps = own[own["scoring_item"] == "sprint_fastest_lap"]
    return replace(
        results,
        overtakes=overtakes[["race_key", "session", "driver_id", "overtake_count"]],
        sprint_fastest_laps=fastest_laps[["race_key", "driver_id"]],
    )


def _with_origin(items: pd.DataFrame, records: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    rank = records["origin"].map({origin: rank for rank, origin in enumerate(_ORIGINS)})
    weakest = records.assign(rank=rank).groupby(keys, as_index=False)["rank"].max()
    origin = items[keys].merge(weakest, on=keys, how="left")["rank"].map(dict(enumerate(_ORIGINS)))
    return items.assign(origin=origin.fillna("derived").to_numpy())


def rescore(races: DrivenRaces, rules: SeasonRules, season_rules: Mapping[int, SeasonRules]) -> pd.DataFrame:
    """Score races under the rules of any season, and name what nobody recorded.

    A recorded item counts when it is the same thing under these rules: overtakes and who had the fastest lap of a
    sprint always, overtakes of a whole weekend when both sessions and the fastest lap are worth the same, pit-stop
    points when the rules about pit stops are equal.

    Parameters
    ----------
    races : DrivenRaces
        The races to score.
    rules : SeasonRules
        The rules to apply.
    season_rules : mapping of int to SeasonRules
        The rules under which the records were made, by season; all seasons that have records.

    Returns
    -------
    pandas.DataFrame
        ``ITEM_COLUMNS`` as in :func:`score_with_records`. An item that is not known has the origin unknown and neither
        points nor frequency, nor has a constructor's that is known of one car alone; ``pit_stops`` stands for all of a
        constructor's.

    Raises
    ------
    DataError
        A classified driver has no place on the starting grid, and places count from there.
    """
    season = races.records["race_key"].map(races.seasons)
    usable = [
        _same_under(races.records[season == made_in], season_rules[made_in], rules)
        for made_in in sorted(season.dropna().unique())
    ]
    records = pd.concat([races.records.iloc[:0], *usable])
    items = score_with_records(races.results, records, rules, list(races.seasons))
    items = items.astype({"points": "Int64", "frequency": "Int64"})
    unknown = _unknown(races, records, rules, season_rules)
    # of a constructor, what one car is known to have is not what both have
    is_known = ~pd.MultiIndex.from_frame(items[_KEY]).isin(pd.MultiIndex.from_frame(unknown[_KEY]))
    return pd.concat([items[is_known], unknown], ignore_index=True)[ITEM_COLUMNS]


def rescored_totals(items: pd.DataFrame) -> pd.DataFrame:
    """Add up the items of each asset and race.

    Parameters
    ----------
    items : pandas.DataFrame
        Items of :func:`rescore`.

    Returns
    -------
    pandas.DataFrame
        ``TOTAL_COLUMNS``: one row per asset and race. ``total_points`` is the sum of what is known, ``unknown_items``
        lists the rest, separated by commas, ``is_complete`` says whether there is no rest.
    """
    totals = items.groupby(ASSET, as_index=False).agg(
        constructor_id=("constructor_id", "first"), total_points=("points", "sum")
    )
    unknown: dict[tuple[str, ...], list[str]] = {}
    missing = items[items["origin"] == "unknown"]
    for name in (*SESSION_ITEMS, UNKNOWN_PIT_STOPS):
        of_item = missing[missing["scoring_item"] == name]
        for asset in zip(*(of_item[column] for column in ASSET), strict=True):
            unknown.setdefault(asset, []).append(name)
    assets = zip(*(totals[column] for column in ASSET), strict=True)
    totals["unknown_items"] = [", ".join(unknown.get(asset, ())) for asset in assets]
    return totals.assign(is_complete=totals["unknown_items"] == "")[TOTAL_COLUMNS]


def _same_under(records: pd.DataFrame, own: SeasonRules, rules: SeasonRules) -> pd.DataFrame:
    """Keep the records of a season that mean the same under other rules; the rest of a race's stay, as its witness."""
    other: set[str] = set()
    if own.pit_stops != rules.pit_stops:
        other |= set(PIT_STOP_ITEMS)
    if _summed_values(own) != _summed_values(rules):
        other.add(WEEKEND_OVERTAKES)
    return records[~records["scoring_item"].isin(other)]


def _summed_values(rules: SeasonRules) -> tuple[int, int, int]:
    return rules.sprint.overtake, rules.race.overtake, rules.sprint.fastest_lap


def _unknown(
    races: DrivenRaces, records: pd.DataFrame, rules: SeasonRules, season_rules: Mapping[int, SeasonRules]
) -> pd.DataFrame:
    """List the items of every starter that the rules value and no usable record states."""
    results = races.results.races
    started = results[results["position_text"] != "DNS"]
    dropped = _races_with(races.records, WEEKEND_OVERTAKES) - _races_with(records, WEEKEND_OVERTAKES)
    is_open = ~started["race_key"].isin(set(records["race_key"]) - dropped)
    drivers = pd.concat(
        [
            _unknown_overtakes(races, started, is_open, "sprint", rules, season_rules),
            _unknown_fastest_laps(started[is_open], rules),
            _unknown_overtakes(races, started, is_open, "race", rules, season_rules),
        ]
    )
    stopped = started[(started["session"] == "race") & ~started["race_key"].isin(_races_with(records, *PIT_STOP_ITEMS))]
    if isinstance(rules.pit_stops, AbsentRules):
        stopped = stopped.iloc[:0]
    cars = pd.concat([drivers, _named(stopped, "race", UNKNOWN_PIT_STOPS)]).drop_duplicates(_CAR_ITEM)
    constructors = cars.assign(asset_type="constructor", asset_id=cars["constructor_id"])
    unknown = pd.concat([drivers.assign(asset_type="driver"), constructors]).assign(origin="unknown")
    return unknown.assign(**{name: pd.Series(pd.NA, unknown.index, dtype="Int64") for name in _NUMBERS})


def _unknown_overtakes(
    races: DrivenRaces,
    started: pd.DataFrame,
    is_open: pd.Series,
    session: str,
    rules: SeasonRules,
    season_rules: Mapping[int, SeasonRules],
) -> pd.DataFrame:
    of_session = getattr(rules, session)
    wiping = [year for year, own in season_rules.items() if not getattr(own, session).disqualified_keeps_overtakes]
    is_disqualified = started["position_text"] == "DSQ"
    # overtakes that a season's rules take from a disqualified driver are not on its records
    is_wiped = is_disqualified & started["race_key"].map(races.seasons).isin(wiping)
    is_valued = (~is_disqualified | of_session.disqualified_keeps_overtakes) & (of_session.overtake != 0)
    is_missing = (started["session"] == session) & is_valued & (is_open | is_wiped)
    return _named(started[is_missing], session, f"{session}_overtakes")


def _unknown_fastest_laps(started: pd.DataFrame, rules: SeasonRules) -> pd.DataFrame:
    is_missing = (
        (started["session"] == "sprint") & (started["position_text"] != "DSQ") & (rules.sprint.fastest_lap != 0)
    )
    return _named(started[is_missing], "sprint", "sprint_fastest_lap")


def _named(results: pd.DataFrame, event_type: str, scoring_item: str) -> pd.DataFrame:
    own = results[["race_key", "driver_id", "constructor_id"]].rename(columns={"driver_id": "asset_id"})
    return own.assign(event_type=event_type, scoring_item=scoring_item)


def _races_with(records: pd.DataFrame, *scoring_items: str) -> set[str]:
    return set(records.loc[records["scoring_item"].isin(scoring_items), "race_key"])
