"""Score sessions as the official game does, under the rules of any season: frames of results in, one row per item out.

Belongs here: the frames, and what results cannot say (overtakes, the sprint's fastest lap, stationary pit-stop times),
which is optional input. What results are worth is :mod:`f1_pipeline.game.weekend_scoring`, which knows arrays alone;
:mod:`f1_pipeline.game.score_packing` and :mod:`f1_pipeline.game.score_team_packing` stand between. The constants are
:mod:`f1_pipeline.game.rules`.

References
----------
Official rules 2022-2026 as recorded in ``data/rules``; confirmed by re-scoring 2025 item by item.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.car_scoring import first_unplaced
from f1_pipeline.game.constructor_scoring import qualifying_bonus, team_items
from f1_pipeline.game.pit_stop_scoring import timed_items
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.score_items import SCORE_COLUMNS
from f1_pipeline.game.score_packing import PackedResults, pack_results
from f1_pipeline.game.score_team_packing import constructor_frame, pack_pit_stops, pack_scores
from f1_pipeline.game.streak_scoring import constructor_streaks
from f1_pipeline.game.weekend_scoring import driver_items

__all__ = [
    "SCORE_COLUMNS",
    "SessionResults",
    "pack_sessions",
    "score_constructors",
    "score_drivers",
    "score_pit_stops",
    "starting_places",
]

_PIT_STOP_COLUMNS = ["race_key", "constructor_id", "scoring_item", "points"]


@dataclass(frozen=True)
class SessionResults:
    """What the sessions of some races ended with.

    Parameters
    ----------
    qualifying : pandas.DataFrame
        race_key, driver_id, constructor_id, position (null: not classified), position_text; Grand Prix
        qualifying only. A driver of the sprint or race who is not in it was absent.
    grids : pandas.DataFrame
        race_key, session (sprint, race), driver_id, grid_position (null: pit lane), grid_order.
    races : pandas.DataFrame
        race_key, session (sprint, race), driver_id, constructor_id, position, position_text, is_fastest_lap,
        is_driver_of_the_day.
    overtakes : pandas.DataFrame, optional
        race_key, session (sprint, race), driver_id, overtake_count.
    sprint_fastest_laps : pandas.DataFrame, optional
        race_key, driver_id of the driver with the fastest lap of each sprint.
    """

    qualifying: pd.DataFrame
    grids: pd.DataFrame
    races: pd.DataFrame
    overtakes: pd.DataFrame | None = None
    sprint_fastest_laps: pd.DataFrame | None = None


def score_drivers(results: SessionResults, rules: SeasonRules, calendar: Sequence[str] | None = None) -> pd.DataFrame:
    """Score every driver of some races.

    Parameters
    ----------
    results : SessionResults
        Results of any races; the order of rows is of no consequence.
    rules : SeasonRules
        The rules of any season.
    calendar : sequence of str, optional
        Race keys in order of date. Given, the results must hold every race of each season up to its last one there,
        and streaks are scored where the rules have any; without it streaks are not known.

    Returns
    -------
    pandas.DataFrame
        ``SCORE_COLUMNS``, one row per race, driver, event and item, sorted; points are fantasy points.
        Positions of classified drivers are listed even when worth nothing, other items only when they
        occurred and the rules know them.

    Raises
    ------
    DataError
        A classified driver has no place on the starting grid, and places count from there.
    UsageError
        The calendar lacks a race.
    """
    packed = pack_sessions(results, calendar)
    unplaced = first_unplaced(packed.weekends, rules)
    if unplaced is not None:
        session, race, driver = unplaced
        raise DataError(
            f"{packed.rows.race_keys[race]}: {packed.driver_ids[driver]} is classified in the {session} "
            "but has no place on its starting grid."
        )
    return packed.frame(driver_items(packed.weekends, rules, packed.rows.is_season_start))


def pack_sessions(results: SessionResults, calendar: Sequence[str] | None = None) -> PackedResults:
    """Pack results into the arrays of the engine.

    Parameters
    ----------
    results, calendar
        As for :func:`score_drivers`.

    Returns
    -------
    PackedResults
        Weekends of one column per driver, with the names of rows, columns and constructors.

    Raises
    ------
    UsageError
        The calendar lacks a race.
    """
    races, overtakes, held = results.races, results.overtakes, results.sprint_fastest_laps
    made = {} if overtakes is None else dict(zip(_keys(overtakes), overtakes["overtake_count"], strict=True))
    fastest = set() if held is None else set(_keys(held.assign(session="sprint")))
    entries = list(_keys(races))
    of_race = races["is_fastest_lap"].where(races["session"] == "race")
    known = races.assign(
        overtake_count=[made.get(key, 0) for key in entries],
        has_fastest_lap=of_race.mask(np.array([key in fastest for key in entries], dtype=bool), True),
    )
    return pack_results(
        results.qualifying,
        known,
        {session: starting_places(results.grids, session) for session in ("sprint", "race")},
        calendar,
    )


def _keys(rows: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    return zip(rows["race_key"], rows["session"], rows["driver_id"], strict=True)


def score_constructors(
    driver_scores: pd.DataFrame,
    qualifying: pd.DataFrame,
    rules: SeasonRules,
    pit_stops: pd.DataFrame | None = None,
    calendar: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Score every constructor from its cars' items.

    Parameters
    ----------
    driver_scores : pandas.DataFrame
        ``SCORE_COLUMNS`` of drivers, computed or official.
    qualifying : pandas.DataFrame
        race_key, constructor_id, position, position_text of Grand Prix qualifying, one row per car.
    rules : SeasonRules
        The rules of any season.
    pit_stops : pandas.DataFrame, optional
        race_key, constructor_id, scoring_item, points.
    calendar : sequence of str, optional
        As for :func:`score_drivers`.

    Returns
    -------
    pandas.DataFrame
        ``SCORE_COLUMNS`` with the constructor as asset. Places gained and lost are netted over the cars of a
        session where the rules say so; a disqualification holds the cars' penalties and the constructor's own.

    Raises
    ------
    UsageError
        The calendar lacks a race.
    """
    packed = pack_scores(driver_scores, qualifying, calendar)
    count = len(packed.constructor_ids)
    teams = dict.fromkeys((item.event_type for item in packed.items), packed.team)
    items = [
        *team_items(packed.items, teams, count, rules),
        *qualifying_bonus(packed.qualifying, packed.is_present, rules),
    ]
    starts = packed.rows.is_season_start
    if starts is not None:
        of_cars = dict.fromkeys(packed.places, packed.team)
        items += constructor_streaks(packed.places, of_cars, count, starts, rules.streaks)
    given = pd.DataFrame(columns=_PIT_STOP_COLUMNS) if pit_stops is None else pit_stops
    return constructor_frame(packed.rows, packed.constructor_ids, items, given)


def score_pit_stops(stops: pd.DataFrame, rules: SeasonRules) -> pd.DataFrame:
    """Score stationary pit-stop times.

    Parameters
    ----------
    stops : pandas.DataFrame
        race_key, constructor_id, stationary_ms (integer), one row per stop of a race; stops of disqualified
        cars do not count and must be left out.
    rules : SeasonRules
        The rules of any season.

    Returns
    -------
    pandas.DataFrame
        race_key, constructor_id, scoring_item, points: input of :func:`score_constructors`. Of several
        scoring stops of a team in 2023-24 each has its item.

    Raises
    ------
    DataError
        A stop took no time.
    """
    arrays, race_keys, constructor_ids = pack_pit_stops(stops)
    parts = []
    for _, name, count, points in timed_items(arrays, len(constructor_ids), rules.pit_stops):
        races, teams = np.nonzero(count)
        own = (race_keys[races], constructor_ids[teams], name, points[races, teams].astype(np.int64))
        parts.append(pd.DataFrame(dict(zip(_PIT_STOP_COLUMNS, own, strict=True))))
    items = pd.concat(parts) if parts else pd.DataFrame(columns=_PIT_STOP_COLUMNS)
    return items.sort_values(_PIT_STOP_COLUMNS[:3], ignore_index=True)


def starting_places(grids: pd.DataFrame, session: str) -> pd.DataFrame:
    """Give every starter a place, pit-lane starters after the numbered slots.

    Parameters
    ----------
    grids : pandas.DataFrame
        race_key, session, driver_id, grid_position (null: pit lane), grid_order.
    session : str
        sprint or race.

    Returns
    -------
    pandas.DataFrame
        race_key, driver_id, start_place. A pit-lane starter stands at the count of distinct numbered slots
        plus his turn among the pit-lane starters of the grid document.
    """
    grid = grids[grids["session"] == session]
    slot = grid["grid_position"].to_numpy(dtype=float, na_value=np.nan)
    order = grid["grid_order"].to_numpy(dtype=float)
    place = np.full(len(grid), np.nan)
    codes, _ = pd.factorize(grid["race_key"])
    for race in range(codes.max(initial=-1) + 1):
        rows = np.flatnonzero(codes == race)
        rows = rows[np.argsort(order[rows], kind="stable")]
        is_pit_lane = np.isnan(slot[rows])
        slot_count = len(np.unique(slot[rows][~is_pit_lane]))
        place[rows] = np.where(is_pit_lane, slot_count + np.cumsum(is_pit_lane), slot[rows])
    return grid[["race_key", "driver_id"]].assign(start_place=place)
