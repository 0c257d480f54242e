"""The rules of price moves as data: a part of the season's rules with a module of its own.

Belongs here: what a rules file says about prices and what makes it consistent. Reading the file is the work of
:mod:`f1_pipeline.game.rules`, moving prices that of :mod:`f1_pipeline.game.prices`.
"""

from dataclasses import dataclass

from f1_pipeline.errors import RuleError


@dataclass(frozen=True)
class PointsPerMillionRules:
    """Price moves, 2025 on: an asset's mean points of its last races per million dollars decide the step.

    The value, in thousandths and rounded, is compared with rising limits; ``tier_steps_tenths`` holds one row of steps
    per tier, worst band first, tiers from the dearest down. In force from ``first_race_key`` on (empty: from the
    season's first race); a maximum of 0 is none.
    """

    kind: str
    first_race_key: str
    race_count: int
    value_from_thousandths: tuple[int, ...]
    tier_from_tenths: tuple[int, ...]
    tier_steps_tenths: tuple[tuple[int, ...], ...]
    minimum_tenths: int
    maximum_tenths: int


@dataclass(frozen=True)
class FieldMeanRules:
    """Price moves, 2023-24: the last race's points against the rounded mean of all drivers or constructors.

    Limits are tenths of that mean; ``is_limit_included`` says of each whether points equal to it are beyond it. Tiers
    and steps are those of :class:`PointsPerMillionRules`.
    """

    kind: str
    first_race_key: str
    driver_mean_tenths: tuple[int, ...]
    constructor_mean_tenths: tuple[int, ...]
    is_limit_included: tuple[bool, ...]
    tier_from_tenths: tuple[int, ...]
    tier_steps_tenths: tuple[tuple[int, ...], ...]
    minimum_tenths: int
    maximum_tenths: int


PriceRules = PointsPerMillionRules | FieldMeanRules

PRICE_KINDS: dict[str, type] = {"points_per_million": PointsPerMillionRules, "field_mean": FieldMeanRules}


def check_prices(rules: PriceRules, index: int, season: int, where: str) -> None:
    """Refuse limits, tiers and steps that do not fit each other, and a second set of rules without a first race.

    Parameters
    ----------
    rules : PriceRules
        One set of rules.
    index : int
        Which of the season's, from 0.
    season : int
        Championship year.
    where : str
        File and key, to open the message with.

    Raises
    ------
    RuleError
        A key contradicts another.
    """
    if rules.first_race_key.startswith(f"{season}-") != (index > 0) or (index == 0 and rules.first_race_key):
        expected = f"a race of {season}" if index else "an empty text, the season's first race"
        raise RuleError(f"{where}.first_race_key: expected {expected}, found {rules.first_race_key!r}.")
    limits = _checked_limits(rules, where)
    tiers, steps = rules.tier_from_tenths, rules.tier_steps_tenths
    if list(tiers) != sorted(set(tiers), reverse=True) or tiers[-1] != 0:
        raise RuleError(f"{where}.tier_from_tenths: expected falling prices that end with 0, found {list(tiers)}.")
    band_count = len(next(iter(limits.values()))) + 1
    if len(steps) != len(tiers) or any(len(row) != band_count or list(row) != sorted(row) for row in steps):
        raise RuleError(f"{where}.tier_steps_tenths: expected {len(tiers)} rows of {band_count} steps that never fall.")
    if rules.minimum_tenths < 1:
        raise RuleError(f"{where}.minimum_tenths: expected at least 1, found {rules.minimum_tenths}.")
    if rules.maximum_tenths and rules.maximum_tenths <= rules.minimum_tenths:
        raise RuleError(f"{where}.maximum_tenths: expected more than the minimum or 0, found {rules.maximum_tenths}.")


def _checked_limits(rules: PriceRules, where: str) -> dict[str, tuple[int, ...]]:
    if isinstance(rules, PointsPerMillionRules):
        limits = {"value_from_thousandths": rules.value_from_thousandths}
        if rules.race_count < 1:
            raise RuleError(f"{where}.race_count: expected at least 1, found {rules.race_count}.")
    else:
        limits = {
            "driver_mean_tenths": rules.driver_mean_tenths,
            "constructor_mean_tenths": rules.constructor_mean_tenths,
        }
        if len({len(rules.is_limit_included), *map(len, limits.values())}) != 1:
            raise RuleError(f"{where}.is_limit_included: expected as many values as {' and '.join(limits)} have.")
    for name, values in limits.items():
        if list(values) != sorted(set(values)):
            raise RuleError(f"{where}.{name}: expected rising limits, found {list(values)}.")
    return limits
