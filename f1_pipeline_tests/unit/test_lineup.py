"""The rules of a line-up: every way to break one is named, and the points are worked by hand."""

import math

import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.lineup import (
    Asset,
    Lineup,
    LineupRules,
    lineup_cost_tenths,
    lineup_points,
    menu_prices,
    money,
    validate,
)

RULES = LineupRules(driver_count=5, constructor_count=2, budget_tenths=1000, boost_multiplier=2)

# Launch prices of 2026.
MENU = (
    Asset("driver", "max-verstappen", 277),
    Asset("driver", "george-russell", 274),
    Asset("driver", "kimi-antonelli", 232),
    Asset("driver", "pierre-gasly", 120),
    Asset("driver", "oliver-bearman", 74),
    Asset("driver", "esteban-ocon", 73),
    Asset("driver", "arvid-lindblad", 62),
    Asset("constructor", "mercedes", 293),
    Asset("constructor", "haas", 74),
    Asset("constructor", "racing-bulls", 63),
)
PRICES = menu_prices(MENU)

POINTS = {
    ("driver", "max-verstappen"): 30,
    ("driver", "george-russell"): 41,
    ("driver", "pierre-gasly"): 9,
    ("driver", "oliver-bearman"): 12,
    ("driver", "esteban-ocon"): -20,
    ("driver", "arvid-lindblad"): 4,
    ("constructor", "mercedes"): 71,
    ("constructor", "haas"): -3,
    ("constructor", "racing-bulls"): 11,
}

CHEAP_DRIVERS = ("arvid-lindblad", "esteban-ocon", "george-russell", "oliver-bearman", "pierre-gasly")
LEGAL = Lineup(CHEAP_DRIVERS, ("mercedes", "racing-bulls"), "george-russell")


def test_legal_lineup_passes_and_costs_the_sum_of_its_prices() -> None:
    # 6.2 + 7.3 + 27.4 + 7.4 + 12.0 + 29.3 + 6.3 = 95.9
    validate(LEGAL, PRICES, RULES)
    assert lineup_cost_tenths(LEGAL, PRICES) == 959


def test_lineup_may_cost_exactly_the_budget() -> None:
    validate(LEGAL, PRICES, LineupRules(5, 2, 959, 2))


def test_budget_exceeded_is_named_with_the_amounts() -> None:
    with pytest.raises(RuleError, match=r"budget: expected at most \$95\.8M, found \$95\.9M \(\$0\.1M too much"):
        validate(LEGAL, PRICES, LineupRules(5, 2, 958, 2))


@pytest.mark.parametrize(
    ("lineup", "message"),
    [
        (Lineup(CHEAP_DRIVERS[:4], ("mercedes", "haas"), "esteban-ocon"), "drivers: expected 5, found 4"),
        (Lineup(CHEAP_DRIVERS, ("mercedes",), "esteban-ocon"), "constructors: expected 2, found 1"),
        (
            Lineup((*CHEAP_DRIVERS[:4], "esteban-ocon"), ("mercedes", "haas"), "esteban-ocon"),
            "duplicate: expected each asset once, found driver 'esteban-ocon' 2 times",
        ),
        (
            Lineup(CHEAP_DRIVERS, ("haas", "haas"), "esteban-ocon"),
            "duplicate: expected each asset once, found constructor 'haas' 2 times",
        ),
        (
            Lineup((*CHEAP_DRIVERS[:4], "fernando-alonso"), ("mercedes", "haas"), "esteban-ocon"),
            "asset: expected a driver on the menu of the race, found unknown 'fernando-alonso'",
        ),
        (
            Lineup(CHEAP_DRIVERS, ("mercedes", "pierre-gasly"), "esteban-ocon"),
            "asset: expected a constructor on the menu of the race, found unknown 'pierre-gasly'",
        ),
        (
            Lineup(CHEAP_DRIVERS, ("mercedes", "haas"), "haas"),
            "boost: expected a driver, found constructor 'haas'",
        ),
        (
            Lineup(CHEAP_DRIVERS, ("mercedes", "haas"), "max-verstappen"),
            r"boost: expected one of the drivers held \(arvid-lindblad, .*\), found 'max-verstappen'",
        ),
    ],
)
def test_each_broken_rule_is_named(lineup: Lineup, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        validate(lineup, PRICES, RULES)


def test_boost_doubles_one_driver() -> None:
    # 4 - 20 + 41 + 12 + 9 + 71 + 11 = 128, and 41 once more.
    assert lineup_points(LEGAL, POINTS, RULES) == 169


def test_boost_doubles_a_negative_weekend_too() -> None:
    lineup = Lineup(CHEAP_DRIVERS, ("mercedes", "racing-bulls"), "esteban-ocon")
    assert lineup_points(lineup, POINTS, RULES) == 108


def test_triple_boost_counts_the_driver_three_times() -> None:
    assert lineup_points(LEGAL, POINTS, LineupRules(5, 2, 1000, 3)) == 210


def test_missing_points_are_an_error_and_not_a_zero() -> None:
    lineup = Lineup((*CHEAP_DRIVERS[:4], "kimi-antonelli"), ("mercedes", "haas"), "george-russell")
    with pytest.raises(DataError, match="expected the points of driver 'kimi-antonelli', found none"):
        lineup_points(lineup, POINTS, RULES)


def test_points_with_a_boost_on_nobody_held_are_refused() -> None:
    with pytest.raises(RuleError, match="boost"):
        lineup_points(Lineup(CHEAP_DRIVERS, ("mercedes", "haas"), "max-verstappen"), POINTS, RULES)


def test_cost_of_an_unknown_asset_is_refused() -> None:
    with pytest.raises(RuleError, match="unknown 'williams'"):
        lineup_cost_tenths(Lineup(CHEAP_DRIVERS, ("mercedes", "williams"), "pierre-gasly"), PRICES)


def test_menu_with_an_asset_twice_or_of_unknown_type_is_refused() -> None:
    with pytest.raises(DataError, match="found driver 'pierre-gasly' twice"):
        menu_prices([*MENU, Asset("driver", "pierre-gasly", 121)])
    with pytest.raises(DataError, match="expected asset_type driver or constructor, found 'team'"):
        menu_prices([Asset("team", "haas", 74)])


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ((0, 2, 1000, 2), "driver_count"),
        ((5, 0, 1000, 2), "constructor_count"),
        ((5, 2, -1, 2), "budget_tenths"),
        ((5, 2, 1000, 0.5), "boost_multiplier"),
        ((5, 2, 1000, math.nan), "boost_multiplier"),
    ],
)
def test_limits_out_of_range_are_refused(limits: tuple[int, int, int, float], name: str) -> None:
    with pytest.raises(RuleError, match=f"{name}: expected at least"):
        LineupRules(*limits)


@pytest.mark.parametrize(("tenths", "text"), [(247, "$24.7M"), (1000, "$100.0M"), (3, "$0.3M"), (-12, "-$1.2M")])
def test_money_is_written_as_in_the_game(tenths: int, text: str) -> None:
    assert money(tenths) == text
