"""`f1-pipeline episodes`: training data for offline reinforcement learning.

Belongs here: its options. Neighbours: `steps.episodes` plays and writes, `report.episodes` shows, `cli.py` has the
other commands. Heavy libraries are imported inside the function.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from f1_pipeline.cli_completion import seasons as season_names
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings

WORLDS = ("real", "simulated")
AGENTS = ("random", "hold", "greedy_value", "greedy_points", "myopic")
REWARDS = ("above_mean", "points", "regret")
"""As in `steps.episodes` and `rl.rewards`, which are not imported for the help."""
TRAINED = "linear"


@click.command(
    short_help="Write seasons as agents play them, for offline learning.",
    epilog=examples(
        "episodes --season 2025 --world real             the season as it was, by every agent",
        "episodes --seasons 1024 --world simulated --agent-name random --seed 7 --out episodes",
    ),
)
@click.option(
    "--season",
    "seasons",
    type=int,
    multiple=True,
    shell_complete=season_names,
    metavar="N",
    help="May be repeated; all.",
)
@click.option(
    "--world",
    type=click.Choice([*WORLDS, "both"]),
    default="both",
    help="Seasons as they were, or as they might; both.",
)
@click.option(
    "--seasons",
    "simulated_count",
    type=click.IntRange(1, 65536),
    default=64,
    metavar="N",
    help="How many to simulate of each; 64.",
)
@click.option(
    "--agent-name",
    "names",
    type=click.Choice([*AGENTS, TRAINED]),
    multiple=True,
    help="Only these; may be repeated; all.",
)
@click.option(
    "--agent",
    "agent_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A trained agent, of `agents --save`, to play as well.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, metavar="N", help="Of random moves and simulated seasons; 0."
)
@click.option("--reward", type=click.Choice(REWARDS), default="above_mean", help="What a step is worth; above_mean.")
@click.option("--no-chips", is_flag=True, help="Nobody plays chips.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; data/warehouse/episodes.")
@click.option("--overwrite", is_flag=True, help="Replace episodes that are there.")
@talk_options
@format_option
@reports_errors
def episodes(
    seasons: tuple[int, ...],
    world: str,
    simulated_count: int,
    names: tuple[str, ...],
    agent_file: Path | None,
    seed: int,
    reward: str,
    no_chips: bool,
    out: Path | None,
    overwrite: bool,
    quiet: bool,
    output: str,
) -> None:
    """Write seasons as agents play them, for offline learning: states, actions, masks, rewards, next states.

    Parquet in steps/, one row per race, with a data card beside it that says what the columns are and how to load them.
    """
    from f1_pipeline.errors import UsageError
    from f1_pipeline.report.episodes import agent_in, print_episodes, write_with_progress
    from f1_pipeline.steps.episodes import EpisodeRequest
    from f1_pipeline.steps.pipeline import open_published

    if TRAINED in names and agent_file is None:
        raise UsageError(f"--agent-name {TRAINED}: expected a file of it with --agent, found none")
    settings = load_settings()
    words = ["f1-pipeline", "episodes"]
    words += [word for season in dict.fromkeys(seasons) for word in ("--season", str(season))]
    words += ["--world", world, *(("--seasons", str(simulated_count)) if world != "real" else ())]
    words += [word for name in dict.fromkeys(names) for word in ("--agent-name", name)]
    words += ["--agent", agent_file.name] if agent_file else []
    words += ["--seed", str(seed), "--reward", reward, *(["--no-chips"] if no_chips else [])]
    request = EpisodeRequest(
        seasons=seasons,
        worlds=WORLDS if world == "both" else (world,),
        simulated_count=simulated_count,
        agents=tuple(name for name in AGENTS if name in names or not names),
        trained=None if agent_file is None else agent_in(agent_file),
        seed=seed,
        reward=reward,
        has_chips=not no_chips,
        command=shlex.join(words),
    )
    folder = out or settings.warehouse_dir / "episodes"
    files = write_with_progress(open_published(settings), request, folder, overwrite=overwrite, quiet=quiet)
    print_episodes(files, folder, output)
