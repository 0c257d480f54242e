"""Contradictions between limits are told in words, and what is told cannot lose a part."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import AssetKey, LineupRules
from f1_pipeline.optimize import conflicts
from f1_pipeline.optimize.enumeration import best_lineups, cheapest_cost
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline_tests.lineup_problems import legal_teams, limited_problems

PROBLEM = LineupProblem(
    ("a", "b", "c", "d"),
    np.array([300, 280, 50, 40]),
    np.zeros(4),
    ("x", "y", "z"),
    np.array([310, 60, 50]),
    np.zeros(3),
    LineupRules(driver_count=3, constructor_count=1, budget_tenths=900, boost_multiplier=2),
    race_key="2026-monaco",
    team_of=dict(
        zip(
            [*(("driver", i) for i in "abcd"), *(("constructor", i) for i in "xyz")],
            ["x", "x", "y", "z", "x", "y", "z"],
            strict=True,
        )
    ),
)


def keys(drivers: str = "", constructors: str = "") -> frozenset[AssetKey]:
    return frozenset([*(("driver", i) for i in drivers), *(("constructor", i) for i in constructors)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"locks": keys("ab", "x")},
            "expected a line-up within the budget of $90.0M, but the locked drivers a, b and constructor x cost "
            "$89.0M, and the cheapest other $4.0M: $93.0M.",
        ),
        (
            {"locks": keys("abc", "x")},
            "expected a line-up within the budget of $90.0M, but the locked drivers a, b and constructor x cost "
            "$89.0M, and the cheapest other $4.0M: $93.0M.",
        ),
        (
            {"bans": keys("d"), "rules": replace(PROBLEM.rules, budget_tenths=600)},
            "expected a line-up within the budget of $60.0M, but the cheapest legal one (with bans of driver d) costs "
            "$68.0M.",
        ),
        (
            {"rules": replace(PROBLEM.rules, budget_tenths=400)},
            "expected a line-up within the budget of $40.0M, but the cheapest legal one costs $42.0M.",
        ),
        ({"locks": keys("abcd")}, "expected at most 3 locked drivers, found 4: drivers a, b, c, d."),
        ({"locks": keys("ad"), "bans": keys("d", "z")}, "expected nothing both locked and banned, found driver d."),
        (
            {"bans": keys("cd")},
            "expected at least 3 drivers to choose from, but bans of drivers c, d leave drivers a, b.",
        ),
        (
            {"bans": keys("", "xyz")},
            "expected at least 1 constructors to choose from, but bans of constructors x, y, z leave none.",
        ),
        (
            {"only_if_held": keys("a"), "locks": keys("a")},
            "expected locks on assets that take part or are held, found driver a, which can only be kept.",
        ),
        (
            {"only_if_held": keys("ab"), "held": Held(("b", "c", "d"), ("y",), 2), "bans": keys("c")},
            "expected at least 3 drivers to choose from, but bans of driver c and the absence of driver a leave "
            "drivers b, d.",
        ),
        (
            {"most_per_team": 2, "locks": keys("ab", "x"), "rules": replace(PROBLEM.rules, budget_tenths=2000)},
            "expected a line-up with at most 2 assets of one team, but locked drivers a, b and constructor x of x "
            "leave none.",
        ),
        (
            {"most_per_team": 1},
            "expected a line-up with at most 1 assets of one team, but so few teams leave none.",
        ),
    ],
)
def test_contradictions_in_words(change: dict[str, object], message: str) -> None:
    with pytest.raises(SolverError) as raised:
        best_lineups(replace(PROBLEM, **change), 1)
    assert str(raised.value) == f"Line-up problem of 2026-monaco: {message}"


@settings(derandomize=True, database=None, deadline=None, max_examples=40)
@given(problem=limited_problems())
def test_what_is_told_contradicts_itself_and_nothing_less_does(problem: LineupProblem) -> None:
    assume(not legal_teams(problem))
    limits = conflicts._smallest_conflict(problem, cheapest_cost)
    rich = problem.under_limitless()

    def has_team(candidate: conflicts._Limits) -> bool:
        return bool(legal_teams(candidate.of(problem if candidate.has_budget else rich)))

    assert not has_team(limits)
    smaller = [replace(limits, locks=limits.locks - {key}) for key in limits.locks]
    smaller += [replace(limits, bans=frozenset())] * bool(limits.bans)
    smaller += [replace(limits, only_if_held=frozenset())] * bool(limits.only_if_held)
    smaller += [replace(limits, most_per_team=None)] * (limits.most_per_team is not None)
    smaller += [replace(limits, has_budget=False)] * limits.has_budget
    assert all(has_team(candidate) for candidate in smaller)
    assert str(conflicts.explain(problem, cheapest_cost)).count("expected") == 1
