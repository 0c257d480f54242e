"""Score constructors, 2023 on: their cars' items, the qualifying bonus, pit stops, and extra penalties.

Drivers are :mod:`f1_pipeline.game.scoring`; the constants are :mod:`f1_pipeline.game.rules`.
"""

import numpy as np
import pandas as pd

from f1_pipeline.game.rules import FastestStopsRules, SeasonRules
from f1_pipeline.game.score_items import Entries, ScoreItems

_DISQUALIFIED = "DSQ"


def score_constructors(
    driver_scores: pd.DataFrame,
    qualifying: pd.DataFrame,
    rules: SeasonRules,
    pit_stops: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score every constructor from its cars' items.

    Parameters
    ----------
    driver_scores : pandas.DataFrame
        ``SCORE_COLUMNS`` of drivers, computed or official.
    qualifying : pandas.DataFrame
        race_key, constructor_id, position, position_text of Grand Prix qualifying, one row per car.
    rules : SeasonRules
        The rules of the season.
    pit_stops : pandas.DataFrame, optional
        race_key, constructor_id, scoring_item, points.

    Returns
    -------
    pandas.DataFrame
        ``SCORE_COLUMNS`` with the constructor as asset. Places gained and lost are netted over the cars of a
        session; a disqualification holds the cars' penalties and the constructor's own.
    """
    items = ScoreItems()
    _add_cars(items, driver_scores, rules)
    _add_qualifying_bonus(items, driver_scores, qualifying, rules)
    if pit_stops is not None:
        entries = Entries.of(pit_stops, "constructor_id")
        items.add(entries, "race", pit_stops["scoring_item"].tolist(), pit_stops["points"].to_numpy())
    return items.frame()


def score_pit_stops(stops: pd.DataFrame, rules: SeasonRules) -> pd.DataFrame:
    """Score stationary pit-stop times.

    Parameters
    ----------
    stops : pandas.DataFrame
        race_key, constructor_id, stationary_ms (integer), one row per stop of a race; stops of disqualified
        cars do not count and must be left out.
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    pandas.DataFrame
        race_key, constructor_id, scoring_item, points: input of :func:`score_constructors`. Of several
        scoring stops of a team in 2023-24 each has its item.
    """
    ranks = stops.groupby("race_key")["stationary_ms"]
    if isinstance(rules.pit_stops, FastestStopsRules):
        # tied stops share the lower place; no tie is on record
        order = ranks.rank(method="max").to_numpy()
        names = ("pit_stop_fastest_time", "pit_stop_second_fastest", "pit_stop_third_fastest")
        parts = [
            stops[order == place].assign(scoring_item=name, points=points)
            for place, (name, points) in enumerate(zip(names, rules.pit_stops.fastest_points, strict=True), 1)
        ]
        return _pit_items(parts)
    bands = rules.pit_stops
    best = stops.loc[stops.groupby(["race_key", "constructor_id"])["stationary_ms"].idxmin()]
    times = best["stationary_ms"].to_numpy()
    points = np.append(bands.band_points, 0)[np.searchsorted(bands.band_below_ms, times, side="right")]
    is_fastest = times == best.groupby("race_key")["stationary_ms"].transform("min").to_numpy()
    extra = bands.overall_fastest + bands.world_record * (times < bands.record_below_ms)
    banded = best.assign(scoring_item="pit_stop_fastest_time", points=points)[points > 0]
    fastest = best.assign(scoring_item="pit_stop_overall_fastest", points=extra)[is_fastest]
    return _pit_items([banded, fastest])


def _pit_items(parts: list[pd.DataFrame]) -> pd.DataFrame:
    items = pd.concat(parts, ignore_index=True)
    return items.groupby(["race_key", "constructor_id", "scoring_item"], as_index=False)["points"].sum()


def _add_cars(items: ScoreItems, driver_scores: pd.DataFrame, rules: SeasonRules) -> None:
    """Add up the items of both cars; a place is one point either way, so net points are net places."""
    extras = {
        "qualifying_disqualified": rules.constructor.qualifying_disqualified_extra,
        "sprint_disqualified": rules.constructor.sprint_disqualified_extra,
        "race_disqualified": rules.constructor.race_disqualified_extra,
    }
    points: dict[tuple[str, str, str, str], int] = {}
    names = ("race_key", "constructor_id", "event_type", "scoring_item", "points")
    for race, team, event, name, scored in zip(*(driver_scores[n].tolist() for n in names), strict=True):
        if name == "driver_of_the_day":
            continue
        own_name = f"{event}_places" if "_positions_" in name else name
        key = (race, team, event, own_name)
        points[key] = points.get(key, 0) + scored + extras.get(name, 0)
    for key, net in list(points.items()):
        if key[3].endswith("_places"):
            del points[key]
            if net:
                points[(*key[:3], f"{key[2]}_positions_{'gained' if net > 0 else 'lost'}")] = net
    if not points:
        return
    races, teams, events, own_names = (list(part) for part in zip(*points, strict=True))
    entries = Entries(*(np.array(part, dtype=object) for part in (races, teams, teams)))
    scores = np.array(list(points.values()), dtype=np.int64)
    is_counted = [name.endswith(("_overtakes", "_gained", "_lost")) for name in own_names]
    items.add(entries, events, own_names, scores, frequency=np.where(is_counted, np.abs(scores), 1))


def _add_qualifying_bonus(
    items: ScoreItems, driver_scores: pd.DataFrame, qualifying: pd.DataFrame, rules: SeasonRules
) -> None:
    tiers = rules.constructor
    # a team whose cars all missed qualifying still reached no Q2
    reached = {key: [0, 0, 0] for key in zip(driver_scores["race_key"], driver_scores["constructor_id"], strict=True)}
    place = qualifying["position"].to_numpy(dtype=float, na_value=np.nan)
    is_classified = ~np.isnan(place) & (qualifying["position_text"] != _DISQUALIFIED).to_numpy(dtype=bool)
    q3 = (place <= tiers.q3_last_position) & is_classified
    q2 = (place <= tiers.q2_last_position) & is_classified
    teams = zip(qualifying["race_key"], qualifying["constructor_id"], strict=True)
    for key, *counts in zip(teams, q3, q2, is_classified, strict=True):
        total = reached.setdefault(key, [0, 0, 0])
        for index, count in enumerate(counts):
            total[index] += int(count)
    if not reached:
        return
    in_q3, in_q2, classified = np.array(list(reached.values())).T
    none = np.where(classified == 0, tiers.no_car_classified, tiers.no_driver_q2)
    cases = [in_q3 >= 2, in_q3 == 1, in_q2 >= 2, in_q2 == 1]
    names = ["both_drivers_q3", "one_driver_q3", "both_drivers_q2", "one_driver_q2"]
    values = [tiers.both_drivers_q3, tiers.one_driver_q3, tiers.both_drivers_q2, tiers.one_driver_q2]
    races, constructors = (np.array(part, dtype=object) for part in zip(*reached, strict=True))
    entries = Entries(races, constructors, constructors)
    tier_names = np.select(cases, names, "no_driver_q2").tolist()
    items.add(entries, "qualifying", tier_names, np.select(cases, values, none))
