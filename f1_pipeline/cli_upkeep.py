"""`f1-pipeline backup|restore|rebuild|prune`: what keeps an installation whole over the seasons.

Belongs here: options and questions of these commands. Neighbours: `steps.backup`, `steps.restore`, `steps.rebuild` and
`defs.retention` do the work; heavy libraries are imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings

_NEVER_ASK = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command(
    short_help="Pack everything that cannot be made again into one file.",
    epilog=examples(
        "backup                        into backups/, named by the time",
        "backup --out /mnt/disk/f1.zip --wait 3600",
    ),
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The archive; backups/f1-<time>.zip.")
@click.option("--wait", "wait_s", type=click.FloatRange(0), default=600.0, help="Patience with a run, seconds; 600.")
@talk_options
@format_option
@reports_errors
def backup(out: Path | None, wait_s: float, quiet: bool, output: str) -> None:
    """Pack facts, what was received, your team, warehouse, models and the history of runs into one archive.

    A run that goes on is waited for; the archive has its name only when it is whole.
    """
    from f1_pipeline.steps.backup import back_up, note_on_lake
    from f1_pipeline.steps.restore import complete_interrupted

    settings = replace(load_settings(), lock_wait_s=wait_s)
    target = out or settings.home / "backups" / f"f1-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip"
    say = _say(quiet)
    complete_interrupted(settings, say)
    _print(asdict(back_up(settings, target, say)), output)
    _warn(note_on_lake(settings))


@click.command(
    short_help="Put everything that a back-up holds back in its place.",
    epilog=examples("restore backups/f1-20260607T180000Z.zip", "restore f1.zip --yes"),
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_NEVER_ASK
@talk_options
@format_option
@reports_errors
def restore(path: Path, yes: bool, quiet: bool, output: str) -> None:
    """Put everything that a back-up holds in the place of what is there: all of it, or nothing.

    The archive is checked first, file by file. Stop the daemon (`make ui`) before, or it goes on with the old history.
    """
    from f1_pipeline.steps.backup import note_on_lake
    from f1_pipeline.steps.restore import read_manifest
    from f1_pipeline.steps.restore import restore as bring_back

    settings, manifest = load_settings(), read_manifest(path)
    if not yes:
        click.confirm(
            f"Replace facts, team, warehouse, models and history by those of {manifest.made_at}?", abort=True, err=True
        )
    _print(asdict(bring_back(settings, path, _say(quiet))), output)
    _warn(note_on_lake(settings))


@click.command(
    short_help="Set a damaged warehouse aside and compute it again.",
    epilog=examples("rebuild", "rebuild --yes --quiet"),
)
@_NEVER_ASK
@talk_options
@format_option
@reports_errors
def rebuild(yes: bool, quiet: bool, output: str) -> None:
    """Move a warehouse that is damaged, or of an earlier version, aside and compute it again.

    Forecasts that were made before their races and the teams of earlier races are carried over where they can still
    be read: they cannot be computed again. Seasons played again are neither: `f1-pipeline backtest` and `f1-pipeline
    agents` compute those. A back-up, if there is one, is the better mend: `f1-pipeline restore`.
    """
    from f1_pipeline.cli_lineup import print_stored
    from f1_pipeline.report.progress import run_with_progress
    from f1_pipeline.steps.pipeline import Pipeline
    from f1_pipeline.steps.rebuild import move_aside, refuse_lake, season_tables
    from f1_pipeline.steps.restore import complete_interrupted

    settings, say = load_settings(), _say(quiet)
    refuse_lake(settings)
    if not yes:
        click.confirm(f"Move {settings.warehouse_path} aside and compute everything again?", abort=True, err=True)
    complete_interrupted(settings, say)
    pipeline = Pipeline(settings)
    done = move_aside(pipeline, say)
    if done.aside is not None:
        say(f"The old warehouse is {done.aside}.")
    for table, kept in done.kept.items():
        say(f"Kept {kept.rows.num_rows} rows of {table} from {kept.source}.")
    say(f"Neither kept nor computed now are seasons: {', '.join(season_tables(pipeline))}.")
    say("`f1-pipeline backtest` and `f1-pipeline agents` compute them.")
    shown = run_with_progress(settings, None, None, quiet=quiet)
    if shown is not None:
        print_stored(settings, shown, output)


@click.command(
    short_help="Delete old runs, and models that nothing refers to.",
    epilog=examples("prune --dry-run", "prune --keep-days 365"),
)
@click.option("--keep-days", type=click.IntRange(1), default=90, help="Runs of so many days stay; 90.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@talk_options
@format_option
@reports_errors
def prune(keep_days: int, dry_run: bool, quiet: bool, output: str) -> None:
    """Delete the history of old runs, and models that nothing refers to.

    Never deleted: what a source has sent, facts, tables, forecasts, models that a table names or an alias points at,
    and the last materialization of every partition.
    """
    from f1_pipeline.defs.retention import prune as prune_installation

    _print(asdict(prune_installation(load_settings(), keep_days, dry_run, _say(quiet))), output)


def _say(quiet: bool) -> Callable[[str], None]:
    return lambda text: None if quiet else click.echo(text, err=True)


def _warn(note: str) -> None:
    """Say what nobody may miss, --quiet or not."""
    if note:
        click.echo(note, err=True)


def _print(values: dict[str, Any], output: str) -> None:
    import pyarrow as pa

    from f1_pipeline.report.tables import print_rows

    print_rows(pa.Table.from_pylist([{name: _plain(value) for name, value in values.items()}]), output)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
