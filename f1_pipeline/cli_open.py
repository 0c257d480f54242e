"""`f1-pipeline open`: the windows onto an installation, each wherever F1_WAREHOUSE_DIR points.

Belongs here: what can be opened and by which command. Neighbours: `report.servers` runs servers, `defs.instance_home`
tells Dagster where its records are. Heavy libraries are imported inside the functions.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

import click

from f1_pipeline.cli_options import examples, reports_errors
from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.settings import Settings, environment, load_settings

PORTS = {"ui": 3000, "mlflow": 5000}
TARGETS = ("ui", "warehouse", "mlflow", "page")


@click.command(
    "open",
    short_help="Open the Dagster UI, the warehouse, MLflow or a page.",
    epilog=examples(
        "open                            the Dagster UI, with the daemon that runs races by themselves",
        "open ui --no-browser --port 3001",
        "open mlflow                     the models: parameters, metrics, residual plots",
        "open warehouse                  DuckDB's own UI, or its command line",
        "open page                       the page that was written last",
    ),
)
@click.argument("target", type=click.Choice(TARGETS), default="ui")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Of ui (3000) and mlflow (5000).")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@reports_errors
def open_command(target: str, port: int | None, no_browser: bool) -> None:
    """Open a window onto what runs have made.

    Servers listen on this computer only and run until Ctrl-C.
    """
    settings = load_settings()
    if port is not None and target not in PORTS:
        raise UsageError(f"--port: expected with {' or '.join(PORTS)}, found with {target}")
    match target:
        case "ui":
            _open_ui(settings, port or PORTS[target], not no_browser)
        case "mlflow":
            _open_mlflow(settings, port or PORTS[target], not no_browser)
        case "warehouse":
            _open_warehouse(settings, not no_browser)
        case _:
            _open_page(settings, not no_browser)


def _open_ui(settings: Settings, port: int, opens_browser: bool) -> None:
    from f1_pipeline.defs.instance_home import write_instance_home
    from f1_pipeline.report.servers import HOST, run_server

    command = [sys.executable, "-m", "dagster", "dev", "-w", str(settings.home / "workspace.yaml"), "-h", HOST]
    variables = environment(
        DAGSTER_HOME=str(write_instance_home(settings)),
        F1_PIPELINE_HOME=str(settings.home),
        F1_DATA_DIR=str(settings.data_dir),
        F1_WAREHOUSE_DIR=str(settings.warehouse_dir),
        F1_WAREHOUSE=settings.warehouse,
        F1_WAREHOUSE_DATA=settings.warehouse_data,
        F1_DAGSTER_POSTGRES=settings.dagster_postgres,
    )
    run_server([*command, "-p", str(port)], settings.home, variables, port, opens_browser=opens_browser)


def _open_mlflow(settings: Settings, port: int, opens_browser: bool) -> None:
    from f1_pipeline.report.servers import HOST, run_server, show

    if settings.mlflow:  # somebody else runs it
        click.echo(settings.mlflow_ui)
        if opens_browser:
            show(settings.mlflow_ui)
        return
    store = settings.tracking_dir / "mlflow.db"
    if not store.exists():
        raise WarehouseError(f"{store}: expected the store of models, found none; `make run` builds it")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", f"sqlite:///{store}", "--host", HOST]
    variables = environment(MLFLOW_DISABLE_TELEMETRY="true")
    run_server([*command, "--port", str(port)], settings.tracking_dir, variables, port, opens_browser=opens_browser)


def _open_warehouse(settings: Settings, opens_browser: bool) -> None:
    from f1_pipeline.report.servers import show
    from f1_pipeline.warehouse.local_ui import ADDRESS, INSTALL, has_local_ui, serve_local_ui

    path = settings.published_path if settings.published_path.exists() else settings.warehouse_path
    if settings.lake is not None and path != settings.published_path:
        raise UsageError(f"{settings.lake}: expected a published copy to open, found none yet: `f1-pipeline run`")
    if not path.exists():
        raise WarehouseError(f"{path}: expected a warehouse, found none; `make run` builds it")
    if has_local_ui():
        click.echo(f"{ADDRESS} (its pages come from the network; Ctrl-C ends it)")
        if opens_browser:
            show(ADDRESS)
        serve_local_ui(path)
        return
    program = shutil.which("duckdb")
    if program is None:
        raise UsageError(
            f"{path}: DuckDB's UI is not installed, which takes a network once ({INSTALL}), and there is no program "
            "duckdb to open it in; `f1-pipeline query` has a prompt that needs neither"
        )
    click.echo(
        f"DuckDB's UI is not installed, which takes a network once ({INSTALL}); here is its command line", err=True
    )
    sys.exit(subprocess.run([program, "-readonly", str(path)], check=False).returncode)


def _open_page(settings: Settings, opens_browser: bool) -> None:
    from f1_pipeline.report.servers import show

    pages = sorted(settings.reports_dir.glob("*.html"), key=lambda page: page.stat().st_mtime)
    if not pages:
        raise UsageError(f"{settings.reports_dir}: expected a page, found none; `f1-pipeline report` writes it")
    click.echo(pages[-1])
    if opens_browser:
        show(pages[-1].as_uri())
