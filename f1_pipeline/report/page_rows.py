"""Reading for pages: rows of a table that may not be there yet, and what people call assets.

Belongs here: what several pages read alike. Neighbours: `race_facts.py`, `race_outcome.py`, `season_facts.py` and
`track_record.py` ask for rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.steps.race_choice import NAMES
from f1_pipeline.warehouse.frames import has_table, read_frame

Row = dict[str, Any]


def rows_of(connection: Any, tables: tuple[str, ...], query: str, **parameters: object) -> list[Row]:
    """Run a query, if every table that it needs is there.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    tables : tuple of str
        Full names of tables that an installation may not have yet.
    query : str
    **parameters
        Values of its named parameters.

    Returns
    -------
    list of dict
        Nulls are None, instants aware datetimes; empty when a table is missing.
    """
    if not all(has_table(connection, table) for table in tables):
        return []
    frame = read_frame(connection, query, parameters)
    plain = frame.astype(object).where(frame.notna(), None)
    return [{name: _plain(value) for name, value in row.items()} for row in plain.to_dict("records")]


def _plain(value: Any) -> Any:
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def asset_names(connection: Any) -> dict[AssetKey, str]:
    """Read what people call each driver and constructor."""
    return {(row["asset_type"], row["asset_id"]): row["name"] for row in rows_of(connection, (), NAMES)}


def key_of(row: Mapping[str, Any]) -> AssetKey:
    """Name the asset that a row is about."""
    return row["asset_type"], row["asset_id"]


def by_asset(rows: list[Row]) -> dict[AssetKey, list[Row]]:
    """Group rows by the asset that they are about, in their order."""
    found: dict[AssetKey, list[Row]] = {}
    for row in rows:
        found.setdefault(key_of(row), []).append(row)
    return found


def drivers_first(rows: list[Row]) -> Iterator[Row]:
    """Go through rows of assets, drivers before constructors, otherwise in their order."""
    for kind in (DRIVER, CONSTRUCTOR):
        yield from (row for row in rows if row["asset_type"] == kind)
