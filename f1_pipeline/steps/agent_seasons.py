"""The step that compares agents: all of them play each season, as it was and as it might have been.

Belongs here: who plays which seasons, and how agents are compared. Neighbours: `agents` trains, and reads what it
trained; playing is :mod:`f1_pipeline.rl.evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from f1_pipeline.optimize.policies import Policy
from f1_pipeline.rl.agents import Agent, GreedyAgent, HoldAgent, OracleAgent, PlanningAgent, RandomAgent
from f1_pipeline.rl.evaluate import play_seasons
from f1_pipeline.rl.linear import START, LinearAgent
from f1_pipeline.rl.seasons import GivenSeasons
from f1_pipeline.steps.agents import trained_agents
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import real_season, season_simulator
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.writer import WriteReport

AGENT_SEASON_TABLE = "evaluation.agent_season"
FIRST_SIMULATED = 2**50
"""Number of the first simulated season that agents are judged on: beyond all that a seed or a training reaches."""


@dataclass(frozen=True)
class Arena:
    """How agents are compared.

    Attributes
    ----------
    quick_seasons, slow_seasons : int
        Simulated seasons that agents play; the slow ones, which solve integer programmes, only the first of them.
    rolling_time_limit_s, oracle_time_limit_s : float
        For each plan of some races, and for each path through a season.
    """

    quick_seasons: int = 64
    slow_seasons: int = 4
    rolling_time_limit_s: float = 3.0
    oracle_time_limit_s: float = 40.0


ARENA = Arena()


@dataclass(frozen=True)
class Contender:
    """An agent that plays.

    Attributes
    ----------
    agent : Agent
    is_slow : bool
        Whether it plays only the first of the simulated seasons.
    model_uri : str or None
        Where it is kept, if it was trained.
    """

    agent: Agent
    is_slow: bool = False
    model_uri: str | None = None


def untrained(arena: Arena = ARENA) -> tuple[Contender, ...]:
    """List the agents that need no training.

    Parameters
    ----------
    arena : Arena
        For its limits.

    Returns
    -------
    tuple of Contender
    """
    return (
        Contender(RandomAgent()),
        Contender(HoldAgent()),
        Contender(GreedyAgent("value")),
        Contender(GreedyAgent("points")),
        Contender(LinearAgent(START, "linear_untrained")),
        Contender(PlanningAgent(Policy("myopic"))),
        Contender(PlanningAgent(Policy("rolling", horizon=5), arena.rolling_time_limit_s), is_slow=True),
        Contender(OracleAgent(arena.oracle_time_limit_s), is_slow=True),
    )


def evaluate_agents(pipeline: Pipeline, table: str, seasons: Sequence[str], arena: Arena = ARENA) -> WriteReport:
    """Let every agent play each season, as it was and as it might have been.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.agent_season`.
    seasons : sequence of str
    arena : Arena
        How they are compared.

    Returns
    -------
    WriteReport
        With each agent's points as a Markdown table.

    Raises
    ------
    WarehouseError
        A race has not been computed, or no agent has been trained.
    """
    contenders = {}
    for season in seasons:
        learnt = trained_agents(pipeline, int(season)).values()
        contenders[season] = (*untrained(arena), *(Contender(agent, model_uri=uri) for agent, uri in learnt))
    played = play_all(pipeline, contenders, arena)
    report = run_model(pipeline, table, seasons, with_nulls(played))
    return replace(report, details={season: {"points": _markdown(played, int(season))} for season in seasons})


def _markdown(played: pd.DataFrame, season: int) -> str:
    own = played[played["season"] == season]
    shown = own.groupby(["world", "agent", "has_chips"], sort=False)["total_points"].mean().round(0)
    return str(shown.reset_index().to_markdown(index=False))


@dataclass(frozen=True)
class _Match:
    """An agent that plays the seasons of a world, with chips or without."""

    season: str
    world: str
    contender: Contender
    has_chips: bool
    numbers: range


def play_all(pipeline: Pipeline, contenders: Mapping[str, Sequence[Contender]], arena: Arena = ARENA) -> pd.DataFrame:
    """Let agents play real seasons and the fixed set of simulated ones.

    Parameters
    ----------
    pipeline : Pipeline
    contenders : mapping of str to sequence of Contender
        By season.
    arena : Arena

    Returns
    -------
    pandas.DataFrame
        As `evaluation.agent_season` without what is derived.
    """
    sources: dict[tuple[str, str], GivenSeasons] = {}
    for season in contenders:
        simulator = season_simulator(pipeline, int(season))
        sources[season, "real"] = real_season(pipeline, int(season))
        sources[season, "simulated"] = simulator.sample(FIRST_SIMULATED, arena.quick_seasons)
    matches = [
        _Match(season, world, contender, has_chips, range(min(source.count, limit)))
        for (season, world), source in sources.items()
        for contender in contenders[season]
        for limit in [arena.slow_seasons if contender.is_slow else source.count]
        for has_chips in ((False, True) if contender.agent.has_chips else (False,))
    ]
    return pd.concat(spread(pipeline.settings, _play, matches, sources), ignore_index=True)


def _play(match: _Match, sources: Mapping[tuple[str, str], GivenSeasons]) -> pd.DataFrame:
    source, agent = sources[match.season, match.world], match.contender.agent
    return play_seasons(agent, source, match.numbers, has_chips=match.has_chips).assign(
        season=int(match.season),
        world=match.world,
        agent=agent.name,
        has_chips=match.has_chips,
        race_count=source.frame.race_count,
        model_uri=match.contender.model_uri,
    )
