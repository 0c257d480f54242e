"""What policies decide at a lock, against plain loops over teams and swaps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import SolverError
from f1_pipeline.game.chips import ExtraBoost, Wildcard
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.lineup import DRIVER
from f1_pipeline.game.team import LockedTeam, Team
from f1_pipeline.optimize.enumeration import best_lineups, has_team
from f1_pipeline.optimize.plan import solve_plan
from f1_pipeline.optimize.plan_problem import PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import Policy, decide, final_fix, first_race, money_slope, with_money
from f1_pipeline_tests.lineup_problems import asset_points, boost_values, every_team
from f1_pipeline_tests.plan_games import small_game

SETTINGS = PlanSettings(chips=(), gap=0.0)
MYOPIC, PLAIN, ROLLING = Policy("myopic"), Policy("plain", values_money=False), Policy("rolling", horizon=3)
seeds = st.integers(0, 2**32 - 1)


def playable(seed: int, races: int = 1, drivers: int = 5) -> PlanProblem:
    """Draw a problem that has a plan, and a first race at which a new team could be paid."""
    problem = small_game(seed, races, drivers).problem
    race = first_race(problem)
    assume(has_team(replace(race, held=None, bans=race.only_if_held)))
    try:
        solve_plan(problem, SETTINGS)
    except SolverError:
        assume(False)
    return problem


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_million_more_is_worth_what_the_best_team_gains_by_it(seed: int) -> None:
    problem = first_race(playable(seed))
    free = replace(problem, held=None, bans=problem.only_if_held)
    assume(every_team(free))
    richer = replace(free, rules=replace(free.rules, budget_tenths=free.rules.budget_tenths + 40))
    gained = every_team(free)[0][0] - every_team(richer)[0][0]
    assert money_slope(problem, 40) == pytest.approx(gained / 4)
    assert money_slope(problem, 40) >= 0


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(0, 10), st.integers(1, 2))
def test_money_adds_the_change_of_price_to_points_and_not_to_boosts(seed: int, value: float, races: int) -> None:
    problem = small_game(seed, races, 5).problem
    plain, valued = first_race(problem), with_money(problem, value)
    assert problem.end_prices is not None
    after = problem.end_prices if races == 1 else problem.prices[1]
    steps = dict(zip(problem.assets, ((after - problem.prices[0]) / 10).tolist(), strict=True))
    expected = {key: points + value * steps[key] for key, points in asset_points(plain).items()}
    assert asset_points(valued) == pytest.approx(expected)
    assert boost_values(valued) == pytest.approx(boost_values(plain))


def test_without_end_prices_those_of_the_last_race_stay() -> None:
    problem = replace(small_game(1, 1, 5).problem, end_prices=None)
    assert asset_points(with_money(problem, 5.0)) == asset_points(first_race(problem))


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(0, 10))
def test_a_myopic_policy_takes_the_best_line_up_with_its_money(seed: int, races_after: int) -> None:
    problem = playable(seed)
    slope = money_slope(first_race(problem)) if races_after else 0.0
    expected = best_lineups(with_money(problem, slope * races_after), 1)[0].lineup
    assert decide(MYOPIC, problem, races_after, SETTINGS) == Decision(expected)
    assert decide(PLAIN, problem, races_after, SETTINGS) == Decision(best_lineups(first_race(problem), 1)[0].lineup)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_a_myopic_team_is_the_best_of_all(seed: int) -> None:
    problem = playable(seed)
    decision, valued = decide(MYOPIC, problem, 4, SETTINGS), with_money(problem, 4 * money_slope(first_race(problem)))
    best = every_team(valued)[0]
    points = asset_points(valued)
    boost = boost_values(valued)[decision.lineup.boosted_driver]
    held = None if problem.team is None or problem.has_free_start else problem.team
    count = 0 if held is None else len(set(decision.lineup.asset_keys) - set(held.lineup.asset_keys))
    paid = 0 if held is None else -10 * max(0, count - held.free_transfers)
    own = sum(points[key] for key in decision.lineup.asset_keys) + boost + paid
    assert own == pytest.approx(-best[0])


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_a_rolling_policy_begins_as_its_plan(seed: int) -> None:
    problem = playable(seed, races=3, drivers=4)
    worth = 5 * money_slope(first_race(problem))
    wanted = replace(SETTINGS, money_value=worth)
    decision = decide(ROLLING, problem, 5, SETTINGS)
    assert decision.chip is None
    assert decision.lineup == solve_plan(problem, wanted).races[0].lineup


def test_a_chip_that_is_told_is_played() -> None:
    problem = next(
        game.problem for game in (small_game(seed, 3, 4) for seed in range(100)) if game.problem.is_active.all()
    )
    first = decide(PLAIN, replace(problem, team=None), 0, SETTINGS).lineup
    team = Team.start(first, problem.menus[0].prices, problem.rules)
    own = replace(problem, team=replace(team, races_played=1))
    assert decide(MYOPIC, own, 0, SETTINGS, "wildcard").chip == Wildcard()
    extra = decide(ROLLING, own, 0, SETTINGS, "extra_boost")
    assert isinstance(extra.chip, ExtraBoost)
    assert extra.chip.driver in set(extra.lineup.drivers) - {extra.lineup.boosted_driver}


def locked_team(seed: int) -> tuple[LockedTeam, dict[str, float]]:
    """Lock a team, and draw what its drivers and others will score after qualifying; some are not known."""
    problem = playable(seed)
    decision = decide(PLAIN, problem, 0, SETTINGS)
    team = problem.team or Team.start(decision.lineup, problem.menus[0].prices, problem.rules)
    generator = np.random.default_rng(seed)
    seats = [name for kind, name in problem.menus[0].prices if kind == DRIVER]
    remaining = {seat: round(float(generator.normal(5, 8)), 3) for seat in seats if generator.random() < 0.9}
    return team.apply(decision, problem.menus[0]), remaining


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_final_fix_is_the_best_of_all_swaps(seed: int) -> None:
    locked, remaining = locked_team(seed)
    menu, team = locked.menu, locked.kept
    gains = {}
    for out in locked.fielded.drivers:
        price = dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True))[DRIVER, out]
        for kind, new in menu.prices:
            is_open = kind == DRIVER and menu.is_active((kind, new)) and new not in locked.fielded.drivers
            if is_open and new in remaining and menu.prices[kind, new] <= team.bank_tenths + price:
                factor = 2 if out == locked.fielded.boosted_driver else 1
                gains[out, new] = factor * (remaining[new] - remaining.get(out, 0.0))
    best = max(gains.values(), default=0.0)
    found = final_fix(locked, remaining)
    if best <= 0:
        assert found is None
        return
    assert found is not None
    swap, gain = found
    assert gain == pytest.approx(best)
    assert gains[swap.outgoing, swap.incoming] == pytest.approx(best)
    if team.races_played >= team.rules.chips.final_fix.from_race and "final_fix" in team.chips_left:
        assert locked.final_fix(swap).chip == swap
