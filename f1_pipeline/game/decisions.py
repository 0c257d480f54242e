"""What a team is offered before a race and what it decides: seats, the menu at the lock, the decision.

Belongs here: the names of the game's assets and the values that go into :meth:`f1_pipeline.game.team.Team.apply`.
What they do to a team is :mod:`f1_pipeline.game.team`.

In the game a driver in a seat is the asset: whoever changes teams becomes a new asset, and those who hold the old one
hold an inactive asset until they transfer it. So a driver asset is named by its seat, ``yuki-tsunoda@red-bull``, in
prices, line-ups and teams alike; a constructor by its id. A decision may name a driver by his id alone and then means
the seat he has at that race, or, when he has none, the one that the team holds or else the one that is inactive.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.chips import Chip, ExtraBoost, FinalFix
from f1_pipeline.game.lineup import ASSET_TYPES, DRIVER, AssetKey, Lineup

_SEAT_MARK = "@"


def seat_id(driver_id: str, constructor_id: str) -> str:
    """Name the seat of a driver, the asset that the game trades.

    Parameters
    ----------
    driver_id, constructor_id : str
        Slugs of the facts.

    Returns
    -------
    str
        Such as ``yuki-tsunoda@red-bull``.
    """
    return f"{driver_id}{_SEAT_MARK}{constructor_id}"


def driver_of(seat: str) -> str:
    """Return the driver id of a seat, or of a driver id itself.

    Parameters
    ----------
    seat : str
        A seat or a driver id.

    Returns
    -------
    str
        Driver id.
    """
    return seat.partition(_SEAT_MARK)[0]


def asset_key(asset_type: str, asset_id: str, constructor_id: str) -> AssetKey:
    """Name an asset of the facts as the game trades it.

    Parameters
    ----------
    asset_type : str
        driver or constructor.
    asset_id : str
        Driver or constructor id, as in prices and scores.
    constructor_id : str
        The constructor that the asset belongs to.

    Returns
    -------
    AssetKey
        ("driver", seat) or ("constructor", constructor id).

    Raises
    ------
    DataError
        The asset type is unknown.
    """
    if asset_type not in ASSET_TYPES:
        raise DataError(f"Asset {asset_id!r}: expected asset_type driver or constructor, found {asset_type!r}.")
    return (asset_type, seat_id(asset_id, constructor_id) if asset_type == DRIVER else asset_id)


def seats_of(keys: Iterable[AssetKey]) -> dict[str, str]:
    """Index the seats among some assets by driver.

    Parameters
    ----------
    keys : iterable of AssetKey
        Assets as the game trades them.

    Returns
    -------
    dict
        Seat by driver id.

    Raises
    ------
    DataError
        A driver is named without his constructor, or has two seats.
    """
    seats: dict[str, str] = {}
    for asset_type, asset_id in keys:
        if asset_type != DRIVER:
            continue
        if _SEAT_MARK not in asset_id:
            raise DataError(f"Driver asset: expected a seat such as driver{_SEAT_MARK}constructor, found {asset_id!r}.")
        if driver_of(asset_id) in seats:
            raise DataError(
                f"Driver {driver_of(asset_id)!r}: expected one seat at a race, "
                f"found {seats[driver_of(asset_id)]!r} and {asset_id!r}."
            )
        seats[driver_of(asset_id)] = asset_id
    return seats


@dataclass(frozen=True)
class RaceMenu:
    """What can be held at the lock of a race.

    Parameters
    ----------
    race_key
        The race.
    calendar
        Race keys of the season in order of date.
    has_sprint
        Whether the weekend has a sprint.
    prices
        Price in tenths of a million by asset, every asset that takes part and, if known, others; copied.
    inactive
        Driver assets with a price that take no part. A driver asset without a price is inactive as well.

    Raises
    ------
    DataError
        The race is not in the calendar, a price is not a positive whole number, an active driver has two seats, or
        a constructor is called inactive.
    """

    race_key: str
    calendar: tuple[str, ...]
    has_sprint: bool
    prices: Mapping[AssetKey, int]
    inactive: frozenset[AssetKey] = frozenset()
    seats: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.race_key not in self.calendar:
            raise DataError(f"{self.race_key}: expected one of the races of the calendar, {', '.join(self.calendar)}.")
        for (asset_type, asset_id), price in self.prices.items():
            if asset_type not in ASSET_TYPES or type(price) is not int or price < 1:
                raise DataError(
                    f"{self.race_key}: price of {asset_type} {asset_id!r}: expected a driver or constructor and whole "
                    f"tenths of a million, 1 or more, found {price!r}."
                )
        for asset_type, asset_id in self.inactive:
            if asset_type != DRIVER:
                raise DataError(f"{self.race_key}: inactive assets: expected drivers, found {asset_type} {asset_id!r}.")
        # A frozen dataclass with a mapping is immutable only if nobody else holds the mapping.
        object.__setattr__(self, "prices", MappingProxyType(dict(self.prices)))
        active = (key for key in self.prices if key not in self.inactive)
        object.__setattr__(self, "seats", MappingProxyType(seats_of(active)))

    def __reduce__(self) -> tuple[type["RaceMenu"], tuple[object, ...]]:
        # A mapping proxy can be neither copied nor sent to another process; the values can.
        return RaceMenu, (self.race_key, self.calendar, self.has_sprint, dict(self.prices), self.inactive)

    def is_active(self, key: AssetKey) -> bool:
        """Return whether an asset takes part in the race."""
        return key in self.prices and key not in self.inactive

    def is_at_or_after(self, first_race_key: str) -> bool:
        """Return whether the race is not before another one of the season; an empty key is the first race."""
        if not first_race_key:
            return True
        if first_race_key not in self.calendar:
            raise DataError(f"{self.race_key}: expected {first_race_key} in the calendar, {', '.join(self.calendar)}.")
        return self.calendar.index(self.race_key) >= self.calendar.index(first_race_key)


@dataclass(frozen=True)
class Decision:
    """What a team wants at the lock of a race.

    Parameters
    ----------
    lineup
        Line-up and boosted driver wanted; under Limitless the line-up of that race alone.
    chip
        Chip to play, if any.
    swap_count
        Swaps confirmed on the way to the line-up; none: as many as the line-ups differ by. It is what 2023 to 2025
        charge; 2026 charges the difference.
    """

    lineup: Lineup
    chip: Chip | None = None
    swap_count: int | None = None


def seated(decision: Decision, menu: RaceMenu, held: Lineup) -> Decision:
    """Name every driver of a decision by his seat, and order the line-up.

    Parameters
    ----------
    decision : Decision
        Drivers named by seat or by id.
    menu : RaceMenu
        The menu at the lock.
    held : Lineup
        What the team holds, named by seat.

    Returns
    -------
    Decision
        The same, drivers and constructors sorted; a driver who is neither on the menu nor held keeps his name.

    Raises
    ------
    RuleError
        A driver is named by his id alone, has no seat, and the team holds two of his former ones.
    """
    chip = decision.chip
    if isinstance(chip, ExtraBoost):
        chip = replace(chip, driver=seat_at(chip.driver, menu, held))
    elif isinstance(chip, FinalFix):
        chip = seated_swap(chip, menu, held)
    wanted = decision.lineup
    lineup = Lineup(
        tuple(sorted(seat_at(driver, menu, held) for driver in wanted.drivers)),
        tuple(sorted(wanted.constructors)),
        seat_at(wanted.boosted_driver, menu, held),
    )
    return replace(decision, lineup=lineup, chip=chip)


def seated_swap(chip: FinalFix, menu: RaceMenu, held: Lineup) -> FinalFix:
    """Name the drivers of a Final Fix by their seats.

    Parameters
    ----------
    chip : FinalFix
        Drivers named by seat or by id.
    menu : RaceMenu
        The menu at the lock.
    held : Lineup
        What the team holds, named by seat.

    Returns
    -------
    FinalFix
        The same swap.

    Raises
    ------
    RuleError
        As for :func:`seat_at`.
    """
    return replace(chip, outgoing=seat_at(chip.outgoing, menu, held), incoming=seat_at(chip.incoming, menu, held))


def seat_at(name: str, menu: RaceMenu, held: Lineup) -> str:
    """Find the seat that a driver's name means at a race.

    Parameters
    ----------
    name : str
        Seat or driver id.
    menu : RaceMenu
        The menu at the lock.
    held : Lineup
        What the team holds, named by seat.

    Returns
    -------
    str
        The seat: at the race, else the one held, else the one that is inactive; the name itself where there is none.

    Raises
    ------
    RuleError
        The driver has no seat at the race and the team holds two of his former ones.
    """
    if _SEAT_MARK in name or name in menu.seats:
        return menu.seats.get(name, name)
    former = [seat for seat in held.drivers if driver_of(seat) == name]
    if len(former) > 1:
        raise RuleError(f"{menu.race_key}: driver {name!r}: expected a seat, the team holds {' and '.join(former)}.")
    # Named by his seat, one who sits out is refused as inactive and not as unknown.
    idle = sorted(seat for _, seat in menu.inactive if driver_of(seat) == name)
    return (*former, *idle, name)[0]
