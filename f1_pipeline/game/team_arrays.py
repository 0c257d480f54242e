"""Many teams at once: the rules of :mod:`f1_pipeline.game.team` and :mod:`f1_pipeline.game.settlement` on arrays.

N teams of one season, A assets, each team at a race of its own. Belongs here: what the game does to thousands of teams
in one call, for searches and for learning. One team, with its reasons in words, is :class:`f1_pipeline.game.team.Team`;
both give the same points, money, transfers and chips, decision by decision, which
``f1_pipeline_tests/unit/test_team_arrays.py`` holds them to. Nothing is changed in place.

Each change of a line-up is one transfer: swaps that lead back are not made here, so rules that count swaps and rules
that count net changes are one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from f1_pipeline.errors import RuleError
from f1_pipeline.game.rules import SeasonRules

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

CHIPS = ("none", "autopilot", "extra_boost", "no_negative", "wildcard", "limitless", "final_fix")
"""Chips by number; 0 plays none."""

NONE, AUTOPILOT, EXTRA_BOOST, NO_NEGATIVE, WILDCARD, LIMITLESS, FINAL_FIX = range(len(CHIPS))

FAULTS = (
    "",
    "expected the team's number of drivers, each once",
    "expected the team's number of constructors, each once",
    "expected assets that take part, or that are held already",
    "expected a line-up within the budget",
    "expected the boost on a driver of the line-up below the boost's price limit",
    "expected a chip that is left and may be played at this race",
    "expected the extra boost on a second driver of the line-up",
)
"""What is wrong with a decision, by number; 0 is nothing."""


@dataclass(frozen=True)
class TeamArrays:
    """N teams between two races.

    Parameters
    ----------
    held : numpy.ndarray of bool, shape (N, A)
        The line-up at the last lock.
    boosted : numpy.ndarray of int, shape (N,)
        Number of the driver who had the boost.
    bank_tenths : numpy.ndarray of int, shape (N,)
        Money that is not in assets, tenths of a million dollars.
    free_transfers : numpy.ndarray of int, shape (N,)
        Free transfers at the next race.
    chips_left : numpy.ndarray of bool, shape (N, 7)
        Which of `CHIPS` can still be played; playing none always can.
    races_played : numpy.ndarray of int, shape (N,)
        Races locked so far; at the first one transfers are not counted.
    """

    held: Mask
    boosted: Ints
    bank_tenths: Ints
    free_transfers: Ints
    chips_left: Mask
    races_played: Ints

    @classmethod
    def start(cls, held: Mask, boosted: Ints, prices: Ints, rules: SeasonRules) -> TeamArrays:
        """Found teams with the starting budget; what they hold can change freely until the first lock.

        Parameters
        ----------
        held, boosted
            As the attributes.
        prices : numpy.ndarray of int, shape (N, A)
            Tenths of a million dollars.
        rules : SeasonRules
            One use of each chip per season, as since 2022.

        Returns
        -------
        TeamArrays

        Raises
        ------
        RuleError
            The season plays its chips more than once, which a mask cannot say.
        """
        if rules.chips.uses_per_season != 1:
            raise RuleError(f"{rules.season}: expected one use of each chip, found {rules.chips.uses_per_season}.")
        count = len(held)
        return cls(
            held=held,
            boosted=boosted,
            bank_tenths=rules.team.budget_tenths - total(held, prices),
            free_transfers=np.full(count, rules.transfers.free_per_race),
            chips_left=np.ones((count, len(CHIPS)), dtype=bool),
            races_played=np.zeros(count, dtype=np.int64),
        )

    def rows(self, chosen: Mask | Ints) -> TeamArrays:
        """Select some of the teams."""
        return TeamArrays(**{name: values[chosen] for name, values in vars(self).items()})

    def where(self, chosen: Mask, other: TeamArrays) -> TeamArrays:
        """Take the chosen teams from here and the rest from another, row by row."""
        mine, theirs = vars(self), vars(other)
        pick = {name: chosen.reshape(-1, *[1] * (values.ndim - 1)) for name, values in mine.items()}
        return TeamArrays(**{name: np.where(pick[name], mine[name], theirs[name]) for name in mine})


@dataclass(frozen=True)
class RaceSheet:
    """The race of each team: what is on sale at its lock, and what came of it.

    Parameters
    ----------
    prices : numpy.ndarray of int, shape (N, A)
        Tenths of a million dollars at the lock; of an asset that left the sale its last, 0 of one never on sale.
    is_active : numpy.ndarray of bool, shape (N, A)
        Who takes part.
    points, no_negative_points : numpy.ndarray of float, shape (N, A)
        Points of the weekend, and under No Negative; 0 for who takes no part.
    remaining_points : numpy.ndarray of float, shape (N, A)
        Points of the sessions after qualifying.
    inactive_points : numpy.ndarray of int, shape (N,)
        Penalty for each asset held that takes no part, 0 or less.
    """

    prices: Ints
    is_active: Mask
    points: Floats
    no_negative_points: Floats
    remaining_points: Floats
    inactive_points: Ints


@dataclass(frozen=True)
class Choices:
    """The decision of each team.

    Parameters
    ----------
    wanted : numpy.ndarray of bool, shape (N, A)
        The line-up to field.
    boosted, extra_boosted : numpy.ndarray of int, shape (N,)
        Numbers of drivers; the second is looked at with the chip alone.
    chip : numpy.ndarray of int, shape (N,)
        Number in `CHIPS`.
    outgoing, incoming : numpy.ndarray of int, shape (N,)
        The swap of Final Fix after qualifying, -1 for none; looked at with the chip alone.
    """

    wanted: Mask
    boosted: Ints
    extra_boosted: Ints
    chip: Ints
    outgoing: Ints
    incoming: Ints


@dataclass(frozen=True)
class Outcome:
    """What each team scored.

    Parameters
    ----------
    asset_points, transfer_points, inactive_points : numpy.ndarray of float, shape (N,)
        Points of the line-up with boosts and chip; penalties, 0 or less.
    transfer_count : numpy.ndarray of int, shape (N,)
        Transfers that counted against the free ones.
    budget_tenths : numpy.ndarray of int, shape (N,)
        Bank and value at the lock.
    """

    asset_points: Floats
    transfer_points: Floats
    inactive_points: Floats
    transfer_count: Ints
    budget_tenths: Ints

    @property
    def points(self) -> Floats:
        """Return the points of each team, shape (N,)."""
        return self.asset_points + self.transfer_points + self.inactive_points


def total(chosen: Mask, values: npt.NDArray) -> npt.NDArray:
    """Add up the values of the chosen assets of each team.

    Parameters
    ----------
    chosen : numpy.ndarray of bool, shape (N, A)
    values : numpy.ndarray, shape (N, A)

    Returns
    -------
    numpy.ndarray, shape (N,)
    """
    return np.einsum("na,na->n", chosen, values)


def budget_tenths(teams: TeamArrays, prices: Ints) -> Ints:
    """Return bank and value of each team at some prices, shape (N,)."""
    return teams.bank_tenths + total(teams.held, prices)


def playable_chips(teams: TeamArrays, rules: SeasonRules) -> Mask:
    """Say which chips each team may play at its next race.

    Parameters
    ----------
    teams : TeamArrays
    rules : SeasonRules

    Returns
    -------
    numpy.ndarray of bool, shape (N, 7)
    """
    first = np.array([1, *(getattr(rules.chips, name).from_race for name in CHIPS[1:])])
    return teams.chips_left & (teams.races_played[:, np.newaxis] + 1 >= first)


def find_faults(
    teams: TeamArrays, choices: Choices, sheet: RaceSheet, is_driver: Mask, rules: SeasonRules
) -> npt.NDArray[np.int8]:
    """Say what is wrong with each decision.

    Parameters
    ----------
    teams : TeamArrays
    choices : Choices
    sheet : RaceSheet
    is_driver : numpy.ndarray of bool, shape (A,)
    rules : SeasonRules

    Returns
    -------
    numpy.ndarray of int8, shape (N,)
        Number of the first of `FAULTS` that applies.
    """
    rows, wanted = np.arange(len(choices.chip)), choices.wanted
    count = wanted.sum(axis=1)
    drivers = wanted @ is_driver.astype(np.int64)
    is_bought_idle = (wanted & ~(sheet.is_active | teams.held)).any(axis=1)
    cost, budget = total(wanted, sheet.prices), budget_tenths(teams, sheet.prices)
    boosts = _boosted_rightly(choices.boosted, wanted, is_driver)
    if rules.boost.price_below_tenths:
        boosts &= sheet.prices[rows, choices.boosted] < rules.boost.price_below_tenths
    extra = _boosted_rightly(choices.extra_boosted, wanted, is_driver) & (choices.extra_boosted != choices.boosted)
    found = np.zeros(len(rows), dtype=np.int8)
    for number, is_wrong in reversed(
        (
            (1, drivers != rules.team.driver_count),
            (2, count - drivers != rules.team.constructor_count),
            (3, is_bought_idle),
            (4, (cost > budget) & (choices.chip != LIMITLESS)),
            (5, ~boosts),
            (6, ~playable_chips(teams, rules)[rows, choices.chip]),
            (7, (choices.chip == EXTRA_BOOST) & ~extra),
        )
    ):
        found[is_wrong] = number
    return found


def play_race(
    teams: TeamArrays, choices: Choices, sheet: RaceSheet, is_driver: Mask, rules: SeasonRules
) -> tuple[TeamArrays, Outcome]:
    """Lock legal decisions in and settle the races.

    Parameters
    ----------
    teams, choices, sheet, is_driver, rules
        As for :func:`find_faults`, which must have found nothing.

    Returns
    -------
    teams : TeamArrays
        Before their next races.
    outcome : Outcome
    """
    rows, chip, wanted = np.arange(len(choices.chip)), choices.chip, choices.wanted
    is_limitless, is_first = chip == LIMITLESS, teams.races_played == 0
    budget = budget_tenths(teams, sheet.prices)
    changes = (wanted & ~teams.held).sum(axis=1)
    transfers = np.where(is_first | (chip == WILDCARD) | is_limitless, 0, changes)
    extra = np.maximum(transfers - teams.free_transfers, 0)
    outcome = Outcome(
        asset_points=_asset_points(choices, sheet, is_driver, rules),
        transfer_points=(extra * rules.transfers.extra_points).astype(np.float64),
        inactive_points=((wanted & ~sheet.is_active).sum(axis=1) * sheet.inactive_points).astype(np.float64),
        transfer_count=transfers,
        budget_tenths=budget,
    )
    stops = np.array([False, *(getattr(rules.chips, name).stops_carry_over for name in CHIPS[1:])])
    carried = np.minimum(np.maximum(teams.free_transfers - transfers, 0), rules.transfers.carried_over_max)
    chips_left = teams.chips_left.copy()
    chips_left[rows, chip] = chip == NONE
    after = replace(
        teams,
        held=np.where(is_limitless[:, np.newaxis], teams.held, wanted),
        boosted=np.where(is_limitless, teams.boosted, choices.boosted),
        bank_tenths=np.where(is_limitless, teams.bank_tenths, budget - total(wanted, sheet.prices)),
        free_transfers=rules.transfers.free_per_race + np.where(is_first | stops[chip], 0, carried),
        chips_left=chips_left,
        races_played=teams.races_played + 1,
    )
    return after, outcome


def _boosted_rightly(number: Ints, wanted: Mask, is_driver: Mask) -> Mask:
    return wanted[np.arange(len(number)), number] & is_driver[number]


def _asset_points(choices: Choices, sheet: RaceSheet, is_driver: Mask, rules: SeasonRules) -> Floats:
    """Score the line-ups: items, then No Negative, then multipliers, as the official game does."""
    rows, chip, wanted = np.arange(len(choices.chip)), choices.chip, choices.wanted
    is_floored = (chip == NO_NEGATIVE)[:, np.newaxis]
    counted = np.where(is_floored, sheet.no_negative_points, sheet.points) if is_floored.any() else sheet.points
    boost = counted[rows, choices.boosted].astype(np.float64)
    if (chip == AUTOPILOT).any():
        drivers = np.where(wanted & is_driver, sheet.points, -np.inf).max(axis=1)
        boost = np.where(chip == AUTOPILOT, drivers, boost)
    points = total(wanted, counted).astype(np.float64) + (rules.boost.multiplier - 1) * boost
    is_extra = chip == EXTRA_BOOST
    if is_extra.any():
        second = counted[rows, np.where(is_extra, choices.extra_boosted, 0)]
        points += np.where(is_extra, (rules.chips.extra_boost.multiplier - 1) * second, 0.0)
    is_fixed = (chip == FINAL_FIX) & (choices.incoming >= 0)
    if is_fixed.any():
        out, into = np.where(is_fixed, choices.outgoing, 0), np.where(is_fixed, choices.incoming, 0)
        gained = sheet.remaining_points[rows, into] - sheet.remaining_points[rows, out]
        factor = np.where(out == choices.boosted, rules.boost.multiplier, 1)
        points += np.where(is_fixed, factor * gained, 0.0)
    return points
