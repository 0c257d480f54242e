"""A refresh as it happens: facts from before Canada 2026, a release and a feed from after it, served over HTTP.

Every file is a real one: the release is made of the committed facts by `release.py`, the payloads by `feed_server.py`.
"""

from __future__ import annotations

import csv
import dataclasses
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError, F1PipelineError, SourceError
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.calendar import read_calendar
from f1_pipeline.sources.download import HttpClient, Patience
from f1_pipeline.sources.f1db_source import F1dbSource
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedData, FeedItem, PlayerState
from f1_pipeline.sources.feed_source import FeedSource
from f1_pipeline.sources.publish import COMMITTED
from f1_pipeline.sources.refresh import RefreshReport, refresh_facts
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline_tests.feed_readings import (
    feed_reading,
    game_of,
    with_items,
    with_meeting,
    with_states,
    without_meeting,
)
from f1_pipeline_tests.feed_server import serve_game
from f1_pipeline_tests.local_server import Answer, LocalServer
from f1_pipeline_tests.release import (
    RESULTS,
    Rows,
    drop_race,
    facts_since,
    move_race,
    race_row,
    release_rows,
    write_facts,
    write_older_facts,
    write_release,
)
from f1_pipeline_tests.support import DATA, REPO

SHARED = REPO.parent / "shared" / "data"
RELEASE = "/f1db-csv.zip"
AFTER_CANADA = datetime(2026, 5, 25, 12, tzinfo=UTC)
DONE = ("2026-australia", "2026-china", "2026-japan", "2026-miami", "2026-canada")
AT_ONCE = Patience(pause_s=0.0, connect_timeout_s=5.0, read_timeout_s=5.0, attempts=1)
# Where the feed is another source than the committed records, the values are the same and these columns are not.
OF_THE_SOURCE = ("source", "source_count", "agreeing_source_count", "origin")


class World:
    """The facts of one installation, and what F1DB and the game publish."""

    def __init__(self, folder: Path, server: LocalServer, data_dir: Path) -> None:
        self.data_dir, self.server, self.folder = data_dir, server, folder
        self.told: list[str] = []
        self.clock: Callable[[], datetime] = lambda: AFTER_CANADA

    def publish_release(self, rows: Rows) -> None:
        body = write_release(self.folder / "made.zip", rows).read_bytes()
        self.server.serve(RELEASE, body, content_type="application/zip", etag=f'"{hash(body)}"')

    def publish_game(self, reading: FeedData, first_gameday: int = 1) -> None:
        serve_game(self.server, game_of(reading, first_gameday))

    def refresh(self, *names: str) -> RefreshReport:
        received = self.folder / "received"
        with HttpClient(AT_ONCE) as client:
            sources = {
                "f1db": F1dbSource(self.server.url + RELEASE, received, client, self.data_dir),
                "feed": FeedSource(self.server.url + "/feeds", received, client, self.data_dir, self.clock),
            }
            return refresh_facts(self.data_dir, [sources[name] for name in names or sources], self.told.append)

    def contents(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.data_dir.iterdir()) if path.is_file()}


@pytest.fixture(scope="session")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed facts of 2026: all a refresh of that season needs, and quick."""
    return write_facts(tmp_path_factory.mktemp("newest") / "data", facts_since(DATA, 2026), DATA)


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same from before the Canadian Grand Prix."""
    return write_older_facts(tmp_path_factory.mktemp("older") / "data", DATA, before="2026-canada", since=2026)


@pytest.fixture(scope="session")
def newest_release() -> Rows:
    return release_rows(DATA, since=2026)


@pytest.fixture(scope="session")
def reading() -> FeedData:
    """The game on the day after Canada."""
    return feed_reading(facts_since(DATA, 2026), 2026, (*DONE, "2026-monaco"), AFTER_CANADA)


@pytest.fixture
def release(newest_release: Rows) -> Rows:
    """The release after Canada, to be altered."""
    return newest_release | {name: [dict(row) for row in newest_release[name]] for name in ("races", "drivers")}


@pytest.fixture
def world(tmp_path: Path, older: Path, release: Rows, reading: FeedData) -> Iterator[World]:
    """The day after Canada: the facts are older, the release and the feed are not."""
    with LocalServer() as server:
        made = World(tmp_path, server, Path(shutil.copytree(older, tmp_path / "data")))
        made.publish_release(release)
        made.publish_game(reading)
        yield made


def rows_of(data_dir: Path, name: str) -> list[dict[str, str]]:
    with (data_dir / FACT_TABLES[name].file_name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def values_of(data_dir: Path, name: str) -> list[dict[str, str]]:
    """Read a file without the columns that name a source; pit stops without their kind."""
    rows = rows_of(data_dir, name)
    for row in rows:
        for column in OF_THE_SOURCE:
            row.pop(column, None)
        if row.get("scoring_item", "").startswith("pit_stop"):
            row["scoring_item"] = "pit_stop"
    return sorted(rows, key=lambda row: tuple(row.values()))


def assert_same_files(data_dir: Path, other: Path, names: Iterable[str]) -> None:
    for name in names:
        file_name = FACT_TABLES[name].file_name
        assert (data_dir / file_name).read_bytes() == (other / file_name).read_bytes(), name


def test_a_weekend_arrives_and_the_facts_are_the_committed_ones(world, tmp_path):
    """The whole of it: all seasons, every file."""
    world.data_dir = write_older_facts(tmp_path / "whole", DATA, before="2026-canada")
    world.publish_release(release_rows(DATA))
    report = world.refresh()
    of_the_game = ("event_scores", "official_totals", "prices", "ownership")
    assert_same_files(world.data_dir, DATA, [name for name in FACT_TABLES if name not in of_the_game])
    for name in ("event_scores", "official_totals", "prices"):
        assert values_of(world.data_dir, name) == values_of(DATA, name)
    assert report.lines == [
        "practice_results 2026-canada: 22 added",
        "qualifying_results 2026-canada: 42 added",
        "starting_grids 2026-canada: 44 added",
        "race_results 2026-canada: 44 added",
        "pit_stops 2026-canada: 30 added",
        "event_scores 2026-canada: 243 added",
        "official_totals 2026-canada: 33 added",
        "prices 2026-canada: 33 added",
        "prices 2026-monaco: 33 added",
        "ownership 2026-canada: 33 added",
    ]
    calendar = read_calendar(world.data_dir)
    assert calendar.finished[-1].race_key == "2026-canada"
    assert calendar.next_race is not None
    assert (calendar.next_race.race_key, calendar.next_race.has_prices) == ("2026-monaco", True)
    readme = (world.data_dir / "README.md").read_text(encoding="utf-8")
    assert "| official totals | 2023 to 2025, 2026 rounds 1-5 |" in readme
    assert "| prices | 2023 to 2025, 2026 rounds 1-6 |" in readme


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real release is not part of the repository")
def test_the_real_release_brings_the_same_results(tmp_path):
    data_dir = write_older_facts(tmp_path / "data", DATA, before="2026-canada")
    location = str(next((SHARED / "f1db").glob("f1db-csv-*.zip")))
    with HttpClient(AT_ONCE) as client:
        report = refresh_facts(data_dir, [F1dbSource(location, tmp_path, client, data_dir)], print)
    of_the_game = ("event_scores", "official_totals", "prices", "ownership")
    assert_same_files(data_dir, DATA, [name for name in FACT_TABLES if name not in of_the_game])
    assert report.readings["f1db"].endswith("results to 2026-canada")


def test_a_second_refresh_changes_not_one_byte(world):
    world.refresh()
    before = world.contents()
    report = world.refresh()
    assert report.lines == ["nothing new"]
    assert not report.has_changes
    assert world.contents() == before
    assert set(report.readings) == {"bundle", "f1db", "feed"}


def test_equal_facts_keep_their_records_and_bytes(world, newest, tmp_path):
    """What public records stated before the feed did stays theirs; nobody recorded the ownership of Canada."""
    world.data_dir = Path(shutil.copytree(newest, tmp_path / "newest"))
    before = world.contents()
    assert world.refresh().lines == ["ownership 2026-canada: 33 added"]
    after = world.contents()
    assert {name for name in after if after[name] != before[name]} == {"ownership.csv", "README.md"}


def test_sources_may_come_one_after_the_other(world, newest):
    """F1DB on Sunday night, the feed on Tuesday: the end is the same."""
    first = world.refresh("f1db")
    assert first.waiting == ("2026-canada waits: it has results, its official points are not final yet",)
    assert read_calendar(world.data_dir).finished[-1].race_key == "2026-miami"
    world.refresh("feed")
    assert values_of(world.data_dir, "event_scores") == values_of(newest, "event_scores")


def test_a_finished_race_without_results_waits_for_f1db(world):
    report = world.refresh("feed")
    assert report.waiting == ("2026-canada waits: it has official points, its results are not in F1DB yet",)
    calendar = read_calendar(world.data_dir)
    assert calendar.finished[-1].race_key == "2026-miami"
    assert [row for row in rows_of(world.data_dir, "event_scores") if row["race_key"] == "2026-canada"] == []
    assert len([row for row in rows_of(world.data_dir, "official_totals") if row["race_key"] == "2026-canada"]) == 33
    world.refresh()
    assert read_calendar(world.data_dir).finished[-1].race_key == "2026-canada"


def test_the_calendar_of_both_sources_is_followed(world, release, reading):
    """F1DB calls Spain off; the game moves Hungary by a week and Monaco's qualifying by an hour."""
    drop_race(release, 2026, "spain")
    world.publish_release(release)
    game = without_meeting(reading, "Spanish Grand Prix")
    hungary = {
        session: start.replace(month=8, day=day)
        for (session, start), day in zip(
            next(one for one in game.meetings if one.name == "Hungarian Grand Prix").starts.items(), (1, 2), strict=True
        )
    }
    game = with_meeting(game, "Hungarian Grand Prix", starts=hungary, race_date=hungary["race"].date())
    monaco = next(one for one in game.meetings if one.name == "Monaco Grand Prix").starts
    game = with_meeting(game, "Monaco Grand Prix", starts=monaco | {"qualifying": datetime(2026, 6, 6, 15, tzinfo=UTC)})
    world.publish_game(game)
    report = world.refresh()
    assert report.calendar == (
        "2026-monaco locks at 2026-06-06T15:00:00Z instead of 2026-06-06T14:00:00Z",
        "2026-hungary moved from 2026-07-26 to 2026-08-02",
        "2026-spain cancelled",
    )
    keys = [race.race_key for race in read_calendar(world.data_dir).races if not race.is_cancelled]
    assert "2026-spain" not in keys
    assert world.refresh().lines == ["nothing new"]


def test_a_cancelled_race_comes_back_on_another_date_and_circuit(world, newest, newest_release, release, reading):
    """Bahrain 2026, from April to October and from Sakhir to Sepang, as the sources told it month by month."""
    move_race(release, 2026, "bahrain", days=-175)
    race_row(release, 2026, "bahrain")["circuitId"] = "bahrain"
    world.publish_release(release)
    world.publish_game(without_meeting(reading, "Bahrain Grand Prix"))
    assert world.refresh("f1db").calendar == (
        "2026-bahrain moved from 2026-10-04 to 2026-04-12; goes to bahrain instead of sepang",
    )
    assert world.refresh("feed").calendar == ("2026-bahrain cancelled",)
    world.publish_release(newest_release)
    world.publish_game(reading)
    assert world.refresh().calendar == (
        "2026-bahrain back in the calendar; moved from 2026-04-12 to 2026-10-04; goes to sepang instead of bahrain",
    )
    assert_same_files(world.data_dir, newest, ["races", "sessions", "circuits"])


def test_a_race_called_off_stays_so_though_the_game_closes_its_gameday(world, release, reading):
    """Monaco is called off on its Friday: F1DB drops it, the game calls it done and has no points of it."""
    world.refresh()
    drop_race(release, 2026, "monaco")
    world.publish_release(release)
    world.publish_game(with_meeting(reading, "Monaco Grand Prix", is_done=True))
    world.clock = lambda: datetime(2026, 6, 9, 12, tzinfo=UTC)
    world.refresh("f1db")
    world.refresh()
    calendar = read_calendar(world.data_dir)
    assert calendar.get("2026-monaco").is_cancelled
    assert calendar.next_race is not None
    assert calendar.next_race.race_key == "2026-barcelona-catalunya"


def test_the_next_season_waits_for_its_rules_and_holds_nothing_up(world, reading):
    coming = tuple(
        dataclasses.replace(
            one,
            season=2027,
            is_done=False,
            race_date=one.race_date.replace(year=2027),
            starts={session: start.replace(year=2027) for session, start in one.starts.items()},
        )
        for one in reading.meetings
    )
    world.publish_game(FeedData(reading.read_at, coming, (), ()))
    report = world.refresh()
    assert report.notes == ("the game has the schedule of 2027 already; it waits for data/rules/2027.toml",)
    assert "race_results 2026-canada: 44 added" in report.lines


def test_one_who_has_left_and_has_no_team_holds_nothing_up(world, reading):
    state = next(one for one in reading.states if one.player_id == "liam-lawson" and one.total_points is not None)
    gone = dataclasses.replace(
        state, player_id="gone", name="Yuki Tsunoda", first_name="Yuki", last_name="Tsunoda", code="TSU", team_name=""
    )
    gone = dataclasses.replace(gone, is_active=False, total_points=0)
    world.publish_game(dataclasses.replace(reading, states=(*reading.states, gone)))
    assert "official_totals 2026-canada: 33 added" in world.refresh().lines


def test_prices_of_a_race_in_which_nobody_takes_part_are_refused(world, reading):
    world.refresh()

    def is_idle(state: PlayerState) -> PlayerState:
        return dataclasses.replace(state, is_active=state.meeting.name != "Monaco Grand Prix")

    world.publish_game(with_states(reading, is_idle))
    failing(world, SourceError, "expected drivers and constructors that take part in the Monaco Grand Prix, found none")


def test_gamedays_numbered_anew_change_nothing(world, reading):
    """In 2026 every number moved by two when two races were called off."""
    world.refresh()
    before = world.contents()
    world.publish_game(reading, first_gameday=3)
    assert world.refresh().lines == ["nothing new"]
    assert world.contents() == before


def test_a_restated_total_is_told_and_taken(world, reading):
    """Two more overtakes of Piastri in Canada, found days later; McLaren has them too."""
    world.refresh()

    def is_restated(one: PlayerState | FeedItem) -> bool:
        return one.player_id in ("oscar-piastri", "mclaren") and one.meeting.name == "Canadian Grand Prix"

    def more_points(state: PlayerState) -> PlayerState:
        if not is_restated(state) or state.total_points is None:
            return state
        return dataclasses.replace(state, total_points=state.total_points + 2)

    def more_overtakes(item: FeedItem) -> FeedItem:
        if not is_restated(item) or item.scoring_item != "race_overtakes":
            return item
        return dataclasses.replace(item, points=item.points + 2)

    world.publish_game(with_items(with_states(reading, more_points), more_overtakes))
    assert world.refresh().lines == [
        "2026-canada: the total of constructor mclaren was 33, is 35",
        "2026-canada: the total of driver oscar-piastri was 12, is 14",
        "event_scores 2026-canada: 2 changed",
        "official_totals 2026-canada: 2 changed",
    ]


def with_newcomer(reading: FeedData) -> FeedData:
    """Monaco with a reserve in Hulkenberg's car, whom no fact names."""

    def replaced(state: PlayerState) -> PlayerState:
        if state.meeting.name != "Monaco Grand Prix" or state.player_id != "nico-hulkenberg":
            return state
        return dataclasses.replace(
            state, player_id="a-reserve", name="Leo Corsa", first_name="Leo", last_name="Corsa", code="COR"
        )

    return with_states(reading, replaced)


def test_a_newcomer_whom_f1db_describes_has_its_id_and_names(world, release, reading):
    described = dict(release["drivers"][0]) | {"id": "leonardo-corsa", "name": "Leo Corsa", "firstName": "Leo"}
    release["drivers"] += [described | {"lastName": "Corsa", "abbreviation": "COR", "permanentNumber": ""}]
    world.publish_release(release)
    world.publish_game(with_newcomer(reading))
    world.refresh()
    (driver,) = [row for row in rows_of(world.data_dir, "drivers") if row["name"] == "Leo Corsa"]
    assert (driver["driver_id"], driver["date_of_birth"]) == ("leonardo-corsa", described["dateOfBirth"])
    assert len(rows_of(world.data_dir, "drivers")) == 24  # 23 in the facts of 2026 and he


def test_a_newcomer_whom_nobody_describes_is_taken_from_the_feed(world, release, reading):
    world.publish_game(with_newcomer(reading))
    world.refresh()
    (driver,) = [row for row in rows_of(world.data_dir, "drivers") if row["name"] == "Leo Corsa"]
    assert driver == dict(
        zip(
            FACT_TABLES["drivers"].column_names,
            ("leo-corsa", "Leo Corsa", "Leo", "Corsa", "COR", "", "", ""),
            strict=True,
        )
    )
    # a later release knows him under another id: one driver, not two
    described = dict(release["drivers"][0]) | {"id": "leonardo-corsa", "name": "Leo Corsa", "firstName": "Leo"}
    release["drivers"] += [described | {"lastName": "Corsa", "abbreviation": "COR", "permanentNumber": ""}]
    world.publish_release(release)
    world.refresh()
    names = [row["driver_id"] for row in rows_of(world.data_dir, "drivers") if row["name"] == "Leo Corsa"]
    assert names == ["leonardo-corsa"]
    monaco = [row["asset_id"] for row in rows_of(world.data_dir, "prices") if row["race_key"] == "2026-monaco"]
    assert "leonardo-corsa" in monaco
    assert "leo-corsa" not in monaco
    assert world.refresh().lines == ["nothing new"]


def test_an_unknown_event_is_kept_under_its_own_words(world, reading):
    canada = next(one for one in reading.meetings if one.name == "Canadian Grand Prix")
    odd = FeedItem(canada, "lando-norris", "race", UNKNOWN_ITEM, 5, None, "Best Race Start")
    more = dataclasses.replace(reading, items=(*reading.items, odd))
    more = with_states(
        more,
        lambda state: (
            dataclasses.replace(state, total_points=11)
            if state.player_id == "lando-norris" and state.meeting.name == "Canadian Grand Prix"
            else state
        ),
    )
    world.publish_game(more)
    world.refresh()
    (row,) = [row for row in rows_of(world.data_dir, "event_scores") if row["scoring_item"] == UNKNOWN_ITEM]
    assert (row["asset_id"], row["event_type"], row["points"]) == ("lando-norris", "race", "5")
    assert row["source"] == "official feed: Best Race Start +5"


def failing(world: World, error: type[F1PipelineError], match: str, *names: str) -> None:
    """Refresh in vain, and see that every file is as it was."""
    before = world.contents()
    with pytest.raises(error, match=match):
        world.refresh(*names)
    assert world.contents() == before
    assert sorted(path.name for path in world.data_dir.iterdir() if path.is_dir()) == ["rules"]


def test_a_release_older_than_the_facts_is_refused(world):
    world.refresh()
    world.publish_release(release_rows(DATA, through="2026-miami", since=2026))
    failing(world, DataError, r"2026-canada: the F1DB release holds no race results, the facts do; .* older")


def test_a_schedule_older_than_the_facts_is_refused_after_f1db_was_merged(world, reading):
    world.refresh()
    not_done = with_items(with_meeting(reading, "Canadian Grand Prix", is_done=False), lambda item: None)
    world.publish_game(with_states(not_done, lambda state: dataclasses.replace(state, total_points=None)))
    failing(world, DataError, "2026-canada: the facts hold its official points, .* older than the facts")


def test_a_feed_that_contradicts_itself_leaves_f1dbs_results_out_too(world, reading):
    """All or nothing: the release was fine, the feed was not."""
    twin = next(one for one in reading.states if one.player_id == "liam-lawson")
    twin = dataclasses.replace(twin, player_id="a-twin", team_name="Red Bull Racing")
    world.publish_game(dataclasses.replace(reading, states=(*reading.states, twin)))
    failing(world, DataError, "both take part as driver liam-lawson")


def test_a_team_nobody_knows_is_refused(world, reading):
    world.publish_game(
        with_states(
            reading,
            lambda state: (
                dataclasses.replace(state, name="Porsche", team_name="Porsche", code="POR")
                if state.player_id == "audi"
                else state
            ),
        )
    )
    failing(world, DataError, "the feed's team 'Porsche' .* is no constructor that is known")


def test_a_bad_zip_is_refused(world):
    world.server.serve(RELEASE, b"PK\x03\x04 not quite a zip", etag='"bad"')
    failing(world, SourceError, "expected an F1DB CSV release")


def test_a_feed_out_of_reach_changes_nothing(world):
    world.server.answer_always("/feeds/schedule/raceday_en.json", Answer(503))
    failing(world, SourceError, "503 Service Unavailable")


DIES_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from f1_pipeline.sources.download import HttpClient
from f1_pipeline.sources.f1db_source import F1dbSource
from f1_pipeline.sources.publish import COMMITTED
from f1_pipeline.sources.refresh import refresh_facts

data_dir, release = map(Path, sys.argv[1:])
moved = []

def die(event, arguments):
    if event == "os.rename" and COMMITTED in str(arguments[0]):
        moved.append(arguments)
        if len(moved) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
with HttpClient() as client:
    refresh_facts(data_dir, [F1dbSource(str(release), data_dir, client, data_dir)], print)
"""


def test_a_refresh_that_was_killed_is_completed_by_the_next(world, newest, tmp_path):
    release = tmp_path / "made.zip"
    command = [sys.executable, "-c", DIES_IN_THE_MIDDLE, str(world.data_dir), str(release)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = sorted(path.name for path in (world.data_dir / COMMITTED).iterdir())
    assert len(left) == 4  # of six: the README and five files of results
    seen = {name: load_fact_table(world.data_dir, name).to_pylist() for name in RESULTS}
    assert seen == {name: load_fact_table(newest, name).to_pylist() for name in RESULTS}  # whole before its completion
    told = world.refresh("f1db")
    assert "Completing a publication that was interrupted." in world.told
    assert told.lines[0] == "nothing new"
    assert_same_files(world.data_dir, newest, RESULTS)
