"""The rules of one season as data: frozen, read from ``data/rules/<season>.toml``, refused when incomplete.

Belongs here: what the constants are and what a rules file must hold. Applying them is the work of
:mod:`f1_pipeline.game.scoring` and the line-up modules. Each constant's source and confidence stand beside it
in the file. A new kind of rule is a new dataclass and a new section in every season's file.
"""

import dataclasses
import tomllib
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chip_rules import ChipsRules, check_chips


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
    """The free boost: one driver's whole weekend, multiplied."""

    multiplier: int


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
class QualifyingRules:
    """Driver points of Grand Prix qualifying; ``position_points`` starts with first place."""

    position_points: tuple[int, ...]
    not_classified: int
    disqualified: int


@dataclass(frozen=True)
class SprintRules:
    """Driver points of a sprint race."""

    position_points: tuple[int, ...]
    position_gained: int
    position_lost: int
    overtake: int
    fastest_lap: int
    not_classified: int
    withdrawn_before_grid: int
    disqualified: int
    disqualified_keeps_overtakes: bool


@dataclass(frozen=True)
class RaceRules:
    """Driver points of the Grand Prix."""

    position_points: tuple[int, ...]
    position_gained: int
    position_lost: int
    overtake: int
    fastest_lap: int
    driver_of_the_day: int
    not_classified: int
    withdrawn_before_grid: int
    disqualified: int
    disqualified_keeps_overtakes: bool


@dataclass(frozen=True)
class ConstructorRules:
    """What a constructor gets beyond the sum of its cars; the best qualifying tier alone counts."""

    q3_last_position: int
    q2_last_position: int
    both_drivers_q3: int
    one_driver_q3: int
    both_drivers_q2: int
    one_driver_q2: int
    no_driver_q2: int
    no_car_classified: int
    qualifying_disqualified_extra: int
    sprint_disqualified_extra: int
    race_disqualified_extra: int


@dataclass(frozen=True)
class FastestStopsRules:
    """2023-24: the fastest stationary stops of a race score in order for the teams that made them."""

    kind: str
    fastest_points: tuple[int, ...]


@dataclass(frozen=True)
class TimeBandRules:
    """2025 on: each team's best stationary stop scores by its time; the two ``band_`` lists go together."""

    kind: str
    band_below_ms: tuple[int, ...]
    band_points: tuple[int, ...]
    overall_fastest: int
    world_record: int
    record_below_ms: int


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


@dataclass(frozen=True)
class SeasonRules:
    """The rules of one season."""

    season: int
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
    pit_stops: FastestStopsRules | TimeBandRules
    prices: tuple[PriceRules, ...]


_SECTION_KINDS: dict[str, type] = {
    "fastest_stops": FastestStopsRules,
    "time_band": TimeBandRules,
    "points_per_million": PointsPerMillionRules,
    "field_mean": FieldMeanRules,
}
_LOCK_SESSIONS = ("qualifying", "sprint", "sprint_qualifying", "race")


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
        The file is missing, is no TOML, or a key is missing, unknown or of the wrong type.

    References
    ----------
    The comments of each file name the source of every constant.
    """
    path = data_dir / "rules" / f"{season}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuleError(f"There are no rules for {season}: expected {path}.") from None
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path.name} is not valid TOML: {error}.") from error
    rules = _build(SeasonRules, content, path.name, "")
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


def _build(kind: Any, content: Mapping[str, Any], file_name: str, prefix: str) -> Any:
    names = [field.name for field in dataclasses.fields(kind)]
    for key in content:
        if key not in names:
            raise RuleError(f"{file_name}: unknown key {prefix}{key}; expected {', '.join(names)}.")
    for name in names:
        if name not in content:
            raise RuleError(f"{file_name}: missing key {prefix}{name}.")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], content[name], file_name, f"{prefix}{name}") for name in names})


def _value(hint: Any, value: Any, file_name: str, key: str) -> Any:
    if isinstance(hint, types.UnionType) or dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise RuleError(f"{file_name}: key {key}: expected a section, found {value!r}.")
        return _build(_section_kind(hint, value, file_name, key), value, file_name, f"{key}.")
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise RuleError(f"{file_name}: key {key}: expected a list, found {value!r}.")
        item = get_args(hint)[0]
        return tuple(_value(item, part, file_name, f"{key}[{index}]") for index, part in enumerate(value))
    if type(value) is not hint:
        raise RuleError(f"{file_name}: key {key}: expected {hint.__name__}, found {value!r}.")
    return value


def _section_kind(hint: Any, value: Mapping[str, Any], file_name: str, key: str) -> type:
    if not isinstance(hint, types.UnionType):
        return hint
    kind = value.get("kind")
    kinds = {name: section for name, section in _SECTION_KINDS.items() if section in get_args(hint)}
    if kind not in kinds:
        raise RuleError(f"{file_name}: key {key}.kind: expected {' or '.join(kinds)}, found {kind!r}.")
    return kinds[kind]


def _check_consistency(rules: SeasonRules, file_name: str) -> None:
    for key in ("normal_weekend", "sprint_weekend"):
        found = getattr(rules.lock, key)
        if found not in _LOCK_SESSIONS:
            raise RuleError(
                f"{file_name}: key lock.{key}: expected one of {', '.join(_LOCK_SESSIONS)}, found {found!r}."
            )
    stops = rules.pit_stops
    if isinstance(stops, TimeBandRules):
        if len(stops.band_below_ms) != len(stops.band_points):
            raise RuleError(f"{file_name}: key pit_stops.band_points: expected one value per pit_stops.band_below_ms.")
        if list(stops.band_below_ms) != sorted(set(stops.band_below_ms)):
            raise RuleError(f"{file_name}: key pit_stops.band_below_ms: expected rising limits.")
    elif len(stops.fastest_points) != 3:
        raise RuleError(f"{file_name}: key pit_stops.fastest_points: expected three values.")
    check_chips(rules.chips, rules.boost.multiplier, file_name)
    for index, prices in enumerate(rules.prices):
        _check_prices(prices, index, rules.season, f"{file_name}: key prices[{index}]")


def _check_prices(rules: PriceRules, index: int, season: int, where: str) -> None:
    """Refuse limits, tiers and steps that do not fit each other, and a second set of rules without a first race."""
    if rules.first_race_key.startswith(f"{season}-") != (index > 0) or (index == 0 and rules.first_race_key):
        expected = f"a race of {season}" if index else "an empty text, the season's first race"
        raise RuleError(f"{where}.first_race_key: expected {expected}, found {rules.first_race_key!r}.")
    if isinstance(rules, PointsPerMillionRules):
        limits = {"value_from_thousandths": rules.value_from_thousandths}
        if rules.race_count < 1:
            raise RuleError(f"{where}.race_count: expected at least 1, found {rules.race_count}.")
    else:
        names = ("driver_mean_tenths", "constructor_mean_tenths")
        limits = {name: getattr(rules, name) for name in names}
        if len({len(rules.is_limit_included), *map(len, limits.values())}) != 1:
            raise RuleError(f"{where}.is_limit_included: expected as many values as {' and '.join(names)} have.")
    for name, values in limits.items():
        if list(values) != sorted(set(values)):
            raise RuleError(f"{where}.{name}: expected rising limits, found {list(values)}.")
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
