"""Score constructors: their cars' items, the qualifying bonus, pit stops, and what disqualifications cost on top.

Arrays in, items of shape (weekends, constructors) out. Belongs here: what cars bring to a constructor. What a car
scores is :mod:`f1_pipeline.game.car_scoring`; the constants are :mod:`f1_pipeline.game.scoring_rules`.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.scoring_arrays import (
    Ints,
    Item,
    Mask,
    QualifyingArrays,
    Session,
    classified,
    entered,
    team_cells,
    worth,
)
from f1_pipeline.game.scoring_rules import BestTierRules

DRIVER_ITEMS = frozenset(
    {
        "driver_of_the_day",
        "qualifying_ahead_of_team_mate",
        "sprint_ahead_of_team_mate",
        "race_ahead_of_team_mate",
        "qualifying_streak",
        "race_streak",
    }
)
"""Items that a driver keeps for himself."""


def team_items(items: Iterable[Item], teams: Mapping[str, Ints], count: int, rules: SeasonRules) -> Iterator[Item]:
    """Add up the cars' items of each constructor.

    Parameters
    ----------
    items : iterable of Item
        Items of cars, shape (n, m); those that drivers keep for themselves are passed over.
    teams : mapping of str to numpy.ndarray of int
        Constructor of each car by session, shape (m,) or (n, m), -1 for none.
    count : int
        Number of constructors.
    rules : SeasonRules
        The rules of any season.

    Yields
    ------
    Item
        Of shape (n, count). A disqualification holds the cars' penalties and the constructor's own; places are netted
        over the cars of a session where the rules say so.
    """
    extras = {
        "qualifying_disqualified": rules.constructor.qualifying_disqualified_extra,
        "sprint_disqualified": rules.constructor.sprint_disqualified_extra,
        "race_disqualified": rules.constructor.race_disqualified_extra,
    }
    places: dict[str, Item] = {}
    for item in items:
        event, name, happened, points = item
        if name in DRIVER_ITEMS:
            continue
        own = Item(
            event,
            name,
            sum_by_team(happened, teams[event], count),
            sum_by_team(points + worth(happened, extras[name]) if extras.get(name) else points, teams[event], count),
        )
        if not (rules.constructor.nets_places and "_positions_" in name):
            yield own
        elif event in places:
            yield from _netted(places.pop(event), own)
        else:
            places[event] = own
    for own in places.values():
        yield own


def sum_by_team(values: npt.NDArray, team: Ints, count: int) -> npt.NDArray[np.int16]:
    """Add up cars by constructor.

    Parameters
    ----------
    values : numpy.ndarray, shape (n, m)
        Numbers or flags of cars.
    team : numpy.ndarray of int, shape (m,) or (n, m)
        Constructor of each car, -1 for none.
    count : int
        Number of constructors.

    Returns
    -------
    numpy.ndarray of int16, shape (n, count)
    """
    # the last column takes cars without a team
    total = np.zeros((len(values), count + 1), dtype=np.int16, order="F")
    for car, cells in enumerate(team_cells(team, len(values))):
        total[cells] += values[:, car]
    return total[:, :count]


def teams_present(sessions: Iterable[Session], weekend_count: int, count: int) -> Mask:
    """Say which constructors had a car in some session.

    Parameters
    ----------
    sessions : iterable of QualifyingArrays or RaceArrays
        Sessions of n weekends.
    weekend_count, count : int
        Numbers of weekends and of constructors.

    Returns
    -------
    numpy.ndarray of bool, shape (n, count)
    """
    present = np.zeros((weekend_count, count), dtype=np.bool_, order="F")
    for session in sessions:
        is_in = entered(session)
        if is_in.ndim == 1:
            present[:, session.team[is_in]] = True
        else:
            weekends, cars = np.nonzero(is_in)
            present[weekends, session.team[weekends, cars]] = True
    return present


def qualifying_bonus(session: QualifyingArrays, is_present: Mask, rules: SeasonRules) -> Iterator[Item]:
    """Give each constructor the best tier that its cars reached in qualifying.

    Parameters
    ----------
    session : QualifyingArrays
        n weekends of m cars.
    is_present : numpy.ndarray of bool, shape (n, constructors)
        Constructors that took part, none where qualifying was not held; one whose cars all missed it reached no Q2.
    rules : SeasonRules
        The rules of any season.

    Yields
    ------
    Item
        One per tier, of shape (n, constructors); listed even when worth nothing.
    """
    tiers = rules.qualifying_bonus
    if not isinstance(tiers, BestTierRules):
        return
    in_all = classified(session)
    reached = (
        in_all & (session.position <= rules.qualifying.q3_last_position),
        in_all & (session.position <= rules.qualifying.q2_last_position),
        in_all,
    )
    q3_count, q2_count, car_count = (sum_by_team(cars, session.team, is_present.shape[1]) for cars in reached)
    is_open = is_present
    for name, is_reached, value in (
        ("both_drivers_q3", q3_count >= 2, tiers.both_drivers_q3),
        ("one_driver_q3", q3_count == 1, tiers.one_driver_q3),
        ("both_drivers_q2", q2_count >= 2, tiers.both_drivers_q2),
        ("one_driver_q2", q2_count == 1, tiers.one_driver_q2),
    ):
        is_theirs = is_open & is_reached
        yield Item("qualifying", name, is_theirs, worth(is_theirs, value))
        is_open = is_open & ~is_reached
    is_out, is_unclassified = is_open & (car_count > 0), is_open & (car_count == 0)
    points = worth(is_out, tiers.no_driver_q2) + worth(is_unclassified, tiers.no_car_classified)
    yield Item("qualifying", "no_driver_q2", is_open, points)


def _netted(one: Item, other: Item) -> Iterator[Item]:
    """Set places gained against places lost; what is left of them is the one or the other."""
    gained, lost = (one, other) if one.scoring_item.endswith("_gained") else (other, one)
    net, points = gained.count - lost.count, gained.points + lost.points
    for side, is_left in ((gained, net > 0), (lost, net < 0)):
        yield side._replace(count=np.abs(net) * is_left, points=points * is_left)
