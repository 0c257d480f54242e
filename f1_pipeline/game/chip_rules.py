"""The rules of the six chips as data: a part of the season's rules with a module of its own.

Belongs here: what a rules file says about chips and what makes it consistent. Reading the file is the work of
:mod:`f1_pipeline.game.rules`, playing a chip that of :mod:`f1_pipeline.game.chips`.
"""

import dataclasses
from dataclasses import dataclass

from f1_pipeline.errors import RuleError

FLOOR_TOTAL = "total"
FLOOR_CATEGORY = "category"
_FLOORS = (FLOOR_TOTAL, FLOOR_CATEGORY)
_SESSIONS_BEFORE_RACE = ("qualifying", "sprint")


@dataclass(frozen=True)
class ChipRules:
    """From which race of a team a chip may be played, and whether unused transfers are lost with it."""

    from_race: int
    stops_carry_over: bool


@dataclass(frozen=True)
class ExtraBoostRules(ChipRules):
    """A second boost, stronger than the free one, on another driver."""

    multiplier: int


@dataclass(frozen=True)
class NoNegativeRules(ChipRules):
    """What is floored at 0: an asset's weekend ``total``, or each scoring ``category`` of each session."""

    floor: str


@dataclass(frozen=True)
class FinalFixRules(ChipRules):
    """The sessions after which the one swap is allowed; the next session is the first that the new driver scores."""

    after_sessions: tuple[str, ...]


@dataclass(frozen=True)
class ChipsRules:
    """The six chips of a season; the names of the six sections are the names of the chips."""

    per_race: int
    uses_per_season: int
    autopilot: ChipRules
    extra_boost: ExtraBoostRules
    no_negative: NoNegativeRules
    wildcard: ChipRules
    limitless: ChipRules
    final_fix: FinalFixRules

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the six chips."""
        fields = dataclasses.fields(self)
        return tuple(field.name for field in fields if isinstance(getattr(self, field.name), ChipRules))


def check_chips(rules: ChipsRules, boost_multiplier: int, file_name: str) -> None:
    """Refuse chip rules that contradict each other.

    Parameters
    ----------
    rules : ChipsRules
        The chips of a season.
    boost_multiplier : int
        Factor of the free boost.
    file_name : str
        File that the rules were read from.

    Raises
    ------
    RuleError
        A key has a value out of its range.
    """
    after = rules.final_fix.after_sessions
    checks = [
        ("per_race", rules.per_race, "1, for a decision holds one chip", rules.per_race == 1),
        ("uses_per_season", rules.uses_per_season, "at least 1", rules.uses_per_season >= 1),
        *(
            (f"{name}.from_race", chip.from_race, "at least 1", chip.from_race >= 1)
            for name, chip in ((name, getattr(rules, name)) for name in rules.names)
        ),
        (
            "extra_boost.multiplier",
            rules.extra_boost.multiplier,
            f"more than boost.multiplier {boost_multiplier}",
            rules.extra_boost.multiplier > boost_multiplier,
        ),
        ("no_negative.floor", rules.no_negative.floor, " or ".join(_FLOORS), rules.no_negative.floor in _FLOORS),
        (
            "final_fix.after_sessions",
            list(after),
            f"some of {', '.join(_SESSIONS_BEFORE_RACE)}, each once",
            set(after) <= set(_SESSIONS_BEFORE_RACE) and len(set(after)) == len(after),
        ),
    ]
    for key, found, expected, is_right in checks:
        if not is_right:
            raise RuleError(f"{file_name}: key chips.{key}: expected {expected}, found {found!r}.")
