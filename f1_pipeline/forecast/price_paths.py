"""Carry prices over coming races, draw by draw: from today's by simulated points.

Belongs here: which points a price looks at while races go by. How one race moves prices is
:mod:`f1_pipeline.game.prices`; points come from :mod:`f1_pipeline.forecast.later_races`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from f1_pipeline.game.prices import Floats, Ints, PricedAssets, next_prices
from f1_pipeline.game.rules import PointsPerMillionRules, PriceRules


def price_paths(assets: PricedAssets, points: Iterable[Floats], rules: Sequence[PriceRules]) -> Iterator[Ints]:
    """Price the assets after each of some races.

    Parameters
    ----------
    assets : PricedAssets
        The assets at the lock of the first race, prices of shape (assets,).
    points : iterable of ndarray of float, shape (n, assets)
        Points of one race after the other in n draws, NaN for an asset that takes no part.
    rules : sequence of PriceRules
        In force after each of the races.

    Yields
    ------
    ndarray of int, shape (n, assets)
        Tenths of a million dollars after each race; the next points are asked for when the next prices are.
    """
    width = max((each.race_count - 1 for each in rules if isinstance(each, PointsPerMillionRules)), default=0)
    latest = _latest(assets.earlier_points, width)
    prices = assets.prices
    for scored, in_force in zip(points, rules, strict=True):
        latest = np.broadcast_to(latest, (*scored.shape, width))
        prices = next_prices(PricedAssets(prices, assets.is_constructor, latest), scored, in_force)
        moved = np.concatenate([latest, scored[..., np.newaxis]], axis=-1)[..., 1:]
        latest = np.where(np.isnan(scored)[..., np.newaxis], latest, moved) if width else latest
        yield prices


def _latest(points: Floats, width: int) -> Floats:
    """Keep the latest races in which each asset took part, NaN where there are fewer: shape (assets, width)."""
    kept = np.full((len(points), width), np.nan)
    for own, row in zip(kept, points, strict=True):
        raced = row[~np.isnan(row)][-width:] if width else row[:0]
        own[width - len(raced) :] = raced
    return kept
