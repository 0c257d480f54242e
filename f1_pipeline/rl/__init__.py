"""The game for reinforcement learning: environments, agents, their training and evaluation.

Importing this package registers the environments with Gymnasium::

    import gymnasium
    import f1_pipeline.rl

    env = gymnasium.make("f1_pipeline/F1Fantasy-v0", season=2025)
    env = gymnasium.make("f1_pipeline/F1FantasyMoves-v0", season=2025, world="simulated")
    envs = gymnasium.make_vec("f1_pipeline/F1Fantasy-v0", num_envs=1024, season=2025, world="simulated")

Belongs here: the names. Neighbours: `steps.environments` makes the environments of the warehouse's seasons. This is
the only package that imports gymnasium.
"""

from __future__ import annotations

from gymnasium.envs.registration import register

GAME_ID = "f1_pipeline/F1Fantasy-v0"
"""A pick per asset, two boosts and a chip: :class:`f1_pipeline.rl.env.F1FantasyEnv`."""
MOVES_ID = "f1_pipeline/F1FantasyMoves-v0"
"""One number: a move of a short list, and a chip; :class:`f1_pipeline.rl.moves_env.MovesEnv`."""

for _id, _name in ((GAME_ID, "game"), (MOVES_ID, "moves")):
    register(
        id=_id,
        entry_point=f"f1_pipeline.steps.environments:make_{_name}",
        vector_entry_point=f"f1_pipeline.steps.environments:make_{_name}_vector",
    )
