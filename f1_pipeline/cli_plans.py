"""`f1-pipeline plan | chips | backtest`: what to do over the coming races, and what ways to decide have brought.

Belongs here: their options. Neighbours: `report.plans` and `report.backtest` answer, `cli.py` has the other commands.
Heavy libraries are imported inside the functions.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_completion import assets, race_chips, race_keys
from f1_pipeline.cli_completion import seasons as season_names
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings


@click.command(
    short_help="Plan transfers, boosts and chips over the coming races.",
    epilog=examples(
        "plan                                            the next five races: sell, buy, boost, chip, bank",
        "plan --horizon 3 --count 3 --scenarios 0        three plans for three races, quickly",
        "plan --lock mercedes --chip 2026-belgium=limitless --chip 2026-monaco=none",
        "plan --format csv                               a row per plan, race and asset",
    ),
)
@click.option(
    "--race",
    "race_key",
    shell_complete=race_keys,
    metavar="KEY",
    help="The race to begin with; the next one by default.",
)
@click.option("--horizon", type=int, metavar="N", help="Races to look at; 5, or what the season has left.")
@click.option("--count", type=click.IntRange(1, 20), default=1, help="Plans that begin with another team; 1.")
@click.option("--scenarios", type=click.IntRange(0, 200), default=10, help="To see how sure each move is; 10.")
@click.option(
    "--lock",
    "locks",
    multiple=True,
    shell_complete=assets,
    metavar="ASSET",
    help="Hold it throughout; may be repeated.",
)
@click.option(
    "--ban",
    "bans",
    multiple=True,
    shell_complete=assets,
    metavar="ASSET",
    help="Keep it out throughout; may be repeated.",
)
@click.option("--max-per-team", type=int, metavar="N", help="Most assets of one team, its constructor included.")
@click.option(
    "--chip",
    "chips",
    multiple=True,
    metavar="RACE=NAME",
    shell_complete=race_chips,
    help="Play a chip at a race, or none: 2026-belgium=limitless, 2026-monaco=none; may be repeated.",
)
@click.option("--without-chips", is_flag=True, help="Play no chip.")
@click.option("--discount", type=float, default=1.0, metavar="X", help="Weight of a race against the one before; 1.")
@click.option("--money-value", type=float, metavar="POINTS", help="Points a million gained is worth after the plan.")
@click.option("--transfer-value", type=float, default=0.0, metavar="POINTS", help="Points of a transfer kept; 0.")
@click.option("--gap", type=float, default=0.01, metavar="SHARE", help="Gap to the proven bound to stop at; 0.01.")
@click.option("--time-limit", type=float, default=30.0, metavar="S", help="Seconds for each plan; 30.")
@click.option("--solver", type=click.Choice(["highs", "cbc"]), default="highs", help="HiGHS, or CBC, which is slower.")
@click.option("--fresh", is_flag=True, help="Ignore my_team.toml and start afresh.")
@talk_options
@format_option
@reports_errors
def plan(
    race_key: str | None,
    horizon: int | None,
    count: int,
    scenarios: int,
    locks: tuple[str, ...],
    bans: tuple[str, ...],
    max_per_team: int | None,
    chips: tuple[str, ...],
    without_chips: bool,
    discount: float,
    money_value: float | None,
    transfer_value: float,
    gap: float,
    time_limit: float,
    solver: str,
    fresh: bool,
    quiet: bool,
    output: str,
) -> None:
    """Plan transfers, boosts and chips over the coming races, with prices that move.

    Each race's points and prices are those that are expected now. Money left at the end is worth what a million brings
    in the races after the plan, a chip that is kept what its best later use is worth. Nothing is stored.
    """
    from f1_pipeline.optimize.plan_problem import PlanSettings
    from f1_pipeline.report.plans import parse_chips, plan_with_progress, print_plans
    from f1_pipeline.steps.pipeline import open_published
    from f1_pipeline.steps.plans import PlanWishes

    settings = PlanSettings(
        discount=discount,
        transfer_value=transfer_value,
        chips=() if without_chips else None,
        forced_chips=parse_chips(chips),
        most_per_team=max_per_team,
        gap=gap,
        time_limit_s=time_limit,
        solver=solver,
    )
    wishes = PlanWishes(
        horizon=horizon,
        count=count,
        scenarios=scenarios,
        settings=settings,
        money_value=money_value,
        ignores_team=fresh,
        locks=locks,
        bans=bans,
    )
    pipeline = open_published(load_settings())
    print_plans(pipeline, plan_with_progress(pipeline, race_key, wishes, quiet=quiet), output)


@click.command(
    short_help="Say when to play each chip that is left.",
    epilog=examples(
        "chips                                           keep or play, chip by chip",
        "chips --picture chips.svg --format json         every race that remains, as rows and as a picture",
    ),
)
@click.option(
    "--race",
    "race_key",
    shell_complete=race_keys,
    metavar="KEY",
    help="The race to begin with; the next one by default.",
)
@click.option("--fresh", is_flag=True, help="Ignore my_team.toml and weigh the chips of a fresh start.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw it: .svg or .png.")
@talk_options
@format_option
@reports_errors
def chips(race_key: str | None, fresh: bool, picture: Path | None, quiet: bool, output: str) -> None:
    """Say when to play each chip that is left: what it adds at every race, and what it must add to be played there.

    A chip is worth playing when it adds at least what its best later use is worth, given what earlier races have
    offered. JSON and CSV have every remaining race.
    """
    from f1_pipeline.report.accuracy import check_targets
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.plans import draw_chips, print_chips, read_chips
    from f1_pipeline.steps.pipeline import open_published

    check_targets(picture, None)
    pipeline = open_published(load_settings())
    with waiting("weighing chips", quiet):
        found = read_chips(pipeline, race_key, ignores_team=fresh)
    print_chips(found, output)
    if picture is not None:
        draw_chips(found, picture)
        click.echo(picture, err=True)


@click.command(
    short_help="Play past seasons again by different ways to decide.",
    epilog=examples(
        "backtest                                        every season and policy; minutes",
        "backtest --stored --format csv                  what has been played before",
        "backtest --policy myopic --policy rolling --season 2025 --starts 5",
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
@click.option("--policy", "policies", multiple=True, metavar="NAME", help="Only these; may be repeated.")
@click.option("--starts", type=click.IntRange(0, 50), default=0, metavar="N", help="Play again from N common starts.")
@click.option("--stored", is_flag=True, help="Show what is in the warehouse, play nothing.")
@click.option(
    "--leaderboard",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of other teams' totals to compare with: season, points.",
)
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw the seasons: .svg or .png.")
@talk_options
@format_option
@reports_errors
def backtest(
    seasons: tuple[int, ...],
    policies: tuple[str, ...],
    starts: int,
    stored: bool,
    leaderboard: Path | None,
    picture: Path | None,
    quiet: bool,
    output: str,
) -> None:
    """Play past seasons again by different ways to decide, with only what was known at each lock.

    Without options every season is played by every policy, and perfect hindsight is sought, as season partitions of the
    graph; it takes minutes. With --policy or --starts only what is asked for is played, and nothing is stored.
    """
    from f1_pipeline.report.accuracy import check_targets
    from f1_pipeline.report.backtest import BacktestRequest, draw_backtest, print_backtest, run_backtest

    check_targets(picture, None)
    request = BacktestRequest(seasons, policies, starts, is_stored=stored, leaderboard=leaderboard)
    found = run_backtest(load_settings(), request, quiet=quiet)
    print_backtest(found, output)
    if picture is not None:
        draw_backtest(found, picture)
        click.echo(picture, err=True)
