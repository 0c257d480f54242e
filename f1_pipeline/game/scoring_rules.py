"""The rules of scoring as data: what a session, a constructor, a pit stop or a streak is worth in a season.

Belongs here: what a rules file says about points, and what makes it consistent. Reading the file is the work of
:mod:`f1_pipeline.game.rules`, applying it that of :mod:`f1_pipeline.game.weekend_scoring`. A value of 0 says that the
season does not know the item; then it is not listed either.
"""

from dataclasses import dataclass

from f1_pipeline.errors import RuleError

FROM_GRID = "grid"
FROM_LAST_SESSION = "last_session"
_PLACES_FROM = (FROM_GRID, FROM_LAST_SESSION)


@dataclass(frozen=True)
class AbsentRules:
    """The season has nothing of the kind."""

    kind: str


@dataclass(frozen=True)
class QualifyingRules:
    """Driver points of Grand Prix qualifying; ``position_points`` starts with first place.

    The last places of Q3 and Q2 also decide the qualifying bonus of constructors; ``absent`` is for a driver of the
    weekend who is not in the classification at all.
    """

    position_points: tuple[int, ...]
    q3_last_position: int
    q2_last_position: int
    reached_q3: int
    eliminated_in_q2: int
    eliminated_in_q1: int
    ahead_of_team_mate: int
    not_classified: int
    absent: int
    disqualified: int


@dataclass(frozen=True)
class SprintRules:
    """Driver points of a sprint race.

    Places gained and lost count from the ``grid``, or from the classification of the ``last_session`` before (sprint,
    else qualifying); ``places_points_max`` caps their points either way, 0 is no cap.
    """

    position_points: tuple[int, ...]
    finished: int
    ahead_of_team_mate: int
    places_from: str
    position_gained: int
    position_lost: int
    places_points_max: int
    overtake: int
    fastest_lap: int
    not_classified: int
    withdrawn_before_grid: int
    disqualified: int
    disqualified_keeps_overtakes: bool


@dataclass(frozen=True)
class RaceRules(SprintRules):
    """Driver points of the Grand Prix."""

    driver_of_the_day: int


@dataclass(frozen=True)
class ConstructorRules:
    """How a constructor's cars are added up, and what each disqualified car costs it on top."""

    nets_places: bool
    qualifying_disqualified_extra: int
    sprint_disqualified_extra: int
    race_disqualified_extra: int


@dataclass(frozen=True)
class BestTierRules:
    """A constructor's bonus in qualifying: the best tier that its cars reach together alone counts."""

    kind: str
    both_drivers_q3: int
    one_driver_q3: int
    both_drivers_q2: int
    one_driver_q2: int
    no_driver_q2: int
    no_car_classified: int


@dataclass(frozen=True)
class FastestStopsRules:
    """The three fastest stationary stops of a race score in order for the teams that made them."""

    kind: str
    fastest_points: tuple[int, ...]


@dataclass(frozen=True)
class TimeBandRules:
    """Each team's best stationary stop of a race scores by its time; the two ``band_`` lists go together."""

    kind: str
    band_below_ms: tuple[int, ...]
    band_points: tuple[int, ...]
    overall_fastest: int
    world_record: int
    record_below_ms: int


@dataclass(frozen=True)
class TopPlacesRules:
    """Streaks: so many races in a row among the first, a driver alone or both cars; a payout starts a new count."""

    kind: str
    last_position: int
    driver_race_count: int
    driver_qualifying: int
    driver_race: int
    constructor_race_count: int
    constructor_qualifying: int
    constructor_race: int


QualifyingBonusRules = BestTierRules | AbsentRules
PitStopRules = FastestStopsRules | TimeBandRules | AbsentRules
StreakRules = TopPlacesRules | AbsentRules

SCORING_KINDS: dict[str, type] = {
    "none": AbsentRules,
    "best_tier": BestTierRules,
    "fastest_stops": FastestStopsRules,
    "time_band": TimeBandRules,
    "top_places": TopPlacesRules,
}


def check_qualifying(rules: QualifyingRules, file_name: str) -> None:
    """Refuse knock-out places that are out of order.

    Parameters
    ----------
    rules : QualifyingRules
        The section.
    file_name : str
        File that it was read from.

    Raises
    ------
    RuleError
        Q3 does not end before Q2, or without a place.
    """
    if not 1 <= rules.q3_last_position < rules.q2_last_position:
        raise RuleError(
            f"{file_name}: key qualifying.q3_last_position: expected 1 or more and less than q2_last_position "
            f"{rules.q2_last_position}, found {rules.q3_last_position}."
        )


def check_race(rules: SprintRules, nets_places: bool, file_name: str, section: str) -> None:
    """Refuse rules about places that contradict each other.

    Parameters
    ----------
    rules : SprintRules
        Sprint or race.
    nets_places : bool
        Whether a constructor's places are netted over its cars.
    file_name, section : str
        Where the rules were read from.

    Raises
    ------
    RuleError
        Places count from something unknown, or are netted although points are no measure of them.
    """
    if rules.places_from not in _PLACES_FROM:
        raise RuleError(
            f"{file_name}: key {section}.places_from: expected {' or '.join(_PLACES_FROM)}, "
            f"found {rules.places_from!r}."
        )
    if rules.places_points_max < 0:
        raise RuleError(
            f"{file_name}: key {section}.places_points_max: expected 0 (no cap) or more, "
            f"found {rules.places_points_max}."
        )
    if nets_places and (rules.places_points_max or rules.position_gained != -rules.position_lost):
        raise RuleError(
            f"{file_name}: key constructor.nets_places: expected false where places of {section} are capped or a place "
            "gained is not worth what a place lost costs, found true."
        )


def check_pit_stops(rules: PitStopRules, file_name: str) -> None:
    """Refuse bands and ranks that do not fit each other.

    Parameters
    ----------
    rules : PitStopRules
        The section.
    file_name : str
        File that it was read from.

    Raises
    ------
    RuleError
        The bands do not rise or have another number of points, or not three stops score.
    """
    where = f"{file_name}: key pit_stops"
    if isinstance(rules, TimeBandRules):
        if len(rules.band_below_ms) != len(rules.band_points):
            raise RuleError(f"{where}.band_points: expected one value per pit_stops.band_below_ms.")
        if list(rules.band_below_ms) != sorted(set(rules.band_below_ms)):
            raise RuleError(f"{where}.band_below_ms: expected rising limits.")
    elif isinstance(rules, FastestStopsRules) and len(rules.fastest_points) != 3:
        raise RuleError(f"{where}.fastest_points: expected three values.")


def check_streaks(rules: StreakRules, file_name: str) -> None:
    """Refuse streaks of no length.

    Parameters
    ----------
    rules : StreakRules
        The section.
    file_name : str
        File that it was read from.

    Raises
    ------
    RuleError
        A length or the last place that counts is not at least 1.
    """
    if isinstance(rules, TopPlacesRules):
        for name in ("last_position", "driver_race_count", "constructor_race_count"):
            if getattr(rules, name) < 1:
                raise RuleError(f"{file_name}: key streaks.{name}: expected at least 1, found {getattr(rules, name)}.")
