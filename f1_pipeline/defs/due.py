"""What is due at a moment, from the calendar, the facts and what runs have left behind. Pure.

Belongs here: the decisions of a race week. Neighbours: `automation.py` finds out the situation at each tick and
requests the first thing due that was not requested before. Free weeks, moved and cancelled races, late results and
corrections need no rule of their own: whatever stands in the facts and was not computed from is due.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile

from f1_pipeline import __version__
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, PAGES_JOB, REFRESH_JOB
from f1_pipeline.sources.calendar import Calendar, CalendarRace, CalendarSession
from f1_pipeline.sources.fact_digests import FactDigests

# A Grand Prix takes two hours at most; stewards and the game need some more before points are official.
RESULTS_AFTER = timedelta(hours=4)
# What is awaited for long is asked for less often. Points become official within hours; what takes longer than a day
# may take a week.
HOURLY, SIX_HOURLY, DAILY = timedelta(hours=1), timedelta(hours=6), timedelta(days=1)
FIRST_DAY, FIRST_WEEK = timedelta(days=1), timedelta(days=7)
# Classifications are out some minutes after a session; between last practice and the lock there are two hours.
SESSION_AFTER, SESSION_EVERY = timedelta(minutes=20), timedelta(minutes=30)
QUALIFYING = "qualifying"


@dataclass(frozen=True)
class Computed:
    """The newest materialization of a partition: its number in the event log, and the facts it was made from."""

    number: int
    facts: str


@dataclass(frozen=True)
class Situation:
    """What is known at a tick.

    Attributes
    ----------
    calendar : Calendar
    sessions : tuple of CalendarSession
        Those of the next race, in order.
    facts : FactDigests
    wanted : str
        Hash of all that the line-up of a coming race is made from: the facts and your team.
    reviews, line_ups : mapping of str to Computed
        By race key.
    pages : mapping of str to int
        Number of the newest page in the event log, by race key.
    has_sources : bool
        Whether there is anybody to ask for new facts.
    has_warehouse : bool
        Whether the warehouse file is there; without it nothing counts as computed.
    """

    calendar: Calendar
    sessions: tuple[CalendarSession, ...]
    facts: FactDigests
    wanted: str
    reviews: Mapping[str, Computed]
    line_ups: Mapping[str, Computed]
    pages: Mapping[str, int]
    has_sources: bool = True
    has_warehouse: bool = True


@dataclass(frozen=True)
class Due:
    """A run to request: a job, for a range of races or none, under a key that never changes its meaning."""

    reason: str
    job_name: str
    run_key: str
    first_race_key: str = ""
    last_race_key: str = ""


def what_is_due(situation: Situation, now: datetime) -> tuple[list[Due], str]:
    """Decide what to run.

    Parameters
    ----------
    situation : Situation
    now : datetime
        Aware, the time of the tick.

    Returns
    -------
    list of Due
        The most urgent first: finished races whose review is missing or was made from other facts, in one run with
        all after them; facts that are awaited; the line-up of the next race, until its lock and again after
        qualifying; the pages about both.
    str
        What is waited for, when nothing is due.
    """
    refresh = list(_refresh(situation, now)) if situation.has_sources else []
    finished = _finished(situation, now)
    if finished is not None:
        return [finished, *refresh], finished.reason
    found = [*refresh, *_line_up(situation, now), *_pages(situation)]
    return found, _waiting_for(situation, now)


def _over(calendar: Calendar, now: datetime) -> list[CalendarRace]:
    return [race for race in calendar.races if not race.is_cancelled and race.race_start_at + RESULTS_AFTER <= now]


def _finished(situation: Situation, now: datetime) -> Due | None:
    """Take the first finished race that is to be computed, and every finished one after it, which read it."""
    over = _over(situation.calendar, now)
    stale = [
        race.race_key
        for race in over
        if race.is_finished
        and not _is_current(situation, situation.reviews, race.race_key, situation.facts.races[race.race_key])
    ]
    if not stale:
        return None
    # One range covers races that stand side by side: it ends before one whose results are missing.
    following = dropwhile(lambda race: race.race_key != stale[0], over)
    side_by_side = [race.race_key for race in takewhile(lambda race: race.is_finished, following)]
    first, last = side_by_side[0], side_by_side[-1]
    restated = first in situation.reviews and situation.has_warehouse
    reason = f"{first}: its facts were restated" if restated else f"{len(side_by_side)} finished races to compute"
    newest = max((each.number for each in situation.reviews.values()), default=0)
    again = "" if situation.has_warehouse else f":lost-{now:%Y-%m-%dT%H}"
    facts = _hash(*(situation.facts.races[key] for key in side_by_side))
    key = f"{FINISHED_RACE_JOB}:{first}:{last}:{facts}:{newest}:{__version__}{again}"
    return Due(reason, FINISHED_RACE_JOB, key, first, last)


def _is_current(situation: Situation, computed: Mapping[str, Computed], race_key: str, facts: str) -> bool:
    return situation.has_warehouse and race_key in computed and computed[race_key].facts == facts


def _refresh(situation: Situation, now: datetime) -> Iterator[Due]:
    """Ask for what is awaited; else once a day, for corrections and for a calendar that changes."""
    calendar, coming = situation.calendar, situation.calendar.next_race
    over = _over(calendar, now)
    since = max((race.race_start_at + RESULTS_AFTER for race in over if race.is_finished), default=None)
    waiting = _driven(situation, now)
    if waiting is not None:
        since = waiting.race_start_at + RESULTS_AFTER
        reason = f"{waiting.race_key} has been driven; its results and official points are not in data/ yet"
        yield _asked(reason, waiting.race_key, since, _patience(now - since), now)
    elif coming is not None and not coming.has_prices and since is not None:
        reason = f"the prices for {coming.race_key} are not in data/ yet"
        yield _asked(reason, f"{coming.race_key}:prices", since, _patience(now - since), now)
    elif coming is not None and (session := _awaited(situation.sessions, coming, now)) is not None:
        reason = f"{coming.race_key}: the results of {session.session} are not in data/ yet"
        since = session.ends_at + SESSION_AFTER
        yield _asked(reason, f"{coming.race_key}:{session.session}", since, SESSION_EVERY, now)
    elif since is not None:
        yield _asked("the sources are asked once a day", "daily", since, DAILY, now)


def _driven(situation: Situation, now: datetime) -> CalendarRace | None:
    """Find the next race when it has been driven; one of before the last finished race is not coming any more."""
    coming = situation.calendar.next_race
    return coming if coming is not None and coming.race_start_at + RESULTS_AFTER <= now else None


def _awaited(sessions: tuple[CalendarSession, ...], coming: CalendarRace, now: datetime) -> CalendarSession | None:
    """Find the last session that is over, matters for what may still be decided, and has no results in the facts."""
    awaited = None
    for session in sessions:
        until = coming.lock_at if session.is_before_lock else coming.race_start_at
        matters = session.is_before_lock or session.session == QUALIFYING
        if matters and session.ends_at + SESSION_AFTER <= now < until:
            awaited = None if session.has_results else session
    return awaited


def _patience(waited: timedelta) -> timedelta:
    if waited < FIRST_DAY:
        return HOURLY
    return SIX_HOURLY if waited < FIRST_WEEK else DAILY


def _asked(reason: str, subject: str, since: datetime, every: timedelta, now: datetime) -> Due:
    turn = (now - since) // every * every + since
    return Due(reason, REFRESH_JOB, f"{REFRESH_JOB}:{subject}:{turn:%Y-%m-%dT%H:%M}")


def _line_up(situation: Situation, now: datetime) -> Iterator[Due]:
    coming = situation.calendar.next_race
    if coming is None or not coming.has_prices or not _is_open(situation.sessions, coming, now):
        return
    key = coming.race_key
    if _is_current(situation, situation.line_ups, key, situation.wanted):
        return
    number = situation.line_ups[key].number if key in situation.line_ups else 0
    run_key = f"{NEXT_LINEUP_JOB}:{key}:{key}:{situation.wanted}:{number}:{__version__}"
    what = "Final Fix" if now >= coming.lock_at else "line-up"
    yield Due(f"{what} for {key}", NEXT_LINEUP_JOB, run_key, key, key)


def _is_open(sessions: tuple[CalendarSession, ...], coming: CalendarRace, now: datetime) -> bool:
    """Say whether something can be decided: a line-up until the lock, Final Fix from qualifying to the start."""
    if now < coming.lock_at:
        return True
    is_qualified = any(session.session == QUALIFYING and session.has_results for session in sessions)
    return is_qualified and now < coming.race_start_at


def _pages(situation: Situation) -> Iterator[Due]:
    """Publish the report of the last race and the page of the next one when what they show is newer than they are."""
    calendar, coming = situation.calendar, situation.calendar.next_race
    shown: dict[str, int] = {}
    following = situation.line_ups.get(coming.race_key) if coming is not None else None
    if calendar.finished and (review := situation.reviews.get(calendar.finished[-1].race_key)) is not None:
        # what changes next is told by the forecast of the race that follows
        shown[calendar.finished[-1].race_key] = max(review.number, following.number if following else 0)
    if coming is not None and following is not None:
        shown[coming.race_key] = following.number
    old = [key for key, number in shown.items() if situation.pages.get(key, 0) < number]
    if old and situation.has_warehouse:
        run_key = f"{PAGES_JOB}:{old[0]}:{old[-1]}:{max(shown.values())}:{__version__}"
        yield Due(f"pages about {' and '.join(old)}", PAGES_JOB, run_key, old[0], old[-1])


def _waiting_for(situation: Situation, now: datetime) -> str:
    coming = situation.calendar.next_race
    waiting = _driven(situation, now)
    if waiting is not None:
        return f"{waiting.race_key} has been driven; its results and official points are not in data/ yet"
    if coming is None:
        return f"the season is over with {situation.calendar.finished[-1].race_key}; the next calendar is not in data/"
    if not coming.has_prices:
        return f"the prices for {coming.race_key} are not in data/ yet"
    if now >= coming.lock_at:
        return f"{coming.race_key} has locked; its results are due after the race"
    return f"{coming.race_key} has its line-up; new facts or the lock at {coming.lock_at:%Y-%m-%dT%H:%M} UTC come next"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
