"""Random draws for many weekends at once: normal, rare and Poisson ones, ranks, and one car out of all.

Belongs here: what knows of no Formula 1, on arrays of cars by weekends. What is drawn from what is
:mod:`f1_pipeline.forecast.simulation`.

Arrays are of shape (m, n), m cars by n weekends, as the engine adds up whole columns of cars; yet random numbers are
taken weekend by weekend from one stream for each purpose. So the first weekends stay the same however many follow and
however many are drawn at a time, and one session's draws do not move another's.
"""

from collections.abc import Sequence
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import DataError

Generator = np.random.Generator
Single = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.int8]
Counts = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Cells = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

# The engine holds counts in int8; the most passes of a driver in a race on record are 20.
MOST_COUNTED = 60
# Poisson quantiles are looked up by mean and by probability. A mean is rounded at random to one of the two steps around
# it, which keeps it on average, adds at most 1 / 256 to the variance and shifts no probability by more than 0.002; the
# steps of probability shift none by more than 0.0005.
_MEAN_STEPS = 8
_LARGEST_MEAN = 64
_PROBABILITIES = 2048
# An eigenvalue this small beside the largest is rounding, of either sign.
_ROUNDING = 1e-6


def streams(seed: Sequence[int] | int, names: Sequence[str]) -> dict[str, Generator]:
    """Make one independent stream of random numbers for each purpose.

    Parameters
    ----------
    seed : int or sequence of int
        Not negative.
    names : sequence of str
        Purposes; adding one at the end leaves the others' numbers as they are.

    Returns
    -------
    dict of str to numpy.random.Generator
    """
    # SFC64 is the fastest of numpy's: normal numbers take a tenth less time than with PCG64DXSM.
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: Generator(np.random.SFC64(child)) for name, child in zip(names, children, strict=True)}


def normals(generator: Generator, cars: int, count: int) -> Single:
    """Draw standard normal numbers of shape (cars, count)."""
    return np.ascontiguousarray(generator.standard_normal((count, cars), dtype=np.float32).T)


def uniforms(generator: Generator, cars: int, count: int) -> Single:
    """Draw numbers from 0 up to 1 of shape (cars, count)."""
    return np.ascontiguousarray(generator.random((count, cars), dtype=np.float32).T)


def rare(generator: Generator, rate: float, cars: int, count: int) -> tuple[Cells, Single]:
    """Draw to which cars something rare happens.

    Parameters
    ----------
    generator : numpy.random.Generator
    rate : float
        Probability for each car in each weekend.
    cars, count : int
        m and n.

    Returns
    -------
    (cars, weekends) : tuple of ndarray of int
        Indices, together those of cells of an array of shape (m, n).
    uniform : ndarray of float32
        For each a number from 0 up to the rate, to draw what exactly happens.
    """
    # reading a few cells in place of all spares turning the array over
    drawn = generator.random(count * cars, dtype=np.float32)
    cells = np.flatnonzero(drawn < rate)
    weekends, which = np.divmod(cells, cars)
    return (which, weekends), drawn[cells]


def correlated(generator: Generator, root: Doubles, mean: Doubles, count: int) -> Single:
    """Draw jointly normal numbers.

    Parameters
    ----------
    generator : numpy.random.Generator
    root : ndarray of float64, shape (k, k)
        See :func:`square_root`.
    mean : ndarray of float64, shape (k,)
    count : int
        n.

    Returns
    -------
    ndarray of float32, shape (k, n)
    """
    standard = generator.standard_normal((count, len(mean)), dtype=np.float32)
    # BLAS rounds a column differently beside more or fewer others; in double precision that is far below what is kept
    drawn = root @ standard.astype(np.float64).T
    drawn += mean[:, None]
    return drawn.astype(np.float32)


def square_root(covariance: npt.NDArray[np.floating]) -> Doubles:
    """Return the symmetric square root of a covariance that may be singular.

    Unlike a Cholesky factor it exists without jitter and moves little when the covariance does.

    Parameters
    ----------
    covariance : ndarray of float, shape (k, k)

    Returns
    -------
    ndarray of float64, shape (k, k)

    Raises
    ------
    DataError
        It is not symmetric, or an eigenvalue is negative by more than rounding.
    """
    values, vectors = np.linalg.eigh(covariance)
    slack = _ROUNDING * max(float(np.abs(values).max(initial=0)), np.finfo(float).tiny)
    if not np.allclose(covariance, covariance.T, rtol=0, atol=slack):
        raise DataError("Outlook: expected a symmetric strength_covariance, found another.")
    if values.min(initial=0) < -slack:
        raise DataError(
            f"Outlook: expected strength_covariance without negative eigenvalues, found {values.min():.3g}."
        )
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def normal_scores(cars: int) -> Single:
    """Return the normal score of each place: shape (cars + 1,), place 0 has none and counts as 0."""
    return np.array(
        [0, *(NormalDist().inv_cdf(1 - (place - 0.5) / cars) for place in range(1, cars + 1))], dtype=np.float32
    )


def places(score: npt.NDArray[np.floating]) -> Places:
    """Rank the cars of each weekend.

    Parameters
    ----------
    score : ndarray of float, shape (m, n)
        Higher is better; of equal cars the one in the first row is ahead.

    Returns
    -------
    ndarray of int8, shape (m, n)
        From 1.
    """
    # Every pair of cars is compared, whole rows at once: 0.1 us a weekend of 22 cars, argsort twice 0.4 us.
    cars = len(score)
    place = np.empty(score.shape, dtype=np.int8)
    place[:] = np.arange(cars, 0, -1, dtype=np.int8)[:, None]
    is_ahead = np.empty(score.shape, dtype=np.bool_)
    for car in range(cars - 1):
        later = slice(car + 1, None)
        wins = np.greater_equal(score[car], score[later], out=is_ahead[later]).view(np.int8)
        place[later] += wins
        place[car] -= np.add.reduce(wins, axis=0, dtype=np.int8)
    return place


def one_each(weight: Single, uniform: Single) -> Flags:
    """Draw one car of each weekend.

    Parameters
    ----------
    weight : ndarray of float32, shape (m, n)
        Relative chances; overwritten.
    uniform : ndarray of float32, shape (n,)
        From 0 up to 1.

    Returns
    -------
    ndarray of bool, shape (m, n)
        True once in each weekend, never where all chances are 0.
    """
    # row by row: numpy's cumsum along the first axis takes 0.26 us a weekend of 22 cars, this 0.02
    for car in range(1, len(weight)):
        weight[car] += weight[car - 1]
    is_reached = weight > uniform * weight[-1]
    is_drawn = is_reached.copy()
    is_drawn[1:] ^= is_reached[:-1]
    return is_drawn


def poisson_counts(mean: Single, uniform: Single) -> Counts:
    """Draw Poisson numbers by looking their quantiles up, capped at 60.

    Parameters
    ----------
    mean : ndarray of float32, shape (m, n)
        Not negative; beyond 64 it counts as 64.
    uniform : ndarray of float32, shape (m, n)
        From 0 up to 1. Its first 11 bits are the probability, the other 13 round the mean.

    Returns
    -------
    ndarray of uint8, shape (m, n)
    """
    # numpy's generator.poisson takes 1 us for 22 cars, this 0.1
    scaled = uniform * np.float32(_PROBABILITIES)
    column = scaled.astype(np.int32)
    scaled -= column
    scaled += mean * np.float32(_MEAN_STEPS)
    row = np.minimum(scaled, np.float32(_LARGEST_MEAN * _MEAN_STEPS)).astype(np.int32)
    row *= _PROBABILITIES
    row += column
    return np.take(_poisson_quantiles(), row, mode="clip")


@cache
def _poisson_quantiles() -> Counts:
    """Return quantiles of Poisson distributions, mean after mean, at the middle of each step of probability."""
    means = np.arange(_LARGEST_MEAN * _MEAN_STEPS + 1) / _MEAN_STEPS
    middles = (np.arange(_PROBABILITIES) + 0.5) / _PROBABILITIES
    chance = np.exp(-means)
    up_to = chance.copy()
    quantiles = np.zeros((len(means), _PROBABILITIES), dtype=np.uint8)
    for number in range(1, MOST_COUNTED + 1):
        quantiles += middles > up_to[:, None]
        chance = chance * means / number
        up_to += chance
    return quantiles.ravel()
