"""Episodes for offline learning: seasons as the reference agents play them, step by step, as Parquet with a data card.

Belongs here: who plays what, and putting the files in place, all or none. Neighbours:
:mod:`f1_pipeline.rl.episode_columns` has the columns, `episode_card` the card; the command is in
`cli_episodes.py`.

A folder of episodes has one file per world, season and agent in ``steps/``, the names of the slots in ``slots.csv`` and
the card in ``README.md``. It is a function of the warehouse and the request: made twice it is the same, byte by byte.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from f1_pipeline import __version__
from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.decisions import driver_of
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.rl.agents import Agent, RandomAgent
from f1_pipeline.rl.episode_columns import ACTION_PARTS, COLUMNS, NEXT, arrays_of, observation_columns, schema, table_of
from f1_pipeline.rl.rewards import REWARDS
from f1_pipeline.rl.seasons import SeasonFrame, SeasonSource
from f1_pipeline.rl.simulated import BLOCK
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.steps.agent_seasons import untrained
from f1_pipeline.steps.episode_card import CARD, TITLE, EpisodeFile, render_card
from f1_pipeline.steps.folders import replacing_folder
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import real_season, season_simulator

WORLDS = ("real", "simulated")
AGENTS = ("random", "hold", "greedy_value", "greedy_points", "myopic")
"""Agents that need no training."""
STEPS, SLOT_NAMES = "steps", "slots.csv"
MOST_SEASONS = 2**16
"""Seasons that one seed gives before it may meet those of another."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STEP_FILE = re.compile(r"(real|simulated)-\d{4}-[a-z][a-z0-9_]*\.parquet")

Tell = Callable[[str, int, int | None], None]
"""Told what is being done, the steps played since the last time, and all steps of the season where they are known."""


@dataclass(frozen=True)
class EpisodeRequest:
    """Which episodes to play.

    Parameters
    ----------
    seasons : tuple of int
        Championship years; all with finished races when empty.
    worlds : tuple of str
        Of `WORLDS`.
    simulated_count : int
        Seasons that each simulated one is played in.
    agents : tuple of str
        Of `AGENTS`.
    trained : Agent or None
        One more agent.
    seed : int
        Of the random agent, and of where the simulated seasons begin, as in the environment's ``reset``.
    reward : str
        One of :data:`f1_pipeline.rl.rewards.REWARDS`.
    has_chips : bool
        Whether agents that know how may play chips.
    command : str
        What was typed, for the card.
    """

    seasons: tuple[int, ...] = ()
    worlds: tuple[str, ...] = WORLDS
    simulated_count: int = BLOCK
    agents: tuple[str, ...] = AGENTS
    trained: Agent | None = None
    seed: int = 0
    reward: str = "above_mean"
    has_chips: bool = True
    command: str = "f1-pipeline episodes"

    @property
    def agent_names(self) -> tuple[str, ...]:
        """Return the names of all who play, in order."""
        return (*self.agents, *(() if self.trained is None else (self.trained.name,)))


def write_episodes(
    pipeline: Pipeline,
    request: EpisodeRequest,
    folder: Path,
    *,
    overwrite: bool = False,
    tell: Tell = lambda text, done, total: None,
) -> list[EpisodeFile]:
    """Play seasons and write every step down.

    Parameters
    ----------
    pipeline : Pipeline
    request : EpisodeRequest
    folder : Path
        Made when it does not exist.
    overwrite : bool
        Whether episodes that are there may be replaced; anything else never is.
    tell : callable
        See `Tell`.

    Returns
    -------
    list of EpisodeFile
        What was written, in order.

    Raises
    ------
    UsageError
        The request names what does not exist, or the folder is in use.
    WarehouseError
        The warehouse lacks a season.
    DataError
        The folder cannot be written.
    """
    seasons = _checked(pipeline, request)
    with replacing_folder(folder, lambda target: _check_target(target, folder, overwrite)) as made:
        (made / STEPS).mkdir()
        files, slots = [], []
        for season in seasons:
            for world in request.worlds:
                tell(f"reading {world} {season}", 0, None)
                source: SeasonSource = (real_season if world == "real" else season_simulator)(pipeline, season)
                files += _play(source, world, request, made / STEPS, tell)
                slots += _slot_rows(source.frame, world)
        with (made / SLOT_NAMES).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(slots[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(slots)
        (made / CARD).write_text(render_card(files, request, __version__), encoding="utf-8")
    return files


def read_transitions(folder: Path) -> dict[str, Any]:
    """Read all steps of a folder of episodes as arrays.

    Parameters
    ----------
    folder : Path
        As :func:`write_episodes` made it.

    Returns
    -------
    dict
        See :func:`f1_pipeline.rl.episode_columns.arrays_of`; and ``episode_id``, shape (n,).

    Raises
    ------
    DataError
        There are no episodes.
    """
    paths = sorted((folder / STEPS).glob("*.parquet"))
    if not paths:
        raise DataError(f"{folder}: expected episodes, found none: `f1-pipeline episodes` writes them")
    table = pa.concat_tables([pq.ParquetFile(path).read().replace_schema_metadata() for path in paths])
    return {"episode_id": table["episode_id"].to_numpy(), **arrays_of(table)}


def _checked(pipeline: Pipeline, request: EpisodeRequest) -> list[int]:
    finished = sorted({race.season for race in pipeline.calendar.finished})
    known = (
        ("--season", request.seasons, finished),
        ("--world", request.worlds, WORLDS),
        ("--agent-name", request.agents, AGENTS),
        ("--reward", (request.reward,), tuple(REWARDS)),
    )
    for option, wanted, possible in known:
        for name in wanted:
            if name not in possible:
                raise UsageError(f"{option}: expected some of {', '.join(map(str, possible))}, found {name!r}")
    if not 1 <= request.simulated_count <= MOST_SEASONS:
        raise UsageError(f"--seasons: expected 1 to {MOST_SEASONS}, found {request.simulated_count}")
    if request.seed < 0:
        raise UsageError(f"--seed: expected 0 or more, found {request.seed}")
    names = request.agent_names
    for name in names:
        if names.count(name) > 1 or not _NAME.fullmatch(name):
            raise UsageError(f"Agent: expected a name of its own in small letters, digits and _, found {name!r}")
    if not names or not request.worlds:
        raise UsageError("Episodes: expected an agent and a world, found none")
    return sorted(set(request.seasons)) or finished


def _play(source: SeasonSource, world: str, request: EpisodeRequest, folder: Path, tell: Tell) -> list[EpisodeFile]:
    """Play every season of one world with every agent, a file for each."""
    frame, names = source.frame, request.agent_names
    numbers = _season_numbers(source, request)
    done = f"{world} {frame.rules.season}"
    tell(done, 0, len(numbers) * len(names) * frame.race_count)
    told = _metadata(frame, world, request)
    with ExitStack() as stack:
        writers = {}
        for name in names:
            path = folder / f"{world}-{frame.rules.season}-{name}.parquet"
            own = told | {"agent": name}
            writers[name] = (path, own, stack.enter_context(_writer(path, own)))
        # Neighbours are made together, so that a block is simulated once for all agents.
        for first in range(0, len(numbers), BLOCK):
            chunk = numbers[first : first + BLOCK]
            env = F1FantasyVectorEnv(
                source, len(chunk), reward=request.reward, illegal="reject", has_chips=request.has_chips
            )
            for name in names:
                agent = _agent(name, request)
                steps = _episodes(env, agent, chunk, lambda count, name=name: tell(f"{done}: {name}", count, None))
                _, own, writer = writers[name]
                writer.write_table(table_of(steps | _keys(frame, world, name, chunk), own))
    return [EpisodeFile.read(path, frame.rules.version) for path, _, _ in writers.values()]


def _season_numbers(source: SeasonSource, request: EpisodeRequest) -> list[int]:
    """Choose the seasons: the real one, or those that the environment's ``reset`` with the seed begins with."""
    if source.count is not None:
        return list(range(source.count))
    env = F1FantasyVectorEnv(source, 1, reward="points")
    env.reset(seed=request.seed)
    first = env.season_numbers[0]
    return list(range(first, first + request.simulated_count))


def _agent(name: str, request: EpisodeRequest) -> Agent:
    """Make an agent."""
    if request.trained is not None and name == request.trained.name:
        return request.trained
    if name == "random":
        return RandomAgent(request.seed)
    return next(contender.agent for contender in untrained() if contender.agent.name == name)


def _episodes(env: F1FantasyVectorEnv, agent: Agent, numbers: Sequence[int], played: Callable[[int], None]) -> Arrays:
    """Play N seasons once; return all columns but the keys, episode after episode."""
    observation, info = env.reset(options={"season_numbers": list(numbers)})
    steps: list[Arrays] = []
    for _ in range(env.frame.race_count):
        action = agent.act(observation, info, env)
        step = (
            observation_columns(observation) | _masks(info) | {f"action_{name}": action[name] for name in ACTION_PARTS}
        )
        observation, reward, terminated, truncated, info = env.step(action)
        step |= observation_columns(observation, NEXT) | _masks(info, NEXT)
        step |= {"reward": reward, "terminated": terminated, "truncated": truncated, "played_chip": info["chip"]}
        step |= {"lock_budget_musd": info["budget_musd"], "transfer_count": info["transfer_count"]}
        step |= {name: info[name] for name in ("points", "asset_points", "transfer_points", "inactive_points")}
        step["baseline_points"] = info["baseline_points"]
        steps.append(step)
        played(len(numbers))
    return {name: _by_episode([step[name] for step in steps]) for name in steps[0]}


def _masks(info: dict[str, Any], prefix: str = "") -> Arrays:
    return {f"{prefix}mask_{name}": info["action_mask"][name] for name in ACTION_PARTS}


def _by_episode(steps: Sequence[np.ndarray]) -> np.ndarray:
    """Put the steps of N episodes one after the other: T of shape (N, ...) to (N * T, ...)."""
    stacked = np.stack(steps, axis=1)
    return stacked.reshape(-1, *stacked.shape[2:])


def _keys(frame: SeasonFrame, world: str, agent: str, numbers: Sequence[int]) -> dict[str, Any]:
    races, season = frame.race_count, frame.rules.season
    rows = len(numbers) * races
    return {
        "episode_id": [f"{world}-{season}-{agent}-{number}" for number in numbers for _ in range(races)],
        "agent": [agent] * rows,
        "world": [world] * rows,
        "season": np.full(rows, season),
        "season_number": np.repeat(numbers, races),
        "race_number": np.tile(np.arange(races), len(numbers)),
        "race_key": list(frame.race_keys) * len(numbers),
    }


def _metadata(frame: SeasonFrame, world: str, request: EpisodeRequest) -> dict[str, str]:
    return {
        "made_by": f"f1-pipeline {__version__}",
        "command": request.command,
        "world": world,
        "season": str(frame.rules.season),
        "rules_version": frame.rules.version,
        "seed": str(request.seed),
        "reward": request.reward,
        "has_chips": str(request.has_chips).lower(),
    }


def _slot_rows(frame: SeasonFrame, world: str) -> list[dict[str, Any]]:
    """Name the slots of a frame that are not empty."""
    return [
        {
            "world": world,
            "season": frame.rules.season,
            "slot": slot,
            "asset_type": key[0],
            "asset_id": driver_of(key[1]) if key[0] == DRIVER else key[1],
            "constructor_slot": int(frame.team_of[slot]),
        }
        for slot, key in enumerate(frame.assets)
        if key is not None
    ]


def _writer(path: Path, metadata: dict[str, str]) -> pq.ParquetWriter:
    # Words repeat; of numbers a dictionary makes a tenth more than zstd alone.
    words = [column.name for column in COLUMNS if pa.types.is_string(column.type)]
    return pq.ParquetWriter(path, schema(metadata), compression="zstd", use_dictionary=words)


def _check_target(target: Path, named: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{named}: expected a folder, found a file")
    if not any(target.iterdir()):
        return
    if not overwrite:
        raise UsageError(f"{named}: expected a new or empty folder, found files in it; --overwrite replaces episodes")
    stranger = _stranger(target)
    if stranger is not None:
        raise UsageError(f"{named}: expected episodes and nothing else to overwrite, found {stranger}")


def _stranger(folder: Path) -> str | None:
    """Name something in a folder that is not of its episodes."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (
            (name == STEPS and path.is_dir())
            or (name in (CARD, SLOT_NAMES) and path.is_file())
            or (path.parent == folder / STEPS and path.is_file() and _STEP_FILE.fullmatch(path.name))
        ):
            return name
    card = folder / CARD
    if not card.is_file() or not card.read_text(encoding="utf-8", errors="replace").startswith(f"{TITLE}\n"):
        return f"no {CARD} of episodes"
    return None
