"""What a decision must keep to: the line-up, what may be bought, and the arguments of chips.

Belongs here: checks that refuse, each naming the race and the rule. The limits of a bare line-up are
:func:`f1_pipeline.game.lineup.validate`; counting transfers is :mod:`f1_pipeline.game.team`.
"""

from collections.abc import Mapping

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import ExtraBoost, FinalFix, session_order
from f1_pipeline.game.decisions import RaceMenu
from f1_pipeline.game.lineup import DRIVER, AssetKey, Lineup, LineupRules, money, validate
from f1_pipeline.game.rules import SeasonRules


def check_lineup(
    lineup: Lineup, prices: Mapping[AssetKey, int], rules: SeasonRules, budget_tenths: int, where: str
) -> None:
    """Check counts, duplicates, unknown assets, the boost, who may have it, and the budget.

    Parameters
    ----------
    lineup : Lineup
        The line-up wanted, drivers by seat.
    prices : mapping of AssetKey to int
        Price in tenths of a million of everything that can be held.
    rules : SeasonRules
        The rules of the season.
    budget_tenths : int
        Most that the line-up may cost.
    where : str
        Race key, or what else to open the message with.

    Raises
    ------
    RuleError
        The line-up breaks a rule.
    """
    limits = LineupRules(
        rules.team.driver_count, rules.team.constructor_count, budget_tenths, boost_multiplier=rules.boost.multiplier
    )
    try:
        validate(lineup, prices, limits)
    except RuleError as error:
        raise RuleError(f"{where}: {error}") from None
    price, below = prices[DRIVER, lineup.boosted_driver], rules.boost.price_below_tenths
    if below and price >= below:
        raise RuleError(
            f"{where}: Line-up boost: expected a driver below {money(below)}, "
            f"found {lineup.boosted_driver!r} at {money(price)}."
        )


def check_bought(held: Lineup, wanted: Lineup, menu: RaceMenu) -> None:
    """Check that nothing inactive is bought; what is held already may stay.

    Parameters
    ----------
    held, wanted : Lineup
        The line-ups before and after the transfers.
    menu : RaceMenu
        The menu at the lock.

    Raises
    ------
    RuleError
        An inactive asset is bought.
    """
    for asset_type, asset_id in set(wanted.asset_keys) - set(held.asset_keys):
        if (asset_type, asset_id) in menu.inactive:
            raise RuleError(
                f"{menu.race_key}: inactive asset: expected a {asset_type} who takes part, found {asset_id!r}."
            )


def check_extra_boost(chip: ExtraBoost, lineup: Lineup, menu: RaceMenu) -> None:
    """Check that the extra boost is on a second driver of the line-up.

    Parameters
    ----------
    chip : ExtraBoost
        The chip, its driver named as in the line-up.
    lineup : Lineup
        The line-up fielded.
    menu : RaceMenu
        The menu at the lock.

    Raises
    ------
    RuleError
        The driver is not held, or has the free boost.
    """
    if chip.driver not in lineup.drivers:
        raise RuleError(
            f"{menu.race_key}: chip extra_boost: expected one of the drivers held ({', '.join(lineup.drivers)}), "
            f"found {chip.driver!r}."
        )
    if chip.driver == lineup.boosted_driver:
        raise RuleError(
            f"{menu.race_key}: chip extra_boost: expected another driver than the one with the free boost, "
            f"found {chip.driver!r}."
        )


def check_swap_session(chip: FinalFix, rules: SeasonRules, menu: RaceMenu) -> None:
    """Check that the swap is made after a session that allows it.

    Parameters
    ----------
    chip : FinalFix
        The chip.
    rules : SeasonRules
        The rules of the season.
    menu : RaceMenu
        The menu at the lock.

    Raises
    ------
    RuleError
        The swap is not allowed after that session, or the weekend has no such session.
    """
    allowed = [
        session for session in session_order(rules, menu.has_sprint) if session in rules.chips.final_fix.after_sessions
    ]
    if chip.after_session not in allowed:
        raise RuleError(
            f"{menu.race_key}: chip final_fix: expected the swap after {' or '.join(allowed)}, "
            f"found {chip.after_session!r}."
        )


def check_swap(chip: FinalFix, lineup: Lineup, menu: RaceMenu, funds_tenths: int) -> None:
    """Check that a Final Fix swaps a driver held for one who takes part and can be paid.

    Parameters
    ----------
    chip : FinalFix
        The swap, drivers by seat.
    lineup : Lineup
        The line-up fielded.
    menu : RaceMenu
        The menu at the lock.
    funds_tenths : int
        Bank and price of the driver who goes.

    Raises
    ------
    RuleError
        The swap breaks a rule.
    """
    if chip.outgoing not in lineup.drivers:
        raise RuleError(
            f"{menu.race_key}: chip final_fix: expected one of the drivers held ({', '.join(lineup.drivers)}) to go, "
            f"found {chip.outgoing!r}."
        )
    if chip.incoming in lineup.drivers or not menu.is_active((DRIVER, chip.incoming)):
        raise RuleError(
            f"{menu.race_key}: chip final_fix: expected a driver who takes part and is not held to come, "
            f"found {chip.incoming!r}."
        )
    price = menu.prices[DRIVER, chip.incoming]
    if price > funds_tenths:
        raise RuleError(
            f"{menu.race_key}: chip final_fix: expected a driver of at most {money(funds_tenths)}, "
            f"found {chip.incoming!r} at {money(price)}."
        )
