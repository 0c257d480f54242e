"""`f1-pipeline team …`: your own team on the command line.

Belongs here: options of these commands. Neighbours: `steps.team_changes` makes the next team, `sources.my_team` writes
it, `report.my_team` shows it; heavy libraries are imported inside the commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from f1_pipeline.cli_completion import assets, chips, race_keys
from f1_pipeline.cli_options import examples, format_option, reports_errors
from f1_pipeline.errors import UsageError
from f1_pipeline.settings import load_settings

if TYPE_CHECKING:
    from f1_pipeline.sources.my_team import MyTeam
    from f1_pipeline.steps.pipeline import Pipeline

NOTHING = "none"
ALL = "all"


@click.group(
    short_help="Keep your own team: assets, bank, free transfers, chips.",
    epilog=examples(
        "team set --from-lineup 1    enter the best line-up",
        "team show                   prices, expected points, money, what needs attention",
        "team next --transfers 1     after the race: free transfers and chips by the rules",
    ),
)
def team() -> None:
    """Keep your own team: what you hold, your bank, free transfers and chips.

    The team lives in my_team.toml, a short text file beside the project that you can edit as well. Start with
    `f1-pipeline team set --from-lineup 1`, or with the names of what you hold; after each race `f1-pipeline team next`.
    Names may be ids, or any part that only one asset has: verstappen, "Red Bull", TSU.
    """


@team.command(epilog=examples("team show", "team show --format csv    a row per asset"))
@format_option
@reports_errors
def show(output: str) -> None:
    """Show the team: assets with price and expected points, money, transfers, chips, and what needs attention."""
    pipeline = _pipeline()
    _print(pipeline, _team(pipeline), output)


@team.command(
    "set",
    epilog=examples(
        "team set --from-lineup 1",
        "team set --drivers antonelli,bortoleto,bottas,stroll,HUL --constructors mercedes,ferrari --boost anton",
        "team set --bank 1.2 --chips-left wildcard,limitless --ban stroll",
    ),
)
@click.option(
    "--race",
    "race_key",
    shell_complete=race_keys,
    metavar="KEY",
    help="The race it goes into; the next one for a new team.",
)
@click.option("--driver", "--drivers", "drivers", multiple=True, metavar="A,B,…", help="All drivers held.")
@click.option(
    "--constructor", "--constructors", "constructors", multiple=True, metavar="A,B", help="All constructors held."
)
@click.option("--boost", shell_complete=assets, metavar="NAME", help="The driver whose points count twice.")
@click.option("--bank", type=float, metavar="MUSD", help="Money not spent; what the starting budget leaves.")
@click.option("--free-transfers", type=int, metavar="N", help="Free transfers left before the lock.")
@click.option("--chips-left", metavar="A,B,…", help="Chips not played yet; all, none, or their names.")
@click.option("--name", metavar="TEXT", help="What the team is called.")
@click.option("--lock", multiple=True, metavar="A,B,…", help="Assets to hold in any case; none.")
@click.option("--ban", multiple=True, metavar="A,B,…", help="Assets never to hold; none.")
@click.option("--races-played", type=int, metavar="N", help="Races locked so far; before the first transfers are free.")
@click.option("--from-lineup", "rank", type=click.IntRange(1, 10), metavar="RANK", help="Enter a computed line-up.")
@format_option
@reports_errors
def set_command(
    race_key: str | None,
    drivers: tuple[str, ...],
    constructors: tuple[str, ...],
    boost: str | None,
    bank: float | None,
    free_transfers: int | None,
    chips_left: str | None,
    name: str | None,
    lock: tuple[str, ...],
    ban: tuple[str, ...],
    races_played: int | None,
    rank: int | None,
    output: str,
) -> None:
    """Write the team, or change it; what is not given stays as it is.

    A list replaces the whole list. With --from-lineup the team becomes a line-up that `f1-pipeline run` has computed,
    as if you had entered it in the game: the difference in price comes out of the bank, transfers out of the free ones.
    """
    from dataclasses import fields, replace

    from f1_pipeline.steps.team_changes import TeamChanges, changed_team, lineup_changes

    pipeline = _pipeline()
    held = _team_if_any(pipeline)
    given = TeamChanges(
        race_key=race_key,
        drivers=_names(drivers),
        constructors=_names(constructors),
        boosted=boost,
        bank_tenths=_tenths(bank),
        free_transfers=free_transfers,
        chips_left=_chips(pipeline, held, race_key, chips_left),
        name=name,
        locked=_names(lock),
        banned=_names(ban),
        races_played=races_played,
    )
    if rank is not None:
        if drivers or constructors:
            raise UsageError("--from-lineup brings the assets: give neither --drivers nor --constructors with it")
        asked = {field.name: value for field in fields(given) if (value := getattr(given, field.name)) is not None}
        given = replace(lineup_changes(pipeline, held, race_key, rank), **asked)
    _write(pipeline, changed_team(pipeline, held, given), output)


@team.command("import", epilog=examples("team import team.csv --boost antonelli"))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--boost", metavar="NAME", help="The driver whose points count twice, if the file does not say.")
@format_option
@reports_errors
def import_command(path: Path, boost: str | None, output: str) -> None:
    """Read a team from FILE, JSON or CSV; what the file does not say stays as it is.

    Understood are the JSON of `f1-pipeline lineup` and `f1-pipeline team show`, a JSON list of names, and a CSV with a
    column name, and maybe type (driver or constructor) and boosted (true or false).
    """
    from dataclasses import replace

    from f1_pipeline.sources.team_import import read_team_file
    from f1_pipeline.steps.team_changes import changed_team, imported_changes

    pipeline = _pipeline()
    held = _team_if_any(pipeline)
    changes = imported_changes(pipeline, held, read_team_file(path))
    if boost is not None:
        changes = replace(changes, boosted=boost)
    _write(pipeline, changed_team(pipeline, held, changes), output)


@team.command(
    "next", epilog=examples("team next", "team next --transfers 1 --chip wildcard   one transfer and a chip were used")
)
@click.option("--transfers", type=click.IntRange(0, 20), default=0, metavar="N", help="Transfers not counted yet; 0.")
@click.option("--chip", shell_complete=chips, metavar="NAME", help="The chip that was played in the race.")
@format_option
@reports_errors
def next_command(transfers: int, chip: str | None, output: str) -> None:
    """Move the team on to the next race, after its own is over.

    Assets and bank stay. Unused free transfers carry over as the rules say: --transfers are those that you made for
    the race and the file does not know of, because its free transfers are still those from before them.
    """
    from f1_pipeline.steps.team_changes import next_team

    pipeline = _pipeline()
    _write(pipeline, next_team(pipeline, _team(pipeline), transfers, chip), output)


def _pipeline() -> Pipeline:
    from f1_pipeline.steps.pipeline import open_published

    return open_published(load_settings())


def _team_if_any(pipeline: Pipeline) -> MyTeam | None:
    from f1_pipeline.sources.my_team import read_my_team

    return read_my_team(pipeline.settings.team_path)


def _team(pipeline: Pipeline) -> MyTeam:
    held = _team_if_any(pipeline)
    if held is None:
        name = pipeline.settings.team_path.name
        raise UsageError(f"{name}: there is no team yet: `f1-pipeline team set --from-lineup 1` makes one")
    return held


def _write(pipeline: Pipeline, held: MyTeam, output: str) -> None:
    from f1_pipeline.sources.my_team import write_my_team

    write_my_team(pipeline.settings.team_path, held)
    click.echo(pipeline.settings.team_path, err=True)
    _print(pipeline, held, output)


def _print(pipeline: Pipeline, held: MyTeam, output: str) -> None:
    from f1_pipeline.report.my_team import describe_team, print_team

    print_team(describe_team(pipeline, held), output)


def _names(values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Split names at commas; an option that is not given says nothing, `none` says that there are none."""
    if not values:
        return None
    names = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    return () if names == (NOTHING,) else names


def _chips(pipeline: Pipeline, held: MyTeam | None, race_key: str | None, text: str | None) -> tuple[str, ...] | None:
    if text != ALL:
        return _names((text,)) if text is not None else None
    from f1_pipeline.game.chips import start_chips

    return start_chips(pipeline.rules(race_key or (held.race_key if held else pipeline.calendar.meant(None).race_key)))


def _tenths(bank: float | None) -> int | None:
    from f1_pipeline.sources.my_team import bank_tenths

    return None if bank is None else bank_tenths("--bank", bank)
