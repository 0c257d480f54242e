"""The game's players against the people of the facts: names first, codes where names differ."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.sources.feed_assets import find_constructors, find_drivers
from f1_pipeline.sources.feed_data import PlayerState
from f1_pipeline.sources.source import Facts
from f1_pipeline_tests.feed_readings import feed_reading
from f1_pipeline_tests.release import facts_since
from f1_pipeline_tests.support import DATA


@pytest.fixture(scope="module")
def facts() -> Facts:
    return facts_since(DATA, 2025)


@pytest.fixture(scope="module")
def monaco(facts: Facts) -> tuple[PlayerState, ...]:
    """The menu of the Monaco Grand Prix 2026; players are numbered by the ids they should be found under."""
    return feed_reading(facts, 2026, states_of=("2026-monaco",)).states


def found_drivers(facts: Facts, states: tuple[PlayerState, ...]) -> dict[str, str]:
    playing = {state.player_id for state in states if state.is_active}
    return find_drivers(states, facts, find_constructors(states, facts), playing)[0]


def state_of(states: tuple[PlayerState, ...], player_id: str, /, **changes: object) -> PlayerState:
    return dataclasses.replace(next(one for one in states if one.player_id == player_id), **changes)  # ty: ignore


def test_every_asset_of_2026_is_found_by_the_names_of_the_game(facts, monaco):
    assert {(state.name, state.team_name) for state in monaco} >= {
        ("Carlos Sainz", "Williams"),
        ("Nico Hulkenberg", "Audi"),
        ("Sergio Perez", "Cadillac"),
        ("Haas F1 Team", "Haas F1 Team"),
    }
    drivers = found_drivers(facts, monaco)
    assert len(drivers) == 22
    assert all(player_id == driver_id for player_id, driver_id in drivers.items())
    teams = find_constructors(monaco, facts)
    assert len(teams) == 11
    assert teams[2026, "Red Bull Racing"] == "red-bull"
    assert teams[2026, "Haas F1 Team"] == "haas"
    assert teams[2026, "Racing Bulls"] == "racing-bulls"  # not rb, whose full name is the same


def test_a_team_is_found_by_its_code_when_its_name_is_new(facts, monaco):
    renamed = [state_of(monaco, "audi", name="Audi Revolut", team_name="Audi Revolut", code="AUD")]
    assert find_constructors(renamed, facts) == {(2026, "Audi Revolut"): "audi"}


def test_a_team_that_nobody_knows_is_refused(facts, monaco):
    strange = [state_of(monaco, "audi", name="Porsche", team_name="Porsche", code="POR")]
    with pytest.raises(DataError, match=r"the feed's team 'Porsche' \(POR\) of 2026 is no constructor that is known"):
        find_constructors(strange, facts)


def test_a_driver_is_found_by_code_and_a_common_name(facts, monaco):
    spelt = state_of(monaco, "kimi-antonelli", name="Andrea Kimi Antonelli", first_name="Andrea Kimi")
    short = state_of(monaco, "alexander-albon", name="Alex Albon", first_name="Alex")
    assert found_drivers(facts, (spelt, short)) == {
        "kimi-antonelli": "kimi-antonelli",
        "alexander-albon": "alexander-albon",
    }


def test_a_namesake_of_a_driver_who_is_there_himself_is_a_newcomer(facts, monaco):
    other = state_of(monaco, "liam-lawson", player_id="9", name="Jon Lawson", first_name="Jon", team_name="Audi")
    assert found_drivers(facts, (*monaco, other))["9"] == "jon-lawson"


def test_a_driver_with_two_names_alike_is_refused(facts, monaco):
    drivers = facts["drivers"]
    double = drivers[drivers["driver_id"] == "liam-lawson"].assign(driver_id="liam-lawson-sr", name="Liam Lawson Sr.")
    twice = facts | {"drivers": pd.concat([drivers, double], ignore_index=True)}
    entered = facts["prices"][facts["prices"]["asset_id"] == "liam-lawson"].assign(asset_id="liam-lawson-sr")
    twice |= {"prices": pd.concat([facts["prices"], entered], ignore_index=True)}
    with pytest.raises(DataError, match="the feed's driver 'Liam Lawson' may be liam-lawson or liam-lawson-sr"):
        found_drivers(twice, monaco)


def test_a_driver_who_changed_team_is_two_players_and_one_driver(facts, monaco):
    """Lawson 2025: Red Bull's player went idle when Racing Bulls' appeared."""
    idle = state_of(monaco, "liam-lawson", player_id="9", team_name="Red Bull Racing", is_active=False)
    drivers = found_drivers(facts, (*monaco, idle))
    assert drivers["9"] == drivers["liam-lawson"] == "liam-lawson"


def test_a_newcomer_gets_an_id_of_his_name_unless_he_takes_no_part(facts, monaco):
    who = {"name": "Théo Pourchaire", "first_name": "Théo", "last_name": "Pourchaire", "code": "POU"}
    new = state_of(monaco, "nico-hulkenberg", player_id="9", **who)
    teams = find_constructors(monaco, facts)
    found, after = find_drivers((*monaco, new), facts, teams, playing={"9"})
    assert found["9"] == "theo-pourchaire"
    row = after["drivers"].set_index("driver_id").loc["theo-pourchaire"]
    assert row.tolist() == ["Théo Pourchaire", "Théo", "Pourchaire", "POU", "", "", ""]
    found, after = find_drivers((*monaco, new), facts, teams, playing=set())
    assert "9" not in found
    assert len(after["drivers"]) == len(facts["drivers"])


def test_a_driver_of_an_earlier_season_keeps_his_id(facts, monaco):
    who = {"name": "Yuki Tsunoda", "first_name": "Yuki", "last_name": "Tsunoda", "code": "TSU"}
    back = state_of(monaco, "nico-hulkenberg", player_id="9", **who)
    assert found_drivers(facts, (*monaco, back))["9"] == "yuki-tsunoda"
