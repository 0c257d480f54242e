"""What the feed's prices, points, items and ownership do to the facts.

The facts are those of 2026 with F1DB's results of Canada; the game's own facts stop before Canada unless said.
"""

from __future__ import annotations

import dataclasses

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.fact_changes import compare
from f1_pipeline.sources.fact_frames import keep_named
from f1_pipeline.sources.feed_data import UNKNOWN_ITEM, FeedData, FeedItem, PlayerState
from f1_pipeline.sources.feed_merge import merge_feed
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.feed_readings import feed_reading, with_items, with_meeting, with_states
from f1_pipeline_tests.release import GAME, RESULTS, facts_since
from f1_pipeline_tests.support import DATA

RULES = {2026: load_rules(DATA, 2026)}
SCORE = ["asset_type", "asset_id", "constructor_id", "event_type", "scoring_item", "points", "position", "frequency"]


@pytest.fixture(scope="module")
def facts() -> Facts:
    """All that is known of 2026, prices of Monaco included."""
    return facts_since(DATA, 2026)


@pytest.fixture(scope="module")
def before(facts: Facts) -> Facts:
    """The game's facts as they were before Canada; its results are there."""
    return facts | {name: facts[name][~facts[name]["race_key"].isin(["2026-canada", "2026-monaco"])] for name in GAME}


@pytest.fixture(scope="module")
def reading(facts: Facts) -> FeedData:
    """The feed on the day after Canada: that race done, prices of Monaco."""
    return feed_reading(facts, 2026, states_of=("2026-canada", "2026-monaco"))


def merged(facts: Facts, reading: FeedData) -> Facts:
    return keep_named(merge_feed(facts, reading, RULES, pytest.fail))


def rows(facts: Facts, name: str, race_key: str, asset_id: str | None = None) -> list[dict[str, str]]:
    frame = facts[name]
    frame = frame[frame["race_key"] == race_key]
    return (frame if asset_id is None else frame[frame["asset_id"] == asset_id]).to_dict("records")


def items_of(facts: Facts, asset_id: str) -> dict[str, tuple[str, str]]:
    return {
        row["scoring_item"]: (row["points"], row["source"])
        for row in rows(facts, "event_scores", "2026-canada", asset_id)
    }


def changed_state(reading: FeedData, race: str, player_id: str, /, **changes: object) -> FeedData:
    def change(state: PlayerState) -> PlayerState:
        is_meant = state.meeting.name == race and state.player_id == player_id
        return dataclasses.replace(state, **changes) if is_meant else state  # ty: ignore

    return with_states(reading, change)


def changed_item(reading: FeedData, player_id: str, scoring_item: str, /, **changes: object) -> FeedData:
    def change(item: FeedItem) -> FeedItem:
        is_meant = item.player_id == player_id and item.scoring_item == scoring_item
        return dataclasses.replace(item, **changes) if is_meant else item  # ty: ignore

    return with_items(reading, change)


def test_a_finished_race_and_the_next_prices_arrive(facts, before, reading):
    after = merged(before, reading)
    assert compare(before, after).calendar == ()
    for name, value in (("prices", "price_musd"), ("official_totals", "total_points")):
        columns = ["race_key", "asset_type", "asset_id", "constructor_id", value]
        assert (
            after[name][columns].sort_values(columns).values.tolist()
            == facts[name][columns].sort_values(columns).values.tolist()
        )
    assert rows(after, "prices", "2026-monaco", "mclaren") == [
        {
            "race_key": "2026-monaco",
            "asset_type": "constructor",
            "asset_id": "mclaren",
            "constructor_id": "mclaren",
            "price_musd": "29.2",
            "source_count": "1",
            "agreeing_source_count": "1",
            "source": "official feed",
        }
    ]
    assert len(rows(after, "ownership", "2026-canada")) == 33
    assert rows(after, "ownership", "2026-monaco") == []  # it moves until the lock


def test_items_of_the_feed_are_the_scores_that_public_records_gave(facts, before, reading):
    after = merged(before, reading)
    made = after["event_scores"][after["event_scores"]["race_key"] == "2026-canada"][SCORE]
    known = facts["event_scores"][facts["event_scores"]["race_key"] == "2026-canada"][SCORE]
    known = known.replace({"scoring_item": {"pit_stop_total": "pit_stop_fastest_time"}})
    assert made.sort_values(SCORE).values.tolist() == known.sort_values(SCORE).values.tolist()
    assert items_of(after, "kimi-antonelli")["race_position"] == ("25", "official feed")


def test_equal_values_leave_the_earlier_records_alone(facts, reading):
    assert compare(facts, merged(facts, reading)).lines == ["ownership 2026-canada: 33 added"]


def test_merging_twice_changes_nothing(before, reading):
    once = merged(before, reading)
    assert compare(once, merged(once, reading)).lines == ["nothing new"]


def test_a_restated_total_replaces_the_record_and_its_items(facts, reading):
    """Two more overtakes for Piastri, found days later; McLaren has them too."""
    later = changed_state(reading, "Canadian Grand Prix", "oscar-piastri", total_points=14)
    later = changed_state(later, "Canadian Grand Prix", "mclaren", total_points=35)
    overtakes = {
        row["asset_id"]: int(row["points"])
        for row in rows(facts, "event_scores", "2026-canada")
        if row["scoring_item"] == "race_overtakes"
    }
    for asset_id in ("oscar-piastri", "mclaren"):
        later = changed_item(later, asset_id, "race_overtakes", points=overtakes[asset_id] + 2)
    after = merged(facts, later)
    report = compare(facts, after)
    assert [row.text for row in report.restated] == [
        "2026-canada: the total of constructor mclaren was 33, is 35",
        "2026-canada: the total of driver oscar-piastri was 12, is 14",
    ]
    assert items_of(after, "oscar-piastri")["race_overtakes"] == (str(overtakes["oscar-piastri"] + 2), "official feed")
    # whoever was not restated keeps his row and its source
    assert rows(after, "event_scores", "2026-canada", "lando-norris") == rows(
        facts, "event_scores", "2026-canada", "lando-norris"
    )
    assert rows(after, "official_totals", "2026-canada", "oscar-piastri")[0]["source_count"] == "1"


def test_an_event_nobody_knows_is_kept_with_its_own_words(before, reading):
    """Two events of one session and no name: their points are in the total, and they are not lost."""
    meeting = next(one for one in reading.meetings if one.name == "Canadian Grand Prix")
    odd = [
        FeedItem(meeting, "lando-norris", "race", UNKNOWN_ITEM, points, None, words)
        for points, words in ((5, "Best Race Start"), (2, "Cleanest Lap"))
    ]
    more = dataclasses.replace(reading, items=(*reading.items, *odd))
    after = merged(before, changed_state(more, "Canadian Grand Prix", "lando-norris", total_points=13))
    assert items_of(after, "lando-norris")[UNKNOWN_ITEM] == ("7", "official feed: Best Race Start +5; Cleanest Lap +2")
    assert sum(int(points) for points, _ in items_of(after, "lando-norris").values()) == 13


def test_an_asset_worth_nothing_has_its_items_too(before, reading):
    """A team whose every item is 0: the game lists them, and so do the scores."""
    nothing = with_items(reading, lambda item: None if item.player_id == "cadillac" and item.points else item)
    after = merged(before, changed_state(nothing, "Canadian Grand Prix", "cadillac", total_points=0))
    assert items_of(after, "cadillac") == {
        "qualifying_position": ("0", "official feed"),
        "race_position": ("0", "official feed"),
        "sprint_position": ("0", "official feed"),
    }


def test_an_item_stated_twice_is_refused(before, reading):
    item = next(
        one for one in reading.items if one.player_id == "lando-norris" and one.scoring_item == "race_overtakes"
    )
    with pytest.raises(
        DataError, match=r"2026-canada: official feed has race_overtakes of lando-norris twice \(race\)"
    ):
        merged(before, dataclasses.replace(reading, items=(*reading.items, item)))


def test_a_finished_race_without_results_has_prices_and_totals_and_waits(before, reading):
    no_results = before | {name: before[name][before[name]["race_key"] != "2026-canada"] for name in RESULTS}
    after = merged(no_results, reading)
    assert len(rows(after, "official_totals", "2026-canada")) == 33
    assert rows(after, "event_scores", "2026-canada") == []
    assert compare(no_results, after).waiting == (
        "2026-canada waits: it has official points, its results are not in F1DB yet",
    )


def test_results_that_arrive_later_complete_the_race(facts, before, reading):
    no_results = before | {name: before[name][before[name]["race_key"] != "2026-canada"] for name in RESULTS}
    with_results = merged(no_results, reading) | {name: before[name] for name in RESULTS}
    after = merged(with_results, reading)
    assert len(rows(after, "event_scores", "2026-canada")) == len(rows(facts, "event_scores", "2026-canada"))
    assert compare(with_results, after).waiting == ()


def test_a_race_with_results_waits_for_final_points(before, reading):
    not_final = with_states(with_meeting(reading, "Canadian Grand Prix", is_done=False), lambda state: state)
    not_final = with_items(not_final, lambda item: None)
    after = merged(before, not_final)
    assert len(rows(after, "prices", "2026-canada")) == 33
    assert rows(after, "official_totals", "2026-canada") == rows(after, "ownership", "2026-canada") == []
    assert compare(before, after).waiting == (
        "2026-canada waits: it has results, its official points are not final yet",
    )


def test_a_driver_replaced_before_the_race_is_not_on_sale(facts, reading):
    """Hulkenberg falls ill on Friday: his price goes, that of the reserve comes."""
    idle = changed_state(reading, "Monaco Grand Prix", "nico-hulkenberg", is_active=False)
    state = next(one for one in idle.states if one.player_id == "nico-hulkenberg" and not one.is_active)
    reserve = dataclasses.replace(
        state,
        player_id="77",
        name="Leo Corsa",
        first_name="Leo",
        last_name="Corsa",
        code="COR",
        is_active=True,
        price_tenths=45,
    )
    after = merged(facts, dataclasses.replace(idle, states=(*idle.states, reserve)))
    assert rows(after, "prices", "2026-monaco", "nico-hulkenberg") == []
    (row,) = rows(after, "prices", "2026-monaco", "leo-corsa")
    assert (row["constructor_id"], row["price_musd"]) == ("audi", "4.5")
    assert len(rows(after, "prices", "2026-canada", "nico-hulkenberg")) == 1


def test_an_idle_asset_with_official_points_keeps_its_facts(facts, reading):
    idle = changed_state(reading, "Canadian Grand Prix", "lance-stroll", is_active=False)
    idle = with_items(idle, lambda item: None if item.player_id == "lance-stroll" else item)
    after = merged(facts, idle)
    assert rows(after, "prices", "2026-canada", "lance-stroll") == rows(facts, "prices", "2026-canada", "lance-stroll")


def test_an_idle_asset_with_items_took_part(before, reading):
    after = merged(before, changed_state(reading, "Canadian Grand Prix", "lance-stroll", is_active=False))
    assert rows(after, "official_totals", "2026-canada", "lance-stroll")[0]["total_points"] == "11"


def test_a_corrected_price_replaces_the_record(facts, reading):
    after = merged(facts, changed_state(reading, "Monaco Grand Prix", "mclaren", price_tenths=293))
    (row,) = rows(after, "prices", "2026-monaco", "mclaren")
    assert (row["price_musd"], row["source"]) == ("29.3", "official feed")
    assert compare(facts, after).lines[0] == "prices 2026-monaco: 1 changed"


def test_two_players_who_are_one_driver_are_refused(before, reading):
    twin = dataclasses.replace(
        next(one for one in reading.states if one.player_id == "liam-lawson"),
        player_id="9",
        team_name="Red Bull Racing",
    )
    message = (
        r"'Liam Lawson' \(player liam-lawson\) and 'Liam Lawson' \(player 9\) both take part as driver liam-lawson"
    )
    with pytest.raises(DataError, match=message):
        merged(before, dataclasses.replace(reading, states=(*reading.states, twin)))


def test_a_new_player_of_a_driver_who_scored_as_another_is_passed_over(before, reading):
    lawson = (state for state in reading.states if state.player_id == "liam-lawson")
    twin = dataclasses.replace(
        next(state for state in lawson if state.meeting.name == "Canadian Grand Prix"),
        player_id="9",
        team_name="Red Bull Racing",
        price_tenths=180,
        total_points=0,
    )
    with_twin, without = (
        merged(before, dataclasses.replace(reading, states=states))
        for states in ((*reading.states, twin), reading.states)
    )
    assert compare(without, with_twin).lines == ["nothing new"]


def test_gamedays_numbered_anew_are_the_same_meetings(before, reading):
    """The feed's order and numbers are of no consequence: a meeting is its name and day."""
    shuffled = FeedData(
        reading.read_at,
        tuple(reversed(reading.meetings)),
        tuple(reversed(reading.states)),
        tuple(reversed(reading.items)),
    )
    assert compare(merged(before, reading), merged(before, shuffled)).lines == ["nothing new"]


def test_a_meeting_without_a_race_is_told_and_nothing_is_cancelled(before, reading):
    odd = with_meeting(
        reading, "Azerbaijan Grand Prix", name="Lunar Grand Prix", starts={}, race_date=reading.read_at.date()
    )
    notes: list[str] = []
    after = merge_feed(before, odd, RULES, notes.append)
    assert notes == ["no race of the calendar of 2026: Lunar Grand Prix; what the feed says of it is left out"]
    assert compare(before, after).calendar == ()


def test_a_season_that_the_calendar_does_not_have_yet_is_one_note(before, reading):
    """The game opens its next season before F1DB has the calendar."""
    coming = dataclasses.replace(
        reading,
        meetings=tuple(dataclasses.replace(one, season=2027, is_done=False) for one in reading.meetings),
        states=(),
        items=(),
    )
    notes: list[str] = []
    after = merge_feed(before, coming, RULES | {2027: RULES[2026]}, notes.append)
    assert len(notes) == 1
    assert notes[0].startswith("no race of the calendar of 2027: Australian Grand Prix, Chinese Grand Prix, ")
    assert compare(before, after).tables == ()
