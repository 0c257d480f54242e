"""Learn the parts of a weekend other than pace: retirements, penalties, overtakes, votes, fastest laps, pit stops.

Belongs here: one small estimate per part, from earlier races only; the caller cuts the rows. Each is a rate or a mean,
weighted by recency and shrunk to the field's: with a thousand starts and a hundred retirements there is not more to
know. (On 2019-22, with `K` below 100, no part of the retirement model beat the plain rate.) Neighbours:
`forecast.strength` learns pace, `forecast.weekend_model` puts both into one outlook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import PoissonRegressor

from f1_pipeline.game.rules import FastestStopsRules, SeasonRules, TimeBandRules

Floats = npt.NDArray[np.float64]

RECENT_RACES = 40.0
"""Half-life of rates, in races: under two seasons."""

ATTRITION_SD = 0.5
"""Spread of the log-odds of retiring that all cars of a race share: some races see six cars out, others none."""

# How many starts of evidence the field's rate is worth against a team's, a driver's, a circuit's, a season's own.
_TEAM_STARTS, _DRIVER_STARTS, _CIRCUIT_STARTS, _SEASON_STARTS = 200.0, 200.0, 300.0, 300.0
_PRIOR_OUT_RATE = 0.12
_LEAST_RATE = 0.001  # log-odds need a chance
_SPRINT_OUT_SHARE = 0.45  # a third of the distance, without the pit stops: prior for sprint retirements per start
_SPRINT_STARTS = 100.0
_LAST_SEASON_OF_SPRINT_GRIDS = 2022

_OVERTAKES_BEFORE_ANY_RECORD = 5.0  # per start: a round figure for the first races of 2023, before any was recorded
_SPRINT_OVERTAKES_SHARE = 0.6
_MIN_OVERTAKE_ROWS = 20
_OVERTAKES_HALF_LIFE = 60.0
_OVERTAKES_SD, _OVERTAKES_SD_UNKNOWN_CIRCUIT = 0.35, 0.45
"""Spread of a race's overtakes around the expected: races since 2023 vary by about 0.45 of their mean."""

_VOTE_PER_PLACE_GAINED = 0.12
_VOTE_STARTS = 15.0

_STOP_SD_BEFORE_ANY_RECORD = 0.15
_CREW_RACES = 4.0
_CREW_HALF_LIFE = 24.0
_TYPICAL_STOP_MS = 2500.0
# A representative time for a place among the three fastest stops of a race, and for none of them.
_RANKED_STOP_MS = (2050.0, 2150.0, 2200.0)
_UNRANKED_STOP_MS = 2600.0
_BEST_BAND_FLOOR_MS, _SLOW_STOP_MS = 1950.0, 3400.0


@dataclass(frozen=True)
class Earlier:
    """What is known of races before the one to forecast.

    Attributes
    ----------
    starts : DataFrame
        One row per start in a Grand Prix, from `core.session_score`, with `age` (races ago, from 1), `is_out` and
        `season`.
    sprints : DataFrame
        The same for sprints.
    qualifying : DataFrame
        Rows of qualifying, with `age`.
    overtakes : DataFrame
        race_key, session, driver_id, overtakes_count, of races of which they are recorded by session.
    stops : DataFrame
        race_key, season, lineage_id, points for pit stops, age; every constructor of the recorded races.
    """

    starts: pd.DataFrame
    sprints: pd.DataFrame
    qualifying: pd.DataFrame
    overtakes: pd.DataFrame
    stops: pd.DataFrame


def weights(age: pd.Series | np.ndarray, half_life: float = RECENT_RACES) -> Floats:
    """Weigh rows by age in races: half after the half-life."""
    return 0.5 ** (np.asarray(age, dtype=float) / half_life)


def _logit(rate: float) -> float:
    return float(np.log(rate / (1.0 - rate)))


def _shrunk_excess(rows: pd.DataFrame, by: str, keys: Sequence[object], base: float, worth: float) -> Floats:
    """Log of each group's rate over the field's, shrunk by `worth` starts at the field's rate."""
    weight = weights(rows["age"])
    sums = pd.DataFrame({"starts": weight, "out": weight * rows["is_out"]}).groupby(rows[by].to_numpy()).sum()
    own = sums.reindex(list(keys)).fillna(0.0)
    return np.log((own["out"].to_numpy() + worth * base) / (own["starts"].to_numpy() * base + worth * base))


def out_rate(starts: pd.DataFrame) -> float:
    """Return the recent share of starts that were not classified, never quite 0 or 1; a round figure before any."""
    if starts.empty:
        return _PRIOR_OUT_RATE
    rate = float(np.average(starts["is_out"], weights=weights(starts["age"])))
    return float(np.clip(rate, _LEAST_RATE, 1.0 - _LEAST_RATE))


def retirement_logits(
    starts: pd.DataFrame, drivers: Sequence[str], lineages: Sequence[str], circuit_id: str, season: int
) -> Floats:
    """Log-odds that each car is not classified in the Grand Prix.

    Parameters
    ----------
    starts : DataFrame
        `Earlier.starts`.
    drivers, lineages : sequence of str, length m
        Who drives what.
    circuit_id : str
        Circuit.
    season : int
        Championship year; a car's reliability is that of this season's car.

    Returns
    -------
    ndarray of shape (m,)
        To be shifted by `ATTRITION_SD` times a normal draw per race; the mean over such draws is the expected rate.
    """
    base = out_rate(starts)
    # a logistic curve is convex at small rates, so the common draw adds about half its variance
    level = _logit(base) - ATTRITION_SD**2 / 2
    if starts.empty:
        return np.full(len(drivers), level)
    this_season = starts[starts["season"] == season]
    return (
        level
        + _shrunk_excess(this_season, "lineage_id", lineages, base, _TEAM_STARTS)
        + _shrunk_excess(starts, "driver_id", drivers, base, _DRIVER_STARTS)
        + _shrunk_excess(starts.assign(age=0), "circuit_id", [circuit_id], base, _CIRCUIT_STARTS)
        + _shrunk_excess(this_season, "season", [season], base, _SEASON_STARTS)
    )


def sprint_shift(starts: pd.DataFrame, sprints: pd.DataFrame) -> float:
    """Return what to add to the log-odds of retiring from a race to get those of a sprint."""
    base = out_rate(starts)
    out, count = (float(sprints["is_out"].sum()), len(sprints)) if len(sprints) else (0.0, 0)
    rate = (out + _SPRINT_STARTS * _SPRINT_OUT_SHARE * base) / (count + _SPRINT_STARTS)
    return _logit(rate) - _logit(base)


def grid_drops(qualifying: pd.DataFrame, starts: pd.DataFrame, sprints: pd.DataFrame) -> Floats:
    """Estimate grid penalties: how likely a car is moved back a few places, about five, or to the end.

    Parameters
    ----------
    qualifying, starts, sprints : DataFrame
        Of earlier races; until 2022 a sprint made the grid, which tells nothing about penalties.

    Returns
    -------
    ndarray of shape (3, 2)
        Probability, and places by which a car is moved back.
    """
    made_by_sprint = set(sprints.loc[sprints["season"] <= _LAST_SEASON_OF_SPRINT_GRIDS, "race_key"])
    qualifying = qualifying[~qualifying["race_key"].isin(made_by_sprint)]
    both = qualifying[["race_key", "driver_id", "position", "age"]].merge(
        starts[["race_key", "driver_id", "start_place", "start_text"]], on=["race_key", "driver_id"]
    )
    drop = np.where(both["start_text"] == "PL", 30.0, both["start_place"] - both["position"].fillna(99))
    weight = weights(both["age"])
    total = weight.sum() + 1e-9
    classes = ((3.0, 3, 5), (5.0, 5, 8), (30.0, 8, 99))
    return np.array(
        [(float((weight * ((drop >= low) & (drop < high))).sum() / total), places) for places, low, high in classes]
    )


def rare_rates(qualifying: pd.DataFrame, starts: pd.DataFrame) -> tuple[float, float]:
    """Return how often a car has no place in qualifying, and how often one is disqualified from the race.

    Each starts from a round figure that is worth 250 starts.
    """
    untimed = int(qualifying["position"].isna().sum())
    disqualified = int((starts["position_text"] == "DSQ").sum())
    return (untimed + 5.0) / (len(qualifying) + 250.0), (disqualified + 1.0) / (len(starts) + 250.0)


def overtake_inputs(start: np.ndarray, finish: np.ndarray, field_size: int) -> Floats:
    """Describe a start and finish for the overtakes model.

    Parameters
    ----------
    start, finish : ndarray of int, shape (n,)
        Places from 1; finish 0 for not classified.
    field_size : int
        Number of cars.

    Returns
    -------
    ndarray of shape (n, 7)
        Places gained and lost, starting place and its square, finishing place and its square as shares of the field,
        and whether the car was not classified.
    """
    is_out = finish == 0
    change = np.where(is_out, 0, start - finish)
    begin, end = (start - 1) / field_size, np.where(is_out, 0, finish - 1) / field_size
    columns = (np.maximum(change, 0), np.maximum(-change, 0), begin, begin**2, end, end**2, is_out)
    return np.stack(columns, axis=-1).astype(float)


@dataclass(frozen=True)
class Overtakes:
    """Expected passes of one race.

    Attributes
    ----------
    race, sprint : ndarray of shape (m + 1, m + 1)
        By starting place (row) and finish (column, 0 not classified).
    factor : ndarray of shape (m,)
        By driver.
    log_sd : float
        Spread of a whole race around it.
    circuit_factor : float
        How many more passes than elsewhere the circuit sees.
    """

    race: Floats
    sprint: Floats
    factor: Floats
    log_sd: float
    circuit_factor: float


def overtakes(earlier: Earlier, drivers: Sequence[str], circuit_id: str, season: int) -> Overtakes:
    """Estimate passes by start and finish, and the tendencies of circuit, season and drivers.

    Parameters
    ----------
    earlier : Earlier
    drivers : sequence of str, length m
    circuit_id : str
    season : int

    Returns
    -------
    Overtakes
        A Poisson regression on starts whose passes are recorded; with fewer than 20 of them, a constant.
    """
    size = len(drivers)
    start, finish = np.meshgrid(np.arange(size + 1), np.arange(size + 1), indexing="ij")
    is_race = earlier.overtakes["session"] == "race"
    rows = _recorded(earlier.starts, earlier.overtakes[is_race])
    circuit_sd = _OVERTAKES_SD if (rows["circuit_id"] == circuit_id).any() else _OVERTAKES_SD_UNKNOWN_CIRCUIT
    if len(rows) < _MIN_OVERTAKE_ROWS:
        flat = np.full((size + 1, size + 1), _OVERTAKES_BEFORE_ANY_RECORD)
        return Overtakes(flat, _SPRINT_OVERTAKES_SHARE * flat, np.ones(size), circuit_sd, 1.0)
    weight = weights(rows["age"], _OVERTAKES_HALF_LIFE)
    inputs = overtake_inputs(rows["start_place"].to_numpy(), rows["position"].fillna(0).to_numpy(), 20)
    model = PoissonRegressor(alpha=0.02, solver="newton-cholesky").fit(
        inputs, rows["overtakes_count"], sample_weight=weight
    )
    rows = rows.assign(expected=model.predict(inputs), weight=weight)
    here = _factor(rows[rows["circuit_id"] == circuit_id].assign(weight=1.0), "circuit_id", [circuit_id], 240.0)[0]
    now = _factor(rows[rows["season"] == season].assign(weight=1.0), "season", [season], 400.0)[0]
    table = model.predict(overtake_inputs(start.ravel(), finish.ravel(), size)).reshape(start.shape) * here * now
    share = _sprint_share(rows, _recorded(earlier.sprints, earlier.overtakes[~is_race]))
    return Overtakes(table, share * table, _factor(rows, "driver_id", drivers, 40.0), circuit_sd, float(here))


def _recorded(starts: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Join passes to starts; in a recorded race, whoever has no entry made none."""
    own = starts[starts["race_key"].isin(set(recorded["race_key"])) & starts["start_place"].notna()]
    joined = own.merge(recorded[["race_key", "driver_id", "overtakes_count"]], on=["race_key", "driver_id"], how="left")
    return joined.assign(overtakes_count=joined["overtakes_count"].fillna(0).astype(float))


def _factor(rows: pd.DataFrame, by: str, keys: Sequence[object], worth: float) -> Floats:
    """Passes made over passes expected by group, shrunk to 1 by `worth` expected passes."""
    sums = pd.DataFrame(
        {"made": rows["weight"] * rows["overtakes_count"], "expected": rows["weight"] * rows["expected"]}
    )
    own = sums.groupby(rows[by].to_numpy()).sum().reindex(list(keys)).fillna(0.0)
    return ((own["made"] + worth) / (own["expected"] + worth)).to_numpy()


def _sprint_share(races: pd.DataFrame, sprints: pd.DataFrame) -> float:
    """Passes per start of a sprint as a share of a race's, shrunk by a hundred starts."""
    per_race = float(races["overtakes_count"].mean())
    made = float(sprints["overtakes_count"].sum())
    prior = 100.0 * _SPRINT_OVERTAKES_SHARE * per_race
    return (made + prior) / (len(sprints) + 100.0) / max(per_race, 0.1)


@dataclass(frozen=True)
class Honours:
    """Relative chances of the fastest lap and of being voted driver of the day; arrays by place start with 0, none."""

    fastest_lap_by_place: Floats
    vote_by_driver: Floats
    vote_by_place: Floats
    vote_per_place_gained: float


def honours(starts: pd.DataFrame, drivers: Sequence[str]) -> Honours:
    """Estimate who sets fastest laps and who is voted for.

    Parameters
    ----------
    starts : DataFrame
        `Earlier.starts`.
    drivers : sequence of str, length m

    Returns
    -------
    Honours
        Chances by place are smoothed over five neighbours; a driver's popularity is the square root of his shrunk rate
        of votes, since his results already speak by place.
    """
    size = len(drivers)
    weight = weights(starts["age"])
    votes = weight * starts["is_driver_of_the_day"].to_numpy(dtype=float)
    sums = pd.DataFrame({"votes": votes, "starts": weight}).groupby(starts["driver_id"].to_numpy()).sum()
    own = sums.reindex(list(drivers)).fillna(0.0)
    popularity = np.sqrt((own["votes"] + 0.05 * _VOTE_STARTS) / (own["starts"] + _VOTE_STARTS)).to_numpy()
    return Honours(
        _chance_by_place(starts, "is_fastest_lap", size, reach=2),
        popularity,
        _chance_by_place(starts, "is_driver_of_the_day", size, reach=1),
        _VOTE_PER_PLACE_GAINED,
    )


def _chance_by_place(starts: pd.DataFrame, honour: str, size: int, reach: int) -> Floats:
    """Smooth how often each place has an honour; not being classified counts as hardly ever."""
    place = starts["position"].fillna(0).to_numpy(dtype=int)
    met = np.bincount(place, minlength=size + 1)[: size + 1].astype(float)
    had = np.bincount(place, weights=starts[honour].to_numpy(dtype=float), minlength=size + 1)[: size + 1]
    chance = np.empty(size + 1)
    for at in range(1, size + 1):
        around = slice(max(1, at - reach), at + reach + 1)
        chance[at] = (had[around].sum() + 0.5) / (met[around].sum() + 10.0)
    chance[0] = 0.0005
    return chance


@dataclass(frozen=True)
class Crews:
    """Pit crews: logarithm of the typical best stationary time in milliseconds by constructor, and its spread."""

    log_ms: Floats
    log_sd: float


def pit_crews(stops: pd.DataFrame, lineages: Sequence[str], rules: dict[int, SeasonRules]) -> Crews:
    """Estimate how fast each crew's best stop of a race is, from the points that it was worth.

    Stationary times are not in the facts; a band of points, or a place among the three fastest, stands for one time.

    Parameters
    ----------
    stops : DataFrame
        `Earlier.stops`.
    lineages : sequence of str
        Constructors of the race.
    rules : dict of int to SeasonRules
        Rules by season, for what points meant.

    Returns
    -------
    Crews
        Shrunk to the field's mean by four races; a round figure before any record.
    """
    if stops.empty:
        return Crews(np.full(len(lineages), np.log(_TYPICAL_STOP_MS)), _STOP_SD_BEFORE_ANY_RECORD)
    log_ms = np.zeros(len(stops))
    for season in stops["season"].unique():
        at = (stops["season"] == season).to_numpy()
        log_ms[at] = np.log(stop_ms(stops["points"].to_numpy(dtype=float)[at], rules[season]))
    weight = weights(stops["age"], _CREW_HALF_LIFE)
    mean = float(np.average(log_ms, weights=weight))
    sums = pd.DataFrame({"races": weight, "excess": weight * (log_ms - mean)})
    own = sums.groupby(stops["lineage_id"].to_numpy()).sum().reindex(list(lineages)).fillna(0.0)
    spread = float(np.sqrt(np.average(np.square(log_ms - mean), weights=weight)))
    # a tenth of the spread is between crews
    return Crews(mean + (own["excess"] / (own["races"] + _CREW_RACES)).to_numpy(), 0.9 * spread)


def stop_ms(points: Floats, rules: SeasonRules) -> Floats:
    """Turn points for pit stops into a time that stands for them.

    Parameters
    ----------
    points : ndarray of shape (n,)
        Of a constructor in a race, the five for the fastest stop included.
    rules : SeasonRules
        The rules that gave them.

    Returns
    -------
    ndarray of shape (n,)
        Milliseconds.
    """
    kind = rules.pit_stops
    if isinstance(kind, FastestStopsRules):
        known = [points >= limit for limit in kind.fastest_points]
        return np.select(known, _RANKED_STOP_MS, _UNRANKED_STOP_MS)
    if isinstance(kind, TimeBandRules):
        limits = [_BEST_BAND_FLOOR_MS, *kind.band_below_ms]
        middle = [(low + high) / 2 for low, high in pairwise(limits)]
        return np.select([points >= worth for worth in kind.band_points], middle, _SLOW_STOP_MS)
    return np.full(len(points), _TYPICAL_STOP_MS)
