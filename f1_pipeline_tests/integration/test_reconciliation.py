"""The committed facts agree with each other: scoring items add up to the official totals, race by race."""

from pathlib import Path

import pandas as pd
import pytest

from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.importer_scores import pit_stop_totals

DATA_DIR = Path(__file__).parents[2] / "data"
ASSET = ["race_key", "asset_type", "asset_id"]


def facts(name: str) -> pd.DataFrame:
    return load_fact_table(DATA_DIR, name).to_pandas()


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return facts("event_scores")


@pytest.fixture(scope="module")
def compared(scores) -> pd.DataFrame:
    items = scores.groupby(ASSET)["points"].sum().rename("items_total")
    totals = facts("official_totals").set_index(ASSET)["total_points"].rename("official_total")
    return pd.concat([items, totals], axis=1, join="outer")


def test_every_scored_asset_has_a_total_and_the_other_way_round(compared):
    assert len(compared) == 2265
    assert compared["official_total"].notna().all()
    # Sargeant gave his car to Albon after practice: in the game that weekend, with nothing scored
    without_items = compared[compared["items_total"].isna()]
    assert list(without_items.index) == [("2024-australia", "driver", "logan-sargeant")]
    assert without_items["official_total"].tolist() == [0]


def test_items_add_up_to_the_official_total_of_every_asset(compared):
    differing = compared[compared["items_total"].fillna(0) != compared["official_total"]]
    assert list(differing.index) == []


def test_known_exceptions_are_these():
    listed = facts("known_exceptions")
    values = zip(listed["official_value"].astype(float), listed["computed_value"].astype(float), strict=True)
    points = listed["comparison"] != "price"
    names = zip(listed["race_key"], listed["comparison"], listed["asset_id"], strict=True)
    found = dict(zip(names, values, strict=True))
    # the prices are in test_price_moves.py
    assert {key: pair for key, pair in found.items() if key[1] != "price"} == {
        ("2023-australia", "engine", "alfa-romeo"): (26, 27),
        ("2023-australia", "engine", "red-bull"): (98, 97),
        ("2023-australia", "engine", "sergio-perez"): (52, 51),
        ("2023-australia", "engine", "valtteri-bottas"): (12, 13),
        ("2023-azerbaijan", "engine", "williams"): (-15, 5),
        ("2023-azerbaijan", "engine", "logan-sargeant"): (-20, 0),
    }
    assert (len(listed), int(points.sum())) == (17, 6)
    assert listed["reason"].str.fullmatch(r"[A-Z0-9].{30,200}\.").all()


@pytest.mark.parametrize(
    ("race_key", "asset_id", "total"),
    [
        ("2025-las-vegas", "mclaren", -34),
        ("2026-miami", "audi", -27),
        ("2026-miami", "red-bull", 31),
        ("2023-great-britain", "mercedes", 53),
        ("2023-qatar", "oscar-piastri", 56),
        ("2025-canada", "lando-norris", -2),
        ("2024-monaco", "nico-hulkenberg", -32),
    ],
)
def test_weekends_by_name(scores, race_key, asset_id, total):
    own = scores[(scores["race_key"] == race_key) & (scores["asset_id"] == asset_id)]
    assert own["points"].sum() == total


def test_a_constructor_is_the_sum_of_its_cars_and_its_own_items(scores):
    cars = scores[(scores["asset_type"] == "driver") & (scores["scoring_item"] != "driver_of_the_day")]
    teams = scores[scores["asset_type"] == "constructor"]
    own = teams["scoring_item"].str.startswith("pit_stop") | teams["scoring_item"].str.contains("driver")
    key = ["race_key", "constructor_id", "event_type"]
    gap = teams[~own].groupby(key)["points"].sum().sub(cars.groupby(key)["points"].sum(), fill_value=0)
    extras = gap[gap != 0]
    # what is left are the penalties of a constructor for its own disqualified cars, since 2025
    assert {key: int(points) for key, points in extras.items()} == {
        ("2025-azerbaijan", "haas", "qualifying"): -5,
        ("2025-bahrain", "kick-sauber", "race"): -10,
        ("2025-china", "alpine", "race"): -10,
        ("2025-china", "ferrari", "race"): -20,
        ("2025-las-vegas", "mclaren", "race"): -20,
        ("2025-singapore", "williams", "qualifying"): -10,
        ("2026-miami", "audi", "sprint"): -10,
        ("2026-miami", "red-bull", "qualifying"): -5,
    }


def test_residual_overtakes_are_positive_and_pit_stops_possible(scores):
    residual = scores[scores["origin"] == "residual"]
    overtakes = residual[residual["scoring_item"].str.endswith("_overtakes")]
    assert overtakes["points"].min() > 0
    assert (overtakes["points"] == overtakes["frequency"]).all()
    pit_stops = scores[scores["scoring_item"] == "pit_stop_total"]
    for season in (2024, 2025, 2026):
        found = set(pit_stops.loc[pit_stops["race_key"].str.startswith(str(season)), "points"])
        assert found <= pit_stop_totals(load_rules(DATA_DIR, season))


@pytest.mark.parametrize("season", [2023, 2024])
def test_three_fastest_stops_share_eighteen_points_in_every_race(scores, season):
    pit_stops = scores[
        scores["race_key"].str.startswith(str(season)) & scores["scoring_item"].str.startswith("pit_stop")
    ]
    per_race = pit_stops.groupby("race_key")["points"].sum()
    assert len(per_race) == {2023: 22, 2024: 24}[season]
    assert set(per_race) == {18}


def test_positions_are_those_of_the_results(scores):
    placed = scores[(scores["asset_type"] == "driver") & scores["scoring_item"].str.endswith("_position")]
    results = pd.concat([facts("qualifying_results"), facts("race_results")])
    results = results.rename(columns={"driver_id": "asset_id", "session": "event_type", "position": "place"})
    keys = ["race_key", "event_type", "asset_id"]
    joined = placed.merge(results[[*keys, "place"]], on=keys, how="left", validate="one_to_one")
    assert (joined["position"] == joined["place"]).all()


def test_line_ups_lock_where_the_rules_say():
    races = facts("races").set_index("race_key")
    sessions = facts("sessions").set_index(["race_key", "session"])
    for race_key, locks_at in [
        ("2023-qatar", "qualifying"),
        ("2024-china", "sprint"),
        ("2026-canada", "sprint"),
        ("2026-monaco", "qualifying"),
    ]:
        assert races.loc[race_key, "lock_at"] == sessions.loc[(race_key, locks_at), "starts_at"]
    before = sessions[sessions["is_before_lock"]].reset_index()
    by_race = before.groupby("race_key")["session"].apply(list)
    assert by_race["2026-monaco"] == ["fp1", "fp2", "fp3"]
    assert by_race["2026-canada"] == ["fp1", "sprint_qualifying"]
    assert by_race["2023-qatar"] == ["fp1"]
    assert by_race["2020-emilia-romagna"] == ["fp1"]
    assert not set(before["session"]) & {"qualifying", "sprint", "race"}


def test_calendar_is_in_order_of_date():
    races = facts("races")
    assert races["race_date"].is_monotonic_increasing
    in_season = races.groupby("season")["round_number"].apply(list)
    assert all(rounds == list(range(1, len(rounds) + 1)) for rounds in in_season)
    assert races.loc[races["season"] == 2023, "grand_prix_id"].isin(["emilia-romagna"]).sum() == 0
    assert (races["lock_at"] < races["race_start_at"]).all()


def test_lineages_end_in_the_newest_name():
    constructors = facts("constructors").set_index("constructor_id")["lineage_id"]
    assert constructors["toro-rosso"] == constructors["alphatauri"] == constructors["rb"] == "racing-bulls"
    assert constructors["sauber"] == constructors["alfa-romeo"] == constructors["kick-sauber"] == "audi"
    assert constructors["force-india"] == constructors["racing-point"] == "aston-martin"
    assert constructors["renault"] == "alpine"
    assert constructors["ferrari"] == "ferrari"
