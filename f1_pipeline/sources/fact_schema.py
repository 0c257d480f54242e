"""What a declaration of a fact file consists of, and the columns that every kind of fact shares.

The declarations themselves are ``tables_results`` and ``tables_game``; :mod:`f1_pipeline.sources.tables` lists
them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FactColumn:
    """One column of a fact file.

    Parameters
    ----------
    name : str
        Header name.
    type : str
        One of varchar, integer, bigint, double, boolean, date, timestamptz, decimal(5,1).
    description : str
        One sentence for the reader of ``data/README.md``.
    is_nullable : bool
        Whether an empty field is allowed.
    unit : str
        Unit of the value, empty for names and flags.
    allowed : tuple of str
        The only values allowed; empty means any.
    minimum : float or None
        The smallest value allowed.
    references : str or None
        Fact table whose primary key the value must be; ``asset`` means drivers or constructors, as
        ``asset_type`` of the same row says.
    """

    name: str
    type: str
    description: str
    is_nullable: bool = False
    unit: str = ""
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    references: str | None = None


@dataclass(frozen=True)
class FactTable:
    """One fact file under ``data/``.

    Parameters
    ----------
    name : str
        Table name, also the file name without its suffix.
    file_name : str
        File name inside the data directory.
    description : str
        What one row is.
    origin : str
        Where the facts come from and what they cover.
    columns : tuple of FactColumn
        In file order.
    primary_key : tuple of str
        Columns that identify a row; the file is sorted by ``sort_key``.
    is_partitioned : bool
        Whether rows belong to one race each and are loaded race by race.
    sort_key : tuple of str
        Row order of the written file; the primary key unless declared.
    may_be_empty : bool
        Whether a file with a header alone is acceptable.
    """

    name: str
    file_name: str
    description: str
    origin: str
    columns: tuple[FactColumn, ...]
    primary_key: tuple[str, ...]
    is_partitioned: bool
    sort_key: tuple[str, ...] = ()
    may_be_empty: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> FactColumn:
        """Return the declaration of one column.

        Raises
        ------
        KeyError
            The table has no such column: a programming error, not a data error.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")


RACE_KEY_COLUMN = FactColumn("race_key", "varchar", "Race: season and Grand Prix.", references="races")
DRIVER_COLUMN = FactColumn("driver_id", "varchar", "Driver.", references="drivers")
CONSTRUCTOR_COLUMN = FactColumn(
    "constructor_id", "varchar", "Constructor the driver drove for.", references="constructors"
)


def place_column(description: str) -> FactColumn:
    """Declare a nullable ``position`` column.

    Parameters
    ----------
    description : str
        Which place it is.

    Returns
    -------
    FactColumn
        The declaration.
    """
    return FactColumn("position", "integer", description, is_nullable=True, unit="place", minimum=1)
