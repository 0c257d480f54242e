"""The calendar as the graph needs it: which races exist, in which order, and which have been driven and scored.

Belongs here: order and state of races, from the files of races, results, scores and prices. Neighbours: `bundle.py`
reads the files, `defs.partitions` makes partition keys of it, `defs.automation` asks it what is due. Order comes from
the date, never from the key or the round number, which moves when a race is cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from f1_pipeline.errors import UsageError
from f1_pipeline.sources.bundle import load_fact_table

FIRST_SEASON = 2023  # the first season whose prices and points are at hand
RESULT_TABLES = ("practice_results", "qualifying_results", "race_results")


@dataclass(frozen=True)
class CalendarRace:
    """One race of the calendar; instants are UTC."""

    race_key: str
    season: int
    name: str
    race_date: date
    lock_at: datetime
    race_start_at: datetime
    is_cancelled: bool
    is_finished: bool
    has_prices: bool


@dataclass(frozen=True)
class CalendarSession:
    """One session of a weekend; instants are UTC, `ends_at` by the schedule."""

    session: str
    starts_at: datetime
    ends_at: datetime
    is_before_lock: bool
    has_results: bool


@dataclass(frozen=True)
class Calendar:
    """The races of the game, in the order they are driven.

    Attributes
    ----------
    races : tuple of CalendarRace
        From 2023 on, by date; `is_finished` says whether both its result and its official points are in data/,
        `has_prices` whether the lock prices are.
    """

    races: tuple[CalendarRace, ...]

    @property
    def race_keys(self) -> tuple[str, ...]:
        """Every race key, in order."""
        return tuple(race.race_key for race in self.races)

    @property
    def finished(self) -> tuple[CalendarRace, ...]:
        """Races with a result and official points, in order."""
        return tuple(race for race in self.races if race.is_finished)

    @property
    def next_race(self) -> CalendarRace | None:
        """The first race after the last finished one; None when the season is over."""
        last = self.finished[-1].race_date if self.finished else date.min
        coming = (race for race in self.races if race.race_date > last and not race.is_cancelled)
        return next(coming, None)

    def get(self, race_key: str) -> CalendarRace:
        """Return one race.

        Raises
        ------
        UsageError
            When the calendar has no such race; the message names the nearest keys of its season.
        """
        for race in self.races:
            if race.race_key == race_key:
                return race
        season = race_key.split("-", 1)[0]
        known = [race.race_key for race in self.races if str(race.season) == season] or list(self.race_keys[-5:])
        raise UsageError(f"unknown race {race_key!r}: expected a key such as {', '.join(known)}")

    def meant(self, race_key: str | None) -> CalendarRace:
        """Return the race that is meant: the next one when none is named.

        Raises
        ------
        UsageError
            When the race is unknown, or the season is over.
        """
        race = self.next_race if race_key is None else self.get(race_key)
        if race is None:
            raise UsageError("the season is over and the next calendar is not in data/ yet: name a race with --race")
        return race

    def before(self, race_key: str) -> tuple[CalendarRace, ...]:
        """Return the finished races before one, in order."""
        race_date = self.get(race_key).race_date
        return tuple(race for race in self.finished if race.race_date < race_date)

    def season(self, season: int) -> tuple[CalendarRace, ...]:
        """Return the finished races of a season.

        Raises
        ------
        UsageError
            When there are none.
        """
        found = tuple(race for race in self.finished if race.season == season)
        if not found:
            known = ", ".join(sorted({str(race.season) for race in self.finished}))
            raise UsageError(f"no finished race in season {season}: expected one of {known}")
        return found


def read_calendar(data_dir: Path) -> Calendar:
    """Read the calendar.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files.

    Returns
    -------
    Calendar

    Raises
    ------
    DataError
        When a file is missing or malformed.
    """
    races = load_fact_table(data_dir, "races").to_pylist()
    scored = set(load_fact_table(data_dir, "event_scores")["race_key"].to_pylist())
    results = load_fact_table(data_dir, "race_results").select(["race_key", "session"]).to_pylist()
    driven = {row["race_key"] for row in results if row["session"] == "race"}
    priced = set(load_fact_table(data_dir, "prices")["race_key"].to_pylist())
    names = ("race_key", "season", "name", "race_date", "lock_at", "race_start_at", "is_cancelled")
    game = [row for row in races if row["season"] >= FIRST_SEASON]
    ordered = sorted(game, key=lambda row: (row["race_date"], row["race_key"]))
    return Calendar(
        tuple(
            CalendarRace(
                **{name: row[name] for name in names},
                is_finished=row["race_key"] in scored & driven,
                has_prices=row["race_key"] in priced,
            )
            for row in ordered
        )
    )


def read_sessions(data_dir: Path, race_key: str) -> tuple[CalendarSession, ...]:
    """Read the sessions of a race, in order, and which of them have results in the facts.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files.
    race_key : str

    Returns
    -------
    tuple of CalendarSession

    Raises
    ------
    DataError
        When a file is missing or malformed.
    UsageError
        When the calendar has no such race.
    """
    done = {
        session
        for name in RESULT_TABLES
        for session in load_fact_table(data_dir, name, [race_key])["session"].to_pylist()
    }
    rows = load_fact_table(data_dir, "sessions", [race_key]).to_pylist()
    return tuple(
        CalendarSession(row["session"], row["starts_at"], row["ends_at"], row["is_before_lock"], row["session"] in done)
        for row in sorted(rows, key=lambda row: row["session_order"])
    )
