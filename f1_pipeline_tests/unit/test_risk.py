"""Line-ups chosen on draws, against plain loops over all teams, boosts and draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError, SolverError, UsageError
from f1_pipeline.game.lineup import Lineup, LineupRules
from f1_pipeline.optimize.autopilot import best_autopilot
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.risk import (
    AtLeast,
    Beats,
    JudgedLineup,
    Mean,
    MeanMinusDeviation,
    Objective,
    Quantile,
    choose_lineups,
)
from f1_pipeline_tests.lineup_problems import boost_choices, legal_teams, limited_problems, ranked_apart, transfers_of

PROBLEM = LineupProblem(
    ("a", "b", "c"),
    np.array([10, 10, 10]),
    np.zeros(3),
    ("x", "y"),
    np.array([10, 10]),
    np.zeros(2),
    LineupRules(driver_count=1, constructor_count=1, budget_tenths=30, boost_multiplier=2),
)
# a is steady, b better on average and wild, c scores 30 once in four draws; x follows b, y goes against it.
DRAWS = np.array([[10.0, 24, 0, 6, 0], [10, 24, 0, 6, 0], [10, 0, 30, 0, 6], [10, 0, 0, 0, 6]])


def totals_of(
    problem: LineupProblem, draws: np.ndarray
) -> dict[tuple[Lineup, tuple[tuple[str, float], ...]], np.ndarray]:
    """Score every team with every place of its boosts in every draw."""
    column = {key: draws[:, row] for row, key in enumerate(problem.asset_keys)}
    return {
        (lineup, way): sum(column[key] for key in lineup.asset_keys)
        + sum((m - 1) * column["driver", d] for d, m in way if ("driver", d) not in problem.only_if_held)
        + transfers_of(problem, lineup)[1]
        for lineup in legal_teams(problem)
        for way in boost_choices(problem, lineup)
    }


def value_of(objective: Objective, totals: np.ndarray, rival: np.ndarray) -> float:
    match objective:
        case Mean():
            return float(np.mean(totals))
        case MeanMinusDeviation(weight):
            return float(np.mean(totals) - weight * np.std(totals))
        case Quantile(share):
            return float(np.quantile(totals, share))
        case AtLeast(points):
            return float(np.mean(totals > points - 1e-9))
        case Beats():
            return float(np.mean(totals - rival > 1e-9))


def first(objective: Objective, count: int = 1) -> list[tuple[str, float]]:
    return [
        (judged.ranked.lineup.drivers[0] + judged.ranked.lineup.constructors[0], judged.objective)
        for judged in choose_lineups(PROBLEM, DRAWS, objective, count)
    ]


def test_hand_worked_objectives() -> None:
    # Twice the driver and the constructor: a 20, b 48 48 0 0, c 0 0 60 0; x 6 6 0 0, y 0 0 6 6.
    assert first(Mean(), 6) == [("bx", 27), ("by", 27), ("ax", 23), ("ay", 23), ("cx", 18), ("cy", 18)]
    assert first(MeanMinusDeviation(1)) == [("ax", 20)]
    assert first(MeanMinusDeviation(-1)) == [("bx", 54)]
    assert first(Quantile(0.05)) == [("ax", 20)]
    assert first(AtLeast(26)) == [("bx", 0.5)]
    assert first(AtLeast(60)) == [("cx", 0.25)]
    assert first(Beats(Lineup(("b",), ("x",), "b"))) == [("by", 0.5)]
    # Of the teams that always beat a poor rival the one with the best mean comes first.
    assert first(Beats(Lineup(("a",), ("x",), "a"), transfer_points=-30), 2) == [("bx", 1), ("by", 1)]


def test_figures_of_a_lineup_are_those_of_its_draws() -> None:
    assert choose_lineups(PROBLEM, DRAWS, Mean()) == [
        JudgedLineup(
            replace(best_lineups(PROBLEM, 1)[0], lineup=Lineup(("b",), ("x",), "b"), points=27.0), 27, 27, 0, 54
        )
    ]


@settings(derandomize=True, database=None, deadline=None, max_examples=120)
@given(
    problem=limited_problems(),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from([Mean, MeanMinusDeviation, Quantile, AtLeast, Beats]),
    count=st.integers(1, 4),
)
def test_choice_equals_brute_force_under_every_limit(
    problem: LineupProblem, seed: int, kind: type[Objective], count: int
) -> None:
    generator = np.random.default_rng(seed)
    draws = generator.normal(5, 10, (20, 1)) * generator.random(len(problem.asset_keys)) + generator.normal(
        0, 8, (20, len(problem.asset_keys))
    )
    totals = totals_of(problem, draws)
    rival = next(iter(totals), (None, ()))
    boosts = {multiplier: driver for driver, multiplier in rival[1]}
    objective: Objective = {
        Mean: Mean(),
        MeanMinusDeviation: MeanMinusDeviation(0.7),
        Quantile: Quantile(0.3),
        AtLeast: AtLeast(30.0),
    }.get(kind) or Beats(
        replace(rival[0], boosted_driver=boosts[problem.rules.boost_multiplier]) if rival[0] else Lineup((), (), ""),
        extra_boost=(boosts[3], 3) if 3 in boosts else None,
        transfer_points=transfers_of(problem, rival[0])[1] if rival[0] else 0.0,
    )
    if not totals:
        if kind is not Beats:
            with pytest.raises(SolverError, match="expected"):
                choose_lineups(problem, draws, objective, count)
        return
    values = {choice: value_of(objective, own, totals[rival]) for choice, own in totals.items()}
    costs = {lineup: sum(problem.prices[key] for key in lineup.asset_keys) for lineup, _ in totals}
    plain = sorted(
        (
            -round(values[lineup, way], 9),
            -round(float(own.mean()), 9),
            costs[lineup],
            lineup.drivers,
            lineup.constructors,
        )
        for (lineup, way), own in totals.items()
    )
    expected = ranked_apart([(*team[:1], *team[2:]) for team in plain], problem, count)
    found = choose_lineups(problem, draws, objective, count)
    assert [(judged.ranked.lineup.drivers, judged.ranked.lineup.constructors) for judged in found] == [
        team[2:] for team in expected
    ]
    for rank, (judged, team) in enumerate(zip(found, expected, strict=True), start=1):
        ranked = judged.ranked
        assert (ranked.rank, ranked.cost_tenths) == (rank, team[1])
        assert judged.objective == pytest.approx(-team[0])
        own = next(
            own
            for (lineup, way), own in totals.items()
            if lineup.asset_keys == ranked.lineup.asset_keys
            and {m: d for d, m in way}
            == {problem.rules.boost_multiplier: ranked.lineup.boosted_driver}
            | ({} if ranked.extra_boosted_driver is None else {3: ranked.extra_boosted_driver})
        )
        assert value_of(objective, own, totals[rival]) == pytest.approx(judged.objective)
        assert (ranked.points, judged.deviation_points) == pytest.approx((own.mean(), own.std()))
        assert [judged.p10_points, judged.p90_points] == pytest.approx(np.quantile(own, [0.1, 0.9]).tolist())


def test_a_shortlist_too_short_for_the_difference_is_widened() -> None:
    generator = np.random.default_rng(3)
    problem = replace(
        PROBLEM,
        driver_ids=tuple("abcdefgh"),
        driver_prices=np.full(8, 10),
        driver_points=np.zeros(8),
        rules=LineupRules(3, 1, 100, 2),
        min_difference=3,
    )
    draws = generator.normal(10, 5, (50, 10))
    found = choose_lineups(problem, draws, Quantile(0.2), count=4, shortlist=5)
    assert found == choose_lineups(problem, draws, Quantile(0.2), count=4)
    assert len(found) == 4


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(problem=limited_problems(), seed=st.integers(0, 2**32 - 1), count=st.integers(1, 4))
def test_autopilot_equals_brute_force_under_every_limit(problem: LineupProblem, seed: int, count: int) -> None:
    problem = replace(problem, extra_boost=None)
    draws = np.random.default_rng(seed).normal(5, 10, (20, len(problem.asset_keys)))
    column = {key: draws[:, row] for row, key in enumerate(problem.asset_keys)}
    teams = []
    for lineup in legal_teams(problem):
        boosted = [np.zeros(20) if key in problem.only_if_held else column[key] for key in lineup.asset_keys]
        best = np.max(boosted[: problem.rules.driver_count], axis=0) * (problem.rules.boost_multiplier - 1)
        own = sum(column[key] for key in lineup.asset_keys) + best + transfers_of(problem, lineup)[1]
        cost = sum(problem.prices[key] for key in lineup.asset_keys)
        teams.append((-round(float(own.mean()), 9), cost, lineup.drivers, lineup.constructors))
    expected = ranked_apart(sorted(teams), problem, count)
    if not expected:
        with pytest.raises(SolverError, match="expected"):
            best_autopilot(problem, draws, count)
        return
    found = best_autopilot(problem, draws, count)
    assert [(j.ranked.cost_tenths, j.ranked.lineup.drivers, j.ranked.lineup.constructors) for j in found] == [
        team[1:] for team in expected
    ]
    assert [-judged.objective for judged in found] == pytest.approx([team[0] for team in expected])
    assert [judged.ranked.points for judged in found] == pytest.approx([-team[0] for team in expected])


def test_autopilot_is_worth_more_than_any_driver_chosen_before() -> None:
    problem = replace(PROBLEM, rules=LineupRules(2, 1, 40, 2))
    judged = best_autopilot(problem, DRAWS)[0]
    # a and b with x: 10 + 24 + 24 + 6 twice, 10 + 10 twice; b and c: 54 twice, 60 and 0.
    assert (judged.ranked.lineup, judged.ranked.points) == (Lineup(("a", "b"), ("x",), "b"), 42.0)
    with pytest.raises(UsageError, match="expected one chip, found an extra boost under Autopilot"):
        best_autopilot(replace(problem, extra_boost=3), DRAWS)


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (DRAWS[:, :4], r"expected draws of 5 assets, one per column, found \(4, 4\)"),
        (DRAWS[0], r"found \(5,\)"),
        (DRAWS[:0], r"found \(0, 5\)"),
        (np.where(DRAWS == 30, np.nan, DRAWS), "expected finite draws, found 1 others"),
    ],
)
def test_flaws_of_draws_are_named(draws: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_lineups(PROBLEM, draws, Mean())


def test_flaws_of_a_request_are_named() -> None:
    with pytest.raises(DataError, match="expected the rival's assets on the menu, found driver 'z'"):
        choose_lineups(PROBLEM, DRAWS, Beats(Lineup(("z",), ("x",), "z")))
    with pytest.raises(DataError, match="expected the rival to boost a driver he holds, found 'b'"):
        choose_lineups(PROBLEM, DRAWS, Beats(Lineup(("a",), ("x",), "b")))
    with pytest.raises(UsageError, match="expected a share between 0 and 1, found 1"):
        Quantile(1)
    with pytest.raises(UsageError, match="at most the shortlist of 3, found 4"):
        choose_lineups(PROBLEM, DRAWS, Mean(), 4, shortlist=3)
