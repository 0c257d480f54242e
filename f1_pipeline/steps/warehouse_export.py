"""Every table and view as a file, with a manifest, for tools that do not read DuckDB.

Belongs here: the folder of an export, its manifest, and which folder may be replaced by a new one. Neighbours:
`warehouse.export` writes one file, `export.py` has the training tables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from f1_pipeline import __version__
from f1_pipeline.errors import UsageError
from f1_pipeline.steps.folders import replacing_folder
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.export import Format, Relation, StoredColumn, relations, write_relation

MANIFEST = "manifest.json"
MADE_BY = "f1-pipeline export"
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ExportedTable:
    """One file of an export.

    Attributes
    ----------
    name : str
        Full name of the table or view.
    kind : str
        `table` or `view`.
    description : str
        What a row is.
    file : str
        Its file below the folder.
    row_count, byte_count : int
    sha256 : str
        Of the file.
    columns : tuple of StoredColumn
        Every column, in order.
    """

    name: str
    kind: str
    description: str
    file: str
    row_count: int
    byte_count: int
    sha256: str
    columns: tuple[StoredColumn, ...]


def export_warehouse(
    pipeline: Pipeline,
    folder: Path,
    schemas: Collection[str] = (),
    form: Format = "parquet",
    tell: Tell = lambda table, done, total: None,
) -> list[ExportedTable]:
    """Write tables and views into a folder, one file each, all of one snapshot.

    Parameters
    ----------
    pipeline : Pipeline
    folder : Path
        New, empty, or an earlier export, which is replaced when the new one is complete.
    schemas : collection of str
        Only these; all when empty.
    form : {'parquet', 'csv'}
        Parquet is compressed by zstd and keeps types and lists; in CSV lists are text.
    tell : callable
        Called with each table that is written, how many are, and how many there will be.

    Returns
    -------
    list of ExportedTable
        In the order of their names, as the manifest has them.

    Raises
    ------
    UsageError
        A schema is unknown, or the folder has other things in it.
    WarehouseError
        There is no warehouse, or a file cannot be written.
    DataError
        The folder cannot be written.
    """
    with pipeline.warehouse.read() as connection:
        found = relations(connection)
        _check_schemas(schemas, {relation.schema for relation in found})
        wanted = [relation for relation in found if not schemas or relation.schema in schemas]
        with replacing_folder(folder, lambda target: _check_target(target, folder)) as made:
            exported = []
            for relation in wanted:
                exported.append(_write(connection, relation, _grain(pipeline, relation), made, form))
                tell(relation.full_name, len(exported), len(wanted))
            _write_manifest(made, form, exported)
    return exported


def _check_schemas(wanted: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(wanted).difference(known))
    if unknown:
        raise UsageError(f"--schema: expected some of {', '.join(sorted(known))}, found {unknown[0]!r}")


def _grain(pipeline: Pipeline, relation: Relation) -> tuple[str, ...]:
    """Say what a table is sorted by: nothing of its own when no model of today makes it."""
    views = {item.contract.full_name: item.contract for item in pipeline.reader_objects}
    contract = (pipeline.contracts | views).get(relation.full_name)
    return contract.grain if contract else ()


def _write(connection: Any, relation: Relation, grain: tuple[str, ...], made: Path, form: Format) -> ExportedTable:
    path = made / relation.schema / f"{relation.name}.{form}"
    path.parent.mkdir(exist_ok=True)
    row_count = write_relation(connection, relation, grain, path, form)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ExportedTable(
        name=relation.full_name,
        kind=relation.kind,
        description=relation.description,
        file=path.relative_to(made).as_posix(),
        row_count=row_count,
        byte_count=path.stat().st_size,
        sha256=digest,
        columns=relation.columns,
    )


def _write_manifest(made: Path, form: Format, exported: list[ExportedTable]) -> None:
    manifest = {
        "made_by": MADE_BY,
        "version": __version__,
        "format": form,
        "tables": [asdict(table) for table in exported],
    }
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _check_target(target: Path, named: Path) -> None:
    """Refuse to replace anything but an earlier export, and that only as it was written."""
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{named}: expected a folder, found a file")
    files = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    strangers = sorted(files - _files_of_export(target / MANIFEST))
    if strangers:
        raise UsageError(f"{named}: expected a new folder or an earlier export, found {strangers[0]} in it")


def _files_of_export(path: Path) -> set[str]:
    """Name the files that a manifest speaks of, itself among them; none when it is no manifest of an export."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["made_by"] != MADE_BY:
            return set()
        return {MANIFEST, *(table["file"] for table in manifest["tables"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
