"""`f1-pipeline report`: races and seasons as pages that can be passed on.

Belongs here: its options. Neighbours: `report.page_index` writes the pages, `cli.py` has the other commands. Heavy
libraries are imported inside the function.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_completion import race_keys, seasons
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings


@click.command(
    short_help="Write races and seasons as pages to read and pass on.",
    epilog=examples(
        "report --open                                the next race, the last one, their season",
        "report --race 2026-canada                    one race; after it, what came of the line-up",
        "report --season 2025                         a season race by race",
        "report --race 2026-monaco --out monaco.html  one file, without links to other pages",
    ),
)
@click.option("--race", "race_key", shell_complete=race_keys, metavar="KEY", help="The page of this race.")
@click.option("--season", type=int, shell_complete=seasons, metavar="N", help="The page of this season.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="One page there; data/warehouse/reports.",
)
@click.option("--open", "opens", is_flag=True, help="Show the first page in the browser.")
@talk_options
@format_option
@reports_errors
def report(race_key: str | None, season: int | None, out: Path | None, opens: bool, quiet: bool, output: str) -> None:
    """Write the next race, the last finished one, their season and an index as pages, and print where they are.

    A page is one file that needs no network: before a race the line-up and why, after it what came of it. The same
    warehouse gives the same pages.
    """
    from f1_pipeline.errors import UsageError
    from f1_pipeline.report.bars import waiting
    from f1_pipeline.report.page_index import write_one_page, write_pages
    from f1_pipeline.report.tables import print_rows
    from f1_pipeline.steps.pipeline import open_published

    if race_key and season:
        raise UsageError("--race and --season exclude each other: give one of them")
    pipeline = open_published(load_settings())
    with waiting("writing pages", quiet):
        if out is None:
            written = write_pages(pipeline, race_key, season)
        else:
            written = [write_one_page(pipeline, out, race_key, season)]
    if output == "table":
        for _, _, path in written:
            click.echo(path)
    else:
        import pyarrow as pa

        rows = [{"kind": kind, "key": key, "file": str(path)} for kind, key, path in written]
        print_rows(pa.Table.from_pylist(rows), output)
    if opens:
        from f1_pipeline.report.servers import show

        show(written[0][2].resolve().as_uri())
