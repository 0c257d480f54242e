"""Bring an illegal decision to a legal one near it.

Belongs here: what the environment does with a decision that breaks a rule, when it is told to project. What is legal
is :func:`f1_pipeline.game.team_arrays.find_faults`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.team_arrays import (
    LIMITLESS,
    NONE,
    Choices,
    Floats,
    Ints,
    Mask,
    RaceSheet,
    TeamArrays,
    find_faults,
    playable_chips,
)
from f1_pipeline.rl.seasons import IS_DRIVER

_LAST_OF_LINEUPS = 4
"""Faults beyond this number leave the line-up legal."""


def project(teams: TeamArrays, choices: Choices, sheet: RaceSheet, expected: Floats, rules: SeasonRules) -> Choices:
    """Make each decision legal.

    Parameters
    ----------
    teams : TeamArrays
    choices : Choices
        Of any kind, within the action space.
    sheet : RaceSheet
    expected : numpy.ndarray of float, shape (N, SLOTS)
        Points expected at the lock, which rank the assets wanted.
    rules : SeasonRules

    Returns
    -------
    Choices
        A chip that may not be played is not. A line-up that is legal stays; else the team keeps what it holds but for
        the assets wanted, best expected first: each takes the place of the dearest one that is not wanted, if the money
        allows. A boost on nobody goes to the best expected driver, an extra boost to the second.
    """
    rows = np.arange(len(choices.chip))
    chip = np.where(playable_chips(teams, rules)[rows, choices.chip], choices.chip, NONE)
    faults = find_faults(teams, replace(choices, chip=chip), sheet, IS_DRIVER, rules)
    is_kept = (faults == 0) | (faults > _LAST_OF_LINEUPS)
    swapped = _swapped(teams, choices.wanted, chip == LIMITLESS, sheet, expected)
    wanted = np.where(is_kept[:, np.newaxis], choices.wanted, swapped)
    open_to_boost = wanted & IS_DRIVER
    if rules.boost.price_below_tenths:
        open_to_boost &= sheet.prices < rules.boost.price_below_tenths
    boosted = _kept_or_best(choices.boosted, open_to_boost, expected)
    second = wanted & IS_DRIVER
    second[rows, boosted] = False
    extra = _kept_or_best(choices.extra_boosted, second, expected)
    return replace(choices, wanted=wanted, boosted=boosted, extra_boosted=extra, chip=chip)


def _swapped(teams: TeamArrays, wanted: Mask, is_free: Mask, sheet: RaceSheet, expected: Floats) -> Mask:
    """Swap in what is wanted and can be paid, one asset after the other."""
    rows = np.arange(len(wanted))
    held, money = teams.held.copy(), teams.bank_tenths.copy()
    wanted = wanted & (sheet.is_active | held)
    asked = wanted & ~held
    while asked.any():
        into = np.where(asked, expected, -np.inf).argmax(axis=1)
        asked_now = asked[rows, into]
        asked[rows, into] = False
        same_kind = held & ~wanted & (IS_DRIVER[into][:, np.newaxis] == IS_DRIVER)
        out = np.where(same_kind, sheet.prices, -1).argmax(axis=1)
        left = money + sheet.prices[rows, out] - sheet.prices[rows, into]
        swaps = asked_now & same_kind[rows, out] & ((left >= 0) | is_free)
        held[rows[swaps], out[swaps]] = False
        held[rows[swaps], into[swaps]] = True
        money = np.where(swaps, left, money)
    return held


def _kept_or_best(number: Ints, allowed: Mask, expected: Floats) -> Ints:
    best = np.where(allowed, expected, -np.inf).argmax(axis=1)
    return np.where(allowed[np.arange(len(number)), number], number, best)
