"""The rules of one season as data: frozen, read from ``data/rules/<season>.toml``, refused when incomplete.

Belongs here: what a rules document holds, and reading one. The constants of scoring are
:mod:`f1_pipeline.game.scoring_rules`, those of chips :mod:`f1_pipeline.game.chip_rules`, those of prices
:mod:`f1_pipeline.game.price_rules`; how a document is read into them is :mod:`f1_pipeline.game.rules_document`. Each
constant's source and confidence stand beside it in the document. A new season is a new document; a new kind of rule is
a new dataclass and a new section in every season's document.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chip_rules import ChipsRules, check_chips
from f1_pipeline.game.price_rules import (
    PRICE_KINDS,
    FieldMeanRules,
    PointsPerMillionRules,
    PriceRules,
    check_prices,
)
from f1_pipeline.game.rules_document import UnknownRules, build
from f1_pipeline.game.scoring_rules import (
    SCORING_KINDS,
    AbsentRules,
    ConstructorRules,
    FastestStopsRules,
    PitStopRules,
    QualifyingBonusRules,
    QualifyingRules,
    RaceRules,
    SprintRules,
    StreakRules,
    TimeBandRules,
    check_pit_stops,
    check_qualifying,
    check_race,
    check_streaks,
)

__all__ = [
    "AbsentRules",
    "BoostRules",
    "FastestStopsRules",
    "FieldMeanRules",
    "InactiveRules",
    "LockRules",
    "PointsPerMillionRules",
    "PriceRules",
    "SeasonRules",
    "TeamRules",
    "TimeBandRules",
    "TransferRules",
    "UnknownRules",
    "load_rules",
    "rule_seasons",
]

_LOCK_SESSIONS = ("qualifying", "sprint", "sprint_qualifying", "race")


@dataclass(frozen=True)
class LockRules:
    """Session at whose start line-ups lock, by kind of weekend."""

    normal_weekend: str
    sprint_weekend: str


@dataclass(frozen=True)
class TeamRules:
    """Size of a line-up and the starting budget in tenths of a million dollars."""

    driver_count: int
    constructor_count: int
    budget_tenths: int


@dataclass(frozen=True)
class BoostRules:
    """The free boost: one driver's whole weekend, multiplied.

    He must cost less than ``price_below_tenths`` at the lock; 0 is no limit.
    """

    multiplier: int
    price_below_tenths: int


@dataclass(frozen=True)
class TransferRules:
    """Free transfers per race, how many carry over, points for each one above, and how they are counted."""

    free_per_race: int
    carried_over_max: int
    extra_points: int
    is_net: bool


@dataclass(frozen=True)
class InactiveRules:
    """Points for holding an asset that does not take part, from ``first_race_key`` on (empty: all races)."""

    normal_weekend_points: int
    sprint_weekend_points: int
    first_race_key: str


@dataclass(frozen=True)
class SeasonRules:
    """The rules of one season; ``version`` counts the states of its document, as in 2026.1.

    A section that nobody knows is :class:`UnknownRules`, which raises a RuleError whatever it is asked for.
    """

    season: int
    version: str
    lock: LockRules
    team: TeamRules
    boost: BoostRules
    transfers: TransferRules
    chips: ChipsRules
    inactive: InactiveRules
    qualifying: QualifyingRules
    sprint: SprintRules
    race: RaceRules
    constructor: ConstructorRules
    qualifying_bonus: QualifyingBonusRules
    pit_stops: PitStopRules
    streaks: StreakRules
    prices: tuple[PriceRules, ...]


def load_rules(data_dir: Path, season: int) -> SeasonRules:
    """Read the rules of a season.

    Parameters
    ----------
    data_dir : Path
        Directory that holds ``rules/<season>.toml``.
    season : int
        Championship year.

    Returns
    -------
    SeasonRules
        Every rule the project uses.

    Raises
    ------
    RuleError
        The file is missing, is no TOML, or a key is missing, unknown, of the wrong type or contradicts another.

    References
    ----------
    The comments of each file name the source of every constant.
    """
    path = data_dir / "rules" / f"{season}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuleError(f"There are no rules for {season}: expected {path}.") from None
    except (ValueError, RecursionError) as error:  # a bad date or number is a bare ValueError
        raise RuleError(f"{path.name} is not valid TOML: {error}.") from error
    rules = build(SeasonRules, content, path.name, {**SCORING_KINDS, **PRICE_KINDS})
    if rules.season != season:
        raise RuleError(f"{path.name}: key season: expected {season}, found {rules.season}.")
    _check_consistency(rules, path.name)
    return rules


def rule_seasons(data_dir: Path) -> tuple[int, ...]:
    """List the seasons that have a rules file, in order.

    Parameters
    ----------
    data_dir : Path
        Directory that holds ``rules/``.

    Returns
    -------
    tuple of int
        Championship years.
    """
    return tuple(sorted(int(path.stem) for path in (data_dir / "rules").glob("[0-9][0-9][0-9][0-9].toml")))


def _check_consistency(rules: SeasonRules, file_name: str) -> None:
    if not re.fullmatch(rf"{rules.season}\.[1-9][0-9]*", rules.version):
        raise RuleError(f"{file_name}: key version: expected one such as {rules.season}.1, found {rules.version!r}.")
    for key in ("normal_weekend", "sprint_weekend"):
        found = getattr(rules.lock, key)
        if found not in _LOCK_SESSIONS:
            raise RuleError(
                f"{file_name}: key lock.{key}: expected one of {', '.join(_LOCK_SESSIONS)}, found {found!r}."
            )
    if rules.boost.price_below_tenths < 0:
        raise RuleError(
            f"{file_name}: key boost.price_below_tenths: expected 0 (no limit) or more, "
            f"found {rules.boost.price_below_tenths}."
        )
    check_qualifying(rules.qualifying, file_name)
    for section, of_session in (("sprint", rules.sprint), ("race", rules.race)):
        check_race(of_session, rules.constructor.nets_places, file_name, section)
    check_pit_stops(rules.pit_stops, file_name)
    check_streaks(rules.streaks, file_name)
    if not isinstance(rules.chips, UnknownRules):
        check_chips(rules.chips, rules.boost.multiplier, file_name)
    for index, prices in enumerate(rules.prices):
        if not isinstance(prices, UnknownRules):
            check_prices(prices, index, rules.season, f"{file_name}: key prices[{index}]")
