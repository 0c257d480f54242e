"""`f1-pipeline agents`: agents that learnt to play, beside those that decide by rule.

Belongs here: its options. Neighbours: `report.agents` answers, `cli.py` has the other commands. Heavy libraries are
imported inside the functions.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_completion import seasons as season_names
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings


@click.command(
    short_help="Train agents, and let all agents play past seasons.",
    epilog=examples(
        "agents --stored                                   what agents scored, as computed before",
        "agents --season 2025 --picture agents.svg         train before 2025, play 2025; minutes",
        "agents --season 2025 --stored --save agent.json   keep the trained agent as a file",
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
@click.option("--stored", is_flag=True, help="Show what is in the warehouse; train and play nothing.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw it: .svg or .png.")
@click.option(
    "--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the trained agent of one season to a file."
)
@talk_options
@format_option
@reports_errors
def agents(
    seasons: tuple[int, ...], stored: bool, picture: Path | None, save: Path | None, quiet: bool, output: str
) -> None:
    """Train agents before each season, and let all agents play it, as it was and as it might have been.

    An agent of a season has learnt on simulated seasons made from what was known before its first race. Training takes
    about a minute a season, three more for PPO where the extra rl is installed; playing takes some ten minutes, because
    the rolling plan and the oracle solve integer programmes. All of it is season partitions of the graph; what is
    computed already can be shown with --stored.
    """
    from f1_pipeline.report.accuracy import check_targets
    from f1_pipeline.report.agents import draw_agents, print_agents, run_agents, save_agent

    check_targets(picture, None)
    settings = load_settings()
    found = run_agents(settings, seasons, is_stored=stored, quiet=quiet)
    print_agents(found, output)
    if picture is not None:
        draw_agents(found, picture)
        click.echo(picture, err=True)
    if save is not None:
        save_agent(settings, seasons, save)
        click.echo(save, err=True)
