"""Menus of real races: what is on sale, who is inactive at which price, and a team that meets a change of seats."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError, UsageError, WarehouseError
from f1_pipeline.game.decisions import Decision, RaceMenu
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.sources.my_team import MyTeam
from f1_pipeline.steps.menus import newest_menu, race_menus
from f1_pipeline.steps.my_team import inactive_notes, team_for, wishes_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import POINTS_TABLES
from f1_pipeline.steps.registry import build_steps
from f1_pipeline_tests.support import NEXT_RACE, finished_keys, make_settings, rewrite
from f1_pipeline_tests.team_races import items_of, menu_of, points_of

TEAM = MyTeam(
    race_key="2025-china",
    drivers=("liam-lawson", "yuki-tsunoda", "isack-hadjar", "gabriel-bortoleto", "jack-doohan"),
    constructors=("haas", "williams"),
    boosted="yuki-tsunoda",
    bank_tenths=10,
    free_transfers=2,
    chips_left=("wildcard",),
)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Calendar, prices and points of every race in a warehouse."""
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("menus")))
    steps, keys = build_steps(pipeline), finished_keys(pipeline)
    for table in ("raw.circuits", "raw.races", "core.race", "raw.known_exceptions", *POINTS_TABLES):
        steps[table].run(pipeline, table, keys)
    for table in ("raw.prices", "staging.engine_price", "staging.price"):
        steps[table].run(pipeline, table, [*keys, NEXT_RACE])
    return pipeline


@pytest.fixture(scope="module")
def menus(landed: Pipeline) -> dict[str, RaceMenu]:
    return race_menus(landed, [*finished_keys(landed), NEXT_RACE])


def prices_of_inactive(menu: RaceMenu) -> dict[str, int]:
    return {seat: menu.prices[kind, seat] for kind, seat in menu.inactive}


def test_every_race_has_the_menu_of_the_facts(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    assert list(menus) == [*finished_keys(landed), NEXT_RACE]
    for race_key, menu in menus.items():
        on_sale = {key: price for key, price in menu.prices.items() if menu.is_active(key)}
        plain = menu_of(race_key)
        assert (on_sale, menu.calendar, menu.has_sprint) == (plain.prices, plain.calendar, plain.has_sprint)


def test_a_menu_is_the_same_from_the_facts_alone(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    for race_key in ("2023-bahrain", "2023-hungary", "2024-abu-dhabi", "2025-japan", NEXT_RACE):
        assert newest_menu(landed, race_key) == menus[race_key]


def test_who_was_on_sale_before_and_is_not_now_is_inactive(menus: dict[str, RaceMenu]) -> None:
    for race_keys in pairwise(menus):
        before, now = (menus[race_key] for race_key in race_keys)
        if before.calendar != now.calendar:
            assert not now.inactive
        else:
            gone = {key for key in before.prices if not now.is_active(key)}
            assert now.inactive == gone


def test_lawson_and_tsunoda_exchange_seats_in_japan_2025(menus: dict[str, RaceMenu]) -> None:
    # 17.4 and 9.0 in China, where both fell by 0.6
    assert not menus["2025-china"].inactive
    frozen = {"liam-lawson@red-bull": 168, "yuki-tsunoda@racing-bulls": 84}
    assert prices_of_inactive(menus["2025-japan"]) == frozen
    assert menus["2025-japan"].seats["yuki-tsunoda"] == "yuki-tsunoda@red-bull"
    # Doohan stayed at the floor
    assert prices_of_inactive(menus["2025-abu-dhabi"]) == frozen | {"jack-doohan@alpine": 45}


def test_who_returns_to_his_seat_is_active_again(menus: dict[str, RaceMenu]) -> None:
    assert prices_of_inactive(menus["2024-saudi-arabia"]) == {"carlos-sainz-jr@ferrari": 188}
    assert prices_of_inactive(menus["2024-australia"]) == {"oliver-bearman@ferrari": 150}


def test_a_race_that_has_no_menu_is_named(landed: Pipeline, tmp_path: Path) -> None:
    for read in (newest_menu, lambda pipeline, race_key: race_menus(pipeline, [race_key])):
        with pytest.raises(UsageError, match="unknown race '2026-imola'"):
            read(landed, "2026-imola")
    with pytest.raises(UsageError, match="2026-great-britain: expected prices, there are none yet"):
        newest_menu(landed, "2026-great-britain")
    with pytest.raises(WarehouseError, match="found none"):
        race_menus(Pipeline(make_settings(tmp_path)), ["2025-japan"])


def test_a_cancelled_race_has_no_menu_and_no_place_in_the_calendar(facts: Path, tmp_path: Path) -> None:
    called_off = {"race_key": "2026-great-britain", "is_cancelled": "true"}
    rewrite(
        facts / "races.csv",
        lambda rows: [row | called_off if row["race_key"] == called_off["race_key"] else row for row in rows],
    )
    pipeline = Pipeline(make_settings(tmp_path / "warehouse", facts))
    with pytest.raises(UsageError, match="2026-great-britain: expected a race that is held, it is cancelled"):
        newest_menu(pipeline, "2026-great-britain")
    assert "2026-great-britain" not in newest_menu(pipeline, NEXT_RACE).calendar


def test_a_team_before_its_first_race_and_after(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    china = team_for(landed, TEAM, menus["2025-china"])
    assert china.drivers[2:] == ("jack-doohan@alpine", "liam-lawson@red-bull", "yuki-tsunoda@racing-bulls")
    assert (china.boosted_driver, china.bank_tenths, china.races_played) == ("yuki-tsunoda@racing-bulls", 10, 1)
    # 5.4 + 5.6 + 6.6 + 17.4 + 9.0 + 7.6 + 12.9
    assert china.value_tenths == 645
    assert inactive_notes(china, menus["2025-china"]) == ()
    assert team_for(landed, TEAM, menus["2025-australia"]).races_played == 0


def test_a_driver_named_by_his_id_is_in_the_seat_he_has(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    team = team_for(landed, TEAM, menus["2025-japan"])
    assert team.boosted_driver == "yuki-tsunoda@red-bull"
    assert inactive_notes(team, menus["2025-japan"]) == ()
    # Doohan lost his: he is still held, and costs
    doohan = team_for(landed, TEAM, menus["2025-emilia-romagna"])
    assert inactive_notes(doohan, menus["2025-emilia-romagna"]) == (
        "jack-doohan@alpine takes no part in 2025-emilia-romagna, holding it costs 25 points: transfer it out",
    )


def test_a_team_from_before_the_change_is_helped(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    menu = menus["2025-miami"]
    old = MyTeam(**{**vars(TEAM), "drivers": ("liam-lawson@red-bull", "yuki-tsunoda@racing-bulls", *TEAM.drivers[2:])})
    team = team_for(landed, old, menu)
    assert team.boosted_driver == "yuki-tsunoda@racing-bulls"
    lawson, tsunoda = inactive_notes(team, menu)
    assert lawson == (
        "liam-lawson@red-bull takes no part in 2025-miami, holding it costs 45 points: transfer it out; "
        f"the driver is now liam-lawson@racing-bulls at ${menu.prices[DRIVER, 'liam-lawson@racing-bulls'] / 10}M, "
        "another asset"
    )
    assert "yuki-tsunoda@red-bull" in tsunoda
    kept, result = team.apply(Decision(team.lineup), menu).settle(
        items_of("2025-miami"), menus["2025-emilia-romagna"].prices
    )
    assert (result.inactive_points, points_of(result)["yuki-tsunoda"]) == (-90, 0)
    assert dict(zip(kept.lineup.asset_keys, kept.price_tenths, strict=True))[DRIVER, "liam-lawson@red-bull"] == 168


def test_both_seats_of_a_driver_may_be_held(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    drivers = ("yuki-tsunoda", "yuki-tsunoda@racing-bulls", *TEAM.drivers[2:])
    team = team_for(landed, MyTeam(**{**vars(TEAM), "drivers": drivers}), menus["2025-japan"])
    assert team.boosted_driver == "yuki-tsunoda@red-bull"
    assert {"yuki-tsunoda@red-bull", "yuki-tsunoda@racing-bulls"} < set(team.drivers)


def test_a_driver_without_a_seat_who_had_two_is_named_by_one(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    drivers = ("oliver-bearman", "lando-norris", "george-russell", "lance-stroll", "alexander-albon")
    team = MyTeam(**{**vars(TEAM), "drivers": drivers, "boosted": "lando-norris"})
    expected = r"drivers: expected the seat of 'oliver-bearman', one of oliver-bearman@ferrari and oliver-bearman@haas"
    with pytest.raises(DataError, match=expected):
        team_for(landed, team, menus["2024-singapore"])


def test_wishes_are_of_those_who_take_part(landed: Pipeline, menus: dict[str, RaceMenu]) -> None:
    team = MyTeam(**{**vars(TEAM), "locked": ("yuki-tsunoda", "mclaren"), "banned": ("jack-doohan",)})
    wishes = wishes_for(team, menus["2025-monaco"])
    assert wishes.locked == {("driver", "yuki-tsunoda@red-bull"), ("constructor", "mclaren")}
    assert wishes.banned == frozenset()
    assert team_for(landed, team, menus["2025-monaco"]).lineup.constructors == ("haas", "williams")
