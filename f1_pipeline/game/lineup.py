"""A fantasy line-up and the rules that make it legal.

Here: the assets on the menu of a race, the line-up that picks some of them, its cost, its points and the
check that it breaks no rule. Not here: how an asset scores its points, what the limits are in a given season
(`f1_pipeline.game.rules`) and how a good line-up is found (`f1_pipeline.optimize`). Everything that proposes
a line-up has it judged by `validate` in this module.

Money is integer tenths of a million: 24.7 on the page of the game is 247 here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from f1_pipeline.errors import DataError, RuleError

DRIVER = "driver"
CONSTRUCTOR = "constructor"
ASSET_TYPES = (DRIVER, CONSTRUCTOR)

AssetKey = tuple[str, str]
"""An asset as (asset_type, asset_id), such as ("driver", "lando-norris")."""


@dataclass(frozen=True)
class Asset:
    """One driver or constructor on the menu of a race.

    Parameters
    ----------
    asset_type
        "driver" or "constructor".
    asset_id
        Slug of the driver or constructor.
    price_tenths
        Price at the lock of the race, in tenths of a million.
    """

    asset_type: str
    asset_id: str
    price_tenths: int

    @property
    def key(self) -> AssetKey:
        """Return (asset_type, asset_id)."""
        return (self.asset_type, self.asset_id)


@dataclass(frozen=True)
class Lineup:
    """The assets held for one race and the driver who carries the boost.

    Parameters
    ----------
    drivers
        Driver ids.
    constructors
        Constructor ids.
    boosted_driver
        The driver whose whole weekend is multiplied.
    """

    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    boosted_driver: str

    @property
    def asset_keys(self) -> tuple[AssetKey, ...]:
        """Return the key of every asset held, drivers first, in the order given."""
        return (
            *((DRIVER, driver_id) for driver_id in self.drivers),
            *((CONSTRUCTOR, constructor_id) for constructor_id in self.constructors),
        )


@dataclass(frozen=True)
class LineupRules:
    """The limits that a line-up keeps in one race.

    Parameters
    ----------
    driver_count
        Drivers to hold, at least 1.
    constructor_count
        Constructors to hold, at least 1 (one in 2022, two since 2023).
    budget_tenths
        Most that the line-up may cost, in tenths of a million.
    boost_multiplier
        Factor on the weekend of the boosted driver, at least 1 (2 for the weekly boost, 3 with the chip).

    Raises
    ------
    RuleError
        A limit is out of its range.
    """

    driver_count: int
    constructor_count: int
    budget_tenths: int
    boost_multiplier: float

    def __post_init__(self) -> None:
        minimums = {"driver_count": 1, "constructor_count": 1, "budget_tenths": 0, "boost_multiplier": 1}
        for name, minimum in minimums.items():
            value = getattr(self, name)
            # Written as "not at least" so that NaN is refused as well.
            if not value >= minimum:
                raise RuleError(f"Line-up rule {name}: expected at least {minimum}, found {value}.")


def money(tenths: int) -> str:
    """Write an amount as the game does.

    Parameters
    ----------
    tenths
        Amount in tenths of a million.

    Returns
    -------
    str
        Such as "$24.7M".
    """
    sign = "-" if tenths < 0 else ""
    return f"{sign}${abs(tenths) // 10}.{abs(tenths) % 10}M"


def menu_prices(assets: Iterable[Asset]) -> dict[AssetKey, int]:
    """Index the prices of a menu by asset.

    Parameters
    ----------
    assets
        The assets that can be held in one race.

    Returns
    -------
    dict
        Price in tenths of a million by (asset_type, asset_id).

    Raises
    ------
    DataError
        An asset type is unknown, or an asset is listed twice.
    """
    prices: dict[AssetKey, int] = {}
    for asset in assets:
        if asset.asset_type not in ASSET_TYPES:
            raise DataError(
                f"Menu asset {asset.asset_id!r}: expected asset_type driver or constructor, found {asset.asset_type!r}."
            )
        if asset.key in prices:
            raise DataError(f"Menu: expected each asset once, found {asset.asset_type} {asset.asset_id!r} twice.")
        prices[asset.key] = asset.price_tenths
    return prices


def validate(lineup: Lineup, prices: Mapping[AssetKey, int], rules: LineupRules) -> None:
    """Check that a line-up breaks no rule.

    Parameters
    ----------
    lineup
        The line-up to judge.
    prices
        Price in tenths of a million of every asset on the menu, by (asset_type, asset_id).
    rules
        The limits of the race.

    Raises
    ------
    RuleError
        The number of drivers or constructors is wrong, an asset is held twice or is not on the menu, the
        boost is not on a driver that is held, or the line-up costs more than the budget.

    References
    ----------
    Official game rules, seasons 2023-2026 (copies seen 2026): five drivers and two constructors within the
    budget, no duplicate asset, the boost on one held driver and never on a constructor.
    """
    _check_counts(lineup, rules)
    _check_assets(lineup, prices)
    _check_boost(lineup)
    cost_tenths = lineup_cost_tenths(lineup, prices)
    if cost_tenths > rules.budget_tenths:
        raise RuleError(
            f"Line-up budget: expected at most {money(rules.budget_tenths)}, found {money(cost_tenths)} "
            f"({money(cost_tenths - rules.budget_tenths)} too much)."
        )


def lineup_cost_tenths(lineup: Lineup, prices: Mapping[AssetKey, int]) -> int:
    """Add up the prices of a line-up.

    Parameters
    ----------
    lineup
        The line-up.
    prices
        Price in tenths of a million by (asset_type, asset_id).

    Returns
    -------
    int
        Cost in tenths of a million.

    Raises
    ------
    RuleError
        An asset that is held has no price on the menu.
    """
    _check_assets(lineup, prices)
    return sum(prices[key] for key in lineup.asset_keys)


def lineup_points(lineup: Lineup, points: Mapping[AssetKey, float], rules: LineupRules) -> float:
    """Add up the points of a line-up, the boost included.

    Parameters
    ----------
    lineup
        The line-up.
    points
        Weekend points by (asset_type, asset_id), actual or expected.
    rules
        The limits of the race; only `boost_multiplier` is used.

    Returns
    -------
    float
        Points of the team for the weekend.

    Raises
    ------
    DataError
        An asset that is held has no points: a missing score is not a zero.
    RuleError
        The boost is not on a driver that is held.

    References
    ----------
    Official game rules, seasons 2023-2026: the boost multiplies the whole weekend of one driver, qualifying,
    sprint and race together, negative points included.
    """
    _check_boost(lineup)
    for asset_type, asset_id in lineup.asset_keys:
        if (asset_type, asset_id) not in points:
            raise DataError(f"Line-up points: expected the points of {asset_type} {asset_id!r}, found none.")
    extra = (rules.boost_multiplier - 1) * points[DRIVER, lineup.boosted_driver]
    return sum(points[key] for key in lineup.asset_keys) + extra


def _check_counts(lineup: Lineup, rules: LineupRules) -> None:
    held = (
        ("drivers", len(lineup.drivers), rules.driver_count),
        ("constructors", len(lineup.constructors), rules.constructor_count),
    )
    for name, found, expected in held:
        if found != expected:
            raise RuleError(f"Line-up {name}: expected {expected}, found {found}.")
    for (asset_type, asset_id), count in Counter(lineup.asset_keys).items():
        if count > 1:
            raise RuleError(
                f"Line-up duplicate: expected each asset once, found {asset_type} {asset_id!r} {count} times."
            )


def _check_assets(lineup: Lineup, prices: Mapping[AssetKey, int]) -> None:
    for asset_type, asset_id in lineup.asset_keys:
        if (asset_type, asset_id) not in prices:
            raise RuleError(
                f"Line-up asset: expected a {asset_type} on the menu of the race, found unknown {asset_id!r}."
            )


def _check_boost(lineup: Lineup) -> None:
    if lineup.boosted_driver in lineup.drivers:
        return
    if lineup.boosted_driver in lineup.constructors:
        raise RuleError(f"Line-up boost: expected a driver, found constructor {lineup.boosted_driver!r}.")
    raise RuleError(
        f"Line-up boost: expected one of the drivers held ({', '.join(lineup.drivers)}), "
        f"found {lineup.boosted_driver!r}."
    )
