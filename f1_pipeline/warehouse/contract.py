"""What a table promises: its description, grain, columns and checks.

Belongs here: the description of a table as data. Neighbours: `model_file.py` reads it from the header of a SQL
file, `facts.py` derives it from the declaration of a file in data/, `writer.py` enforces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Partition = Literal["race", "season"]

PARTITION_COLUMNS: dict[str, Partition] = {"race_key": "race", "season": "season"}


@dataclass(frozen=True)
class Column:
    """One column: its name, what it says and its unit (empty for names and keys)."""

    name: str
    description: str
    unit: str = ""


@dataclass(frozen=True)
class TableContract:
    """What a table promises to its readers.

    Attributes
    ----------
    schema, name : str
        The table's place; also its asset key and its file name.
    description : str
        One sentence: what a row is.
    grain : tuple of str
        The columns that identify a row: never null, never twice.
    columns : tuple of Column
        Every column, in order.
    partitioned_by : str or None
        The partition column, one of `PARTITION_COLUMNS`; None for a table that is replaced whole.
    checks : tuple of str
        Boolean SQL expressions over one row; a row for which one is false breaks the contract.
    """

    schema: str
    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    partitioned_by: str | None = None
    checks: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def partition(self) -> Partition | None:
        """What one partition is, a race or a season; None for a table that is replaced whole."""
        return PARTITION_COLUMNS[self.partitioned_by] if self.partitioned_by else None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)
