"""Seasons of random decisions in the registered environments, told by their digests: alike in any process.

Belongs here: what `integration/test_environment.py` runs here and in a process of its own,
``python -m f1_pipeline_tests.rollouts SEED``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from f1_pipeline.rl import GAME_ID, MOVES_ID
from f1_pipeline.rl.seasons import SeasonSource
from f1_pipeline.steps.environments import season_source

SEASON = 2025
WORLDS = ("real", "simulated")


def digests(sources: Mapping[str, SeasonSource], seed: int) -> dict[str, str]:
    """Play a season in each environment of each world; return what was seen and scored, by names."""
    found = {}
    for name in (GAME_ID, MOVES_ID):
        for world, source in sources.items():
            with gymnasium.make(name, source=source) as env:
                found[f"{name} {world}"] = rollout(env, seed)
    return found


def rollout(env: gymnasium.Env[Any, Any], seed: int) -> str:
    """Play a season at random within its masks; return a digest of it."""
    env.action_space.seed(seed)
    observation, info = env.reset(seed=seed)
    seen, is_over = hashlib.sha256(), False
    while not is_over:
        action = env.action_space.sample(mask=info["action_mask"])
        enter(seen, [observation, info, action])
        observation, reward, is_over, _, info = env.step(action)
        enter(seen, [observation, info, reward])
    return seen.hexdigest()


def enter(seen: Any, value: Any) -> None:
    """Add a value to a digest, mappings by their names."""
    if isinstance(value, dict):
        value = [part for name in sorted(value) for part in (name, value[name])]
    if isinstance(value, list):
        for part in value:
            enter(seen, part)
    else:
        seen.update(value.encode() if isinstance(value, str) else np.asarray(value).tobytes())


if __name__ == "__main__":
    print(json.dumps(digests({world: season_source(SEASON, world) for world in WORLDS}, int(sys.argv[1]))))
