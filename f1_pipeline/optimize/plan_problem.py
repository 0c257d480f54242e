"""The plan over several races as data: menus with the prices that are expected, points, your team, what is wanted.

Belongs here: what a planner is told and what it answers, checked once. Not here: the integer programme
(`plan_model`), how it is solved (`plan`, `season_path`), and where forecasts come from (`steps`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from f1_pipeline.errors import DataError, SolverError, UsageError
from f1_pipeline.game.chips import start_chips
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.settlement import inactive_points
from f1_pipeline.game.team import Team

MODELLED_CHIPS = ("autopilot", "extra_boost", "final_fix", "limitless", "no_negative", "wildcard")
SOLVERS = ("highs", "cbc")
NO_CHIP = ""
"""Says of a race that no chip is played there."""


@dataclass(frozen=True)
class PlanSettings:
    """Everything that a planner can be told.

    Attributes
    ----------
    discount : float
        Weight of a race against the one before it, above 0 up to 1: what lies further ahead is less sure.
    money_value : float
        Points that each million dollars gained until after the last race of the plan is worth.
    transfer_value : float
        Points that a free transfer kept beyond the last race is worth.
    chip_values : mapping of str to float
        Points that each chip is worth unplayed, from its best later use: it is played only for more.
    chips : tuple of str, optional
        Chips that may be played; all that are left by default.
    forced_chips : mapping of str to str
        Chip by race key: it is played there; `NO_CHIP`: none is.
    locked, banned : frozenset of AssetKey
        Held at, or kept out of, every race of the plan; drivers by seat or id.
    most_per_team : int, optional
        Most assets, drivers and constructor together, of one team.
    gap : float
        Relative gap to the proven bound at which to stop.
    time_limit_s : float
        Seconds after which to stop with the best plan so far.
    solver : str
        ``highs`` or ``cbc``; HiGHS is several times as fast and proves a tighter bound.
    """

    discount: float = 1.0
    money_value: float = 0.0
    transfer_value: float = 0.0
    chip_values: Mapping[str, float] = field(default_factory=dict)
    chips: tuple[str, ...] | None = None
    forced_chips: Mapping[str, str] = field(default_factory=dict)
    locked: frozenset[AssetKey] = frozenset()
    banned: frozenset[AssetKey] = frozenset()
    most_per_team: int | None = None
    gap: float = 0.01
    time_limit_s: float = 60.0
    solver: str = "highs"

    def __post_init__(self) -> None:
        checks = (
            ("discount", self.discount, "above 0, at most 1", 0 < self.discount <= 1),
            ("gap", self.gap, "at least 0", self.gap >= 0),
            ("time_limit_s", self.time_limit_s, "above 0", self.time_limit_s > 0),
            ("money_value", self.money_value, "at least 0", self.money_value >= 0),
            ("transfer_value", self.transfer_value, "at least 0", self.transfer_value >= 0),
            ("solver", self.solver, " or ".join(SOLVERS), self.solver in SOLVERS),
            ("most_per_team", self.most_per_team, "at least 1", self.most_per_team is None or self.most_per_team >= 1),
        )
        for name, found, expected, is_right in checks:
            if not is_right:
                raise UsageError(f"Plan: {name}: expected {expected}, found {found}.")
        both = self.locked & self.banned
        if both:
            raise UsageError(f"Plan: expected no asset both locked and banned, found {_named(both)}.")
        named = {*self.chip_values, *(self.chips or ()), *self.forced_chips.values()} - {NO_CHIP}
        unknown = sorted(named - set(MODELLED_CHIPS))
        if unknown:
            raise UsageError(f"Plan: expected chips among {', '.join(MODELLED_CHIPS)}, found {', '.join(unknown)}.")


@dataclass(frozen=True, eq=False)
class PlanProblem:
    """Several races ahead of a team.

    Attributes
    ----------
    rules : SeasonRules
    menus : tuple of RaceMenu, T
        The coming races in order; prices after the first one are those expected.
    assets : tuple of AssetKey, A
        Everything that may be held at one of them, drivers (by seat) first.
    points : ndarray of shape (T, A)
        Points of each asset, expected or actual; not looked at where it takes no part.
    no_negative_points : ndarray of shape (T, A), optional
        The same under the chip No Negative, at least `points`; without it the chip gains nothing.
    end_prices : ndarray of int, shape (A,), optional
        Tenths of a million after the last race; those of the last race by default.
    chip_gains : mapping of str to ndarray of shape (T,)
        What the chips gain that are not linear in a line-up (autopilot, final_fix), by race.
    team : Team, optional
        Your team; without one the plan begins with the starting budget.

    Raises
    ------
    DataError
        Shapes do not fit, or points are not finite.
    """

    rules: SeasonRules
    menus: tuple[RaceMenu, ...]
    assets: tuple[AssetKey, ...]
    points: np.ndarray
    no_negative_points: np.ndarray | None = None
    end_prices: np.ndarray | None = None
    chip_gains: Mapping[str, np.ndarray] = field(default_factory=dict)
    team: Team | None = None

    def __post_init__(self) -> None:
        shape = (len(self.menus), len(self.assets))
        if not self.menus:
            raise DataError("Plan: expected at least one race, found none.")
        for name, values, expected in (
            ("points", self.points, shape),
            ("no_negative_points", self.no_negative_points, shape),
            ("end_prices", self.end_prices, shape[1:]),
            *((f"chip_gains {name}", gains, shape[:1]) for name, gains in self.chip_gains.items()),
        ):
            if values is None:
                continue
            if values.shape != expected or not np.isfinite(values).all():
                raise DataError(f"Plan: {name}: expected finite numbers of shape {expected}, found {values.shape}.")
        if sorted(self.assets, key=_order) != list(self.assets) or len(set(self.assets)) != len(self.assets):
            raise DataError("Plan: expected assets sorted, drivers first, each once.")
        lacking = {key for menu in self.menus for key in menu.prices} - set(self.assets)
        if self.team is not None:
            lacking |= set(self.team.lineup.asset_keys) - set(self.assets)
        if lacking:
            raise DataError(f"Plan: expected every asset of menus and team, missing {_named(lacking)}.")

    @property
    def race_keys(self) -> tuple[str, ...]:
        """Return the races of the plan."""
        return tuple(menu.race_key for menu in self.menus)

    @property
    def has_free_start(self) -> bool:
        """Return whether the first race is the team's first: transfers are not counted there."""
        return self.team is None or self.team.races_played == 0

    @cached_property
    def is_driver(self) -> np.ndarray:
        """Say which assets are drivers, shape (A,)."""
        return np.array([asset_type == DRIVER for asset_type, _ in self.assets])

    @cached_property
    def is_active(self) -> np.ndarray:
        """Say who takes part in which race, shape (T, A)."""
        return np.array([[menu.is_active(key) for key in self.assets] for menu in self.menus])

    @cached_property
    def is_held(self) -> np.ndarray:
        """Say what the team holds before the first race, shape (A,)."""
        held = set() if self.team is None else set(self.team.lineup.asset_keys)
        return np.array([key in held for key in self.assets])

    @cached_property
    def prices(self) -> np.ndarray:
        """Return prices in tenths of a million, shape (T, A): an asset without one keeps its last, 0 if it has none."""
        last = dict.fromkeys(self.assets, 0)
        if self.team is not None:
            last |= dict(zip(self.team.lineup.asset_keys, self.team.price_tenths, strict=True))
        rows = []
        for menu in self.menus:
            last |= menu.prices
            rows.append([last[key] for key in self.assets])
        return np.array(rows, dtype=np.int64)

    @property
    def last_prices(self) -> np.ndarray:
        """Return prices after the last race in tenths of a million, shape (A,)."""
        return self.prices[-1] if self.end_prices is None else self.end_prices

    @property
    def start_budget_tenths(self) -> int:
        """Return bank and value of the team at the first race, in tenths of a million."""
        if self.team is None:
            return self.rules.team.budget_tenths
        return self.team.bank_tenths + int(self.prices[0, self.is_held].sum())

    @cached_property
    def values(self) -> np.ndarray:
        """Return what each asset brings to its team, shape (T, A): points, or the penalty of one that sits out."""
        penalties = np.array([inactive_points((("driver", ""),), menu, self.rules) for menu in self.menus], dtype=float)
        return np.where(self.is_active, self.points, penalties[:, None])

    @cached_property
    def boost_values(self) -> np.ndarray:
        """Return what a boost multiplies, shape (T, A): nothing of an asset that sits out."""
        return np.where(self.is_active, self.points, 0.0)

    @cached_property
    def floor_gains(self) -> np.ndarray:
        """Return what No Negative adds to each asset, shape (T, A)."""
        if self.no_negative_points is None:
            return np.zeros_like(self.points)
        return np.where(self.is_active, np.maximum(self.no_negative_points - self.points, 0.0), 0.0)

    def chip_races(self, settings: PlanSettings) -> dict[str, np.ndarray]:
        """Say which chip may be played at which race.

        Parameters
        ----------
        settings : PlanSettings

        Returns
        -------
        dict of str to ndarray of bool, shape (T,)
            Races at which a chip cannot gain what it is worth unplayed are left out, and chips that have none left.

        Raises
        ------
        UsageError
            A forced chip is not left, may not be played yet, or its race is not in the plan.
        """
        left = start_chips(self.rules) if self.team is None else self.team.chips_left
        played = 0 if self.team is None else self.team.races_played
        numbers = played + 1 + np.arange(len(self.menus))
        wanted = left if settings.chips is None else tuple(name for name in left if name in settings.chips)
        races = {name: numbers >= getattr(self.rules.chips, name).from_race for name in sorted(set(wanted))}
        for race_key, name in settings.forced_chips.items():
            if race_key not in self.race_keys:
                raise UsageError(f"Plan: chip at {race_key}: expected one of {', '.join(self.race_keys)}.")
            at = self.race_keys.index(race_key)
            if name != NO_CHIP and (name not in races or not races[name][at]):
                found = ", ".join(chip for chip in races if races[chip][at]) or "none"
                raise UsageError(f"Plan: chip {name} at {race_key}: expected one that may be played, {found}.")
            for chip, allowed in races.items():
                allowed[at] = chip == name
        for name, allowed in races.items():
            free = np.array([race_key not in settings.forced_chips for race_key in self.race_keys])
            allowed &= ~free | (self.most_gain(name) > settings.chip_values.get(name, -1.0))
        return {name: allowed for name, allowed in races.items() if allowed.any()}

    def most_gain(self, chip: str) -> np.ndarray:
        """Bound from above what a chip can add to any team at each race.

        Parameters
        ----------
        chip : str

        Returns
        -------
        ndarray of shape (T,)
            Infinite for Limitless and Wildcard, whose gain depends on the whole plan.
        """
        if chip in self.chip_gains:
            return np.asarray(self.chip_gains[chip], dtype=float)
        free = self.rules.boost.multiplier - 1
        if chip == "extra_boost":
            best = np.sort(self.boost_values[:, self.is_driver], axis=1)[:, ::-1].clip(min=0.0)
            return (self.rules.chips.extra_boost.multiplier - 1 - free) * best[:, 0] + free * best[:, 1]
        if chip == "no_negative":
            drivers, constructors = (
                np.sort(self.floor_gains[:, rows], axis=1)[:, ::-1] for rows in (self.is_driver, ~self.is_driver)
            )
            team = self.rules.team
            held = drivers[:, : team.driver_count].sum(axis=1) + constructors[:, : team.constructor_count].sum(axis=1)
            return held + free * drivers[:, 0]
        return np.full(len(self.menus), np.inf if chip in ("limitless", "wildcard") else 0.0)

    def rows_of(self, keys: frozenset[AssetKey]) -> np.ndarray:
        """Say which assets are named, shape (A,); a driver named by his id is every seat he has.

        Raises
        ------
        UsageError
            A name is none of the assets.
        """
        for asset_type, asset_id in sorted(keys):
            if not any(_is_named(key, (asset_type, asset_id)) for key in self.assets):
                raise UsageError(f"Plan: expected a {asset_type} of the coming races, found {asset_id!r}.")
        return np.array([any(_is_named(key, name) for name in keys) for key in self.assets])

    def limitless_lineup(self, at: int, settings: PlanSettings) -> tuple[Lineup, float]:
        """Find the best line-up of a race whatever it costs.

        Parameters
        ----------
        at : int
            Number of the race, from 0.
        settings : PlanSettings
            Locks, bans and the limit per team hold as well.

        Returns
        -------
        tuple of Lineup and float
            The line-up and its points.

        Raises
        ------
        SolverError
            No line-up keeps to locks, bans and the limit per team.
        """
        usable = self.is_active[at] & ~self.rows_of(settings.banned)
        locked = self.rows_of(settings.locked)
        ranked = sorted(np.flatnonzero(usable), key=lambda row: (not locked[row], -self.values[at, row], row))
        drivers, constructors = ([row for row in ranked if self.is_driver[row] == kind] for kind in (True, False))
        wanted = [row for row in constructors if locked[row]]
        best: tuple[float, list[int], tuple[int, ...]] | None = None
        for pair in combinations(constructors, self.rules.team.constructor_count):
            if not set(wanted) <= set(pair):
                continue
            # With the constructors given, taking the best drivers that the limit of each team allows is exact.
            held = self._filled(drivers, pair, settings.most_per_team)
            if len(held) == self.rules.team.driver_count:
                points = self.values[at, [*held, *pair]].sum()
                points += (self.rules.boost.multiplier - 1) * self.values[at, held].max()
                if best is None or points > best[0]:
                    best = (float(points), held, pair)
        if best is None:
            raise SolverError(
                f"{self.race_keys[at]}: expected a line-up within the locks, bans and limits, found none."
            )
        points, held, pair = best
        boosted = max(held, key=lambda row: self.values[at, row])
        lineup = Lineup(
            tuple(sorted(self.assets[row][1] for row in held)),
            tuple(sorted(self.assets[row][1] for row in pair)),
            self.assets[boosted][1],
        )
        return lineup, points

    def _filled(self, drivers: list[int], constructors: tuple[int, ...], most_per_team: int | None) -> list[int]:
        """Take drivers in order until the line-up is full, no team above its limit."""
        count = self.rules.team.driver_count
        if most_per_team is None:
            return drivers[:count]
        teams = Counter(team_of(self.assets[row]) for row in constructors)
        held: list[int] = []
        for row in drivers:
            team = team_of(self.assets[row])
            if len(held) < count and teams[team] < most_per_team:
                held.append(row)
                teams[team] += 1
        return held if max(teams.values(), default=0) <= most_per_team else []


@dataclass(frozen=True)
class PlannedRace:
    """One race of a plan.

    Attributes
    ----------
    race_key : str
    lineup : Lineup
        What is fielded, drivers by seat.
    chip : str or None
        Name of the chip played.
    extra_boosted_driver : str or None
        Who has the stronger boost of the chip.
    bought, sold : tuple of AssetKey
        Transfers for good; none under Limitless.
    transfer_count, transfer_points : int
        Those that count, and the penalty for those above the free ones, 0 or less.
    free_transfers : int
        Free ones before this race.
    bank_tenths, budget_tenths : int
        Money left and money in all, in tenths of a million, after the transfers.
    points : float
        Points of the race, boost, chip and penalty included.
    """

    race_key: str
    lineup: Lineup
    chip: str | None
    extra_boosted_driver: str | None
    bought: tuple[AssetKey, ...]
    sold: tuple[AssetKey, ...]
    transfer_count: int
    transfer_points: int
    free_transfers: int
    bank_tenths: int
    budget_tenths: int
    points: float


@dataclass(frozen=True)
class Plan:
    """Decisions for several races.

    Attributes
    ----------
    races : tuple of PlannedRace
    objective : float
        What was maximized: points, discounted, with the values of money, transfers and chips that are kept.
    bound : float
        No plan has a higher objective.
    """

    races: tuple[PlannedRace, ...]
    objective: float
    bound: float

    @property
    def points(self) -> float:
        """Return the points of all races."""
        return sum(race.points for race in self.races)

    @property
    def gap(self) -> float:
        """Return how far the bound is above the objective, as a share of it."""
        return max(0.0, self.bound - self.objective) / max(abs(self.objective), 1.0)


def team_of(key: AssetKey) -> str:
    """Return the constructor that an asset belongs to, or is."""
    return key[1].rpartition("@")[2]


def plan_assets(menus: tuple[RaceMenu, ...], team: Team | None = None) -> tuple[AssetKey, ...]:
    """List the assets of some menus and a team in the order of a plan's columns.

    Parameters
    ----------
    menus : tuple of RaceMenu
    team : Team, optional

    Returns
    -------
    tuple of AssetKey
    """
    keys = {key for menu in menus for key in menu.prices}
    if team is not None:
        keys |= set(team.lineup.asset_keys)
    return tuple(sorted(keys, key=_order))


def _order(key: AssetKey) -> tuple[bool, str]:
    return (key[0] == CONSTRUCTOR, key[1])


def _is_named(key: AssetKey, name: AssetKey) -> bool:
    return key == name or (key[0] == name[0] == DRIVER and driver_of(key[1]) == name[1])


def _named(keys: set[AssetKey] | frozenset[AssetKey]) -> str:
    return ", ".join(f"{asset_type} {asset_id}" for asset_type, asset_id in sorted(keys))
