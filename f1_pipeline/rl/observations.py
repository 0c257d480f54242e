"""What an agent sees before a race: spaces with names, units and bounds, and how they are filled.

Belongs here: the observation and action spaces of one environment. Neighbours: :mod:`f1_pipeline.rl.vector_env` plays,
:mod:`f1_pipeline.rl.seasons` has the features of assets.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from f1_pipeline.game.team_arrays import CHIPS, RaceSheet, TeamArrays, budget_tenths, playable_chips, total
from f1_pipeline.rl.seasons import (
    CIRCUIT_TYPES,
    CONSTRUCTOR_SLOTS,
    DRIVER_SLOTS,
    FEATURES,
    IS_DRIVER,
    SLOTS,
    Floats,
    Mask,
    SeasonFrame,
)

_FEATURE_BOUNDS = {
    "is_on_sale": (0, 1),
    "price_musd": (0, 60),
    "expected_points": (-100, 200),
    "expected_sd_points": (0, 100),
    "expected_price_change_musd": (-5, 5),
    "last_3_mean_points": (-100, 200),
    "last_5_mean_points": (-100, 200),
    "last_10_stddev_points": (0, 150),
    "last_5_points_per_million": (-30, 60),
    "trend_points_per_million": (-30, 30),
    "constructor_last_5_mean_points": (-100, 200),
    "circuit_mean_points": (-100, 200),
}
CONTEXT = {
    "season_progress_share": (0, 1),
    "races_left_count": (0, 30),
    "has_sprint": (0, 1),
    **{f"is_{kind}_circuit": (0, 1) for kind in CIRCUIT_TYPES},
}
"""What is known of the race, with its bounds; the races left include this one."""
PORTFOLIO = {
    "bank_musd": (0, 400),
    "budget_musd": (0, 400),
    "driver_budget_share": (0, 1),
    "dearest_asset_budget_share": (0, 1),
    "constructor_diversity_share": (0, 1),
    "free_transfers_count": (0, 10),
}
"""What is known of the team, with its bounds: its diversity is the number of constructors that its assets belong to per
asset."""


def observation_space() -> spaces.Dict:
    """Describe what an agent sees.

    Returns
    -------
    gymnasium.spaces.Dict
        ``assets`` (SLOTS, FEATURES), ``held`` and ``boosted`` (SLOTS,), ``context`` and ``portfolio`` by name,
        ``chips`` (6,): those that may be played now; ``chips_left`` (6,): those not played yet.
    """
    low, high = (np.array([_FEATURE_BOUNDS[name][side] for name in FEATURES], dtype=np.float32) for side in (0, 1))
    return spaces.Dict(
        {
            "assets": spaces.Box(np.tile(low, (SLOTS, 1)), np.tile(high, (SLOTS, 1)), dtype=np.float32),
            "held": spaces.MultiBinary(SLOTS),
            "boosted": spaces.MultiBinary(SLOTS),
            "context": _box(CONTEXT),
            "portfolio": _box(PORTFOLIO),
            "chips": spaces.MultiBinary(len(CHIPS) - 1),
            "chips_left": spaces.MultiBinary(len(CHIPS) - 1),
        }
    )


def action_space() -> spaces.Dict:
    """Describe a decision: a pick per asset, two boosts, a chip.

    Returns
    -------
    gymnasium.spaces.Dict
        ``pick`` (SLOTS,), ``boost`` and ``extra_boost`` the slot of a driver, ``chip`` a number in
        :data:`f1_pipeline.game.team_arrays.CHIPS`. The extra boost is looked at with its chip alone.
    """
    return spaces.Dict(
        {
            "pick": spaces.MultiBinary(SLOTS),
            "boost": spaces.Discrete(DRIVER_SLOTS),
            "extra_boost": spaces.Discrete(DRIVER_SLOTS),
            "chip": spaces.Discrete(len(CHIPS)),
        }
    )


def bounded(features: Floats) -> Floats:
    """Cut features of assets to the bounds of their space, in place."""
    space = observation_space()["assets"]
    assert isinstance(space, spaces.Box)
    return np.clip(features, space.low, space.high, out=features)


def context_of(frame: SeasonFrame, race: int) -> Floats:
    """Say what is known of a race, after the last one of that: shape (CONTEXT,)."""
    count, last = frame.calendar_count, min(race, frame.race_count - 1)
    kinds = [float(frame.circuit_types[last] == kind) for kind in CIRCUIT_TYPES]
    progress = min(race / max(count - 1, 1), 1.0)
    return np.array([progress, count - race, float(frame.has_sprint[last]), *kinds], dtype=np.float32)


def portfolio_of(teams: TeamArrays, sheet: RaceSheet, frame: SeasonFrame) -> Floats:
    """Say what is known of teams: shape (N, PORTFOLIO)."""
    prices = sheet.prices * teams.held
    budget = budget_tenths(teams, sheet.prices)
    belongs = np.zeros((SLOTS, CONSTRUCTOR_SLOTS), dtype=np.float32)
    own = np.flatnonzero(frame.team_of >= 0)
    belongs[own, frame.team_of[own] - DRIVER_SLOTS] = 1
    size = frame.rules.team.driver_count + frame.rules.team.constructor_count
    columns = (
        teams.bank_tenths / 10,
        budget / 10,
        total(np.broadcast_to(IS_DRIVER, prices.shape), prices) / budget,
        prices.max(axis=1) / budget,
        ((teams.held.astype(np.float32) @ belongs) > 0).sum(axis=1) / size,
        teams.free_transfers,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def legal_assets(teams: TeamArrays, sheet: RaceSheet, frame: SeasonFrame) -> Mask:
    """Say which assets some legal decision of each team holds.

    Parameters
    ----------
    teams : TeamArrays
    sheet : RaceSheet
    frame : SeasonFrame

    Returns
    -------
    numpy.ndarray of bool, shape (N, SLOTS)
        Those that take part or are held, if the cheapest others beside them fit the budget; with Limitless at hand all.
    """
    rules = frame.rules
    usable = sheet.is_active | teams.held
    cost = np.where(usable, sheet.prices, np.iinfo(np.int32).max // 16)
    cheapest = np.zeros(usable.shape, dtype=np.int64)
    for kind, size in ((IS_DRIVER, rules.team.driver_count), (~IS_DRIVER, rules.team.constructor_count)):
        ranked = np.sort(cost[:, kind], axis=1)
        least, last = ranked[:, :size].sum(axis=1), ranked[:, size - 1]
        # An asset among the cheapest costs nothing more; another takes the place of the dearest of them.
        cheapest[:, kind] += np.maximum(cost[:, kind] - last[:, np.newaxis], 0)
        cheapest += least[:, np.newaxis]
    budget = budget_tenths(teams, sheet.prices)
    is_free = playable_chips(teams, rules)[:, CHIPS.index("limitless")]
    return usable & ((cheapest <= budget[:, np.newaxis]) | is_free[:, np.newaxis])


def _box(bounds: dict[str, tuple[int, int]]) -> spaces.Box:
    low, high = (np.array([bound[side] for bound in bounds.values()], dtype=np.float32) for side in (0, 1))
    return spaces.Box(low, high, dtype=np.float32)
