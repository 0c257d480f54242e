"""A fortnight of a season by the daemon's own ticks: a sprint weekend, late points, a correction, a race called off.

What the sources say is moved along with the clock; every file, store and run is real (see `rehearsal.py`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, PAGES_JOB, REFRESH_JOB
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.feed_readings import (
    feed_reading,
    game_of,
    restated_overtake,
    without_meeting,
)
from f1_pipeline_tests.feed_server import serve_game
from f1_pipeline_tests.local_server import LocalServer
from f1_pipeline_tests.rehearsal import Happened, Rehearsal, rehearsal
from f1_pipeline_tests.release import (
    RESULT_FILES,
    drop_race,
    facts_since,
    race_row,
    release_rows,
    write_facts,
    write_older_facts,
    write_release,
)
from f1_pipeline_tests.support import DATA, rewrite, rows_of

# Runs by the dozen: two minutes of computing.
pytestmark = pytest.mark.faults

SEASON, RACE, NEXT, AFTER_NEXT = 2026, "2026-canada", "2026-monaco", "2026-barcelona-catalunya"
HOOK = "/hooks/a-secret"


def may(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=UTC)


# When each classification is out. First practice ends on Friday at 17:30, sprint qualifying at 21:15; the sprint, on
# Saturday at 16:00, is the lock; qualifying ends at 21:00; the race starts on Sunday at 20:00.
CLASSIFIED = {
    "fp1": may(22, 18, 5),
    "sprint_qualifying": may(22, 21, 40),
    "sprint": may(23, 17, 30),
    "qualifying": may(23, 21, 25),
    "race": may(24, 23),
}
LOCK, START = may(23, 16), may(24, 20)
TEN_MINUTES, HALF_HOUR = timedelta(minutes=10), timedelta(minutes=30)
POINTS, CORRECTION, CALLED_OFF, END = may(26, 5, 30), may(28, 9), may(30, 15), datetime(2026, 6, 1, tzinfo=UTC)


class World:
    """What F1DB and the official game say at a moment."""

    def __init__(self, server: LocalServer, folder: Path, season: Path) -> None:
        self._server, self._season, self._release = server, season, folder / "f1db-csv.zip"
        self._said: tuple[bool, ...] | None = None
        self.f1db, self.feed = str(self._release), f"{server.url}/feeds"

    def be(self, now: datetime) -> bool:
        """Say what is known at a time, and whether that is news."""
        moments = (*CLASSIFIED.values(), POINTS, CORRECTION, CALLED_OFF)
        said = tuple(moment <= now for moment in moments)
        if said == self._said:
            return False
        self._said = said
        self._publish_release(now)
        self._serve_game(now)
        return True

    def _publish_release(self, now: datetime) -> None:
        rows = release_rows(self._season, since=SEASON)
        race_id = race_row(rows, SEASON, "canada")["id"]
        for (_, session), name in RESULT_FILES.items():
            if CLASSIFIED[session if session in CLASSIFIED else "fp1"] > now:
                rows[name] = [row for row in rows[name] if row["raceId"] != race_id]
        if CLASSIFIED["race"] > now:
            rows["races-pit-stops"] = [row for row in rows["races-pit-stops"] if row["raceId"] != race_id]
        if now >= CALLED_OFF:
            drop_race(rows, SEASON, "monaco")
        write_release(self._release, rows)

    def _serve_game(self, now: datetime) -> None:
        facts = facts_since(self._season, SEASON)
        prices = facts["prices"]
        # Whoever was priced for the race that is called off costs the same at the one after it.
        moved = prices[prices["race_key"] == NEXT].assign(race_key=AFTER_NEXT)
        races = set(prices["race_key"]) - {NEXT}
        if now >= CALLED_OFF:
            facts["prices"] = pd.concat([prices[prices["race_key"] != NEXT], moved])
            races |= {AFTER_NEXT}
        elif now >= POINTS:
            races |= {NEXT}
        if now < POINTS:
            for name in ("official_totals", "event_scores"):
                facts[name] = facts[name][facts[name]["race_key"] != RACE]
        reading = feed_reading(facts, SEASON, states_of=races, read_at=now)
        if now >= CORRECTION:
            reading = restated_overtake(reading, "Canadian Grand Prix", ("lewis-hamilton", "ferrari"))
        if now >= CALLED_OFF:
            reading = without_meeting(reading, "Monaco Grand Prix")
        serve_game(self._server, game_of(reading))


@dataclasses.dataclass
class Fortnight:
    """What happened, and what lay in the warehouse and at the webhook meanwhile."""

    settings: Settings
    happened: list[Happened]
    line_ups: list[tuple[datetime, str, list[tuple[object, ...]]]]
    told: list[tuple[datetime, dict[str, str]]]

    def runs(self, job: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(f"{run.at:%a %d %H:%M}", tuple(dict.fromkeys(run.races))) for run in self.happened if run.job == job]


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortnight]:
    folder = tmp_path_factory.mktemp("fortnight")
    season = write_facts(folder / "season", _until(AFTER_NEXT), DATA)
    rewrite(season / "known_exceptions.csv", lambda rows: [row for row in rows if row["race_key"] > str(SEASON)])
    data_dir = write_older_facts(folder / "data", season, before=RACE)
    with LocalServer() as server, pytest.MonkeyPatch.context() as environment:
        world = World(server, folder, season)
        server.serve(HOOK, b"ok")
        for name, value in {
            "F1_DATA_DIR": data_dir,
            "F1_WAREHOUSE_DIR": folder / "warehouse",
            "F1_F1DB": world.f1db,
            "F1_FEED": world.feed,
            "F1_REQUEST_PAUSE_S": 0,
            "F1_WEBHOOK": server.url + HOOK,
        }.items():
            environment.setenv(name, str(value))
        settings = load_settings()
        with rehearsal(settings, folder / "home") as daemon:
            yield _play(world, server, daemon, settings)


def _until(race_key: str) -> Facts:
    """Cut the season short: a plan over two races takes a tenth of the time of one over five."""
    facts = facts_since(DATA, SEASON)
    dates = facts["races"].set_index("race_key")["race_date"]
    kept = set(dates[dates <= dates[race_key]].index)
    return {
        name: frame[frame["race_key"].isin(kept)].reset_index(drop=True) if "race_key" in frame else frame
        for name, frame in facts.items()
    }


def _play(world: World, server: LocalServer, daemon: Rehearsal, settings: Settings) -> Fortnight:
    found = Fortnight(settings, daemon.happened, [], [])
    for moment in _moments():
        now = moment
        while True:
            if world.be(now):
                daemon.reload()  # as the daemon does every minute
            ran = daemon.tick(now)
            _look(found, server, now, ran)
            if not ran:
                break
            now += timedelta(minutes=1)
    return found


def _moments() -> Iterator[datetime]:
    """Give the times to tick at: every ten minutes where something may happen in a weekend, else every eight hours."""
    busy = [(may(22, 17, 30), may(22, 18, 40)), (may(22, 21), may(22, 22, 20)), (LOCK - HALF_HOUR, LOCK + HALF_HOUR)]
    busy += [(may(23, 20, 50), may(23, 22)), (START - HALF_HOUR, START + HALF_HOUR)]
    moments = {begin + timedelta(minutes=10) * at for begin, end in busy for at in range((end - begin) // TEN_MINUTES)}
    moments |= {may(18) + timedelta(hours=8) * at for at in range((END - may(18)) // timedelta(hours=8))}
    return iter(sorted(moments))


def _look(found: Fortnight, server: LocalServer, now: datetime, ran: list[Happened]) -> None:
    for run in ran:
        if run.job == NEXT_LINEUP_JOB:
            found.line_ups.append(
                (now, run.races[-1], rows_of(found.settings.warehouse_path, "lineups.optimal_lineup", run.races[-1]))
            )
    for request in server.asked(HOOK)[len(found.told) :]:
        found.told.append((now, json.loads(request.body)))


def test_each_thing_happens_once_and_at_its_time(fortnight: Fortnight) -> None:
    assert fortnight.runs(FINISHED_RACE_JOB) == [
        ("Mon 18 00:00", ("2026-australia", "2026-miami")),  # a fresh installation
        ("Tue 26 08:01", (RACE,)),  # points came at 05:30, six hours after they were asked for the last time
        ("Fri 29 00:01", (RACE,)),  # the correction of Thursday, found by the daily question
    ]
    line_ups = [
        ("Mon 18 00:03", (RACE,)),  # once there are prices
        ("Fri 22 18:21", (RACE,)),  # first practice
        ("Fri 22 21:41", (RACE,)),  # sprint qualifying, the last that counts for the lock
        ("Sat 23 21:51", (RACE,)),  # qualifying: Final Fix
        ("Tue 26 08:03", (NEXT,)),
        ("Fri 29 00:02", (NEXT,)),
        ("Sun 31 00:01", (AFTER_NEXT,)),  # the race before it was called off
    ]
    assert fortnight.runs(NEXT_LINEUP_JOB) == line_ups
    assert [races for _, races in fortnight.runs(PAGES_JOB)] == [
        *[("2026-miami", RACE)] * 4,
        *[(RACE, NEXT)] * 2,
        (RACE, AFTER_NEXT),
    ]


def test_the_sources_are_asked_when_something_is_awaited(fortnight: Fortnight) -> None:
    asked = [moment for moment, _ in fortnight.runs(REFRESH_JOB)]
    weekend = [moment for moment in asked if moment[:6] in ("Fri 22", "Sat 23")]
    assert [moment for moment in weekend if not moment.endswith("00:00")] == [
        *("Fri 22 17:50", "Fri 22 18:20"),  # first practice ended at 17:30, its results are out at 18:05
        *("Fri 22 21:00", "Fri 22 21:40"),  # the daily question; sprint qualifying ended at 21:15, out at 21:40
        *("Sat 23 21:00", "Sat 23 21:20", "Sat 23 21:50"),  # daily; qualifying ended at 21:00, out at 21:25
    ]
    late = [moment for moment in asked if moment.startswith(("Mon 25", "Tue 26"))]
    assert late[:4] == ["Mon 25 00:00", "Mon 25 08:00", "Mon 25 16:00", "Tue 26 00:00"]


def test_the_line_up_of_the_lock_stays_whatever_is_known_later(fortnight: Fortnight) -> None:
    of_race = [(at, rows) for at, race_key, rows in fortnight.line_ups if race_key == RACE]
    (before_lock, at_lock), (after_lock, fixed) = of_race[-2:]
    assert before_lock < LOCK < after_lock < START
    assert fixed == at_lock
    stored = rows_of(fortnight.settings.warehouse_path, "lineups.optimal_lineup", RACE)
    assert stored == at_lock  # the results, the points and their correction have changed nothing


def test_no_forecast_saw_the_future_and_each_was_made_in_time(fortnight: Fortnight) -> None:
    with duckdb.connect(str(fortnight.settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select distinct phase, version, data_watermark_at, made_at, deadline_at from predictions.asset_forecast"
            " where race_key = $race_key and is_live order by all",
            {"race_key": RACE},
        ).fetchall()
    assert {phase for phase, *_ in rows} == {"before_practice", "at_lock", "after_qualifying"}
    for phase, _, watermark, made, deadline in rows:
        assert watermark <= made < deadline, phase
    newest = {phase: watermark for phase, _, watermark, _, _ in rows}
    # what each phase may know: Miami's race; sprint qualifying, which ended on Friday at 21:15; qualifying
    assert newest["before_practice"] < may(18)
    assert newest["at_lock"] == may(22, 21, 15)
    assert newest["after_qualifying"] == may(23, 21)


def test_the_webhook_hears_of_each_other_team_once_and_of_final_fix(fortnight: Fortnight) -> None:
    events = [(f"{at:%a %d %H:%M}", said["event"], said["race_key"]) for at, said in fortnight.told]
    assert events[0] == ("Mon 18 00:04", "line_up", RACE)
    assert ("Sat 23 21:52", "final_fix", RACE) in events
    assert {race for _, event, race in events if event == "line_up"} == {RACE, NEXT, AFTER_NEXT}
    assert len(events) <= len(fortnight.runs(NEXT_LINEUP_JOB))
    texts = [said["text"] for _, said in fortnight.told]
    assert all(one != other for one, other in pairwise(texts))


def test_the_report_and_the_next_page_are_there(fortnight: Fortnight) -> None:
    pages = {path.name for path in fortnight.settings.reports_dir.glob("*.html")}
    assert {f"{RACE}.html", f"{AFTER_NEXT}.html", f"season-{SEASON}.html", "index.html"} <= pages


def test_a_correction_stands_beside_what_was_first_said(fortnight: Fortnight) -> None:
    corrected = rows_of(fortnight.settings.published_path, "marts.points_correction")
    assert {row[7] for row in corrected} == {"Lewis Hamilton", "Ferrari"}
