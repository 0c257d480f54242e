"""Make the registered environments: a season of the warehouse, real or simulated.

Belongs here: what `gymnasium.make` and `gymnasium.make_vec` call. The environments themselves are
:mod:`f1_pipeline.rl.env` and :mod:`f1_pipeline.rl.vector_env`, their names are given by :mod:`f1_pipeline.rl`; seasons
are read by `season_arrays`.
"""

from __future__ import annotations

from typing import Any

from f1_pipeline.errors import UsageError
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.moves_env import MovesEnv, MovesVectorEnv
from f1_pipeline.rl.seasons import SeasonSource
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.pipeline import open_published
from f1_pipeline.steps.season_arrays import real_season, season_simulator

WORLDS = ("real", "simulated")


def season_source(season: int, world: str = "real") -> SeasonSource:
    """Find the seasons of an environment in the warehouse of this installation.

    Parameters
    ----------
    season : int
        Championship year.
    world : {'real', 'simulated'}
        The season as it was, or as many as one likes that might have been, from what was known before its first race.

    Returns
    -------
    SeasonSource

    Raises
    ------
    UsageError
        The season or the world is unknown.
    WarehouseError
        The warehouse lacks it.
    """
    if world not in WORLDS:
        raise UsageError(f"Environment: world: expected one of {', '.join(WORLDS)}, found {world!r}.")
    pipeline = open_published(load_settings())
    return real_season(pipeline, season) if world == "real" else season_simulator(pipeline, season)


def make_game(
    season: int | None = None, world: str = "real", source: SeasonSource | None = None, **settings: Any
) -> F1FantasyEnv:
    """Make the environment of one season.

    Parameters
    ----------
    season, world
        As for :func:`season_source`.
    source : SeasonSource, optional
        Seasons at hand, in place of season and world.
    **settings
        Of :class:`f1_pipeline.rl.env.F1FantasyEnv`.

    Returns
    -------
    F1FantasyEnv
    """
    return F1FantasyEnv(_found(season, world, source), **settings)


def make_game_vector(
    num_envs: int = 1,
    season: int | None = None,
    world: str = "real",
    source: SeasonSource | None = None,
    **settings: Any,
) -> F1FantasyVectorEnv:
    """Make the environment of many seasons; parameters as for :func:`make_game`."""
    return F1FantasyVectorEnv(_found(season, world, source), num_envs, **settings)


def make_moves(
    season: int | None = None, world: str = "real", source: SeasonSource | None = None, **settings: Any
) -> MovesEnv:
    """Make the compact environment of one season; parameters as for :func:`make_game`."""
    return MovesEnv(F1FantasyEnv(_found(season, world, source), **settings))


def make_moves_vector(
    num_envs: int = 1,
    season: int | None = None,
    world: str = "real",
    source: SeasonSource | None = None,
    **settings: Any,
) -> MovesVectorEnv:
    """Make the compact environment of many seasons; parameters as for :func:`make_game`."""
    return MovesVectorEnv(F1FantasyVectorEnv(_found(season, world, source), num_envs, **settings))


def _found(season: int | None, world: str, source: SeasonSource | None) -> SeasonSource:
    if source is not None:
        if season is not None or world != "real":
            raise UsageError("Environment: expected a source or a season, found both.")
        return source
    if season is None:
        raise UsageError("Environment: expected a season, such as season=2025, found none.")
    return season_source(season, world)
