"""The scoring engine against official figures of real races, and properties that hold for any race."""

from functools import cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.scoring import (
    SCORE_COLUMNS,
    SessionResults,
    score_constructors,
    score_drivers,
    score_pit_stops,
    starting_places,
)
from f1_pipeline_tests import scored_races
from f1_pipeline_tests.scored_races import season_rules


@cache
def results_of(race_key: str) -> SessionResults:
    return scored_races.results_of([race_key])


def rules_of(race_key: str) -> SeasonRules:
    return season_rules(int(race_key[:4]))


def items_of(scores: pd.DataFrame, asset_id: str) -> dict[str, int]:
    own = scores[scores["asset_id"] == asset_id]
    return dict(zip(own["scoring_item"], own["points"].tolist(), strict=True))


@cache
def driver_scores(race_key: str) -> pd.DataFrame:
    return score_drivers(results_of(race_key), rules_of(race_key))


def driver_items(race_key: str, driver_id: str) -> dict[str, int]:
    return items_of(driver_scores(race_key), driver_id)


def constructor_items(race_key: str, constructor_id: str) -> dict[str, int]:
    qualifying = results_of(race_key).qualifying
    return items_of(score_constructors(driver_scores(race_key), qualifying, rules_of(race_key)), constructor_id)


@pytest.mark.parametrize(
    ("race_key", "driver_id", "expected"),
    [
        # retired but classified: 18th from 7th, eleven places lost and no penalty
        (
            "2025-canada",
            "lando-norris",
            {"qualifying_position": 4, "race_position": 0, "race_positions_lost": -11},
        ),
        (
            "2025-netherlands",
            "lando-norris",
            {"qualifying_position": 9, "race_position": 0, "race_positions_lost": -16},
        ),
        # pit lane behind 18 numbered slots, because a withdrawn car's slot was closed up: 19th to 13th
        (
            "2025-spain",
            "yuki-tsunoda",
            {"qualifying_position": 0, "race_position": 0, "race_positions_gained": 6},
        ),
        # two from the pit lane and a slot left empty: 20th to 14th
        (
            "2025-australia",
            "oliver-bearman",
            {"qualifying_not_classified": -5, "race_position": 0, "race_positions_gained": 6},
        ),
        # a car that kept its slot and did not start still counts: 19th to 10th, 20th to 16th
        (
            "2025-italy",
            "isack-hadjar",
            {"qualifying_position": 0, "race_position": 1, "race_positions_gained": 9},
        ),
        (
            "2025-italy",
            "pierre-gasly",
            {"qualifying_position": 0, "race_position": 0, "race_positions_gained": 4},
        ),
        # 2023: withdrawn before the grid formed costs nothing, failing on the way to it does
        ("2023-singapore", "lance-stroll", {"qualifying_position": 0}),
        ("2023-italy", "yuki-tsunoda", {"qualifying_position": 0, "race_not_classified": -20}),
        ("2025-spain", "lance-stroll", {"qualifying_position": 0, "race_not_classified": -20}),
        ("2026-australia", "oscar-piastri", {"qualifying_position": 6, "race_not_classified": -20}),
        ("2026-australia", "nico-hulkenberg", {"qualifying_position": 0, "race_not_classified": -20}),
        # absent from qualifying
        (
            "2025-sao-paulo",
            "gabriel-bortoleto",
            {
                "qualifying_not_classified": -5,
                "sprint_position": 0,
                "sprint_positions_lost": -4,
                "race_not_classified": -20,
            },
        ),
        ("2024-belgium", "george-russell", {"qualifying_position": 4, "race_disqualified": -25}),
        (
            "2023-united-states",
            "lewis-hamilton",
            {
                "qualifying_position": 8,
                "sprint_position": 7,
                "sprint_positions_gained": 1,
                "race_disqualified": -25,
            },
        ),
        (
            "2023-united-states",
            "charles-leclerc",
            {
                "qualifying_position": 10,
                "sprint_position": 6,
                "sprint_positions_lost": -1,
                "race_disqualified": -25,
            },
        ),
        (
            "2024-sao-paulo",
            "alexander-albon",
            {
                "qualifying_position": 4,
                "sprint_position": 0,
                "sprint_positions_lost": -1,
                "race_not_classified": -20,
            },
        ),
        (
            "2026-miami",
            "gabriel-bortoleto",
            {
                "qualifying_position": 0,
                "sprint_disqualified": -10,
                "race_position": 0,
                "race_positions_gained": 9,
            },
        ),
    ],
)
def test_drivers_of_real_races(race_key, driver_id, expected):
    assert driver_items(race_key, driver_id) == expected


@pytest.mark.parametrize(
    ("race_key", "driver_id", "season", "expected"),
    [
        # 14th to 1st with the fastest lap, voted driver of the day
        (
            "2018-germany",
            "lewis-hamilton",
            2026,
            {
                "qualifying_position": 0,
                "race_position": 25,
                "race_positions_gained": 13,
                "race_fastest_lap": 10,
                "driver_of_the_day": 10,
            },
        ),
        (
            "2018-germany",
            "lewis-hamilton",
            2022,
            {
                "qualifying_position": 0,
                "qualifying_eliminated_in_q2": 2,
                "race_position": 25,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_positions_gained": 10,
                "race_fastest_lap": 5,
            },
        ),
        # disqualified from qualifying, 20th to 5th in the sprint, 10th on the grid and 1st
        (
            "2021-sao-paulo",
            "lewis-hamilton",
            2025,
            {
                "qualifying_disqualified": -5,
                "sprint_position": 4,
                "sprint_positions_gained": 15,
                "race_position": 25,
                "race_positions_gained": 9,
                "driver_of_the_day": 10,
            },
        ),
        # the same in 2022: sprint capped, the race from 5th in the sprint
        (
            "2021-sao-paulo",
            "lewis-hamilton",
            2022,
            {
                "qualifying_disqualified": -10,
                "sprint_position": 6,
                "sprint_finished": 1,
                "sprint_positions_gained": 5,
                "race_position": 25,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_positions_gained": 8,
            },
        ),
        # on pole, and failed on the way to the grid
        ("2021-monaco", "charles-leclerc", 2023, {"qualifying_position": 10, "race_not_classified": -20}),
    ],
)
def test_races_before_the_game_score_under_the_rules_of_any_season(race_key, driver_id, season, expected):
    assert items_of(score_drivers(results_of(race_key), season_rules(season)), driver_id) == expected


@pytest.mark.parametrize("season", scored_races.RULE_SEASONS)
def test_every_race_since_2018_scores_race_by_race(season):
    for race_key in scored_races.driven_races():
        scores = score_drivers(results_of(race_key), season_rules(season))
        assert set(scores["race_key"]) == {race_key}
        assert set(scores["asset_id"]) <= set(results_of(race_key).qualifying["driver_id"]) | set(
            results_of(race_key).races["driver_id"]
        )
        assert scores.groupby("asset_id")["points"].sum().between(-45, 70).all()


@pytest.mark.parametrize("season", scored_races.RULE_SEASONS)
def test_no_results_are_no_scores(season):
    nothing = scored_races.results_of([])
    drivers = score_drivers(nothing, season_rules(season))
    constructors = score_constructors(drivers, nothing.qualifying, season_rules(season))
    assert drivers.columns.tolist() == constructors.columns.tolist() == SCORE_COLUMNS
    assert len(drivers) == len(constructors) == 0


def test_cars_promoted_by_a_disqualification_reach_q2():
    assert constructor_items("2025-singapore", "kick-sauber")["both_drivers_q2"] == 3


def test_two_disqualified_cars_cost_twenty_and_ten_each():
    # official weekend: -34 = 26 of qualifying - 2 x 20 - 2 x 10
    assert constructor_items("2025-las-vegas", "mclaren") == {
        "qualifying_position": 16,
        "both_drivers_q3": 10,
        "race_disqualified": -60,
    }


@pytest.mark.parametrize(
    ("race_key", "constructor_id", "points"),
    [
        ("2024-monaco", "haas", 0),
        ("2024-netherlands", "williams", 0),
        ("2024-azerbaijan", "alpine", -1),
        ("2025-singapore", "williams", -1),
    ],
)
def test_no_car_in_q2(race_key, constructor_id, points):
    assert constructor_items(race_key, constructor_id)["no_driver_q2"] == points


def test_constructor_carries_sprint_penalties_and_its_own_extra():
    items = constructor_items("2026-miami", "audi")
    assert items["sprint_disqualified"] == -20
    assert items["sprint_not_classified"] == -10


def test_driver_of_the_day_is_for_drivers_only():
    assert driver_items("2025-bahrain", "lewis-hamilton")["driver_of_the_day"] == 10
    assert "driver_of_the_day" not in constructor_items("2025-bahrain", "ferrari")


def test_overtakes_and_sprint_fastest_lap_are_optional_inputs():
    known = results_of("2025-china")
    results = SessionResults(
        known.qualifying,
        known.grids,
        known.races,
        overtakes=pd.DataFrame(
            {
                "race_key": ["2025-china"] * 3,
                "session": ["sprint", "race", "race"],
                "driver_id": ["lando-norris", "lando-norris", "lewis-hamilton"],
                "overtake_count": [1, 4, 3],
            }
        ),
        sprint_fastest_laps=pd.DataFrame({"race_key": ["2025-china"], "driver_id": ["lewis-hamilton"]}),
    )
    scores = score_drivers(results, rules_of("2025-china"))
    norris, hamilton = items_of(scores, "lando-norris"), items_of(scores, "lewis-hamilton")
    assert (norris["sprint_overtakes"], norris["race_overtakes"]) == (1, 4)
    assert hamilton["sprint_fastest_lap"] == 5
    assert "race_overtakes" not in hamilton  # disqualified: wiped since 2024


def test_retired_driver_keeps_overtakes():
    known = results_of("2025-spain")
    overtakes = pd.DataFrame(
        {
            "race_key": ["2025-spain"],
            "session": ["race"],
            "driver_id": ["alexander-albon"],
            "overtake_count": [2],
        }
    )
    results = SessionResults(known.qualifying, known.grids, known.races, overtakes)
    items = items_of(score_drivers(results, rules_of("2025-spain")), "alexander-albon")
    assert items["race_not_classified"] + items["race_overtakes"] == -18


def test_position_and_frequency_columns():
    scores = score_drivers(results_of("2025-canada"), rules_of("2025-canada"))
    norris = scores[scores["asset_id"] == "lando-norris"].set_index("scoring_item")
    assert norris.loc["race_position", "position"] == 18
    assert norris.loc["race_positions_lost", "frequency"] == 11
    assert norris.loc["race_position", "frequency"] == 1


def test_places_of_a_constructor_are_netted_and_listed_on_one_side():
    # as the game lists them: Colapinto -4 and Gasly +3, Ocon -4 and Bearman +1, Hadjar -12 and Lawson +1; the places
    # that Norris lost and Piastri gained are none
    qualifying = results_of("2025-belgium").qualifying
    scores = score_constructors(driver_scores("2025-belgium"), qualifying, season_rules(2025))
    own = scores[scores["scoring_item"].str.startswith("race_positions_")]
    found = {row.asset_id: (row.scoring_item, row.points, row.frequency) for row in own.itertuples()}
    assert found == {
        "alpine": ("race_positions_lost", -1, 1),
        "aston-martin": ("race_positions_gained", 5, 5),
        "ferrari": ("race_positions_gained", 11, 11),
        "haas": ("race_positions_lost", -3, 3),
        "kick-sauber": ("race_positions_gained", 3, 3),
        "mercedes": ("race_positions_gained", 4, 4),
        "racing-bulls": ("race_positions_lost", -11, 11),
        "red-bull": ("race_positions_lost", -6, 6),
        "williams": ("race_positions_lost", -2, 2),
    }


def test_a_driver_on_the_grid_who_is_in_no_result_is_passed_over():
    known = results_of("2025-canada")
    races = known.races[known.races["driver_id"] != "lando-norris"]
    scores = score_drivers(SessionResults(known.qualifying, known.grids, races), rules_of("2025-canada"))
    assert items_of(scores, "lando-norris") == {"qualifying_position": 4}


def test_the_fastest_lap_of_a_sprint_is_known_from_records_alone():
    known = results_of("2025-china")
    is_pole = (known.races["session"] == "sprint") & (known.races["position"] == 1)
    races = known.races.assign(is_fastest_lap=known.races["is_fastest_lap"].mask(is_pole, True))
    scores = score_drivers(SessionResults(known.qualifying, known.grids, races), rules_of("2025-china"))
    assert "sprint_fastest_lap" not in set(scores["scoring_item"])


def test_classified_driver_without_a_grid_place_is_refused():
    known = results_of("2025-canada")
    grids = known.grids[known.grids["driver_id"] != "lando-norris"]
    with pytest.raises(DataError, match="2025-canada: lando-norris is classified in the race but has no place"):
        score_drivers(SessionResults(known.qualifying, grids, known.races), rules_of("2025-canada"))


def test_pit_lane_starters_follow_the_numbered_slots():
    grid = results_of("2025-australia").grids
    places = starting_places(grid, "race").set_index("driver_id")["start_place"]
    assert places["esteban-ocon"] == 19  # slot 18 was left empty
    assert places["liam-lawson"] == 19  # 18 numbered slots and the first of the pit lane
    assert places["oliver-bearman"] == 20


def pit_stops(*rows: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["constructor_id", "stationary_ms"]).assign(race_key="2026-monaco")


def test_pit_stop_bands_and_the_fastest_stop():
    stops = pit_stops(("mclaren", 1990), ("mclaren", 2500), ("ferrari", 2000), ("haas", 2499), ("alpine", 3000))
    found = score_pit_stops(stops, season_rules(2026))
    points = found.set_index(["constructor_id", "scoring_item"])["points"].to_dict()
    assert points == {
        ("mclaren", "pit_stop_fastest_time"): 20,
        ("mclaren", "pit_stop_overall_fastest"): 5,
        ("ferrari", "pit_stop_fastest_time"): 10,
        ("haas", "pit_stop_fastest_time"): 5,
    }


def test_pit_stop_ranks_of_2023_may_all_go_to_one_team():
    stops = pit_stops(("red-bull", 2100), ("red-bull", 2150), ("ferrari", 2200), ("haas", 2300))
    found = score_pit_stops(stops, season_rules(2023))
    assert found.groupby("constructor_id")["points"].sum().to_dict() == {"red-bull": 15, "ferrari": 3}


def test_a_pit_stop_that_took_no_time_is_refused():
    with pytest.raises(DataError, match="2026-monaco: stationary time of haas: expected 1 ms or more, found 0"):
        score_pit_stops(pit_stops(("mclaren", 2000), ("haas", 0)), season_rules(2026))


@pytest.mark.parametrize(("season", "stops"), [(2022, [("mclaren", 2000)]), (2024, []), (2026, [])])
def test_without_pit_stops_or_rules_for_them_there_are_no_items(season, stops):
    found = score_pit_stops(pit_stops(*stops).astype({"stationary_ms": int}), season_rules(season))
    assert found.columns.tolist() == ["race_key", "constructor_id", "scoring_item", "points"]
    assert found.empty


SHUFFLES = st.integers(min_value=0, max_value=2**32 - 1)


@settings(max_examples=20, deadline=None)
@given(seed=SHUFFLES)
def test_scores_do_not_depend_on_row_order(seed):
    known, rules = results_of("2025-australia"), rules_of("2025-australia")

    def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.sample(frac=1, random_state=seed)

    mixed = SessionResults(shuffled(known.qualifying), shuffled(known.grids), shuffled(known.races))
    drivers = driver_scores("2025-australia")
    pd.testing.assert_frame_equal(score_drivers(mixed, rules), drivers)
    pd.testing.assert_frame_equal(
        score_constructors(shuffled(drivers), mixed.qualifying, rules),
        score_constructors(drivers, known.qualifying, rules),
    )


@settings(max_examples=10, deadline=None)
@given(gain=st.integers(min_value=1, max_value=10))
def test_one_place_better_at_the_flag_is_never_worth_less(gain):
    """Swapping a classified driver forward from 11th cannot cost him points."""
    known, rules = results_of("2025-canada"), rules_of("2025-canada")
    races = known.races.copy()
    places = dict(zip(races["position"], races.index, strict=True))
    back, front = places[11], places[11 - gain]
    before = driver_scores("2025-canada")
    races.loc[[back, front], "position"] = races.loc[[front, back], "position"].to_numpy()
    after = score_drivers(SessionResults(known.qualifying, known.grids, races), rules)
    driver = races.loc[back, "driver_id"]
    assert sum(items_of(after, driver).values()) >= sum(items_of(before, driver).values())
