"""The six chips as a team plays them: what is said with each, and when each may be played.

Belongs here: the chips as values, and which are left and may be played. Whether the argument of a chip is legal is
:mod:`f1_pipeline.game.legality`; what a chip does to transfers is :mod:`f1_pipeline.game.team`, and to points
:mod:`f1_pipeline.game.settlement`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chip_rules import ChipRules
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.game.rules import SeasonRules


@dataclass(frozen=True)
class Autopilot:
    """Move the boost to the driver of the team with the best weekend."""

    name: ClassVar[str] = "autopilot"


@dataclass(frozen=True)
class ExtraBoost:
    """Boost a second driver, more strongly than the free boost does.

    Parameters
    ----------
    driver
        A driver of the line-up, not the one with the free boost.
    """

    name: ClassVar[str] = "extra_boost"
    driver: str


@dataclass(frozen=True)
class NoNegative:
    """Floor points at 0, by weekend in 2023 and by category since."""

    name: ClassVar[str] = "no_negative"


@dataclass(frozen=True)
class Wildcard:
    """Make any number of transfers within the budget, for good."""

    name: ClassVar[str] = "wildcard"


@dataclass(frozen=True)
class Limitless:
    """Field any line-up for one race, whatever it costs."""

    name: ClassVar[str] = "limitless"


@dataclass(frozen=True)
class FinalFix:
    """Swap one driver for the sessions of the weekend that remain.

    Parameters
    ----------
    outgoing
        A driver of the line-up; he keeps the points of the sessions already run.
    incoming
        A driver of the menu who is not in the line-up; he scores from the next session on.
    after_session
        Last session that the outgoing driver scores: qualifying or sprint.
    """

    name: ClassVar[str] = "final_fix"
    outgoing: str
    incoming: str
    after_session: str = "qualifying"


Chip = Autopilot | ExtraBoost | NoNegative | Wildcard | Limitless | FinalFix


def start_chips(rules: SeasonRules) -> tuple[str, ...]:
    """List the chips of a new team.

    Parameters
    ----------
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    tuple of str
        Names of chips, sorted, each as often as it may be played.
    """
    return tuple(sorted(rules.chips.names * rules.chips.uses_per_season))


def spend_chip(
    chip: Chip, chips_left: tuple[str, ...], rules: SeasonRules, race_number: int, race_key: str
) -> tuple[str, ...]:
    """Take a chip from those that are left.

    Parameters
    ----------
    chip : Chip
        The chip to play.
    chips_left : tuple of str
        Names of the chips that the team has.
    rules : SeasonRules
        The rules of the season.
    race_number : int
        Which race of the team it is, from 1.
    race_key : str
        Race at which the chip is played.

    Returns
    -------
    tuple of str
        The chips that are left then.

    Raises
    ------
    RuleError
        The chip has been played, or may not be played yet.
    """
    if chip.name not in chips_left:
        found = ", ".join(chips_left) or "none"
        raise RuleError(f"{race_key}: chip {chip.name}: expected a chip that is left, found {found}.")
    first = chip_rules(chip, rules).from_race
    if race_number < first:
        raise RuleError(
            f"{race_key}: chip {chip.name}: expected the team's race {first} or later, found race {race_number}."
        )
    at = chips_left.index(chip.name)
    return chips_left[:at] + chips_left[at + 1 :]


def chip_rules(chip: Chip, rules: SeasonRules) -> ChipRules:
    """Look up the rules of a chip.

    Parameters
    ----------
    chip : Chip
        The chip.
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    ChipRules
        The chip's own section.
    """
    return getattr(rules.chips, chip.name)


def session_order(rules: SeasonRules, has_sprint: bool) -> tuple[str, ...]:
    """Order the scoring sessions of a weekend in time.

    Parameters
    ----------
    rules : SeasonRules
        The rules of the season.
    has_sprint : bool
        Whether the weekend has a sprint.

    Returns
    -------
    tuple of str
        Sessions that score, first to last.

    References
    ----------
    Line-ups lock at the first scoring session: where that is the sprint, qualifying follows it (2024 on); in 2023
    Friday's qualifying came first.
    """
    if not has_sprint:
        return ("qualifying", "race")
    if rules.lock.sprint_weekend == "sprint":
        return ("sprint", "qualifying", "race")
    return ("qualifying", "sprint", "race")


def with_swap(lineup: Lineup, chip: FinalFix) -> Lineup:
    """Swap the driver of a Final Fix; the boost stays with the slot.

    Parameters
    ----------
    lineup : Lineup
        The line-up before the swap.
    chip : FinalFix
        The swap, drivers named as in the line-up.

    Returns
    -------
    Lineup
        The line-up of the sessions that remain, drivers in the same order of slots.
    """
    drivers = tuple(chip.incoming if driver == chip.outgoing else driver for driver in lineup.drivers)
    boosted = chip.incoming if lineup.boosted_driver == chip.outgoing else lineup.boosted_driver
    return replace(lineup, drivers=drivers, boosted_driver=boosted)
