"""The one list of the committed fact files: columns, types, units, keys and provenance.

The importer writes what is declared here, :mod:`f1_pipeline.sources.bundle` refuses what is not, and
:mod:`f1_pipeline.sources.readme` renders it for readers. Only the list belongs here: the declarations are
``tables_results`` and ``tables_game``, their vocabulary is ``fact_schema``.
"""

from f1_pipeline.sources.fact_schema import FactColumn, FactTable
from f1_pipeline.sources.tables_game import (
    ASSET_TYPES,
    EVENT_SCORES,
    EVENT_TYPES,
    KNOWN_EXCEPTIONS,
    OFFICIAL_TOTALS,
    ORIGINS,
    OWNERSHIP,
    PRICES,
    SCORING_ITEMS,
)
from f1_pipeline.sources.tables_results import (
    CIRCUITS,
    CONSTRUCTORS,
    DRIVERS,
    PIT_STOPS,
    PRACTICE_RESULTS,
    PRACTICE_SESSIONS,
    QUALIFYING_RESULTS,
    RACE_RESULTS,
    RACES,
    SESSION_TABLE,
    SESSIONS,
    STARTING_GRIDS,
)

__all__ = [
    "ASSET_TYPES",
    "EVENT_TYPES",
    "FACT_TABLES",
    "ORIGINS",
    "PRACTICE_SESSIONS",
    "SCORING_ITEMS",
    "SESSIONS",
    "FactColumn",
    "FactTable",
]

FACT_TABLES: dict[str, FactTable] = {
    table.name: table
    for table in (
        RACES,
        SESSION_TABLE,
        CIRCUITS,
        DRIVERS,
        CONSTRUCTORS,
        PRACTICE_RESULTS,
        QUALIFYING_RESULTS,
        STARTING_GRIDS,
        RACE_RESULTS,
        PIT_STOPS,
        EVENT_SCORES,
        OFFICIAL_TOTALS,
        PRICES,
        OWNERSHIP,
        KNOWN_EXCEPTIONS,
    )
}
