"""What an F1DB release may change in the facts, and what it may not."""

from __future__ import annotations

import copy

import pandas as pd
import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.sources.f1db_merge import merge_release
from f1_pipeline.sources.fact_changes import compare
from f1_pipeline.sources.fact_frames import keep_named
from f1_pipeline.sources.fact_writer import render_csv
from f1_pipeline.sources.season_rules import read_rules
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline_tests.release import Rows, drop_race, facts_since, move_race, race_row, release_frames, release_rows
from f1_pipeline_tests.support import DATA

RULES = read_rules(DATA)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_since(DATA, 2026)


@pytest.fixture(scope="module")
def full_release() -> Rows:
    return release_rows(DATA, since=2026)


@pytest.fixture
def rows(full_release: Rows) -> Rows:
    """A release of the same weekend as the facts, to be altered."""
    return full_release | {"races": copy.deepcopy(full_release["races"]), "drivers": list(full_release["drivers"])}


def merged(facts: Facts, rows: Rows, notes: list[str] | None = None) -> Facts:
    note = notes.append if notes is not None else pytest.fail
    return keep_named(merge_release(facts, release_frames(rows), RULES, note))


def race(facts: Facts, race_key: str) -> dict[str, str]:
    return facts["races"].set_index("race_key").loc[race_key].to_dict()


def test_a_release_of_the_same_weekend_changes_nothing(facts, rows):
    after = merged(facts, rows)
    for name, table in FACT_TABLES.items():
        assert render_csv(table, after[name]) == render_csv(table, facts[name]), name


def test_a_race_that_is_no_longer_listed_stays_as_cancelled(facts, rows):
    drop_race(rows, 2026, "spain")
    after = merged(facts, rows)
    assert race(after, "2026-spain") == race(facts, "2026-spain") | {"is_cancelled": "true"}  # date and round 14 too
    assert race(after, "2026-azerbaijan")["round_number"] == "14"
    own = after["sessions"][after["sessions"]["race_key"] == "2026-spain"]
    assert own["session"].tolist() == ["fp1", "fp2", "fp3", "qualifying", "race"]
    assert "madring" in set(after["circuits"]["circuit_id"])
    assert compare(facts, after).calendar == ("2026-spain cancelled",)


def test_a_cancelled_race_comes_back_months_later_at_another_circuit(facts, full_release, rows):
    """Bahrain 2026: called off in April, driven in October at Sepang."""
    spring = copy.deepcopy(full_release["races"])
    early = rows | {"races": spring}
    race_row(early, 2026, "bahrain")["circuitId"] = "bahrain"
    move_race(early, 2026, "bahrain", days=-175)
    in_spring = merged(facts, early)
    assert race(in_spring, "2026-bahrain")["race_date"] == "2026-04-12"
    assert race(in_spring, "2026-bahrain")["lock_at"] == "2026-04-11T08:00:00Z"

    without = rows | {"races": copy.deepcopy(full_release["races"])}
    drop_race(without, 2026, "bahrain")
    called_off = merged(in_spring, without)
    assert race(called_off, "2026-bahrain")["is_cancelled"] == "true"
    assert race(called_off, "2026-bahrain")["race_date"] == "2026-04-12"

    back = merged(called_off, rows)
    assert race(back, "2026-bahrain") == race(facts, "2026-bahrain")
    assert compare(called_off, back).calendar == (
        "2026-bahrain back in the calendar; moved from 2026-04-12 to 2026-10-04; goes to sepang instead of bahrain",
    )


def test_a_moved_race_keeps_its_key(facts, rows):
    move_race(rows, 2026, "qatar", days=-7)
    after = merged(facts, rows)
    assert race(after, "2026-qatar")["race_date"] == "2026-11-22"
    assert race(after, "2026-qatar")["lock_at"] == "2026-11-21T18:00:00Z"
    assert compare(facts, after).calendar == ("2026-qatar moved from 2026-11-29 to 2026-11-22",)


def test_a_release_without_results_that_the_facts_hold_is_refused(facts):
    with pytest.raises(DataError, match=r"2026-canada: the F1DB release holds no race results, the facts do; .* older"):
        merged(facts, release_rows(DATA, through="2026-miami", since=2026))


def test_a_release_that_dropped_a_driven_race_is_refused(facts, rows):
    drop_race(rows, 2026, "japan")
    with pytest.raises(DataError, match="2026-japan: the F1DB release holds no race results"):
        merged(facts, rows)


def test_a_release_that_dropped_a_scored_race_is_refused(facts, rows):
    drop_race(rows, 2026, "monaco")
    total = facts["official_totals"].iloc[[0]].assign(race_key="2026-monaco")
    scored = facts | {"official_totals": pd.concat([facts["official_totals"], total], ignore_index=True)}
    with pytest.raises(DataError, match="2026-monaco: the F1DB release does not list it, but the facts hold its offic"):
        merged(scored, rows)


def test_a_season_without_rules_waits_and_is_told(facts, rows):
    rows["races"] += [race_row(rows, 2026, "australia") | {"id": "2000", "year": "2027", "date": "2027-03-07"}]
    notes: list[str] = []
    after = merged(facts, rows, notes)
    assert notes == ["F1DB has the calendar of 2027 already; it waits for data/rules/2027.toml"]
    assert set(after["races"]["season"]) == set(facts["races"]["season"])


def test_a_season_of_the_facts_without_rules_is_refused(facts, rows):
    older = {season: rules for season, rules in RULES.items() if season < 2026}
    with pytest.raises(RuleError, match=r"There are no rules for 2026: expected rules/2026\.toml"):
        merge_release(facts, release_frames(rows), older, pytest.fail)


def newcomer(driver_id: str, name: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    texts = (driver_id, name, first, last, "COR", "", "", "")
    return dict(zip(FACT_TABLES["drivers"].column_names, texts, strict=True))


def with_newcomer(facts: Facts, driver_id: str, name: str) -> Facts:
    """Facts in which the official feed has named a driver for the race to come, before F1DB did."""
    price = facts["prices"].iloc[[0]].assign(race_key="2026-monaco", asset_type="driver", asset_id=driver_id)
    return facts | {
        "drivers": pd.concat([facts["drivers"], pd.DataFrame([newcomer(driver_id, name)])], ignore_index=True),
        "prices": pd.concat([facts["prices"], price], ignore_index=True),
    }


def described(driver_id: str, name: str) -> dict[str, str]:
    first, _, last = name.partition(" ")
    who = {"id": driver_id, "name": name, "firstName": first, "lastName": last, "abbreviation": "COR"}
    return who | {"permanentNumber": "", "dateOfBirth": "2006-01-02", "nationalityCountryId": "italy"}


def test_a_newcomer_of_the_feed_stays_until_a_release_describes_him(facts, rows):
    known = with_newcomer(facts, "leo-corsa", "Leo Corsa")
    after = merged(known, rows)
    assert after["drivers"].set_index("driver_id").loc["leo-corsa", "date_of_birth"] == ""
    rows["drivers"] += [described("leo-corsa", "Leo Corsa")]
    after = merged(known, rows)
    assert after["drivers"].set_index("driver_id").loc["leo-corsa", "date_of_birth"] == "2006-01-02"


def test_a_newcomer_takes_the_id_that_f1db_gives_him(facts, rows):
    rows["drivers"] += [described("leo-corsa-jr", "Leo Corsa Jr.")]
    after = merged(with_newcomer(facts, "leo-corsa", "Leo Corsa"), rows)
    assert "leo-corsa" not in set(after["drivers"]["driver_id"])
    monaco = after["prices"][after["prices"]["race_key"] == "2026-monaco"]
    assert "leo-corsa-jr" in set(monaco["asset_id"])
    rows["drivers"] += [described("leonardo-corsa", "Leo Corsa")]
    with pytest.raises(DataError, match="leo-corsa may be leo-corsa-jr or leonardo-corsa of the F1DB release"):
        merged(with_newcomer(facts, "leo-corsa", "Leo Corsa"), rows)


def test_a_newcomer_whom_f1db_writes_otherwise_is_who_drove_for_his_team(facts, rows):
    """Hulkenberg's car in Canada, sold under the name of Leo Corsa; F1DB has Leonardo Maria Corsa in it."""
    is_canada = (facts["prices"]["race_key"] == "2026-canada") & (facts["prices"]["asset_id"] == "nico-hulkenberg")
    known = with_newcomer(facts, "leo-corsa", "Leo Corsa")
    prices = facts["prices"].assign(asset_id=facts["prices"]["asset_id"].mask(is_canada, "leo-corsa"))
    canada = race_row(rows, 2026, "canada")["id"]
    rows["drivers"] += [described("leonardo-maria-corsa", "Leonardo Maria Corsa")]
    rows["races-race-results"] = [
        row | {"driverId": "leonardo-maria-corsa"}
        if (row["raceId"], row["driverId"]) == (canada, "nico-hulkenberg")
        else row
        for row in rows["races-race-results"]
    ]
    after = merged(known | {"prices": prices}, rows)
    canada_prices = set(after["prices"].loc[after["prices"]["race_key"] == "2026-canada", "asset_id"])
    assert "leonardo-maria-corsa" in canada_prices
    assert not {"leo-corsa"} & (canada_prices | set(after["drivers"]["driver_id"]))


def test_a_release_cut_between_sprint_and_race_is_older_than_the_race(facts, rows):
    canada = race_row(rows, 2026, "canada")["id"]
    rows["races-race-results"] = [row for row in rows["races-race-results"] if row["raceId"] != canada]
    with pytest.raises(DataError, match="2026-canada: the F1DB release holds no race results, the facts do"):
        merged(facts, rows)


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("races", "round", "last", "F1DB column round: expected whole numbers"),
        ("races", "round", "", "F1DB's 2026-australia: expected a round and a Grand Prix that it describes"),
        ("races", "grandPrixId", "moon", "F1DB's 2026-moon: expected a round and a Grand Prix that it describes"),
        ("races-race-results", "points", "many", "F1DB column points: expected numbers"),
        ("races-race-results", "timeMillis", 20 * "9", "F1DB column timeMillis: expected whole numbers"),
    ],
)
def test_a_release_with_junk_is_refused_by_the_column(facts, rows, name, column, value, message):
    rows[name] = [dict(rows[name][0]) | {column: value}, *rows[name][1:]]
    with pytest.raises(DataError, match=message):
        merged(facts, rows)


def test_a_release_that_gives_two_races_one_id_is_refused(facts, rows):
    rows["races"][-1]["id"] = rows["races"][-2]["id"]
    with pytest.raises(DataError, match=r"F1DB lists the race \d+ twice: expected each id once"):
        merged(facts, rows)


def test_drivers_whom_no_fact_names_are_at_hand_for_the_next_reading_only(facts, rows):
    rows["drivers"] += [described("leo-corsa", "Leo Corsa")]
    after = merge_release(facts, release_frames(rows), RULES, pytest.fail)
    assert "leo-corsa" in set(after["drivers"]["driver_id"])
    assert "leo-corsa" not in set(keep_named(after)["drivers"]["driver_id"])
