"""The scoring engine on arrays: against official totals of every race, by hand, and properties of any weekends."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.scoring import pack_sessions, score_constructors, score_drivers
from f1_pipeline.game.scoring_arrays import PitStopArrays, QualifyingArrays, RaceArrays, Weekends
from f1_pipeline.game.weekend_scoring import WeekendScores, score_weekends
from f1_pipeline_tests.scored_races import (
    RULE_SEASONS,
    driven_races,
    facts,
    of_races,
    recorded_results_of,
    results_of,
    season_of,
    season_rules,
)

PIT_STOPS = "pit_stop_"


def places(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int8)


def marks(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=bool)


TEAM = np.array([0, 0, 1, 1])
# Two weekends of two teams; in the second the fourth car is out of qualifying, the second disqualified in the race.
WEEKENDS = Weekends(
    2,
    QualifyingArrays(TEAM, places([1, 12, 4, 17], [2, 1, 3, 0])),
    RaceArrays(
        TEAM,
        position=places([2, 1, 0, 11], [1, 2, 4, 3]),
        start_place=places([1, 12, 4, 17], [2, 1, 3, 20]),
        is_disqualified=marks([0, 0, 0, 0], [0, 1, 0, 0]),
        overtakes=places([0, 9, 3, 4], [1, 5, 0, 8]),
        has_fastest_lap=marks([0, 1, 0, 0], [0, 1, 0, 0]),
        is_driver_of_the_day=marks([0, 1, 0, 0], [0, 0, 0, 1]),
    ),
)


def test_two_weekends_worked_by_hand():
    scores = score_weekends(WEEKENDS, season_rules(2026), with_items=True)
    # 10 + 18 - 1; 0 + 25 + 11 + 9 + 10 + 10; 7 - 20 + 3; 0 + 0 + 6 + 4
    # 9 + 25 + 1 + 1; 10 - 20; 8 + 12 - 1; -5 + 15 + 17 + 8 + 10
    assert scores.driver_points.tolist() == [[27, 65, -10, 10], [36, -10, 19, 45]]
    # both cars but for the driver of the day; one in Q3, one in Q3; both in Q3, one in Q3; and -20 for the car out
    assert scores.constructor_points.tolist() == [[27 + 55 + 5, 0 + 5], [36 - 10 + 10 - 20, 19 + 35 + 5]]
    assert scores.driver_items is not None
    assert scores.driver_items["race", "race_positions_gained"].tolist() == [[0, 11, 0, 6], [1, 0, 0, 17]]
    assert scores.driver_items["race", "race_disqualified"].tolist() == [[0, 0, 0, 0], [0, -20, 0, 0]]
    assert scores.constructor_items is not None
    assert scores.constructor_items["race", "race_positions_gained"].tolist() == [[10, 6], [1, 16]]
    assert ("race", "race_positions_lost") in scores.driver_items
    assert scores.constructor_items["race", "race_positions_lost"].tolist() == [[0, 0], [0, 0]]
    assert scores.constructor_items["qualifying", "one_driver_q3"].tolist() == [[5, 5], [0, 5]]
    assert scores.constructor_items["qualifying", "both_drivers_q3"].tolist() == [[0, 0], [10, 0]]
    assert ("race", "driver_of_the_day") not in scores.constructor_items
    assert scores.driver_points.dtype == np.int16


def test_disqualified_keeps_overtakes_in_2023_and_in_no_season_since():
    by_season = {season: score_weekends(WEEKENDS, season_rules(season)).driver_points[1, 1] for season in RULE_SEASONS}
    # 10 for first in qualifying, then -25 and five overtakes; -25; -20; -20; in 2022 10 + 3 + 2 and -20
    assert by_season == {2022: -5, 2023: -10, 2024: -15, 2025: -10, 2026: -10}


def test_disqualification_wipes_fastest_lap_and_driver_of_the_day():
    flags = {"has_fastest_lap": marks([1, 0], [1, 0]), "is_driver_of_the_day": marks([1, 0], [1, 0])}
    team, order = np.array([0, 1]), places([1, 2], [1, 2])
    race = RaceArrays(team, order, order, is_disqualified=marks([0, 0], [1, 0]), **flags)
    scores = score_weekends(Weekends(2, QualifyingArrays(team, order), race), season_rules(2026))
    assert scores.driver_points.tolist() == [[10 + 25 + 10 + 10, 9 + 18], [10 - 20, 9 + 18]]


def test_no_negative_floors_the_weekend_in_2023_and_every_category_since():
    of_2023 = score_weekends(WEEKENDS, season_rules(2023), no_negative=True)
    assert of_2023.driver_no_negative is not None
    assert of_2023.driver_no_negative.tolist() == [[27, 65, 0, 10], [36, 0, 19, 45]]
    of_2026 = score_weekends(WEEKENDS, season_rules(2026), no_negative=True)
    assert of_2026.driver_no_negative is not None
    # the place lost; the retirement; the disqualification; the place lost; the missed qualifying
    assert of_2026.driver_no_negative.tolist() == [[28, 65, 10, 10], [36, 10, 20, 50]]
    assert of_2026.constructor_no_negative is not None
    # places lost are netted first: 11 - 1 and 17 - 1 stay; the penalties and the extra go
    assert of_2026.constructor_no_negative.tolist() == [[87, 25], [56, 64]]
    plain = score_weekends(WEEKENDS, season_rules(2026))
    assert (plain.driver_no_negative, plain.constructor_no_negative) == (None, None)


def test_no_negative_of_2022_is_no_rule_of_the_game():
    with pytest.raises(RuleError, match="The rule no_negative is unknown: 2022 had"):
        score_weekends(WEEKENDS, season_rules(2022), no_negative=True)


def test_a_car_that_changes_hands_scores_for_its_team_in_each_session():
    # the second car is driven by the third column in the race; the first team has three drivers in the weekend
    weekends = Weekends(
        2,
        QualifyingArrays(np.array([0, 0, -1, 1]), places([1, 3, 0, 2])),
        RaceArrays(np.array([0, -1, 0, 1]), places([1, 0, 2, 3]), places([1, 0, 3, 2])),
    )
    scores = score_weekends(weekends, season_rules(2026), with_items=True)
    # 10 + 25; 8; -5 + 18 + 1; 9 + 15 - 1
    assert scores.driver_points.tolist() == [[35, 8, 14, 23]]
    assert scores.constructor_points.tolist() == [[35 + 8 + 14 + 10, 23 + 5]]
    assert scores.constructor_items is not None
    assert scores.constructor_items["qualifying", "qualifying_not_classified"].tolist() == [[-5, 0]]


def test_a_driver_who_changes_teams_between_weekends_scores_for_each():
    weekends = replace(WEEKENDS, qualifying=replace(WEEKENDS.qualifying, team=np.array([[0, 0, 1, 1], [1, 0, 0, 1]])))
    weekends = replace(weekends, race=replace(WEEKENDS.race, team=weekends.qualifying.team))
    scores = score_weekends(weekends, season_rules(2026))
    assert scores.driver_points.tolist() == [[27, 65, -10, 10], [36, -10, 19, 45]]
    assert scores.constructor_points.tolist() == [[87, 5], [19 - 10 + 10 - 20, 36 + 35 + 5]]


def test_sprint_and_normal_weekends_score_in_one_call():
    sprint = RaceArrays(
        np.array([[0, 0, 1, 1], [-1, -1, -1, -1]]),
        places([8, 9, 1, 0], [0, 0, 0, 0]),
        places([7, 9, 1, 3], [0, 0, 0, 0]),
        has_fastest_lap=marks([0, 0, 1, 0], [0, 0, 0, 0]),
    )
    plain = score_weekends(WEEKENDS, season_rules(2026))
    scores = score_weekends(replace(WEEKENDS, sprint=sprint), season_rules(2026))
    # 8th from 7th; 9th; won with the fastest lap; out
    assert (scores.driver_points - plain.driver_points).tolist() == [[0, 0, 13, -10], [0, 0, 0, 0]]
    assert (scores.constructor_points - plain.constructor_points).tolist() == [[0, 3], [0, 0]]


def test_withdrawn_before_the_grid_costs_nothing_in_2022_and_2023():
    race = RaceArrays(np.array([0, 1]), places([0, 0]), places([0, 5]), did_not_start=marks([1, 1]))
    weekends = Weekends(2, QualifyingArrays(np.array([0, 1]), places([20, 19])), race)
    found = {
        season: score_weekends(weekends, season_rules(season)).driver_points[0].tolist() for season in RULE_SEASONS
    }
    # in 2022 both have a point for Q1 and two as first of their teams
    assert found == {2022: [3, -7], 2023: [0, -20], 2024: [-20, -20], 2025: [-20, -20], 2026: [-20, -20]}


@pytest.mark.parametrize(
    ("season", "stops", "expected"),
    [
        # Monaco 2024: two stops share the second time, so 10, 3 and 3
        (2024, [2000, 2100, 2100, 2300], [10 + 3, 3]),
        (2024, [2100, 2100, 2000, 2050], [0, 10 + 5]),
        (2024, [2000, 2000, 2000, 2500], [3 + 3, 3]),
        (2024, [2400, 0, 0, 0], [10, 0]),
        (2024, [0, 0, 0, 0], [0, 0]),
        # best stops by band, five for the fastest, all who share it
        (2026, [1999, 2500, 2000, 3100], [20 + 5, 10]),
        (2026, [2199, 2500, 2199, 3100], [10 + 5, 10 + 5]),
        (2026, [2499, 2600, 2999, 0], [5 + 5, 2]),
        (2026, [3000, 0, 0, 0], [5, 0]),
        (2026, [1799, 2000, 1800, 2500], [20 + 5 + 15, 20]),
        (2026, [1800, 0, 2000, 0], [20 + 5, 10]),
        (2026, [1780, 0, 1790, 0], [20 + 5 + 15, 20]),
        (2026, [0, 0, 0, 0], [0, 0]),
        (2022, [2000, 2100, 2200, 2300], [0, 0]),
    ],
)
def test_pit_stops_by_rank_and_by_time(season, stops, expected):
    nobody = np.full(2, -1)
    weekends = Weekends(
        2,
        QualifyingArrays(nobody, places([0, 0])),
        RaceArrays(nobody, places([0, 0])),
        pit_stops=PitStopArrays(np.array([0, 0, 1, 1]), np.array([stops])),
    )
    assert score_weekends(weekends, season_rules(season)).constructor_points.tolist() == [expected]
    teams = np.array([[0, 0, 1, 1]])
    by_race = replace(weekends, pit_stops=PitStopArrays(teams, np.array([stops])))
    assert score_weekends(by_race, season_rules(season)).constructor_points.tolist() == [expected]


@pytest.mark.parametrize("season", RULE_SEASONS)
def test_nobody_misses_a_qualifying_that_was_not_held(season):
    qualifying = QualifyingArrays(
        np.array([[-1] * 4, [0, 0, 1, -1]]), WEEKENDS.qualifying.position * marks([0] * 4, [1] * 4)
    )
    order = places([1, 2, 3, 4], [1, 2, 3, 4])
    of_races = Weekends(2, qualifying, RaceArrays(TEAM, order, order))
    scores = score_weekends(of_races, season_rules(season), with_items=True)
    assert scores.driver_items is not None
    assert scores.constructor_items is not None
    for items in (scores.driver_items, scores.constructor_items):
        assert all(not points[0].any() for (event, _), points in items.items() if event == "qualifying")
    # in the second weekend the fourth car did miss it
    missed = scores.driver_items.get(("qualifying", "qualifying_not_classified"), np.zeros((2, 4)))
    assert missed[1].tolist() == [0, 0, 0, season_rules(season).qualifying.absent]


def test_frames_of_a_race_without_qualifying_have_no_items_of_it():
    known = results_of(["2025-canada"])
    drivers = score_drivers(replace(known, qualifying=known.qualifying.iloc[:0]), season_rules(2025))
    constructors = score_constructors(drivers, known.qualifying.iloc[:0], season_rules(2025))
    assert set(drivers["event_type"]) == set(constructors["event_type"]) == {"race"}


def test_given_pit_stop_points_are_added():
    plain = score_weekends(WEEKENDS, season_rules(2026))
    given = replace(WEEKENDS, pit_stop_points=np.array([[25, 0], [2, 10]]))
    scores = score_weekends(given, season_rules(2026), with_items=True)
    assert (scores.constructor_points - plain.constructor_points).tolist() == [[25, 0], [2, 10]]
    assert scores.constructor_items is not None
    assert scores.constructor_items["race", "pit_stop_total"].tolist() == [[25, 0], [2, 10]]


def test_no_weekend_is_no_points():
    empty = Weekends(
        2, QualifyingArrays(TEAM, WEEKENDS.qualifying.position[:0]), RaceArrays(TEAM, places()[:0].reshape(0, 4))
    )
    scores = score_weekends(empty, season_rules(2026))
    assert (scores.driver_points.shape, scores.constructor_points.shape) == ((0, 4), (0, 2))


def of_race(**changes: np.ndarray) -> Weekends:
    return replace(WEEKENDS, race=replace(WEEKENDS.race, **changes))


@pytest.mark.parametrize(
    ("weekends", "message"),
    [
        (of_race(position=places([1, 2, 3])), r"expected qualifying\.team of shape \(3,\) or \(1, 3\), found \(4,\)"),
        (of_race(position=np.array([1, 2])), r"expected race\.position of shape \(weekends, cars\), found \(2,\)"),
        (of_race(overtakes=places([1, 2, 3, 4])), r"expected race\.overtakes of shape \(2, 4\), found \(1, 4\)"),
        (of_race(overtakes=np.full((2, 4), 0.5)), r"expected race\.overtakes of type integer, found float64"),
        (of_race(overtakes=np.full((2, 4), 101)), r"expected race\.overtakes from 0 to 100, found 101 to 101"),
        (of_race(start_place=np.full((2, 4), -1)), r"expected race\.start_place from 0 to 100, found -1 to -1"),
        (of_race(is_disqualified=places([1] * 4, [0] * 4)), r"expected race\.is_disqualified of type bool, found int8"),
        (of_race(position=np.ones((2, 4), dtype=bool)), r"expected race\.position of type integer, found bool"),
        (of_race(team=np.array([0, 0, 1, 2])), r"expected race\.team from -1 to 1, found 0 to 2"),
        (of_race(team=np.array([0, 0, 1, -1])), r"expected race\.position of cars with a team in the session alone"),
        (
            of_race(start_place=places([1, 2, 3, 4], [1, 2, 0, 3])),
            "Weekend 1, car 2: classified in the race but has no",
        ),
        (of_race(start_place=places([0])), "Weekend 0, car 0: classified in the race but has no place on its grid"),
        (replace(WEEKENDS, constructor_count=0), "expected 1 to 100 constructors, found 0"),
        (replace(WEEKENDS, pit_stop_points=places([1, 2, 3])), r"expected pit_stop_points of shape \(2, 2\)"),
        (replace(WEEKENDS, pit_stop_points=places([25])), r"of shape \(2, 2\), found \(1, 1\)"),
        (
            replace(WEEKENDS, pit_stops=PitStopArrays(np.array([0, -1]), np.full((2, 2), 2300))),
            r"expected pit_stops\.stationary_ms of stops with a team alone",
        ),
        (
            replace(
                WEEKENDS,
                pit_stops=PitStopArrays(TEAM, np.full((2, 4), 2300)),
                pit_stop_points=places([5, 0], [0, 5]),
            ),
            "expected pit_stops or pit_stop_points, found both",
        ),
        (
            replace(WEEKENDS, pit_stops=PitStopArrays(TEAM, np.zeros((3, 4), dtype=int))),
            r"expected pit_stops\.stationary_ms of shape \(2, stops\), found \(3, 4\)",
        ),
        (
            replace(WEEKENDS, pit_stops=PitStopArrays(TEAM, np.full((2, 4), -5))),
            r"expected pit_stops\.stationary_ms from 0 to",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(weekends, message):
    with pytest.raises(DataError, match=message):
        score_weekends(weekends, season_rules(2026))


def test_a_season_needs_to_say_of_each_weekend_whether_it_opens_it():
    with pytest.raises(DataError, match=r"expected is_season_start of shape \(2,\), found \(3,\)"):
        score_weekends(WEEKENDS, season_rules(2022), is_season_start=np.ones(3, dtype=bool))


def test_without_places_from_the_grid_nobody_needs_one():
    weekends = of_race(start_place=places([0]))
    # first weekend under 2022: 12th to 1st is capped at 10; 3 for Q1 to Q3 by place; best of team twice
    assert score_weekends(weekends, season_rules(2022)).driver_points[0].tolist() == [
        10 + 3 + 2 + 18 + 1 - 2,
        0 + 2 + 25 + 1 + 3 + 10 + 5,
        7 + 3 + 2 - 10,
        0 + 1 + 0 + 1 + 3 + 10,
    ]


@cache
def season_scores(season: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a season as arrays, with everything on record, and lay the totals out by race and asset."""
    scores = of_races("event_scores", season_of(season))
    packed = pack_sessions(recorded_results_of(season_of(season)))
    stops = scores[scores["scoring_item"].str.startswith(PIT_STOPS)].groupby(["race_key", "asset_id"])["points"].sum()
    given = stops.unstack(fill_value=0).reindex(packed.rows.race_keys, columns=packed.constructor_ids, fill_value=0)
    weekends = replace(packed.weekends, pit_stop_points=given.fillna(0).to_numpy(dtype=np.int64))
    points = score_weekends(weekends, season_rules(season))
    drivers = pd.DataFrame(points.driver_points, packed.rows.race_keys, packed.driver_ids)
    constructors = pd.DataFrame(points.constructor_points, packed.rows.race_keys, packed.constructor_ids)
    return drivers, constructors


@pytest.mark.parametrize("season", [2023, 2024, 2025, 2026])
def test_every_race_on_record_has_its_official_points(season):
    drivers, constructors = season_scores(season)
    scores = of_races("event_scores", season_of(season))
    # overtakes of both sessions of a sprint weekend that were recorded in one sum
    summed = (
        scores[scores["scoring_item"] == "weekend_overtakes"].set_index(["race_key", "asset_id"])["points"].to_dict()
    )
    explained = facts("known_exceptions")
    explained = explained[explained["comparison"] == "engine"].set_index(["race_key", "asset_id"])
    totals = of_races("official_totals", season_of(season))
    differences = {}
    for race_key, kind, asset_id, points in totals[["race_key", "asset_type", "asset_id", "total_points"]].to_numpy():
        found = (drivers if kind == "driver" else constructors).at[race_key, asset_id] + summed.get(
            (race_key, asset_id), 0
        )
        if found != points:
            differences[race_key, asset_id] = found
    expected = {key: value for key, value in explained["computed_value"].to_dict().items() if key[0][:4] == str(season)}
    assert differences == expected
    assert len(totals) >= 165


@pytest.mark.parametrize("season", RULE_SEASONS)
def test_arrays_and_frames_of_every_race_since_2018_agree(season):
    known, rules = results_of(driven_races()), season_rules(season)
    packed = pack_sessions(known)
    points = score_weekends(packed.weekends, rules)
    frame = score_drivers(known, rules)
    of_cars = score_constructors(frame, known.qualifying, rules)
    for scores, array, names in (
        (frame, points.driver_points, packed.driver_ids),
        (of_cars, points.constructor_points, packed.constructor_ids),
    ):
        laid_out = scores.pivot_table(
            index="race_key", columns="asset_id", values="points", aggfunc="sum", fill_value=0
        )
        expected = laid_out.reindex(packed.rows.race_keys, columns=names, fill_value=0)
        assert (expected.to_numpy() == array).all()
        assert array.min() > -120
        assert array.max() < 120
    assert len(packed.rows.race_keys) == len(driven_races()) >= 178


def drawn(seed: int, count: int, has_sprint: bool = True) -> Weekends:
    """Draw weekends of eleven teams of two, with everything that can happen to a car."""
    generator = np.random.default_rng(seed)
    shape, team = (count, 22), np.repeat(np.arange(11), 2)

    def order() -> np.ndarray:
        return generator.random(shape).argsort(axis=1) + 1

    def race() -> RaceArrays:
        luck = generator.random(shape)
        return RaceArrays(
            team,
            np.where(luck < 0.2, 0, order()),
            np.where(luck < 0.05, 0, order()),
            luck > 0.9,
            luck < 0.1,
            generator.integers(0, 20, shape),
            order() == 1,
            order() == 1,
        )

    return Weekends(
        11,
        QualifyingArrays(team, np.where(generator.random(shape) < 0.1, 0, order()), generator.random(shape) > 0.95),
        race(),
        race() if has_sprint else None,
        PitStopArrays(team, generator.integers(0, 3000, shape)),
    )


def assert_same(one: WeekendScores, other: WeekendScores) -> None:
    for name in ("driver_points", "constructor_points", "driver_no_negative", "constructor_no_negative"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        assert left is None or (left == right).all(), name


def test_many_weekends_in_one_call_score_as_one_by_one():
    weekends = drawn(7, 20_000)
    together = score_weekends(weekends, season_rules(2026), no_negative=True)
    for row in (0, 1, 8_191, 8_192, 19_999):
        alone = score_weekends(weekends.part(slice(row, row + 1)), season_rules(2026), no_negative=True)
        rows = slice(row, row + 1)
        assert (alone.driver_points == together.driver_points[rows]).all()
        assert (alone.constructor_points == together.constructor_points[rows]).all()
        assert alone.constructor_no_negative is not None
        assert together.constructor_no_negative is not None
        assert (alone.constructor_no_negative == together.constructor_no_negative[rows]).all()


def test_items_add_up_to_the_points():
    for season in RULE_SEASONS:
        scores = score_weekends(drawn(11, 300), season_rules(season), with_items=True)
        assert scores.driver_items is not None
        assert scores.constructor_items is not None
        assert (sum(scores.driver_items.values()) == scores.driver_points).all()
        assert (sum(scores.constructor_items.values()) == scores.constructor_points).all()


SEEDS = st.integers(min_value=0, max_value=2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, season=st.sampled_from(RULE_SEASONS), has_sprint=st.booleans())
def test_points_do_not_depend_on_the_order_of_weekends_cars_and_constructors(seed, season, has_sprint):
    weekends, generator = drawn(seed, 20, has_sprint), np.random.default_rng(seed + 1)
    no_negative = season != 2022
    plain = score_weekends(weekends, season_rules(season), no_negative=no_negative)
    rows, cars, renamed = generator.permutation(20), generator.permutation(22), generator.permutation(11)

    def mixed(session):
        arrays = {
            name: array if array.shape == (1, 1) else array[rows][:, cars]
            for name, array in vars(session).items()
            if name != "team"
        }
        return replace(session, team=renamed[session.team[cars]], **arrays)

    stops = weekends.pit_stops
    assert stops is not None
    shuffled = Weekends(
        11,
        mixed(weekends.qualifying),
        mixed(weekends.race),
        None if weekends.sprint is None else mixed(weekends.sprint),
        PitStopArrays(renamed[stops.team[cars]], stops.stationary_ms[rows][:, cars]),
    )
    found = score_weekends(shuffled, season_rules(season), no_negative=no_negative)
    back = np.argsort(renamed)
    expected = WeekendScores(
        plain.driver_points[rows][:, cars],
        plain.constructor_points[rows][:, back],
        None if plain.driver_no_negative is None else plain.driver_no_negative[rows][:, cars],
        None if plain.constructor_no_negative is None else plain.constructor_no_negative[rows][:, back],
    )
    assert_same(found, expected)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, season=st.sampled_from(RULE_SEASONS))
def test_teams_stated_once_or_for_every_weekend_score_alike(seed, season):
    weekends = drawn(seed, 15)

    def spelt_out(session):
        return replace(session, team=np.broadcast_to(session.team, session.position.shape))

    assert weekends.sprint is not None
    spread = replace(
        weekends,
        qualifying=spelt_out(weekends.qualifying),
        sprint=spelt_out(weekends.sprint),
        race=spelt_out(weekends.race),
    )
    assert_same(score_weekends(weekends, season_rules(season)), score_weekends(spread, season_rules(season)))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, season=st.sampled_from(RULE_SEASONS[1:]))
def test_no_negative_never_takes_points_away(seed, season):
    scores = score_weekends(drawn(seed, 15), season_rules(season), no_negative=True)
    assert scores.driver_no_negative is not None
    assert scores.constructor_no_negative is not None
    assert (scores.driver_no_negative >= np.maximum(scores.driver_points, 0)).all()
    assert (scores.constructor_no_negative >= np.maximum(scores.constructor_points, 0)).all()
