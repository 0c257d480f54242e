"""A team of the game through a season: a value that decisions and results turn into the next value.

Belongs here: money, transfers, the chips that are left, and whether a decision is legal. What a line-up scores is
:mod:`f1_pipeline.game.settlement`, what a decision holds :mod:`f1_pipeline.game.decisions`. Nothing is ever changed in
place; every race is one :meth:`Team.apply` at its lock and one :meth:`LockedTeam.settle` after it::

    team = Team.start(lineup, prices, rules)
    team, result = team.apply(decision, menu).settle(items, new_prices)

What a team holds between two races is its line-up at the last lock (before Limitless and before Final Fix, which are
for one race), so transfers counted net are the difference between that and the line-up wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.chips import (
    Chip,
    ExtraBoost,
    FinalFix,
    Limitless,
    Wildcard,
    chip_rules,
    spend_chip,
    start_chips,
)
from f1_pipeline.game.decisions import Decision, RaceMenu, seated, seated_swap, seats_of
from f1_pipeline.game.legality import check_bought, check_extra_boost, check_lineup, check_swap, check_swap_session
from f1_pipeline.game.lineup import (
    CONSTRUCTOR,
    DRIVER,
    AssetKey,
    Lineup,
    lineup_cost_tenths,
)
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.settlement import RaceItems, RaceResult, inactive_points, index_items, score_lineup


@dataclass(frozen=True)
class Team:
    """A team between two races.

    Parameters
    ----------
    rules
        The rules of the season.
    lineup
        Assets held and boosted driver, drivers by seat, sorted; equal to that of the last lock.
    price_tenths
        Last known price of each asset held, in the order of ``lineup.asset_keys``.
    bank_tenths
        Money that is not in assets.
    free_transfers
        Free transfers at the next race, the carried one included; before the first race transfers are not counted.
    chips_left
        Names of the chips that can still be played, sorted.
    races_played
        Races locked so far.
    last_race_key
        The last of them, empty before the first.
    """

    rules: SeasonRules
    lineup: Lineup
    price_tenths: tuple[int, ...]
    bank_tenths: int
    free_transfers: int
    chips_left: tuple[str, ...]
    races_played: int = 0
    last_race_key: str = ""

    @classmethod
    def start(cls, lineup: Lineup, prices: Mapping[AssetKey, int], rules: SeasonRules) -> "Team":
        """Found a team with the starting budget.

        Parameters
        ----------
        lineup : Lineup
            First line-up, drivers by seat or by id; it can change freely until the first race.
        prices : mapping of AssetKey to int
            Price in tenths of a million of every asset that can be bought, drivers by seat.
        rules : SeasonRules
            The rules of the season.

        Returns
        -------
        Team
            The team before its first race.

        Raises
        ------
        RuleError
            The line-up breaks a rule.
        DataError
            A driver of the prices has no seat, or two.
        """
        where = f"{rules.season} start"
        seats = seats_of(prices)
        own = Lineup(
            tuple(sorted(seats.get(driver, driver) for driver in lineup.drivers)),
            tuple(sorted(lineup.constructors)),
            seats.get(lineup.boosted_driver, lineup.boosted_driver),
        )
        check_lineup(own, prices, rules, rules.team.budget_tenths, where)
        return cls(
            rules=rules,
            lineup=own,
            price_tenths=tuple(prices[key] for key in own.asset_keys),
            bank_tenths=rules.team.budget_tenths - lineup_cost_tenths(own, prices),
            free_transfers=rules.transfers.free_per_race,
            chips_left=start_chips(rules),
        )

    @property
    def drivers(self) -> tuple[str, ...]:
        """Return the seats held."""
        return self.lineup.drivers

    @property
    def constructors(self) -> tuple[str, ...]:
        """Return the constructors held."""
        return self.lineup.constructors

    @property
    def boosted_driver(self) -> str:
        """Return the seat that has the boost."""
        return self.lineup.boosted_driver

    @property
    def value_tenths(self) -> int:
        """Return what the assets held are worth, in tenths of a million at their last known prices."""
        return sum(self.price_tenths)

    @property
    def budget_tenths(self) -> int:
        """Return the money for a line-up: bank and value, in tenths of a million."""
        return self.bank_tenths + self.value_tenths

    def apply(self, decision: Decision, menu: RaceMenu) -> "LockedTeam":
        """Lock a decision in.

        Parameters
        ----------
        decision : Decision
            What is wanted.
        menu : RaceMenu
            What can be held at the lock.

        Returns
        -------
        LockedTeam
            The team during the race.

        Raises
        ------
        RuleError
            The decision breaks a rule; the message names the race and the rule.
        DataError
            A constructor that is held has no price.
        """
        self._check_order(menu)
        now = self._repriced(menu.prices, menu.race_key)
        decision = seated(decision, menu, self.lineup)
        wanted, chip = decision.lineup, decision.chip
        chips_left = self._spend(chip, menu)
        prices = {**dict(zip(now.lineup.asset_keys, now.price_tenths, strict=True)), **menu.prices}
        check_bought(self.lineup, wanted, menu)
        # Limitless has no budget: the dearest line-up costs less than the whole menu.
        budget = sum(prices.values()) if isinstance(chip, Limitless) else now.budget_tenths
        check_lineup(wanted, prices, self.rules, budget, menu.race_key)
        if isinstance(chip, ExtraBoost):
            check_extra_boost(chip, wanted, menu)
        transfer_count = self._transfer_count(decision, menu)
        kept = replace(
            now if isinstance(chip, Limitless) else now._holding(wanted, prices),
            free_transfers=self._free_transfers_next(chip, transfer_count),
            chips_left=chips_left,
            races_played=self.races_played + 1,
            last_race_key=menu.race_key,
        )
        extra = max(0, transfer_count - self.free_transfers)
        locked = LockedTeam(
            menu=menu,
            fielded=wanted,
            kept=kept,
            chip=None if isinstance(chip, FinalFix) else chip,
            transfer_count=transfer_count,
            transfer_points=extra * self.rules.transfers.extra_points,
        )
        return locked._with_final_fix(chip) if isinstance(chip, FinalFix) else locked

    def _check_order(self, menu: RaceMenu) -> None:
        if menu.race_key.partition("-")[0] != str(self.rules.season):
            raise RuleError(
                f"{menu.race_key}: season: expected a race of {self.rules.season}, whose rules the team plays by."
            )
        if self.last_race_key and (menu.race_key == self.last_race_key or not menu.is_at_or_after(self.last_race_key)):
            raise RuleError(f"{menu.race_key}: order of races: expected one after {self.last_race_key}.")

    def _spend(self, chip: Chip | None, menu: RaceMenu) -> tuple[str, ...]:
        if chip is None:
            return self.chips_left
        return spend_chip(chip, self.chips_left, self.rules, self.races_played + 1, menu.race_key)

    def _transfer_count(self, decision: Decision, menu: RaceMenu) -> int:
        """Count the transfers that are held against the free ones."""
        net = len(set(decision.lineup.asset_keys) - set(self.lineup.asset_keys))
        swaps = net if decision.swap_count is None else decision.swap_count
        # One swap changes the line-up, so a way that leads back has at least two.
        if swaps < net or (net == 0 and swaps == 1):
            raise RuleError(
                f"{menu.race_key}: transfers: expected a swap count that leads to {net} changes, found {swaps}."
            )
        if self.races_played == 0 or isinstance(decision.chip, Wildcard | Limitless):
            return 0
        return net if self.rules.transfers.is_net else swaps

    def _free_transfers_next(self, chip: Chip | None, transfer_count: int) -> int:
        rules = self.rules.transfers
        if self.races_played == 0 or (chip is not None and chip_rules(chip, self.rules).stops_carry_over):
            return rules.free_per_race
        unused = max(0, self.free_transfers - transfer_count)
        return rules.free_per_race + min(unused, rules.carried_over_max)

    def _holding(self, wanted: Lineup, prices: Mapping[AssetKey, int]) -> "Team":
        cost = lineup_cost_tenths(wanted, prices)
        return replace(
            self,
            lineup=wanted,
            price_tenths=tuple(prices[key] for key in wanted.asset_keys),
            bank_tenths=self.budget_tenths - cost,
        )

    def _repriced(self, prices: Mapping[AssetKey, int], race_key: str) -> "Team":
        for constructor_id in self.constructors:
            if (CONSTRUCTOR, constructor_id) not in prices:
                raise DataError(f"{race_key}: prices: expected one of constructor {constructor_id!r}, found none.")
        held = zip(self.lineup.asset_keys, self.price_tenths, strict=True)
        return replace(self, price_tenths=tuple(prices.get(key, price) for key, price in held))


@dataclass(frozen=True)
class LockedTeam:
    """A team between the lock of a race and its result.

    Parameters
    ----------
    menu
        The menu at the lock.
    fielded
        The line-up that scores, before a Final Fix.
    kept
        The team that goes on after the race, at the prices of the lock: with the line-up fielded, or after Limitless
        with the one held before.
    chip
        The chip played, drivers by seat.
    transfer_count
        Transfers that counted against the free ones.
    transfer_points
        Penalty for those above the free ones, 0 or less.
    """

    menu: RaceMenu
    fielded: Lineup
    kept: Team
    chip: Chip | None
    transfer_count: int
    transfer_points: int

    def final_fix(self, chip: FinalFix) -> "LockedTeam":
        """Play Final Fix after the lock, as the game has it; ``Team.apply`` takes it in the decision as well.

        Parameters
        ----------
        chip : FinalFix
            The swap, drivers by seat or by id.

        Returns
        -------
        LockedTeam
            The team for the sessions that remain.

        Raises
        ------
        RuleError
            Another chip is in play, the chip has been played, or the swap breaks a rule.
        """
        race_key = self.menu.race_key
        if self.chip is not None:
            raise RuleError(f"{race_key}: chip final_fix: expected one chip per race, found {self.chip.name} in play.")
        # `kept` has counted this race already.
        left = spend_chip(chip, self.kept.chips_left, self.kept.rules, self.kept.races_played, race_key)
        paid = replace(self, kept=replace(self.kept, chips_left=left))
        return paid._with_final_fix(seated_swap(chip, self.menu, self.fielded))

    def settle(self, items: pd.DataFrame | RaceItems, new_prices: Mapping[AssetKey, int]) -> tuple[Team, RaceResult]:
        """Score the race and move the prices.

        Parameters
        ----------
        items : pandas.DataFrame or RaceItems
            Scoring items of the race (asset_type, asset_id, event_type, scoring_item, points), drivers by their ids;
            or the same from :func:`f1_pipeline.game.settlement.index_items`.
        new_prices : mapping of AssetKey to int
            Price in tenths of a million after the race, drivers by seat. A driver asset that is not in it keeps its
            price; one who took part and then lost his seat still moves once, so give his price as well.

        Returns
        -------
        tuple of Team and RaceResult
            The team before the next race, and what it scored.

        Raises
        ------
        DataError
            An asset that took part has no items, or a constructor has no price.
        """
        race_key, rules = self.menu.race_key, self.kept.rules
        indexed = index_items(items, race_key) if isinstance(items, pd.DataFrame) else items
        inactive = tuple(key for key in self.fielded.asset_keys if not self.menu.is_active(key))
        result = RaceResult(
            race_key=race_key,
            chip=None if self.chip is None else self.chip.name,
            scores=score_lineup(self.fielded, self.chip, indexed, self.menu, rules),
            transfer_count=self.transfer_count,
            transfer_points=self.transfer_points,
            inactive_keys=inactive,
            inactive_points=inactive_points(inactive, self.menu, rules),
        )
        return self.kept._repriced(new_prices, race_key), result

    def _with_final_fix(self, chip: FinalFix) -> "LockedTeam":
        check_swap_session(chip, self.kept.rules, self.menu)
        price_of = dict(zip(self.kept.lineup.asset_keys, self.kept.price_tenths, strict=True))
        # Only a driver who is held can go; the check names any other.
        funds = self.kept.bank_tenths + price_of.get((DRIVER, chip.outgoing), 0)
        check_swap(chip, self.fielded, self.menu, funds)
        return replace(self, chip=chip)
