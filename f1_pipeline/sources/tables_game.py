"""Declarations of the files that hold the official game's facts: points, totals, prices, ownership.

The results behind them are :mod:`f1_pipeline.sources.tables_results`.
"""

from f1_pipeline.sources.fact_schema import RACE_KEY_COLUMN, FactColumn, FactTable, place_column

EVENT_TYPES = ("qualifying", "sprint", "race")
ASSET_TYPES = ("constructor", "driver")
ORIGINS = ("official", "derived", "residual", "corrected")
SCORING_ITEMS = (
    "qualifying_position",
    "qualifying_not_classified",
    "qualifying_disqualified",
    "both_drivers_q3",
    "one_driver_q3",
    "both_drivers_q2",
    "one_driver_q2",
    "no_driver_q2",
    "sprint_position",
    "sprint_positions_gained",
    "sprint_positions_lost",
    "sprint_overtakes",
    "sprint_fastest_lap",
    "sprint_not_classified",
    "sprint_disqualified",
    "race_position",
    "race_positions_gained",
    "race_positions_lost",
    "race_overtakes",
    "weekend_overtakes",
    "race_fastest_lap",
    "driver_of_the_day",
    "race_not_classified",
    "race_disqualified",
    "pit_stop_fastest_time",
    "pit_stop_second_fastest",
    "pit_stop_third_fastest",
    "pit_stop_overall_fastest",
    "pit_stop_total",
    "unknown",
)

COMPARISONS = ("items", "engine", "price")

_GAME = "official game"

_ASSET_TYPE = FactColumn("asset_type", "varchar", "Kind of asset.", allowed=ASSET_TYPES)
_ASSET_ID = FactColumn(
    "asset_id", "varchar", "driver_id of a driver, constructor_id of a constructor.", references="asset"
)
_ASSET_CONSTRUCTOR = FactColumn(
    "constructor_id",
    "varchar",
    "Team of the asset in this race; a driver who changes team becomes another asset.",
    references="constructors",
)
_SOURCE = FactColumn("source", "varchar", "Public record the value was taken from.")
_SOURCE_COUNT = FactColumn("source_count", "integer", "Public records that state the value.", unit="count", minimum=1)
_AGREEING_COUNT = FactColumn(
    "agreeing_source_count", "integer", "Of those, how many agree with it.", unit="count", minimum=1
)

EVENT_SCORES = FactTable(
    "event_scores",
    "event_scores.csv",
    "One row per fantasy scoring item of an asset in one session.",
    f"{_GAME} where a record states the items, else the rules applied to F1DB results; see origin.",
    (
        RACE_KEY_COLUMN,
        _ASSET_TYPE,
        _ASSET_ID,
        _ASSET_CONSTRUCTOR,
        FactColumn("event_type", "varchar", "Session that scored.", allowed=EVENT_TYPES),
        FactColumn("scoring_item", "varchar", "What scored.", allowed=SCORING_ITEMS),
        FactColumn("points", "integer", "Fantasy points.", unit="points"),
        place_column("Place, for a driver's *_position items."),
        FactColumn(
            "frequency",
            "integer",
            "How often: overtakes made, places gained or lost; 1 for every other item.",
            unit="count",
            minimum=0,
        ),
        FactColumn(
            "origin",
            "varchar",
            "official: stated by a record; derived: the rules applied to results or to both cars' items; "
            "residual: the official total less everything else; corrected: a record's slip, see source.",
            allowed=ORIGINS,
        ),
        _SOURCE,
    ),
    ("race_key", "asset_type", "asset_id", "event_type", "scoring_item"),
    is_partitioned=True,
)

OFFICIAL_TOTALS = FactTable(
    "official_totals",
    "official_totals.csv",
    "One row per asset and race: the official fantasy points of the weekend.",
    f"{_GAME}, as several public records state it.",
    (
        RACE_KEY_COLUMN,
        _ASSET_TYPE,
        _ASSET_ID,
        _ASSET_CONSTRUCTOR,
        FactColumn("total_points", "integer", "Official points of the weekend.", unit="points"),
        _SOURCE_COUNT,
        _AGREEING_COUNT,
        _SOURCE,
    ),
    ("race_key", "asset_type", "asset_id"),
    is_partitioned=True,
)

PRICES = FactTable(
    "prices",
    "prices.csv",
    "One row per asset and race: the price at the lock.",
    f"{_GAME}, as several public records state it.",
    (
        RACE_KEY_COLUMN,
        _ASSET_TYPE,
        _ASSET_ID,
        _ASSET_CONSTRUCTOR,
        FactColumn("price_musd", "decimal(5,1)", "Price at the lock.", unit="million dollars", minimum=0.1),
        _SOURCE_COUNT,
        _AGREEING_COUNT,
        _SOURCE,
    ),
    ("race_key", "asset_type", "asset_id"),
    is_partitioned=True,
)

OWNERSHIP = FactTable(
    "ownership",
    "ownership.csv",
    "One row per asset and race: how many teams chose it.",
    f"{_GAME}, one public record per row.",
    (
        RACE_KEY_COLUMN,
        _ASSET_TYPE,
        _ASSET_ID,
        _ASSET_CONSTRUCTOR,
        FactColumn("selected_pct", "double", "Teams that hold the asset.", unit="percent 0-100", minimum=0),
        FactColumn(
            "boosted_pct",
            "double",
            "Teams that boost the driver; empty when not recorded.",
            is_nullable=True,
            unit="percent 0-100",
            minimum=0,
        ),
        _SOURCE,
    ),
    ("race_key", "asset_type", "asset_id"),
    is_partitioned=True,
)

KNOWN_EXCEPTIONS = FactTable(
    "known_exceptions",
    "known_exceptions.csv",
    "One row per asset and race where the facts or the rules disagree with the official game and the reason is known.",
    "Written by hand, and kept by every import and refresh: a disagreement that is not listed here stops a run.",
    (
        RACE_KEY_COLUMN,
        FactColumn(
            "comparison",
            "varchar",
            "What disagrees: items, the scoring items with the official total; engine, the rules applied to results "
            "with the official total; price, the price by the rules with the official price at this race's lock.",
            allowed=COMPARISONS,
        ),
        _ASSET_TYPE,
        _ASSET_ID,
        FactColumn("official_value", "decimal(5,1)", "Official points, or price in million dollars."),
        FactColumn("computed_value", "decimal(5,1)", "What the items or the rules give instead."),
        FactColumn("reason", "varchar", "Why they differ."),
    ),
    ("race_key", "comparison", "asset_type", "asset_id"),
    is_partitioned=True,
    may_be_empty=True,
)
