"""Why no team keeps to the limits: the smallest set of them that contradict each other, in words.

Here: the search for that set and the sentence about it. Not here: whether a problem has a team at all, which is
asked of whoever calls (`f1_pipeline.optimize.enumeration` looks at every team).

The search is a deletion filter: each limit in turn is dropped, and stays dropped while there is still no team. What
remains cannot lose any limit without leaving a team, so each is part of the contradiction. Limits which are named
last are dropped first, so that where several sets contradict, a short one about locks and money is told.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from f1_pipeline.errors import SolverError
from f1_pipeline.game.lineup import ASSET_TYPES, DRIVER, AssetKey, money
from f1_pipeline.optimize.problem import NO_KEYS, LineupProblem

MOST_NAMED = 7
"""Assets of a type that are named one by one: as many as a line-up holds."""

CheapestCost = Callable[[LineupProblem], int | None]
"""Cost of the cheapest team of a problem whatever its budget is, None when its other limits leave no team."""


@dataclass(frozen=True)
class _Limits:
    """Limits of a problem that are still in force while others are dropped."""

    locks: frozenset[AssetKey]
    bans: frozenset[AssetKey]
    only_if_held: frozenset[AssetKey]
    most_per_team: int | None
    has_budget: bool = True

    def of(self, problem: LineupProblem) -> LineupProblem:
        return replace(
            problem,
            locks=self.locks,
            bans=self.bans,
            only_if_held=self.only_if_held,
            most_per_team=self.most_per_team,
        )


def explain(problem: LineupProblem, cheapest_cost: CheapestCost) -> SolverError:
    """Say which limits leave no team.

    Parameters
    ----------
    problem
        A problem without any team.
    cheapest_cost
        Finds the cheapest team.

    Returns
    -------
    SolverError
        To be raised; its message names a smallest set of limits that contradict each other.
    """
    limits = _smallest_conflict(problem, cheapest_cost)
    return SolverError(f"{problem.title}: {_sentence(problem, limits, cheapest_cost)}")


def _smallest_conflict(problem: LineupProblem, cheapest_cost: CheapestCost) -> _Limits:
    limits = _Limits(problem.locks, problem.bans, problem.only_if_held, problem.most_per_team)

    def has_team(candidate: _Limits) -> bool:
        cost = cheapest_cost(candidate.of(problem))
        return cost is not None and (not candidate.has_budget or cost <= problem.rules.budget_tenths)

    def dropped(current: _Limits, **change: object) -> _Limits:
        candidate = replace(current, **change)
        return current if has_team(candidate) else candidate

    limits = dropped(limits, most_per_team=None)
    limits = dropped(limits, only_if_held=NO_KEYS)
    for asset_type in ASSET_TYPES:
        limits = dropped(limits, bans=frozenset(key for key in limits.bans if key[0] != asset_type))
    limits = dropped(limits, has_budget=False)
    # The cheapest lock goes first: the dear ones are the better explanation.
    prices = problem.prices
    for key in sorted(problem.locks, key=lambda key: (prices[key], key)):
        limits = dropped(limits, locks=limits.locks - {key})
    return limits


def _sentence(problem: LineupProblem, limits: _Limits, cheapest_cost: CheapestCost) -> str:
    locks, inactive = limits.locks, limits.of(problem).unavailable - limits.bans
    if locks & limits.bans:
        return f"expected nothing both locked and banned, found {_names(locks & limits.bans)}."
    if locks & inactive:
        return (
            f"expected locks on assets that take part or are held, found {_names(locks & inactive)}, which can "
            f"only be kept."
        )
    if limits.has_budget:
        return _about_money(problem, limits, cheapest_cost)
    if limits.most_per_team is not None:
        teams = ", ".join(sorted({problem.team_of[key] for key in locks}))
        causes = [f"locked {_names(locks)} of {teams}"] if locks else []
        causes += _conditions(limits.bans, inactive)
        return (
            f"expected a line-up with at most {limits.most_per_team} assets of one team, but "
            f"{' and '.join(causes) or 'so few teams'} leave none."
        )
    return _about_numbers(problem, limits, inactive)


def _about_money(problem: LineupProblem, limits: _Limits, cheapest_cost: CheapestCost) -> str:
    rules = problem.rules
    cheapest = cheapest_cost(limits.of(problem))
    assert cheapest is not None, "the budget is part of the conflict, so without it there is a team"
    inactive = limits.of(problem).unavailable - limits.bans
    conditions = _conditions(limits.bans, inactive)
    if limits.most_per_team is not None:
        conditions.append(f"at most {limits.most_per_team} of one team")
    kept_to = f" (with {' and '.join(conditions)})" if conditions else ""
    if not limits.locks:
        return (
            f"expected a line-up within the budget of {money(rules.budget_tenths)}, but the cheapest legal one"
            f"{kept_to} costs {money(cheapest)}."
        )
    locked = sum(problem.prices[key] for key in limits.locks)
    others = rules.driver_count + rules.constructor_count - len(limits.locks)
    cheapest_others = "cheapest other" if others == 1 else f"cheapest {others} others"
    rest = f", and the {cheapest_others}{kept_to} {money(cheapest - locked)}: {money(cheapest)}"
    return (
        f"expected a line-up within the budget of {money(rules.budget_tenths)}, but the locked "
        f"{_names(limits.locks)} cost {money(locked)}{rest if others else ''}."
    )


def _about_numbers(problem: LineupProblem, limits: _Limits, inactive: frozenset[AssetKey]) -> str:
    for asset_type in ASSET_TYPES:
        needed = problem.rules.driver_count if asset_type == DRIVER else problem.rules.constructor_count
        locks = [key for key in limits.locks if key[0] == asset_type]
        if len(locks) > needed:
            return f"expected at most {needed} locked {asset_type}s, found {len(locks)}: {_names(locks)}."
        left = [key for key in problem.asset_keys if key[0] == asset_type and key not in limits.bans | inactive]
        if len(left) < needed:
            conditions = " and ".join(_conditions(limits.bans, inactive))
            found = _names(left) if left else "none"
            return f"expected at least {needed} {asset_type}s to choose from, but {conditions} leave {found}."
    raise AssertionError("limits without money and teams contradict each other only in numbers")


def _conditions(bans: frozenset[AssetKey], inactive: frozenset[AssetKey]) -> list[str]:
    named = (("bans of", bans), ("the absence of", inactive))
    return [f"{what} {_names(keys)}" for what, keys in named if keys]


def _names(keys: Iterable[AssetKey]) -> str:
    """Name assets, grouped by type: drivers a, b and constructor x. Too many are counted."""
    groups = []
    for asset_type in ASSET_TYPES:
        ids = sorted(asset_id for kind, asset_id in keys if kind == asset_type)
        if len(ids) > MOST_NAMED:
            groups.append(f"{len(ids)} {asset_type}s")
        elif ids:
            groups.append(f"{asset_type}{'s' if len(ids) > 1 else ''} {', '.join(ids)}")
    return " and ".join(groups)
