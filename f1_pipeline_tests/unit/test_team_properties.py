"""What holds for every team: a season of any legal decisions keeps its books, and no illegal decision gets through.

Belongs here: properties over made-up seasons, with real opening prices and then random moves, seats and points. The
books that a team is held against are kept here, by an own reading of the rules. Cases worked by hand are
`test_team.py` and `test_chips.py`, real races `integration/test_rule_cases.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import RuleError
from f1_pipeline.game.chips import Autopilot, Chip, ExtraBoost, FinalFix, Limitless, NoNegative, Wildcard
from f1_pipeline.game.decisions import Decision, RaceMenu, driver_of, seat_id
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup
from f1_pipeline.game.settlement import RaceItems
from f1_pipeline.game.team import LockedTeam, Team
from f1_pipeline_tests.team_races import calendar_of, lineup_of, menu_of, prices_of, rules_of, start_at

FIRST_RACES = {
    2023: "2023-bahrain",
    2024: "2024-netherlands",  # two races before inactive drivers begin to cost points
    2025: "2025-australia",
    2026: "2026-australia",
}
EXTRA_TRANSFER = {2023: -4, 2024: -10, 2025: -10, 2026: -10}
INACTIVE = {2023: (0, 0), 2024: (-25, -45), 2025: (-25, -45), 2026: (-25, -35)}
SWAP_AFTER_IN_SPRINT_WEEKEND = {
    2023: ("qualifying", "sprint"),
    2024: ("qualifying",),
    2025: ("qualifying",),
    2026: ("qualifying", "sprint"),
}
ALL_CHIPS = ("autopilot", "extra_boost", "final_fix", "limitless", "no_negative", "wildcard")
FROM_SECOND_RACE = ("final_fix", "limitless", "wildcard")

seasons = st.sampled_from(sorted(FIRST_RACES))
seeds = st.integers(0, 2**32 - 1)


@dataclass
class Market:
    """The assets of a made-up season, race by race."""

    season: int
    random: Random
    prices: dict[AssetKey, int] = field(init=False)
    inactive: frozenset[AssetKey] = frozenset()
    frozen: dict[AssetKey, int] = field(default_factory=dict)
    newcomers: int = 0

    def __post_init__(self) -> None:
        self.prices = dict(prices_of(FIRST_RACES[self.season]))

    @property
    def calendar(self) -> tuple[str, ...]:
        return calendar_of(self.season)

    def races(self, count: int) -> tuple[str, ...]:
        first = self.calendar.index(FIRST_RACES[self.season])
        return self.calendar[first : first + count]

    def menu(self, race_key: str) -> RaceMenu:
        return RaceMenu(race_key, self.calendar, self.random.random() < 0.3, self.prices, self.inactive)

    def score(self, menu: RaceMenu) -> RaceItems:
        """Give every asset two items per session."""
        sessions = ("sprint", "qualifying", "race") if menu.has_sprint else ("qualifying", "race")
        return {
            (kind, driver_of(name) if kind == DRIVER else name): tuple(
                (session, f"item_{part}", self.random.randint(-25, 35)) for session in sessions for part in (1, 2)
            )
            for kind, name in menu.prices
            if (kind, name) not in menu.inactive
        }

    def move(self) -> dict[AssetKey, int]:
        """Move the price of every asset that took part."""
        for key in sorted(set(self.prices) - self.inactive):
            self.prices[key] = max(30, self.prices[key] + self.random.randint(-6, 6))
        return dict(self.prices)

    def happen(self, event: str) -> None:
        """Let drivers exchange their seats, lose one to a newcomer, or be banned; or let prices be corrected."""
        one, two = self.random.sample(sorted(key for key in self.prices if key[0] == DRIVER), 2)
        self.inactive = frozenset({one}) if event == "ban" else frozenset()
        (driver_one, team_one), (driver_two, team_two) = (seat.split("@") for _, seat in (one, two))
        if event == "exchange":
            self.leave(one, two)
            self.take(seat_id(driver_one, team_two))
            self.take(seat_id(driver_two, team_one))
        elif event == "loss":
            self.leave(one)
            self.newcomers += 1
            self.take(seat_id(f"newcomer-{self.newcomers}", team_one))
        elif event == "correction":
            self.move()

    def leave(self, *keys: AssetKey) -> None:
        for key in keys:
            self.frozen[key] = self.prices.pop(key)

    def take(self, seat: str) -> None:
        """Bring a new asset, or one that was there before, at the price that it left with."""
        self.prices[DRIVER, seat] = self.frozen.pop((DRIVER, seat), self.random.randint(45, 250))


EVENTS = st.sampled_from(["none", "none", "exchange", "loss", "ban", "correction"])


def names_of(menu: RaceMenu, kind: str) -> list[str]:
    """Name the assets of a kind that take part, cheapest first."""
    active = [key for key in menu.prices if key[0] == kind and menu.is_active(key)]
    return [name for _, name in sorted(active, key=lambda key: (menu.prices[key], key))]


def founded(market: Market) -> Team:
    """Found a team of the cheapest; the bank is then full enough for any kind of season."""
    menu = market.menu(FIRST_RACES[market.season])
    drivers, constructors = names_of(menu, DRIVER)[:5], names_of(menu, CONSTRUCTOR)[:2]
    lineup = Lineup(tuple(drivers), tuple(constructors), drivers[0])
    return Team.start(lineup, market.prices, rules_of(market.season))


def known_prices(team: Team, menu: RaceMenu) -> dict[AssetKey, int]:
    return {**dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True)), **menu.prices}


def worth(team: Team, menu: RaceMenu) -> int:
    """Add up bank and line-up at the prices of the lock."""
    known = known_prices(team, menu)
    return team.bank_tenths + sum(known[key] for key in team.lineup.asset_keys)


def cost(lineup: Lineup, prices: dict[AssetKey, int]) -> int:
    return sum(prices[key] for key in lineup.asset_keys)


@st.composite
def legal_lineups(draw: st.DrawFn, team: Team, menu: RaceMenu, has_budget: bool) -> Lineup:
    """Draw a line-up that can be had: change asset by asset and drop the changes that cannot be paid."""
    known, budget = known_prices(team, menu), worth(team, menu)
    held = {DRIVER: list(team.drivers), CONSTRUCTOR: list(team.constructors)}
    for _ in range(draw(st.integers(0, 7))):
        kind = draw(st.sampled_from([DRIVER, DRIVER, CONSTRUCTOR]))
        slot = draw(st.integers(0, len(held[kind]) - 1))
        name = draw(st.sampled_from(names_of(menu, kind)))
        changed = {**held, kind: [*held[kind][:slot], name, *held[kind][slot + 1 :]]}
        spent = sum(known[part, asset] for part, assets in changed.items() for asset in assets)
        if name not in held[kind] and (not has_budget or spent <= budget):
            held = changed
    return Lineup(tuple(held[DRIVER]), tuple(held[CONSTRUCTOR]), draw(st.sampled_from(held[DRIVER])))


@st.composite
def legal_decisions(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Decision:
    """Draw line-up, boost, chip and number of swaps."""
    allowed = [name for name in team.chips_left if team.races_played or name not in FROM_SECOND_RACE]
    name = draw(st.sampled_from([None, *allowed]))
    wanted = draw(legal_lineups(team, menu, has_budget=name != "limitless"))
    net = len(set(wanted.asset_keys) - set(team.lineup.asset_keys))
    swaps = draw(st.sampled_from([None, net, net + 2, net + 3]))
    chips: dict[str | None, Chip] = {
        "autopilot": Autopilot(),
        "no_negative": NoNegative(),
        "wildcard": Wildcard(),
        "limitless": Limitless(),
    }
    chip = chips.get(name)
    if name == "extra_boost":
        chip = ExtraBoost(draw(st.sampled_from([seat for seat in wanted.drivers if seat != wanted.boosted_driver])))
    if name == "final_fix":
        chip = draw(legal_fixes(team, wanted, menu))
    return Decision(wanted, chip, swaps)


@st.composite
def legal_fixes(draw: st.DrawFn, team: Team, wanted: Lineup, menu: RaceMenu) -> FinalFix | None:
    """Draw a swap that can be paid, or none where nobody can."""
    known = known_prices(team, menu)
    outgoing = draw(st.sampled_from(wanted.drivers))
    funds = worth(team, menu) - cost(wanted, known) + known[DRIVER, outgoing]
    affordable = [
        seat for seat in names_of(menu, DRIVER) if seat not in wanted.drivers and known[DRIVER, seat] <= funds
    ]
    if not affordable:
        return None
    sessions = SWAP_AFTER_IN_SPRINT_WEEKEND[int(menu.race_key[:4])] if menu.has_sprint else ("qualifying",)
    return FinalFix(outgoing, draw(st.sampled_from(affordable)), draw(st.sampled_from(sessions)))


@dataclass
class Books:
    """What a player would write down of his team."""

    season: int
    held: dict[AssetKey, int]
    bank: int
    free: int = 2
    race_count: int = 0
    chips: list[str] = field(default_factory=lambda: list(ALL_CHIPS))
    moved: int = 0

    def lock(self, decision: Decision, menu: RaceMenu) -> int:
        """Enter a decision; return the points that its transfers cost."""
        wanted, chip = set(decision.lineup.asset_keys), decision.chip
        known = {**self.held, **menu.prices}
        is_free_week = self.race_count == 0 or isinstance(chip, Wildcard | Limitless)
        net = len(wanted - set(self.held))
        swaps = net if self.season == 2026 or decision.swap_count is None else decision.swap_count
        counted = 0 if is_free_week else swaps
        points = EXTRA_TRANSFER[self.season] * max(0, counted - self.free)
        self.free = 2 if is_free_week else 2 + (counted < self.free)
        if chip is not None:
            self.chips.remove(chip.name)
        before = sum(known[key] for key in self.held)
        self.moved += before - sum(self.held.values())
        if not isinstance(chip, Limitless):
            self.held = dict.fromkeys(wanted, 0)
            self.bank += before - sum(known[key] for key in wanted)
        self.held = {key: known[key] for key in self.held}
        self.race_count += 1
        return points

    def settle(self, after: dict[AssetKey, int]) -> None:
        """Enter the new prices."""
        now = {key: after.get(key, price) for key, price in self.held.items()}
        self.moved += sum(now.values()) - sum(self.held.values())
        self.held = now

    def check(self, team: Team) -> None:
        assert (team.bank_tenths, team.free_transfers) == (self.bank, self.free)
        assert dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True)) == self.held
        assert list(team.chips_left) == self.chips
        assert team.budget_tenths == 1000 + self.moved
        assert team.bank_tenths >= 0
        assert team.free_transfers in (2, 3)
        assert (len(set(team.drivers)), len(team.drivers)) == (5, 5)
        assert (len(set(team.constructors)), len(team.constructors)) == (2, 2)
        assert team.boosted_driver in team.drivers


def expected_points(decision: Decision, menu: RaceMenu, items: RaceItems) -> int:
    """Score a line-up by an own reading of the rules."""
    season, chip, boosted = int(menu.race_key[:4]), decision.chip, decision.lineup.boosted_driver

    def rows(key: AssetKey) -> list[tuple[str, int]]:
        fact = (key[0], driver_of(key[1]) if key[0] == DRIVER else key[1])
        return [(event, int(points)) for event, _, points in items[fact]] if menu.is_active(key) else []

    def plain(key: AssetKey) -> int:
        return sum(points for _, points in rows(key))

    def counted(key: AssetKey) -> int:
        if not isinstance(chip, NoNegative):
            return plain(key)
        return max(0, plain(key)) if season == 2023 else sum(max(0, points) for _, points in rows(key))

    total = sum(counted(key) for key in decision.lineup.asset_keys)
    if isinstance(chip, Autopilot):
        total += max(plain((DRIVER, seat)) for seat in decision.lineup.drivers)
    else:
        total += counted((DRIVER, boosted))
    if isinstance(chip, ExtraBoost):
        total += 2 * plain((DRIVER, chip.driver))
    if isinstance(chip, FinalFix):
        order = ("qualifying", "sprint", "race") if season == 2023 else ("sprint", "qualifying", "race")
        late = order[order.index(chip.after_session) + 1 :]
        gone, come = (
            sum(points for event, points in rows((DRIVER, seat)) if event in late)
            for seat in (chip.outgoing, chip.incoming)
        )
        total += (come - gone) * (2 if boosted == chip.outgoing else 1)
    absent = sum(not menu.is_active(key) for key in decision.lineup.asset_keys)
    if season == 2024 and menu.race_key in ("2024-netherlands", "2024-italy"):
        return total
    return total + absent * INACTIVE[season][menu.has_sprint]


def locked_in(team: Team, decision: Decision, menu: RaceMenu, fixes_late: bool) -> LockedTeam:
    """Lock a decision, a Final Fix either with it or after qualifying."""
    if fixes_late and isinstance(decision.chip, FinalFix):
        return team.apply(replace(decision, chip=None), menu).final_fix(decision.chip)
    return team.apply(decision, menu)


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(data=st.data(), season=seasons, seed=seeds)
def test_any_season_of_legal_decisions_keeps_money_transfers_and_chips(
    data: st.DataObject, season: int, seed: int
) -> None:
    market = Market(season, Random(seed))
    team = founded(market)
    books = Books(season, dict(zip(team.lineup.asset_keys, team.price_tenths, strict=True)), team.bank_tenths)
    books.check(team)
    for race_key in market.races(8):
        menu, before = market.menu(race_key), repr(team)
        decision = data.draw(legal_decisions(team, menu), label=race_key)
        locked = locked_in(team, decision, menu, fixes_late=data.draw(st.booleans()))
        assert repr(team) == before
        assert locked.transfer_points == books.lock(decision, menu)
        books.check(locked.kept)
        items = market.score(menu)
        after = market.move()
        team, result = locked.settle(items, after)
        books.settle(after)
        books.check(team)
        assert result.total_points == expected_points(decision, menu, items) + locked.transfer_points
        market.happen(data.draw(EVENTS))


# --- what must not get through ---

Illegal = tuple[Team, Decision, str]
"""The team, what it wants, and the rule that the message must name."""


@st.composite
def teams_in_season(draw: st.DrawFn) -> tuple[Team, RaceMenu]:
    """Draw a team that has played one to three races, and the menu of the next one."""
    market = Market(draw(seasons), Random(draw(seeds)))
    team = founded(market)
    *played, following = market.races(1 + draw(st.integers(1, 3)))
    for race_key in played:
        menu = market.menu(race_key)
        locked = team.apply(Decision(draw(legal_lineups(team, menu, has_budget=True))), menu)
        team, _ = locked.settle(market.score(menu), market.move())
        market.happen(draw(EVENTS))
    return team, market.menu(following)


def outsiders(team: Team, menu: RaceMenu, kind: str) -> list[str]:
    """Name the assets that take part and are not held, cheapest first."""
    return [name for name in names_of(menu, kind) if (kind, name) not in team.lineup.asset_keys]


def with_drivers(team: Team, drivers: list[str]) -> Lineup:
    """Field other drivers, the first of them boosted."""
    return replace(team.lineup, drivers=tuple(drivers), boosted_driver=drivers[0])


ANY_LINEUP_CHIP = st.sampled_from([None, Autopilot(), NoNegative(), Wildcard(), Limitless()])


def lineup_case(draw: st.DrawFn, team: Team, lineup: Lineup, rule: str) -> Illegal:
    return team, Decision(lineup, draw(ANY_LINEUP_CHIP)), rule


def too_dear(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    wanted = draw(legal_lineups(team, menu, has_budget=False))
    gap = cost(wanted, known_prices(team, menu)) - worth(team, menu)
    chip = draw(st.sampled_from([None, Autopilot(), NoNegative(), Wildcard()]))
    # Whatever the line-up costs, the bank is one tenth or more too empty for it.
    poor = replace(team, bank_tenths=team.bank_tenths + gap - draw(st.integers(1, 50)))
    return poor, Decision(wanted, chip), "Line-up budget: expected at most"


def duplicate_driver(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    drivers = list(draw(st.permutations(team.drivers)))
    return lineup_case(draw, team, with_drivers(team, [*drivers[:4], drivers[0]]), "Line-up duplicate: .*2 times")


def duplicate_constructor(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    twice = draw(st.sampled_from(team.constructors))
    lineup = replace(team.lineup, constructors=(twice, twice))
    return lineup_case(draw, team, lineup, "Line-up duplicate: .*2 times")


def wrong_driver_count(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    drivers = [*team.drivers, *outsiders(team, menu, DRIVER)]
    count = draw(st.sampled_from([1, 4, 6, 7]))
    return lineup_case(draw, team, with_drivers(team, drivers[:count]), f"Line-up drivers: expected 5, found {count}")


def wrong_constructor_count(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    constructors = [*team.constructors, *outsiders(team, menu, CONSTRUCTOR)]
    count = draw(st.sampled_from([0, 1, 3]))
    lineup = replace(team.lineup, constructors=tuple(constructors[:count]))
    return lineup_case(draw, team, lineup, f"Line-up constructors: expected 2, found {count}")


def unknown_driver(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    constructor = draw(st.sampled_from(team.constructors))
    name = draw(st.sampled_from(["nobody", "nobody@haas", "max-verstappen@brawn", "", constructor]))
    lineup = with_drivers(team, [*team.drivers[:4], name])
    return lineup_case(draw, team, lineup, f"Line-up asset: .*unknown '{name}'")


def unknown_constructor(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    name = draw(st.sampled_from(["brawn", "", *team.drivers]))
    lineup = replace(team.lineup, constructors=(team.constructors[0], name))
    return lineup_case(draw, team, lineup, f"Line-up asset: .*unknown '{name}'")


def boost_on_a_constructor(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    name = draw(st.sampled_from(team.constructors))
    lineup = replace(team.lineup, boosted_driver=name)
    return lineup_case(draw, team, lineup, f"Line-up boost: expected a driver, found constructor '{name}'")


def boost_on_somebody_not_held(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    name = draw(st.sampled_from([*outsiders(team, menu, DRIVER), "nobody"]))
    lineup = replace(team.lineup, boosted_driver=name)
    return lineup_case(draw, team, lineup, f"Line-up boost: expected one of the drivers held .*found '{name}'")


def extra_boost_on_the_boosted(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    return team, Decision(team.lineup, ExtraBoost(team.boosted_driver)), "chip extra_boost: expected another driver"


def extra_boost_elsewhere(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    name = draw(st.sampled_from([*outsiders(team, menu, DRIVER), *team.constructors, "nobody"]))
    rule = f"chip extra_boost: expected one of the drivers held .*found '{name}'"
    return team, Decision(team.lineup, ExtraBoost(name)), rule


def final_fix_of_somebody_else(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    incoming, *others = draw(st.permutations(outsiders(team, menu, DRIVER)))
    name = draw(st.sampled_from([*others, *team.constructors, "nobody"]))
    rule = f"chip final_fix: expected one of the drivers held .* to go, found '{name}'"
    return team, Decision(team.lineup, FinalFix(name, incoming)), rule


def final_fix_for_a_constructor_or_a_driver_held(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    outgoing, *others = draw(st.permutations(team.drivers))
    name = draw(st.sampled_from([*others, outgoing, *names_of(menu, CONSTRUCTOR), "nobody"]))
    rule = f"chip final_fix: expected a driver who takes part and is not held to come, found '{name}'"
    return team, Decision(team.lineup, FinalFix(outgoing, name)), rule


def final_fix_over_budget(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    known = known_prices(team, menu)
    pairs = [
        (outgoing, incoming)
        for outgoing in team.drivers
        for incoming in outsiders(team, menu, DRIVER)
        if known[DRIVER, incoming] > known[DRIVER, outgoing]
    ]
    outgoing, incoming = draw(st.sampled_from(pairs))
    bank = draw(st.integers(0, known[DRIVER, incoming] - known[DRIVER, outgoing] - 1))
    rule = f"chip final_fix: expected a driver of at most .*found '{incoming}'"
    return replace(team, bank_tenths=bank), Decision(team.lineup, FinalFix(outgoing, incoming)), rule


def final_fix_at_a_wrong_time(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    incoming = draw(st.sampled_from(outsiders(team, menu, DRIVER)))
    session = draw(st.sampled_from(["fp1", "fp3", "sprint_qualifying", "race", ""]))
    chip = FinalFix(team.drivers[0], incoming, session)
    return team, Decision(team.lineup, chip), f"chip final_fix: expected the swap after .*found '{session}'"


def final_fix_after_a_sprint_that_is_none(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    incoming = draw(st.sampled_from(outsiders(team, menu, DRIVER)))
    chip = FinalFix(team.drivers[0], incoming, "sprint")
    return team, Decision(team.lineup, chip), "chip final_fix: expected the swap after qualifying, found 'sprint'"


def impossible_swap_count(draw: st.DrawFn, team: Team, menu: RaceMenu) -> Illegal:
    wanted = draw(legal_lineups(team, menu, has_budget=True))
    net = len(set(wanted.asset_keys) - set(team.lineup.asset_keys))
    count = draw(st.integers(-3, net - 1)) if net else draw(st.sampled_from([-2, -1, 1]))
    rule = f"transfers: expected a swap count that leads to {net} changes, found {count}"
    return team, Decision(wanted, draw(ANY_LINEUP_CHIP), count), rule


ILLEGAL: list[Callable[[st.DrawFn, Team, RaceMenu], Illegal]] = [
    too_dear,
    duplicate_driver,
    duplicate_constructor,
    wrong_driver_count,
    wrong_constructor_count,
    unknown_driver,
    unknown_constructor,
    boost_on_a_constructor,
    boost_on_somebody_not_held,
    extra_boost_on_the_boosted,
    extra_boost_elsewhere,
    final_fix_of_somebody_else,
    final_fix_for_a_constructor_or_a_driver_held,
    final_fix_over_budget,
    final_fix_at_a_wrong_time,
    final_fix_after_a_sprint_that_is_none,
    impossible_swap_count,
]


def refused(team: Team, decision: Decision, menu: RaceMenu, rule: str) -> None:
    """Expect the rule's own error, and a team that is as it was."""
    before = repr(team)
    with pytest.raises(RuleError, match=f"^{menu.race_key}: {rule}"):
        team.apply(decision, menu)
    assert repr(team) == before


@pytest.mark.parametrize("case", ILLEGAL, ids=lambda case: case.__name__)
@settings(derandomize=True, database=None, deadline=None, max_examples=15)
@given(data=st.data())
def test_an_illegal_decision_is_refused_by_the_name_of_its_rule(
    case: Callable[[st.DrawFn, Team, RaceMenu], Illegal], data: st.DataObject
) -> None:
    team, menu = data.draw(teams_in_season())
    if case is final_fix_after_a_sprint_that_is_none:
        menu = replace(menu, has_sprint=False)
    poor_or_same, decision, rule = case(data.draw, team, menu)
    refused(poor_or_same, decision, menu, rule)


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(data=st.data())
def test_the_last_tenth_decides(data: st.DataObject) -> None:
    team, menu = data.draw(teams_in_season())
    wanted = data.draw(legal_lineups(team, menu, has_budget=False))
    gap = cost(wanted, known_prices(team, menu)) - worth(team, menu)
    exact = replace(team, bank_tenths=team.bank_tenths + gap)
    assert exact.apply(Decision(wanted), menu).kept.bank_tenths == 0
    refused(
        replace(exact, bank_tenths=exact.bank_tenths - 1), Decision(wanted), menu, "Line-up budget: .*0.1M too much"
    )


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(data=st.data(), by_bare_name=st.booleans())
def test_who_is_inactive_may_be_kept_and_not_bought(data: st.DataObject, by_bare_name: bool) -> None:
    team, menu = data.draw(teams_in_season())
    seat = data.draw(st.sampled_from(outsiders(team, menu, DRIVER)))
    banned = replace(menu, inactive=menu.inactive | {(DRIVER, seat)})
    name = driver_of(seat) if by_bare_name else seat
    wanted = replace(team.lineup, drivers=(*team.drivers[:4], name), boosted_driver=team.drivers[0])
    refused(team, Decision(wanted, Limitless()), banned, f"inactive asset: .*found '{seat}'")
    fix = FinalFix(team.drivers[0], name)
    refused(team, Decision(team.lineup, fix), banned, f"chip final_fix: .*who takes part .*found '{seat}'")
    all_out = replace(
        menu, inactive=frozenset((DRIVER, held) for held in team.drivers if (DRIVER, held) in menu.prices)
    )
    assert team.apply(Decision(team.lineup), all_out).fielded == team.lineup


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(data=st.data())
def test_a_seat_that_is_gone_cannot_be_bought(data: st.DataObject) -> None:
    team, menu = data.draw(teams_in_season())
    seat = data.draw(st.sampled_from(outsiders(team, menu, DRIVER)))
    without = replace(menu, prices={key: price for key, price in menu.prices.items() if key != (DRIVER, seat)})
    wanted = with_drivers(team, [*team.drivers[:4], seat])
    refused(team, Decision(wanted, Limitless()), without, f"Line-up asset: .*unknown '{seat}'")


def chip_by_name(name: str, team: Team, menu: RaceMenu) -> Chip:
    """Make a chip that this team may play with the line-up it holds, but for when it is played."""
    others = [seat for seat in team.drivers if seat != team.boosted_driver]
    cheap = [Autopilot(), NoNegative(), Wildcard(), Limitless(), ExtraBoost(others[0])]
    fix = FinalFix(team.drivers[-1], outsiders(team, menu, DRIVER)[0])
    return {chip.name: chip for chip in (*cheap, fix)}[name]


@pytest.mark.parametrize("name", ALL_CHIPS)
@settings(derandomize=True, database=None, deadline=None, max_examples=10)
@given(season=seasons, seed=seeds)
def test_a_chip_is_played_once_in_its_time_and_alone(name: str, season: int, seed: int) -> None:
    market = Market(season, Random(seed))
    team = founded(market)
    for number, race_key in enumerate(market.races(4), start=1):
        menu = market.menu(race_key)
        chip = chip_by_name(name, team, menu)
        decision = Decision(team.lineup, chip)
        if number == 1 and name in FROM_SECOND_RACE:
            refused(team, decision, menu, f"chip {name}: expected the team's race 2 or later, found race 1")
            decision = Decision(team.lineup)
        elif name not in team.chips_left:
            refused(team, decision, menu, f"chip {name}: expected a chip that is left, found autopilot|extra_boost")
            decision = Decision(team.lineup)
        locked = team.apply(decision, menu)
        if decision.chip is not None and number > 1:
            fix = chip_by_name("final_fix", team, menu)
            assert isinstance(fix, FinalFix)
            with pytest.raises(
                RuleError, match=f"{race_key}: chip final_fix: expected one chip per race, found {name}"
            ):
                locked.final_fix(fix)
        team, _ = locked.settle(market.score(menu), market.move())
    assert team.chips_left == tuple(chip for chip in ALL_CHIPS if chip != name)


@settings(derandomize=True, database=None, deadline=None, max_examples=20)
@given(data=st.data())
def test_a_race_of_the_past_or_of_another_season_is_refused(data: st.DataObject) -> None:
    team, menu = data.draw(teams_in_season())
    past = data.draw(st.sampled_from(menu.calendar[: menu.calendar.index(team.last_race_key) + 1]))
    refused(team, Decision(team.lineup), replace(menu, race_key=past), "order of races: expected one after")
    other = 2023 if team.rules.season != 2023 else 2024
    elsewhere = replace(menu, race_key=FIRST_RACES[other], calendar=calendar_of(other))
    refused(team, Decision(team.lineup), elsewhere, f"season: expected a race of {team.rules.season}")


# --- what is not touched ---

AUSTRALIA_2026 = lineup_of(
    "oliver-bearman esteban-ocon pierre-gasly arvid-lindblad george-russell", "mercedes racing-bulls", "george-russell"
)


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(st.lists(st.integers(-60, 90), min_size=33, max_size=33))
def test_settle_leaves_the_frame_of_items_as_it_was(values: list[int]) -> None:
    keys = [(kind, name.partition("@")[0]) for kind, name in sorted(prices_of("2026-australia"))]
    frame = pd.DataFrame(keys, columns=["asset_type", "asset_id"])
    frame = frame.assign(event_type="race", scoring_item="race_position", points=values)
    before = frame.copy(deep=True)
    locked = start_at("2026-australia", AUSTRALIA_2026).apply(Decision(AUSTRALIA_2026), menu_of("2026-australia"))
    locked.settle(frame, prices_of("2026-china"))
    pd.testing.assert_frame_equal(frame, before)
