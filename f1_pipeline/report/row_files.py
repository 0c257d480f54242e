"""Rows as a file: CSV, JSON or Parquet, by the ending of its name, whole or not at all.

Neighbours: `tables.py` prints the same rows, `cli_query.py` says where to.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from f1_pipeline.errors import UsageError
from f1_pipeline.report.files import write_file
from f1_pipeline.report.tables import csv_bytes, json_bytes

SUFFIXES = (".csv", ".json", ".parquet")


def check_row_file(path: Path) -> None:
    """Refuse a file whose ending says no form that rows have, before anything is read.

    Raises
    ------
    UsageError
        It ends otherwise than in one of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out: expected a path that ends in {', '.join(SUFFIXES)}, found {path.name!r}")


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write rows.

    Parameters
    ----------
    rows : pyarrow.Table
    path : Path
        Ends in one of `SUFFIXES`; replaced when it is there.

    Raises
    ------
    UsageError
        It cannot be written there, or CSV cannot hold the rows.
    """
    check_row_file(path)
    match path.suffix.lower():
        case ".csv":
            content = csv_bytes(rows)
        case ".json":
            content = json_bytes(rows.to_pylist())
        case _:
            sink = pa.BufferOutputStream()
            pq.write_table(rows, sink, compression="zstd")
            content = sink.getvalue().to_pybytes()
    write_file(path, content)
