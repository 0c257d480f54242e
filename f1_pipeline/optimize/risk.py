"""The best teams of one race by something else than the mean: by joint draws of what the assets may score.

Here: objectives, the search for the teams that are best by them, and what a team scores over the draws. Not here: the
draws (`f1_pipeline.forecast`), the best teams by their mean alone (`f1_pipeline.optimize.enumeration`) and the chip
that moves the boost afterwards (`f1_pipeline.optimize.autopilot`).

Draws are an array of draws x assets in the order of `LineupProblem.asset_keys`. They replace the points of the problem;
its limits, boosts and transfers hold. Where the boosts go is part of the choice.

Mean and deviation of a team follow from the means and covariances of the assets, so the mean and the mean less some
deviations are exact: every team is looked at with every place of its boosts, 7.2 million of a full menu. Quantiles
and probabilities do not follow from them. There the teams are put in order as if their points were normal, the first
of them (and the first by the mean) are a shortlist, and what decides is what each of them scores in every draw. That
is exact on the shortlist. In 70 cases with heavy-tailed draws, small menus against all of their teams and full ones
against a shortlist of 200 000, a shortlist of 300 and of 10 000 held the best team every time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from scipy.special import ndtri

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.lineup import DRIVER, Lineup
from f1_pipeline.optimize.conflicts import explain
from f1_pipeline.optimize.enumeration import WIDEN, Halves, cheapest_cost, far_apart, halves_of, legal_pairs, sum_rows
from f1_pipeline.optimize.problem import POINTS_DECIMALS, LineupProblem, RankedLineup

SHORTLIST = 10_000
BY_MEAN_SHARE = 0.2
"""Part of the shortlist that is chosen by the mean alone."""

_EQUAL = 10.0**-POINTS_DECIMALS
_ROWS_AT_ONCE = 2_000
_TOTALS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Mean:
    """Mean points."""


@dataclass(frozen=True)
class MeanMinusDeviation:
    """Mean points less so many standard deviations; a weight below 0 seeks risk."""

    weight: float


@dataclass(frozen=True)
class Quantile:
    """Points that a share of the draws stays below, such as 0.1 for a bad weekend."""

    share: float

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise UsageError(f"Quantile: expected a share between 0 and 1, found {self.share}.")


@dataclass(frozen=True)
class AtLeast:
    """Probability of so many points or more."""

    points: float


@dataclass(frozen=True)
class Beats:
    """Probability of more points than a rival.

    Parameters
    ----------
    rival
        The rival's line-up, with his free boost.
    extra_boost
        Driver and multiplier of his second boost, if he plays that chip.
    transfer_points
        What his transfers cost, 0 or less.
    """

    rival: Lineup
    extra_boost: tuple[str, float] | None = None
    transfer_points: float = 0.0


Objective = Mean | MeanMinusDeviation | Quantile | AtLeast | Beats

EXACT = (Mean, MeanMinusDeviation)
"""Objectives that follow from the means and covariances of the assets."""


@dataclass(frozen=True)
class JudgedLineup:
    """A line-up chosen on draws, and what it scores over them.

    Parameters
    ----------
    ranked
        The line-up; its points are the mean over the draws, transfers included.
    objective
        Value of what it was chosen by.
    deviation_points, p10_points, p90_points
        Standard deviation and quantiles of its points over the draws.
    """

    ranked: RankedLineup
    objective: float
    deviation_points: float
    p10_points: float
    p90_points: float


def choose_lineups(
    problem: LineupProblem, draws: np.ndarray, objective: Objective, count: int = 1, shortlist: int = SHORTLIST
) -> list[JudgedLineup]:
    """Find the best teams by an objective.

    Parameters
    ----------
    problem
        The menu and the limits; its points are not used.
    draws
        Shape (draws, assets), points of every asset in the order of `asset_keys`.
    objective
        What to choose by.
    count
        Teams wanted, at least 1.
    shortlist
        Teams, each with its boosts, that quantiles and probabilities are counted for; at least `count`.

    Returns
    -------
    list of JudgedLineup
        Best first, ranked as by `best_lineups`; teams that are equal by the objective are ordered by their mean.

    Raises
    ------
    DataError
        The draws are not finite or not of that shape, or the rival holds an asset that is not on the menu.
    UsageError
        `count` is below 1, or the shortlist is shorter.
    SolverError
        No team keeps to the limits.
    """
    if count < 1 or shortlist < count:
        raise UsageError(
            f"Best line-ups: expected a count of at least 1 and at most the shortlist of {shortlist}, found {count}."
        )
    matrix = draw_matrix(problem, draws)
    rival = _rival_totals(objective, problem, matrix)
    halves, moments = halves_of(problem), _moments(problem, matrix, rival)
    # The places of the boosts are different choices of the same team.
    wanted = count * len(_placings(problem)) if isinstance(objective, EXACT) else shortlist
    while True:
        found = _first_by_moments(problem, halves, moments, objective, wanted)
        choices = _judged(problem, halves, matrix, rival, objective, found)
        places = far_apart(problem, halves, choices.drivers, choices.constructors, count)
        if places.size == count or wanted >= halves.driver_costs.size * halves.constructor_costs.size * len(
            _placings(problem)
        ):
            break
        wanted *= WIDEN
    best = choices.at(places)
    totals = _totals(problem, halves, matrix, best)
    expected = with_means(problem, matrix)
    positions = np.array(_placings(problem))[best.placings]
    return [
        judged_lineup(
            expected.ranked_with_boosts(
                place + 1,
                halves.driver_rows[:, best.drivers[place]],
                halves.constructor_rows[:, best.constructors[place]],
                halves.driver_rows[positions[place], best.drivers[place]],
            ),
            best.scores[place],
            totals[place],
        )
        for place in range(places.size)
    ]


def with_means(problem: LineupProblem, matrix: np.ndarray) -> LineupProblem:
    """Put the means of draws on the menu.

    Parameters
    ----------
    problem
        The menu.
    matrix
        The draws, from `draw_matrix`.

    Returns
    -------
    LineupProblem
        The same menu and limits, expected points in place of its own.
    """
    means = matrix.mean(axis=0)
    drivers, assets = len(problem.driver_ids), len(problem.asset_keys)
    return replace(
        problem,
        driver_points=means[:drivers],
        constructor_points=means[drivers:assets],
        driver_boost_points=means[assets:],
    )


def draw_matrix(problem: LineupProblem, draws: np.ndarray) -> np.ndarray:
    """Check joint draws, and add what a boost multiplies.

    Parameters
    ----------
    problem
        The menu; a boost multiplies nothing of the drivers `only_if_held`.
    draws
        Shape (draws, assets), points of every asset in the order of `asset_keys`.

    Returns
    -------
    numpy.ndarray
        Shape (draws, drivers + constructors + drivers): points of the assets, then what a boost multiplies.

    Raises
    ------
    DataError
        The draws are not finite or not of that shape.
    """
    draws = np.asarray(draws, dtype=np.float64)
    assets, drivers = len(problem.asset_keys), len(problem.driver_ids)
    if draws.ndim != 2 or not len(draws) or draws.shape[1] != assets:
        raise DataError(f"{problem.title}: expected draws of {assets} assets, one per column, found {draws.shape}.")
    if not np.isfinite(draws).all():
        raise DataError(
            f"{problem.title}: expected finite draws, found {np.count_nonzero(~np.isfinite(draws))} others."
        )
    idle = problem.mask(problem.only_if_held)[:drivers]
    return np.hstack([draws, np.where(idle, 0.0, draws[:, :drivers])])


@dataclass(frozen=True, eq=False)
class _Choices:
    """Teams with the places of their boosts: rows of the halves, and of the list of placings."""

    drivers: np.ndarray
    constructors: np.ndarray
    placings: np.ndarray
    scores: np.ndarray

    @classmethod
    def joined(cls, parts: Iterable["_Choices"]) -> "_Choices":
        columns = zip(*((part.drivers, part.constructors, part.placings, part.scores) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def at(self, places: np.ndarray) -> "_Choices":
        return _Choices(self.drivers[places], self.constructors[places], self.placings[places], self.scores[places])

    def best(self, count: int) -> "_Choices":
        """Keep so many, and those that are as good as the last of them."""
        if self.scores.size <= count:
            return self
        last = np.partition(self.scores, -count)[-count]
        return self.at(np.flatnonzero(self.scores >= last - _EQUAL))


def _placings(problem: LineupProblem) -> list[tuple[int, ...]]:
    """List the ways to put the boosts, in their order, on drivers of a half."""
    return list(permutations(range(problem.rules.driver_count), len(problem.boosts)))


def _rival_totals(objective: Objective, problem: LineupProblem, matrix: np.ndarray) -> np.ndarray:
    """Return what a team is compared with in each draw: the rival's points, or nothing."""
    if not isinstance(objective, Beats):
        return np.zeros(len(matrix))
    boosts = [(objective.rival.boosted_driver, problem.rules.boost_multiplier)]
    boosts += [] if objective.extra_boost is None else [objective.extra_boost]
    place = {key: row for row, key in enumerate(problem.asset_keys)}
    weights = np.zeros(matrix.shape[1])
    for key in objective.rival.asset_keys:
        if key not in place:
            raise DataError(f"{problem.title}: expected the rival's assets on the menu, found {key[0]} {key[1]!r}.")
        weights[place[key]] += 1
    for driver, multiplier in boosts:
        if driver not in objective.rival.drivers:
            raise DataError(f"{problem.title}: expected the rival to boost a driver he holds, found {driver!r}.")
        weights[len(place) + place[DRIVER, driver]] += multiplier - 1
    return matrix @ weights + objective.transfer_points


def _by_moments(objective: Objective, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Judge teams by mean and deviation alone: exactly, or as if their points were normal."""
    match objective:
        case Mean():
            return mean
        case MeanMinusDeviation(weight):
            return mean - weight * deviation
        case Quantile(share):
            return mean + ndtri(share) * deviation
        case AtLeast(points):
            return (mean - points) / np.maximum(deviation, _EQUAL)
        case Beats():
            return mean / np.maximum(deviation, _EQUAL)


def _by_draws(objective: Objective, totals: np.ndarray) -> np.ndarray:
    """Judge teams by what they score in each draw, shape (teams, draws), less what a rival scores."""
    match objective:
        case Mean():
            return totals.mean(axis=1)
        case MeanMinusDeviation(weight):
            return totals.mean(axis=1) - weight * totals.std(axis=1)
        case Quantile(share):
            return np.quantile(totals, share, axis=1)
        case AtLeast(points):
            return (totals >= points - _EQUAL).mean(axis=1)
        case Beats():
            return (totals > _EQUAL).mean(axis=1)


@dataclass(frozen=True, eq=False)
class _Moments:
    """Means and covariances of drivers (d), constructors (c) and what a boost multiplies (b)."""

    means: tuple[np.ndarray, np.ndarray, np.ndarray]
    dd: np.ndarray
    cc: np.ndarray
    bb: np.ndarray
    dc: np.ndarray
    db: np.ndarray
    bc: np.ndarray


def _moments(problem: LineupProblem, matrix: np.ndarray, rival: np.ndarray) -> _Moments:
    drivers, assets = len(problem.driver_ids), len(problem.asset_keys)
    d, c, b = slice(0, drivers), slice(drivers, assets), slice(assets, None)
    # Every team has as many drivers: what is taken from each is the rival once, with all its covariances.
    less = matrix.copy()
    less[:, d] -= rival[:, None] / problem.rules.driver_count
    mean = less.mean(axis=0)
    centred = less - mean
    covariance = centred.T @ centred / len(less)
    return _Moments(
        means=(mean[d], mean[c], mean[b]),
        dd=covariance[d, d],
        cc=covariance[c, c],
        bb=covariance[b, b],
        dc=covariance[d, c],
        db=covariance[d, b],
        bc=covariance[b, c],
    )


def _first_by_moments(
    problem: LineupProblem, halves: Halves, moments: _Moments, objective: Objective, wanted: int
) -> _Choices:
    """Find the choices that are best by mean and deviation, and for a shortlist some that are best by mean alone."""
    by_mean = 0 if isinstance(objective, EXACT) else int(wanted * BY_MEAN_SHARE)
    pools = [(objective, wanted - by_mean), *([(Mean(), by_mean)] if by_mean else [])]
    found: list[list[_Choices]] = [[] for _ in pools]
    for drivers, placing, mean, variance, is_legal in _all_moments(problem, halves, moments):
        deviation = np.sqrt(np.maximum(variance, 0.0))
        for pool, (by, size) in zip(found, pools, strict=True):
            scores = _by_moments(by, mean, deviation)
            worst = pool[0].scores.min() if pool and pool[0].scores.size >= size else -np.inf
            rows, columns = np.nonzero(is_legal & (scores >= worst))
            if not rows.size:
                continue
            new = _Choices(drivers[rows], columns, np.full(rows.size, placing), scores[rows, columns])
            pool[:] = [_Choices.joined([*pool, new]).best(size)]
    parts = [choices for pool in found for choices in pool]
    if not parts:
        raise explain(problem, cheapest_cost)
    joined = _Choices.joined(parts)
    keys = np.stack([joined.drivers, joined.constructors, joined.placings])
    return joined.at(np.unique(keys, axis=1, return_index=True)[1])


def _all_moments(
    problem: LineupProblem, halves: Halves, moments: _Moments
) -> Iterator[tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray]]:
    """Go through all teams and places of boosts, a block of driver halves by all constructor halves at a time.

    Each block is the driver halves, the place of the boosts, means, variances and whether the teams are legal.
    """
    constructors = halves.constructor_rows
    c_mean = sum_rows(moments.means[1], constructors)
    c_variance = sum(moments.cc[one, other] for one in constructors for other in constructors)
    dc, bc = (sum_rows(cross.T, constructors).T for cross in (moments.dc, moments.bc))
    affordable = np.flatnonzero(
        halves.driver_costs + halves.constructor_costs.min(initial=np.iinfo(np.int64).max // 2)
        <= problem.rules.budget_tenths
    )
    for start in range(0, affordable.size, _ROWS_AT_ONCE):
        block = affordable[start : start + _ROWS_AT_ONCE]
        drivers = halves.driver_rows[:, block]
        transfers = halves.transfer_points[halves.driver_kept[block]][:, halves.constructor_kept]
        mean = sum_rows(moments.means[0], drivers)[:, None] + c_mean + transfers
        of_half = sum_rows(moments.db, drivers)  # covariance of the half with what each boost multiplies
        own = sum(moments.dd[one, other] for one in drivers for other in drivers)
        variance = own[:, None] + c_variance + 2 * sum_rows(dc, drivers)
        is_legal = legal_pairs(problem, halves, block)
        for placing, places in enumerate(_placings(problem)):
            boosts = [(multiplier - 1, drivers[at]) for multiplier, at in zip(problem.boosts, places, strict=True)]
            more_mean, more_variance = np.zeros(block.size), np.zeros(block.size)
            more_covariance = np.zeros((block.size, constructors.shape[1]))
            for weight, rows in boosts:
                more_mean += weight * moments.means[2][rows]
                more_variance += 2 * weight * of_half[np.arange(block.size), rows]
                more_variance += sum(weight * other * moments.bb[rows, there] for other, there in boosts)
                more_covariance += 2 * weight * bc[rows]
            more_covariance += variance
            yield block, placing, mean + more_mean[:, None], more_covariance + more_variance[:, None], is_legal


def _judged(
    problem: LineupProblem,
    halves: Halves,
    matrix: np.ndarray,
    rival: np.ndarray,
    objective: Objective,
    choices: _Choices,
) -> _Choices:
    """Judge choices by every draw and put them in order, best first."""
    at_once = max(1, _TOTALS_AT_ONCE // len(matrix))
    scores, means = [], []
    for start in range(0, choices.scores.size, at_once):
        totals = _totals(
            problem, halves, matrix, choices.at(np.arange(start, min(start + at_once, choices.scores.size)))
        )
        means.append(totals.mean(axis=1))
        scores.append(_by_draws(objective, totals - rival))
    score, mean = (np.round(np.concatenate(values), POINTS_DECIMALS) for values in (scores, means))
    costs = halves.driver_costs[choices.drivers] + halves.constructor_costs[choices.constructors]
    order = np.lexsort((choices.placings, choices.constructors, choices.drivers, costs, -mean, -score))
    return replace(choices, scores=score).at(order)


def _totals(problem: LineupProblem, halves: Halves, matrix: np.ndarray, choices: _Choices) -> np.ndarray:
    """Return what choices score in each draw, transfers included, shape (choices, draws)."""
    drivers = halves.driver_rows[:, choices.drivers]
    constructors = halves.constructor_rows[:, choices.constructors] + len(problem.driver_ids)
    weights = np.zeros((choices.scores.size, matrix.shape[1]))
    places = np.arange(choices.scores.size)
    weights[places, drivers] = 1
    weights[places, constructors] = 1
    positions = np.array(_placings(problem))[choices.placings].T
    for multiplier, position in zip(problem.boosts, positions, strict=True):
        weights[places, len(problem.asset_keys) + drivers[position, places]] = multiplier - 1
    transfers = halves.transfer_points[
        halves.driver_kept[choices.drivers], halves.constructor_kept[choices.constructors]
    ]
    return weights @ matrix.T + transfers[:, None]


def judged_lineup(ranked: RankedLineup, objective: float, totals: np.ndarray) -> JudgedLineup:
    """Describe a team by what it scores in every draw.

    Parameters
    ----------
    ranked
        The team.
    objective
        Value of what it was chosen by.
    totals
        Shape (draws,), its points, transfers included.

    Returns
    -------
    JudgedLineup
        The team and its figures.
    """
    low, high = np.quantile(totals, [0.1, 0.9])
    return JudgedLineup(
        replace(ranked, points=round(float(totals.mean()), POINTS_DECIMALS)),
        objective=float(objective),
        deviation_points=float(totals.std()),
        p10_points=float(low),
        p90_points=float(high),
    )
