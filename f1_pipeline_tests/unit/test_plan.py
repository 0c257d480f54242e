"""Plans of a few races: against plain recursion over all decisions, the other solver, and what is refused."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError, F1PipelineError, SolverError, UsageError
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, Lineup
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.plan import solve_plan, solve_plans
from f1_pipeline.optimize.plan_problem import MODELLED_CHIPS, NO_CHIP, Plan, PlanProblem, PlanSettings
from f1_pipeline.optimize.policies import first_race
from f1_pipeline_tests.plan_games import SmallGame, best_objective, small_game, small_settings

EXACT = PlanSettings(gap=0.0)
NO_CHIPS = replace(EXACT, chips=())
seeds = st.integers(0, 2**32 - 1)


def objective_or_none(problem: PlanProblem, wanted: PlanSettings) -> float:
    try:
        return solve_plan(problem, wanted).objective
    except F1PipelineError:
        return -math.inf


def under_way(seed: int, races: int = 3) -> SmallGame:
    """Draw a game of which everything is on sale throughout and every chip is left, for a team after its first race."""
    game = next(
        game
        for game in (small_game(other, races) for other in range(seed, seed + 1000))
        if game.problem.team is not None and game.problem.is_active.all()
    )
    assert game.problem.team is not None
    return with_team(game, races_played=1, chips_left=MODELLED_CHIPS)


def with_team(game: SmallGame, **changes: Any) -> SmallGame:
    assert game.problem.team is not None
    return replace(game, problem=replace(game.problem, team=replace(game.problem.team, **changes)))


@settings(max_examples=30, deadline=None)
@given(seeds)
# Seeds at which HiGHS betters a start by its presolve, and returned the start.
@example(2)
@example(13)
@example(43)
# One at which a ban leaves no line-up for Limitless, and a team whose driver has no seat can be held.
@example(1182032)
def test_a_plan_is_as_good_as_the_best_of_all_decisions(seed: int) -> None:
    game = small_game(seed)
    wanted = small_settings(seed, game)
    assert objective_or_none(game.problem, wanted) == pytest.approx(best_objective(game, wanted), abs=1e-6)


@pytest.mark.parametrize("chip", MODELLED_CHIPS)
def test_each_chip_alone_brings_what_it_can(chip: str) -> None:
    game = under_way(100, races=2)
    wanted = replace(EXACT, chips=(chip,))
    plan = solve_plan(game.problem, wanted)
    assert plan.objective == pytest.approx(best_objective(game, wanted), abs=1e-6)
    assert {race.chip for race in plan.races} <= {None, chip}
    for race_key in game.problem.race_keys:
        forced = replace(wanted, forced_chips={race_key: chip})
        found = solve_plan(game.problem, forced)
        assert found.objective == pytest.approx(best_objective(game, forced), abs=1e-6)
        assert {race.race_key: race.chip for race in found.races}[race_key] == chip


def test_no_chip_is_played_where_none_may_be() -> None:
    game = under_way(100, races=2)
    first, second = game.problem.race_keys
    plan = solve_plan(game.problem, replace(EXACT, forced_chips={first: NO_CHIP}))
    assert plan.races[0].chip is None
    assert plan.races[1].chip is not None
    nowhere = replace(EXACT, forced_chips={first: NO_CHIP, second: NO_CHIP})
    assert solve_plan(game.problem, nowhere).objective == pytest.approx(solve_plan(game.problem, NO_CHIPS).objective)


def test_a_chip_is_kept_for_what_it_is_worth_later() -> None:
    problem = under_way(100, races=2).problem
    without = solve_plan(problem, NO_CHIPS)
    wanted = replace(EXACT, chips=("autopilot",))
    best = float(problem.chip_gains["autopilot"].max())
    cheap, dear = (replace(wanted, chip_values={"autopilot": value}) for value in (best - 1, best + 1))
    assert solve_plan(problem, cheap).objective == pytest.approx(without.objective + 1)
    assert [race.chip for race in solve_plan(problem, dear).races] == [None, None]


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_a_plan_of_one_race_is_the_best_line_up(seed: int) -> None:
    problem = small_game(seed, races=1, drivers=5).problem
    try:
        expected = best_lineups(first_race(problem), 1)[0]
    except SolverError:
        assume(False)
        raise
    race = solve_plan(problem, NO_CHIPS).races[0]
    assert race.points == pytest.approx(expected.points)
    assert race.transfer_count == (0 if problem.has_free_start else expected.transfer_count)
    assert problem.start_budget_tenths - race.bank_tenths == expected.cost_tenths


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_both_solvers_find_the_same(seed: int) -> None:
    game = small_game(seed)
    wanted = small_settings(seed, game)
    expected = objective_or_none(game.problem, wanted)
    assert objective_or_none(game.problem, replace(wanted, solver="cbc")) == pytest.approx(expected, abs=1e-6)


def first_choices(plans: list[Plan]) -> set[tuple[object, ...]]:
    return {(plan.races[0].lineup.asset_keys, plan.races[0].chip) for plan in plans}


def test_next_best_plans_begin_differently_until_there_are_no_more() -> None:
    problem = under_way(200, races=2).problem
    plans = solve_plans(problem, NO_CHIPS, 50)
    assert 1 < len(plans) < 50
    assert len(first_choices(plans)) == len(plans)
    objectives = [plan.objective for plan in plans]
    assert objectives == sorted(objectives, reverse=True)


def test_next_best_plans_may_begin_with_the_same_team_and_another_chip() -> None:
    problem = under_way(200, races=2).problem
    plans = solve_plans(problem, replace(EXACT, chips=("extra_boost", "autopilot")), 4)
    assert len(first_choices(plans)) == 4
    assert len({plan.races[0].lineup.asset_keys for plan in plans}) < 4
    assert [plan.objective for plan in plans] == sorted((plan.objective for plan in plans), reverse=True)


@pytest.mark.parametrize("solver", ["highs", "cbc"])
@pytest.mark.parametrize("gap", [0.0, 0.05, 1.0])
def test_the_bound_holds_and_the_gap_is_kept(solver: str, gap: float) -> None:
    for seed in (300, 340):
        game = under_way(seed)
        wanted = PlanSettings(gap=gap, solver=solver, chips=("extra_boost", "wildcard"))
        plan, best = solve_plan(game.problem, wanted), best_objective(game, wanted)
        assert plan.objective <= best + 1e-6
        assert plan.bound >= best - 1e-6
        assert plan.gap == pytest.approx((plan.bound - plan.objective) / max(abs(plan.objective), 1.0))
        assert best - plan.objective <= gap * abs(best) + 1e-6


def test_a_gap_is_a_share_of_what_a_plan_is_worth() -> None:
    assert Plan((), objective=-200.0, bound=-190.0).gap == pytest.approx(0.05)
    assert Plan((), objective=0.1, bound=0.3).gap == pytest.approx(0.2)
    assert Plan((), objective=5.0, bound=4.0).gap == 0.0


def test_too_little_time_gives_a_plan_with_its_gap() -> None:
    problem = under_way(400).problem
    hasty, exact = solve_plan(problem, replace(EXACT, time_limit_s=0.02)), solve_plan(problem, EXACT)
    assert len(hasty.races) == len(problem.menus)
    assert hasty.objective <= exact.objective + 1e-6
    assert hasty.bound >= exact.objective - 1e-6


def seat_of(problem: PlanProblem, number: int) -> str:
    return next(name for kind, name in problem.assets if kind == DRIVER and name.startswith(f"driver-{number}@"))


def rich(problem: PlanProblem, bank_tenths: int) -> PlanProblem:
    assert problem.team is not None
    return replace(problem, team=replace(problem.team, bank_tenths=bank_tenths))


def test_locks_that_the_budget_does_not_pay_are_named() -> None:
    problem = under_way(500).problem
    assert problem.team is not None
    held = set(problem.team.lineup.asset_keys)
    locked = frozenset({next(key for key in problem.assets if key[0] == CONSTRUCTOR and key not in held)})
    dear = {key: price + (5000 if key in locked else 0) for key, price in problem.menus[0].prices.items()}
    menus = (replace(problem.menus[0], prices=dear), *problem.menus[1:])
    with pytest.raises(SolverError, match="found none: locked assets, the budget do not go together"):
        solve_plan(replace(problem, menus=menus), replace(NO_CHIPS, locked=locked, most_per_team=3))


def test_a_budget_that_buys_no_line_up_is_said() -> None:
    problem = under_way(500).problem
    with pytest.raises(SolverError, match=r"Plan from 2026-a: .* found none: the budget buys no line-up"):
        solve_plan(rich(problem, -1000), NO_CHIPS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discount": 0.0}, "discount: expected above 0, at most 1, found 0.0"),
        ({"discount": 1.1}, "discount"),
        ({"gap": -0.1}, "gap: expected at least 0"),
        ({"time_limit_s": 0.0}, "time_limit_s: expected above 0"),
        ({"money_value": -1.0}, "money_value"),
        ({"transfer_value": -1.0}, "transfer_value"),
        ({"solver": "abacus"}, "solver: expected highs or cbc, found abacus"),
        ({"most_per_team": 0}, "most_per_team: expected at least 1"),
        ({"locked": frozenset({(DRIVER, "a")}), "banned": frozenset({(DRIVER, "a")})}, "both locked and banned"),
        ({"chips": ("joker",)}, "expected chips among autopilot, .* found joker"),
        ({"chip_values": {"joker": 1.0}}, "found joker"),
        ({"forced_chips": {"2026-a": "joker"}}, "found joker"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PlanSettings(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forced_chips": {"2026-z": "wildcard"}}, "chip at 2026-z: expected one of 2026-a, 2026-b, 2026-c"),
        ({"forced_chips": {"2026-a": "autopilot"}}, "chip autopilot at 2026-a: expected one that may be played"),
        ({"forced_chips": {"2026-a": "wildcard"}, "chips": ("limitless",)}, "chip wildcard .* limitless"),
        ({"locked": frozenset((CONSTRUCTOR, name) for name in ("alpha", "beta"))}, "expected at most 1, found alpha"),
        ({"locked": frozenset({(DRIVER, "nobody")})}, "expected a driver of the coming races, found 'nobody'"),
        ({"banned": frozenset({(CONSTRUCTOR, "nobody")})}, "expected a constructor of the coming races"),
    ],
)
def test_wishes_that_contradict_the_races_are_refused(changes: dict[str, Any], message: str) -> None:
    game = with_team(under_way(600), chips_left=("limitless", "wildcard"))
    with pytest.raises(UsageError, match=message):
        solve_plan(game.problem, replace(EXACT, **changes))


def test_locked_assets_of_one_team_are_not_more_than_its_most() -> None:
    problem = under_way(600).problem
    locked = frozenset({(DRIVER, seat_of(problem, 0)), (CONSTRUCTOR, "alpha")})
    with pytest.raises(UsageError, match="locked assets of alpha: expected at most 1, found 2"):
        solve_plan(problem, replace(NO_CHIPS, locked=locked, most_per_team=1))


def test_a_chip_that_is_forced_twice_leaves_no_plan() -> None:
    problem = under_way(600).problem
    twice = {"2026-a": "wildcard", "2026-b": "wildcard"}
    with pytest.raises(SolverError, match="forced chips, the budget do not go together"):
        solve_plan(problem, replace(EXACT, forced_chips=twice))


def test_a_chip_that_may_not_be_played_yet_is_refused_at_the_first_race() -> None:
    game = with_team(under_way(600), races_played=0)
    with pytest.raises(UsageError, match="chip wildcard at 2026-a"):
        solve_plan(game.problem, replace(EXACT, forced_chips={"2026-a": "wildcard"}))
    assert solve_plan(game.problem, replace(EXACT, forced_chips={"2026-b": "wildcard"})).races[1].chip == "wildcard"


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="count of at least 1, found 0"):
        solve_plans(under_way(600).problem, NO_CHIPS, 0)


def test_who_is_locked_or_banned_by_id_is_so_in_every_seat() -> None:
    problem = under_way(700).problem
    locked = solve_plan(rich(problem, 5000), replace(NO_CHIPS, locked=frozenset({(DRIVER, "driver-1")})))
    banned = solve_plan(rich(problem, 5000), replace(NO_CHIPS, banned=frozenset({(DRIVER, "driver-1")})))
    seat = seat_of(problem, 1)
    assert [seat in race.lineup.drivers for race in locked.races] == [True] * 3
    assert [seat in race.lineup.drivers for race in banned.races] == [False] * 3


def test_data_that_do_not_fit_are_refused() -> None:
    problem = under_way(800).problem
    for changes, message in (
        ({"points": problem.points[:1]}, "points: expected finite numbers of shape"),
        ({"points": np.full_like(problem.points, np.nan)}, "points: expected finite"),
        ({"end_prices": np.array([1])}, "end_prices"),
        ({"chip_gains": {"autopilot": np.zeros(1)}}, "chip_gains autopilot"),
        ({"assets": problem.assets[::-1]}, "expected assets sorted"),
        ({"menus": ()}, "expected at least one race"),
    ):
        with pytest.raises(DataError, match=message):
            replace(problem, **changes)
    with pytest.raises(DataError, match="missing"):
        replace(
            problem,
            assets=problem.assets[1:],
            points=problem.points[:, 1:],
            no_negative_points=None,
            end_prices=None,
        )


def test_a_plan_keeps_count_of_money_and_transfers_as_the_game_does() -> None:
    problem = under_way(900).problem
    plan = solve_plan(problem, replace(EXACT, chips=("wildcard",)))
    team = problem.team
    assert isinstance(team, Team)
    held, free = set(team.lineup.asset_keys), team.free_transfers
    for at, race in enumerate(plan.races):
        now = set(race.lineup.asset_keys)
        assert (set(race.bought), set(race.sold)) == (now - held, held - now)
        assert race.free_transfers == free
        assert race.transfer_count == (0 if race.chip == "wildcard" else len(now - held))
        assert race.transfer_points == -10 * max(0, race.transfer_count - free)
        prices = dict(zip(problem.assets, problem.prices[at].tolist(), strict=True))
        assert race.budget_tenths - race.bank_tenths == sum(prices[key] for key in now)
        assert race.bank_tenths >= 0
        free = 2 if race.chip else 2 + min(1, max(0, free - race.transfer_count))
        held = now
    assert isinstance(plan.races[0].lineup, Lineup)
