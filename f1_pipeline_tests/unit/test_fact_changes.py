"""What a refresh tells: counts per table and race, the calendar in words, restated totals, races that wait."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from f1_pipeline.sources.fact_changes import compare
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.release import facts_since
from f1_pipeline_tests.support import DATA


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_since(DATA, 2026)


def with_race(facts: Facts, race_key: str, **values: str) -> Facts:
    races = facts["races"].copy()
    for name, value in values.items():
        races.loc[races["race_key"] == race_key, name] = value
    return facts | {"races": races}


def test_equal_facts_are_nothing_new(facts):
    report = compare(facts, facts, {"feed": "33 assets of Monaco, unchanged"})
    assert not report.has_changes
    assert report.lines == ["nothing new"]
    assert report.to_markdown() == "* nothing new"
    assert report.to_dict() == {
        "has_changes": False,
        "readings": {"feed": "33 assets of Monaco, unchanged"},
        "calendar": [],
        "tables": [],
        "restated": [],
        "notes": [],
        "waiting": [],
        "lines": ["nothing new"],
    }


def test_rows_are_counted_by_table_and_race(facts):
    prices = facts["prices"]
    monaco = prices["race_key"] == "2026-monaco"
    before = facts | {"prices": prices[~monaco].assign(price_musd=prices["price_musd"].where(prices.index != 0, "1.0"))}
    after = facts | {"prices": prices.drop(index=prices.index[~monaco][1])}
    changed, dropped = prices["race_key"].iloc[0], prices["race_key"][~monaco].iloc[1]
    assert (changed, dropped) == ("2026-australia", "2026-australia")
    assert compare(before, after).lines == [
        "prices 2026-australia: 1 changed, 1 removed",
        "prices 2026-monaco: 33 added",
    ]


def test_a_table_without_races_is_counted_as_one(facts):
    drivers = facts["drivers"]
    before = facts | {"drivers": drivers[drivers["driver_id"] != "arvid-lindblad"]}
    assert compare(before, facts).lines == ["drivers: 1 added"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"is_cancelled": "true"}, "2026-spain back in the calendar"),
        ({"race_date": "2026-09-20"}, "2026-spain moved from 2026-09-20 to 2026-09-13"),
        ({"circuit_id": "catalunya"}, "2026-spain goes to madring instead of catalunya"),
        (
            {"lock_at": "2026-09-12T13:00:00Z"},
            "2026-spain locks at 2026-09-12T14:00:00Z instead of 2026-09-12T13:00:00Z",
        ),
        ({"has_sprint": "true", "lock_at": "2026-09-12T10:00:00Z"}, "2026-spain has no sprint any more"),
    ],
)
def test_the_calendar_is_told_in_words(facts, values, told):
    report = compare(with_race(facts, "2026-spain", **values), facts)
    assert report.calendar == (told,)
    assert report.lines[1] == "races 2026-spain: 1 changed"


def test_a_race_that_is_new_is_told_with_day_and_place(facts):
    before = facts | {"races": facts["races"][facts["races"]["race_key"] != "2026-spain"]}
    assert compare(before, facts).calendar == ("2026-spain added: Spanish Grand Prix, 2026-09-13 at madring",)


def test_restated_totals_are_told_one_by_one(facts):
    totals = facts["official_totals"]
    is_meant = (totals["race_key"] == "2026-canada") & (totals["asset_id"] == "oscar-piastri")
    before = facts | {"official_totals": totals.assign(total_points=totals["total_points"].where(~is_meant, "10"))}
    report = compare(before, facts)
    assert report.lines == [
        "2026-canada: the total of driver oscar-piastri was 10, is 12",
        "official_totals 2026-canada: 1 changed",
    ]
    assert report.to_dict()["restated"] == [
        {
            "race_key": "2026-canada",
            "asset_type": "driver",
            "asset_id": "oscar-piastri",
            "old_points": 10,
            "new_points": 12,
        }
    ]


def test_races_that_wait_are_told_even_when_nothing_changed(facts):
    def without(name: str) -> Facts:
        return facts | {name: facts[name][facts[name]["race_key"] != "2026-canada"]}

    no_results, no_items, no_points = without("race_results"), without("event_scores"), without("official_totals")
    assert compare(no_results, no_results).lines == [
        "nothing new",
        "2026-canada waits: it has official points, its results are not in F1DB yet",
    ]
    assert compare(no_items, no_items).waiting == (
        "2026-canada waits: it has results and official points, the feed's items of it are missing",
    )
    assert compare(no_points, no_points).waiting == (
        "2026-canada waits: it has results, its official points are not final yet",
    )


def test_races_from_before_the_game_do_not_wait(facts):
    old = facts["race_results"].iloc[[0]].assign(race_key="2025-monaco")
    race = facts["races"].iloc[[0]].assign(race_key="2025-monaco", race_date="2025-05-25")
    older = facts | {
        "race_results": pd.concat([facts["race_results"], old], ignore_index=True),
        "races": pd.concat([facts["races"], race], ignore_index=True),
    }
    assert compare(older, older).waiting == ()


def test_the_report_is_json(facts):
    before = with_race(facts, "2026-spain", is_cancelled="true")
    report = compare(before, facts, {"f1db": "release"}, ("a meeting is no race",))
    assert json.loads(json.dumps(report.to_dict()))["lines"] == [
        "2026-spain back in the calendar",
        "races 2026-spain: 1 changed",
        "a meeting is no race",
    ]
