"""Read a SQL model file: a header that is a contract, and one select.

Belongs here: what the keys of a header in dbt_like_sql/ mean. Neighbours: `sql_header.py` reads the lines,
`reader_file.py` has the views and macros of dbt_like_sql/reader, `lineage.py` derives what the select reads,
`writer.py` runs it, `defs.assets` makes one asset of each file.

The header is a run of `-- key: value` lines: `description`, `grain`, `partitioned_by` (`race_key` or `season`),
`strictly_before` and `up_to_and_including` (upstream tables of which earlier races are read, without or with the race
itself), `column: name | description | unit`, `check: expression`. A file in `tests/` has `description` and `asset`, and
returns the rows that break the sentence in its name. A select finds the partitions to compute in `$race_keys`, or as
numbers in `$seasons`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.contract import PARTITION_COLUMNS, TableContract
from f1_pipeline.warehouse.sql_header import check_grain, column, names, one_value, split_file

MODEL_KEYS = {
    "description",
    "grain",
    "partitioned_by",
    "strictly_before",
    "up_to_and_including",
    "column",
    "check",
}
TEST_KEYS = {"description", "asset"}
NO_MODELS = ("tests", "reader")  # the folders of other files
INCOMING = "incoming"  # the relation in which Python hands its rows to a model


@dataclass(frozen=True)
class SqlModel:
    """One file, one table: its contract, its select, and which upstream tables it reads strictly before a race."""

    path: Path
    contract: TableContract
    body: str
    strictly_before: frozenset[str]
    up_to_and_including: frozenset[str]

    @property
    def is_fed_by_python(self) -> bool:
        """Whether rows are handed over in the relation `incoming`."""
        return re.search(rf"\bfrom\s+{INCOMING}\b", self.body) is not None


@dataclass(frozen=True)
class SqlTest:
    """One file in tests/: a query that must return no row, and the table it speaks of."""

    path: Path
    name: str
    description: str
    asset: str
    body: str


def read_models(sql_dir: Path) -> dict[str, SqlModel]:
    """Read every model below a folder.

    Parameters
    ----------
    sql_dir : Path
        Folder with one sub-folder per schema.

    Returns
    -------
    dict of str to SqlModel
        By full table name, sorted.

    Raises
    ------
    DataError
        When a header is incomplete, or has a line that is not understood.
    """
    paths = sorted(path for path in sql_dir.glob("*/*.sql") if path.parent.name not in NO_MODELS)
    models = [read_model(path) for path in paths]
    return {model.contract.full_name: model for model in models}


def read_model(path: Path) -> SqlModel:
    """Read one model file; see `read_models`."""
    header, body = split_file(path, MODEL_KEYS)
    contract = TableContract(
        schema=path.parent.name,
        name=path.stem,
        description=one_value(path, header, "description"),
        grain=names(one_value(path, header, "grain")),
        columns=tuple(column(path, value) for value in header["column"]),
        partitioned_by=one_value(path, header, "partitioned_by") if header["partitioned_by"] else None,
        checks=tuple(header["check"]),
    )
    check_grain(path, contract)
    _check_partition(path, contract, [*header["strictly_before"], *header["up_to_and_including"]])
    return SqlModel(
        path=path,
        contract=contract,
        body=body,
        strictly_before=_tables(header["strictly_before"]),
        up_to_and_including=_tables(header["up_to_and_including"]),
    )


def read_tests(sql_dir: Path) -> tuple[SqlTest, ...]:
    """Read `tests/assert_*.sql`; see `read_models` for the errors."""
    tests = []
    for path in sorted((sql_dir / "tests").glob("assert_*.sql")):
        header, body = split_file(path, TEST_KEYS)
        description, asset = one_value(path, header, "description"), one_value(path, header, "asset")
        tests.append(SqlTest(path=path, name=path.stem, description=description, asset=asset, body=body))
    return tuple(tests)


def select_parameters(contract: TableContract, body: str, partition_keys: Sequence[str]) -> dict[str, Sequence[object]]:
    """Bind what a select says of the partitions to compute: `$race_keys`, or as numbers `$seasons`.

    Parameters
    ----------
    contract : TableContract
        Of the table that the select makes or tests.
    body : str
        The select.
    partition_keys : sequence of str

    Returns
    -------
    dict of str to sequence
        By parameter; empty when the select does not ask.
    """
    if contract.partition == "season":
        parameters = {"seasons": [int(key) for key in partition_keys]}
    else:
        parameters = {"race_keys": list(partition_keys)}
    return {name: values for name, values in parameters.items() if f"${name}" in body}


def _tables(values: list[str]) -> frozenset[str]:
    return frozenset(name for value in values for name in names(value))


def _check_partition(path: Path, contract: TableContract, earlier: list[str]) -> None:
    if contract.partitioned_by not in {None, *PARTITION_COLUMNS}:
        expected = " or ".join(PARTITION_COLUMNS)
        raise DataError(f"{path.name}: partitioned_by: expected {expected}, found {contract.partitioned_by}")
    if contract.partition == "season" and earlier:
        raise DataError(
            f"{path.name}: expected no earlier races to be named, since a season reads every race up to its last one; "
            f"found {', '.join(earlier)}"
        )
