"""Read a SQL model file: a header that is a contract, and one select.

Belongs here: the grammar of the files in dbt_like_sql/. Neighbours: `lineage.py` derives what the select reads,
`writer.py` runs it, `defs.assets` makes one asset of each file.

The header is a run of `-- key: value` lines: `description`, `grain`, `partitioned_by` (`race_key` or `season`),
`strictly_before` and `up_to_and_including` (upstream tables of which earlier races are read, without or with the race
itself), `column: name | description | unit`, `check: expression`. A file in `tests/` has `description` and `asset`, and
returns the rows that break the sentence in its name. A select finds the partitions to compute in `$race_keys`, or as
numbers in `$seasons`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import DataError
from f1_pipeline.warehouse.contract import PARTITION_COLUMNS, Column, TableContract

HEADER_LINE = re.compile(r"^--\s*(?P<key>[a-z_]+):\s*(?P<value>.+?)\s*$")
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
    paths = sorted(path for path in sql_dir.glob("*/*.sql") if path.parent.name != "tests")
    models = [read_model(path) for path in paths]
    return {model.contract.full_name: model for model in models}


def read_model(path: Path) -> SqlModel:
    """Read one model file; see `read_models`."""
    header, body = _split(path, MODEL_KEYS)
    contract = TableContract(
        schema=path.parent.name,
        name=path.stem,
        description=_one(path, header, "description"),
        grain=_names(_one(path, header, "grain")),
        columns=tuple(_column(path, value) for value in header["column"]),
        partitioned_by=_one(path, header, "partitioned_by") if header["partitioned_by"] else None,
        checks=tuple(header["check"]),
    )
    _check_grain(path, contract)
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
        header, body = _split(path, TEST_KEYS)
        description, asset = _one(path, header, "description"), _one(path, header, "asset")
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


def _split(path: Path, known_keys: Iterable[str]) -> tuple[dict[str, list[str]], str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: expected UTF-8 text: {error}") from error
    header: dict[str, list[str]] = {key: [] for key in known_keys}
    for number, line in enumerate(lines, start=1):
        if not line.startswith("--"):
            return header, "\n".join(lines[number - 1 :]).strip().rstrip(";")
        match = HEADER_LINE.match(line)
        if match is None or match["key"] not in header:
            expected = ", ".join(sorted(header))
            raise DataError(f"{path.name}:{number}: expected a header line with one of {expected}, found {line!r}")
        header[match["key"]].append(match["value"])
    raise DataError(f"{path.name}: expected a select after the header, found none")


def _one(path: Path, header: dict[str, list[str]], key: str) -> str:
    values = header[key]
    if len(values) != 1:
        raise DataError(f"{path.name}: expected one header line `-- {key}:`, found {len(values)}")
    return values[0]


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(","))


def _tables(values: list[str]) -> frozenset[str]:
    return frozenset(name for value in values for name in _names(value))


def _column(path: Path, value: str) -> Column:
    parts = [part.strip() for part in value.split("|")]
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise DataError(f"{path.name}: expected `-- column: name | description | unit`, found {value!r}")
    return Column(*parts)


def _check_grain(path: Path, contract: TableContract) -> None:
    keys = (*contract.grain, *([contract.partitioned_by] if contract.partitioned_by else []))
    missing = [name for name in keys if name not in contract.column_names]
    if missing:
        raise DataError(f"{path.name}: expected a column line for {', '.join(missing)}, found none")


def _check_partition(path: Path, contract: TableContract, earlier: list[str]) -> None:
    if contract.partitioned_by not in {None, *PARTITION_COLUMNS}:
        expected = " or ".join(PARTITION_COLUMNS)
        raise DataError(f"{path.name}: partitioned_by: expected {expected}, found {contract.partitioned_by}")
    if contract.partition == "season" and earlier:
        raise DataError(
            f"{path.name}: expected no earlier races to be named, since a season reads every race up to its last one; "
            f"found {', '.join(earlier)}"
        )
