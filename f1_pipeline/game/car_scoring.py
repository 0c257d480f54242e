"""Score the cars of weekends, session by session: results in, scoring items of drivers out.

Belongs here: what a result is worth to the driver who had it. What it is worth to his constructor is
:mod:`f1_pipeline.game.constructor_scoring`, what several weekends in a row are worth
:mod:`f1_pipeline.game.streak_scoring`; the constants are :mod:`f1_pipeline.game.scoring_rules`.

References
----------
``data/rules`` names the source of each constant. Checked against official figures of every race since 2023: item by
item where the game's items are on record, elsewhere as totals.
"""

from collections.abc import Iterator

import numpy as np

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.scoring_arrays import (
    NO_TEAM,
    Ints,
    Item,
    Mask,
    QualifyingArrays,
    RaceArrays,
    Session,
    Weekends,
    classified,
    entered,
    nobody,
    team_cells,
    was_held,
    worth,
)
from f1_pipeline.game.scoring_rules import FROM_GRID, QualifyingRules, RaceRules, SprintRules

_UNPLACED = 127


def car_items(weekends: Weekends, rules: SeasonRules) -> Iterator[Item]:
    """Score every car of some weekends.

    Parameters
    ----------
    weekends : Weekends
        n weekends of m cars.
    rules : SeasonRules
        The rules of any season.

    Yields
    ------
    Item
        Of shape (n, m); each item once, and only if it happened to some car.
    """
    qualifying, sprint, race = weekends.qualifying, weekends.sprint, weekends.race
    # nobody missed a qualifying that was not held
    absent = _in_races(weekends) & ~entered(qualifying) & was_held(qualifying)
    is_absent = np.broadcast_to(absent, weekends.shape) if absent.any() else nobody()
    yield from _qualifying_items(qualifying, is_absent, rules.qualifying)
    if sprint is not None:
        yield from _race_items("sprint", sprint, _start("sprint", sprint, weekends, rules.sprint), rules.sprint)
    yield from _race_items("race", race, _start("race", race, weekends, rules.race), rules.race)


def first_unplaced(weekends: Weekends, rules: SeasonRules) -> tuple[str, int, int] | None:
    """Find a classified car without the place on the starting grid that its places count from.

    Parameters
    ----------
    weekends : Weekends
        n weekends of m cars.
    rules : SeasonRules
        The rules of any season.

    Returns
    -------
    tuple of str, int and int, or None
        Session, weekend and car; None where nothing is missing.
    """
    for name, session, of_session in (("sprint", weekends.sprint, rules.sprint), ("race", weekends.race, rules.race)):
        if session is None or of_session.places_from != FROM_GRID or session.start_place.min(initial=1) > 0:
            continue
        found, cars = np.nonzero(classified(session) & (session.start_place == 0))
        if len(found):
            return name, int(found[0]), int(cars[0])
    return None


def _in_races(weekends: Weekends) -> Mask:
    in_race = entered(weekends.race)
    return in_race if weekends.sprint is None else in_race | entered(weekends.sprint)


def _start(name: str, session: RaceArrays, weekends: Weekends, rules: SprintRules) -> Ints:
    """Return the places that places gained and lost count from."""
    if rules.places_from == FROM_GRID:
        return session.start_place
    is_entered = entered(weekends.qualifying) | _in_races(weekends)
    field_size = is_entered.sum(axis=-1, keepdims=True, dtype=np.int16)
    last = _listed_place(weekends.qualifying, field_size)
    if name == "race" and weekends.sprint is not None:
        last = np.where(was_held(weekends.sprint), _listed_place(weekends.sprint, field_size), last)
    return last


def _listed_place(session: Session, field_size: Ints) -> Ints:
    """Return the place in a classification; whoever has none counts as last of the field."""
    return np.where(classified(session), session.position, field_size)


def _qualifying_items(session: QualifyingArrays, is_absent: Mask, rules: QualifyingRules) -> Iterator[Item]:
    is_classified = classified(session)
    place = session.position * is_classified
    yield from _position("qualifying", is_classified, place, rules.position_points)
    yield from _stage_items(is_classified, place, rules)
    yield from _ahead("qualifying", session, place, rules.ahead_of_team_mate)
    is_out = entered(session) & ~is_classified & ~session.is_disqualified
    out = ((is_out, rules.not_classified), (is_absent, rules.absent))
    yield from _happened("qualifying", "qualifying_not_classified", *out)
    yield from _happened("qualifying", "qualifying_disqualified", (session.is_disqualified, rules.disqualified))


def _stage_items(is_classified: Mask, place: Ints, rules: QualifyingRules) -> Iterator[Item]:
    if not (rules.reached_q3 or rules.eliminated_in_q2 or rules.eliminated_in_q1):
        return
    in_q3 = is_classified & (place <= rules.q3_last_position)
    in_q1 = place > rules.q2_last_position
    yield from _happened("qualifying", "qualifying_reached_q3", (in_q3, rules.reached_q3))
    in_q2 = is_classified & ~in_q3 & ~in_q1
    yield from _happened("qualifying", "qualifying_eliminated_in_q2", (in_q2, rules.eliminated_in_q2))
    yield from _happened("qualifying", "qualifying_eliminated_in_q1", (in_q1, rules.eliminated_in_q1))


def _race_items(event: str, session: RaceArrays, start: Ints, rules: SprintRules) -> Iterator[Item]:
    is_classified = classified(session)
    is_disqualified = session.is_disqualified
    place = session.position * is_classified
    yield from _position(event, is_classified, place, rules.position_points)
    yield from _happened(event, f"{event}_finished", (is_classified, rules.finished))
    yield from _ahead(event, session, place, rules.ahead_of_team_mate)
    yield from _place_items(event, (start - place) * is_classified, rules)
    is_out = entered(session) & ~is_classified & ~is_disqualified
    is_withdrawn = session.did_not_start & (session.start_place == 0)
    out = ((is_out & ~is_withdrawn, rules.not_classified), (is_out & is_withdrawn, rules.withdrawn_before_grid))
    yield from _happened(event, f"{event}_not_classified", *out)
    yield from _happened(event, f"{event}_disqualified", (is_disqualified, rules.disqualified))
    fastest = session.has_fastest_lap & ~is_disqualified
    yield from _happened(event, f"{event}_fastest_lap", (fastest, rules.fastest_lap))
    if isinstance(rules, RaceRules):
        voted = session.is_driver_of_the_day & ~is_disqualified
        yield from _happened(event, "driver_of_the_day", (voted, rules.driver_of_the_day))
    overtakes = session.overtakes if rules.disqualified_keeps_overtakes else session.overtakes * ~is_disqualified
    yield from _counted(event, f"{event}_overtakes", overtakes, rules.overtake)


def _position(event: str, is_classified: Mask, place: Ints, points: tuple[int, ...]) -> Iterator[Item]:
    """Score places; a place that is worth nothing is listed all the same."""
    if is_classified.any():
        table = np.zeros(_UNPLACED + 1, dtype=np.int16)
        table[1 : len(points) + 1] = points
        # take returns rows in memory whatever it is given; turned round twice, columns stay columns
        yield Item(event, f"{event}_position", is_classified, np.take(table, place.T).T)


def _place_items(event: str, change: Ints, rules: SprintRules) -> Iterator[Item]:
    gained = change * (change > 0)
    for name, count, each in (
        ("gained", gained, rules.position_gained),
        ("lost", gained - change, rules.position_lost),
    ):
        for item in _counted(event, f"{event}_positions_{name}", count, each):
            most = rules.places_points_max
            yield item._replace(points=np.clip(item.points, -most, most)) if most else item


def _ahead(event: str, session: Session, place: Ints, value: int) -> Iterator[Item]:
    """Score the best placed of each team's cars."""
    if not value or not place.any():
        return
    ranked = np.where(place > 0, place, _UNPLACED)
    cells = team_cells(session.team, len(ranked))
    best = np.full((len(ranked), session.team.max(initial=NO_TEAM) + 2), _UNPLACED, order="F")
    for car, own in enumerate(cells):
        best[own] = np.minimum(best[own], ranked[:, car])
    is_best = np.array([ranked[:, car] == best[own] for car, own in enumerate(cells)]).T
    yield from _happened(event, f"{event}_ahead_of_team_mate", ((place > 0) & is_best, value))


def _happened(event: str, name: str, *cases: tuple[Mask, int]) -> Iterator[Item]:
    """Score what happens once, by case; a case that is worth nothing is not listed."""
    met = [(mask, value) for mask, value in cases if value and mask.any()]
    if met:
        count, points = met[0][0], worth(*met[0])
        for mask, value in met[1:]:
            count, points = count | mask, points + worth(mask, value)
        yield Item(event, name, count, points)


def _counted(event: str, name: str, count: Ints, each: int) -> Iterator[Item]:
    if each and count.any():
        yield Item(event, name, count, worth(count, each))
