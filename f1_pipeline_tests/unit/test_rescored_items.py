"""Races under the rules of another season: which records still mean the same, and which items nobody recorded.

What results are worth is in `test_scoring.py`; real races are in `integration/test_rescoring.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from f1_pipeline.game.rescoring import DrivenRaces, rescore, rescored_totals, score_with_records
from f1_pipeline.game.rules import load_rules
from f1_pipeline.game.scoring import SessionResults

DATA_DIR = Path(__file__).parents[2] / "data"
RULES = {season: load_rules(DATA_DIR, season) for season in (2022, 2023, 2024, 2025, 2026)}
OLD, RECENT = "2019-monaco", "2025-china"
TEAMS = {"ann": "red", "abe": "red", "bob": "blue", "bea": "blue"}


def cars(race_key: str, session: str, order: str, **texts: str) -> pd.DataFrame:
    """Classify drivers in the order given, but for those with a text such as DNF."""
    return pd.DataFrame(
        [
            {
                "race_key": race_key,
                "session": session,
                "driver_id": driver,
                "constructor_id": TEAMS[driver],
                "position": None if driver in texts else place,
                "position_text": texts.get(driver, str(place)),
                "is_fastest_lap": session == "race" and place == 1,
                "is_driver_of_the_day": session == "race" and place == 2,
                "grid_position": place,
                "grid_order": place,
            }
            for place, driver in enumerate(order.split(), start=1)
        ]
    ).astype({"position": "Int64"})


def record(race_key: str, asset_id: str, scoring_item: str, points: int, origin: str = "official") -> dict[str, Any]:
    return {
        "race_key": race_key,
        "asset_type": "driver" if asset_id in TEAMS else "constructor",
        "asset_id": asset_id,
        "constructor_id": TEAMS.get(asset_id, asset_id),
        "event_type": "sprint" if scoring_item.startswith("sprint") else "race",
        "scoring_item": scoring_item,
        "points": points,
        "frequency": points,
        "origin": origin,
    }


def races(race_key: str, *records: dict[str, Any], has_sprint: bool = False, **texts: str) -> DrivenRaces:
    """Drive a weekend that ends as it starts: ann, abe, bob, bea."""
    order = "ann abe bob bea"
    sessions = [cars(race_key, "race", order, **texts)]
    if has_sprint:
        sessions.append(cars(race_key, "sprint", order, **texts))
    driven = pd.concat(sessions)
    results = SessionResults(cars(race_key, "qualifying", order), driven, driven)
    columns = list(record(race_key, "ann", "race_overtakes", 1))
    return DrivenRaces({race_key: int(race_key[:4])}, results, pd.DataFrame(list(records), columns=columns))


def totals(driven: DrivenRaces, rules_season: int = 2026) -> dict[str, tuple[int, str]]:
    rows = rescored_totals(rescore(driven, RULES[rules_season], RULES))
    assert (rows["is_complete"] == (rows["unknown_items"] == "")).all()
    return {row.asset_id: (int(row.total_points), row.unknown_items) for row in rows.itertuples()}


def test_race_that_nobody_recorded_lacks_overtakes_and_pit_stops() -> None:
    # qualifying 10, 9, 8, 7; race 25, 18, 15, 12; fastest lap 10; driver of the day 10; red both Q3 10, blue both Q3 10
    assert totals(races(OLD)) == {
        "ann": (45, "race_overtakes"),
        "abe": (37, "race_overtakes"),
        "bob": (23, "race_overtakes"),
        "bea": (19, "race_overtakes"),
        "red": (82, "race_overtakes, pit_stops"),
        "blue": (52, "race_overtakes, pit_stops"),
    }


def test_sprint_that_nobody_recorded_lacks_its_overtakes_and_fastest_lap_too() -> None:
    found = totals(races("2021-italy", has_sprint=True))
    assert found["bea"] == (24, "sprint_overtakes, sprint_fastest_lap, race_overtakes")
    assert found["blue"] == (63, "sprint_overtakes, sprint_fastest_lap, race_overtakes, pit_stops")


@pytest.mark.parametrize(
    ("text", "driver", "constructor"),
    [
        # who did not start overtook nobody; who was disqualified loses his overtakes, and his team 20 points of its own
        ("DNS", (-13, ""), ""),
        ("DSQ", (-13, ""), ""),
        ("DNF", (-13, "race_overtakes"), "race_overtakes, "),
    ],
)
def test_overtakes_are_missing_of_those_who_could_make_some(
    text: str, driver: tuple[int, str], constructor: str
) -> None:
    found = totals(races(OLD, bea=text, bob=text))
    assert found["bea"] == driver
    assert found["blue"][1] == constructor + ("" if text == "DNS" else "pit_stops")


def test_overtakes_known_of_one_car_alone_are_unknown_of_the_constructor() -> None:
    # in 2025 a disqualified driver loses his overtakes, which therefore nobody recorded; in 2023 he keeps them
    driven = races(RECENT, record(RECENT, "ann", "race_overtakes", 3), abe="DSQ")
    items = rescore(driven, RULES[2023], RULES)
    overtakes = items[items["scoring_item"] == "race_overtakes"].sort_values("asset_id")
    assert overtakes["asset_id"].tolist() == ["abe", "ann", "red"]
    assert overtakes["points"].fillna(-1).tolist() == [-1, 3, -1]
    assert totals(driven, 2023)["red"][1] == "race_overtakes, pit_stops"


def test_records_of_equal_rules_are_taken_as_they_are() -> None:
    driven = races(
        RECENT,
        record(RECENT, "ann", "race_overtakes", 4),
        record(RECENT, "bob", "sprint_overtakes", 2, origin="corrected"),
        record(RECENT, "bea", "sprint_fastest_lap", 5),
        record(RECENT, "red", "pit_stop_fastest_time", 10),
        record(RECENT, "blue", "pit_stop_overall_fastest", 5),
        has_sprint=True,
    )
    # sprint: 8, 7, 6, 5 for the drivers
    assert totals(driven) == {
        "ann": (57, ""),
        "abe": (44, ""),
        "bob": (31, ""),
        "bea": (29, ""),
        "red": (82 + 15 + 4 + 10, ""),
        "blue": (52 + 11 + 2 + 5 + 5, ""),
    }
    items = rescore(driven, RULES[2026], RULES).set_index(["asset_id", "scoring_item"])["origin"]
    assert items["ann", "race_position"] == "derived"
    assert items["ann", "race_overtakes"] == items["red", "race_overtakes"] == "official"
    assert items["bob", "sprint_overtakes"] == items["blue", "sprint_overtakes"] == "corrected"
    assert items["red", "pit_stop_fastest_time"] == "official"


@pytest.mark.parametrize(
    ("rules_season", "unknown"), [(2023, ""), (2024, ""), (2025, "pit_stops"), (2026, "pit_stops")]
)
def test_pit_stops_count_only_under_equal_rules(rules_season: int, unknown: str) -> None:
    race_key = "2024-monaco"
    driven = races(
        race_key, record(race_key, "ann", "race_overtakes", 1), record(race_key, "red", "pit_stop_total", 13)
    )
    found = totals(driven, rules_season)
    assert found["red"] == ((83, unknown) if unknown else (96, ""))
    assert found["ann"] == (46, "")


def test_rules_that_know_neither_overtakes_nor_pit_stops_miss_none() -> None:
    found = totals(races(OLD), 2022)
    # qualifying 10 + 3, ahead of abe 2; race 25 + 1, fastest lap 5, ahead of abe 3
    assert found["ann"] == (49, "")
    assert {unknown for _, unknown in found.values()} == {""}


def test_overtakes_of_a_whole_weekend_count_when_they_are_worth_the_same() -> None:
    race_key = "2024-china"
    weekend = record(race_key, "ann", "weekend_overtakes", 7, origin="residual")
    pit_stop = record(race_key, "red", "pit_stop_total", 10, origin="residual")
    driven = races(race_key, weekend, pit_stop, has_sprint=True)
    found = totals(driven, 2026)
    assert found["ann"] == (45 + 8 + 7, "")
    assert found["red"] == (82 + 15 + 7, "pit_stops")
    assert found["bob"] == (23 + 6, "")


def test_scores_by_a_season_s_own_rules_name_the_weakest_record_of_both_cars() -> None:
    driven = races(
        RECENT,
        record(RECENT, "ann", "race_overtakes", 4),
        record(RECENT, "abe", "race_overtakes", 3, origin="residual"),
    )
    items = score_with_records(driven.results, driven.records, RULES[2025])
    of_red = items[(items["asset_id"] == "red") & (items["scoring_item"] == "race_overtakes")]
    assert of_red[["points", "frequency", "origin"]].values.tolist() == [[7, 7, "residual"]]


def test_items_that_results_determine_are_not_taken_from_the_record() -> None:
    driven = races(RECENT, record(RECENT, "ann", "race_position", 99))
    items = score_with_records(driven.results, driven.records, RULES[2025])
    (place,) = items[(items["asset_id"] == "ann") & (items["scoring_item"] == "race_position")].to_dict("records")
    assert (place["points"], place["position"], place["origin"]) == (25, 1, "derived")
