"""Put a record's slips right where results and the official total agree on what an item must be.

The records were typed or scraped by hand: labels swapped, a digit lost, an item left out. Belongs here: what
may be changed and on what evidence. Nothing is ever invented to close a gap; an asset whose items still miss
the total keeps the record's items and becomes a known exception. The neighbour that finds the items is
:mod:`f1_pipeline.sources.importer_scores`.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from f1_pipeline.game.rescoring import RECORDED_ITEMS

Key = tuple[str, str]

# what nobody has a rule for cannot be ruled out either
UNDETERMINED = RECORDED_ITEMS | {"unknown"}


class Item(NamedTuple):
    """One scoring item: points, place (drivers' positions only), origin and source as in event_scores."""

    points: int
    position: int | None
    origin: str
    source: str


Items = dict[Key, Item]


def items_total(items: Mapping[Key, Item]) -> int:
    """Add up the points of items.

    Parameters
    ----------
    items : mapping of (event_type, scoring_item) to Item
        Items of one asset in one race.

    Returns
    -------
    int
        Fantasy points.
    """
    return sum(item.points for item in items.values())


def repair_driver(official: Items, by_rules: Items, total: int, has_sprint: bool) -> Items:
    """Correct a driver's items.

    Parameters
    ----------
    official : dict of (event_type, scoring_item) to Item
        Items of the record.
    by_rules : dict of (event_type, scoring_item) to Item
        Items that results determine, scored by the rules.
    total : int
        Official fantasy points of the weekend.
    has_sprint : bool
        Whether the weekend had a sprint.

    Returns
    -------
    dict of (event_type, scoring_item) to Item
        The record's items, corrected when the corrected ones add up to the total. Where only the overtakes of
        the race are left to explain a gap they become the residual.
    """
    followed = _follow_results(official, by_rules)
    corrected = _accepted(official, followed, total)
    if corrected is not None:
        return corrected
    made = total - items_total(followed) + _points(followed, ("race", "race_overtakes"))
    if not has_sprint and made >= 0:
        source = f"official total less all other items; {_source(official)} has no such count"
        return followed | {("race", "race_overtakes"): Item(made, None, "residual", source)}
    return official


def repair_constructor(
    official: Items,
    by_rules: Items,
    total: int,
    car_overtakes: Mapping[str, int],
    pit_totals: Collection[int],
) -> Items:
    """Correct a constructor's items.

    Parameters
    ----------
    official, by_rules, total
        As in :func:`repair_driver`.
    car_overtakes : mapping of str to int
        Points for overtakes of both cars, by event type.
    pit_totals : collection of int
        Pit-stop points that a team can have in a race.

    Returns
    -------
    dict of (event_type, scoring_item) to Item
        The record's items, corrected when the corrected ones add up to the total. Overtakes may follow those
        of the cars; pit-stop points that the record lacks altogether may be the residual.
    """
    followed = _follow_results(official, by_rules)
    corrected = _accepted(official, followed, total)
    if corrected is not None:
        return corrected
    by_cars = _follow_cars(followed, car_overtakes, _source(official))
    if items_total(by_cars) == total:
        return by_cars
    gap = total - items_total(followed)
    if gap in pit_totals and not any(item.startswith("pit_stop") for _, item in followed):
        source = f"official total less all other items; {_source(official)} lacks it"
        return followed | {("race", "pit_stop_total"): Item(gap, None, "residual", source)}
    return official


def _accepted(official: Items, followed: Items, total: int) -> Items | None:
    if items_total(followed) == total:
        return followed
    relabelled = _relabel_overtakes(official, followed, total)
    if relabelled is not None:
        return relabelled
    return official if items_total(official) == total else None


def _follow_results(official: Items, by_rules: Items) -> Items:
    """Take what results determine from the rules, wherever the record says otherwise."""
    followed = {key: item for key, item in official.items() if key[1] in UNDETERMINED or key in by_rules}
    followed |= {key: item for key, item in official.items() if item.points == 0}
    for key, item in by_rules.items():
        if key[1] in UNDETERMINED or item.points == _points(official, key):
            continue
        said = f"it has {official[key].points}" if key in official else "it has no such item"
        source = f"results, against {_source(official)}: {said}"
        followed[key] = Item(item.points, item.position, "corrected", source)
    return followed


def _relabel_overtakes(official: Items, followed: Items, total: int) -> Items | None:
    """Read an item that results rule out as the session's overtakes, if the sum then holds."""
    gap = total - items_total(followed)
    for (event_type, name), item in official.items():
        key = (event_type, f"{event_type}_overtakes")
        is_ruled_out = (event_type, name) not in followed and item.points == gap
        if is_ruled_out and gap > 0 and event_type != "qualifying" and key not in official:
            source = f"{item.source}, which calls it {name}; results rule that out"
            return followed | {key: Item(gap, None, "corrected", source)}
    return None


def _follow_cars(items: Items, car_overtakes: Mapping[str, int], record: str) -> Items:
    followed = dict(items)
    for event_type, points in car_overtakes.items():
        key = (event_type, f"{event_type}_overtakes")
        if points != _points(items, key):
            source = f"both cars' overtakes, against {record}: it has {_points(items, key)}"
            followed[key] = Item(points, None, "corrected", source)
    return followed


def _points(items: Items, key: Key) -> int:
    return items[key].points if key in items else 0


def _source(items: Items) -> str:
    return next(iter(items.values())).source
