"""The one declaration of the committed fact files: columns, types, units, keys and provenance.

The importer writes what is declared here, :mod:`f1_pipeline.sources.bundle` refuses what is not, and
:mod:`f1_pipeline.sources.readme` renders it for readers. Only declarations belong here: no reading, no checking.
"""

from dataclasses import dataclass

SESSIONS = ("fp1", "fp2", "fp3", "qualifying", "sprint_qualifying", "sprint", "race")
PRACTICE_SESSIONS = ("fp1", "fp2", "fp3")
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
)

_F1DB = "F1DB"
_GAME = "official game"


@dataclass(frozen=True)
class FactColumn:
    """One column of a fact file.

    Parameters
    ----------
    name : str
        Header name.
    type : str
        One of varchar, integer, bigint, double, boolean, date, timestamptz, decimal(5,1).
    description : str
        One sentence for the reader of ``data/README.md``.
    is_nullable : bool
        Whether an empty field is allowed.
    unit : str
        Unit of the value, empty for names and flags.
    allowed : tuple of str
        The only values allowed; empty means any.
    minimum : float or None
        The smallest value allowed.
    references : str or None
        Fact table whose primary key the value must be; ``asset`` means drivers or constructors, as
        ``asset_type`` of the same row says.
    """

    name: str
    type: str
    description: str
    is_nullable: bool = False
    unit: str = ""
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    references: str | None = None


@dataclass(frozen=True)
class FactTable:
    """One fact file under ``data/``.

    Parameters
    ----------
    name : str
        Table name, also the file name without its suffix.
    file_name : str
        File name inside the data directory.
    description : str
        What one row is.
    origin : str
        Where the facts come from and what they cover.
    columns : tuple of FactColumn
        In file order.
    primary_key : tuple of str
        Columns that identify a row; the file is sorted by ``sort_key``.
    is_partitioned : bool
        Whether rows belong to one race each and are loaded race by race.
    sort_key : tuple of str
        Row order of the written file; the primary key unless declared.
    may_be_empty : bool
        Whether a file with a header alone is acceptable.
    """

    name: str
    file_name: str
    description: str
    origin: str
    columns: tuple[FactColumn, ...]
    primary_key: tuple[str, ...]
    is_partitioned: bool
    sort_key: tuple[str, ...] = ()
    may_be_empty: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> FactColumn:
        """Return the declaration of one column.

        Raises
        ------
        KeyError
            The table has no such column: a programming error, not a data error.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")


_RACE_KEY = FactColumn("race_key", "varchar", "Race: season and Grand Prix.", references="races")
_DRIVER = FactColumn("driver_id", "varchar", "Driver.", references="drivers")
_CONSTRUCTOR = FactColumn(
    "constructor_id", "varchar", "Constructor the driver drove for.", references="constructors"
)
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
_SOURCE_COUNT = FactColumn(
    "source_count", "integer", "Public records that state the value.", unit="count", minimum=1
)
_AGREEING_COUNT = FactColumn(
    "agreeing_source_count", "integer", "Of those, how many agree with it.", unit="count", minimum=1
)


def _session(*allowed: str) -> FactColumn:
    return FactColumn("session", "varchar", "Session of the weekend.", allowed=allowed)


def _position(description: str) -> FactColumn:
    return FactColumn("position", "integer", description, is_nullable=True, unit="place", minimum=1)


def _lap_time(name: str, description: str) -> FactColumn:
    return FactColumn(name, "integer", description, is_nullable=True, unit="ms", minimum=1)


RACES = FactTable(
    "races",
    "races.csv",
    "One row per race of the calendar, upcoming ones included.",
    f"{_F1DB}; session times are F1DB's from 2024 and estimated before.",
    (
        FactColumn(
            "race_key", "varchar", "Season and Grand Prix, such as 2026-monaco: the identity of a race."
        ),
        FactColumn("season", "integer", "Championship year.", unit="year", minimum=1950),
        FactColumn(
            "round_number", "integer", "Place in the calendar; moves when a race is cancelled.", minimum=1
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
    f"{_F1DB}; see is_time_estimated.",
    (
        _RACE_KEY,
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
    _F1DB,
    (
        FactColumn("driver_id", "varchar", "Driver, F1DB slug."),
        FactColumn("name", "varchar", "Name in use."),
        FactColumn("first_name", "varchar", "First name."),
        FactColumn("last_name", "varchar", "Last name."),
        FactColumn("abbreviation", "varchar", "Three-letter code; not unique."),
        FactColumn("permanent_number", "integer", "Car number.", is_nullable=True, minimum=1),
        FactColumn("nationality_country_id", "varchar", "Nationality, F1DB country slug."),
        FactColumn("date_of_birth", "date", "Date of birth."),
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
        _RACE_KEY,
        _session(*PRACTICE_SESSIONS),
        _DRIVER,
        _CONSTRUCTOR,
        _position("Place by best lap."),
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
        _RACE_KEY,
        _session("qualifying", "sprint_qualifying"),
        _DRIVER,
        _CONSTRUCTOR,
        _position("Final classification; empty when not classified."),
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
        _RACE_KEY,
        _session("sprint", "race"),
        _DRIVER,
        _CONSTRUCTOR,
        FactColumn(
            "grid_position", "integer", "Grid slot; empty for a pit-lane start.", is_nullable=True, minimum=1
        ),
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
        _RACE_KEY,
        _session("sprint", "race"),
        _DRIVER,
        _CONSTRUCTOR,
        _position("Classified place; empty when not classified."),
        FactColumn("position_text", "varchar", "The place, or DNF, NC, DNS, DSQ as F1DB states it."),
        FactColumn("result_order", "integer", "Order in the result document.", minimum=1),
        FactColumn("laps", "integer", "Laps completed.", is_nullable=True, unit="laps", minimum=0),
        FactColumn(
            "time_ms", "bigint", "Race time of cars on the lead lap.", is_nullable=True, unit="ms", minimum=1
        ),
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
    f"{_F1DB}: time in the pit lane, from which stationary times (and the game's pit-stop points) cannot be told.",
    (
        _RACE_KEY,
        _DRIVER,
        _CONSTRUCTOR,
        FactColumn("stop_number", "integer", "First, second … stop of the driver.", minimum=1),
        FactColumn("lap", "integer", "Lap on which the car came in.", unit="laps", minimum=1),
        FactColumn("lane_time_ms", "integer", "Time from pit entry to pit exit.", unit="ms", minimum=1),
    ),
    ("race_key", "driver_id", "stop_number"),
    is_partitioned=True,
)

EVENT_SCORES = FactTable(
    "event_scores",
    "event_scores.csv",
    "One row per fantasy scoring item of an asset in one session.",
    f"{_GAME} where a record states the items, else the rules applied to F1DB results; see origin.",
    (
        _RACE_KEY,
        _ASSET_TYPE,
        _ASSET_ID,
        _ASSET_CONSTRUCTOR,
        FactColumn("event_type", "varchar", "Session that scored.", allowed=EVENT_TYPES),
        FactColumn("scoring_item", "varchar", "What scored.", allowed=SCORING_ITEMS),
        FactColumn("points", "integer", "Fantasy points.", unit="points"),
        _position("Place, for a driver's *_position items."),
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
            "official: stated by a record; derived: the rules applied to results or to both cars' items; residual: "
            "the official total less everything else; corrected: a record's slip put right, as source says.",
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
        _RACE_KEY,
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
        _RACE_KEY,
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
        _RACE_KEY,
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
    "One row per asset and race whose scoring items do not add up to the official total.",
    "Found by the importer, each with the reason why it is left standing.",
    (
        _RACE_KEY,
        _ASSET_TYPE,
        _ASSET_ID,
        FactColumn("items_total", "integer", "Sum of the scoring items.", unit="points"),
        FactColumn("official_total", "integer", "Official points of the weekend.", unit="points"),
        FactColumn("reason", "varchar", "Why they differ."),
    ),
    ("race_key", "asset_type", "asset_id"),
    is_partitioned=True,
    may_be_empty=True,
)

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
