"""The step that trains agents before a season.

Belongs here: what is trained on what, and reading it again. Training is :mod:`f1_pipeline.rl.linear` and
:mod:`f1_pipeline.rl.ppo`; agents are kept by `forecast.tracking`, and `agent_seasons` lets them play.

Walk-forward: the agents of a season learn on simulators of that season and of earlier ones, each made from what was
known at the lock of its season's first race. No result of the season is ever seen; its calendar is the one that was
driven, for call-offs are not recorded with their date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.model_records import ModelRecord
from f1_pipeline.rl.agents import Agent
from f1_pipeline.rl.linear import (
    PARAMETERS,
    CrossEntropySettings,
    LinearAgent,
    agent_bytes,
    read_agent,
    train_linear,
)
from f1_pipeline.rl.ppo import SHAPES, PpoSettings, ppo_bytes, read_ppo, train_ppo
from f1_pipeline.rl.simulated import SimulatedSeasons
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import season_opener, season_simulator
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import has_table, read_frame
from f1_pipeline.warehouse.writer import WriteReport

TRAINING_TABLE = "models.agent_training"
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
    made: dict[int, SimulatedSeasons] = {}
    simulators = {season: training_simulators(pipeline, int(season), made) for season in seasons}
    rows = []
    details: dict[str, dict[str, float | str | None]] = {season: {} for season in seasons}
    for lesson, uri in _trained(pipeline, simulators, wanted):
        curve = json.loads(pipeline.agent_tracking.model_file(uri, CURVE_FILE).read_bytes())
        rows += [
            {
                "season": int(lesson.season),
                "agent": lesson.trainer.name,
                "generation": point["number"],
                **{name: point.get(name) for name in ("mean_points", "elite_points", "best_points")},
                "simulator_season": lesson.names[at % len(lesson.names)] if lesson.trainer.takes_turns else None,
                "simulator_seasons": ", ".join(map(str, lesson.names)),
                "model_uri": uri,
            }
            for at, point in enumerate(curve)
        ]
        last = f"{uri}: {curve[-1]['mean_points']:.0f} points in the last generation"
        details[lesson.season][lesson.trainer.name] = last
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


@dataclass(frozen=True)
class _Lesson:
    """An agent that is wanted: how it is trained, before which season, on which simulators, what determines it."""

    season: str
    trainer: Trainer
    names: tuple[int, ...]
    race_key: str
    race_date: str
    fingerprint: str


def _trained(
    pipeline: Pipeline, simulators: Mapping[str, dict[int, SimulatedSeasons]], wanted: Sequence[Trainer]
) -> Iterator[tuple[_Lesson, str]]:
    """Train the agents that are not kept already, and keep them in order; leave out those that cannot be trained."""
    lessons = [_lesson(pipeline, season, simulators[season], trainer) for season in simulators for trainer in wanted]
    uris = {lesson: pipeline.agent_tracking.find(lesson.fingerprint) for lesson in lessons}
    missing = [lesson for lesson, uri in uris.items() if uri is None and can_train(lesson.trainer)]
    records = spread(
        pipeline.settings, _taught, missing, {lesson.season: simulators[lesson.season] for lesson in missing}
    )
    for lesson, uri in uris.items():
        if uri is not None:
            yield lesson, uri
        elif can_train(lesson.trainer):
            yield lesson, pipeline.agent_tracking.log_model(next(records))


def _lesson(pipeline: Pipeline, season: str, simulators: dict[int, SimulatedSeasons], trainer: Trainer) -> _Lesson:
    opener = pipeline.calendar.get(season_opener(pipeline, int(season)))
    mark = _fingerprint(pipeline, simulators, trainer)
    return _Lesson(season, trainer, tuple(simulators), opener.race_key, opener.race_date.isoformat(), mark)


def _taught(lesson: _Lesson, simulators: Mapping[str, dict[int, SimulatedSeasons]]) -> ModelRecord:
    """Train an agent, and write it down."""
    trainer = lesson.trainer
    agent, curve = trainer.train(list(simulators[lesson.season].values()), trainer.settings, SEED)
    points = [asdict(point) for point in curve]
    return ModelRecord(
        candidate=trainer.name,
        race_key=lesson.race_key,
        race_date=lesson.race_date,
        fingerprint=lesson.fingerprint,
        params={**asdict(trainer.settings), "seed": SEED, "simulator_seasons": ", ".join(map(str, lesson.names))},
        metrics=_weights(agent),
        files={trainer.file_name: trainer.to_bytes(agent), CURVE_FILE: json.dumps(points, indent=2).encode()},
        curve=[{name: value for name, value in point.items() if name.endswith("_points")} for point in points],
    )


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
