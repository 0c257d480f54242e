"""Let agents play the same seasons, and say how they did.

Belongs here: playing and counting. Neighbours: :mod:`f1_pipeline.steps.agent_seasons` stores the results,
:mod:`f1_pipeline.report.agents` shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from f1_pipeline.game.team_arrays import NONE
from f1_pipeline.rl.agents import Agent
from f1_pipeline.rl.seasons import SeasonSource
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv


def play_seasons(
    agent: Agent,
    source: SeasonSource,
    numbers: Sequence[int],
    *,
    has_chips: bool,
    on_race: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Play seasons from their first race to the last.

    Parameters
    ----------
    agent : Agent
    source : SeasonSource
    numbers : sequence of int
        Numbers of the seasons: the same ones for every agent, so that luck is common to them.
    has_chips : bool
        Whether chips may be played.
    on_race : callable
        Told after each race.

    Returns
    -------
    pandas.DataFrame
        One row per season: season_number, total_points, transfer_points, transfer_count, chip_count and
        end_budget_musd (bank and value at the last lock).

    Raises
    ------
    RuleError
        The agent decided against the rules.
    """
    env = F1FantasyVectorEnv(source, len(numbers), reward="points", illegal="reject", has_chips=has_chips)
    observation, info = env.reset(options={"season_numbers": list(numbers)})
    sums = {name: np.zeros(len(numbers)) for name in ("points", "transfer_points", "transfer_count")}
    chips = np.zeros(len(numbers), dtype=np.int64)
    for _ in range(env.frame.race_count):
        observation, _, _, _, info = env.step(agent.act(observation, info, env))
        for name, total in sums.items():
            total += info[name]
        chips += info["chip"] != NONE
        on_race()
    return pd.DataFrame(
        {
            "season_number": list(numbers),
            "total_points": sums["points"],
            "transfer_points": sums["transfer_points"],
            "transfer_count": sums["transfer_count"].astype(np.int64),
            "chip_count": chips,
            "end_budget_musd": info["budget_musd"],
        }
    )
