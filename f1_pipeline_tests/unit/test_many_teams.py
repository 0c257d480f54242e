"""The best line-up and chip of many teams, against plain loops, the enumeration of one team, and CBC."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.rules import load_rules
from f1_pipeline.optimize.chip_gains import WeekendViews, chip_gains
from f1_pipeline.optimize.chip_timing import chip_to_play
from f1_pipeline.optimize.enumeration import best_lineups, combination_rows
from f1_pipeline.optimize.many_teams import NO_CHIP, RaceTables, advise, held_points, race_tables
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import NO_KEYS, LineupProblem
from f1_pipeline.optimize.team_market import ANY_NUMBER, BILLIONTHS, HeldTeams, Worth
from f1_pipeline.optimize.transfer_frontiers import best_after_transfers, best_of_all
from f1_pipeline_tests.lineup_problems import every_team, limited_problems
from f1_pipeline_tests.many_team_problems import alone, full_menu, names_of, random_teams
from f1_pipeline_tests.support import DATA

RULES = load_rules(DATA, 2026)
CHIPS = tuple(sorted(RULES.chips.names))
EVERY_TRANSFER = 7


def tables_of(problem: LineupProblem, views: WeekendViews | None = None, **keep: float) -> RaceTables:
    return race_tables(problem, views or WeekendViews(), RULES, NO_KEYS, keep)


def held_team(tables: RaceTables, problem: LineupProblem) -> HeldTeams:
    """Make the team of a problem, as many teams are told."""
    assert problem.held is not None
    market, free = tables.market, problem.held.free_transfers
    drivers = sorted(market.driver_ids.index(driver) for driver in problem.held.drivers)
    own = sorted(market.constructor_ids.index(name) for name in problem.held.constructors)
    return HeldTeams(
        np.array([drivers]),
        np.array([market.pairs.tolist().index(own)]),
        np.array([problem.rules.budget_tenths]),
        np.array([ANY_NUMBER if free is None else free]),
    )


@st.composite
def held_problems(draw: st.DrawFn) -> LineupProblem:
    """Draw a team's race without wishes."""
    problem = draw(limited_problems().filter(lambda problem: problem.held is not None))
    return replace(problem, locks=NO_KEYS, bans=NO_KEYS, most_per_team=None, min_difference=1, extra_boost=None)


@settings(max_examples=150, deadline=None)
@given(held_problems(), st.integers(0, 5), st.booleans())
def test_the_best_of_a_small_race_is_that_of_plain_loops(problem: LineupProblem, most: int, is_extra: bool) -> None:
    played = replace(problem, extra_boost=3) if is_extra else problem
    tables = tables_of(problem)
    worth = tables.worth_under["extra_boost"] if is_extra else tables.worth
    team = held_team(tables, problem)
    assert problem.held is not None
    is_free = problem.held.free_transfers is None
    possible = [
        found
        for found in every_team(played)
        if is_free or len({*found[2], *found[3]} - {*problem.held.drivers, *problem.held.constructors}) <= most
    ]
    answer = (
        best_of_all(tables.market, worth, team)
        if is_free
        else best_after_transfers(tables.market, worth, team, most, problem.held.extra_points)
    )
    if not possible:
        assert answer.points[0] == -np.inf
        return
    points, _, drivers, constructors = possible[0]
    assert answer.points[0] / BILLIONTHS == pytest.approx(-points, abs=1e-7)
    assert names_of(tables.market, answer, 0) == (drivers, constructors)


@settings(max_examples=60, deadline=None)
@given(held_problems(), st.integers(0, 2**32 - 1))
def test_chips_are_chosen_as_for_one_team(problem: LineupProblem, seed: int) -> None:
    generator = np.random.default_rng(seed)
    assert problem.held is not None
    extra = float(RULES.transfers.extra_points)
    problem = replace(problem, held=replace(problem.held, extra_points=extra), driver_boost_points=None)
    if not every_team(problem):
        return
    drawn = generator.normal(5, 10, (12, len(problem.asset_keys)))
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    views = WeekendViews(
        draws=np.where(problem.mask(problem.only_if_held), points, drawn - drawn.mean(axis=0) + points),
        no_negative_points=points + generator.exponential(4, len(points)),
        remaining_draws=generator.normal(4, 8, (12, len(problem.driver_ids))),
    )
    keep = dict(zip(CHIPS, generator.exponential(6, len(CHIPS)).tolist(), strict=True))
    left = generator.random(len(CHIPS)) < 0.7
    names = tuple(name for name, is_left in zip(CHIPS, left, strict=True) if is_left)
    gains = chip_gains(problem, views, RULES, names)
    expected = chip_to_play({name: gain.points for name, gain in gains.items()}, keep)
    tables = tables_of(problem, views, **keep)
    advice = advise(tables, held_team(tables, problem), left[None], EVERY_TRANSFER)
    chip = None if advice.chips[0] == NO_CHIP else CHIPS[advice.chips[0]]
    assert chip == expected
    best = best_lineups(problem, 1)[0]
    gain = 0.0 if chip is None else gains[chip].points
    assert advice.chip_points[0] == pytest.approx(gain, abs=1e-7)
    assert advice.found.points[0] / BILLIONTHS == pytest.approx(best.points + gain, abs=1e-7)
    if chip != "autopilot":
        lineup = best.lineup if chip is None else gains[chip].ranked.lineup
        assert names_of(tables.market, advice.found, 0) == (lineup.drivers, lineup.constructors)


@pytest.mark.parametrize("idle", [0, 3])
@pytest.mark.parametrize("decimals", [0, 9])
def test_teams_of_a_full_race_have_the_answer_of_the_enumeration(idle: int, decimals: int) -> None:
    problem = full_menu(idle, idle, decimals)
    tables = tables_of(problem)
    teams = random_teams(tables.market, 25, seed=decimals)
    found = best_after_transfers(tables.market, tables.worth, teams, EVERY_TRANSFER, -10.0)
    freed = best_of_all(tables.market, tables.worth, teams)
    for at in range(len(teams)):
        own = alone(problem, tables.market, teams, at, -10.0)
        for answer, expected in ((found, best_lineups(own, 1)[0]), (freed, best_lineups(own.under_wildcard(), 1)[0])):
            assert answer.points[at] / BILLIONTHS == pytest.approx(expected.points, abs=1e-7)
            assert names_of(tables.market, answer, at) == (expected.lineup.drivers, expected.lineup.constructors)


def test_of_teams_of_equal_points_and_cost_the_first_by_id_is_chosen() -> None:
    fine = full_menu(4, idle=2, decimals=-1)
    problem = replace(
        fine,
        driver_prices=np.round(fine.driver_prices, -2) + 50,
        constructor_prices=np.round(fine.constructor_prices, -2) + 50,
    )
    tables = tables_of(problem)
    teams = random_teams(tables.market, 25, seed=4, most_bank=200)
    found = best_after_transfers(tables.market, tables.worth, teams, EVERY_TRANSFER, -10.0)
    freed = best_of_all(tables.market, tables.worth, teams)
    tied = 0
    for at in range(len(teams)):
        own = alone(problem, tables.market, teams, at, -10.0)
        for answer, free in ((found, own), (freed, own.under_wildcard())):
            first, second = best_lineups(free, 2)
            assert names_of(tables.market, answer, at) == (first.lineup.drivers, first.lineup.constructors)
            tied += (first.points, first.cost_tenths) == (second.points, second.cost_tenths)
    assert tied > 10


@pytest.fixture(scope="module")
def drawn_race() -> tuple[LineupProblem, WeekendViews]:
    """A full race with drivers who sit out, and what many weekends of it bring."""
    problem = full_menu(6, idle=3)
    # As if to sit out were worth something: whoever could, would buy those who do.
    is_idle = problem.mask(problem.only_if_held)[: len(problem.driver_ids)]
    problem = replace(problem, driver_points=np.where(is_idle, 30.0, problem.driver_points))
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    draws = np.random.default_rng(6).normal(0, 12, (50, len(points)))
    draws = np.where(problem.mask(problem.only_if_held), points, draws - draws.mean(axis=0) + points)
    return problem, WeekendViews(draws, points + 3.0, draws[:, : len(problem.driver_ids)] + 6.0)


@pytest.mark.parametrize("chip", ["autopilot", "final_fix"])
def test_a_chip_is_played_from_just_what_it_is_worth_unplayed(
    drawn_race: tuple[LineupProblem, WeekendViews], chip: str
) -> None:
    problem, views = drawn_race
    market = tables_of(problem).market
    teams = random_teams(market, 12, seed=6)
    teams = replace(teams, free_transfers=np.where(np.arange(12) < 4, ANY_NUMBER, teams.free_transfers))
    may_play = np.tile(np.array(CHIPS) == chip, (12, 1))
    for at in range(12):
        own = alone(problem, market, teams, at, float(RULES.transfers.extra_points))
        rows = [row for row, driver in enumerate(problem.driver_ids) if driver in own.driver_ids]
        assets = [*rows, *range(len(problem.driver_ids), len(problem.asset_keys))]
        assert views.draws is not None
        assert views.remaining_draws is not None
        seen = WeekendViews(views.draws[:, assets], None, views.remaining_draws[:, rows])
        gain = chip_gains(own, seen, RULES, (chip,))[chip].points
        for keep, is_played in ((gain - 0.001, True), (gain + 0.001, False)):
            advice = advise(tables_of(problem, views, **{chip: keep}), teams, may_play, EVERY_TRANSFER)
            assert (advice.chips[at] != NO_CHIP) == is_played
            assert advice.chip_points[at] == pytest.approx(gain if is_played else 0.0, abs=1e-7)


def test_teams_before_their_first_race_change_nothing_for_others(
    drawn_race: tuple[LineupProblem, WeekendViews],
) -> None:
    problem, views = drawn_race
    tables = tables_of(problem, views, **dict.fromkeys(CHIPS, 0.0))
    teams = random_teams(tables.market, 60, seed=7)
    is_new = np.arange(60) % 3 == 0
    mixed = replace(teams, free_transfers=np.where(is_new, ANY_NUMBER, teams.free_transfers))
    may_play = np.tile(np.array(CHIPS) == "autopilot", (60, 1))
    both, apart = (
        advise(tables, mixed, may_play, 2),
        advise(tables, mixed.at(np.flatnonzero(~is_new)), may_play[~is_new], 2),
    )
    assert np.array_equal(both.found.points[~is_new], apart.found.points)
    assert np.array_equal(both.found.drivers[~is_new], apart.found.drivers)
    kept = (both.found.drivers[:, :, None] == teams.drivers[:, None, :]).any(axis=2).sum(axis=1)
    assert kept[~is_new].min() == 3
    assert kept[is_new].min() < 3


def test_teams_of_a_full_race_have_the_answer_of_cbc() -> None:
    problem = full_menu(7)
    tables = tables_of(problem)
    teams = random_teams(tables.market, 5, seed=7)
    found = best_after_transfers(tables.market, tables.worth, teams, EVERY_TRANSFER, -10.0)
    for at in range(len(teams)):
        proven = solve_lineups(alone(problem, tables.market, teams, at, -10.0), 1)[0]
        assert found.points[at] / BILLIONTHS == pytest.approx(proven.points, abs=1e-6)


def every_total(problem: LineupProblem, most: int) -> float:
    """Score all 1.4 million line-ups within some transfers, and take the best."""
    assert problem.held is not None
    drivers = combination_rows(len(problem.driver_ids), 5)
    pairs = combination_rows(len(problem.constructor_ids), 2)
    kept = problem.mask(problem.held.asset_keys)
    count = len(problem.driver_ids)
    made = 7 - kept[:count][drivers].sum(axis=0)[:, None] - kept[count:][pairs].sum(axis=0)
    points = problem.driver_points[drivers].sum(axis=0) + problem.boost_points[drivers].max(axis=0)
    costs = problem.driver_prices[drivers].sum(axis=0)[:, None] + problem.constructor_prices[pairs].sum(axis=0)
    totals = points[:, None] + problem.constructor_points[pairs].sum(axis=0)
    totals = totals - 10.0 * np.maximum(made - (problem.held.free_transfers or 0), 0)
    return float(totals[(costs <= problem.rules.budget_tenths) & (made <= most)].max())


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_no_more_transfers_are_made_than_allowed(most: int) -> None:
    problem = full_menu(3)
    tables = tables_of(problem)
    teams = random_teams(tables.market, 10, seed=most)
    found = best_after_transfers(tables.market, tables.worth, teams, most, -10.0)
    for at in range(len(teams)):
        own = alone(problem, tables.market, teams, at, -10.0)
        assert found.points[at] / BILLIONTHS == pytest.approx(every_total(own, most), abs=1e-7)


def test_the_order_of_teams_changes_nothing() -> None:
    problem = full_menu(5, idle=2)
    generator = np.random.default_rng(5)
    draws = generator.normal(0, 12, (40, len(problem.asset_keys)))
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    views = WeekendViews(draws - draws.mean(axis=0) + points, points + 3.0, draws[:, : len(problem.driver_ids)] + 6.0)
    tables = tables_of(problem, views, **dict.fromkeys(CHIPS, 12.0))
    teams = random_teams(tables.market, 700, seed=5)
    may_play = generator.random((700, len(CHIPS))) < 0.5
    advice = advise(tables, teams, may_play, 3)
    order = generator.permutation(700)
    other = advise(tables, teams.at(order), may_play[order], 3)
    assert len(np.unique(advice.chips)) >= 4
    for mine, theirs in (
        (advice.chips, other.chips),
        (advice.chip_points, other.chip_points),
        (advice.found.points, other.found.points),
        (advice.found.drivers, other.found.drivers),
        (advice.found.pairs, other.found.pairs),
    ):
        assert np.array_equal(mine[order], theirs)


def test_doing_nothing_counts_the_boost_where_it_is() -> None:
    problem = full_menu(2)
    tables = tables_of(problem)
    teams = random_teams(tables.market, 2, seed=2).at(np.array([0, 0]))
    held = alone(problem, tables.market, teams, 0, -10.0)
    assert held.held is not None
    points = dict(zip(held.asset_keys, [*held.driver_points, *held.constructor_points], strict=True))
    plain = sum(points[key] for key in held.held.asset_keys)
    drivers = [points[DRIVER, driver] for driver in held.held.drivers]
    found = held_points(tables, teams, np.array([-1, teams.drivers[0, 3]])) / BILLIONTHS
    assert found.tolist() == pytest.approx([plain + max(drivers), plain + drivers[3]])


def test_a_chip_of_which_nothing_is_known_is_kept() -> None:
    tables = tables_of(full_menu(1), wildcard=np.inf)
    advice = advise(tables, random_teams(tables.market, 20, seed=1), np.ones((20, len(CHIPS)), dtype=bool), 3)
    assert set(advice.chips) == {NO_CHIP}


def test_two_boosts_need_two_drivers() -> None:
    worth = Worth(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0.0]), (2.0, 1.0))
    assert worth.of(np.array([[0, 1]]), worth.boosts).tolist() == [1 + 2 + 2 * 2 + 1]
    assert worth.of(np.array([[0]]), worth.boosts).tolist() == [-np.inf]
    assert worth.of(np.zeros((1, 0), dtype=int), ()).tolist() == [0.0]
    assert {(len(bought), len(kept)) for bought, kept in worth.ways} == {(0, 2), (1, 1), (2, 0)}
    assert len(worth.ways) == 4
