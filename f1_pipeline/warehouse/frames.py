"""Fetch rows as pandas frames.

Belongs here: the one call that turns a DuckDB result into a frame. Neighbours: `connection.py` opens the file.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd


def read_frame(connection: Any, query: str, parameters: Mapping[str, object] | None = None) -> pd.DataFrame:
    """Run a query and fetch its rows.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    query : str
    parameters : mapping of str to object, optional
        Values of the named parameters.

    Returns
    -------
    pandas.DataFrame
        Decimals as floats, dates and instants as datetime64.
    """
    with warnings.catch_warnings():
        # duckdb 1.5.5 builds frames with a keyword that pandas 3.1 deprecates.
        warnings.filterwarnings("ignore", message="The inplace keyword", category=DeprecationWarning)
        return connection.execute(query, dict(parameters or {})).df()


def has_table(connection: Any, table: str) -> bool:
    """Say whether a table is there yet; `table` is its full name."""
    schema, name = table.split(".")
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = $schema and table_name = $name",
        {"schema": schema, "name": name},
    ).fetchall()
    return bool(found[0][0])


def read_table(connection: Any, table: str) -> pd.DataFrame:
    """Fetch a whole table; `table` is its full name, one of the project's own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The inplace keyword", category=DeprecationWarning)
        return connection.table(table).df()
