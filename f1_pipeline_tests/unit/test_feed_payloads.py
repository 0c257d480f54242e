"""Reading payloads of the official feed: what they mean, and what is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_pipeline.errors import SourceError
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedItem, Meeting, PlayerState
from f1_pipeline.sources.feed_events import Event, name_items
from f1_pipeline.sources.feed_payloads import PlayerStats, check_meetings, items_of, read_drivers, read_playerstats
from f1_pipeline.sources.feed_schedule import read_schedule
from f1_pipeline.sources.tables_game import SCORING_ITEMS
from f1_pipeline_tests.feed_server import (
    EVENT_LABELS,
    GameMeeting,
    GamePlayer,
    as_json,
    drivers_payload,
    feed_event,
    playerstats_payload,
    schedule_payload,
)
from f1_pipeline_tests.small_game import ANTONELLI, AUSTRALIA, BAHRAIN, CHINA, JAPAN, MERCEDES, RUSSELL, small_game
from f1_pipeline_tests.support import DATA, REPO

URL = "https://fantasy.formula1.com/feeds/some.json"
SAMPLES = REPO.parent / "shared" / "data" / "official_feed_samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no payloads of the real feed at {SAMPLES}")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def rules() -> dict[int, SeasonRules]:
    return {season: load_rules(DATA, season) for season in (2024, 2026)}


@pytest.fixture(scope="module")
def schedule() -> dict[int, Meeting]:
    return read_schedule(as_json(schedule_payload(small_game().meetings)), URL)


def payloads() -> dict[str, dict[str, Any]]:
    return {path: json.loads(body) for path, body in small_game().documents().items()}


def stats_of(player_id: str) -> PlayerStats:
    body = as_json(payloads()[f"/popup/playerstats_{player_id}.json"])
    return read_playerstats(body, URL, player_id)


def scored(events: list[tuple[str, int]], rules: SeasonRules) -> list[tuple[str, str, int, str]]:
    """Name events given as name and points: session, item, points, the feed's own words."""
    named = name_items([Event(name, points, None) for name, points in events], rules)
    return [(one.event_type, one.scoring_item, one.event.points, one.event.name) for one in named]


def test_a_meeting_has_its_starts_in_utc_and_its_local_day(schedule: dict[int, Meeting]) -> None:
    assert list(schedule) == [1, 2, 3, 4]
    assert schedule[2] == Meeting(
        season=2026,
        name="Chinese Grand Prix",
        race_date=date(2026, 3, 15),
        starts={
            "sprint": datetime(2026, 3, 14, 3, tzinfo=UTC),
            "qualifying": datetime(2026, 3, 14, 7, tzinfo=UTC),
            "race": datetime(2026, 3, 15, 7, tzinfo=UTC),
        },
        is_done=True,
    )
    assert [meeting.is_done for meeting in schedule.values()] == [True, True, False, False]


def test_a_night_race_in_america_keeps_its_local_day() -> None:
    vegas = GameMeeting(
        22,
        "Las Vegas Grand Prix",
        {"qualifying": "2026-11-20T20:00:00-08:00", "race": "2026-11-21T20:00:00-08:00"},
    )
    (meeting,) = read_schedule(as_json(schedule_payload([vegas])), URL).values()
    assert meeting.race_date == date(2026, 11, 21)
    assert meeting.starts["race"] == datetime(2026, 11, 22, 4, tzinfo=UTC)


def test_meetings_stand_in_the_order_of_their_races_whatever_their_numbers() -> None:
    renumbered = [dataclasses.replace(JAPAN, gameday_id=1), dataclasses.replace(AUSTRALIA, gameday_id=7)]
    assert list(read_schedule(as_json(schedule_payload(renumbered)), URL)) == [7, 1]


def test_an_asset_has_its_price_points_and_owners(schedule: dict[int, Meeting]) -> None:
    states = read_drivers(as_json(payloads()["/drivers/2_en.json"]), URL, schedule[2])
    assert states[1] == PlayerState(
        meeting=schedule[2],
        player_id=ANTONELLI,
        asset_type="driver",
        name="Kimi Antonelli",
        first_name="Kimi",
        last_name="Antonelli",
        code="ANT",
        team_name="Mercedes",
        is_active=True,
        price_tenths=235,
        total_points=68,
        selected_pct=20.0,
        boosted_pct=9.0,
    )
    mercedes = states[2]
    assert (mercedes.asset_type, mercedes.name, mercedes.team_name) == ("constructor", "Mercedes", "Mercedes")
    assert (mercedes.price_tenths, mercedes.total_points) == (296, 115)


def test_a_coming_race_has_prices_and_no_points(schedule: dict[int, Meeting]) -> None:
    states = read_drivers(as_json(payloads()["/drivers/3_en.json"]), URL, schedule[3])
    assert [(state.price_tenths, state.total_points) for state in states] == [(280, None), (238, None), (299, None)]


def test_a_payload_from_before_the_race_has_no_final_points(schedule: dict[int, Meeting]) -> None:
    finished = dataclasses.replace(schedule[3], is_done=True)
    states = read_drivers(as_json(payloads()["/drivers/3_en.json"]), URL, finished)
    assert [state.total_points for state in states] == [None, None, None]


def test_points_of_a_race_that_still_runs_are_not_taken_for_final(schedule: dict[int, Meeting]) -> None:
    running = dataclasses.replace(schedule[2], is_done=False)
    states = read_drivers(as_json(payloads()["/drivers/2_en.json"]), URL, running)
    assert [state.total_points for state in states] == [None, None, None]


def test_blanks_are_no_values(schedule: dict[int, Meeting]) -> None:
    payload = payloads()["/drivers/2_en.json"]
    idle = payload["Data"]["Value"][0]
    idle |= {"IsActive": "0", "GamedayPoints": "", "SelectedPercentage": " ", "CaptainSelectedPercentage": None}
    state = read_drivers(as_json(payload), URL, schedule[2])[0]
    assert (state.is_active, state.total_points, state.selected_pct, state.boosted_pct) == (False, None, None, None)


def test_numbers_are_numbers_and_ids_are_text_however_they_are_written(schedule: dict[int, Meeting]) -> None:
    payload = payloads()["/drivers/2_en.json"]
    payload["Data"]["Value"][0] |= {
        "PlayerId": 124,
        "Skill": "1",
        "Value": "27.70",
        "GamedayPoints": 45,
        "SelectedPercentage": 31.5,
        "IsActive": 1,
    }
    state = read_drivers(as_json(payload), URL, schedule[2])[0]
    assert (state.player_id, state.asset_type, state.price_tenths) == (RUSSELL, "driver", 277)
    assert (state.total_points, state.selected_pct, state.is_active) == (45, 31.5, True)


def test_items_carry_places_of_drivers_and_none_of_constructors(
    schedule: dict[int, Meeting], rules: dict[int, SeasonRules]
) -> None:
    items = items_of(stats_of(ANTONELLI), schedule, rules)
    of_china = [item for item in items if item.meeting.name == "Chinese Grand Prix"]
    assert sum(item.points for item in of_china) == 68
    assert FeedItem(schedule[2], ANTONELLI, "sprint", "sprint_position", 4, 5, "Sprint Position") in of_china
    assert FeedItem(schedule[2], ANTONELLI, "race", "race_overtakes", 2, None, "race overtake bonus") in of_china
    assert FeedItem(schedule[2], ANTONELLI, "race", "driver_of_the_day", 10, None, "Driver Of The Day") in of_china
    places = {item.scoring_item: item.position for item in items_of(stats_of(MERCEDES), schedule, rules)}
    assert places["race_position"] is None
    assert set(places.values()) == {None}


def test_a_total_of_zero_is_left_out_and_read_all_the_same() -> None:
    done = dataclasses.replace(AUSTRALIA, is_done=True)
    player = GamePlayer("1", 1, "A", "B", "AAB", "T", 5.0)
    payload = playerstats_payload([(done, player, [("race overtake bonus", "5", 5), ("QF not classified", "-", -5)])])
    assert [row["Event"] for row in payload["Value"]["GamedayWiseStats"][0]["StatsWise"]] == [
        "race overtake bonus",
        "QF not classified",
    ]
    assert read_playerstats(as_json(payload), URL, "1").weekends[1].total_points == 0


def test_every_item_of_the_rules_of_2026_has_a_name_in_the_feed(rules: dict[int, SeasonRules]) -> None:
    for item, label in EVENT_LABELS.items():
        ((_, found, _, _),) = scored([(label, 1)], rules[2026])
        assert found == item.replace("pit_stop_total", "pit_stop_fastest_time")
    never_in_2026 = {"pit_stop_second_fastest", "pit_stop_third_fastest"}
    never_in_the_feed = {"weekend_overtakes", UNKNOWN_ITEM}
    assert set(SCORING_ITEMS) - EVENT_LABELS.keys() == never_in_2026 | never_in_the_feed


@pytest.mark.parametrize(
    ("name", "event_type", "scoring_item"),
    [
        ("RACE POSITION", "race", "race_position"),
        (" Race not classified ", "race", "race_not_classified"),
        ("Sprint positions gained", "sprint", "sprint_positions_gained"),
        ("Sprint Position  Lost", "sprint", "sprint_positions_lost"),
        ("Both Drivers Q3", "qualifying", "both_drivers_q3"),
        ("Both Driver Q2", "qualifying", "both_drivers_q2"),
        ("One Drivers Q3", "qualifying", "one_driver_q3"),
        ("no driver q2", "qualifying", "no_driver_q2"),
        ("DQ qualifying", "qualifying", "qualifying_disqualified"),
        ("dq race", "race", "race_disqualified"),
        ("Sprint Not Classified", "sprint", "sprint_not_classified"),
        ("Driver of the Day", "race", "driver_of_the_day"),
        ("Overall Fastest Pit Stop", "race", "pit_stop_overall_fastest"),
    ],
)
def test_names_are_compared_without_case_number_and_blanks(
    rules: dict[int, SeasonRules], name: str, event_type: str, scoring_item: str
) -> None:
    assert scored([(name, 7)], rules[2026]) == [(event_type, scoring_item, 7, name)]


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("Sprint Qualifying lap record", "sprint"),
        ("Qualifying lap record", "qualifying"),
        ("Both cars out in Q1", "qualifying"),
        ("Car of the season", "race"),
        ("New World Record Pitstop", "race"),
    ],
)
def test_a_name_never_seen_before_is_kept_in_its_own_words(
    rules: dict[int, SeasonRules], name: str, event_type: str
) -> None:
    assert scored([(name, 15), (name, 3)], rules[2026]) == [
        (event_type, UNKNOWN_ITEM, 15, name),
        (event_type, UNKNOWN_ITEM, 3, name),
    ]


def test_pit_stops_of_2026_are_a_time_band_and_an_extra(rules: dict[int, SeasonRules]) -> None:
    assert scored([("Fastest Pitstop", 10), ("2nd Fastest Pitstop", 5)], rules[2026]) == [
        ("race", "pit_stop_fastest_time", 10, "Fastest Pitstop"),
        ("race", "pit_stop_overall_fastest", 5, "2nd Fastest Pitstop"),
    ]


def test_pit_stops_of_2024_are_the_three_fastest(rules: dict[int, SeasonRules]) -> None:
    events = [("Fastest Pitstop", 10), ("2nd Fastest Pitstop", 5), ("3rd Fastest Pitstop", 3)]
    assert [item for _, item, _, _ in scored(events, rules[2024])] == [
        "pit_stop_fastest_time",
        "pit_stop_second_fastest",
        "pit_stop_third_fastest",
    ]


@pytest.mark.parametrize(
    ("points", "band", "extra"),
    [((10, 5), 10, 5), ((5, 10), 10, 5), ((5, 5), 5, 5), ((5, 20), 20, 5), ((2, 5), 2, 5), ((20, 20), 20, 20)],
)
def test_two_pit_stops_under_one_label_both_survive(
    rules: dict[int, SeasonRules], points: tuple[int, int], band: int, extra: int
) -> None:
    found = scored([("Fastest Pitstop", value) for value in points], rules[2026])
    assert {item: value for _, item, value, _ in found} == {
        "pit_stop_fastest_time": band,
        "pit_stop_overall_fastest": extra,
    }


def test_events_that_share_a_label_are_one_item_with_their_sum(rules: dict[int, SeasonRules]) -> None:
    assert scored([("Race not classified", -20), ("Race not classified ", -20)], rules[2026]) == [
        ("race", "race_not_classified", -40, "Race not classified")
    ]
    assert scored([("Fastest Pitstop", 10), ("Fastest Pitstop", 2)], rules[2026]) == [
        ("race", "pit_stop_fastest_time", 12, "Fastest Pitstop")
    ]


def with_change(path: str, change: Change) -> bytes:
    payload = payloads()[path]
    change(payload)
    return as_json(payload)


def first_row(payload: dict[str, Any]) -> dict[str, Any]:
    return payload["Data"]["Value"][0]


SCHEDULE_CHANGES: list[tuple[Change, str]] = [
    (lambda load: load.update(Data=[]), r"Data: expected .*, found \[\]"),
    (lambda load: load.pop("Data"), "Data: expected the key, found only nothing$"),
    (lambda load: load["Data"].update(Value=[]), r"Data\.Value: expected .*at least 1 item.*, found \[\]"),
    (lambda load: load["Data"].update(Value=None), r"Data\.Value: expected a valid list, found None"),
    (
        lambda load: first_row(load).pop("GDStatus"),
        r"Data\.Value\[0\]\.GDStatus: expected the key, found none, the nearest is MatchStatus$",
    ),
    (lambda load: first_row(load).update(GamedayId="one"), r"Data\.Value\[0\]\.GamedayId: expected .*integer.*'one'"),
    (
        lambda load: first_row(load).update(SessionStartDateISO8601=1772859600),
        r".*expected a time written as ISO 8601 with its offset, found 1772859600$",
    ),
    (
        lambda load: first_row(load).update(SessionStartDateISO8601="2026-03-07T16:00:00"),
        r".*SessionStartDateISO8601: expected a value with timezone info, found '2026-03-07T16:00:00'$",
    ),
    (
        lambda load: first_row(load).update(MeetingName=" "),
        r".*MeetingName: expected text of at least 1 character, found ''$",
    ),
    (lambda load: first_row(load).update(SessionType="Shootout"), "gameday 1: SessionType: expected Qual.*'Shootout'"),
    (lambda load: first_row(load).update(SessionType="Race"), "gameday 1: expected one race of the Australian.*two"),
    (lambda load: load["Data"]["Value"].pop(1), "gameday 1: expected a Race of the Australian .*only qualifying"),
    (
        lambda load: first_row(load).update(SessionStartDateISO8601="9999-12-31T23:00:00-05:00"),
        "gameday 1: SessionStartDateISO8601: expected a day of 2026, found 9999-12-31",
    ),
    (lambda load: first_row(load).update(MeetingName="Other"), "gameday 1: expected one season, MeetingName and GDS"),
]


@pytest.mark.parametrize(("change", "message"), SCHEDULE_CHANGES)
def test_a_schedule_that_is_none_is_refused(change: Change, message: str) -> None:
    with pytest.raises(SourceError, match=f"^{URL}: {message}"):
        read_schedule(with_change("/schedule/raceday_en.json", change), URL)


DRIVERS_CHANGES: list[tuple[Change, str]] = [
    (
        lambda load: first_row(load).update(FullName=first_row(load).pop("FUllName")),
        r"Data\.Value\[0\]\.FUllName: expected the key, found none, the nearest is FullName$",
    ),
    (lambda load: first_row(load).update(Value="free"), r"Data\.Value\[0\]\.Value: expected a valid decimal, .*'free'"),
    (lambda load: first_row(load).update(Value=0), r"Data\.Value\[0\]\.Value: expected greater than 0, found 0"),
    (lambda load: first_row(load).update(Value=12.25), r"Value\[0\] \(George Russell\): Value: expected .*12\.25"),
    (lambda load: first_row(load).update(Skill=3), r"Data\.Value\[0\]\.Skill: expected less than or equal to 2"),
    (lambda load: first_row(load).update(GamedayPoints="45.50"), r"Value\[0\]\.GamedayPoints: expected .*'45\.50'"),
    (
        lambda load: first_row(load).update(GamedayPoints=""),
        r"\(George Russell\): GamedayPoints: expected .*found none",
    ),
    (lambda load: first_row(load).update(IsActive="maybe"), r"IsActive: expected a valid boolean.*, found 'maybe'"),
    (lambda load: first_row(load).update(SelectedPercentage="101"), "SelectedPercentage: .* 100, found '101'"),
    (lambda load: first_row(load).update(PlayerId=ANTONELLI), r"Value\[1\] \(Kimi Antonelli\): expected another Play"),
    (lambda load: load["Data"].update(Value=[]), r"Data\.Value: expected"),
    (
        lambda load: load["Meta"].update(Success=False, Message="Maintenance"),
        r"Meta\.Success: expected true, found false \('Maintenance'\)",
    ),
    (
        lambda load: [row["SessionWisePoints"].pop(0) for row in load["Data"]["Value"]],
        r"SessionWisePoints: expected the sessions of the Chinese .*found qualifying, race; .* try again later$",
    ),
    (
        lambda load: first_row(load)["SessionWisePoints"][0].update(sessiontype="Warm-up"),
        "SessionWisePoints of George Russell: expected Qualifying, Sprint Qualifying or Race, found 'Warm-up'",
    ),
    (
        lambda load: [row.pop("DriverTLA") for row in load["Data"]["Value"]],
        r"Data\.Value\[0\]\.DriverTLA: expected the key, found only PlayerId, Skill, .*; 2 more like it$",
    ),
]


@pytest.mark.parametrize(("change", "message"), DRIVERS_CHANGES)
def test_assets_that_are_none_are_refused(schedule: dict[int, Meeting], change: Change, message: str) -> None:
    with pytest.raises(SourceError, match=f"^{URL}: .*{message}"):
        read_drivers(with_change("/drivers/2_en.json", change), URL, schedule[2])


def test_sprint_points_of_a_meeting_without_a_sprint_are_refused(schedule: dict[int, Meeting]) -> None:
    body = as_json(payloads()["/drivers/2_en.json"])
    with pytest.raises(SourceError, match=r"sessions of the Australian .*found sprint, .*may be renumbering"):
        read_drivers(body, URL, schedule[1])


STATS_CHANGES: list[tuple[Change, str]] = [
    (lambda load: load["Value"].pop("GamedayWiseStats"), r"Value\.GamedayWiseStats: expected the key"),
    (lambda load: load.update(Value={}), r"Value\.PlayerId: expected the key"),
    (lambda load: load["Value"].update(PlayerId=1), r"Value\.PlayerId: expected 124, found 1$"),
    (
        lambda load: load["Value"]["GamedayWiseStats"][0]["StatsWise"][1].pop("Value"),
        r"Value\.GamedayWiseStats\[0\]\.StatsWise\[1\]\.Value: expected the key, found only Frequency, Event",
    ),
    (
        lambda load: load["Value"]["GamedayWiseStats"][0]["StatsWise"][1].update(Frequency="P1"),
        "gameday 1: Frequency of 'Race Position': expected a place such as 1st, found 'P1'",
    ),
    (
        lambda load: load["Value"]["GamedayWiseStats"].append(load["Value"]["GamedayWiseStats"][0]),
        "gameday 1: expected it once in GamedayWiseStats, found it twice",
    ),
    (
        lambda load: load["Value"]["GamedayWiseStats"][0]["StatsWise"].append(
            {"Event": "total ", "Frequency": "-", "Value": 1}
        ),
        r"gameday 1: expected one Total, found \[39, 1\]",
    ),
]


@pytest.mark.parametrize(("change", "message"), STATS_CHANGES)
def test_items_that_are_none_are_refused(change: Change, message: str) -> None:
    with pytest.raises(SourceError, match=f"^{URL}: {message}"):
        read_playerstats(with_change(f"/popup/playerstats_{RUSSELL}.json", change), URL, RUSSELL)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"<!DOCTYPE html><html><body>Access denied</body></html>", "a web page .'<!DOCTYPE html><html><body>Access"),
        (b"", "nothing$"),
        (b'{"Data": {"Value": [', '\'{"Data"'),
        (b"\xff\xfe\xfa", "'"),
        (b"[" * 100_000, "'"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, found: str) -> None:
    with pytest.raises(SourceError, match=f"^{URL}: expected JSON, found {found}"):
        read_schedule(body, URL)


def test_json_of_another_kind_is_refused() -> None:
    with pytest.raises(SourceError, match=f"^{URL}: the payload: expected a valid dictionary.*, found 7$"):
        read_schedule(b"7", URL)


def test_items_numbered_otherwise_than_the_schedule_are_refused(schedule: dict[int, Meeting]) -> None:
    stats = stats_of(RUSSELL)
    check_meetings(stats, schedule, URL)
    other = schedule | {2: dataclasses.replace(schedule[2], name="Japanese Grand Prix")}
    message = r"gameday 2: expected the Japanese Grand Prix of 2026 .*, found Chinese Grand Prix; .*try again later$"
    with pytest.raises(SourceError, match=message):
        check_meetings(stats, other, URL)
    with pytest.raises(SourceError, match="gameday 2: expected one of the schedule"):
        check_meetings(stats, {1: schedule[1]}, URL)


def nodes(value: object) -> Iterator[tuple[Any, Any]]:
    """Find every place of a payload: a container, and a key or an index."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in places:
        yield value, key
        yield from nodes(part)


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(["/schedule/raceday_en.json", "/drivers/2_en.json", f"/popup/playerstats_{RUSSELL}.json"]),
    st.data(),
)
def test_a_payload_with_junk_anywhere_is_read_or_refused(path: str, data: st.DataObject) -> None:
    schedule = read_schedule(as_json(schedule_payload(small_game().meetings)), URL)
    payload = payloads()[path]
    places = list(nodes(payload))
    container, key = places[data.draw(st.integers(0, len(places) - 1))]
    container[key] = data.draw(JUNK)
    body = as_json(payload)
    with contextlib.suppress(SourceError):
        if "schedule" in path:
            read_schedule(body, URL)
        elif "drivers" in path:
            read_drivers(body, URL, schedule[2])
        else:
            check_meetings(read_playerstats(body, URL, RUSSELL), schedule, URL)


def keys_of(value: object) -> set[str]:
    """Collect every key of a payload, with the path to it."""
    if isinstance(value, dict):
        own = {(name, inner) for name, part in value.items() for inner in {"", *keys_of(part)}}
        return {name if inner == "" else f"{name}.{inner}" for name, inner in own}
    return {key for part in value for key in keys_of(part)} if isinstance(value, list) else set()


@needs_samples
def test_payloads_made_here_have_the_keys_of_real_ones() -> None:
    real = {
        "/schedule/raceday_en.json": "feeds_schedule_raceday_en.2026-02-28.json",
        "/drivers/2_en.json": "feeds_drivers_2_en.json",
        f"/popup/playerstats_{RUSSELL}.json": "feeds_popup_playerstats_124.trimmed.json",
    }
    for path, name in real.items():
        assert keys_of(payloads()[path]) <= keys_of(json.loads((SAMPLES / name).read_bytes()))


@needs_samples
def test_the_real_schedule_is_read() -> None:
    found = read_schedule((SAMPLES / "feeds_schedule_raceday_en.2026-02-28.json").read_bytes(), URL)
    assert list(found) == list(range(1, 25))
    assert [len(meeting.starts) for meeting in found.values()].count(3) == 6
    for ours in (AUSTRALIA, CHINA, JAPAN, BAHRAIN):
        (made,) = read_schedule(as_json(schedule_payload([ours])), URL).values()
        assert found[ours.gameday_id] == made


@needs_samples
def test_the_real_assets_of_china_are_read(schedule: dict[int, Meeting]) -> None:
    states = read_drivers((SAMPLES / "feeds_drivers_2_en.json").read_bytes(), URL, schedule[2])
    by_id = {state.player_id: state for state in states}
    assert len(states) == 33
    assert by_id[ANTONELLI].total_points == 68
    assert by_id[MERCEDES].total_points == 115
    assert (by_id["18"].code, by_id["18"].price_tenths, by_id["18"].total_points) == ("GAS", 122, 20)
    assert by_id["121"].selected_pct == 20.0
    ours = read_drivers(as_json(payloads()["/drivers/2_en.json"]), URL, schedule[2])
    assert all(by_id[state.player_id] == state for state in ours)


@needs_samples
def test_the_real_prices_before_a_race_are_read() -> None:
    miami = Meeting(2026, "Miami Grand Prix", date(2026, 5, 3), {"sprint": datetime(2026, 5, 2, 16, tzinfo=UTC)}, False)
    states = read_drivers((SAMPLES / "feeds_drivers_4_en_prerace.json").read_bytes(), URL, miami)
    gasly = next(state for state in states if state.code == "GAS")
    assert (gasly.price_tenths, gasly.total_points) == (130, None)


@needs_samples
def test_the_real_items_of_a_driver_are_read(schedule: dict[int, Meeting], rules: dict[int, SeasonRules]) -> None:
    body = (SAMPLES / "feeds_popup_playerstats_124.trimmed.json").read_bytes()
    stats = read_playerstats(body, URL, RUSSELL)
    check_meetings(stats, schedule, URL)
    assert {gameday: weekend.total_points for gameday, weekend in stats.weekends.items()} == {1: 39, 2: 45, 3: 27}
    assert items_of(stats, schedule, rules) == items_of(stats_of(RUSSELL), schedule, rules)


@needs_samples
def test_the_real_items_of_a_constructor_are_all_known(rules: dict[int, SeasonRules]) -> None:
    body = (SAMPLES / "feeds_popup_playerstats_28.excerpt.json").read_bytes()
    stats = read_playerstats(body, URL, MERCEDES)
    assert stats.meetings[5] == {(2026, "Canadian Grand Prix")}
    for gameday_id, total in ((4, 104), (5, 76), (6, 70)):
        named = name_items(stats.weekends[gameday_id].events, rules[2026])
        assert sum(one.event.points for one in named) == stats.weekends[gameday_id].total_points == total
        assert UNKNOWN_ITEM not in {one.scoring_item for one in named}
    canada = {one.scoring_item: one.event.points for one in name_items(stats.weekends[5].events, rules[2026])}
    assert canada["race_not_classified"] == -20
    assert canada["sprint_fastest_lap"] == 5


def test_items_are_written_as_the_feed_writes_them() -> None:
    assert feed_event("race_position", 0, 11) == ("Race Position", "11th", 0)
    assert feed_event("qualifying_position", 8, 3) == ("Qualifying Position", "3rd", 8)
    assert feed_event("race_positions_lost", -2) == ("Race Position lost", "2", -2)
    assert feed_event("race_not_classified", -20) == ("Race not classified ", "-", -20)
    assert drivers_payload(AUSTRALIA, [])["Data"]["Value"] == []
