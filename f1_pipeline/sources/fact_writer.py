"""Turn frames into the bytes of fact files: declared columns, declared order, one spelling per value.

Formatting belongs here, so that the same facts always give the same bytes. What the columns are is declared
in :mod:`f1_pipeline.sources.tables`; putting the files in place is the importer's.
"""

import csv
import io

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.sources.tables import FactTable


def render_csv(table: FactTable, frame: pd.DataFrame) -> bytes:
    """Render a frame as its fact file.

    Parameters
    ----------
    table : FactTable
        The declaration.
    frame : pandas.DataFrame
        One row per fact with the declared columns, in any order.

    Returns
    -------
    bytes
        UTF-8 CSV: header, LF line ends, rows in the table's sort order, empty for null.

    Raises
    ------
    DataError
        A declared column is missing.
    """
    missing = [name for name in table.column_names if name not in frame.columns]
    if missing:
        raise DataError(f"{table.file_name}: the import made no column {', '.join(missing)}.")
    ordered = frame.sort_values(list(table.sort_key or table.primary_key), kind="stable")
    texts = [_column_text(ordered[column.name], column.type) for column in table.columns]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*texts, strict=True))
    return buffer.getvalue().encode("utf-8")


def _column_text(values: pd.Series, column_type: str) -> list[str]:
    return ["" if pd.isna(value) or value == "" else _text(value, column_type) for value in values]


def _text(value: object, column_type: str) -> str:
    match column_type:
        case "integer" | "bigint":
            return str(int(str(value)) if isinstance(value, str) else int(value))  # ty: ignore[invalid-argument-type]
        case "double":
            return repr(float(value)).removesuffix(".0")  # ty: ignore
        case "decimal(5,1)":
            return f"{int(value) / 10:.1f}"  # ty: ignore
        case "boolean":
            return "true" if value else "false"
        case "timestamptz":
            return pd.Timestamp(value).strftime("%Y-%m-%dT%H:%M:%SZ")  # ty: ignore
        case "date":
            return pd.Timestamp(value).strftime("%Y-%m-%d")  # ty: ignore
        case _:
            return str(value)
