"""Score sessions as the official game does, 2023 on: results in, one row per scoring item out.

Pure and vectorised; one call scores any number of races of one season. Belongs here: what results say about
points. What results cannot say (overtakes, the sprint's fastest lap, stationary pit-stop times) is an
optional input. The constants are :mod:`f1_pipeline.game.rules`.

References
----------
Official rules 2023-2026 as recorded in ``data/rules``; confirmed by re-scoring 2025 item by item.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.constructor_scoring import score_constructors, score_pit_stops
from f1_pipeline.game.rules import RaceRules, SeasonRules, SprintRules
from f1_pipeline.game.score_items import SCORE_COLUMNS, Entries, Floats, Mask, ScoreItems

__all__ = [
    "SCORE_COLUMNS",
    "SessionResults",
    "score_constructors",
    "score_drivers",
    "score_pit_stops",
    "starting_places",
]

_DISQUALIFIED, _DID_NOT_START = "DSQ", "DNS"


@dataclass(frozen=True)
class SessionResults:
    """What the sessions of some races of one season ended with.

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


def score_drivers(results: SessionResults, rules: SeasonRules) -> pd.DataFrame:
    """Score every driver of some races.

    Parameters
    ----------
    results : SessionResults
        Results of races of one season; the order of rows is of no consequence.
    rules : SeasonRules
        The rules of that season.

    Returns
    -------
    pandas.DataFrame
        ``SCORE_COLUMNS``, one row per race, driver, event and item, sorted; points are fantasy points.
        Positions of classified drivers are listed even when worth nothing, other items only when they
        occurred.

    Raises
    ------
    DataError
        A classified driver has no place on the starting grid.
    """
    items = ScoreItems()
    _add_qualifying(items, results, rules)
    for session, session_rules in (("sprint", rules.sprint), ("race", rules.race)):
        _add_race(items, results, session, session_rules)
    return items.frame()


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


def _add_qualifying(items: ScoreItems, results: SessionResults, rules: SeasonRules) -> None:
    entered = results.qualifying
    entries = Entries.of(entered, "driver_id")
    place = entered["position"].to_numpy(dtype=float, na_value=np.nan)
    is_disqualified = (entered["position_text"] == _DISQUALIFIED).to_numpy(dtype=bool)
    is_classified = ~np.isnan(place) & ~is_disqualified
    placed = place[is_classified]
    points = _position_points(placed, rules.qualifying.position_points)
    items.add(entries.take(is_classified), "qualifying", "qualifying_position", points, placed)
    items.add(entries.take(is_disqualified), "qualifying", "qualifying_disqualified", rules.qualifying.disqualified)
    out = entries.take(~is_classified & ~is_disqualified)
    items.add(out, "qualifying", "qualifying_not_classified", rules.qualifying.not_classified)
    absent = _absent(Entries.of(results.races, "driver_id"), entries)
    items.add(absent, "qualifying", "qualifying_not_classified", rules.qualifying.not_classified)


def _absent(present: Entries, entered: Entries) -> Entries:
    """Return who took part in the sprint or race without being listed in qualifying, each once."""
    seen = set(zip(entered.race_key, entered.asset_id, strict=True))
    is_new = np.zeros(len(present), dtype=bool)
    for index, key in enumerate(zip(present.race_key, present.asset_id, strict=True)):
        is_new[index] = key not in seen
        seen.add(key)
    return present.take(is_new)


def _add_race(items: ScoreItems, results: SessionResults, session: str, rules: SprintRules | RaceRules) -> None:
    rows = results.races[results.races["session"] == session]
    entries = Entries.of(rows, "driver_id")
    place = rows["position"].to_numpy(dtype=float, na_value=np.nan)
    start = _looked_up(starting_places(results.grids, session), "start_place", entries)
    is_disqualified = (rows["position_text"] == _DISQUALIFIED).to_numpy(dtype=bool)
    is_classified = ~np.isnan(place) & ~is_disqualified
    _add_finish(items, entries.take(is_classified), place[is_classified], start[is_classified], session, rules)
    items.add(entries.take(is_disqualified), session, f"{session}_disqualified", rules.disqualified)
    is_out = ~is_classified & ~is_disqualified
    is_withdrawn = np.isnan(start) & (rows["position_text"] == _DID_NOT_START).to_numpy(dtype=bool)
    penalty = np.where(is_withdrawn, rules.withdrawn_before_grid, rules.not_classified)
    is_penalised = is_out & (penalty != 0)
    items.add(entries.take(is_penalised), session, f"{session}_not_classified", penalty[is_penalised])
    is_fastest = ~is_disqualified & _fastest_laps(rows, entries, results, rules)
    items.add(entries.take(is_fastest), session, f"{session}_fastest_lap", rules.fastest_lap)
    if isinstance(rules, RaceRules):
        is_voted = ~is_disqualified & _flags(rows["is_driver_of_the_day"])
        items.add(entries.take(is_voted), session, "driver_of_the_day", rules.driver_of_the_day)
    if results.overtakes is not None:
        made = results.overtakes[results.overtakes["session"] == session]
        counts = np.nan_to_num(_looked_up(made, "overtake_count", entries)).astype(np.int64)
        counts[is_disqualified & (not rules.disqualified_keeps_overtakes)] = 0
        _add_counted(items, entries, session, f"{session}_overtakes", counts, rules.overtake)


def _add_finish(
    items: ScoreItems,
    entries: Entries,
    place: Floats,
    start: Floats,
    session: str,
    rules: SprintRules | RaceRules,
) -> None:
    missing = np.flatnonzero(np.isnan(start))
    if len(missing):
        race_key, driver_id = entries.race_key[missing[0]], entries.asset_id[missing[0]]
        raise DataError(
            f"{race_key}: {driver_id} is classified in the {session} but has no place on its starting grid."
        )
    points = _position_points(place, rules.position_points)
    items.add(entries, session, f"{session}_position", points, place)
    change = (start - place).astype(np.int64)
    gained, lost = np.maximum(change, 0), np.maximum(-change, 0)
    _add_counted(items, entries, session, f"{session}_positions_gained", gained, rules.position_gained)
    _add_counted(items, entries, session, f"{session}_positions_lost", lost, rules.position_lost)


def _add_counted(
    items: ScoreItems, entries: Entries, session: str, name: str, counts: npt.NDArray[np.int64], points: int
) -> None:
    happened = counts > 0
    times = counts[happened]
    items.add(entries.take(happened), session, name, times * points, frequency=times)


def _fastest_laps(
    rows: pd.DataFrame, entries: Entries, results: SessionResults, rules: SprintRules | RaceRules
) -> Mask:
    if isinstance(rules, RaceRules):
        return _flags(rows["is_fastest_lap"])
    if results.sprint_fastest_laps is None:
        return np.zeros(len(entries), dtype=bool)
    held = results.sprint_fastest_laps.assign(held=1)
    return ~np.isnan(_looked_up(held, "held", entries))


def _flags(values: pd.Series) -> Mask:
    return values.eq(True).to_numpy(dtype=bool, na_value=False)


def _looked_up(frame: pd.DataFrame, column: str, entries: Entries) -> Floats:
    """Find each entry's value in a frame keyed by race_key and driver_id; NaN where it is not listed."""
    keys = zip(frame["race_key"], frame["driver_id"], strict=True)
    known = dict(zip(keys, frame[column].to_numpy(dtype=float, na_value=np.nan), strict=True))
    wanted = zip(entries.race_key, entries.asset_id, strict=True)
    return np.array([known.get(key, np.nan) for key in wanted], dtype=np.float64)


def _position_points(place: Floats, table: tuple[int, ...]) -> npt.NDArray[np.int64]:
    padded = np.append(np.asarray(table, dtype=np.int64), 0)
    return padded[np.minimum(place.astype(np.int64), len(table) + 1) - 1]
