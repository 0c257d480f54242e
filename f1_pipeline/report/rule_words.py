"""What each constant of the rules is called, and how its value is written, for people who play.

Belongs here: words for keys, and units. A key without words is shown by its own name, so that a new rule is never left
out. Where the text around the tables comes from is :mod:`f1_pipeline.report.rule_chapters`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable

from f1_pipeline.report.rule_evidence import Value

_LINE_WIDTH = 120
_MINUS = "−"


def folded(title: str, lines: Iterable[str]) -> str:
    """Fold a list up under a title, so that what is above it can be read alone; nothing for no lines."""
    text = "\n".join(lines)
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def wrapped(text: str) -> str:
    """Break a paragraph into lines, as the text of the chapters is."""
    return textwrap.fill(text, _LINE_WIDTH)


def sentence(text: str) -> str:
    """Write a note as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def signed(number: float) -> str:
    """Write a number with a true minus sign."""
    return f"{number:g}".replace("-", _MINUS)


def change(tenths: int) -> str:
    """Write a change of price in tenths of a million, such as +$0.3M."""
    sign = "+" if tenths > 0 else _MINUS if tenths < 0 else ""
    return f"{sign}{millions(abs(tenths))}"


def millions(tenths: int) -> str:
    """Write tenths of a million, such as $24.7M."""
    return f"${tenths // 10}.{tenths % 10}M"


def race_name(race_key: str) -> str:
    """Write a race key as a name, such as Sao Paulo 2025."""
    season, _, name = race_key.partition("-")
    return f"{name.replace('-', ' ').title()} {season}"


_SESSIONS = {
    "qualifying": "qualifying",
    "sprint": "the sprint race",
    "sprint_qualifying": "sprint qualifying",
    "race": "the race",
}
_NAMES = {
    "none": "none",
    "unknown": "unknown",
    "best_tier": "best tier alone",
    "fastest_stops": "the race's fastest stops",
    "time_band": "each team's best stop, by time",
    "top_places": "runs of races among the first",
    "points_per_million": "points per million",
    "field_mean": "points against the field's mean",
    "grid": "starting grid",
    "last_session": "classification of the session before",
    "total": "weekend total of each asset",
    "category": "each item of each session",
}


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(part) for part in value)
    return signed(value) if isinstance(value, int) else _NAMES.get(value, value)


def _money(value: Value) -> str:
    return millions(value) if isinstance(value, int) else _plain(value)


def _limit(value: Value) -> str:
    return _money(value) if value else "none"


def _cap(value: Value) -> str:
    return f"±{value}" if value else "none"


def _below_price(value: Value) -> str:
    return f"below {_money(value)}" if value else "any driver"


def _below_seconds(value: Value) -> str:
    times = value if isinstance(value, list) else [value]
    return ", ".join(f"below {int(time) / 1000:.2f} s" for time in times)


def _factor(value: Value) -> str:
    return f"×{value}"


def _session(value: Value) -> str:
    names = value if isinstance(value, list) else [value]
    return " or ".join(_SESSIONS.get(name, name) for name in names)


def _start(value: Value) -> str:
    return f"start of {_session(value)}"


def _first_race(value: Value) -> str:
    return race_name(str(value)) if value else "first race"


def _counting(value: Value) -> str:
    return "difference between two locks" if value else "every confirmed swap"


def _place(value: Value) -> str:
    return f"{value}th"


def _thousandths(value: Value) -> str:
    return ", ".join(f"{part / 1000:.3f}" for part in value) if isinstance(value, list) else _plain(value)


def _tenths(value: Value) -> str:
    return ", ".join(signed(part / 10) for part in value) if isinstance(value, list) else _plain(value)


def _tiers(value: Value) -> str:
    return ", ".join(map(_money, value)) if isinstance(value, list) else _plain(value)


def _steps(value: Value) -> str:
    return " / ".join(", ".join(map(change, row)) for row in value) if isinstance(value, list) else _plain(value)


_Words = tuple[str, Callable[[Value], str]]

_OF_SESSION: dict[str, _Words] = {
    "position_points": ("Points by place, from 1st down", _plain),
    "finished": ("Finished (classified)", _plain),
    "ahead_of_team_mate": ("Ahead of the team-mate", _plain),
    "places_from": ("Places gained and lost count from", _plain),
    "position_gained": ("Each place gained", _plain),
    "position_lost": ("Each place lost", _plain),
    "places_points_max": ("Most points for places, either way", _cap),
    "overtake": ("Each overtake", _plain),
    "fastest_lap": ("Fastest lap", _plain),
    "driver_of_the_day": ("Driver of the Day", _plain),
    "not_classified": ("Not classified: retired, too few laps, did not start", _plain),
    "withdrawn_before_grid": ("Withdrawn before the grid formed", _plain),
    "disqualified": ("Disqualified", _plain),
    "disqualified_keeps_overtakes": ("Disqualified keeps his overtakes", _plain),
}
_OF_CHIP: dict[str, _Words] = {
    "from_race": ("May be played from the team's race", _plain),
    "stops_carry_over": ("Unused free transfers are lost with it", _plain),
    "multiplier": ("Factor", _factor),
    "floor": ("Floored at 0", _plain),
    "after_sessions": ("Swap after", _session),
}
_OTHER: dict[str, _Words] = {
    "lock.normal_weekend": ("Lock of a normal weekend", _start),
    "lock.sprint_weekend": ("Lock of a sprint weekend", _start),
    "team.driver_count": ("Drivers", _plain),
    "team.constructor_count": ("Constructors", _plain),
    "team.budget_tenths": ("Money at the start", _money),
    "boost.multiplier": ("Free boost, one driver's whole weekend", _factor),
    "boost.price_below_tenths": ("Who may have it, by price at the lock", _below_price),
    "transfers.free_per_race": ("Free transfers per race", _plain),
    "transfers.carried_over_max": ("Unused ones that carry over, at most", _plain),
    "transfers.extra_points": ("Each transfer above", _plain),
    "transfers.is_net": ("What counts as a transfer", _counting),
    "transfers.kind": ("Rules", _plain),
    "chips.kind": ("Rules", _plain),
    "chips.per_race": ("Chips per race", _plain),
    "chips.uses_per_season": ("Uses of each chip per season", _plain),
    "inactive.normal_weekend_points": ("Each inactive driver held, normal weekend", _plain),
    "inactive.sprint_weekend_points": ("Each inactive driver held, sprint weekend", _plain),
    "inactive.first_race_key": ("In force from", _first_race),
    "qualifying.q3_last_position": ("Q3 ends with place", _place),
    "qualifying.q2_last_position": ("Q2 ends with place", _place),
    "qualifying.reached_q3": ("Reached Q3", _plain),
    "qualifying.eliminated_in_q2": ("Out in Q2", _plain),
    "qualifying.eliminated_in_q1": ("Out in Q1", _plain),
    "qualifying.not_classified": ("No time, or not classified", _plain),
    "qualifying.absent": ("In the event, but not in qualifying", _plain),
    "constructor.nets_places": ("Places of both cars are netted per session", _plain),
    "constructor.qualifying_disqualified_extra": ("Extra for each car disqualified from qualifying", _plain),
    "constructor.sprint_disqualified_extra": ("Extra for each car disqualified from the sprint", _plain),
    "constructor.race_disqualified_extra": ("Extra for each car disqualified from the race", _plain),
    "qualifying_bonus.kind": ("Bonus in qualifying", _plain),
    "qualifying_bonus.both_drivers_q3": ("Both cars in Q3", _plain),
    "qualifying_bonus.one_driver_q3": ("One car in Q3", _plain),
    "qualifying_bonus.both_drivers_q2": ("Both cars in Q2", _plain),
    "qualifying_bonus.one_driver_q2": ("One car in Q2", _plain),
    "qualifying_bonus.no_driver_q2": ("No car in Q2", _plain),
    "qualifying_bonus.no_car_classified": ("No car in Q2, and none classified", _plain),
    "pit_stops.kind": ("What scores", _plain),
    "pit_stops.fastest_points": ("Fastest, second and third fastest stop of the race", _plain),
    "pit_stops.band_below_ms": ("Bands of the team's best stationary stop", _below_seconds),
    "pit_stops.band_points": ("Points of these bands", _plain),
    "pit_stops.overall_fastest": ("Fastest stop of the race, on top", _plain),
    "pit_stops.world_record": ("World record, on top", _plain),
    "pit_stops.record_below_ms": ("World record is", _below_seconds),
    "streaks.kind": ("Streaks", _plain),
    "streaks.last_position": ("Places that count, to the", _place),
    "streaks.driver_race_count": ("Driver: weekends in a row", _plain),
    "streaks.driver_qualifying": ("Driver: streak in qualifying", _plain),
    "streaks.driver_race": ("Driver: streak in the race", _plain),
    "streaks.constructor_race_count": ("Constructor, both cars: weekends in a row", _plain),
    "streaks.constructor_qualifying": ("Constructor: streak in qualifying", _plain),
    "streaks.constructor_race": ("Constructor: streak in the race", _plain),
    "prices.kind": ("Rule", _plain),
    "prices.first_race_key": ("In force from", _first_race),
    "prices.race_count": ("Races that count, the last one included", _plain),
    "prices.value_from_thousandths": ("Limits of points per million", _thousandths),
    "prices.driver_mean_tenths": ("Limits of drivers, in means", _tenths),
    "prices.constructor_mean_tenths": ("Limits of constructors, in means", _tenths),
    "prices.is_limit_included": ("Points equal to a limit are beyond it", _plain),
    "prices.tier_from_tenths": ("Tiers from", _tiers),
    "prices.tier_steps_tenths": ("Steps, tier by tier", _steps),
    "prices.minimum_tenths": ("Lowest price", _limit),
    "prices.maximum_tenths": ("Highest price", _limit),
}
WORDS: dict[str, _Words] = {
    **{
        f"{session}.{name}": words
        for session in ("qualifying", "sprint", "race")
        for name, words in _OF_SESSION.items()
    },
    **_OTHER,
}


def words_of(key: str) -> _Words:
    """Find what a constant is called and how it is written.

    Parameters
    ----------
    key : str
        Key with its section, such as ``race.fastest_lap`` or ``prices[0].race_count``.

    Returns
    -------
    tuple of str and function
        Label, and what turns the value into text. A key without words is called by its own name.
    """
    plain = re.sub(r"\[\d+\]", "", key)
    section, _, name = plain.rpartition(".")
    if section.startswith("chips.") and name in _OF_CHIP:
        return _OF_CHIP[name]
    return WORDS.get(plain, (name.replace("_", " ").capitalize(), _plain))
