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
from f1_pipeline.game.rules import FastestStopsRules, RaceRules, SeasonRules, SprintRules

SCORE_COLUMNS = [
    "race_key",
    "asset_id",
    "constructor_id",
    "event_type",
    "scoring_item",
    "points",
    "position",
    "frequency",
]
_SORT = ["race_key", "asset_id", "event_type", "scoring_item"]
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
    parts = [_score_qualifying(results, rules)]
    for session, session_rules in (("sprint", rules.sprint), ("race", rules.race)):
        rows = results.races[results.races["session"] == session].reset_index(drop=True)
        parts.append(_score_race(rows, results, session, session_rules))
    return _finish(parts)


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
    cars = driver_scores[driver_scores["scoring_item"] != "driver_of_the_day"]
    parts = [_sum_cars(cars, rules), _net_places(cars), _qualifying_bonus(cars, qualifying, rules)]
    if pit_stops is not None:
        parts.append(_items(pit_stops, "race", pit_stops["scoring_item"], pit_stops["points"]))
    scores = pd.concat(parts, ignore_index=True)
    scores["asset_id"] = scores["constructor_id"]
    return _finish([scores])


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


def _score_qualifying(results: SessionResults, rules: SeasonRules) -> pd.DataFrame:
    entered = results.qualifying[["race_key", "driver_id", "constructor_id", "position", "position_text"]]
    present = results.races[["race_key", "driver_id", "constructor_id"]]
    rows = pd.concat([entered, present], ignore_index=True).drop_duplicates(["race_key", "driver_id"])
    is_disqualified = (rows["position_text"] == _DISQUALIFIED).to_numpy()
    is_classified = rows["position"].notna().to_numpy() & ~is_disqualified
    placed = rows[is_classified]
    points = _position_points(placed["position"], rules.qualifying.position_points)
    absent = rows[~is_classified & ~is_disqualified]
    disqualified = rows[is_disqualified]
    return pd.concat(
        [
            _items(placed, "qualifying", "qualifying_position", points, position=placed["position"]),
            _items(absent, "qualifying", "qualifying_not_classified", rules.qualifying.not_classified),
            _items(disqualified, "qualifying", "qualifying_disqualified", rules.qualifying.disqualified),
        ],
        ignore_index=True,
    )


def _score_race(
    rows: pd.DataFrame, results: SessionResults, session: str, rules: SprintRules | RaceRules
) -> pd.DataFrame:
    starts = rows.merge(starting_places(results.grids, session), on=["race_key", "driver_id"], how="left")
    is_disqualified = (rows["position_text"] == _DISQUALIFIED).to_numpy()
    is_classified = rows["position"].notna().to_numpy() & ~is_disqualified
    start = starts["start_place"].to_numpy(dtype=float, na_value=np.nan)
    parts = [
        _finishing_items(rows[is_classified], start[is_classified], session, rules),
        _items(rows[is_disqualified], session, f"{session}_disqualified", rules.disqualified),
    ]
    is_out = ~is_classified & ~is_disqualified
    is_withdrawn = is_out & (rows["position_text"] == _DID_NOT_START).to_numpy() & np.isnan(start)
    penalties = np.where(is_withdrawn, rules.withdrawn_before_grid, rules.not_classified)[is_out]
    parts.append(_items(rows[is_out], session, f"{session}_not_classified", penalties)[penalties != 0])
    counts = rows[~is_disqualified]
    if isinstance(rules, RaceRules):
        fastest = counts[counts["is_fastest_lap"].eq(True).to_numpy(dtype=bool, na_value=False)]
        voted = counts[counts["is_driver_of_the_day"].eq(True).to_numpy(dtype=bool, na_value=False)]
        parts.append(_items(voted, session, "driver_of_the_day", rules.driver_of_the_day))
    else:
        fastest = counts.iloc[:0]
        if results.sprint_fastest_laps is not None:
            keys = results.sprint_fastest_laps[["race_key", "driver_id"]]
            fastest = counts.merge(keys, on=["race_key", "driver_id"])
    parts.append(_items(fastest, session, f"{session}_fastest_lap", rules.fastest_lap))
    overtakers = rows if rules.disqualified_keeps_overtakes else counts
    parts.append(_overtake_items(overtakers, results, session, rules))
    return pd.concat(parts, ignore_index=True)


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
    grid = grids[grids["session"] == session].sort_values(["race_key", "grid_order"]).reset_index(drop=True)
    slots = grid.groupby("race_key")["grid_position"].transform("nunique")
    is_pit_lane = grid["grid_position"].isna()
    turn = is_pit_lane.groupby(grid["race_key"]).cumsum()
    places = grid["grid_position"].astype("Float64").where(~is_pit_lane, slots + turn)
    return grid[["race_key", "driver_id"]].assign(start_place=places)


def _finishing_items(
    rows: pd.DataFrame, start: npt.NDArray[np.float64], session: str, rules: SprintRules | RaceRules
) -> pd.DataFrame:
    if np.isnan(start).any():
        missing = rows[np.isnan(start)].iloc[0]
        raise DataError(
            f"{missing['race_key']}: {missing['driver_id']} is classified in the {session} but has no place "
            "on its starting grid."
        )
    change = start.astype(np.int64) - rows["position"].to_numpy(dtype=np.int64)
    gained, lost = np.maximum(change, 0), np.maximum(-change, 0)
    points = _position_points(rows["position"], rules.position_points)
    up = _items(
        rows, session, f"{session}_positions_gained", gained * rules.position_gained, frequency=gained
    )
    down = _items(rows, session, f"{session}_positions_lost", lost * rules.position_lost, frequency=lost)
    placed = _items(rows, session, f"{session}_position", points, position=rows["position"])
    return pd.concat([placed, up[gained > 0], down[lost > 0]], ignore_index=True)


def _overtake_items(
    rows: pd.DataFrame, results: SessionResults, session: str, rules: SprintRules | RaceRules
) -> pd.DataFrame:
    if results.overtakes is None:
        return _items(rows.iloc[:0], session, f"{session}_overtakes", 0)
    counts = results.overtakes[results.overtakes["session"] == session]
    made = rows.merge(counts[["race_key", "driver_id", "overtake_count"]], on=["race_key", "driver_id"])
    made = made[made["overtake_count"] > 0]
    points = made["overtake_count"].to_numpy() * rules.overtake
    return _items(made, session, f"{session}_overtakes", points, frequency=made["overtake_count"].to_numpy())


def _sum_cars(cars: pd.DataFrame, rules: SeasonRules) -> pd.DataFrame:
    own = cars[~cars["scoring_item"].str.contains("_positions_", regex=False)]
    keys = ["race_key", "constructor_id", "event_type", "scoring_item"]
    summed = own.groupby(keys, as_index=False).agg(
        points=("points", "sum"), frequency=("frequency", "sum"), cars=("points", "size")
    )
    extras = {
        "qualifying_disqualified": rules.constructor.qualifying_disqualified_extra,
        "sprint_disqualified": rules.constructor.sprint_disqualified_extra,
        "race_disqualified": rules.constructor.race_disqualified_extra,
    }
    points = summed["points"] + summed["cars"] * summed["scoring_item"].map(extras).fillna(0).astype("int64")
    frequency = summed["frequency"].where(summed["scoring_item"].str.endswith("_overtakes"), 1)
    return _items(summed, summed["event_type"], summed["scoring_item"], points, frequency=frequency)


def _net_places(cars: pd.DataFrame) -> pd.DataFrame:
    moved = cars[cars["scoring_item"].str.contains("_positions_", regex=False)]
    # a place is one point either way, so the net points are the net places
    net = moved.groupby(["race_key", "constructor_id", "event_type"], as_index=False)["points"].sum()
    net = net[net["points"] != 0]
    direction = np.where(net["points"] > 0, "_positions_gained", "_positions_lost")
    names = net["event_type"] + direction
    return _items(net, net["event_type"], names, net["points"], frequency=net["points"].abs())


def _qualifying_bonus(cars: pd.DataFrame, qualifying: pd.DataFrame, rules: SeasonRules) -> pd.DataFrame:
    tiers = rules.constructor
    # a team whose cars all missed qualifying still reached no Q2
    present = cars[["race_key", "constructor_id"]].drop_duplicates()
    qualifying = pd.concat([qualifying, present.assign(position_text="")], ignore_index=True)
    place = qualifying["position"].to_numpy(dtype=float, na_value=np.nan)
    is_disqualified = (qualifying["position_text"] == _DISQUALIFIED).to_numpy()
    is_classified = ~np.isnan(place) & ~is_disqualified
    reached = qualifying[["race_key", "constructor_id"]].assign(
        q3=(place <= tiers.q3_last_position) & is_classified,
        q2=(place <= tiers.q2_last_position) & is_classified,
        classified=is_classified,
    )
    teams = reached.groupby(["race_key", "constructor_id"], as_index=False)[["q3", "q2", "classified"]].sum()
    none = np.where(teams["classified"] == 0, tiers.no_car_classified, tiers.no_driver_q2)
    cases = [teams["q3"] >= 2, teams["q3"] == 1, teams["q2"] >= 2, teams["q2"] == 1]
    names = np.select(
        cases, ["both_drivers_q3", "one_driver_q3", "both_drivers_q2", "one_driver_q2"], "no_driver_q2"
    )
    values = [tiers.both_drivers_q3, tiers.one_driver_q3, tiers.both_drivers_q2, tiers.one_driver_q2]
    return _items(teams, "qualifying", names, np.select(cases, values, none))


def _position_points(positions: pd.Series, table: tuple[int, ...]) -> npt.NDArray[np.int64]:
    place = positions.to_numpy(dtype=np.int64)
    padded = np.append(np.asarray(table, dtype=np.int64), 0)
    return padded[np.minimum(place, len(table) + 1) - 1]


def _items(
    rows: pd.DataFrame,
    event_type: object,
    scoring_item: object,
    points: object,
    position: pd.Series | None = None,
    frequency: object = 1,
) -> pd.DataFrame:
    out = rows[["race_key", "constructor_id"]].assign(
        asset_id=rows["driver_id"] if "driver_id" in rows else rows["constructor_id"],
        event_type=event_type,
        scoring_item=scoring_item,
        points=points,
        position=pd.array([pd.NA] * len(rows), dtype="Int64")
        if position is None
        else position.astype("Int64"),
        frequency=frequency,
    )
    return out.astype({"points": "int64", "frequency": "int64", "event_type": "str", "scoring_item": "str"})


def _finish(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[SCORE_COLUMNS].sort_values(_SORT, ignore_index=True)
