"""The best line-up of every real race, fresh and from the team held, is what the game itself makes of it.

Belongs here: the solvers against each other and against `game.team` on real menus. Limits that the game does not have
are tested on small problems next to the solvers.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from f1_pipeline.game.chips import ExtraBoost, Limitless, Wildcard
from f1_pipeline.game.decisions import Decision, driver_of
from f1_pipeline.game.lineup import AssetKey, LineupRules
from f1_pipeline.game.settlement import inactive_points, index_items
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline_tests.team_races import calendar_of, facts, items_of, menu_of, prices_of, rules_of


def races_of(season: int) -> list[str]:
    scored = set(facts("event_scores")["race_key"])
    return [race_key for race_key in calendar_of(season) if race_key in scored]


def problem_of(race_key: str, team: Team | None) -> LineupProblem:
    """Make the problem of a race whose points are known."""
    rules, menu = rules_of(int(race_key[:4])), menu_of(race_key)
    own = {} if team is None else dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True))
    prices = dict(sorted({**own, **menu.prices}.items()))
    items = index_items(items_of(race_key), race_key)

    def points_of(key: AssetKey) -> float:
        if not menu.is_active(key):
            return inactive_points((key,), menu, rules)
        return sum(points for _, _, points in items.get((key[0], driver_of(key[1])), ()))

    halves = {}
    for kind in ("driver", "constructor"):
        keys = [key for key in prices if key[0] == kind]
        halves[f"{kind}_ids"] = tuple(asset_id for _, asset_id in keys)
        halves[f"{kind}_prices"] = np.array([prices[key] for key in keys])
        halves[f"{kind}_points"] = np.array([points_of(key) for key in keys], dtype=float)
    held = None
    budget = rules.team.budget_tenths
    if team is not None:
        free = team.free_transfers if team.races_played else None
        held = Held(team.drivers, team.constructors, free, rules.transfers.extra_points)
        now = {**own, **{key: price for key, price in menu.prices.items() if key in own}}
        budget = team.bank_tenths + sum(now.values())
    return LineupProblem(
        **halves,
        rules=LineupRules(rules.team.driver_count, rules.team.constructor_count, budget, rules.boost.multiplier),
        race_key=race_key,
        held=held,
        only_if_held=frozenset(key for key in prices if not menu.is_active(key)),
    )


def play(season: int) -> Iterator[tuple[Team, str]]:
    """Play the best line-up of every race of a season, and give the team before each."""
    races = races_of(season)
    first = best_lineups(problem_of(races[0], None), 1)[0].lineup
    team = Team.start(first, prices_of(races[0]), rules_of(season))
    for race_key, next_key in zip(races, [*races[1:], races[-1]], strict=True):
        yield team, race_key
        ranked = best_lineups(problem_of(race_key, team), 1)[0]
        locked = team.apply(Decision(ranked.lineup), menu_of(race_key))
        charged = ranked.transfer_count if team.races_played else 0
        assert (locked.transfer_count, locked.transfer_points) == (charged, ranked.transfer_points)
        team, result = locked.settle(items_of(race_key), prices_of(race_key) | prices_of(next_key))
        assert result.total_points == ranked.points


@pytest.mark.parametrize("season", [2023, 2024, 2025, 2026])
def test_best_lineups_of_a_season_score_what_the_game_says(season: int) -> None:
    for team, race_key in play(season):
        for problem in (problem_of(race_key, None), problem_of(race_key, team)):
            points = best_lineups(problem, 1)[0].points
            assert solve_lineups(problem, 1)[0].points == pytest.approx(points, abs=1e-9)


def test_chips_are_the_problem_with_other_limits() -> None:
    team, race_key = list(play(2025))[5]
    rules = rules_of(2025)
    problem = problem_of(race_key, team)
    extra = replace(problem, extra_boost=rules.chips.extra_boost.multiplier)
    for changed, chip_of in (
        (problem.under_wildcard(), lambda _: Wildcard()),
        (problem.under_limitless(), lambda _: Limitless()),
        (extra, lambda ranked: ExtraBoost(ranked.extra_boosted_driver)),
    ):
        ranked = best_lineups(changed, 1)[0]
        locked = team.apply(Decision(ranked.lineup, chip_of(ranked)), menu_of(race_key))
        _, result = locked.settle(items_of(race_key), prices_of(race_key))
        assert result.total_points == ranked.points > best_lineups(problem, 1)[0].points
