"""Reading the official feed over HTTP: few requests, everything kept, renumbered gamedays never mixed up."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from f1_pipeline.errors import DataError, RuleError, SourceError
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.sources.download import HttpClient, Patience
from f1_pipeline.sources.feed import fetch_feed
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedData
from f1_pipeline.sources.feed_history import StatedAsset, stated_assets
from f1_pipeline.sources.received import ReceivedStore
from f1_pipeline_tests.feed_server import PREFIX, Game, serve_game, serve_payload
from f1_pipeline_tests.local_server import Answer, LocalServer
from f1_pipeline_tests.small_game import ANTONELLI, BAHRAIN, JAPAN, MERCEDES, RUSSELL, small_game
from f1_pipeline_tests.support import DATA

SCHEDULE = "/schedule/raceday_en.json"
HASTY = Patience(pause_s=0.0, connect_timeout_s=2.0, read_timeout_s=0.2, attempts=3, first_wait_s=0.001)
AFTER_CHINA = datetime(2026, 3, 16, 12, tzinfo=UTC)
LONG_AFTER = datetime(2026, 5, 30, 12, tzinfo=UTC)
PLAYERSTATS = [f"/popup/playerstats_{player}.json" for player in (RUSSELL, ANTONELLI, MERCEDES)]


class Feed:
    """A server with a game, a store, a clock that goes on a minute with every look at it, and the rules."""

    def __init__(self, server: LocalServer, client: HttpClient, root: Path) -> None:
        self.server, self.client, self.root = server, client, root
        self.rules: dict[int, SeasonRules] = {2026: load_rules(DATA, 2026)}
        self.clock = AFTER_CHINA
        self.said: list[str] = []
        self.has_etags = True

    def serve(self, game: Game) -> None:
        serve_game(self.server, game, self.has_etags)

    def change(self, path: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Alter the payload that is served under a path."""
        payload = json.loads(self.server.document(PREFIX + path).body)
        change(payload)
        serve_payload(self.server, path, json.dumps(payload).encode(), self.has_etags)

    def store(self) -> ReceivedStore:
        return ReceivedStore(self.root, self.said.append)

    def now(self) -> datetime:
        self.clock += timedelta(minutes=1)
        return self.clock

    def fetch(self) -> FeedData:
        """Read the feed, the record of requests starting anew."""
        self.server.forget()
        self.said.clear()
        url = self.server.url + PREFIX
        return fetch_feed(url, self.rules, self.store(), self.client, self.said.append, self.now)

    def asked(self) -> list[str]:
        return [request.path.removeprefix(PREFIX) for request in self.server.asked()]

    def stated(self) -> list[StatedAsset]:
        return stated_assets(self.store(), self.said.append)


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """The feed after China, nothing read yet."""
    with LocalServer() as server, HttpClient(HASTY) as client:
        feed = Feed(server, client, tmp_path / "received")
        feed.serve(small_game())
        yield feed


def points(reading: FeedData) -> dict[str, list[int | None]]:
    """Sort the totals by meeting."""
    found: dict[str, list[int | None]] = {}
    for state in reading.states:
        found.setdefault(state.meeting.name.split()[0], []).append(state.total_points)
    return found


def item_sums(reading: FeedData) -> dict[tuple[str, str], int]:
    """Add up the items by meeting and player."""
    sums: dict[tuple[str, str], int] = {}
    for item in reading.items:
        key = (item.meeting.name.split()[0], item.player_id)
        sums[key] = sums.get(key, 0) + item.points
    return sums


def test_the_first_reading_asks_for_everything_once_in_order(feed: Feed) -> None:
    reading = feed.fetch()
    drivers = [f"/drivers/{gameday_id}_en.json" for gameday_id in (1, 2, 3)]
    assert feed.asked() == [SCHEDULE, *drivers, *PLAYERSTATS, SCHEDULE]
    assert [meeting.name.split()[0] for meeting in reading.meetings] == ["Australian", "Chinese", "Japanese", "Bahrain"]
    assert points(reading) == {"Australian": [39, 32, 96], "Chinese": [45, 68, 115], "Japanese": [None, None, None]}
    assert [state.price_tenths for state in reading.states][-3:] == [280, 238, 299]
    assert item_sums(reading) == {
        ("Australian", RUSSELL): 39,
        ("Chinese", RUSSELL): 45,
        ("Australian", ANTONELLI): 32,
        ("Chinese", ANTONELLI): 68,
        ("Australian", MERCEDES): 96,
        ("Chinese", MERCEDES): 115,
    }
    assert reading.read_at == AFTER_CHINA + timedelta(minutes=1)
    assert "Asking for the points of 3 assets, item by item." in feed.said


def test_a_second_reading_is_the_same_and_asks_only_for_what_may_change(feed: Feed) -> None:
    first = feed.fetch()
    lines = len(feed.store().receipts)
    second = feed.fetch()
    assert dataclasses.replace(second, read_at=first.read_at) == first
    assert second.read_at > first.read_at
    assert feed.asked() == [SCHEDULE, "/drivers/1_en.json", "/drivers/2_en.json", "/drivers/3_en.json", SCHEDULE]
    assert all(request.headers["If-None-Match"] for request in feed.server.asked())
    # nothing was sent again: only that the schedule was confirmed, before and after
    assert [receipt.status for receipt in feed.store().receipts[lines:]] == [304, 304]


def test_races_long_past_are_not_asked_for_again(feed: Feed) -> None:
    feed.fetch()
    feed.clock = LONG_AFTER
    reading = feed.fetch()
    assert feed.asked() == [SCHEDULE, "/drivers/3_en.json", SCHEDULE]
    assert points(reading)["Australian"] == [39, 32, 96]


def test_a_server_without_tags_is_read_all_the_same(feed: Feed) -> None:
    feed.has_etags = False
    feed.serve(small_game())
    first, second = feed.fetch(), feed.fetch()
    assert second.states == first.states
    assert len(feed.store().history("/drivers/1_en.json")) == 2
    assert len(feed.stated()) == 9  # the same content came twice, and is one statement


def test_the_next_race_needs_its_own_payloads_and_the_items_of_all(feed: Feed) -> None:
    feed.serve(small_game(done=1))
    feed.clock = datetime(2026, 3, 9, 12, tzinfo=UTC)
    before = feed.fetch()
    assert points(before) == {"Australian": [39, 32, 96], "Chinese": [None, None, None]}
    assert {item.meeting.name for item in before.items} == {"Australian Grand Prix"}
    feed.serve(small_game())
    feed.clock = AFTER_CHINA
    after = feed.fetch()
    assert points(after)["Chinese"] == [45, 68, 115]
    assert item_sums(after)["Chinese", MERCEDES] == 115
    assert feed.asked()[-4:] == [*PLAYERSTATS, SCHEDULE]


def test_prices_received_before_a_race_are_not_its_points(feed: Feed) -> None:
    feed.serve(small_game(done=1))
    feed.clock = datetime(2026, 3, 9, 12, tzinfo=UTC)
    feed.fetch()
    feed.serve(small_game())
    feed.clock = LONG_AFTER  # China is long past by now, and what is stored of it is from before it
    assert points(feed.fetch())["Chinese"] == [45, 68, 115]
    assert "If-None-Match" not in feed.server.asked(PREFIX + "/drivers/2_en.json")[0].headers


def test_a_race_that_is_called_finished_before_its_points_are_there_is_asked_for_until_they_are(feed: Feed) -> None:
    unscored = small_game(done=1).documents()["/drivers/2_en.json"]
    serve_payload(feed.server, "/drivers/2_en.json", unscored)
    feed.clock = LONG_AFTER
    reading = feed.fetch()
    assert points(reading)["Chinese"] == [None, None, None]
    assert "The feed calls the Chinese Grand Prix finished, and has no points of its race yet." in feed.said
    feed.serve(small_game())
    assert points(feed.fetch())["Chinese"] == [45, 68, 115]


def test_prices_of_the_coming_race_may_be_missing(feed: Feed) -> None:
    feed.server.withdraw(PREFIX + "/drivers/3_en.json")
    assert points(feed.fetch()).keys() == {"Australian", "Chinese"}
    assert "The feed has no prices of the Japanese Grand Prix yet." in feed.said


def test_assets_of_a_finished_race_must_not_be_missing(feed: Feed) -> None:
    feed.server.withdraw(PREFIX + "/drivers/2_en.json")
    with pytest.raises(SourceError, match="404 Not Found; the Chinese Grand Prix is finished, its assets are needed"):
        feed.fetch()


def test_assets_of_a_finished_race_that_go_missing_are_those_received(feed: Feed) -> None:
    first = feed.fetch()
    feed.server.withdraw(PREFIX + "/drivers/2_en.json")
    assert feed.fetch().states == first.states
    assert any("no longer has the Chinese Grand Prix" in text for text in feed.said)


def test_items_that_are_not_there_are_said_to_be_missing(feed: Feed) -> None:
    feed.server.withdraw(PREFIX + PLAYERSTATS[0])
    reading = feed.fetch()
    assert RUSSELL not in {item.player_id for item in reading.items}
    assert points(reading)["Chinese"] == [45, 68, 115]
    assert any(text.startswith("The feed has no items of George Russell: http") for text in feed.said)


def test_a_server_in_trouble_is_waited_for(feed: Feed) -> None:
    feed.server.answer_next(PREFIX + SCHEDULE, Answer(500), Answer(cut_after=20))
    feed.server.answer_next(PREFIX + "/drivers/1_en.json", Answer(503), Answer(stalls=True))
    assert points(feed.fetch())["Chinese"] == [45, 68, 115]


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        (SCHEDULE, Answer(500), "found 500 Internal Server Error, in each of 3 attempts"),
        (SCHEDULE, Answer(stalls=True), "no answer in time, in each of 3 attempts"),
        (SCHEDULE, Answer(200, body=b"<html>Access denied</html>"), "expected JSON, found a web page"),
        (SCHEDULE, Answer(200, body=b'{"Data": {"Value": []}}'), r"Data\.Value: expected a list of at least 1 item"),
        ("/drivers/2_en.json", Answer(cut_after=100), "the answer breaks off before its end, in each of 3 attempts"),
        ("/drivers/2_en.json", Answer(429, {"Retry-After": "900"}), "the server asks to be left alone for 900 s"),
        (
            "/drivers/2_en.json",
            Answer(200, body=b'{"Data": {"Assets": []}}'),
            r"Data\.Value: expected the key, found o",
        ),
        (PLAYERSTATS[1], Answer(200, body=b'{"Value": {"PlayerId": 1}}'), r"PlayerSkill: expected the key"),
    ],
)
def test_a_reading_that_fails_keeps_what_came_and_goes_on_from_there(
    feed: Feed, path: str, answer: Answer, message: str
) -> None:
    feed.server.answer_always(PREFIX + path, answer)
    with pytest.raises(SourceError, match=f"{path}: .*{message}"):
        feed.fetch()
    before_it = feed.asked()[: feed.asked().index(path)]
    assert {receipt.path for receipt in feed.store().receipts if receipt.path != path} == set(before_it)
    feed.server.answer_always(PREFIX + path, Answer())
    assert points(feed.fetch())["Chinese"] == [45, 68, 115]
    again = [request for request in feed.server.asked() if request.path.removeprefix(PREFIX) in before_it]
    assert all(request.headers["If-None-Match"] for request in again)


def test_what_was_refused_is_kept_as_it_came(feed: Feed) -> None:
    feed.server.answer_always(PREFIX + SCHEDULE, Answer(200, {"ETag": '"page"'}, b"<html>Access denied</html>"))
    with pytest.raises(SourceError):
        feed.fetch()
    (receipt,) = feed.store().history(SCHEDULE)
    assert feed.store().read(receipt) == b"<html>Access denied</html>"
    feed.server.answer_always(PREFIX + SCHEDULE, Answer())
    feed.fetch()
    assert "If-None-Match" not in feed.server.asked(PREFIX + SCHEDULE)[0].headers
    assert "is not used: " in feed.said[1]


def test_what_was_refused_is_left_out_of_the_history(feed: Feed) -> None:
    feed.server.answer_next(PREFIX + "/drivers/2_en.json", Answer(200, body=b"<html>Access denied</html>"))
    with pytest.raises(SourceError):
        feed.fetch()
    feed.fetch()
    assert [row.meeting_name.split()[0] for row in feed.stated()] == ["Australian"] * 3 + ["Chinese"] * 3 + [
        "Japanese"
    ] * 3
    assert "is left out: " in feed.said[-1]


def restate(feed: Feed, total: int, overtakes: int) -> None:
    """Correct Antonelli's overtakes in China, 2 at first, and with them his total, 68 at first."""
    game = small_game()
    player, events = game.weekends[2][ANTONELLI]
    game.add(2, dataclasses.replace(player, points=total), [*events[:-1], ("race overtake bonus", "", overtakes)])
    feed.serve(game)


def test_a_restated_total_brings_its_items_and_both_stay_in_the_history(feed: Feed) -> None:
    feed.fetch()
    restate(feed, total=70, overtakes=4)
    reading = feed.fetch()
    assert points(reading)["Chinese"] == [45, 70, 115]
    assert item_sums(reading)["Chinese", ANTONELLI] == 70
    assert feed.asked()[-2:] == [PLAYERSTATS[1], SCHEDULE]
    first, second = feed.store().history("/drivers/2_en.json")
    assert first.sha256 != second.sha256
    assert first.received_at < second.received_at
    of_him = [row for row in feed.stated() if (row.player_id, row.meeting_name) == (ANTONELLI, "Chinese Grand Prix")]
    assert [(row.total_points, row.received_at) for row in of_him] == [
        (68, first.received_at),
        (70, second.received_at),
    ]


def test_a_correction_of_a_race_long_past_is_found_with_the_items_of_the_next_one(feed: Feed) -> None:
    feed.fetch()
    game = small_game()
    game.meetings[2] = dataclasses.replace(JAPAN, is_done=True)
    for player_id, total in ((RUSSELL, 27), (ANTONELLI, 50), (MERCEDES, 92)):
        player, _ = game.weekends[3][player_id]
        game.add(3, dataclasses.replace(player, points=total), [("Race Position", "-", total)])
    player, events = game.weekends[1][RUSSELL]
    game.add(1, dataclasses.replace(player, points=41), [*events[:-1], ("race overtake bonus", "6", 6)])
    feed.serve(game)
    feed.clock = LONG_AFTER
    reading = feed.fetch()
    assert points(reading) == {"Australian": [41, 32, 96], "Chinese": [45, 68, 115], "Japanese": [27, 50, 92]}
    assert feed.asked()[1] == "/drivers/3_en.json"
    assert feed.asked()[-2:] == ["/drivers/1_en.json", SCHEDULE]
    assert "The points of the Australian Grand Prix were corrected: asking for them again." in feed.said


def test_items_that_lag_behind_a_restated_total_are_asked_for_each_time(feed: Feed) -> None:
    feed.fetch()
    feed.change("/drivers/2_en.json", lambda load: load["Data"]["Value"][1].update(GamedayPoints="70.00"))
    reading = feed.fetch()
    assert (points(reading)["Chinese"][1], item_sums(reading)["Chinese", ANTONELLI]) == (70, 68)
    feed.fetch()
    assert feed.asked()[-2:] == [PLAYERSTATS[1], SCHEDULE]
    assert feed.server.asked(PREFIX + PLAYERSTATS[1])[0].headers["If-None-Match"]


def test_an_idle_asset_without_points_needs_no_items(feed: Feed) -> None:
    game = small_game()
    for gameday_id in (1, 2):
        player, _ = game.weekends[gameday_id][RUSSELL]
        game.add(gameday_id, dataclasses.replace(player, points=0, is_active=False))
    feed.serve(game)
    feed.change(PLAYERSTATS[0], lambda load: load["Value"].update(GamedayWiseStats=[]))
    feed.fetch()
    feed.fetch()
    assert PLAYERSTATS[0] not in feed.asked()


def test_an_event_never_seen_before_is_not_lost(feed: Feed) -> None:
    game = small_game()
    player, events = game.weekends[2][MERCEDES]
    added = dataclasses.replace(player, points=130)
    game.add(2, added, [*events, ("Pitstop World Record", "-", 15)])
    feed.serve(game)
    (unknown,) = [item for item in feed.fetch().items if item.scoring_item == UNKNOWN_ITEM]
    assert (unknown.event_name, unknown.points, unknown.event_type) == ("Pitstop World Record", 15, "race")
    assert unknown.meeting.name == "Chinese Grand Prix"


def renumbered(game: Game) -> Game:
    """Put a race before the first: Australia becomes gameday 2, China 3, Japan 4, and Bahrain is called off."""
    first = dataclasses.replace(BAHRAIN, gameday_id=1, name="Early Grand Prix")
    early = dataclasses.replace(
        first, starts={"qualifying": "2026-02-27T15:00:00+03:00", "race": "2026-02-28T15:00:00+03:00"}, is_done=True
    )
    moved = [dataclasses.replace(meeting, gameday_id=meeting.gameday_id + 1) for meeting in game.meetings[:3]]
    made = Game([early, *moved])
    for gameday_id, assets in game.weekends.items():
        for player, events in assets.values():
            made.add(gameday_id + 1, player, events)
    for player, _ in game.weekends[1].values():
        made.add(1, dataclasses.replace(player, points=7, session_points={}), [("Race Position", "7th", 7)])
    return made


def test_renumbered_gamedays_are_read_anew_and_never_mixed_up(feed: Feed) -> None:
    before = feed.fetch()
    feed.serve(renumbered(small_game()))
    feed.clock = LONG_AFTER
    after = feed.fetch()
    expected = {"Early": [7, 7, 7], "Australian": [39, 32, 96], "Chinese": [45, 68, 115]}
    assert points(after) == expected | {"Japanese": [None, None, None]}
    assert [item for item in after.items if item.meeting.name != "Early Grand Prix"] == list(before.items)
    drivers = [f"/drivers/{gameday_id}_en.json" for gameday_id in (1, 2, 3, 4)]
    assert feed.asked() == [SCHEDULE, *drivers, *PLAYERSTATS, SCHEDULE]
    # under another number a tag proves nothing
    assert [request.headers["If-None-Match"] for request in feed.server.asked()[1:-1]] == [None] * 7
    feed.fetch()
    assert feed.asked() == [SCHEDULE, "/drivers/4_en.json", SCHEDULE]


def test_the_history_keeps_the_meaning_that_a_number_had(feed: Feed) -> None:
    feed.fetch()
    feed.serve(renumbered(small_game()))
    feed.fetch()
    russell = [row for row in feed.stated() if row.player_id == RUSSELL]
    assert [(row.meeting_name.split()[0], row.race_date, row.total_points, row.price_tenths) for row in russell] == [
        ("Australian", date(2026, 3, 8), 39, 274),
        ("Chinese", date(2026, 3, 15), 45, 277),
        ("Japanese", date(2026, 3, 29), None, 280),
        ("Early", date(2026, 2, 28), 7, 274),
        ("Australian", date(2026, 3, 8), 39, 274),
        ("Chinese", date(2026, 3, 15), 45, 277),
        ("Japanese", date(2026, 3, 29), None, 280),
    ]


def test_gamedays_that_are_renumbered_while_they_are_read_are_refused(feed: Feed) -> None:
    later = renumbered(small_game()).documents()
    for path in PLAYERSTATS:
        serve_payload(feed.server, path, later[path])
    message = r"gameday 1: expected the Australian Grand Prix of 2026 .* found Early Grand Prix; .* try again later"
    with pytest.raises(SourceError, match=message):
        feed.fetch()
    feed.serve(renumbered(small_game()))
    assert points(feed.fetch())["Early"] == [7, 7, 7]


def test_gamedays_that_are_renumbered_behind_the_last_payload_are_refused(feed: Feed) -> None:
    later = renumbered(small_game()).documents()
    feed.server.answer_next(PREFIX + SCHEDULE, Answer(), Answer(200, body=later[SCHEDULE]))
    with pytest.raises(SourceError, match=r"raceday_en\.json: the gamedays were renumbered while they were read"):
        feed.fetch()
    assert feed.stated() == []  # of which race those payloads are, nobody can tell
    assert len(feed.said) >= 3


def test_points_of_another_gameday_number_are_refused_where_their_sessions_tell(feed: Feed) -> None:
    china = small_game().documents()["/drivers/2_en.json"]
    serve_payload(feed.server, "/drivers/1_en.json", china)
    with pytest.raises(
        SourceError, match=r"drivers/1_en\.json: SessionWisePoints: expected the sessions of the Australian Grand Prix"
    ):
        feed.fetch()


def test_totals_of_another_race_are_refused_by_the_items(feed: Feed) -> None:
    """A server on the way still has Australia's payload where China's is by now; the sessions do not tell."""
    feed.fetch()

    def other_totals(load: dict[str, Any]) -> None:
        for row, total in zip(load["Data"]["Value"], (39, 32, 96), strict=True):
            row["GamedayPoints"] = f"{total}.00"

    feed.change("/drivers/2_en.json", other_totals)
    message = "expected the totals of the Chinese Grand Prix, found others than its items have for 3 of 3 assets"
    with pytest.raises(SourceError, match=message):
        feed.fetch()


def test_a_race_that_is_called_off_and_one_that_moves_are_taken_from_the_schedule(feed: Feed) -> None:
    feed.fetch()
    game = small_game()
    moved = {session: start.replace("2026-03", "2026-04") for session, start in JAPAN.starts.items()}
    game.meetings = [*game.meetings[:2], dataclasses.replace(JAPAN, starts=moved)]  # Bahrain is gone
    feed.serve(game)
    reading = feed.fetch()
    assert [(meeting.name.split()[0], meeting.race_date) for meeting in reading.meetings] == [
        ("Australian", date(2026, 3, 8)),
        ("Chinese", date(2026, 3, 15)),
        ("Japanese", date(2026, 4, 29)),
    ]
    assert points(reading)["Japanese"] == [None, None, None]


def test_a_race_that_was_passed_over_is_not_the_next_one(feed: Feed) -> None:
    game = small_game()
    game.meetings[0] = dataclasses.replace(game.meetings[0], is_done=False)
    feed.serve(game)
    feed.fetch()
    assert feed.asked()[1:3] == ["/drivers/2_en.json", "/drivers/3_en.json"]


def test_before_the_first_race_there_are_prices(feed: Feed) -> None:
    game = small_game(done=1)
    game.meetings[0] = dataclasses.replace(game.meetings[0], is_done=False)
    feed.serve(game)
    reading = feed.fetch()
    assert points(reading) == {"Australian": [None, None, None]}
    assert reading.items == ()


def test_after_the_last_race_there_is_none_to_come(feed: Feed) -> None:
    game = small_game()
    game.meetings = game.meetings[:2]
    feed.serve(Game(game.meetings, {number: game.weekends[number] for number in (1, 2)}))
    assert points(feed.fetch()).keys() == {"Australian", "Chinese"}


def test_a_season_without_rules_is_refused_before_anything_else_is_asked(feed: Feed) -> None:
    feed.rules = {2027: load_rules(DATA, 2026)}
    with pytest.raises(RuleError, match="no rules for 2026"):
        feed.fetch()
    assert feed.asked() == [SCHEDULE]


def test_a_season_to_come_waits_for_its_rules(feed: Feed) -> None:
    feed.rules = {2025: load_rules(DATA, 2025)}
    reading = feed.fetch()
    assert (len(reading.meetings), reading.states, reading.items) == (4, (), ())
    assert feed.asked() == [SCHEDULE]


def test_the_feed_is_asked_one_thing_at_a_time_with_a_pause_between(feed: Feed) -> None:
    with HttpClient(dataclasses.replace(HASTY, pause_s=0.02)) as polite:
        feed.client = polite
        feed.fetch()
    asked = feed.server.asked()
    assert feed.server.most_at_once == 1
    assert len(asked) == 8
    assert all(later.asked_s - (earlier.answered_s or 0.0) >= 0.02 for earlier, later in pairwise(asked))
    assert {request.headers["User-Agent"].split("/")[0] for request in asked} == {"f1-pipeline"}


def test_a_stored_payload_that_was_damaged_is_asked_for_again(feed: Feed) -> None:
    feed.fetch()
    (receipt,) = feed.store().history("/drivers/1_en.json")
    (path,) = feed.root.rglob(f"{receipt.sha256}.gz")
    path.write_bytes(b"not packed")
    feed.clock = LONG_AFTER
    assert points(feed.fetch())["Australian"] == [39, 32, 96]
    assert "/drivers/1_en.json" in feed.asked()
    assert feed.store().read(receipt)  # it is whole again


def test_a_line_that_a_crash_left_half_written_is_passed_over_and_repaired(feed: Feed) -> None:
    feed.fetch()
    index = feed.root / "feed" / "index.jsonl"
    whole = index.read_bytes()
    index.write_bytes(whole + b'{"path": "/drivers/9_en')
    store = feed.store()
    assert len(store.receipts) == 8
    assert "is half written" in feed.said[-1]
    feed.fetch()
    assert index.read_bytes().startswith(whole)
    assert len(feed.store().receipts) == 10
    assert not any("half written" in text for text in feed.said[1:])


def test_an_index_that_was_damaged_is_refused_with_the_line(feed: Feed) -> None:
    feed.fetch()
    index = feed.root / "feed" / "index.jsonl"
    lines = index.read_bytes().split(b"\n")
    lines[2] = b"{}"
    index.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=r"index\.jsonl line 3: expected a receipt, found b'{}'"):
        feed.fetch()


def test_a_folder_that_cannot_be_written_is_named(feed: Feed) -> None:
    feed.root.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"received/feed: payloads cannot be kept: Not a directory"):
        feed.fetch()


def test_looking_into_a_store_that_is_not_there_makes_none(feed: Feed) -> None:
    assert feed.stated() == []
    assert not feed.root.exists()


def test_the_same_content_is_kept_once(feed: Feed) -> None:
    feed.has_etags = False
    feed.serve(small_game())
    feed.fetch()
    files = sorted(feed.root.rglob("*.gz"))
    feed.fetch()
    assert sorted(feed.root.rglob("*.gz")) == files
    assert len(files) == 7
