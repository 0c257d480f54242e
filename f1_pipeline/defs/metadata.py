"""What the Dagster UI shows of a table and of a write: schema, lineage, row counts, figures and tables.

Belongs here: turning contracts and reports into Dagster metadata. Neighbours: `assets.py` attaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.lineage import column_lineage
from f1_pipeline.warehouse.writer import WriteReport


def table_schema(contract: TableContract, types: Mapping[str, str]) -> dg.TableSchema:
    """Describe the columns of a table: type, description, unit, and the promises of its header.

    Parameters
    ----------
    contract : TableContract
    types : mapping of str to str
        DuckDB's type of each column.

    Returns
    -------
    dagster.TableSchema
    """
    columns = [
        dg.TableColumn(
            name=column.name,
            type=types[column.name].lower(),
            description=f"{column.description} [{column.unit}]" if column.unit else column.description,
            constraints=dg.TableColumnConstraints(nullable=column.name not in contract.grain),
        )
        for column in contract.columns
    ]
    promises = [f"one row per {', '.join(contract.grain)}", *contract.checks]
    return dg.TableSchema(columns=columns, constraints=dg.TableConstraints(other=promises))


def partition_metadata(report: WriteReport, partition_key: str) -> dict[str, Any]:
    """Show the rows of one race or season, and what its step has to say of it."""
    details = report.details.get(partition_key, {})
    return {"dagster/partition_row_count": report.row_counts.get(partition_key, 0)} | {
        name: dg.MetadataValue.md(value) if isinstance(value, str) else float(value)
        for name, value in details.items()
        if value is not None
    }


def run_metadata(pipeline: Pipeline, step: Step, report: WriteReport) -> dict[str, Any]:
    """Show the size of the table, and where its columns come from."""
    metadata: dict[str, Any] = {"dagster/row_count": report.table_row_count}
    if step.table in pipeline.models and not pipeline.models[step.table].is_fed_by_python:
        metadata["dagster/column_lineage"] = _lineage(pipeline, step.table)
    return metadata


def _lineage(pipeline: Pipeline, table: str) -> dg.TableColumnLineage:
    columns_of = {name: contract.column_names for name, contract in pipeline.contracts.items()}
    sources = column_lineage(pipeline.models[table], columns_of)
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(source.split(".")), name) for source, name in found]
            for column, found in sources.items()
        }
    )
