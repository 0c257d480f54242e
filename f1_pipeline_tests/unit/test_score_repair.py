"""Correcting a record's slips: only where results and the official total agree, never to close a gap."""

from f1_pipeline.sources.score_repair import Item, Items, items_total, repair_constructor, repair_driver

PIT_TOTALS = frozenset({0, 2, 5, 7, 10, 15, 20, 25})


def record(**points: int) -> Items:
    return {key(name): Item(value, None, "official", "a record") for name, value in points.items()}


def rules(**points: int) -> Items:
    return {key(name): Item(value, None, "derived", "F1DB results") for name, value in points.items()}


def key(name: str) -> tuple[str, str]:
    event = name.split("_")[0]
    return (event if event in ("qualifying", "sprint") else "race", name)


def found(items: Items) -> dict[str, tuple[int, str]]:
    return {name: (item.points, item.origin) for (_, name), item in items.items()}


def test_items_that_add_up_and_agree_are_left_alone():
    official = record(race_position=18, race_overtakes=3)
    assert repair_driver(official, rules(race_position=18), 21, has_sprint=False) == official


def test_a_mistyped_item_follows_the_results():
    # Hamilton, Saudi Arabia 2023: fifth place is 10 points, the record has the place instead
    official = record(race_position=5, race_overtakes=1)
    repaired = repair_driver(official, rules(race_position=10), 11, has_sprint=False)
    assert found(repaired) == {"race_position": (10, "corrected"), "race_overtakes": (1, "official")}


def test_a_lacking_item_is_added_and_one_that_never_was_is_dropped():
    official = record(race_not_classified=-20, race_overtakes=1)
    repaired = repair_driver(official, rules(race_position=0), 1, has_sprint=False)
    assert items_total(repaired) == 1
    assert "race_not_classified" not in found(repaired)


def test_the_record_stands_when_the_total_sides_with_it():
    # Perez, Australia 2023: results give 14 places, record and total 15
    official = record(race_positions_gained=15, race_overtakes=20)
    assert repair_driver(official, rules(race_positions_gained=14), 35, has_sprint=False) == official


def test_overtakes_under_another_name():
    # Piastri, Qatar 2023: sprint winner from pole cannot have gained two places
    official = record(sprint_position=8, sprint_positions_gained=2, race_overtakes=9)
    repaired = repair_driver(official, rules(sprint_position=8), 19, has_sprint=True)
    assert found(repaired)["sprint_overtakes"] == (2, "corrected")
    assert "sprint_positions_gained" not in found(repaired)


def test_overtakes_that_the_record_lacks_are_the_residual_of_a_normal_weekend_only():
    # Stroll, Canada 2023
    official, expected = record(race_position=2, race_positions_gained=7), rules(race_position=2)
    expected |= rules(race_positions_gained=7)
    repaired = repair_driver(official, expected, 14, has_sprint=False)
    assert found(repaired)["race_overtakes"] == (5, "residual")
    assert repair_driver(official, expected, 14, has_sprint=True) == official
    assert repair_driver(official, expected, 8, has_sprint=False) == official  # no negative overtakes


def test_a_constructor_follows_its_cars_overtakes():
    # McLaren, Belgium 2023
    official = record(race_position=6, sprint_overtakes=6)
    repaired = repair_constructor(official, rules(race_position=6), 7, {"sprint": 1}, PIT_TOTALS)
    assert found(repaired)["sprint_overtakes"] == (1, "corrected")


def test_pit_stops_are_a_residual_only_when_possible_and_not_listed():
    # Sauber, Sao Paulo 2025
    official, expected = record(race_position=2), rules(race_position=2)
    repaired = repair_constructor(official, expected, 7, {}, PIT_TOTALS)
    assert found(repaired)["pit_stop_total"] == (5, "residual")
    assert repair_constructor(official, expected, 6, {}, PIT_TOTALS) == official
    listed = official | record(pit_stop_fastest_time=2)
    assert repair_constructor(listed, expected, 9, {}, PIT_TOTALS) == listed


def test_an_event_nobody_knows_is_neither_dropped_nor_closed_over():
    # results correct the place; the unknown event stays, since no rule can say it did not happen
    official = record(race_position=12, unknown=5)
    repaired = repair_driver(official, rules(race_position=15), 20, has_sprint=True)
    assert found(repaired) == {"race_position": (15, "corrected"), "unknown": (5, "official")}
