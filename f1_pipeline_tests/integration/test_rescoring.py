"""Every race since 2018 under any season's rules: own rules give official totals, older races are worked by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from f1_pipeline.errors import RuleError, UsageError
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.scores import rescored_races
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import DATA, NEXT_RACE, make_settings

ASSET = ["race_key", "asset_type", "asset_id"]


@pytest.fixture(scope="module")
def facts_only(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """An installation that has never run."""
    return Pipeline(make_settings(tmp_path_factory.mktemp("nothing")))


def ask(history: History, query: str) -> list[tuple[Any, ...]]:
    with history.pipeline.warehouse.read() as connection:
        return connection.execute(query).fetchall()


def items_of(pipeline: Pipeline, rules_season: int, race_key: str, asset_id: str) -> dict[str, int | None]:
    """Map each scoring item of an asset to its points, None where they are unknown."""
    items = rescored_races(pipeline, rules_season, race_key=race_key).items
    own = items[items["asset_id"] == asset_id]
    return {
        name: None if pd.isna(points) else int(points)
        for name, points in zip(own["scoring_item"], own["points"], strict=True)
    }


@pytest.mark.parametrize(
    ("season", "asset_count", "expected"),
    [
        (
            2023,
            660,
            {
                ("2023-australia", "alfa-romeo"): (27, 26),
                ("2023-australia", "red-bull"): (97, 98),
                ("2023-australia", "sergio-perez"): (51, 52),
                ("2023-australia", "valtteri-bottas"): (13, 12),
                ("2023-azerbaijan", "logan-sargeant"): (0, -20),
                ("2023-azerbaijan", "williams"): (5, -15),
            },
        ),
        (2024, 719, {}),
        (2025, 720, {}),
        (2026, 165, {}),
    ],
)
def test_season_under_its_own_rules_is_the_official_one(
    facts_only: Pipeline, season: int, asset_count: int, expected: dict[tuple[str, str], tuple[int, int]]
) -> None:
    totals = rescored_races(facts_only, season, season=season).totals
    assert totals["is_complete"].all()
    official = load_fact_table(DATA, "official_totals").to_pandas()[[*ASSET, "total_points"]]
    both = totals.merge(official, on=ASSET, suffixes=("", "_official"), validate="1:1")
    assert len(both) == len(totals) == asset_count
    wrong = both[both["total_points"] != both["total_points_official"]]
    names = zip(wrong["race_key"], wrong["asset_id"], strict=True)
    assert dict(zip(names, zip(wrong["total_points"], wrong["total_points_official"], strict=True), strict=True)) == (
        expected
    )


@pytest.mark.parametrize(
    ("race_key", "asset_id", "expected"),
    [
        # pole, win, fastest lap; Driver of the Day was somebody else
        (
            "2021-abu-dhabi",
            "max-verstappen",
            {"qualifying_position": 10, "race_position": 25, "race_fastest_lap": 10, "race_overtakes": None},
        ),
        # fifth in qualifying and on the grid, last on the first lap, and still the winner
        (
            "2020-sakhir",
            "sergio-perez",
            {"qualifying_position": 6, "race_position": 25, "race_positions_gained": 4, "race_overtakes": None},
        ),
        # pole of Friday's qualifying, second in the sprint, first from second on the grid
        (
            "2021-great-britain",
            "lewis-hamilton",
            {
                "qualifying_position": 10,
                "sprint_position": 7,
                "sprint_positions_lost": -1,
                "sprint_overtakes": None,
                "sprint_fastest_lap": None,
                "race_position": 25,
                "race_positions_gained": 1,
                "race_overtakes": None,
            },
        ),
        # disqualified from pole, fifth in the sprint from 20th, first from tenth, Driver of the Day
        (
            "2021-sao-paulo",
            "lewis-hamilton",
            {
                "qualifying_disqualified": -5,
                "sprint_position": 4,
                "sprint_positions_gained": 15,
                "sprint_overtakes": None,
                "sprint_fastest_lap": None,
                "race_position": 25,
                "race_positions_gained": 9,
                "driver_of_the_day": 10,
                "race_overtakes": None,
            },
        ),
        # absent from qualifying, 18th in the sprint from 14th, retired from the race; overtakes are recorded
        (
            "2025-sao-paulo",
            "gabriel-bortoleto",
            {
                "qualifying_not_classified": -5,
                "sprint_position": 0,
                "sprint_positions_lost": -4,
                "sprint_overtakes": 3,
                "race_not_classified": -20,
                "race_overtakes": 2,
            },
        ),
        # first and sixth in qualifying, fourth and second in the race from first and sixth on the grid
        (
            "2018-azerbaijan",
            "ferrari",
            {
                "qualifying_position": 15,
                "both_drivers_q3": 10,
                "race_position": 30,
                "race_positions_gained": 1,
                "race_overtakes": None,
                "pit_stops": None,
            },
        ),
    ],
)
def test_races_by_name_under_the_rules_of_2026(
    facts_only: Pipeline, race_key: str, asset_id: str, expected: dict[str, int | None]
) -> None:
    assert items_of(facts_only, 2026, race_key, asset_id) == expected


@pytest.mark.parametrize(
    ("race_key", "asset_id", "total", "expected"),
    [
        # pole, win from pole, fastest lap, ahead of Sainz twice
        (
            "2022-bahrain",
            "charles-leclerc",
            49,
            {
                "qualifying_position": 10,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "race_position": 25,
                "race_finished": 1,
                "race_fastest_lap": 5,
                "race_ahead_of_team_mate": 3,
            },
        ),
        # first and third in qualifying, first and second in the race; team mates do not count
        (
            "2022-bahrain",
            "ferrari",
            76,
            {
                "qualifying_position": 18,
                "qualifying_reached_q3": 6,
                "race_position": 43,
                "race_finished": 2,
                "race_positions_gained": 2,
                "race_fastest_lap": 5,
            },
        ),
        # the fifth race of the season, and the fifth time among the first ten in qualifying and in the race
        (
            "2022-miami",
            "charles-leclerc",
            50,
            {
                "qualifying_position": 10,
                "qualifying_reached_q3": 3,
                "qualifying_ahead_of_team_mate": 2,
                "qualifying_streak": 5,
                "race_position": 18,
                "race_finished": 1,
                "race_positions_lost": -2,
                "race_ahead_of_team_mate": 3,
                "race_streak": 10,
            },
        ),
    ],
)
def test_races_by_name_under_the_rules_of_2022(
    facts_only: Pipeline, race_key: str, asset_id: str, total: int, expected: dict[str, int]
) -> None:
    answer = rescored_races(facts_only, 2022, race_key=race_key)
    assert items_of(facts_only, 2022, race_key, asset_id) == expected
    (row,) = answer.totals[answer.totals["asset_id"] == asset_id].to_dict("records")
    assert (row["total_points"], row["unknown_items"], row["is_complete"]) == (total, "", True)


def test_rules_without_overtakes_and_pit_stops_lack_the_fastest_laps_of_some_sprints(facts_only: Pipeline) -> None:
    totals = rescored_races(facts_only, 2022).totals
    assert set(totals["unknown_items"]) == {"", "sprint_fastest_lap"}
    # before 2023 nobody recorded it; where only the sum of a weekend's overtakes is known it may be part of that
    assert set(totals.loc[~totals["is_complete"], "race_key"]) == {
        *("2021-great-britain", "2021-italy", "2021-sao-paulo"),
        *("2022-emilia-romagna", "2022-austria", "2022-sao-paulo"),
        *("2024-china", "2024-miami", "2024-austria", "2024-united-states", "2024-sao-paulo", "2024-qatar"),
        "2025-qatar",
    }


def test_overtakes_that_a_disqualification_took_are_unknown_where_it_would_not(facts_only: Pipeline) -> None:
    # both Ferraris and Gasly were disqualified; in 2023 Hamilton kept his overtakes all the same
    totals = rescored_races(facts_only, 2023, race_key="2025-china").totals
    open_totals = totals[totals["unknown_items"].str.contains("overtakes")]
    assert dict(zip(open_totals["asset_id"], open_totals["unknown_items"], strict=True)) == {
        "alpine": "race_overtakes, pit_stops",
        "ferrari": "race_overtakes, pit_stops",
        "charles-leclerc": "race_overtakes",
        "lewis-hamilton": "race_overtakes",
        "pierre-gasly": "race_overtakes",
    }


def test_one_race_is_scored_as_among_all(facts_only: Pipeline) -> None:
    whole = rescored_races(facts_only, 2022)
    alone = rescored_races(facts_only, 2022, race_key="2022-miami")
    for rows, own in ((whole.items, alone.items), (whole.totals, alone.totals)):
        expected = rows[rows["race_key"] == "2022-miami"].reset_index(drop=True)
        assert len(expected) > 0
        pd.testing.assert_frame_equal(own, expected)


@pytest.mark.parametrize(
    ("rules_season", "race_key", "asset_id", "item", "points"),
    [
        # two cars disqualified in qualifying: -15 each until 2024; -5 each since, and as much again of the team's own
        (2024, "2024-monaco", "nico-hulkenberg", "qualifying_disqualified", -15),
        (2026, "2024-monaco", "nico-hulkenberg", "qualifying_disqualified", -5),
        (2026, "2024-monaco", "haas", "qualifying_disqualified", -20),
        # a sprint that ends early: -20 until 2025, -10 since
        (2023, "2023-qatar", "nico-hulkenberg", "sprint_not_classified", -20),
        (2026, "2023-qatar", "nico-hulkenberg", "sprint_not_classified", -10),
        # disqualified from two races of 2025: -25 each until 2024, -20 each and -10, then -20, of the team's own since
        (2023, "2025-las-vegas", "mclaren", "race_disqualified", -50),
        (2025, "2025-las-vegas", "mclaren", "race_disqualified", -60),
        (2026, "2025-las-vegas", "mclaren", "race_disqualified", -80),
    ],
)
def test_what_a_season_s_rules_make_of_another_season_s_race(
    facts_only: Pipeline, rules_season: int, race_key: str, asset_id: str, item: str, points: int
) -> None:
    assert items_of(facts_only, rules_season, race_key, asset_id)[item] == points


def test_every_race_since_2018_is_in_the_warehouse_under_the_newest_rules(history: History) -> None:
    rows = ask(
        history,
        "select cast(left(race_key, 4) as integer) as season, count(distinct race_key), min(rules_season),"
        " max(rules_season) from marts.rescored_race_points group by season order by season",
    )
    counts = {2018: 21, 2019: 21, 2020: 17, 2021: 22, 2022: 22, 2023: 22, 2024: 24, 2025: 24, 2026: 5}
    assert rows == [(season, count, 2026, 2026) for season, count in counts.items()]


def test_what_nobody_recorded_is_named(history: History) -> None:
    rows = ask(
        history,
        "select cast(left(race_key, 4) as integer) as season, asset_type, unknown_items, count(*)"
        " from marts.rescored_race_points group by all",
    )
    race, sprint = "race_overtakes", "sprint_overtakes, sprint_fastest_lap"
    stops = "pit_stops"
    assert {row[:3]: row[3] for row in rows} == {
        (2018, "driver", race): 417,
        (2018, "driver", ""): 3,
        (2018, "constructor", f"{race}, {stops}"): 210,
        (2019, "driver", race): 418,
        (2019, "driver", ""): 2,
        (2019, "constructor", f"{race}, {stops}"): 209,
        # both Renaults were disqualified in Japan
        (2019, "constructor", stops): 1,
        (2020, "driver", race): 338,
        (2020, "driver", ""): 2,
        (2020, "constructor", f"{race}, {stops}"): 170,
        (2021, "driver", race): 377,
        (2021, "driver", f"{sprint}, {race}"): 59,
        # Tsunoda did not start the race of a sprint weekend
        (2021, "driver", sprint): 1,
        (2021, "driver", ""): 3,
        (2021, "constructor", f"{race}, {stops}"): 190,
        (2021, "constructor", f"{sprint}, {race}, {stops}"): 30,
        (2022, "driver", race): 379,
        (2022, "driver", f"{sprint}, {race}"): 59,
        (2022, "driver", ""): 2,
        (2022, "constructor", f"{race}, {stops}"): 190,
        (2022, "constructor", f"{sprint}, {race}, {stops}"): 30,
        # three fastest stops, then time bands: what one says of a team does not tell what the other would
        (2023, "driver", ""): 440,
        (2023, "constructor", stops): 220,
        (2024, "driver", ""): 479,
        (2024, "constructor", stops): 240,
        (2025, "driver", ""): 480,
        (2025, "constructor", ""): 240,
        (2026, "driver", ""): 110,
        (2026, "constructor", ""): 55,
    }


def test_before_2023_only_who_raced_for_nothing_is_complete(history: History) -> None:
    # they did not start, or were disqualified, and could overtake nobody that counts
    complete = ask(
        history,
        "select race_key, asset_id from marts.rescored_race_points"
        " where is_complete and race_key < '2023' order by all",
    )
    assert complete == [
        ("2018-italy", "romain-grosjean"),
        ("2018-united-states", "esteban-ocon"),
        ("2018-united-states", "kevin-magnussen"),
        ("2019-japan", "daniel-ricciardo"),
        ("2019-japan", "nico-hulkenberg"),
        ("2020-belgium", "carlos-sainz-jr"),
        ("2020-great-britain", "nico-hulkenberg"),
        ("2021-abu-dhabi", "nikita-mazepin"),
        ("2021-hungary", "sebastian-vettel"),
        ("2021-monaco", "charles-leclerc"),
        ("2022-saudi-arabia", "mick-schumacher"),
        ("2022-saudi-arabia", "yuki-tsunoda"),
    ]


def test_totals_are_the_sums_of_the_items(history: History) -> None:
    wrong = ask(
        history,
        """
        with sums as (
            select
                race_key, asset_type, asset_id, coalesce(sum(points), 0) as points,
                count(*) > count(points) as is_open
            from core.rescored_event_score
            group by all
        )
        select tot.race_key, tot.asset_id
        from marts.rescored_race_points as tot
        full outer join sums using (race_key, asset_type, asset_id)
        where tot.total_points is distinct from sums.points or tot.is_complete = sums.is_open
        """,
    )
    assert wrong == []
    assert ask(history, "select count(*) from marts.rescored_race_points") == [(5354,)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rules_season": 2019}, RuleError, "There are no rules for 2019"),
        ({"rules_season": 2026, "season": 2017}, UsageError, "there are no results of 2017: expected a race or season"),
        ({"rules_season": 2026, "race_key": NEXT_RACE}, UsageError, "there are no results of 2026-monaco"),
        ({"rules_season": 2026, "race_key": "2019-monza"}, UsageError, "from 2018 to 2026 that was driven"),
    ],
)
def test_wrong_request_is_refused(
    facts_only: Pipeline, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rescored_races(facts_only, **arguments)


def test_rows_are_in_order_of_date(facts_only: Pipeline) -> None:
    races = load_fact_table(DATA, "races").to_pandas().set_index("race_key")["race_date"]
    answer = rescored_races(facts_only, 2026, season=2020)
    for rows in (answer.items, answer.totals):
        assert set(rows["rules_season"]) == {2026}
        assert rows["race_key"].map(races).is_monotonic_increasing
