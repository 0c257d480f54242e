"""Small line-up problems with every kind of limit, and their answers by plain loops over all teams.

Belongs here: what the tests of the solvers share. Nothing here uses arrays of teams or a solver.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
from hypothesis import strategies as st

from f1_pipeline.game.lineup import AssetKey, Lineup, LineupRules
from f1_pipeline.optimize.problem import Held, LineupProblem

PlainTeam = tuple[float, int, tuple[str, ...], tuple[str, ...]]
"""(-points, cost in tenths, drivers, constructors): sorted, the best team is the first."""


@st.composite
def limited_problems(draw: st.DrawFn, has_ties: bool = True) -> LineupProblem:
    """Draw a problem with some limits; without ties the points are such that no two teams are equal."""
    picked, others = draw(st.sampled_from([(2, 1), (3, 1), (3, 2)]))
    drivers, constructors = draw(st.integers(picked + 1, 7)), draw(st.integers(others + 1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def points(size: int) -> np.ndarray:
        # Tenths over a narrow range: many exact ties, and sums that floats do not hold exactly.
        return generator.integers(-40, 41, size) / 10 if has_ties else generator.normal(5, 10, size).round(6)

    problem = LineupProblem(
        driver_ids=tuple("abcdefg"[:drivers]),
        driver_prices=generator.integers(20, 80, drivers),
        driver_points=points(drivers),
        constructor_ids=tuple("wxyz"[:constructors]),
        constructor_prices=generator.integers(20, 80, constructors),
        constructor_points=points(constructors),
        rules=LineupRules(picked, others, 1000, draw(st.sampled_from([1, 2]))),
    )
    keys = problem.asset_keys
    held = Held(
        tuple(generator.permutation(problem.driver_ids)[:picked].tolist()),
        tuple(generator.permutation(problem.constructor_ids)[:others].tolist()),
        draw(st.sampled_from([None, 0, 1, 2])),
        draw(st.sampled_from([0, -1, -10])),
    )
    some = st.lists(st.sampled_from(keys), max_size=2).map(frozenset)
    rarely_some = st.one_of(st.just(frozenset[AssetKey]()), some)
    return replace(
        problem,
        rules=replace(problem.rules, budget_tenths=problem.cheapest_cost_tenths + draw(st.integers(0, 120))),
        held=draw(st.sampled_from([None, held, held])),
        only_if_held=draw(rarely_some),
        driver_boost_points=draw(st.sampled_from([None, None, points(drivers)])),
        extra_boost=draw(st.sampled_from([None, 3])),
        locks=draw(rarely_some),
        bans=draw(rarely_some),
        team_of={key: f"team {row % 3}" for row, key in enumerate(keys)},
        most_per_team=draw(st.sampled_from([None, None, 2, 3])),
        min_difference=draw(st.sampled_from([1, 1, 2, 3])),
    )


def asset_points(problem: LineupProblem) -> dict[AssetKey, float]:
    values = [*problem.driver_points.tolist(), *problem.constructor_points.tolist()]
    return dict(zip(problem.asset_keys, values, strict=True))


def boost_values(problem: LineupProblem) -> dict[str, float]:
    """Say what a boost multiplies, by driver."""
    if problem.driver_boost_points is not None:
        return dict(zip(problem.driver_ids, problem.driver_boost_points.tolist(), strict=True))
    return {
        key[1]: 0.0 if key in problem.only_if_held else points
        for key, points in asset_points(problem).items()
        if key[0] == "driver"
    }


def legal_teams(problem: LineupProblem) -> list[Lineup]:
    """List every team that keeps to the limits, the boost on its first driver."""
    rules = problem.rules
    return [
        lineup
        for drivers in combinations(problem.driver_ids, rules.driver_count)
        for constructors in combinations(problem.constructor_ids, rules.constructor_count)
        if is_legal(problem, lineup := Lineup(drivers, constructors, drivers[0]))
    ]


def is_legal(problem: LineupProblem, lineup: Lineup) -> bool:
    keys = set(lineup.asset_keys)
    bought = keys - set(problem.held.asset_keys if problem.held else ())
    crowds = Counter(problem.team_of[key] for key in keys) if problem.most_per_team else Counter()
    return (
        sum(problem.prices[key] for key in keys) <= problem.rules.budget_tenths
        and problem.locks <= keys
        and not problem.bans & keys
        and not problem.only_if_held & bought
        and all(count <= (problem.most_per_team or 0) for count in crowds.values())
    )


def transfers_of(problem: LineupProblem, lineup: Lineup) -> tuple[int, float]:
    """Count transfers and what they cost."""
    if problem.held is None:
        return 0, 0.0
    count = len(set(lineup.asset_keys) - set(problem.held.asset_keys))
    free = count if problem.held.free_transfers is None else problem.held.free_transfers
    return count, problem.held.extra_points * max(0, count - free)


def boost_choices(problem: LineupProblem, lineup: Lineup) -> list[tuple[tuple[str, float], ...]]:
    """List every way to put the boosts on different drivers, each as pairs of driver and multiplier."""
    multipliers = [problem.rules.boost_multiplier]
    multipliers += [] if problem.extra_boost is None else [problem.extra_boost]
    ways = permutations(lineup.drivers, len(multipliers))
    return [tuple(zip(drivers, multipliers, strict=True)) for drivers in ways]


def every_team(problem: LineupProblem) -> list[PlainTeam]:
    """Score every team that keeps to the limits, best first."""
    points, boosted = asset_points(problem), boost_values(problem)
    teams = []
    for lineup in legal_teams(problem):
        best = max(sum((m - 1) * boosted[d] for d, m in way) for way in boost_choices(problem, lineup))
        total = sum(points[key] for key in lineup.asset_keys) + best + transfers_of(problem, lineup)[1]
        cost = sum(problem.prices[key] for key in lineup.asset_keys)
        teams.append((-round(total, 9), cost, lineup.drivers, lineup.constructors))
    return sorted(teams)


def ranked_apart(teams: list[PlainTeam], problem: LineupProblem, count: int) -> list[PlainTeam]:
    """Rank the first, then the next that differs enough from all ranked, and so on."""
    ranking: list[PlainTeam] = []
    for team in teams:
        own = {*team[2], *team[3]}
        if all(len(own - {*other[2], *other[3]}) >= problem.min_difference for other in ranking):
            ranking.append(team)
    return ranking[:count]
