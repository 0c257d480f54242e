"""What a manager wants of the line-ups of a race, and how it is said in words.

Belongs here: the value and reading its parts from text; assets are named as people name them. Neighbours:
`race_choice` makes a problem of it, `optimize.risk` has the objectives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from f1_pipeline.errors import UsageError
from f1_pipeline.optimize.milp import SOLVERS
from f1_pipeline.optimize.risk import AtLeast, Mean, MeanMinusDeviation, Objective, Quantile

ENUMERATION = "enumeration"
SOLVER_NAMES = (ENUMERATION, *SOLVERS)
MOST_LINEUPS = 200
RISKS = "mean, deviation:0.5, quantile:0.2, target:250 or rival:FILE"


@dataclass(frozen=True)
class Rival:
    """To score more than the team of a file written like my_team.toml."""

    path: Path


@dataclass(frozen=True)
class Adjustment:
    """Your own expectation of an asset.

    Attributes
    ----------
    name : str
        The asset as you call it.
    points : float
        Points that it scores more than expected, or all of them.
    is_shift : bool
        Which of the two.
    """

    name: str
    points: float
    is_shift: bool


@dataclass(frozen=True)
class LineupWishes:
    """What is wanted of the line-ups of a race; nothing in particular by default.

    Attributes
    ----------
    count : int
        Line-ups wanted.
    locks, bans : tuple of str
        Assets to hold in any case, and never to hold; they come before those of my_team.toml.
    most_per_team : int or None
        Most assets of one team, the constructor included.
    min_difference : int
        In how many assets each line-up differs from every better one.
    risk : Objective or Rival
        What the best line-up is the best by.
    adjustments : tuple of Adjustment
    chip : str or None
        Chip to play.
    solver : str
        One of SOLVER_NAMES.
    budget_tenths : int or None
        Money for the whole line-up instead of what the team, or a new one, has.
    ignores_team : bool
        Start afresh, whatever team there is.
    """

    count: int = 1
    locks: tuple[str, ...] = ()
    bans: tuple[str, ...] = ()
    most_per_team: int | None = None
    min_difference: int = 1
    risk: Objective | Rival = field(default_factory=Mean)
    adjustments: tuple[Adjustment, ...] = ()
    chip: str | None = None
    solver: str = ENUMERATION
    budget_tenths: int | None = None
    ignores_team: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_LINEUPS:
            raise UsageError(f"Line-ups: expected 1 to {MOST_LINEUPS}, found {self.count}.")
        if self.solver not in SOLVER_NAMES:
            raise UsageError(f"Solver: expected one of {', '.join(SOLVER_NAMES)}, found {self.solver!r}.")
        if self.solver != ENUMERATION and (not self.is_by_mean or self.chip == "autopilot"):
            raise UsageError(f"Solver: expected {ENUMERATION} for risk and Autopilot, found {self.solver!r}.")
        if not self.is_by_mean and self.chip in ("autopilot", "no_negative"):
            raise UsageError(f"Risk: expected mean with the chip {self.chip}, whose best team is that of the mean.")

    @property
    def is_by_mean(self) -> bool:
        """Whether the best line-up is the one with the highest expected points."""
        return self.risk == Mean()

    @property
    def is_empty(self) -> bool:
        """Whether nothing but the number of line-ups is asked for."""
        return replace(self, count=1) == LineupWishes()


def parse_risk(text: str) -> Objective | Rival:
    """Read what line-ups are chosen by.

    Parameters
    ----------
    text : str
        mean, deviation:0.5, quantile:0.2, target:250 or rival:FILE.

    Returns
    -------
    Objective or Rival

    Raises
    ------
    UsageError
        It is none of these.
    """
    name, _, value = text.partition(":")
    if name == "rival" and value:
        return Rival(Path(value))
    if text == "mean":
        return Mean()
    kinds: dict[str, Callable[[float], Objective]] = {
        "deviation": MeanMinusDeviation,
        "quantile": Quantile,
        "target": AtLeast,
    }
    number = _number(value)
    if name not in kinds or number is None:
        raise UsageError(f"Risk: expected {RISKS}, found {text!r}.")
    return kinds[name](number)


def parse_adjustment(text: str) -> Adjustment:
    """Read your own expectation of an asset.

    Parameters
    ----------
    text : str
        max-verstappen=+3 to expect 3 points more, max-verstappen=25 to expect 25.

    Returns
    -------
    Adjustment

    Raises
    ------
    UsageError
        It is not of that form.
    """
    name, _, value = text.rpartition("=")
    number = _number(value)
    if not name or number is None:
        raise UsageError(f"Adjustment: expected an asset and points such as max-verstappen=+3 or =25, found {text!r}.")
    return Adjustment(name, number, is_shift=value.strip()[0] in "+-")


def parse_money(text: str) -> int:
    """Read an amount of money.

    Parameters
    ----------
    text : str
        Million dollars with at most one decimal, such as 104.5.

    Returns
    -------
    int
        Tenths of a million.

    Raises
    ------
    UsageError
        It is not such an amount.
    """
    number = _number(text)
    if number is None or number <= 0 or not math.isclose(number * 10, round(number * 10), abs_tol=1e-6):
        raise UsageError(f"Budget: expected million dollars with at most one decimal, such as 104.5, found {text!r}.")
    return round(number * 10)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
