"""Reading for pages: rows of a table that may not be there yet, and what people call assets.

Belongs here: what several pages read alike. Neighbours: `race_facts.py`, `race_outcome.py`, `season_facts.py` and
`track_record.py` ask for rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey
from f1_pipeline.steps.race_choice import NAMES
from f1_pipeline.warehouse.frames import read_frame

Row = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """Reads rows for a page over one connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    """

    connection: Any

    @cached_property
    def tables(self) -> frozenset[str]:
        """Full names of the tables that there are."""
        query = "select schema_name || '.' || table_name from duckdb_tables()"
        return frozenset(name for (name,) in self.connection.execute(query).fetchall())

    def rows(self, tables: tuple[str, ...], query: str, **parameters: object) -> list[Row]:
        """Run a query, if every table that it needs is there.

        Parameters
        ----------
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
        if not self.tables.issuperset(tables):
            return []
        frame = read_frame(self.connection, query, parameters)
        plain = frame.astype(object).where(frame.notna(), None)
        return [{name: _plain(value) for name, value in row.items()} for row in plain.to_dict("records")]

    def asset_names(self) -> dict[AssetKey, str]:
        """Read what people call each driver and constructor."""
        return {key_of(row): row["name"] for row in self.rows((), NAMES)}


def _plain(value: Any) -> Any:
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


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
