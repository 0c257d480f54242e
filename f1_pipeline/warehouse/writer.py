"""Write a table: replace these partitions, races or seasons, check the contract, in one transaction.

Belongs here: the only code that changes rows of the warehouse. Neighbours: `contract.py` says what must hold,
`model_file.py` brings the select, `turns.py` keeps writers of one table apart. A failing check or a crash leaves the
last good state; a transaction that another writer of a lake was in the way of is tried again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import WarehouseError
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.lake_errors import is_conflict, is_lost
from f1_pipeline.warehouse.model_file import INCOMING, SqlModel, SqlTest, select_parameters
from f1_pipeline.warehouse.turns import turn

SHOWN_ROWS = 5
ATTEMPTS = 10  # at one transaction; waiting in between adds up to some 20 seconds
CONTRACT = "contract"  # the check that a table keeps what its header promises


@dataclass(frozen=True)
class WriteReport:
    """What a write did.

    Attributes
    ----------
    row_counts : dict of str to int
        Rows written per partition key; one entry, the empty key, for a table without partitions.
    column_types : dict of str to str
        DuckDB's type of each column, in order.
    table_row_count : int
        Rows in the whole table afterwards.
    checks : tuple of str
        Names of the checks that held: `contract` and the SQL tests of the table.
    details : dict of str to dict
        What a reader of one partition's rows wants to see at once, by partition key: numbers, or Markdown.
    """

    row_counts: dict[str, int]
    column_types: dict[str, str] = field(default_factory=dict)
    table_row_count: int = 0
    checks: tuple[str, ...] = ()
    details: dict[str, dict[str, float | str | None]] = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Rows written."""
        return sum(self.row_counts.values())


class ContractError(WarehouseError):
    """Rows break the contract of their table; `check` is `contract` or the name of a SQL test."""

    def __init__(self, message: str, check: str, rows: pd.DataFrame) -> None:
        super().__init__(message)
        self.check = check
        self.rows = rows


def write_model(
    connection: duckdb.DuckDBPyConnection,
    model: SqlModel,
    partition_keys: Sequence[str],
    incoming: pa.Table | pd.DataFrame | None = None,
    tests: Sequence[SqlTest] = (),
) -> WriteReport:
    """Run a SQL model for some partitions and replace their rows.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A writing connection outside any transaction.
    model : SqlModel
    partition_keys : sequence of str
        The races or seasons to replace; ignored by a table without partitions.
    incoming : pyarrow.Table or pandas.DataFrame, optional
        The rows of a model that is fed by Python.
    tests : sequence of SqlTest
        Queries that must return no row; they run before the rows are committed.

    Returns
    -------
    WriteReport

    Raises
    ------
    ContractError
        When the rows break the contract; the table is as it was.
    WarehouseError
        When the stored table has other columns than the model.
    """
    if incoming is not None:
        connection.register(INCOMING, incoming)
    try:
        parameters = select_parameters(model.contract, model.body, partition_keys)
        return _replace(connection, model.contract, model.body, parameters, partition_keys, tests)
    finally:
        if incoming is not None:
            connection.unregister(INCOMING)


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    rows: pa.Table,
    partition_keys: Sequence[str],
    tests: Sequence[SqlTest] = (),
) -> WriteReport:
    """Replace the rows of some partitions by given ones; see `write_model`."""
    connection.register(INCOMING, rows)
    try:
        return _replace(connection, contract, f"select * from {INCOMING}", {}, partition_keys, tests)
    finally:
        connection.unregister(INCOMING)


def _replace(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    select: str,
    parameters: Mapping[str, object],
    partition_keys: Sequence[str],
    tests: Sequence[SqlTest],
) -> WriteReport:
    given = (connection, contract, select, parameters, partition_keys, tests)
    try:
        return _replace_once(*given)
    except duckdb.Error as error:
        if not _is_passing(error):
            raise
    # only on a lake does it come to this, and only then is the library worth its import
    from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS - 1),
        wait=wait_random_exponential(multiplier=0.1, max=5.0),
        retry=retry_if_exception(_is_passing),
        reraise=True,
    )
    return attempts(_replace_once, *given)


def _is_passing(error: BaseException) -> bool:
    return is_conflict(error) or is_lost(error)


def _replace_once(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    select: str,
    parameters: Mapping[str, object],
    partition_keys: Sequence[str],
    tests: Sequence[SqlTest],
) -> WriteReport:
    with turn(connection, contract.full_name) as still_mine, transaction(connection):
        # The rows are staged first, so that a check reads a handful of rows and never the whole table.
        connection.execute("create or replace temp table staged_rows as " + select, parameters)
        types = _column_types(connection, "temp", "staged_rows")
        _check_columns(contract, types)
        _check_rows(connection, contract, partition_keys)
        _create_table(connection, contract, types)
        _swap_rows(connection, contract, partition_keys)
        _run_tests(connection, contract, tests, partition_keys)
        report = WriteReport(
            row_counts=_count_rows(connection, contract, partition_keys),
            column_types=types,
            table_row_count=_table_size(connection, contract),
            checks=(CONTRACT, *(test.name for test in tests)),
        )
        connection.execute("drop table temp.staged_rows")
        still_mine()
    return report


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Commit what is done, or nothing of it when something is raised."""
    connection.execute("begin transaction")
    with ExitStack() as undo:
        undo.callback(_roll_back, connection)
        yield
        connection.execute("commit")
        undo.pop_all()


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        return  # DuckDB has already rolled back, as it does when a commit fails
    except duckdb.Error as error:
        if not is_lost(error):  # else the catalog's database is gone, and the transaction with it
            raise


def _column_types(connection: duckdb.DuckDBPyConnection, catalog: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = $catalog and table_name = $table order by column_index",
        {"catalog": catalog, "table": table},
    ).fetchall()
    return dict(rows)


def _check_columns(contract: TableContract, types: dict[str, str]) -> None:
    if tuple(types) != contract.column_names:
        expected, found = ", ".join(contract.column_names), ", ".join(types)
        raise WarehouseError(f"{contract.full_name}: expected the columns {expected}; found {found}")


def _check_rows(connection: duckdb.DuckDBPyConnection, contract: TableContract, partition_keys: Sequence[str]) -> None:
    # Identifiers and expressions come from the project's own files; values never do.
    grain = ", ".join(contract.grain)
    for name in contract.grain:
        _check(connection, contract, f"{name} is not null")
    duplicates = f"select {grain}, count(*) as row_count from temp.staged_rows group by {grain} having count(*) > 1"
    _expect_no_rows(connection, CONTRACT, f"{contract.full_name}: expected one row per {grain}", duplicates)
    for check in contract.checks:
        _check(connection, contract, check)
    if contract.partitioned_by:
        foreign = f"select * from temp.staged_rows where ({_is_asked_for(contract)}) is not true"
        sentence = f"{contract.full_name}: expected only rows of the {contract.partition}s asked for"
        _expect_no_rows(connection, CONTRACT, sentence, foreign, {"partition_keys": list(partition_keys)})


def _partition_key(contract: TableContract) -> str:
    return f"cast({contract.partitioned_by} as varchar)"


def _is_asked_for(contract: TableContract) -> str:
    return f"list_contains($partition_keys, {_partition_key(contract)})"


def _check(connection: duckdb.DuckDBPyConnection, contract: TableContract, check: str) -> None:
    query = f"select * from temp.staged_rows where ({check}) is not true"
    _expect_no_rows(connection, CONTRACT, f"{contract.full_name}: expected {check}", query)


def _run_tests(
    connection: duckdb.DuckDBPyConnection,
    contract: TableContract,
    tests: Sequence[SqlTest],
    partition_keys: Sequence[str],
) -> None:
    for test in tests:
        parameters = select_parameters(contract, test.body, partition_keys)
        _expect_no_rows(connection, test.name, f"{test.asset}: {test.name}", test.body, parameters)


def _expect_no_rows(
    connection: duckdb.DuckDBPyConnection,
    check: str,
    sentence: str,
    query: str,
    parameters: Mapping[str, object] | None = None,
) -> None:
    rows = read_frame(connection, query, parameters)
    if len(rows):
        shown = _without_lists(rows.head(SHOWN_ROWS)).to_dict("records")
        raise ContractError(f"{sentence}; {len(rows)} rows break it, such as {shown}", check, rows)


def _without_lists(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns of lists, such as a thousand draws, which no sentence can hold."""
    return rows[[name for name in rows if not rows[name].map(lambda value: isinstance(value, np.ndarray | list)).any()]]


def _create_table(connection: duckdb.DuckDBPyConnection, contract: TableContract, types: dict[str, str]) -> None:
    connection.execute(f"create schema if not exists {contract.schema}")
    stored = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = current_database()"
        " and schema_name = $schema and table_name = $name order by column_index",
        {"schema": contract.schema, "name": contract.name},
    ).fetchall()
    if stored and dict(stored) != types:
        found = ", ".join(f"{name} {kind}" for name, kind in stored)
        expected = ", ".join(f"{name} {kind}" for name, kind in types.items())
        raise WarehouseError(
            f"{contract.full_name}: the stored table has other columns than its model: expected {expected}; found "
            f"{found}; drop it and run every {contract.partition or 'race'} again"
        )
    if not stored:
        connection.execute(f"create table {contract.full_name} as select * from temp.staged_rows limit 0")
        connection.execute(f"comment on table {contract.full_name} is {literal(contract.description)}")
        comment_columns(connection, contract)


def _swap_rows(connection: duckdb.DuckDBPyConnection, contract: TableContract, partition_keys: Sequence[str]) -> None:
    if contract.partitioned_by:
        connection.execute(
            f"delete from {contract.full_name} where {_is_asked_for(contract)}",
            {"partition_keys": list(partition_keys)},
        )
    else:
        connection.execute(f"delete from {contract.full_name}")
    order = ", ".join(contract.grain)
    connection.execute(f"insert into {contract.full_name} select * from temp.staged_rows order by {order}")


def _count_rows(
    connection: duckdb.DuckDBPyConnection, contract: TableContract, partition_keys: Sequence[str]
) -> dict[str, int]:
    if not contract.partitioned_by:
        counted = connection.execute("select count(*) from temp.staged_rows").fetchall()
        return {"": counted[0][0]}
    counted = connection.execute(
        f"select {_partition_key(contract)}, count(*) from temp.staged_rows group by all"
    ).fetchall()
    return dict.fromkeys(partition_keys, 0) | dict(counted)


def _table_size(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> int:
    return connection.execute(f"select count(*) from {contract.full_name}").fetchall()[0][0]


def comment_columns(connection: duckdb.DuckDBPyConnection, contract: TableContract) -> None:
    """Say in the warehouse itself what each column of a table or view is, with its unit."""
    for column in contract.columns:
        text = f"{column.description} [{column.unit}]" if column.unit else column.description
        connection.execute(f"comment on column {contract.full_name}.{column.name} is {literal(text)}")


def literal(text: str) -> str:
    """Quote a text for DuckDB, where a statement takes no parameters."""
    return "'" + text.replace("'", "''") + "'"
