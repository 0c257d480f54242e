"""The header of a SQL file: a run of `-- key: value` lines above the select.

Belongs here: reading these lines, whatever the keys mean. Neighbours: `model_file.py` and `reader_file.py` say which
keys there are and what they promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.contract import Column, TableContract

HEADER_LINE = re.compile(r"^--\s*(?P<key>[a-z_]+):\s*(?P<value>.+?)\s*$")
Header = dict[str, list[str]]


def split_file(path: Path, known_keys: Iterable[str]) -> tuple[Header, str]:
    """Read a SQL file.

    Parameters
    ----------
    path : Path
    known_keys : iterable of str

    Returns
    -------
    header : dict of str to list of str
        The values of every known key, in order.
    body : str
        The select, without a semicolon.

    Raises
    ------
    DataError
        The file is no UTF-8, a header line has another key, or there is no select.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: expected UTF-8 text: {error}") from error
    header: Header = {key: [] for key in known_keys}
    for number, line in enumerate(lines, start=1):
        if not line.startswith("--"):
            return header, "\n".join(lines[number - 1 :]).strip().rstrip(";")
        match = HEADER_LINE.match(line)
        if match is None or match["key"] not in header:
            expected = ", ".join(sorted(header))
            raise DataError(f"{path.name}:{number}: expected a header line with one of {expected}, found {line!r}")
        header[match["key"]].append(match["value"])
    raise DataError(f"{path.name}: expected a select after the header, found none")


def one_value(path: Path, header: Header, key: str) -> str:
    """Return the value of a key that must stand once; raise a `DataError` otherwise."""
    values = header[key]
    if len(values) != 1:
        raise DataError(f"{path.name}: expected one header line `-- {key}:`, found {len(values)}")
    return values[0]


def names(value: str) -> tuple[str, ...]:
    """Split a value at commas."""
    return tuple(name.strip() for name in value.split(","))


def parts_of(path: Path, key: str, value: str, form: str) -> list[str]:
    """Split a value of two or three parts at bars; raise a `DataError` that shows the form it should have."""
    parts = [part.strip() for part in value.split("|")]
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise DataError(f"{path.name}: expected `-- {key}: {form}`, found {value!r}")
    return parts


def column(path: Path, value: str) -> Column:
    """Read the description of a column; raise a `DataError` when it is malformed."""
    return Column(*parts_of(path, "column", value, "name | description | unit"))


def check_grain(path: Path, contract: TableContract) -> None:
    """Raise a `DataError` when a column of the grain, or the partition, has no line of its own."""
    keys = (*contract.grain, *([contract.partitioned_by] if contract.partitioned_by else []))
    missing = [name for name in keys if name not in contract.column_names]
    if missing:
        raise DataError(f"{path.name}: expected a column line for {', '.join(missing)}, found none")
