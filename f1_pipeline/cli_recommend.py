"""`f1-pipeline recommend`: transfers, boost and chip for each of many teams.

Belongs here: its options. Neighbours: `report.recommend` answers, `cli_lineup.py` does the same for your own team.
Heavy libraries are imported inside the function.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_completion import race_keys
from f1_pipeline.cli_lineup import say_if_locked
from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings


@click.command(
    short_help="Transfers, boost and chip for each of many teams.",
    epilog=examples(
        "recommend --teams teams.parquet --race 2026-monaco --out advice.parquet",
        "recommend --teams teams.parquet --out advice.parquet --max-transfers 2 --format json",
    ),
)
@click.option(
    "--teams", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Parquet, one row a team."
)
@click.option("--race", "race_key", shell_complete=race_keys, metavar="KEY", help="The race; the next one by default.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Parquet, one row a team; replaced."
)
@click.option(
    "--max-transfers",
    type=click.IntRange(0, 7),
    default=3,
    metavar="N",
    help="Most transfers of a team, where each counts; 3. With 7 the answer is that of `lineup`.",
)
@click.option(
    "--part-size", type=click.IntRange(1, 1_000_000), default=10_000, metavar="N", help="Teams of a part; 10000."
)
@talk_options
@format_option
@reports_errors
def recommend(
    teams: Path, race_key: str | None, out: Path, max_transfers: int, part_size: int, quiet: bool, output: str
) -> None:
    """Advise every team of a file: the best transfers, boost and chip for one race.

    Columns of the teams, named as in my_team.toml: team_id, drivers, constructors, bank_musd, free_transfers,
    chips_left; maybe boosted and races_played. A bad row gets an error and the others go on. Stopped, it goes on where
    it was: finished parts lie in a folder beside the answer. docs/scale.md has the columns of both files.
    """
    from f1_pipeline.report.recommend import print_summary, recommend_with_progress
    from f1_pipeline.steps.pipeline import open_published
    from f1_pipeline.steps.recommend import RecommendRequest

    pipeline = open_published(load_settings())
    race = pipeline.calendar.meant(race_key)
    request = RecommendRequest(teams, out, race.race_key, max_transfers, part_size)
    print_summary(recommend_with_progress(pipeline, request, quiet=quiet), output)
    say_if_locked(pipeline, race.race_key)
