"""The rules of 2022 against the official points of the season: every driver, every constructor, and items by hand."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from f1_pipeline.errors import UsageError
from f1_pipeline.game.scoring import SessionResults, score_constructors, score_drivers
from f1_pipeline_tests.scored_races import RULE_SEASONS, calendar, results_of, season_of, season_rules

# Official points race by race, Bahrain to Abu Dhabi, as a public record states them (jm1261/Fantasy-F1-League).
DRIVERS = {
    "lewis-hamilton": "34 13 26 5 19 21 11 26 48 39 39 38 44 4 25 22 9 26 54 35 41 2",
    "george-russell": "28 26 33 33 36 33 26 34 27 1 35 30 27 30 53 33 2 11 26 28 65 39",
    "max-verstappen": "5 45 4 62 56 45 28 54 44 16 53 45 55 49 54 45 15 54 46 49 30 44",
    "sergio-perez": "4 22 35 44 28 49 46 38 -8 36 4 22 23 32 20 30 45 38 23 28 29 26",
    "charles-leclerc": "49 41 49 30 50 5 22 5 23 22 60 5 14 20 31 35 45 31 34 18 31 47",
    "carlos-sainz-jr": "32 27 -5 7 31 25 34 0 42 49 10 32 26 31 11 32 28 1 5 30 43 23",
    "daniel-ricciardo": "13 -8 18 5 8 2 5 18 7 5 15 9 -4 -5 2 -4 22 3 4 20 -4 9",
    "lando-norris": "1 22 24 43 -2 16 26 11 1 22 29 17 16 6 19 24 30 11 34 9 11 28",
    "fernando-alonso": "9 -3 -5 2 5 14 19 22 7 37 18 23 12 24 34 -4 1 14 21 3 27 -8",
    "esteban-ocon": "20 21 20 13 18 24 1 10 21 -8 34 15 6 14 23 6 -9 29 12 16 23 20",
    "pierre-gasly": "-4 17 14 13 -1 5 15 26 11 -6 8 13 15 16 6 17 8 2 1 12 6 8",
    "yuki-tsunoda": "19 -15 -1 30 3 15 -5 -3 -9 4 3 -2 -2 12 -3 5 -6 8 17 -6 3 10",
    "sebastian-vettel": "4 15 -7 24 -5 17 10 25 14 19 8 11 16 19 12 -7 17 25 18 13 10 7",
    "lance-stroll": "15 9 9 15 11 8 10 8 16 12 14 16 11 11 11 -9 26 12 -1 8 17 20",
    "alexander-albon": "10 13 5 14 19 6 -7 17 6 -9 14 12 7 10 14 18 -7 -7 4 17 13 17",
    "nicholas-latifi": "10 -9 8 10 12 13 13 8 8 6 -7 -9 6 0 6 4 -9 17 8 6 8 4",
    "valtteri-bottas": "22 -2 20 34 17 23 26 14 20 -8 12 6 -1 -9 -9 3 15 2 -4 7 22 8",
    "guanyu-zhou": "14 10 9 8 -9 -8 10 -6 15 -3 7 6 4 6 4 15 -6 4 10 1 13 14",
    "mick-schumacher": "5 2 12 -3 8 0 -8 15 -2 19 26 13 8 1 2 15 3 -1 12 5 9 2",
    "kevin-magnussen": "27 14 6 18 2 -1 -6 -7 5 15 19 -4 -1 9 8 10 5 13 19 1 6 0",
}
CONSTRUCTORS = {
    "mercedes": "57 34 64 31 40 49 42 60 55 30 72 63 76 29 58 50 6 32 60 73 99 21",
    "red-bull": "4 62 39 99 69 94 69 77 31 42 50 62 63 86 64 65 65 72 69 77 42 70",
    "ferrari": "76 63 44 30 56 30 51 3 60 61 63 37 35 41 47 52 58 32 29 38 72 65",
    "mclaren": "9 9 37 41 1 13 26 24 3 22 37 21 7 -4 16 10 47 9 23 24 -2 32",
    "alpine": "24 13 10 8 18 33 15 27 23 14 40 33 23 33 32 -3 -10 38 28 9 43 7",
    "alphatauri": "10 -3 8 36 -3 15 5 18 -3 -7 4 6 8 23 -2 17 -3 5 13 1 2 13",
    "aston-martin": "14 19 -3 32 1 20 15 28 25 26 15 22 22 25 18 -18 38 32 12 16 20 22",
    "williams": "15 -1 8 17 26 14 1 20 9 -8 0 -2 8 5 15 17 -18 5 7 18 14 16",
    "alfa-romeo": "31 3 24 35 3 10 21 3 30 -13 12 7 -2 -8 -10 13 4 1 1 3 28 17",
    "haas": "27 11 13 8 5 -6 -16 3 -2 29 38 4 2 5 5 20 3 7 26 1 8 -3",
}
# Results do not tell who was fastest in a sprint; their totals leave 3 points over.
SPRINT_FASTEST_LAPS = pd.DataFrame(
    {
        "race_key": ["2022-emilia-romagna", "2022-austria", "2022-sao-paulo"],
        "driver_id": ["sergio-perez", "charles-leclerc", "george-russell"],
    }
)
# Who sat out had the points of his replacement.
REPLACED = {
    ("2022-bahrain", "sebastian-vettel"): "nico-hulkenberg",
    ("2022-saudi-arabia", "sebastian-vettel"): "nico-hulkenberg",
    ("2022-italy", "alexander-albon"): "nyck-de-vries",
}


def season_results() -> SessionResults:
    known = results_of(season_of(2022))
    return SessionResults(known.qualifying, known.grids, known.races, sprint_fastest_laps=SPRINT_FASTEST_LAPS)


@cache
def driver_scores() -> pd.DataFrame:
    return score_drivers(season_results(), season_rules(2022), calendar())


@cache
def constructor_scores() -> pd.DataFrame:
    return score_constructors(driver_scores(), season_results().qualifying, season_rules(2022), calendar=calendar())


def totals_of(scores: pd.DataFrame) -> dict[tuple[str, str], int]:
    return scores.groupby(["race_key", "asset_id"])["points"].sum().to_dict()


def official(table: dict[str, str]) -> dict[tuple[str, str], int]:
    return {
        (race_key, asset_id): int(points)
        for asset_id, line in table.items()
        for race_key, points in zip(season_of(2022), line.split(), strict=True)
    }


def items_of(scores: pd.DataFrame, race_key: str, asset_id: str) -> dict[str, int]:
    own = scores[(scores["race_key"] == race_key) & (scores["asset_id"] == asset_id)]
    return dict(zip(own["scoring_item"], own["points"].tolist(), strict=True))


def test_drivers_of_the_season_have_their_official_points():
    computed = totals_of(driver_scores())
    expected = official(DRIVERS)
    differences = {
        key: computed[key[0], REPLACED.get(key, key[1])] - points
        for key, points in expected.items()
        if computed[key[0], REPLACED.get(key, key[1])] != points
    }
    assert len(expected) == 440
    # the game has Gasly and Schumacher in each other's place in these races
    assert differences == {
        ("2022-japan", "pierre-gasly"): -2,
        ("2022-japan", "mick-schumacher"): 2,
        ("2022-united-states", "pierre-gasly"): 2,
        ("2022-united-states", "mick-schumacher"): -2,
    }


def test_constructors_of_the_season_have_their_official_points():
    computed = totals_of(constructor_scores())
    expected = official(CONSTRUCTORS)
    assert len(expected) == 220
    assert {key: computed[key] - points for key, points in expected.items() if computed[key] != points} == {
        ("2022-japan", "alphatauri"): -2,
        ("2022-japan", "haas"): 2,
        ("2022-united-states", "alphatauri"): 2,
        ("2022-united-states", "haas"): -2,
    }


@pytest.mark.parametrize(
    ("race_key", "driver_id", "expected"),
    [
        # pole, win and fastest lap
        (
            "2022-bahrain",
            "charles-leclerc",
            {
                "qualifying_position": 10,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "race_position": 25,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_fastest_lap": 5,
            },
        ),
        # a sprint weekend: places of the race count from the sprint, 2nd to 1st
        (
            "2022-austria",
            "charles-leclerc",
            {
                "qualifying_position": 9,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "sprint_position": 9,
                "sprint_finished": 1,
                "sprint_ahead_of_team_mate": 2,
                "sprint_fastest_lap": 3,
                "race_position": 25,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_positions_gained": 2,
            },
        ),
        # fifth race in a row among the first ten, in qualifying and in the race; 1st to 2nd
        (
            "2022-miami",
            "charles-leclerc",
            {
                "qualifying_position": 10,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "qualifying_streak": 5,
                "race_position": 18,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_positions_lost": -2,
                "race_streak": 10,
            },
        ),
        # classified 19th from 2nd, 17 places and no more than 10 points
        (
            "2022-bahrain",
            "max-verstappen",
            {
                "qualifying_position": 9,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "race_position": 0,
                "race_finished": 1,
                "race_positions_lost": -10,
            },
        ),
        # disqualified from qualifying he counts from 20th; 10th is worth the cap
        (
            "2022-australia",
            "alexander-albon",
            {
                "qualifying_disqualified": -10,
                "race_position": 1,
                "race_finished": 1,
                "race_ahead_of_team_mate": 3,
                "race_positions_gained": 10,
            },
        ),
        # absent from qualifying: no penalty, and 20th
        (
            "2022-miami",
            "esteban-ocon",
            {"race_position": 4, "race_finished": 1, "race_ahead_of_team_mate": 3, "race_positions_gained": 10},
        ),
        # did not start the sprint, so he counts from last in the race; fifth Q3 in a row
        (
            "2022-austria",
            "fernando-alonso",
            {
                "qualifying_position": 3,
                "qualifying_reached_q3": 3,
                "qualifying_streak": 5,
                "sprint_not_classified": -5,
                "race_position": 1,
                "race_finished": 1,
                "race_positions_gained": 10,
            },
        ),
        # withdrawn after qualifying: nothing; failed on the way to the grid: not classified
        ("2022-saudi-arabia", "mick-schumacher", {"qualifying_position": 0, "qualifying_eliminated_in_q2": 2}),
        ("2022-saudi-arabia", "yuki-tsunoda", {"qualifying_not_classified": -5, "race_not_classified": -10}),
    ],
)
def test_items_of_drivers(race_key, driver_id, expected):
    found = items_of(driver_scores(), race_key, driver_id)
    assert found == expected
    assert sum(expected.values()) == official(DRIVERS)[race_key, driver_id]


def test_items_of_a_constructor_are_those_of_its_cars_but_for_what_drivers_keep():
    # Verstappen 1st in everything, fastest lap; Perez 7th, 3rd with the sprint's fastest lap, and 2nd
    assert items_of(constructor_scores(), "2022-emilia-romagna", "red-bull") == {
        "qualifying_position": 14,
        "qualifying_reached_q3": 6,
        "sprint_position": 18,
        "sprint_finished": 2,
        "sprint_positions_gained": 4,
        "sprint_fastest_lap": 3,
        "race_position": 43,
        "race_finished": 2,
        "race_positions_gained": 2,
        "race_fastest_lap": 5,
    }


def test_both_cars_among_the_first_ten_in_three_races_in_a_row_are_a_streak():
    # Russell 6th and 3rd, Hamilton 5th and 4th; Hamilton was 16th in qualifying a race before, so one streak alone
    assert items_of(constructor_scores(), "2022-australia", "mercedes") == {
        "qualifying_position": 11,
        "qualifying_reached_q3": 6,
        "race_position": 27,
        "race_finished": 2,
        "race_positions_gained": 8,
        "race_streak": 10,
    }


def test_places_of_both_cars_are_capped_car_by_car_and_not_netted():
    # Russell 6th to 5th, Hamilton classified 18th from 5th
    assert items_of(constructor_scores(), "2022-abu-dhabi", "mercedes") == {
        "qualifying_position": 11,
        "qualifying_reached_q3": 6,
        "race_position": 10,
        "race_finished": 2,
        "race_positions_gained": 2,
        "race_positions_lost": -10,
    }


def test_a_streak_of_both_cars_starts_anew_after_its_payout():
    paid = constructor_scores()
    ferrari = paid[(paid["asset_id"] == "ferrari") & (paid["scoring_item"] == "qualifying_streak")]
    races = sorted(season_of(2022).index(key) + 1 for key in ferrari["race_key"])
    assert races == [3, 6, 12, 15, 18, 21]


def test_streaks_are_scored_only_along_a_calendar_and_start_anew_each_season():
    two_seasons = [*season_of(2021)[-4:], *season_of(2022)[:5]]
    plain = score_drivers(results_of(two_seasons), season_rules(2022))
    assert not plain["scoring_item"].str.endswith("_streak").any()
    along = score_drivers(results_of(two_seasons), season_rules(2022), calendar())
    streaks = along[along["scoring_item"].str.endswith("_streak")]
    # nobody has five in the four races of 2021, and Verstappen's four do not count for 2022
    assert set(streaks["race_key"]) == {"2022-miami"}
    qualifying = streaks[streaks["scoring_item"] == "qualifying_streak"]
    assert set(qualifying["asset_id"]) == {"carlos-sainz-jr", "charles-leclerc", "max-verstappen", "sergio-perez"}


@pytest.mark.parametrize("season", RULE_SEASONS[1:])
def test_later_seasons_know_no_streaks(season):
    scores = score_drivers(results_of(season_of(2022)), season_rules(season), calendar())
    assert not scores["scoring_item"].str.endswith("_streak").any()


def test_a_race_outside_the_calendar_is_refused():
    with pytest.raises(UsageError, match="2022-miami: expected a race of the calendar given, which holds 4 races"):
        score_drivers(results_of(season_of(2022)[:5]), season_rules(2022), calendar=season_of(2022)[:4])
