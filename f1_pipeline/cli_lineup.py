"""`f1-pipeline lineup`: the line-up that the graph has computed, or others as you wish.

Belongs here: its options, and reading them into wishes. Neighbours: `report.lineups` answers, `cli.py` has the other
commands. Heavy libraries are imported inside the functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from f1_pipeline.cli_completion import assets, race_keys
from f1_pipeline.cli_completion import chips as chip_names
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from f1_pipeline.steps.pipeline import Pipeline

STORED_RANKS = 10


@click.command(
    short_help="Print the computed line-up and why, or find others.",
    epilog=examples(
        "lineup                                          the computed line-up, and why",
        "lineup --top 20 --min-difference 2              twenty others, each another one in two assets",
        'lineup --lock verstappen --ban "red bull"',
        "lineup --risk quantile:0.2 --adjust norris=+5   the best bad weekend, if you trust Norris more",
        "lineup --chip extra_boost --fresh --format csv  a row per asset, with the line-up it is in",
    ),
)
@click.option("--race", "race_key", shell_complete=race_keys, metavar="KEY", help="The race; the next one by default.")
@click.option("--rank", type=click.IntRange(1, 200), metavar="N", help="Which of the best line-ups; the first.")
@click.option("--top", type=click.IntRange(1, 200), metavar="N", help="That many line-ups as a list, up to 200.")
@click.option("--min-difference", type=int, default=1, metavar="N", help="Assets in which ranked line-ups differ; 1.")
@click.option(
    "--lock",
    "locks",
    multiple=True,
    shell_complete=assets,
    metavar="ASSET",
    help="Hold it in any case; may be repeated.",
)
@click.option(
    "--ban", "bans", multiple=True, shell_complete=assets, metavar="ASSET", help="Never hold it; may be repeated."
)
@click.option("--max-per-team", type=int, metavar="N", help="Most assets of one team, its constructor included.")
@click.option(
    "--risk",
    default="mean",
    metavar="HOW",
    help="What is best: mean, deviation:0.5 (mean less half a deviation), quantile:0.2 (a bad weekend of five), "
    "target:250 (chance of 250 points), rival:FILE (chance to beat a team written like my_team.toml).",
)
@click.option(
    "--adjust",
    "adjustments",
    multiple=True,
    metavar="ASSET=POINTS",
    help="Your own expectation: max-verstappen=+3 is 3 more, max-verstappen=25 is 25; may be repeated.",
)
@click.option(
    "--chip",
    shell_complete=chip_names,
    metavar="NAME",
    help="Play a chip: wildcard, limitless, extra_boost, no_negative, autopilot.",
)
@click.option("--budget", metavar="MUSD", help="Money for the whole line-up, million dollars.")
@click.option("--fresh", is_flag=True, help="Ignore my_team.toml and start afresh.")
@click.option("--solver", default="enumeration", metavar="NAME", help="enumeration, cbc or highs; same answers.")
@click.option("--explain/--no-explain", default=True, help="Say why, what chips add and what limits are worth.")
@talk_options
@format_option
@reports_errors
def lineup(
    race_key: str | None,
    rank: int | None,
    top: int | None,
    min_difference: int,
    locks: tuple[str, ...],
    bans: tuple[str, ...],
    max_per_team: int | None,
    risk: str,
    adjustments: tuple[str, ...],
    chip: str | None,
    budget: str | None,
    fresh: bool,
    solver: str,
    explain: bool,
    quiet: bool,
    output: str,
) -> None:
    """Print the line-up that the graph has computed, or find others.

    Without wishes: assets, boost, prices, bank, expected points with range, why each is in it, what chips would add and
    what more money is worth. With wishes the line-ups are found anew and nothing is stored. Assets are named by id, by
    name or by a part of it: verstappen, "red bull".
    """
    from f1_pipeline.errors import UsageError
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.lineups import find_lineups, print_lineups, read_lineup
    from f1_pipeline.steps.lineup_wishes import LineupWishes, parse_adjustment, parse_money, parse_risk
    from f1_pipeline.steps.pipeline import open_published

    if rank is not None and top is not None:
        raise UsageError("--rank and --top exclude each other: give one of them")
    shown = rank or 1
    wishes = LineupWishes(
        count=top or shown,
        locks=locks,
        bans=bans,
        most_per_team=max_per_team,
        min_difference=min_difference,
        risk=parse_risk(risk),
        adjustments=tuple(parse_adjustment(text) for text in adjustments),
        chip=None if chip is None else chip.lower().replace("-", "_").replace(" ", "_"),
        solver=solver,
        budget_tenths=None if budget is None else parse_money(budget),
        ignores_team=fresh,
    )
    pipeline = open_published(load_settings())
    with waiting("weighing line-ups", quiet):
        if top is None and wishes.is_empty and shown <= STORED_RANKS:
            answer = read_lineup(pipeline, race_key, shown, is_explained=explain)
        else:
            answer = find_lineups(pipeline, race_key, wishes, None if top else shown, is_explained=explain)
    print_lineups(answer, output)
    say_if_locked(pipeline, answer["race_key"])


def print_stored(settings: Settings, race_key: str, output: str) -> None:
    """Print the best line-up of a race, as a run does at its end.

    Parameters
    ----------
    settings : Settings
    race_key : str
    output : str
        `table`, `json` or `csv`.
    """
    from f1_pipeline.report.lineups import print_lineups, read_lineup
    from f1_pipeline.steps.pipeline import open_published

    pipeline = open_published(settings)
    print_lineups(read_lineup(pipeline, race_key), output)
    say_if_locked(pipeline, race_key)


def say_if_locked(pipeline: Pipeline, race_key: str) -> None:
    """Say on stderr that a line-up comes too late to be entered.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    """
    from f1_pipeline.report.lineups import locked_in_words

    said = locked_in_words(pipeline.calendar.get(race_key), pipeline.clock())
    if said is not None:
        click.echo(said, err=True)
