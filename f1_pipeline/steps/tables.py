"""Steps that need no forecast: land a fact file, run a SQL model.

Neighbours: `sources.bundle` reads files, `warehouse.writer` writes rows; `registry.py` lists the steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import DataError
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.facts import raw_contract
from f1_pipeline.warehouse.writer import WriteReport, write_model, write_rows

# Files without which a race that is asked for cannot be computed; the others may have no row for a race yet.
NEEDED_FACTS = frozenset({"prices", "event_scores", "official_totals", "race_results", "starting_grids"})


def land_facts(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Copy a fact file, or its rows of some races, into its raw table.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        Full name of a raw table.
    race_keys : sequence of str
        The races; ignored by a table without partitions.

    Returns
    -------
    WriteReport

    Raises
    ------
    DataError
        When the file is malformed, or lacks a race that cannot be computed without it.
    """
    facts = FACT_TABLES[table.removeprefix("raw.")]
    wanted = race_keys if facts.is_partitioned else None
    rows = load_fact_table(pipeline.settings.data_dir, facts.name, wanted)
    if facts.name in NEEDED_FACTS:
        present = set(rows["race_key"].to_pylist())
        missing = ", ".join(key for key in race_keys if key not in present)
        if missing:
            what = "prices" if facts.name == "prices" else "results"
            raise DataError(f"{facts.file_name}: expected rows for {missing}, found none: there are no {what} yet")
    with pipeline.warehouse.write() as connection:
        return write_rows(connection, raw_contract(facts), rows, race_keys, pipeline.tests_of(table))


def run_model(
    pipeline: Pipeline, table: str, race_keys: Sequence[str], incoming: pd.DataFrame | pa.Table | None = None
) -> WriteReport:
    """Run a SQL model for some races.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        Full name of the table.
    race_keys : sequence of str
    incoming : pandas.DataFrame or pyarrow.Table, optional
        The rows of a model that is fed by Python.

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a table it reads lacks a race that came before, or the rows break the contract.
    """
    model = pipeline.models[table]
    earlier = sorted(model.strictly_before | model.up_to_and_including)
    with pipeline.warehouse.write() as connection:
        if earlier:
            pipeline.require_history(connection, earlier, race_keys)
        return write_model(connection, model, race_keys, incoming, pipeline.tests_of(table))


def with_nulls(rows: pd.DataFrame) -> pa.Table:
    """Make NaN null on the way into the warehouse, where it would compare as larger than any number."""
    with warnings.catch_warnings():
        # pyarrow 25 looks at instants in a way that pandas 3.1 deprecates.
        warnings.filterwarnings("ignore", message="Series.values returning an ndarray", category=DeprecationWarning)
        return pa.Table.from_pandas(rows, preserve_index=False)
