"""Turn frames into the bytes of fact files: declared columns, declared order, one spelling per value.

Formatting belongs here, so that the same facts always give the same bytes. What the columns are is declared
in :mod:`f1_pipeline.sources.tables`; the way back is :mod:`f1_pipeline.sources.fact_frames`, putting files in
place is :mod:`f1_pipeline.sources.publish`.
"""

import csv
import io
from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.sources.fact_schema import FactColumn
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES, FactTable

_WHOLE = ("integer", "bigint")


def as_text(table: FactTable, frame: pd.DataFrame) -> pd.DataFrame:
    """Spell every value as the fact file does.

    Parameters
    ----------
    table : FactTable
        The declaration.
    frame : pandas.DataFrame
        One row per fact with the declared columns, in any order; prices as integer tenths.

    Returns
    -------
    pandas.DataFrame
        The declared columns as text, an empty string for null; same rows.

    Raises
    ------
    DataError
        A declared column is missing, or a value is none of its type.
    """
    missing = [name for name in table.column_names if name not in frame.columns]
    if missing:
        raise DataError(f"{table.file_name}: the import made no column {', '.join(missing)}.")
    texts = {column.name: _column_text(table.file_name, frame[column.name], column) for column in table.columns}
    return pd.DataFrame(texts, columns=list(table.column_names), dtype=str)


def as_facts(frames: Mapping[str, pd.DataFrame]) -> Facts:
    """Spell several tables, keyed by their names in ``FACT_TABLES``."""
    return {name: as_text(FACT_TABLES[name], frame) for name, frame in frames.items()}


def render_csv(table: FactTable, frame: pd.DataFrame) -> bytes:
    """Render a frame of text as its fact file.

    Parameters
    ----------
    table : FactTable
        The declaration.
    frame : pandas.DataFrame
        As :func:`as_text` returns it; the order of rows is of no consequence.

    Returns
    -------
    bytes
        UTF-8 CSV: header, LF line ends, rows in the table's sort order.
    """
    names = list(table.sort_key or table.primary_key)
    keys = pd.DataFrame({name: _sortable(frame[name], table.column(name).type) for name in names})
    ordered = frame.loc[keys.sort_values(names, kind="stable").index, list(table.column_names)]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(ordered[name].tolist() for name in table.column_names), strict=True))
    return buffer.getvalue().encode("utf-8")


def instant_text(instant: datetime) -> str:
    """Spell an instant in UTC, such as ``2026-06-06T14:00:00Z``."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sortable(values: pd.Series, column_type: str) -> pd.Series:
    # 10 comes after 9: numbers must not be ordered as words
    return values.astype("int64") if column_type in _WHOLE else values


def _column_text(file_name: str, values: pd.Series, column: FactColumn) -> list[str]:
    texts = []
    for value in values:
        try:
            texts.append("" if pd.isna(value) or value == "" else _text(value, column.type))
        except (ValueError, OverflowError, NotImplementedError) as error:  # the last: a year that no date has
            raise DataError(f"{file_name}: {column.name}: expected {column.type}, found {value!r:.50}.") from error
    return texts


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
            return instant_text(pd.Timestamp(value))  # ty: ignore
        case "date":
            return pd.Timestamp(value).strftime("%Y-%m-%d")  # ty: ignore
        case _:
            return str(value)
