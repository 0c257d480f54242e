"""What was known at the locks of a season's races, for whoever plays it again or plans its next race.

Belongs here: forecasts, draws and recorded chip gains of many races, read at once. Nothing here knows what came of a
race. Neighbours: `coming_races` reads the forecasts, `backtest` plays with them, `chips` keeps the record of gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.chip_gains import WeekendViews
from f1_pipeline.optimize.chip_timing import RecordedGains, keep_values
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.optimize.plan_problem import PlanProblem
from f1_pipeline.optimize.policies import Policy
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.steps.coming_races import RaceDraws, coming_races, race_draws
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.warehouse.frames import read_frame

PUBLISHED = "published"
BASELINE_FORECASTS = ("ewma_price_prior", "season_mean", "price_only")
GAIN_TABLE = "lineups.chip_gain"

BASELINES = """
    select race_key, asset_type, asset_id, baseline, expected_points
    from predictions.baseline_points
    where list_contains($race_keys, race_key)
"""
AFTER_QUALIFYING = """
    select race_key, asset_type, asset_id, expected_points
    from predictions.asset_forecast
    where is_current and phase = 'after_qualifying' and list_contains($race_keys, race_key)
"""
GAINS = """
    select gai.race_key, rac.race_date, rac.has_sprint, gai.chip, unnest(gai.offers) as offer
    from lineups.chip_gain as gai
    inner join core.race as rac using (race_key)
    order by rac.race_date, gai.chip, offer
"""


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What was known at the locks of some races.

    Attributes
    ----------
    coming : dict of str to ComingRaces
        By race.
    draws : dict of str to RaceDraws
    baselines : dict of (str, str) to dict
        Expected points by fact key, by race and baseline.
    after_qualifying : dict of str to dict
        Expected points of the weekend once qualifying was over, by fact key.
    gains : pandas.DataFrame
        Recorded offers of chips, oldest first: race_date, has_sprint, chip, offer; of races later as well.
    dates : dict of str to date
        Day of each race.
    """

    coming: Mapping[str, ComingRaces]
    draws: Mapping[str, RaceDraws]
    baselines: Mapping[tuple[str, str], Mapping[AssetKey, float]]
    after_qualifying: Mapping[str, Mapping[AssetKey, float]]
    gains: pd.DataFrame
    dates: Mapping[str, date]

    def problem(self, race_key: str, policy: Policy, team: Team | None) -> PlanProblem:
        """Show a policy the coming races as it sees them."""
        problem = self.coming[race_key].problem(team, policy.horizon)
        if policy.forecast == PUBLISHED:
            return problem
        known = self.baselines.get((race_key, policy.forecast), {})
        menu = problem.menus[0]
        # A baseline knows nothing of a first race; its price is what is left to go by.
        points = [
            known.get(fact_key(key), menu.prices[key] / 10) if menu.is_active(key) else 0.0 for key in problem.assets
        ]
        return replace(problem, points=np.array([points]), no_negative_points=None)

    def races_after(self, race_key: str, policy: Policy) -> int:
        """Count the races of the season beyond those that a policy looks at."""
        return max(len(self.coming[race_key].menus) - policy.horizon, 0)

    def views(self, race_key: str, problem: LineupProblem, count: int) -> WeekendViews:
        """Show what is expected of a weekend beside its points."""
        coming = self.coming[race_key]
        floors = dict(zip(coming.assets, coming.no_negative_points[0].tolist(), strict=True))
        return self.draws[race_key].views(problem, floors, count)

    def keep_value(self, race_key: str, chip: str) -> float:
        """Say what a chip is worth unplayed after a race, by what it was offered at races before that one."""
        return float(self.keep_values(race_key, chip)[1])

    def keep_values(self, race_key: str, chip: str) -> np.ndarray:
        """Say what a chip is worth unplayed before each race from one on, and after the last; see `chip_timing`."""
        has_sprint = [menu.has_sprint for menu in self.coming[race_key].menus]
        return keep_values(self.recorded(race_key, chip), has_sprint)

    def recorded(self, race_key: str, chip: str) -> RecordedGains:
        """Return the offers of a chip at races strictly before one."""
        rows = self._by_chip.get(chip, self.gains.iloc[:0])
        earlier = rows[(rows["race_date"] < pd.Timestamp(self.dates[race_key])).to_numpy()]
        return RecordedGains(
            points=earlier["offer"].to_numpy(dtype=float),
            has_sprint=earlier["has_sprint"].to_numpy(dtype=bool),
            race_count=earlier["race_date"].nunique(),
        )

    @cached_property
    def _by_chip(self) -> dict[str, pd.DataFrame]:
        return {str(chip): rows for chip, rows in self.gains.groupby("chip")}


def season_knowledge(pipeline: Pipeline, race_keys: Sequence[str], *, with_gains: bool = True) -> Knowledge:
    """Read what was known at the locks of some races.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str
    with_gains : bool
        Whether to read the record of what chips offered.

    Returns
    -------
    Knowledge

    Raises
    ------
    WarehouseError
        A race has not been forecast.
    """
    coming, draws = coming_races(pipeline, race_keys), race_draws(pipeline, race_keys)
    parameters = {"race_keys": list(race_keys)}
    with pipeline.warehouse.read() as connection:
        baselines = read_frame(connection, BASELINES, parameters)
        after = read_frame(connection, AFTER_QUALIFYING, parameters)
        gains = read_frame(connection, GAINS) if with_gains else _no_gains()
    return Knowledge(
        coming=coming,
        draws=draws,
        baselines={
            (str(own["race_key"].iloc[0]), str(own["baseline"].iloc[0])): _by_asset(own)
            for _, own in baselines.groupby(["race_key", "baseline"])
        },
        after_qualifying={str(key): _by_asset(own) for key, own in after.groupby("race_key")},
        gains=gains.assign(race_date=pd.to_datetime(gains["race_date"])),
        dates={key: pipeline.calendar.get(key).race_date for key in race_keys},
    )


def _by_asset(rows: pd.DataFrame) -> dict[AssetKey, float]:
    keys = zip(rows["asset_type"], rows["asset_id"], strict=True)
    return dict(zip(keys, rows["expected_points"].astype(float), strict=True))


def _no_gains() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in ("race_key", "race_date", "has_sprint", "chip", "offer")})
