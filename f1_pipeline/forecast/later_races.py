"""Simulate the races that follow one, as believed at its lock: strengths last from race to race, form does not.

Belongs here: one chain of seasons, race after race. What is believed is :mod:`f1_pipeline.forecast.outlook`, one
weekend is :mod:`f1_pipeline.forecast.simulation`, what the points do to prices is
:mod:`f1_pipeline.forecast.price_paths`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from f1_pipeline.forecast.outlook import LaterOutlook
from f1_pipeline.forecast.simulation import SimulatedWeekends, draw_strengths, simulate_points
from f1_pipeline.forecast.simulation_draws import correlated, square_root, streams
from f1_pipeline.game.rules import SeasonRules

_DRIFT = 1


@dataclass(frozen=True)
class LaterRace:
    """A race that is to come.

    Attributes
    ----------
    day : int
        Its date as a proleptic ordinal; part of the seed.
    circuit_id : str
    has_sprint : bool
    """

    day: int
    circuit_id: str
    has_sprint: bool


def simulate_later_races(
    later: LaterOutlook,
    races: Sequence[LaterRace],
    rules: SeasonRules,
    count: int,
    seed: Sequence[int],
    *,
    with_items: bool = False,
) -> Iterator[SimulatedWeekends]:
    """Simulate races in order, and score them, also under the chip No Negative.

    Parameters
    ----------
    later : LaterOutlook
        What is believed.
    races : sequence of LaterRace
        In order of date.
    rules : SeasonRules
        Of their season.
    count : int
        n, how many times.
    seed : sequence of int
        That of the forecast of the race before them: strengths come from the same random numbers, so that whoever is
        strong in one of its draws is so in the same draw of later races.
    with_items : bool
        As for :func:`f1_pipeline.game.weekend_scoring.score_weekends`.

    Yields
    ------
    SimulatedWeekends
        One race; draw by draw they are one course of the season.
    """
    strength = draw_strengths(later.weekend.strength_mean, later.weekend.strength_covariance, count, seed)
    root, unmoved = square_root(later.drift_covariance), np.zeros(len(strength))
    for race in races:
        drift = streams((*seed, race.day, _DRIFT), ["drift"])["drift"]
        strength = strength + correlated(drift, root, unmoved, count)
        outlook = later.form_at(race.circuit_id, race.has_sprint)
        yield simulate_points(
            outlook, rules, count, (*seed, race.day), lasting=strength, no_negative=True, with_items=with_items
        )
