"""The contract of a raw table: what data/ declares, as the warehouse enforces it.

Belongs here: the bridge from `sources.tables` to `TableContract`. A raw table mirrors its file, column for column.
"""

from __future__ import annotations

from f1_pipeline.sources.tables import FactTable
from f1_pipeline.warehouse.contract import Column, TableContract

RAW_SCHEMA = "raw"


def raw_contract(table: FactTable) -> TableContract:
    """Derive the contract of a raw table from the declaration of its file.

    Parameters
    ----------
    table : FactTable

    Returns
    -------
    TableContract
        In the schema `raw`, with the file's columns and primary key.
    """
    return TableContract(
        schema=RAW_SCHEMA,
        name=table.name,
        description=table.description,
        grain=table.primary_key,
        columns=tuple(Column(column.name, column.description, column.unit) for column in table.columns),
        partitioned_by="race_key" if table.is_partitioned else None,
    )
