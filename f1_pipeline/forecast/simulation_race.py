"""Draw a race, sprint or Grand Prix, many times: from the starting places to the flag.

Belongs here: retirements, the classification, overtakes and the fastest lap. What comes before and after, and what both
races of a weekend share, is :mod:`f1_pipeline.forecast.simulation`; the draws themselves are
:mod:`f1_pipeline.forecast.simulation_draws`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from f1_pipeline.forecast.outlook import Ints, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.simulation_draws import (
    Generator,
    Places,
    Single,
    normal_scores,
    normals,
    one_each,
    places,
    poisson_counts,
    uniforms,
)

RACE_STREAMS = ("start", "noise", "retired", "shared", "overtakes", "fastest_lap")
# Below any score: whoever has no time or has retired is behind all others, among themselves in the order drawn.
BEHIND = np.float32(10_000)

Arrays = dict[str, npt.NDArray]


class RaceDraw:
    """A sprint or the Grand Prix made ready to be drawn from."""

    def __init__(self, weekend: WeekendOutlook, outlook: RaceOutlook, generators: dict[str, Generator]) -> None:
        self.outlook, self.generators, self.cars = outlook, generators, weekend.car_count
        self.start_score = np.float32(outlook.grid_weight) * normal_scores(self.cars)
        with np.errstate(over="ignore"):
            self.odds_against = np.exp(-outlook.retirement_logit).astype(np.float32)[:, None]
        self.overtakes = outlook.overtakes.astype(np.float32).ravel()
        self.overtakes_factor = weekend.overtakes_factor.astype(np.float32)[:, None]
        self.fastest_lap = weekend.fastest_lap_weight.astype(np.float32)

    def start(self, count: int) -> Places | None:
        """Return the starting places if they are known: shape (m, count)."""
        return known_places(self.outlook.start, count)

    def draw(self, start: Places, strength: Single, chaos: Single, shift: Single) -> Arrays:
        """Draw a race from its starting places, shape (m, n), and what the weekend has in common, shape (n,)."""
        position = known_places(self.outlook.position, start.shape[1])
        if position is None:
            position = self._position(start, strength, chaos, shift)
        lucky = uniforms(self.generators["fastest_lap"], 1, start.shape[1])[0]
        return {
            "position": position,
            "start_place": start,
            "overtakes": self._overtakes(start, position),
            "has_fastest_lap": one_each(np.take(self.fastest_lap, position, mode="clip"), lucky),
        }

    def cell(self, start: Places, position: Places) -> npt.NDArray[np.intp]:
        """Return where a table of starting places by places in the classification holds each car."""
        cell = start.astype(np.intp)
        cell *= self.cars + 1
        cell += position
        return cell

    def _position(self, start: Places, strength: Single, chaos: Single, shift: Single) -> Places:
        score = normals(self.generators["noise"], *start.shape)
        score *= np.float32(self.outlook.noise_sd) * chaos
        score += np.float32(1 - self.outlook.grid_weight) * strength
        score += np.take(self.start_score, start, mode="clip")
        odds_against = self.odds_against * np.exp(-shift)
        is_retired = uniforms(self.generators["retired"], *start.shape) < 1 / (1 + odds_against)
        np.copyto(score, -BEHIND, where=is_retired)
        return places(score) * ~is_retired

    def _overtakes(self, start: Places, position: Places) -> Places:
        sd = self.outlook.overtakes_sd
        shared = normals(self.generators["shared"], 1, start.shape[1])[0]
        mean = np.take(self.overtakes, self.cell(start, position), mode="clip")
        mean *= self.overtakes_factor
        mean *= np.exp(np.float32(sd) * shared - np.float32(sd**2 / 2))
        return poisson_counts(mean, uniforms(self.generators["overtakes"], *start.shape)).view(np.int8)


def known_places(row: Ints | None, count: int) -> Places | None:
    """Repeat what is known in each weekend: shape (m, count)."""
    return None if row is None else np.broadcast_to(row.astype(np.int8)[:, None], (len(row), count))
