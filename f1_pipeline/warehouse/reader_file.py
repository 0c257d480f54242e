"""Views and macros for readers: read their SQL files, create them in a published snapshot.

Belongs here: the grammar of the files in dbt_like_sql/reader, and what makes them objects of the schema `reader`.
Neighbours: `sql_header.py` reads the lines, `snapshot.py` has the file they are created in. They are in the snapshot
and not in the warehouse, where a view would break as soon as a table that it reads is dropped and made again. Who reads
a lake itself has them beside it, in his own DuckDB (`lake.py`).

A file without a `parameter: name | description | default` line is a view; with one it is a table macro, whose select
finds what it is given in `$name`. A parameter without a default must be given. `description`, `grain`, `column` and
`check` are as in a model; `example` is a statement that a reader may paste.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from f1_pipeline.errors import DataError, WarehouseError
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.lineage import tables_of
from f1_pipeline.warehouse.sql_header import check_grain, column, names, one_value, parts_of, split_file
from f1_pipeline.warehouse.writer import comment_columns, literal

READER_SCHEMA = "reader"
READER_KEYS = {"description", "grain", "parameter", "column", "check", "example"}
PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Parameter:
    """What a macro is given: its name, what it says, and SQL for its default (empty when it must be given)."""

    name: str
    description: str
    default: str = ""


@dataclass(frozen=True)
class ReaderObject:
    """One file in dbt_like_sql/reader: a view, or a table macro.

    Attributes
    ----------
    path : Path
    contract : TableContract
        What a row is, its grain, columns and checks.
    parameters : tuple of Parameter
        Empty for a view.
    body : str
        The select.
    example : str
        A statement that uses it.
    upstream : tuple of str
        The tables and views it reads, sorted, by full name.
    """

    path: Path
    contract: TableContract
    parameters: tuple[Parameter, ...]
    body: str
    example: str
    upstream: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`view` or `macro`."""
        return "macro" if self.parameters else "view"

    @property
    def signature(self) -> str:
        """How it is called: its full name, and a macro's parameters with their defaults."""
        named = [f"{given.name} := {given.default}" if given.default else given.name for given in self.parameters]
        return f"{self.contract.full_name}({', '.join(named)})" if named else self.contract.full_name


def read_reader_objects(sql_dir: Path) -> tuple[ReaderObject, ...]:
    """Read the views and macros for readers.

    Parameters
    ----------
    sql_dir : Path
        Folder of the SQL files.

    Returns
    -------
    tuple of ReaderObject
        In an order in which each comes after those that it reads.

    Raises
    ------
    DataError
        A header is incomplete or has a line that is not understood, or a select uses a parameter that is not declared.
    """
    found = {item.contract.full_name: item for item in map(_read, sorted((sql_dir / READER_SCHEMA).glob("*.sql")))}
    order = TopologicalSorter({name: item.upstream for name, item in found.items()}).static_order()
    return tuple(found[name] for name in order if name in found)


def create_reader_objects(
    connection: duckdb.DuckDBPyConnection, objects: Iterable[ReaderObject], lake: str = ""
) -> tuple[str, ...]:
    """Create views and macros in the schema `reader`, with comments.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Writes a database that has no such schema yet.
    objects : iterable of ReaderObject
        In order, as `read_reader_objects` gives them.
    lake : str
        Name under which the database of the tables is attached, when it is another.

    Returns
    -------
    tuple of str
        Full names of those that were created. One that reads a table which is not there yet, because nothing has
        computed it so far, is left out.

    Raises
    ------
    WarehouseError
        One does not fit the tables that it reads.
    """
    connection.execute(f"create schema {READER_SCHEMA}")
    rows = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    present = {row[0] for row in rows}
    created = []
    for item in objects:
        if present.issuperset(item.upstream):
            _create(connection, item, lake)
            present.add(item.contract.full_name)
            created.append(item.contract.full_name)
    return tuple(created)


def _read(path: Path) -> ReaderObject:
    header, body = split_file(path, READER_KEYS)
    contract = TableContract(
        schema=READER_SCHEMA,
        name=path.stem,
        description=one_value(path, header, "description"),
        grain=names(one_value(path, header, "grain")),
        columns=tuple(column(path, value) for value in header["column"]),
        checks=tuple(header["check"]),
    )
    check_grain(path, contract)
    form = "name | description | default"
    parameters = tuple(Parameter(*parts_of(path, "parameter", value, form)) for value in header["parameter"])
    _check_parameters(path, parameters, contract.column_names, body)
    example = one_value(path, header, "example")
    return ReaderObject(path, contract, parameters, body, example, tables_of(body, path.name))


def _check_parameters(path: Path, parameters: Sequence[Parameter], columns: Sequence[str], body: str) -> None:
    declared, used = {given.name for given in parameters}, set(PARAMETER.findall(body))
    if declared != used:
        raise DataError(
            f"{path.name}: expected a parameter line for each of {', '.join(sorted(used)) or 'no parameters'}; "
            f"found {', '.join(sorted(declared)) or 'none'}"
        )
    # Inside a macro DuckDB takes a bare name for the parameter, whatever columns there are.
    if clash := sorted(declared.intersection(columns)):
        raise DataError(f"{path.name}: expected parameters named unlike its columns, found {', '.join(clash)}")


def _create(connection: duckdb.DuckDBPyConnection, item: ReaderObject, lake: str) -> None:
    name, described = item.contract.full_name, literal(item.contract.description)
    select = _found_in(lake, item, PARAMETER.sub(r"\1", item.body))
    try:
        if item.parameters:
            given = item.signature.removeprefix(name)
            connection.execute(f"create macro {name}{given} as table {select}")
            connection.execute(f"comment on macro table {name} is {described}")
        else:
            connection.execute(f"create view {name} as {select}")
            connection.execute(f"comment on view {name} is {described}")
            comment_columns(connection, item.contract)
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        raise WarehouseError(f"{item.path.name}: does not fit the warehouse: {error}") from error


def _found_in(lake: str, item: ReaderObject, select: str) -> str:
    """Say of each table that a select reads which database it is in; a view binds where it is created."""
    for table in item.upstream if lake else ():
        if not table.startswith(f"{READER_SCHEMA}."):
            select = re.sub(rf"(?<![\w.]){re.escape(table)}(?!\w)", f"{lake}.{table}", select)
    return select
