"""Read the committed facts strictly: typed, by column name, every rule of the declaration checked.

Reading and refusing belong here. What the files must look like is declared in
:mod:`f1_pipeline.sources.tables`; who writes them is :mod:`f1_pipeline.sources.importer`.
"""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv as pacsv

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.sources.tables import FACT_TABLES, FactColumn, FactTable

ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "decimal(5,1)": pa.decimal128(5, 1),
}
_EXAMPLES = {
    "integer": "a whole number",
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-06-07",
    "timestamptz": "an instant such as 2026-06-06T14:00:00Z",
    "decimal(5,1)": "a number with one decimal",
}
_FIRST_DATA_LINE = 2
COMMITTED = ".publish"
"""Folder of files that were checked and are on their way into place: they count already."""
_ASSET_TABLES = {"driver": "drivers", "constructor": "constructors"}


def load_fact_table(data_dir: Path, name: str, race_keys: Sequence[str] | None = None) -> pa.Table:
    """Read one fact file, checked against its declaration.

    Parameters
    ----------
    data_dir : Path
        Directory that holds the fact files.
    name : str
        Key of ``FACT_TABLES``.
    race_keys : sequence of str, optional
        Keep the rows of these races; tables without a race_key are returned whole.

    Returns
    -------
    pyarrow.Table
        Columns in declared order: prices as decimal128(5,1), instants as timestamp("us", "UTC").

    Raises
    ------
    DataError
        The file is missing, damaged, or breaks a type, key, reference or range.
    UsageError
        No such table, or a race key that is not in the calendar.
    """
    if name not in FACT_TABLES:
        raise UsageError(f"No fact table is called {name!r}; there are {', '.join(FACT_TABLES)}.")
    table = FACT_TABLES[name]
    rows = _read(data_dir / table.file_name, table)
    _check_columns(rows, table)
    _check_unique(rows, table)
    _check_references(rows, table, data_dir)
    if race_keys is None or "race_key" not in table.column_names:
        return rows
    known = _key_values(data_dir, "races", rows if name == "races" else None)
    for key in race_keys:
        if key not in known:
            raise UsageError(f"{key!r} is not a race key of {FACT_TABLES['races'].file_name}.")
    wanted = set(race_keys)
    return rows.filter(pa.array([key in wanted for key in rows["race_key"].to_pylist()], pa.bool_()))


def validate_bundle(data_dir: Path) -> dict[str, int]:
    """Check every fact file.

    Parameters
    ----------
    data_dir : Path
        Directory that holds the fact files.

    Returns
    -------
    dict of str to int
        Rows per file name.

    Raises
    ------
    DataError
        The first file that breaks its declaration.
    """
    return {table.file_name: load_fact_table(data_dir, name).num_rows for name, table in FACT_TABLES.items()}


def _read(path: Path, table: FactTable) -> pa.Table:
    content = _read_bytes(path)
    header = _check_header(content, table)
    types = {column.name: ARROW_TYPES[column.type] for column in table.columns}
    try:
        rows = pacsv.read_csv(
            pa.BufferReader(content),
            # one thread and one block: the error then carries the row number
            read_options=pacsv.ReadOptions(use_threads=False, block_size=max(len(content), 1)),
            parse_options=pacsv.ParseOptions(ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=list(table.column_names),
                null_values=[""],
                strings_can_be_null=True,
                true_values=["true"],
                false_values=["false"],
                timestamp_parsers=[pacsv.ISO8601],
                check_utf8=True,
            ),
        )
    except pa.ArrowInvalid as error:
        _explain(str(error), header, table)
    if rows.num_rows == 0 and not table.may_be_empty:
        raise DataError(f"{table.file_name} has a header but no rows; expected at least one row.")
    return rows


def _read_bytes(path: Path) -> bytes:
    content = read_committed(path)
    if content is None:
        raise DataError(f"{path.name} is missing from {path.parent}; expected the committed fact file.")
    if not content:
        raise DataError(f"{path.name} is empty; expected a header line.")
    if not content.endswith(b"\n"):
        line = content.count(b"\n") + 1
        raise DataError(f"{path.name} line {line}: the file ends in the middle of a line; it looks truncated.")
    return content


def read_committed(path: Path) -> bytes | None:
    """Read a file where it is committed, else in its place: a publication that was cut short is no mixture of facts."""
    for place in (path.parent / COMMITTED / path.name, path):
        with suppress(FileNotFoundError):
            return place.read_bytes()
    return None


def _check_header(content: bytes, table: FactTable) -> list[str]:
    header = content.split(b"\n", 1)[0].decode("utf-8", errors="replace").rstrip("\r").split(",")
    missing = [name for name in table.column_names if name not in header]
    unknown = [name for name in header if name not in table.column_names]
    if missing or unknown:
        found = [f"missing {', '.join(missing)}"] if missing else []
        found += [f"unknown {', '.join(unknown)}"] if unknown else []
        expected = ", ".join(table.column_names)
        raise DataError(f"{table.file_name} line 1: expected the columns {expected}; found {'; '.join(found)}.")
    if len(set(header)) != len(header):
        raise DataError(f"{table.file_name} line 1: a column name occurs twice in {', '.join(header)}.")
    return header


def _explain(message: str, header: list[str], table: FactTable) -> NoReturn:
    conversion = re.search(r"In CSV column #(\d+): (?:Row #(\d+): )?(.*)", message, re.DOTALL)
    if conversion:
        column = table.column(header[int(conversion[1])])
        where = f" line {conversion[2]}" if conversion[2] else ""
        found = re.search(r"'([^']*)'", conversion[3])
        shown = repr(found[1]) if found else conversion[3].strip()
        expected = _EXAMPLES.get(column.type, "UTF-8 text")
        raise DataError(f"{table.file_name}{where}, column {column.name}: expected {expected}, found {shown}.")
    parse = re.search(r"Row #(\d+): (.*)", message, re.DOTALL)
    where = f" line {parse[1]}" if parse else ""
    raise DataError(f"{table.file_name}{where}: {(parse[2] if parse else message).strip()}.")


def _refuse(rows: pa.Table, table: FactTable, index: int, column: str, expected: str) -> NoReturn:
    """Raise for one row; lines are counted from the header, which is line 1."""
    value = rows[column][index].as_py()
    found = "an empty field" if value is None else repr(str(value))
    race = rows["race_key"][index].as_py() if "race_key" in table.column_names else None
    suffix = f" (race {race})" if race is not None and column != "race_key" else ""
    line = index + _FIRST_DATA_LINE
    raise DataError(f"{table.file_name} line {line}, column {column}: expected {expected}, found {found}{suffix}.")


def _check_columns(rows: pa.Table, table: FactTable) -> None:
    for column in table.columns:
        values = rows[column.name]
        if not column.is_nullable and values.null_count:
            _refuse(rows, table, values.to_pylist().index(None), column.name, "a value")
        for index, value in enumerate(values.to_pylist() if _is_restricted(column) else ()):
            expected = None if value is None else _broken_restriction(column, value)
            if expected is not None:
                _refuse(rows, table, index, column.name, expected)


def _is_restricted(column: FactColumn) -> bool:
    return bool(column.allowed) or column.minimum is not None or column.type == "double"


def _broken_restriction(column: FactColumn, value: str | float | Decimal) -> str | None:
    """Return what was expected of the value, or None when it is acceptable."""
    if column.allowed:
        return None if value in column.allowed else f"one of {', '.join(column.allowed)}"
    if not math.isfinite(float(value)):
        return "a finite number"
    if column.minimum is not None and float(value) < column.minimum:
        return f"at least {column.minimum:g}"
    return None


def _check_unique(rows: pa.Table, table: FactTable) -> None:
    seen: dict[tuple[object, ...], int] = {}
    keys = zip(*(rows[name].to_pylist() for name in table.primary_key), strict=True)
    for line, key in enumerate(keys, start=_FIRST_DATA_LINE):
        if key in seen:
            shown = ", ".join(f"{name} {value}" for name, value in zip(table.primary_key, key, strict=True))
            raise DataError(
                f"{table.file_name} line {line}: expected one row per {', '.join(table.primary_key)}, "
                f"found {shown} again (first on line {seen[key]})."
            )
        seen[key] = line


def _check_references(rows: pa.Table, table: FactTable, data_dir: Path) -> None:
    for column in table.columns:
        if column.references == "asset":
            for asset_type, target in _ASSET_TABLES.items():
                of_type = [value == asset_type for value in rows["asset_type"].to_pylist()]
                _check_reference(rows, table, data_dir, column.name, target, of_type)
        elif column.references is not None:
            _check_reference(rows, table, data_dir, column.name, column.references)


def _check_reference(
    rows: pa.Table,
    table: FactTable,
    data_dir: Path,
    column: str,
    target: str,
    where: Sequence[bool] | None = None,
) -> None:
    known = _key_values(data_dir, target, rows if target == table.name else None)
    for index, value in enumerate(rows[column].to_pylist()):
        if value not in known and (where is None or where[index]):
            _refuse(rows, table, index, column, f"a value known in {FACT_TABLES[target].file_name}")


def _key_values(data_dir: Path, name: str, own_rows: pa.Table | None = None) -> set[str]:
    table = FACT_TABLES[name]
    rows = own_rows if own_rows is not None else _read(data_dir / table.file_name, table)
    return set(rows[table.primary_key[0]].to_pylist())
