"""Score streaks: so many weekends in a row among the first places, by a driver or by both cars of a constructor.

Belongs here: what only consecutive weekends of a season can say; rows are weekends in order of date. What one weekend
says is :mod:`f1_pipeline.game.car_scoring`.

References
----------
Game rules of 2022, ``data/rules/2022.toml``; no later season has streaks.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from f1_pipeline.game.constructor_scoring import sum_by_team
from f1_pipeline.game.scoring_arrays import Ints, Item, Mask, worth
from f1_pipeline.game.scoring_rules import StreakRules, TopPlacesRules

STREAK_SESSIONS = ("qualifying", "race")


def driver_streaks(places: Mapping[str, Ints], is_season_start: Mask, rules: StreakRules) -> Iterator[Item]:
    """Pay drivers for streaks.

    Parameters
    ----------
    places : mapping of str to numpy.ndarray of int
        Place of each driver in qualifying and race, shape (n, m), columns being the same drivers in all weekends;
        0 where he is not classified.
    is_season_start : numpy.ndarray of bool, shape (n,)
        Weekends that open a season; all counts start anew there.
    rules : StreakRules
        The rules of any season.

    Yields
    ------
    Item
        Of shape (n, m), ``qualifying_streak`` and ``race_streak``.
    """
    if isinstance(rules, TopPlacesRules):
        values = (rules.driver_qualifying, rules.driver_race)
        for session, value in zip(STREAK_SESSIONS, values, strict=True):
            is_top = _is_top(places[session], rules)
            yield _payouts(session, is_top, is_season_start, rules.driver_race_count, value)


def constructor_streaks(
    places: Mapping[str, Ints], teams: Mapping[str, Ints], count: int, is_season_start: Mask, rules: StreakRules
) -> Iterator[Item]:
    """Pay constructors for streaks of both their cars.

    Parameters
    ----------
    places, is_season_start, rules
        As for :func:`driver_streaks`.
    teams : mapping of str to numpy.ndarray of int
        Constructor of each car by session, shape (m,) or (n, m), -1 for none.
    count : int
        Number of constructors.

    Yields
    ------
    Item
        Of shape (n, count).
    """
    if isinstance(rules, TopPlacesRules):
        values = (rules.constructor_qualifying, rules.constructor_race)
        for session, value in zip(STREAK_SESSIONS, values, strict=True):
            both = sum_by_team(_is_top(places[session], rules), teams[session], count) >= 2
            yield _payouts(session, both, is_season_start, rules.constructor_race_count, value)


def _is_top(places: Ints, rules: TopPlacesRules) -> Mask:
    return (places > 0) & (places <= rules.last_position)


def _payouts(session: str, is_top: Mask, is_season_start: Mask, length: int, value: int) -> Item:
    """Count weekends in a row; one that fails starts a new count, and so does a payout."""
    paid = np.zeros(is_top.shape, dtype=np.bool_)
    run = np.zeros(is_top.shape[1], dtype=np.int64)
    for weekend, is_first in enumerate(is_season_start):
        run = (1 if is_first else run + 1) * is_top[weekend]
        paid[weekend] = run == length
        run = np.where(paid[weekend], 0, run)
    return Item(session, f"{session}_streak", paid, worth(paid, value))
