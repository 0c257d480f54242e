"""Declarations of the files made from F1DB: calendar, names, and the results of every session.

The game's own facts are :mod:`f1_pipeline.sources.tables_game`.
"""

from f1_pipeline.sources.fact_schema import (
    CONSTRUCTOR_COLUMN,
    DRIVER_COLUMN,
    RACE_KEY_COLUMN,
    FactColumn,
    FactTable,
    place_column,
)

SESSIONS = ("fp1", "fp2", "fp3", "qualifying", "sprint_qualifying", "sprint", "race")
PRACTICE_SESSIONS = ("fp1", "fp2", "fp3")
_F1DB = "F1DB"


def _session(*allowed: str) -> FactColumn:
    return FactColumn("session", "varchar", "Session of the weekend.", allowed=allowed)


def _lap_time(name: str, description: str) -> FactColumn:
    return FactColumn(name, "integer", description, is_nullable=True, unit="ms", minimum=1)


RACES = FactTable(
    "races",
    "races.csv",
    "One row per race of the calendar, upcoming ones included.",
    f"{_F1DB}, and the official game's schedule for weekends still to come; session times are estimated before 2024.",
    (
        FactColumn("race_key", "varchar", "Season and Grand Prix, such as 2026-monaco: the identity of a race."),
        FactColumn("season", "integer", "Championship year.", unit="year", minimum=1950),
        FactColumn(
            "round_number", "integer", "Place in the calendar; moves when another race is cancelled.", minimum=1
        ),
        FactColumn("grand_prix_id", "varchar", "Grand Prix, F1DB slug."),
        FactColumn("name", "varchar", "Name of the Grand Prix."),
        FactColumn("race_date", "date", "Day of the race at the circuit's calendar entry (UTC)."),
        FactColumn("circuit_id", "varchar", "Circuit.", references="circuits"),
        FactColumn("has_sprint", "boolean", "Whether the weekend has a sprint race."),
        FactColumn("is_cancelled", "boolean", "Whether the race was called off and stays in the calendar."),
        FactColumn("is_time_estimated", "boolean", "Whether lock_at and race_start_at are estimates."),
        FactColumn("lock_at", "timestamptz", "Line-ups are locked at this instant."),
        FactColumn("race_start_at", "timestamptz", "Start of the race."),
        FactColumn(
            "scheduled_laps",
            "integer",
            "Laps scheduled; laps run when F1DB names no other schedule; empty when unknown.",
            is_nullable=True,
            unit="laps",
            minimum=1,
        ),
    ),
    ("race_key",),
    is_partitioned=False,
    sort_key=("race_date", "race_key"),
)

SESSION_TABLE = FactTable(
    "sessions",
    "sessions.csv",
    "One row per session of a race weekend; before 2024 only sessions that have results.",
    f"{_F1DB}, and the official game's schedule for weekends still to come; see is_time_estimated.",
    (
        RACE_KEY_COLUMN,
        _session(*SESSIONS),
        FactColumn("session_order", "integer", "Order within the weekend, 1 is the first.", minimum=1),
        FactColumn("starts_at", "timestamptz", "Start."),
        FactColumn("ends_at", "timestamptz", "Scheduled end: start plus the usual length of such a session."),
        FactColumn("is_time_estimated", "boolean", "Whether the times follow a typical weekend."),
        FactColumn("is_before_lock", "boolean", "Whether the session has ended at the lock of the race."),
    ),
    ("race_key", "session"),
    is_partitioned=True,
    sort_key=("race_key", "session_order"),
)

CIRCUITS = FactTable(
    "circuits",
    "circuits.csv",
    "One row per circuit of the calendar.",
    f"{_F1DB}; length and turns are those of the newest layout.",
    (
        FactColumn("circuit_id", "varchar", "Circuit, F1DB slug."),
        FactColumn("name", "varchar", "Short name."),
        FactColumn("full_name", "varchar", "Full name."),
        FactColumn("place_name", "varchar", "Place."),
        FactColumn("country_id", "varchar", "Country, F1DB slug."),
        FactColumn(
            "circuit_type",
            "varchar",
            "Permanent circuit, street circuit, or park and public roads.",
            allowed=("permanent", "road", "street"),
        ),
        FactColumn("direction", "varchar", "Direction of travel.", allowed=("anti_clockwise", "clockwise")),
        FactColumn("length_km", "double", "Length of a lap.", unit="km", minimum=1),
        FactColumn("turn_count", "integer", "Number of turns.", unit="count", minimum=1),
    ),
    ("circuit_id",),
    is_partitioned=False,
)

DRIVERS = FactTable(
    "drivers",
    "drivers.csv",
    "One row per driver who appears in a session or is named in the game's records.",
    f"{_F1DB}; the official feed for a newcomer, until an F1DB release describes him.",
    (
        FactColumn("driver_id", "varchar", "Driver, F1DB slug."),
        FactColumn("name", "varchar", "Name in use."),
        FactColumn("first_name", "varchar", "First name."),
        FactColumn("last_name", "varchar", "Last name."),
        FactColumn("abbreviation", "varchar", "Three-letter code; not unique."),
        FactColumn("permanent_number", "integer", "Car number.", is_nullable=True, minimum=1),
        FactColumn(
            "nationality_country_id",
            "varchar",
            "Nationality, F1DB country slug; empty until F1DB describes him.",
            is_nullable=True,
        ),
        FactColumn("date_of_birth", "date", "Date of birth; empty until F1DB describes him.", is_nullable=True),
    ),
    ("driver_id",),
    is_partitioned=False,
)

CONSTRUCTORS = FactTable(
    "constructors",
    "constructors.csv",
    "One row per constructor that appears.",
    f"{_F1DB}; lineage_id is this project's reading of who took over whose entry.",
    (
        FactColumn("constructor_id", "varchar", "Constructor, F1DB slug."),
        FactColumn("name", "varchar", "Short name."),
        FactColumn("full_name", "varchar", "Full name."),
        FactColumn("country_id", "varchar", "Country, F1DB slug."),
        FactColumn(
            "lineage_id",
            "varchar",
            "The newest constructor_id of the same team across changes of name.",
            references="constructors",
        ),
    ),
    ("constructor_id",),
    is_partitioned=False,
)

PRACTICE_RESULTS = FactTable(
    "practice_results",
    "practice_results.csv",
    "One row per driver and practice session.",
    _F1DB,
    (
        RACE_KEY_COLUMN,
        _session(*PRACTICE_SESSIONS),
        DRIVER_COLUMN,
        CONSTRUCTOR_COLUMN,
        place_column("Place by best lap."),
        _lap_time("best_lap_ms", "Best lap; empty when no time was set."),
        FactColumn("lap_count", "integer", "Laps driven.", is_nullable=True, unit="laps", minimum=0),
    ),
    ("race_key", "session", "driver_id"),
    is_partitioned=True,
)

QUALIFYING_RESULTS = FactTable(
    "qualifying_results",
    "qualifying_results.csv",
    "One row per driver and qualifying session.",
    _F1DB,
    (
        RACE_KEY_COLUMN,
        _session("qualifying", "sprint_qualifying"),
        DRIVER_COLUMN,
        CONSTRUCTOR_COLUMN,
        place_column("Final classification; empty when not classified."),
        FactColumn("position_text", "varchar", "The place, or NC, DSQ, EX as F1DB states it."),
        _lap_time("q1_ms", "Best lap of the first part."),
        _lap_time("q2_ms", "Best lap of the second part."),
        _lap_time("q3_ms", "Best lap of the third part."),
    ),
    ("race_key", "session", "driver_id"),
    is_partitioned=True,
)

STARTING_GRIDS = FactTable(
    "starting_grids",
    "starting_grids.csv",
    "One row per driver on the official starting grid, penalties applied.",
    _F1DB,
    (
        RACE_KEY_COLUMN,
        _session("sprint", "race"),
        DRIVER_COLUMN,
        CONSTRUCTOR_COLUMN,
        FactColumn("grid_position", "integer", "Grid slot; empty for a pit-lane start.", is_nullable=True, minimum=1),
        FactColumn("grid_text", "varchar", "The slot, or PL for a start from the pit lane."),
        FactColumn("grid_order", "integer", "Order in the grid document.", minimum=1),
    ),
    ("race_key", "session", "driver_id"),
    is_partitioned=True,
)

RACE_RESULTS = FactTable(
    "race_results",
    "race_results.csv",
    "One row per driver and race or sprint.",
    _F1DB,
    (
        RACE_KEY_COLUMN,
        _session("sprint", "race"),
        DRIVER_COLUMN,
        CONSTRUCTOR_COLUMN,
        place_column("Classified place; empty when not classified."),
        FactColumn("position_text", "varchar", "The place, or DNF, NC, DNS, DSQ as F1DB states it."),
        FactColumn("result_order", "integer", "Order in the result document.", minimum=1),
        FactColumn("laps", "integer", "Laps completed.", is_nullable=True, unit="laps", minimum=0),
        FactColumn("time_ms", "bigint", "Race time of cars on the lead lap.", is_nullable=True, unit="ms", minimum=1),
        FactColumn("retirement_reason", "varchar", "Cause of retirement, in F1DB's words.", is_nullable=True),
        FactColumn("championship_points", "double", "Championship points won.", unit="points", minimum=0),
        FactColumn(
            "is_fastest_lap",
            "boolean",
            "Fastest lap of the race; empty for a sprint (unknown).",
            is_nullable=True,
        ),
        FactColumn(
            "is_driver_of_the_day",
            "boolean",
            "Driver of the Day; empty for a sprint and where there was no vote.",
            is_nullable=True,
        ),
    ),
    ("race_key", "session", "driver_id"),
    is_partitioned=True,
)

PIT_STOPS = FactTable(
    "pit_stops",
    "pit_stops.csv",
    "One row per pit stop in a race.",
    f"{_F1DB}: time in the pit lane, which tells neither stationary times nor the game's pit-stop points.",
    (
        RACE_KEY_COLUMN,
        DRIVER_COLUMN,
        CONSTRUCTOR_COLUMN,
        FactColumn("stop_number", "integer", "First, second … stop of the driver.", minimum=1),
        FactColumn("lap", "integer", "Lap on which the car came in.", unit="laps", minimum=1),
        FactColumn("lane_time_ms", "integer", "Time from pit entry to pit exit.", unit="ms", minimum=1),
    ),
    ("race_key", "driver_id", "stop_number"),
    is_partitioned=True,
)
