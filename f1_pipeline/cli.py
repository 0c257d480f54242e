"""`f1-pipeline …`: the command line, thin over the same graph.

Belongs here: options, progress, tables on the terminal, exit codes. Neighbours: `defs.runs` runs jobs, `report.tables`
renders, `cli_agents.py`, `cli_episodes.py`, `cli_lineup.py`, `cli_plans.py` and `cli_team.py` have commands of their
own. Heavy libraries are imported inside the commands, so that `--help` answers at once. Exit codes: 0 done, 2 a wrong
request or bad input, 1 a fault of the program.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_agents import agents
from f1_pipeline.cli_episodes import episodes
from f1_pipeline.cli_lineup import lineup, print_stored
from f1_pipeline.cli_options import format_option, reports_errors
from f1_pipeline.cli_plans import backtest, chips, plan
from f1_pipeline.cli_team import team
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.settings import load_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="f1-pipeline")
def main() -> None:
    """Compute the best F1 Fantasy team for the next Grand Prix, and why.

    Start with `f1-pipeline run`; then ask `f1-pipeline lineup`, or the warehouse with `f1-pipeline query`.
    """


for command in (lineup, plan, chips, team, backtest, agents, episodes):
    main.add_command(command)


@main.command()
@click.option("--race", "race_key", metavar="KEY", help="One race only, such as 2026-monaco.")
@click.option("--season", type=int, metavar="N", help="The finished races of one season only.")
@click.option("--quiet", is_flag=True, help="Print nothing but the line-up.")
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


@main.command()
@click.argument("sql")
@click.option(
    "--format", "output", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print the rows."
)
@reports_errors
def query(sql: str, output: str) -> None:
    """Ask the warehouse: SQL is one DuckDB statement, read-only."""
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import Pipeline
    from f1_pipeline.warehouse.connection import ask

    print_rows(ask(Pipeline(load_settings()).warehouse, sql), output)


@main.command("export-training")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; data/warehouse/training.")
@reports_errors
def export_training(out: Path | None) -> None:
    """Write training tables for drivers and constructors: features X, points y, groups by season; Parquet and CSV."""
    from f1_pipeline.steps.export import export_training_tables
    from f1_pipeline.steps.pipeline import Pipeline

    settings = load_settings()
    for path, row_count in export_training_tables(Pipeline(settings), out or settings.warehouse_dir / "training"):
        click.echo(f"{row_count:6d} rows  {path}")


@main.command()
@click.option("--f1db", metavar="PATH|URL", help="Zip of an F1DB CSV release; its newest one by default.")
@click.option("--feed", metavar="URL", help="Base of the official game's feed; the real one by default.")
@click.option("--quiet", is_flag=True, help="No progress, only what changed.")
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


@main.command()
@click.option("--rules", "rules_season", type=int, metavar="N", help="Season whose rules to apply; the newest.")
@click.option("--season", type=int, metavar="N", help="Only races of this season, 2018 or later.")
@click.option("--race", "race_key", metavar="KEY", help="Only this race, such as 2019-monaco.")
@click.option("--items", is_flag=True, help="One row per scoring item instead of one per asset.")
@click.option(
    "--format", "output", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print the rows."
)
@reports_errors
def scores(rules_season: int | None, season: int | None, race_key: str | None, items: bool, output: str) -> None:
    """Score past races by the rules of any season.

    Races since 2018 have results; what results cannot tell (overtakes, the sprint's fastest lap, pit stops) is taken
    from the game's records since 2023, and named as unknown before.
    """
    import pyarrow as pa

    from f1_pipeline.game.rules import rule_seasons
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import Pipeline
    from f1_pipeline.steps.scores import rescored_races

    pipeline = Pipeline(load_settings())
    rules = rule_seasons(pipeline.settings.data_dir)[-1] if rules_season is None else rules_season
    scored = rescored_races(pipeline, rules, season, race_key)
    rows = scored.items if items else scored.totals
    if output == "table":
        # what says the same in every row, or twice, would only fold the others
        rows = rows.drop(columns=["rules_season", "constructor_id", *(() if items else ("is_complete",))])
    print_rows(pa.Table.from_pandas(rows, preserve_index=False), output)


@main.command()
@click.option("--season", type=int, metavar="N", help="One season; all of them, and their sum, by default.")
@click.option("--phase", type=click.Choice(PHASES), default=AT_LOCK, help="Moment of the forecast; at_lock.")
@click.option("--forecast", metavar="NAME", help="published, a candidate or a baseline; the published one.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw everything: .svg or .png.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write it all as one page: .html.")
@click.option(
    "--format", "output", type=click.Choice(["table", "json", "csv"]), default="table", help="How to print the rows."
)
@reports_errors
def accuracy(
    season: int | None, phase: str, forecast: str | None, picture: Path | None, page: Path | None, output: str
) -> None:
    """Say how good past forecasts were, against the baselines and with what uncertainty.

    The tables are of one moment and one forecast, beside the others; JSON and CSV have every forecast unless one is
    named; picture and page have everything.
    """
    from f1_pipeline.report.accuracy import check_targets, chosen_rows, print_accuracy, read_accuracy
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import Pipeline

    check_targets(picture, page)
    found = read_accuracy(Pipeline(load_settings()))
    if output == "table":
        print_accuracy(found, season, phase, forecast)
    else:
        print_rows(chosen_rows(found, season, phase, forecast), output)
    if picture is not None:
        from f1_pipeline.report.accuracy_picture import write_picture

        write_picture(found, picture)
        click.echo(picture, err=True)
    if page is not None:
        from f1_pipeline.report.accuracy_page import write_page

        write_page(found, page)
        click.echo(page, err=True)


@main.command("import")
@click.option(
    "--f1db", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Zip of F1DB's CSV release, a zip."
)
@click.option(
    "--fantasy", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of game records."
)
@reports_errors
def import_command(f1db: Path, fantasy: Path) -> None:
    """Write the fact files in data/ again, from an F1DB release and a folder of fantasy records.

    What refreshes have brought since is not in those records and goes; `refresh` brings it back.
    """
    from f1_pipeline.sources.importer import import_facts

    counts = import_facts(f1db, fantasy, load_settings().data_dir, on_progress=lambda text: click.echo(text, err=True))
    for name, row_count in counts.items():
        click.echo(f"{row_count:6d} rows  {name}")


@main.command()
@click.option("--quiet", is_flag=True, help="No progress.")
@format_option
@reports_errors
def tune(quiet: bool, output: str) -> None:
    """Choose the settings of the strength model again, on 2019 to 2022; takes minutes, changes nothing.

    Prints the settings that predicted the sessions of those seasons best, and by how much; the ones in use are the
    defaults in f1_pipeline/forecast/strength.py.
    """
    from f1_pipeline.report.tuning import print_tuning, tune_with_progress

    print_tuning(tune_with_progress(load_settings(), quiet=quiet), output)


@main.command()
@reports_errors
def docs() -> None:
    """Write the generated documents again: data dictionary, scoring rules and the picture of the asset graph."""
    from f1_pipeline.report.documents import write_documents
    from f1_pipeline.steps.pipeline import Pipeline

    for path in write_documents(Pipeline(load_settings())):
        click.echo(path)
