"""`f1-pipeline …`: the command line, thin over the same graph.

Belongs here: the group itself and the commands that need few options. Neighbours: `cli_group.py` has help and exit
codes, `cli_options.py` and `cli_completion.py` what commands share, `cli_lineup.py` and the other `cli_*.py` have
commands of their own, `report` renders. Heavy libraries are imported inside the commands, so that `--help` answers at
once.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_agents import agents
from f1_pipeline.cli_cluster import cluster
from f1_pipeline.cli_completion import completion, every_race_key, race_keys, rule_seasons, seasons
from f1_pipeline.cli_doctor import doctor
from f1_pipeline.cli_episodes import episodes
from f1_pipeline.cli_export import export
from f1_pipeline.cli_group import CommandLine
from f1_pipeline.cli_lineup import lineup, print_stored
from f1_pipeline.cli_open import open_command
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.cli_plans import backtest, chips, plan
from f1_pipeline.cli_query import query
from f1_pipeline.cli_recommend import recommend
from f1_pipeline.cli_report import report
from f1_pipeline.cli_team import team
from f1_pipeline.cli_upkeep import backup, prune, rebuild, restore
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.settings import load_settings


@click.group(
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="\b\n"
    "Each command has examples: f1-pipeline lineup --help\n"
    "Exit codes: 0 done; 1 a fault of the program; 2 a wrong request or bad input; 130 stopped by Ctrl-C.\n"
    "Environment: F1_WAREHOUSE_DIR, F1_DATA_DIR, F1_LOCK_WAIT_S, F1_SOURCES, F1_DEBUG; for several machines\n"
    "F1_WAREHOUSE, F1_WAREHOUSE_DATA, F1_DASK, F1_DAGSTER_POSTGRES, F1_MLFLOW; the README says what they do.",
)
@click.version_option(package_name="f1-pipeline")
def main() -> None:
    """Compute the best F1 Fantasy team for the next Grand Prix, and why.

    Start with `f1-pipeline run`; then ask `f1-pipeline lineup`, or the warehouse with `f1-pipeline query`.
    """


PLAYING = (lineup, plan, chips, team, recommend, backtest, agents, episodes)
for command in (*PLAYING, query, report, export, doctor, open_command, completion):
    main.add_command(command)
for command in (backup, restore, rebuild, prune, cluster):
    main.add_command(command)


@main.command(
    epilog=examples(
        "run                              everything that is missing, then the next line-up",
        "run --race 2026-monaco --quiet   one race, nothing printed but its line-up",
        "run --season 2025 --verbose      each step with its time, on stderr",
    )
)
@click.option("--race", "race_key", shell_complete=race_keys, metavar="KEY", help="One race only, such as 2026-monaco.")
@click.option("--season", type=int, shell_complete=seasons, metavar="N", help="Only the finished races of a season.")
@talk_options
@format_option
@reports_errors
def run(race_key: str | None, season: int | None, quiet: bool, output: str) -> None:
    """Run the graph, then print the line-up.

    Without options: every finished race, then the line-up of the next one. With --race or --season: just those, after
    whatever earlier races the warehouse lacks. Running twice changes nothing.
    """
    from f1_pipeline.errors import UsageError
    from f1_pipeline.report.progress import run_with_progress

    if race_key and season:
        raise UsageError("--race and --season exclude each other: give one of them")
    settings = load_settings()
    shown = run_with_progress(settings, race_key, season, quiet=quiet)
    if shown is not None:
        print_stored(settings, shown, output)


@main.command(
    "export-training",
    short_help="Write training tables for models of your own.",
    epilog=examples("export-training --out training"),
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; data/warehouse/training.")
@talk_options
@format_option
@reports_errors
def export_training(out: Path | None, quiet: bool, output: str) -> None:
    """Write training tables for drivers and constructors: features X, points y, groups by season; Parquet and CSV."""
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.tables import print_files
    from f1_pipeline.steps.export import export_training_tables
    from f1_pipeline.steps.pipeline import open_published

    settings = load_settings()
    with waiting("writing training tables", quiet):
        files = export_training_tables(open_published(settings), out or settings.warehouse_dir / "training")
    print_files(files, output)


@main.command(
    short_help="Fetch new facts, merge them into data/, say what changed.",
    epilog=examples(
        "refresh                             ask both sources",
        "refresh --f1db f1db-csv.zip         a release that is at hand, nothing else",
        "refresh --quiet --format json       what changed, for a program",
    ),
)
@click.option("--f1db", metavar="PATH|URL", help="Zip of an F1DB CSV release; its newest one by default.")
@click.option("--feed", metavar="URL", help="Base of the official game's feed; the real one by default.")
@talk_options
@format_option
@reports_errors
def refresh(f1db: str | None, feed: str | None, quiet: bool, output: str) -> None:
    """Fetch new facts and merge them into data/, all or none, and say what changed.

    Without options both sources are asked, or those that F1_SOURCES names; with options only the sources they name.
    Follow it with `f1-pipeline run`.
    """
    from f1_pipeline.report.refresh import print_changes, refresh_with_progress

    settings = load_settings().with_sources(f1db, feed)
    changes = refresh_with_progress(settings, quiet=quiet)
    print_changes(changes, output)


@main.command(
    epilog=examples(
        "scores --race 2026-canada                         the newest rules applied to one race",
        "scores --rules 2026 --season 2019 --format csv   a season of before the game, by today's rules",
        "scores --race 2025-monaco --items                 a row per scoring item",
    )
)
@click.option(
    "--rules",
    "rules_season",
    type=int,
    shell_complete=rule_seasons,
    metavar="N",
    help="Season whose rules to apply; the newest.",
)
@click.option("--season", type=int, metavar="N", help="Only races of this season, 2018 or later.")
@click.option(
    "--race", "race_key", shell_complete=every_race_key, metavar="KEY", help="Only this race, such as 2019-monaco."
)
@click.option("--items", is_flag=True, help="One row per scoring item instead of one per asset.")
@talk_options
@format_option
@reports_errors
def scores(
    rules_season: int | None, season: int | None, race_key: str | None, items: bool, quiet: bool, output: str
) -> None:
    """Score past races by the rules of any season.

    Races since 2018 have results; what results cannot tell (overtakes, the sprint's fastest lap, pit stops) is taken
    from the game's records since 2023, and named as unknown before.
    """
    import pyarrow as pa

    from f1_pipeline.game.rules import rule_seasons
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import open_published
    from f1_pipeline.steps.scores import rescored_races

    pipeline = open_published(load_settings())
    rules = rule_seasons(pipeline.settings.data_dir)[-1] if rules_season is None else rules_season
    with waiting("scoring", quiet):
        scored = rescored_races(pipeline, rules, season, race_key)
    rows = scored.items if items else scored.totals
    if output == "table":
        # what says the same in every row, or twice, would only fold the others
        rows = rows.drop(columns=["rules_season", "constructor_id", *(() if items else ("is_complete",))])
    print_rows(pa.Table.from_pandas(rows, preserve_index=False), output)


@main.command(
    short_help="Say how good past forecasts were, and how sure that is.",
    epilog=examples(
        "accuracy                                    all seasons, at the lock",
        "accuracy --season 2026 --phase after_qualifying",
        "accuracy --picture docs/accuracy.svg --page accuracy.html",
        "accuracy --forecast ridge --format csv      a row per season and kind of asset",
    ),
)
@click.option(
    "--season",
    type=int,
    shell_complete=seasons,
    metavar="N",
    help="One season; all of them, and their sum, by default.",
)
@click.option("--phase", type=click.Choice(PHASES), default=AT_LOCK, help="Moment of the forecast; at_lock.")
@click.option("--forecast", metavar="NAME", help="published, a candidate or a baseline; the published one.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw everything: .svg or .png.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write it all as one page: .html.")
@talk_options
@format_option
@reports_errors
def accuracy(
    season: int | None,
    phase: str,
    forecast: str | None,
    picture: Path | None,
    page: Path | None,
    quiet: bool,
    output: str,
) -> None:
    """Say how good past forecasts were, against the baselines and with what uncertainty.

    The tables are of one moment and one forecast, beside the others; JSON and CSV have every forecast unless one is
    named; picture and page have everything.
    """
    from f1_pipeline.report.accuracy import check_targets, chosen_rows, print_accuracy, read_accuracy
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import open_published

    check_targets(picture, page)
    with waiting("reading the figures", quiet):
        found = read_accuracy(open_published(load_settings()))
    if output == "table":
        print_accuracy(found, season, phase, forecast)
    else:
        print_rows(chosen_rows(found, season, phase, forecast), output)
    if picture is not None:
        from f1_pipeline.report.accuracy_picture import write_picture

        with waiting("drawing", quiet):
            write_picture(found, picture)
        click.echo(picture, err=True)
    if page is not None:
        from f1_pipeline.report.accuracy_page import write_page

        with waiting("writing the page", quiet):
            write_page(found, page)
        click.echo(page, err=True)


@main.command(
    "import",
    short_help="Write the fact files in data/ again, from their sources.",
    epilog=examples("import --f1db f1db-csv.zip --fantasy fantasy"),
)
@click.option(
    "--f1db", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Zip of F1DB's CSV release, a zip."
)
@click.option(
    "--fantasy", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of game records."
)
@talk_options
@format_option
@reports_errors
def import_command(f1db: Path, fantasy: Path, quiet: bool, output: str) -> None:
    """Write the fact files in data/ again, from an F1DB release and a folder of fantasy records.

    What refreshes have brought since is not in those records and goes; `refresh` brings it back.
    """
    from f1_pipeline.report.bars import step_progress
    from f1_pipeline.report.tables import print_files
    from f1_pipeline.sources.importer import import_facts

    with step_progress(quiet) as start:
        counts = import_facts(f1db, fantasy, load_settings().data_dir, on_progress=start("importing", None))
    print_files(counts.items(), output)


@main.command(short_help="Choose the settings of the strength model again.", epilog=examples("tune --format csv"))
@talk_options
@format_option
@reports_errors
def tune(quiet: bool, output: str) -> None:
    """Choose the settings of the strength model again, on 2019 to 2022; takes minutes, changes nothing.

    Prints the settings that predicted the sessions of those seasons best, and by how much; the ones in use are the
    defaults in f1_pipeline/forecast/strength.py.
    """
    from f1_pipeline.report.tuning import print_tuning, tune_with_progress

    print_tuning(tune_with_progress(load_settings(), quiet=quiet), output)


@main.command(short_help="Write the generated documents again.", epilog=examples("docs"))
@talk_options
@reports_errors
def docs(quiet: bool) -> None:
    """Write the generated documents again: data dictionary, scoring rules and the picture of the asset graph."""
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.documents import write_documents
    from f1_pipeline.steps.pipeline import Pipeline

    with waiting("writing documents", quiet):
        written = write_documents(Pipeline(load_settings()))
    for path in written:
        click.echo(path)
