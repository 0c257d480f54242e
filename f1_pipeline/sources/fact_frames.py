"""Hold the fact files as frames of text: read them, give them types, keep only the people that facts name.

Belongs here: what every merge of facts needs. The strict check of the files is :mod:`f1_pipeline.sources.bundle`,
the way back to bytes is :mod:`f1_pipeline.sources.fact_writer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.sources.bundle import validate_bundle
from f1_pipeline.sources.importer_results import lineage_of, whole
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES

_FLAGS = {"true": True, "false": False, "": None}


def read_facts(data_dir: Path) -> Facts:
    """Read every fact file, checked first.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files.

    Returns
    -------
    Facts

    Raises
    ------
    DataError
        The first file that breaks its declaration.
    """
    validate_bundle(data_dir)
    return {name: _read(data_dir / table.file_name, table.column_names) for name, table in FACT_TABLES.items()}


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, na_filter=False)[list(columns)]
    except pd.errors.ParserError as error:  # a quote that never ends, of which Arrow makes a field
        raise DataError(f"{path.name}: expected CSV text: {error}") from error


def typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Read the numbers and flags of a frame of text.

    Parameters
    ----------
    name : str
        Key of ``FACT_TABLES``.
    frame : pandas.DataFrame
        Its rows, or some of them, as text.

    Returns
    -------
    pandas.DataFrame
        Whole numbers as Int64, doubles as float64, flags as booleans (None where empty); prices, dates and instants
        stay text.
    """
    columns: dict[str, pd.Series] = {}
    for column in FACT_TABLES[name].columns:
        values = frame[column.name]
        if column.type in ("integer", "bigint"):
            columns[column.name] = whole(values)
        elif column.type == "double":
            columns[column.name] = pd.to_numeric(values)
        elif column.type == "boolean":
            columns[column.name] = values.map(_FLAGS)
        else:
            columns[column.name] = values
    return pd.DataFrame(columns).reset_index(drop=True)


def of_races(facts: Mapping[str, pd.DataFrame], name: str, race_keys: set[str]) -> pd.DataFrame:
    """Return the rows of some races of a table, as text."""
    return facts[name][facts[name]["race_key"].isin(race_keys)]


def keys_of(facts: Mapping[str, pd.DataFrame], name: str) -> set[str]:
    """Return the race keys that a table has rows of."""
    return set(facts[name]["race_key"])


def driven(facts: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the races whose result is in the facts; a sprint alone is none."""
    results = facts["race_results"]
    return set(results.loc[results["session"] == "race", "race_key"])


def referred(facts: Mapping[str, pd.DataFrame]) -> tuple[set[str], set[str], set[str]]:
    """List who and what the facts name outside the who-is-who.

    Parameters
    ----------
    facts : mapping of str to pandas.DataFrame
        Any fact tables; drivers, constructors and circuits themselves do not count.

    Returns
    -------
    drivers, constructors, circuits : set of str
        Their ids.
    """
    drivers: set[str] = set()
    constructors: set[str] = set()
    for name, frame in facts.items():
        if name in ("drivers", "constructors", "circuits"):
            continue
        if "driver_id" in frame:
            drivers |= set(frame["driver_id"])
        if "constructor_id" in frame:
            constructors |= set(frame["constructor_id"])
        if "asset_id" in frame:
            drivers |= set(frame.loc[frame["asset_type"] == "driver", "asset_id"])
            constructors |= set(frame.loc[frame["asset_type"] == "constructor", "asset_id"])
    return drivers, constructors, set(facts["races"]["circuit_id"])


def keep_named(facts: Facts) -> Facts:
    """Drop the drivers, constructors and circuits that no fact names.

    While readings are merged, everybody an F1DB release knows is at hand; the files hold those who appear.

    Parameters
    ----------
    facts : Facts

    Returns
    -------
    Facts
        The same facts; lineages follow the constructors that are left.
    """
    kept = {
        name: facts[name][facts[name][key].isin(ids)].reset_index(drop=True)
        for (name, key), ids in zip(
            (("drivers", "driver_id"), ("constructors", "constructor_id"), ("circuits", "circuit_id")),
            referred(facts),
            strict=True,
        )
    }
    constructors = kept["constructors"]
    known = set(constructors["constructor_id"])
    lineages = [lineage_of(key, known) for key in constructors["constructor_id"]]
    kept["constructors"] = constructors.assign(lineage_id=pd.Series(lineages, index=constructors.index, dtype=str))
    return facts | kept
