"""Small games of several races, and the best plan through them by plain recursion over all decisions.

Belongs here: what the tests of planners share. Money, transfers and chips are kept by `game.team`, points are settled
by `game.settlement` from scoring items; nothing here uses arrays or a solver.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, permutations

import numpy as np

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import Chip, ExtraBoost, Limitless, NoNegative, Wildcard, start_chips
from f1_pipeline.game.decisions import Decision, RaceMenu, driver_of, seat_id
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules, load_rules
from f1_pipeline.game.settlement import RaceItems, inactive_points, score_lineup
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.plan_problem import MODELLED_CHIPS, NO_CHIP, PlanProblem, PlanSettings, plan_assets
from f1_pipeline_tests.support import DATA

CONSTANT_CHIPS = ("autopilot", "final_fix")
"""Chips whose gain a plan is told."""
CONSTRUCTORS = ("alpha", "beta", "gamma")


@cache
def small_rules(drivers: int = 2, constructors: int = 1) -> SeasonRules:
    """Make the rules of 2026 for smaller teams with less money, inactive assets fined from the first race on."""
    rules = load_rules(DATA, 2026)
    team = replace(rules.team, driver_count=drivers, constructor_count=constructors, budget_tenths=200)
    return replace(rules, team=team, inactive=replace(rules.inactive, first_race_key=""))


@dataclass(frozen=True, eq=False)
class SmallGame:
    """A plan's problem, and the items that settle each race to its points."""

    problem: PlanProblem
    items: tuple[RaceItems, ...]


def small_game(seed: int, races: int | None = None, drivers: int = 3) -> SmallGame:
    """Draw a game: prices that move, one driver who may lose his seat or change it, a team under way or none."""
    generator = np.random.default_rng(seed)
    if races is None:
        races, drivers = [(1, 5), (2, 4), (3, 3)][int(generator.integers(3))]
    rules = small_rules()
    keys = tuple(f"2026-{name}" for name in "abcdefghijklmnop"[:races])
    seats = [seat_id(f"driver-{number}", CONSTRUCTORS[number % 3]) for number in range(drivers)]
    assets = [(DRIVER, seat) for seat in seats] + [(CONSTRUCTOR, name) for name in CONSTRUCTORS]
    prices = dict(zip(assets, generator.integers(40, 90, len(assets)).tolist(), strict=True))
    fate, since = generator.choice(["stays", "sits out", "leaves", "moves"]), int(generator.integers(0, races + 1))
    menus = []
    for at, race_key in enumerate(keys):
        on_sale, inactive = dict(prices), frozenset[AssetKey]()
        if at >= since and fate == "sits out":
            inactive = frozenset({assets[0]})
        elif at >= since and fate != "stays":
            price = on_sale.pop(assets[0])
            if fate == "moves":
                on_sale[DRIVER, seat_id("driver-0", CONSTRUCTORS[1])] = price
        menus.append(RaceMenu(race_key, keys, bool(generator.random() < 0.3), on_sale, inactive))
        prices = {key: max(price + int(generator.integers(-8, 9)), 10) for key, price in prices.items()}
    team = None
    if generator.random() < 0.7:
        team = _team(generator, rules, tuple(seats), keys)
    columns = plan_assets(tuple(menus), team)
    items = tuple(_items(generator, menu) for menu in menus)
    return SmallGame(
        PlanProblem(
            rules=rules,
            menus=tuple(menus),
            assets=columns,
            points=_totals(items, columns, floor=-math.inf),
            no_negative_points=_totals(items, columns, floor=0.0),
            end_prices=np.array([prices.get(key, 50) + int(generator.integers(-3, 4)) for key in columns]),
            chip_gains={name: generator.normal(8, 4, races).round(3) for name in CONSTANT_CHIPS},
            team=team,
        ),
        items,
    )


def small_settings(seed: int, game: SmallGame, chip_count: int = 2) -> PlanSettings:
    """Draw what is wanted of a plan: some chips, some limits, some values of what is left."""
    generator = np.random.default_rng(seed + 1)
    problem = game.problem
    left = start_chips(problem.rules) if problem.team is None else problem.team.chips_left
    chips = tuple(str(name) for name in generator.choice(MODELLED_CHIPS, chip_count, replace=False))
    race_key = str(generator.choice(problem.race_keys[1:] or problem.race_keys))
    playable = [name for name in chips if name in left]
    forced = {race_key: str(generator.choice([NO_CHIP, *playable]))} if generator.random() < 0.3 else {}
    named = [problem.assets[row] for row in generator.permutation(len(problem.assets))[:2]]
    return PlanSettings(
        discount=float(generator.choice([1.0, 0.8])),
        money_value=float(generator.choice([0.0, 1.5])),
        transfer_value=float(generator.choice([0.0, 4.0])),
        chip_values={name: float(generator.choice([0.0, 6.0])) for name in chips},
        chips=chips,
        forced_chips=forced,
        locked=frozenset(named[:1] if generator.random() < 0.2 else ()),
        banned=frozenset(named[1:] if generator.random() < 0.2 else ()),
        most_per_team=[None, 1, 2][int(generator.integers(3))],
        gap=0.0,
    )


def _team(generator: np.random.Generator, rules: SeasonRules, seats: tuple[str, ...], keys: tuple[str, ...]) -> Team:
    drivers = tuple(sorted(generator.permutation(seats)[: rules.team.driver_count].tolist()))
    constructors = tuple(sorted(generator.permutation(CONSTRUCTORS)[: rules.team.constructor_count].tolist()))
    return Team(
        rules=rules,
        lineup=Lineup(drivers, constructors, drivers[0]),
        price_tenths=(60,) * (len(drivers) + len(constructors)),
        bank_tenths=int(generator.integers(0, 40)),
        free_transfers=int(generator.integers(2, 4)),
        chips_left=tuple(name for name in start_chips(rules) if generator.random() < 0.8),
        races_played=int(generator.integers(0, 3)),
    )


def _items(generator: np.random.Generator, menu: RaceMenu) -> RaceItems:
    return {
        (kind, driver_of(name)): (
            ("qualifying", "position", round(float(generator.normal(3, 5)), 3)),
            ("race", "position", round(float(generator.normal(6, 9)), 3)),
        )
        for kind, name in menu.prices
        if menu.is_active((kind, name))
    }


def _totals(items: tuple[RaceItems, ...], columns: tuple[AssetKey, ...], floor: float) -> np.ndarray:
    return np.array(
        [
            [sum(max(points, floor) for _, _, points in own.get((kind, driver_of(name)), ())) for kind, name in columns]
            for own in items
        ],
        dtype=float,
    )


def best_objective(game: SmallGame, settings: PlanSettings) -> float:
    """Try every legal decision at every race; minus infinity when there is none."""
    return _Recursion(game, settings).best()


class _Recursion:
    def __init__(self, game: SmallGame, settings: PlanSettings) -> None:
        self.game, self.problem, self.settings = game, game.problem, settings
        self.rules, self.menus = game.problem.rules, game.problem.menus
        self.ahead: dict[tuple[object, ...], float] = {}
        self.points: dict[tuple[object, ...], float] = {}

    def best(self) -> float:
        if self.problem.team is not None:
            return self._best(0, self.problem.team)
        founded = -math.inf
        for lineup in self._lineups([key for key in self.menus[0].prices if self.menus[0].is_active(key)]):
            try:
                team = Team.start(lineup, self.menus[0].prices, self.rules)
            except RuleError:
                continue
            founded = max(founded, self._best(0, team, only=lineup))
        return founded

    def _best(self, at: int, team: Team, only: Lineup | None = None) -> float:
        if at == len(self.menus):
            return self._end(team)
        own = (team.drivers, team.constructors, team.price_tenths, team.bank_tenths)
        state = (at, *own, team.free_transfers, team.chips_left, team.races_played, only)
        if state not in self.ahead:
            choices = [self._worth(at, team, chip, only) for chip in self._chips(at, team)]
            self.ahead[state] = max(choices, default=-math.inf)
        return self.ahead[state]

    def _chips(self, at: int, team: Team) -> list[str]:
        """Name the chips that are left and wanted, and none."""
        menu, settings = self.menus[at], self.settings
        names = [NO_CHIP, *(name for name in team.chips_left if settings.chips is None or name in settings.chips)]
        return [name for name in names if settings.forced_chips.get(menu.race_key, name) == name]

    def _worth(self, at: int, team: Team, chip: str, only: Lineup | None) -> float:
        menu, settings, best = self.menus[at], self.settings, -math.inf
        if chip in CONSTANT_CHIPS and team.races_played + 1 < getattr(self.rules.chips, chip).from_race:
            return best
        keys = {key for key in menu.prices if menu.is_active(key)} | set(team.lineup.asset_keys)
        for lineup in self._lineups(sorted(keys)) if only is None else [only]:
            try:
                locked = team.apply(Decision(lineup, _as_chip(chip, lineup)), menu)
            except RuleError:
                continue
            # Limitless may not bring in who sits out either, and the team that it goes back to keeps to the limits.
            idle = any(not menu.is_active(key) for key in lineup.asset_keys)
            if (chip == "limitless" and idle) or not all(
                self._is_wanted(at, own) for own in (lineup, locked.kept.lineup)
            ):
                continue
            kept = locked.kept
            if chip in CONSTANT_CHIPS:
                kept = replace(kept, chips_left=tuple(name for name in kept.chips_left if name != chip))
            points = self._points(at, lineup, chip) + locked.transfer_points
            value = settings.discount**at * points - settings.chip_values.get(chip, 0.0) + self._best(at + 1, kept)
            best = max(best, value)
        return best

    def _lineups(self, keys: list[AssetKey]) -> Iterator[Lineup]:
        drivers, constructors = ([name for kind, name in keys if kind == wanted] for wanted in (DRIVER, CONSTRUCTOR))
        for own in combinations(sorted(drivers), self.rules.team.driver_count):
            for others in combinations(sorted(constructors), self.rules.team.constructor_count):
                yield Lineup(own, others, own[0])

    def _is_wanted(self, at: int, lineup: Lineup) -> bool:
        keys, settings = lineup.asset_keys, self.settings
        must = {key for key in self.menus[at].prices if self.menus[at].is_active(key) and _is_in(key, settings.locked)}
        crowds = Counter(name.rpartition("@")[2] for _, name in keys)
        return (
            must <= set(keys)
            and not any(_is_in(key, settings.banned) for key in keys)
            and max(crowds.values()) <= (settings.most_per_team or len(keys))
        )

    def _points(self, at: int, lineup: Lineup, chip: str) -> float:
        """Settle a line-up with the boosts where they bring most."""
        known = (at, lineup, chip)
        if known not in self.points:
            menu = self.menus[at]
            idle = tuple(key for key in lineup.asset_keys if not menu.is_active(key))
            ways = []
            for boosted, extra in permutations(lineup.drivers, 2):
                played = ExtraBoost(extra) if chip == "extra_boost" else NoNegative() if chip == "no_negative" else None
                own = replace(lineup, boosted_driver=boosted)
                scores = score_lineup(own, played, self.game.items[at], menu, self.rules)
                ways.append(sum(score.points for score in scores))
            gain = float(self.problem.chip_gains[chip][at]) if chip in CONSTANT_CHIPS else 0.0
            self.points[known] = max(ways) + inactive_points(idle, menu, self.rules) + gain
        return self.points[known]

    def _end(self, team: Team) -> float:
        end, settings = self.problem.end_prices, self.settings
        assert end is not None
        prices = dict(zip(self.problem.assets, end.tolist(), strict=True))
        money = team.bank_tenths + sum(prices[key] for key in team.lineup.asset_keys) - self._start_money()
        carried = team.free_transfers - self.rules.transfers.free_per_race
        last = settings.discount ** (len(self.menus) - 1)
        return last * (settings.money_value * money / 10 + settings.transfer_value * carried)

    def _start_money(self) -> int:
        team = self.problem.team
        if team is None:
            return self.rules.team.budget_tenths
        held = zip(team.lineup.asset_keys, team.price_tenths, strict=True)
        return team.bank_tenths + sum(self.menus[0].prices.get(key, price) for key, price in held)


def _as_chip(chip: str, lineup: Lineup) -> Chip | None:
    if chip == "extra_boost":
        return ExtraBoost(lineup.drivers[1])
    simple: dict[str, Chip] = {"no_negative": NoNegative(), "limitless": Limitless(), "wildcard": Wildcard()}
    return simple.get(chip)


def _is_in(key: AssetKey, names: frozenset[AssetKey]) -> bool:
    return key in names or (key[0] == DRIVER and (DRIVER, driver_of(key[1])) in names)
