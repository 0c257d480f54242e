"""Random teams of one race, and the race as one of them meets it alone; what the tests of many teams share.

Belongs here: making them. What is best for a team is found by the older ways: plain loops, enumeration, CBC.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from f1_pipeline.game.decisions import driver_of
from f1_pipeline.game.lineup import DRIVER, LineupRules
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline.optimize.team_market import ANY_NUMBER, Found, HeldTeams, Market
from f1_pipeline.steps.team_rows import TeamReader

# Launch prices of 2026, in tenths of a million.
DRIVER_PRICES = (277, 274, 272, 255, 232, 228, 225, 151, 120, 118, 116, 100, 80, 74, 73, 68, 65, 64, 62, 62, 60, 59)
CONSTRUCTOR_PRICES = (293, 289, 282, 233, 125, 120, 103, 74, 66, 63, 60)


def full_menu(seed: int, idle: int = 0, decimals: int = 9) -> LineupProblem:
    """Make a race of 22 drivers and 11 constructors, some drivers besides who sit out; few decimals make ties."""
    generator = np.random.default_rng(seed)
    drivers = np.array([*DRIVER_PRICES, *generator.integers(50, 250, idle)])
    constructors = np.array(CONSTRUCTOR_PRICES)
    problem = LineupProblem(
        tuple(f"d{row:02}" for row in range(len(drivers))),
        drivers,
        np.round(generator.normal(drivers / 12, 5), decimals),
        tuple(f"c{row:02}" for row in range(len(constructors))),
        constructors,
        np.round(generator.normal(constructors / 6, 8), decimals),
        LineupRules(5, 2, 1000, 2),
        race_key="2026-monaco",
    )
    out = frozenset((DRIVER, f"d{row:02}") for row in generator.choice(len(drivers), idle, replace=False))
    points = np.where(problem.mask(out)[: len(drivers)], -20.0, problem.driver_points)
    return replace(problem, only_if_held=out, driver_points=points)


def random_teams(market: Market, count: int, seed: int, most_bank: int = 60) -> HeldTeams:
    """Draw teams of any drivers and constructors, with free transfers from 0 to 3."""
    generator = np.random.default_rng(seed)
    order = generator.random((count, len(market.driver_ids))).argsort(axis=1)
    drivers = np.sort(order[:, : market.driver_count], axis=1)
    pairs = generator.integers(0, len(market.pairs), count)
    value = market.driver_prices[drivers].sum(axis=1) + market.pair_costs[pairs]
    bank = generator.integers(0, most_bank, count)
    return HeldTeams(drivers, pairs, value + bank, generator.integers(0, 4, count))


def alone(problem: LineupProblem, market: Market, teams: HeldTeams, at: int, extra_points: float) -> LineupProblem:
    """Show one team its race, as `team_problem` does: who sits out is on the menu only where he is held."""
    held = Held(
        tuple(market.driver_ids[row] for row in teams.drivers[at]),
        tuple(market.constructor_ids[row] for row in market.pairs[teams.pairs[at]]),
        None if teams.free_transfers[at] == ANY_NUMBER else int(teams.free_transfers[at]),
        extra_points,
    )
    own = [
        row
        for row, driver in enumerate(problem.driver_ids)
        if (DRIVER, driver) not in problem.only_if_held or driver in held.drivers
    ]
    boosted = problem.driver_boost_points
    return replace(
        problem,
        driver_ids=tuple(problem.driver_ids[row] for row in own),
        driver_prices=problem.driver_prices[own],
        driver_points=problem.driver_points[own],
        driver_boost_points=None if boosted is None else boosted[own],
        only_if_held=frozenset(key for key in problem.only_if_held if key[0] != DRIVER or key[1] in held.drivers),
        rules=replace(problem.rules, budget_tenths=int(teams.budget_tenths[at])),
        held=held,
    )


def names_of(market: Market, found: Found, at: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the drivers and constructors of an answer."""
    return (
        tuple(market.driver_ids[row] for row in found.drivers[at]),
        tuple(market.constructor_ids[row] for row in market.pairs[found.pairs[at]]),
    )


def team_table(reader: TeamReader, count: int, seed: int, *, under_way: bool = False) -> pa.Table:
    """Draw teams of a real race, as a file has them; some sit before their first race, unless all are under way."""
    market, menu, generator = reader.market, reader.menu, np.random.default_rng(seed)
    keys = [(DRIVER, seat) for seat in market.driver_ids]
    drivers = np.array([driver_of(key[1]) if menu.is_active(key) else key[1] for key in keys])
    constructors, chips = np.array(market.constructor_ids), np.array(reader.chip_names)
    most = reader.rules.transfers.free_per_race + reader.rules.transfers.carried_over_max
    rows = []
    for number in range(count):
        held = generator.permutation(drivers)[: market.driver_count].tolist()
        is_new = not under_way and generator.random() < 0.15
        rows.append(
            {
                "team_id": f"team-{number}",
                "drivers": held,
                "constructors": generator.permutation(constructors)[: market.constructor_count].tolist(),
                "bank_musd": int(generator.integers(0, 60)) / 10,
                "free_transfers": int(generator.integers(0, most + 1)),
                "chips_left": chips[generator.random(len(chips)) < 0.5].tolist(),
                "boosted": held[int(generator.integers(0, len(held)))],
                "races_played": 0 if is_new else 5,
            }
        )
    return pa.Table.from_pylist(rows)
