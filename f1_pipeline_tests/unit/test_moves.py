"""The best moves of many teams against a look at every line-up, and teams built afresh against enumeration."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.game.lineup import LineupRules
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.rl.moves import MoveProblem, Moves, best_moves, best_teams
from f1_pipeline.rl.seasons import DRIVER_SLOTS, IS_DRIVER, SLOTS
from f1_pipeline.rl.views import ranked_moves

EVERY_MOVE = 2000
seeds = st.integers(0, 2**32 - 1)
Way = tuple[frozenset[int], frozenset[int]]
"""Slots sold and slots bought."""


def random_problem(seed: int, count: int = 3, others: tuple[int, int] = (4, 2), has_ties: bool = False) -> MoveProblem:
    """Put teams of five and two somewhere among the slots, with some others on sale and too little money for most.

    Each team has a menu of its own size: fewer others than named on some rows. With ties, worths are small and whole.
    """
    generator = np.random.default_rng(seed)
    held, usable = (np.zeros((count, SLOTS), dtype=bool) for _ in range(2))
    for row in range(count):
        for kind, size, more in ((IS_DRIVER, 5, others[0]), (~IS_DRIVER, 2, others[1])):
            slots = generator.permutation(np.flatnonzero(kind))
            held[row, slots[:size]] = True
            usable[row, slots[: size + more - generator.integers(0, 2)]] = True
            # One who sits out may be held.
            usable[row, slots[0]] = generator.random() < 0.8
    worth = generator.integers(-3, 4, held.shape) if has_ties else generator.normal(0, 15, held.shape)
    return MoveProblem(
        held=held,
        usable=usable,
        prices=generator.integers(50, 200, held.shape),
        bank_tenths=generator.integers(0, 120, count),
        worth=worth.astype(np.float64),
        boost_worth=np.where(IS_DRIVER, worth + generator.integers(-2, 3, held.shape), -np.inf),
        free_transfers=generator.integers(0, 3, count),
        extra_points=-10.0 if not has_ties else -2.0,
    )


def every_move(problem: MoveProblem, row: int) -> dict[Way, float]:
    """Value every affordable move of at most two transfers, by plain loops."""
    held = np.flatnonzero(problem.held[row]).tolist()
    coming = np.flatnonzero(problem.usable[row] & ~problem.held[row]).tolist()
    found = {}
    for size in range(3):
        for out in combinations(held, size):
            for into in combinations(coming, size):
                if sorted(slot < DRIVER_SLOTS for slot in out) != sorted(slot < DRIVER_SLOTS for slot in into):
                    continue
                after = sorted({*held} - {*out} | {*into})
                cost = sum(problem.prices[row, slot] for slot in into) - sum(problem.prices[row, slot] for slot in out)
                if cost <= problem.bank_tenths[row]:
                    best = max(problem.boost_worth[row, slot] for slot in after if slot < DRIVER_SLOTS)
                    penalty = problem.extra_points * max(0, size - problem.free_transfers[row])
                    worth = sum(problem.worth[row, slot] for slot in after)
                    found[frozenset(out), frozenset(into)] = float(worth + best + penalty)
    return found


def ways_of(moves: Moves, row: int) -> list[tuple[Way, float]]:
    """List the moves of a team that there are, in order."""
    ways = []
    for out, into, worth in zip(moves.out[row], moves.into[row], moves.worth[row], strict=True):
        if np.isfinite(worth):
            sides = tuple(frozenset(slot for slot in side.tolist() if slot < SLOTS) for side in (out, into))
            ways.append(((sides[0], sides[1]), float(worth)))
    return ways


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(seed=seeds)
def test_the_moves_are_all_there_are_best_first(seed: int) -> None:
    problem = random_problem(seed)
    moves = best_moves(problem, EVERY_MOVE)
    for row in range(len(problem.held)):
        expected, found = every_move(problem, row), ways_of(moves, row)
        assert {way for way, _ in found} == set(expected)
        assert len(found) == len(expected)
        np.testing.assert_allclose([worth for _, worth in found], [expected[way] for way, _ in found], atol=1e-9)
        assert (np.diff([worth for _, worth in found]) <= 0).all()


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(seed=seeds, count=st.sampled_from([1, 2, 3, 10, 16]), has_ties=st.booleans())
def test_a_short_list_is_the_beginning_of_a_long_one(seed: int, count: int, has_ties: bool) -> None:
    problem = random_problem(seed, has_ties=has_ties)
    long, short = best_moves(problem, EVERY_MOVE), best_moves(problem, count)
    for row in range(len(problem.held)):
        assert ways_of(short, row) == ways_of(long, row)[:count]


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(seed=seeds)
def test_among_equals_the_move_with_fewer_transfers_is_first(seed: int) -> None:
    problem = random_problem(seed, has_ties=True)
    moves = best_moves(problem, EVERY_MOVE)
    for row in range(len(problem.held)):
        expected = every_move(problem, row)
        found = ways_of(moves, row)
        assert dict(found) == expected
        ranks = [(-worth, len(into)) for (_, into), worth in found]
        assert ranks == sorted(ranks)


@settings(derandomize=True, database=None, deadline=None, max_examples=20)
@given(seed=seeds, count=st.sampled_from([1, 5]))
def test_applied_moves_are_line_ups_of_that_worth(seed: int, count: int) -> None:
    problem = random_problem(seed)
    moves = best_moves(problem, count)
    for rank in range(count):
        after = moves.applied(problem.held, rank)
        for row in np.flatnonzero(np.isfinite(moves.worth[:, rank])):
            assert (after[row, :DRIVER_SLOTS].sum(), after[row, DRIVER_SLOTS:].sum()) == (5, 2)
            assert not (after[row] & ~problem.held[row] & ~problem.usable[row]).any()
            best = problem.boost_worth[row, after[row]].max()
            penalty = -10 * max(0, int(moves.count[row, rank]) - int(problem.free_transfers[row]))
            assert moves.worth[row, rank] == pytest.approx(problem.worth[row, after[row]].sum() + best + penalty)
            np.testing.assert_array_equal(moves.applied(problem.held, np.full(len(after), rank))[row], after[row])


def test_teams_do_not_depend_on_their_company() -> None:
    problem = random_problem(3, count=300)
    together = best_moves(problem, 4)
    for row in (0, 127, 128, 255, 256, 299):
        alone = best_moves(problem.rows(slice(row, row + 1)), 4)
        assert ways_of(alone, 0) == ways_of(together, row)


def hand_problem(bank: int = 0, free: int = 2) -> MoveProblem:
    """Hold drivers 0 to 4 and constructors 30, 31, of 10 points each; driver 5 has 20, constructor 32 has 25 points.

    Every price is 10 million but those of driver 5, 12, and of constructor 32, 13.
    """
    held, usable = (np.zeros((1, SLOTS), dtype=bool) for _ in range(2))
    held[0, [0, 1, 2, 3, 4, 30, 31]] = True
    usable[0, [0, 1, 2, 3, 4, 5, 30, 31, 32]] = True
    worth, prices = np.full((1, SLOTS), 10.0), np.full((1, SLOTS), 100)
    worth[0, 5], worth[0, 32], prices[0, 5], prices[0, 32] = 20.0, 25.0, 120, 130
    boost = np.where(IS_DRIVER, worth, -np.inf)
    return MoveProblem(held, usable, prices, np.array([bank]), worth, boost, np.array([free]), -10.0)


@pytest.mark.parametrize(
    ("bank", "free", "worth", "bought"),
    [
        # seven times 10, and 10 of the boost
        (19, 2, 80, []),
        # driver 5 brings 10 more, and 10 more with the boost
        (20, 2, 100, [5]),
        (30, 2, 100, [5]),
        # both: 20 + 15 more
        (50, 2, 115, [5, 32]),
        # the second transfer brings 15 for 10 points
        (50, 1, 105, [5, 32]),
        # each costs 10
        (50, 0, 95, [5, 32]),
        (20, 0, 90, [5]),
    ],
)
def test_the_best_move_by_hand(bank: int, free: int, worth: float, bought: list[int]) -> None:
    problem = hand_problem(bank, free)
    moves = best_moves(problem)
    assert moves.worth.tolist() == [[worth]]
    assert np.flatnonzero(moves.applied(problem.held)[0] & ~problem.held[0]).tolist() == bought
    assert moves.count.tolist() == [[len(bought)]]


# --- a list to choose from ---


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(seed=seeds, count=st.sampled_from([2, 3, 16]), has_ties=st.booleans())
def test_holding_is_first_and_no_move_is_listed_twice(seed: int, count: int, has_ties: bool) -> None:
    problem = random_problem(seed, has_ties=has_ties)
    moves, ranking = ranked_moves(problem, count), best_moves(problem, EVERY_MOVE)
    assert moves.worth.shape == (len(problem.held), count)
    for row in range(len(problem.held)):
        found = ways_of(moves, row)
        hold, others = found[0], [each for each in ways_of(ranking, row) if each[0][1]]
        assert hold[0] == (frozenset(), frozenset())
        assert hold[1] == pytest.approx(every_move(problem, row)[hold[0]])
        assert found[1:] == others[: count - 1]
        assert len({way for way, _ in found}) == len(found)


@pytest.mark.parametrize("others", [(1, 1), (2, 1)])
def test_a_short_menu_leaves_the_end_of_the_list_empty(others: tuple[int, int]) -> None:
    problem = replace(random_problem(0, others=others), bank_tenths=np.full(3, 1000))
    moves = ranked_moves(problem, 60)
    assert moves.worth.shape == (3, 60)
    assert moves.out.shape == moves.into.shape == (3, 60, 2)
    for row in range(3):
        expected = every_move(problem, row)
        assert len(ways_of(moves, row)) == len(expected) < 60
        assert {way for way, _ in ways_of(moves, row)} == set(expected)


def test_without_anything_on_sale_holding_is_the_whole_list() -> None:
    problem = replace(random_problem(0), usable=np.zeros((3, SLOTS), dtype=bool))
    moves = ranked_moves(problem, 3)
    assert np.isfinite(moves.worth).tolist() == [[True, False, False]] * 3
    np.testing.assert_array_equal(moves.applied(problem.held, 0), problem.held)


# --- teams built afresh ---


def menu_of(problem: MoveProblem, row: int) -> LineupProblem:
    """State the problem of a whole team for `best_lineups`; names are slots."""
    usable = problem.usable[row] | problem.held[row]
    drivers, constructors = (np.flatnonzero(usable & kind) for kind in (IS_DRIVER, ~IS_DRIVER))
    budget = int(problem.bank_tenths[row] + problem.prices[row, problem.held[row]].sum())
    return LineupProblem(
        driver_ids=tuple(f"{slot:02}" for slot in drivers),
        driver_prices=problem.prices[row, drivers],
        driver_points=problem.worth[row, drivers],
        constructor_ids=tuple(f"{slot:02}" for slot in constructors),
        constructor_prices=problem.prices[row, constructors],
        constructor_points=problem.worth[row, constructors],
        rules=LineupRules(5, 2, budget, 2),
        driver_boost_points=problem.boost_worth[row, drivers],
    )


def value_of(problem: MoveProblem, wanted: np.ndarray, row: int) -> float:
    own = np.flatnonzero(wanted[row])
    return float(problem.worth[row, own].sum() + problem.boost_worth[row, own].max())


def menu_problem(seed: int, count: int = 4) -> MoveProblem:
    """Offer ten drivers and five constructors whose points go with their prices, as in the game."""
    problem = random_problem(seed, count, (5, 3))
    generator = np.random.default_rng(seed + 1)
    worth = problem.prices / 8 + generator.normal(0, 6, problem.prices.shape)
    boost = np.where(IS_DRIVER, worth, -np.inf)
    return replace(problem, usable=problem.usable | problem.held, worth=worth, boost_worth=boost)


@pytest.mark.parametrize("seed", range(8))
def test_teams_built_afresh_keep_to_the_budget_and_no_two_swaps_better_them(seed: int) -> None:
    problem = menu_problem(seed)
    teams = best_teams(problem, passes=20)
    cost = np.einsum("na,na->n", teams.astype(int) - problem.held, problem.prices)
    assert (cost <= problem.bank_tenths).all()
    assert (teams[:, :DRIVER_SLOTS].sum(axis=1) == 5).all()
    assert (teams[:, DRIVER_SLOTS:].sum(axis=1) == 2).all()
    free = np.full(len(teams), 2)
    now = replace(problem, held=teams, bank_tenths=problem.bank_tenths - cost, free_transfers=free)
    np.testing.assert_array_equal(best_moves(now).applied(teams), teams)
    for row in range(len(teams)):
        assert value_of(problem, teams, row) <= best_lineups(menu_of(problem, row), 1)[0].points + 1e-9


@pytest.mark.parametrize("passes", [1, 2, 6])
def test_more_passes_never_make_a_team_worse(passes: int) -> None:
    problem = menu_problem(5, 12)
    before, after = best_teams(problem, passes), best_teams(problem, passes + 1)
    for row in range(12):
        assert value_of(problem, after, row) >= value_of(problem, before, row) >= value_of(problem, problem.held, row)


@pytest.mark.parametrize("seed", range(6))
def test_with_assets_of_two_prices_it_is_the_best_team_of_all(seed: int) -> None:
    """With two prices no way to the best team needs three swaps at once."""
    problem = menu_problem(seed)
    prices = np.where(problem.prices < 125, 100, 150)
    problem = replace(problem, prices=prices, bank_tenths=problem.bank_tenths // 50 * 50)
    teams = best_teams(problem)
    for row in range(len(teams)):
        assert value_of(problem, teams, row) == pytest.approx(best_lineups(menu_of(problem, row), 1)[0].points)
