"""Make the calendar: races, their sessions, and the instant at which line-ups lock.

F1DB states session times from 2024. Before that they follow the shape of a typical weekend and are marked as
estimates: enough to order sessions, not to say when something happened. Results are elsewhere
(:mod:`f1_pipeline.sources.importer_results`); the game's own schedule is :mod:`f1_pipeline.sources.feed_calendar`.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import LockRules
from f1_pipeline.sources.importer_results import whole

FIRST_SEASON = 2018

_BEFORE_THE_GAME = LockRules(normal_weekend="qualifying", sprint_weekend="qualifying")

_F1DB_TIMES = {
    "fp1": "freePractice1",
    "fp2": "freePractice2",
    "fp3": "freePractice3",
    "qualifying": "qualifying",
    "sprint_qualifying": "sprintQualifying",
    "sprint": "sprintRace",
}
_RESULT_FILES = {
    "fp1": "races-free-practice-1-results",
    "fp2": "races-free-practice-2-results",
    "fp3": "races-free-practice-3-results",
    "qualifying": "races-qualifying-results",
    "sprint_qualifying": "races-sprint-qualifying-results",
    "sprint": "races-sprint-race-results",
    "race": "races-race-results",
}
_MINUTES = {"qualifying": 60, "sprint_qualifying": 45, "sprint": 60, "race": 120}
# Friday practice lasted 90 minutes until 2020, every practice 60 since (FIA sporting regulations).
_LAST_SEASON_OF_LONG_PRACTICE = 2020
_LONG_PRACTICE_MINUTES, _PRACTICE_MINUTES = 90, 60


class _Slot(NamedTuple):
    days_before_race: int
    time: str


# Typical shapes in UTC of a European weekend.
_NORMAL = {
    "fp1": _Slot(2, "11:30"),
    "fp2": _Slot(2, "15:00"),
    "fp3": _Slot(1, "10:30"),
    "qualifying": _Slot(1, "14:00"),
    "race": _Slot(0, "13:00"),
}
_SPRINT_2021 = {
    "fp1": _Slot(2, "11:30"),
    "qualifying": _Slot(2, "15:00"),
    "fp2": _Slot(1, "10:30"),
    "sprint": _Slot(1, "14:30"),
    "race": _Slot(0, "13:00"),
}
_SPRINT_2023 = {
    "fp1": _Slot(2, "11:30"),
    "qualifying": _Slot(2, "15:00"),
    "sprint_qualifying": _Slot(1, "10:30"),
    "sprint": _Slot(1, "14:30"),
    "race": _Slot(0, "13:00"),
}
_SPRINT_2024 = {
    "fp1": _Slot(2, "11:30"),
    "sprint_qualifying": _Slot(2, "15:30"),
    "sprint": _Slot(1, "11:00"),
    "qualifying": _Slot(1, "15:00"),
    "race": _Slot(0, "13:00"),
}
_SPRINT_SHAPES = {2021: _SPRINT_2021, 2022: _SPRINT_2021, 2023: _SPRINT_2023}
# Imola 2020 was a two-day event: one practice, on Saturday morning.
_OWN_SHAPES = {"2020-emilia-romagna": {**_NORMAL, "fp1": _Slot(1, "09:00")}}
_ORDERS = {
    "normal": ["fp1", "fp2", "fp3", "qualifying", "race"],
    "sprint": ["fp1", "sprint_qualifying", "sprint", "qualifying", "race"],
}


def build_calendar(
    f1db: Mapping[str, pd.DataFrame], locks: Mapping[int, LockRules]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Make races and sessions.

    Parameters
    ----------
    f1db : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.f1db.read_f1db`.
    locks : mapping of int to LockRules
        When line-ups lock, by season; at the start of qualifying in a season that it does not name.

    Returns
    -------
    races : pandas.DataFrame
        Columns of the races table.
    sessions : pandas.DataFrame
        Columns of the sessions table.
    race_keys : pandas.Series
        Race key by F1DB race id (text).

    Raises
    ------
    DataError
        A race is listed twice, lacks a session, or its sessions contradict each other.
    """
    rows = f1db["races"]
    rows = rows[whole(rows["year"]) >= FIRST_SEASON].reset_index(drop=True)
    rows = rows.assign(race_key=rows["year"] + "-" + rows["grandPrixId"], round=whole(rows["round"]))
    for what in ("race_key", "id"):
        twice = rows.loc[rows[what].duplicated(), what]
        if len(twice):
            raise DataError(f"F1DB lists the race {twice.iloc[0]} twice: expected each {what} once.")
    held = {session: set(f1db[name]["raceId"]) for session, name in _RESULT_FILES.items()}
    names = dict(zip(f1db["grands-prix"]["id"], f1db["grands-prix"]["fullName"], strict=True))
    nameless = rows[~rows["grandPrixId"].isin(names.keys()) | rows["round"].isna()]
    if len(nameless):
        raise DataError(f"F1DB's {nameless['race_key'].iloc[0]}: expected a round and a Grand Prix that it describes.")
    races, sessions = [], []
    for row in rows.to_dict("records"):
        has_sprint = _has_sprint(row, held)
        times = _stated_times(row) or _estimated_times(row, has_sprint, held)
        lock_session = lock_session_of(locks.get(int(row["year"]), _BEFORE_THE_GAME), has_sprint)
        estimated = times if row["time"] == "" else ()
        of_race = session_rows(row["race_key"], int(row["year"]), times, lock_session, estimated)
        _check_order(row["race_key"], of_race, has_sprint, is_estimated=row["time"] == "")
        sessions += of_race
        races.append(_race(row, names, has_sprint, times, lock_session))
    return pd.DataFrame(races), pd.DataFrame(sessions), rows.set_index("id")["race_key"]


def _has_sprint(row: Mapping[str, str], held: Mapping[str, set[str]]) -> bool:
    return row["sprintQualifyingFormat"] != "" or row["sprintRaceDate"] != "" or row["id"] in held["sprint"]


def _stated_times(row: Mapping[str, str]) -> dict[str, pd.Timestamp]:
    if row["time"] == "":
        return {}
    times = {
        session: _instant(row[f"{prefix}Date"], row[f"{prefix}Time"], row["race_key"])
        for session, prefix in _F1DB_TIMES.items()
        if row[f"{prefix}Date"]
    }
    return times | {"race": _instant(row["date"], row["time"], row["race_key"])}


def _estimated_times(row: Mapping[str, str], has_sprint: bool, held: Mapping[str, set[str]]) -> dict[str, pd.Timestamp]:
    shape = _OWN_SHAPES.get(row["race_key"], _NORMAL)
    if has_sprint:
        shape = _SPRINT_SHAPES.get(int(row["year"]), _SPRINT_2024)
    is_upcoming = row["id"] not in held["race"]
    return {
        session: _instant(_day_before(row, days), time, row["race_key"])
        for session, (days, time) in shape.items()
        if is_upcoming or row["id"] in held[session]
    }


def _day_before(row: Mapping[str, str], days: int) -> str:
    try:
        return (date.fromisoformat(row["date"]) - timedelta(days=days)).isoformat()
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{row['race_key']}: F1DB states the date {row['date']!r}; expected one as YYYY-MM-DD."
        ) from error


def _instant(day: str, time: str, race_key: str) -> pd.Timestamp:
    instant = pd.to_datetime(f"{day}T{time}:00Z", errors="coerce", utc=True)
    if not isinstance(instant, pd.Timestamp):
        raise DataError(f"{race_key}: F1DB states the time {day!r} {time!r}; expected a date and HH:MM.")
    return instant


def lock_session_of(lock: LockRules, has_sprint: bool) -> str:
    """Name the session at whose start line-ups lock."""
    return lock.sprint_weekend if has_sprint else lock.normal_weekend


def typical_times(season: int, has_sprint: bool, race_start: datetime) -> dict[str, datetime]:
    """Place the sessions of a typical weekend around the start of its race.

    Parameters
    ----------
    season : int
    has_sprint : bool
    race_start : datetime
        Aware, UTC.

    Returns
    -------
    dict of str to datetime
        Start by session.
    """
    shape = _SPRINT_SHAPES.get(season, _SPRINT_2024) if has_sprint else _NORMAL
    zero = _from_midnight(shape["race"])
    return {session: race_start + (_from_midnight(slot) - zero) for session, slot in shape.items()}


def _from_midnight(slot: _Slot) -> timedelta:
    """Tell how long after the midnight that opens race day a session starts; negative before it."""
    hours, minutes = map(int, slot.time.split(":"))
    return timedelta(days=-slot.days_before_race, hours=hours, minutes=minutes)


def session_rows(
    race_key: str,
    season: int,
    times: Mapping[str, datetime],
    lock_session: str,
    estimated: Collection[str],
) -> list[dict[str, object]]:
    """Make the sessions of a weekend.

    Parameters
    ----------
    race_key : str
    season : int
    times : mapping of str to datetime
        Start of each session, aware, UTC.
    lock_session : str
        The session at whose start line-ups lock.
    estimated : collection of str
        Sessions whose start nobody stated.

    Returns
    -------
    list of dict
        Rows of the sessions table, in order of their starts.

    Raises
    ------
    DataError
        The session of the lock is not among them.
    """
    if lock_session not in times:
        raise DataError(f"{race_key}: F1DB has no {lock_session} session, at whose start line-ups lock.")
    lock_at = times[lock_session]
    sessions: list[dict[str, object]] = []
    for order, (session, starts_at) in enumerate(sorted(times.items(), key=lambda item: item[1]), start=1):
        ends_at = starts_at + timedelta(minutes=_minutes(session, season))
        sessions.append(
            {
                "race_key": race_key,
                "session": session,
                "session_order": order,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "is_time_estimated": session in estimated,
                "is_before_lock": ends_at <= lock_at,
            }
        )
    return sessions


def _minutes(session: str, season: int) -> int:
    is_long = session in ("fp1", "fp2") and season <= _LAST_SEASON_OF_LONG_PRACTICE
    return _MINUTES.get(session, _LONG_PRACTICE_MINUTES if is_long else _PRACTICE_MINUTES)


def _check_order(race_key: str, sessions: list[dict[str, object]], has_sprint: bool, is_estimated: bool) -> None:
    found = [str(session["session"]) for session in sessions]
    expected = _ORDERS["sprint" if has_sprint else "normal"]
    if not is_estimated and found != expected:
        raise DataError(
            f"{race_key}: F1DB's times put the sessions in the order {', '.join(found)}; "
            f"expected {', '.join(expected)}."
        )


def _race(
    row: Mapping[str, str],
    names: Mapping[str, str],
    has_sprint: bool,
    times: Mapping[str, pd.Timestamp],
    lock_session: str,
) -> dict[str, object]:
    return {
        "race_key": row["race_key"],
        "season": int(row["year"]),
        "round_number": int(row["round"]),
        "grand_prix_id": row["grandPrixId"],
        "name": names[row["grandPrixId"]],
        "race_date": row["date"],
        "circuit_id": row["circuitId"],
        "has_sprint": has_sprint,
        "is_cancelled": False,  # F1DB drops a cancelled race from its calendar (Imola 2023)
        "is_time_estimated": row["time"] == "",
        "lock_at": times[lock_session],
        "race_start_at": times["race"],
        "scheduled_laps": row["scheduledLaps"] or row["laps"],
    }
