"""The races from a lock on as they look there: menus with expected prices, expected points.

Belongs here: the shape that plans are made from. Neighbours: `steps.coming_races` reads it from what was forecast,
`rl.simulated` makes it of seasons that might have been, `plan_problem` is what a planner is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.plan_problem import PlanProblem, plan_assets


@dataclass(frozen=True, eq=False)
class ComingRaces:
    """A race and the later ones of its season, as they look at its lock.

    Attributes
    ----------
    rules : SeasonRules
    menus : tuple of RaceMenu, T
        The menu of the race; those of later races are what is on sale now, at the prices expected then.
    assets : tuple of AssetKey, A
    points, no_negative_points : ndarray of shape (T, A)
        Expected; 0 for who is not on sale.
    """

    rules: SeasonRules
    menus: tuple[RaceMenu, ...]
    assets: tuple[AssetKey, ...]
    points: np.ndarray
    no_negative_points: np.ndarray

    def problem(self, team: Team | None, horizon: int) -> PlanProblem:
        """Make the plan of the next races.

        Parameters
        ----------
        team : Team or None
            Your team before the first of them.
        horizon : int
            How many races, at most as many as the season has left.

        Returns
        -------
        PlanProblem
        """
        count = min(horizon, len(self.menus))
        assets = plan_assets(self.menus[:1], team)
        columns = {key: at for at, key in enumerate(self.assets)}
        at = np.array([columns.get(key, -1) for key in assets])

        def of_assets(values: np.ndarray) -> np.ndarray:
            return np.where(at >= 0, values[:count, at], 0.0)

        problem = PlanProblem(
            rules=self.rules,
            menus=self.menus[:count],
            assets=assets,
            points=of_assets(self.points),
            no_negative_points=of_assets(self.no_negative_points),
            team=team,
        )
        after = self.menus[min(count, len(self.menus) - 1)].prices
        end = np.array([after.get(key, price) for key, price in zip(assets, problem.prices[-1], strict=True)])
        return replace(problem, end_prices=end)
