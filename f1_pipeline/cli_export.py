"""`f1-pipeline export`: every table and view as a file.

Belongs here: its options. Neighbours: `steps.warehouse_export` writes, `cli.py` has the other commands. Heavy
libraries are imported inside the function.
"""

from __future__ import annotations

from pathlib import Path

import click

from f1_pipeline.cli_options import examples, reports_errors, talk_options
from f1_pipeline.settings import load_settings

FORMATS = ("parquet", "csv")
"""As in `warehouse.export`, which is not imported for the help."""


@click.command(
    short_help="Write every table and view as Parquet or CSV.",
    epilog=examples(
        "export                                    all of it, below data/warehouse/export",
        "export --out facts --schema core --schema marts",
        "export --format csv --schema reader --out tables",
    ),
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; data/warehouse/export.")
@click.option("--schema", "schemas", multiple=True, metavar="NAME", help="Only this schema; may be repeated; all.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="parquet", help="Form of the files; parquet.")
@talk_options
@reports_errors
def export(out: Path | None, schemas: tuple[str, ...], form: str, quiet: bool) -> None:
    """Write every table and view into a folder: one file each, sorted, all of one snapshot, and manifest.json.

    The manifest says of each file its rows, columns, types, what they mean, and its hash. Parquet is compressed by zstd
    and keeps lists; in CSV lists are text. An earlier export at that place is replaced when the new one is complete.
    """
    from f1_pipeline.report.export import export_with_progress
    from f1_pipeline.report.tables import print_files
    from f1_pipeline.steps.pipeline import open_published

    settings = load_settings()
    folder = out or settings.warehouse_dir / "export"
    tables = export_with_progress(open_published(settings), folder, schemas, form, quiet=quiet)
    print_files([(folder / table.file, table.row_count) for table in tables], "table")
