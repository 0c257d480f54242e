"""Learn the parts of a weekend other than pace: retirements, penalties, votes, fastest laps, pit stops.

Belongs here: one small estimate per part, from earlier races only; the caller cuts the rows. Each is a rate or a mean,
weighted by recency and shrunk to the field's: on 2019-22, shrinking teams, drivers and circuits by as little as 40
starts predicted retirements worse than one rate for all. Neighbours: `forecast.overtakes` counts passes,
`forecast.strength` learns pace, `forecast.weekend_model` puts all into one outlook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

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
        + circuit_shifts(starts, [circuit_id])
        + _shrunk_excess(this_season, "season", [season], base, _SEASON_STARTS)
    )


def circuit_shifts(starts: pd.DataFrame, circuit_ids: Sequence[str]) -> Floats:
    """Return what circuits add to the log-odds of retiring, 0 where nobody has raced."""
    return _shrunk_excess(starts.assign(age=0), "circuit_id", circuit_ids, out_rate(starts), _CIRCUIT_STARTS)


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
