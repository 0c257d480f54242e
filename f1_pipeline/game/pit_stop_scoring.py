"""Score stationary pit stops of races: times in, items of shape (weekends, constructors) out.

Belongs here: what a stop is worth. The constants are :mod:`f1_pipeline.game.scoring_rules`.
"""

from collections.abc import Iterator

import numpy as np

from f1_pipeline.game.scoring_arrays import Ints, Item, Mask, PitStopArrays, Weekends, team_cells, worth
from f1_pipeline.game.scoring_rules import FastestStopsRules, PitStopRules, TimeBandRules

_NO_STOP = np.int32(2**31 - 1)
_RANKED = ("pit_stop_fastest_time", "pit_stop_second_fastest", "pit_stop_third_fastest")


def pit_stop_items(weekends: Weekends, rules: PitStopRules) -> Iterator[Item]:
    """Score the pit stops of some weekends, timed or with their points given.

    Parameters
    ----------
    weekends : Weekends
        n weekends.
    rules : PitStopRules
        The rules of any season.

    Yields
    ------
    Item
        Of shape (n, constructors). Several scoring stops of a team have an item each where stops are ranked.
    """
    if weekends.pit_stop_points.any():
        points = weekends.pit_stop_points.astype(np.int16)
        yield Item("race", "pit_stop_total", points > 0, points)
    if weekends.pit_stops is not None:
        yield from timed_items(weekends.pit_stops, weekends.constructor_count, rules)


def timed_items(stops: PitStopArrays, count: int, rules: PitStopRules) -> Iterator[Item]:
    """Score stationary times.

    Parameters
    ----------
    stops : PitStopArrays
        n races.
    count : int
        Number of constructors.
    rules : PitStopRules
        The rules of any season.

    Yields
    ------
    Item
        Of shape (n, count).
    """
    times = np.where(stops.stationary_ms > 0, stops.stationary_ms, _NO_STOP).astype(np.int32)
    if isinstance(rules, FastestStopsRules):
        yield from _ranked_items(times, stops.team, count, rules)
    elif isinstance(rules, TimeBandRules):
        yield from _banded_items(times, stops.team, count, rules)


def _ranked_items(times: Ints, team: Ints, count: int, rules: FastestStopsRules) -> Iterator[Item]:
    """Rank the stops of each race; tied stops share the lower place, which leaves the upper one to nobody."""
    filler = np.full((len(times), len(_RANKED) + 1), _NO_STOP)
    ranked = np.sort(np.concatenate([times, filler], axis=1), axis=1)[:, : len(_RANKED) + 1]
    for rank, (name, each) in enumerate(zip(_RANKED, rules.fastest_points, strict=True)):
        is_place = (times == ranked[:, [rank]]) & (ranked[:, [rank]] < ranked[:, [rank + 1]])
        made = _counts(is_place, team, count)
        yield Item("race", name, made, worth(made, each))


def _banded_items(times: Ints, team: Ints, count: int, rules: TimeBandRules) -> Iterator[Item]:
    """Look at each team's best stop; all that share the fastest time have made the fastest stop."""
    best = np.full((len(times), count), _NO_STOP, order="F")
    for stop, cells in enumerate(team_cells(team, len(times))):
        best[cells] = np.minimum(best[cells], times[:, stop])
    points = np.append(rules.band_points, 0).astype(np.int16)
    banded = points[np.searchsorted(rules.band_below_ms, best, side="right")]
    yield Item("race", "pit_stop_fastest_time", banded > 0, banded)
    is_fastest = (best < _NO_STOP) & (best == best.min(axis=1, keepdims=True, initial=_NO_STOP))
    is_record = is_fastest & (best < rules.record_below_ms)
    extra = worth(is_fastest, rules.overall_fastest) + worth(is_record, rules.world_record)
    yield Item("race", "pit_stop_overall_fastest", is_fastest, extra)


def _counts(is_place: Mask, team: Ints, count: int) -> Ints:
    rows, stops = np.nonzero(is_place)
    made = np.zeros((len(is_place), count), dtype=np.int16)
    np.add.at(made, (rows, team[stops] if team.ndim == 1 else team[rows, stops]), 1)
    return made
