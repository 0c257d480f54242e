"""`f1-pipeline cluster`: every service of several machines on this one, and the graph run on it.

Belongs here: its options and what it says. Neighbour: `f1_pipeline.cluster` starts and ends the services; it is
imported inside the command, for it needs the extra `scale`.
"""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f1_pipeline.cli_options import examples, reports_errors
from f1_pipeline.errors import ServiceError
from f1_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from f1_pipeline.cluster.services import Addresses


@click.command(
    short_help="Run on PostgreSQL, MLflow, Dask and Dagster, all here.",
    epilog=examples(
        "cluster                             the whole graph, then wait for Ctrl-C",
        "cluster --races 3 --stop-after-run  a small one, and everything ended again",
        "cluster --workers 8                 as many as there are cores",
    ),
)
@click.option("--races", type=click.IntRange(1), metavar="N", help="Compute the first N races of the game only.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, metavar="N", help="Dask workers.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Of the services.")
@click.option("--stop-after-run", is_flag=True, help="End everything when the graph has run.")
@reports_errors
def cluster(races: int | None, workers: int, folder: Path | None, stop_after_run: bool) -> None:
    """Start the services of several machines on this one, and run the graph on them.

    Each is a process with a folder of its own below --folder (data/warehouse/cluster), where its log is. They listen
    on this computer only and end with this command, also by Ctrl-C; what they keep stays for the next start. Dagster's
    daemon, which runs by itself whatever is missing, comes when the graph has run, and not with --races.
    """
    settings = load_settings()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends this command ends the services too
    _require_extra()
    words = ["run"] if races is None else ["run", "--race", _race(settings, races)]
    from f1_pipeline.cluster.cluster import running_cluster

    place = folder or settings.warehouse_dir / "cluster"
    with running_cluster(settings, place, workers=workers, say=lambda text: click.echo(text, err=True)) as started:
        for line in _where_to_look(started.at):
            click.echo(line)
        code = started.run(*words)
        if races is None:  # else it would go on to the other races
            started.start_daemon()
        if not stop_after_run:
            click.echo("the services go on; Ctrl-C ends them")
            started.watch()
    sys.exit(code)


def _require_extra() -> None:
    """Look for what the services need, before any is started: their modules are imported one by one, as they start."""
    missing = [name for name in ("dask", "distributed", "dagster_postgres") if find_spec(name) is None]
    if missing:
        raise ServiceError(
            f"f1-pipeline cluster: expected the extra `scale` to be installed, found no {', '.join(missing)}: "
            f"pip install -c constraints.txt -e '.[scale]'"
        )


def _race(settings: Settings, number: int) -> str:
    from f1_pipeline.steps.pipeline import Pipeline

    finished = Pipeline(settings).calendar.finished
    return finished[min(number, len(finished)) - 1].race_key


def _where_to_look(at: Addresses) -> list[str]:
    return [
        f"Dagster    {at.webserver_url}",
        f"MLflow     {at.mlflow_url}",
        f"Dask       {at.dask_url}",
        f"PostgreSQL {at.database('warehouse').conninfo}, its password in {at.server.secret}",
        f"logs       {at.folder}/*/log",
    ]
