"""The steps of reinforcement learning: train agents before a season, and let all agents play it.

Belongs here: what is trained on what, and who plays which seasons. Training is :mod:`f1_pipeline.rl.linear` and
:mod:`f1_pipeline.rl.ppo`, playing :mod:`f1_pipeline.rl.evaluate`; agents are kept by `forecast.tracking`.

Walk-forward: the agents of a season learn on simulators of that season and of earlier ones, each made from what was
known at the lock of its season's first race. No result of the season is ever seen; its calendar is the one that was
driven, for call-offs are not recorded with their date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.model_records import ModelRecord
from f1_pipeline.optimize.policies import Policy
from f1_pipeline.rl.agents import Agent, GreedyAgent, HoldAgent, OracleAgent, PlanningAgent, RandomAgent
from f1_pipeline.rl.evaluate import play_seasons
from f1_pipeline.rl.linear import (
    PARAMETERS,
    START,
    CrossEntropySettings,
    LinearAgent,
    agent_bytes,
    read_agent,
    train_linear,
)
from f1_pipeline.rl.ppo import SHAPES, PpoSettings, ppo_bytes, read_ppo, train_ppo
from f1_pipeline.rl.seasons import SeasonSource
from f1_pipeline.rl.simulated import SimulatedSeasons
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import real_season, season_opener, season_simulator
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import has_table, read_frame
from f1_pipeline.warehouse.writer import WriteReport

TRAINING_TABLE, AGENT_SEASON_TABLE = "models.agent_training", "evaluation.agent_season"
CURVE_FILE = "curve.json"
SEED = 1
_RECIPE_VERSION = 1
"""Changes whenever the same simulators and settings would give another agent than before."""


@dataclass(frozen=True)
class Trainer:
    """A way to train an agent, and to keep it.

    Attributes
    ----------
    name : str
    settings : dataclass
        Of its training.
    train : callable
        ``train(simulators, settings, seed)`` returns the agent and its learning curve, a list of dataclasses with
        ``number`` and ``mean_points``.
    to_bytes, read : callable
        ``to_bytes(agent)`` and ``read(content, where)``; no pickles.
    file_name : str
        What it is kept as.
    takes_turns : bool
        Whether each generation plays on one simulator, in turn; else on all of them.
    """

    name: str
    settings: CrossEntropySettings | PpoSettings
    train: Callable[..., tuple[Any, Sequence[Any]]]
    to_bytes: Callable[[Any], bytes]
    read: Callable[[bytes, str], Agent]
    file_name: str
    takes_turns: bool = False


LIGHT_SETTINGS = CrossEntropySettings(generations=20)
LIGHT = Trainer("linear", LIGHT_SETTINGS, train_linear, agent_bytes, read_agent, "agent.json", True)
MASKED_PPO = Trainer("ppo", PpoSettings(), train_ppo, ppo_bytes, read_ppo, "agent.npz")


TRAINERS = (LIGHT, MASKED_PPO)


def can_train(trainer: Trainer) -> bool:
    """Say whether what a trainer needs is installed: PPO needs the extra ``rl``."""
    return trainer is not MASKED_PPO or all(find_spec(name) is not None for name in ("sb3_contrib", "torch"))


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

OPENER_MODELS = """
    select race_key, fingerprint from models.weekend_model where list_contains($race_keys, race_key) order by race_key
"""
URIS = """
    select agent, any_value(model_uri) as model_uri
    from models.agent_training
    where season = $season
    group by agent
    order by agent
"""


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


def train_agents(
    pipeline: Pipeline, table: str, seasons: Sequence[str], wanted: Sequence[Trainer] = TRAINERS
) -> WriteReport:
    """Train the agents of each season, or find those that are kept already.

    An agent whose trainer lacks what it needs is used if it is kept, and is left out if it is not.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `models.agent_training`.
    seasons : sequence of str
    wanted : sequence of Trainer

    Returns
    -------
    WriteReport
        With the end of each learning curve.

    Raises
    ------
    WarehouseError
        A season's first race has not been computed.
    """
    rows, details = [], {}
    made: dict[int, SimulatedSeasons] = {}
    for season in seasons:
        simulators = training_simulators(pipeline, int(season), made)
        names = list(simulators)
        details[season] = {}
        for trainer in wanted:
            uri = _trained(pipeline, int(season), simulators, trainer)
            if uri is None:
                continue
            curve = json.loads(pipeline.agent_tracking.model_file(uri, CURVE_FILE).read_bytes())
            rows += [
                {
                    "season": int(season),
                    "agent": trainer.name,
                    "generation": point["number"],
                    **{name: point.get(name) for name in ("mean_points", "elite_points", "best_points")},
                    "simulator_season": names[at % len(names)] if trainer.takes_turns else None,
                    "simulator_seasons": ", ".join(map(str, names)),
                    "model_uri": uri,
                }
                for at, point in enumerate(curve)
            ]
            details[season][trainer.name] = f"{uri}: {curve[-1]['mean_points']:.0f} points in the last generation"
    report = run_model(pipeline, table, seasons, with_nulls(pd.DataFrame(rows)))
    return replace(report, details=details)


def training_simulators(
    pipeline: Pipeline, season: int, made: dict[int, SimulatedSeasons] | None = None
) -> dict[int, SimulatedSeasons]:
    """Make the simulators that the agents of a season may learn on.

    Parameters
    ----------
    pipeline : Pipeline
    season : int
    made : dict of int to SimulatedSeasons, optional
        Those that are at hand; new ones are added.

    Returns
    -------
    dict of int to SimulatedSeasons
        By season, up to the season itself, oldest first.
    """
    known = {} if made is None else made
    wanted = [each for each in sorted({race.season for race in pipeline.calendar.finished}) if each <= season]
    for each in wanted:
        if each not in known:
            known[each] = season_simulator(pipeline, each)
    return {each: known[each] for each in wanted}


def _trained(pipeline: Pipeline, season: int, simulators: dict[int, SimulatedSeasons], trainer: Trainer) -> str | None:
    """Train an agent and keep it, unless the same one is kept already; return its URI, None if it cannot be trained."""
    mark = _fingerprint(pipeline, simulators, trainer)
    known = pipeline.agent_tracking.find(mark)
    if known is not None or not can_train(trainer):
        return known
    agent, curve = trainer.train(list(simulators.values()), trainer.settings, SEED)
    opener = pipeline.calendar.get(season_opener(pipeline, season))
    points = [asdict(point) for point in curve]
    record = ModelRecord(
        candidate=trainer.name,
        race_key=opener.race_key,
        race_date=opener.race_date.isoformat(),
        fingerprint=mark,
        params={**asdict(trainer.settings), "seed": SEED, "simulator_seasons": ", ".join(map(str, simulators))},
        metrics=_weights(agent),
        files={trainer.file_name: trainer.to_bytes(agent), CURVE_FILE: json.dumps(points, indent=2).encode()},
        curve=[{name: value for name, value in point.items() if name.endswith("_points")} for point in points],
    )
    return pipeline.agent_tracking.log_model(record)


def _weights(agent: Agent) -> dict[str, float]:
    """List the weights of an agent that has a few with names."""
    return dict(zip(PARAMETERS, agent.weights.tolist(), strict=True)) if isinstance(agent, LinearAgent) else {}


def _fingerprint(pipeline: Pipeline, simulators: dict[int, SimulatedSeasons], trainer: Trainer) -> str:
    """Hash what determines an agent: the simulators, what they start from, and the settings."""
    openers = [each.frame.race_keys[0] for each in simulators.values()]
    with pipeline.warehouse.read() as connection:
        models = read_frame(connection, OPENER_MODELS, {"race_keys": openers})
    recipe = {
        "recipe": _RECIPE_VERSION,
        "trainer": trainer.name,
        "settings": asdict(trainer.settings),
        "seed": SEED,
        "models": models.to_dict("records"),
        "rules": [each.frame.rules.version for each in simulators.values()],
        "races": [[asdict(race) for race in each.races] for each in simulators.values()],
        "circuits": [each.frame.circuit_types for each in simulators.values()],
        "observed": [list(PARAMETERS), *[[name, *shape] for name, shape in SHAPES.items()]],
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for each in simulators.values():
        frame = each.frame
        for values in (
            each.start_prices,
            frame.team_of,
            frame.history,
            frame.history_prices,
            frame.circuit_mean_points,
        ):
            digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return digest.hexdigest()


def trained_agents(pipeline: Pipeline, season: int) -> dict[str, tuple[Agent, str]]:
    """Read the agents that were trained before a season.

    Parameters
    ----------
    pipeline : Pipeline
    season : int

    Returns
    -------
    dict of str to (Agent, str)
        Agent and its URI by name; playing needs no extra.

    Raises
    ------
    WarehouseError
        None has been trained.
    """
    with pipeline.warehouse.read() as connection:
        is_there = has_table(connection, TRAINING_TABLE)
        rows = read_frame(connection, URIS, {"season": season}) if is_there else pd.DataFrame({"agent": []})
    if rows.empty:
        raise WarehouseError(f"Season {season}: expected a trained agent, found none: `f1-pipeline agents` trains it")
    known = {trainer.name: trainer for trainer in TRAINERS}
    found = {}
    for name, uri in zip(rows["agent"], rows["model_uri"], strict=True):
        path = pipeline.agent_tracking.model_file(str(uri), known[name].file_name)
        found[str(name)] = known[name].read(path.read_bytes(), str(path)), str(uri)
    return found


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
    parts, details = [], {}
    for season in seasons:
        learnt = trained_agents(pipeline, int(season)).values()
        contenders = (*untrained(arena), *(Contender(agent, model_uri=uri) for agent, uri in learnt))
        played = play_all(pipeline, int(season), contenders, arena)
        parts.append(played)
        shown = played.groupby(["world", "agent", "has_chips"], sort=False)["total_points"].mean().round(0)
        details[season] = {"points": str(shown.reset_index().to_markdown(index=False))}
    report = run_model(pipeline, table, seasons, with_nulls(pd.concat(parts, ignore_index=True)))
    return replace(report, details=details)


def play_all(pipeline: Pipeline, season: int, contenders: Sequence[Contender], arena: Arena = ARENA) -> pd.DataFrame:
    """Let agents play a real season and the fixed set of simulated ones.

    Parameters
    ----------
    pipeline : Pipeline
    season : int
    contenders : sequence of Contender
    arena : Arena

    Returns
    -------
    pandas.DataFrame
        As `evaluation.agent_season` without what is derived.
    """
    simulated = season_simulator(pipeline, season).sample(FIRST_SIMULATED, arena.quick_seasons)
    worlds: tuple[tuple[str, SeasonSource], ...] = (("real", real_season(pipeline, season)), ("simulated", simulated))
    parts = []
    for world, source in worlds:
        assert source.count is not None
        for contender in contenders:
            agent = contender.agent
            numbers = range(min(source.count, arena.slow_seasons) if contender.is_slow else source.count)
            for has_chips in (False, True) if agent.has_chips else (False,):
                own = play_seasons(agent, source, numbers, has_chips=has_chips)
                parts.append(
                    own.assign(
                        season=season,
                        world=world,
                        agent=agent.name,
                        has_chips=has_chips,
                        race_count=source.frame.race_count,
                        model_uri=contender.model_uri,
                    )
                )
    return pd.concat(parts, ignore_index=True)
